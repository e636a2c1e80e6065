"""Connections of the pool that the server has closed meanwhile, as a restart of PostgreSQL does."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from sp.store import engine
from sp.store.engine import Database
from sp.store.together import Done, Work


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
