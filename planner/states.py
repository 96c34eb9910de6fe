"""States: what the values of an indicator say about its target, year by year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from layers.messages import Language, text
from planner.trends import Prediction, needed, predict, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.targets import Goal, Target

State = Literal["met", "on_course", "at_risk", "off_course", "not_measurable"]
STATES: tuple[State, ...] = get_args(State)

Reason = Literal[
    "reached", "interval", "pace", "missed", "words", "no_value", "one_value", "not_due"
]
REASONS: tuple[Reason, ...] = get_args(Reason)

Series = dict[int, float]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """State of an indicator in a year, and why.

    Attributes
    ----------
    state
        ``met``: the last goal is reached. ``on_course``, ``at_risk``, ``off_course``: where
        the trend leads, or a goal that is due was missed. ``not_measurable``: no value, too
        few, or a target in words.
    reason
        What decided: ``reached``; ``missed`` (a goal that is due is not); ``interval`` (of
        the prediction, against the goal); ``pace`` (two values alone, against the straight
        line to the goal); ``words``, ``no_value``, ``one_value``, ``not_due``.
    goal
        The goal judged: the one missed, else the first that is not reached, else the last.
    value
        Value of the year, as that goal counts it.
    series
        Values up to the year, as that goal counts them.
    prediction
        Value to be expected in the goal's year, or None: it is past, or there are too few.
    seen, needed
        Change a year so far, and what leads to the goal; None where there is none.
    """

    state: State
    reason: Reason
    goal: Goal | None
    value: float | None
    series: Series
    prediction: Prediction | None = None
    seen: float | None = None
    needed: float | None = None

    def words(self, lang: Language | None = None) -> str:
        """State in a language."""
        return text(f"monitor.state.{self.state}", lang)

    def why(self, lang: Language | None = None) -> str:
        """Say what decided, in a language."""
        return text(f"monitor.reason.{self.reason}", lang)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "state": self.state,
            "reason": self.reason,
            "goal": None if self.goal is None else self.goal.as_dict(),
            "value": self.value,
            "series": {str(year): value for year, value in self.series.items()},
            "prediction": None if self.prediction is None else self.prediction.as_dict(),
            "seen": self.seen,
            "needed": self.needed,
        }


def judge(
    target: Target,
    year: int,
    values: Callable[[Goal | None], Mapping[int, float]],
    *,
    level: float = 0.8,
    resolution: Callable[[Goal], float] = lambda _: 0.0,
) -> Judgement:
    """Judge an indicator in a year.

    A goal that is due and not reached is *off course*. With all that are due reached, the
    first that is not yet reached is judged: by the prediction interval of its year (*on
    course* where all of it reaches the goal, *off course* where nothing of it does, *at
    risk* between); with two values, which give no interval, by the straight line from the
    first value to the goal (*on course* on or beyond it, else *at risk*). With every goal
    reached it is *met*. A target in words is never scored.

    Parameters
    ----------
    target
        The target.
    year
        Year at whose end it is judged; later values are not looked at.
    values
        Values by year as a goal counts them: under each quota its own.
    level
        How likely a value is to lie in its prediction interval.
    resolution
        Step in which values are given, as a goal counts them.
    """

    def known(goal: Goal | None) -> Series:
        counted = values(goal)
        return {each: counted[each] for each in sorted(counted) if each <= year}

    if not target.goals:
        series = known(None)
        return Judgement(
            state="not_measurable",
            reason="words",
            goal=None,
            value=series.get(year),
            series=series,
            seen=seen(series),
        )
    if target.yearly:
        return _of_its_year(target, year, known)
    due = target.due(year)
    for goal in target.goals:
        series = known(goal)
        value = series.get(year)
        if value is None:
            return _without_value(due or goal, known(due or goal))
        if goal.year <= year and goal is not due:
            # A later goal that is due as well has taken its place.
            continue
        if target.is_met(value, goal):
            continue
        if goal is due:
            return Judgement(
                state="off_course",
                reason="missed",
                goal=goal,
                value=value,
                series=series,
                seen=seen(series),
            )
        return _by_trend(target, goal, year, series, level=level, resolution=resolution(goal))
    last = target.goals[-1]
    series = known(last)
    return Judgement(
        state="met",
        reason="reached",
        goal=last,
        value=series[year],
        series=series,
        prediction=(
            predict(
                series, last.year, level=level, bounds=target.bounds, resolution=resolution(last)
            )
            if last.year > year
            else None
        ),
        seen=seen(series),
        needed=needed(series[year], year, last.value, last.year),
    )


def straight(series: Series, goal: Goal, year: int) -> float:
    """Value of a year on the straight line from the first value to a goal.

    Examples
    --------
    >>> from planner.targets import Goal
    >>> straight({2020: 0.0, 2021: 16.0}, Goal(year=2025, value=50.0), 2021)
    10.0
    """
    first = min(series)
    part = (year - first) / (goal.year - first)
    return series[first] + (goal.value - series[first]) * part


def _without_value(goal: Goal, series: Series) -> Judgement:
    return Judgement(
        state="not_measurable",
        reason="no_value",
        goal=goal,
        value=None,
        series=series,
        seen=seen(series),
    )


def _of_its_year(target: Target, year: int, known: Callable[[Goal | None], Series]) -> Judgement:
    goal = target.due(year)
    if goal is None:
        first = target.goals[0]
        series = known(first)
        return Judgement(
            state="not_measurable",
            reason="not_due",
            goal=first,
            value=series.get(year),
            series=series,
        )
    series = known(goal)
    value = series.get(goal.year)
    if value is None:
        return _without_value(goal, series)
    met = target.is_met(value, goal)
    return Judgement(
        state="met" if met else "off_course",
        reason="reached" if met else "missed",
        goal=goal,
        value=value,
        series=series,
    )


def _by_trend(
    target: Target, goal: Goal, year: int, series: Series, *, level: float, resolution: float
) -> Judgement:
    value = series[year]
    prediction = predict(
        series, goal.year, level=level, bounds=target.bounds, resolution=resolution
    )
    state: State
    reason: Reason
    if len(series) == 1:
        state, reason = "not_measurable", "one_value"
    elif prediction is None:
        line = straight(series, goal, year)
        ahead = value >= line if target.direction == "at_least" else value <= line
        state, reason = "on_course" if ahead else "at_risk", "pace"
    else:
        ends = (prediction.low, prediction.high)
        reaching = [target.is_met(end, goal) for end in ends]
        state = "on_course" if all(reaching) else "at_risk" if any(reaching) else "off_course"
        reason = "interval"
    return Judgement(
        state=state,
        reason=reason,
        goal=goal,
        value=value,
        series=series,
        prediction=prediction,
        seen=seen(series),
        needed=needed(value, year, goal.value, goal.year),
    )
