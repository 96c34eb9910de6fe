import pytest

from tests.planner.desk.chromium import chromium
from tests.planner.maps.hamlet import hamlet


@pytest.fixture(scope="session")
def city():
    return hamlet()


@pytest.fixture
def chrome(tmp_path):
    """A page in a browser of its own."""
    with chromium(tmp_path) as page:
        yield page


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """Nobody's own scenarios are read or changed."""
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "own-store.sqlite"))
