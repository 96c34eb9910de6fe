"""Key figures of a coverage, as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from layers.messages import text
from planner import wording
from planner.maps import words
from planner.maps.words import said

if TYPE_CHECKING:
    from layers.messages import Language
    from planner.desk.study import Answer


def key_figures(
    answer: Answer, lang: Language, *, versus: Answer | None = None, name: str = ""
) -> str:
    """Rate, people, gap, distance, facilities, what was left out, and the standard.

    Parameters
    ----------
    answer
        What to show.
    lang
        Language.
    versus
        What it is compared with, and `name` that it is called.
    """
    total, standard = answer.total, answer.standard
    result = answer.measured.result
    served = said(
        "desk.served_of",
        lang,
        served=wording.people(total["served"]),
        people=wording.people(total["people"]),
    )
    timed = standard.unit == "min"
    rows = [
        ("gap", said("desk.gap", lang), _people(total["gap"], lang)),
        (
            "median",
            said("desk.median_time" if timed else "desk.median", lang),
            escape(words.distance(float(total["median"]), standard.unit, lang)),
        ),
        ("facilities", said("desk.facilities", lang), _facilities(total, lang)),
        ("unplaced", said("desk.unplaced", lang), _unplaced(answer, lang)),
    ]
    told = "".join(
        f'<dt>{label}</dt><dd data-figure="{key}">{value}</dd>' for key, label, value in rows
    )
    band = result.doubt.words(result.position_m, standard.unit, lang)
    return (
        f'<div class="rate"><b data-figure="rate">{wording.rate(total["rate"])}</b>'
        f'<span title="{escape(band)}">{said("desk.rate", lang)} {_band(total)}'
        f'<br><i data-figure="served">{served}</i>'
        f"{_change(answer, versus, name, lang)}</span></div>"
        f"<dl>{told}</dl>{_standard(answer, lang)}"
    )


def _change(answer: Answer, versus: Answer | None, name: str, lang: Language) -> str:
    """Say by how much the rate differs from that of what it is compared with."""
    if versus is None or pd.isna(answer.total["rate"]) or pd.isna(versus.total["rate"]):
        return ""
    change = float(answer.total["rate"] - versus.total["rate"]) * 100
    sign = "▲" if change > 0 else "▼" if change < 0 else "＝"
    kind = "met" if change > 0 else "missed" if change < 0 else ""
    told = said("desk.points", lang, change=change)
    against = said("desk.versus_says", lang, name=name, rate=wording.rate(versus.total["rate"]))
    return f'<br><i data-figure="change"><em class="{kind}">{sign} {told}</em> {against}</i>'


def _band(total: pd.Series) -> str:
    shown = wording.banded(total["rate"], total["rate_low"], total["rate_high"])
    return f'<em data-figure="band">{shown.partition(" ")[2]}</em>'


def _standard(answer: Answer, lang: Language) -> str:
    standard = answer.standard
    told = " · ".join(
        (
            standard.words(lang),
            text(f"group.{standard.group}", lang),
            words.moment(answer.choice.year, lang),
        )
    )
    return (
        f'<p class="standard{"" if answer.usual else " own"}"><b>{said("desk.standard", lang)}</b> '
        f'<span data-figure="standard">{escape(told)}</span>'
        f"<br><small>{said('desk.source', lang)}: {escape(standard.origin(lang))}</small></p>"
    )


def _people(value: float, lang: Language) -> str:
    return said("desk.people", lang, people=wording.people(value))


def _facilities(total: pd.Series, lang: Language) -> str:
    count = f"{total['facilities']:,}"
    if pd.isna(total["quota"]):
        return count
    if total["missing"] > 0:
        told = said("desk.quota_missed", lang, quota=total["quota"], missing=total["missing"])
        return f'{count} <em class="missed">{told}</em>'
    return f'{count} <em class="met">{said("desk.quota_met", lang, quota=total["quota"])}</em>'


def _unplaced(answer: Answer, lang: Language) -> str:
    lost, astray = answer.measured.lost(answer.standard.group)
    parts = [
        said(
            "desk.unplaced_part",
            lang,
            reason=text(f"map.reason.{reason}", lang),
            people=wording.people(row["people"]),
        )
        for reason, row in lost.iterrows()
        if row["people"] > 0
    ]
    told = _people(float(lost["people"].sum()), lang) if parts else said("desk.unplaced_none", lang)
    if parts:
        told += f"<small>{' · '.join(parts)}</small>"
    sites = int(lost["facilities"].sum())
    if sites:
        told += f"<small>{said('desk.unplaced_sites', lang, count=sites)}</small>"
    if astray:
        outside = said("desk.outside", lang, people=wording.people(astray))
        told += f"<small>{outside}</small>"
    return told


STYLE = """
:host { font: 13px/1.45 var(--font); color: var(--ink); }
.rate { display: flex; align-items: center; gap: 12px; margin: 0 0 4px; }
.standard.own { border-color: var(--warn-rule); background: var(--warn-back); }
.standard.own, .standard.own small { color: var(--warn-ink); }
.rate b { font-size: 36px; line-height: 1.1; font-weight: 650; color: var(--main);
  font-variant-numeric: tabular-nums; }
.rate i { font-style: normal; color: var(--ink); font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 1px 14px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; font-weight: 550; font-variant-numeric: tabular-nums; }
dd[data-figure="gap"] { color: var(--gap); }
dd small { display: block; font-weight: 400; color: var(--soft); font-size: 11.5px;
  line-height: 1.35; }
em { font-style: normal; font-weight: 550; font-size: 12px; margin-left: 4px; }
.missed { color: var(--bad); } .met { color: var(--good); }
.standard { margin: 6px 0 0; padding: 4px 8px; background: var(--panel);
  border: 1px solid var(--rule); border-radius: 4px; }
.standard small { color: var(--soft); font-size: 11px; line-height: 1.3; display: block; }
.standard br { display: none; }
"""
