"""Login by OAuth: Panel's own, with the accounts' word on who may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.auth import OAuthProvider
from tornado.web import RequestHandler

if TYPE_CHECKING:
    from planner.store.accounts import Accounts, Role


class AskedProvider(OAuthProvider):
    """Lets in whom the provider names and an account knows, or anybody it names.

    Parameters
    ----------
    accounts
        Who may come in.
    otherwise
        Role of those whom no account names; None lets them not in.
    """

    def __init__(self, accounts: Accounts, otherwise: Role | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._accounts, self._otherwise = accounts, otherwise

    @property
    def get_user_async(self) -> Any:
        """Tell who makes a request, None for nobody that may."""
        ask = super().get_user_async

        async def get_user(handler: Any) -> str | None:
            name = await ask(handler)
            known = name and (self._otherwise or self._accounts.find(name))
            handler.request.planner_user = name if known else None
            return name if known else None

        return get_user

    @property
    def login_handler(self) -> Any:
        """What answers at the login: Panel's, with the flags that it leaves out."""
        return type("Login", (_Flagged, super().login_handler), {})


class _Flagged(RequestHandler):
    """Sets no cookie without its flags."""

    def set_cookie(self, name: str, value: Any, *args: Any, **more: Any) -> None:
        flags = {"httponly": True, "samesite": "Lax", "secure": self.request.protocol == "https"}
        super().set_cookie(name, value, *args, **{**flags, **more})
