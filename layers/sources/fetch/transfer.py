"""One file from one address: resumed where it broke off, checked, and kept with its record."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from layers.errors import SourceError
from layers.messages import text
from layers.sources.fetch.client import Again, Client, GaveUpError
from layers.sources.fetch.record import Record, checksum, settle, write_whole

_CHUNK = 1 << 18
_MD5_LENGTH = 32
_FRESH = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file to be downloaded.

    Attributes
    ----------
    address
        Where from.
    path
        Where to.
    sound
        Raises a `SourceError` for content that is cut short or of another kind.
    source, licence
        Whose data, under which licence.
    sha256
        Checksum that it must have, where known.
    md5_beside
        Whether the server may have an MD5 of it at the address with ``.md5`` added.
    """

    address: str
    path: Path
    sound: Callable[[Path], None]
    source: str = ""
    licence: str = ""
    sha256: str = ""
    md5_beside: bool = False


@dataclass(frozen=True, kw_only=True)
class _State:
    """What a half-downloaded file is a half of."""

    address: str
    total: int
    etag: str
    last_modified: str

    @property
    def validator(self) -> str:
        """What tells this state of the file from others; a weak tag does not."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


def download(client: Client, wanted: Wanted) -> Record:
    """Download a file, unless the one there is still the server's.

    A download that was stopped goes on where it stopped, if the server can do that and
    its file is still the same. What is given the file's name is whole, sound and has the
    checksum that it must have.

    Parameters
    ----------
    client
        Who asks.
    wanted
        What for.

    Raises
    ------
    SourceError
        The server cannot be reached or refuses, or what it sends is unsound.
    """
    return _Download(client, wanted).run()


class _Download:
    def __init__(self, client: Client, wanted: Wanted) -> None:
        self.client, self.wanted = client, wanted
        path = wanted.path
        # Its ending stays, by which readers know its kind.
        self.part = path.with_name(f".part-{path.name}")
        self.state_path = path.with_name(f".part-{path.name}.json")
        self.unsound = 0

    def run(self) -> Record:
        path, address = self.wanted.path, self.wanted.address
        here = Record.of_whole(path)
        if here and (here.address != address or not self._has_sum(here)):
            here = None
        if here and self.wanted.sha256:
            return here
        if here is None:
            return self.client.patiently(address, self._attempt)
        try:
            return self.client.patiently(address, lambda: self._attempt(here), tries=2)
        except GaveUpError:
            # Better the copy of last time than none; its record says of when it is.
            self.client.progress(text("fetch.kept", name=path.name, fetched=here.fetched), None)
            return here

    def _has_sum(self, record: Record) -> bool:
        return self.wanted.sha256.lower() in {"", record.sha256}

    def _attempt(self, here: Record | None = None) -> Record:
        state = self._state()
        done = self.part.stat().st_size if state else 0
        if state and done == state.total:
            return self._finish(state)
        headers = {"Accept-Encoding": "identity"}
        if state:
            headers |= {"Range": f"bytes={done}-", "If-Range": state.validator}
        elif here and here.etag:
            headers["If-None-Match"] = here.etag
        elif here and here.last_modified:
            headers["If-Modified-Since"] = here.last_modified
        with self.client.ask(self.wanted.address, headers=headers) as response:
            if here and response.status_code == requests.codes.not_modified:
                return here
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                self._forget()
                raise Again(text("fetch.changed"))
            state = self._begin(response, state, done)
            self._receive(response, state)
        return self._finish(state)

    def _state(self) -> _State | None:
        """State of the half that is there, if it can be gone on with."""
        try:
            state = _State(**json.loads(self.state_path.read_text(encoding="utf-8")))
            size = self.part.stat().st_size
        except (OSError, ValueError, TypeError):
            return None
        fits = state.address == self.wanted.address and state.validator and 0 < size <= state.total
        return state if fits else None

    def _begin(self, response: requests.Response, state: _State | None, done: int) -> _State:
        """Make ready for the content, after the half that is there or from the start."""
        if state and response.status_code == requests.codes.partial_content:
            rest = f"bytes {done}-{state.total - 1}/{state.total}"
            if response.headers.get("Content-Range") == rest:
                return state
            self._forget()
            raise Again(text("fetch.changed"))
        said = response.headers
        length = said.get("Content-Length", "")
        state = _State(
            address=self.wanted.address,
            total=int(length) if length.isdigit() else 0,
            etag=said.get("ETag", ""),
            last_modified=said.get("Last-Modified", ""),
        )
        self._forget()
        self.part.touch()
        write_whole(self.state_path, json.dumps(asdict(state)).encode())
        return state

    def _receive(self, response: requests.Response, state: _State) -> None:
        name = self.wanted.path.name
        with self.part.open("ab") as stream:
            # As it lies on the server: an .osm.gz must not be unpacked on the way.
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                stream.write(chunk)
                done = stream.tell()
                share = done / state.total if state.total else 0.0
                self.client.progress(text("fetch.getting", name=name, mb=done / 1e6), share)
            done = stream.tell()
        if state.total and done != state.total:
            if done > state.total:
                self._forget()
            raise Again(text("fetch.short", done=done, total=state.total))

    def _finish(self, state: _State) -> Record:
        """Check what came, write its record and give it its name."""
        wanted = self.wanted
        self.client.progress(text("fetch.checking", name=wanted.path.name), None)
        found = checksum(self.part)
        md5 = self._md5_beside()
        try:
            _same(wanted.address, wanted.sha256.lower(), found)
            if md5:
                _same(wanted.address, md5, checksum(self.part, "md5"))
            wanted.sound(self.part)
        except SourceError as wrong:
            self._forget()
            self.unsound += 1
            reason = str(wrong).replace(str(self.part), wanted.path.name)
            if self.unsound > 1:
                said = {"address": wanted.address, "reason": reason}
                raise SourceError(text("error.fetch_unsound", **said)) from wrong
            raise Again(reason) from wrong
        record = Record(
            address=wanted.address,
            fetched=now(),
            sha256=found,
            size=self.part.stat().st_size,
            source=wanted.source,
            licence=wanted.licence,
            etag=state.etag,
            last_modified=state.last_modified,
        )
        record.write(wanted.path)
        settle(self.part, wanted.path)
        self._forget()
        return record

    def _md5_beside(self) -> str:
        """MD5 that the server has beside the file, empty where it has none."""
        if not self.wanted.md5_beside or "?" in self.wanted.address:
            return ""
        address = f"{self.wanted.address}.md5"

        def ask() -> str:
            with self.client.ask(address) as response:
                return next(response.iter_content(1 << 10), b"").decode("ascii", "replace")

        # Without one the file itself must do.
        with suppress(SourceError):
            word = self.client.patiently(address, ask, tries=2).partition(" ")[0].strip().lower()
            if len(word) == _MD5_LENGTH and all(letter in "0123456789abcdef" for letter in word):
                return word
        return ""

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.state_path.unlink(missing_ok=True)


def now() -> str:
    """Tell the time in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def is_fresh(record: Record) -> bool:
    """Whether a file was downloaded within the last days, so that it need not be again."""
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(record.fetched)
    except (ValueError, TypeError):
        return False
    return age < _FRESH


def _same(address: str, wanted: str, found: str) -> None:
    if wanted and wanted != found:
        said = {"address": address, "wanted": wanted, "found": found}
        raise SourceError(text("error.fetch_checksum", **said))
