"""The service's own keys: made once, found by what they are for, and changed over without a gap."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from cast import NOW
from cryptography import x509

from sp.flows import service_keys
from sp.flows.service_keys import KNOWN_AFTER, OPENS_AFTERWARDS, ChangedOver, NoKeyError, NotNow
from sp.models import KeyPurpose, KeyState
from sp.saml.own_keys import OwnKey, make_key
from sp.settings import Settings
from sp.store import accounts
from sp.store import service_keys as rows
from sp.store.engine import Database

SETTINGS = Settings(base_url="https://sso.8x8.com")
KNOWN = NOW + KNOWN_AFTER


@pytest.fixture(scope="module")
def successor() -> OwnKey:
    return make_key("successor", NOW)


@pytest.fixture
def keys(database: Database) -> Database:
    """After the first start."""
    with database.writing() as session:
        accounts.shared_realm(session)
    service_keys.make_missing(database, SETTINGS, NOW)
    return database


def begin(keys: Database, purpose: KeyPurpose, key: OwnKey) -> ChangedOver | NotNow:
    with keys.writing() as session:
        return service_keys.begin_rollover(session, purpose, key, NOW)


def test_the_first_start_makes_one_key_of_each_purpose(keys: Database) -> None:
    with keys.reading() as session:
        signing = service_keys.signing_key(session)
        (decryption,) = service_keys.decryption_keys(session, NOW)
        published = service_keys.published(session)
    assert published.signing == (signing.certificate,)
    assert published.encryption == (decryption.certificate,)
    assert signing.certificate != decryption.certificate
    certificate = x509.load_der_x509_certificate(signing.certificate)
    assert certificate.subject.rfc4514_string() == "CN=sso.8x8.com signing"
    assert certificate.public_key() == signing.private_key.public_key()


def test_the_second_start_keeps_them(keys: Database) -> None:
    with keys.reading() as session:
        before = service_keys.published(session)
    service_keys.make_missing(keys, SETTINGS, NOW + timedelta(days=1))
    with keys.reading() as session:
        assert service_keys.published(session) == before


def test_a_start_waits_for_the_one_before_it_and_makes_none_again(database: Database, successor: OwnKey) -> None:
    with database.writing() as session:
        accounts.shared_realm(session)
    with ThreadPoolExecutor(1) as second_start:
        with database.writing() as session:
            rows.take_lock(session)
            for purpose in KeyPurpose:
                rows.add(session, purpose, KeyState.ACTIVE, successor, NOW)
            started = second_start.submit(service_keys.make_missing, database, SETTINGS, NOW)
            wait([started], timeout=1.0)  # it finds no key yet, makes two, and comes to the lock
            assert not started.done()
        started.result(timeout=30)
    with database.reading() as session:
        assert [len(rows.of_purpose(session, purpose)) for purpose in KeyPurpose] == [1, 1]


def test_nothing_signs_without_a_key(database: Database) -> None:
    with database.reading() as session:
        assert service_keys.decryption_keys(session, NOW) == ()
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
        (old,) = service_keys.published(session).encryption
    begin(keys, KeyPurpose.ENCRYPTION, successor)
    with keys.reading() as session:
        assert [key.certificate for key in service_keys.decryption_keys(session, NOW)] == [old, successor.certificate]
        assert service_keys.published(session).encryption == (successor.certificate, old)


def test_an_old_encryption_key_opens_what_was_on_its_way_and_then_no_more(keys: Database, successor: OwnKey) -> None:
    with keys.reading() as session:
        (old,) = service_keys.published(session).encryption
    begin(keys, KeyPurpose.ENCRYPTION, successor)
    with keys.writing() as session:
        assert isinstance(service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, NOW), ChangedOver)
    last_moment = NOW + OPENS_AFTERWARDS - timedelta(seconds=1)
    with keys.reading() as session:
        opens = [key.certificate for key in service_keys.decryption_keys(session, last_moment)]
        afterwards = service_keys.decryption_keys(session, NOW + OPENS_AFTERWARDS)
        assert service_keys.published(session).encryption == (successor.certificate,)
    assert opens == [successor.certificate, old], "the one in use is named first"
    assert [key.certificate for key in afterwards] == [successor.certificate]


def test_a_key_opens_nothing_of_the_time_before_it_was_made(keys: Database, successor: OwnKey) -> None:
    with keys.reading() as session:
        (old,) = service_keys.published(session).encryption
    with keys.writing() as session:
        service_keys.begin_rollover(session, KeyPurpose.ENCRYPTION, successor, KNOWN)
        service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, KNOWN)
    with keys.reading() as session:
        of_then = service_keys.decryption_keys(session, KNOWN - timedelta(seconds=1))
        of_now = service_keys.decryption_keys(session, KNOWN)
    assert [key.certificate for key in of_then] == [old]
    assert [key.certificate for key in of_now] == [successor.certificate, old]


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
    with keys.writing() as session:
        assert isinstance(service_keys.complete_rollover(session, purpose, KNOWN), NotNow)
    begin(keys, purpose, successor)
    assert isinstance(begin(keys, purpose, successor), NotNow)
    with keys.reading() as session:
        assert len(rows.of_purpose(session, purpose)) == 2
