"""The list of profiles: every order, every page, every search, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cast import ALICE, BRITTA
from profiles import Accounts, add_both_accounts, add_crowd, add_profile
from sqlalchemy import event
from sqlmodel import Session

from sp.models import User, UserStatus
from sp.store import user_listing, users
from sp.store.engine import Database
from sp.store.rows import required
from sp.store.user_listing import Listing, Page, Position, SortBy, words_of

_SIZE = 7
_CROWD = 33
_VALUES: dict[SortBy, Callable[[User], Any]] = {
    SortBy.FIRST_NAME: lambda user: user.first_name.casefold(),
    SortBy.LAST_NAME: lambda user: user.last_name.casefold(),
    SortBy.EMAIL: lambda user: user.email.casefold(),
    SortBy.USERNAME: lambda user: user.username.casefold(),
    SortBy.FEDERATION_ID: lambda user: user.federation_id.casefold(),
    SortBy.SOURCE: lambda user: user.source,
    SortBy.CREATED: lambda user: user.created_at,
    SortBy.LAST_SIGN_IN: lambda user: user.last_sign_in_at or users.NEVER,
    SortBy.STATUS: lambda user: user.status,
}


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return add_both_accounts(database)


@pytest.fixture(params=[(1_000, 0), (0, 2_000), (0, 1)], ids=["few", "among the next rows", "all matches first"])
def _every_way_to_search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a search is found in one of three ways; a window of one row never fills one."""
    few, window = request.param
    monkeypatch.setattr(user_listing, "_FEW", few)
    monkeypatch.setattr(user_listing, "_WINDOW", window)


def _page(database: Database, listing: Listing, start: Position | None = None, size: int = _SIZE) -> Page:
    with database.reading() as session:
        return user_listing.page(session, listing, start, size=size)


def _forward(database: Database, listing: Listing) -> list[Page]:
    pages = [_page(database, listing)]
    while pages[-1].next:
        pages.append(_page(database, listing, pages[-1].next))
    return pages


def _backward(database: Database, listing: Listing, last: Page) -> list[Page]:
    pages = [last]
    while pages[0].previous:
        pages.insert(0, _page(database, listing, pages[0].previous))
    return pages


def _usernames(pages: list[Page]) -> list[str]:
    return [user.username for page in pages for user in page.users]


def _listing(accounts: Accounts, **values: object) -> Listing:
    return Listing(required(accounts.contoso.id), **values)  # type: ignore[arg-type]


def _ordered(crowd: list[User], sort: SortBy, *, descending: bool) -> list[str]:
    ordered = sorted(crowd, key=lambda user: (_VALUES[sort](user), required(user.id)), reverse=descending)
    return [user.username for user in ordered]


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("sort", SortBy)
def test_every_order_shows_everybody_once_forward_and_backward(
    database: Database, accounts: Accounts, sort: SortBy, descending: bool
) -> None:
    crowd = add_crowd(database, accounts.contoso, _CROWD)
    add_crowd(database, accounts.fabrikam, _CROWD)
    listing = _listing(accounts, sort=sort, descending=descending)
    forward = _forward(database, listing)
    assert _usernames(forward) == _ordered(crowd, sort, descending=descending)
    assert [len(page.users) for page in forward] == [7, 7, 7, 7, 5]
    backward = _backward(database, listing, forward[-1])
    assert [page.users for page in backward[1:]] == [page.users for page in forward[1:]]
    assert _usernames(backward) == _usernames(forward)
    assert {page.total for page in forward + backward} == {_CROWD}


def test_ends_are_told(database: Database, accounts: Accounts) -> None:
    add_crowd(database, accounts.contoso, _SIZE)
    page = _page(database, _listing(accounts))
    assert (page.previous, page.next) == (None, None)


def test_an_account_without_users_has_an_empty_page(database: Database, accounts: Accounts) -> None:
    add_crowd(database, accounts.fabrikam, 3)
    assert _page(database, _listing(accounts)) == Page((), 0)


def test_a_page_stays_where_it_is_when_its_first_row_goes(database: Database, accounts: Accounts) -> None:
    add_crowd(database, accounts.contoso, _CROWD)
    listing = _listing(accounts, sort=SortBy.USERNAME, descending=False)
    first = _page(database, listing)
    with database.writing() as session:
        gone = first.users[-1]
        gone.status = UserStatus.DELETED
        users.store_user(session, gone)
    second = _page(database, listing, first.next)
    assert second.users[0].username > gone.username
    assert second.total == _CROWD - 1


def test_tombstones_are_never_listed(database: Database, accounts: Accounts) -> None:
    add_profile(database, accounts.contoso, status=UserStatus.DELETED)
    add_profile(database, accounts.contoso, ALICE)
    assert _usernames([_page(database, _listing(accounts))]) == [ALICE.email]


@pytest.mark.parametrize("status", [UserStatus.ACTIVE, UserStatus.DISABLED])
def test_one_status_alone(database: Database, accounts: Accounts, status: UserStatus) -> None:
    crowd = add_crowd(database, accounts.contoso, _CROWD)
    pages = _forward(database, _listing(accounts, statuses=(status,), sort=SortBy.CREATED, descending=False))
    assert _usernames(pages) == [user.username for user in crowd if user.status == status]
    assert pages[0].total == len(_usernames(pages))


@pytest.mark.usefixtures("_every_way_to_search")
@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("brit", True),  # the first name, any part, any case
        ("SIMON", True),
        ("britta@contoso", True),
        ("8842-a", True),  # the federation ID
        ("simon britta", True),  # all words, in any order
        ("simon mallory", False),  # one word is not enough
        ("brittasimon", False),  # no word across two values
        ("a%b", False),  # no wildcards
        ("britt_", False),
        ("brit\\ta", False),
        ("ÉMILE'S", True),  # beyond ASCII too
        ("e\u0301mile", True),  # however it was composed
        ("\0", True),  # nothing that can be searched for: everybody
    ],
)
def test_a_search_finds_britta(database: Database, accounts: Accounts, text: str, finds: bool) -> None:
    add_profile(database, accounts.contoso, last_name="Simon Émile's", federation_id="8842-A")
    add_profile(database, accounts.fabrikam, username="britta@elsewhere.example")
    page = _page(database, _listing(accounts, words=words_of(text)))
    assert _usernames([page]) == ([BRITTA.email] if finds else [])
    assert page.total == int(finds)


@pytest.mark.usefixtures("_every_way_to_search")
def test_a_search_has_pages_too(database: Database, accounts: Accounts) -> None:
    crowd = add_crowd(database, accounts.contoso, _CROWD)
    listing = _listing(accounts, words=words_of("ADA"), sort=SortBy.LAST_NAME, descending=False)
    matching = [user for user in crowd if "ada" in (user.first_name.lower(), user.last_name.lower())]
    pages = _forward(database, listing)
    assert len(pages) > 1
    assert _usernames(pages) == _ordered(matching, SortBy.LAST_NAME, descending=False)
    assert _usernames(_backward(database, listing, pages[-1])) == _usernames(pages)


@pytest.mark.usefixtures("_every_way_to_search")
def test_everybody_comes_once_in_the_order_of_the_page(
    database: Database, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_listing, "_BATCH", 4)
    add_crowd(database, accounts.contoso, _CROWD)
    listing = _listing(accounts, words=words_of("user1"), sort=SortBy.LAST_SIGN_IN)
    exported = [user.username for user in user_listing.everybody(database, listing)]
    assert exported == _usernames(_forward(database, listing))


def test_a_page_walks_an_index_in_the_order_asked_for(sqlite_database: Database) -> None:
    """Without the right index SQLite would read and sort the whole account for each page."""
    account = add_both_accounts(sqlite_database).contoso
    add_crowd(sqlite_database, account, _CROWD)
    for sort in SortBy:
        listing = Listing(required(account.id), sort=sort, statuses=(UserStatus.ACTIVE,))
        with sqlite_database.reading() as session:
            plans = _plans(session, listing)
        index = f"USING COVERING INDEX ix_user_profile_{user_listing._COLUMNS[sort]} ("
        assert any(index in plan for plan in plans), (sort, plans)
        assert not any("SCAN user_profile" in plan for plan in plans), (sort, plans)


def _plans(session: Session, listing: Listing) -> list[str]:
    """The steps of every statement that one page in the middle costs, as SQLite explains them."""
    statements: list[tuple[str, object]] = []
    middle = user_listing.page(session, listing, size=3).next
    connection = session.connection()

    def keep(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", keep)
    user_listing.page(session, listing, middle, size=3)
    event.remove(connection, "before_cursor_execute", keep)
    explained = [
        connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
        for statement, parameters in statements
    ]
    return [str(row[3]) for plan in explained for row in plan]
