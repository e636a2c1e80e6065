"""Writing work that shares a transaction (group commit), and work that is done in steps so that it can share one.

Owns what such a transaction offers, and that what fails takes nobody along. Never answers before the commit: what was
said to be done is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

T = TypeVar("T")

AT_MOST = 16  # pieces of work in one transaction: nobody else may write for so long
# States of PostgreSQL's: it broke off one of two that waited for each other; a lock was held for too long.
_HELD_UP = frozenset(("40P01", "55P03"))


_Rows = dict[tuple[Executable, *tuple[str, ...]], list[dict[str, Any]]]  # by statement and columns


class Transaction:
    """A writing transaction as a piece of work sees it, which may not be the only one there."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._answers: dict[Hashable, Any] = {}
        self._rows: _Rows = {}
        self._last_rows: _Rows = {}

    def once(self, question: Hashable, ask: Callable[[Connection], T]) -> T:
        """What `ask` said the first time in this transaction: for what no work in it changes."""
        if question not in self._answers:
            self._answers[question] = ask(self.connection)
        answer: T = self._answers[question]
        return answer

    def at_the_end(self, statement: Executable, row: dict[str, Any], *, last: bool = False) -> None:
        """Run the statement with this row before the commit, once for all rows alike: for what nobody here reads.

        `last` are those that lock what others lock after the rows of the rest.
        """
        rows = self._last_rows if last else self._rows
        rows.setdefault((statement, *row), []).append(row)

    def finish(self) -> None:
        for (statement, *_), rows in (*self._rows.items(), *self._last_rows.items()):
            self.connection.execute(statement, rows)


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody wants done in a transaction.

    `order` says before and after whom: two transactions that lock the same rows in the same order do not wait for each
    other for ever.
    """

    do: Callable[[Transaction], Any]
    order: tuple[str, ...] = ()
    is_wanted: Callable[[], bool] = lambda: True  # asked when the lock is there, which may have taken seconds


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a piece of work: what it returned, committed, or what it raised, and nothing of it was kept."""

    result: Any = None
    error: Exception | None = None


class AbandonedError(Exception):
    """The work was not done: the client that asked for it had disconnected."""


Begin = Callable[[], AbstractContextManager[Connection]]


def do_together(begin: Begin, works: Sequence[Work]) -> list[Done]:
    """Each piece of work, all in one transaction, or, when one of them fails, each in its own.

    Where the database itself fails, everybody gets its error at once: trying once more each could take minutes.
    """
    if len(works) > 1:
        try:
            return _in_one(begin, works)
        except BaseException as error:  # noqa: BLE001  it is raised to the ones whose work it was
            if not _may_be_of_one(error):
                return [Done(error=_told(error))] * len(works)
    return [_alone(begin, work) for work in works]


def _in_one(begin: Begin, works: Sequence[Work]) -> list[Done]:
    """Raises what the first piece of work raises that fails, or the commit; then nothing of any is kept."""
    done = [Done()] * len(works)
    with begin() as connection:
        transaction = Transaction(connection)
        for at in sorted(range(len(works)), key=lambda at: works[at].order):
            work = works[at]
            done[at] = Done(work.do(transaction)) if work.is_wanted() else Done(error=AbandonedError())
        transaction.finish()
    return done


def _alone(begin: Begin, work: Work) -> Done:
    try:
        return _in_one(begin, [work])[0]
    except BaseException as error:  # noqa: BLE001  it is raised to the one whose work it was
        return Done(error=_told(error))


def _told(error: BaseException) -> Exception:
    """The error for whoever waits for it in another thread, where only an Exception is one request's affair."""
    if isinstance(error, Exception):
        return error
    told = RuntimeError(f"{type(error).__name__}: {error}")
    told.__cause__ = error
    return told


def _may_be_of_one(error: BaseException) -> bool:
    """Whether the others may fare better without one of them: not when a disk is full, or a connection is away."""
    if not isinstance(error, SQLAlchemyError):
        return True
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    passing = isinstance(error, OperationalError | InterfaceError)
    return not passing or getattr(error.orig, "sqlstate", None) in _HELD_UP


Steps = Generator[Work, Any, T]


class Writer(Protocol):
    """A database, as far as it does work."""

    def write_together(self, works: Sequence[Work]) -> list[Done]: ...


class InSteps(Generic[T]):
    """Something that is done up to where it needs a transaction, and goes on when its work there is done.

    `steps` yields its `Work` each time, is given what that returned, or has raised what it raised, and returns in the
    end. All of it runs in the context of whoever made this, its work too.
    """

    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps
        self._context = copy_context()
        self._result: list[T] = []
        self.error: Exception | None = None
        self.work: Work | None = None  # what it waits for; None before it begins and when it is over
        self._is_abandoned = False

    def abandon(self) -> None:
        """The client has disconnected: do nothing more than was done by now. From any thread."""
        self._is_abandoned = True

    def begin(self) -> None:
        if self._is_abandoned:
            self.error = AbandonedError()
            return
        self._advance(self._steps.__next__)

    def go_on(self, done: Done) -> None:
        if done.error is None:
            self._advance(self._steps.send, done.result)
        else:
            self._advance(self._steps.throw, done.error)

    def result(self) -> T:
        """What the steps returned. Raises what they raised."""
        if self.error is not None:
            raise self.error
        return self._result[0]

    def _advance(self, step: Callable[..., Work], *given: Any) -> None:
        self.work = None
        try:
            work = self._context.run(step, *given)
            self.work = Work(
                lambda transaction: self._context.run(work.do, transaction),
                work.order,
                lambda: not self._is_abandoned,
            )
        except StopIteration as end:
            self._result.append(end.value)
        except BaseException as error:  # noqa: BLE001  it is raised to the one who asks for the result
            self.error = _told(error)


def complete(writer: Writer, begun: Sequence[InSteps[T]]) -> Generator[InSteps[T]]:
    """Those that are over, as they are: their works are done together, again and again while one has more."""
    yield from (one for one in begun if one.work is None)
    waiting = [one for one in begun if one.work is not None]
    while waiting:
        done = writer.write_together([one.work for one in waiting if one.work is not None])
        for one, what in zip(waiting, done, strict=True):
            one.go_on(what)
            if one.work is None:
                yield one
        waiting = [one for one in waiting if one.work is not None]


def run(writer: Writer, steps: Steps[T]) -> T:
    """What the steps return, with nobody else. Raises what they raise."""
    one = InSteps(steps)
    one.begin()
    for _ in complete(writer, [one]):
        pass
    return one.result()
