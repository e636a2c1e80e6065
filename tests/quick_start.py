"""What makes a new installation cheap for the thousands of tests that each want one.

Owns what is cheaper in one process: the tables of an empty SQLite database and a few private keys of the service are
made once, statements are compiled once, passwords are hashed with the least cost, and commits do not wait for the disk.
Never stands in for what a test is about: the processes that tests start pay the whole price, and
`tests/test_quick_start.py` holds what is real to its cost.
"""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import URL, Engine, create_engine

from sp.flows import passwords
from sp.saml import own_keys
from sp.store import engine
from sp.store.engine import Database

REAL_HASHER = passwords._HASHER
REAL_PRAGMAS = engine._PRAGMAS
_KEYS = 8  # more than any story makes, so that two keys of one story are two
_new_private_key = own_keys._new_private_key
_upgrade = Database.upgrade
_sqlite_engine = engine._sqlite_engine
_places = itertools.count()


def install() -> None:
    """Put all of them in place, for this process."""
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    own_keys._new_private_key = _pooled_key
    Database.upgrade = _upgraded  # type: ignore[assignment,method-assign]
    engine._PRAGMAS = (*REAL_PRAGMAS, "synchronous=OFF")
    engine._sqlite_engine = _engine_like_the_first


@contextmanager
def new_keys() -> Iterator[None]:
    """Whoever keeps a key beyond one story has one that no later story is given."""
    pooled, own_keys._new_private_key = own_keys._new_private_key, _new_private_key
    try:
        yield
    finally:
        own_keys._new_private_key = pooled


def _pooled_key() -> rsa.RSAPrivateKey:
    return _key(next(_places) % _KEYS)


@cache
def _key(_place: int) -> rsa.RSAPrivateKey:
    return _new_private_key()


def _engine_like_the_first(url: URL, lock_seconds: float, **pool: int) -> Engine:
    """Whose statements are compiled when any engine of this process compiled them: the cache goes by the dialect."""
    made, first = _sqlite_engine(url, lock_seconds, **pool), _first_engine()
    made.dialect, made._compiled_cache = first.dialect, first._compiled_cache
    return made


@cache
def _first_engine() -> Engine:
    first = create_engine("sqlite://")
    first.connect().close()  # what a dialect has to know of its database, it asks the first connection
    return first


def _upgraded(database: Database) -> None:
    """Copy the tables into an empty SQLite file; every other database is upgraded as it would be."""
    if database.engine.dialect.name == "sqlite" and database.revision() == "none":
        with closing(sqlite3.connect(_upgraded_file())) as source, database.engine.connect() as target:
            source.backup(target.connection.driver_connection)  # type: ignore[arg-type]
    _upgrade(database)


@cache
def _upgraded_file() -> Path:
    file = Path(tempfile.mkdtemp(prefix="upgraded-")) / "upgraded.db"
    database = Database(f"sqlite:///{file}")
    _upgrade(database)
    database.close()
    return file
