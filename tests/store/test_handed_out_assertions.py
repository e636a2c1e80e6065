"""Assertions that were handed out are not claimed by a sign-in, on both databases."""

from __future__ import annotations

from datetime import timedelta

from cast import CONTOSO_ISSUER, NOW

from sp.saml.assertion_keys import AssertionKey
from sp.saml.messages import HandedOut
from sp.store import consumed_assertions, handed_out_assertions
from sp.store.engine import Database

REALM, ACCOUNT = 1, 7
KEY = AssertionKey(CONTOSO_ISSUER, "_a")
ENDS = NOW + timedelta(days=1)


def hand_out(database: Database, *keys: AssertionKey, to: str = "alice", minutes: int = 0) -> None:
    later = timedelta(minutes=minutes)
    with database.writing() as session:
        handed_out_assertions.add(session, REALM, ACCOUNT, keys, to=to, now=NOW + later, expires_at=ENDS + later)


def claimed(
    database: Database,
    issuer: str = CONTOSO_ISSUER,
    assertion_id: str = "_a",
    *,
    realm: int = REALM,
    encrypted: tuple[str, ...] = (),
) -> bool:
    with database.writing() as session:
        return consumed_assertions.claim(session, realm, issuer, assertion_id, ENDS, encrypted)


def earlier(database: Database, *, encrypted: tuple[str, ...] = ()) -> HandedOut | None:
    with database.reading() as session:
        return consumed_assertions.earlier_use(session, REALM, CONTOSO_ISSUER, "_a", encrypted).handed_out


def test_one_that_was_handed_out_is_not_claimed(database: Database) -> None:
    hand_out(database, KEY)
    assert not claimed(database)
    assert earlier(database) == HandedOut(NOW, "alice")


def test_another_realm_issuer_or_id_is_claimed(database: Database) -> None:
    hand_out(database, KEY)
    assert claimed(database, realm=REALM + 1)
    assert claimed(database, "https://idp.another.example/", "_a")
    assert claimed(database, CONTOSO_ISSUER, "_A")


def test_one_of_unknown_issuer_is_refused_for_every_issuer(database: Database) -> None:
    hand_out(database, AssertionKey("", "_a"))
    assert not claimed(database)
    assert not claimed(database, "https://idp.another.example/", "_a")


def test_one_is_known_by_any_of_its_encrypted_keys(database: Database) -> None:
    hand_out(database, AssertionKey("", "encrypted-key:2"))
    assert not claimed(database, encrypted=("encrypted-key:1", "encrypted-key:2"))
    assert earlier(database, encrypted=("encrypted-key:2",)) == HandedOut(NOW, "alice")
    assert claimed(database, encrypted=("encrypted-key:1",))


def test_the_first_time_is_told_and_the_last_one_counts(database: Database) -> None:
    hand_out(database, KEY)
    hand_out(database, KEY, to="bob", minutes=5)
    assert earlier(database) == HandedOut(NOW, "alice")
    with database.writing() as session:
        assert handed_out_assertions.remove_expired(session, ENDS, at_most=10) == 0
        assert handed_out_assertions.remove_expired(session, ENDS + timedelta(minutes=5), at_most=10) == 1
    assert claimed(database)


def test_others_of_the_account_are_counted(database: Database) -> None:
    hand_out(database, KEY, AssertionKey("", "_b"), AssertionKey("", "_c"))
    with database.reading() as session:
        counts = [
            handed_out_assertions.count_others(session, REALM, owner, keys)
            for owner, keys in ((ACCOUNT, [KEY]), (ACCOUNT, []), (ACCOUNT + 1, []), (None, []))
        ]
    assert counts == [2, 3, 0, 0]


def test_a_long_identifier_is_found_again(database: Database) -> None:
    long = "_" + "ä" * 5000
    hand_out(database, AssertionKey(CONTOSO_ISSUER, long))
    assert not claimed(database, CONTOSO_ISSUER, long)
