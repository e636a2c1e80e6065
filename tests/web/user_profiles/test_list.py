"""The list: what it shows, in which order, and how its addresses behave."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from browser import Browser, StillClock
from cast import BRITTA, NOW
from profiles import add_crowd

from sp.models import Account, User, UserStatus
from sp.store import users
from sp.store.engine import Database

LIST = "/account-manager/business/accounts/user-profiles"
Add = Callable[..., User]


def rows(browser: Browser) -> list[dict[str, str]]:
    """Each row of the table by the labels of its columns, as far as they are shown."""
    return [
        {cell.get("data-label"): " ".join(cell.text_content().split()) for cell in row.xpath("./td[@data-label]")}
        for row in browser.html.xpath("//table[@id='users']/tbody/tr")
    ]


def heads(browser: Browser) -> list[str]:
    return [" ".join(head.text_content().split()) for head in browser.html.xpath("//table[@id='users']//th")]


def link(browser: Browser, label: str) -> str:
    """Where the link of that label leads, as an address; "" when there is none."""
    found = browser.html.xpath("//a[normalize-space()=$label]/@href", label=label)
    return LIST + found[0] if found and found[0].startswith("?") else "".join(found[:1])


def test_britta_stands_in_the_list_with_the_products_columns(alice: Browser, clock: StillClock) -> None:
    clock.advance(minutes=40)
    alice.open(LIST)
    assert heads(alice) == [
        "First Name",
        "Last Name",
        "Email Address",
        "Federation ID",
        "Source",
        "Created",
        "Last sign-in",
        "Status",
        "Actions",
    ]
    assert rows(alice) == [
        {
            "First Name": "Britta",
            "Last Name": "Simon",
            "Email Address": BRITTA.email,
            "Federation ID": "–",
            "Source": "Just-in-time",
            "Created": "40 minutes ago",
            "Last sign-in": "Never",
            "Status": "Active",
        }
    ]
    times = alice.html.xpath("//table//time")
    assert [(time.get("datetime"), time.get("title")) for time in times] == [
        ("2030-01-31T12:00:00Z", "2030-01-31 12:00:00 UTC")
    ]


def test_there_is_no_button_to_add_a_user_but_the_tutorials_note(alice: Browser) -> None:
    text = alice.open(LIST).text
    assert "If you need to create a user manually, contact the 8x8 Virtual Office support team." in text
    assert "virtual-office user add" in text
    assert not re.search(r">\s*(Add|New|Create)[^<]*</(a|button|span)>", text)


def test_every_row_can_be_edited_disabled_or_enabled_and_deleted(alice: Browser, add: Add, britta_row: User) -> None:
    off = add("off", status=UserStatus.DISABLED, created_at=NOW - timedelta(days=1))
    alice.open(LIST)
    actions = [
        [" ".join(button.text_content().split()) for button in row.xpath(".//*[contains(@class,'button')]")]
        for row in alice.html.xpath("//table[@id='users']/tbody/tr")
    ]
    assert actions == [
        ["Edit Britta Simon", "Disable Britta Simon", "Delete Britta Simon"],
        ["Edit off", "Enable off", "Delete off"],
    ]
    assert alice.html.xpath("//a/@href[contains(., '/delete')]") == [
        f"{LIST}/{britta_row.id}/delete",
        f"{LIST}/{off.id}/delete",
    ]


def test_a_user_of_whom_nothing_but_the_user_name_came_is_told_by_it(alice: Browser, add: Add) -> None:
    add("nameless@contoso.example", created_at=NOW + timedelta(days=1))
    alice.open(LIST)
    assert rows(alice)[0]["First Name"] == "nameless@contoso.example"


def test_an_account_without_users_says_what_to_do_next(charlie: Browser) -> None:
    charlie.open("/account-manager/fabrikam/accounts/user-profiles")
    assert "No users yet" in charlie.text()
    assert "the first sign-in creates the user" in charlie.text()
    assert not charlie.html.xpath("//table")


def test_a_search_without_a_match_says_so_and_can_be_cleared(alice: Browser) -> None:
    alice.open(f"{LIST}?q=nobody")
    assert "No user matches" in alice.text()
    assert alice.html.xpath("//input[@name='q']/@value") == ["nobody"]
    alice.open(link(alice, "Clear search"))
    assert [row["First Name"] for row in rows(alice)] == ["Britta"]


def test_the_words_of_a_search_stay_in_the_field_and_in_every_link(alice: Browser, add: Add) -> None:
    for number in range(60):
        add(f"crowd{number}", first_name="Crowd & Co", status=UserStatus.DISABLED)
    alice.open(f"{LIST}?q=Crowd+%26+co&status=disabled&sort=username&direction=asc")
    assert alice.html.xpath("//input[@name='q']/@value") == ["Crowd & co"]
    assert "50 of 60 users" in alice.text()
    assert dict(alice.html.xpath("//form[@role='search']")[0].form_values()) == {
        "q": "Crowd & co",
        "status": "disabled",
        "sort": "username",
        "direction": "asc",
    }
    kept = "q=Crowd+%26+co&status=disabled&sort=username&direction=asc"
    assert link(alice, "Next").startswith(f"{LIST}?{kept}&page=")
    assert link(alice, "Download CSV") == f"{LIST}/download?{kept}"
    assert "sort=last_name" in link(alice, "Last Name")
    assert "q=Crowd" in link(alice, "Last Name")
    assert "q=Crowd" in link(alice, "Active")


def test_a_click_on_a_head_sorts_and_another_one_turns_the_order_round(alice: Browser, add: Add) -> None:
    add("a", first_name="adam")
    add("z", first_name="Zoë")
    alice.open(LIST)
    alice.open(link(alice, "First Name"))
    assert [row["First Name"] for row in rows(alice)] == ["adam", "Britta", "Zoë"]
    assert alice.html.xpath("//th[@data-column='first_name']/@aria-sort") == ["ascending"]
    alice.open(link(alice, "First Name"))
    assert [row["First Name"] for row in rows(alice)] == ["Zoë", "Britta", "adam"]
    assert alice.html.xpath("//th/@aria-sort") == ["descending"]


def test_the_newest_come_first_by_default(alice: Browser, add: Add) -> None:
    add("newer", first_name="Newer", created_at=NOW + timedelta(minutes=1))
    alice.open(LIST)
    assert [row["First Name"] for row in rows(alice)] == ["Newer", "Britta"]


@pytest.mark.parametrize(("status", "shown"), [("active", ["Britta"]), ("disabled", ["Off"]), ("", ["Britta", "Off"])])
def test_the_filter_shows_one_status(alice: Browser, add: Add, status: str, shown: list[str]) -> None:
    add("off", first_name="Off", status=UserStatus.DISABLED)
    add("gone", first_name="Gone", status=UserStatus.DELETED)
    alice.open(f"{LIST}?status={status}&sort=first_name&direction=asc")
    assert [row["First Name"] for row in rows(alice)] == shown
    label = status.capitalize() or "All"
    assert alice.html.xpath("//nav[@aria-label='Status']/a[@aria-current]/text()") == [label]


def test_pages_lead_forward_and_back(alice: Browser, database: Database, contoso: Account) -> None:
    add_crowd(database, contoso, 120)
    alice.open(f"{LIST}?sort=email&direction=asc")
    pages = [rows(alice)]
    assert "50 of 121 users" in alice.text()
    while link(alice, "Next"):
        alice.open(link(alice, "Next"))
        pages.append(rows(alice))
    assert [len(page) for page in pages] == [50, 50, 21]
    emails = [row["Email Address"].lower() for page in pages for row in page]
    assert emails == sorted(emails)
    for page in reversed(pages[:-1]):
        alice.open(link(alice, "Previous"))
        assert rows(alice) == page
    assert not link(alice, "Previous")


def test_a_page_that_has_become_empty_leads_to_the_first_one(
    alice: Browser, database: Database, contoso: Account
) -> None:
    crowd = add_crowd(database, contoso, 51)
    alice.open(f"{LIST}?q=user&sort=created&direction=asc")
    following = link(alice, "Next")
    with database.writing() as session:
        crowd[-1].status = UserStatus.DELETED
        users.store_user(session, crowd[-1])
    assert alice.open(following).url.path == LIST
    assert alice.page.url.params.get("q") == "user"
    assert len(rows(alice)) == 50


@pytest.mark.parametrize(
    "query",
    [
        "page=nonsense",
        "page=%00",
        "page=é",
        "page=bnVsbA",  # null
        "page=e30",  # {}
        "page=WyJlbWFpbCIsZmFsc2UsZmFsc2UsMSwiYSJd",  # of another order
        "page=WyJjcmVhdGVkIix0cnVlLGZhbHNlLDEsIjIwMzAtMDEtMzEiXQ",  # a time without a zone
        "page=WyJjcmVhdGVkIix0cnVlLGZhbHNlLDkyMjMzNzIwMzY4NTQ3NzU4MDgsIjIwMzAtMDEtMzFUMTI6MDA6MDArMDA6MDAiXQ",  # 2^63
        "page=" + "W1tb" * 500,
        "page=" + "A" * 5000,
        "sort=password_hash",
        "sort=",
        "direction=sideways",
        "status=deleted",
        "q=" + "x" * 201,
    ],
)
def test_an_address_that_is_not_ours_gets_a_clear_page(alice: Browser, query: str) -> None:
    page = alice.open(f"{LIST}?{query}")
    assert page.status_code == 422
    assert "Traceback" not in page.text


@pytest.mark.parametrize("query", ["q=%00", "q=%25", "q=%27%3B--", "q=%ED%A0%80", "q=" + "+a" * 100])
def test_a_strange_search_is_a_search(alice: Browser, query: str) -> None:
    assert alice.open(f"{LIST}?{query}").status_code == 200


def test_hostile_values_are_text_and_their_marks_are_seen(alice: Browser, add: Add) -> None:
    add("m", first_name="<script>alert(1)</script>", last_name="\u202eecilA\u200b ", federation_id="x" * 200)
    page = alice.open(f"{LIST}?q=alert")
    assert "<script>alert" not in page.text
    assert alice.html.xpath("//td[@data-label='Last Name']//*[@data-mark]/@data-mark") == ["\\u202e", "\\u200b"]
    assert "Show all 200 characters" in alice.text()
    questions = alice.html.xpath("//a/@data-title")
    assert questions
    assert not any("\u202e" in question for question in questions)
