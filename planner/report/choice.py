"""What a report says of a siting: the places chosen, how good they are, what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from planner.report.model import (
    Column,
    Layer,
    Map,
    Paragraph,
    Picture,
    Section,
    Sheet,
    Table,
)
from planner.report.phrase import Phrase, entry, joined, phrase, same
from planner.report.values import value_of

if TYPE_CHECKING:
    from layers.units import Level
    from planner.report.model import Block
    from planner.report.values import Value
    from planner.siting.siting import Siting


def choice_sections(made: Siting) -> list[Section]:
    """Sections on a siting: the question and its answer, places, units before and after.

    Parameters
    ----------
    made
        The siting; it may have found nothing, and then the report says why.
    """
    answer: list[Block] = [Paragraph(words=question(made))]
    told = zip(made.words("zh"), made.words("en"), strict=True)
    role: Any = "body" if made.found else "warning"
    answer += [Paragraph(words=Phrase(zh, en), role=role) for zh, en in told]
    sections = [Section(title=phrase("section.answer"), blocks=tuple(answer))]
    if not made.found:
        return sections
    level = coarse(made)
    sections.append(
        Section(title=phrase("section.sites"), blocks=(sites_table(made), _map(made, level)))
    )
    blocks: list[Block] = [before_after_table(made, level)]
    if made.problem.phases:
        blocks.append(_years_table(made))
    blocks.append(_left_table(made, level))
    sections.append(Section(title=phrase("section.effect"), blocks=tuple(blocks)))
    return sections


def question(made: Siting) -> Phrase:
    """Say what was asked: service, model, standard, how many, among which candidates."""
    problem, setting = made.problem, made.setting
    service = Phrase(setting.service.name, setting.service.name_en)
    standard = Phrase(setting.standard.words("zh"), setting.standard.words("en"))
    limits = []
    if problem.p is not None:
        key = "choice.exactly" if problem.exactly else "choice.at_most"
        limits.append(phrase(key, count=problem.p))
    if problem.budget is not None:
        limits.append(phrase("choice.budget", budget=f"{problem.budget:,.6g}"))
    return phrase(
        "choice.question",
        service=service,
        standard=standard,
        group=entry(f"group.{problem.group or setting.standard.group}"),
        model=problem.model,
        limits=joined(limits) if limits else phrase("none"),
        candidates=f"{setting.candidates:,}",
    )


def sites_table(made: Siting) -> Table:
    """Tabulate the places in the order in which they open."""
    columns = [
        Column(key="order", head=phrase("column.order"), kind="count", share=0.7),
        Column(key="unit", head=phrase("column.name"), kind="words", share=1.6),
        Column(key="site", head=phrase("column.site"), kind="words", share=2.2),
        Column(key="lon", head=phrase("column.lon"), kind="degrees", share=1.5),
        Column(key="lat", head=phrase("column.lat"), kind="degrees", share=1.5),
        Column(key="people_new", head=phrase("column.people_new"), kind="people", share=1.5),
        Column(key="nearest", head=phrase("column.people_nearest"), kind="people", share=1.5),
        Column(key="rate", head=phrase("column.rate_then"), kind="rate", share=1.3),
    ]
    if made.problem.phases:
        columns.insert(1, Column(key="phase", head=phrase("column.phase"), kind="year"))
    rows: list[tuple[Value, ...]] = []
    for _, row in made.sites.iterrows():
        told = {
            "order": int(row["order"]),
            "phase": value_of(row["phase"]),
            "unit": Phrase(_words(row["unit"]), _words(row["unit_en"])),
            "site": same(_words(row["name"]) or str(row["id"])),
            "lon": float(row["lon"]),
            "lat": float(row["lat"]),
            "people_new": value_of(row["people_new"]),
            "nearest": value_of(row["people_nearest"]),
            "rate": value_of(row["rate"]),
        }
        rows.append(tuple(told[column.key] for column in columns))
    return Table(
        key="sites",
        caption=phrase("caption.sites", count=len(rows)),
        columns=tuple(columns),
        rows=tuple(rows),
    )


def before_after_table(made: Siting, level: Level) -> Table:
    """Set rates of units before and after side by side, the city last."""
    columns = (
        Column(key="name", head=phrase("column.name"), kind="words", share=1.8),
        Column(key="people", head=phrase("column.group_people"), kind="people", share=1.4),
        Column(key="sites", head=phrase("column.sites_new"), kind="count", share=0.9),
        Column(key="rate_before", head=phrase("column.rate_before"), kind="rate", share=1.2),
        Column(key="rate_after", head=phrase("column.rate_after"), kind="rate", share=1.2),
        Column(key="rate_more", head=phrase("column.difference"), kind="points", share=1.2),
        Column(key="served_more", head=phrase("column.people_new"), kind="people", share=1.4),
    )
    names = [column.key for column in columns[1:]]
    rows: list[tuple[Value, ...]] = []
    for each in (level, "city") if level != "city" else ("city",):
        frame = made.by(each)
        frame = frame.assign(rate_more=100 * frame["rate_more"])
        if each == "city":
            frame = frame.head(1).assign(sites=len(made.sites))
        rows += [
            (Phrase(row["name"], row["name_en"]), *(value_of(row[name]) for name in names))
            for _, row in frame.iterrows()
        ]
    return Table(
        key="before_after",
        caption=phrase("caption.before_after", level=entry(f"level.{level}")),
        columns=columns,
        rows=tuple(rows),
        totals=frozenset({len(rows) - 1}),
    )


def choice_sheets(made: Siting) -> list[Sheet]:
    """Sheets of the places and of the units before and after."""
    if not made.found:
        return []
    level = coarse(made)
    return [
        Sheet(
            key="sites",
            title=phrase("sheet.sites"),
            lines=(question(made),),
            tables=(sites_table(made),),
        ),
        Sheet(
            key="effect",
            title=phrase("sheet.effect"),
            lines=(),
            tables=(before_after_table(made, level), _left_table(made, level)),
        ),
    ]


def choice_layers(made: Siting) -> list[Layer]:
    """Layer of the places chosen."""
    if not made.found or made.sites.empty:
        return []
    names = ("order", "id", "name", "unit", "unit_en", "people_new", "people_nearest", "cost")
    told = {name: made.sites[name].tolist() for name in names}
    for name in ("order", "people_new", "people_nearest", "cost"):
        told[name] = pd.to_numeric(made.sites[name]).tolist()
    frame = gpd.GeoDataFrame(told, geometry=made.sites.geometry.array, crs=made.sites.crs)
    return [
        Layer(
            name=f"{made.setting.service.key}_sites",
            title=phrase(
                "layer.sites",
                service=Phrase(made.setting.service.name, made.setting.service.name_en),
            ),
            frame=frame,
            aliases={name: phrase(f"alias.site_{name}") for name in names},
            style="sites",
        )
    ]


def coarse(made: Siting) -> Level:
    """Level of the units compared: the first below the city."""
    return next((level for level in made.after.levels if level != "city"), "city")


def _map(made: Siting, level: Level) -> Picture:
    standard = made.setting.standard
    return Picture(
        key="sites.map",
        caption=phrase(
            "caption.map_sites",
            level=entry(f"level.{level}"),
            standard=Phrase(standard.words("zh"), standard.words("en")),
        ),
        content=Map(result=made.after, level=level, show="rates", sites=made.sites),
    )


def _years_table(made: Siting) -> Table:
    kinds = (
        ("year", "year"),
        ("sites", "count"),
        ("cost", "number"),
        ("people_new", "people"),
        ("served", "people"),
        ("rate", "rate"),
    )
    heads = {"year": "phase", "sites": "sites_new", "cost": "cost"}
    columns = tuple(
        Column(key=key, head=phrase(f"column.{heads.get(key, key)}"), kind=kind)  # type: ignore[arg-type]
        for key, kind in kinds
    )
    rows = tuple(tuple(value_of(row[key]) for key, _ in kinds) for _, row in made.years.iterrows())
    return Table(key="years", caption=phrase("caption.years"), columns=columns, rows=rows)


def _left_table(made: Siting, level: Level) -> Table:
    """Whom a candidate that was not chosen could reach, and whom none could."""
    names = ("people", "served", "reachable", "beyond")
    columns = (
        Column(key="name", head=phrase("column.name"), kind="words", share=1.8),
        Column(key="people", head=phrase("column.group_people"), kind="people"),
        Column(key="served", head=phrase("column.served"), kind="people"),
        Column(key="reachable", head=phrase("column.reachable"), kind="people"),
        Column(key="beyond", head=phrase("column.beyond"), kind="people"),
    )
    rows: list[tuple[Value, ...]] = [
        (Phrase(row["name"], row["name_en"]), *(value_of(row[name]) for name in names))
        for _, row in made.unreached(level).iterrows()
    ]
    return Table(
        key="left",
        caption=phrase("caption.left", level=entry(f"level.{level}")),
        columns=columns,
        rows=tuple(rows),
        notes=(phrase("note.left"),),
    )


def _words(found: Any) -> str:
    return "" if found is None or pd.isna(found) else str(found)
