"""Travel: the speed on each class of street, and figures by class in general."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from layers.errors import InputError
from layers.messages import Language, language, text
from layers.resources import data_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

    from layers.streets import Mode
    from planner._search import Floats

DEFAULT_SPEED_KMH: Mapping[Mode, float] = {"walk": 4.8, "cycle": 15.0}
"""Speeds where a standard names none; a car goes at its street's speed limit.

4.8 km/h makes the plan's ten minutes the 800 m of its fitness circle.
"""

Figure = Literal["class_speeds", "limit_share", "junction_delay_s"]
FIGURES: tuple[Figure, ...] = get_args(Figure)


@dataclass(frozen=True, kw_only=True)
class ByClass:
    """A figure for each class of street.

    Attributes
    ----------
    other
        The figure of every class that is not named.
    classes
        Classes that have figures of their own. A ``..._link`` without one has that of
        the road it leads to.
    source, source_en
        Where the figures come from.

    Examples
    --------
    >>> speeds = ByClass(other=16.0, classes=(("primary", 18.0),))
    >>> speeds.of(["primary", "primary_link", "alley"]).tolist()
    [18.0, 18.0, 16.0]
    """

    other: float
    classes: tuple[tuple[str, float], ...] = ()
    source: str = ""
    source_en: str = ""

    def of(self, highway: Iterable[str]) -> Floats:
        """Figure of each street by its class."""
        number, names = pd.factorize(np.asarray(highway, dtype=object))
        figures = dict(self.classes)
        own = [
            figures.get(name, figures.get(str(name).removesuffix("_link"), self.other))
            for name in names
        ]
        return np.asarray(own, dtype=np.float64)[number]

    def origin(self, lang: Language | None = None) -> str:
        """Where the figures come from, in a language."""
        english = (lang or language()) == "en" and self.source_en
        return self.source_en if english else self.source

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"other": self.other, "classes": dict(self.classes), "source": self.source}


def figures(what: Figure, mode: Mode, given: Any) -> ByClass | None:
    """Bring figures by class into one form.

    Parameters
    ----------
    what
        ``class_speeds`` (km/h), ``limit_share`` (parts of the speed limit) or
        ``junction_delay_s`` (seconds).
    mode
        How people travel.
    given
        A number for all classes, a mapping of classes with ``other`` for the rest,
        ``usual`` for the table in ``data/travel.toml``, figures in their one form, or
        None for none.

    Raises
    ------
    InputError
        There is no usual table for the mode, or a figure is no number that may be.

    Examples
    --------
    >>> figures("junction_delay_s", "drive", "usual").of(["primary", "service"]).tolist()
    [11.311, 0.0]
    """
    if given is None or isinstance(given, ByClass):
        return given
    if given == "usual":
        table = usual().get((mode, what))
        if table is None:
            known = ", ".join(sorted(m for m, figure in usual() if figure == what))
            named = text(f"mode.{mode}")
            raise InputError(text("error.no_usual_figures", field=what, mode=named, known=known))
        return table
    classes = dict(given) if isinstance(given, Mapping) else {"other": given}
    if "other" not in classes:
        raise InputError(text("error.figure_other", field=what))
    least_open = what != "junction_delay_s"
    for name, value in classes.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value < 0 or (least_open and value == 0):
            raise InputError(text("error.figure_wrong", field=what, name=name, found=value))
    other = float(classes.pop("other"))
    pairs = tuple(sorted((str(name), float(value)) for name, value in classes.items()))
    return ByClass(other=other, classes=pairs)


@cache
def usual() -> Mapping[tuple[str, str], ByClass]:
    """The program's own figures, by mode and what they are of."""
    with data_path("travel.toml").open("rb") as file:
        modes = tomllib.load(file)
    return {
        (mode, what): ByClass(
            other=float(table["other"]),
            classes=tuple(sorted((k, float(v)) for k, v in table["classes"].items())),
            source=table["source"],
            source_en=table["source_en"],
        )
        for mode, tables in modes.items()
        for what, table in tables.items()
    }


def speeds(
    streets: gpd.GeoDataFrame,
    mode: Mode,
    *,
    speed_kmh: float | None = None,
    class_speeds: ByClass | None = None,
    limit_share: ByClass | None = None,
) -> Floats | float:
    """Speed on each street in km/h, or one for all.

    Parameters
    ----------
    streets
        Street layer.
    mode
        How people travel.
    speed_kmh
        The speed on every street.
    class_speeds
        Speeds by class of street.
    limit_share
        Average speed of cars, in parts of the street's ``speed_kmh``, which is a limit.

    Raises
    ------
    InputError
        Two of them are given, speeds by class to cars, or a share of the limit to others.
    """
    if speed_kmh is not None and not 0 < speed_kmh < float("inf"):
        raise InputError(text("error.number_positive", found=speed_kmh))
    refuse_clash(mode, speed_kmh, class_speeds, limit_share)
    if class_speeds is not None:
        return class_speeds.of(streets["highway"])
    speed = speed_kmh if speed_kmh is not None else DEFAULT_SPEED_KMH.get(mode)
    if speed is not None:
        return speed
    limits = streets["speed_kmh"].to_numpy(dtype=np.float64)
    return limits if limit_share is None else limits * limit_share.of(streets["highway"])


def refuse_clash(
    mode: Mode, speed_kmh: float | None, class_speeds: ByClass | None, limit_share: ByClass | None
) -> None:
    """Refuse speeds that contradict each other, or are another mode's; see `speeds`."""
    if sum(given is not None for given in (speed_kmh, class_speeds, limit_share)) > 1:
        raise InputError(text("error.speed_twice"))
    if (class_speeds is not None and mode == "drive") or (
        limit_share is not None and mode != "drive"
    ):
        raise InputError(text("error.speed_of_others"))
