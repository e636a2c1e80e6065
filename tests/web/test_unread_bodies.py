"""Bodies as they come over a connection: announced and not sent, without a length, with a wrong one."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cast import NOW
from fastapi import FastAPI
from quiet_server import QuietServer, listening
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from sp.flows.account_setup import Invalid
from sp.flows.api_tokens import make_token
from sp.models import TokenScope
from sp.store import accounts

BUSY_PAGE = "/busy"
FORM = "Content-Type: application/x-www-form-urlencoded"


class BusyPage:
    """A page that works until it is told to end, and never reads the body of its request."""

    def __init__(self) -> None:
        self.is_working = threading.Event()
        self.end = threading.Event()

    def __call__(self, _request: Request) -> Response:
        self.is_working.set()
        self.end.wait(10)
        return Response("done")


@pytest.fixture
def busy_page() -> Iterator[BusyPage]:
    page = BusyPage()
    yield page
    page.end.set()


@pytest.fixture
def server(make_app: Callable[..., FastAPI], busy_page: BusyPage) -> Iterator[QuietServer]:
    sockets, host = listening()
    app = make_app(requests_at_once=1, allowed_hosts=f"{host}, localhost")

    def endpoint(request: Request) -> Response:
        return busy_page(request)

    app.router.routes.insert(0, Route(BUSY_PAGE, endpoint, methods=["POST", "DELETE"]))
    with QuietServer(app, sockets) as running:
        yield running
        busy_page.end.set()


def head(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def connected(server: QuietServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(server.base_url).port or 0), timeout=10)


def status_of(server: QuietServer, sent: bytes) -> int:
    with connected(server) as opened:
        opened.sendall(sent)
        return int(opened.recv(4096).split(b" ", 2)[1])


@pytest.mark.parametrize(
    "sent",
    [
        head("POST", BUSY_PAGE, "Content-Length: 10"),
        head("DELETE", BUSY_PAGE, "Content-Length: 10"),
        head("POST", BUSY_PAGE, "Transfer-Encoding: chunked"),
    ],
    ids=["announced", "of a DELETE", "in chunks"],
)
def test_a_request_whose_body_is_never_read_counts(server: QuietServer, busy_page: BusyPage, sent: bytes) -> None:
    with connected(server) as opened:
        opened.sendall(sent)
        assert busy_page.is_working.wait(10)
        with httpx.Client(base_url=server.base_url, trust_env=False) as client:
            assert client.get("/sso/login/").status_code == 503
            assert client.get("/healthz").status_code == 200
            busy_page.end.set()
            assert opened.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert client.get("/sso/login/").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        head("POST", "/saml2", FORM, "Content-Length: 99999999"),
        head("GET", "/saml2?SAMLResponse=x", "Content-Length: 10"),
    ],
    ids=["too large", "of a GET"],
)
def test_a_message_whose_body_is_never_read_counts(server: QuietServer, tmp_path: Path, sent: bytes) -> None:
    """It waits for the database like any other, though the connection is watched meanwhile."""
    with (
        closing(sqlite3.connect(tmp_path / "virtual-office.db", isolation_level=None)) as other,
        connected(server) as opened,
        httpx.Client(base_url=server.base_url, trust_env=False) as client,
    ):
        other.execute("BEGIN IMMEDIATE")
        opened.sendall(sent)
        until = time.monotonic() + 5
        while client.get("/sso/login/").status_code != 503:
            assert time.monotonic() < until, "the message has no place"
        other.rollback()
        assert opened.recv(4096).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))


def test_a_body_that_does_not_come_takes_no_place(server: QuietServer) -> None:
    with connected(server) as opened:
        opened.sendall(head("POST", "/sso/login/", FORM, "Content-Length: 100") + b"username=")
        assert httpx.get(f"{server.base_url}/sso/login/", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/saml2", "/saml2/slo", "/saml2/slo/soap", "/sign-out", "/api/v1/account/single-sign-on/metadata"],
)
def test_a_client_that_leaves_before_its_body_is_complete_is_no_error(
    make_app: Callable[..., FastAPI], path: str
) -> None:
    """A traceback for each, of 10 KB, would let anybody fill the disk."""
    app = make_app()
    service = app.state.service
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        made = make_token(session, account, "t", TokenScope.WRITE, lifetime=timedelta(days=1), created_by="t", now=NOW)
    assert not isinstance(made, Invalid)
    pieces: list[Message] = [{"type": "http.request", "body": b"a=", "more_body": True}, {"type": "http.disconnect"}]
    statuses: list[int] = []

    async def receive() -> Message:
        return pieces.pop(0) if len(pieces) > 1 else pieces[0]

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

    headers = {
        "host": "localhost:8000",
        "cookie": "virtual_office_browser=x",
        "authorization": f"Bearer {made.token}",
        "content-type": "text/xml" if "metadata" in path else "application/x-www-form-urlencoded",
        "content-length": "10",
    }
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 1),
        "server": ("localhost", 8000),
    }
    with capture_logs() as logs:
        asyncio.run(app(scope, receive, send))
    assert not [log for log in logs if log["log_level"] == "error"]
    assert statuses == [499]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (head("POST", "/sso/login/", "Content-Length: 99999999999999999999999"), 400),
        (head("POST", "/sso/login/", FORM, "Content-Length: 8193"), 413),
        (head("POST", "/sso/login/", "Content-Length: -1"), 400),
        (head("POST", "/sso/login/", "Content-Length: 5", "Content-Length: 6") + b"a=b&c=", 400),
        (head("POST", "/sso/login/", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (head("POST", "/sso/login/", "Transfer-Encoding: chunked") + b"zz\r\n", 400),
        (head("POST", "/sso/login/", FORM, "Transfer-Encoding: chunked") + b"2800\r\n" + b"a" * 0x2800 + b"\r\n", 413),
    ],
)
def test_a_wrong_length_is_refused(server: QuietServer, sent: bytes, status: int) -> None:
    assert status_of(server, sent) == status
    assert httpx.get(f"{server.base_url}/sso/login/", trust_env=False).status_code == 200
