"""Chinese fonts for PDF and pictures, so that no machine needs its own."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from layers.errors import InputError
from layers.messages import text

SANS, SERIF = "Noto Sans SC", "Noto Serif SC"
"""Families that PDF and pictures are set in: headings and pictures, text."""

_PACKAGE = "pylopdf_fonts_zh_cn"
_DISTRIBUTION = "pylopdf-fonts-zh-cn"


def font_files() -> dict[str, Path]:
    """Files of the fonts by family.

    Raises
    ------
    InputError
        They are not installed; the message says what to install.

    Examples
    --------
    >>> sorted(font_files()) == [SANS, SERIF]
    True
    """
    try:
        package = import_module(_PACKAGE)
    except ImportError as missing:
        raise InputError(text("report.error.fonts", package=_DISTRIBUTION)) from missing
    found = {SANS: Path(package.sans_path()), SERIF: Path(package.serif_path())}
    for path in found.values():
        if not path.is_file():
            raise InputError(text("report.error.fonts", package=_DISTRIBUTION))
    return found
