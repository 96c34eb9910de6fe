"""A provider of identities, as an office enters it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from layers.errors import InputError
from layers.messages import text
from planner.serving.address import is_private
from planner.standards import unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.store.accounts import Role

BACK = "/login/back"
"""Path, below the desk's own, that a provider sends people back to."""

_OPENID = "openid"
_EXTRAS = ("AUTHORIZE_URL", "TOKEN_URL", "USER_URL", "SCOPE")


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where a provider is asked.

    Attributes
    ----------
    authorize
        Where people are sent to.
    token
        Where a code is changed for tokens.
    user
        Where it tells who the bearer of a token is; empty where it does not.
    leave
        Where people go out of it, empty where it has no such page.
    basic
        Whether this application shows its secret in a header instead of the body.
    """

    authorize: str
    token: str
    user: str = ""
    leave: str = ""
    basic: bool = False


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What is known of those without a discovery document."""

    addresses: Addresses | None
    scope: str
    user: str | None


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        _OPENID: _Kind(addresses=None, scope="openid profile email", user="preferred_username"),
        "generic": _Kind(addresses=None, scope="", user=None),
        "github": _Kind(
            addresses=Addresses(
                authorize="https://github.com/login/oauth/authorize",
                token="https://github.com/login/oauth/access_token",  # noqa: S106 - an address
                user="https://api.github.com/user",
            ),
            scope="read:user",
            user="login",
        ),
    }
)
PROVIDERS = tuple(_KINDS)
"""Kinds of providers: by OpenID Connect, by addresses of one's own, and those known by name."""


@dataclass(frozen=True, kw_only=True)
class OAuth:
    """A provider of identities, and what this application is to it.

    Attributes
    ----------
    key
        Public identifier of this application.
    secret
        Its secret, never shown.
    redirect
        Address of the desk that the provider sends people back to, with the path `BACK`.
    issuer
        Address of a provider by OpenID Connect, which tells the others; None for plain OAuth 2.
    addresses
        Those of a provider by plain OAuth 2.
    scope
        What is asked for, parted by spaces.
    user
        Key of the claims that names the user.
    role
        Role of those whom no account names; None lets them not in.
    """

    key: str
    secret: str = field(repr=False)
    redirect: str
    issuer: str | None = None
    addresses: Addresses | None = None
    scope: str = _KINDS[_OPENID].scope
    user: str = str(_KINDS[_OPENID].user)
    role: Role | None = None

    def __post_init__(self) -> None:
        """Refuse what could be read on the way, or leads nowhere.

        Raises
        ------
        InputError
            An address is neither https nor this machine's, or there is none.
        """
        ours = self.addresses
        own = (ours.authorize, ours.token, ours.user) if ours else ()
        if (self.issuer is None) == (ours is None) or "" in own:
            raise InputError(text("oauth.no_addresses"))
        for address in (self.redirect, *filter(None, [self.issuer]), *own):
            if not is_private(address):
                raise InputError(text("oauth.open_address", address=address))

    def refuse_elsewhere(self, prefix: str) -> None:
        """Refuse where people would come back to what is not ours.

        Parameters
        ----------
        prefix
            Path below which a proxy serves the desk.

        Raises
        ------
        InputError
            `redirect` leads elsewhere.
        """
        path = prefix + BACK
        if urlsplit(self.redirect).path != path or urlsplit(self.redirect).query:
            raise InputError(text("oauth.redirect", address=self.redirect, path=path))

    @classmethod
    def of(
        cls,
        kind: str,
        *,
        key: str,
        secret: str,
        redirect: str,
        issuer: str | None = None,
        extra: Mapping[str, str],
        user: str | None = None,
        role: Role | None = None,
    ) -> Self:
        """Make it of what an office enters.

        Parameters
        ----------
        kind
            One of `PROVIDERS`.
        key, secret, redirect, issuer, user, role
            As the attributes; without `user` the usual key of that kind.
        extra
            ``AUTHORIZE_URL``, ``TOKEN_URL``, ``USER_URL`` and ``SCOPE``, instead of the
            usual ones.

        Raises
        ------
        UnknownNameError
            There is no such kind or parameter.
        InputError
            Something is missing, or an address is not fit.

        Examples
        --------
        >>> OAuth.of(
        ...     "openid",
        ...     key="planner",
        ...     secret="…",
        ...     redirect="https://planner.example/login/back",
        ...     issuer="https://id.example/realms/office",
        ...     extra={},
        ... ).user
        'preferred_username'
        """
        if kind not in _KINDS:
            raise unknown_name("oauth_provider", kind, PROVIDERS)
        for name in extra:
            if name not in _EXTRAS:
                raise unknown_name("oauth_extra", name, _EXTRAS)
        known = _KINDS[kind]
        names = user or known.user
        if names is None:
            raise InputError(text("oauth.no_user"))
        addresses = None
        if kind != _OPENID:
            usual = known.addresses or Addresses(authorize="", token="")
            addresses = Addresses(
                authorize=extra.get("AUTHORIZE_URL", usual.authorize),
                token=extra.get("TOKEN_URL", usual.token),
                user=extra.get("USER_URL", usual.user),
            )
        return cls(
            key=key,
            secret=secret,
            redirect=redirect,
            issuer=issuer,
            addresses=addresses,
            scope=extra.get("SCOPE", known.scope),
            user=names,
            role=role,
        )
