"""Login with a password: its page, its cookie, and what slows down whoever guesses."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

from bokeh.server.auth_provider import AuthProvider
from bokeh.util.token import get_session_id
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from layers.errors import LoginLockedError, LoginRefusedError
from layers.messages import LANGUAGES, Language, speaking, text
from layers.resources import data_path
from planner.serving.metrics import count_login

if TYPE_CHECKING:
    from planner.store.accounts import Account, Accounts

COOKIE = "planner_session"
DAYS = 7
"""For how many days a login holds."""
# Each guess costs 32 MiB while it is looked at.
_CHECKS = ThreadPoolExecutor(2, "logins")
_SLOWEST_S = 2.0
_FIRST_S = 0.1
_PAGE = "login.html"


class LoginProvider(AuthProvider):
    """Lets in who shows the cookie of an account.

    Parameters
    ----------
    accounts
        Who may come in.
    """

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
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
        """Where the page is."""
        return "/login"

    @property
    def get_login_url(self) -> Any:
        """Nothing: it is the same for all requests."""
        return None

    @property
    def login_handler(self) -> Any:
        """What answers there."""
        return type("Login", (LoginHandler,), {"accounts": self.accounts})

    @property
    def logout_url(self) -> str:
        """Where one goes out again."""
        return "/logout"

    @property
    def logout_handler(self) -> Any:
        """What answers there."""
        return LogoutHandler

    def _user(self, handler: Any) -> str | None:
        account = account_of(handler, self.accounts)
        name = None if account is None else account.name
        handler.request.planner_user = name
        if name is not None and isinstance(handler, WebSocketHandler):
            return name if _own_session(handler, name) else None
        return name


def account_of(handler: Any, accounts: Accounts) -> Account | None:
    """Tell whose cookie a request shows; None where it shows none that holds."""
    held = handler.get_signed_cookie(COOKIE, max_age_days=DAYS)
    try:
        name, stamp = json.loads(held or b"null")
    except (ValueError, TypeError):
        return None
    account = accounts.find(name)
    return account if account is not None and account.stamp == stamp else None


def _own_session(handler: Any, name: str) -> bool:
    """Whether the session that a socket wants is its user's own, or is still to be made."""
    words = handler.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    try:
        session = handler.application_context.get_session(get_session_id(words[-1].strip()))
    except Exception:  # noqa: BLE001 - there is none, or the token is none, which is seen later
        return True
    begun = session.document.session_context.request
    return getattr(begun, "planner_user", None) == name


class LoginHandler(RequestHandler):
    """Shows the page and takes what is written into it."""

    accounts: Accounts

    def get(self) -> None:
        """Show the page."""
        self._show()

    async def post(self) -> None:
        """Let somebody in, or say why not."""
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            self._show("entry.page.stale", status=403)
            return
        name = self.get_body_argument("username", "", strip=False)
        password = self.get_body_argument("password", "", strip=False)
        loop = asyncio.get_running_loop()
        try:
            look = partial(self.accounts.check, name, password)
            account = await loop.run_in_executor(_CHECKS, look)
        except LoginLockedError as locked:
            count_login("locked")
            self.set_header("Retry-After", str(int(locked.seconds) + 1))
            minutes = int(locked.seconds // 60) + 1
            self._show("entry.page.locked", status=429, name=name, minutes=minutes)
        except LoginRefusedError:
            count_login("refused")
            failures = await loop.run_in_executor(None, self.accounts.failures, name)
            await asyncio.sleep(min(_FIRST_S * 2 ** max(0, failures - 1), _SLOWEST_S))
            self._show("entry.page.refused", status=401, name=name)
        else:
            count_login("let_in")
            self._let_in(account)

    def _let_in(self, account: Account) -> None:
        self.set_signed_cookie(
            COOKIE,
            json.dumps([account.name, account.stamp]),
            expires_days=DAYS,
            path=_below(self),
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        self.redirect(next_page(self.get_query_argument("next", ""), _below(self)), status=303)

    def _show(self, told: str = "", *, status: int = 200, name: str = "", **values: Any) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        words = {
            f"{key}_{lang}": escape(text(f"entry.page.{key}", lang))
            for key in ("title", "name", "password", "enter", "help")
            for lang in LANGUAGES
        }
        told_ = "".join(f"<p lang='{lang}'>{_said(told, lang, values)}</p>" for lang in LANGUAGES)
        page = Template(data_path(_PAGE).read_text(encoding="utf-8"))
        # The prefix's own cookie path: `xsrf_form_html` sets the cookie as it goes.
        self.finish(
            page.substitute(
                words,
                alert=f'<div class="alert" role="alert">{told_}</div>' if told else "",
                xsrf=self.xsrf_form_html(),
                name=escape(name[:64]),
            )
        )

    def write_error(self, status_code: int, **_more: Any) -> None:
        """Say no more than what went wrong."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")


class LogoutHandler(RequestHandler):
    """Goes out: the cookie is worth nothing here any more."""

    def get(self) -> None:
        """Forget the cookie, and show the login again."""
        # A page of somebody else may only lead here, which costs no more than a new login.
        self.clear_cookie(COOKIE, path=_below(self))
        self.redirect("./login")


def next_page(asked: str, home: str) -> str:
    """Tell where to go after the login: a page of this server, whatever was asked.

    Examples
    --------
    >>> [next_page(one, "/") for one in ("/?tab=plan", "//evil.example", "https://evil.example")]
    ['/?tab=plan', '/', '/']
    """
    own = asked.startswith("/") and not asked.startswith("//") and asked.isprintable()
    return asked if own and "\\" not in asked else home


def _below(handler: RequestHandler) -> str:
    """Path below which this server's pages lie."""
    prefix: str = getattr(handler.application, "prefix", "")
    return f"{prefix}/"


def _said(told: str, lang: Language, values: dict[str, Any]) -> str:
    with speaking(lang):
        return escape(text(told, lang, **values)) if told else ""
