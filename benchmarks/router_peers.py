"""Distances and ways of two routers on foot, for `router_distances.py`; needs them alone.

Reads pairs of places (lon, lat, lon, lat) from standard input as JSON; writes, for each
router that can be imported, metres and the way's coordinates of each pair.
"""

import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path


def valhalla(file: Path, folder: Path, pairs: list) -> list:
    """Shortest ways on foot by Valhalla."""
    tiles, config = folder / "tiles", folder / "valhalla.json"
    own = import_module("valhalla")
    tiles.mkdir()
    (folder / "none.tar").touch()
    made = own.get_config(tile_extract=str(folder / "none.tar"), tile_dir=str(tiles))
    del made["mjolnir"]["tile_extract"]
    config.write_text(json.dumps(made), encoding="utf-8")
    tool = Path(own.__file__).parent / "bin" / "valhalla_build_tiles"
    run = [str(tool), "-c", str(config), str(file)]
    subprocess.run(run, check=True, capture_output=True)
    actor, decoded = own.Actor(str(config)), import_module("valhalla.utils").decode_polyline
    found = []
    for west, south, east, north in pairs:
        asked = {
            "locations": [
                {"lon": lon, "lat": lat, "node_snap_tolerance": 0}
                for lon, lat in ((west, south), (east, north))
            ],
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"shortest": True}},
        }
        try:
            trip = actor.route(asked)["trip"]
        except RuntimeError:
            found.append(None)
            continue
        way = [tuple(place) for leg in trip["legs"] for place in decoded(leg["shape"])]
        found.append([trip["summary"]["length"] * 1000, way])
    return found


def osrm(file: Path, folder: Path, pairs: list) -> list:
    """Ways on foot by OSRM, the quickest by its own foot profile."""
    own = import_module("osrm")
    home = Path(own.__file__).parent
    profile = next(home.glob("share/**/foot.lua"))
    copy = folder / "osrm.osm.pbf"
    copy.write_bytes(file.read_bytes())
    for tool, more in (("extract", ["-p", str(profile), str(copy)]), ("contract", [])):
        run = [str(home / "bin" / f"osrm-{tool}"), *(more or [str(folder / "osrm.osrm")])]
        subprocess.run(run, check=True, capture_output=True)
    engine, found = own.OSRM(str(folder / "osrm.osrm")), []
    for west, south, east, north in pairs:
        places = [(west, south), (east, north)]
        asked = own.RouteParameters(coordinates=places, geometries="geojson", overview="full")
        try:
            best = engine.Route(asked)["routes"][0]
        except RuntimeError:
            found.append(None)
            continue
        way = [tuple(place) for place in best["geometry"]["coordinates"]]
        found.append([best["distance"], way])
    return found


if __name__ == "__main__":
    source, work = Path(sys.argv[1]), Path(sys.argv[2])
    wanted = json.load(sys.stdin)
    routers = {"valhalla": valhalla, "osrm": osrm}
    told = {name: ask(source, work, wanted) for name, ask in routers.items() if find_spec(name)}
    json.dump(told, sys.stdout)
