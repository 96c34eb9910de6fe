import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from layers.toml_lines import lines_of

WHOLE = '''# a comment with [brackets] and = signs
title = "a # no comment"  # one
many = """
[not.a.table]
key = 1
"""
'quoted key' = 'x'
a.b . "c d" = 1

[plan]
years = { 2021 = 1, "2023" = 3 }
list = [
  1,
  # within
  [2, 3], { deep = "}" },
]

[[targets]]
key = "one"
[targets.whole]
service = "x"

[[targets]]
key = "two"
[[targets.parts]]
n = 1979-05-27T07:32:00Z
[[targets.parts]]
n = """ends in quotes"""""
'''


def test_lines_of_every_form_of_key():
    assert tomllib.loads(WHOLE)
    found = lines_of(WHOLE)
    wanted = {
        ("title",): 2,
        ("many",): 3,
        ("quoted key",): 7,
        ("a", "b", "c d"): 8,
        ("plan",): 10,
        ("plan", "years", "2021"): 11,
        ("plan", "years", "2023"): 11,
        ("plan", "list", 0): 13,
        ("plan", "list", 1, 1): 15,
        ("plan", "list", 2, "deep"): 15,
        ("targets", 0): 18,
        ("targets", 0, "whole"): 20,
        ("targets", 0, "whole", "service"): 21,
        ("targets", 1): 23,
        ("targets", 1, "key"): 24,
        ("targets", 1, "parts", 0, "n"): 26,
        ("targets", 1, "parts", 1, "n"): 28,
    }
    assert {path: found[path] for path in wanted} == wanted


def test_windows_lines_count_once():
    assert lines_of("a = 1\r\n[b]\r\nc = 2\r\n")[("b", "c")] == 3


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6)
LEAVES = st.one_of(
    st.integers(-99, 99),
    st.booleans(),
    WORDS,
    st.sampled_from(['"""', "'", "#", "[x]", "a\nb", "\\", "=", "}"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


def paths(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from paths(inner, (*path, number))


@given(st.dictionaries(WORDS, VALUES, max_size=5), st.booleans())
def test_every_key_of_any_document_is_found_and_no_other(table, multiline):
    document = tomli_w.dumps(table, multiline_strings=multiline)
    read = tomllib.loads(document)
    found = lines_of(document)
    assert set(found) == set(paths(read))
    last = document.count("\n") + 1
    assert all(1 <= line <= last for line in found.values())


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4))
def test_a_line_holds_the_end_of_its_key(table):
    document = tomli_w.dumps(table)
    lines = document.split("\n")
    for path, line in lines_of(document).items():
        key = path[-1]
        if isinstance(key, str) and key.isalnum() and key.isascii():
            assert key in lines[line - 1], (path, line, document)


@pytest.mark.parametrize("document", ["", "# nothing", "\n\n"])
def test_a_document_of_nothing(document):
    assert lines_of(document) == {}
