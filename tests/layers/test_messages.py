import ast
import re
import string
from functools import cache

import pytest

from layers import messages
from layers.messages import LANGUAGES, catalogue, language, speaking, text
from layers.resources import data_path

_ROOT = data_path().parent
_CODE = [*_ROOT.glob("layers/**/*.py"), *_ROOT.glob("planner/**/*.py"), *_ROOT.glob("app.py")]
_GAP = r"[\w.-]+"


@cache
def nodes():
    return [
        (path.name, node)
        for path in _CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]


def pattern(node):
    """Regular expression of what a string may be; gaps of an f-string take parts of a key."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else _GAP
            for part in node.values
        )
    return None


def asked():
    """Where each call of ``text`` stands and what key it asks for, where it says so."""
    for name, node in nodes():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "text" and node.args:
            for part in ast.walk(node.args[0]):
                # Either branch of ``text("a" if … else "b")``.
                if isinstance(node.args[0], ast.JoinedStr) and part is not node.args[0]:
                    continue
                if (key := pattern(part)) is not None:
                    yield f"{name}:{node.lineno}", key


def test_every_key_asked_for_is_there():
    keys = list(catalogue())
    places = list(asked())
    assert len(places) > 50
    for place, key in places:
        assert any(re.fullmatch(key, there) for there in keys), f"{place} asks for {key}"


def test_every_finding_has_its_words():
    codes = {
        (f"{name}:{node.lineno}", word.value.value)
        for name, node in nodes()
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "code"
        and isinstance(word.value, ast.Constant)
        and getattr(node.func, "id", "") == "Finding"
    }
    assert codes
    for place, code in codes:
        for part in ("message", "remedy"):
            assert f"finding.{code}.{part}" in catalogue(), f"{place} finds {code}"


def test_no_key_goes_unused():
    words = {key for _, node in nodes() if (key := pattern(node)) is not None}
    # A pattern without a word of its own before the first dot would excuse every key, and
    # findings are asked for by their code.
    told = [
        re.compile(word)
        for word in words
        if re.match(r"\w+\\\.", word) and not word.startswith(r"finding\.")
    ]
    constants = words | {word.replace("\\", "") for word in words}
    for key in catalogue():
        if key.startswith("finding.") and key.count(".") == 2:
            assert key.split(".")[1] in constants, key
        else:
            assert key in constants or any(word.fullmatch(key) for word in told), key


def test_both_languages_fill_in_the_same():
    def names(words):
        return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}

    for key, entry in catalogue().items():
        zh, en = (names(entry[lang]) for lang in LANGUAGES)
        assert zh == en, key
        assert all(name.isidentifier() for name in zh), key


def test_both_languages_are_written():
    for key, entry in catalogue().items():
        assert set(entry) == set(LANGUAGES), key
        assert all(words.strip() for words in entry.values()), key
        assert not re.search("[\u4e00-\u9fff]", entry["en"]) or key.startswith("lang"), key


def test_the_language_is_chosen_by_block_then_environment(monkeypatch):
    monkeypatch.setenv("PLANNER_LANG", "en_GB.UTF-8")
    assert language() == "en"
    assert text("level.district") == "district"
    with speaking("zh"):
        assert text("level.district") == "区县"
        with speaking(None):
            assert language() == "zh"
        assert text("level.district", "en") == "district"
    monkeypatch.setenv("PLANNER_LANG", "fr")
    assert language() == "zh"


def test_a_key_or_value_that_is_missing_is_told():
    with pytest.raises(KeyError, match=r"level\.galaxy"):
        text("level.galaxy")
    with pytest.raises(KeyError, match="path"):
        text("error.file_missing")


@pytest.mark.parametrize("words", ['[a]\nb = { zh = "甲" }', '[a]\nb = { zh = "甲", fr = "a" }'])
def test_a_key_without_both_languages_is_refused(words, tmp_path, monkeypatch):
    (tmp_path / "some.toml").write_text(words, encoding="utf-8")
    monkeypatch.setattr(messages, "data_path", lambda *_: tmp_path)
    with pytest.raises(KeyError, match=r"a\.b"):
        catalogue.__wrapped__()
