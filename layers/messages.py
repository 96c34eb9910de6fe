"""The one catalogue of words the program shows, Chinese first, English beside it.

The words lie in ``data/messages/*.toml``: a table a key with ``zh`` and ``en``, and
``{names}`` to be filled in. Nothing else in the program holds text for a reader.
"""

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self, cast, get_args

from layers.resources import data_path

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_chosen: ContextVar[Language | None] = ContextVar("language", default=None)


def language() -> Language:
    """Language in force: the one chosen, else ``PLANNER_LANG``, else Chinese."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    return "en" if os.environ.get("PLANNER_LANG", "zh").lower().startswith("en") else "zh"


@contextmanager
def speaking(lang: Language | None) -> Iterator[None]:
    """Choose the language within a ``with`` block; None leaves it as it is."""
    token = _chosen.set(lang or language())
    try:
        yield
    finally:
        _chosen.reset(token)


@cache
def catalogue() -> dict[str, dict[Language, str]]:
    """Every key with its words in each language."""
    entries: dict[str, dict[Language, str]] = {}
    for path in sorted(data_path("messages").glob("*.toml")):
        with path.open("rb") as file:
            _flatten(tomllib.load(file), "", entries)
    return entries


def text(key: str, lang: Language | None = None, /, **values: Any) -> str:
    """Words of a key in a language, filled in.

    Parameters
    ----------
    key
        Dotted key of the catalogue.
    lang
        Language; the one in force when None.
    values
        What the words' ``{names}`` stand for; one that is `Spoken` is said in the language.

    Raises
    ------
    KeyError
        The catalogue lacks the key, or a value is missing.

    Examples
    --------
    >>> text("level.district", "en")
    'district'
    """
    lang = lang or language()
    said = {
        name: value.words(lang) if isinstance(value, Spoken) else value
        for name, value in values.items()
    }
    return catalogue()[key][lang].format(**said)


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """Words in each language, to fill in words that may be wanted in any.

    Attributes
    ----------
    zh, en
        The words.

    Examples
    --------
    >>> clinics = Spoken(zh="诊所", en="clinics")
    >>> text("finding.service_without_facility.message", "en", service=clinics)
    'No facility gives clinics, so its rate will be zero.'
    """

    zh: str
    en: str

    @classmethod
    def of(cls, key: str, /, **values: Any) -> Self:
        """Words of a key of the catalogue, as `text` fills them in."""
        return cls(zh=text(key, "zh", **values), en=text(key, "en", **values))

    def words(self, lang: Language | None = None) -> str:
        """Say them in a language, the one in force when None."""
        return self.en if (lang or language()) == "en" else self.zh

    def __str__(self) -> str:
        return self.words()


def _flatten(table: dict[str, Any], prefix: str, into: dict[str, dict[Language, str]]) -> None:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if all(isinstance(words, str) for words in value.values()):
            if key in into or set(value) != set(LANGUAGES):
                raise KeyError(f"{key}: wants zh and en, once each")
            into[key] = cast("dict[Language, str]", value)
        else:
            _flatten(value, f"{key}.", into)
