"""Work that shares a transaction: nobody is answered before the commit, and nobody's failure is another's."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import Connection, event, text

from sp.store.engine import Database

MANY = 12


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    with sqlite_database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (number INTEGER PRIMARY KEY)"))
    return sqlite_database


@pytest.fixture
def commits(database: Database) -> list[Connection]:
    seen: list[Connection] = []
    event.listen(database._one_writer.engine, "commit", seen.append)
    return seen


def kept(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        return list(connection.execute(text("SELECT number FROM kept ORDER BY number")).scalars())


def keep(connection: Connection, number: int) -> int:
    connection.execute(text("INSERT INTO kept VALUES (:number)"), {"number": number})
    if number % 3 == 0:
        raise ValueError(number)
    return number


def behind_one_that_takes_long(database: Database, numbers: list[int]) -> tuple[Future[int], list[Future[int]]]:
    """What comes of each number, when all of them come while somebody has the turn."""
    begun, go_on = Event(), Event()

    def slowly(connection: Connection) -> int:
        begun.set()
        go_on.wait(10)
        return keep(connection, 1000)

    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        first = pool.submit(database.write, slowly)
        begun.wait(10)
        rest = [pool.submit(database.write, lambda connection, n=number: keep(connection, n)) for number in numbers]
        while len(database._together._waiting) < len(numbers):
            pass
        go_on.set()
    return first, rest


def test_those_who_come_together_are_committed_together(database: Database, commits: list[Connection]) -> None:
    first, rest = behind_one_that_takes_long(database, [number for number in range(MANY) if number % 3])
    assert [future.result() for future in (first, *rest)] == [1000, 1, 2, 4, 5, 7, 8, 10, 11]
    assert kept(database) == [1, 2, 4, 5, 7, 8, 10, 11, 1000]
    assert len(commits) == 2


def test_what_fails_leaves_nothing_and_takes_nobody_along(database: Database) -> None:
    _, rest = behind_one_that_takes_long(database, list(range(MANY)))
    assert [type(future.exception()) for future in rest[::3]] == [ValueError] * (MANY // 3)
    assert kept(database) == [1, 2, 4, 5, 7, 8, 10, 11, 1000]


def test_one_alone_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(ValueError, match="3"):
        database.write(lambda connection: keep(connection, 3))
    assert kept(database) == []


def test_nobody_is_answered_when_the_commit_fails(database: Database) -> None:
    def full(_: Connection) -> None:
        raise OSError("no space left")

    event.listen(database._one_writer.engine, "commit", full)
    first, rest = behind_one_that_takes_long(database, [1, 2])
    assert [type(future.exception()) for future in (first, *rest)] == [OSError] * 3
    event.remove(database._one_writer.engine, "commit", full)
    assert kept(database) == []


def test_there_is_a_bound_for_one_transaction(database: Database, commits: list[Connection]) -> None:
    """Whoever else wants to write must not wait for a whole crowd."""
    behind_one_that_takes_long(database, [number for number in range(60) if number % 3])
    assert len(commits) == 1 + 3
