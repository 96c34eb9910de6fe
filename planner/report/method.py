"""Method and quality of data: how figures were made, of what, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.report.model import Column, Paragraph, Section, Sheet, Table
from planner.report.phrase import Phrase, entry, joined, noted, phrase, same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from layers import City
    from layers.findings import Finding
    from planner.coverage import Coverage
    from planner.report.model import Block
    from planner.report.values import Value


def method_section(
    results: Sequence[Coverage],
    findings: Sequence[Finding] | None,
    *,
    made: datetime,
    version: str,
) -> Section:
    """Tell the method and the quality of data.

    Parameters
    ----------
    results
        The coverages that the report shows, of one city.
    findings
        What the check of the city found; None when it was not run.
    made, version
        When and with which version the report was made.
    """
    return Section(
        title=phrase("section.method"),
        sections=(
            Section(
                title=phrase("section.methods"),
                blocks=tuple(
                    Paragraph(words=words, role="point")
                    for words in method_words(results, made=made, version=version)
                ),
            ),
            Section(title=phrase("section.unplaced"), blocks=_unplaced(results)),
            Section(title=phrase("section.findings"), blocks=_findings(findings)),
            Section(title=phrase("section.sources"), blocks=(sources_table(results[0].city),)),
        ),
    )


def method_sheet(
    results: Sequence[Coverage],
    findings: Sequence[Finding] | None,
    *,
    made: datetime,
    version: str,
) -> Sheet:
    """Tell the same on a sheet; parameters as of `method_section`."""
    tables = [sources_table(results[0].city), standards_table(results)]
    tables += [
        block for block in (*_unplaced(results), *_findings(findings)) if isinstance(block, Table)
    ]
    return Sheet(
        key="method",
        title=phrase("sheet.method"),
        lines=tuple(method_words(results, made=made, version=version)),
        tables=tuple(tables),
    )


def method_words(results: Sequence[Coverage], *, made: datetime, version: str) -> list[Phrase]:
    """How the figures were made, a phrase each; parameters as of `method_section`."""
    city, year = results[0].city, results[0].year
    moment = entry("map.now") if year is None else entry("map.year_end", year=year)
    told = [phrase(f"method.{key}") for key in ("distance", "rate", "placing")]
    told.insert(1, phrase("method.year", moment=moment))
    for result in results:
        unit, metres = result.standard.unit, result.position_m
        words = Phrase(
            result.doubt.words(metres, unit, "zh"), result.doubt.words(metres, unit, "en")
        )
        told.append(phrase("method.band", service=_name(result), words=words))
    told.append(phrase("method.crs", crs=crs_words(city)))
    told.append(phrase("method.equal"))
    told.append(phrase("method.version", version=version, made=f"{made:%Y-%m-%d %H:%M}"))
    return told


def standards_table(results: Sequence[Coverage]) -> Table:
    """Tabulate the standard of each service, with its source and clause."""
    columns = (
        Column(key="service", head=phrase("column.service"), kind="words", share=2),
        Column(key="group", head=phrase("column.group"), kind="words", share=1.5),
        Column(key="standard", head=phrase("column.standard"), kind="words", share=2),
        Column(key="basis", head=phrase("column.basis"), kind="words", share=4),
        Column(key="clause", head=phrase("column.clause"), kind="words", share=2),
    )
    return Table(
        key="standards",
        caption=phrase("caption.standards"),
        columns=columns,
        rows=tuple(
            (
                _name(result),
                entry(f"group.{result.standard.group}"),
                Phrase(result.standard.words("zh"), result.standard.words("en")),
                Phrase(result.standard.origin("zh"), result.standard.origin("en")),
                same(result.service.clause),
            )
            for result in results
        ),
    )


def sources_table(city: City) -> Table:
    """Source, licence, date and nature of each layer."""
    columns = (
        Column(key="layer", head=phrase("column.layer"), kind="words", share=1.2),
        Column(key="rows", head=phrase("column.rows"), kind="count", share=1.3),
        Column(key="source", head=phrase("column.source"), kind="words", share=3),
        Column(key="licence", head=phrase("column.licence"), kind="words", share=1.2),
        Column(key="date", head=phrase("column.date"), kind="words", share=1),
        Column(key="label", head=phrase("column.label"), kind="words", share=1.5),
        Column(key="made", head=phrase("column.made"), kind="words", share=2),
    )
    rows: list[tuple[Value, ...]] = []
    notes: dict[Phrase, list[Phrase]] = {}
    for key, told in city.origins().items():
        labels = [entry(f"label.{label}") for label in ("modelled", "stand_in") if told[label]]
        layer = entry(f"layer.{key}")
        stated = [_stated(told[name]) for name in ("source", "licence", "date")]
        nature = joined(labels) if labels else None
        rows.append((layer, told["rows"], *stated, nature, _stated(told["made"])))
        for note in told["notes"]:
            notes.setdefault(noted(note), []).append(layer)
    return Table(
        key="sources",
        caption=phrase("caption.sources"),
        columns=columns,
        rows=tuple(rows),
        # What several layers say is said once.
        notes=tuple(
            phrase("note.layers", layers=joined(named), note=note) for note, named in notes.items()
        ),
    )


def crs_words(city: City) -> Phrase:
    """Name the projected reference system by number and name."""
    return same(f"{city.crs.to_string()} ({city.crs.name})")


def _unplaced(results: Sequence[Coverage]) -> tuple[Block, ...]:
    rows: list[tuple[Value, ...]] = []
    for result in results:
        for reason, row in result.unplaced.iterrows():
            rows.append(
                (
                    _name(result),
                    entry(f"map.reason.{reason}"),
                    int(row["points"]),
                    float(row["people"]),
                    int(row["facilities"]),
                )
            )
    if not rows:
        return (Paragraph(words=phrase("note.unplaced_none")),)
    columns = (
        Column(key="service", head=phrase("column.service"), kind="words", share=2),
        Column(key="reason", head=phrase("column.reason"), kind="words", share=3),
        Column(key="points", head=phrase("column.points"), kind="count"),
        Column(key="people", head=phrase("column.group_people"), kind="people"),
        Column(key="facilities", head=phrase("column.facilities"), kind="count"),
    )
    return (
        Table(
            key="unplaced",
            caption=phrase("caption.unplaced"),
            columns=columns,
            rows=tuple(rows),
        ),
    )


def _findings(findings: Sequence[Finding] | None) -> tuple[Block, ...]:
    if findings is None:
        return (Paragraph(words=phrase("note.not_checked"), role="warning"),)
    if not findings:
        return (Paragraph(words=phrase("note.findings_none")),)
    columns = (
        Column(key="severity", head=phrase("column.severity"), kind="words", share=0.9),
        Column(key="layer", head=phrase("column.layer"), kind="words", share=1),
        Column(key="rows", head=phrase("column.rows"), kind="count", share=0.9),
        Column(key="found", head=phrase("column.found"), kind="words", share=5),
        Column(key="remedy", head=phrase("column.remedy"), kind="words", share=4),
    )
    return (
        Table(
            key="findings",
            caption=phrase("caption.findings"),
            columns=columns,
            rows=tuple(
                (
                    entry(f"severity.{one.severity}"),
                    entry(f"layer.{one.layer}"),
                    len(one.rows) or None,
                    Phrase(one.words("message", "zh"), one.words("message", "en")),
                    Phrase(one.words("remedy", "zh"), one.words("remedy", "en")),
                )
                for one in findings
            ),
        ),
    )


def _stated(words: str) -> Phrase:
    return phrase("note.not_stated") if words in {"", "not stated"} else same(words)


def _name(result: Coverage) -> Phrase:
    return Phrase(result.service.name, result.service.name_en)
