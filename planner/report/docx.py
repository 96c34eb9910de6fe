"""A report as DOCX: real headings, captions and tables, for an office to edit."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor

from planner.report.model import Paragraph, Picture, Table
from planner.report.outline import Captioned, Heading, headings, outline, page_words
from planner.report.phrase import phrase
from planner.report.values import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.messages import Language
    from planner.report.model import Report

_WIDTH_CM, _MARGIN_CM = 16.0, 2.5
_TWIPS = 567
"""Twentieths of a point to a centimetre."""
_SONG, _HEI = ("宋体", "Times New Roman"), ("黑体", "Arial")
"""East Asian and western font of text and of headings."""
_WIDE = 10
"""A table of more columns than this is set smaller."""
_SHORT = 22
"""A table of no more rows stays in one piece."""
_SHADE, _SUM_SHADE, _RULE = "E4EAF2", "F4F4F2", "8C8C8C"


def write_docx(report: Report, pictures: Mapping[str, bytes], lang: Language) -> bytes:
    """Write a report as DOCX.

    Parameters
    ----------
    report
        The report.
    pictures
        PNG of each picture, by its key.
    lang
        Language.

    Returns
    -------
    Content of the file.
    """
    document = Document()
    _lay_out(document, report, lang)
    _open(document, report, lang)
    for number, item in enumerate(outline(report)):
        if isinstance(item, Heading):
            _heading(document, item, number, lang)
        elif isinstance(item, Captioned):
            _captioned(document, item, pictures, lang)
        elif isinstance(item, Paragraph):
            style = {"body": "Body Text", "point": "List Bullet", "warning": "Warning"}[item.role]
            document.add_paragraph(item.words.said(lang), style=style)
    held = BytesIO()
    document.save(held)
    return held.getvalue()


def _lay_out(document: Any, report: Report, lang: Language) -> None:
    """Set up page, styles, header, footer and properties."""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(_MARGIN_CM)
    section.top_margin, section.bottom_margin = Cm(2.6), Cm(2.3)
    section.different_first_page_header_footer = True
    _styles(document, lang)
    head = section.header.paragraphs[0]
    head.text = report.title.said(lang)
    head.style = document.styles["Header"]
    foot = section.footer.paragraphs[0]
    foot.style = document.styles["Footer"]
    before, between, after = page_words(lang)
    foot.add_run(before)
    _field(foot, "PAGE", "1")
    foot.add_run(between)
    _field(foot, "NUMPAGES", "1")
    foot.add_run(after)
    properties = document.core_properties
    properties.title = report.title.said(lang)
    properties.author = properties.last_modified_by = ""
    properties.comments = "; ".join(words.said(lang) for words in report.labels)
    properties.language = "zh-CN" if lang == "zh" else "en-GB"
    properties.created = properties.modified = report.made.replace(tzinfo=None)
    # Has the word processor fill in the contents when the document is opened.
    update = OxmlElement("w:updateFields")
    update.set(qn("w:val"), "true")
    document.settings.element.append(update)


def _styles(document: Any, lang: Language) -> None:
    known = document.styles
    latin = {"w:eastAsia": "zh-CN", "w:val": "en-GB" if lang == "en" else "en-US"}
    _font(known["Normal"], _SONG, 10.5)
    properties = known["Normal"].element.get_or_add_rPr()
    told = OxmlElement("w:lang")
    for name, value in latin.items():
        told.set(qn(name), value)
    properties.append(told)
    _font(known["Title"], _HEI, 24)
    _font(known["Subtitle"], _SONG, 13)
    _font(known["Heading 1"], _HEI, 16, before=18, after=8)
    _font(known["Heading 2"], _HEI, 13, before=14, after=6)
    _font(known["Body Text"], _SONG, 10.5, after=5, line=1.4)
    _font(known["List Bullet"], _SONG, 10.5, after=4, line=1.35)
    _font(known["Caption"], _HEI, 9, before=6, after=3)
    _font(known["Header"], _SONG, 8.5)
    _font(known["Footer"], _SONG, 8.5)
    for name, size in (("Warning", 10.5), ("Note", 8.5), ("Table Text", 8.5), ("Contents", 14)):
        known.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = known["Normal"]
        _font(known[name], _HEI if name == "Contents" else _SONG, size)
    for depth in (1, 2):
        style = known.add_style(f"TOC {depth}", WD_STYLE_TYPE.PARAGRAPH)
        _font(style, _SONG, 11 if depth == 1 else 10.5, after=3)
        style.paragraph_format.left_indent = Cm(0.75 * (depth - 1))
        style.paragraph_format.tab_stops.add_tab_stop(Cm(_WIDTH_CM), 2, 1)
    known["Warning"].font.color.rgb = RGBColor(0x9C, 0x2F, 0x1B)
    known["Warning"].paragraph_format.space_after = Pt(5)
    known["Warning"].paragraph_format.line_spacing = 1.4
    known["Note"].paragraph_format.space_before = Pt(3)
    known["Note"].paragraph_format.space_after = Pt(2)
    known["Note"].font.color.rgb = RGBColor(0x55, 0x55, 0x55)
    known["Contents"].paragraph_format.space_after = Pt(10)
    for name in ("Title", "Subtitle", "Caption", "Header", "Footer", "Contents"):
        known[name].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    known["Caption"].paragraph_format.keep_with_next = True
    for name in ("Title", "Heading 1", "Heading 2", "Caption", "Subtitle"):
        known[name].font.color.rgb = RGBColor(0x1A, 0x1A, 0x1A)
        known[name].font.italic = False
        known[name].font.bold = name == "Title"
    border = known["Title"].element.pPr.find(qn("w:pBdr"))
    if border is not None:
        known["Title"].element.pPr.remove(border)


def _font(
    style: Any,
    names: tuple[str, str],
    size: float,
    *,
    before: float = 0,
    after: float = 0,
    line: float = 1.0,
) -> None:
    """Set a style's font for Chinese and for other letters, and its spacing."""
    eastern, western = names
    style.font.name, style.font.size = western, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for place in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{place}"), None)
    fonts.set(qn("w:eastAsia"), eastern)
    fonts.set(qn("w:cs"), western)
    style.paragraph_format.space_before = Pt(before)
    style.paragraph_format.space_after = Pt(after)
    style.paragraph_format.line_spacing = line


def _open(document: Any, report: Report, lang: Language) -> None:
    """Write the first page and the table of contents.

    Its field holds the headings; numbers of pages are the word processor's to add, for
    nobody else knows them.
    """
    for _ in range(7):
        document.add_paragraph()
    document.add_paragraph(
        report.title.said(lang), style="Title"
    ).paragraph_format.space_after = Pt(40)
    for words in report.subtitle:
        document.add_paragraph(
            words.said(lang), style="Subtitle"
        ).paragraph_format.space_after = Pt(8)
    for words in report.labels:
        line = document.add_paragraph(words.said(lang), style="Warning")
        line.paragraph_format.space_before = Pt(30)
        line.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title = document.add_paragraph(phrase("contents").said(lang), style="Contents")
    title.paragraph_format.page_break_before = True
    told = headings(report)
    for number, heading in enumerate(told):
        line = document.add_paragraph(style=f"TOC {heading.depth}")
        if number == 0:
            _field_part(line, "begin")
            _field_words(line, r'TOC \o "1-2" \h \z \u')
            _field_part(line, "separate")
        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), _bookmark(heading))
        line._p.append(link)  # noqa: SLF001 - the library has no links within a document
        _run_in(link, heading.words.said(lang))
        if number == len(told) - 1:
            _field_part(line, "end")


def _heading(document: Any, heading: Heading, number: int, lang: Language) -> None:
    line = document.add_heading(level=heading.depth)
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for mark in (start, end):
        mark.set(qn("w:id"), str(number))
    start.set(qn("w:name"), _bookmark(heading))
    line._p.append(start)  # noqa: SLF001 - the library has no bookmarks
    line.add_run(heading.words.said(lang))
    line._p.append(end)  # noqa: SLF001
    line.paragraph_format.page_break_before = heading.opens


def _bookmark(heading: Heading) -> str:
    return "_Toc_" + heading.anchor.replace("-", "_")


def _captioned(
    document: Any, item: Captioned, pictures: Mapping[str, bytes], lang: Language
) -> None:
    block = item.block
    if isinstance(block, Picture):
        line = document.add_paragraph()
        line.paragraph_format.keep_with_next = True
        line.paragraph_format.space_before = Pt(6)
        drawn = line.add_run().add_picture(BytesIO(pictures[block.key]), width=Cm(_WIDTH_CM))
        drawn._inline.docPr.set("descr", block.caption.said(lang))  # noqa: SLF001
        caption = _caption(document, item, lang)
        caption.paragraph_format.keep_with_next = False
        caption.paragraph_format.space_after = Pt(10)
        return
    _caption(document, item, lang)
    document.element.body.insert_element_before(parse_xml(table_xml(block, lang)), "w:sectPr")
    for note in block.notes:
        document.add_paragraph(note.said(lang), style="Note")
    if not block.notes:
        document.add_paragraph(style="Note")


def _caption(document: Any, item: Captioned, lang: Language) -> Any:
    """Label, number as a field that counts, and words."""
    line = document.add_paragraph(style="Caption")
    label, number = item.label.said(lang), str(item.number)
    before, _, after = item.caption.said(lang).partition(number)
    line.add_run(before)
    simple = OxmlElement("w:fldSimple")
    simple.set(qn("w:instr"), f" SEQ {label} \\* ARABIC ")
    _run_in(simple, number)
    line._p.append(simple)  # noqa: SLF001 - the library has no fields
    line.add_run(after)
    return line


def table_xml(table: Table, lang: Language) -> str:
    """Write a table as WordprocessingML: heading repeated on each page, no row broken over two.

    Parameters
    ----------
    table
        The table.
    lang
        Language.
    """
    whole = sum(column.share for column in table.columns)
    widths = [int(_WIDTH_CM * _TWIPS * column.share / whole) for column in table.columns]
    size = 15 if len(table.columns) > _WIDE else 17
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    heads = [column.head.said(lang) for column in table.columns]
    short = len(table.rows) <= _SHORT
    rows = [_row(heads, widths, ["center"] * len(widths), size, head=True, tied=True)]
    sides = ["left" if column.is_text else "right" for column in table.columns]
    for number, row in enumerate(table.rows):
        told = [
            shown(value, column.kind, lang)
            for value, column in zip(row, table.columns, strict=True)
        ]
        strong, tied = number in table.totals, short and number < len(table.rows) - 1
        rows.append(_row(told, widths, sides, size, strong=strong, tied=tied))
    edges = "".join(
        f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="{_RULE}"/>'
        for edge in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    margins = "".join(f'<w:{side} w:w="60" w:type="dxa"/>' for side in ("left", "right"))
    return (
        f"<w:tbl {nsdecls('w')}><w:tblPr>"
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f"<w:tblBorders>{edges}</w:tblBorders>"
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar>'
        f'<w:tblLook w:val="0420" w:firstRow="1"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _row(
    told: list[str],
    widths: list[int],
    sides: list[str],
    size: int,
    *,
    head: bool = False,
    strong: bool = False,
    tied: bool = False,
) -> str:
    shade = _SHADE if head else _SUM_SHADE if strong else ""
    fill = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
    fonts = (
        f'<w:rFonts w:ascii="{_HEI[1]}" w:hAnsi="{_HEI[1]}" w:eastAsia="{_HEI[0]}"/>'
        if head
        else ""
    )
    bold = "<w:b/>" if strong else ""
    # Tied to the next row, so that no page ends between them.
    tie = "<w:keepNext/>" if tied else ""
    run = f'{fonts}{bold}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{fill}<w:vAlign w:val="center"/>'
        f'</w:tcPr><w:p><w:pPr><w:pStyle w:val="TableText"/>{tie}<w:jc w:val="{side}"/></w:pPr>'
        f'<w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{escape(words)}</w:t></w:r></w:p>'
        "</w:tc>"
        for words, width, side in zip(told, widths, sides, strict=True)
    )
    repeat = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{repeat}</w:trPr>{cells}</w:tr>"


def _field(line: Any, code: str, result: str) -> None:
    _field_part(line, "begin")
    _field_words(line, code)
    _field_part(line, "separate")
    line.add_run(result)
    _field_part(line, "end")


def _field_part(line: Any, kind: str) -> None:
    mark = OxmlElement("w:fldChar")
    mark.set(qn("w:fldCharType"), kind)
    line.add_run()._r.append(mark)  # noqa: SLF001 - the library has no fields


def _field_words(line: Any, code: str) -> None:
    words = OxmlElement("w:instrText")
    words.set(qn("xml:space"), "preserve")
    words.text = f" {code} "
    line.add_run()._r.append(words)  # noqa: SLF001


def _run_in(parent: Any, words: str) -> None:
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.set(qn("xml:space"), "preserve")
    text.text = words
    run.append(text)
    parent.append(run)
