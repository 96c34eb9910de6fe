"""A store in a file, and one in a real PostgreSQL."""

import pytest

from planner.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """An empty place for a store, of either kind."""
    if request.param == "sqlite":
        return tmp_path / "store.sqlite"
    server = request.getfixturevalue("postgres")
    return server.address(server.database(postgis=False), schema="kept")


@pytest.fixture
def store(place):
    """An open store of either kind."""
    with Store(place) as opened:
        yield opened
