"""The running service under an operator's hands: slow senders, stopping in the middle of a request, copies, health."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cast import CONTOSO_ISSUER
from processes.program import PASSWORD, Installation, Program
from responses import Idp, post_field

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
BODY = b"username=britta&password=x"


SETTINGS = {"ADMIN_PASSWORD": PASSWORD, "BODY_TIMEOUT_SECONDS": "1", "LOG_FORMAT": "json"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("operations"), settings=SETTINGS)


@pytest.fixture(scope="module")
def program(place: Installation) -> Iterator[Program]:
    with place.start("serve") as running:
        yield running


def begin_post(place: Installation, path: str, body: bytes) -> socket.socket:
    """A connection that has sent a form but for its last byte; the service has begun to answer it."""
    opened = socket.create_connection(("127.0.0.1", place.port), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost:{place.port}\r\nContent-Length: {len(body)}\r\n".encode()
    opened.sendall(head + FORM + b"Expect: 100-continue\r\n\r\n")
    assert opened.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    opened.sendall(body[:-1])
    return opened


def answer_of(opened: socket.socket) -> bytes:
    """Everything until the service closes the connection."""
    received = bytearray()
    while chunk := opened.recv(65536):
        received += chunk
    return bytes(received)


@pytest.mark.parametrize("path", ["/saml2", "/sso/login/"])
@pytest.mark.usefixtures("program")
def test_mallory_cannot_hold_a_connection_with_a_form_that_never_ends(place: Installation, path: str) -> None:
    began = time.monotonic()
    with begin_post(place, path, BODY) as opened:
        answer = answer_of(opened)
        took = time.monotonic() - began
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.5 < took < 5


@pytest.mark.usefixtures("program")
def test_trickling_one_byte_after_another_buys_no_time(place: Installation) -> None:
    with begin_post(place, "/saml2", b"x=" + b"A" * 1000) as opened:
        opened.settimeout(0.2)
        began = time.monotonic()
        answer = b""
        while not answer and time.monotonic() - began < 5:
            try:
                answer = opened.recv(100)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_request_in_flight_is_finished_before_the_service_ends(tmp_path: Path) -> None:
    place = Installation(tmp_path, settings={"ADMIN_PASSWORD": PASSWORD, "LOG_FORMAT": "json"})
    with place.start("serve") as program, begin_post(place, "/saml2", BODY) as opened:
        program.process.send_signal(signal.SIGTERM)
        wait_until_refused(place)
        opened.sendall(BODY[-1:])
        answer = answer_of(opened)
        assert answer.startswith(b"HTTP/1.1 400 ")  # no SAMLResponse: the whole form was read and judged
        assert program.ended() == 0
        line = next(line for line in program.output.splitlines() if '"event": "sign_in"' in line)
    assert json.loads(line)["failed"] == ["form"]


def wait_until_refused(place: Installation) -> None:
    """Stopping has begun: nobody new is let in."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", place.port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError("the service still takes connections")


@pytest.mark.usefixtures("program")
def test_the_health_check_finds_the_service_ready(place: Installation) -> None:
    assert place.run("healthcheck").returncode == 0
    assert httpx.get(f"{place.base_url}/readyz", trust_env=False).json() == {"status": "ready"}


class TestBackup:
    @pytest.mark.usefixtures("program")
    def test_a_copy_of_the_running_service_is_whole_and_the_owners_only(
        self, place: Installation, tmp_path: Path
    ) -> None:
        with httpx.Client(base_url=place.base_url, trust_env=False) as client:
            sent = [client.post("/saml2", data={"SAMLResponse": f"{number}"}) for number in range(5)]
        done = place.run("db", "backup", str(tmp_path / "copy.db"))
        assert (len(sent), done.returncode, done.stderr) == (5, 0, "")
        assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
        with closing(sqlite3.connect(tmp_path / "copy.db")) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            (attempts,) = opened.execute("SELECT count(*) FROM sign_in_attempt").fetchone()
        assert attempts >= 5

    def test_a_restored_copy_remembers_which_assertions_were_used(self, tmp_path: Path) -> None:
        """Otherwise a copy would be a way to use every response of the last minutes again."""
        place, idp = Installation(tmp_path, settings=SETTINGS), Idp.make(CONTOSO_ISSUER)
        (tmp_path / "idp.pem").write_text(idp.certificate.pem)
        made = place.run("configure", "--issuer", idp.entity_id, "--certificate", str(tmp_path / "idp.pem"))
        assert made.returncode == 0, made.stderr
        own = place.acs_url
        xml = idp.response(now=datetime.now(UTC), audience=own, recipient=own, destination=own)
        with place.start("serve"):
            assert post(place, xml)["outcome"] == "accepted"
            assert place.run("db", "backup", str(tmp_path / "copy.db")).returncode == 0
        restored = Installation(tmp_path / "restored", port=place.port, settings=place.settings)
        restored.data.mkdir(parents=True)
        (tmp_path / "copy.db").rename(restored.data / "virtual-office.db")
        with restored.start("serve"):
            assert post(restored, xml)["failed"] == ["replay"]
            later = idp.response(now=datetime.now(UTC), audience=own, recipient=own, destination=own)
            assert post(restored, later)["outcome"] == "accepted"


def post(place: Installation, xml: bytes) -> dict[str, Any]:
    form, accept = {"SAMLResponse": post_field(xml)}, {"Accept": "application/json"}
    answer: dict[str, Any] = httpx.post(place.acs_url, data=form, headers=accept, trust_env=False).json()
    return answer
