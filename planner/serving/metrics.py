"""How the server fares: an address that says it is well, and figures for Prometheus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from tornado.web import HTTPError, RequestHandler

from planner.serving.address import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Figures = Mapping[str, tuple[str, float | Mapping[str, float]]]
"""What each figure is, and its value, or its values by state."""

_LOGINS = Counter("planner_logins", "Attempts to enter, by what came of them.", ["outcome"])
_ANSWERS = Counter("planner_http_answers", "Answers, by their status.", ["status"])
_SECONDS = Histogram(
    "planner_http_seconds",
    "Time to an answer.",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


def count_login(outcome: str) -> None:
    """Count an attempt to enter: ``let_in``, ``refused`` or ``locked``."""
    _LOGINS.labels(outcome).inc()


def note_answer(handler: Any) -> None:
    """Count an answer; Tornado calls this instead of writing addresses into a log."""
    _ANSWERS.labels(str(handler.get_status())).inc()
    _SECONDS.observe(handler.request.request_time())


class Gauges:
    """Figures read when somebody asks for them.

    Parameters
    ----------
    read
        Gives the figures by their names.
    """

    def __init__(self, read: Callable[[], Figures]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give every figure, as the library's registry asks for it."""
        for name, (told, value) in self._read().items():
            if isinstance(value, (int, float)):
                yield GaugeMetricFamily(name, told, value=value)
                continue
            family = GaugeMetricFamily(name, told, labels=["state"])
            for state, count in value.items():
                family.add_metric([state], count)
            yield family


class HealthHandler(RequestHandler):
    """Says that the server answers, and whether its store does."""

    def initialize(self, well: Callable[[], Mapping[str, bool]]) -> None:
        """Take what looks at each part."""
        self._well = well

    def get(self) -> None:
        """Answer 200, or 503 where a part is not well."""
        parts = dict(self._well())
        well = all(parts.values())
        self.set_status(200 if well else 503)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps({"status": "ok" if well else "unwell", **parts}))


class MetricsHandler(RequestHandler):
    """Gives the figures in Prometheus's form, to this machine and to administrators."""

    def initialize(self, gauges: Gauges, may: Callable[[Any], bool]) -> None:
        """Take the figures, and what tells whether a request is an administrator's."""
        self._gauges, self._may = gauges, may

    def get(self) -> None:
        """Answer with every figure."""
        # Behind a proxy the address is that of whoever asked the proxy.
        if not is_loopback(self.request.remote_ip) and not self._may(self):
            raise HTTPError(403)
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.set_header("Cache-Control", "no-store")
        self.write(generate_latest(REGISTRY))
        self.finish(generate_latest(_Only(self._gauges)))


class _Only:
    """A registry of some figures alone."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        return self._gauges.collect()
