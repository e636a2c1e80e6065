"""What a stored sign-in attempt takes on disk, and how long removing old ones keeps the writer of SQLite.

    python -m bench.retention [NUMBER TO STORE] [NUMBER TO REMOVE]

Responses of 6 KB through the assertion consumer's own flow into a temporary SQLite database; then the database itself
says how many bytes the table and each of its indices occupy. Exits with 1 where an attempt takes more than 6 KB on
average, or where while 100 000 are removed the lock is found taken for more than 50 ms in more than one case of a
hundred; what is longer then is the disk's own flush, as every commit has it.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from responses import BRITTAS_ATTRIBUTES, Idp, posted
from sqlalchemy import text

from bench import results
from sp.flows import account_setup, housekeeping
from sp.flows.assertion_consumer import Delivery, consume
from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database
from sp.web.cookies import new_token

ABOUT = "What a stored attempt takes on disk, and how long removing old ones keeps the writer of SQLite."
BUDGET_BYTES = 6 * 1024
BUDGET_MS = 50.0
GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
COPY = 10_000


def main(stored: int, removed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        database = open_database(settings)
        average = _store(settings, database, stored)
        taken = _remove(settings, database, removed)
        database.close()
    figure = {"what": "an attempt; the lock, 99 of 100 times", "stored_bytes": average, "lock_held_ms": taken}
    results.keep("retention", ABOUT, [figure], stored=stored, removed=removed)
    return 0 if average <= BUDGET_BYTES and taken <= BUDGET_MS else 1


def _store(settings: Settings, database: Database, number: int) -> float:
    idp = connected(settings, database)
    before, sizes = _pages(database), []
    for xml in _responses(settings, idp, number):
        sizes.append(len(xml))
        consume(database, settings, Delivery(posted(xml), datetime.now(UTC), "192.0.2.7", new_token()))
    taken = {name: (size - before.get(name, 0)) / number for name, size in _pages(database).items()}
    average = sum(taken.values())
    print(f"bytes per stored attempt, {number:,} responses of {sum(sizes) / number:,.0f} bytes: {average:,.0f}")
    for name, size in sorted(taken.items(), key=lambda item: -item[1]):
        print(f"  {name:34} {size:7,.0f}")
    for name in ("message", "expectations"):
        print(f"  of which {name:25} {_average(database, name):7,.0f}")
    return average


def connected(settings: Settings, database: Database) -> Idp:
    now = datetime.now(UTC)
    idp = Idp("https://sts.windows.net/5f1f5cd5-3f2c-4b0e-9c1d-8a1b2c3d4e5f/", "bench", not_before=now - timedelta(1))
    with database.writing() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
        if account is None:
            raise RuntimeError("the seeded account is missing")
        draft = account_setup.SsoDraft(single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,))
        account_setup.save_sso_settings(session, settings, account, draft, saved_by="bench", now=now)
    return idp


def _responses(settings: Settings, idp: Idp, number: int) -> Iterator[bytes]:
    """By turns with two signatures, and with one and the groups of a person, which no compression finds much in."""
    chance = random.Random(1)  # noqa: S311  (the same people in every run)
    places = {"audience": settings.entity_id, "recipient": settings.acs_url, "destination": settings.acs_url}
    for index in range(number):
        groups = tuple(str(UUID(int=chance.getrandbits(128))) for _ in range(24))
        crowded = {"attributes": {**BRITTAS_ATTRIBUTES, GROUPS: groups}}
        name = f"user{index}@contoso.example"
        shape = {"signed": "both"} if index % 2 else crowded
        yield idp.response(now=datetime.now(UTC), name_id=name, **places, **shape)  # type: ignore[arg-type]


def _pages(database: Database) -> dict[str, int]:
    """The bytes of the table of attempts and of each of its indices, in whole pages."""
    query = text("SELECT name, sum(pgsize) FROM dbstat WHERE name LIKE '%sign_in_attempt%' GROUP BY name")
    with database.reading() as session:
        return {row[0]: row[1] for row in session.execute(query)}


def _average(database: Database, name: str) -> float:
    with database.reading() as session:
        return float(session.execute(text(f"SELECT avg(length({name})) FROM sign_in_attempt")).scalar_one())  # noqa: S608


def _remove(settings: Settings, database: Database, number: int) -> float:
    _multiply(database, number)
    _settle(database)
    kept = settings.model_copy(update={"attempts_kept": 100, "unknown_attempts_kept": 100})
    spent, done = [], threading.Event()
    waits: list[float] = []
    somebody = threading.Thread(target=_wait_for_turns, args=(settings.data_dir, done, waits))
    somebody.start()
    more = True
    while more:
        started = time.perf_counter()
        more = housekeeping.tidy_up(database, kept, datetime.now(UTC))
        spent.append((time.perf_counter() - started) * 1000)
        time.sleep(0.01)
    done.set()
    somebody.join()
    print(
        f"removing {number:,} attempts in {len(spent):,} rounds, each {sorted(spent)[len(spent) // 2]:.1f} ms (median)"
    )
    waits.sort()
    most = waits[len(waits) * 99 // 100]
    print(f"  the lock was found taken {len(waits):,} times, 99 of 100 for less than {most:.1f} ms")
    print(f"  the longest for {', '.join(f'{wait:.1f}' for wait in waits[-1:-6:-1])} ms")
    return most


def _wait_for_turns(data_dir: Path, done: threading.Event, waits: list[float]) -> None:
    """How long the writer's lock is taken at a stretch, as somebody finds it who asks every half millisecond."""
    connection = sqlite3.connect(data_dir / "virtual-office.db", timeout=0, isolation_level=None)
    taken_since = 0.0
    while not done.is_set():
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            taken_since = taken_since or time.perf_counter()
        else:
            if taken_since:
                waits.append((time.perf_counter() - taken_since) * 1000)
            taken_since = 0.0
        time.sleep(0.0005)
    connection.close()


def _settle(database: Database) -> None:
    """What was just stored is on the disk, so that only the removing is measured."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # of the transaction that every connection begins
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    os.sync()


def _multiply(database: Database, number: int) -> None:
    """Copies of the stored attempts with references of their own, until there are that many."""
    with database.reading() as session:
        names = [row[1] for row in session.execute(text("PRAGMA table_info(sign_in_attempt)"))]
        there = int(session.execute(text("SELECT count(*) FROM sign_in_attempt")).scalar_one())
    columns = ", ".join(name for name in names if name not in {"id", "reference"})
    copy = text(
        f"INSERT INTO sign_in_attempt (reference, {columns}) "  # noqa: S608  (names of our own columns)
        f"SELECT lower(hex(randomblob(8))), {columns} FROM sign_in_attempt LIMIT :many"
    )
    while there < number:
        many = min(COPY, number - there, there)
        with database.writing() as session:
            session.execute(copy, {"many": many})
        there += many


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*numbers, *(2_000, 100_000)[len(numbers) :]))
