"""The ground: a street layer made ready for the networks of all modes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from layers import streets as street_layer
from layers.crs import measuring_crs, require_crs, transformed
from layers.findings import refuse_errors
from planner._curve import along_curve
from planner.grid import Grid

if TYPE_CHECKING:
    import geopandas as gpd

    from planner._search import Floats, Ints


@dataclass(frozen=True, eq=False, repr=False)
class Ground:
    """A street layer made ready for networks: checked, numbered and measured once.

    Attributes
    ----------
    streets
        Street layer.
    crs
        Projected reference system in which access legs are measured.
    node_ids
        Id of each junction; near ones mostly follow one another.
    ends
        Two columns: the junction at each street's beginning and end.
    """

    streets: gpd.GeoDataFrame
    crs: CRS
    node_ids: Ints
    ends: Ints

    @classmethod
    def of(cls, streets: gpd.GeoDataFrame, *, crs: Any = None) -> Self:
        """Make a street layer ready.

        Parameters
        ----------
        streets
            Street layer.
        crs
            Projected reference system to measure in; by where the streets lie if None.

        Raises
        ------
        LayerError
            The street layer breaks its schema.
        CrsError
            It has no reference system.

        Examples
        --------
        >>> from layers import embedded
        >>> ground = Ground.of(embedded("small").streets)
        >>> ground.crs.to_epsg(), ground.ends.shape[1]
        (4549, 2)
        """
        require_crs(streets)
        refuse_errors(street_layer.check(streets))
        ends = streets[["u", "v"]].to_numpy()
        numbered, node_ids = pd.factorize(ends.ravel())
        numbered = numbered.reshape(ends.shape)
        # Junctions near each other on the map get numbers near each other, which keeps what
        # a search reads next close in memory, however the ids come.
        place = np.zeros((len(node_ids), 2))
        place[numbered] = street_layer.end_places(streets.geometry)
        order = along_curve(place)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(
            streets=streets,
            crs=CRS.from_user_input(crs) if crs is not None else measuring_crs(streets),
            node_ids=node_ids[order],
            ends=rank[numbered].astype(np.int64),
        )

    @cached_property
    def lines(self) -> np.ndarray:
        """Geometry of each street in `crs`."""
        return np.asarray(shapely.linestrings(self._vertices, indices=self._line))

    @cached_property
    def grid(self) -> Grid:
        """The lines in a grid of cells, to place points on them."""
        return Grid(self._vertices, self._line)

    @property
    def end_places(self) -> Floats:
        """Where each street begins and ends, in `crs`: a row a street, then both ends."""
        last = np.flatnonzero(np.append(self._line[1:] != self._line[:-1], True))
        return np.stack([self._vertices[np.append(0, last[:-1] + 1)], self._vertices[last]], axis=1)

    @cached_property
    def _vertices(self) -> Floats:
        return transformed(self.streets.geometry, self.crs)

    @cached_property
    def _line(self) -> Ints:
        count = shapely.get_num_coordinates(np.asarray(self.streets.geometry.array))
        return np.repeat(np.arange(len(count)), count)
