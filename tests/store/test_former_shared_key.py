"""The upgrade from one encryption key for all accounts to a key for each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from encryption import own_key
from sqlalchemy import MetaData, update
from store.test_migrations import NUMBER, REVISIONS, at_revision, new_url, opened, row_of

from sp.flows import service_keys
from sp.models import KeyPurpose, KeyState, ServiceKey
from sp.saml.own_keys import private_bytes
from sp.settings import Settings
from sp.store import accounts
from sp.store import service_keys as rows
from sp.store.engine import WRITE, Database
from sp.store.rows import required

__all__ = ["new_url"]

SETTINGS = Settings(base_url="https://sso.8x8.com")
BEFORE = REVISIONS[REVISIONS.index("0008") - 1]
SHARED, SIGNING = own_key("shared"), own_key("signing")
MADE = datetime(2020, 1, 1, tzinfo=UTC)
CONTOSO, FABRIKAM = NUMBER, NUMBER + 1
THIRTY_DAYS = timedelta(days=30)


@pytest.fixture
def upgraded(new_url: str) -> Iterator[Database]:
    """A database in which two accounts shared one key, after the upgrade."""
    at_revision(new_url, BEFORE)
    with opened(new_url) as database:
        _share_a_key(database)
        database.upgrade()
        yield database


def _share_a_key(database: Database) -> None:
    tables = MetaData()
    with database.engine.execution_options(**{WRITE: True}).begin() as connection:
        tables.reflect(connection)
        account, key = tables.tables["account"], tables.tables["service_key"]
        connection.execute(account.insert().values(row_of(account) | {"id": FABRIKAM, "slug": "fabrikam"}))
        connection.execute(account.update().where(account.c.id == FABRIKAM).values(issuer="https://fabrikam.example/"))
        made = MADE if database.engine.dialect.name == "postgresql" else MADE.replace(tzinfo=None)
        for number, purpose, pair in ((NUMBER, "encryption", SHARED), (NUMBER + 1, "signing", SIGNING)):
            values = {"purpose": purpose, "state": "active", "created_at": made, "certificate": pair.certificate}
            values["private_key"] = private_bytes(pair)
            if number == NUMBER:
                connection.execute(update(key).where(key.c.id == number).values(values))
            else:
                connection.execute(key.insert().values(values | {"id": number}))


def opening(database: Database, account_id: int, now: datetime) -> tuple[list[bytes], list[bytes]]:
    """The certificates of the account's own keys and of the former shared ones that open its messages."""
    with database.reading() as session:
        keys = service_keys.decryption_keys(session, account_id, now)
    return [key.certificate for key in keys.own], [key.certificate for key in keys.former]


def test_the_shared_key_opens_for_30_days_more_and_is_published_no_longer(upgraded: Database) -> None:
    with upgraded.reading() as session:
        until = required(rows.former_key_until(session, CONTOSO))
        assert abs(until - datetime.now(UTC) - THIRTY_DAYS) < timedelta(minutes=5)
    upgraded_at = until - THIRTY_DAYS
    for account_id in (CONTOSO, FABRIKAM):
        assert opening(upgraded, account_id, upgraded_at) == ([], [SHARED.certificate])
        assert opening(upgraded, account_id, until - timedelta(seconds=1)) == ([], [SHARED.certificate])
        assert opening(upgraded, account_id, until) == ([], [])
        with upgraded.reading() as session:
            assert service_keys.published(session, account_id).encryption == ()
    service_keys.ensure_encryption_key(upgraded, SETTINGS, CONTOSO, upgraded_at)
    own, former = opening(upgraded, CONTOSO, upgraded_at)
    assert (len(own), former) == (1, [SHARED.certificate])
    assert opening(upgraded, CONTOSO, until) == (own, [])
    assert opening(upgraded, FABRIKAM, upgraded_at) == ([], [SHARED.certificate])


def test_a_message_of_before_is_evaluated_again_as_it_was_then(upgraded: Database) -> None:
    """Without a warning: nobody had another key."""
    with upgraded.reading() as session:
        upgraded_at = required(rows.former_key_until(session, CONTOSO)) - THIRTY_DAYS
    assert opening(upgraded, CONTOSO, upgraded_at - timedelta(seconds=1)) == ([SHARED.certificate], [])


def test_an_account_made_after_the_upgrade_never_uses_the_shared_key(upgraded: Database) -> None:
    now = datetime.now(UTC)
    with upgraded.writing() as session:
        company = accounts.company_by_id(session, NUMBER)
        added = required(accounts.add_account(session, company, "Business", "northwind", now).id)
    assert opening(upgraded, added, now) == ([], [])


def test_the_signing_key_stays_in_use(upgraded: Database) -> None:
    with upgraded.reading() as session:
        assert service_keys.signing_key(session).certificate == SIGNING.certificate
        found: list[ServiceKey] = [*rows.of_purpose(session, KeyPurpose.ENCRYPTION)]
    assert [(row.state, row.account_id) for row in found] == [(KeyState.RETIRED, None)]
