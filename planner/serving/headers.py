"""Headers of every answer: what a browser may load, frame, keep and pass on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.web import OutputTransform

from layers.errors import InputError
from layers.messages import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_POLICY = {
    "default-src": "'self'",
    # Bokeh compiles templates, and Panel's own components are modules made in the browser.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
    "style-src": "'self' 'unsafe-inline' blob: data:",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    # Maps and reports are frames whose page stands in the attribute itself.
    "frame-src": "'self' blob: data:",
    "frame-ancestors": "'self'",
    "form-action": "'self'",
    "base-uri": "'self'",
    "object-src": "'none'",
}


def policy(images: Iterable[str] = ()) -> str:
    """Tell the policy on content: everything comes from this server, but for some images.

    Parameters
    ----------
    images
        Addresses of basemaps of others; their hosts may be asked for images.

    Examples
    --------
    >>> "evil.example" in policy(), "https://tiles.example" in policy(["https://tiles.example/{z}"])
    (False, True)
    """
    hosts = sorted({source for address in images if (source := _source(address))})
    told = {**_POLICY, "img-src": " ".join([_POLICY["img-src"], *hosts])}
    return "; ".join(f"{name} {value}" for name, value in told.items())


def guard(images: Iterable[str] = ()) -> type[OutputTransform]:
    """Make what sets the headers of a server's every answer.

    Parameters
    ----------
    images
        As `policy` takes them.
    """
    told = {
        "Content-Security-Policy": policy(images),
        "X-Content-Type-Options": "nosniff",
        # Addresses hold what somebody looks at.
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }

    class Guard(OutputTransform):
        """Adds the headers to the first part of an answer."""

        def __init__(self, request: Any) -> None:
            self._https = request.protocol == "https"

        def transform_first_chunk(
            self, status_code: int, headers: Any, chunk: bytes, finishing: bool
        ) -> tuple[int, Any, bytes]:
            for name, value in told.items():
                headers[name] = value
            if self._https:
                headers["Strict-Transport-Security"] = "max-age=31536000"
            headers.pop("Server", None)
            del finishing
            return status_code, headers, chunk

    return Guard


def origins(
    address: str | None, port: int, allowed: Sequence[str], here: Iterable[str]
) -> list[str]:
    """Tell from where sockets may be opened: hosts with ports, as Bokeh takes them.

    Parameters
    ----------
    address, port
        Where the server listens.
    allowed
        Further ones, with or without scheme.
    here
        Names of this machine.

    Raises
    ------
    InputError
        A star would let every page of the world in.

    Examples
    --------
    >>> origins("127.0.0.1", 5006, ["https://planner.example"], ["localhost"])
    ['127.0.0.1:5006', 'localhost:5006', 'planner.example']
    """
    if any("*" in one for one in allowed):
        raise InputError(text("entry.any_origin"))
    named = {f"{host}:{port}" for host in here}
    if address and address not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        # Bokeh knows no addresses of IPv6 here; a name of the machine leads to one.
        named |= set() if ":" in address else {f"{address}:{port}"}
    return sorted(named | {_host(one) for one in allowed})


def _host(origin: str) -> str:
    """Host and port of an origin, the port of its scheme where it has none."""
    parts = urlsplit(origin if "://" in origin else f"//{origin}")
    return parts.netloc.lower() or origin


def _source(address: str) -> str:
    """Scheme and host of an address, with a star for a part that it leaves open."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if "{" in host:
        # A policy takes a star for whole labels alone.
        host = "*." + host.partition(".")[2]
    return f"{parts.scheme}://{host}" if parts.scheme in {"http", "https"} and host else ""
