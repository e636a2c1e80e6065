"""Metadata from a server that takes the connection and says nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
from api.conftest import API, made_token
from browser import PASSWORD
from cast import ALICE
from fastapi import FastAPI
from metadata_server import Handler, running_server
from quiet_server import QuietServer, listening

from sp import outgoing
from sp.models import TokenScope
from sp.service import Service

IMPORT = f"{API}/account/single-sign-on/metadata"
PREVIEW = "/account-manager/business/accounts/single-sign-on/metadata/preview"
IMPORTS = 60  # more than the pages have threads


@dataclass
class Silence:
    """An answer that comes when the test is over."""

    is_over: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def __call__(self, _handler: Handler) -> None:
        self.asked += 1
        self.is_over.wait(20)


@pytest.fixture
def silence() -> Iterator[Silence]:
    silent = Silence()
    yield silent
    silent.is_over.set()


@pytest.fixture
def url(silence: Silence) -> Iterator[str]:
    with running_server() as server:
        yield server.says(silence)
        silence.is_over.set()


@pytest.fixture
def place() -> tuple[list[socket.socket], str]:
    """Where the service listens, and its host name."""
    return listening()


@pytest.fixture
def app(make_app: Callable[..., FastAPI], place: tuple[list[socket.socket], str]) -> FastAPI:
    return make_app(allowed_hosts=place[1])


@pytest.fixture
def client(app: FastAPI, service: Service, place: tuple[list[socket.socket], str]) -> Iterator[httpx.Client]:
    token = made_token(service, "business", TokenScope.WRITE)
    limits = httpx.Limits(max_connections=200)
    with (
        QuietServer(app, place[0]) as server,
        httpx.Client(
            base_url=server.base_url,
            headers={"authorization": f"Bearer {token}"},
            timeout=30,
            limits=limits,
            trust_env=False,
        ) as made,
    ):
        yield made


def test_a_silent_server_holds_no_page_up(client: httpx.Client, url: str, silence: Silence) -> None:
    """One request of the account is out, the others are refused at once, and a page that needs a thread is answered."""
    with ThreadPoolExecutor(IMPORTS) as crowd:
        asked = [crowd.submit(client.post, IMPORT, json={"url": url}) for _ in range(IMPORTS)]
        deadline = time.monotonic() + 10
        while sum(answer.done() for answer in asked) < IMPORTS - 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        began = time.monotonic()
        assert client.get("/sso/login/").status_code == 200
        assert time.monotonic() - began < 2
        silence.is_over.set()
        refused = [answer.result() for answer in asked if answer.result().status_code == 429]
    assert (len(refused), silence.asked) == (IMPORTS - 1, 1)
    assert refused[0].headers["retry-after"] == "10"
    assert refused[0].json()["detail"].startswith("This account is fetching metadata already.")


def test_pages_and_programs_of_an_account_share_its_one_request(
    client: httpx.Client, url: str, silence: Silence
) -> None:
    with ThreadPoolExecutor(1) as crowd:
        first = crowd.submit(client.post, IMPORT, json={"url": url})
        deadline = time.monotonic() + 10
        while not silence.asked:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        page = client.get("/sso/login/").text
        fields = {"username": ALICE.email, "password": PASSWORD, "csrf_token": _token(page)}
        assert client.post("/sso/login/", data=fields).status_code == 303
        form = client.get(PREVIEW.removesuffix("/preview")).text
        refused = client.post(PREVIEW, data={"csrf_token": _token(form), "url": url})
        silence.is_over.set()
        assert first.result().status_code == 422
    assert refused.status_code == 429
    assert "This account is fetching metadata already." in refused.text


def test_one_sender_leaves_requests_for_others(
    client: httpx.Client, url: str, silence: Silence, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "MOST_OF_A_SENDER", 1)
    other = {"authorization": f"Bearer {made_token(service, 'fabrikam', TokenScope.WRITE)}"}
    with ThreadPoolExecutor(1) as crowd:
        first = crowd.submit(client.post, IMPORT, json={"url": url})
        deadline = time.monotonic() + 10
        while not silence.asked:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        refused = client.post(IMPORT, json={"url": url}, headers=other)
        silence.is_over.set()
        first.result()
    assert refused.status_code == 429
    assert refused.json()["detail"].startswith("Your address is fetching metadata")


def test_workspaces_leave_requests_for_companies(
    client: httpx.Client, url: str, silence: Silence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "MOST_REQUESTS", 1)
    first, second = ({"authorization": f"Bearer {client.post(f'{API}/workspaces').json()['token']}"} for _ in range(2))
    with ThreadPoolExecutor(2) as crowd:
        asked = [crowd.submit(client.post, IMPORT, json={"url": url}, headers=first)]
        _wait_until_asked(silence, 1)
        refused = client.post(IMPORT, json={"url": url}, headers=second)
        asked.append(crowd.submit(client.post, IMPORT, json={"url": url}))
        _wait_until_asked(silence, 2)
        silence.is_over.set()
    assert refused.status_code == 503
    assert [answer.result().status_code for answer in asked] == [422, 422]


def _wait_until_asked(silence: Silence, times: int) -> None:
    deadline = time.monotonic() + 10
    while silence.asked < times:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _token(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]
