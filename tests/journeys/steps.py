"""The tutorial's steps, in the words of `docs/tutorial.md`, as somebody takes them in a browser.

Owns finding things by role and label. Never judges what comes of it beyond the page that a step ends on. Every step
works without script too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from processes.program import ADMINISTRATOR, Installation

TUTORIAL_REPLY_URL = "https://sso.8x8.com/saml2"
APPLICATION = "8x8 Virtual Office"


@dataclass(frozen=True)
class AzureValues:
    """What the page "Configure single sign-on at 8x8 Virtual Office" gives out."""

    sign_in_url: str
    sign_out_url: str
    issuer: str
    certificate: Path


# At Azure AD


def open_directory(page: Page, place: Installation) -> None:
    """1. Azure classic portal → Active Directory → the directory Contoso."""
    page.goto(place.demo_url)
    page.get_by_role("link", name="Azure classic portal").click()
    page.get_by_role("navigation", name="Services").get_by_role("link", name="Active Directory").click()
    page.get_by_role("rowheader", name="Contoso").get_by_role("link").click()


def add_application(page: Page) -> None:
    """2, 3. Applications → Add → from the gallery → 8x8 Virtual Office → Complete."""
    page.get_by_role("navigation", name="Contoso").get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Add").click()
    page.get_by_role("link", name="Add an application from the gallery").click()
    page.get_by_label("Search").fill(APPLICATION)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("radio", name=APPLICATION).check()
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(APPLICATION)


def configure_azure(page: Page) -> None:
    """4, 5. Configure single sign-on → Microsoft Azure AD Single Sign-On → Next → Reply URL → Next."""
    page.get_by_role("link", name="Configure single sign-on").click()
    page.get_by_label("Microsoft Azure AD Single Sign-On").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Reply URL").fill(TUTORIAL_REPLY_URL)
    page.get_by_role("button", name="Next").click()


def download_certificate(page: Page, folder: Path) -> AzureValues:
    """6. Download certificate, and note the three URLs."""
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Configure single sign-on at {APPLICATION}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download certificate").click()
    certificate = folder / download.value.suggested_filename
    download.value.save_as(certificate)
    return AzureValues(
        sign_in_url=page.get_by_label("SAML SSO URL").input_value(),
        sign_out_url=page.get_by_label("Single Sign-Out Service URL").input_value(),
        issuer=page.get_by_label("Issuer URL").input_value(),
        certificate=certificate,
    )


def confirm_azure(page: Page) -> None:
    """13. Tick the confirmation, Next, Complete."""
    page.get_by_role("checkbox", name="Confirm that you have configured single sign-on").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(APPLICATION)


def create_user(page: Page, user_name: str, first_name: str, last_name: str) -> str:
    """14. Users → Add User → the three steps. The password that the page shows."""
    page.get_by_role("navigation", name="Services").get_by_role("link", name="Active Directory").click()
    page.get_by_role("link", name="Contoso").click()
    page.get_by_role("navigation", name="Contoso").get_by_role("link", name="Users").click()
    page.get_by_role("link", name="Add User").click()
    page.get_by_label("Type of user").select_option("New user in your organization")
    page.get_by_label("User Name").fill(user_name)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("First Name").fill(first_name)
    page.get_by_label("Last Name").fill(last_name)
    page.get_by_label("Display Name").fill(f"{first_name} {last_name}")
    page.get_by_label("Role").select_option("User")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="create").click()
    password = page.get_by_label("New Password", exact=True).input_value()
    page.get_by_role("link", name="Complete").click()
    return password


def assign(page: Page, name: str) -> None:
    """15. Applications → 8x8 Virtual Office → Users → select → Assign."""
    page.get_by_role("navigation", name="Contoso").get_by_role("link", name="Applications").click()
    page.get_by_role("link", name=APPLICATION).click()
    page.get_by_role("navigation", name=APPLICATION).get_by_role("link", name="Users").click()
    page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("row", name=name)).to_contain_text("Yes")


# At 8x8


def sign_in_administrator(page: Page, place: Installation, password: str) -> None:
    """7. Open the service and sign in: the Application Panel."""
    page.goto(place.base_url)
    page.get_by_label("Username").fill(ADMINISTRATOR)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Application Panel")


def manage_business(page: Page) -> None:
    """8. Virtual Office Account Mgr → Business → Sign In."""
    page.get_by_role("link", name="Virtual Office Account Mgr").click()
    page.get_by_role("radio", name="Business").check()
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("navigation", name="Account Manager").get_by_role("link")).to_have_text(
        ["Home", "Accounts", "Phone System", "Billing", "Orders"]
    )


def open_box(page: Page, name: str) -> None:
    """9. Tab Accounts → the box's View."""
    page.get_by_role("navigation", name="Account Manager").get_by_role("link", name="Accounts").click()
    page.get_by_role("link", name=f"View {name}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def choose_saml(page: Page) -> None:
    """10. Tick Single Sign On, select SAML, Save, OK."""
    expect(page.get_by_role("heading", name="SAML Single Sign on")).to_have_count(0)
    page.get_by_role("checkbox", name="Single Sign On", exact=True).check()
    page.get_by_role("radio", name="SAML").check()
    page.get_by_role("button", name="Save").click()
    close_success(page)


def fill_saml(page: Page, values: AzureValues) -> None:
    """11. Copy the three values across."""
    page.get_by_label("Sign In URL").fill(values.sign_in_url)
    page.get_by_label("Sign Out URL").fill(values.sign_out_url)
    page.get_by_label("Issuer URL").fill(values.issuer)


def save_saml(page: Page) -> None:
    """12. Save, OK."""
    saml_form(page).get_by_role("button", name="Save").click()
    close_success(page)
    expect(page.get_by_text("SAML is on")).to_be_visible()


def saml_form(page: Page) -> Locator:
    return page.get_by_role("region", name="SAML Single Sign on")


def close_success(page: Page) -> None:
    window = page.get_by_role("dialog", name="Success")
    window.get_by_role("button", name="OK").click()
    expect(window).to_be_hidden()


# Britta


def sign_in_to_access_panel(page: Page, place: Installation, user_name: str, password: str) -> None:
    """16. Access Panel, with the password that was noted."""
    page.goto(place.demo_url)
    page.get_by_role("link", name="Access Panel").click()
    page.get_by_label("User name").fill(user_name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Applications")


def click_tile(page: Page) -> None:
    """17. The tile."""
    page.get_by_role("link", name=APPLICATION).click()


def expect_application_panel(page: Page, place: Installation, name: str) -> None:
    """17. … is on the Application Panel of Virtual Office."""
    page.wait_for_url(f"{place.base_url}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Application Panel")
    expect(page.get_by_text(f"Signed in as {name}.")).to_be_visible()
