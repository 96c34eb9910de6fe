"""The kinds of report: which sections each has, built out of results alone."""

from __future__ import annotations

from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

from planner.report.choice import choice_layers, choice_sections, choice_sheets
from planner.report.coverage import ServiceReport, curve_table, summary_table
from planner.report.equity import equity_section, equity_sheet
from planner.report.geodata import service_layers
from planner.report.method import method_section, method_sheet
from planner.report.model import Paragraph, Report, Section, Sheet
from planner.report.monitoring import advice, notable, opening, plan_sections, plan_sheets
from planner.report.phrase import Phrase, entry, joined, phrase, running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from layers import City
    from layers.findings import Finding
    from planner.coverage import Coverage
    from planner.equity import Equity
    from planner.indicators import Monitoring
    from planner.report.model import Block, Layer, ReportKind
    from planner.siting.siting import Siting


def coverage_report(
    results: Sequence[Coverage],
    *,
    findings: Sequence[Finding] | None,
    made: datetime,
) -> Report:
    """Report of who is served by each service, and who is not.

    Parameters
    ----------
    results
        A coverage a service, of one city and year.
    findings
        What the check of the city found; None when it was not run.
    made
        When it is made.

    Examples
    --------
    >>> from datetime import datetime
    >>> from layers import embedded
    >>> from planner import coverage
    >>> results = [coverage(embedded("small"), "menopause_clinic", year=2023)]
    >>> coverage_report(results, findings=[], made=datetime(2024, 1, 31, 9, 0))
    <Report coverage-2023 of 杭州（模拟）: 4 sections, 5 tables, 4 pictures, 4 sheets, 5 layers>
    """
    services = [ServiceReport(result) for result in results]
    return assembled(
        "coverage",
        phrase("title.coverage", city=city_name(results[0].city)),
        services,
        findings=findings,
        made=made,
        before=[summary_section(services)],
        sheets=[],
    )


def plan_report(
    kind: ReportKind,
    told: Monitoring,
    results: Sequence[Coverage],
    equities: Sequence[Equity],
    *,
    findings: Sequence[Finding] | None,
    made: datetime,
    proposals: Mapping[str, Siting] | None = None,
) -> Report:
    """Report of a plan's targets in a year: annual, mid-term or final.

    The mid-term and the final evaluation set all years side by side; with proposals a
    report says where the facilities may go that targets lack.

    Parameters
    ----------
    kind
        ``annual``, ``mid-term`` or ``final``.
    told
        The plan as it was followed in the year.
    results, equities
        A coverage and an equity a service, of the same year.
    findings, made
        As of `coverage_report`.
    proposals
        Where facilities may go, by the target's key.
    """
    services = [ServiceReport(result) for result in results]
    first = Section(
        title=phrase("section.summary"),
        blocks=(*opening(told, kind), *notable(told), summary_table(services)),
    )
    sections = [first, *plan_sections(told, since_base=kind != "annual")]
    if kind != "final":
        sections.append(advice(told, proposals or {}))
    if equities:
        sections.append(equity_section(equities))
    return assembled(
        kind,
        phrase(f"title.{kind}", city=city_name(told.city)),
        services,
        findings=findings,
        made=made,
        before=sections,
        sheets=[*plan_sheets(told), *([equity_sheet(equities)] if equities else [])],
    )


def siting_report(siting: Siting, *, findings: Sequence[Finding] | None, made: datetime) -> Report:
    """Report of where new facilities of a service do most good.

    Parameters
    ----------
    siting
        The siting.
    findings, made
        As of `coverage_report`.
    """
    service = siting.setting.service
    return assembled(
        "siting",
        phrase(
            "title.siting",
            city=city_name(siting.setting.city),
            service=Phrase(service.name, service.name_en),
        ),
        [ServiceReport(siting.after)],
        findings=findings,
        made=made,
        before=choice_sections(siting),
        sheets=choice_sheets(siting),
        layers=choice_layers(siting),
        titled=phrase("section.after"),
    )


def assembled(
    kind: ReportKind,
    title: Phrase,
    services: Sequence[ServiceReport],
    *,
    findings: Sequence[Finding] | None,
    made: datetime,
    before: Sequence[Section],
    sheets: Sequence[Sheet],
    layers: Sequence[Layer] = (),
    titled: Phrase | None = None,
) -> Report:
    """Put together what every kind has: its own, services, method, annexes, sheets, layers.

    Parameters
    ----------
    kind, title
        Of the report.
    services
        What is told of each service.
    findings, made
        As of `coverage_report`.
    before
        Sections before those of the services.
    sheets
        Sheets of the kind's own, behind the summary.
    layers
        Layers of the kind's own, before those of the services.
    titled
        Heading above the services, where it is not the usual one.
    """
    results = [service.result for service in services]
    city, year, program = results[0].city, results[0].year, version_of("coverage-planner")
    summary = Sheet(
        key="summary",
        title=phrase("sheet.summary"),
        lines=(title, *labels_of(city)),
        tables=(summary_table(list(services)),),
    )
    return Report(
        kind=kind,
        title=title,
        subtitle=subtitle(year, made, program),
        city=city,
        year=year,
        made=made,
        version=program,
        labels=labels_of(city),
        sections=(
            *before,
            Section(
                title=titled or phrase("section.services"),
                sections=tuple(service.section() for service in services),
            ),
            method_section(results, findings, made=made, version=program),
            *annexes(services),
        ),
        sheets=(
            summary,
            *sheets,
            *(service.sheet() for service in services),
            Sheet(
                key="curves",
                title=phrase("sheet.curves"),
                lines=(),
                tables=(curve_table(list(services)),),
            ),
            method_sheet(results, findings, made=made, version=program),
        ),
        layers=(*layers, *(layer for service in services for layer in service_layers(service))),
    )


def summary_section(services: Sequence[ServiceReport]) -> Section:
    """All services in one table, and in a sentence each."""
    year = services[0].result.year
    moment = entry("map.now") if year is None else entry("map.year_end", year=year)
    blocks: list[Block] = [Paragraph(words=phrase("coverage.intro", moment=moment))]
    blocks.append(summary_table(list(services)))
    for service in services:
        told = running([paragraph.words for paragraph in service.sentences()])
        words = phrase("coverage.headed", service=service.name, told=told)
        blocks.append(Paragraph(words=words, role="point"))
    return Section(title=phrase("section.summary"), blocks=tuple(blocks))


def annexes(services: Sequence[ServiceReport]) -> list[Section]:
    """Figures of the finer units, an annex a service."""
    made = []
    for service in services:
        table = service.township_table()
        if table is not None:
            title = phrase(
                "section.townships", service=service.name, level=entry(f"level.{service.fine}")
            )
            made.append(Section(title=title, blocks=(table,), annex=True))
    return made


def city_name(city: City) -> Phrase:
    """Name of the city."""
    return Phrase(city.name, city.name_en)


def labels_of(city: City) -> tuple[Phrase, ...]:
    """Warn that layers are modelled or stand in for others, which layers, by name."""
    told = []
    for label in city.labels():
        named = [entry(f"layer.{key}") for key, origin in city.origins().items() if origin[label]]
        words = phrase("subtitle.labels", layers=joined(named), labels=entry(f"label.{label}"))
        told.append(words)
    return tuple(told)


def subtitle(year: int | None, made: datetime, version: str) -> tuple[Phrase, ...]:
    """Lines below the title: city, year, date, program."""
    told = [] if year is None else [phrase("subtitle.year", year=year)]
    told.append(phrase("subtitle.made", date=f"{made:%Y-%m-%d}"))
    told.append(phrase("subtitle.program", version=version))
    return tuple(told)
