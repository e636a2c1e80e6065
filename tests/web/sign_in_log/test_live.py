"""New attempts appear by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Protocol

import httpx2
import pytest
from browser import Browser, StillClock
from fastapi import FastAPI
from lxml import html
from starlette.requests import ClientDisconnect
from starlette.types import Message
from web.conftest import signed_in
from web.sign_in_log.conftest import FABRIKAMS_LOG, LOG, Door

from sp.flows.attempt_tail import Tail
from sp.store import sessions
from sp.streams import HeldStream
from sp.web.admin import sign_in_log_live

STREAM = {"accept": "text/event-stream"}


class Listen(Protocol):
    def __call__(self, browser: Browser, path: str, *happenings: Callable[[], object], last: str = "") -> str: ...


@pytest.fixture
def listen(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Listen:
    """A function that tells what a stream said. After each look at the database something happens; then the service
    stops, unless the stream has ended before.
    """

    def listening(browser: Browser, path: str, *happenings: Callable[[], object], last: str = "") -> str:
        waiting = list(happenings)

        async def pause() -> None:
            if waiting:
                waiting.pop(0)()
            else:
                app.state.stopping = True

        monkeypatch.setattr(sign_in_log_live, "_pause", pause)
        app.state.stopping = False
        return browser.client.get(path, headers=STREAM | ({"last-event-id": last} if last else {})).text

    return listening


def told(text: str) -> list[int]:
    return [int(line.removeprefix("id: ")) for line in text.splitlines() if line.startswith("id: ")]


def test_what_came_since_the_page_is_told_as_the_row_of_the_list(alice: Browser, door: Door, listen: Listen) -> None:
    old, new = door.attempt(door.accepted()), door.attempt(door.refused())
    text = listen(alice, f"{LOG}/events?from={old.id}")
    assert told(text) == [new.id]
    assert "event: attempt" in text
    alice.open(LOG)
    row = alice.html.xpath("//table[@id='attempts']/tbody/tr")[0]
    rows = text.partition("event: summary")[0].splitlines()
    event = "".join(line.removeprefix("data: ") for line in rows if line.startswith("data: "))
    assert " ".join(text_of_row(event).split()) == " ".join(row.text_content().split())


def text_of_row(fragment: str) -> str:
    return str(html.fragment_fromstring(fragment, create_parent="table").text_content())


def test_one_that_comes_while_somebody_listens(alice: Browser, door: Door, listen: Listen) -> None:
    made: list[int | None] = []
    text = listen(alice, f"{LOG}/events?from=0", lambda: made.append(door.attempt(door.refused()).id))
    assert told(text) == made


def test_a_browser_that_comes_back_goes_on_where_it_was(alice: Browser, door: Door, listen: Listen) -> None:
    ids = [door.attempt(door.refused()).id for _ in range(3)]
    assert told(listen(alice, f"{LOG}/events?from=0", last=str(ids[1]))) == [ids[2]]
    assert told(listen(alice, f"{LOG}/events?from={ids[1]}", last="x; drop")) == [ids[2]]


def test_the_filter_holds_for_what_is_told(alice: Browser, door: Door, listen: Listen) -> None:
    door.refused()
    accepted = door.attempt(door.accepted())
    assert told(listen(alice, f"{LOG}/events?from=0&outcome=accepted")) == [accepted.id]


def test_charlie_is_told_nothing_of_contosos(charlie: Browser, door: Door, listen: Listen) -> None:
    door.refused()
    assert charlie.client.get(f"{LOG}/events?from=0", headers=STREAM).status_code == 404
    assert told(listen(charlie, f"{FABRIKAMS_LOG}/events?from=0")) == []


def test_the_stream_ends_with_the_session(alice: Browser, door: Door, listen: Listen) -> None:
    token = alice.client.cookies["virtual_office_session"]

    def sign_out() -> None:
        with door.service.database.writing() as session:
            sessions.end(session, token)

    text = listen(alice, f"{LOG}/events", sign_out)
    assert text.endswith("event: ended\ndata: The session has ended.\n\n")


def test_listening_does_not_keep_a_session_alive(alice: Browser, clock: StillClock, listen: Listen) -> None:
    """Somebody who left the page open is signed out as anybody else who asks for nothing."""
    text = listen(alice, f"{LOG}/events", *[lambda: clock.advance(minutes=31)] * 2)
    assert "event: ended" in text
    assert "Sign In" in alice.open(LOG).text


def test_a_session_has_so_many_streams(app: FastAPI, alice: Browser, listen: Listen) -> None:
    token = alice.client.cookies["virtual_office_session"]
    sign_in_log_live._streams(app)[token] = 4
    assert alice.client.get(f"{LOG}/events", headers=STREAM).status_code == 429
    other = signed_in(app, "alice@contoso.example")
    assert listen(other, f"{LOG}/events").startswith("retry: ")
    assert list(sign_in_log_live._streams(app)) == [token]


def test_a_stream_that_was_never_begun_takes_no_place(app: FastAPI) -> None:
    """The check and the count are one step; what is held is given back also where the client had gone already."""

    async def gone(_message: Message) -> None:
        raise OSError("the client has gone")

    async def nothing() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def answer() -> None:
        with ExitStack() as held:
            held.enter_context(sign_in_log_live.place(app, "token"))
            assert sign_in_log_live._streams(app)["token"] == 1
            response = HeldStream(_no_events(), held.pop_all(), {})
        assert sign_in_log_live._streams(app)["token"] == 1
        with pytest.raises(ClientDisconnect):
            await response({"type": "http", "asgi": {"spec_version": "2.4"}}, nothing, gone)
        assert not sign_in_log_live._streams(app)  # at once, not only when the answer is forgotten

    asyncio.run(answer())


async def _no_events() -> AsyncIterator[str]:
    yield ""


def test_whoever_opens_the_address_gets_the_page(alice: Browser) -> None:
    page: httpx2.Response = alice.open(f"{LOG}/events?outcome=refused&from=3")
    assert (page.url.path, page.url.query) == (LOG, b"outcome=refused")


def test_nobody_listens_signed_out(browser: Browser) -> None:
    page = browser.client.get(f"{LOG}/events", headers=STREAM, follow_redirects=False)
    assert page.status_code == 303


def test_hostile_values_are_one_event_of_text(alice: Browser, door: Door, listen: Listen) -> None:
    door.refused(name_id="x\n\nevent: evil\nid: 99\n\n<script>")
    text = listen(alice, f"{LOG}/events?from=0")
    assert "<script>" not in text
    assert [line for line in text.splitlines() if line.startswith("event:")] == ["event: attempt", "event: summary"]
    assert len(told(text)) == 1


class TestTail:
    def test_what_stands_on_the_page_is_not_told_again(self) -> None:
        tail = Tail[str](3)
        assert tail.news([(1, ""), (2, ""), (3, ""), (4, "new")]) == [(4, "new")]
        assert tail.news([(1, ""), (2, ""), (3, ""), (4, "new")]) == []

    def test_a_transaction_that_was_late_is_told(self) -> None:
        tail = Tail[str](3)
        tail.news([(3, ""), (5, "")])
        assert tail.news([(3, ""), (4, "late"), (5, "")]) == [(4, "late")]

    def test_a_long_way_behind_is_caught_up(self) -> None:
        tail = Tail[str](0)
        assert len(tail.news([(number, "") for number in range(1, 51)])) == 50
        assert tail.from_id == 30
        assert tail.news([(number, "") for number in range(31, 81)])[0][0] == 51


def test_what_stands_above_the_list_follows_once_for_several(alice: Browser, door: Door, listen: Listen) -> None:
    old = door.attempt(door.accepted())
    text = listen(alice, f"{LOG}/events?from={old.id}&outcome=refused", door.refused, door.refused, door.accepted)
    summaries = text.split("event: summary")[1:]
    assert len(summaries) == 1
    assert "2 attempts" in summaries[0]
    assert "2 accepted" in summaries[0]
    assert "\nid: " not in summaries[0].partition("\n\n")[0]


def test_where_nothing_is_new_nothing_is_counted(alice: Browser, door: Door, listen: Listen) -> None:
    old = door.attempt(door.accepted())
    assert "event: summary" not in listen(alice, f"{LOG}/events?from={old.id}", lambda: None)
