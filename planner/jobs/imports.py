"""Imports as jobs: a table that was handed in becomes a city of its reader's own, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.errors import InputError, PlannerError
from layers.messages import text
from planner.order import Order, Receipt, fill
from planner.own import own_folder
from planner.standards import load_services

if TYPE_CHECKING:
    from pathlib import Path

    from planner.jobs.work import Tools
    from planner.store import Job

# No file that is handed in has a name that begins so.
_RECEIPT = ".receipt"


def bring(job: Job, tools: Tools) -> dict[str, Any]:
    """Write the city that is asked for, unless it stands already.

    Raises
    ------
    InputError
        The city is another by now than the one that the table was looked at with, or the
        table cannot be taken in; the message says why.
    CityError
        The disk refuses.
    """
    order = Order.from_dict(job.asked)
    if order.fingerprint != tools.fingerprint:
        raise InputError(text("import.other_city"))
    city = tools.bench.city
    tools.tell(text("import.reading", path=order.file))
    try:
        source, brought = order.read(city, tools.upload)
        tools.tell(text("import.writing", name=order.name))
        filled = fill(
            order,
            city,
            source,
            brought,
            folder=own_folder(job.who),
            services=tuple(load_services()),
            receipt=_receipt(job, tools.upload),
            ready=tools.commit,
        )
    except PlannerError as wrong:
        # Where the server keeps the file is nobody's matter.
        place = str(tools.upload / order.file)
        raise InputError(str(wrong).replace(place, order.file)) from wrong
    return filled.as_dict()


def brought(job: Job, upload: Path) -> dict[str, Any] | None:
    """Tell what came of an import whose runner died before it could say so."""
    filled = _receipt(job, upload).filled(own_folder(job.who))
    return None if filled is None else filled.as_dict()


def _receipt(job: Job, upload: Path) -> Receipt:
    return Receipt(file=upload / _RECEIPT, mark=f"import {job.id}")
