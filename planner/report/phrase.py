"""A phrase: what a report says, in Chinese and in English at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.messages import Language

# Neither XML nor a spreadsheet may hold these; a name out of a table can.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True)
class Phrase:
    """Words in both languages.

    Attributes
    ----------
    zh, en
        The words; characters that no file may hold are left out.
    """

    zh: str
    en: str

    def __post_init__(self) -> None:
        # Frozen, but not yet handed out.
        object.__setattr__(self, "zh", _UNPRINTABLE.sub("", self.zh))
        object.__setattr__(self, "en", _UNPRINTABLE.sub("", self.en))

    def said(self, lang: Language) -> str:
        """Words in a language."""
        return self.en if lang == "en" else self.zh

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}" if self.zh != self.en else self.zh


def phrase(key: str, /, **values: Any) -> Phrase:
    """Words of the catalogue, filled in.

    Parameters
    ----------
    key
        Dotted key below ``report`` in the catalogue.
    values
        What the words' ``{names}`` stand for; phrases are said in either language.

    Examples
    --------
    >>> phrase("contents").zh
    '目录'
    """
    return entry(f"report.{key}", **values)


def entry(key: str, /, **values: Any) -> Phrase:
    """Words of any part of the catalogue, filled in as by `phrase`."""

    def said(lang: Language) -> str:
        return text(key, lang, **{name: in_language(value, lang) for name, value in values.items()})

    return Phrase(said("zh"), said("en"))


def same(words: str) -> Phrase:
    """Words that are the same in either language: a name out of the data, a code."""
    return Phrase(words, words)


def noted(words: str) -> Phrase:
    """Part a note out of the data, which may hold both languages, Chinese first.

    Examples
    --------
    >>> noted("街道为模拟 / streets are modelled").en
    'streets are modelled'
    """
    chinese, slash, english = words.partition(" / ")
    return Phrase(chinese, english if slash else chinese)


def joined(parts: Sequence[Phrase], key: str = "list") -> Phrase:
    """Phrases in a row, with the language's own mark between them.

    Parameters
    ----------
    parts
        The phrases.
    key
        Of the mark: ``list`` or ``clauses``.
    """
    mark = phrase(f"mark.{key}")
    return Phrase(mark.zh.join(part.zh for part in parts), mark.en.join(part.en for part in parts))


def running(parts: Sequence[Phrase]) -> Phrase:
    """Sentences one after the other: only English sets spaces between them."""
    return Phrase("".join(part.zh for part in parts), " ".join(part.en for part in parts))


def in_language(value: Any, lang: Language) -> Any:
    """Say a phrase; leave everything else as it is."""
    return value.said(lang) if isinstance(value, Phrase) else value
