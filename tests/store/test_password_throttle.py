"""Counting password attempts, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from cast import NOW

from sp.store import password_throttle
from sp.store.engine import Database

WINDOW = timedelta(seconds=300)
ADDRESS = "192.0.2.7"


def count(database: Database, after: float = 0, address: str = ADDRESS) -> int:
    with database.writing() as session:
        return password_throttle.count_attempt(session, address, NOW + timedelta(seconds=after), WINDOW)


def test_attempts_add_up_by_address(database: Database) -> None:
    assert [count(database), count(database), count(database, address="192.0.2.8")] == [1, 2, 1]


def test_a_window_begins_with_its_first_attempt(database: Database) -> None:
    assert [count(database), count(database, after=299), count(database, after=300)] == [1, 2, 1]


def test_an_attempt_can_be_taken_back(database: Database) -> None:
    count(database)
    count(database)
    with database.writing() as session:
        password_throttle.take_back(session, ADDRESS)
    assert count(database) == 2


def test_taking_back_what_was_never_counted_changes_nothing(database: Database) -> None:
    with database.writing() as session:
        password_throttle.take_back(session, ADDRESS)
    assert count(database) == 1


def test_attempts_at_once_each_get_a_number_of_their_own(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda _: count(database), range(12))) == list(range(1, 13))
