"""Passwords: kept as salted hashes of scrypt, which cost whoever guesses as much as a login."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

from layers.errors import InputError
from layers.messages import text

# 32 MiB and about a tenth of a second a guess (RFC 7914; OWASP's cheat sheet names 2^17 for
# r = 8 alone, which would let twenty logins at once take 2.5 GiB).
_N, _R, _P = 2**15, 8, 1
_MEMORY = 64 * 2**20
_LEAST = 10
_LONGEST = 256
_VARIETY = 5


def hashed(password: str) -> str:
    """Hash a password with a salt of its own.

    Examples
    --------
    >>> kept = hashed("long enough 123")
    >>> matches("long enough 123", kept), matches("another one 123", kept)
    (True, False)
    """
    salt = secrets.token_bytes(16)
    made = _scrypt(password, salt, _N, _R, _P)
    return f"scrypt${_N}${_R}${_P}${_words(salt)}${_words(made)}"


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one whose hash is kept, in the same time whatever is kept.

    Parameters
    ----------
    password
        What was typed.
    kept
        What `hashed` gave; nothing matches None.
    """
    if kept is None or len(password) > _LONGEST:
        # As long as a real comparison takes, so that it does not tell which names there are.
        _scrypt("", b"nobody", _N, _R, _P)
        return False
    _, n, r, p, salt, made = kept.split("$")
    tried = _scrypt(password, b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(tried, b64decode(made))


def refuse_weak(password: str, *, name: str) -> None:
    """Refuse a password that is soon guessed.

    Raises
    ------
    InputError
        It is short, long beyond reason, of few different characters, or holds the name.
    """
    weak = (
        not _LEAST <= len(password) <= _LONGEST
        or len(set(password)) < _VARIETY
        or (len(name) >= _VARIETY and name.casefold() in password.casefold())
    )
    if weak:
        raise InputError(text("entry.weak", least=_LEAST, variety=_VARIETY))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY
    )


def _words(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")
