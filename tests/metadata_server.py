"""A web server of somebody else on loopback, which answers as a story wants.

Owns its port and its thread. Never answers what a story did not say.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = BaseHTTPRequestHandler
Answer = Callable[[Handler], None]


@dataclass
class MetadataServer:
    """`answers` are by path, and can be changed while it runs. `asked` is what came, in order."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def url(self, path: str = "/metadata", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def says(self, answer: Answer, path: str = "/metadata") -> str:
        """From now on the path answers so; its URL."""
        self.answers[path] = answer
        return self.url(path)


def document(data: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    return document(b"", status, Location=location)


def with_etag(data: bytes, etag: str) -> Answer:
    """304 to whoever has it."""

    def answer(handler: Handler) -> None:
        known = handler.headers.get("If-None-Match") == etag
        document(b"" if known else data, 304 if known else 200, ETag=etag)(handler)

    return answer


@contextmanager
def running_server(tls: ssl.SSLContext | None = None) -> Iterator[MetadataServer]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that the library looks for
            known.asked.append((self.path, dict(self.headers)))
            answer = known.answers.get(self.path, document(b"", 404))
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def handle(self) -> None:
            with suppress(ConnectionError, ssl.SSLError):
                super().handle()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    known = MetadataServer(int(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
