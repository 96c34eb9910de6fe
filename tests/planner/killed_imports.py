"""Imports of a table that are killed again and again, each a process of its own.

Run as ``python -m tests.planner.killed_imports FOLDER COUNT SEED``: what was seen is written
as JSON. As in `tests.planner.killed_builds`, the process does nothing but fork.
"""

import importlib
import json
import os
import signal
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from layers import City
from layers.sources.files import Source
from planner import intake
from planner.desk.cities import Cities
from planner.desk.study import Study
from planner.desk.survey import survey_of
from tests.planner.killed_builds import ended, forked, is_running
from tests.planner.maps.hamlet import hamlet

TABLE = "name,lon,lat\n甲,{x},{y}\n乙,,\n"
_IN_SAVE = 0.6
_LOADED = ("numba", "planner._grid", "pyarrow.pandas_compat")


def prepare(folder):
    """Save the city, and the table that is taken into it."""
    city = hamlet()
    city.save(folder / "home")
    x, y = city.facilities.geometry.iloc[0].coords[0]
    (folder / "table.csv").write_text(TABLE.format(x=x + 0.001, y=y), encoding="utf-8")
    return 0


def take(folder, told):
    """Take the table in as the Data view does; its folder's name is told once it is kept."""
    study = Study(City.open(folder / "home"))
    source = Source(folder / "table.csv", {"service": "mother_baby_room"})
    read = intake.take_in(source, study.city, survey_of(study).backdrop())
    grown = intake.accept(study.city, read, how="add", name="小村", name_en="Hamlet")
    os.write(told, Cities(study).save(grown.city).name.encode())
    return 0


def look(folder, kept, known=()):
    """Open the cities that the desk lists, checksums and all; none that was told is missing.

    Those that are known have been opened before.
    """
    study = Study(City.open(folder / "home"))
    own = Cities(study)
    listed = {one.key for one in own.all()}
    assert kept <= listed
    for key in listed.difference(known):
        assert len(City.open(own.folder / key).facilities) == len(study.city.facilities) + 1
    return 0


def run(folder, count, seed):
    """Kill imports and look at what each leaves."""
    for module in _LOADED:
        importlib.import_module(module)
    os.environ["PLANNER_CITIES"] = str(folder / "cities")
    assert ended(forked(lambda: prepare(folder))) == 0
    begun = time.monotonic()
    kept = {_import(folder, lambda _child: None)[1]}
    whole = time.monotonic() - begun
    known = set()
    chance = np.random.default_rng(seed)
    killed = Counter()

    def strike(child):
        if chance.random() < _IN_SAVE:
            while is_running(child) and not _saving(folder):
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.1 * whole))
        else:
            time.sleep(chance.uniform(0, whole))
        moment = "save" if _saving(folder) else "else"
        os.kill(child, signal.SIGKILL)
        return moment

    while killed.total() < count:
        moment, name = _import(folder, strike)
        kept |= {name} if name else set()
        if moment:
            killed[moment] += 1
        assert ended(forked(partial(look, folder, set(kept), known))) == 0, (killed, name)
        known = {path.name for path in (folder / "cities").iterdir()}
    kept.add(_import(folder, lambda _child: None)[1])
    assert ended(forked(partial(look, folder, kept))) == 0
    left = [path.name for path in (folder / "cities").iterdir() if path.name.startswith(".")]
    return {"killed": killed, "kept": len(kept), "seconds": whole, "left": left}


def _saving(folder):
    return bool(list((folder / "cities").glob(".*.new-*")))


def _import(folder, strike):
    """Start an import and strike: the moment of its death, and the folder that it told of."""
    told, tell = os.pipe()
    child = forked(lambda: take(folder, tell))
    os.close(tell)
    moment = strike(child)
    if ended(child) != -signal.SIGKILL:
        moment = None
    name = os.read(told, 4096).decode()
    os.close(told)
    return moment, name


if __name__ == "__main__":
    seen = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(seen, indent=1))
