"""The direction of imports: layers, planner's core, maps and report, desk, app."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLACES = [
    "layers",
    "planner",
    "planner.maps",
    "planner.report",
    "planner.jobs",
    "planner.serving",
    "planner.desk",
    "planner.cli",
    "app",
]


def place(module: str) -> int:
    """How far along the chain a module stands."""
    fitting = [p for p in PLACES if module == p or module.startswith(f"{p}.")]
    return PLACES.index(max(fitting, key=len))


def modules():
    for folder in ("layers", "planner"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), path
    yield "app", ROOT / "app.py"


def imported(path: Path):
    """Our modules that a file imports, those for type checkers alone left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: str(value)[-40:])
def test_imports_run_one_way(module, path):
    for name in imported(path):
        if name.split(".")[0] not in {"layers", "planner", "app"}:
            continue
        # `planner` itself hands out its core; its parts stand where they stand.
        assert place(name) <= place(module), f"{module} imports {name}"


def test_maps_and_report_do_not_know_each_other():
    for module, path in modules():
        if module.startswith("planner.maps"):
            assert not [name for name in imported(path) if name.startswith("planner.report")]
        if module.startswith("planner.report"):
            assert not [name for name in imported(path) if name.startswith("planner.desk")]
