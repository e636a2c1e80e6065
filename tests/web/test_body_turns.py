"""Bodies that come at the same moment: one piece in a round of the event loop, and few large ones at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from itertools import count

import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Receive, Scope, Send

from sp.request_limits import KIB, LARGE_BODY_BYTES, LimitError
from sp.web.body_limit import MOST_LARGE_BODIES, MOST_LARGE_BODIES_OF_A_SENDER, BodyLimit
from sp.web.form_decoding import decode_alone
from sp.web.overload import BusyError

METADATA = "/api/v1/account/single-sign-on/metadata"
REQUESTS = 20


def scope_of(path: str, *headers: tuple[bytes, bytes], address: str = "192.0.2.1") -> Scope:
    return {"type": "http", "path": path, "headers": list(headers), "client": (address, 50000)}


async def no_answer(_message: Message) -> None:
    raise AssertionError("a body was answered by the wrong part")


@pytest.mark.parametrize(("size", "is_refused"), [(8 * KIB, False), (9 * KIB, True)])
def test_bodies_that_are_complete_at_once_are_parsed_or_refused_in_rounds_of_their_own(
    size: int, *, is_refused: bool
) -> None:
    """Otherwise nothing else is answered until all sixty of them were parsed."""
    rounds: list[int] = []

    async def run() -> None:
        clock = count()
        now = 0

        async def tick() -> None:
            nonlocal now
            while True:
                now = next(clock)
                await asyncio.sleep(0)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"x" * size, "more_body": False}

        async def parse(_scope: Scope, receive: Receive, _send: Send) -> None:
            try:
                await receive()
            except LimitError:
                assert is_refused
            rounds.append(now)

        limited, ticking = BodyLimit(parse, frozenset()), asyncio.create_task(tick())
        await asyncio.gather(*(limited(scope_of("/sso/login/"), receive, no_answer) for _ in range(REQUESTS)))
        ticking.cancel()

    asyncio.run(run())
    assert len(set(rounds)) == REQUESTS


class Reader:
    """An application that reads two pieces of a body, then works until it is told to end."""

    def __init__(self) -> None:
        self.inside = 0
        self.end = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        await receive()
        self.inside += 1
        await self.end.wait()


async def large_piece() -> Message:
    return {"type": "http.request", "body": b"x" * (LARGE_BODY_BYTES + 1), "more_body": True}


async def settled() -> None:
    for _ in range(20 * REQUESTS):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["192.0.2.1"], MOST_LARGE_BODIES_OF_A_SENDER),
        ([f"192.0.2.{number}" for number in range(10)], MOST_LARGE_BODIES),
        (["2001:db8::1", "2001:db8::2"], MOST_LARGE_BODIES_OF_A_SENDER),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_few_large_bodies_are_in_memory_at_once(addresses: list[str], expected: int, *, announced: bool) -> None:
    headers = [(b"content-type", b"application/xml")]
    if announced:
        headers.append((b"content-length", b"%d" % (2 * LARGE_BODY_BYTES + 2)))

    async def run() -> None:
        reader = Reader()
        limited = BodyLimit(reader, frozenset())
        scopes = [scope_of(METADATA, *headers, address=address) for address in addresses * 10]
        tasks = [asyncio.create_task(limited(scope, large_piece, no_answer)) for scope in scopes]
        await settled()
        assert reader.inside == expected
        reader.end.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(answer, BusyError) for answer in answers) == len(scopes) - expected
        await limited(scopes[0], large_piece, no_answer)  # there is room again

    asyncio.run(run())


def test_slow_senders_that_announce_large_bodies_take_no_place_from_others() -> None:
    announced = (b"content-length", b"%d" % (2 * LARGE_BODY_BYTES))
    headers = [(b"content-type", b"application/xml"), announced]

    async def run() -> None:
        end = asyncio.Event()

        async def read_all(_scope: Scope, receive: Receive, _send: Send) -> None:
            while (await receive())["more_body"]:
                pass

        async def whole_body() -> Message:
            return {"type": "http.request", "body": b"x" * 2 * LARGE_BODY_BYTES, "more_body": False}

        async def nothing_for_long() -> Message:
            await end.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        limited = BodyLimit(read_all, frozenset())
        slow = [scope_of(METADATA, *headers, address=f"192.0.2.{number // 2}") for number in range(MOST_LARGE_BODIES)]
        tasks = [asyncio.create_task(limited(scope, nothing_for_long, no_answer)) for scope in slow]
        await settled()
        await limited(scope_of(METADATA, *headers, address="192.0.2.200"), whole_body, no_answer)
        end.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_long_forms_are_decoded_one_after_the_other() -> None:
    at_once, most, lock = 0, 0, threading.Lock()
    begun = threading.Event()

    def decode() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        begun.wait(0.02)
        with lock:
            at_once -= 1

    async def run() -> None:
        request = Request({"type": "http", "app": FastAPI()})
        work: Callable[[], None] = decode
        await asyncio.gather(*(decode_alone(request, work) for _ in range(5)))

    asyncio.run(run())
    assert most == 1
