"""For whom a proxy asks.

Owns when X-Forwarded-For and X-Forwarded-Proto are believed: from the proxies that the settings name. Never believes
them from anybody else, who could write any address into the log and past the limit for passwords.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sp.senders import Address, parsed_address
from sp.settings import Network

_MOST_WARNINGS = 20
_FORWARDING_HEADERS = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded")
_log = structlog.get_logger("sp.web")


class ForwardedAddress:
    """Puts the sender that a trusted proxy names in the place of the proxy. Plain ASGI: it costs no task per request.

    Each proxy appends the address that it was asked from, so the list is read from its end: the first address that is
    no proxy of ours is the sender, and whatever stands before it is the sender's own word.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self._app = app
        self._proxies = proxies
        self._warned: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = parsed_address(scope["client"][0]) if scope["type"] == "http" and scope.get("client") else None
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if peer is None or not self._trusts(peer):
            if peer is not None and (named := [name for name in _FORWARDING_HEADERS if name in headers]):
                self._warn(str(peer), named)
            await self._app(scope, receive, send)
            return
        sender = self._sender(",".join(headers.getlist("x-forwarded-for")))
        scheme = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
        changed: dict[str, object] = {"client": (str(sender), 0)} if sender else {}
        if scheme in {"http", "https"}:
            changed["scheme"] = scheme
        await self._app({**scope, **changed}, receive, send)

    def _warn(self, peer: str, headers: list[str]) -> None:
        """Once for each address: behind a proxy that is not named, all people count as one sender."""
        if peer not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(peer)
            setting = "VIRTUAL_OFFICE_TRUSTED_PROXIES"
            _log.warning("forwarded_header_ignored", peer=peer, headers=",".join(headers), setting=setting)

    def _sender(self, forwarded: str) -> Address | None:
        """The last address that is no proxy; None where the proxy said nothing that can be read."""
        sender = None
        for text in reversed(forwarded.split(",")):
            found = parsed_address(_without_port(text.strip()))
            if found is None:
                break
            sender = found
            if not self._trusts(found):
                break
        return sender

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _without_port(text: str) -> str:
    """`192.0.2.1:80` and `[2001:db8::1]:80`, as some proxies write."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, _ = text.rpartition(":")
    return host if colon and host.count(":") == 0 else text
