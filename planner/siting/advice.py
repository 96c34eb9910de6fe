"""Advice: what a siting model suggests, as plain rows that can be kept and accepted one by one."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from layers.messages import LANGUAGES, text
from planner.changes import Base, Change, Close, Open
from planner.changes import plain as plain_change
from planner.changes import read as read_change
from planner.network import Network
from planner.siting.ask import state
from planner.siting.question import Question
from planner.siting.site import site
from planner.siting.siting import figure, measure_of, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layers import City
    from layers.messages import Language
    from planner.siting.control import Progress
    from planner.siting.problem import Problem
    from planner.siting.siting import Siting
    from planner.standards import Standard
    from planner.workbench import Workbench

_TELL_EVERY = 0.3


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """A change that a model suggests, or a facility that it leaves.

    Attributes
    ----------
    change
        The opening or closing; None for a facility that stays where it is.
    names
        What it is called, by language.
    people_new
        People that it serves besides those served by the rows before; None of a closing.
    rate
        Rate of the whole city with it and the rows before; None of a closing.
    """

    change: Change | None
    names: Mapping[Language, str]
    people_new: float | None = None
    rate: float | None = None

    @property
    def place(self) -> tuple[float, float] | None:
        """Longitude and latitude (WGS-84) of what would open; None of others."""
        return self.change.place if isinstance(self.change, Open) else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "change": None if self.change is None else plain_change(self.change),
            "names": dict(self.names),
            "people_new": self.people_new,
            "rate": self.rate,
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], number: int) -> Self:
        """Make a row of what `as_dict` gave, `number` being its place from 1."""
        change = table["change"]
        return cls(
            change=None if change is None else read_change(change, number),
            names={lang: str(table["names"][lang]) for lang in LANGUAGES},
            people_new=table["people_new"],
            rate=table["rate"],
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class Advice:
    """What a model suggests.

    Attributes
    ----------
    question
        What was asked.
    standard
        The standard that the rates follow from, as plain values.
    status
        As `Siting.status`.
    found
        Whether there is a choice of sites at all.
    objective, bound
        As of `Siting`; None where there is none.
    words
        What came of it in words, by language.
    before, after
        ``people``, ``served`` and ``rate`` of the city as the scenario leaves it, and with all
        that is suggested.
    rows
        Openings in the order of what each adds, what stays, and closings.
    stopped
        Why the model stopped before its end; None if it did not.
    """

    question: Question
    standard: Mapping[str, Any]
    status: str
    found: bool
    objective: float | None
    bound: float | None
    words: Mapping[Language, tuple[str, ...]]
    before: Mapping[str, float | None]
    after: Mapping[str, float | None]
    rows: tuple[Suggested, ...] = ()
    stopped: str | None = field(default=None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "question": self.question.as_dict(),
            "standard": dict(self.standard),
            "status": self.status,
            "found": self.found,
            "objective": self.objective,
            "bound": self.bound,
            "words": {lang: list(words) for lang, words in self.words.items()},
            "before": dict(self.before),
            "after": dict(self.after),
            "rows": [row.as_dict() for row in self.rows],
            "stopped": self.stopped,
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Self:
        """Make advice of what `as_dict` gave.

        Raises
        ------
        InputError
            A question or a change in it is not as it should be.
        """
        rows = enumerate(table["rows"], start=1)
        return cls(
            question=Question.from_dict(table["question"]),
            standard=table["standard"],
            status=table["status"],
            found=table["found"],
            objective=table["objective"],
            bound=table["bound"],
            words={lang: tuple(table["words"][lang]) for lang in LANGUAGES},
            before=table["before"],
            after=table["after"],
            rows=tuple(Suggested.from_dict(row, number) for number, row in rows),
            stopped=table["stopped"],
        )

    def __repr__(self) -> str:
        asked = self.question
        return f"<Advice on {asked.service} by {asked.ask.model}: {len(self.rows)}, {self.status}>"


def advise(
    question: Question,
    bench: Workbench,
    *,
    tell: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Advice:
    """Ask a siting model.

    Parameters
    ----------
    question
        What is asked.
    bench
        The city with its services and networks.
    tell
        Told in words now and then how far the model has come.
    cancelled
        Asked now and then whether to stop with the best so far.

    Raises
    ------
    InputError, UnknownNameError
        What is asked makes no sense, or a change of the scenario cannot be made. An
        infeasible problem is no error: the words say what contradicts what.

    Examples
    --------
    >>> from layers import embedded
    >>> from planner.workbench import Workbench
    >>> from planner.siting.ask import Ask
    >>> asked = Question(service="menopause_clinic", ask=Ask(number=2))
    >>> advise(asked, Workbench(embedded("small")))
    <Advice on menopause_clinic by mclp: 2, optimal>
    """
    base, services = bench.city, bench.services
    standard = services[question.service].standard
    city = question.scenario.apply(base, services=services)
    if question.scenario.outcome(Base.of(base, services)).streets:
        # Of the streets that are left.
        network = Network.build(city.streets, standard.mode, crs=city.crs, **standard.pace)
        homes = network.locate(city.population)
    else:
        network, homes = bench.network(standard), bench.homes(standard)
    stated = state(
        question.ask,
        city,
        question.service,
        year=question.year,
        level=question.level,
        standard=standard,
        network=network,
    )
    siting = site(
        stated.city,
        stated.problem,
        services=services,
        network=network,
        homes=homes,
        progress=None if tell is None else _teller(tell, stated.problem, standard),
        cancelled=cancelled,
    )
    seconds = f"{siting.solved.solution.seconds:.1f}"
    words = {
        lang: (*siting.words(lang), text("site.took", lang, seconds=seconds)) for lang in LANGUAGES
    }
    return Advice(
        question=question,
        standard=plain(standard.as_dict()),
        status=siting.status,
        found=siting.found,
        objective=plain(siting.objective),
        bound=plain(siting.bound),
        words=words,
        before=_total(siting.before.total()),
        after=_total(siting.after.total()),
        rows=_rows(siting, city, stated.movable),
        stopped=siting.solved.solution.stopped,
    )


def _total(total: Any) -> dict[str, float | None]:
    return {name: plain(float(total[name])) for name in ("people", "served", "rate")}


def _rows(siting: Siting, city: City, movable: tuple[str, ...]) -> tuple[Suggested, ...]:
    """List openings and what stays, in the order of what each adds, then closings."""
    if not siting.found:
        return ()
    made = []
    for own, change in zip(siting.sites.itertuples(), siting.scenario().changes, strict=True):
        stays, usual = own.id in movable, str(own.name or own.id)
        parts: dict[Language, Any] = {"zh": own.part, "en": own.part_en}
        made.append(
            Suggested(
                change=None if stays else change,
                names={
                    lang: part if isinstance(part, str) and not stays else usual
                    for lang, part in parts.items()
                },
                people_new=plain(own.people_new),
                rate=plain(own.rate),
            )
        )
    names, kept = city.facilities.set_index("id")["name"], set(siting.sites["id"])
    made += [
        Suggested(change=Close(id=one), names=dict.fromkeys(LANGUAGES, str(names.get(one) or one)))
        for one in movable
        if one not in kept
    ]
    return tuple(made)


def _teller(
    tell: Callable[[str], None], problem: Problem, standard: Standard
) -> Callable[[Progress], None]:
    """Make what says how far a solve has come, not too often."""
    measure, last = measure_of(problem), 0.0

    def told(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last < _TELL_EVERY:
            return
        last = time.monotonic()
        best, bound = (
            "–" if value is None or not math.isfinite(value) else figure(value, measure, unit)
            for value in (now.best, now.bound)
        )
        gap = f"{now.gap:.2%}" if math.isfinite(now.gap) else "–"
        seconds = f"{now.seconds:.0f}"
        tell(text("site.stands", best=best, bound=bound, gap=gap, seconds=seconds))

    unit = standard.unit
    return told
