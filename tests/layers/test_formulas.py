import pytest

from layers.formulas import defused


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(a,b)"],
)
def test_what_begins_like_a_formula_gets_an_apostrophe(cell):
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["", "甲", "-120.155", "+30.2", "-1e-5", "-", "--", "+86 571 8888", "a=b", "'=1"]
)
def test_everything_else_stays(cell):
    assert defused(cell) == cell
