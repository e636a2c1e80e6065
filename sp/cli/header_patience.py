"""How long a request's header may take to arrive, how long it may be, and how many connections there may be.

Owns the clock of every connection on which nothing is being answered. Never looks into a header: uvicorn parses it.
"""

from __future__ import annotations

import asyncio

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sp.cli.connection_limits import ConnectionLimits

MAX_HEADER_BYTES = 64 * 1024
_log = structlog.get_logger("sp.web")


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for a header for ever and takes one of any length.

    Thousands of connections that say a byte a minute would cost their sender nothing (slow headers).
    """

    seconds = 30.0
    limits = ConnectionLimits(in_all=4_000, per_address=500)

    _address: str | None = None  # once the connection counts
    _timer: asyncio.TimerHandle | None = None
    _in_header = False
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if not self.limits.take(address):
            transport.abort()
            return
        self._address = address
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._received = self._received + len(data) if self._in_header else 0
        if self._received > MAX_HEADER_BYTES and not self.transport.is_closing():
            self._refuse_header()
        if self._in_header or getattr(self.cycle, "response_complete", True):  # before the first one there is none
            self._wait()

    def on_message_begin(self) -> None:
        self._in_header = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_header = False
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._address is not None:
            self.limits.give_back(self._address)
        super().connection_lost(exc)

    def _refuse_header(self) -> None:
        sentence = f"The headers of a request have at most {MAX_HEADER_BYTES // 1024} KiB."
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(sentence), sentence.encode())
        )
        self.transport.close()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._cut_off)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self) -> None:
        _log.warning("slow_header", seconds=self.seconds)
        self.transport.close()


def patient(seconds: float, limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """The protocol that waits so long for a header, and keeps to these limits."""
    return type("PatientProtocol", (PatientProtocol,), {"seconds": seconds, "limits": limits})
