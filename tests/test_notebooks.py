"""Every notebook runs in a clean kernel, from top to bottom, and carries no outputs."""

import asyncio
import os
import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from tests.documents import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
_PATIENCE_S = 300


def opened(path):
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def test_the_guide_lists_them():
    guide = (ROOT / "docs" / "guide" / "notebooks.md").read_text(encoding="utf-8")
    assert re.findall(r"`(\w+\.ipynb)`", guide) == [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_headings_are_english_and_outputs_are_stripped(path):
    notebook = opened(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
        else:
            for heading in re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE):
                assert not re.search(r"[\u4e00-\u9fff]", heading)
    assert any("模拟" in cell.source for cell in notebook.cells)


# Warnings of the kernel's own libraries are not this project's.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path[1:2]]))
    client = NotebookClient(
        opened(path),
        timeout=_PATIENCE_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.create_kernel_manager()
    client.km.kernel_spec.argv[0] = sys.executable
    done = asyncio.run(client.async_execute())
    said = [output for cell in done.cells for output in cell.get("outputs", [])]
    assert said
    # A warning is a matter for whoever reads the notebook too.
    assert not [one.text for one in said if one.get("name") == "stderr" and "Warning" in one.text]
