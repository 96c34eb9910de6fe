import re

import pytest
from pypdf import PdfReader

from planner.report.fonts import SANS, SERIF
from planner.report.values import shown
from tests.planner.report.reading import agrees

LANGUAGES = ["zh", "en"]


@pytest.fixture(scope="module", params=LANGUAGES)
def opened(request, written):
    return request.param, PdfReader(written.file("pdf", request.param))


def bare(words):
    return re.sub(r"\s", "", words)


def test_figures_are_those_of_json(opened, written, report):
    """Each row stands in the text as its cells one after the other, in order."""
    lang, made = opened
    text = bare("".join(page.extract_text() for page in made.pages))
    at = 0
    tables = [block for block in report.blocks() if type(block).__name__ == "Table"]
    for told, table in zip(written.tables(), tables, strict=True):
        for values, row in zip(told["rows"], table.rows, strict=True):
            cells = [
                shown(value, column.kind, lang)
                for value, column in zip(row, table.columns, strict=True)
            ]
            for cell, value, column in zip(cells, values, told["columns"], strict=True):
                assert agrees(cell, value, column["kind"], lang), (told["key"], column["key"])
            found = text.find(bare("".join(cells)), at)
            assert found >= 0, (told["key"], cells)
            at = found


def test_it_brings_its_fonts(opened):
    _, made = opened
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in made.pages
        for font in page["/Resources"].get("/Font", {}).values()
    }
    named = {name.partition("+")[2].split("-")[0] for name in fonts}
    assert named == {SANS.replace(" ", ""), SERIF.replace(" ", "")}
    for page in made.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            (own,) = font.get_object()["/DescendantFonts"]
            assert "/FontFile3" in own.get_object()["/FontDescriptor"]


def test_pages_are_numbered_and_none_is_empty(opened):
    lang, made = opened
    for number, page in enumerate(made.pages, 1):
        text = page.extract_text()
        assert len(bare(text)) > 40 or page.images
        if number > 1:
            wanted = {
                "zh": f"第{number}页共{len(made.pages)}页",
                "en": f"Page{number}of{len(made.pages)}",
            }
            assert wanted[lang] in bare(text)


def test_every_picture_is_there_with_words_for_those_who_cannot_see(opened, written):
    lang, made = opened
    pictures = [item["picture"] for item in written.told["contents"] if "picture" in item]
    assert sum(len(page.images) for page in made.pages) == len(pictures)
    text = bare("".join(page.extract_text() for page in made.pages))
    assert all(bare(picture["caption"][lang]) in text for picture in pictures)
    assert made.root_object["/MarkInfo"]["/Marked"]
