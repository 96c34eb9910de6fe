"""The choices of the view of coverage, as fields of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from layers.messages import text
from planner.desk.study import MODES_OFFERED, YEARS
from planner.maps import basemaps

if TYPE_CHECKING:
    from layers.messages import Language
    from planner.desk.study import Answer, Choice, Study
    from planner.scenario import Scenario
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


Kept = dict[str, tuple[str, "Scenario"]]
"""Names and changes of the scenarios that are kept, by the ids of their records."""


class Shown(NamedTuple):
    """What is shown besides a choice: its rival, the basemap, and the scenario's record."""

    versus: str
    basemap: str
    scenario: str
    kept: Kept


def fields(
    study: Study, choice: Choice, standard: Standard, shown: Shown, lang: Language
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
    shown
        What is shown besides, and the scenarios to choose from.
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
            "says": said("unit_of"),
            "value": standard.unit,
            "options": [[unit, text(f"unit.{unit}", lang)] for unit in ("min", "m")],
        },
        {
            "kind": "select",
            "name": "scenario",
            "label": said("scenario"),
            "value": shown.scenario,
            "options": [["", said("base")], *_scenarios(shown)],
        },
        {
            "kind": "select",
            "name": "versus",
            "label": said("versus"),
            "value": shown.versus,
            "options": _others(study, choice, shown, lang),
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
            "value": shown.basemap,
            "options": maps,
        }
    )
    return made


def _scenarios(shown: Shown) -> list[list[Any]]:
    """Ids and names of what is kept; of equal names each further one carries its number."""
    made: list[list[Any]] = []
    for record, (name, _) in shown.kept.items():
        same = sum(1 for other, _ in list(shown.kept.values())[: len(made)] if other == name)
        made.append([record, f"{name} ({same + 1})" if same else name])
    return made


def _others(study: Study, choice: Choice, shown: Shown, lang: Language) -> list[list[Any]]:
    """List what a choice may be compared with: other scenarios, years and services."""
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
    scenarios = [["", text("desk.base", lang)], *_scenarios(shown)]
    rivals = [[f"scenario-{key}", name] for key, name in scenarios if key != shown.scenario]
    return [
        ["", text("desk.versus_none", lang)],
        *([[None, text("desk.scenario", lang)], *rivals] if rivals else []),
        [None, text("desk.year", lang)],
        *years,
        [None, text("desk.service", lang)],
        *services,
    ]


def versus_name(answer: Answer, versus: str, lang: Language) -> str:
    """Name what an answer stands for beside the one it is compared with."""
    if versus.startswith("service-"):
        return answer.measured.result.service.title(lang)
    if versus.startswith("scenario-"):
        scenario = answer.choice.scenario
        return scenario.name if scenario is not None else text("desk.base_name", lang)
    year = answer.choice.year
    return text("desk.any_year", lang) if year is None else str(year)
