"""Running the service provider in this process.

Owns uvicorn and how it stops. Never answers a request.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from sp.settings import Settings

_GRACE_SECONDS = 5


def run(app: FastAPI, settings: Settings, sockets: list[socket.socket], on_ready: Callable[[], None]) -> None:
    """Serve until a signal asks to stop; requests in flight are finished."""
    config = uvicorn.Config(
        app,
        log_config=None,  # its lines go where ours go
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the ACS URL comes from the settings, never from a header
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
        lifespan="on",
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    _Server(app, config, on_ready).run(sockets=sockets)


class _Server(uvicorn.Server):
    def __init__(self, app: FastAPI, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.stopping = True  # live pages end by themselves; the others are finished
        await super().shutdown(sockets)
