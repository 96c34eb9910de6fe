import os
import signal
import subprocess
import sys
import time

import pytest

from layers.errors import InputError
from planner.report import fonts
from planner.report.writing import write_report


def state(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_checksums_are_those_of_the_files(written):
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=written.folder,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0
    assert len((written.folder / "SHA256SUMS").read_text().splitlines()) == 10


def test_edited_files_are_not_lost(report, tmp_path):
    (file,) = write_report(report, tmp_path, formats=["json"])
    write_report(report, tmp_path, formats=["json"])
    file.write_text("edited", encoding="utf-8")
    (tmp_path / report.name / "notes.txt").write_text("mine", encoding="utf-8")
    before = state(tmp_path / report.name)
    with pytest.raises(InputError, match=rf"{file.name}, notes\.txt"):
        write_report(report, tmp_path, formats=["json"])
    assert state(tmp_path / report.name) == before
    write_report(report, tmp_path, formats=["json"], replace=True)
    assert set(state(tmp_path / report.name)) == {file.name, "SHA256SUMS"}


def test_without_fonts_it_says_at_once_what_to_install(report, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pylopdf_fonts_zh_cn", None)
    with pytest.raises(InputError, match="pip install pylopdf-fonts-zh-cn"):
        fonts.font_files()
    with pytest.raises(InputError, match="pip install pylopdf-fonts-zh-cn"):
        write_report(report, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a word of POSIX")
def test_killed_at_any_moment_no_report_stands_by_half(nasty_city, tmp_path):
    """Killed within its writing, the earlier report or none is there; the next run clears up."""
    nasty_city.save(tmp_path / "city")
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "planner.cli", "report", "--kind", "coverage", "--year", "2023"),
        *("--city", str(tmp_path / "city"), "--service", "menopause_clinic"),
        *("--out", str(out), "--format", "docx,xlsx,gpkg,json"),
    ]
    folder = out / "coverage-2023"
    for wait in (0.0, 0.3):
        _kill_while_writing(command, out, wait)
        assert not folder.exists()
    subprocess.run(command, check=True, capture_output=True)
    assert sorted(path.name for path in out.iterdir()) == ["coverage-2023"]
    before = state(folder)
    _kill_while_writing(command, out, 0.2)
    assert state(folder) == before


def _kill_while_writing(command, out, wait):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        if out.is_dir() and any(path.name.startswith(".coverage") for path in out.iterdir()):
            break
        time.sleep(0.005)
    time.sleep(wait)
    assert process.poll() is None, process.communicate()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
