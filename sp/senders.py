"""Whom the limits per sender count as one."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from starlette.types import Scope


def sender_of(scope: Scope) -> str:
    """The sender of a request: its address, or the network of an IPv6 one; "" where there is none."""
    client = scope.get("client")
    return sender_key(client[0]) if client else ""


@lru_cache(maxsize=1024)
def sender_key(address: str) -> str:
    """An IPv4 address, or the /64 network of an IPv6 address: a single connection usually gets a whole /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
