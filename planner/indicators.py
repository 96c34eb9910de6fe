"""Indicators: each target of a plan with its values by year, its state and its warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from layers.errors import InputError
from layers.messages import text
from planner.alerts import Alert, alerts
from planner.history import History
from planner.measures import Measures
from planner.plan import Plan, load_plan
from planner.states import STATES, Judgement, State, judge
from planner.trends import Swing, swing
from planner.values import Values
from planner.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layers import City
    from layers.units import Level
    from planner.coverage import Coverage
    from planner.history import Record
    from planner.targets import Goal, Target

TABLE_COLUMNS = (
    *("key", "name", "name_en", "part", "row", "clause", "kind", "unit", "unit_en"),
    *("state", "reason", "value", "goal", "goal_year", "quota", "words", "words_en", "base"),
    *("needed", "seen", "predicted", "predicted_low", "predicted_high"),
    *("units", "units_met", "missing", "planned", "alerts"),
)
"""Columns of the table of all indicators, in order."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Indicator:
    """One target of a plan in a year: values, state, warnings, and what is missing.

    Attributes
    ----------
    target
        The target.
    year
        Year at whose end it is looked at.
    judgement
        State, the goal judged, its value, trend and prediction.
    by_year
        Value of the city in each year up to this one, with `planner.values.VALUE_COLUMNS`:
        ``origin`` is ``computed``, ``entered`` or ``plan`` (the base value as the plan
        prints it). An entered value counts before a computed one, which stands beside it in
        ``computed``.
    superseded
        Entered values that a correction replaced.
    swing
        How far the values went against their own direction, or None: too few.
    alerts
        Early warnings, gravest first.
    parts
        Values of parts, with `planner.measures.PART_COLUMNS`; those entered have the kind
        ``entered``.
    entered
        Records of the target that stand, those for units and parts too.
    measures
        What computes figures of units.
    """

    target: Target
    year: int
    judgement: Judgement
    by_year: pd.DataFrame
    superseded: tuple[Record, ...]
    swing: Swing | None
    alerts: tuple[Alert, ...]
    parts: pd.DataFrame
    entered: tuple[Record, ...] = ()
    measures: Measures = field(repr=False)

    @property
    def state(self) -> State:
        """State in the year."""
        return self.judgement.state

    @property
    def value(self) -> float | None:
        """Value in the year, as the goal judged counts it; None where there is none."""
        return self.judgement.value

    @property
    def goal(self) -> Goal | None:
        """The goal judged, or None: the target is in words."""
        return self.judgement.goal

    def by(self, level: Level = "district") -> pd.DataFrame:
        """Figures of each unit of a level.

        Parameters
        ----------
        level
            ``city``, ``district``, ``township`` or ``community``.

        Returns
        -------
        Columns as `planner.measures.Measures.by` says, computed from the layers; values
        entered for units take their place where there are any.

        Raises
        ------
        UnknownNameError
            The city has no unit of that level.
        """
        return units_of(self, level)

    def missing(self) -> pd.DataFrame:
        """Units of the target's level that are short of the goal judged, with `by`'s columns."""
        table = self.by(self.target.level)
        return table[(~table["met"]).fillna(value=False)]

    def coverage(self) -> Coverage | None:
        """Coverage that the target's service gives in the year, or None."""
        return self.measures.coverage(self.target, self.year)

    def as_dict(self, level: Level | None = None) -> dict[str, Any]:
        """Plain values for JSON.

        Parameters
        ----------
        level
            Level of ``units``; the target's own when None, or the city's where it has none.
        """
        chosen = level or self.target.level
        have = {"city", *self.measures.levels}
        table = self.by(chosen) if chosen in have else self.by("city")
        return {
            "key": self.target.key,
            "target": self.target.as_dict(),
            "year": self.year,
            **self.judgement.as_dict(),
            "value": self.value,
            "values": records(self.by_year),
            "superseded": [record.as_dict() for record in self.superseded],
            "swing": None if self.swing is None else self.swing.as_dict(),
            "warnings": [alert.as_dict() for alert in self.alerts],
            "parts": records(self.parts),
            "units": records(table),
        }

    def __repr__(self) -> str:
        value = "no value" if self.value is None else f"{self.value:g}"
        return f"<Indicator {self.target.key} in {self.year}: {value}, {self.state}>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Monitoring:
    """Every indicator of a plan in a year.

    Attributes
    ----------
    plan
        The plan.
    city
        The city.
    year
        Year at whose end the plan is looked at.
    indicators
        By the targets' keys, in the order of the plan.
    history
        Values that were entered, those superseded too.
    """

    plan: Plan
    city: City
    year: int
    indicators: dict[str, Indicator]
    history: History

    def table(self) -> pd.DataFrame:
        """Tabulate the indicators: a row each, with `TABLE_COLUMNS`."""
        return pd.DataFrame(
            [_row(indicator) for indicator in self], columns=list(TABLE_COLUMNS)
        ).astype(
            {
                **dict.fromkeys(
                    (
                        *("value", "goal", "base", "needed", "seen", "missing"),
                        *("predicted", "predicted_low", "predicted_high"),
                    ),
                    "Float64",
                ),
                **dict.fromkeys(
                    ("row", "goal_year", "quota", "units", "units_met", "planned", "alerts"),
                    "Int64",
                ),
            }
        )

    def states(self) -> dict[State, int]:
        """Count indicators by state, every state named."""
        found = [indicator.state for indicator in self]
        return {state: found.count(state) for state in STATES}

    def alerts(self) -> list[tuple[Indicator, Alert]]:
        """Early warnings of all indicators, gravest first."""
        every = [(indicator, alert) for indicator in self for alert in indicator.alerts]
        return sorted(every, key=lambda pair: pair[1].rank)

    def as_dict(self, level: Level | None = None) -> dict[str, Any]:
        """Plain values for JSON.

        Parameters
        ----------
        level
            Level of each indicator's ``units``; the target's own when None.
        """
        return {
            "plan": self.plan.as_dict(),
            "city": self.city.describe(),
            "year": self.year,
            "states": self.states(),
            "indicators": [indicator.as_dict(level) for indicator in self],
        }

    def __getitem__(self, key: str) -> Indicator:
        return self.indicators[self.plan[key].key]

    def __iter__(self) -> Iterator[Indicator]:
        return iter(self.indicators.values())

    def __len__(self) -> int:
        return len(self.indicators)

    def __repr__(self) -> str:
        told = ", ".join(f"{count} {state}" for state, count in self.states().items() if count)
        return f"<Monitoring of {self.plan.name} in {self.city.name}, {self.year}: {told}>"


def monitor(
    city: City,
    year: int,
    *,
    plan: Plan | None = None,
    history: History | None = None,
    bench: Workbench | None = None,
    limit: float = 300.0,
    keys: tuple[str, ...] | None = None,
) -> Monitoring:
    """Follow a plan: value, state and warnings of every target at the end of a year.

    Values of the base year to this one are computed from the years in which facilities
    open and close and from the layers as they are: people are those of the population
    layer in every year. Values entered count before computed ones.

    Parameters
    ----------
    city
        The city.
    year
        A year of the plan.
    plan
        The plan; the program's own when None.
    history
        Entered values; see `planner.entered.read_values`.
    bench
        The city with its networks and the plan's services, to save compiling them again.
    limit
        Greatest access leg in metres.
    keys
        Targets to look at; all when None.

    Raises
    ------
    InputError
        The year is not one of the plan's.
    UnknownNameError
        The plan has no target of a key.

    Examples
    --------
    >>> from layers import embedded
    >>> told = monitor(embedded("small"), 2023, keys=("clinics_by_district", "clinics_in_city"))
    >>> [(indicator.value, indicator.state) for indicator in told]
    [(0.7692307692307693, 'off_course'), (32.0, 'at_risk')]
    """
    plan = plan or load_plan()
    if year not in plan.years:
        first, last = plan.years[0], plan.years[-1]
        raise InputError(text("error.monitor_year", found=year, first=first, last=last))
    history = history or History()
    measures = Measures(bench or Workbench(city, services=plan.services), plan, limit=limit)
    chosen = plan.keys() if keys is None else keys
    return Monitoring(
        plan=plan,
        city=city,
        year=year,
        indicators={key: _indicator(plan[key], year, plan, measures, history) for key in chosen},
        history=history,
    )


def units_of(indicator: Indicator, level: Level) -> pd.DataFrame:
    """Figures of each unit of a level; see `Indicator.by`."""
    measures, target = indicator.measures, indicator.target
    goal = indicator.goal
    year = goal.year if target.yearly and goal is not None else indicator.year
    table = measures.by(target, year, level, goal)
    stated = {
        record.unit: record.value
        for record in indicator.entered
        if record.unit and record.year == year and not record.part
    }
    for row, code in zip(table.index, table["code"], strict=True):
        if code in stated:
            table.loc[row, "value"] = stated[code]
    if level == "city" and indicator.value is not None:
        table.loc[table.index[0], "value"] = indicator.value
        if goal is not None:
            table.loc[table.index[0], ["goal", "met"]] = [
                goal.value,
                target.is_met(indicator.value, goal),
            ]
    return table


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as plain values: NA and NaN as None, whole numbers as such."""
    return [
        {str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")
    ]


def _indicator(
    target: Target, year: int, plan: Plan, measures: Measures, history: History
) -> Indicator:
    own = [record for record in history.standing() if record.key == target.key]
    values = Values(target, plan, year, measures, own)
    judgement = judge(
        target, year, values.known, level=plan.confidence, resolution=values.resolution
    )
    goal = judgement.goal
    made = Indicator(
        target=target,
        year=year,
        judgement=judgement,
        by_year=values.table(goal),
        superseded=tuple(record for record in history.superseded() if record.key == target.key),
        entered=tuple(own),
        swing=swing(
            judgement.series,
            base=judgement.series.get(plan.base_year),
            goal=None if goal is None else goal.value,
            years=1 if goal is None else goal.year - plan.base_year,
            resolution=values.resolution(goal),
        ),
        alerts=(),
        parts=_parts(measures.parts(target, year), own, year),
        measures=measures,
    )
    return replace(made, alerts=tuple(alerts(made)))


def _parts(computed: pd.DataFrame, entered: Sequence[Record], year: int) -> pd.DataFrame:
    """Values of parts, those entered for the city after those computed."""
    stated = [
        ("entered", record.part, record.value, math.nan, math.nan)
        for record in entered
        if record.part and not record.unit and record.year == year
    ]
    if not stated:
        return computed
    further = pd.DataFrame(stated, columns=list(computed.columns))
    return further if computed.empty else pd.concat([computed, further], ignore_index=True)


def _row(indicator: Indicator) -> dict[str, Any]:
    target, judgement = indicator.target, indicator.judgement
    goal, prediction = judgement.goal, judgement.prediction
    city = indicator.by("city").iloc[0]
    return {
        **{
            name: getattr(target, name)
            for name in (
                *("key", "name", "name_en", "part", "row", "clause", "kind", "unit", "unit_en"),
                *("words", "words_en", "base"),
            )
        },
        "state": judgement.state,
        "reason": judgement.reason,
        "value": judgement.value,
        "goal": None if goal is None else goal.value,
        "goal_year": None if goal is None else goal.year,
        "quota": None if goal is None else goal.quota,
        "needed": judgement.needed,
        "seen": judgement.seen,
        "predicted": None if prediction is None else prediction.value,
        "predicted_low": None if prediction is None else prediction.low,
        "predicted_high": None if prediction is None else prediction.high,
        **{name: city[name] for name in ("units", "units_met", "missing", "planned")},
        "alerts": len(indicator.alerts),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool) or value is None:
        return value
    if pd.isna(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() else number
