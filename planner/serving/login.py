"""Login with a password: its form, and what slows down whoever guesses."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError, RequestHandler

from layers.errors import LoginLockedError, LoginRefusedError
from planner.serving.metrics import count_login
from planner.serving.page import show_form
from planner.serving.ticket import TicketProvider, below, hand_out, next_page, take_back

if TYPE_CHECKING:
    from planner.store.accounts import Accounts

# Each guess costs 32 MiB while it is looked at.
_CHECKS = ThreadPoolExecutor(2, "logins")
_SLOWEST_S = 2.0
_FIRST_S = 0.1


class LoginProvider(TicketProvider):
    """Lets in who knows the password of an account.

    Parameters
    ----------
    accounts
        Who may come in.
    """

    @property
    def login_handler(self) -> Any:
        """What answers at the login."""
        return type("Login", (LoginHandler,), {"accounts": self.accounts})

    @property
    def logout_handler(self) -> Any:
        """What answers at the way out."""
        return LogoutHandler


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
            hand_out(self, account.name, account.stamp)
            home = below(self)
            self.redirect(next_page(self.get_query_argument("next", ""), home), status=303)

    def _show(self, told: str = "", *, status: int = 200, name: str = "", **values: Any) -> None:
        self.set_status(status)
        show_form(self, told=told, name=name, values=values)

    def write_error(self, status_code: int, **_more: Any) -> None:
        """Say no more than what went wrong."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")


class LogoutHandler(RequestHandler):
    """Goes out: the ticket is worth nothing here any more."""

    def get(self) -> None:
        """Forget the ticket, and show the login again."""
        # A page of somebody else may only lead here, which costs no more than a new login.
        take_back(self)
        self.redirect("./login")
