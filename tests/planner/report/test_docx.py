import shutil
import subprocess

import pytest
from docx import Document
from docx.oxml.ns import qn

from tests.planner.report.reading import compare

SOFFICE = shutil.which("soffice")


@pytest.fixture(scope="module", params=["zh", "en"])
def opened(request, written):
    return request.param, Document(written.file("docx", request.param))


def words(element):
    return "".join(part.text or "" for part in element.iter(qn("w:t")))


def test_figures_are_those_of_json(opened, written):
    lang, document = opened
    tables = written.tables()
    assert len(document.tables) == len(tables) > 5
    for table, told in zip(document.tables, tables, strict=True):
        shown = [[words(cell._tc) for cell in row.cells] for row in table.rows]
        compare(shown, told, lang)


def test_paragraphs_and_captions_are_those_of_json(opened, written):
    lang, document = opened
    found = [words(paragraph._p) for paragraph in document.paragraphs]
    for item in written.told["contents"]:
        for kind in ("paragraph", "heading"):
            if kind in item:
                assert item[kind][lang] in found
        for kind in ("table", "picture"):
            if kind in item:
                assert item[kind]["caption"][lang] in found


def test_headings_are_headings_and_the_contents_a_field(opened, written):
    lang, document = opened
    told = [item for item in written.told["contents"] if "heading" in item]
    for depth in (1, 2):
        real = [
            paragraph.text
            for paragraph in document.paragraphs
            if paragraph.style.name == f"Heading {depth}"
        ]
        assert real == [item["heading"][lang] for item in told if item["depth"] == depth]
    fields = [code.text.strip() for code in document.element.body.iter(qn("w:instrText"))]
    assert r'TOC \o "1-2" \h \z \u' in fields
    foot = document.sections[0].footer._element
    assert {"PAGE", "NUMPAGES"} <= {code.text.strip() for code in foot.iter(qn("w:instrText"))}
    # Every link of the contents leads to a bookmark that is there.
    links = {link.get(qn("w:anchor")) for link in document.element.body.iter(qn("w:hyperlink"))}
    marks = {mark.get(qn("w:name")) for mark in document.element.body.iter(qn("w:bookmarkStart"))}
    assert links == marks
    assert len(links) == len(told)


def test_each_table_repeats_its_heading_and_breaks_no_row(opened):
    _, document = opened
    for table in document.tables:
        rows = [row._tr.trPr for row in table.rows]
        assert [row.find(qn("w:tblHeader")) is not None for row in rows] == [
            number == 0 for number in range(len(rows))
        ]
        assert all(row.find(qn("w:cantSplit")) is not None for row in rows)


def test_chinese_has_fonts_of_its_own(opened):
    _, document = opened
    fonts = {
        style.name: style.element.rPr.rFonts.get(qn("w:eastAsia"))
        for style in document.styles
        if style.name in {"Normal", "Heading 1", "Heading 2", "Caption", "Body Text", "Title"}
    }
    assert fonts["Normal"] == fonts["Body Text"] == "宋体"
    assert {fonts[name] for name in ("Heading 1", "Heading 2", "Caption", "Title")} == {"黑体"}


def test_modelled_data_are_told_on_the_first_page(opened):
    lang, document = opened
    first = [paragraph.text for paragraph in document.paragraphs[:20]]
    wanted = {"zh": "模拟数据", "en": "modelled data"}[lang]
    assert any(wanted in line for line in first)


@pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice here: soffice is wanted")
def test_libreoffice_opens_it(written, tmp_path):
    from pypdf import PdfReader  # noqa: PLC0415 - a test's own

    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [SOFFICE, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    file = written.file("docx", "zh")
    subprocess.run([*command, str(file)], check=True, capture_output=True, timeout=180)
    made = PdfReader(tmp_path / f"{file.stem}.pdf")
    text = "".join(page.extract_text() for page in made.pages)
    for item in written.told["contents"]:
        if "heading" in item:
            assert item["heading"]["zh"].replace(" ", "") in text.replace(" ", "")
    pictures = sum("picture" in item for item in written.told["contents"])
    assert sum(len(page.images) for page in made.pages) >= pictures
