"""Plans: targets by year, read from a table and refused where they contradict themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.errors import PlanError, StandardError, UnknownNameError
from layers.messages import Language, language, text
from layers.resources import data_path
from layers.toml_lines import lines_of
from planner._plan_entries import Entries
from planner.quotas import quotas_of
from planner.standards import PLAN, Services, load_services, services_of, unknown_name
from planner.targets import NOTHING, Target

if TYPE_CHECKING:
    import os


@dataclass(frozen=True, kw_only=True, repr=False)
class Plan(Mapping[str, Target]):
    """A plan: its targets by their keys, in the order of its table.

    Attributes
    ----------
    name, name_en
        What it is called.
    source, source_en
        The document.
    base_year
        Year of the values that it starts from.
    first_year, last_year
        Years that it is for.
    reviews
        Years of its evaluations by their kind: ``mid_term``, ``final``.
    confidence
        How likely a value is to fall into its prediction interval.
    targets
        The targets by their keys.
    services
        The services it speaks of, with its quotas: those handed in, and its own.
    path
        Where it was read from.

    Examples
    --------
    >>> plan = load_plan()
    >>> plan["clinics_in_city"].last
    Goal(year=2025, value=50.0, quota=None)
    """

    name: str
    base_year: int
    first_year: int
    last_year: int
    targets: Mapping[str, Target]
    services: Services
    name_en: str = ""
    source: str = ""
    source_en: str = ""
    reviews: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    confidence: float = 0.8
    path: Path | None = None

    @property
    def years(self) -> range:
        """From the base year to the last."""
        return range(self.base_year, self.last_year + 1)

    def title(self, lang: Language | None = None) -> str:
        """Name in a language."""
        english = (lang or language()) == "en" and self.name_en
        return self.name_en if english else self.name

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = ("name", "name_en", "source", "source_en", "base_year", "first_year", "last_year")
        return {
            **{name: getattr(self, name) for name in names},
            "reviews": dict(self.reviews),
            "confidence": self.confidence,
        }

    def __getitem__(self, key: str) -> Target:
        try:
            return self.targets[key]
        except KeyError:
            raise unknown_name("target", key, self.targets) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.targets)

    def __len__(self) -> int:
        return len(self.targets)

    def __contains__(self, key: object) -> bool:
        return key in self.targets

    def __repr__(self) -> str:
        return f"<Plan {self.name} {self.first_year}–{self.last_year}: {len(self)} targets>"


def load_plan(
    path: str | os.PathLike[str] | None = None, *, services: Services | None = None
) -> Plan:
    """Read a plan.

    Parameters
    ----------
    path
        TOML file as ``data/plan_2021_2025.toml`` describes it, which is read when None.
    services
        Services that it may speak of besides its own; the program's own when None.

    Raises
    ------
    PlanError
        It cannot be read, does not say what it must, or contradicts itself; the message
        names the line of everything that is wrong, and the remedy.

    Examples
    --------
    >>> load_plan().title("en")
    "Hangzhou's plan for the development of women, 2021–2025"
    """
    file = Path(path) if path is not None else data_path(PLAN)
    try:
        document = file.read_text(encoding="utf-8-sig")
        table = tomllib.loads(document)
    except FileNotFoundError as missing:
        raise PlanError(text("error.file_missing", path=str(file))) from missing
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise PlanError(text("error.file_unreadable", path=str(file), reason=str(wrong))) from wrong
    known = load_services() if services is None else services
    entries = Entries(table, lines_of(document), file.name)
    own = _own_services(entries, known)
    together = Services({**known.entries, **own.entries})
    head = entries.head()
    targets = entries.targets(together, head)
    entries.refuse()
    return Plan(
        **head,
        targets={target.key: target for target in targets},
        services=together.bound(quotas_of(table)),
        path=file,
    )


def _own_services(entries: Entries, known: Services) -> Services:
    """Services of the plan's table; what is wrong with them is noted."""
    found: dict[str, Any] = {}
    stated = entries.table.get("services", {})
    if not isinstance(stated, dict):
        entries.note(("services",), text("error.plan.not_a_table"))
        return Services({})
    for key, entry in stated.items():
        if key in known:
            entries.note(("services", key), text("error.plan.service_twice", found=key))
        try:
            found.update(services_of({key: entry}, entries.name).entries)
        except (StandardError, UnknownNameError) as wrong:
            entries.note(("services", key), str(wrong))
    return Services(found)
