"""Imports that are killed again and again: whoever hands the table in, and whoever takes it.

Run as ``python -m tests.planner.killed_imports FOLDER COUNT SEED``: what was seen is written
as JSON.
"""

import os
import signal
import time
import tomllib

from layers import City
from planner.jobs import IMPORT, ask_about
from planner.jobs.uploads import upload_of
from planner.order import Order
from planner.own import is_key, own_folder
from planner.store import Store
from tests.planner.killed_builds import ended, forked
from tests.planner.killed_jobs import Series, run

ROW = "名称,经度,纬度\n甲,{x},{y}\n乙,,\n"
# Shares of the turns before which another hand-in is killed, and of the strikes before which
# somebody has cancelled the job.
_HAND_IN, _CANCEL = 0.5, 0.15
WHO = "王工"


class Imports(Series):
    """Imports: a city is written among the reader's own, then told to be done."""

    lane = "imports"
    loaded = ("planner.jobs.imports",)
    in_writing, at_the_end, after_s = 0.35, 0.35, 0.004

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        os.environ["PLANNER_CITIES"] = str(folder / "cities")
        self.own = own_folder(WHO)

    def begin(self):
        """Write the table too, and learn how long handing it in takes."""
        self.table = self.folder / "表.csv"
        self.before = ()
        super().begin()
        begun = time.monotonic()
        job = self.order()
        self.hand_in = time.monotonic() - begun
        self._take(self.runner(), job)

    def ask(self, store):
        home = self.folder / "home"
        if not self.table.exists():
            x, y = City.open(home).facilities.geometry.iloc[0].coords[0]
            self.table.write_text(ROW.format(x=x + 0.001, y=y), encoding="utf-8")
        order = Order(
            file=self.table.name,
            options={"service": "mother_baby_room"},
            name="小村 + 表",
            fingerprint=City.fingerprint(home),
        )
        return ask_about(store, IMPORT, order.as_dict(), self.table, city=str(home), who=WHO)

    def turn(self):
        if self.chance.random() < _HAND_IN:
            self._kill_hand_in()
        super().turn()

    def order(self):
        self.before = self._keys()
        return super().order()

    def _kill_hand_in(self):
        """Kill whoever hands a table in: there is a job with its table, or nothing."""

        def ask(told):
            with Store() as store:
                os.write(told, self.ask(store).id.encode())
            return 0

        self.before = self._keys()
        heard, tell = os.pipe()
        child = forked(lambda: ask(tell))
        os.close(tell)
        time.sleep(self.chance.uniform(0, self.hand_in))
        os.kill(child, signal.SIGKILL)
        self.killed["handing in"] += ended(child) == -signal.SIGKILL
        with os.fdopen(heard) as pipe:
            acknowledged = pipe.read()
        self.look()
        waiting = [job for job, state in self.states.items() if state == "waiting"]
        assert waiting == [acknowledged] if acknowledged else len(waiting) <= 1
        for self.job in waiting:
            self._take(self.runner(), self.job)

    def _take(self, child, job):
        self.job = job
        self._wait_for_end(child)
        self.look()
        assert self.states[job] == "done"

    def struck(self):
        """Sometimes somebody cancels, and the runner is killed about when it hears of it."""
        if self.chance.random() < _CANCEL:
            job = self.job

            def cancel():
                with Store() as store:
                    store.jobs.cancel(job, who=WHO)
                return 0

            assert ended(forked(cancel)) == 0
            time.sleep(self.chance.uniform(0, 0.5 * self.whole))

    def check(self, store, jobs, known):
        """Look at every city, and at every table that waits.

        A job that is done has one city, whole and with its rejected rows beside it; no other
        job has any, and there is no other city.
        """
        cities = {key: self._made(key) for key in self._keys()}
        before = len(City.open(self.folder / "home").facilities)
        for job in jobs:
            own = [key for key, made in cities.items() if f"import {job.id}" in made]
            upload = upload_of(store, job.id)
            if job.state == "done":
                assert own == [job.result["key"]], (job, own)
                cities.pop(own[0])
                lost = (self.own / job.result["lost"]).read_text(encoding="utf-8-sig")
                assert (job.result["rejected"], "乙" in lost) == (1, True)
                # Checksums are looked at once.
                assert job.id in known or (
                    len(City.open(self.own / own[0]).facilities) == before + 1
                )
            else:
                assert own == [], (job, own)
            if job.over:
                assert not upload.exists(), job
            else:
                assert (upload / self.table.name).read_bytes() == self.table.read_bytes()
        assert not cities, cities

    def writing(self):
        return self.own.exists() and bool(list(self.own.glob(".*.new-*")))

    def moment(self):
        if self._keys() != self.before:
            return "stands"
        return "writing" if self.writing() else "before"

    def left(self):
        own = self.own.rglob(".*") if self.own.exists() else []
        # Orphans of killed hand-ins are removed a day later.
        known = {path.name for path in self.jobs.glob(".*.asked*")}
        hidden = [path.name for path in own if path.name != ".names"]
        return hidden + [name for name in super().left() if name not in known]

    def _keys(self):
        if not self.own.exists():
            return []
        return sorted(
            path.name
            for path in self.own.iterdir()
            if is_key(path.name) and (path / "city.toml").exists()
        )

    def _made(self, key):
        told = tomllib.loads((self.own / key / "city.toml").read_text(encoding="utf-8"))
        return told["layers"]["facilities"]["made"]


if __name__ == "__main__":
    run(Imports)
