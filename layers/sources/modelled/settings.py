"""How large a model is to be."""

from dataclasses import dataclass
from typing import Final, Literal

Size = Literal["small", "city", "full"]

MODEL_VERSION: Final = "1"
"""Changes whenever the same seed would give other bytes."""


@dataclass(frozen=True)
class Setting:
    """What makes one size different from another.

    Attributes
    ----------
    coarse
        How many times wider apart the streets lie than in the real city.
    raster
        Cell of the surfaces of people and relief, in metres.
    footways
        Share of blocks that have footways across.
    finer
        Share of quarter blocks divided once more by footways.
    paths
        Widest block that footways reach into, in smallest blocks.
    demand_points
        Points of the population layer, about.
    venues
        Share of the real city's number of small facilities.
    """

    coarse: float
    raster: float
    footways: float
    finer: float
    paths: int
    demand_points: int
    venues: float


SETTINGS: Final[dict[Size, Setting]] = {
    "small": Setting(
        coarse=8.0, raster=600.0, footways=0.2, finer=0.0, paths=4, demand_points=4_000, venues=0.12
    ),
    "city": Setting(
        coarse=1.0,
        raster=200.0,
        footways=0.15,
        finer=0.0,
        paths=4,
        demand_points=100_000,
        venues=1.0,
    ),
    "full": Setting(
        coarse=1.0,
        raster=200.0,
        footways=1.0,
        finer=0.8,
        paths=32,
        demand_points=860_000,
        venues=1.0,
    ),
}
