"""Everything without a mouse: from signing in to a saved SAML form, and the windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from journeys import steps
from journeys.windows import Windows
from playwright.sync_api import Locator, Page, expect
from processes.program import ADMINISTRATOR, PASSWORD, Installation, Program

pytestmark = pytest.mark.browser

FARTHEST = 40  # tab stops: whoever needs more gives up


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it is there."""
    for _ in range(FARTHEST):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not within {FARTHEST} tab stops")


def go(page: Page, wanted: Locator, key: str = "Enter") -> None:
    tab_to(page, wanted)
    page.keyboard.press(key)


def write(page: Page, wanted: Locator, text: str) -> None:
    tab_to(page, wanted)
    page.keyboard.type(text)


def choose_file(page: Page, wanted: Locator, file: Path) -> None:
    with page.expect_file_chooser() as chooser:  # the browser has to hear that somebody waits for it before the key
        tab_to(page, wanted)
        page.keyboard.press("Space")
    chooser.value.set_files(file)


def test_from_signing_in_to_a_saved_form(
    windows: Windows, install: Callable[..., Installation], tmp_path: Path
) -> None:
    place = install(ADMIN_PASSWORD=PASSWORD)
    page, certificate = windows.open(), tmp_path / "contoso.cer"
    with place.start("demo"):
        url = f"{place.demo_url}/portal/directory/certificate?format=base64"
        certificate.write_bytes(httpx.get(url, trust_env=False).content)

        page.goto(place.base_url)
        page.keyboard.type(ADMINISTRATOR)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        go(page, page.get_by_role("link", name="Virtual Office Account Mgr"))
        go(page, page.get_by_role("radio", name="Business"), "Space")
        go(page, page.get_by_role("button", name="Sign In"))
        go(page, page.get_by_role("link", name="Accounts"))
        go(page, page.get_by_role("link", name="View Single Sign On"))

        go(page, page.get_by_role("checkbox", name="Single Sign On", exact=True), "Space")
        go(page, page.get_by_role("button", name="Save"))
        success = page.get_by_role("dialog", name="Success")
        expect(success.get_by_role("button", name="OK")).to_be_focused()
        page.keyboard.press("Escape")
        expect(success).to_be_hidden()
        method = page.get_by_role("region", name="Authentication method")
        expect(method.get_by_role("button", name="Save")).to_be_focused()

        form = steps.saml_form(page)
        write(page, form.get_by_label("Sign In URL"), "https://idp.contoso.example/sign-in")
        write(page, form.get_by_label("Issuer URL"), "https://idp.contoso.example/")
        choose_file(page, form.get_by_label("Identity Provider Certificate"), certificate)
        expect(form.get_by_text("SHA-256 fingerprint")).to_be_visible()
        go(page, form.get_by_role("button", name="Save"))
        expect(success.get_by_role("button", name="OK")).to_be_focused()
        page.keyboard.press("Enter")
        expect(success).to_be_hidden()
        expect(form.get_by_role("button", name="Save")).to_be_focused()
        expect(page.get_by_text("SAML is on")).to_be_visible()


@pytest.fixture(scope="module")
def carol(connected: Program) -> str:
    """A user who may be deleted."""
    added = ("--username", "carol@contoso.example", "--first-name", "Carol", "--last-name", "Clark")
    assert connected.installation.run("user", "add", *added).returncode == 0
    return "Carol Clark"


def test_delete_asks_first_and_escape_means_no(windows: Windows, connected: Program, carol: str) -> None:
    page = windows.open()
    steps.sign_in_administrator(page, connected.installation, PASSWORD)
    page.goto(f"{connected.installation.base_url}/account-manager/business/accounts/user-profiles?q=carol")
    delete = page.get_by_role("link", name=f"Delete {carol}")
    go(page, delete)
    window = page.get_by_role("dialog", name=f"Delete {carol}?")
    expect(window.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(delete).to_be_focused()

    page.keyboard.press("Enter")
    go(page, window.get_by_role("button", name="Delete"))
    expect(page.get_by_role("dialog", name="Success")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="carol@contoso.example")).to_have_count(0)
    expect(page.get_by_role("heading", name="No user matches")).to_be_visible()


def test_the_first_tab_stop_skips_to_the_content(windows: Windows, connected: Program) -> None:
    page = windows.open()
    steps.sign_in_administrator(page, connected.installation, PASSWORD)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Virtual Office Account Mgr")).to_be_focused()
