"""Every page of both applications, as a table: where it is, who looks at it, and what they do to see it.

Owns the list. Never judges a page (see `test_every_page`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from idp_metadata import aggregate, entity, named, role
from playwright.sync_api import Page
from responses import Idp

BUSINESS = "{service}/account-manager/business"
PROFILES = f"{BUSINESS}/accounts/user-profiles"
SINGLE_SIGN_ON = f"{BUSINESS}/accounts/single-sign-on"
SESSIONS = f"{BUSINESS}/accounts/sessions"
API_TOKENS = f"{BUSINESS}/accounts/api-tokens"
SIGN_OUT = f"{SINGLE_SIGN_ON}/sign-out"
SIGN_IN_LOG = f"{SINGLE_SIGN_ON}/sign-in-log"
IDP_METADATA = f"{SINGLE_SIGN_ON}/metadata"
IDP_CERTIFICATES = f"{SINGLE_SIGN_ON}/certificates"
OUR_KEYS = f"{SINGLE_SIGN_ON}/keys"
REQUESTS = f"{SINGLE_SIGN_ON}/requests"
DIRECTORY = "{directory}/portal/directory"
APPLICATION = f"{DIRECTORY}/applications/{{application}}"
WIZARD = f"{APPLICATION}/configure-single-sign-on"
WORKSPACE = "{service}/account-manager/{workspace}"
WORKSPACES_ACCOUNTS = f"{WORKSPACE}/accounts"
WORKSPACES_SETTINGS = f"{WORKSPACES_ACCOUNTS}/single-sign-on"

_REFERENCE = re.compile(r"^[2-9A-Z]{8}$")

Places = Mapping[str, str]
Deed = Callable[[Page, Places], object]


@dataclass(frozen=True)
class View:
    """A page in one state. `address` names places in braces.

    `who` is nobody, administrator, britta, bob, or tester: the administrator of a workspace whose clock stands.
    """

    name: str
    address: str
    deeds: tuple[Deed, ...] = ()
    who: str = "administrator"

    def __str__(self) -> str:
        return self.name


def view(name: str, address: str, *deeds: Deed, who: str = "administrator") -> View:
    return View(name, address, deeds, who)


def directory(name: str, address: str, *deeds: Deed) -> View:
    """A page of the portal, which asks for no password."""
    return View(f"directory-{name}", address, deeds, "nobody")


def press(name: str, *, within: str = "") -> Deed:
    """Press a button, the one in a region when the name stands there more than once."""

    def deed(page: Page, _places: Places) -> None:
        place = page.get_by_role("region", name=within) if within else page.get_by_role("main")
        place.get_by_role("button", name=name, exact=True).click()

    return deed


def go_on_to(address: str) -> Deed:
    return lambda page, places: page.goto(address.format_map(places))


def open_newest_attempt(page: Page, _places: Places) -> None:
    page.get_by_role("main").get_by_role("link", name=_REFERENCE).first.click()


def follow(name: str) -> Deed:
    """Press a link; its name may hold places."""
    return lambda page, places: page.get_by_role("main").get_by_role("link", name=name.format_map(places)).click()


def fill(**fields: str) -> Deed:
    """Fill in fields by their labels, with underscores for spaces."""

    def deed(page: Page, _places: Places) -> None:
        for label, text in fields.items():
            page.get_by_label(label.replace("_", " ")).first.fill(text)

    return deed


def paste(label: str, text: str) -> Deed:
    """Fill in a field; the text may hold places."""
    return lambda page, places: page.get_by_role("textbox", name=label).fill(text.format_map(places))


def one_provider(number: int = 0) -> str:
    idp = Idp.make(f"https://idp{number}.example/")
    return entity(idp, role(idp, before=named(f"University {number}"))).decode()


def a_federation() -> str:
    return aggregate(*(one_provider(number).encode() for number in range(3))).decode()


def unfold(text: str) -> Deed:
    return lambda page, _places: page.get_by_text(text).first.click()


def see(text: str) -> Deed:
    """Wait until it is there to be seen, for what the page fetches by itself."""
    return lambda page, _places: page.get_by_text(text).first.wait_for()


def lose_cookies(page: Page, _places: Places) -> None:
    page.context.clear_cookies()


def post_response(message: str, path: str = "/saml2") -> Deed:
    """Post a message as a stranger's page would."""

    def deed(page: Page, places: Places) -> None:
        page.set_content(
            f'<form method="post" action="{places["service"]}{path.format_map(places)}"><button>Send</button>'
            f'<input type="hidden" name="SAMLResponse" value="{message.format_map(places)}"></form>'
        )
        with page.expect_navigation():
            page.get_by_role("button", name="Send").click()

    return deed


# A service and a directory where nothing has been set up yet; reports are not public

EMPTY = [
    view("sign-in", "{service}/", who="nobody"),
    view("sign-in-refused", "{service}/", fill(Username="alice", Password="wrong"), press("Sign In"), who="nobody"),
    view("sign-in-without-cookie", "{service}/", lose_cookies, press("Sign In"), who="nobody"),
    view("sso-start", "{service}/sso/start/?next=/my-profile", who="nobody"),
    view("sso-start-error", "{service}/sso/start/", press("Continue"), who="nobody"),
    view("sso-cannot-start", "{service}/sso/login/business", who="nobody"),
    view("not-found", "{service}/nowhere", who="nobody"),
    view("refused-without-details", "{service}/", post_response("!"), who="nobody"),
    view("application-panel", "{service}/"),
    view("choose-account", "{service}/account-manager"),
    view("home-off", BUSINESS),
    view("accounts", f"{BUSINESS}/accounts"),
    view("privileges", f"{BUSINESS}/accounts/privileges"),
    view("phone-system", f"{BUSINESS}/phone-system"),
    view("billing", f"{BUSINESS}/billing"),
    view("orders", f"{BUSINESS}/orders"),
    view("not-found-signed-in", f"{BUSINESS}/nowhere"),
    view("user-profiles-empty", PROFILES),
    view("single-sign-on-step-one", SINGLE_SIGN_ON),
    view("sign-in-requests-nowhere-to", REQUESTS),
    view("request-bench-nowhere-to", f"{REQUESTS}/bench"),
    view("idp-metadata-empty", IDP_METADATA),
    view("idp-certificates-empty", IDP_CERTIFICATES),
    view("sign-in-log-empty", SIGN_IN_LOG),
    view("sign-out-before", SIGN_OUT),
    view("sessions-empty", SESSIONS),
    view("api-tokens-empty", API_TOKENS),
    view("api-tokens-error", API_TOKENS, press("Make token")),
    view("sign-out-refused-without-details", "{service}/saml2/slo?SAMLRequest=x", who="nobody"),
    view("our-keys", OUR_KEYS),
    view("our-keys-confirm", f"{OUR_KEYS}/signing/begin-rollover"),
    directory("front", "{directory}/"),
    directory("items", "{directory}/portal"),
    directory("list", "{directory}/portal/active-directory"),
    directory("quick-start", DIRECTORY),
    directory("users-empty", f"{DIRECTORY}/users"),
    directory("applications-empty", f"{DIRECTORY}/applications"),
    directory("add-user-1", f"{DIRECTORY}/users/add"),
    directory("add-user-1-error", f"{DIRECTORY}/users/add", press("Next")),
    directory("add-user-2-error", f"{DIRECTORY}/users/add", fill(User_Name="Carol"), press("Next"), press("Next")),
    directory(
        "add-user-3",
        f"{DIRECTORY}/users/add",
        fill(User_Name="Carol"),
        press("Next"),
        fill(Display_Name="Carol"),
        press("Next"),
    ),
    directory("add-application", f"{DIRECTORY}/applications/add"),
    directory("gallery", f"{DIRECTORY}/applications/gallery?search=8x8"),
    directory("gallery-nothing", f"{DIRECTORY}/applications/gallery?search=9x9"),
    directory("not-found", "{directory}/nowhere"),
    directory("another-tenant", "{directory}/another-tenant/saml2"),
    directory("delete-nobody", f"{DIRECTORY}/users/delete"),
    view("access-panel-sign-in", "{directory}/access-panel", who="nobody"),
    view("access-panel-sign-in-error", "{directory}/access-panel", press("Sign in"), who="nobody"),
]

# Both sides connected, Britta signed in, and a crowd of users

FILLED = [
    view("application-panel-of-a-user", "{service}/", who="britta"),
    view("my-profile", "{service}/my-profile", who="britta"),
    view("not-for-users", BUSINESS, who="britta"),
    view("refused-unreadable", "{service}/", post_response("!"), who="nobody"),
    view("refused-replay", "{service}/", post_response("{replay}"), who="nobody"),
    view("refused-signature", "{service}/", post_response("{changed}"), who="nobody"),
    view("refused-all-open", "{service}/", post_response("{replay}"), press("Open all"), who="nobody"),
    view("home-on", BUSINESS),
    view("single-sign-on", SINGLE_SIGN_ON),
    view("single-sign-on-options", SINGLE_SIGN_ON, unfold("Options of this stand-in")),
    view("for-the-identity-provider", f"{SINGLE_SIGN_ON}/identity-provider-configuration?product=shibboleth"),
    view("single-sign-on-version", SINGLE_SIGN_ON, unfold("Version 2")),
    view("single-sign-on-saved", SINGLE_SIGN_ON, press("Save", within="SAML Single Sign on")),
    view(
        "single-sign-on-errors",
        SINGLE_SIGN_ON,
        fill(Sign_In_URL="ftp://idp.example/", Sign_Out_URL="https://user:secret@idp.example/", Issuer_URL=" "),
        unfold("Paste the certificate as text"),
        fill(Certificate_as_text="-----BEGIN PRIVATE KEY-----"),
        press("Save", within="SAML Single Sign on"),
    ),
    view(
        "single-sign-on-preflight",
        SINGLE_SIGN_ON,
        fill(
            Sign_In_URL="http://login.microsoftonline.com/0a1b2c3d-0000-1111-2222-333344445555/saml2",
            Issuer_URL="https://sts.windows.net/5f1f5cd5-3f2c-4b0e-9c1d-8a1b2c3d4e5f",
        ),
        see("Issuer URL as its provider writes it"),
    ),
    view("single-sign-on-remove", SINGLE_SIGN_ON, follow("Remove the certificate")),
    view("idp-metadata-errors", IDP_METADATA, fill(Metadata_as_text="<html>"), press("Preview")),
    view("idp-metadata-preview", IDP_METADATA, fill(Metadata_as_text=one_provider()), press("Preview")),
    view("idp-metadata-choose", IDP_METADATA, fill(Metadata_as_text=a_federation()), press("Preview")),
    view("idp-certificates", IDP_CERTIFICATES),
    view(
        "sso-methods",
        "{service}/sso/start/",
        fill(**{"8x8_Username_or_Email": "britta@contoso.example"}),
        press("Continue"),
        who="nobody",
    ),
    view("sign-in-requests", REQUESTS),
    view(
        "sign-in-requests-errors",
        REQUESTS,
        fill(Requested_NameID_format="persistent", Allowed_number_of_proxies="many"),
        press("Save"),
    ),
    view("request-bench", f"{REQUESTS}/bench?oddity=subject"),
    view("request-bench-error", f"{REQUESTS}/bench", fill(XML=""), press("Send")),
    view("our-keys-rollover", OUR_KEYS),
    view("sign-in-log", SIGN_IN_LOG),
    view("judge-message", f"{SIGN_IN_LOG}/judge"),
    view(
        "judge-message-nothing", f"{SIGN_IN_LOG}/judge", paste("Message", "eyJhbGciOi.eyJhbGciOi.abc"), press("Judge")
    ),
    view("judge-message-refused", f"{SIGN_IN_LOG}/judge", paste("Message", "{changed}"), press("Judge")),
    view(
        "judge-message-several",
        f"{SIGN_IN_LOG}/judge",
        paste("Message", "https://idp.example/?SAMLResponse={replay}\nhttps://idp.example/?SAMLRequest=PHg%2B"),
        press("Judge"),
    ),
    view("sessions", SESSIONS),
    view("sessions-no-match", f"{SESSIONS}?q=nobody"),
    view("sessions-end-all", f"{SESSIONS}/end-all"),
    view("api-tokens-made", API_TOKENS, fill(Name="nightly tests of " + "a very long name " * 5), press("Make token")),
    view("sign-out-refused", "{service}/saml2/slo?SAMLRequest=x", who="nobody"),
    view("sign-out-errors", SIGN_OUT, fill(Sign_Out_Response_URL="x"), press("Save")),
    view(
        "sign-out-message",
        "{service}/saml2/slo?SAMLRequest=x",
        go_on_to(SIGN_OUT),
        open_newest_attempt,
    ),
    view("sign-in-log-no-match", f"{SIGN_IN_LOG}?q=nobody"),
    view("sign-in-accepted", f"{SIGN_IN_LOG}?outcome=accepted", open_newest_attempt),
    view(
        "sign-in-refused-in-the-log",
        "{service}/",
        post_response("{changed}"),
        go_on_to(f"{SIGN_IN_LOG}?outcome=refused"),
        open_newest_attempt,
    ),
    view("sign-ins-compared", f"{SIGN_IN_LOG}?outcome=accepted", open_newest_attempt, press("Compare")),
    view("sign-in-before-sharing", f"{SIGN_IN_LOG}?outcome=accepted", open_newest_attempt, follow("Share…")),
    view("user-profiles", PROFILES),
    view("user-profiles-last-page", PROFILES, follow("Next")),
    view("user-profiles-columns", f"{PROFILES}?q=user1", unfold("Edit Viewable/Hidden Fields")),
    view("user-profiles-delete", f"{PROFILES}?q=BrittaSimon", follow("Delete Britta Simon")),
    view("user-profiles-no-match", f"{PROFILES}?q=nobody+at+all"),
    view("user-profiles-disabled", f"{PROFILES}?status=disabled"),
    view("user-profile", f"{PROFILES}/{{user}}"),
    view("user-profile-errors", f"{PROFILES}/{{user}}", fill(First_Name="", Email_Address="x"), press("Save")),
    view("user-profile-delete", f"{PROFILES}/{{user}}/delete"),
    view("user-profile-disable", f"{PROFILES}/{{user}}/disable"),
    directory("quick-start-done", DIRECTORY),
    directory("configure", f"{DIRECTORY}/configure"),
    directory("users", f"{DIRECTORY}/users"),
    directory("reset-password", f"{DIRECTORY}/users/reset-password?person={{person}}"),
    directory("delete-user", f"{DIRECTORY}/users/delete?person={{person}}"),
    directory("applications", f"{DIRECTORY}/applications"),
    directory("delete-application", f"{DIRECTORY}/applications/delete?application={{application}}"),
    directory("application", APPLICATION),
    directory("application-users", f"{APPLICATION}/users"),
    directory("attributes", f"{APPLICATION}/attributes"),
    directory("faults", f"{APPLICATION}/faults"),
    directory("wizard-1", WIZARD),
    directory("wizard-2", f"{WIZARD}/settings"),
    directory("wizard-2-error", f"{WIZARD}/settings", fill(Reply_URL="https://elsewhere.example/"), press("Next")),
    directory("wizard-3", f"{WIZARD}/certificate"),
    directory("wizard-4", f"{WIZARD}/confirmation"),
    view("access-panel", "{directory}/access-panel", who="britta"),
    view("access-panel-not-assigned", "{directory}/access-panel/applications/{application}", who="bob"),
    view("access-panel-empty", "{directory}/access-panel", who="bob"),
    view("access-panel-signed-out", "{directory}/access-panel", unfold("Sign out"), who="bob"),
    view("workspace-panel", "{service}/", who="tester"),
    view("workspace-choose-account", "{service}/account-manager", who="tester"),
    view("workspace-home", WORKSPACE, who="tester"),
    view("workspace-accounts", WORKSPACES_ACCOUNTS, who="tester"),
    view("workspace-single-sign-on", WORKSPACES_SETTINGS, who="tester"),
    view("workspace-our-keys", f"{WORKSPACES_SETTINGS}/keys", who="tester"),
    view("workspace-sign-in-log", f"{WORKSPACES_SETTINGS}/sign-in-log", who="tester"),
    view("workspace-accepted", f"{WORKSPACES_SETTINGS}/sign-in-log", open_newest_attempt, who="tester"),
    view("workspace-sessions", f"{WORKSPACES_ACCOUNTS}/sessions", who="tester"),
    view("workspace-user-profiles", f"{WORKSPACES_ACCOUNTS}/user-profiles", who="tester"),
    view("workspace-api-tokens", f"{WORKSPACES_ACCOUNTS}/api-tokens", who="tester"),
    view("workspace-not-found", f"{WORKSPACE}/nowhere", who="tester"),
    view("workspace-refused", "{service}/", post_response("!", "/w/{workspace}/saml2"), who="nobody"),
    view("workspace-over", "{service}/w/nowhere/sso/login", who="nobody"),
]
