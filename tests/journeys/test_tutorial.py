"""The whole tutorial, both sides, as one journey of two people through real processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from journeys import steps
from journeys.windows import Windows
from playwright.sync_api import Page, Request, expect
from processes.program import PASSWORD, Installation, Program

pytestmark = pytest.mark.browser


def configure_both_sides(portal: Page, administrator: Page, program: Program, folder: Path, password: str) -> str:
    """Steps 1 to 15. Britta's password in the directory."""
    place = program.installation
    steps.open_directory(portal, place)
    steps.add_application(portal)
    steps.configure_azure(portal)
    values = steps.download_certificate(portal, folder)

    steps.sign_in_administrator(administrator, place, password)
    steps.manage_business(administrator)
    steps.open_box(administrator, "Single Sign On")
    steps.choose_saml(administrator)
    steps.fill_saml(administrator, values)
    browse_to(administrator, values.certificate)
    steps.save_saml(administrator)

    steps.confirm_azure(portal)
    britta_password = steps.create_user(portal, "BrittaSimon", "Britta", "Simon")
    steps.assign(portal, "Britta Simon")
    return britta_password


def browse_to(page: Page, certificate: Path) -> None:
    """12. "Browse" to the certificate: with script the page says at once what it understood."""
    if page.evaluate("document.documentElement.hasAttribute('data-script')"):
        with page.expect_file_chooser() as chooser:
            page.get_by_text("Browse", exact=True).click()
        chooser.value.set_files(certificate)
        expect(page.get_by_text("SHA-256 fingerprint")).to_be_visible()
    else:
        page.get_by_label("Identity Provider Certificate", exact=True).set_input_files(certificate)


def captured_response(request: Request) -> str:
    assert request.post_data is not None
    return parse_qs(request.post_data)["SAMLResponse"][0]


def find_britta(administrator: Page) -> None:
    """18. Accounts → User Profiles: she is there, once."""
    steps.open_box(administrator, "User Profiles")
    expect(administrator.get_by_role("row", name="BrittaSimon@contoso")).to_have_count(1)
    britta = administrator.get_by_role("row", name="BrittaSimon@contoso")
    for shown in ("Britta", "Simon", "Just-in-time", "Active"):
        expect(britta.get_by_role("cell", name=shown, exact=True)).to_be_visible()
    expect(administrator.get_by_text("1 user", exact=True)).to_be_visible()


def expect_what_was_sent(britta: Page) -> None:
    """ "My profile" shows who she is, and what the directory said about her."""
    britta.get_by_role("link", name="My profile").click()
    expect(britta.get_by_role("heading", level=1)).to_have_text("My profile")
    expect(britta.get_by_text("Single Sign On with SAML")).to_be_visible()
    sent = britta.get_by_role("table", name="Attributes")
    for claim, value in (("givenname", "Britta"), ("surname", "Simon"), ("name", "BrittaSimon@contoso")):
        expect(sent.get_by_role("row", name=f"/claims/{claim} {value}")).to_be_visible()


def replayed(place: Installation, response: str) -> dict[str, object]:
    """Mallory posts what she caught, from a program of her own."""
    answer = httpx.post(
        place.acs_url, data={"SAMLResponse": response}, headers={"Accept": "application/json"}, trust_env=False
    )
    assert answer.status_code == 403
    verdict: dict[str, object] = answer.json()
    return verdict


def test_the_tutorial_from_an_empty_directory_to_brittas_sign_in(
    windows: Windows, install: Callable[..., Installation], tmp_path: Path
) -> None:
    place = install()
    britta, administrator = windows.open(), windows.open()

    with place.start("demo") as program:
        password = program.printed("password")
        steps_taken = configure_both_sides(windows.open(), administrator, program, tmp_path, password)
        steps.sign_in_to_access_panel(britta, place, "BrittaSimon", steps_taken)
        with britta.expect_request(place.acs_url) as caught:
            steps.click_tile(britta)
        steps.expect_application_panel(britta, place, "Britta Simon")
        response = captured_response(caught.value)
        expect_what_was_sent(britta)
        find_britta(administrator)

        britta.goto(f"{place.demo_url}/access-panel")
        steps.click_tile(britta)
        steps.expect_application_panel(britta, place, "Britta Simon")
        find_britta(administrator)
        assert replayed(place, response)["failed"] == ["replay"]

    with place.start("demo") as program:
        assert program.printed("password") == password
        britta.goto(place.base_url)
        steps.expect_application_panel(britta, place, "Britta Simon")
        find_britta(administrator)
        steps.open_box(administrator, "Single Sign On")
        expect(administrator.get_by_text("SAML is on")).to_be_visible()
        assert replayed(place, response)["failed"] == ["replay"]


def test_the_tutorial_without_script(windows: Windows, install: Callable[..., Installation], tmp_path: Path) -> None:
    place = install(ADMIN_PASSWORD=PASSWORD)
    portal, administrator, britta = (windows.open(java_script_enabled=False) for _ in range(3))

    with place.start("demo") as program:
        password = configure_both_sides(portal, administrator, program, tmp_path, PASSWORD)
        steps.sign_in_to_access_panel(britta, place, "BrittaSimon", password)
        steps.click_tile(britta)
        britta.get_by_role("button", name="Continue").click()
        steps.expect_application_panel(britta, place, "Britta Simon")
        find_britta(administrator)
