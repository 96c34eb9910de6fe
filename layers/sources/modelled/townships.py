"""Townships: modelled areas with real names that tile their districts."""

from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from layers.resources import data_path
from layers.sources.modelled.noise import Warp

Floats = npt.NDArray[np.float64]

_SEED: Final = 330100
# In degrees: borders wander as real ones do, and by less where towns lie close.
_WAVES: Final = ((0.05, 0.006), (0.012, 0.0011))
_STEP: Final = 0.006


def districts() -> gpd.GeoDataFrame:
    """Read the 13 districts with their boundaries.

    Returns
    -------
    GeoDataFrame
        Columns ``code``, ``name``, ``name_en`` and geometry in EPSG:4326, by code.
    """
    shapes = gpd.read_file(data_path("hangzhou", "districts.geojson"))
    shapes["code"] = shapes["code"].astype(str)
    return shapes.sort_values("code", ignore_index=True)[["code", "name", "name_en", "geometry"]]


def centres() -> pd.DataFrame:
    """Read the townships with their centres.

    Returns
    -------
    DataFrame
        Columns ``code``, ``district``, ``name``, ``lon``, ``lat``, by code.
    """
    names = pd.read_csv(data_path("hangzhou", "townships.csv"), dtype=str)
    places = pd.read_csv(data_path("hangzhou", "township_centres.csv"), dtype={"code": str})
    both = names.drop(columns="source").merge(
        places.drop(columns="source"), on="code", validate="1:1"
    )
    return both.sort_values("code", ignore_index=True)


def units() -> gpd.GeoDataFrame:
    """Return the city, its districts and its modelled townships.

    A township is what lies nearest its centre, measured in a bent plane, cut at the
    district's border. Shapes do not depend on a seed or a size.

    Returns
    -------
    GeoDataFrame
        Columns ``code``, ``name``, ``name_en``, ``level``, ``parent`` and geometry.
    """
    areas = districts()
    towns = centres()
    bend = Warp.over(_bounds(areas), _WAVES, np.random.default_rng(_SEED))
    pieces: dict[str, Any] = {}
    for code, shape in zip(areas["code"], areas.geometry, strict=True):
        own = towns[towns["district"] == code]
        cells = _cells(own[["lon", "lat"]].to_numpy(), shape, bend)
        pieces.update(zip(own["code"], cells, strict=True))
    city = gpd.GeoDataFrame(
        {
            "code": ["330100"],
            "name": ["杭州市"],
            "name_en": ["Hangzhou"],
            "level": ["city"],
            "parent": [None],
        },
        geometry=[shapely.coverage_union_all(areas.geometry.to_numpy())],
        crs=4326,
    )
    middle = areas.assign(level="district", parent="330100")
    low = gpd.GeoDataFrame(
        {
            "code": towns["code"],
            "name": towns["name"],
            "name_en": towns["name"],
            "level": "township",
            "parent": towns["district"],
        },
        geometry=[pieces[code] for code in towns["code"]],
        crs=4326,
    )
    frame = pd.concat([city, middle, low], ignore_index=True)
    return gpd.GeoDataFrame(frame, crs=4326)[
        ["code", "name", "name_en", "level", "parent", "geometry"]
    ]


def _cells(points: Floats, area: Any, bend: Warp) -> list[Any]:
    """Divide an area among points; the pieces share their borders exactly."""
    reach = shapely.box(*shapely.bounds(area)).buffer(0.2)
    plain = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(points), extend_to=reach, ordered=True)
    )
    cells = shapely.transform(shapely.segmentize(plain, _STEP), bend)
    lines = shapely.union_all(np.append(shapely.boundary(cells), shapely.boundary(area)))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    spots = shapely.point_on_surface(faces)
    faces, spots = (kind[shapely.intersects(area, spots)] for kind in (faces, spots))
    owner = shapely.STRtree(cells).query_nearest(spots, all_matches=False)[1]
    return [shapely.coverage_union_all(faces[owner == cell]) for cell in range(len(points))]


def _bounds(areas: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    west, south, east, north = areas.total_bounds
    return float(west), float(south), float(east), float(north)
