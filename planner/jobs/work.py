"""What jobs do: one function a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.errors import InputError
from layers.messages import text
from planner.jobs import imports
from planner.jobs.lanes import IMPORT, SITING
from planner.plan import load_plan
from planner.siting.advice import advise
from planner.siting.question import Question
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
    cancelled
        Tells whether whoever asked wants no more of it.
    fingerprint
        Of the city; see `layers.City.fingerprint`.
    upload
        Folder of what was handed in with the job.
    commit
        Called before anything is done that outlives the job: from then on nobody stops it.
        Raises `Stopped` where somebody has asked for that before.
    """

    bench: Workbench
    folder: Path
    tell: Callable[[str], None]
    cancelled: Callable[[], bool]
    fingerprint: str
    upload: Path
    commit: Callable[[], None]


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """A job that was asked to stop has nothing to show."""


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes
    ----------
    work
        Does a job and gives what came of it.
    stops
        Whether it asks `Tools.cancelled` and comes back soon with the best that it has.
    stands
        Tells, from what was handed in with it, what came of a job whose runner died between
        doing it and saying so; None where it is not done.
    """

    work: Callable[[Job, Tools], dict[str, Any]]
    stops: bool = False
    stands: Callable[[Job, Path], dict[str, Any] | None] = lambda _job, _upload: None


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
    Stopped
        It was asked to stop before it had anything.
    PlannerError
        It cannot be done; the message says why.
    """
    if job.kind not in KINDS:
        raise InputError(text("job.unknown", kind=job.kind))
    return KINDS[job.kind].work(job, tools)


def stands(job: Job, upload: Path) -> dict[str, Any] | None:
    """Tell what came of a job whose runner died, if it is done."""
    return KINDS[job.kind].stands(job, upload) if job.kind in KINDS else None


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


def _siting(job: Job, tools: Tools) -> dict[str, Any]:
    advice = advise(
        Question.from_dict(job.asked),
        tools.bench.serving(load_services()),
        tell=tools.tell,
        cancelled=tools.cancelled,
    )
    if advice.stopped == "interrupt" and not advice.found:
        raise Stopped
    return {"advice": advice.as_dict(), "fingerprint": tools.fingerprint}


def make_ready(bench: Workbench, service: str) -> None:
    """Compute what siting a service begins with, so that whoever asks need not wait for it."""
    standard = load_services()[service].standard
    bench.network(standard)
    bench.homes(standard)


KINDS: Mapping[str, Kind] = {
    "report": Kind(_report),
    SITING: Kind(_siting, stops=True),
    IMPORT: Kind(imports.bring, stands=imports.brought),
}
"""Every kind of job with what does it."""
