"""Every block of code in README and docs does what a reader expects when it is typed."""

import re
import shlex
import subprocess
import tomllib

import pandas as pd
import pytest

from layers import embedded
from planner.cli import _parser
from tests.documents import PAGES, ROOT, block, blocks, shell, small_cache

LANGUAGES = {"sh", "python", "toml", "text"}

# Blocks that are tried elsewhere, by page and mark.
ELSEWHERE = {
    "README.md": {
        "main": ".ci/run installs so, and tests/test_wheel.py asks the installed program",
        "tests": ".ci/run types it",
        "build": "tests/test_readme.py",
        "report": "docs/reports.md has the same, as held below",
    },
    "docs/guide/first-map.md": {"install": "below, against the README's"},
    "docs/guide/notebooks.md": {"notebooks": "below, against the README's"},
    "CONTRIBUTING.md": {"tasks": "tests/test_scripts.py"},
    "docs/data.md": dict.fromkeys(["first", "second"], "tests/test_docs_data.py"),
    "docs/siting.md": dict.fromkeys(
        ["first", "problem", "problem-run", "python", "infeasible"],
        "tests/planner/siting/test_docs.py",
    ),
}
ONLINE = "online"
"""Mark of what needs a server of others; it must be understood, and is not sent."""


def values(folder):
    """Entered values, as an office has them in a table."""
    table = {"target": ["life_expectancy"], "year": [2023], "value": [85.4]}
    pd.DataFrame(table).to_excel(folder / "填报.xlsx", index=False)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder to type in, where the cities that pages speak of are the small one."""
    cache = small_cache(tmp_path / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("hangzhou-core", "pilot"):
        embedded("small").save(folder / "cities" / name)
    values(folder)
    for name in ("constraints.txt", "app.py"):
        (folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(folder)
    return folder


def mine(page):
    """Blocks of a page that nobody else tries."""
    return [one for one in blocks(page) if one.mark not in ELSEWHERE.get(page, {})]


def test_every_page_is_looked_at():
    assert {"README.md", "docs/data.md", "docs/guide/first-map.md"} <= set(PAGES)
    for page, marks in ELSEWHERE.items():
        for mark in marks:
            assert block(page, mark)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page):
    for one in blocks(page):
        assert one.lang in LANGUAGES, one
    # As many fences as the blocks have: none is left open, none escapes the pattern.
    fences = re.findall(r"^\s*```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * len(blocks(page))


@pytest.mark.parametrize("page", [page for page in PAGES if mine(page)])
def test_a_page_from_top_to_bottom(page, desk):
    for one in mine(page):
        if one.mark == ONLINE:
            understood(one)
        elif one.lang == "sh":
            done = shell(desk, one.code)
            assert done.returncode == 0, f"{one}\n{done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr
        elif one.lang == "python":
            exec(compile(one.code, str(one), "exec"), {"__name__": "__main__"})  # noqa: S102
        elif one.lang == "toml":
            # A table that has a mark is a file of that name.
            assert tomllib.loads(one.code)
            (desk / f"{one.mark or 'unnamed'}.toml").write_text(one.code, encoding="utf-8")


def understood(one):
    """Every command of a block is one that the program knows, with its options."""
    joined = one.code.replace("\\\n", " ")
    commands = [line for line in joined.splitlines() if line.startswith("planner ")]
    assert commands, one
    for line in commands:
        words = shlex.split(line, comments=True)[1:]
        assert callable(_parser(words).parse_args(words).run)


def test_the_report_of_the_readme_is_one_that_the_page_of_reports_writes():
    (line,) = block("README.md", "report").splitlines()
    written = [one.code for one in blocks("docs/reports.md")]
    asked, _, _ = line.partition(" --lang")
    assert any(asked in code for code in written)
    assert any("--lang both" in code for code in written)


@pytest.mark.parametrize("page", ["docs/guide/first-map.md", "docs/guide/notebooks.md"])
def test_installing_as_the_readme_does(page):
    (code,) = [one.code for one in blocks(page) if one.mark in {"install", "notebooks"}]
    readme = block("README.md", "main") + block("README.md", "tests")
    for line in code.splitlines():
        if "pip install" in line:
            wanted = line.partition("pip install")[2].split()
            assert all(word in readme for word in wanted), line
    assert subprocess.run(["bash", "-n", "-c", code], check=False).returncode == 0
