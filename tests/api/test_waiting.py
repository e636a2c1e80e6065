"""Waiting for a sign-in, over a real connection: by a request that stays, and by a stream."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from api.conftest import API, made_token
from browser import StillClock
from cast import FABRIKAM_ISSUER
from fastapi import FastAPI
from quiet_server import QuietServer, listening
from responses import Idp, post_field
from web.sign_in_log.conftest import Door

from sp.api import sign_in_events, waiting
from sp.flows.api_tokens import hash_token
from sp.models import TokenScope
from sp.service import Service
from sp.store import api_tokens, sign_in_attempts
from sp.store.engine import Database
from sp.store.rows import required

SIGN_INS = f"{API}/sign-ins"
SOON = 10.0  # seconds: far less than a wait takes, and enough for a busy machine


@pytest.fixture
def place() -> tuple[list[socket.socket], str]:
    """Where the service listens, and its host name."""
    return listening()


@pytest.fixture
def app(make_app: Callable[..., FastAPI], place: tuple[list[socket.socket], str]) -> FastAPI:
    return make_app(allowed_hosts=place[1])


@pytest.fixture
def running(
    app: FastAPI, place: tuple[list[socket.socket], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[QuietServer]:
    """The service. Whoever waits is woken by the ring alone, since the next round is far away."""
    monkeypatch.setattr(waiting, "_ROUND_SECONDS", 2 * SOON)
    with QuietServer(app, place[0]) as server:
        yield server


@pytest.fixture
def client(running: QuietServer, service: Service) -> Iterator[httpx.Client]:
    with opened(running, service) as made:
        yield made


@contextmanager
def opened(server: QuietServer, service: Service, slug: str = "business") -> Iterator[httpx.Client]:
    token = made_token(service, slug, TokenScope.READ)
    limits = httpx.Limits(max_connections=200)
    with httpx.Client(
        base_url=server.base_url,
        headers={"authorization": f"Bearer {token}"},
        timeout=60,
        limits=limits,
        trust_env=False,
    ) as made:
        yield made


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(80) as pool:
        yield pool


@pytest.fixture
def elsewhere(service: Service, clock: StillClock, connected: Idp) -> Iterator[Door]:
    """The door of another process on the same database."""
    database = Database(service.database.url)
    yield Door(Service(service.settings, database, clock), clock, connected)
    database.close()


def waits(crowd: ThreadPoolExecutor, client: httpx.Client, app: FastAPI, query: str = "wait=30") -> Future[Any]:
    """A request that waits, once it does."""
    before = places(app)
    future = crowd.submit(lambda: client.get(f"{SIGN_INS}?{query}"))
    until(lambda: places(app) > before)
    return future


def places(app: FastAPI) -> int:
    watch = getattr(app.state, "sign_in_watch", None)
    return watch.places.taken if watch else 0


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def told(future: Future[Any]) -> list[str]:
    answer = future.result(SOON)
    assert answer.status_code == 200, answer.text
    return [item["reference"] for item in answer.json()["items"]]


def test_whoever_waits_is_told_at_once(
    app: FastAPI, client: httpx.Client, crowd: ThreadPoolExecutor, connected: Idp, clock: StillClock
) -> None:
    future = waits(crowd, client, app)
    answer = client.post("/saml2", data={"SAMLResponse": post_field(connected.response(now=clock.now))})
    assert answer.status_code in {200, 303}, answer.text
    assert len(told(future)) == 1


def test_what_another_process_took_is_told_too(
    app: FastAPI, client: httpx.Client, crowd: ThreadPoolExecutor, elsewhere: Door
) -> None:
    future = waits(crowd, client, app)
    made = elsewhere.accepted().reference
    assert told(future) == [made]


def test_what_came_before_the_wait_is_told_without_waiting(client: httpx.Client, elsewhere: Door) -> None:
    first, second = elsewhere.accepted().reference, elsewhere.accepted().reference
    page = client.get(f"{SIGN_INS}?after={first}&wait=30").json()
    assert [item["reference"] for item in page["items"]] == [second]


def test_what_the_filter_does_not_want_wakes_nobody(
    app: FastAPI, client: httpx.Client, crowd: ThreadPoolExecutor, elsewhere: Door
) -> None:
    future = waits(crowd, client, app, "wait=30&outcome=refused")
    elsewhere.accepted()
    made = elsewhere.refused().reference
    assert told(future) == [made]


def test_a_wait_ends_without_a_sign_in(client: httpx.Client, elsewhere: Door) -> None:
    newest = elsewhere.accepted().reference
    started = time.monotonic()
    page = client.get(f"{SIGN_INS}?wait=1").json()
    assert (page["items"], page["latest"]) == ([], newest)
    assert 0.9 < time.monotonic() - started < SOON


def test_fabrikams_wait_does_not_end_by_contosos_sign_in(
    app: FastAPI, running: QuietServer, crowd: ThreadPoolExecutor, elsewhere: Door, service: Service
) -> None:
    with opened(running, service, "fabrikam") as fabrikams:
        future = waits(crowd, fabrikams, app, "wait=1")
        elsewhere.accepted()
        elsewhere.post(Idp.make(FABRIKAM_ISSUER).response())
        assert told(future) == []


def test_so_many_may_wait_without_holding_a_thread(
    app: FastAPI,
    client: httpx.Client,
    crowd: ThreadPoolExecutor,
    elsewhere: Door,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = waiting.MOST_WAITING + 1  # with the account's own
    monkeypatch.setattr(waiting, "MOST_OF_AN_ACCOUNT", most + 1)
    monkeypatch.setattr(waiting, "MOST_OF_A_SENDER", most + 1)
    futures = [crowd.submit(lambda: client.get(f"{SIGN_INS}?wait=50")) for _ in range(most)]
    until(lambda: places(app) == most)
    refused = client.get(f"{SIGN_INS}?wait=30")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json()["type"] == "urn:virtual-office:problem:busy"
    assert client.get(f"{SIGN_INS}/events").status_code == 503
    assert client.get(f"{API}/account").status_code == 200  # there are fewer threads than who wait
    reference = elsewhere.accepted().reference
    assert {tuple(told(future)) for future in futures} == {(reference,)}
    until(lambda: places(app) == 0)


def test_an_account_leaves_room_for_the_others(
    app: FastAPI, running: QuietServer, client: httpx.Client, crowd: ThreadPoolExecutor, service: Service
) -> None:
    """All at once, so that a look before the place is taken would let more in."""
    asked = [crowd.submit(lambda: client.get(f"{SIGN_INS}?wait=2")) for _ in range(waiting.MOST_OF_AN_ACCOUNT + 4)]
    until(lambda: places(app) == waiting.MOST_OF_AN_ACCOUNT)
    with opened(running, service, "fabrikam") as fabrikams:
        assert fabrikams.get(f"{SIGN_INS}?wait=1").status_code == 200
    statuses = [answer.result(SOON).status_code for answer in asked]
    assert statuses.count(503) == 4
    until(lambda: places(app) == 0)


@pytest.mark.parametrize("limit", ["MOST_WAITING", "MOST_OF_A_SENDER"])
def test_an_account_that_has_no_request_waiting_always_has_a_place(
    app: FastAPI,
    running: QuietServer,
    client: httpx.Client,
    crowd: ThreadPoolExecutor,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
) -> None:
    """Whatever all others, or other accounts from the same address, hold."""
    monkeypatch.setattr(waiting, limit, 1)
    asked = [crowd.submit(lambda: client.get(f"{SIGN_INS}?wait=2")) for _ in range(2)]
    until(lambda: places(app) == 2)
    refused = client.get(f"{SIGN_INS}?wait=2")
    assert refused.status_code == 503
    assert refused.json()["detail"].startswith("1 requests")
    with opened(running, service, "fabrikam") as fabrikams:
        assert fabrikams.get(f"{SIGN_INS}?wait=1").status_code == 200
        others = [crowd.submit(lambda: fabrikams.get(f"{SIGN_INS}?wait=1").status_code) for _ in range(2)]
        assert sorted(answer.result(SOON) for answer in others) in ([200, 200], [200, 503])
    assert [answer.result(SOON).status_code for answer in asked] == [200, 200]
    until(lambda: places(app) == 0)


def test_streams_that_come_at_once_find_no_room_twice(
    app: FastAPI, client: httpx.Client, crowd: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_OF_AN_ACCOUNT", 2)
    monkeypatch.setattr("sp.api.sign_in_events._ROUND_SECONDS", 0.05)
    prepared = sign_in_events._prepared

    def slowly(*given: Any) -> Any:
        time.sleep(0.3)
        return prepared(*given)

    monkeypatch.setattr(sign_in_events, "_prepared", slowly)
    asked = [crowd.submit(lambda: client.get(f"{SIGN_INS}/events").status_code) for _ in range(6)]
    until(lambda: sum(answer.done() for answer in asked) == 4)
    app.state.stopping = True
    assert sorted(answer.result(SOON) for answer in asked) == [200, 200, 503, 503, 503, 503]
    until(lambda: places(app) == 0)


def test_a_stream_that_cannot_begin_leaves_no_place_taken(app: FastAPI, client: httpx.Client) -> None:
    assert client.get(f"{SIGN_INS}/events?after=ZZZZZZZZ").status_code == 422
    assert places(app) == 0


def test_nobody_looks_when_nobody_waits(
    app: FastAPI, client: httpx.Client, crowd: ThreadPoolExecutor, elsewhere: Door
) -> None:
    future = waits(crowd, client, app)
    elsewhere.accepted()
    told(future)
    until(app.state.sign_in_watch._task.done)


def test_whoever_leaves_makes_room(app: FastAPI, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_ROUND_SECONDS", 0.05)
    with pytest.raises(httpx.ReadTimeout):
        client.get(f"{SIGN_INS}?wait=50", timeout=0.5)
    until(lambda: places(app) == 0)


def test_a_stop_does_not_wait_for_those_who_wait(
    app: FastAPI, client: httpx.Client, crowd: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_ROUND_SECONDS", 0.05)
    future = waits(crowd, client, app, "wait=50")
    app.state.stopping = True
    assert told(future) == []


# The stream.


def test_a_stream_goes_on_when_ids_begin_again(
    client: httpx.Client, elsewhere: Door, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the reset of a workspace: SQLite gives the ids of what is gone again."""
    monkeypatch.setattr("sp.api.sign_in_events._ROUND_SECONDS", 0.05)
    old = [elsewhere.accepted() for _ in range(30)]
    with client.stream("GET", f"{SIGN_INS}/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        with service.database.writing() as session:
            ids = [required(elsewhere.attempt(one).id) for one in old]
            sign_in_attempts.remove(session, ids)
        time.sleep(0.5)
        new = elsewhere.accepted().reference
        assert events(lines, 1) == [new]


def events(lines: Iterator[str], count: int) -> list[str]:
    """The references of so many events."""
    found: list[str] = []
    ends = time.monotonic() + 20
    for line in lines:  # a stream that has nothing to tell says so now and then
        assert time.monotonic() < ends, found
        if line.startswith("id: "):
            found.append(line.removeprefix("id: "))
            if len(found) == count:
                break
    return found


def test_the_stream_tells_each_sign_in_once(client: httpx.Client, elsewhere: Door) -> None:
    elsewhere.accepted()
    with client.stream("GET", f"{SIGN_INS}/events?outcome=refused") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        elsewhere.accepted()
        made = [elsewhere.refused().reference for _ in range(3)]
        assert events(lines, 3) == made
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_stream_goes_on_where_it_was_cut_off(client: httpx.Client, elsewhere: Door) -> None:
    made = [elsewhere.accepted().reference for _ in range(125)]
    for name, headers in (("", {"last-event-id": made[0]}), (f"?after={made[0]}", {})):
        with client.stream("GET", f"{SIGN_INS}/events{name}", headers=headers) as answer:
            assert events(answer.iter_lines(), 124) == made[1:]


def test_a_stream_ends_with_its_token(
    running: QuietServer, service: Service, elsewhere: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sp.api.sign_in_events._ROUND_SECONDS", 0.05)
    with opened(running, service) as client, client.stream("GET", f"{SIGN_INS}/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        token = client.headers["authorization"].removeprefix("Bearer ")
        with service.database.writing() as session:
            found = api_tokens.known(session, hash_token(token))
            assert found is not None
            row = api_tokens.one_of_account(session, found.account_id, found.id)
            assert row is not None
            api_tokens.remove(session, row)
        elsewhere.accepted()
        assert [line for line in lines if line.startswith("id: ")] == []


def test_a_stream_ends_when_the_service_stops(
    app: FastAPI, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sp.api.sign_in_events._ROUND_SECONDS", 0.05)
    with client.stream("GET", f"{SIGN_INS}/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        app.state.stopping = True
        assert list(lines) == [""]
