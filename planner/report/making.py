"""Making a report: everything computed that a kind of report speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from layers.messages import text
from planner.access import access
from planner.equity import equity
from planner.indicators import monitor
from planner.proposal import proposal
from planner.report.kinds import coverage_report, plan_report, siting_report
from planner.review import review
from planner.siting.site import site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layers.findings import Finding
    from planner.coverage import Coverage
    from planner.equity import Equity
    from planner.history import History
    from planner.plan import Plan
    from planner.report.model import Report, ReportKind
    from planner.standards import Services
    from planner.workbench import Workbench

_SITING_SECONDS = 300.0


def _unheard(_words: str) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Making:
    """What reports of a city are made with.

    Attributes
    ----------
    bench
        The city with its networks and the plan's services.
    plan
        The plan that evaluations follow.
    services
        The table of services, which those of the plan may exceed.
    keys
        Keys of the services that reports speak of.
    history
        Entered values; None for none.
    limit
        Greatest access leg in metres.
    progress
        Told in words what is being computed.
    """

    bench: Workbench
    plan: Plan
    services: Services
    keys: Sequence[str]
    history: History | None = None
    limit: float = 300.0
    progress: Callable[[str], None] = _unheard
    made: datetime = field(default_factory=lambda: datetime.now(UTC).astimezone())

    def coverage(self, year: int | None = None) -> Report:
        """Report of who is served by each service; see `planner.report.kinds`."""
        results = self._coverages(year)
        return coverage_report(results, findings=self._findings(year), made=self.made)

    def evaluation(self, kind: ReportKind, year: int, *, propose: bool = False) -> Report:
        """Report of the plan's targets: annual, mid-term or final.

        Parameters
        ----------
        kind
            ``annual``, ``mid-term`` or ``final``.
        year
            A year of the plan.
        propose
            Also say where the facilities may go that targets lack.
        """
        self.progress(text("cli.monitor.working"))
        told = monitor(
            self.bench.city,
            year,
            plan=self.plan,
            history=self.history,
            bench=self.bench,
            limit=self.limit,
        )
        results = self._coverages(year)
        equities = [self._equity(result) for result in results]
        proposals = {}
        if propose:
            self.progress(text("cli.monitor.proposing"))
            found = {one.target.key: proposal(one) for one in told}
            proposals = {key: made for key, made in found.items() if made is not None}
        return plan_report(
            kind,
            told,
            results,
            equities,
            findings=self._findings(year),
            made=self.made,
            proposals=proposals,
        )

    def siting(self, *, model: str, p: int | None, year: int | None = None) -> Report:
        """Report of where new facilities of the only service do most good."""
        (key,) = self.keys
        service = self.plan.services[key]
        self.progress(text("cli.report.siting", service=service.title()))
        choice = site(
            self.bench.city,
            key,
            services=self.plan.services,
            network=self.bench.network(service.standard),
            homes=self.bench.homes(service.standard, limit=self.limit),
            model=model,
            p=p,
            year=year,
            limit=self.limit,
            seconds=_SITING_SECONDS,
        )
        return siting_report(choice, findings=self._findings(year), made=self.made)

    def _coverages(self, year: int | None) -> list[Coverage]:
        results = []
        for key in self.keys:
            title = self.plan.services[key].title()
            self.progress(text("cli.coverage.working", service=title))
            results.append(self.bench.coverage(key, year=year, limit=self.limit))
        return results

    def _equity(self, result: Coverage) -> Equity:
        self.progress(text("cli.coverage.working", service=result.service.title()))
        homes = self.bench.homes(result.standard, limit=self.limit)
        level: Any = next((one for one in result.levels if one != "city"), "city")
        return equity(access(result, homes=homes, limit=self.limit), level=level)

    def _findings(self, year: int | None) -> list[Finding]:
        self.progress(text("cli.check.working"))
        return review(self.bench.city, self.services, limit=self.limit, year=year)
