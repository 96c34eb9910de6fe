"""The lowest versions that pyproject.toml allows, as constraints for pip.

    python scripts/lowest.py [EXTRA …]

Only what is named there is pinned; what it pulls in is for pip to choose.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BOUND = re.compile(r"^(?P<name>[\w.-]+)(?:\[[^]]*\])?>=(?P<version>[\w.]+)")


def lowest(project: dict[str, object], extras: list[str]) -> list[str]:
    """Turn lower bounds into pins.

    Raises
    ------
    ValueError
        A dependency has no lower bound.
    """
    optional = project["optional-dependencies"]
    assert isinstance(optional, dict)
    wanted = [*project["dependencies"], *(one for extra in extras for one in optional[extra])]  # type: ignore[misc]
    pins = []
    for one in wanted:
        if one.startswith(f"{project['name']}["):
            continue
        found = _BOUND.match(one)
        if found is None:
            raise ValueError(f"{one} has no lower bound")
        pins.append(f"{found['name']}=={found['version']}")
    return pins


if __name__ == "__main__":
    with (ROOT / "pyproject.toml").open("rb") as file:
        print(*lowest(tomllib.load(file)["project"], sys.argv[1:] or ["postgis"]), sep="\n")
