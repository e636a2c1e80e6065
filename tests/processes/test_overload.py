"""More than the service can take: too many requests, headers that never end, a disk that is full."""

from __future__ import annotations

import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from processes.program import ADMINISTRATOR, PASSWORD, Installation, Program
from processes.sign_ins import Prepared, form_token, prepared, trusted_idp

CROWD = 24
AT_ONCE = 3
SETTINGS = {
    "ADMIN_PASSWORD": PASSWORD,
    "LOG_FORMAT": "json",
    "REQUESTS_AT_ONCE": str(AT_ONCE),
    "BODY_TIMEOUT_SECONDS": "1",
    "PASSWORD_ATTEMPTS": "1000",
    "CONNECTIONS_PER_ADDRESS": "64",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PROGRAM = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("overload"), settings=SETTINGS)


@pytest.fixture(scope="module")
def program(place: Installation) -> Iterator[Program]:
    with place.start("serve") as running:
        yield running


def lines(program: Program, event: str) -> list[dict[str, object]]:
    told = [line for line in program.output.splitlines() if f'"event": "{event}"' in line]
    return [json.loads(line) for line in told]


class TestTooMany:
    """Password sign-ins are what takes longest: each computes for a tenth of a second."""

    @pytest.fixture
    def crowd(self, place: Installation, program: Program) -> list[httpx.Response]:
        """What everybody of a crowd was told who came at once; `program` is there to be asked."""
        assert program.process.poll() is None
        with httpx.Client(base_url=place.base_url, timeout=30, trust_env=False) as client:
            token = form_token(client.get("/sso/login/").text)
            barrier = threading.Barrier(CROWD)

            def sign_in(number: int) -> httpx.Response:
                fields = {"username": ADMINISTRATOR, "password": PASSWORD, "csrf_token": token}
                barrier.wait()
                return client.post("/sso/login/", data=fields, headers=PROGRAM if number % 2 else {})

            with ThreadPoolExecutor(CROWD) as pool:
                return list(pool.map(sign_in, range(CROWD)))

    def test_some_are_served_and_the_others_told_to_come_again(
        self, crowd: list[httpx.Response], program: Program
    ) -> None:
        statuses = [answer.status_code for answer in crowd]
        assert set(statuses) == {303, 503}
        assert statuses.count(303) >= AT_ONCE
        turned_away = [answer for answer in crowd if answer.status_code == 503]
        assert {answer.headers["Retry-After"] for answer in turned_away} == {"2"}
        kinds = {answer.headers["Content-Type"].partition(";")[0] for answer in turned_away}
        assert kinds <= {"text/html", "application/problem+json"}
        assert all("The service is busy" in answer.text for answer in turned_away)
        assert all("X-Request-Id" in answer.headers for answer in turned_away)
        assert 1 <= len(lines(program, "overloaded")) <= len(turned_away) // 2  # not one for each

    @pytest.mark.usefixtures("crowd")
    def test_afterwards_everybody_is_served(self, place: Installation) -> None:
        with httpx.Client(base_url=place.base_url, trust_env=False) as client:
            assert [client.get("/sso/login/").status_code for _ in range(2 * AT_ONCE)] == [200] * 2 * AT_ONCE

    @pytest.mark.usefixtures("program")
    def test_programs_that_wait_for_a_sign_in_take_no_places(self, place: Installation) -> None:
        made = place.run("token", "create", "--name", "ci")
        token = next(word for word in made.stdout.split() if word.startswith("vo_"))
        headers = {"Authorization": f"Bearer {token}"}

        def wait(_number: int) -> int:
            return httpx.get(
                f"{place.base_url}/api/v1/sign-ins?wait=3", headers=headers, timeout=10, trust_env=False
            ).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = [pool.submit(wait, number) for number in range(AT_ONCE)]
            time.sleep(0.7)
            assert httpx.get(f"{place.base_url}/readyz", trust_env=False).status_code == 200
            assert not any(one.done() for one in waiting)


class TestIdleConnections:
    def test_one_address_cannot_keep_the_others_out(self, place: Installation, program: Program) -> None:
        with ExitStack() as opened:
            for _ in range(100):
                opened.enter_context(socket.create_connection(("127.0.0.1", place.port), timeout=10))
            program.wait_for("connections_refused")
            other = httpx.HTTPTransport(local_address="127.0.0.2")
            with httpx.Client(transport=other, trust_env=False) as client:
                answer = client.get(f"http://127.0.0.1:{place.port}/sso/login/", timeout=10)
            assert answer.status_code == 200
        (line, *_) = lines(program, "connections_refused")
        assert (line["level"], line["last_address"]) == ("warning", "127.0.0.1")


class TestHeadersThatNeverEnd:
    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param([b""], id="nothing at all"),
            pytest.param([b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1"], id="half a header"),
            pytest.param([b"GET / HTTP/1.1\r\n", *[b"X-A: 1\r\n"] * 40], id="a line after the other"),
            pytest.param([b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", *[b"\r\n"] * 40], id="blank lines"),
        ],
    )
    @pytest.mark.usefixtures("program")
    def test_mallory_is_cut_off(self, place: Installation, sent: list[bytes]) -> None:
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", place.port), timeout=0.1) as opened:
            for part in sent:
                opened.sendall(part)
                if cut_off(opened):
                    break
            while not cut_off(opened):
                assert time.monotonic() - began < 10
        assert 0.5 < time.monotonic() - began < 7  # uvicorn keeps a connection five seconds after an answer

    @pytest.mark.usefixtures("program")
    def test_a_header_without_end_is_refused_before_it_fills_the_memory(self, place: Installation) -> None:
        with socket.create_connection(("127.0.0.1", place.port), timeout=10) as opened:
            opened.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            line = b"X-A: " + b"a" * 8_000 + b"\r\n"
            sent = 0
            try:
                while sent < 100 * len(line):
                    sent += opened.send(line)
                answer = opened.recv(200)
            except ConnectionError:
                return  # it was told and cut off while it still sent
        assert answer.startswith(b"HTTP/1.1 431 ")

    @pytest.mark.usefixtures("program")
    def test_a_connection_may_be_used_again_and_again(self, place: Installation) -> None:
        with httpx.Client(base_url=place.base_url, trust_env=False) as client:
            for _ in range(4):
                assert client.get("/healthz").status_code == 200
                time.sleep(0.4)


def cut_off(opened: socket.socket) -> bool:
    """Whether the other side has closed; what it says before is let go."""
    try:
        return opened.recv(65536) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


class TestFullDisk:
    """No file may grow any more, which is what a full disk is to a program."""

    @pytest.fixture
    def place(self, install: Callable[..., Installation]) -> Installation:
        return install(ADMIN_PASSWORD=PASSWORD, LOG_FORMAT="json")

    def test_the_sign_in_is_not_answered_halfway_and_works_when_there_is_room(self, place: Installation) -> None:
        first, second = prepared(trusted_idp(place), place.acs_url, 2)
        with place.start("serve") as program:
            assert post(place, first).status_code == 200
            with full_disk(program):
                refused = post(place, second)
                assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
                program.wait_for("database_unavailable")  # the line may be read after the answer
                (line,) = lines(program, "database_unavailable")
                assert (line["level"], line["path"]) == ("error", "/saml2")
                assert post(place, first).status_code == 503
            assert post(place, second).json()["outcome"] == "accepted"
            assert post(place, first).json()["failed"] == ["replay"]
        assert place.run("db", "check").returncode == 0


@contextmanager
def full_disk(program: Program) -> Iterator[None]:
    limit = resource.RLIMIT_FSIZE
    before = resource.prlimit(program.process.pid, limit, (4096, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(program.process.pid, limit, before)


def post(place: Installation, response: Prepared) -> httpx.Response:
    return httpx.post(place.acs_url, content=response.body, headers=FORM | PROGRAM, timeout=30, trust_env=False)
