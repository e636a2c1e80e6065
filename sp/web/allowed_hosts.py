"""Requests are answered under the names of this service only.

A page of another site can have its own name lead to this machine (DNS rebinding). The browser then treats both as one
site, so the name in `Host` is what tells them apart (RFC 9110, section 15.5.20: 421).
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sp.hosts import allows_host
from sp.settings import Settings

# Probes ask by address. These tell nothing about anybody; /metrics asks for its token where there is one.
_PROBES = frozenset(("/healthz", "/readyz"))
_METRICS = "/metrics"


class AllowedHosts:
    """Answers 421 to a request that names another host. `refuse` makes that answer."""

    def __init__(self, app: ASGIApp, settings: Settings, refuse: Callable[[Request], Response]) -> None:
        self._app = app
        self._settings = settings
        self._refuse = refuse
        self._any_host = _PROBES | {_METRICS} if settings.metrics_token else _PROBES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._any_host or self._allows(scope):
            await self._app(scope, receive, send)
        else:
            await self._refuse(Request(scope))(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        return len(named) == 1 and allows_host(self._settings, named[0].decode("latin-1"))
