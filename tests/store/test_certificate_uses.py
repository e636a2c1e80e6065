"""When a certificate was used, first and last, in both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from cast import NOW

from sp.models import CertificateUse
from sp.settings import Settings
from sp.store import accounts, certificate_uses
from sp.store.engine import Database
from sp.store.rows import required

SETTINGS = Settings()
ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture
def account_id(database: Database) -> int:
    with database.writing() as session:
        company = accounts.add_company(session, accounts.shared_realm(session), "Contoso", NOW)
        return required(accounts.add_account(session, company, "Business", "business", NOW).id)


def use(database: Database, account_id: int, sha256: str, now: datetime) -> None:
    with database.writing() as session:
        certificate_uses.record(session, account_id, sha256, now)


def known(database: Database, account_id: int) -> dict[str, CertificateUse]:
    with database.reading() as session:
        return certificate_uses.of_account(session, account_id)


def test_first_and_last(database: Database, account_id: int) -> None:
    for days in (0, 3, 1):
        use(database, account_id, ONE, NOW + timedelta(days=days))
    use(database, account_id, OTHER, NOW)
    uses = known(database, account_id)
    assert (uses[ONE].first_used_at, uses[ONE].last_used_at) == (NOW, NOW + timedelta(days=3))
    assert (uses[OTHER].first_used_at, uses[OTHER].last_used_at) == (NOW, NOW)


def test_once_a_minute_is_enough() -> None:
    assert certificate_uses.is_stale(None, NOW)
    assert not certificate_uses.is_stale(NOW, NOW + timedelta(seconds=59))
    assert certificate_uses.is_stale(NOW, NOW + timedelta(seconds=60))


def test_the_first_two_uses_at_once_make_one_row(database: Database, account_id: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(use, database, account_id, ONE, NOW + timedelta(minutes=at)) for at in range(4)]:
            done.result(30)
    assert known(database, account_id)[ONE].last_used_at == NOW + timedelta(minutes=3)


def test_a_certificate_that_was_removed_begins_anew(database: Database, account_id: int) -> None:
    use(database, account_id, ONE, NOW)
    use(database, account_id, OTHER, NOW)
    with database.writing() as session:
        certificate_uses.forget(session, account_id, ONE)
    assert set(known(database, account_id)) == {OTHER}
