"""What becomes of a table of facilities that is brought, in words, before it is taken."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from layers.additions import kept
from layers.messages import text
from planner.maps.words import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers import City
    from layers.additions import How
    from layers.messages import Language
    from planner.intake import Intake

_KEY = "desk.data.import"
_ROWS, _CELL, _PAIRS = 6, 60, 8

Pairs = list[tuple[str, str]]


def counts(told: Intake, pairs: Pairs, lang: Language) -> str:
    """Say how many rows are taken, and whether their datum fits, as HTML.

    Parameters
    ----------
    told
        What the table holds as it was read.
    pairs
        Facilities that are there already, as `planner.intake.repeated` pairs them.
    lang
        Language.
    """
    lost = told.places.rejected
    numbers = {
        "placed": len(told.places.layer),
        "rejected": 0 if lost is None else len(lost),
        "repeated": len(pairs),
    }
    figures = "".join(
        f'<li class="{name if count else ""}"><b data-figure="{name}">{count:,}</b> '
        f"{said(f'{_KEY}.{name}', lang)}</li>"
        for name, count in numbers.items()
    )
    return f'<ul class="counts">{figures}</ul>{_datum(told, lang)}'


def details(told: Intake, pairs: Pairs, city: City, how: How, lang: Language) -> str:
    """Say what was noticed and what is there already, and show the first rows, as HTML.

    Parameters
    ----------
    told, pairs, lang
        As `counts` takes them.
    city, how
        As `planner.intake.repeated` takes them.
    """
    noticed = "".join(
        f'<li class="{one.severity}">{escape(one.words("message", lang))}'
        f"<small>{escape(one.words('remedy', lang))}</small></li>"
        for one in told.places.findings
    )
    made = f"<h3>{said(f'{_KEY}.noticed', lang)}</h3>"
    nothing = f"<p>{said(f'{_KEY}.nothing_noticed', lang)}</p>"
    made += f'<ul class="noticed">{noticed}</ul>' if noticed else nothing
    if pairs:
        listed = "".join(f"<li>{line}</li>" for line in _pairs(told, pairs, city, how, lang))
        made += f"<h3>{said(f'{_KEY}.pairs', lang)}</h3><ul>{listed}</ul>"
    return made + _first_rows(told.rows(_ROWS), lang)


def done(lines: Sequence[str]) -> str:
    """Say that a city was written, where, and what lies beside it, as HTML."""
    first, *rest = (escape(line) for line in lines)
    more = "".join(f"<p>{line}</p>" for line in rest)
    return f'<p class="yes" role="status" data-figure="done">✓ {first}</p>{more}'


def short(datum: str) -> str:
    """Name of a datum without a remark, the same in every language."""
    return text(f"datum.{datum}", "en")


def _datum(told: Intake, lang: Language) -> str:
    located = told.places.located
    by_file = located is not None and not located.datum
    key = f"{_KEY}.said_shapes" if by_file else f"{_KEY}.said"
    said_so = said(key, lang, datum=short(told.said))
    if told.fitting is None:
        verdict, tone = said(f"{_KEY}.undecided", lang), "open"
    elif told.fitting == told.said:
        verdict, tone = said(f"{_KEY}.right", lang), "yes"
    else:
        verdict, tone = said(f"{_KEY}.wrong", lang, datum=short(told.fitting)), "no"
    cells = "".join(
        f'<span class="{"on" if datum == told.said else ""}">{short(datum)} '
        f'<b data-figure="median-{datum}">{far:,.0f} {said("unit.m", lang)}</b></span>'
        for datum, far in told.medians().items()
        if pd.notna(far)
    )
    measured = f'<p class="medians">{said(f"{_KEY}.median", lang)}: {cells}</p>' if cells else ""
    return (
        f"<h3>{said(f'{_KEY}.datum_title', lang)}</h3><p>{said_so} · "
        f'<span class="{tone}" data-figure="datum">{verdict}</span></p>{measured}'
    )


def _pairs(told: Intake, pairs: Pairs, city: City, how: How, lang: Language) -> list[str]:
    new = told.places.layer.set_index("id")["name"]
    old = kept(city, told.places.layer, how).set_index("id")["name"]
    lines = [
        said(
            f"{_KEY}.pair",
            lang,
            new=new[one] or one,
            old=f"{old[other]} ({other})" if old[other] else other,
        )
        for one, other in pairs[:_PAIRS]
    ]
    left = len(pairs) - _PAIRS
    return [*lines, said(f"{_KEY}.pairs_more", lang, count=f"{left:,}")] if left > 0 else lines


def _first_rows(rows: pd.DataFrame, lang: Language) -> str:
    if not len(rows):
        return ""
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows.columns)
    body = ""
    for number, cells in zip(rows.index, rows.itertuples(index=False, name=None), strict=True):
        words = "".join(f"<td>{escape(_cut(cell))}</td>" for cell in cells)
        body += f"<tr><td>{number}</td>{words}</tr>"
    return (
        f"<h3>{said(f'{_KEY}.first_rows', lang, count=len(rows))}</h3>"
        f'<div class="wide" tabindex="0"><table><thead><tr><th>{said(f"{_KEY}.row", lang)}</th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cut(cell: Any) -> str:
    words = "" if pd.isna(cell) else str(cell)
    return words if len(words) <= _CELL else words[: _CELL - 1] + "…"


STYLE = """
.counts { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 2px;
  padding: 0; }
.counts b { font-size: 17px; font-variant-numeric: tabular-nums; }
.counts .placed b { color: var(--good); } .counts .rejected b { color: var(--bad); }
.counts .repeated b { color: var(--warn-ink); }
.yes { color: var(--good); font-weight: 600; } .no { color: var(--bad); font-weight: 600; }
.open { color: var(--soft); }
.medians { display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 12px; }
.medians span { color: var(--soft); } .medians .on { color: var(--ink); }
.noticed { list-style: none; padding: 0; }
.noticed li { padding: 3px 8px; margin: 0 0 3px; border-left: 3px solid var(--rule-strong);
  background: var(--panel); overflow-wrap: anywhere; }
.noticed li.warning { border-color: var(--warn-rule); background: var(--warn-back);
  color: var(--warn-ink); }
.noticed small { display: block; font-size: 11.5px; opacity: .85; }
.wide { overflow-x: auto; border: 1px solid var(--rule); border-radius: 4px; }
.wide:focus-visible { outline: 2px solid var(--focus); }
table { border-collapse: collapse; font-size: 12px; }
th, td { padding: 2px 7px; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--rule); }
th { font-weight: 600; } td:first-child, th:first-child { color: var(--soft); text-align: right; }
"""
