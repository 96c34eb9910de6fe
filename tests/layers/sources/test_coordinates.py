import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.sources.coordinates import degrees, halves, numbers


def one(word):
    (value,), (wrong,), (way,) = degrees(pd.Series([word], dtype="str"))
    return None if np.isnan(value) else value, bool(wrong), way


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("120.155", 120.155),
        ("+120.155", 120.155),
        ("-8.6", -8.6),
        ("−8.6", -8.6),
        ("１２０．５", 120.5),
        ("120°09'18\"", 120.155),
        ("120°9′18″", 120.155),
        ("120º09’18’’", 120.155),
        ("东经120度9分18秒", 120.155),
        ("120:09:18", 120.155),
        ("120°9.3'", 120.155),
        ("120.155°E", 120.155),
        ("W 8°36'", -8.6),
        ("8.6w", -8.6),
        ("南纬8.6度", -8.6),
        ("-8°36'", -8.6),
        ("514 000.5", 514000.5),
        ("3,350,000米", 3350000),
        ("514000 m", 514000),
        ("1.2e2", 120),
    ],
)
def test_what_is_understood(word, value):
    found, wrong, _ = one(word)
    assert found == pytest.approx(value, abs=1e-9)
    assert not wrong


@pytest.mark.parametrize(
    "word",
    [
        "120,15",
        "120°60'",
        "120°09'60\"",
        "120°9.5'18\"",
        "120 09 18",
        "120.1 30.2",
        "E120W",
        "-120W",
        "约120",
        "inf",
        "1e999",
        "True",
        "0x1A",
        "1_000",
        "120。5",
        "12-0",
        "°",
        "E",
        "120°°",
    ],
)
def test_what_is_not_understood_is_no_number(word):
    assert one(word)[:2] == (None, True)


@pytest.mark.parametrize(
    "word", ["", " ", "　", "-", "—", "无", "暂无", "N/A", "NULL", "nan", "#N/A"]
)
def test_what_stands_for_nothing(word):
    assert one(word) == (None, False, 0)


@given(st.floats(-180, 180))
def test_degrees_minutes_and_seconds_are_the_decimal(value):
    whole = abs(value)
    degree, minute = int(whole), int(whole * 60 % 60)
    second = min(59.999999, whole * 3600 - degree * 3600 - minute * 60)
    written = f"{degree}°{minute}'{max(0.0, second):.6f}\"{'E' if value >= 0 else 'W'}"
    found, _, way = one(written)
    assert found == pytest.approx(value, abs=1e-8)
    assert way == 1


@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_words_give_numbers_or_say_that_they_are_none(words):
    cells = pd.Series(words, dtype="str")
    for values, wrong, *_ in (degrees(cells), numbers(cells)):
        assert len(values) == len(wrong) == len(words)
        assert np.isnan(values[wrong]).all()
        assert not np.isinf(values).any()
    first, second = halves(cells)
    assert len(first) == len(second) == len(words)


def test_cells_stay_as_they_are():
    cells = pd.Series([" １２ "])
    numbers(cells)
    assert cells.tolist() == [" １２ "]
