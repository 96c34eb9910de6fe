"""The exchange with a provider of identities: a code is changed for somebody's name."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from layers.errors import InputError, ProviderDoubtedError, ProviderLostError, ProviderRefusedError
from layers.messages import text
from planner.serving.inquiry import inquire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.serving.attempt import Attempt
    from planner.serving.openid import Issuer
    from planner.serving.provider import Addresses, OAuth

# Others are a provider's own words, which might quote what it was sent.
_KNOWN = frozenset(
    [
        *("access_denied", "account_selection_required", "bad_verification_code"),
        *("consent_required", "incorrect_client_credentials", "interaction_required"),
        *("invalid_client", "invalid_grant", "invalid_request", "invalid_scope"),
        *("invalid_token", "login_required", "redirect_uri_mismatch", "server_error"),
        *("temporarily_unavailable", "unauthorized_client", "unsupported_grant_type"),
        "unsupported_response_type",
    ]
)
# Nobody waits longer to get out.
_PATIENCE_S = 2.0
_LOST = frozenset({"server_error", "temporarily_unavailable"})


class Exchange:
    """What goes to and fro between this server and a provider.

    Parameters
    ----------
    oauth
        The provider, and what this application is to it.

    Raises
    ------
    InputError
        The provider signs what it says, and what looks at that is not installed.
    """

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth
        self._issuer = _issuer(oauth)

    async def addresses(self) -> Addresses:
        """Tell where the provider is asked.

        Raises
        ------
        ProviderLostError
            It has to tell that itself, and cannot be reached.
        """
        if self._issuer is not None:
            return await self._issuer.addresses()
        assert self._oauth.addresses is not None
        return self._oauth.addresses

    async def begin(self, attempt: Attempt, *, anew: bool = False) -> str:
        """Tell where to send the browser of somebody who wants to enter.

        Parameters
        ----------
        attempt
            What they began.
        anew
            Ask the provider to look at whom it has before it, should it know them already.

        Raises
        ------
        ProviderLostError
            The provider cannot be reached.
        """
        asked = {
            "response_type": "code",
            "client_id": self._oauth.key,
            "redirect_uri": self._oauth.redirect,
            **({"scope": self._oauth.scope} if self._oauth.scope else {}),
            "state": attempt.state,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        if self._issuer is not None:
            asked |= {"nonce": attempt.nonce, **({"prompt": "login"} if anew else {})}
        return _with((await self.addresses()).authorize, asked)

    async def leave(self, page: str) -> str:
        """Tell where one goes out of the provider too, empty where it has no such page.

        Parameters
        ----------
        page
            Address of this server that it may lead back to.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                address = (await self.addresses()).leave
        except (ProviderLostError, TimeoutError):
            return ""
        asked = {"client_id": self._oauth.key, "post_logout_redirect_uri": page}
        return _with(address, asked) if address else ""

    def refuse_error(self, told: Any) -> None:
        """Refuse where the provider says that something is wrong.

        Parameters
        ----------
        told
            What it says, None for nothing.

        Raises
        ------
        ProviderRefusedError
            It lets whoever asks not in.
        ProviderLostError
            It cannot tell now.
        """
        if told is None:
            return
        reason = told if isinstance(told, str) and told in _KNOWN else "other"
        if reason in _LOST:
            raise ProviderLostError(text("oauth.refused", reason=reason))
        raise ProviderRefusedError(text("oauth.refused", reason=reason))

    def refuse_stranger(self, issuer: str) -> None:
        """Refuse an answer that another provider gave (RFC 9207).

        Raises
        ------
        ProviderDoubtedError
            It names another one.
        """
        if issuer and self._issuer is not None and not self._issuer.is_own_name(issuer):
            raise ProviderDoubtedError(text("oauth.doubted", reason="iss"))

    async def name(self, code: str, attempt: Attempt) -> str:
        """Change a code for the name of whom the provider has let in.

        Parameters
        ----------
        code
            What the browser came back with.
        attempt
            What was begun with that browser.

        Raises
        ------
        ProviderError
            The provider refuses, cannot be reached, or says what does not hold.
        """
        addresses = await self.addresses()
        tokens = await self._tokens(addresses, code, attempt)
        told: dict[str, Any] = {}
        if self._issuer is not None:
            token = tokens.get("id_token")
            if not isinstance(token, str):
                raise ProviderDoubtedError(text("oauth.doubted", reason="id_token"))
            told = await self._issuer.claims(token, attempt.nonce)
        if self._oauth.user not in told and addresses.user:
            more = await self._user(addresses.user, tokens.get("access_token"))
            if self._issuer is not None and more.get("sub") != told["sub"]:
                raise ProviderDoubtedError(text("oauth.doubted", reason="sub"))
            told = more
        return _name(told, self._oauth.user)

    async def _tokens(self, addresses: Addresses, code: str, attempt: Attempt) -> dict[str, Any]:
        ours = self._oauth
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": ours.redirect,
            "code_verifier": attempt.verifier,
        }
        headers = {}
        if addresses.basic:
            # A space as %20 is read alike by those who take a plus for one and those who do not.
            pair = ":".join(quote(word, safe="") for word in (ours.key, ours.secret))
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": ours.key, "client_secret": ours.secret}
        told = await inquire(addresses.token, form=form, headers=headers)
        self.refuse_error(told.get("error"))
        return told

    async def _user(self, address: str, token: Any) -> dict[str, Any]:
        # Nothing else may stand in a header.
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ProviderDoubtedError(text("oauth.doubted", reason="access_token"))
        told = await inquire(address, headers={"Authorization": f"Bearer {token}"})
        self.refuse_error(told.get("error"))
        return told


def _issuer(oauth: OAuth) -> Issuer | None:
    if oauth.issuer is None:
        return None
    try:
        # PyJWT does without it, but then knows no signature by a private key.
        import_module("cryptography")
        from planner.serving.openid import Issuer  # noqa: PLC0415 - an office alone needs it
    except ImportError as wrong:
        raise InputError(text("oauth.no_library")) from wrong
    return Issuer(oauth.issuer, oauth.key)


def _name(told: Mapping[str, Any], key: str) -> str:
    """Read the user's name of what a provider tells of them."""
    name = told.get(key)
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name:
        raise ProviderDoubtedError(text("oauth.doubted", reason=key))
    if key == "email" and told.get("email_verified") in (False, "false"):
        # Anybody may say that an address is theirs.
        raise ProviderDoubtedError(text("oauth.doubted", reason="email_verified"))
    return name


def _with(address: str, asked: Mapping[str, str]) -> str:
    """Add to an address what is asked there."""
    parts = urlsplit(address)
    query = "&".join(filter(None, [parts.query, urlencode(asked)]))
    return urlunsplit(parts._replace(query=query))
