"""The outline of a report: everything in reading order, with numbers of the language's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.report.model import Explorer, Paragraph, Picture, Table
from planner.report.phrase import Phrase, phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layers.messages import Language
    from planner.report.model import Block, Report, Section

_DIGITS = "零一二三四五六七八九"
_TEN = 10


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading with its number.

    Attributes
    ----------
    depth
        1 or 2.
    words
        Number and title.
    anchor
        Name to refer to it by.
    opens
        Whether it opens a page: the report's first section and every annex do.
    """

    depth: int
    words: Phrase
    anchor: str
    opens: bool = False


@dataclass(frozen=True, kw_only=True)
class Captioned:
    """A table or a picture with its numbered caption.

    Attributes
    ----------
    block
        The table or picture.
    label
        Whether it is a table or a figure, in a word.
    number
        Its number among its like.
    """

    block: Table | Picture
    label: Phrase
    number: int

    @property
    def caption(self) -> Phrase:
        """Label, number and what it shows."""
        told = phrase("number.caption", label=self.label, number=self.number)
        return _before(told, self.block.caption)


Item = Heading | Captioned | Paragraph | Explorer


def outline(report: Report) -> list[Item]:
    """Everything that a document holds, in order.

    Parameters
    ----------
    report
        The report.
    """
    return list(_items(report))


def headings(report: Report) -> list[Heading]:
    """Give the headings alone, for a table of contents."""
    return [item for item in _items(report) if isinstance(item, Heading)]


def page_words(lang: Language) -> tuple[str, str, str]:
    """Split what stands before, between and after the number of a page and of all pages."""
    words = phrase("page_of", page="{page}", pages="{pages}").said(lang)
    before, _, rest = words.partition("{page}")
    between, _, after = rest.partition("{pages}")
    return before, between, after


def _items(report: Report) -> Iterator[Item]:
    counts = {Table: 0, Picture: 0}
    number = annexes = 0
    letter = ""
    for section in report.sections:
        if section.annex:
            annexes += 1
            letter = chr(64 + annexes)
            told = phrase("number.annex", number=Phrase(chinese(annexes), letter))
            anchor = f"annex-{annexes}"
        else:
            number += 1
            told = phrase("number.section", number=Phrase(chinese(number), str(number)))
            anchor = f"section-{number}"
        opens = section.annex or number == 1
        yield Heading(depth=1, words=_titled(told, section), anchor=anchor, opens=opens)
        yield from _captioned(section.blocks, counts)
        for inner, part in enumerate(section.sections, 1):
            outer = letter if section.annex else number
            words = phrase("number.part", number=Phrase(chinese(inner), f"{outer}.{inner}"))
            yield Heading(depth=2, words=_titled(words, part), anchor=f"{anchor}-{inner}")
            yield from _captioned(part.blocks, counts)


def _captioned(blocks: tuple[Block, ...], counts: dict[type, int]) -> Iterator[Item]:
    for block in blocks:
        if isinstance(block, Table | Picture):
            counts[type(block)] += 1
            key = "number.table" if isinstance(block, Table) else "number.picture"
            yield Captioned(block=block, label=phrase(key), number=counts[type(block)])
        else:
            yield block


def _titled(number: Phrase, section: Section) -> Phrase:
    return _before(number, section.title)


def _before(number: Phrase, words: Phrase) -> Phrase:
    return Phrase(f"{number.zh}{words.zh}", f"{number.en}{words.en}")


def chinese(number: int) -> str:
    """Write a number below a hundred as Chinese headings count.

    Examples
    --------
    >>> [chinese(number) for number in (3, 10, 12, 20, 21)]
    ['三', '十', '十二', '二十', '二十一']
    """
    tens, ones = divmod(number, _TEN)
    head = "" if not tens else ("" if tens == 1 else _DIGITS[tens]) + "十"
    return head + (_DIGITS[ones] if ones or not tens else "")
