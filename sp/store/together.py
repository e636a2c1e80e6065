"""Writing transactions that come at the same moment, as one (group commit).

Owns who waits for whom, and that what fails takes nobody along. Never answers before the commit: what was said to be
done is on disk.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

T = TypeVar("T")

_AT_MOST = 16  # pieces of work in one transaction: nobody else may write for so long
_SAVEPOINT = "one_of_many"


@dataclass(slots=True)
class _Work:
    """What somebody wants done in a transaction, and what came of it."""

    do: Callable[[Connection], Any]
    result: Any = None
    error: BaseException | None = None
    over: bool = False


class Together:
    """For a database with one writer at a time, which makes each transaction wait for the disk.

    Whoever gets the turn does the work of everybody who waits for it, in one transaction: they share the pages that
    are written and one wait. Each piece of work stands in a savepoint of its own.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        self._turn = threading.Lock()
        self._waiting: deque[_Work] = deque()

    def do(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once it is committed. Raises what it raises; then nothing of it is kept."""
        mine = _Work(work)
        self._waiting.append(mine)
        with self._turn:
            while not mine.over:
                self._do_some()
        if mine.error is not None:
            raise mine.error
        return cast("T", mine.result)

    def _do_some(self) -> None:
        some = [self._waiting.popleft() for _ in range(min(_AT_MOST, len(self._waiting)))]
        try:
            with self._begin() as connection:
                _do_each(connection, some)
        except BaseException as error:  # noqa: BLE001  it is raised to everybody whose work it was
            for work in some:
                work.error = work.error or error
        for work in some:
            work.over = True


def _do_each(connection: Connection, some: list[_Work]) -> None:
    """Raises what one of them raises when it is alone, or when the database cannot even go back to a savepoint."""
    if len(some) == 1:
        some[0].result = some[0].do(connection)
        return
    for work in some:
        connection.exec_driver_sql(f"SAVEPOINT {_SAVEPOINT}")
        try:
            work.result = work.do(connection)
        except Exception as error:  # noqa: BLE001  it is raised to the one whose work it was
            work.error = error
            connection.exec_driver_sql(f"ROLLBACK TO {_SAVEPOINT}")
        connection.exec_driver_sql(f"RELEASE {_SAVEPOINT}")
