"""Expectations in both databases: each sign-in answers one, also when everybody asks at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cast import NOW

from sp.flows.expectations import Declaration, Matching, Status, answer_of, declare
from sp.models import Account, SignInAttempt
from sp.store import accounts, sign_in_attempts, sign_in_expectations
from sp.store.engine import Database
from sp.store.rows import required


@pytest.fixture
def account(database: Database) -> Account:
    with database.writing() as session:
        company = accounts.add_company(session, accounts.shared_realm(session), "Contoso", NOW)
        return accounts.add_account(session, company, "Business", "business", NOW)


def arrived(database: Database, account: Account, username: str = "") -> str:
    """An attempt of which nothing could be read."""
    attempt = SignInAttempt(
        reference=sign_in_attempts.new_reference(),
        realm_id=account.realm_id,
        account_id=account.id,
        received_at=NOW,
        outcome="refused",
        username=username,
        expectations={
            "entity_id": "",
            "acs_url": "",
            "skew_seconds": 180,
            "response_max_age_seconds": 600,
            "request_max_age_seconds": 600,
            "max_message_bytes": 1024,
            "account_active": True,
            "nearest_issuer": "",
            "holder": {"replayed": None, "link": "unknown", "status": None},
            "pending": [],
            "transport": [],
        },
    )
    with database.writing() as session:
        sign_in_attempts.fill_keys(attempt)
        session.add(attempt)
    return attempt.reference


def declared(database: Database, account: Account, **wanted: object) -> str:
    with database.writing() as session:
        return declare(session, account, Declaration(**wanted), NOW).reference


def test_nobody_looks_for_the_sign_in_of_one_that_is_over(database: Database, account: Account) -> None:
    over = declared(database, account, expires_in_seconds=60)
    late = NOW + timedelta(seconds=200)
    for _ in range(2):
        told = answer_of(database, required(account.id), over, late)
        assert told is not None
        assert told.status is Status.EXPIRED
    with database.reading() as session:
        assert sign_in_expectations.unanswered(session, required(account.id)) == []


def test_one_that_is_over_still_gets_what_came_in_time(database: Database, account: Account) -> None:
    over = declared(database, account, expires_in_seconds=60)
    sign_in = arrived(database, account)
    told = answer_of(database, required(account.id), over, NOW + timedelta(seconds=200))
    assert told is not None
    assert told.sign_in == sign_in


def test_another_accounts_sign_in_under_an_old_id_is_not_told(database: Database, account: Account) -> None:
    reference = declared(database, account)
    with database.writing() as session:
        company = accounts.add_company(session, accounts.shared_realm(session), "Fabrikam", NOW)
        fabrikam = accounts.add_account(session, company, "Business", "fabrikam", NOW)
    theirs = arrived(database, fabrikam)
    with database.writing() as session:
        found = sign_in_expectations.of_account(session, required(account.id), reference)
        attempt = sign_in_attempts.attempt_by_reference(session, theirs)
        assert found is not None
        assert attempt is not None
        sign_in_expectations.give(session, required(found.id), required(attempt.id))
    assert answered_by(database, account, reference) == ""


def answered_by(database: Database, account: Account, reference: str) -> str:
    answer = answer_of(database, required(account.id), reference, NOW)
    assert answer is not None
    return answer.sign_in


def test_of_many_who_ask_at_once_all_are_told_the_same(database: Database, account: Account) -> None:
    references = [declared(database, account) for _ in range(4)]
    sign_ins = [arrived(database, account) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda one: answered_by(database, account, one), references[::-1] * 2))
    assert told == sign_ins[::-1] * 2


def test_a_sign_in_that_two_expectations_ask_for_at_once_fulfils_one(database: Database, account: Account) -> None:
    first, second = (declared(database, account) for _ in range(2))
    sign_in = arrived(database, account)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda one: answered_by(database, account, one), [second, first] * 4))
    assert set(told[1::2]) == {sign_in}
    assert set(told[::2]) == {""}


def test_an_expectation_that_is_asked_while_sign_ins_come_is_fulfilled_by_one_of_them(
    database: Database, account: Account
) -> None:
    reference = declared(database, account)

    def arrive_and_ask(_number: int) -> tuple[str, str]:
        return arrived(database, account), answered_by(database, account, reference)

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(arrive_and_ask, range(8)))
    assert len({answer for _, answer in came}) == 1
    assert came[0][1] in {sign_in for sign_in, _ in came}


def test_a_name_is_matched_without_regard_to_case(database: Database, account: Account) -> None:
    reference = declared(database, account, matching=Matching(username="BRITTA@Contoso.example"))
    arrived(database, account, "bob@contoso.example")
    assert answered_by(database, account, reference) == ""
    sign_in = arrived(database, account, "britta@contoso.example")
    assert answered_by(database, account, reference) == sign_in


def test_what_was_declared_is_kept_as_it_was(database: Database, account: Account) -> None:
    reference = declared(database, account, username="\u00e9\u2028\\u0000", outcome="accepted")
    arrived(database, account)
    answer = answer_of(database, required(account.id), reference, NOW)
    assert answer is not None
    assert {line.field for line in answer.differences} == {"outcome", "username"}
    again = answer_of(database, required(account.id), reference, NOW)
    assert again is not None
    assert again.lines == answer.lines
