"""Who does the chores of several processes, and that whoever waits for the database gets a turn in between."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from sp.app import _REST_SECONDS, _forever
from sp.flows.election import Election
from sp.settings import Settings
from sp.store.engine import Database

_A_WHILE_SECONDS = 0.4  # some rounds and their rests


class Chore:
    """Work that is never done; `rounds` are the times at which one began and ended. It may fail with an error."""

    __name__ = "chore"

    def __init__(self, error: Exception | None = None) -> None:
        self.rounds: list[tuple[float, float]] = []
        self._error = error

    def __call__(self, _database: Database, _settings: Settings, _now: datetime) -> bool:
        began = time.monotonic()
        time.sleep(0.005)
        self.rounds.append((began, time.monotonic()))
        if self._error is not None:
            raise self._error
        return True


def run_beside_each_other(app: FastAPI, *chores: Chore) -> None:
    """For a while, each as the chore of a process of its own."""
    service = app.state.service

    async def run() -> None:
        tasks = [asyncio.create_task(_forever(service, Election(service.database), chore, 600)) for chore in chores]
        await asyncio.sleep(_A_WHILE_SECONDS)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(run())


def test_one_process_of_several_does_the_chores(make_app: Callable[..., FastAPI]) -> None:
    first, second, third = Chore(), Chore(), Chore()
    run_beside_each_other(make_app(), first, second, third)
    assert sorted(len(chore.rounds) > 0 for chore in (first, second, third)) == [False, False, True]


def test_between_two_rounds_it_rests(make_app: Callable[..., FastAPI]) -> None:
    chore = Chore()
    run_beside_each_other(make_app(), chore)
    ends, begins = [ended for _, ended in chore.rounds], [began for began, _ in chore.rounds]
    assert len(chore.rounds) >= 2
    assert all(begin - end >= _REST_SECONDS * 0.9 for end, begin in zip(ends, begins[1:], strict=False))
    assert _REST_SECONDS >= 0.05


FULL = OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
MISSING = sqlite3.OperationalError("no such table: lease")
MISSING.sqlite_errorname = "SQLITE_ERROR"


@pytest.mark.parametrize(
    ("error", "event", "traced"),
    [
        (FULL, "database_unavailable", False),
        (OperationalError("INSERT", {}, MISSING), "chore_failed", True),
        (ValueError("oh"), "chore_failed", True),
    ],
)
def test_a_chore_that_fails_is_told_and_tried_again_later(
    make_app: Callable[..., FastAPI], error: Exception, event: str, *, traced: bool
) -> None:
    """A full disk is one line for the operator; what nobody expected has its trace."""
    chore = Chore(error)
    with capture_logs() as logs:
        run_beside_each_other(make_app(), chore)
    (line,) = [line for line in logs if line.get("chore") == "chore"]
    assert (line["event"], line["log_level"], "exc_info" in line) == (event, "error", traced)
    assert len(chore.rounds) == 1
