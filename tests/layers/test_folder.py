import pytest

from layers.folder import read_whole, replacing


def put(folder, words):
    with replacing(folder) as fresh:
        (fresh / "a").write_text(words)
        (fresh / "b").write_text(words)


def both(held):
    return held.content("a"), held.content("b")


def test_a_folder_is_made_and_replaced(tmp_path):
    folder = tmp_path / "x"
    put(folder, "one")
    assert read_whole(folder, both) == (b"one", b"one")
    put(folder, "two")
    assert read_whole(folder, both) == (b"two", b"two")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_block_that_raises_changes_nothing(tmp_path):
    folder = tmp_path / "x"
    put(folder, "one")

    def write_half():
        with replacing(folder) as fresh:
            (fresh / "a").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert read_whole(folder, both) == (b"one", b"one")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_reader_never_mixes_two_states(tmp_path):
    folder = tmp_path / "x"
    put(folder, "one")
    seen = []

    def read(held):
        first = held.content("a")
        if not seen:
            # Twice, so that the folder looks as it did: only the handle tells.
            put(folder, "two")
            put(folder, "one")
        seen.append(first)
        return first, held.content("b")

    assert read_whole(folder, read) == (b"one", b"one")
    assert len(seen) == 2


def test_a_fault_of_an_unchanged_folder_is_told_once(tmp_path):
    folder = tmp_path / "x"
    put(folder, "one")
    calls = []

    def read(held):
        calls.append(held)
        return held.content("c")

    with pytest.raises(FileNotFoundError):
        read_whole(folder, read)
    assert len(calls) == 1
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_whole(tmp_path / "nowhere", both)


def test_what_a_stopped_save_left_is_put_in_order(tmp_path):
    folder = tmp_path / "x"
    put(folder, "one")
    folder.rename(tmp_path / ".x.previous")
    (tmp_path / ".x.new-left").mkdir()
    assert read_whole(folder, both) == (b"one", b"one")
    put(folder, "two")
    assert read_whole(folder, both) == (b"two", b"two")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
