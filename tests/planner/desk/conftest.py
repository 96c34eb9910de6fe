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
