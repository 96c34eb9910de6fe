"""Values of an indicator by year: computed from the layers, entered, or as the plan prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.history import Record
    from planner.measures import Measures
    from planner.plan import Plan
    from planner.targets import Goal, Target

VALUE_COLUMNS = ("year", "value", "origin", "computed", "who", "when", "source", "reason")
"""Columns of an indicator's values by year, in order."""


class Values:
    """Values of the whole city from the base year to another.

    Parameters
    ----------
    target
        The target.
    plan
        Its plan.
    year
        The last year.
    measures
        What is computed from the layers.
    entered
        Records of the target that stand.
    """

    def __init__(
        self,
        target: Target,
        plan: Plan,
        year: int,
        measures: Measures,
        entered: Iterable[Record],
    ) -> None:
        self.target, self.plan = target, plan
        self.years = range(plan.base_year, year + 1)
        self._measures = measures
        self._entered = {
            record.year: record for record in entered if not (record.unit or record.part)
        }
        self._computed: dict[tuple[int, Goal | None], float | None] = {}

    def measured(self, year: int, goal: Goal | None) -> float | None:
        """Compute the value of a year from the layers, or find it again; None where they lack it.

        Parameters
        ----------
        year
            The year.
        goal
            Goal whose quota counts.
        """
        key = (year, goal if self.target.kind == "quota" else None)
        if key not in self._computed:
            self._computed[key] = self._measures.value(self.target, year, goal)
        return self._computed[key]

    def known(self, goal: Goal | None) -> dict[int, float]:
        """Values by year as a goal counts them; an entered one before a computed one."""
        found: dict[int, float] = {}
        for year in self.years:
            record = self._entered.get(year)
            value = record.value if record else self.measured(year, goal)
            if value is None and year == self.plan.base_year:
                value = self.target.base
            if value is not None:
                found[year] = value
        return found

    def resolution(self, goal: Goal | None) -> float:
        """Step in which values are given, as a goal counts them."""
        if not self._entered and self.target.kind != "entered":
            return self._measures.resolution(self.target, goal)
        printed = [record.value for record in self._entered.values()]
        return step([value for value in (*printed, self.target.base) if value is not None])

    def table(self, goal: Goal | None) -> pd.DataFrame:
        """Tabulate the values as a goal counts them, with `VALUE_COLUMNS`."""
        rows = []
        for year, value in self.known(goal).items():
            record = self._entered.get(year)
            computed = self.measured(year, goal)
            if record:
                origin = "entered"
                signed = (record.who, record.when, record.source, record.reason)
            else:
                origin = "plan" if computed is None else "computed"
                signed = ("", "", self.plan.source if computed is None else "", "")
            rows.append((year, value, origin, computed, *signed))
        table = pd.DataFrame(rows, columns=list(VALUE_COLUMNS))
        return table.astype({"value": "float64", "computed": "Float64"})


def step(values: Iterable[float]) -> float:
    """Step in which values are printed: the last decimal that any of them has.

    Examples
    --------
    >>> step([85.13, 85.2]), step([3000.0])
    (0.01, 1.0)
    """
    words = [f"{value:.10f}".rstrip("0") for value in values]
    return 10.0 ** -max((len(word.partition(".")[2]) for word in words), default=0)
