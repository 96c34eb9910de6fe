"""One report of the tiny city, written once in every format for all tests that read it back."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from layers import Provenance
from planner.report.kinds import coverage_report
from planner.report.writing import write_report
from planner.review import review
from planner.standards import load_services
from planner.workbench import Workbench

WHEN = datetime(2024, 1, 31, 9, 5, tzinfo=UTC)
NASTY = '=HYPERLINK("x")<b>&\'\x0b'
SERVICES = ("mother_baby_room", "home_care_centre", "menopause_clinic")


@dataclass(frozen=True)
class Written:
    """A report, its files, and what its JSON says."""

    report: Any
    folder: Path
    told: dict[str, Any]

    def file(self, ending, lang=None):
        name = self.report.name if lang is None else f"{self.report.name}-{lang}"
        return self.folder / f"{name}.{ending}"

    def tables(self):
        """Tables of the documents, in order, as JSON has them."""
        return [item["table"] for item in self.told["contents"] if "table" in item]


@pytest.fixture(scope="session")
def nasty_city(tiny_city):
    """The tiny city with a unit whose name is meant to break out of every format."""
    units = tiny_city.units.copy()
    units.loc[units["code"] == "330191001", ["name", "name_en"]] = NASTY
    told = {**tiny_city.provenance, "streets": Provenance(source="made by hand", modelled=True)}
    return replace(tiny_city, units=units, provenance=told)


@pytest.fixture(scope="session")
def results(nasty_city):
    bench = Workbench(nasty_city)
    return [bench.coverage(service, year=2023) for service in SERVICES]


@pytest.fixture(scope="session")
def report(nasty_city, results):
    findings = review(nasty_city, load_services(), year=2023)
    return coverage_report(results, findings=findings, made=WHEN)


@pytest.fixture(scope="session")
def written(report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    files = write_report(report, folder, lang="both")
    told = json.loads((folder / report.name / f"{report.name}.json").read_text(encoding="utf-8"))
    assert all(file.is_file() for file in files)
    return Written(report, folder / report.name, told)
