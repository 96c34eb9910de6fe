import pytest

from layers.errors import InputError
from layers.saving import save_text


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "new" / "page.html"
    for words in ("一", "二"):
        save_text(path, words)
        assert path.read_text(encoding="utf-8") == words
    assert names(path.parent) == ["page.html"]
    assert path.stat().st_mode & 0o400


def test_what_cannot_be_written_leaves_all_as_it_was(tmp_path):
    folder = tmp_path / "page.html"
    folder.mkdir()
    with pytest.raises(InputError, match=r"page\.html"):
        save_text(folder, "words")
    assert folder.is_dir()
    assert names(tmp_path) == ["page.html"]
    with pytest.raises(UnicodeEncodeError):
        save_text(tmp_path / "other.html", "\udc80")
    assert names(tmp_path) == ["page.html"]
