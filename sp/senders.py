"""Whom the limits per sender count as one."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def sender_of(scope: Scope) -> str:
    """The sender of a request: its address, or the network of an IPv6 one; "" where there is none."""
    client = scope.get("client")
    return sender_key(client[0]) if client else ""


@lru_cache(maxsize=1024)
def sender_key(address: str) -> str:
    """An IPv4 address, or the /64 network of an IPv6 address: a single connection usually gets a whole /64."""
    found = parsed_address(address)
    if found is None:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))


def parsed_address(text: str) -> Address | None:
    """The address; the IPv4 address where a socket for both kinds shows it as IPv6. None for other text."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
