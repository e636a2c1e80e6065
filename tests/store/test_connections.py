"""Connections: to a file that another opens too, and those that a server closed or left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text

from sp.store import engine
from sp.store.engine import Database
from sp.store.together import Done, Work


def test_two_that_open_a_new_file_at_once_both_have_it(tmp_path: Path) -> None:
    """One in six was told that it is locked: SQLite does not wait while another changes the journal."""
    for number in range(20):
        url, both = f"sqlite:///{tmp_path / str(number)}.db", Barrier(2)

        def journal(url: str = url, both: Barrier = both) -> str:
            both.wait(10)
            database = Database(url)
            with database.engine.connect() as connection:
                mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
            database.close()
            return mode

        with ThreadPoolExecutor(2) as threads:
            modes = [threads.submit(journal) for _ in range(2)]
        assert [mode.result() for mode in modes] == ["wal", "wal"]


def test_one_that_rested_is_asked_before_it_is_used(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_RESTS_SECONDS", 0.0)
    ours, others = Database(postgresql_url), Database(postgresql_url)
    with ours.engine.connect() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with others.engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
    asked = Work(lambda transaction: transaction.connection.execute(text("SELECT 7")).scalar_one())
    assert ours.write_together([asked]) == [Done(7)]
    ours.close()
    others.close()


def test_a_server_that_fell_silent_is_given_up(postgresql_url: str) -> None:
    """Else a write waits a quarter of an hour for the network, and with it everybody at the desk.

    That it is so was tried with a network that was taken away: 10 seconds, then 503.
    """
    assert parameters(postgresql_url) >= {
        ("connect_timeout", "5"),
        ("tcp_user_timeout", "10000"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
    }


def test_the_address_may_say_when_a_server_is_given_up(postgresql_url: str) -> None:
    sign = "&" if "?" in postgresql_url else "?"
    asked = parameters(f"{postgresql_url}{sign}tcp_user_timeout=60000&connect_timeout=20")
    assert asked >= {("tcp_user_timeout", "60000"), ("connect_timeout", "20"), ("keepalives_count", "3")}


def parameters(url: str) -> set[tuple[str, str]]:
    """What libpq was told when the connection was made, as far as that is not its own habit."""
    database = Database(url)
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        told = set(driver.info.get_parameters().items())
    database.close()
    return told
