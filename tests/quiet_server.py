"""The service on a free port of loopback, in a thread of this process.

Owns starting and stopping it. Never decides what it serves.
"""

from __future__ import annotations

import socket
import threading
from types import TracebackType

import uvicorn
from fastapi import FastAPI

from sp.cli.sockets import listen, port_of


def listening() -> tuple[list[socket.socket], str]:
    """Sockets on a free port, and the host name that the service there has to allow."""
    sockets = listen("127.0.0.1", 0)
    return sockets, f"127.0.0.1:{port_of(sockets)}"


class QuietServer(uvicorn.Server):
    """As a context it runs, and stops at the end as the real one does: what has no end is told to end."""

    def __init__(self, app: FastAPI, sockets: list[socket.socket]) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5))
        self._app = app
        self._sockets = sockets
        self._thread = threading.Thread(target=self.run, args=(self._sockets,))
        self.base_url = f"http://127.0.0.1:{port_of(sockets)}"

    def __enter__(self) -> QuietServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._app.state.stopping = True
        self.should_exit = True
        self._thread.join()
