"""What a report says of a plan: indicators, states, early warnings, what is missing."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from planner.report.model import Chart, Column, Line, Paragraph, Picture, Section, Sheet, Table
from planner.report.phrase import Phrase, entry, joined, phrase, same
from planner.report.values import Figure, shown, value_of
from planner.targets import PARTS, SHARES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layers.messages import Language
    from planner.indicators import Indicator, Monitoring
    from planner.report.model import Block
    from planner.report.values import Kind, Value
    from planner.siting.siting import Siting

_KEY_ROWS = ("row", "name", "base", "value", "goal", "state")
_SPATIAL = ("name", "clause", "units", "value", "goal", "state", "seen", "needed", "predicted")
_FURTHER = ("name", "clause", "value", "goal", "state", "why")
_LEAST_YEARS = 2
_MOST_NAMED = 20
_SIGNS = {"error": "✗", "warning": "⚠", "info": "·"}


def plan_sections(told: Monitoring, *, since_base: bool = False) -> list[Section]:
    """Sections on a plan: how it goes, warnings, values by year, what is missing.

    Parameters
    ----------
    told
        The plan as it was followed.
    since_base
        Whether all years since the base year are set side by side.
    """
    sections = [
        Section(title=phrase("section.indicators"), sections=tuple(_part_sections(told))),
        Section(title=phrase("section.warnings"), blocks=tuple(_warnings(told))),
    ]
    history: list[Block] = [by_year_table(told)] if since_base else []
    history += _charts(told)
    if history:
        title = phrase("section.by_year", first=told.plan.base_year, last=told.year)
        sections.append(Section(title=title, blocks=tuple(history)))
    missing = [table for indicator in told if (table := missing_table(indicator))]
    if missing:
        sections.append(Section(title=phrase("section.missing"), blocks=tuple(missing)))
    return sections


def opening(told: Monitoring, kind: str) -> list[Block]:
    """Say at the beginning which plan, which year, how many targets are in which state."""
    counts = told.states()
    named = [
        phrase("plan.count", state=_state(state), count=count) for state, count in counts.items()
    ]
    blocks: list[Block] = [
        Paragraph(
            words=phrase(
                f"plan.opening_{kind.replace('-', '_')}",
                plan=Phrase(told.plan.title("zh"), told.plan.title("en")),
                year=told.year,
                count=len(told),
                states=joined(named),
            )
        )
    ]
    due = told.plan.reviews.get(kind.replace("-", "_"))
    if due is not None and due != told.year:
        words = phrase("plan.other_year", due=due, year=told.year)
        blocks.append(Paragraph(words=words, role="warning"))
    return blocks


def notable(told: Monitoring) -> list[Block]:
    """Say in a sentence each how the indicators stand that are judged."""
    blocks: list[Block] = []
    for one in told:
        if one.state == "not_measurable":
            continue
        value = figure(one, one.value)
        assert isinstance(value, Figure)
        words = phrase(
            "plan.standing",
            name=_name(one),
            value=value.words,
            goal=goal_words(one),
            state=_state(one.state),
        )
        grave = one.state in {"off_course", "at_risk"}
        blocks.append(Paragraph(words=words, role="warning" if grave else "body"))
    return blocks


def indicator_table(told: Monitoring, part: str | None, names: Iterable[str] = ()) -> Table | None:
    """Tabulate the indicators of a part of the plan.

    Parameters
    ----------
    told
        The plan as it was followed.
    part
        The part, or None for all.
    names
        Columns to show; all when none are named.
    """
    own = [one for one in told if part is None or one.target.part == part]
    if not own:
        return None
    columns = _columns(told)
    rows = [_row(one, told) for one in own]
    whole = Table(
        key="indicators" if part is None else f"indicators.{part}",
        caption=phrase("caption.indicators", part=_part(part), year=told.year),
        columns=tuple(columns.values()),
        rows=tuple(tuple(row[key] for key in columns) for row in rows),
    )
    if not names:
        return whole
    # Once the plan is over nothing is needed or predicted any more.
    told_of = {
        "needed": any(one.judgement.needed is not None for one in own),
        "predicted": any(one.judgement.prediction is not None for one in own),
    }
    names = [name for name in names if told_of.get(name, True)]
    notes = (phrase("note.predicted", level=f"{told.plan.confidence:.0%}"),)
    return whole.picked(
        whole.key,
        whole.caption,
        columns=names,
        rows=range(len(rows)),
        notes=notes if "predicted" in names else (),
    )


def by_year_table(told: Monitoring) -> Table:
    """Values of every indicator that has any, a column a year."""
    years = [year for year in told.plan.years if year <= told.year]
    own = [one for one in told if one.judgement.series]
    columns = [Column(key="name", head=phrase("column.indicator"), kind="words", share=4)]
    columns += [
        Column(key=str(year), head=same(str(year)), kind="figure", share=1.2) for year in years
    ]
    rows: list[tuple[Value, ...]] = []
    for one in own:
        series = one.judgement.series
        rows.append((_name(one), *(figure(one, series.get(year)) for year in years)))
    return Table(
        key="by_year",
        caption=phrase("caption.by_year"),
        columns=tuple(columns),
        rows=tuple(rows),
    )


def missing_table(indicator: Indicator) -> Table | None:
    """Units that are short of a quota, or None where there are none."""
    target, goal = indicator.target, indicator.goal
    if target.kind != "quota" or goal is None:
        return None
    short = indicator.missing()
    short = short[short["missing"].fillna(0) > 0]
    if short.empty:
        return None
    within = _within(indicator)
    # Districts lie in nothing but the city.
    inner = int(short["code"].isin(list(within)).any())
    columns = (
        *((Column(key="within", head=phrase("column.within"), kind="words", share=2),) * inner),
        Column(key="name", head=phrase("column.name"), kind="words", share=2),
        Column(key="facilities", head=phrase("column.facilities"), kind="count"),
        Column(key="quota", head=phrase("column.quota"), kind="count"),
        Column(key="missing", head=phrase("column.missing"), kind="count"),
        Column(key="planned", head=phrase("column.planned"), kind="count"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            *((within.get(row["code"]),) * inner),
            Phrase(row["name"], row["name_en"]),
            *(value_of(row[name]) for name in ("facilities", "quota", "missing", "planned")),
        )
        for _, row in short.iterrows()
    ]
    rows.append(
        (
            phrase("plan.sum"),
            *((None,) * inner),
            *(
                int(short[name].fillna(0).sum())
                for name in ("facilities", "quota", "missing", "planned")
            ),
        )
    )
    return Table(
        key=f"missing.{target.key}",
        caption=phrase("caption.missing", name=_name(indicator), goal=goal_words(indicator)),
        columns=columns,
        rows=tuple(rows),
        totals=frozenset({len(rows) - 1}),
    )


def _within(indicator: Indicator) -> dict[str, Phrase]:
    """Name of the unit above each unit."""
    units = indicator.measures.city.units.set_index("code")
    above = units[units["level"] != "city"]
    names = {code: Phrase(row["name"], row["name_en"]) for code, row in above.iterrows()}
    parents = units["parent"].to_dict()
    return {code: names[parent] for code, parent in parents.items() if parent in names}


def advice(told: Monitoring, proposals: Mapping[str, Siting]) -> Section:
    """Say what to do for each target that is missed or at risk, and where.

    Parameters
    ----------
    told
        The plan as it was followed.
    proposals
        Where the facilities may go that a target lacks, by its key.
    """
    blocks: list[Block] = []
    for one in told:
        if one.state not in {"off_course", "at_risk"}:
            continue
        made = proposals.get(one.target.key)
        words = phrase(
            "plan.advice",
            name=_name(one),
            state=_state(one.state),
            goal=goal_words(one),
            need=_need(one),
        )
        blocks.append(Paragraph(words=words, role="point"))
        if made is not None and made.found:
            blocks.append(_proposal_table(one, made))
    if not blocks:
        blocks.append(Paragraph(words=phrase("plan.no_advice")))
    return Section(title=phrase("section.advice"), blocks=tuple(blocks))


def plan_sheets(told: Monitoring) -> list[Sheet]:
    """Sheets of the indicators, of their values by year, and of warnings."""
    table = indicator_table(told, None)
    assert table is not None
    source = Phrase(told.plan.source, told.plan.source_en or told.plan.source)
    lines = (
        Phrase(told.plan.title("zh"), told.plan.title("en")),
        *((source,) if told.plan.source else ()),
    )
    sheets = [
        Sheet(key="indicators", title=phrase("sheet.indicators"), lines=lines, tables=(table,)),
        Sheet(
            key="by_year", title=phrase("sheet.by_year"), lines=(), tables=(by_year_table(told),)
        ),
    ]
    further = [warning_table(told)] if told.alerts() else []
    further += [made for one in told if (made := missing_table(one))]
    if further:
        sheets.append(
            Sheet(key="warnings", title=phrase("sheet.warnings"), lines=(), tables=tuple(further))
        )
    return sheets


def warning_table(told: Monitoring) -> Table:
    """Early warnings, gravest first."""
    columns = (
        Column(key="severity", head=phrase("column.severity"), kind="words", share=1),
        Column(key="name", head=phrase("column.indicator"), kind="words", share=2.6),
        Column(key="message", head=phrase("column.warning"), kind="words", share=8),
    )
    rows: list[tuple[Value, ...]] = []
    for one, alert in told.alerts():
        severity = entry(f"severity.{alert.severity}")
        sign = _SIGNS[alert.severity]
        rows.append(
            (
                Phrase(f"{sign} {severity.zh}", f"{sign} {severity.en}"),
                _name(one),
                Phrase(alert.message("zh"), alert.message("en")),
            )
        )
    return Table(
        key="warnings",
        caption=phrase("caption.warnings", year=told.year),
        columns=columns,
        rows=tuple(rows),
    )


def figure(indicator: Indicator, value: float | None, *, signed: bool = False) -> Value:
    """Turn a value of an indicator into a figure with its unit."""
    if value is None or isnan(value):
        return None
    target = indicator.target
    words = Phrase(
        target.figure(value, "zh", signed=signed), target.figure(value, "en", signed=signed)
    )
    share = target.kind in SHARES
    kind: Kind = "rate" if share and not signed else "number"
    return Figure(float(value), words, kind)


def goal_words(indicator: Indicator) -> Phrase:
    """Goal judged, with its year; a target in words as it is."""
    target, goal = indicator.target, indicator.goal
    if goal is None:
        return Phrase(target.wording("zh"), target.wording("en"))
    if goal.quota is not None:
        level = entry(f"level.{target.level}")
        told = entry("monitor.quota", level=level, quota=goal.quota)
    else:
        sign = "≥" if target.direction == "at_least" else "≤"

        def limit(lang: Language) -> str:
            return f"{sign}{target.figure(goal.value, lang)}" if goal else ""

        told = Phrase(limit("zh"), limit("en"))
    return phrase("plan.goal", goal=told, year=goal.year)


def _part_sections(told: Monitoring) -> list[Section]:
    sections = []
    for part in PARTS:
        names = {"mission": _SPATIAL, "key": _KEY_ROWS}.get(part, _FURTHER)
        table = indicator_table(told, part, names)
        if table is not None:
            blocks: list[Block] = [table]
            if part == "key":
                blocks.append(Paragraph(words=phrase("plan.key_entered", base=told.plan.base_year)))
            sections.append(Section(title=_part(part), blocks=tuple(blocks)))
    return sections


def _warnings(told: Monitoring) -> list[Block]:
    if not told.alerts():
        return [Paragraph(words=phrase("plan.no_warnings"))]
    return [
        Paragraph(words=phrase("plan.warnings_method", level=f"{told.plan.confidence:.0%}")),
        warning_table(told),
    ]


def _charts(told: Monitoring) -> list[Picture]:
    """Draw a chart for each indicator of the mission that has values of several years."""
    made = []
    for one in told:
        series = one.judgement.series
        if one.target.part != "mission" or len(series) < _LEAST_YEARS:
            continue
        made.append(
            Picture(
                key=f"trend.{one.target.key}",
                caption=phrase("caption.trend", name=_name(one), goal=goal_words(one)),
                content=_chart(one, told),
            )
        )
    return made


def _chart(one: Indicator, told: Monitoring) -> Chart:
    series, goal = one.judgement.series, one.goal
    years = sorted(series)
    lines = [
        Line(
            label=phrase("chart.seen"),
            x=tuple(float(year) for year in years),
            y=tuple(float(series[year]) for year in years),
        )
    ]
    prediction = one.judgement.prediction
    if prediction is not None and years:
        last = years[-1]
        ends = (float(last), float(prediction.year))
        start = float(series[last])
        low = () if prediction.low is None else (start, float(prediction.low))
        high = () if prediction.high is None else (start, float(prediction.high))
        level = f"{prediction.level:.0%}"
        key = "chart.expected" if low else "chart.expected_alone"
        lines.append(
            Line(
                label=phrase(key, level=level),
                x=ends,
                y=(start, float(prediction.value)),
                style="expected",
                low=low,
                high=high,
            )
        )
    if goal is not None:
        span = (float(told.plan.base_year), float(max(goal.year, told.year)))
        lines.append(
            Line(
                label=phrase("chart.target", goal=goal_words(one)),
                x=span,
                y=(float(goal.value), float(goal.value)),
                style="target",
            )
        )
    share = one.target.kind in SHARES
    unit = Phrase(one.target.measured_in("zh"), one.target.measured_in("en"))
    return Chart(
        x_label=phrase("chart.year"),
        y_label=phrase("chart.share_done") if share else unit if unit.zh else phrase("chart.value"),
        x_kind="year",
        y_kind="rate" if share else "number",
        lines=tuple(lines),
    )


def _need(one: Indicator) -> Phrase:
    """Say how much is lacking, in which units."""
    table = one.by(one.target.level)
    short = table[table["missing"].fillna(0) > 0]
    missing = int(short["missing"].sum())
    if not missing:
        return phrase("plan.need_trend", needed=_signed(one))
    if one.target.kind != "quota":
        return phrase("plan.need_count", missing=missing)
    named = [Phrase(row["name"], row["name_en"]) for _, row in short.head(_MOST_NAMED).iterrows()]
    key = "plan.need_units" if len(short) <= _MOST_NAMED else "plan.need_many"
    return phrase(key, missing=missing, units=len(short), named=joined(named))


def _signed(one: Indicator) -> Phrase:
    needed = figure(one, one.judgement.needed, signed=True)
    return needed.words if isinstance(needed, Figure) else phrase("none")


def _proposal_table(one: Indicator, made: Siting) -> Table:
    before, after = made.before.total()["rate"], made.after.total()["rate"]
    columns = (
        Column(key="order", head=phrase("column.order"), kind="count", share=0.7),
        Column(key="unit", head=phrase("column.name"), kind="words", share=2),
        Column(key="id", head=phrase("column.site"), kind="words", share=2.2),
        Column(key="lon", head=phrase("column.lon"), kind="degrees", share=1.5),
        Column(key="lat", head=phrase("column.lat"), kind="degrees", share=1.5),
        Column(key="people", head=phrase("column.people_new"), kind="people", share=1.6),
    )
    rows: list[tuple[Value, ...]] = [
        (
            int(row["order"]),
            Phrase(str(row["unit"] or ""), str(row["unit_en"] or "")),
            same(str(row["name"] or row["id"])),
            float(row["lon"]),
            float(row["lat"]),
            float(row["people_new"]),
        )
        for _, row in made.sites.iterrows()
    ]
    return Table(
        key=f"proposal.{one.target.key}",
        caption=phrase(
            "caption.proposal",
            name=_name(one),
            count=len(rows),
            before=_rate(before),
            after=_rate(after),
        ),
        columns=columns,
        rows=tuple(rows),
        notes=tuple(
            Phrase(zh, en) for zh, en in zip(made.words("zh"), made.words("en"), strict=True)
        ),
    )


def _rate(value: Any) -> Phrase:
    return same(shown(float(value), "rate", "zh"))


def _columns(told: Monitoring) -> dict[str, Column]:
    plan = told.plan
    made = [
        Column(key="row", head=phrase("column.row"), kind="count", share=0.7),
        Column(key="name", head=phrase("column.indicator"), kind="words", share=3.4),
        Column(key="clause", head=phrase("column.clause"), kind="words", share=1.6),
        Column(
            key="base", head=phrase("column.in_year", year=plan.base_year), kind="figure", share=1.3
        ),
        Column(key="units", head=phrase("column.units_met"), kind="words", share=1.1),
        Column(
            key="value", head=phrase("column.in_year", year=told.year), kind="figure", share=1.3
        ),
        Column(key="goal", head=phrase("column.goal"), kind="words", share=2.6),
        Column(key="state", head=phrase("column.state"), kind="words", share=2.1),
        Column(key="seen", head=phrase("column.seen"), kind="figure", share=1.3),
        Column(key="needed", head=phrase("column.needed"), kind="figure", share=1.3),
        Column(key="predicted", head=phrase("column.predicted"), kind="words", share=1.9),
        Column(key="why", head=phrase("column.why"), kind="words", share=2.4),
    ]
    return {column.key: column for column in made}


def _row(one: Indicator, told: Monitoring) -> dict[str, Value]:
    target, judgement = one.target, one.judgement
    series = judgement.series
    base = target.base if target.base is not None else series.get(told.plan.base_year)
    units: Value = None
    if target.kind == "quota" and judgement.value is not None:
        city = one.by("city").iloc[0]
        units = same(f"{city['units_met']:.0f}/{city['units']:.0f}")
    return {
        "row": target.row,
        "name": _name(one),
        "clause": same(target.clause) if target.clause else None,
        "base": figure(one, base),
        "units": units,
        "value": figure(one, judgement.value),
        "goal": goal_words(one),
        "state": _state(one.state),
        "seen": figure(one, judgement.seen, signed=True),
        "needed": figure(one, judgement.needed, signed=True),
        "predicted": _predicted(one),
        "why": Phrase(judgement.why("zh"), judgement.why("en")),
    }


def _predicted(one: Indicator) -> Value:
    prediction, target = one.judgement.prediction, one.target
    if prediction is None:
        return None

    def said(lang: Language) -> str:
        value = target.figure(prediction.value, lang)
        if prediction.low is None:
            return value
        low, high = target.figure(prediction.low, lang), target.figure(prediction.high, lang)
        return f"{value} [{low}–{high}]"

    return Phrase(said("zh"), said("en"))


def _name(one: Indicator) -> Phrase:
    return Phrase(one.target.title("zh"), one.target.title("en"))


def _state(state: str) -> Phrase:
    told = entry(f"monitor.state.{state}")
    sign = {"met": "✓", "on_course": "→", "at_risk": "⚠", "off_course": "✗"}.get(state, "–")
    return Phrase(f"{sign} {told.zh}", f"{sign} {told.en}")


def _part(part: str | None) -> Phrase:
    return phrase("plan.all") if part is None else entry(f"monitor.part.{part}")
