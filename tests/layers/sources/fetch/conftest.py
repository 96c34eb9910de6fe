import pytest

from tests.layers.sources.fetch.server import Server


@pytest.fixture
def server(monkeypatch):
    """Server on loopback; nothing else is asked."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Server() as made:
        yield made
