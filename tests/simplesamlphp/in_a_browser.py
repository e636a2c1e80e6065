"""SimpleSAMLphp's pages as somebody uses them in Chromium.

Owns its labels. Never knows the pages of the service provider.
"""

from __future__ import annotations

from cast import Person
from playwright.sync_api import Page
from simplesamlphp.configuration import PASSWORD


def log_in(page: Page, person: Person, password: str = PASSWORD) -> None:
    """The user name, the password, Login. Its answer posts itself."""
    page.get_by_label("Username").fill(person.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Login").click()


def sign_in(page: Page, url: str, person: Person) -> None:
    """Go to `url`, which leads to SimpleSAMLphp, and log in there."""
    page.goto(url)
    log_in(page, person)
