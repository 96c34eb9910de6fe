"""The entry: who may come in, by a login of the program's own or by OAuth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from layers.errors import InputError
from layers.messages import text
from planner.serving.address import is_loopback
from planner.serving.identity import LOCAL, Identity
from planner.serving.login import LoginProvider
from planner.serving.oauth import OAuthProvider
from planner.serving.ticket import bearer_of

if TYPE_CHECKING:
    from planner.serving.provider import OAuth
    from planner.store.accounts import Accounts, Role


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Who may come in.

    Attributes
    ----------
    accounts
        Those who may, with their roles.
    secret
        Signs cookies and sessions; the same for all servers behind one proxy.
    oauth
        A provider of identities instead of passwords.
    """

    accounts: Accounts
    secret: str = field(repr=False)
    oauth: OAuth | None = None

    def __post_init__(self) -> None:
        """Refuse an entry that nobody can pass.

        Raises
        ------
        InputError
            There is no administrator, or none with a password.
        """
        heads = [one for one in self.accounts.every() if one.role == "administrator"]
        if not any(one.has_password or self.oauth for one in heads):
            raise InputError(text("entry.nobody"))

    def identity(self, request: Any) -> Identity:
        """Tell who a session belongs to, of the request that began it.

        Raises
        ------
        InputError
            Nobody has come in with that request.
        """
        name = getattr(request, "planner_user", None)
        if not isinstance(name, str) or not name:
            raise InputError(text("entry.refused"))
        return Identity(name=name, accounts=self.accounts, otherwise=self._otherwise)

    def may(self, handler: Any, role: Role) -> bool:
        """Tell whether whoever makes a request may do what wants a role."""
        bearer = bearer_of(handler, self.accounts, self._otherwise)
        return bearer is not None and bearer.may(role)

    def settings(self, prefix: str = "") -> dict[str, Any]:
        """Tell what `panel.serve` is to be called with.

        Parameters
        ----------
        prefix
            Path below which a proxy serves the desk.

        Raises
        ------
        InputError
            A provider would send people back to another path, or what looks at its tokens
            is not installed.
        """
        told: dict[str, Any] = {
            "cookie_secret": self.secret,
            "secret_key": self.secret.encode(),
            "sign_sessions": True,
            # A page's token holds what it is told of the request, in plain words.
            "include_cookies": [],
            "exclude_headers": ["Cookie", "Authorization"],
        }
        if self.oauth is None:
            return told | {"auth_provider": LoginProvider(self.accounts)}
        self.oauth.refuse_elsewhere(prefix)
        return told | {"auth_provider": OAuthProvider(self.accounts, self.oauth)}

    @property
    def _otherwise(self) -> Role | None:
        return self.oauth.role if self.oauth else None


def identity_of(entry: Entry | None, request: Any) -> Identity:
    """Tell who a session belongs to; everybody may use a desk without an entry."""
    return LOCAL if entry is None else entry.identity(request)


def refuse_open_door(address: str | None, entry: Entry | None, *, proxied: bool = False) -> None:
    """Refuse to serve to others a desk that asks nobody who they are.

    Parameters
    ----------
    address
        Where the server is to listen.
    entry
        Who may come in.
    proxied
        Whether a proxy hands on to it what comes from elsewhere.

    Raises
    ------
    InputError
        Others would reach it and there is no entry; the message names the remedy.
    """
    if entry is None and (proxied or not is_loopback(address)):
        raise InputError(text("entry.open_door", address=address or "*"))
