"""Which sender an IP address stands for, where requests are counted by sender."""

from __future__ import annotations

import ipaddress


def network_of(address: str) -> str:
    """An IPv4 address as it is, and the /64 network of an IPv6 address: one subscriber has 2**64 of those.

    Text that is no address is returned as it is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
