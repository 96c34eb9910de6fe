"""An inquiry: what a provider of identities is asked, and how much is heard of its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from layers.errors import ProviderLostError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 10.0
"""For how long an answer is waited for."""
MOST = 256 * 2**10
"""How long it may be, in bytes."""
_REFUSALS = range(400, 500)


async def inquire(
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Ask a provider something.

    Parameters
    ----------
    address
        Where; it is not followed to another one.
    form
        What is sent; nothing is, and the address merely read, when None.
    headers
        Further headers.
    seconds
        For how long to wait.

    Returns
    -------
    What it says: an object of JSON. One with an ``error`` may be a refusal.

    Raises
    ------
    ProviderLostError
        It cannot be reached, or answers nothing that can be read.
    """
    client = AsyncHTTPClient(force_instance=True, max_body_size=MOST)
    try:
        answer = await client.fetch(
            address,
            method="GET" if form is None else "POST",
            body=None if form is None else urlencode(form),
            headers={"Accept": "application/json", **(headers or {})},
            user_agent="coverage-planner",
            connect_timeout=seconds,
            request_timeout=seconds,
            follow_redirects=False,
            # A short answer may unpack to a long one.
            decompress_response=False,
            raise_error=False,
        )
    except (HTTPClientError, OSError, ValueError) as wrong:
        # What is wrong is named by its kind: its words may quote the address or the answer.
        kind = type(wrong).__name__
        raise ProviderLostError(text("oauth.lost", reason=kind, place=_plain(address))) from None
    finally:
        client.close()
    told = _object(answer.body)
    refused = answer.code in _REFUSALS and told is not None and "error" in told
    if told is None or (answer.code != 200 and not refused):  # noqa: PLR2004 - HTTP's own
        raise ProviderLostError(
            text("oauth.lost", reason=f"HTTP {answer.code}", place=_plain(address))
        )
    return told


def _plain(address: str) -> str:
    """Address without what is asked there."""
    return urlsplit(address)._replace(query="").geturl()


def _object(body: bytes) -> dict[str, Any] | None:
    """Read an object of JSON; None where it is none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
