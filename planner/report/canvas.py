"""The canvas of a report's pictures: size, fonts, colours, and saving as PNG."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from planner.report.fonts import SANS, font_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

WIDTH_CM = 16.0
"""Width of a picture: that of the text on a page."""
DPI = 200
_CM = 1 / 2.54

INK, QUIET = "#222222", "#666666"


@contextmanager
def canvas(height_cm: float) -> Iterator[Figure]:
    """Give a figure of the report's width to draw on, with Chinese fonts.

    Parameters
    ----------
    height_cm
        Its height.

    Yields
    ------
    The figure.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and only for pictures
    from matplotlib.figure import Figure  # noqa: PLC0415

    _know_fonts()
    settings: dict[Any, Any] = {
        "font.family": [SANS],
        "font.size": 8.5,
        "axes.unicode_minus": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": QUIET,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "axes.linewidth": 0.6,
        "path.simplify": True,
        "path.simplify_threshold": 0.4,
    }
    with mpl.rc_context(settings):
        yield Figure(figsize=(WIDTH_CM * _CM, height_cm * _CM), dpi=DPI)


def png(figure: Figure) -> bytes:
    """Save the figure as PNG, in few colours where that is enough."""
    from PIL import Image  # noqa: PLC0415 - only for pictures

    held = BytesIO()
    figure.savefig(held, format="png", dpi=DPI, metadata={"Software": None})
    with Image.open(held) as full:
        plain = full.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small = BytesIO()
    plain.save(small, format="png", dpi=(DPI, DPI))
    return small.getvalue()


def wrapped(words: str, *, most: float) -> str:
    r"""Break words into lines of a width, for pictures do not do it themselves.

    Parameters
    ----------
    words
        The words.
    most
        Width in Chinese characters; others count half.

    Examples
    --------
    >>> wrapped("数据来源：测试 MIT", most=5)
    '数据来源：\n测试 MIT'
    """
    lines, line, width = [], "", 0.0
    for piece in _pieces(words):
        wide = sum(1.0 if east_asian_width(letter) in "WF" else 0.52 for letter in piece)
        if line and width + wide > most and piece not in "，。；：、）":
            lines.append(line.rstrip())
            line, width = "", 0.0
            piece = piece.lstrip()  # noqa: PLW2901 - a line begins with no space
        line += piece
        width += wide
    return "\n".join([*lines, line])


def _pieces(words: str) -> Iterator[str]:
    """Parts that no line may break within: Chinese characters, and words of letters."""
    held = ""
    for letter in words:
        if east_asian_width(letter) in "WF":
            if held:
                yield held
            held = ""
            yield letter
        else:
            held += letter
            if letter in " ;/":
                yield held
                held = ""
    if held:
        yield held


@cache
def _know_fonts() -> None:
    from matplotlib import font_manager  # noqa: PLC0415 - slow to import

    for path in font_files().values():
        font_manager.fontManager.addfont(str(path))


def silence() -> Any:
    """Keep quiet of letters that no font has: they are shown as boxes in every format."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)
