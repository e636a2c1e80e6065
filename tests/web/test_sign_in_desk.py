"""The desk where messages are judged: those who wait are served together, and nobody is forgotten or held up."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from contextvars import ContextVar
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from sp.saml import errands
from sp.store.engine import Database
from sp.store.together import AT_MOST, AbandonedError, Done, Steps, Work
from sp.web import sign_in_desk
from sp.web.sign_in_desk import SignInDesk

T = TypeVar("T")

WHO: ContextVar[str] = ContextVar("who", default="nobody")
MANY = 40


class Counting(Database):
    """The real one, which tells how many pieces of work each transaction was for."""

    def __init__(self, url: str, *, lock_seconds: float) -> None:
        super().__init__(url, lock_seconds=lock_seconds)
        self.sizes: list[int] = []

    def write_together(self, works: Sequence[Work]) -> list[Done]:
        self.sizes.append(len(works))
        return super().write_together(works)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Counting]:
    counting = Counting(f"sqlite:///{tmp_path / 'desk.db'}", lock_seconds=2.0)
    with counting.engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (number INTEGER PRIMARY KEY)"))
    yield counting
    counting.close()


@pytest.fixture
def desk(database: Counting) -> Iterator[SignInDesk]:
    opened = SignInDesk(database)
    yield opened
    opened.close()


def keep(number: int) -> Work:
    insert = text("INSERT INTO kept VALUES (:number)")
    return Work(lambda own: own.connection.execute(insert, {"number": number}).rowcount)


def kept(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        return list(connection.execute(text("SELECT number FROM kept ORDER BY number")).scalars())


def storing(number: int) -> Steps[int]:
    yield keep(number)
    return number


def held_up(desk: SignInDesk, waiting: int, rest: Callable[[], Awaitable[T]]) -> T:
    """What comes of the rest, which are so many, and all come while the desk has a visitor who takes long."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> Steps[None]:
        begun.set()
        assert go_on.wait(10)
        yield keep(10**6)

    async def come() -> T:
        first = asyncio.create_task(desk.serve(slowly()))
        await asyncio.to_thread(begun.wait, 10)
        others = asyncio.ensure_future(rest())
        while len(desk._waiting) < waiting:  # noqa: ASYNC110  the desk tells nobody who waits
            await asyncio.sleep(0.001)
        go_on.set()
        await first
        return await others

    return asyncio.run(come())


def test_those_who_wait_are_served_together(
    desk: SignInDesk, database: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_desk, "_GATHERING_SECONDS", 10.0)
    answers = held_up(desk, MANY, lambda: asyncio.gather(*(desk.serve(storing(number)) for number in range(MANY))))
    assert answers == list(range(MANY))
    assert kept(database) == [*range(MANY), 10**6]
    assert max(database.sizes) == AT_MOST
    assert sum(database.sizes) == MANY + 1
    assert len(database.sizes) <= 2 + MANY // AT_MOST


def test_whoever_takes_long_is_not_waited_for(
    desk: SignInDesk, database: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was judged is recorded and answered, instead of waiting for whatever comes next."""
    monkeypatch.setattr(sign_in_desk, "_GATHERING_SECONDS", 0.0)
    held_up(desk, 4, lambda: asyncio.gather(*(desk.serve(storing(number)) for number in range(4))))
    assert database.sizes == [1, 1, 1, 1, 1]


def test_who_fails_fails_alone(desk: SignInDesk, database: Counting) -> None:
    def broken(number: int) -> Steps[int]:
        if number % 4 == 0:
            raise LookupError(number)
        yield keep(number % 4)  # the same key for several of them
        return number

    gathered = held_up(
        desk, 8, lambda: asyncio.gather(*(desk.serve(broken(number)) for number in range(8)), return_exceptions=True)
    )
    kinds = [type(one).__name__ if isinstance(one, Exception) else one for one in gathered]
    assert kinds == ["LookupError", 1, 2, 3, "LookupError", *["IntegrityError"] * 3]
    assert kept(database) == [1, 2, 3, 10**6]


def test_who_went_away_holds_up_nobody(desk: SignInDesk, database: Counting, caplog: pytest.LogCaptureFixture) -> None:
    async def two() -> list[int]:
        gone = asyncio.create_task(desk.serve(storing(1)))
        stays = asyncio.create_task(desk.serve(storing(2)))
        await asyncio.sleep(0)
        gone.cancel()
        return [await stays]

    assert held_up(desk, 2, two) == [2]
    assert kept(database) == [2, 10**6]
    assert "InvalidStateError" not in caplog.text


def test_a_loop_that_is_over_holds_up_nobody(desk: SignInDesk, database: Counting) -> None:
    async def leave() -> None:
        task = asyncio.create_task(desk.serve(storing(1)))
        await asyncio.sleep(0)
        task.cancel()

    async def rest() -> int:
        await asyncio.to_thread(asyncio.run, leave())
        return await desk.serve(storing(2))

    assert held_up(desk, 2, rest) == 2
    assert kept(database) == [2, 10**6]


@pytest.fixture
def locked(database: Counting) -> Iterator[sqlite3.Connection]:
    """Another program that holds the lock until it rolls back."""
    with closing(sqlite3.connect(database.engine.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


@pytest.mark.usefixtures("locked")
def test_all_that_wait_are_refused_when_the_first_find_the_database_locked(
    desk: SignInDesk, database: Counting
) -> None:
    async def come() -> list[object]:
        return await asyncio.gather(*(desk.serve(storing(number)) for number in range(MANY)), return_exceptions=True)

    assert {type(answer) for answer in asyncio.run(come())} == {OperationalError}
    assert len(database.sizes) == 1  # not one wait for each sixteen


def test_what_a_client_asked_for_that_left_while_the_database_was_locked_is_not_done(
    desk: SignInDesk, database: Counting, locked: sqlite3.Connection
) -> None:
    async def come() -> tuple[int | BaseException, int | BaseException]:
        disconnected = asyncio.get_running_loop().create_future()
        stays = asyncio.create_task(desk.serve(storing(1)))
        leaves = asyncio.create_task(desk.serve(storing(2), disconnected))
        while not database.sizes:  # noqa: ASYNC110  until they wait for the lock
            await asyncio.sleep(0.001)
        disconnected.set_result(None)
        await asyncio.sleep(0)
        locked.rollback()
        return await asyncio.gather(stays, leaves, return_exceptions=True)

    first, second = asyncio.run(come())
    assert first == 1
    assert isinstance(second, AbandonedError)
    assert kept(database) == [1]


def test_nobody_waits_for_ever_when_the_desk_itself_fails(
    desk: SignInDesk, database: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_works: Sequence[Work]) -> list[Done]:
        raise KeyboardInterrupt("broken")

    with monkeypatch.context() as patch:
        patch.setattr(database, "write_together", broken)
        with pytest.raises(RuntimeError, match="the desk failed: broken"):
            asyncio.run(asyncio.wait_for(desk.serve(storing(1)), 10))
    assert asyncio.run(asyncio.wait_for(desk.serve(storing(2)), 10)) == 2


def test_a_desk_that_is_closed_does_nothing_that_nobody_waits_for(desk: SignInDesk, database: Counting) -> None:
    desk.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        asyncio.run(desk.serve(storing(1)))
    assert not desk._waiting
    assert kept(database) == []


def test_steps_run_in_the_desks_thread_and_in_the_context_of_the_request(desk: SignInDesk) -> None:
    def seen() -> Steps[tuple[str, str]]:
        yield keep(1)
        return WHO.get(), threading.current_thread().name.partition("_")[0]

    async def ask() -> tuple[str, str]:
        WHO.set("britta")
        return await desk.serve(seen())

    assert asyncio.run(ask()) == ("britta", "sign-in-desk")


def test_a_thread_that_has_read_enough_is_relieved(desk: SignInDesk, database: Counting) -> None:
    """Those who were sent to it before are served all the same, each once, by the other."""

    def reading(number: int) -> Steps[threading.Thread]:
        errands.count(errands.ENOUGH // 4)
        yield keep(number)
        return threading.current_thread()

    async def one_after_another() -> list[threading.Thread]:
        return [await desk.serve(reading(number)) for number in range(100, 112)]

    async def at_once() -> list[threading.Thread]:
        return await asyncio.wait_for(asyncio.gather(*(desk.serve(reading(number)) for number in range(MANY))), 20)

    threads = asyncio.run(one_after_another())
    runs = [len(list(same)) for _, same in groupby(threads)]
    assert len(runs) > 1
    assert set(runs[:-1]) <= {5, 6}  # the sixth may come before the other thread is there
    served = held_up(desk, MANY, at_once)
    assert len(served) == MANY
    assert len(set(served)) > 1  # though all of them were sent to the same one
    assert asyncio.run(desk.serve(reading(200))) not in served[:AT_MOST]
    assert kept(database) == [*range(MANY), *range(100, 112), 200, 10**6]
    for thread in {*threads, *served}:
        thread.join(10)
        assert not thread.is_alive()
