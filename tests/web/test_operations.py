"""What those who run the service ask it: is it alive, is it ready, what does it count, and what does it log."""

from __future__ import annotations

import json
import logging
import os
import resource
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import redirect_stdout, suppress
from typing import Any, TextIO

import pytest
import structlog
from browser import Browser
from cast import BOB, BRITTA
from fastapi import FastAPI
from log_settings import logging_as_before
from prometheus_client.parser import text_string_to_metric_families
from responses import Idp, post_field
from sqlalchemy import text
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from sp.logs import configure_logging, dropped_lines
from sp.settings import Settings
from sp.store.engine import Database, newest_revision
from sp.web.forwarded import ForwardedAddress
from sp.web.state import Service

TOKEN = "a-token-that-is-long-enough"
JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as captured:
        yield captured


def numbers(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Each sample by its name and its labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def send(browser: Browser, xml: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = browser.client.post("/saml2", data={"SAMLResponse": post_field(xml)}, headers=JSON).json()
    return answer


class TestReady:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_a_sound_service_says_so(self, browser: Browser, method: str, path: str) -> None:
        answer = browser.client.request(method, path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")

    def test_another_version_of_the_tables_is_not_ready(self, browser: Browser, database: Database) -> None:
        with database.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        answer = browser.open("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert (
            answer.json()["reason"]
            == f"The database is at version 0001; this program needs version {newest_revision()}."
        )
        assert browser.open("/healthz").status_code == 200

    def test_a_database_that_is_away_is_not_ready_and_its_place_stays_untold(
        self, make_app: Callable[..., FastAPI], logs: list[MutableMapping[str, Any]]
    ) -> None:
        app = make_app()
        service: Service = app.state.service
        service.database.engine.dispose()
        gone = Database("postgresql+psycopg://britta:secret-word@127.0.0.1:1/none")
        object.__setattr__(service, "database", gone)
        answer = Browser(app).open("/readyz")
        gone.close()
        assert (answer.status_code, answer.json()["reason"]) == (503, "The database does not answer.")
        [line] = [log for log in logs if log["event"] == "database_unavailable"]
        assert "secret-word" not in str(line)

    def test_a_disk_that_is_full_is_not_ready(self, make_app: Callable[..., FastAPI]) -> None:
        """No file may grow any more, which is what a full disk is to a program."""
        app = make_app()
        limit, before = resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(limit, (48 * 1024, before[1]))
        try:
            answer = Browser(app).open("/readyz")
        finally:
            resource.setrlimit(limit, before)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "Nothing can be written to the data folder: No space left on device." in answer.json()["reason"]


class TestMetrics:
    def test_sign_ins_are_counted_by_outcome_and_first_code(self, browser: Browser, connected: Idp) -> None:
        assert send(browser, connected.response())["outcome"] == "accepted"
        xml = connected.response(name_id=BOB.email)
        assert send(browser, xml)["outcome"] == "accepted"
        assert send(browser, xml)["failed"] == ["replay"]
        found = numbers(browser.open("/metrics").text)
        assert found["virtual_office_sign_ins_total", (("code", ""), ("outcome", "accepted"))] == 2
        assert found["virtual_office_sign_ins_total", (("code", "replay"), ("outcome", "refused"))] == 1
        assert found["virtual_office_sign_in_seconds_count", (("outcome", "accepted"),)] == 2
        assert found["virtual_office_sessions", (("kind", "user"),)] == 1  # the second one ended the first
        assert found["virtual_office_request_seconds_count", (("method", "POST"), ("status", "200"))] == 2

    def test_the_databases_connections_and_the_version_are_there(self, alice: Browser) -> None:
        found = numbers(alice.open("/metrics").text)
        assert found["virtual_office_database_connections_limit", ()] == 41
        assert found["virtual_office_database_connections", (("state", "idle"),)] >= 1
        assert found["virtual_office_sessions", (("kind", "administrator"),)] == 1
        assert found["virtual_office_workers", ()] == 1

    def test_mallory_cannot_make_new_series(self, browser: Browser, connected: Idp) -> None:
        for method in ("BREW", "MALLORY"):
            browser.client.request(method, f"/{method}")
        send(browser, connected.response(name_id=BRITTA.email, audience="https://mallory.example/{x}"))
        page = browser.open("/metrics").text
        assert ("BREW" in page, "mallory" in page.lower(), 'method="other"' in page) == (False, False, True)

    def test_the_internet_is_told_nothing_without_a_token(self, make_app: Callable[..., FastAPI]) -> None:
        app = make_app(base_url="https://office.contoso.example", host="0.0.0.0")  # noqa: S104
        assert Browser(app, base_url="https://office.contoso.example").open("/metrics").status_code == 404

    @pytest.mark.parametrize(
        ("sent", "status"),
        [(f"Bearer {TOKEN}", 200), (f"bearer {TOKEN}", 200), ("", 401), ("Bearer no", 401), (f"Basic {TOKEN}", 401)],
    )
    def test_a_token_is_asked_for_on_loopback_too(
        self, make_app: Callable[..., FastAPI], sent: str, status: int
    ) -> None:
        answer = Browser(make_app(metrics_token=TOKEN)).open("/metrics", headers={"authorization": sent})
        assert answer.status_code == status
        assert status == 200 or answer.headers["www-authenticate"].startswith("Bearer")


class TestReferences:
    def test_every_line_of_a_sign_in_carries_the_references_of_both(
        self, browser: Browser, connected: Idp, logs: list[MutableMapping[str, Any]]
    ) -> None:
        answer = browser.client.post(
            "/saml2", data={"SAMLResponse": post_field(connected.response())}, headers=JSON | {"x-request-id": "forged"}
        )
        request = answer.headers["x-request-id"]
        assert request != "forged"
        assert {line["request"] for line in logs} == {request}
        told = [line for line in logs if line["event"] in {"sign_in", "request"}]
        assert [line["event"] for line in told] == ["sign_in", "request"]
        assert {line["sign_in"] for line in told} == {answer.json()["reference"]}

    def test_two_requests_have_two_references_and_share_no_line(
        self, browser: Browser, connected: Idp, logs: list[MutableMapping[str, Any]]
    ) -> None:
        send(browser, connected.response())
        answer = browser.open("/healthz")
        last = logs[-1]
        assert (last["request"], last["path"], "sign_in" in last) == (answer.headers["x-request-id"], "/healthz", False)

    def test_the_page_of_an_error_shows_the_requests_reference(
        self, app: FastAPI, logs: list[MutableMapping[str, Any]]
    ) -> None:
        @app.get("/broken")
        def page() -> None:
            raise RuntimeError("the secret inside")

        answer = Browser(app).open("/broken")
        [line] = [log for log in logs if log["event"] == "unexpected_error"]
        assert line["reference"] == line["request"] == answer.headers["x-request-id"]
        assert line["reference"] in answer.text

    def test_the_query_of_an_address_is_not_logged(
        self, browser: Browser, logs: list[MutableMapping[str, Any]]
    ) -> None:
        browser.open("/saml2?SAMLResponse=secret-message")
        assert "secret-message" not in str([line for line in logs if line["event"] == "request"])


@pytest.fixture
def json_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Logging as the program sets it up, and what it wrote."""
    with logging_as_before():
        configure_logging(Settings(log_format="json"))
        yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_librarys_warning_is_a_line_like_ours(json_lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.contextvars.bind_contextvars(request="7f3k")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request\n%s", "received")
    structlog.contextvars.clear_contextvars()
    [line] = json_lines()
    assert (line["event"], line["level"], line["logger"]) == (
        "Invalid HTTP request\\u000areceived",
        "warning",
        "uvicorn.error",
    )
    assert line["request"] == "7f3k"


class TestLogsThatCannotBeWritten:
    """A sign-in is logged after its commit: an error there would make the browser's second try a replay."""

    @pytest.fixture(params=["full disk", "closed pipe"])
    def broken_output(self, request: pytest.FixtureRequest) -> Iterator[TextIO]:
        if request.param == "full disk":
            descriptor = os.open("/dev/full", os.O_WRONLY)
        else:
            reader, descriptor = os.pipe()
            os.close(reader)
        output = os.fdopen(descriptor, "w")
        with logging_as_before():
            configure_logging(Settings(log_format="json"))
            yield output
        with suppress(OSError):  # what is still in its buffer cannot be written either
            output.close()

    def test_the_sign_in_is_answered_and_the_lost_lines_are_counted(
        self, browser: Browser, connected: Idp, broken_output: TextIO
    ) -> None:
        before = numbers(browser.open("/metrics").text)["virtual_office_log_lines_dropped_total", ()]
        with redirect_stdout(broken_output):
            answer = send(browser, connected.response())
            logging.getLogger("uvicorn.error").warning("a library's line")
        assert answer["outcome"] == "accepted"
        after = numbers(browser.open("/metrics").text)["virtual_office_log_lines_dropped_total", ()]
        assert after - before == 2  # the sign-in's line and the library's

    def test_a_full_pipe_whose_reader_does_not_read_holds_nothing_up(self) -> None:
        lines, length, before = 400, 450, dropped_lines()  # more than a pipe holds
        reader, writer = os.pipe()

        def log_lines() -> None:
            for number in range(lines):
                logging.getLogger("uvicorn.error").warning("%d %s", number, "x" * length)

        with os.fdopen(writer, "w") as output, os.fdopen(reader, "rb", buffering=0) as read, logging_as_before():
            configure_logging(Settings(log_format="json"))
            with redirect_stdout(output):
                thread = threading.Thread(target=log_lines, daemon=True)
                thread.start()
                thread.join(timeout=10)
                assert not thread.is_alive()
                kept = read.read(10**6)
                dropped = dropped_lines() - before
                logging.getLogger("uvicorn.error").warning("read again")
                kept += read.read(10**6)
        written = [line for line in kept.split(b"\n") if line.endswith(b"}")]
        assert dropped
        assert len(written) == lines - dropped + 1
        assert json.loads(written[-1])["event"] == "read again"


class TestProxies:
    PROXY, SENDER, FORGED = "10.0.0.7", "203.0.113.9", "198.51.100.1"

    @pytest.fixture
    def seen(self, make_app: Callable[..., FastAPI]) -> Callable[..., str]:
        """Which sender the log of sign-ins names, for a peer and what it says."""

        def ask(peer: str, headers: dict[str, str], trusted: str = "10.0.0.0/24, 2001:db8::/32") -> str:
            app = make_app(trusted_proxies=trusted)
            service: Service = app.state.service
            TestClient(app, client=(peer, 5), base_url="http://localhost:8000").post("/saml2", headers=headers)
            with service.database.reading() as session:
                return str(session.execute(text("SELECT remote_address FROM sign_in_attempt")).scalar_one())

        return ask

    def test_nobody_is_believed_unless_named(self, seen: Callable[..., str]) -> None:
        assert seen("127.0.0.1", {"x-forwarded-for": self.FORGED}, trusted="") == "127.0.0.1"

    def test_a_stranger_is_not_believed(self, seen: Callable[..., str]) -> None:
        assert seen("203.0.113.200", {"x-forwarded-for": self.FORGED}) == "203.0.113.200"

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("x-forwarded-for", SENDER),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "sso.example"),
            ("x-real-ip", SENDER),
            ("forwarded", f"for={SENDER};proto=https"),
        ],
    )
    def test_a_header_of_an_address_that_is_not_named_is_warned_of_once(
        self, make_app: Callable[..., FastAPI], logs: list[MutableMapping[str, Any]], header: str, value: str
    ) -> None:
        app = make_app()
        for _ in range(2):
            client = TestClient(app, client=("10.0.0.7", 5), base_url="http://localhost:8000")
            client.get("/sso/login/", headers={header: value})
        [line] = [line for line in logs if line["event"] == "forwarded_header_ignored"]
        assert (line["peer"], line["headers"]) == ("10.0.0.7", header)
        assert line["setting"] == "VIRTUAL_OFFICE_TRUSTED_PROXIES"

    @pytest.mark.parametrize(
        ("said", "sender"),
        [
            ("203.0.113.9", SENDER),
            ("203.0.113.9:4711", SENDER),
            ("198.51.100.1, 203.0.113.9", SENDER),  # what stands before is the sender's own word
            ("198.51.100.1, 203.0.113.9, 10.0.0.8", SENDER),
            ("198.51.100.1, garbage", PROXY),
            ("198.51.100.1, garbage, 10.0.0.8", "10.0.0.8"),
            ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
            ("[2001:db9::5]:443", "2001:db9::5"),
            ("::ffff:203.0.113.9", SENDER),
            ("", PROXY),
            ("x" * 5000, PROXY),
        ],
    )
    def test_the_last_address_that_is_no_proxy_is_the_sender(
        self, seen: Callable[..., str], said: str, sender: str
    ) -> None:
        assert seen(self.PROXY, {"x-forwarded-for": said}) == sender

    def test_a_proxy_on_a_socket_for_both_kinds_of_address_is_known(self, seen: Callable[..., str]) -> None:
        assert seen(f"::ffff:{self.PROXY}", {"x-forwarded-for": self.SENDER}) == self.SENDER

    def test_mallory_cannot_guess_more_passwords_by_naming_other_addresses(
        self, make_app: Callable[..., FastAPI]
    ) -> None:
        app = make_app(trusted_proxies=self.PROXY, password_attempts=3)
        statuses = []
        for guess in range(5):
            mallory = Browser(app, address=self.PROXY)
            mallory.client.headers["x-forwarded-for"] = f"198.51.100.{guess}, {self.SENDER}"
            statuses.append(mallory.sign_in(BRITTA.email, f"Guess-{guess}").status_code)
        assert statuses[3:] == [429, 429]
        britta = Browser(app, address=self.PROXY)
        britta.client.headers["x-forwarded-for"] = "192.0.2.44"
        assert "Application Panel" in britta.sign_in(BRITTA.email).text

    @pytest.mark.parametrize(
        ("peer", "said", "scheme"),
        [
            (PROXY, "https", "https"),
            (PROXY, "ftp", "http"),
            (PROXY, "http, https", "https"),
            (SENDER, "https", "http"),
        ],
    )
    def test_the_scheme_is_what_the_proxy_says(self, peer: str, said: str, scheme: str) -> None:
        async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
            await Response(scope["scheme"])(scope, _receive, send)

        guarded = ForwardedAddress(answer, Settings(trusted_proxies=self.PROXY).proxies)
        client = TestClient(guarded, client=(peer, 5), base_url="http://localhost:8000")
        assert client.get("/", headers={"x-forwarded-proto": said}).text == scheme
