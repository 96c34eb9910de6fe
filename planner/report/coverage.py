"""What a report says of coverage: tables, sentences, curves and maps of each service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.report.model import (
    Chart,
    Column,
    Explorer,
    Line,
    Map,
    Paragraph,
    Picture,
    Section,
    Sheet,
    Table,
)
from planner.report.phrase import Phrase, entry, joined, phrase, running
from planner.report.values import Band, shown, value_of

if TYPE_CHECKING:
    import pandas as pd

    from layers.population import Group
    from layers.units import Level
    from planner.coverage import Coverage
    from planner.report.model import Block
    from planner.report.values import Value

_POINTS = 61
"""Of a curve, from nought to twice the cutoff."""
_LOWEST = 3
_MOST_NAMED = 20

_SHOWN = (
    *("name", "people", "served", "gap", "rate", "band", "facilities", "quota", "missing"),
    "median",
)
_FINE = ("district", *_SHOWN)


@dataclass(frozen=True, eq=False)
class ServiceReport:
    """What is told of one service.

    Parameters
    ----------
    result
        Its coverage.
    """

    result: Coverage

    @property
    def key(self) -> str:
        """Key of the service."""
        return self.result.service.key

    @property
    def name(self) -> Phrase:
        """Name of the service."""
        return Phrase(self.result.service.name, self.result.service.name_en)

    @property
    def standard(self) -> Phrase:
        """The standard with its group and year, as stands beside every figure."""
        standard, year = self.result.standard, self.result.year
        moment = entry("map.now") if year is None else entry("map.year_end", year=year)
        words = Phrase(standard.words("zh"), standard.words("en"))
        return joined([words, entry(f"group.{standard.group}"), moment], "clauses")

    def by(self, level: Level, group: Group | None = None) -> pd.DataFrame:
        """Figures of each unit, as `planner.Coverage.by` has them, computed once."""
        which = (level, group or self.result.standard.group)
        if which not in self._held:
            # Of the city the whole, not a unit that may be called so.
            whole = level == "city"
            self._held[which] = (
                self.result.total(which[1]).to_frame().T if whole else self.result.by(*which)
            )
        return self._held[which]

    def total(self, group: Group | None = None) -> pd.Series:
        """Figures of the whole city."""
        return self.by("city", group).iloc[0]

    @cached_property
    def _held(self) -> dict[Any, pd.DataFrame]:
        return {}

    @cached_property
    def units(self) -> Table:
        """Figures of the city and of the units of every level: the sheet of the service."""
        rows: list[tuple[Value, ...]] = []
        totals: list[int] = []
        for level in self._all_levels:
            frame = self.by(level)
            also = {group: self.by(level, group) for group in self.result.standard.also}
            for number in range(len(frame)):
                if level in {"city", "district"}:
                    totals.append(len(rows))
                further = [table.iloc[number] for table in also.values()]
                rows.append(self._row(frame.iloc[number], further))
        return Table(
            key=f"{self.key}.units",
            caption=phrase("caption.units", service=self.name, standard=self.standard),
            columns=self._columns(),
            rows=tuple(rows),
            totals=frozenset(totals),
        )

    @property
    def coarse(self) -> Level | None:
        """Level of the table in the text: districts, or what the city has."""
        return next((level for level in self._levels if level != "city"), None)

    @property
    def fine(self) -> Level | None:
        """Level of the table in the annex, None where there is none finer."""
        have = [level for level in self._levels if level not in {"city", self.coarse}]
        return have[0] if have else None

    def summary_row(self) -> tuple[Value, ...]:
        """Row of the table of all services."""
        total = self.total()
        standard = self.result.standard
        return (
            self.name,
            entry(f"group.{standard.group}"),
            Phrase(standard.words("zh"), standard.words("en")),
            *_figures(total, ("people", "served", "gap", "rate")),
            _band(total),
            *_figures(total, ("facilities",)),
        )

    def district_table(self) -> Table:
        """Table of the districts, the city last."""
        level = self.coarse
        whole = self.rows_of("city")
        rows = [*self.rows_of(level), *whole] if level else whole
        return self.units.picked(
            f"{self.key}.{level or 'city'}",
            phrase(
                "caption.by_level",
                service=self.name,
                level=entry(f"level.{level or 'city'}"),
                standard=self.standard,
            ),
            columns=self._present(_SHOWN),
            rows=rows,
            totals=whole,
            notes=self._table_notes(),
        )

    def township_table(self) -> Table | None:
        """Table of the townships, or None where the city has no such units."""
        level = self.fine
        if level is None:
            return None
        return self.units.picked(
            f"{self.key}.{level}",
            phrase(
                "caption.by_level",
                service=self.name,
                level=entry(f"level.{level}"),
                standard=self.standard,
            ),
            columns=self._present(_FINE, rows=self.rows_of(level)),
            rows=self.rows_of(level),
        )

    def sentences(self) -> list[Paragraph]:
        """Say in words what the figures are."""
        total = self.total()
        told = [
            phrase(
                "coverage.rate",
                service=self.name,
                standard=self.standard,
                people=_both(total["people"], "people"),
                served=_both(total["served"], "people"),
                rate=_both(total["rate"], "rate"),
                band=_both(_band(total), "band"),
                gap=_both(total["gap"], "people"),
                facilities=_both(total["facilities"], "count"),
            )
        ]
        for group in self.result.standard.also:
            other = self.total(group)
            told.append(
                phrase(
                    "coverage.also",
                    group=entry(f"group.{group}"),
                    rate=_both(other["rate"], "rate"),
                    band=_both(_band(other), "band"),
                    served=_both(other["served"], "people"),
                    people=_both(other["people"], "people"),
                )
            )
        told += self._lowest()
        paragraphs = [Paragraph(words=running(told))]
        return paragraphs + self._quotas()

    def section(self, *, titled: Phrase | None = None) -> Section:
        """Make the section of the service."""
        origin = self.result.standard
        basis = phrase(
            "coverage.basis",
            standard=self.standard,
            source=Phrase(origin.origin("zh"), origin.origin("en")),
            clause=self.result.service.clause or phrase("none"),
        )
        blocks: list[Block] = [Paragraph(words=basis), *self.sentences(), self.district_table()]
        level = self.coarse or self.result.levels[0]
        blocks.append(self._map(level, "rates"))
        if self.fine:
            blocks.append(self._map(self.fine, "rates"))
        blocks.append(self._map(level, "gap"))
        blocks.append(
            Explorer(
                key=f"{self.key}.explorer",
                caption=phrase("caption.explorer", service=self.name, standard=self.standard),
                result=self.result,
            )
        )
        blocks.append(self.curve())
        return Section(title=titled or self.name, blocks=tuple(blocks))

    def curve(self) -> Picture:
        """Share of people within each distance of a facility."""
        standard = self.result.standard
        groups = (standard.group, *standard.also)
        lines = []
        reach = np.linspace(0, 2 * standard.cutoff, _POINTS)
        for number, group in enumerate(groups):
            share = curve(self.result, reach, group)
            lines.append(
                Line(
                    label=entry(f"group.{group}"),
                    x=tuple(reach.tolist()),
                    y=tuple(share),
                    style="other" if number else "seen",
                )
            )
        mark = phrase("chart.standard", cutoff=f"{standard.cutoff:g}", unit=self.unit)
        return Picture(
            key=f"{self.key}.curve",
            caption=phrase("caption.curve", service=self.name, standard=self.standard),
            content=Chart(
                x_label=phrase(f"chart.within_{standard.unit}"),
                y_label=phrase("chart.share"),
                x_kind="metres" if standard.unit == "m" else "minutes",
                y_kind="rate",
                lines=tuple(lines),
                upright=(standard.cutoff, mark),
            ),
        )

    def sheet(self) -> Sheet:
        """Make the sheet of the service."""
        standard = self.result.standard
        source = Phrase(standard.origin("zh"), standard.origin("en"))
        doubt, metres, unit = self.result.doubt, self.result.position_m, standard.unit
        band = Phrase(doubt.words(metres, unit, "zh"), doubt.words(metres, unit, "en"))
        return Sheet(
            key=self.key,
            title=self.name,
            lines=(phrase("sheet.standard", standard=self.standard, source=source), band),
            tables=(self.units,),
        )

    @property
    def unit(self) -> Phrase:
        """Unit of the standard."""
        return entry(f"unit.{self.result.standard.unit}")

    @property
    def _levels(self) -> list[Level]:
        return self.result.levels

    @property
    def _all_levels(self) -> list[Level]:
        return ["city", *(level for level in self._levels if level != "city")]

    def _columns(self) -> tuple[Column, ...]:
        unit = self.result.standard.unit
        spans: Any = "metres" if unit == "m" else "minutes"
        first = [
            Column(key="level", head=phrase("column.level"), kind="words", share=1.2),
            Column(key="code", head=phrase("column.code"), kind="code", share=1.4),
            Column(key="district", head=phrase("column.within"), kind="words", share=1.5),
            Column(key="name", head=phrase("column.name"), kind="words", share=2.0),
            Column(key="people", head=self.group_head("people"), kind="people", share=1.5),
            Column(key="served", head=phrase("column.served"), kind="people", share=1.5),
            Column(key="gap", head=phrase("column.gap"), kind="people", share=1.4),
            Column(key="rate", head=phrase("column.rate"), kind="rate", share=1.3),
            Column(key="band", head=phrase("column.band"), kind="band", share=1.6),
        ]
        for group in self.result.standard.also:
            for name, kind in (("people", "people"), ("rate", "rate"), ("band", "band")):
                head = phrase(f"column.also_{name}", group=entry(f"group.{group}"))
                first.append(Column(key=f"{group}.{name}", head=head, kind=kind))  # type: ignore[arg-type]
        last = [
            Column(key="facilities", head=phrase("column.facilities"), kind="count"),
            Column(key="quota", head=phrase("column.quota"), kind="count", share=0.9),
            Column(key="missing", head=phrase("column.missing"), kind="count", share=0.9),
            Column(key="unplaced", head=phrase("column.unplaced"), kind="people"),
        ]
        for name in ("mean", "median", "p90"):
            head = phrase(f"column.{name}", unit=self.unit)
            last.append(Column(key=name, head=head, kind=spans, share=1.2))
        return tuple(first + last)

    def group_head(self, name: str) -> Phrase:
        """Heading that names the group."""
        return phrase(f"column.{name}", group=entry(f"group.{self.result.standard.group}"))

    def _row(self, row: pd.Series, further: list[pd.Series]) -> tuple[Value, ...]:
        told: list[Value] = [
            entry(f"level.{row['level']}"),
            value_of(row["code"]),
            self._within.get(row["code"], Phrase("", "")),
            Phrase(row["name"], row["name_en"]),
            *_figures(row, ("people", "served", "gap", "rate")),
            _band(row),
        ]
        for other in further:
            told += [*_figures(other, ("people", "rate")), _band(other)]
        last = ("facilities", "quota", "missing", "unplaced", "mean", "median", "p90")
        return tuple(told + _figures(row, last))

    @cached_property
    def _within(self) -> dict[str, Phrase]:
        """Name of the unit above each, where that is no city."""
        units = self.result.city.units.set_index("code")
        above = units[units["level"] != "city"]
        names = {code: Phrase(row["name"], row["name_en"]) for code, row in above.iterrows()}
        parents = units["parent"].to_dict()
        return {code: names[parent] for code, parent in parents.items() if parent in names}

    def rows_of(self, level: Level | None) -> list[int]:
        """Numbers of the rows of a level in the table of all units."""
        told = entry(f"level.{level}")
        return [number for number, row in enumerate(self.units.rows) if row[0] == told]

    def _present(self, names: tuple[str, ...], rows: list[int] | None = None) -> list[str]:
        """Columns to show: none that is empty all the way down."""
        rows = range(len(self.units.rows)) if rows is None else rows  # type: ignore[assignment]
        kept = []
        for name in names:
            values = self.units.values(name)
            if name in {"quota", "missing"} and all(values[row] is None for row in rows or ()):
                continue
            kept.append(name)
        return kept

    def _table_notes(self) -> tuple[Phrase, ...]:
        lost = self.result.unplaced
        notes = [phrase("note.band")]
        if lost["people"].sum() or lost["facilities"].sum():
            notes.append(
                phrase(
                    "note.unplaced",
                    people=_both(lost["people"].sum(), "people"),
                    facilities=_both(lost["facilities"].sum(), "count"),
                )
            )
        if self.result.outside:
            notes.append(phrase("note.outside", people=_both(self.result.outside, "people")))
        return tuple(notes)

    def _lowest(self) -> list[Phrase]:
        """Name the units with the lowest rates, where there are some to choose from."""
        if self.coarse is None:
            return []
        frame = self.by(self.coarse)
        frame = frame[(frame["code"] != "") & frame["rate"].notna()]
        if len(frame) <= _LOWEST:
            return []
        found = frame.sort_values(["rate", "code"]).head(_LOWEST)
        named = [
            phrase("coverage.unit_rate", name=_name(row), rate=_both(row["rate"], "rate"))
            for _, row in found.iterrows()
        ]
        level = entry(f"level.{self.coarse}")
        return [phrase("coverage.lowest", level=level, units=joined(named))]

    def _quotas(self) -> list[Paragraph]:
        """How the quotas of each level are met, the units that miss them by name."""
        told = []
        for level in self._all_levels:
            quota = self.result.standard.quota(level, self.result.year)
            if quota is None:
                continue
            frame = self.by(level)
            frame = frame[frame["quota"].notna()]
            short = frame[frame["missing"] > 0]
            named = [
                phrase("coverage.unit_short", name=_name(row), missing=int(row["missing"]))
                for _, row in short.head(_MOST_NAMED).iterrows()
            ]
            key = "quota_met" if short.empty else "quota_missed"
            words = phrase(
                f"coverage.{key}",
                level=entry(f"level.{level}"),
                quota=quota.facilities,
                year=quota.year,
                units=len(frame),
                met=len(frame) - len(short),
                short=len(short),
                missing=int(short["missing"].sum()),
                named=joined(named),
                more=phrase("coverage.more") if len(short) > _MOST_NAMED else Phrase("", ""),
            )
            told.append(Paragraph(words=words, role="body" if short.empty else "warning"))
        return told

    def _map(self, level: Level, show: Any) -> Picture:
        return Picture(
            key=f"{self.key}.{show}.{level}",
            caption=phrase(
                f"caption.map_{show}",
                service=self.name,
                level=entry(f"level.{level}"),
                standard=self.standard,
            ),
            content=Map(result=self.result, level=level, show=show),
        )


def summary_table(services: list[ServiceReport]) -> Table:
    """One row a service: whom it is for, its standard, people, rate and facilities."""
    columns = (
        Column(key="service", head=phrase("column.service"), kind="words", share=2.0),
        Column(key="group", head=phrase("column.group"), kind="words", share=1.5),
        Column(key="standard", head=phrase("column.standard"), kind="words", share=1.9),
        Column(key="people", head=phrase("column.group_people"), kind="people", share=1.6),
        Column(key="served", head=phrase("column.served"), kind="people", share=1.6),
        Column(key="gap", head=phrase("column.gap"), kind="people", share=1.5),
        Column(key="rate", head=phrase("column.rate"), kind="rate", share=1.1),
        Column(key="band", head=phrase("column.band"), kind="band", share=1.2),
        Column(key="facilities", head=phrase("column.facilities"), kind="count"),
    )
    year = services[0].result.year
    moment = entry("map.now") if year is None else entry("map.year_end", year=year)
    return Table(
        key="summary",
        caption=phrase("caption.summary", moment=moment),
        columns=columns,
        rows=tuple(service.summary_row() for service in services),
        notes=(phrase("note.band"),),
    )


def curve_table(services: list[ServiceReport]) -> Table:
    """Points of every service's curve, for the spreadsheet."""
    rows: list[tuple[Value, ...]] = []
    for service in services:
        content = service.curve().content
        assert isinstance(content, Chart)
        unit = entry(f"unit.{service.result.standard.unit}")
        rows += [
            (service.name, line.label, x, unit, y)
            for line in content.lines
            for x, y in zip(line.x, line.y, strict=True)
        ]
    columns = (
        Column(key="service", head=phrase("column.service"), kind="words"),
        Column(key="group", head=phrase("column.group"), kind="words"),
        Column(key="within", head=phrase("column.within_reach"), kind="number"),
        Column(key="unit", head=phrase("column.unit"), kind="words"),
        Column(key="share", head=phrase("column.share"), kind="rate"),
    )
    return Table(key="curves", caption=phrase("caption.curves"), columns=columns, rows=tuple(rows))


def curve(result: Coverage, within: Any, group: Any = None) -> list[float]:
    """Share of a group that lives within each distance of a facility.

    Parameters
    ----------
    result
        The coverage.
    within
        Distances in the standard's unit, rising.
    group
        The group; the standard's own when None.

    Returns
    -------
    A share for each, of everyone who lies in any unit.
    """
    people = np.asarray(result.city.population[group or result.standard.group], dtype=np.float64)
    inside = result.demand[result.levels].notna().any(axis=1).to_numpy()
    people, distance = people[inside], result.demand["distance"].to_numpy()[inside]
    whole = people.sum()
    if not whole:
        return [0.0] * len(within)
    found = np.isfinite(distance)
    order = np.argsort(distance[found], kind="stable")
    far, weight = distance[found][order], np.cumsum(people[found][order])
    # As in coverage itself a cutoff is inclusive, to a micrometre.
    last = np.searchsorted(far, np.asarray(within) + 1e-6, side="right")
    return [float(weight[number - 1] / whole) if number else 0.0 for number in last]


def _figures(row: pd.Series, names: tuple[str, ...]) -> list[Value]:
    return [value_of(row[name]) for name in names]


def _band(row: pd.Series) -> Band | None:
    low, high = float(row["rate_low"]), float(row["rate_high"])
    return Band(low, high) if low == low else None  # noqa: PLR0124 - NaN where nobody lives


def _name(row: pd.Series) -> Phrase:
    return Phrase(row["name"], row["name_en"])


def _both(value: Any, kind: Any) -> Phrase:
    """Show a figure in either language."""
    plain = value_of(value)
    return Phrase(shown(plain, kind, "zh"), shown(plain, kind, "en"))
