"""What was answered is on disk: kill -9 in the middle of a stream of sign-ins."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgresql import PostgreSql, running_postgresql
from processes.program import PASSWORD, Installation, Program
from processes.sign_ins import (
    Prepared,
    check_nothing_is_accepted_again,
    check_nothing_is_accepted_twice,
    check_nothing_is_lost,
    prepared,
    streaming,
    trusted_idp,
)

RESPONSES = 700
BEFORE, AFTERWARDS = 100, 40  # how many are acknowledged before the blow, and after it
KILLS, BETWEEN = 20, 5  # how often a worker is killed, and how many are acknowledged before each time
UNANSWERED = 40  # how many of those that got no answer are sent again


@pytest.fixture
def postgresql() -> Iterator[PostgreSql]:
    with running_postgresql() as server:
        yield server


@pytest.fixture
def place(install: Callable[..., Installation]) -> Installation:
    return install(ADMIN_PASSWORD=PASSWORD, LOG_LEVEL="warning", NEW_USERS_PER_HOUR="100000")


def sqlite_url(place: Installation) -> str:
    return f"sqlite:///{place.data}/virtual-office.db"


def ready(place: Installation, number: int = RESPONSES) -> list[Prepared]:
    return prepared(trusted_idp(place), place.acs_url, number)


def workers_of(program: Program) -> list[int]:
    process = program.process.pid
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def wait_for_a_replacement(program: Program, killed: int) -> list[int]:
    """The workers, once there are as many as before without the killed one."""
    deadline = time.monotonic() + 30
    while killed in (found := workers_of(program)) or len(found) < 2:
        assert time.monotonic() < deadline, program.output
        time.sleep(0.005)
    return found


def test_kill_9_of_the_service_loses_nothing_that_was_answered(place: Installation) -> None:
    responses = ready(place)
    program = place.start("serve")
    with streaming(place.port, responses) as stream:
        stream.wait_for(BEFORE)
        program.process.kill()
        program.ended()
    check_nothing_is_lost(sqlite_url(place), responses, stream)
    with place.start("serve"):
        check_nothing_is_accepted_again(place.port, responses, stream)
    check_nothing_is_lost(sqlite_url(place), responses, stream)


def test_kill_9_of_a_worker_twenty_times_loses_nothing_and_another_takes_its_place(place: Installation) -> None:
    responses = ready(place)
    with place.start("serve", "--workers", "2") as program:
        with streaming(place.port, responses) as stream:
            for _ in range(KILLS):
                stream.wait_for(BETWEEN)
                killed, other = workers_of(program)  # the older one, so that each is killed in its turn
                os.kill(killed, signal.SIGKILL)
                after = wait_for_a_replacement(program, killed)
                assert (other in after, len(after)) == (True, 2)
            stream.wait_for(AFTERWARDS)
        check_nothing_is_lost(sqlite_url(place), responses, stream)
        check_nothing_is_accepted_again(place.port, responses, stream)
        check_nothing_is_accepted_twice(place.port, stream.unanswered[:UNANSWERED])
        assert stream.unanswered  # some were being answered when a worker was killed


def test_kill_9_of_postgresql_loses_nothing_and_the_service_goes_on_when_it_is_back(
    install: Callable[..., Installation], postgresql: PostgreSql
) -> None:
    place = install(
        ADMIN_PASSWORD=PASSWORD, LOG_LEVEL="warning", NEW_USERS_PER_HOUR="100000", DATABASE_URL=postgresql.url
    )
    responses = ready(place)
    with place.start("serve", "--workers", "2") as program:
        with streaming(place.port, responses) as stream:
            stream.wait_for(BEFORE)
            postgresql.kill()
            postgresql.start_again()
            stream.wait_for(AFTERWARDS)
        check_nothing_is_lost(postgresql.url, responses, stream)
        check_nothing_is_accepted_again(place.port, responses, stream)
        assert "unexpected_error" not in program.output


def test_when_the_service_is_killed_its_workers_go_too(place: Installation) -> None:
    """Else they would hold the port, and the next start would find it taken."""
    program = place.start("serve", "--workers", "2")
    program.process.kill()
    program.ended()
    with place.start("serve", "--workers", "2"):
        pass
