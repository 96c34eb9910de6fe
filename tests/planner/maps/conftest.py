import pytest

from tests.planner.maps.hamlet import hamlet


@pytest.fixture(scope="session")
def city():
    return hamlet()
