"""Telling: a conflict and the outcome of a solve in words."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.messages import language, text
from planner.wording import rate

if TYPE_CHECKING:
    from layers.messages import Language
    from planner.siting.conflict import Conflict
    from planner.siting.limits import Culprit
    from planner.siting.setting import Setting


def conflict_words(conflict: Conflict, setting: Setting, lang: Language | None = None) -> list[str]:
    """Say which limits contradict each other, and each least change that alone mends it.

    Parameters
    ----------
    conflict
        What was found.
    setting
        The problem laid out on a city, for the names of units and sites.
    lang
        ``zh`` or ``en``; the reader's when None.
    """
    told = [limit_words(one, setting, lang) for one in conflict.culprits]
    joint = text("site.conflict.and", lang)
    key = "site.conflict.all" if conflict.minimal else "site.conflict.some"
    words = [text(key, lang, limits=joint.join(told))]
    for change in conflict.changes:
        one = limit_words(change.culprit, setting, lang)
        if change.value is None:
            words.append(text("site.conflict.drop", lang, limit=one))
            continue
        value = _change_words(change.culprit.kind, change.value)
        words.append(text("site.conflict.change", lang, limit=one, value=value))
        if change.proved is not None:
            value = _change_words(change.culprit.kind, change.proved)
            words.append(text("site.conflict.proved", lang, value=value))
    if not conflict.changes:
        words.append(text("site.conflict.no_change", lang))
    return words


def _change_words(kind: str, value: float) -> str:
    """Say what a limit would have to be."""
    if kind in {"floor", "share"}:
        return _rounded(value, up=False)
    if kind == "budget":
        return f"{_above(value):,.6g}"
    return f"{round(value):,}"


def limit_words(culprit: Culprit, setting: Setting, lang: Language | None = None) -> str:
    """Say one limit."""
    kind, key, value = culprit.kind, culprit.key, culprit.value
    names: dict[str, Any] = {"value": f"{value:,.6g}"}
    if kind in {"at_most", "at_least"}:
        names["unit"] = unit_name(setting, setting.units.codes[key], lang)
    elif kind == "floor":
        names["unit"] = unit_name(setting, setting.areas.codes[key], lang)
        names["value"] = rate(value)
    elif kind == "share":
        everyone = setting.problem.share is None
        key_words = "site.limit.everyone" if everyone else "site.limit.share"
        return text(key_words, lang, value=rate(value))
    elif kind == "required":
        names["site"] = _site(setting, key)
    elif kind == "apart":
        a, b = (int(side[key]) for side in setting.limits.too_near)
        apart = setting.problem.apart
        names |= {"one": _site(setting, a), "other": _site(setting, b)}
        names["value"] = f"{apart.metres:,g}" if apart is not None else ""
    elif kind == "number" and setting.limits.exactly:
        return text("site.limit.exactly", lang, **names)
    return text(f"site.limit.{kind}", lang, **names)


def unit_name(setting: Setting, code: str, lang: Language | None = None) -> str:
    """Name of a unit in a language, with its code."""
    units = setting.city.units
    row = units[units["code"] == code].iloc[0]
    name = row["name_en"] if (lang or language()) == "en" else row["name"]
    return text("site.unit", lang, name=name, code=code)


def _site(setting: Setting, number: int) -> str:
    site = setting.sites.iloc[number]
    return f"{site['id']} {site['name']}".strip()


def _rounded(value: float, *, up: bool) -> str:
    """Rate with one decimal that is still safe to ask for."""
    steps = value * 1000
    whole = ceil(steps - 1e-9) if up else floor(steps + 1e-9)
    return f"{whole / 10:.1f}%"


def _above(value: float) -> float:
    """Round up to six figures, so that what is asked for is enough."""
    if value == 0:
        return 0.0
    scale = 10.0 ** (5 - int(np.floor(np.log10(value))))
    return ceil(value * scale - 1e-6) / scale
