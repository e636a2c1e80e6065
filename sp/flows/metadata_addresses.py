"""Where metadata may be fetched from: which URLs, and which addresses of this world or of the own network.

Owns that rule, against requests that somebody else makes this service send (SSRF). Never opens a connection.

A service on the internet must not be talked into asking its own neighbors, so addresses that are not public are refused
there. A service that itself runs on loopback asks for the person in front of it, who may ask the same neighbors.
"""

from __future__ import annotations

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from urllib.parse import urlsplit

from sp.flows.account_setup import url_fault
from sp.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where hosting providers answer every machine of theirs, and which no range of the standards tells.
_NEIGHBORS = frozenset(ipaddress.ip_address(text) for text in ("168.63.129.16", "fd00:ec2::254"))
# The tables of Python below 3.13 and 3.14 call parts of these global: IETF protocol assignments (RFC 6890), and the
# private networks that IPv6 had before fc00::/7 (RFC 3879).
_NOBODYS = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv6Network("fec0::/10"))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was checked, and the addresses that were: whoever connects, connects to one of these."""

    url: str
    host: str
    port: int
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was fetched. One sentence says why."""

    sentence: str


def check_target(settings: Settings, url: str, seconds: float) -> Target | Refused:
    """What a URL leads to, once its host name has been looked up within `seconds`; or why it is not asked."""
    fault = url_fault(url)
    if fault:
        return Refused(fault)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if not host.isascii():
        return Refused("Write the host name in its ASCII form, which begins with xn--.")
    addresses = _looked_up(host, port, seconds)
    if isinstance(addresses, Refused):
        return addresses
    return _address_fault(settings, parts.scheme, host, addresses) or Target(url, host, port, addresses)


def _address_fault(settings: Settings, scheme: str, host: str, addresses: tuple[Address, ...]) -> Refused | None:
    """Every address counts: a name that has one public and one private address is as good as a private one."""
    for address in addresses:
        near = settings.on_loopback and _is_near(address)
        if not near and not is_public(address):
            return Refused(f"{host} is {address}, an address that this service does not ask for metadata.")
        if scheme == "http" and not (settings.on_loopback and all(one.is_loopback for one in _meant(address))):
            return Refused("Enter an https:// address: over http anybody on the way could put in another certificate.")
    return None


def is_public(address: Address) -> bool:
    """Whether an address leads into the public internet, and not to whoever happens to be a neighbor."""
    return all(
        one.is_global
        and not (one.is_multicast or one.is_reserved or one in _NEIGHBORS)
        and not any(one in network for network in _NOBODYS)
        for one in _meant(address)
    )


def _is_near(address: Address) -> bool:
    """Loopback or a private network; never the link, where hosting providers keep their secrets (169.254.169.254)."""
    return all(
        one.is_loopback
        or (one.is_private and not (one.is_link_local or one.is_unspecified or one.is_reserved or one in _NEIGHBORS))
        for one in _meant(address)
    )


def _meant(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses to which an IPv6 address leads (RFC 4291, 2.5.5; 3056; 4380; 6052), else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    packed = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return tuple(one for one in packed if one is not None) or (address,)


def _looked_up(host: str, port: int, seconds: float) -> tuple[Address, ...] | Refused:
    """The resolver reads 127.1, 0x7f000001 and 017700000001 as addresses, so they are judged as what they mean."""
    executor = ThreadPoolExecutor(1)
    try:
        found = executor.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(seconds)
    except FutureTimeoutError:
        return Refused(f"Looking up {host} took too long.")
    except (OSError, UnicodeError):
        return Refused(f"There is no host named {host}.")
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return tuple(ipaddress.ip_address(text) for text in texts)
