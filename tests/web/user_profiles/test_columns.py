"""Edit Viewable/Hidden Fields."""

from __future__ import annotations

import pytest
from browser import Browser
from cast import BRITTA

from sp.web.admin.user_columns import COOKIE

LIST = "/account-manager/business/accounts/user-profiles"
SAVE = f"{LIST}/columns"


def shown(browser: Browser) -> list[str]:
    browser.open(LIST)
    return [str(column) for column in browser.html.xpath("//th/@data-column")]


def choose(browser: Browser, *names: str) -> None:
    browser.open(LIST)
    browser.post(SAVE, data={"csrf_token": browser.token, "columns": names})


def test_the_user_name_is_hidden_until_it_is_chosen(alice: Browser) -> None:
    assert "username" not in shown(alice)
    assert "Edit Viewable/Hidden Fields" in alice.text()
    choose(alice, "username", "email")
    assert shown(alice) == ["first_name", "email", "username"]
    assert alice.html.xpath("//td[@data-label='Username']")[0].text_content().strip() == BRITTA.email


def test_hidden_fields_are_not_in_the_page_at_all(alice: Browser) -> None:
    alice.open(LIST)
    assert not alice.html.xpath("//*[@data-column='username']")


def test_the_choice_is_this_browsers_and_stays(alice: Browser, bob: Browser) -> None:
    choose(alice, "username")
    assert shown(alice) == ["first_name", "username"]
    assert "username" not in shown(bob)


def test_the_boxes_show_the_choice(alice: Browser) -> None:
    choose(alice, "status")
    alice.open(LIST)
    assert alice.html.xpath("//input[@name='columns'][@checked]/@value") == ["first_name", "status"]


def test_the_first_name_stays_when_everything_is_unticked(alice: Browser) -> None:
    choose(alice)
    assert shown(alice) == ["first_name"]


def test_the_page_comes_back_where_it_was(alice: Browser) -> None:
    alice.open(f"{LIST}?q=britta&sort=email&direction=asc")
    page = alice.submit(f"{SAVE}?q=britta&sort=email&direction=asc")
    assert dict(page.url.params) == {"q": "britta", "sort": "email", "direction": "asc"}


@pytest.mark.parametrize("value", ["", "password_hash", "username,email", "..", "\\x00"])
def test_a_made_up_cookie_shows_no_made_up_column(alice: Browser, value: str) -> None:
    alice.client.cookies.set(COOKIE, value)
    assert shown(alice) == ["first_name"]


def test_a_made_up_choice_is_not_kept(alice: Browser) -> None:
    choose(alice, "password_hash", "email", "<b>")
    assert alice.client.cookies.get(COOKIE) == "email"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(alice: Browser) -> None:
    alice.open(LIST)
    answer = alice.post(SAVE, data={"csrf_token": alice.token, "columns": "email"}, follow_redirects=False)
    kept = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE))
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    assert "Path=/account-manager" in kept
