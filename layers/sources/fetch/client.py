"""A polite client: one request at a time, at leisure, and patient with a busy server."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TypeVar

import requests
import urllib3

from layers.errors import SourceError
from layers.messages import text

Found = TypeVar("Found")
Progress = Callable[[str, float | None], None]
"""Told what is under way and how much of it is done, or, without that, a notice."""

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFUSED = 400
_NO_ADDRESS = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.TooManyRedirects,
)
_SHOWN = 160


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How patient and how fast a client is.

    Attributes
    ----------
    tries
        Requests at most for one thing.
    pause
        Seconds from one request to the next.
    first, longest
        Seconds to wait after the first failure, doubled after each further one, and at
        most; a server that asks for more is left alone for now.
    connect, read
        Seconds to wait for a connection, and for the next bytes.
    """

    tries: int = 6
    pause: float = 1.0
    first: float = 2.0
    longest: float = 300.0
    connect: float = 15.0
    read: float = 240.0


class Again(Exception):  # noqa: N818 - a signal to try again, not an error
    """A try that failed but may succeed later.

    Parameters
    ----------
    reason
        Why, for a reader.
    after
        Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.after = reason, after


class GaveUpError(SourceError):
    """All tries for one thing failed."""


def silent(_: str, __: float | None) -> None:
    """Tell nobody."""


@dataclass(kw_only=True)
class Client:
    """A client.

    Parameters
    ----------
    pace
        How patient it is.
    progress
        Told what it does.
    """

    pace: Pace = field(default_factory=Pace)
    progress: Progress = silent
    _last: float = field(default=float("-inf"), init=False)
    _session: requests.Session = field(default_factory=requests.Session, init=False)

    def __post_init__(self) -> None:
        """Say who asks."""
        self._session.headers["User-Agent"] = f"coverage-planner/{version('coverage-planner')}"

    def patiently(self, address: str, work: Callable[[], Found], *, tries: int = 0) -> Found:
        """Do something that asks a server, again and again until it succeeds.

        Parameters
        ----------
        address
            Whom it asks, for the message.
        work
            What to do; raises `Again` for what may succeed later.
        tries
            Tries at most; the pace's own if none.

        Raises
        ------
        GaveUpError
            No try succeeded.
        SourceError
            What no further try can help, or the server asks for a long wait.
        """
        tries = tries or self.pace.tries
        reason = ""
        for failed in range(tries):
            try:
                return work()
            except Again as again:
                reason, after = again.reason, again.after
            if after > self.pace.longest:
                raise GaveUpError(text("error.fetch_later", address=address, seconds=after))
            if failed + 1 < tries:
                usual = min(self.pace.first * 2**failed, self.pace.longest)
                wait = max(after, usual * random.uniform(0.75, 1.0))  # noqa: S311 - no secret
                self.progress(text("fetch.waiting", reason=reason, seconds=wait), None)
                time.sleep(wait)
        raise GaveUpError(text("error.fetch_failed", address=address, tries=tries, reason=reason))

    @contextmanager
    def ask(
        self,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        """Ask a server, once the pause since the last request is over.

        Yields
        ------
        The answer, its content not yet read; the status is below 400, or 416.

        Raises
        ------
        Again
            The server is busy, away or sends a page in place of data, now or while the
            content is read.
        SourceError
            It refuses, or the address is none.
        """
        time.sleep(max(0.0, self._last + self.pace.pause - time.monotonic()))
        try:
            with self._session.get(
                address,
                params=params,
                headers=dict(headers or {}),
                stream=True,
                timeout=(self.pace.connect, self.pace.read),
            ) as response:
                _refuse(address, response)
                yield response
        except _NO_ADDRESS as wrong:
            raise SourceError(
                text("error.fetch_address", address=address, reason=str(wrong))
            ) from wrong
        except requests.ConnectionError as wrong:
            raise Again(text("fetch.unreachable", reason=_shortly(wrong))) from wrong
        except (requests.RequestException, urllib3.exceptions.HTTPError) as wrong:
            raise Again(text("fetch.broken_off", reason=_shortly(wrong))) from wrong
        finally:
            self._last = time.monotonic()


def retry_after(words: str, now: datetime | None = None) -> float:
    """Seconds that a server's ``Retry-After`` asks to wait; none where it says nothing.

    Examples
    --------
    >>> retry_after("12"), retry_after(""), retry_after("soon")
    (12.0, 0.0, 0.0)
    """
    if words.strip().isdigit():
        return float(words)
    try:
        until = parsedate_to_datetime(words)
    except ValueError:
        return 0.0
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _refuse(address: str, response: requests.Response) -> None:
    status = response.status_code
    if status in _BUSY:
        after = retry_after(response.headers.get("Retry-After", ""))
        raise Again(text("fetch.busy", status=status), after)
    if status == requests.codes.requested_range_not_satisfiable:
        return
    if status >= _REFUSED:
        said = {"address": address, "status": status, "found": _words(response)}
        raise SourceError(text("error.fetch_refused", **said))
    if "text/html" in response.headers.get("Content-Type", ""):
        raise Again(text("fetch.page", found=_words(response)))


def _words(response: requests.Response) -> str:
    """First words of an answer that is a page."""
    content = next(response.iter_content(1 << 14), b"")
    # Only a glance for a human reader; not a parser of pages.
    words = content.decode(response.encoding or "utf-8", "replace")
    parts, rest = [], words
    while rest:
        before, _, rest = rest.partition("<")
        parts.append(before)
        rest = rest.partition(">")[2]
    return " ".join(" ".join(parts).split())[:_SHOWN]


def _shortly(wrong: Exception) -> str:
    """Find what went wrong below all the wrapping."""
    inner: BaseException = wrong
    while inner.args and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    reason = getattr(inner, "reason", None) or inner
    return " ".join(str(reason).split())[-_SHOWN:] or type(wrong).__name__
