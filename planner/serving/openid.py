"""OpenID Connect: what a provider tells of itself, and whether a token is its own word.

Tokens are looked at as OpenID Connect Core 1.0, section 3.1.3.7, wants it. The library for
that is PyJWT, an optional part of the installation.
"""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING, Any

import jwt

from layers.errors import ProviderDoubtedError, ProviderLostError
from layers.messages import text
from planner.serving.address import is_private
from planner.serving.inquiry import inquire
from planner.serving.provider import Addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

_DOCUMENT = "/.well-known/openid-configuration"
# What is signed with the provider's private key alone: never with what others know too.
_ALGORITHMS = frozenset(
    [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["EdDSA"]
)
_REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
# A key that can be broken is refused, not warned of.
_READER = jwt.PyJWT(options={"enforce_minimum_key_length": True})
_LEEWAY_S = 60
_HELD_S = 3600.0
# Nobody makes us ask for the keys more often by tokens with made-up ones.
_PAUSE_S = 30.0


class Issuer:
    """A provider by OpenID Connect.

    Parameters
    ----------
    address
        Its own address, as it writes it.
    audience
        Public identifier of this application.
    """

    def __init__(self, address: str, audience: str) -> None:
        self._address, self._audience = address, audience
        self._document: dict[str, Any] = {}
        self._read = -_HELD_S
        self._keys: list[dict[str, Any]] = []
        self._keys_read = -_HELD_S

    async def addresses(self) -> Addresses:
        """Tell where it is asked.

        Raises
        ------
        ProviderLostError
            It cannot be reached, or tells nothing of use.
        """
        document = await self._told()
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic" in methods
        if not basic and "client_secret_post" not in methods:
            raise self._useless("token_endpoint_auth_methods_supported")
        return Addresses(
            authorize=document["authorization_endpoint"],
            token=document["token_endpoint"],
            user=document.get("userinfo_endpoint") or "",
            leave=document.get("end_session_endpoint") or "",
            basic=basic,
        )

    async def claims(self, token: str, nonce: str) -> dict[str, Any]:
        """Tell what a token says, if the provider says it, to us, now.

        Parameters
        ----------
        token
            Token of an identity.
        nonce
            What the attempt was begun with.

        Raises
        ------
        ProviderDoubtedError
            It does not hold.
        ProviderLostError
            The provider's keys cannot be read.
        """
        document = await self._told()
        fresh = await self._read_keys(_HELD_S)
        try:
            return read_token(token, self._keys, document["issuer"], self._audience, nonce)
        except UnknownKeyError:
            # Providers change their keys.
            if fresh or not await self._read_keys(_PAUSE_S):
                raise
        return read_token(token, self._keys, document["issuer"], self._audience, nonce)

    def is_own_name(self, told: str) -> bool:
        """Whether an answer that names its issuer (RFC 9207) names this one."""
        return told.rstrip("/") == self._address.rstrip("/")

    async def _told(self) -> dict[str, Any]:
        """Read what it tells of itself, once an hour."""
        if time.monotonic() - self._read < _HELD_S:
            return self._document
        told = await inquire(self._address.rstrip("/") + _DOCUMENT)
        if not isinstance(told.get("issuer"), str) or not self.is_own_name(told["issuer"]):
            raise self._useless("issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(told.get(name), str) or not is_private(told[name]):
                raise self._useless(name)
        if not isinstance(told.get("token_endpoint_auth_methods_supported", []), list):
            raise self._useless("token_endpoint_auth_methods_supported")
        for name in ("userinfo_endpoint", "end_session_endpoint"):
            if name in told and not (isinstance(told[name], str) and is_private(told[name])):
                raise self._useless(name)
        self._document, self._read = told, time.monotonic()
        return told

    async def _read_keys(self, held: float) -> bool:
        """Read its keys unless they are younger than that; whether they were read."""
        if time.monotonic() - self._keys_read < held:
            return False
        keys = (await inquire(self._document["jwks_uri"])).get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
            raise self._useless("keys")
        self._keys, self._keys_read = keys, time.monotonic()
        return True

    def _useless(self, what: str) -> ProviderLostError:
        return ProviderLostError(text("oauth.useless", place=self._address, what=what))


class UnknownKeyError(ProviderDoubtedError):
    """A token is signed by a key that the provider does not name."""


def read_token(
    token: str, keys: Sequence[dict[str, Any]], issuer: str, audience: str, nonce: str
) -> dict[str, Any]:
    """Tell what a token says, if it holds.

    Parameters
    ----------
    token
        Token of an identity, signed.
    keys
        Public keys of the provider, as JSON Web Keys.
    issuer, audience
        Who has to have said it, and to whom.
    nonce
        What the attempt was begun with.

    Raises
    ------
    ProviderDoubtedError
        The signature, who said it, to whom, when or in answer to what is not right.

    Examples
    --------
    >>> unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ6aGFvIn0."
    >>> read_token(unsigned, [], "https://id.example", "planner", "…")
    Traceback (most recent call last):
    layers.errors.ProviderDoubtedError: 提供者的身份令牌不能采信（algorithm）。
    """
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
            raise _doubted("algorithm")
        claims: dict[str, Any] = _READER.decode(
            token,
            _key(keys, header.get("kid"), algorithm),
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=_LEEWAY_S,
            options={"require": _REQUIRED},
        )
    except (jwt.PyJWTError, ArithmeticError, RecursionError, TypeError, ValueError) as wrong:
        # Its words may quote the token.
        raise _doubted(type(wrong).__name__) from None
    own = claims.get("nonce")
    if not isinstance(own, str) or not hmac.compare_digest(own.encode(), nonce.encode()):
        raise _doubted("nonce")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else audience) != audience:
        raise _doubted("azp")
    return claims


def _key(keys: Sequence[dict[str, Any]], name: Any, algorithm: str) -> jwt.PyJWK:
    """Find the key that a token names, or the only one that fits where it names none."""
    fitting = [
        key
        for key in keys
        if key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    ]
    if name is not None:
        fitting = [key for key in fitting if key.get("kid") == name]
    if len(fitting) != 1:
        raise UnknownKeyError(text("oauth.doubted", reason="key"))
    return jwt.PyJWK(fitting[0], algorithm=algorithm)


def _doubted(reason: str) -> ProviderDoubtedError:
    return ProviderDoubtedError(text("oauth.doubted", reason=reason))
