"""The pages of the entry: the frame of the login and of what is said instead of it."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

from layers.messages import LANGUAGES, Language, speaking, text
from layers.resources import data_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tornado.web import RequestHandler

_FRAME, _FORM = "entry.html", "login.html"
_SHOWN = 64


def show_form(
    handler: RequestHandler, *, told: str = "", name: str = "", values: Mapping[str, Any]
) -> None:
    """Answer with the login's form.

    Parameters
    ----------
    handler
        What answers.
    told
        Key of what is said above the form, empty for nothing.
    name
        User's name as it was written.
    values
        What fills in the words of `told`.
    """
    words = {
        f"{key}_{lang}": escape(text(f"entry.page.{key}", lang))
        for key in ("name", "password", "enter", "help")
        for lang in LANGUAGES
    }
    form = Template(data_path(_FORM).read_text(encoding="utf-8")).substitute(
        words,
        alert=f'<div class="alert" role="alert">{_both(told, values)}</div>' if told else "",
        # The prefix's own cookie path: `xsrf_form_html` sets the cookie as it goes.
        xsrf=handler.xsrf_form_html(),
        name=escape(name[:_SHOWN]),
    )
    _answer(handler, form)


def show_words(
    handler: RequestHandler,
    told: str,
    *,
    grave: bool = True,
    links: Sequence[tuple[str, str]] = (),
    values: Mapping[str, Any],
) -> None:
    """Answer with a page that says something, and leads on.

    Parameters
    ----------
    handler
        What answers.
    told
        Key of what is said.
    grave
        Whether something went wrong.
    links
        Addresses that the page leads on to, each with the key of its words; the first is
        the one that most want.
    values
        What fills in the words of `told`.
    """
    kind, role = ("alert", "alert") if grave else ("said", "status")
    made = [f'<a href="{escape(address)}">{_line(key)}</a>' for address, key in links]
    lead = "".join(one.replace("<a ", '<a class="lead" ', 1) for one in made[:1])
    more = "".join(f'<p class="help">{one}</p>' for one in made[1:])
    _answer(handler, f'<div class="{kind}" role="{role}">{_both(told, values)}</div>\n{lead}{more}')


def _answer(handler: RequestHandler, content: str) -> None:
    handler.set_header("Cache-Control", "no-store")
    title = {f"title_{lang}": escape(text("entry.page.title", lang)) for lang in LANGUAGES}
    frame = Template(data_path(_FRAME).read_text(encoding="utf-8"))
    handler.finish(frame.substitute(title, content=content))


def _both(key: str, values: Mapping[str, Any]) -> str:
    return "".join(f"<p lang='{lang}'>{_said(key, lang, values)}</p>" for lang in LANGUAGES)


def _line(key: str) -> str:
    return " · ".join(f"<span lang='{lang}'>{_said(key, lang, {})}</span>" for lang in LANGUAGES)


def _said(key: str, lang: Language, values: Mapping[str, Any]) -> str:
    with speaking(lang):
        return escape(text(key, lang, **values))
