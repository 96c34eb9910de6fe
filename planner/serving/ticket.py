"""The ticket: the cookie that shows who has come in, whatever let them in."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from bokeh.server.auth_provider import AuthProvider
from bokeh.util.token import get_session_id
from tornado.websocket import WebSocketHandler

from planner.serving.identity import Identity

if TYPE_CHECKING:
    from tornado.web import RequestHandler

    from planner.store.accounts import Accounts, Role

COOKIE = "planner_session"
DAYS = 7
"""For how many days a ticket holds at most."""


class TicketProvider(AuthProvider):
    """Lets in who shows a ticket.

    Parameters
    ----------
    accounts
        Who may come in.
    otherwise
        Role of those whom no account names; None lets them not in.
    """

    def __init__(self, accounts: Accounts, otherwise: Role | None = None) -> None:
        self.accounts, self.otherwise = accounts, otherwise
        super().__init__()

    @property
    def get_user(self) -> Any:
        """Tell who makes a request, None for nobody that may."""
        return self._user

    @property
    def get_user_async(self) -> Any:
        """Nothing: `get_user` waits for nobody."""
        return None

    @property
    def login_url(self) -> str:
        """Where one comes in."""
        return "/login"

    @property
    def get_login_url(self) -> Any:
        """Nothing: it is the same for all requests."""
        return None

    @property
    def logout_url(self) -> str:
        """Where one goes out again."""
        return "/logout"

    def _user(self, handler: Any) -> str | None:
        bearer = bearer_of(handler, self.accounts, self.otherwise)
        name = None if bearer is None else bearer.name
        handler.request.planner_user = name
        if name is not None and isinstance(handler, WebSocketHandler):
            return name if _own_session(handler, name) else None
        return name


def hand_out(
    handler: RequestHandler, name: str, stamp: str, *, days: float = DAYS, secure: bool = False
) -> None:
    """Hand out a ticket with an answer.

    Parameters
    ----------
    handler
        What answers.
    name
        Whom it lets in.
    stamp
        Of their account, empty for one whom no account names.
    days
        For how long it holds.
    secure
        Whether the browser is to show it over https alone; so it is where it came by https.
    """
    handler.set_signed_cookie(
        COOKIE,
        json.dumps([name, stamp, int(time.time() + days * 86_400)]),
        expires_days=days,
        path=below(handler),
        httponly=True,
        samesite="Lax",
        secure=secure or handler.request.protocol == "https",
    )


def take_back(handler: RequestHandler) -> None:
    """Have the browser forget its ticket."""
    handler.clear_cookie(COOKIE, path=below(handler))


def bearer_of(handler: Any, accounts: Accounts, otherwise: Role | None = None) -> Identity | None:
    """Tell whose ticket a request shows; None where it shows none that holds.

    Parameters
    ----------
    handler
        What answers the request.
    accounts
        Who may come in.
    otherwise
        Role of those whom no account names; None lets them not in.
    """
    held = handler.get_signed_cookie(COOKIE, max_age_days=DAYS)
    try:
        name, stamp, until = json.loads(held or b"null")
    except (ValueError, TypeError):
        return None
    if time.time() >= until:
        return None
    account = accounts.find(name)
    # A stamp with no account was that of one which is gone.
    guest = account is None and otherwise is not None and not stamp
    lets_in = guest if account is None else account.stamp == stamp
    return Identity(name=name, accounts=accounts, otherwise=otherwise) if lets_in else None


def next_page(asked: str, home: str) -> str:
    """Tell where to go after the login: a page of this server, whatever was asked.

    Examples
    --------
    >>> [next_page(one, "/") for one in ("/?tab=plan", "//evil.example", "https://evil.example")]
    ['/?tab=plan', '/', '/']
    """
    own = asked.startswith("/") and not asked.startswith("//") and asked.isprintable()
    return asked if own and "\\" not in asked else home


def below(handler: RequestHandler) -> str:
    """Path below which this server's pages lie."""
    prefix: str = getattr(handler.application, "prefix", "")
    return f"{prefix}/"


def _own_session(handler: Any, name: str) -> bool:
    """Whether the session that a socket wants is its user's own, or is still to be made."""
    words = handler.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    try:
        session = handler.application_context.get_session(get_session_id(words[-1].strip()))
    except Exception:  # noqa: BLE001 - there is none, or the token is none, which is seen later
        return True
    begun = session.document.session_context.request
    return getattr(begun, "planner_user", None) == name
