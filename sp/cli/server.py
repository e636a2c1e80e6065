"""Running the service provider in this process.

Owns uvicorn and how it stops. Never answers a request.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from sp.cli.connection_limits import ConnectionLimits, raise_descriptor_limit
from sp.cli.header_patience import patient
from sp.settings import Settings

GRACE_SECONDS = 5


def run(
    app: FastAPI,
    settings: Settings,
    sockets: list[socket.socket],
    on_ready: Callable[[], None],
    lifeline: int | None = None,
) -> None:
    """Serve until a signal asks to stop, or until the pipe `lifeline` ends; requests in flight are finished."""
    limits = ConnectionLimits(
        raise_descriptor_limit(settings.connections), settings.connections_per_address, settings.proxies
    )
    config = uvicorn.Config(
        app,
        log_config=None,  # its lines go where ours go
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the ACS URL comes from the settings, never from a header
        timeout_graceful_shutdown=GRACE_SECONDS,
        http=patient(settings.body_timeout_seconds, limits),
        lifespan="on",
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    _Server(app, config, on_ready, lifeline).run(sockets=sockets)


class _Server(uvicorn.Server):
    def __init__(
        self, app: FastAPI, config: uvicorn.Config, on_ready: Callable[[], None], lifeline: int | None
    ) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready
        self._lifeline = lifeline

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        if self._lifeline is not None:
            asyncio.get_running_loop().add_reader(self._lifeline, self._stop_with_the_parent, self._lifeline)
        self._on_ready()

    def _stop_with_the_parent(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.stopping = True  # live pages end by themselves; the others are finished
        await super().shutdown(sockets)
