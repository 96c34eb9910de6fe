"""Reports whose runners are killed again and again, each a process of its own.

Run as ``python -m tests.planner.killed_reports FOLDER COUNT SEED``: what was seen is written
as JSON.
"""

import hashlib

from planner.jobs import files_of
from planner.jobs.places import folder_of
from tests.planner.killed_jobs import Series, run

ASKED = {"kind": "coverage", "year": 2023, "spoken": "zh", "formats": ["docx", "xlsx", "json"]}
FILES = ["coverage-2023-zh.docx", "coverage-2023-zh.xlsx", "coverage-2023.json"]


class Reports(Series):
    """Reports: written beside, moved into place, then told to be done."""

    lane = "papers"
    loaded = ("planner.report.making", "planner.report.writing")

    def ask(self, store):
        return store.jobs.ask("report", ASKED, city=str(self.folder / "home"))

    def check(self, store, jobs, known):
        """Look at every job that is not known to be whole.

        A report of a job that is done is there and whole; whatever stands where a report may
        be looked for is whole too, whether its job is done or not.
        """
        for job in jobs:
            place = folder_of(store) / job.id
            if job.state == "done":
                assert [file.name for file in files_of(store, job)] == FILES, job
                # Checksums are looked at once; that it is still there is looked at each time.
                assert job.id in known or _is_whole(place / "coverage-2023")
            else:
                assert not place.exists() or _is_whole(place / "coverage-2023"), job

    def writing(self):
        return bool(list((self.jobs / f".{self.job}").glob(".*.new-*")))

    def moment(self):
        if (self.jobs / self.job).exists():
            return "moved"
        if (self.jobs / f".{self.job}" / "coverage-2023").exists():
            return "written"
        return "writing" if self.writing() else "before"


def _is_whole(report):
    sums = dict(
        reversed(line.split("  ")) for line in (report / "SHA256SUMS").read_text().splitlines()
    )
    there = sorted(path.name for path in report.iterdir() if path.name != "SHA256SUMS")
    return there == sorted(sums) == FILES and all(
        hashlib.sha256((report / name).read_bytes()).hexdigest() == told
        for name, told in sums.items()
    )


if __name__ == "__main__":
    run(Reports)
