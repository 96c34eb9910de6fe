"""The entry: who may come in, by a login of the program's own or by OAuth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from layers.errors import InputError
from layers.messages import text
from planner.serving.address import is_loopback
from planner.serving.identity import LOCAL, Identity
from planner.serving.login import LoginProvider
from planner.serving.oauth import AskedProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.store.accounts import Accounts, Role


@dataclass(frozen=True, kw_only=True)
class OAuth:
    """A provider of identities, as Panel's own login with OAuth takes it.

    Attributes
    ----------
    provider
        One of Panel's: ``generic``, ``github``, ``azure``, ``okta``, …
    key
        Public identifier of this application.
    secret
        Its secret, never shown.
    redirect
        Address that the provider sends people back to.
    extra
        Further parameters, such as ``AUTHORIZE_URL`` and ``TOKEN_URL`` of a generic provider.
    user
        Key of the token that names the user.
    role
        Role of those whom no account names; None lets them not in.
    """

    provider: str
    key: str
    secret: str = field(repr=False)
    redirect: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str | None = None
    role: Role | None = None


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
        otherwise = self.oauth.role if self.oauth else None
        return Identity(name=name, accounts=self.accounts, otherwise=otherwise)

    def settings(self) -> dict[str, Any]:
        """Tell what `panel.serve` is to be called with."""
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
        ours = self.oauth
        return told | {
            "auth_provider": AskedProvider(self.accounts, ours.role),
            "oauth_key": ours.key,
            "oauth_secret": ours.secret,
            "oauth_redirect_uri": ours.redirect,
            "oauth_extra_params": dict(ours.extra),
            "oauth_jwt_user": ours.user,
        }


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
