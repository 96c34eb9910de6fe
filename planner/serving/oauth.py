"""Login by a provider of identities: the way to it, the way back, and the way out."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tornado.web import RequestHandler

from layers.errors import (
    InputError,
    ProviderDoubtedError,
    ProviderError,
    ProviderLostError,
    ProviderRefusedError,
)
from layers.messages import text
from planner.serving.attempt import Attempt
from planner.serving.exchange import Exchange
from planner.serving.metrics import count_login
from planner.serving.page import show_words
from planner.serving.provider import BACK, OAuth
from planner.serving.ticket import TicketProvider, below, hand_out, next_page, take_back
from planner.store.accounts import plain_name

if TYPE_CHECKING:
    from planner.store.accounts import Accounts

_log = logging.getLogger(__name__)

DAYS = 0.5
"""For how long a ticket holds: whom the provider lets in no more is out the next day."""
_LONGEST_CODE = 8192
_SHOWN = 80
_ANSWERS: tuple[tuple[type[ProviderError], str, int], ...] = (
    (ProviderRefusedError, "refused", 403),
    (ProviderLostError, "lost", 503),
    (ProviderDoubtedError, "doubted", 502),
)


class OAuthProvider(TicketProvider):
    """Lets in whom a provider of identities names and an account knows, or anybody it names.

    Parameters
    ----------
    accounts
        Who may come in.
    oauth
        The provider.

    Raises
    ------
    InputError
        What looks at its tokens is not installed.
    """

    def __init__(self, accounts: Accounts, oauth: OAuth) -> None:
        self._parts = {"accounts": accounts, "oauth": oauth, "exchange": Exchange(oauth)}
        super().__init__(accounts, oauth.role)

    @property
    def endpoints(self) -> list[tuple[str, type[RequestHandler]]]:
        """Addresses with what answers there."""
        return [*super().endpoints, (BACK, type("Back", (BackHandler,), self._parts))]

    @property
    def login_handler(self) -> Any:
        """What answers at the login."""
        return type("Login", (ThereHandler,), self._parts)

    @property
    def logout_handler(self) -> Any:
        """What answers at the way out."""
        return type("Logout", (OutHandler,), self._parts)


class _Handler(RequestHandler):
    """What all three have in common: pages in words, and logs without addresses."""

    accounts: Accounts
    oauth: OAuth
    exchange: Exchange

    @property
    def _secure(self) -> bool:
        return self.oauth.redirect.startswith("https:") or self.request.protocol == "https"

    @property
    def _path(self) -> str:
        """Path of the login, which alone is shown what an attempt left."""
        return below(self) + "login"

    def _lead(self, address: str, status: int) -> None:
        self.set_header("Cache-Control", "no-store")
        self.redirect(address, status=status)

    def _begin(self, page: str = "", *, anew: bool = False) -> str:
        """Tell where to begin an attempt that leads to a page."""
        asked = {**({"next": page} if page else {}), **({"again": "1"} if anew else {})}
        return self._path + ("?" + urlencode(asked) if asked else "")

    def _say(self, told: str, status: int, link: str, *, label: str = "again", **more: Any) -> None:
        self.set_status(status)
        show_words(self, f"oauth.page.{told}", links=[(link, f"oauth.page.{label}")], values=more)

    def _refuse(self, wrong: ProviderError, page: str) -> None:
        _log.warning("%s", wrong)
        told, status = next(
            (told, status) for kind, told, status in _ANSWERS if isinstance(wrong, kind)
        )
        count_login("refused")
        self._say(told, status, self._begin(page))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what went wrong without the address, which may hold a code."""
        where = traceback.extract_tb(tb)[-1]
        reason = f"{typ.__name__}, {Path(where.filename).name}:{where.lineno}"
        _log.error("%s", text("oauth.failed", reason=reason))
        del value

    def write_error(self, status_code: int, **_more: Any) -> None:
        """Say no more than what went wrong."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")


class ThereHandler(_Handler):
    """Leads to the provider."""

    async def get(self) -> None:
        """Begin an attempt."""
        home = below(self)
        attempt = Attempt.begin(next_page(self.get_query_argument("next", ""), home))
        anew = bool(self.get_query_argument("again", ""))
        try:
            address = await self.exchange.begin(attempt, anew=anew)
        except ProviderError as wrong:
            self._refuse(wrong, attempt.page)
            return
        attempt.keep(self, path=self._path, secure=self._secure)
        self._lead(address, 302)


class BackHandler(_Handler):
    """Lets in whom the provider sends back."""

    async def get(self) -> None:
        """Let somebody in, or say why not."""
        asked = self.get_query_argument
        attempt = Attempt.of(self, asked("state", "", strip=False))
        if attempt is None:
            count_login("refused")
            # Anybody may call here as often as they like, and fill a log.
            _log.info("%s", text("oauth.strange"))
            self._say("strange", 400, self._begin())
            return
        attempt.forget(self, path=self._path)
        try:
            self.exchange.refuse_stranger(asked("iss", ""))
            code = asked("code", "", strip=False)
            error = asked("error", None) or (
                None if 0 < len(code) <= _LONGEST_CODE else "invalid_request"
            )
            self.exchange.refuse_error(error)
            name = await self.exchange.name(code, attempt)
        except ProviderError as wrong:
            self._refuse(wrong, attempt.page)
            return
        self._admit(name, attempt)

    def _admit(self, name: str, attempt: Attempt) -> None:
        # As it is written: a name that merely looks like one of ours is none of ours.
        fit = _is_plain(name)
        account = self.accounts.find(name) if fit else None
        if account is None and (self.oauth.role is None or not fit):
            count_login("refused")
            _log.warning("%s", text("oauth.unknown"))
            shown = name[:_SHOWN].encode(errors="replace").decode()
            link = self._begin(attempt.page, anew=True)
            self._say("unknown", 403, link, label="other", name=shown)
            return
        count_login("let_in")
        stamp = "" if account is None else account.stamp
        hand_out(self, name, stamp, days=DAYS, secure=self._secure)
        home = below(self)
        self._lead(next_page(attempt.page, home), 303)


class OutHandler(_Handler):
    """Goes out: the ticket is worth nothing here any more."""

    async def get(self) -> None:
        """Forget the ticket and say so; the provider may still know whoever has left."""
        take_back(self)
        here = urlsplit(self.oauth.redirect)
        page = here._replace(path=here.path.removesuffix(BACK) + "/logout").geturl()
        leave = await self.exchange.leave(page)
        again = self._begin(anew=True), "oauth.page.again"
        show_words(
            self,
            "oauth.page.out",
            grave=False,
            links=[again, (leave, "oauth.page.leave")] if leave else [again],
            values={},
        )


def _is_plain(name: str) -> bool:
    try:
        return plain_name(name) == name
    except InputError:
        return False
