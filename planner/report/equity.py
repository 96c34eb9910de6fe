"""What a report says of equity: gaps between units, town and country, and people; crowding."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from planner.report.model import Chart, Column, Line, Paragraph, Picture, Section, Sheet, Table
from planner.report.phrase import Phrase, entry, phrase
from planner.report.values import value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.equity import Equity
    from planner.report.values import Value

_STEPS = 50
_STYLES = ("first", "second", "third", "fourth", "fifth")


def equity_section(results: Sequence[Equity]) -> Section:
    """Tell how unequally services are spread.

    Parameters
    ----------
    results
        An equity a service.
    """
    return Section(
        title=phrase("section.equity"),
        blocks=(
            Paragraph(words=phrase("equity.method")),
            equity_table(results),
            _lorenz(results),
            crowding_table(results),
        ),
    )


def equity_sheet(results: Sequence[Equity]) -> Sheet:
    """Make the sheet of the same tables."""
    return Sheet(
        key="equity",
        title=phrase("sheet.equity"),
        lines=(phrase("equity.method"),),
        tables=(equity_table(results), crowding_table(results)),
    )


def equity_table(results: Sequence[Equity]) -> Table:
    """Tabulate the gap between units, rates of town and country, Gini and Palma."""
    columns = (
        Column(key="service", head=phrase("column.service"), kind="words", share=2.2),
        Column(key="highest", head=phrase("column.highest"), kind="words", share=1.5),
        Column(key="highest_rate", head=phrase("column.rate"), kind="rate", share=1.1),
        Column(key="lowest", head=phrase("column.lowest"), kind="words", share=1.5),
        Column(key="lowest_rate", head=phrase("column.rate"), kind="rate", share=1.1),
        Column(key="gap", head=phrase("column.difference"), kind="points", share=1.3),
        Column(key="town", head=phrase("column.town"), kind="rate", share=1.1),
        Column(key="country", head=phrase("column.country"), kind="rate", share=1.1),
        Column(key="settlement_gap", head=phrase("column.difference"), kind="points", share=1.3),
        Column(key="gini", head=phrase("column.gini"), kind="number", share=1.1),
        Column(key="palma", head=phrase("column.palma"), kind="number", share=1.1),
    )
    rows: list[tuple[Value, ...]] = []
    for one in results:
        high: Any = None
        low: Any = None
        if one.units["rate"].notna().any():
            high, low = one.extremes
        towns = one.settlement_rates
        rows.append(
            (
                _service(one),
                None if high is None else Phrase(high["name"], high["name_en"]),
                None if high is None else value_of(high["rate"]),
                None if low is None else Phrase(low["name"], low["name_en"]),
                None if low is None else value_of(low["rate"]),
                _points(one.gap),
                towns.get("town"),
                towns.get("country"),
                _points(one.settlement_gap),
                value_of(one.gini),
                value_of(one.palma) if isfinite(one.palma) else None,
            )
        )
    notes = [phrase("note.points")]
    if any(one.palma == float("inf") for one in results):
        notes.append(phrase("note.palma"))
    return Table(
        key="equity",
        caption=phrase("caption.equity"),
        columns=columns,
        rows=tuple(rows),
        notes=tuple(notes),
    )


def crowding_table(results: Sequence[Equity]) -> Table:
    """Tabulate people for each unit of supply in every unit of the level compared."""
    level = results[0].level
    tables = [one.access.by(level) for one in results]
    columns = [Column(key="name", head=phrase("column.name"), kind="words", share=1.8)]
    notes = []
    for one in results:
        supply = entry(f"report.equity.supply_{one.access.supply}")
        head = phrase("column.per_supply", service=_service(one), supply=supply)
        columns.append(Column(key=one.coverage.service.key, head=head, kind="minutes", share=1.8))
        if one.access.unknown:
            notes.append(phrase("note.capacity", service=_service(one), count=one.access.unknown))
    rows: list[tuple[Value, ...]] = [
        (
            Phrase(row["name"], row["name_en"]),
            *(value_of(table["people_per_supply"].iloc[number]) for table in tables),
        )
        for number, (_, row) in enumerate(tables[0].iterrows())
    ]
    return Table(
        key="crowding",
        caption=phrase("caption.crowding", level=entry(f"level.{level}")),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _lorenz(results: Sequence[Equity]) -> Picture:
    lines = []
    for number, one in enumerate(results):
        curve = one.lorenz(_STEPS)
        if curve["access"].isna().any():
            continue
        label = phrase("chart.lorenz_of", service=_service(one), gini=f"{one.gini:.3f}")
        lines.append(
            Line(
                label=label,
                x=tuple(curve["people"].tolist()),
                y=tuple(curve["access"].tolist()),
                style=_STYLES[number % len(_STYLES)],
            )
        )
    equal = Line(label=phrase("chart.equal"), x=(0.0, 1.0), y=(0.0, 1.0), style="target")
    return Picture(
        key="lorenz",
        caption=phrase("caption.lorenz"),
        content=Chart(
            x_label=phrase("chart.people_from_least"),
            y_label=phrase("chart.share_of_access"),
            x_kind="rate",
            y_kind="rate",
            lines=(*lines, equal),
        ),
    )


def _service(one: Equity) -> Phrase:
    return Phrase(one.coverage.service.name, one.coverage.service.name_en)


def _points(value: float) -> Value:
    return None if isnan(value) else 100 * value
