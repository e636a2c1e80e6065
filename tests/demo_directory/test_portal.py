"""The tutorial's Azure side, as Alice walks it in the portal."""

import pytest
from cryptography import x509
from demo_directory.browser import TUTORIAL_REPLY_URL, Browser, StillClock
from fastapi import FastAPI

from sp.demo_directory.app import create_app
from sp.demo_directory.connect import Connected
from sp.demo_directory.desk import Desk
from sp.demo_directory.settings import Settings

APPLICATIONS = "/portal/directory/applications"
USERS = "/portal/directory/users"


def add_application(browser: Browser) -> str:
    """Add 8x8 Virtual Office from the gallery; returns the application's address."""
    browser.open(f"{APPLICATIONS}/gallery?search=8x8 Virtual Office")
    browser.submit(application="8x8 Virtual Office")
    return browser.page.url.path


def configure(browser: Browser, application: str, reply_url: str = TUTORIAL_REPLY_URL) -> None:
    browser.open(f"{application}/configure-single-sign-on")
    browser.submit(mode="federated")
    browser.submit(reply_url=reply_url, identifier="")
    browser.submit(confirmed="yes")
    browser.submit(notification_email="")


def add_britta(browser: Browser, user_name: str = "BrittaSimon") -> str:
    """Create Britta Simon by the three steps; returns her temporary password."""
    browser.open(f"{USERS}/add")
    browser.submit(user_name=user_name)
    browser.submit(first_name="Britta", last_name="Simon", display_name="Britta Simon", role="User")
    browser.submit()
    return browser.value("new-password")


# The way through the portal


def test_the_way_in_is_the_tutorials(alice: Browser) -> None:
    for path, link in [
        ("/", "Azure classic portal"),
        ("/portal", "Active Directory"),
        ("/portal/active-directory", "Contoso"),
        ("/portal/directory", "Applications"),
        (APPLICATIONS, "Add"),
        (f"{APPLICATIONS}/add", "Add an application from the gallery"),
    ]:
        assert alice.open(path).status_code == 200
        assert link in alice.text()


def test_the_application_comes_from_the_gallery(alice: Browser) -> None:
    address = add_application(alice)
    assert address.startswith(f"{APPLICATIONS}/")
    assert "8x8 Virtual Office has been added" in alice.text()
    assert "Configure single sign-on" in alice.text()


def test_the_gallery_says_when_nothing_matches(alice: Browser) -> None:
    alice.open(f"{APPLICATIONS}/gallery?search=Skype")
    assert "Nothing in the gallery matches “Skype”" in alice.text()


def test_completing_without_a_selection_says_what_to_do(alice: Browser) -> None:
    alice.open(f"{APPLICATIONS}/gallery")
    assert alice.submit().status_code == 422
    assert "Select 8x8 Virtual Office in the results first." in alice.text()


def test_the_application_is_added_only_once(alice: Browser, desk: Desk) -> None:
    add_application(alice)
    add_application(alice)
    assert "is in this directory already" in alice.text()
    assert len(desk.store.applications()) == 1


# Configure single sign-on


def test_the_wizard_keeps_what_was_typed_and_shows_the_mapping(alice: Browser, desk: Desk) -> None:
    application = add_application(alice)
    configure(alice, application)
    assert alice.page.url.path == application
    assert "Single sign-on is configured." in alice.text()
    assert f"{TUTORIAL_REPLY_URL} is mapped to http://localhost:8000/saml2" in alice.text()
    assert desk.store.applications()[0].reply_url == TUTORIAL_REPLY_URL
    assert desk.store.applications()[0].configured_at is not None


def test_the_mapping_is_said_beside_the_field(alice: Browser) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on/settings")
    assert (
        "https://sso.8x8.com/saml2 is mapped to http://localhost:8000/saml2: no assertion leaves this computer"
        in alice.text()
    )


def test_the_first_step_wants_a_choice(alice: Browser) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on")
    assert alice.submit(mode="password").status_code == 422


def test_a_reply_url_elsewhere_is_refused_and_stays_in_the_field(alice: Browser, desk: Desk) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on/settings")
    assert alice.submit(reply_url="https://evil.example/saml2").status_code == 422
    assert "evil.example is not on this computer" in alice.text()
    assert alice.value("reply_url") == "https://evil.example/saml2"
    assert desk.store.applications()[0].reply_url == ""


def test_an_empty_reply_url_names_the_tutorials(alice: Browser) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on/settings")
    assert alice.submit(reply_url="").status_code == 422
    assert f"The tutorial's value is {TUTORIAL_REPLY_URL}." in alice.text()


def test_an_identifier_with_spaces_is_refused(alice: Browser) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on/settings")
    assert alice.submit(reply_url=TUTORIAL_REPLY_URL, identifier="two words").status_code == 422
    assert alice.value("identifier") == "two words"


def test_later_steps_send_back_to_the_reply_url(alice: Browser) -> None:
    application = add_application(alice)
    for step in ("certificate", "confirmation"):
        alice.open(f"{application}/configure-single-sign-on/{step}")
        assert str(alice.page.url.path).endswith("/settings")


def test_the_confirmation_must_be_ticked(alice: Browser) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on/settings")
    alice.submit(reply_url=TUTORIAL_REPLY_URL)
    assert alice.submit().status_code == 422
    assert "Tick the box" in alice.text()


def test_a_notification_address_that_is_none_is_refused(alice: Browser, desk: Desk) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on/settings")
    alice.submit(reply_url=TUTORIAL_REPLY_URL)
    alice.submit(confirmed="yes")
    assert alice.submit(notification_email="nobody").status_code == 422
    assert desk.store.applications()[0].configured_at is None


def test_the_three_addresses_are_shaped_like_azure_ads(alice: Browser, desk: Desk) -> None:
    application = add_application(alice)
    alice.open(f"{application}/configure-single-sign-on/settings")
    alice.submit(reply_url=TUTORIAL_REPLY_URL)
    tenant = f"http://127.0.0.1:8001/{desk.tenant.tenant_id}"
    assert alice.value("issuer") == f"{tenant}/"
    assert alice.value("sso") == f"{tenant}/saml2"
    assert alice.value("slo") == f"{tenant}/saml2"


def test_the_certificate_comes_as_base64_and_raw(alice: Browser, desk: Desk) -> None:
    base64 = alice.open("/portal/directory/certificate?format=base64")
    raw = alice.open("/portal/directory/certificate?format=raw")
    assert x509.load_pem_x509_certificate(base64.content) == desk.key.certificate
    assert x509.load_der_x509_certificate(raw.content) == desk.key.certificate
    assert "attachment" in raw.headers["content-disposition"]


# Users


def test_britta_is_created_with_a_temporary_password_shown_once(alice: Browser) -> None:
    alice.open(USERS)
    assert "There are no users yet" in alice.text()
    password = add_britta(alice)
    assert len(password) >= 12
    alice.open(USERS)
    assert "BrittaSimon@contoso.example" in alice.text()
    assert password not in alice.page.text


def test_the_password_is_kept_only_as_argon2(alice: Browser, desk: Desk, settings: Settings) -> None:
    password = add_britta(alice)
    (britta,) = desk.store.people()
    assert britta.password_hash.startswith("$argon2id$")
    assert password.encode() not in settings.database_file.read_bytes()


@pytest.mark.parametrize("name", ["", "two words", "Britta@contoso.example", ".dot", "dot.", "<b>", "a" * 65])
def test_a_user_name_that_is_none_is_refused_and_kept(alice: Browser, name: str) -> None:
    alice.open(f"{USERS}/add")
    assert alice.submit(user_name=name).status_code == 422
    assert alice.value("user_name") == name


def test_a_user_name_is_unique_in_any_case(alice: Browser, desk: Desk) -> None:
    add_britta(alice)
    alice.open(f"{USERS}/add")
    assert alice.submit(user_name="brittasimon").status_code == 422
    assert "There is a user brittasimon@contoso.example already" in alice.text()
    assert len(desk.store.people()) == 1


def test_only_a_new_user_of_the_organization_can_be_added(alice: Browser) -> None:
    alice.open(f"{USERS}/add")
    answer = alice.submit(user_name="Britta", kind="User with an existing Microsoft account")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "wrong", [{"display_name": ""}, {"role": "Emperor"}, {"first_name": "a" * 65}, {"last_name": "a\u202eb"}]
)
def test_a_profile_with_one_fault_is_refused(alice: Browser, desk: Desk, wrong: dict[str, str]) -> None:
    alice.open(f"{USERS}/add")
    alice.submit(user_name="BrittaSimon")
    assert alice.submit(**{"display_name": "Britta Simon", **wrong}).status_code == 422
    assert "User Profile" in alice.text()
    assert desk.store.people() == []


def test_back_keeps_what_was_typed(alice: Browser) -> None:
    alice.open(f"{USERS}/add")
    alice.submit(user_name="BrittaSimon")
    alice.submit(f"{USERS}/add", display_name="Britta Simon")
    assert alice.value("user_name") == "BrittaSimon"
    alice.submit(f"{USERS}/add/profile")
    assert alice.value("display_name") == "Britta Simon"


def test_a_steps_address_by_itself_begins_again(alice: Browser) -> None:
    assert alice.open(f"{USERS}/add/create").status_code == 200
    assert "Tell us about this user" in alice.text()


def test_a_reset_password_replaces_the_old_one(alice: Browser, connected: Connected, britta: Browser) -> None:
    (person,) = [line for line in alice.open(USERS).text.split('"') if line.startswith("p-")][:1]
    alice.open(f"{USERS}/reset-password?person={person[2:]}")
    alice.submit()
    password = alice.value("new-password")
    britta.open("/access-panel")
    assert str(britta.page.url.path) == "/access-panel/sign-in"
    assert britta.submit(user_name=connected.user_name, password=connected.password).status_code == 422
    assert britta.submit(user_name=connected.user_name, password=password).status_code == 200


def test_commands_without_a_selection_say_so(alice: Browser, connected: Connected) -> None:
    assert connected.user_name
    for address in (f"{USERS}/reset-password", f"{USERS}/delete", f"{APPLICATIONS}/delete"):
        assert alice.open(address).status_code == 422
        assert "first, then choose" in alice.text()


def test_a_deleted_user_is_gone_with_the_session(alice: Browser, desk: Desk, britta: Browser) -> None:
    (person,) = desk.store.people()
    alice.open(f"{USERS}/delete?person={person.object_id}")
    assert "Delete Britta Simon?" in alice.text()
    alice.submit()
    assert "There are no users yet" in alice.text()
    assert desk.store.assigned_people(desk.store.applications()[0]) == set()
    assert str(britta.open("/access-panel").url.path) == "/access-panel/sign-in"


def test_a_deleted_application_is_gone_with_its_assignments(alice: Browser, desk: Desk, britta: Browser) -> None:
    (application,) = desk.store.applications()
    alice.open(f"{APPLICATIONS}/delete?application={application.object_id}")
    alice.submit()
    assert "There are no applications yet" in alice.text()
    britta.open("/access-panel")
    assert "No applications are assigned to you" in britta.text()


# Assignment


def test_britta_is_assigned_and_removed(alice: Browser, desk: Desk) -> None:
    application = add_application(alice)
    add_britta(alice)
    (person,) = desk.store.people()
    alice.open(f"{application}/users")
    assert "0 of 1 assigned" in alice.text()
    alice.submit(f"{application}/users/assign", person=[person.object_id])
    assert "1 of 1 assigned" in alice.text()
    alice.submit(f"{application}/users/remove", person=[person.object_id])
    assert "0 of 1 assigned" in alice.text()


def test_assigning_nobody_says_what_to_do(alice: Browser) -> None:
    application = add_application(alice)
    add_britta(alice)
    alice.open(f"{application}/users")
    assert alice.submit(f"{application}/users/assign").status_code == 422
    assert "Select somebody first" in alice.text()


def test_a_person_who_is_not_in_the_directory_is_not_assigned(alice: Browser, desk: Desk) -> None:
    application = add_application(alice)
    add_britta(alice)
    alice.open(f"{application}/users")
    alice.submit(f"{application}/users/assign", person=["nobody"])
    assert desk.store.assigned_people(desk.store.applications()[0]) == set()


# What stays


def test_everything_survives_a_restart(
    alice: Browser, desk: Desk, britta: Browser, settings: Settings, clock: StillClock
) -> None:
    assert alice.open("/portal").status_code == 200
    restarted: FastAPI = create_app(settings, clock)
    britta_again = Browser(restarted)
    britta_again.client.cookies = britta.client.cookies
    britta_again.open("/access-panel")
    assert "8x8 Virtual Office" in britta_again.text()
    again: Desk = restarted.state.desk
    assert again.tenant.tenant_id == desk.tenant.tenant_id
    assert again.key.certificate == desk.key.certificate
    again.store.close()
