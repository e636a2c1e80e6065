"""The quotas of the logs, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from cast import ACS_URL, ENTITY_ID, NOW
from house import House

from sp.flows import account_setup, housekeeping
from sp.flows.sign_in_memory import memory_of
from sp.models import SignInAttempt
from sp.settings import Settings
from sp.store import retention
from sp.store.engine import Database
from sp.store.retention import Quota


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(
        data_dir=tmp_path, entity_id=ENTITY_ID, acs_url=ACS_URL, admin_password="Adm1n!pass", unknown_attempts_kept=10
    )
    with database.writing() as session:
        account_setup.seed(session, settings, NOW)
    made = House(settings, database)
    made.configure()
    memory_of(database).forget(settings.realm, made.idp.entity_id)  # of another test in the same database
    return made


def test_messages_of_no_account_go_and_those_of_an_account_stay(house: House) -> None:
    house.post(house.idp.response())
    house.post(house.idp.response(audience="urn:another"))
    for _ in range(15):
        house.post(b"<nothing-more/>")
    for _ in range(3):
        housekeeping.trim_logs(house.database, house.settings, house.now)
    with house.database.reading() as session:
        held = retention.totals(session, SignInAttempt)
        ring = next(ring for ring in held if ring.account_id is None)
        oldest_is_beyond = retention.last_beyond(session, ring, Quota(10, held[ring].message_bytes - 1))
    assert sorted((ring.account_id is None, ring.outcome, quota.rows) for ring, quota in held.items()) == [
        (False, "accepted", 1),
        (False, "refused", 1),
        (True, "refused", 10),
    ]
    assert oldest_is_beyond is not None
