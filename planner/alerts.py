"""Alerts: early warning of targets that will be hard to meet or that swing widely."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from layers.messages import LANGUAGES, Language, language, text
from planner.states import straight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.indicators import Indicator
    from planner.states import Judgement
    from planner.targets import Target

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

Code = Literal[
    "missed",
    "off_course",
    "at_risk",
    "behind",
    "planned_short",
    "falls_back",
    "swings",
    "differs",
    "no_capacity",
]
CODES: tuple[Code, ...] = get_args(Code)


_NAMED = 20
"""Units named in a message; `Alert.units` has all."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One early warning.

    Attributes
    ----------
    code
        ``missed``: a goal that is due is not reached. ``off_course``, ``at_risk``: the trend
        leads past the goal, or may. ``behind``: below the straight line to the goal, with
        too few values for a trend. ``planned_short``: not even what is planned reaches it.
        ``falls_back``: reached, but the trend leads below it again. ``swings``: wide
        variation from year to year. ``differs``: an entered value is not the computed one.
        ``no_capacity``: facilities state no capacity and are left out.
    severity
        How grave.
    values
        What the message is filled in with; texts in both languages as pairs.
    units
        Codes of the units meant, or none.
    """

    code: Code
    severity: Severity
    values: Mapping[str, Any] = field(default_factory=dict)
    units: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """Order of gravity."""
        return SEVERITIES.index(self.severity), CODES.index(self.code)

    def message(self, lang: Language | None = None) -> str:
        """Say it, in a language."""
        spoken = lang or language()
        values = {
            name: value[spoken] if isinstance(value, dict) else value
            for name, value in self.values.items()
        }
        key = f"{self.code}_units" if self.units else self.code
        return text(f"monitor.alert.{key}", spoken, **values)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "units": list(self.units),
            "message": self.message("zh"),
            "message_en": self.message("en"),
        }


def alerts(indicator: Indicator) -> list[Alert]:
    """Early warnings of an indicator, gravest first.

    Parameters
    ----------
    indicator
        The indicator; its own alerts are not looked at.
    """
    return sorted(_alerts(indicator), key=lambda alert: alert.rank)


def _alerts(indicator: Indicator) -> Iterator[Alert]:
    judgement, target = indicator.judgement, indicator.target
    if judgement.state == "off_course" and judgement.reason == "missed":
        yield _missed(indicator)
    elif judgement.reason == "pace" and judgement.state == "at_risk":
        yield _behind(indicator)
    elif judgement.state in {"off_course", "at_risk"}:
        code: Code = "off_course" if judgement.state == "off_course" else "at_risk"
        yield _by_trend(indicator, code)
    if judgement.state in {"off_course", "at_risk"}:
        yield from _planned_short(indicator)
    if judgement.state == "met" and judgement.prediction is not None:
        yield from _falls_back(target, judgement)
    if indicator.swing is not None and indicator.swing.is_wide:
        yield Alert(
            code="swings",
            severity="warning",
            values={
                "against": _amount(target, indicator.swing.against),
                "limit": _amount(target, indicator.swing.limit),
            },
        )
    yield from _differs(indicator)
    left_out = indicator.measures.without_capacity(target, indicator.year)
    if left_out:
        yield Alert(code="no_capacity", severity="info", values={"count": left_out})


def _missed(indicator: Indicator) -> Alert:
    target, goal = indicator.target, indicator.goal
    assert goal is not None
    assert indicator.value is not None
    short = _short(indicator)
    return Alert(
        code="missed",
        severity="error",
        values={
            **_goal_words(indicator),
            "value": _both(target, indicator.value),
            **_units_words(indicator, short),
        },
        units=tuple(short["code"]) if target.kind == "quota" else (),
    )


def _by_trend(indicator: Indicator, code: Code) -> Alert:
    target, judgement = indicator.target, indicator.judgement
    prediction = judgement.prediction
    assert prediction is not None
    assert judgement.seen is not None
    assert judgement.needed is not None
    predicted = {
        lang: text(
            "monitor.predicted",
            lang,
            value=target.figure(prediction.value, lang),
            low=target.figure(prediction.low, lang),
            high=target.figure(prediction.high, lang),
            level=prediction.level,
        )
        for lang in LANGUAGES
    }
    short = _short(indicator)
    return Alert(
        code=code,
        severity="error" if code == "off_course" else "warning",
        values={
            **_goal_words(indicator),
            "value": _both(target, judgement.value),
            "seen": _both(target, judgement.seen, signed=True),
            "needed": _both(target, judgement.needed, signed=True),
            "predicted": predicted,
            **_units_words(indicator, short),
        },
        units=tuple(short["code"]) if target.kind == "quota" else (),
    )


def _behind(indicator: Indicator) -> Alert:
    target, judgement, goal = indicator.target, indicator.judgement, indicator.goal
    assert goal is not None
    short = _short(indicator)
    return Alert(
        code="behind",
        severity="warning",
        values={
            **_goal_words(indicator),
            "value": _both(target, judgement.value),
            "line": _both(target, straight(judgement.series, goal, indicator.year)),
            "seen": _both(target, judgement.seen, signed=True),
            "needed": _both(target, judgement.needed, signed=True),
            **_units_words(indicator, short),
        },
        units=tuple(short["code"]) if target.kind == "quota" else (),
    )


def _planned_short(indicator: Indicator) -> Iterator[Alert]:
    """Facilities planned to open by the goal's year that do not make up for those missing."""
    target, goal = indicator.target, indicator.goal
    counted = target.kind == "quota" or (target.kind == "count" and target.measure == "facilities")
    if not counted or goal is None or target.direction != "at_least":
        return
    table = indicator.by(target.level)
    left = (table["missing"] - table["planned"]).clip(lower=0).fillna(0)
    if not (left.sum() and table["planned"].sum()):
        return
    short = table[left > 0]
    yield Alert(
        code="planned_short",
        severity="warning",
        values={
            "planned": int(table["planned"].sum()),
            "left": int(left.sum()),
            "year": max(goal.year, indicator.year),
            **_units_words(indicator, short),
        },
        units=tuple(short["code"]) if target.kind == "quota" else (),
    )


def _falls_back(target: Target, judgement: Judgement) -> Iterator[Alert]:
    prediction, goal = judgement.prediction, judgement.goal
    assert prediction is not None
    assert goal is not None
    if not target.is_met(prediction.value, goal):
        yield Alert(
            code="falls_back",
            severity="warning",
            values={
                "year": prediction.year,
                "predicted": _both(target, prediction.value),
                "goal": _both(target, goal.value),
            },
        )


def _differs(indicator: Indicator) -> Iterator[Alert]:
    table = indicator.by_year
    both = table[(table["origin"] == "entered") & table["computed"].notna()]
    for row in both.to_dict("records"):
        entered, computed = float(row["value"]), float(row["computed"])
        if abs(entered - computed) > 1e-6 * max(abs(entered), abs(computed), 1e-9):
            yield Alert(
                code="differs",
                severity="info",
                values={
                    "year": row["year"],
                    "entered": _both(indicator.target, entered),
                    "computed": _both(indicator.target, computed),
                },
            )


def _short(indicator: Indicator) -> pd.DataFrame:
    return indicator.missing() if indicator.target.kind == "quota" else pd.DataFrame({"code": []})


def _goal_words(indicator: Indicator) -> dict[str, Any]:
    target, goal = indicator.target, indicator.goal
    assert goal is not None
    if goal.quota is None:
        return {"year": goal.year, "goal": _both(target, goal.value)}
    told = {
        lang: text(
            "monitor.quota", lang, level=text(f"level.{target.level}", lang), quota=goal.quota
        )
        for lang in LANGUAGES
    }
    return {"year": goal.year, "goal": told}


def _units_words(indicator: Indicator, short: pd.DataFrame) -> dict[str, Any]:
    """Names of units that are short, in both languages, and how much they lack."""
    target = indicator.target
    if target.kind != "quota":
        return {}
    names: dict[str, str] = {}
    ways: tuple[tuple[Language, str, str], ...] = (("zh", "name", "、"), ("en", "name_en", ", "))
    for lang, column, mark in ways:
        listed = [
            # Nought of one is said by being listed.
            row[column] + (f" {row['facilities']}/{row['quota']}" if row["quota"] > 1 else "")
            for row in short.to_dict("records")
        ]
        more = len(listed) - _NAMED
        names[lang] = mark.join(listed[:_NAMED])
        if more > 0:
            names[lang] += text("monitor.and_more", lang, count=more)
    return {
        "level": {lang: text(f"level.{target.level}", lang) for lang in LANGUAGES},
        "count": len(short),
        "names": names,
        "missing": int(short["missing"].sum()),
        "units": len(indicator.by(target.level)),
    }


def _amount(target: Target, change: float) -> dict[str, str]:
    """Write how far something moved, whichever way."""
    return {lang: words.lstrip("+") for lang, words in _both(target, change, signed=True).items()}


def _both(target: Target, value: float | None, *, signed: bool = False) -> dict[str, str]:
    return {lang: target.figure(value, lang, signed=signed) for lang in LANGUAGES}
