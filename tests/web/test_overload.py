"""How many requests are in hand at once: who counts, from when until when, and what the others are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import Request, Response
from starlette.types import Message, Receive, Scope, Send

from sp.streams import stand_aside
from sp.web.overload import BusyError, Overload

BUSY = 503


@dataclass
class Desk:
    """What stands behind: it reads the body, waits until it is told to go on, then answers and stays for a while."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    stands_aside: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body", False):
            pass
        if self.stands_aside:
            stand_aside(scope)
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.leave.wait()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@dataclass
class Visitor:
    """One request. `body` are its parts, each a message that may still have to come."""

    method: str = "GET"
    path: str = "/"
    body: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    statuses: list[int] = field(default_factory=list)
    headers: dict[bytes, bytes] = field(default_factory=dict)

    async def visit(self, service: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        length = [(b"content-length", b"10")] if self.method == "POST" else []
        scope = {"type": "http", "method": self.method, "path": self.path, "headers": length}
        await service(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        part = await self.body.get() if self.method == "POST" else None
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])
            self.headers.update(message["headers"])


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def busy(_request: Request) -> Response:
    return Response(status_code=BUSY)


def story(told: Callable[[Desk, Callable[..., Any], Callable[[Visitor], Any]], Awaitable[None]]) -> None:
    """Run a story at a desk with one place, with a function to come and one to come and be gone."""

    async def run() -> None:
        desk = Desk()
        service = Overload(desk, at_once=1, busy=busy)
        tasks: list[asyncio.Task[None]] = []

        async def comes(visitor: Visitor) -> Visitor:
            tasks.append(asyncio.create_task(visitor.visit(service)))
            await settled()
            return visitor

        async def is_served(visitor: Visitor) -> bool:
            await comes(visitor)
            desk.go_on.set()
            await settled()
            return visitor.statuses == [200]

        await told(desk, comes, is_served)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())


def test_who_comes_when_all_places_are_taken_is_told_at_once() -> None:
    async def told(_desk: Desk, comes: Callable[..., Any], _is_served: Callable[[Visitor], Any]) -> None:
        await comes(Visitor())
        second = await comes(Visitor())
        assert second.statuses == [BUSY]

    story(told)


def test_the_place_is_free_when_the_answer_begins() -> None:
    """A browser that reads slowly, or a live page, keeps nobody away."""

    async def told(desk: Desk, comes: Callable[..., Any], is_served: Callable[[Visitor], Any]) -> None:
        first = await comes(Visitor())
        desk.go_on.set()
        await settled()
        assert (first.statuses, desk.leave.is_set()) == ([200], False)
        assert await is_served(Visitor())

    story(told)


def test_a_place_is_given_back_once() -> None:
    async def told(desk: Desk, comes: Callable[..., Any], is_served: Callable[[Visitor], Any]) -> None:
        assert await is_served(Visitor())
        desk.leave.set()
        await settled()
        desk.go_on.clear()
        await comes(Visitor())
        assert (await comes(Visitor())).statuses == [BUSY]

    story(told)


def test_a_body_that_trickles_in_takes_no_place() -> None:
    """Mallory's slow posts would otherwise keep everybody away."""

    async def told(_desk: Desk, comes: Callable[..., Any], is_served: Callable[[Visitor], Any]) -> None:
        slow = Visitor("POST")
        slow.body.put_nowait(b"usern")
        await comes(slow)
        assert await is_served(Visitor())

    story(told)


def test_a_body_that_is_complete_counts() -> None:
    async def told(_desk: Desk, comes: Callable[..., Any], _is_served: Callable[[Visitor], Any]) -> None:
        whole = Visitor("POST")
        whole.body.put_nowait(None)
        await comes(whole)
        assert (await comes(Visitor())).statuses == [BUSY]

    story(told)


def test_who_has_sent_a_whole_body_and_finds_no_place_is_told_by_an_error() -> None:
    async def run() -> None:
        service = Overload(Desk(), at_once=1, busy=busy)
        slow = Visitor("POST")
        posting = asyncio.create_task(slow.visit(service))
        await settled()
        other = asyncio.create_task(Visitor().visit(service))
        await settled()
        slow.body.put_nowait(None)
        with pytest.raises(BusyError):
            await posting
        other.cancel()

    asyncio.run(run())


@dataclass
class Endpoint:
    """It never reads the body that was announced, or refuses it after a piece."""

    pieces: int
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(self.pieces):
            await receive()
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 413, "headers": []})


@pytest.mark.parametrize("pieces", [0, 1])
def test_a_request_whose_body_is_not_read_to_its_end_counts_until_its_answer(pieces: int) -> None:
    async def run() -> None:
        endpoint = Endpoint(pieces)
        service = Overload(endpoint, at_once=1, busy=busy)
        first, second, third = (Visitor("POST") for _ in range(3))
        for request in (first, second, third):
            request.body.put_nowait(b"x")
        tasks = [asyncio.create_task(first.visit(service))]
        await settled()
        await second.visit(service)
        endpoint.go_on.set()
        await settled()
        await third.visit(service)
        await asyncio.gather(*tasks)
        assert (first.statuses, second.statuses, third.statuses) == ([413], [BUSY], [413])

    asyncio.run(run())


def test_a_request_that_gave_its_place_up_takes_none_again() -> None:
    async def run() -> None:
        async def waits_for_news(scope: Scope, receive: Receive, _send: Send) -> None:
            stand_aside(scope)
            await receive()
            await asyncio.Event().wait()

        service = Overload(waits_for_news, at_once=1, busy=busy)
        waiting = [Visitor("POST"), Visitor("POST")]
        for request in waiting:
            request.body.put_nowait(None)
        tasks = [asyncio.create_task(request.visit(service)) for request in waiting]
        await settled()
        assert [request.statuses for request in waiting] == [[], []]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())


def test_only_reading_whether_the_process_is_alive_is_never_refused() -> None:
    async def told(_desk: Desk, comes: Callable[..., Any], _is_served: Callable[[Visitor], Any]) -> None:
        await comes(Visitor())
        assert (await comes(Visitor("POST", path="/healthz"))).statuses == [BUSY]

    story(told)


def test_who_waits_for_news_stands_aside() -> None:
    async def told(desk: Desk, comes: Callable[..., Any], is_served: Callable[[Visitor], Any]) -> None:
        desk.stands_aside = True
        await comes(Visitor())
        desk.stands_aside = False
        assert await is_served(Visitor())

    story(told)


def test_whether_the_process_is_alive_can_always_be_asked() -> None:
    async def told(_desk: Desk, comes: Callable[..., Any], is_served: Callable[[Visitor], Any]) -> None:
        await comes(Visitor())
        assert await is_served(Visitor(path="/healthz"))

    story(told)


def test_a_request_that_broke_gives_its_place_back() -> None:
    async def run() -> None:
        async def breaks(_scope: Scope, _receive: Receive, _send: Send) -> None:
            raise RuntimeError

        service = Overload(breaks, at_once=1, busy=busy)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await Visitor().visit(service)

    asyncio.run(run())
