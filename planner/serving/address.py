"""Addresses: which of them only this machine reaches."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(address: str | None) -> bool:
    """Whether only this machine reaches an address.

    Examples
    --------
    >>> [is_loopback(one) for one in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "", None)]
    [True, True, True, False, False, False]
    """
    if not address:
        return False
    if address == "localhost":
        return True
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def is_private(address: str) -> bool:
    """Whether nobody on the way can read or change what is said at an address.

    It is where it is https, or where it never leaves this machine.

    Examples
    --------
    >>> asked = ("https://id.example/a", "http://127.0.0.1:8080/", "http://id.example/", "id")
    >>> [is_private(one) for one in asked]
    [True, True, False, False]
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.fragment or not address.isprintable() or " " in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
