"""An attempt to enter by a provider: what the browser keeps until it comes back."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tornado.web import RequestHandler

MINUTES = 10
"""For how long an attempt holds."""
_PREFIX = "planner_login_"
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
_SHOWN = 12
# Each costs some hundred bytes of every request to the login.
_MOST = 8
_LONGEST_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt to enter.

    Attributes
    ----------
    state
        Comes back with the browser, so that nobody is entered by somebody else's attempt.
    nonce
        Comes back in the provider's token, so that no other token is taken for this one's.
    verifier
        Shown with the code, so that a code is worth nothing to who lacks it (PKCE, RFC 7636).
    page
        Where to go in the end.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    page: str

    @classmethod
    def begin(cls, page: str) -> Self:
        """Begin one that leads to a page of this server.

        Examples
        --------
        >>> Attempt.begin("/?tab=plan")
        Attempt(page='/?tab=plan')
        """
        # An address too long for a cookie is given up rather than the login.
        kept = page if len(page.encode()) <= _LONGEST_PAGE else ""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state=state, nonce=nonce, verifier=verifier, page=kept)

    @classmethod
    def of(cls, handler: RequestHandler, state: str) -> Self | None:
        """Read the one that a browser has come back with; None where it began none such.

        Parameters
        ----------
        handler
            What answers.
        state
            What the address says.
        """
        if not _STATE.fullmatch(state):
            return None
        held = handler.get_signed_cookie(_name(state), max_age_days=MINUTES / 1440)
        try:
            own, nonce, verifier, page = json.loads(held or b"null")
        except (ValueError, TypeError):
            return None
        if not hmac.compare_digest(own.encode(), state.encode()):
            return None
        return cls(state=own, nonce=nonce, verifier=verifier, page=page)

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def keep(self, handler: RequestHandler, *, path: str, secure: bool) -> None:
        """Give it to the browser, which may have others: several pages may be opened at once."""
        held = [name for name in handler.cookies if name.startswith(_PREFIX)]
        if len(held) >= _MOST:
            for name in held:
                handler.clear_cookie(name, path=path)
        handler.set_signed_cookie(
            _name(self.state),
            json.dumps([self.state, self.nonce, self.verifier, self.page]),
            expires_days=MINUTES / 1440,
            path=path,
            httponly=True,
            samesite="Lax",
            secure=secure,
        )

    def forget(self, handler: RequestHandler, *, path: str) -> None:
        """Have the browser forget it: it leads in once."""
        handler.clear_cookie(_name(self.state), path=path)


def _name(state: str) -> str:
    return _PREFIX + state[:_SHOWN]
