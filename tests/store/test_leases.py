"""Leases, on both databases: one holder at a time, whoever asks at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from cast import NOW

from sp.store import leases
from sp.store.engine import Database

MINUTE = timedelta(minutes=1)
CANDIDATES = 8


def take(database: Database, holder: str, minutes: float = 0) -> bool:
    """At so many minutes past NOW, for one minute."""
    now = NOW + minutes * MINUTE
    with database.writing() as session:
        return leases.take(session, "housekeeping", holder, now, now + MINUTE)


def test_the_first_who_asks_has_it_and_the_second_has_not(database: Database) -> None:
    assert take(database, "first")
    assert not take(database, "second", minutes=0.99)


def test_its_holder_may_renew_it_and_then_has_it_longer(database: Database) -> None:
    take(database, "first")
    assert take(database, "first", minutes=0.5)
    assert not take(database, "second", minutes=1.2)


def test_one_that_ran_out_is_anybodys(database: Database) -> None:
    take(database, "first")
    assert take(database, "second", minutes=1)
    assert not take(database, "first", minutes=1.5)


def test_one_that_is_given_back_is_free_at_once(database: Database) -> None:
    take(database, "first")
    with database.writing() as session:
        leases.give_back(session, "housekeeping", "first")
    assert take(database, "second")


def test_nobody_gives_back_what_is_somebody_elses_by_now(database: Database) -> None:
    take(database, "first")
    with database.writing() as session:
        leases.give_back(session, "housekeeping", "second")
    assert not take(database, "second")


def test_another_lease_is_another_matter(database: Database) -> None:
    take(database, "first")
    with database.writing() as session:
        assert leases.take(session, "something else", "second", NOW, NOW + MINUTE)


def test_of_many_who_ask_at_once_one_gets_it(database: Database) -> None:
    barrier = Barrier(CANDIDATES)

    def ask(number: int) -> bool:
        barrier.wait()
        return take(database, f"candidate {number}")

    with ThreadPoolExecutor(CANDIDATES) as pool:
        assert sum(pool.map(ask, range(CANDIDATES))) == 1
