"""Print the statistics of the modelled streets beside those of real ones.

Real streets lie outside the project, in ``../shared/data`` or where the environment
variable ``PLANNER_SHARED`` says::

    python scripts/compare_streets.py

Hangzhou's core is the file's own box. Both networks are taken as cars see them, chains of
degree two joined.
"""

import os
import sys
import time
from pathlib import Path

import geopandas as gpd
import shapely

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from layers.sources.modelled import build_layers  # noqa: E402  # need not be installed
from layers.sources.modelled.statistics import (  # noqa: E402
    driving_statistics,
    side_by_side,
    street_statistics,
)

SHARED = Path(os.environ.get("PLANNER_SHARED", ROOT.parent / "shared" / "data"))
CORE = (120.025, 30.234, 120.235, 30.375)
METRES = 4549


def real() -> dict[str, float]:
    """Describe the real streets of Hangzhou's core."""
    path = SHARED / "hangzhou" / "hangzhou_core_osm_drive_network.gpkg"
    edges = gpd.read_file(path, layer="edges").to_crs(METRES)
    box = gpd.GeoSeries([shapely.box(*CORE)], crs=4326).to_crs(METRES)
    return street_statistics(
        edges["u_osm"].to_numpy(),
        edges["v_osm"].to_numpy(),
        edges.geometry.to_numpy(),
        area_km2=float(box.area.iloc[0]) / 1e6,
    )


def main() -> None:
    """Print the table for the sizes named on the command line, or for ``city``."""
    beside = real()
    for size in sys.argv[1:] or ["city"]:
        start = time.perf_counter()
        made = build_layers(size)
        seconds = time.perf_counter() - start
        table = side_by_side(driving_statistics(made.streets, CORE), beside)
        print(
            f"{size}: {len(made.streets)} streets, {len(made.population)} points, {seconds:.1f} s"
        )
        print(table.round(3).to_string())


if __name__ == "__main__":
    main()
