"""Whose turn it is to refresh metadata, in both databases: one process only, and only when the time has come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
from cast import NOW

from sp.models import IdpMetadata
from sp.store import accounts, idp_metadata
from sp.store.engine import Database
from sp.store.rows import required

LATER = NOW + timedelta(minutes=5)
URL = "https://idp.contoso.example/metadata"


@pytest.fixture
def account_id(database: Database) -> int:
    with database.writing() as session:
        company = accounts.add_company(session, accounts.shared_realm(session), "Contoso", NOW)
        return required(accounts.add_account(session, company, "Business", "business", NOW).id)


def follow(database: Database, account_id: int, **changes: Any) -> None:
    values: dict[str, Any] = {"url": URL, "next_refresh_at": NOW, "seen": {"certificates": []}} | changes
    with database.writing() as session:
        idp_metadata.store(session, IdpMetadata(account_id=account_id, **values))


def claim(database: Database) -> IdpMetadata | None:
    with database.writing() as session:
        return idp_metadata.claim_due(session, NOW, LATER)


def test_a_claim_is_kept_from_the_next_one(database: Database, account_id: int) -> None:
    follow(database, account_id)
    claimed = claim(database)
    assert claimed is not None
    assert (claimed.url, claimed.next_refresh_at, claimed.held) == (URL, LATER, None)
    assert claim(database) is None


@pytest.mark.parametrize("changes", [{"next_refresh_at": LATER}, {"next_refresh_at": None}, {"refreshing": False}])
def test_what_is_not_due_is_left_alone(database: Database, account_id: int, changes: dict[str, object]) -> None:
    follow(database, account_id, **changes)
    assert claim(database) is None


def test_of_two_at_once_one_gets_it(database: Database, account_id: int) -> None:
    """The second one has seen that it is due before the first one has committed."""
    follow(database, account_id)
    with ThreadPoolExecutor(1) as second_process:
        with database.writing() as session:
            assert idp_metadata.claim_due(session, NOW, LATER) is not None
            second = second_process.submit(claim, database)
            wait([second], timeout=0.5)
            assert not second.done()
        assert second.result(timeout=30) is None


def test_an_account_follows_one_url(database: Database, account_id: int) -> None:
    follow(database, account_id, held={"entity": "x"}, failures=3, fault="It broke.")
    follow(database, account_id, url="https://other.example/")
    with database.reading() as session:
        found = idp_metadata.of_account(session, account_id)
    assert found is not None
    assert (found.url, found.held, found.failures, found.fault) == ("https://other.example/", None, 0, "")
    with database.writing() as session:
        idp_metadata.forget(session, account_id)
    with database.reading() as session:
        assert idp_metadata.of_account(session, account_id) is None
