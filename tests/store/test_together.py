"""Work that shares a transaction: nobody is answered before the commit, and nobody's failure is another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, bindparam, column, event, table, text, update
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sp.store.engine import Database
from sp.store.together import Done, InSteps, Steps, Transaction, Work, complete, do_together, run

MANY = 12
Kept = Callable[[], dict[int, str]]

KEEP = text("INSERT INTO kept (number, word) VALUES (:number, :word)")
LOCK = text("UPDATE locked SET times = times + 1 WHERE number = :number")
DEADLOCKS = 50  # milliseconds until PostgreSQL looks for one


@pytest.fixture
def kept(database: Database) -> Iterator[Kept]:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (number INTEGER PRIMARY KEY, word TEXT)"))

    def read() -> dict[int, str]:
        with database.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(text("SELECT number, word FROM kept"))}

    yield read
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE kept"))


@pytest.fixture
def commits(database: Database) -> list[Connection]:
    """Each commit from now on, whatever was asked for before this."""
    seen: list[Connection] = []
    for engine in writers(database):
        event.listen(engine, "commit", seen.append)
    return seen


def writers(database: Database) -> list[Engine]:
    own = [database._one_writer.engine] if database.engine.dialect.name == "sqlite" else []
    return [*own, database.engine]


def keep(number: int, word: str = "", *, fails: bool = False) -> Work:
    def do(transaction: Transaction) -> int:
        transaction.connection.execute(KEEP, {"number": number, "word": word})
        if fails:
            raise ValueError(number)
        return number

    return Work(do)


def errors(done: list[Done]) -> list[type | None]:
    return [None if one.error is None else type(one.error) for one in done]


def test_those_who_come_together_are_committed_together(
    database: Database, kept: Kept, commits: list[Connection]
) -> None:
    done = database.write_together([keep(number) for number in range(MANY)])
    assert [one.result for one in done] == list(range(MANY))
    assert sorted(kept()) == list(range(MANY))
    assert len(commits) == 1


def test_what_fails_leaves_nothing_and_takes_nobody_along(database: Database, kept: Kept) -> None:
    done = database.write_together([keep(number, fails=number % 3 == 0) for number in range(MANY)])
    assert errors(done) == [ValueError, None, None] * (MANY // 3)
    assert [one.result for one in done if one.error is None] == [1, 2, 4, 5, 7, 8, 10, 11]
    assert sorted(kept()) == [1, 2, 4, 5, 7, 8, 10, 11]


def test_one_alone_that_fails_leaves_nothing(database: Database, kept: Kept) -> None:
    assert errors(database.write_together([keep(3, fails=True)])) == [ValueError]
    assert kept() == {}


def test_what_the_database_refuses_takes_nobody_along(database: Database, kept: Kept) -> None:
    done = database.write_together([keep(1, "first"), keep(1, "second"), keep(2)])
    assert [type(one.error).__name__ for one in done] == ["NoneType", "IntegrityError", "NoneType"]
    assert kept() == {1: "first", 2: ""}


def test_nobody_is_answered_when_the_commit_fails(database: Database, kept: Kept) -> None:
    def full(_: Connection) -> None:
        raise OSError("no space left")

    for engine in writers(database):
        event.listen(engine, "commit", full)
    done = database.write_together([keep(1), keep(2)])
    for engine in writers(database):
        event.remove(engine, "commit", full)
    assert errors(done) == [OSError, OSError]
    assert kept() == {}


FAILING = {
    "a full disk": OperationalError("BEGIN", {}, Exception("the disk is full")),
    "no connection left": PoolTimeoutError(),
    "a driver that gave up": InterfaceError("BEGIN", {}, Exception("the connection is closed")),
    "a connection that went": ProgrammingError("BEGIN", {}, Exception("gone"), connection_invalidated=True),
}


@pytest.mark.parametrize("what", FAILING)
def test_a_database_that_fails_is_not_asked_once_more_for_each(what: str) -> None:
    """Each could wait for as long as the first one: ten seconds for a lock, thirty for a connection."""
    begun = []

    @contextmanager
    def away() -> Iterator[Connection]:
        begun.append(1)
        raise FAILING[what]
        yield

    assert errors(do_together(away, [keep(1), keep(2), keep(3)])) == [type(FAILING[what])] * 3
    assert len(begun) == 1


class Panic(BaseException):
    """As a library in another language raises it."""


def test_what_is_no_exception_is_told_as_one(database: Database, kept: Kept) -> None:
    """In the thread of somebody else it would end that thread, and nobody would be told."""

    def panic(_: Transaction) -> None:
        raise Panic("oh")

    done = database.write_together([keep(1), Work(panic), keep(2)])
    assert errors(done) == [None, RuntimeError, None]
    assert str(done[1].error) == "Panic: oh"
    assert sorted(kept()) == [1, 2]


def test_a_row_that_somebody_holds_is_not_waited_for_for_long(postgresql_url: str) -> None:
    """Whoever comes behind would wait too: the others are done without the one, who is told."""
    database = Database(postgresql_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE held (number INTEGER PRIMARY KEY, times INTEGER DEFAULT 0)"))
        connection.execute(text("INSERT INTO held (number) VALUES (1), (2), (3)"))
    count_up = text("UPDATE held SET times = times + 1 WHERE number = :number")
    works = [
        Work(lambda own, number=number: own.connection.execute(count_up, {"number": number}).rowcount)  # type: ignore[misc]
        for number in (1, 2, 3)
    ]
    with database.engine.connect() as holder:
        holder.execute(text("SELECT * FROM held WHERE number = 2 FOR UPDATE"))
        done = database.write_together(works)
    with database.engine.begin() as connection:
        times = connection.execute(text("SELECT times FROM held ORDER BY number")).scalars().all()
        connection.execute(text("DROP TABLE held"))
    database.close()
    assert errors(done) == [None, OperationalError, None]
    assert times == [1, 0, 1]


def test_two_that_lock_each_other_out_both_come_through(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE locked (number INTEGER PRIMARY KEY, times INTEGER DEFAULT 0)"))
        connection.execute(text("INSERT INTO locked (number) VALUES (1), (2)"))
    both_hold_one, unmet = Barrier(2), {1: True, 2: True}

    def lock(number: int) -> Work:
        def do(transaction: Transaction) -> None:
            transaction.connection.execute(text(f"SET LOCAL deadlock_timeout = {DEADLOCKS}"))
            transaction.connection.execute(LOCK, {"number": number})
            if unmet.pop(number, False):
                both_hold_one.wait(10)

        return Work(do)

    with ThreadPoolExecutor(2) as pool:
        turns = [[lock(1), lock(2)], [lock(2), lock(1)]]
        done = [one for both in pool.map(database.write_together, turns) for one in both]
    with database.engine.begin() as connection:
        times = connection.execute(text("SELECT times FROM locked ORDER BY number")).scalars().all()
        connection.execute(text("DROP TABLE locked"))
    database.close()
    assert errors(done) == [None] * 4
    assert times == [2, 2]


def test_work_is_done_in_its_order_and_answered_in_that_of_asking(database: Database) -> None:
    done: list[str] = []

    def note(word: str) -> Work:
        def do(_: Transaction) -> str:
            done.append(word)
            return word

        return Work(do, order=("realm", word))

    answered = database.write_together([note("c"), note("a"), note("b")])
    assert done == ["a", "b", "c"]
    assert [one.result for one in answered] == ["c", "a", "b"]


def test_rows_for_the_end_are_there_at_the_commit_of_whatever_columns(database: Database, kept: Kept) -> None:
    only_number = text("INSERT INTO kept (number) VALUES (:number)")

    def later(number: int, **word: str) -> Work:
        return Work(lambda own: own.at_the_end(KEEP if word else only_number, {"number": number, **word}))

    database.write_together([later(1, word="one"), later(2), later(3, word="three"), later(4)])
    assert kept() == {1: "one", 2: None, 3: "three", 4: None}


def test_what_comes_last_comes_after_all_the_rest_whoever_said_so_first(database: Database, kept: Kept) -> None:
    empty = text("DELETE FROM kept WHERE number < :below")
    done = database.write_together(
        [
            Work(lambda own: own.at_the_end(empty, {"below": 2}, last=True)),
            Work(lambda own: own.at_the_end(KEEP, {"number": 1, "word": ""})),
            Work(lambda own: own.at_the_end(KEEP, {"number": 2, "word": ""})),
        ]
    )
    assert errors(done) == [None] * 3
    assert kept() == {2: ""}


def test_rows_of_one_statement_may_have_different_columns(
    database: Database, kept: Kept, commits: list[Connection]
) -> None:
    database.write_together([keep(1, "one"), keep(2, "two")])
    rows = table("kept", column("number"), column("word"))
    statement = update(rows).where(rows.c.number == bindparam("which"))

    def change(**values: Any) -> Work:
        return Work(lambda own: own.at_the_end(statement, values))

    database.write_together([change(which=1, word="uno"), change(which=2, number=20)])
    assert kept() == {1: "uno", 20: "two"}
    assert len(commits) == 2  # neither was done again because it could not be done with the other


def test_a_row_for_the_end_that_is_refused_takes_nobody_along(database: Database, kept: Kept) -> None:
    def later(number: int, word: str) -> Work:
        return Work(lambda own: own.at_the_end(KEEP, {"number": number, "word": word}))

    done = database.write_together([later(1, "first"), later(1, "second"), later(2, "")])
    assert [type(one.error).__name__ for one in done] == ["NoneType", "IntegrityError", "NoneType"]
    assert kept() == {1: "first", 2: ""}


def test_what_is_asked_once_is_asked_again_in_the_next_transaction(database: Database) -> None:
    answers = count(1)

    def ask(question: str) -> Work:
        return Work(lambda own: own.once(question, lambda _: next(answers)))

    first = database.write_together([ask("one"), ask("two"), ask("one")])
    assert [one.result for one in first] == [1, 2, 1]
    assert database.write_together([ask("one")])[0].result == 3


# In steps.

WHO: ContextVar[str] = ContextVar("who", default="nobody")


def seen(_: Transaction) -> str:
    return WHO.get()


def asking() -> Steps[str]:
    """Who is seen by the work."""
    who: str = yield Work(seen)
    return who


def panicking() -> Steps[str]:
    raise Panic("oh")
    yield keep(9)


def twice(first: int, second: int) -> Steps[str]:
    """Two pieces of work, the second after what became of the first."""
    try:
        got = yield keep(first)
    except ValueError:
        got = "nothing"
    return f"{WHO.get()}: {got}, {(yield keep(second))}"


def fails() -> Steps[str]:
    yield keep(7, fails=True)
    return "not reached"


def at_once() -> Steps[str]:
    return "at once"
    yield keep(8)


def test_steps_go_on_with_what_became_of_their_work(database: Database, kept: Kept) -> None:
    assert run(database, twice(1, 2)) == "nobody: 1, 2"
    assert sorted(kept()) == [1, 2]


def test_steps_that_fail_raise_where_they_are_asked_and_stop_nobody(database: Database, kept: Kept) -> None:
    several = [InSteps(steps) for steps in (twice(1, 2), fails(), at_once(), twice(3, 4))]
    for one in several:
        one.begin()
    over = list(complete(database, several))
    assert over == [several[2], several[1], several[0], several[3]]  # as they came to their end
    assert [one.result() for one in over if one is not several[1]] == ["at once", "nobody: 1, 2", "nobody: 3, 4"]
    with pytest.raises(ValueError, match="7"):
        several[1].result()
    assert sorted(kept()) == [1, 2, 3, 4]


@pytest.mark.usefixtures("kept")
def test_steps_run_in_the_context_of_whoever_made_them(database: Database) -> None:
    token = WHO.set("britta")
    several = [InSteps(twice(1, 2)), InSteps(asking())]
    WHO.reset(token)
    for one in several:
        one.begin()
    assert {over.result() for over in complete(database, several)} == {"britta: 1, 2", "britta"}


def test_steps_that_panic_are_over(database: Database) -> None:
    with pytest.raises(RuntimeError, match="Panic: oh"):
        run(database, panicking())
