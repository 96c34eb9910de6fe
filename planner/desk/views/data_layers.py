"""Layers of the city with all that is known of where they come from, and cities to open."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn

from planner.desk import style
from planner.desk.listing import Listing
from planner.desk.session import Cancelled
from planner.desk.views.data_map import DRAWN
from planner.maps.words import said
from planner.wording import one_language

if TYPE_CHECKING:
    from planner.desk.views.data import DataView


class LayersPane:
    """Table of the layers, the chosen one's provenance, and the reader's cities.

    Parameters
    ----------
    view
        Whose part it is.
    """

    def __init__(self, view: DataView) -> None:
        self.view, self.session = view, view.session
        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        self._head = pn.pane.HTML(
            "", stylesheets=[style.TEXT, TOLD], margin=(10, 14, 4, 14), **wide
        )
        self._list = Listing(self._choose, tick=self._tick, margin=(0, 8), **wide)
        self._told = pn.pane.HTML("", stylesheets=[style.TEXT, TOLD], margin=(6, 14), **wide)
        self._cities_head = pn.pane.HTML(
            "", stylesheets=[style.TEXT, TOLD], margin=(4, 14, 0, 14), **wide
        )
        self._cities = Listing(self.open, margin=(0, 8, 12, 8), **wide)
        self.page = pn.Column(
            self._head,
            self._list,
            self._told,
            self._cities_head,
            self._cities,
            sizing_mode="stretch_both",
            stylesheets=[SCROLL],
        )

    def relabel(self) -> None:
        """Put every word into the language in force."""
        session, lang, city = self.session, self.view.lang, self.session.city
        word = partial(self._word, "layers")
        name = city.name_en if lang == "en" else city.name
        place = (
            word("no_place")
            if city.path is None
            else session.text("desk.data.layers.place", path=str(city.path))
        )
        crs = session.text("desk.data.layers.measured", crs=city.crs.to_string())
        self._head.object = f"<h2>{escape(name)}</h2><p>{escape(crs)}</p><p>{escape(place)}</p>"
        self._list.param.update(
            label=word("label"),
            columns=[
                {"label": word("layer"), "width": "32%"},
                {"label": word("rows"), "right": True},
                {"label": word("source")},
                {"label": word("date"), "whole": True},
                {"label": word("kind"), "whole": True},
            ],
            rows=[self._row(key, entry) for key, entry in city.origins().items()],
            chosen=self.view.layer,
        )
        self._show_told()
        self.list_cities()

    def list_cities(self) -> None:
        """Say which cities there are to open."""
        session, cities = self.session, self.session.cities
        word = partial(self._word, "cities")
        if cities is None:
            self._cities_head.visible = self._cities.visible = False
            return
        self._cities_head.object = f"<h3>{escape(word('title'))}</h3>"
        lang = self.view.lang
        home = cities.home.city
        told = [("", home.name_en if lang == "en" else home.name, word("home"))]
        told += [(one.key, one.title(lang), one.facilities) for one in cities.all()]
        now = session.city_key
        self._cities.param.update(
            label=word("title"),
            columns=[
                {"label": word("name"), "width": "40%"},
                {"label": word("facilities")},
                {"label": word("state"), "whole": True},
            ],
            rows=[
                {
                    "id": key or _HOME,
                    "cells": [name, source, word("now") if key == now else f"{word('open')} ›"],
                }
                for key, name, source in told
            ],
            chosen=now or _HOME,
        )

    def _word(self, part: str, key: str) -> str:
        return self.session.text(f"desk.data.{part}.{key}")

    async def open(self, key: str) -> None:
        """Open a city of the reader's own, and show the page of it."""
        session, cities = self.session, self.session.cities
        key = "" if key == _HOME else key
        if cities is None or key == session.city_key:
            return
        known = {one.key: one.title(self.view.lang) for one in cities.all()}
        try:
            if key:
                working = session.text("desk.data.cities.opening", name=known.get(key, key))
                await session.work(working, cities.open, key)
            session.move(key)
        except Cancelled:
            session.say(session.text("desk.was_cancelled"))
        except Exception as wrong:  # noqa: BLE001 - said in words, and logged whole
            session.say(session.failure(wrong), grave=True)

    def _row(self, key: str, entry: dict[str, Any]) -> dict[str, Any]:
        session = self.session
        kinds = [name for name in ("modelled", "stand_in") if entry[name]] or ["real"]
        if entry["source"] == "not stated":
            kinds = kinds if kinds != ["real"] else []
        made: dict[str, Any] = {
            "id": key,
            "cells": [
                f"{session.text(f'layer.{key}')}\n{session.text(f'desk.data.for.{key}')}",
                f"{entry['rows']:,}",
                f"{self._stated(entry['source'])}\n{entry['licence']}".rstrip("\n"),
                entry["date"] or "–",
                " · ".join(session.text(f"desk.data.layers.{kind}") for kind in kinds) or "–",
            ],
        }
        if key in DRAWN:
            made["box"] = key in self.view.names
            shown = session.text("desk.data.on_map")
            made["boxLabel"] = f"{session.text(f'layer.{key}')}: {shown}"
        return made

    def _stated(self, words: str) -> str:
        silent = words in {"", "not stated"}
        return self.session.text("page.not_stated") if silent else words

    def _choose(self, key: str) -> None:
        self.view.layer = "" if key == self.view.layer else key
        self._list.chosen = self.view.layer
        self._show_told()

    def _tick(self, key: str, on: bool) -> None:
        names = [name for name in self.view.names if name != key]
        self.view.shown = ",".join([*names, key] if on else names) or NOTHING

    def _show_told(self) -> None:
        lang, key = self.view.lang, self.view.layer
        entry = self.session.city.origins().get(key)
        if entry is None:
            self._told.object = f'<p class="hint">{said("desk.data.layers.choose", lang)}</p>'
            return
        notes = "".join(f"<li>{escape(one_language(one, lang))}</li>" for one in entry["notes"])
        columns = escape(", ".join(map(str, self.session.city.layers()[key].columns)))
        told = {
            "page.origin.source": escape(self._stated(entry["source"])),
            "page.origin.licence": escape(self._stated(entry["licence"])),
            "page.origin.date": escape(self._stated(entry["date"])),
            "page.origin.how": escape(self._stated(entry["made"])),
            "desk.data.layers.notes": f"<ul>{notes}</ul>"
            if notes
            else said("desk.data.layers.none", lang),
            "desk.data.layers.columns": f"<code>{columns}</code>",
            "page.origin.checksum": f"<code>{escape(entry['checksum'] or '–')}</code>",
        }
        if key == "water":
            told["desk.data.layers.layer"] = said("desk.data.layers.water_below", lang)
        body = "".join(
            f"<dt>{said(name, lang)}</dt><dd>{words}</dd>" for name, words in told.items()
        )
        self._told.object = (
            f'<h3 data-layer="{key}">{said(f"layer.{key}", lang)}</h3><dl>{body}</dl>'
        )


_HOME = "-"
NOTHING = "-"
"""In the address: no layer is drawn."""

SCROLL = ":host { overflow-y: auto; overflow-x: hidden; min-height: 0; min-width: 0 !important; }"
TOLD = """
:host { font: 12.5px/1.45 var(--font); color: var(--ink); }
h2 { font-size: 15px; margin: 0 0 2px; } h3 { font-size: 13.5px; margin: 8px 0 4px; }
p { margin: 2px 0; overflow-wrap: anywhere; }
.hint, h2 ~ p { color: var(--soft); font-size: 12px; }
dl { display: grid; grid-template-columns: minmax(64px, max-content) 1fr; gap: 3px 12px;
  margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
ul { margin: 0; padding-left: 16px; } code { font-size: 11.5px; overflow-wrap: anywhere; }
"""
