"""The flags of every cookie, on http and on https."""

from __future__ import annotations

from collections.abc import Callable

from browser import PASSWORD, Browser
from cast import ALICE
from fastapi import FastAPI


def cookies_of_a_sign_in(browser: Browser) -> list[str]:
    browser.client.follow_redirects = False
    first = browser.open("/")
    page = browser.submit("/sso/login/", username=ALICE.email, password=PASSWORD)
    assert page.status_code == 303
    return first.headers.get_list("set-cookie") + page.headers.get_list("set-cookie")


def test_scripts_and_other_sites_do_not_get_the_cookies(browser: Browser) -> None:
    cookies = cookies_of_a_sign_in(browser)
    assert [cookie.split("=")[0] for cookie in cookies] == ["virtual_office_browser", "virtual_office_session"]
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie
        assert "Domain" not in cookie


def test_on_https_no_other_host_can_plant_them(make_app: Callable[..., FastAPI]) -> None:
    base_url = "https://virtual-office.example"
    browser = Browser(make_app(base_url=base_url), base_url=base_url)
    cookies = cookies_of_a_sign_in(browser)
    assert [cookie.split("=")[0] for cookie in cookies] == [
        "__Host-virtual_office_browser",
        "__Host-virtual_office_session",
    ]
    assert all("Secure" in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in cookies)


def test_the_success_window_is_a_cookie_with_a_key_and_no_words(alice: Browser) -> None:
    page = "/account-manager/business/accounts/single-sign-on"
    alice.open(page)
    alice.client.follow_redirects = False
    saved = alice.submit(f"{page}/authentication-method", single_sign_on="on")
    [cookie] = saved.headers.get_list("set-cookie")
    assert cookie.startswith("virtual_office_flash=authentication-saved;")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_mallory_cannot_put_words_into_the_success_window(alice: Browser) -> None:
    alice.client.cookies.set("virtual_office_flash", "You have won")
    assert "You have won" not in alice.open("/").text
