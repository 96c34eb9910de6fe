import stat

import pytest

from layers.errors import InputError
from layers.saving import save_bytes, save_text


def test_what_is_saved_replaces_what_was_there(tmp_path):
    file = tmp_path / "new" / "some.txt"
    save_text(file, "一\n二\n")
    assert file.read_text(encoding="utf-8") == "一\n二\n"
    save_bytes(file, b"\x00\r\n\xff")
    assert file.read_bytes() == b"\x00\r\n\xff"
    assert [one.name for one in file.parent.iterdir()] == ["some.txt"]


def test_whoever_may_read_a_users_files_may_read_it(tmp_path):
    beside = tmp_path / "beside"
    beside.write_bytes(b"")
    save_bytes(tmp_path / "saved", b"")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("saved", "beside")]
    assert modes[0] == modes[1]


def test_what_the_disk_refuses_leaves_what_was_there(tmp_path):
    (tmp_path / "some.txt").mkdir()
    with pytest.raises(InputError, match=r"some\.txt"):
        save_text(tmp_path / "some.txt", "x")
    assert [one.name for one in tmp_path.iterdir()] == ["some.txt"]
