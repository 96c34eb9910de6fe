"""Writing a report: all its files, whole or not at all."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, get_args

from layers.errors import InputError
from layers.folder import replacing
from layers.messages import LANGUAGES, Language, text
from planner.report.atlas import Atlas
from planner.report.chart import draw_chart
from planner.report.docx import write_docx
from planner.report.fonts import font_files
from planner.report.gpkg import write_gpkg
from planner.report.model import Map, Picture
from planner.report.page import write_html
from planner.report.pdf import write_pdf
from planner.report.record import write_json
from planner.report.xlsx import write_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from planner.report.model import Report

Format = Literal["docx", "pdf", "xlsx", "gpkg", "html", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
Spoken = Literal["zh", "en", "both"]

_SUMS = "SHA256SUMS"


def write_report(
    report: Report,
    out: Path,
    *,
    formats: Iterable[Format] = FORMATS,
    lang: Spoken = "zh",
    replace: bool = False,
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write a report into a folder of its own, whole or not at all.

    Everything is written beside the folder and moved into place at the end; stopped
    anywhere, a report that stood there before is unchanged, and none is there by half.

    Parameters
    ----------
    report
        The report.
    out
        Folder to hold its folder, which is called by kind and year.
    formats
        What to write. GeoPackage and JSON hold both languages in one file; of the others
        there is a file a language, for an office hands in one language at a time.
    lang
        ``zh``, ``en`` or ``both``.
    replace
        Whether files may be lost that stand in the folder and were changed since, or
        were never written by this program.
    progress
        Told the name of each file that is done.

    Returns
    -------
    The files, in the order of `formats`.

    Raises
    ------
    InputError
        Fonts are missing, the disk refuses, or files in the way were edited.

    Examples
    --------
    >>> from datetime import datetime
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from layers import embedded
    >>> from planner import coverage
    >>> from planner.report.kinds import coverage_report
    >>> results = [coverage(embedded("small"), "menopause_clinic", year=2023)]
    >>> report = coverage_report(results, findings=[], made=datetime(2024, 1, 31, 9, 0))
    >>> with TemporaryDirectory() as folder:
    ...     files = write_report(report, Path(folder), formats=["xlsx", "json"])
    >>> [file.name for file in files]
    ['coverage-2023-zh.xlsx', 'coverage-2023.json']
    """
    wanted = [name for name in FORMATS if name in set(formats)]
    languages: Sequence[Language] = LANGUAGES if lang == "both" else (lang,)
    if {"docx", "pdf", "html"} & set(wanted):
        font_files()
    folder = out.resolve() / report.name
    refuse_loss(folder, replace=replace)
    try:
        with replacing(folder) as fresh:
            names = _write(report, fresh, wanted, languages, progress or (lambda _: None))
            sums = [f"{_checksum(fresh / name)}  {name}\n" for name in names]
            (fresh / _SUMS).write_text("".join(sums), encoding="utf-8")
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        told = text("error.file_not_written", path=str(folder), reason=reason)
        raise InputError(told) from wrong
    return [out / report.name / name for name in names]


def refuse_loss(folder: Path, *, replace: bool) -> None:
    """Refuse to replace a folder that holds what this program did not write.

    Parameters
    ----------
    folder
        Where a report is to stand.
    replace
        Whether files may be lost all the same.

    Raises
    ------
    InputError
        There are such files; the message names them.
    """
    if replace or not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(text("report.error.in_the_way", path=str(folder)))
    listed = folder / _SUMS
    known = {}
    if listed.is_file():
        for line in listed.read_text(encoding="utf-8").splitlines():
            checksum, _, name = line.partition("  ")
            known[name] = checksum
    changed = sorted(
        path.name
        for path in folder.iterdir()
        if path.name != _SUMS and (path.is_dir() or known.get(path.name) != _checksum(path))
    )
    if changed:
        raise InputError(text("report.error.edited", path=str(folder), files=", ".join(changed)))


def _write(
    report: Report,
    fresh: Path,
    wanted: Sequence[Format],
    languages: Sequence[Language],
    progress: Callable[[str], None],
) -> list[str]:
    """Write the files; the layers, which keep the disk busy, beside the rest."""
    with ThreadPoolExecutor(max_workers=1) as other:
        layers = None
        if "gpkg" in wanted:
            name = f"{report.name}.gpkg"
            layers = other.submit(write_gpkg, report, fresh / name)
        for lang in languages:
            pictures = _pictures(report, wanted, lang)
            for ending, content in _contents(report, pictures, wanted, lang):
                name = f"{report.name}-{lang}.{ending}"
                (fresh / name).write_bytes(content())
                progress(name)
        if "json" in wanted:
            (fresh / f"{report.name}.json").write_bytes(write_json(report))
            progress(f"{report.name}.json")
        if layers is not None:
            layers.result()
            progress(f"{report.name}.gpkg")
    whole = {"gpkg", "json"}
    return [
        f"{report.name}.{ending}" if ending in whole else f"{report.name}-{lang}.{ending}"
        for ending in wanted
        for lang in (languages[:1] if ending in whole else languages)
    ]


def _contents(
    report: Report, pictures: dict[str, bytes], wanted: Sequence[Format], lang: Language
) -> Iterable[tuple[str, Callable[[], bytes]]]:
    writers: dict[str, Callable[[], bytes]] = {
        "docx": lambda: write_docx(report, pictures, lang),
        "pdf": lambda: write_pdf(report, pictures, lang),
        "xlsx": lambda: write_xlsx(report, lang),
        "html": lambda: write_html(report, pictures, lang),
    }
    return [(ending, write) for ending, write in writers.items() if ending in wanted]


def _pictures(report: Report, wanted: Sequence[Format], lang: Language) -> dict[str, bytes]:
    """Draw each picture once for all formats."""
    if not {"docx", "pdf", "html"} & set(wanted):
        return {}
    atlas = Atlas(report.city, made=report.made)
    return {
        block.key: (
            atlas.draw(block.content, lang)
            if isinstance(block.content, Map)
            else draw_chart(block.content, lang)
        )
        for block in report.blocks()
        if isinstance(block, Picture)
    }


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
