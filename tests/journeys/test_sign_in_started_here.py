"""A sign-in that starts here, in a real browser: to the directory, back by a post from another site, and on."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from journeys import steps
from journeys.windows import Windows, launch_another
from lxml import etree
from playwright.sync_api import Browser, Page, expect
from processes.program import PASSWORD, Installation, Program
from responses import Idp, post_field

pytestmark = pytest.mark.browser

SIGN_IN_URL = "http://idp.example/sign-in"


@pytest.fixture(scope="module")
def starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Both sides connected, and no sign-in but one that starts here."""
    place = Installation(tmp_path_factory.mktemp("starting"), settings={"ADMIN_PASSWORD": PASSWORD})
    with place.start("demo", "--connected") as program:
        configure(program, "--unsolicited", "off")
        yield program


def configure(program: Program, *options: str) -> None:
    done = program.installation.run("configure", *options)
    assert done.returncode == 0, done.stderr


def britta(page: Page, program: Program) -> None:
    """Signs in at the directory, which asks her."""
    page.get_by_label("User name").fill(program.printed("user name", 1))
    page.get_by_label("Password").fill(program.printed("password", 1))
    page.get_by_role("button", name="Sign in").click()


def use_single_sign_on(page: Page) -> None:
    page.get_by_role("link", name="Use Single Sign On").click()
    page.get_by_label("8x8 Username or Email").fill("BrittaSimon")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Log in using SAML").click()


def test_from_the_first_page_to_the_application_panel(windows: Windows, starting: Program) -> None:
    configure(starting, "--sign-in-binding", "redirect", "--sign-requests", "off")
    page = windows.open()
    page.goto(starting.installation.base_url)
    use_single_sign_on(page)
    britta(page, starting)
    steps.expect_application_panel(page, starting.installation, "Britta Simon")


def test_a_deep_link_leads_back_by_a_signed_request_in_a_form(windows: Windows, starting: Program) -> None:
    configure(starting, "--sign-in-binding", "post", "--sign-requests", "on")
    page = windows.open()
    page.goto(f"{starting.installation.base_url}/my-profile")
    use_single_sign_on(page)
    britta(page, starting)
    page.wait_for_url(f"{starting.installation.base_url}/my-profile")
    expect(page.get_by_role("heading", level=1)).to_have_text("My profile")


def test_the_bookmark_works_without_script(windows: Windows, starting: Program) -> None:
    configure(starting, "--sign-in-binding", "post")
    page = windows.open(java_script_enabled=False)
    page.goto(f"{starting.installation.base_url}/sso/login/business")
    page.get_by_role("button", name="Continue").click()
    britta(page, starting)
    page.get_by_role("button", name="Continue").click()
    steps.expect_application_panel(page, starting.installation, "Britta Simon")


def test_the_choice_is_remembered_and_cleared(windows: Windows, starting: Program) -> None:
    configure(starting, "--sign-in-binding", "redirect")
    page = windows.open()
    page.goto(starting.installation.base_url)
    page.get_by_role("link", name="Use Single Sign On").click()
    page.get_by_label("8x8 Username or Email").fill("BrittaSimon")
    page.get_by_role("button", name="Continue").click()
    page.goto(starting.installation.base_url)
    expect(page.get_by_role("link", name="Log in using SAML")).to_be_visible()
    expect(page.get_by_role("button", name="Log in using Google")).to_be_disabled()
    page.get_by_role("button", name="Clear SSO Setting").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_the_bench_shows_what_the_directory_answers(windows: Windows, starting: Program) -> None:
    place = starting.installation
    for binding in ("HTTP-Redirect", "HTTP-POST"):
        page = windows.open()
        steps.sign_in_administrator(page, place, PASSWORD)
        page.goto(f"{place.base_url}/account-manager/business/accounts/single-sign-on/requests/bench")
        page.get_by_label("A request that").select_option("Asks for an unknown way of signing in")
        page.get_by_role("button", name="Write it").click()
        page.get_by_label("Binding").select_option(binding)
        page.get_by_label("Signature").select_option("Signed with our key")
        page.get_by_role("button", name="Send", exact=True).click()
        britta(page, starting)
        page.wait_for_url(re.compile(r"/sign-in-log/[2-9A-Z]{8}$"))
        expect(page.get_by_role("region", name="Answers the request that was sent")).to_contain_text("telepathy")
        expect(page.get_by_text("Refused", exact=True).first).to_be_visible()


def test_on_plain_http_elsewhere_our_page_posts_once_more(
    chromium: Browser, install: Callable[..., Installation]
) -> None:
    """There browsers drop the cookie that would survive the identity provider's post."""
    place = install(ADMIN_PASSWORD=PASSWORD)
    office = f"http://office.example:{place.port}"
    away = replace(place, settings={"ADMIN_PASSWORD": PASSWORD, "BASE_URL": office, "HOST": "127.0.0.1"})
    idp = trusted_by(away)
    resolving = launch_another(chromium, "--host-resolver-rules=MAP office.example 127.0.0.1")
    with away.start("serve"):
        page = resolving.new_page()  # its console grumbles about plain http
        page.route(f"{SIGN_IN_URL}**", lambda route: route.fulfill(body="Who are you?"))
        with page.expect_request(SIGN_IN_URL) as asked:
            page.goto(f"{office}/sso/login/business?next=/my-profile")
        request = b64decode(parse_qs(asked.value.post_data or "")["SAMLRequest"][0])
        response = idp.response(
            now=datetime.now(UTC).replace(microsecond=0),
            in_response_to=etree.fromstring(request).get("ID"),
            audience=f"{office}/saml2",
            recipient=f"{office}/saml2",
            destination=f"{office}/saml2",
        )
        posts: list[str] = []
        page.on("request", lambda sent: posts.append(sent.url) if sent.method == "POST" else None)
        field = f'<input type="hidden" name="SAMLResponse" value="{post_field(response)}">'
        page.set_content(f'<form method="post" action="{office}/saml2">{field}<button>Send</button></form>')
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("My profile")
        assert posts == [f"{office}/saml2"] * 2
        assert "virtual_office_requests" not in {cookie["name"] for cookie in page.context.cookies()}
    resolving.close()


def trusted_by(place: Installation) -> Idp:
    """An identity provider of our own, which the Business account trusts; nobody unsolicited may come."""
    idp = replace(Idp.make(), not_before=datetime.now(UTC) - timedelta(days=1))
    place.data.mkdir(parents=True, exist_ok=True)
    certificate = place.data / "idp.pem"
    certificate.write_bytes(idp.certificate_pem)
    options = ("--issuer", idp.entity_id, "--sign-in-url", SIGN_IN_URL, "--certificate", str(certificate))
    done = place.run("configure", *options, "--unsolicited", "off", "--sign-in-binding", "post")
    assert done.returncode == 0, done.stderr
    return idp
