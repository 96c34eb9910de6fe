"""Where a downloaded file comes from, told in a small file beside it."""

import hashlib
import os
import tempfile
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

import tomli_w

from layers.messages import LANGUAGES, text

_ENDING = ".source.toml"
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Record:
    """Where a file was downloaded from.

    Attributes
    ----------
    address
        The file's, or the server's that was asked for it.
    fetched
        When, as ISO 8601 in UTC.
    sha256, size
        Checksum and bytes of the file.
    source, licence, date
        Whose data, under which licence, and of when, where known.
    etag, last_modified
        What the server calls this state of the file.
    query
        What the server was asked for, where the address alone does not tell.
    made_of
        The downloaded file that this one was made of, if it is not itself one.
    """

    address: str
    fetched: str
    sha256: str
    size: int
    source: str = ""
    licence: str = ""
    date: str = ""
    etag: str = ""
    last_modified: str = ""
    query: str = ""
    made_of: str = ""

    @classmethod
    def beside(cls, path: Path) -> Self | None:
        """Read the record of a file; None where it has none that can be read."""
        try:
            table = tomllib.loads(place(path).read_text(encoding="utf-8"))
            known = {field.name for field in fields(cls)}
            return cls(**{key: value for key, value in table.items() if key in known})
        except (OSError, ValueError, TypeError):
            return None

    @classmethod
    def of_whole(cls, path: Path) -> Self | None:
        """Read the record of a file that is there, whole and unchanged; None otherwise."""
        record = cls.beside(path)
        return record if record and record.fits(path) else None

    def fits(self, path: Path) -> bool:
        """Whether a file is the one that was downloaded."""
        try:
            return path.stat().st_size == self.size and checksum(path) == self.sha256
        except OSError:
            return False

    def notes(self) -> tuple[str, ...]:
        """Sentences for a layer's provenance, in every language at once."""
        key = "fetch.note_made" if self.made_of else "fetch.note"
        values = {"address": self.address, "fetched": self.fetched}
        values |= {"made_of": self.made_of} if self.made_of else {"sha256": self.sha256}
        return (" / ".join(text(key, lang, **values) for lang in LANGUAGES),)

    def write(self, path: Path) -> None:
        """Write the record of a file, whole or not at all."""
        said = {key: value for key, value in asdict(self).items() if value != ""}
        write_whole(place(path), tomli_w.dumps(said).encode())


def place(path: Path) -> Path:
    """Where the record of a file lies.

    Examples
    --------
    >>> place(Path("zhejiang.osm.pbf")).name
    'zhejiang.osm.pbf.source.toml'
    """
    return path.with_name(path.name + _ENDING)


def checksum(path: Path, kind: str = "sha256") -> str:
    """Checksum of a file, in hexadecimal."""
    # An MD5 beside an extract guards against accidents, not against people.
    total = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file, whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as stream:
        stream.write(content)
    settle(Path(stream.name), path)


def settle(part: Path, path: Path) -> None:
    """Give a finished file its name, once the disk has it."""
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    part.chmod(0o644)
    part.replace(path)
