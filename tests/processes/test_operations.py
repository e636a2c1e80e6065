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
from pathlib import Path

import httpx
import pytest
from processes.program import PASSWORD, Installation, Program

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
BODY = b"username=britta&password=x"


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    settings = {"ADMIN_PASSWORD": PASSWORD, "BODY_TIMEOUT_SECONDS": "1", "LOG_FORMAT": "json"}
    return Installation(tmp_path, settings=settings)


@pytest.fixture
def program(place: Installation) -> Iterator[Program]:
    with place.start("serve") as running:
        yield running


def begin_post(place: Installation, path: str, body: bytes) -> socket.socket:
    """A connection that has sent a form but for its last byte."""
    opened = socket.create_connection(("127.0.0.1", place.port), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n".encode()
    opened.sendall(head + FORM + b"\r\n" + body[:-1])
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
    with begin_post(place, path, BODY) as opened:
        began = time.monotonic()
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


def test_the_health_check_tells_a_running_service_from_none(place: Installation) -> None:
    with place.start("serve"):
        assert place.run("healthcheck").returncode == 0
        assert httpx.get(f"{place.base_url}/readyz", trust_env=False).json() == {"status": "ready"}
    down = place.run("healthcheck")
    assert (down.returncode, down.stderr.count("\n")) == (1, 1)
    assert "does not answer" in down.stderr


class TestBackup:
    @pytest.mark.usefixtures("program")
    def test_a_copy_of_the_running_service_is_whole_and_the_owners_only(self, place: Installation) -> None:
        with httpx.Client(base_url=place.base_url, trust_env=False) as client:
            for number in range(5):
                client.post("/saml2", data={"SAMLResponse": f"{number}"})
        copy = place.folder / "copy.db"
        done = place.run("db", "backup", str(copy))
        assert (done.returncode, done.stderr) == (0, "")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with closing(sqlite3.connect(copy)) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert opened.execute("SELECT count(*) FROM sign_in_attempt").fetchone() == (5,)

    def test_a_file_that_exists_is_kept(self, place: Installation) -> None:
        assert place.run("db", "upgrade").returncode == 0
        precious = place.folder / "precious.db"
        precious.write_text("precious")
        done = place.run("db", "backup", str(precious))
        assert (done.returncode, precious.read_text()) == (2, "precious")

    def test_before_the_first_start_there_is_nothing_to_copy(self, place: Installation) -> None:
        done = place.run("db", "backup", str(place.folder / "copy.db"))
        assert (done.returncode, "There is no database" in done.stderr) == (1, True)
        assert not (place.folder / "copy.db").exists()

    def test_a_folder_that_is_not_there_is_named(self, place: Installation) -> None:
        assert place.run("db", "upgrade").returncode == 0
        done = place.run("db", "backup", str(place.folder / "nowhere" / "copy.db"))
        assert done.returncode == 1
        assert "nowhere/copy.db' cannot be written" in done.stderr
