"""The load: a process of its own that posts prepared forms over connections that stay open, and times the answers.

    python -m bench.load PORT FILE [--connections 8] [--rate REQUESTS A SECOND] [--json]

Without a rate each connection sends its next form when the last one is answered. With one, forms are due at equal
intervals whatever the service does, and a latency counts from the moment when its form was due: a slow answer is not
hidden by the wait of the next. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

_HOST = "127.0.0.1"
_END_OF_HEADERS = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Load:
    """What came back: milliseconds from when a form was sent, or due, to the end of its answer."""

    seconds: float
    statuses: dict[str, int]
    latencies_ms: dict[str, float]

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def send(port: int, file: Path, *, connections: int = 8, rate: float = 0.0, as_json: bool = False) -> Load:
    """Start that process and wait until it has sent every form of the file."""
    command = [sys.executable, "-m", "bench.load", str(port), str(file), "--connections", str(connections)]
    command += ["--rate", str(rate)] if rate else []
    command += ["--json"] if as_json else []
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return Load(told["seconds"], told["statuses"], told["latencies_ms"])


class _Connection(asyncio.Protocol):
    """One connection, opened again when the service has closed it in between."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._received = bytearray()

    async def ask(self, request: bytes) -> int:
        """The status of the answer. Raises ConnectionError when there is none."""
        if self._transport is None or self._transport.is_closing():
            await asyncio.get_running_loop().create_connection(lambda: self, _HOST, self._port)
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class is not derived from it
        self._received.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the service closed the connection: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(_END_OF_HEADERS)
        if not found or len(body) < _content_length(bytes(head)):
            return
        status = int(head[9:12])
        self._received.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    return 0


@dataclass
class _Tally:
    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    async def ask(self, connection: _Connection, request: bytes, since: float) -> None:
        try:
            status = str(await connection.ask(request))
        except ConnectionError:
            status = "no answer"
        self.latencies.append(time.perf_counter() - since)
        self.statuses[status] += 1


async def _closed_loop(requests: Iterator[bytes], connections: list[_Connection], tally: _Tally) -> None:
    async def one(connection: _Connection) -> None:
        for request in requests:
            await tally.ask(connection, request, time.perf_counter())

    await asyncio.gather(*(one(connection) for connection in connections))


async def _open_loop(requests: Iterator[bytes], connections: list[_Connection], tally: _Tally, rate: float) -> None:
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)

    async def one(request: bytes, due: float) -> None:
        connection = await free.get()
        await tally.ask(connection, request, due)
        free.put_nowait(connection)

    begun, asked = time.perf_counter(), []
    for number, request in enumerate(requests):
        due = begun + number / rate
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        asked.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*asked)


def _requests(port: int, file: Path, as_json: bool) -> list[bytes]:
    head = (
        f"POST /saml2 HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Accept: {'application/json' if as_json else 'text/html'}\r\nContent-Length: "
    ).encode()
    with file.open("rb") as lines:
        bodies = [line.rstrip(b"\n") for line in lines]
    return [b"%b%d\r\n\r\n%b" % (head, len(body), body) for body in bodies]


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    requests, tally = _requests(options.port, options.file, options.json), _Tally()
    connections = [_Connection(options.port) for _ in range(options.connections)]
    begun = time.perf_counter()
    if options.rate:
        await _open_loop(iter(requests), connections, tally, options.rate)
    else:
        await _closed_loop(iter(requests), connections, tally)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "statuses": dict(tally.statuses), "latencies_ms": _percentiles(tally.latencies)}


def _percentiles(latencies: list[float]) -> dict[str, float]:
    ordered = sorted(latencies)
    shares = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    return {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 for name, share in shares.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--json", action="store_true")
    with contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(uvloop.run(_run(parser.parse_args()))))


if __name__ == "__main__":
    main()
