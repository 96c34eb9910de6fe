"""Addresses: which of them only this machine reaches."""

from __future__ import annotations

from ipaddress import ip_address


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
