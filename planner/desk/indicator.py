"""One indicator as the desk shows it: its course, its warnings, its units year by year."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner.maps.words import said

if TYPE_CHECKING:
    from layers.messages import Language
    from layers.units import Level
    from planner.indicators import Indicator
    from planner.plan import Plan
    from planner.targets import Target

SIGNS = {"met": "✓", "on_course": "↗", "at_risk": "!", "off_course": "✗", "not_measurable": "–"}
"""A sign a state, which stands beside its word: colour alone says nothing in print."""

_WIDE, _HIGH = 420, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 12, 22
_TICKS = 4


def detail(indicator: Indicator, plan: Plan, lang: Language) -> str:
    """Title, state, course, warnings and remarks, as HTML.

    Parameters
    ----------
    indicator
        The indicator.
    plan
        The plan that it is of.
    lang
        Language.
    """
    target, judgement = indicator.target, indicator.judgement
    facts = [
        ("value", target.figure(judgement.value, lang)),
        ("goal", goal_words(indicator, lang)),
        ("seen", target.figure(judgement.seen, lang, signed=True)),
        ("needed", target.figure(judgement.needed, lang, signed=True)),
        ("predicted", _predicted(indicator, plan, lang)),
        ("why", judgement.why(lang)),
    ]
    told = "".join(
        f'<dt>{said(f"monitor.column.{key}", lang)}</dt><dd data-fact="{key}">{escape(words)}</dd>'
        for key, words in facts
        if words not in {"", "–"}
    )
    warned = "".join(
        f'<li class="{alert.severity}">{escape(alert.message(lang))}</li>'
        for alert in indicator.alerts
    )
    remark = f'<p class="remark">{escape(target.remark(lang))}</p>' if target.remark(lang) else ""
    return (
        f'<h2>{escape(target.title(lang))}</h2><p class="clause">{escape(target.clause)}</p>'
        f'<p class="state {indicator.state}" data-state="{indicator.state}">'
        f"{SIGNS[indicator.state]} {escape(judgement.words(lang))}</p>"
        f"{chart(indicator, plan, lang)}<dl>{told}</dl>"
        + (f'<ul class="alerts">{warned}</ul>' if warned else "")
        + remark
    )


def goal_words(indicator: Indicator, lang: Language) -> str:
    """Goal judged: what, and by when; a target in words as it is."""
    if indicator.goal is None:
        return indicator.target.wording(lang)
    return f"{indicator.target.goal_words(indicator.goal, lang)} ({indicator.goal.year})"


def chart(indicator: Indicator, plan: Plan, lang: Language) -> str:
    """Values by year, goals, and what is to be expected with its interval, as SVG.

    Empty where there is no value at all.
    """
    target, judgement = indicator.target, indicator.judgement
    series = {year: value for year, value in judgement.series.items() if pd.notna(value)}
    if not series:
        return ""
    prediction = judgement.prediction
    goals = [(goal.year, goal.value) for goal in target.goals if goal.quota is None]
    if judgement.goal is not None and judgement.goal.quota is not None:
        goals = [(judgement.goal.year, judgement.goal.value)]
    values = [*series.values(), *(value for _, value in goals)]
    if prediction is not None:
        values += [v for v in (prediction.value, prediction.low, prediction.high) if v is not None]
    share = target.bounds[1] == 1.0
    ticks = [step / _TICKS for step in range(_TICKS + 1)] if share else _ticks(values)
    low, high = ticks[0], ticks[-1]
    years = plan.years
    first, last = min([*series, *years]), max([*series, *years])

    def x(year: float) -> float:
        return float(_LEFT + (year - first) / max(last - first, 1) * (_WIDE - _LEFT - _RIGHT))

    def y(value: float) -> float:
        share = (value - low) / (high - low)
        return float(_HIGH - _BOTTOM - share * (_HIGH - _TOP - _BOTTOM))

    parts = [
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{y(v) + 3.5:.1f}" text-anchor="end">'
        f"{escape(_short(target.figure(v, lang)))}</text>"
        for v in ticks
    ]
    parts += [
        f'<text class="tick" x="{x(year):.1f}" y="{_HIGH - 6}" text-anchor="middle">{year}</text>'
        for year in range(first, last + 1)
    ]
    if prediction is not None and judgement.goal is not None:
        parts.append(_expected(prediction, max(series), series[max(series)], x, y))
    for year, value in goals:
        parts.append(
            f'<path class="goal" d="M{x(year) - 7:.1f} {y(value):.1f}h14"><title>'
            f"{escape(f'{year}: {target.figure(value, lang)}')}</title></path>"
        )
    line = " ".join(f"{x(year):.1f},{y(value):.1f}" for year, value in sorted(series.items()))
    parts.append(f'<polyline class="course" points="{line}"/>')
    parts += [
        f'<circle class="dot" cx="{x(year):.1f}" cy="{y(value):.1f}" r="3.5"><title>'
        f"{escape(f'{year}: {target.figure(value, lang)}')}</title></circle>"
        for year, value in series.items()
    ]
    spoken = "; ".join(f"{year}: {target.figure(v, lang)}" for year, v in sorted(series.items()))
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(spoken)}">'
        + "".join(parts)
        + f'</svg><p class="key"><span class="k-course">●</span> {said("plan.course", lang)}'
        f' <span class="k-goal">━</span> {said("plan.goal", lang)}'
        + (
            f' <span class="k-expected">◆</span> {said("plan.expected", lang)}'
            if prediction is not None
            else ""
        )
        + "</p>"
    )


def years_by_unit(indicator: Indicator, plan: Plan, level: Level, lang: Language) -> str:
    """Units × years, as an HTML table; a sign says whether the goal due by then is met.

    Parameters
    ----------
    indicator, plan, lang
        As `detail` takes them.
    level
        Level of the units; a level that the target says nothing of gives an empty text.
    """
    target, goal = indicator.target, indicator.goal
    years = range(plan.base_year, indicator.year + 1)
    if target.kind != "quota" and indicator.value is None:
        return ""
    tables = {
        year: indicator.measures.by(target, year, level, target.due(year) or goal) for year in years
    }
    tables[indicator.year] = indicator.by(level)
    now = tables[indicator.year]
    if now.empty or now["value"].isna().all():
        return ""
    names = now["name_en"] if lang == "en" else now["name"]
    head = "".join(f"<th>{year}</th>" for year in years)
    body = ""
    for row in range(len(now)):
        cells = "".join(
            _cell(target, tables[year].iloc[row], lang, due=target.due(year) is not None)
            for year in years
        )
        lacking = now["missing"].iloc[row]
        short = "" if pd.isna(lacking) or not lacking else f"{lacking:,.0f}"
        code = escape(str(now["code"].iloc[row]))
        body += (
            f'<tr data-code="{code}"><th scope="row" title="{code}">{escape(names.iloc[row])}</th>'
            f'{cells}<td class="short">{short}</td></tr>'
        )
    return (
        f'<table class="years"><thead><tr><th>{said(f"level.{level}", lang)}</th>{head}'
        f"<th>{said('monitor.column.missing', lang)}</th></tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(target: Target, row: Any, lang: Language, *, due: bool) -> str:
    value, met = row["value"], row["met"]
    if pd.isna(value):
        return "<td>–</td>"
    words = target.figure(float(value), lang)
    if pd.notna(row["quota"]):
        words = f"{row['facilities']:,.0f}/{row['quota']:,.0f}"
    if pd.isna(met) or not due:
        return f"<td>{escape(words)}</td>"
    kind, sign = ("yes", "✓") if met else ("no", "✗")
    return f'<td class="{kind}">{escape(words)} <b>{sign}</b></td>'


def _expected(prediction: Any, since: int, value: float, x: Any, y: Any) -> str:
    at, middle = x(prediction.year), y(prediction.value)
    made = f'<path class="way" d="M{x(since):.1f} {y(value):.1f}L{at:.1f} {middle:.1f}"/>'
    if prediction.low is not None:
        low, high = y(prediction.low), y(prediction.high)
        made += f'<path class="interval" d="M{at:.1f} {low:.1f}V{high:.1f}"/>'
    diamond = f"M{at:.1f} {middle - 5:.1f}l5 5l-5 5l-5 -5z"
    return f'{made}<path class="expected" d="{diamond}"/>'


def _predicted(indicator: Indicator, plan: Plan, lang: Language) -> str:
    prediction, target = indicator.judgement.prediction, indicator.target
    if prediction is None:
        return ""
    value = f"{prediction.year}: {target.figure(prediction.value, lang)}"
    if prediction.low is None:
        return value
    between = f"{target.figure(prediction.low, lang)}–{target.figure(prediction.high, lang)}"
    return f"{value} [{between}, {plan.confidence:.0%}]"


def _ticks(values: list[float]) -> list[float]:
    """Round numbers from below the least value to above the greatest; from 0 if that is near."""
    low, high = min(values), max(values)
    if 0 < low < high - low:
        low = 0.0
    rough = (high - low or abs(high) or 1.0) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * round_ for round_ in (1, 2, 2.5, 5, 10) if power * round_ >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def _short(words: str) -> str:
    """Leave out what follows a number, which an axis has no room for."""
    return words.removesuffix(".0%") + "%" if words.endswith(".0%") else words.partition(" ")[0]


STYLE = """
:host { font: 13px/1.5 var(--font); color: var(--ink); }
h2 { font-size: 15px; line-height: 1.35; margin: 0 0 2px; }
.clause, .remark, .key { color: var(--soft); font-size: 12px; margin: 0 0 6px; }
.state { font-weight: 600; margin: 0 0 6px; }
.state.met, .state.on_course { color: var(--good); }
.state.off_course, .state.at_risk { color: var(--bad); }
svg { width: 100%; height: auto; display: block; }
@media (max-width: 900px) { svg { max-width: 460px; } }
.grid { stroke: var(--rule); } .tick { fill: var(--soft); font-size: 11px; }
.course { fill: none; stroke: var(--main); stroke-width: 2; } .dot { fill: var(--main); }
.goal { stroke: var(--ink); stroke-width: 3; } .k-course { color: var(--main); }
.way { stroke: var(--soft); stroke-dasharray: 4 3; fill: none; }
.interval { stroke: var(--gap); stroke-width: 6; opacity: .35; fill: none; }
.expected { fill: var(--gap); } .k-expected { color: var(--gap); } .k-goal { font-weight: 700; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 6px 0; }
dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; }
.alerts { margin: 8px 0; padding: 0; list-style: none; }
.alerts li { padding: 5px 9px; margin: 0 0 4px; border-left: 3px solid var(--warn-rule);
  background: var(--warn-back); color: var(--warn-ink); }
.alerts li.error { border-color: var(--bad-rule); background: var(--bad-back); color: var(--bad); }
table.years { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  font-size: 12px; }
.years th, .years td { padding: 3px 5px; text-align: right; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }
.years th:first-child { text-align: left; font-weight: 500; max-width: 130px; overflow: hidden;
  text-overflow: ellipsis; }
.years thead th { font-weight: 600; border-color: var(--rule-strong); position: sticky; top: 0;
  background: var(--paper); }
.years .yes b { color: var(--good); } .years .no { color: var(--bad); }
.years .short { font-weight: 600; color: var(--bad); }
"""
