"""What jobs do: one function a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.errors import InputError
from layers.messages import text
from planner.plan import load_plan
from planner.standards import load_services
from planner.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from layers import City
    from planner.store import Job


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What work is done with.

    Attributes
    ----------
    bench
        The city with its networks and the plan's services, kept from job to job.
    folder
        An empty folder for what the job writes.
    tell
        Told in words what is being done.
    """

    bench: Workbench
    folder: Path
    tell: Callable[[str], None]


def bench_of(city: City) -> Workbench:
    """Make what all jobs about a city share."""
    return Workbench(city, services=load_plan(services=load_services()).services)


def do(job: Job, tools: Tools) -> dict[str, Any]:
    """Do what a job asks for.

    Returns
    -------
    What came of it, as plain values; names of files under ``files``.

    Raises
    ------
    InputError
        No such kind of job is known.
    PlannerError
        It cannot be done; the message says why.
    """
    if job.kind not in KINDS:
        raise InputError(text("job.unknown", kind=job.kind))
    return KINDS[job.kind](job, tools)


def _report(job: Job, tools: Tools) -> dict[str, Any]:
    from planner.report.making import Making  # noqa: PLC0415 - their libraries are slow to import
    from planner.report.writing import write_report  # noqa: PLC0415

    asked, services = job.asked, load_services()
    making = Making(
        bench=tools.bench,
        plan=load_plan(services=services),
        services=services,
        keys=tuple(services),
        progress=tools.tell,
    )
    year = int(asked["year"])
    made = (
        making.coverage(year)
        if asked["kind"] == "coverage"
        else making.evaluation(asked["kind"], year)
    )
    tools.tell(text("cli.report.writing"))
    files = write_report(
        made, tools.folder, formats=set(asked["formats"]), lang=asked["spoken"], replace=True
    )
    return {"files": [str(file.relative_to(tools.folder)) for file in files]}


KINDS: Mapping[str, Callable[[Job, Tools], dict[str, Any]]] = {"report": _report}
"""Every kind of job with what does it."""
