"""The sign-in log is filtered, counted and paged alike in both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from cast import CONTOSO_ISSUER, NOW
from profiles import Accounts, add_both_accounts
from sqlalchemy import text

from sp.models import SignInAttempt, SignInOutcome
from sp.store import attempt_listing, sign_in_attempts
from sp.store.attempt_listing import Listing, Position, position_of
from sp.store.engine import Database
from sp.store.rows import required
from sp.store.users import folded


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return add_both_accounts(database)


def add(database: Database, account: Any, number: int = 0, **changes: Any) -> SignInAttempt:
    values: dict[str, Any] = {
        "reference": sign_in_attempts.new_reference(),
        "account_id": account.id if account else None,
        "received_at": NOW + timedelta(minutes=number),
        "outcome": SignInOutcome.REFUSED,
        "failed": ["audience"],
        "issuer": CONTOSO_ISSUER,
        "username": "britta@contoso.example",
        "message": b"x" * 5000,
    }
    realm_id = changes.pop("realm_id", None) or (account.realm_id if account else 1)
    attempt = SignInAttempt(realm_id=realm_id, **(values | changes))
    with database.writing() as session:
        sign_in_attempts.fill_keys(attempt)
        session.add(attempt)
    return attempt


def found(database: Database, scopes: Sequence[int | None], **filters: Any) -> list[str]:
    listing = Listing(tuple(scopes), **filters)
    with database.reading() as session:
        page = attempt_listing.page(session, listing, size=100)
        assert page.total == len(page.attempts) == attempt_listing.count(session, listing)
    return [attempt.reference for attempt in page.attempts]


def test_each_account_has_its_own(database: Database, accounts: Accounts) -> None:
    ours, theirs = add(database, accounts.contoso), add(database, accounts.fabrikam)
    nobodys = add(database, None, realm_id=accounts.contoso.realm_id)
    assert found(database, [accounts.contoso.id]) == [ours.reference]
    assert found(database, [accounts.fabrikam.id]) == [theirs.reference]
    assert found(database, [accounts.contoso.id, None]) == [nobodys.reference, ours.reference]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [3, 2, 1, 0]),
        ({"outcome": SignInOutcome.ACCEPTED}, [1]),
        ({"code": "audience"}, [2, 0]),
        ({"code": "signing_key"}, [1]),
        ({"code": "audienc"}, []),
        ({"user": folded("BRITTA@")}, [1, 0]),
        ({"user": folded("Ünal")}, [3]),
        ({"user": "mallory"}, [2]),
        ({"user": "%"}, []),
        ({"user": "_"}, []),
        ({"issuer": "idp.contoso"}, [2, 1, 0]),
        ({"since": NOW + timedelta(minutes=2)}, [3, 2]),
        ({"until": NOW + timedelta(minutes=2)}, [1, 0]),
        ({"since": NOW + timedelta(minutes=2), "code": "audience", "user": "mallory"}, [2]),
    ],
)
def test_the_filters(database: Database, accounts: Accounts, filters: dict[str, Any], numbers: list[int]) -> None:
    made = [
        add(database, accounts.contoso, 0),
        add(database, accounts.contoso, 1, outcome=SignInOutcome.ACCEPTED, failed=[], warnings=["signing_key"]),
        add(database, accounts.contoso, 2, username="", unverified_username="Mallory", failed=["audience", "replay"]),
        add(database, accounts.contoso, 3, username="ÜNAL@x", issuer="urn:another", failed=["issuer"]),
    ]
    assert found(database, [accounts.contoso.id], **filters) == [made[number].reference for number in numbers]


def test_pages_there_and_back_with_several_in_one_moment(database: Database, accounts: Accounts) -> None:
    made = [add(database, accounts.contoso, number // 3) for number in range(10)][::-1]
    listing = Listing((accounts.contoso.id, None))
    with database.reading() as session:
        page = attempt_listing.page(session, listing, size=4)
        pages = [page]
        while page.older:
            page = attempt_listing.page(session, listing, before=position_of(page.attempts[-1]), size=4)
            pages.append(page)
        assert [len(page.attempts) for page in pages] == [4, 4, 2]
        assert [a.reference for page in pages for a in page.attempts] == [a.reference for a in made]
        assert [(page.newer, page.older, page.total) for page in pages] == [
            (False, True, 10),
            (True, True, 10),
            (True, False, 10),
        ]
        back = attempt_listing.page(session, listing, after=position_of(pages[2].attempts[0]), size=4)
        assert back.attempts == pages[1].attempts
        assert (back.newer, back.older) == (True, True)


def test_what_came_since_is_told_lowest_first(database: Database, accounts: Accounts) -> None:
    made = [add(database, accounts.contoso, -number) for number in range(5)]
    add(database, accounts.fabrikam)
    listing = Listing((accounts.contoso.id, None))
    with database.reading() as session:
        new = attempt_listing.newer_than(session, listing, required(made[1].id), limit=2)
        assert [attempt.reference for attempt in new] == [made[2].reference, made[3].reference]
        assert attempt_listing.newest_id(session, listing.scopes) == made[4].id
        assert attempt_listing.newest_id(session, (None,)) == 0


def test_counts_over_time(database: Database, accounts: Accounts) -> None:
    add(database, accounts.contoso, 0)
    add(database, accounts.contoso, 59, outcome=SignInOutcome.ACCEPTED)
    add(database, accounts.contoso, 60)
    add(database, accounts.fabrikam, 0)
    edges = [NOW + timedelta(hours=number) for number in range(3)]
    with database.reading() as session:
        spans = attempt_listing.history(session, (accounts.contoso.id, None), edges)
    assert [(span.begin, span.accepted, span.refused) for span in spans] == [(edges[0], 1, 1), (edges[1], 0, 1)]


def test_every_one_of_several_batches(database: Database, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_listing, "_BATCH", 2)
    made = [add(database, accounts.contoso, number) for number in range(4)]
    every = attempt_listing.everything(database, Listing((accounts.contoso.id,)))
    assert [attempt.reference for attempt in every] == [attempt.reference for attempt in reversed(made)]


def test_a_long_name_and_issuer_fit_into_the_index(database: Database, accounts: Accounts) -> None:
    """PostgreSQL takes 2704 bytes: four-byte characters, every check failed."""
    from sp.saml.checks import BY_CODE  # noqa: PLC0415

    long = "".join(chr(0x1F300 + number % 700) for number in range(1024))
    attempt = add(database, accounts.contoso, issuer=long, username=long[:256], failed=list(BY_CODE))
    assert found(database, [accounts.contoso.id], code="user_active") == [attempt.reference]


def test_a_list_reads_no_message(database: Database, accounts: Accounts) -> None:
    add(database, accounts.contoso)
    with database.reading() as session:
        (attempt,) = attempt_listing.page(session, Listing((accounts.contoso.id,)), size=10).attempts
    assert "message" not in attempt.__dict__
    assert "expectations" not in attempt.__dict__


@pytest.mark.parametrize(
    "filters",
    [{}, {"user": "x"}, {"code": "audience"}, {"since": NOW}, {"user": "x", "since": NOW, "code": "audience"}],
)
def test_sqlite_walks_the_one_index_for_a_page(sqlite_database: Database, filters: dict[str, Any]) -> None:
    query = attempt_listing._ids(Listing((1, None), **filters), 51, before=Position(NOW, 7))
    with sqlite_database.engine.connect() as connection:
        compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = " ".join(str(row[3]) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))
    assert plan.count("USING COVERING INDEX ix_sign_in_attempt_log (account_id=?") == 2
    assert "SCAN sign_in_attempt" not in plan
