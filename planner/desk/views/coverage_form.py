"""The choices of the view of coverage, as fields of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.messages import text
from planner.desk.study import MODES_OFFERED, YEARS
from planner.maps import basemaps

if TYPE_CHECKING:
    from layers.messages import Language
    from planner.desk.study import Answer, Choice, Study
    from planner.standards import Standard

TRACKS: dict[tuple[str, str], tuple[float, float, float]] = {
    ("walk", "m"): (100, 3_000, 50),
    ("cycle", "m"): (200, 10_000, 100),
    ("drive", "m"): (500, 50_000, 500),
    ("walk", "min"): (1, 60, 1),
    ("cycle", "min"): (1, 60, 1),
    ("drive", "min"): (1, 120, 1),
}
"""Least, greatest and step of the slider, by mode and unit."""

MOST: dict[str, float] = {"m": 65_000, "min": 300}
"""Greatest cutoff that may be typed."""


def fields(
    study: Study, choice: Choice, standard: Standard, versus: str, basemap: str, lang: Language
) -> list[dict[str, Any]]:
    """Fields of the form for a choice.

    Parameters
    ----------
    study
        What there is to choose of.
    choice
        What is chosen.
    standard
        What that comes to.
    versus
        What it is compared with.
    basemap
        Key of the basemap.
    lang
        Language of the words.
    """
    own = study.services[choice.service].standard
    usual = (standard.mode, standard.unit, standard.cutoff) == (own.mode, own.unit, own.cutoff)
    least, most, step = TRACKS[standard.mode, standard.unit]

    def said(key: str) -> str:
        return text(f"desk.{key}", lang)

    made: list[dict[str, Any]] = [
        {
            "kind": "radio",
            "name": "service",
            "label": said("service"),
            "value": choice.service,
            "options": [[key, one.title(lang)] for key, one in study.services.items()],
        },
        {
            "kind": "select",
            "name": "group",
            "label": said("group"),
            "value": standard.group,
            "options": [[group, text(f"group.{group}", lang)] for group in study.groups],
        },
        {
            "kind": "select",
            "name": "year",
            "label": said("year"),
            "value": str(choice.year or 0),
            "options": [["0", said("any_year")], *([str(year), str(year)] for year in YEARS)],
            "narrow": True,
        },
        {
            "kind": "select",
            "name": "level",
            "label": said("level"),
            "value": choice.level,
            "options": [[level, text(f"level.{level}", lang)] for level in study.levels],
            "narrow": True,
        },
        {
            "kind": "buttons",
            "name": "mode",
            "label": said("mode"),
            "value": standard.mode,
            "options": [[mode, text(f"mode.{mode}", lang)] for mode in MODES_OFFERED],
        },
        {
            "kind": "slider",
            "name": "cutoff",
            "label": said("cutoff"),
            "value": standard.cutoff,
            "min": least,
            "max": max(most, standard.cutoff),
            "most": MOST[standard.unit],
            "step": step,
            "unit": text(f"unit.{standard.unit}", lang),
            "reset": "" if usual else said("usual"),
        },
        {
            "kind": "buttons",
            "name": "unit",
            "label": "",
            "value": standard.unit,
            "options": [[unit, text(f"unit.{unit}", lang)] for unit in ("min", "m")],
        },
        {
            "kind": "select",
            "name": "versus",
            "label": said("versus"),
            "value": versus,
            "options": _others(study, choice, lang),
        },
    ]
    maps = [
        [basemaps.OWN, text("basemap.own", lang)],
        *([one.key, one.name[lang]] for one in study.basemaps),
        [basemaps.NONE, text("basemap.none", lang)],
    ]
    made.append(
        {
            "kind": "select",
            "name": "basemap",
            "label": said("basemap"),
            "value": basemap,
            "options": maps,
        }
    )
    return made


def _others(study: Study, choice: Choice, lang: Language) -> list[list[Any]]:
    """List what a choice may be compared with: other years and other services."""
    now = choice.year or 0
    years = [
        [f"year-{year}", text("desk.any_year", lang) if year == 0 else str(year)]
        for year in (0, *YEARS)
        if year != now
    ]
    services = [
        [f"service-{key}", one.title(lang)]
        for key, one in study.services.items()
        if key != choice.service
    ]
    return [
        ["", text("desk.versus_none", lang)],
        [None, text("desk.year", lang)],
        *years,
        [None, text("desk.service", lang)],
        *services,
    ]


def versus_name(answer: Answer, versus: str, lang: Language) -> str:
    """Name what an answer stands for beside the one it is compared with."""
    if versus.startswith("service-"):
        return answer.measured.result.service.title(lang)
    year = answer.choice.year
    return text("desk.any_year", lang) if year is None else str(year)
