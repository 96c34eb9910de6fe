"""A small city, and a desk that asks who comes in."""

import pytest

from planner.store import Store
from tests.planner.maps.hamlet import hamlet
from tests.planner.serving.server import desk, environment

PASSWORDS = {"zhao": "correct horse 1", "qian": "battery staple 2", "sun": "lamp and river 3"}
ROLES = {"zhao": "administrator", "qian": "planner", "sun": "viewer"}


@pytest.fixture(scope="session")
def village(tmp_path_factory):
    """A city's folder."""
    return hamlet().save(tmp_path_factory.mktemp("city") / "hamlet").path


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A user's folder with three accounts."""
    folder = tmp_path_factory.mktemp("house")
    with Store(environment(folder)["PLANNER_STORE"]) as store:
        for name, role in ROLES.items():
            store.accounts.add(name, role, PASSWORDS[name])
    return folder


@pytest.fixture(scope="module")
def guarded(house, village):
    """A desk with a login."""
    with desk(house, village, "--login") as url:
        yield url
