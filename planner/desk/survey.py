"""What the desk knows of a city's layers themselves: their tiles, and what is wrong with them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.ground import Ground
from planner.maps import plain
from planner.report.rows import rows_of
from planner.review import review
from planner.review.backdrop import Backdrop

if TYPE_CHECKING:
    from collections.abc import Callable

    from layers.findings import Finding
    from planner.desk.study import Study


class Survey:
    """Tiles and findings of a city's layers, each made once for all sessions.

    Nothing of it waits for the searches of other views.

    Parameters
    ----------
    study
        Whose city.
    """

    def __init__(self, study: Study) -> None:
        self.city, self.services = study.city, study.services
        self._made: dict[str, Any] = {}
        self._locks: dict[str, Lock] = {}
        self._lock = Lock()

    def _once(self, key: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            own = self._locks.setdefault(key, Lock())
        with own:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    @property
    def checked(self) -> list[Finding] | None:
        """Findings, None while nobody has looked."""
        found: list[Finding] | None = self._made.get("findings")
        return found

    def check(self) -> list[Finding]:
        """Look the city over, as ``planner check`` does, and keep what was found.

        Raises
        ------
        PlannerError
            It cannot be looked over; the message says why.
        """
        found: list[Finding] = self._once("findings", lambda: review(self.city, self.services))
        return found

    def backdrop(self) -> Backdrop:
        """Streets that points are held against, to tell their datum."""
        made: Backdrop = self._once(
            "backdrop", lambda: Backdrop(Ground.of(self.city.streets, crs=self.city.crs))
        )
        return made

    def tiles(self, layer: str) -> Any:
        """Tiles of the streets, the facilities or the population."""
        makers: dict[str, Callable[[], Any]] = {
            "streets": lambda: plain.street_tiles(self.city.streets),
            "facilities": lambda: plain.facility_tiles(self.city.facilities, self.services),
            "population": lambda: plain.people_tiles(self.city.population),
        }
        return self._once(layer, makers[layer])

    def marked(self, number: int) -> Marked:
        """Places of one of the findings."""
        made: Marked = self._once(
            f"finding {number}", lambda: Marked.of(self, self.check()[number])
        )
        return made


class Marked:
    """Places that a finding names, ready to be drawn.

    Attributes
    ----------
    rows
        Rows of the layer, in the order in which they are listed; None where there are none.
    shapes
        Where the finding is; empty where it is nowhere.
    points, lines
        Tiles of them, or None.
    areas
        Number in `shapes` of each area, and the areas.
    """

    def __init__(self, rows: gpd.GeoDataFrame | None, shapes: gpd.GeoSeries) -> None:
        self.rows, self.shapes = rows, shapes
        kind = shapely.get_dimensions(np.asarray(shapes.array))
        of = [np.flatnonzero(kind == dimension) for dimension in (0, 1, 2)]
        flat = np.asarray(shapes.array)
        self.points = None
        if len(of[0]):
            ids = [str(number) for number in of[0].tolist()]
            spots = gpd.GeoSeries(shapely.centroid(flat[of[0]]), crs=shapes.crs)
            self.points = plain.point_tiles(spots, ids=ids)
        self.lines = plain.line_tiles(shapely.get_parts(flat[of[1]])) if len(of[1]) else None
        self.areas = [str(number) for number in of[2].tolist()], flat[of[2]]

    @classmethod
    def of(cls, survey: Survey, finding: Finding) -> Marked:
        """Find the places of a finding."""
        rows = rows_of(survey.city, finding)
        shapes = finding.places
        if shapes is None:
            shapes = gpd.GeoSeries([], crs=4326) if rows is None else rows.geometry
        if shapes.crs is None:
            # Nobody knows where on earth they are.
            shapes = gpd.GeoSeries([], crs=4326)
        shapes = shapes.to_crs(4326).reset_index(drop=True)
        usable = ~(shapes.isna() | shapes.is_empty)
        if rows is not None and finding.places is None:
            shapes = shapes.where(usable, None)
        else:
            shapes = shapes[usable].reset_index(drop=True)
        return cls(rows, shapes)

    def bounds(self, number: int | None = None) -> tuple[float, float, float, float] | None:
        """West, south, east, north of one place or of all; None where there is none."""
        some = self.shapes if number is None else self.shapes.iloc[[number]]
        west, south, east, north = (float(side) for side in some.total_bounds)
        return None if pd.isna(west) else (west, south, east, north)


_held: WeakKeyDictionary[Study, Survey] = WeakKeyDictionary()
_holding = Lock()


def survey_of(study: Study) -> Survey:
    """Survey of a study's city, the same for every session."""
    with _holding:
        if study not in _held:
            _held[study] = Survey(study)
        return _held[study]
