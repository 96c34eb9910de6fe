"""Form in which a planner asks a siting model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.messages import text
from planner.siting.ask import LEAST, OFFERED
from planner.siting.models import MODELS

if TYPE_CHECKING:
    from layers.messages import Language
    from planner.siting.ask import Ask


def fields(ask: Ask, lang: Language) -> list[dict[str, Any]]:
    """Fields of the form: those that the model knows of."""
    traits = MODELS[ask.model]

    def said(key: str) -> str:
        return text(f"desk.siting.{key}", lang)

    def number(name: str, key: str, **more: Any) -> dict[str, Any]:
        least, most, empty = LEAST[name]
        own = {"kind": "number", "name": name, "label": said(key), "value": getattr(ask, name)}
        return {**own, "min": least, "max": most, "empty": empty, "narrow": True, **more}

    made: list[dict[str, Any]] = [
        {
            "kind": "select",
            "name": "model",
            "label": said("model"),
            "value": ask.model,
            "options": [[model, text(f"site.model.{model}", lang)] for model in OFFERED],
        },
        {"kind": "note", "name": "about", "label": text(f"desk.siting.about.{ask.model}", lang)},
    ]
    if traits.spends:
        key = "number_all" if ask.closing else "number"
        made.append(number("number", key, step=1))
    if traits.shares:
        words = {"unit": "%", "placeholder": said("share_all")}
        made.append(number("share", "share", **words))
    if traits.spends:
        made.append(number("budget", "budget", placeholder=said("no_limit")))
        if ask.budget is not None:
            made.append(number("cost_listed", "cost_listed"))
            made.append(number("cost_new", "cost_new"))
    made.append(
        {
            "kind": "text",
            "name": "floors",
            "label": said("floors"),
            "value": ask.floors,
            "placeholder": said("floors_hint"),
        }
    )
    made.append(
        {
            "kind": "buttons",
            "name": "closing",
            "label": said("existing"),
            "value": "may" if ask.closing else "stay",
            "options": [["stay", said("existing_stay")], ["may", said("existing_may")]],
        }
    )
    return made
