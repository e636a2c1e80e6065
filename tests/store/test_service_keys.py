"""The keys of the service and of its accounts: made once, found by what they are for, and rolled over without a gap."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from cast import NOW
from cryptography import x509
from sqlalchemy import text

from sp.flows import service_keys
from sp.flows.service_keys import KNOWN_AFTER, OPENS_AFTERWARDS, ChangedOver, NoKeyError, NotNow
from sp.models import CertificateUse, KeyPurpose, KeyState
from sp.saml.own_keys import OwnKey, make_key
from sp.settings import Settings
from sp.store import accounts
from sp.store import service_keys as rows
from sp.store.engine import Database
from sp.store.rows import required

SETTINGS = Settings(base_url="https://sso.8x8.com")
KNOWN = NOW + KNOWN_AFTER


@pytest.fixture(scope="module")
def successor() -> OwnKey:
    return make_key("successor", NOW)


@pytest.fixture
def keys(database: Database) -> Database:
    """After the first start, when the metadata of both accounts has been asked for."""
    with database.writing() as session:
        shared = accounts.shared_realm(session)
        for slug in ("business", "fabrikam"):
            accounts.add_account(session, accounts.add_company(session, shared, slug, NOW), slug, slug, NOW)
    service_keys.ensure_signing_key(database, SETTINGS, NOW)
    for slug in ("business", "fabrikam"):
        service_keys.ensure_encryption_key(database, SETTINGS, account(database, slug), NOW)
    return database


def account(database: Database, slug: str = "business") -> int:
    with database.reading() as session:
        found = accounts.account_by_slug(session, slug)
    assert found is not None
    return required(found.id)


def owner(database: Database, purpose: KeyPurpose) -> int | None:
    return account(database) if purpose is KeyPurpose.ENCRYPTION else None


def begin(keys: Database, purpose: KeyPurpose, key: OwnKey) -> ChangedOver | NotNow:
    with keys.writing() as session:
        return service_keys.begin_rollover(session, purpose, key, NOW, owner(keys, purpose))


def certificates(found: tuple[OwnKey, ...]) -> list[bytes]:
    return [key.certificate for key in found]


def test_the_service_has_a_signing_key_and_each_account_an_encryption_key(keys: Database) -> None:
    with keys.reading() as session:
        signing = service_keys.signing_key(session)
        (decryption,) = service_keys.decryption_keys(session, account(keys), NOW).usable
        (of_another,) = service_keys.decryption_keys(session, account(keys, "fabrikam"), NOW).usable
        published = service_keys.published(session, account(keys))
    assert published.signing == (signing.certificate,)
    assert published.encryption == (decryption.certificate,)
    assert len({signing.certificate, decryption.certificate, of_another.certificate}) == 3
    assert len({key.private_key.private_numbers().d for key in (signing, decryption, of_another)}) == 3
    certificate = x509.load_der_x509_certificate(signing.certificate)
    assert certificate.subject.rfc4514_string() == "CN=sso.8x8.com signing"
    assert certificate.public_key() == signing.private_key.public_key()


def test_a_certificate_does_not_name_its_account(keys: Database) -> None:
    """The metadata for everybody names the oldest account's: it must not tell who that is."""
    with keys.reading() as session:
        (certificate,) = service_keys.published(session, account(keys, "fabrikam")).encryption
    assert x509.load_der_x509_certificate(certificate).subject.rfc4514_string() == "CN=sso.8x8.com encryption"


def test_the_second_start_keeps_them(keys: Database) -> None:
    with keys.reading() as session:
        before = service_keys.published(session, account(keys))
    later = NOW + timedelta(days=1)
    service_keys.ensure_signing_key(keys, SETTINGS, later)
    service_keys.ensure_encryption_key(keys, SETTINGS, account(keys), later)
    with keys.reading() as session:
        assert service_keys.published(session, account(keys)) == before


@pytest.mark.parametrize("purpose", KeyPurpose)
def test_who_asks_second_waits_and_makes_none_again(database: Database, successor: OwnKey, purpose: KeyPurpose) -> None:
    """Another process is between its look and its commit."""
    with database.writing() as session:
        company = accounts.add_company(session, accounts.shared_realm(session), "Contoso", NOW)
        accounts.add_account(session, company, "Business", "business", NOW)
    owned_by = owner(database, purpose)
    with ThreadPoolExecutor(1) as second:
        with database.writing() as session:
            rows.take_lock(session, owned_by)
            rows.add(session, purpose, KeyState.ACTIVE, successor, NOW, owned_by)
            if owned_by is None:
                asked = second.submit(service_keys.ensure_signing_key, database, SETTINGS, NOW)
            else:
                asked = second.submit(service_keys.ensure_encryption_key, database, SETTINGS, owned_by, NOW)
            wait([asked], timeout=0.5)  # it finds no key yet, makes one, and comes to the lock
            assert not asked.done()
        asked.result(timeout=30)
    with database.reading() as session:
        assert [row.certificate for row in rows.of_purpose(session, purpose, owned_by)] == [successor.certificate]


def test_many_who_ask_at_once_get_one_key(keys: Database) -> None:
    with keys.writing() as session:
        company = accounts.add_company(session, accounts.shared_realm(session), "Northwind", NOW)
        accounts.add_account(session, company, "Business", "northwind", NOW)
    account_id = account(keys, "northwind")
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(service_keys.ensure_encryption_key, keys, SETTINGS, account_id, NOW) for _ in range(16)]
    for one in asked:
        one.result()
    with keys.reading() as session:
        assert len(rows.of_purpose(session, KeyPurpose.ENCRYPTION, account_id)) == 1


def test_an_account_that_is_gone_gets_no_key(keys: Database) -> None:
    service_keys.ensure_encryption_key(keys, SETTINGS, 4711, NOW)
    with keys.reading() as session:
        assert rows.of_purpose(session, KeyPurpose.ENCRYPTION, 4711) == []


def test_making_a_key_leaves_sign_ins_of_the_account_alone(postgresql_database: Database) -> None:
    """While the account's keys are locked, another transaction stores a row that refers to the account."""
    database = postgresql_database
    with database.writing() as session:
        company = accounts.add_company(session, accounts.shared_realm(session), "Contoso", NOW)
        accounts.add_account(session, company, "Business", "business", NOW)
    account_id = account(database)
    with database.writing() as session, database.writing() as other:
        assert rows.take_lock(session, account_id)
        other.execute(text("SET LOCAL lock_timeout = 300"))
        other.add(CertificateUse(account_id=account_id, sha256="0" * 64, first_used_at=NOW, last_used_at=NOW))
        other.flush()


def test_nothing_signs_without_a_key(database: Database) -> None:
    with database.reading() as session:
        assert service_keys.decryption_keys(session, None, NOW).usable == ()
        with pytest.raises(NoKeyError):
            service_keys.signing_key(session)


def test_a_private_key_does_not_show_in_the_words_for_its_row(keys: Database) -> None:
    with keys.reading() as session:
        (row,) = rows.of_purpose(session, KeyPurpose.SIGNING)
        key = service_keys.signing_key(session)
    assert "private_key" not in repr(row)
    assert "private_key" not in repr(key)


def test_the_next_signing_key_is_published_before_it_signs(keys: Database, successor: OwnKey) -> None:
    with keys.reading() as session:
        old = service_keys.signing_key(session).certificate
    assert isinstance(begin(keys, KeyPurpose.SIGNING, successor), ChangedOver)
    with keys.reading() as session:
        assert service_keys.signing_key(session).certificate == old
        assert service_keys.published(session).signing == (old, successor.certificate)
    with keys.writing() as session:
        assert isinstance(service_keys.complete_rollover(session, KeyPurpose.SIGNING, KNOWN), ChangedOver)
    with keys.reading() as session:
        assert service_keys.signing_key(session).certificate == successor.certificate
        assert service_keys.published(session).signing == (successor.certificate,)


def test_a_signing_key_that_nobody_knows_yet_is_not_put_in_use(keys: Database, successor: OwnKey) -> None:
    begin(keys, KeyPurpose.SIGNING, successor)
    too_early = KNOWN - timedelta(seconds=1)
    with keys.writing() as session:
        refused = service_keys.complete_rollover(session, KeyPurpose.SIGNING, too_early)
    assert isinstance(refused, NotNow)
    assert "2030-02-01 12:00 UTC" in refused.sentence
    with keys.writing() as session:
        done = service_keys.complete_rollover(session, KeyPurpose.SIGNING, too_early, early=True)
    assert isinstance(done, ChangedOver)


def test_the_next_encryption_key_opens_as_soon_as_it_is_published(keys: Database, successor: OwnKey) -> None:
    with keys.reading() as session:
        (old,) = service_keys.published(session, account(keys)).encryption
    begin(keys, KeyPurpose.ENCRYPTION, successor)
    with keys.reading() as session:
        usable = service_keys.decryption_keys(session, account(keys), NOW).usable
        assert certificates(usable) == [old, successor.certificate]
        assert service_keys.published(session, account(keys)).encryption == (successor.certificate, old)


def test_a_rollover_of_one_account_changes_nothing_for_another(keys: Database, successor: OwnKey) -> None:
    other = account(keys, "fabrikam")
    with keys.reading() as session:
        before = service_keys.published(session, other), service_keys.decryption_keys(session, other, NOW)
    begin(keys, KeyPurpose.ENCRYPTION, successor)
    with keys.writing() as session:
        assert isinstance(service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, NOW, other), NotNow)
        done = service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, NOW, account(keys))
        assert isinstance(done, ChangedOver)
    with keys.reading() as session:
        after = service_keys.published(session, other), service_keys.decryption_keys(session, other, NOW)
    assert after == before


def test_an_old_encryption_key_opens_what_was_on_its_way_and_then_no_more(keys: Database, successor: OwnKey) -> None:
    with keys.reading() as session:
        (old,) = service_keys.published(session, account(keys)).encryption
    begin(keys, KeyPurpose.ENCRYPTION, successor)
    with keys.writing() as session:
        done = service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, NOW, account(keys))
        assert isinstance(done, ChangedOver)
    last_moment = NOW + OPENS_AFTERWARDS - timedelta(seconds=1)
    with keys.reading() as session:
        opens = certificates(service_keys.decryption_keys(session, account(keys), last_moment).own)
        afterwards = service_keys.decryption_keys(session, account(keys), NOW + OPENS_AFTERWARDS).usable
        assert service_keys.published(session, account(keys)).encryption == (successor.certificate,)
    assert opens == [successor.certificate, old], "the one in use is named first"
    assert certificates(afterwards) == [successor.certificate]


def test_a_key_opens_nothing_of_the_time_before_it_was_made(keys: Database, successor: OwnKey) -> None:
    account_id = account(keys)
    with keys.reading() as session:
        (old,) = service_keys.published(session, account_id).encryption
    with keys.writing() as session:
        service_keys.begin_rollover(session, KeyPurpose.ENCRYPTION, successor, KNOWN, account_id)
        service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, KNOWN, account_id)
    with keys.reading() as session:
        of_then = service_keys.decryption_keys(session, account_id, KNOWN - timedelta(seconds=1)).usable
        of_now = service_keys.decryption_keys(session, account_id, KNOWN).usable
    assert certificates(of_then) == [old]
    assert certificates(of_now) == [successor.certificate, old]


def test_another_process_sees_a_rollover_at_once(keys: Database, successor: OwnKey) -> None:
    """It has used the old key already, so whatever it may have kept is warm."""
    other = Database(keys.url)
    with other.reading() as session:
        service_keys.signing_key(session)
    begin(keys, KeyPurpose.SIGNING, successor)
    with keys.writing() as session:
        service_keys.complete_rollover(session, KeyPurpose.SIGNING, KNOWN)
    with other.reading() as session:
        seen = service_keys.signing_key(session).certificate
    other.close()
    assert seen == successor.certificate


@pytest.mark.parametrize("purpose", KeyPurpose)
def test_steps_out_of_order_change_nothing(keys: Database, successor: OwnKey, purpose: KeyPurpose) -> None:
    owned_by = owner(keys, purpose)
    with keys.writing() as session:
        assert isinstance(service_keys.complete_rollover(session, purpose, KNOWN, owned_by), NotNow)
    begin(keys, purpose, successor)
    assert isinstance(begin(keys, purpose, successor), NotNow)
    with keys.reading() as session:
        assert len(rows.of_purpose(session, purpose, owned_by)) == 2
