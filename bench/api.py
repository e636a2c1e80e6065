"""What a read by the API costs the server: CPU time, with 100 000 users and 1 000 000 sign-in attempts in one account.

    python -m bench.api [--users 100000] [--attempts 1000000] [--rounds 9] [--postgresql]

The application answers in this process, without a network, on a temporary database (SQLite, whose figures are kept, or
PostgreSQL, whose own work is counted in); token, reading and writing JSON are included. Prints the median of each case
in milliseconds of the processor, and exits with 1 when the slowest of those that an index answers is above 10 ms. The
others look at every row of the account, or do more than one thing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from browser import PASSWORD
from cast import CONTOSO_ISSUER
from fastapi import FastAPI
from pydantic import SecretStr
from responses import Idp, posted
from sqlalchemy import event, insert, text

from bench import results
from bench.processes import postgresql, tree_cpu_ms, wait_until_quiet
from sp.app import create_app
from sp.clock import system_clock
from sp.flows import account_setup
from sp.flows.account_setup import SsoDraft
from sp.flows.api_tokens import API, MadeToken, make_token
from sp.flows.assertion_consumer import Delivery, consume
from sp.flows.opening import open_database
from sp.logs import configure_logging
from sp.models import Account, SignInAttempt, TokenScope, User
from sp.service import Service
from sp.settings import Settings
from sp.store import accounts, sign_in_attempts, users
from sp.store.engine import Database
from sp.store.rows import required
from sp.web.cookies import new_token

ABOUT = "The processor's time that a read by the API takes, everything included but the network."
LIMIT_MS = 10.0
_ALPHABET = "23456789AB"
_BATCH = 20_000
_MODELS = 20_000
_FAILED: tuple[list[str], ...] = ([], [], [], ["audience"], ["not_on_or_after", "confirmation_expiry"], ["replay"])
INDEXED = {
    "the account": "/account",
    "the settings": "/account/single-sign-on",
    "their history": "/account/single-sign-on/versions",
    "the certificates": "/account/single-sign-on/certificates",
    "our metadata": "/metadata",
    "users, the first page": "/users",
    "users, a page in the middle": "/users?after={middle_user}",
    "users, one by name": "/users?username=user777@contoso.example",
    "users, by Federation ID": "/users?federation_id=f-777",
    "users, disabled": "/users?status=disabled",
    "one user": "/users/{middle_user}",
    "sessions": "/sessions",
    "sign-ins, the newest": "/sign-ins",
    "sign-ins, a page in the middle": "/sign-ins?before={middle}",
    "sign-ins, from the middle on": "/sign-ins?after={middle}",
    "sign-ins, refused": "/sign-ins?outcome=refused",
    "sign-ins, one check": "/sign-ins?code=audience",
    "sign-ins, a week a month ago": "/sign-ins?since={since}&until={until}",
    "sign-ins, what came since": "/sign-ins?after={newest}&wait=0",
    "a verdict": "/sign-ins/{newest}",
    "a message": "/sign-ins/{newest}/message",
}
LARGE = {
    "users, 200 on a page": "/users?limit=200",
    "sign-ins, 200 on a page": "/sign-ins?limit=200",
    "a comparison, which judges twice": "/sign-ins/compare?a={newest}&b={other}",
    "users, a search that one matches": "/users?search=user99998@",
    "users, a search that all match": "/users?search=contoso",
    "users, a search that nobody matches": "/users?search=nobody-at-all",
    "sign-ins, of one of 5 000 users": "/sign-ins?user=user77@",
    "sign-ins, a filter that nothing matches": "/sign-ins?user=nobody&outcome=refused",
}


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder, postgresql() if options.postgresql else nullcontext() as server:
        url = server.url if server else ""
        settings = Settings(data_dir=Path(folder), database_url=url, admin_password=SecretStr(PASSWORD))
        open_database(settings).close()
        started = time.perf_counter()
        _fill(settings, options.users, options.attempts)
        print(f"{options.users:,} users, {options.attempts:,} attempts stored in {time.perf_counter() - started:.0f} s")
        configure_logging(settings)
        app = create_app(settings)
        places, token = _set_up(app, options.users, options.attempts)
        client = _Client(app, token, server.pid if server else None)
        if server:
            wait_until_quiet(server.pid)
        indexed, others = asyncio.run(_measure_both(client, places, options.rounds))
        app.state.service.database.close()
    if not server:
        counts = {"users": options.users, "attempts": options.attempts, "rounds": options.rounds}
        results.keep("api", ABOUT, [*indexed, *others], **counts, limit_ms=LIMIT_MS)
    return int(_slowest(indexed) > LIMIT_MS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--postgresql", action="store_true")
    return parser.parse_args()


class _Client:
    """Asks the application as a server does, without the costs of a client. `database` is the process of PostgreSQL."""

    def __init__(self, app: FastAPI, token: str, database: int | None) -> None:
        self._app = app
        self._database = database
        self._headers = [(b"host", b"localhost:8000"), (b"authorization", f"Bearer {token}".encode())]

    def spent_ms(self) -> float:
        """The processor's time of the service and its database so far."""
        return time.process_time() * 1000 + (tree_cpu_ms(self._database) if self._database else 0.0)

    async def get(self, path: str) -> int:
        """The status."""
        address, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": API + address,
            "raw_path": (API + address).encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": self._headers,
            "client": ("127.0.0.1", 50000),
            "server": ("localhost", 8000),
        }
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]

        await self._app(scope, receive, send)
        return status


async def _measure_both(
    client: _Client, places: dict[str, str], rounds: int
) -> tuple[list[results.Figure], list[results.Figure]]:
    """In one task, as a server runs: worker threads end with the task that they were started in."""
    indexed = await _measure(client, INDEXED, places, rounds)
    print(f"The slowest is {_slowest(indexed):.1f} ms; the limit is {LIMIT_MS:.0f} ms.")
    print("\nThese look at every row, or do more than one thing:")
    return indexed, await _measure(client, LARGE, places, rounds)


async def _measure(client: _Client, cases: dict[str, str], places: dict[str, str], rounds: int) -> list[results.Figure]:
    figures: list[results.Figure] = []
    for label, path in cases.items():
        median = statistics.median([await _spent(client, path.format_map(places)) for _ in range(rounds)])
        figures.append({"what": label, "cpu_ms": median, "indexed": cases is INDEXED})
        print(f"  {label:42} {median:7.1f} ms", flush=True)
    return figures


def _slowest(figures: list[results.Figure]) -> float:
    return max(float(figure["cpu_ms"]) for figure in figures)


async def _spent(client: _Client, path: str) -> float:
    before = client.spent_ms()
    status = await client.get(path)
    spent = client.spent_ms() - before
    if status != 200:
        raise RuntimeError(f"{path} answered {status}")
    return spent


def _fill(settings: Settings, people: int, attempts: int) -> None:
    """Through connections of its own, with a large cache that the service does not have."""
    database = Database(settings.database_url)
    is_sqlite = database.engine.dialect.name == "sqlite"
    if is_sqlite:
        event.listen(database.engine, "connect", lambda raw, _: raw.execute("PRAGMA cache_size=-262144"))
    with database.reading() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
    if account is None:
        raise RuntimeError("the seeded account is missing")
    people_of = _people(account, people)
    while batch := [row for _, row in zip(range(_BATCH), people_of, strict=False)]:
        with database.writing() as session:
            session.execute(insert(User), batch)
    with database.writing() as session:
        for attempt in _models(account, min(attempts, _MODELS)):
            sign_in_attempts.fill_keys(attempt)
            session.add(attempt)
    if not is_sqlite:
        _copy_in_postgresql(database, attempts)
    database.close()
    if is_sqlite:
        _copy(settings.data_dir / "virtual-office.db", attempts)


def _copy_in_postgresql(database: Database, number: int) -> None:
    """As `_copy`."""
    names = [name for name in SignInAttempt.model_fields if name not in {"id", "reference", "received_at"}]
    copied = ", ".join(names)
    with database.writing() as session:
        run = session.connection().exec_driver_sql
        run("CREATE TEMP TABLE model AS SELECT row_number() OVER (ORDER BY id) - 1 AS place, * FROM sign_in_attempt")
        run("DELETE FROM sign_in_attempt")
        run(
            f"INSERT INTO sign_in_attempt (id, reference, received_at, {copied}) "  # noqa: S608
            f"SELECT n + 1, translate(lpad(n::text, 8, '0'), '0123456789', '{_ALPHABET}'), "
            f"now() - interval '1 minute' - interval '90 days' * (1 - n::float / {number}), {copied} "
            f"FROM generate_series(0, {number - 1}) n "
            "JOIN model ON place = mod(n, (SELECT count(*) FROM model))"
        )
        run("SELECT setval(pg_get_serial_sequence('sign_in_attempt', 'id'), (SELECT max(id) FROM sign_in_attempt))")
        run("DROP TABLE model")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for order in ("VACUUM ANALYZE", "CHECKPOINT"):  # as the server does by itself, sooner or later
            connection.execute(text(order))


def _copy(file: Path, number: int) -> None:
    """The models again and again, each copy with its own reference and time: through the store it would take long."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA cache_size=-262144")
        read = connection.execute("SELECT * FROM sign_in_attempt ORDER BY id")
        names = [column[0] for column in read.description]
        models = read.fetchall()
        connection.execute("DELETE FROM sign_in_attempt")
        marks = ", ".join("?" for _ in names)
        connection.executemany(f"INSERT INTO sign_in_attempt VALUES ({marks})", _copies(models, names, number))  # noqa: S608


def _copies(models: list[tuple[Any, ...]], names: list[str], number: int) -> Iterator[tuple[Any, ...]]:
    now, (row_id, reference, received) = (
        datetime.now(UTC) - timedelta(minutes=1),
        (names.index(name) for name in ("id", "reference", "received_at")),
    )
    for index in range(number):
        values = list(models[index % len(models)])
        moment = now - timedelta(days=90) * (1 - index / number)
        values[row_id], values[reference] = index + 1, _reference(index)
        values[received] = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
        yield tuple(values)


def _people(account: Account, number: int) -> Iterator[dict[str, Any]]:
    now = system_clock()
    for index in range(number):
        name = f"user{index}@contoso.example"
        user = User(
            realm_id=account.realm_id,
            account_id=required(account.id),
            username=name,
            email=name,
            first_name=f"First{index % 400}",
            last_name=f"Last{index % 4000}",
            federation_id=f"f-{index}",
            status="disabled" if index % 30 == 0 else "active",
            created_at=now - timedelta(seconds=number - index),
        )
        users.fill_keys(user)
        yield user.model_dump(exclude={"id"})


def _models(account: Account, number: int) -> Iterator[SignInAttempt]:
    chance = random.Random(1)  # noqa: S311  (the same attempts in every run)
    for index in range(number):
        failed = chance.choice(_FAILED)
        yield SignInAttempt(
            reference=_reference(index),
            realm_id=account.realm_id,
            account_id=account.id,
            settings_id=account.settings_id,
            received_at=system_clock(),
            remote_address="192.0.2.7",
            outcome="refused" if failed else "accepted",
            failed=failed,
            issuer=CONTOSO_ISSUER,
            username=f"user{chance.randrange(5000)}@contoso.example",
            expectations={"entity_id": "http://localhost:8000/saml2", "pending": [], "rest": "x" * 400},
            message=chance.randbytes(600),
        )


def _reference(index: int) -> str:
    """Eight characters that a reference may have."""
    return f"{index:08}".translate(str.maketrans("0123456789", _ALPHABET))


def _set_up(app: FastAPI, people: int, attempts: int) -> tuple[dict[str, str], str]:
    """An identity provider, three sign-ins of real messages, and a token; the names of what is asked for."""
    service: Service = app.state.service
    idp, now = Idp.make(CONTOSO_ISSUER), service.now()
    draft = SsoDraft(single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,))
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
        if account is None:
            raise RuntimeError("the seeded account is missing")
        account_setup.save_sso_settings(session, service.settings, account, draft, saved_by="bench", now=now)
        made = make_token(session, account, "bench", TokenScope.READ, lifetime=None, created_by="bench", now=now)
    if not isinstance(made, MadeToken):
        raise TypeError(made)
    posts = [idp.response(now=now), idp.response(now=now, audience="urn:another")]
    seen = [
        consume(service.database, service.settings, Delivery(posted(xml), now, "127.0.0.1", new_token()))
        for xml in posts
    ]
    month_ago = now - timedelta(days=30)
    places = {
        "middle_user": str(people // 2),
        "middle": _reference(attempts // 2),
        "newest": seen[-1].reference,
        "other": seen[0].reference,
        "since": f"{month_ago - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{month_ago:%Y-%m-%dT%H:%M:%SZ}",
    }
    return places, made.token


if __name__ == "__main__":
    sys.exit(main())
