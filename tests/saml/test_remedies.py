"""Which identity provider it is, from messages as they are seen, and that each one's remedies are complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cast import CONTOSO_ISSUER, NOW
from hypothesis import given
from hypothesis import strategies as st
from responses import Idp, expectations, judged, posted, with_attribute, without

from scripts.write_docs import outdated
from sp.diagnosis.catalogue import TEXTS
from sp.diagnosis.remedies import (
    CLOCK,
    GENERAL,
    KINDS,
    Provider,
    Traces,
    book,
    is_sign_in_url,
    name_of,
    provider_of,
    recognized,
    remedy_for,
    status_in,
    traces_of,
)
from sp.saml import names
from sp.saml.checks import BY_CODE, CHECKS
from sp.saml.messages import Opened
from sp.saml.problems import (
    AudienceProblem,
    StatusProblem,
    TimeProblem,
    UserLinkProblem,
    UsernameProblem,
    of_name,
)
from sp.saml.report import Outcome, Row
from sp.saml.validation import open_form, open_message
from sp.saml.values import Instant, Missing, Status, Text, Uri

CAPTURED = Path(__file__).parent / "captured"
TENANT = "0f3a9a52-7c1e-4b6f-9d57-3f2f1f0c9a11"
IDP = Idp.make()

NAMED = [provider for provider in book().providers.values() if provider.key != GENERAL]
PROVIDERS = pytest.mark.parametrize("provider", NAMED, ids=lambda provider: provider.key)

# What an administrator sets at the identity provider: each one names the menu or file for each of these.
SET_THERE = """
audience recipient destination issuer assertion_issuer signature_present signature_algorithms signing_key subject
username attributes status not_before not_on_or_after confirmation_expiry response_issue_instant
assertion_issue_instant encryption_algorithms decryption in_response_to confirmation_in_response_to
""".split()  # noqa: SIM905

# One trace of each kind, as it is seen in real messages and settings.
SEEN: dict[str, list[Traces]] = {
    "entra": [
        Traces(issuer=f"https://sts.windows.net/{TENANT}/"),
        Traces(issuer=f"https://login.microsoftonline.com/{TENANT}/"),
        Traces(sign_in_url=f"https://login.microsoftonline.com/{TENANT}/saml2"),
        Traces(attributes=("mail", "http://schemas.microsoft.com/identity/claims/tenantid")),
    ],
    "okta": [
        Traces(issuer="http://www.okta.com/exk1fxpgf9lHj7pQ00h8"),
        Traces(sign_in_url="https://contoso.okta.com/app/contoso_8x8_1/exk1fxpgf9lHj7pQ00h8/sso/saml"),
        Traces(ids=("id412728377283828619",)),
    ],
    "keycloak": [
        Traces(issuer="https://sso.contoso.example/realms/staff"),
        Traces(issuer="https://sso.contoso.example/auth/realms/staff"),
        Traces(sign_in_url="https://sso.contoso.example/realms/staff/protocol/saml"),
        Traces(ids=(f"ID_{TENANT}",)),
        Traces(name_id=f"G-{TENANT}"),
    ],
    "adfs": [
        Traces(issuer="http://sts.contoso.example/adfs/services/trust"),
        Traces(sign_in_url="https://sts.contoso.example/adfs/ls/"),
        Traces(attributes=("http://schemas.microsoft.com/2012/01/requestcontext/claims/x-ms-client-ip",)),
    ],
    "google": [
        Traces(issuer="https://accounts.google.com/o/saml2?idpid=C01abc2de"),
        Traces(sign_in_url="https://accounts.google.com/o/saml2/idp?idpid=C01abc2de"),
    ],
    "ping": [
        Traces(issuer=f"https://auth.pingone.eu/{TENANT}"),
        Traces(sign_in_url="https://sso.connect.pingidentity.com/sso/idp/SSO.saml2?idpid=x"),
        Traces(sign_in_url="https://federate.contoso.example:9031/idp/startSSO.ping?PartnerSpId=x"),
    ],
    "onelogin": [
        Traces(issuer="https://app.onelogin.com/saml/metadata/8f1c2d3e"),
        Traces(sign_in_url="https://contoso.onelogin.com/trust/saml2/http-post/sso/8f1c2d3e"),
    ],
    "jumpcloud": [
        Traces(issuer="JumpCloud"),
        Traces(issuer="https://sso.jumpcloud.com/saml2/contoso"),
        Traces(sign_in_url="https://sso.jumpcloud.com/saml2/virtual-office"),
    ],
    "authentik": [
        Traces(issuer="authentik"),
        Traces(sign_in_url="https://id.contoso.example/application/saml/virtual-office/sso/binding/redirect/"),
        Traces(attributes=("http://schemas.goauthentik.io/2021/02/saml/username",)),
    ],
    "simplesamlphp": [
        Traces(issuer="https://idp.contoso.example/simplesaml/saml2/idp/metadata.php"),
        Traces(sign_in_url="https://idp.contoso.example/simplesaml/module.php/saml/idp/singleSignOnService"),
        Traces(ids=("_a755393c9b430249458da528eb3df1ebb8de2418ae",)),
    ],
    "shibboleth": [
        Traces(issuer="https://idp.contoso.example/idp/shibboleth"),
        Traces(sign_in_url="https://idp.contoso.example/idp/profile/SAML2/Redirect/SSO"),
    ],
    "lemonldap": [
        Traces(issuer="https://auth.contoso.example/saml/metadata"),
        Traces(sign_in_url="https://auth.contoso.example/saml/singleSignOn"),
        Traces(ids=("_0C5A3A1F9B7D4E2688A1B2C3D4E5F607",)),
    ],
    "demo_directory": [
        Traces(issuer=f"http://127.0.0.1:8001/{TENANT}/"),
        Traces(sign_in_url=f"http://127.0.0.1:8001/{TENANT}/saml2"),
    ],
    GENERAL: [
        Traces(),
        Traces(issuer=CONTOSO_ISSUER, sign_in_url="https://idp.contoso.example/sso"),
        Traces(attributes=("mail", "givenName"), ids=("_" + "a" * 32, "_" + "1" * 32), name_id="britta"),
        Traces(issuer="https://sts.windows.net.evil.example/x/"),
        Traces(issuer="https://notokta.com/"),
    ],
}


@pytest.mark.parametrize(("key", "traces"), [(key, traces) for key, seen in SEEN.items() for traces in seen], ids=str)
def test_recognized(key: str, traces: Traces) -> None:
    assert recognized(traces) == key


def test_every_sign_of_every_provider_is_seen() -> None:
    for provider in NAMED:
        for kind, signs in provider.signs.items():
            assert kind in KINDS
            values = [value for traces in SEEN[provider.key] for value in traces.of(kind)]
            assert any(sign.search(value) for sign in signs for value in values), (provider.key, kind)


def test_the_issuer_says_more_than_the_claims() -> None:
    """The demo directory sends Azure's claims, and a provider behind Keycloak its own."""
    claims = ("http://schemas.microsoft.com/identity/claims/tenantid",)
    assert recognized(Traces(issuer=f"http://127.0.0.1:8001/{TENANT}/", attributes=claims)) == "demo_directory"
    assert recognized(Traces(issuer="https://sso.contoso.example/realms/staff", attributes=claims)) == "keycloak"


@pytest.mark.parametrize("message", ["sp-initiated.xml", "idp-initiated.xml"])
def test_captured_messages_are_recognized_without_their_issuer(message: str) -> None:
    opened = open_message((CAPTURED / "simplesamlphp-1.19.7" / message).read_bytes())
    assert opened.response is not None
    assert provider_of(opened) == "simplesamlphp"
    traces = traces_of(opened)
    assert recognized(Traces(attributes=traces.attributes, ids=traces.ids, name_id=traces.name_id)) == "simplesamlphp"


@pytest.mark.parametrize("folder", ["samlp-8.0.0", "saml-idp-1.2.1"])
def test_others_are_recognized_as_nobody_in_particular(folder: str) -> None:
    assert provider_of(open_message((CAPTURED / folder / "idp-initiated.xml").read_bytes())) == GENERAL


def test_the_traces_of_a_message() -> None:
    xml = IDP.response(attributes={"mail": ("x",), "sn": ("y",)}, response_id="_r", assertion_id="_a")
    assert traces_of(open_message(xml), "https://idp.contoso.example/sso") == Traces(
        issuer=CONTOSO_ISSUER,
        sign_in_url="https://idp.contoso.example/sso",
        attributes=("mail", "sn"),
        ids=("_r", "_a"),
        name_id="britta@contoso.example",
    )


def test_a_failed_status_has_traces_too() -> None:
    refused = with_attribute(".//samlp:StatusCode", "Value", f"{names.STATUS_URI}Responder")
    opened = open_message(IDP.response(response_id=f"ID_{TENANT}", mutate=refused))
    assert opened.response is None
    assert provider_of(opened) == "keycloak"


@pytest.mark.parametrize(
    "xml", [b"", b"<a/>", b"<!DOCTYPE a><a/>", b"\xff", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_what_is_no_response_is_not_parsed_for_traces(xml: bytes) -> None:
    assert provider_of(open_message(xml)) == GENERAL
    assert provider_of(open_message(xml), "https://login.microsoftonline.com/x/saml2") == "entra"


def test_the_ids_of_another_message_say_nothing() -> None:
    """A service behind Keycloak's adapter makes IDs like Keycloak's."""
    request = f'<samlp:AuthnRequest xmlns:samlp="{names.SAMLP}" ID="ID_{TENANT}"/>'.encode()
    assert provider_of(open_message(request)) == GENERAL


def test_nothing_at_all_has_no_traces() -> None:
    assert traces_of(Opened()) == Traces()


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_any_trace_has_an_answer(value: str, values: list[str]) -> None:
    traces = Traces(value, value, tuple(values), tuple(values), value)
    assert recognized(traces) in book().providers


def test_crowds_and_giants_are_cut() -> None:
    giant = "https://x/saml/" * 60_000
    crowd = tuple(f"a{number}" for number in range(10_000))
    traces = Traces(giant, giant, crowd, crowd, giant)
    assert len(traces.of("issuer")[0]) == 1024
    assert len(traces.of("attribute")) == 64
    assert recognized(traces) == GENERAL


def test_recognition_changes_words_and_no_verdict() -> None:
    """Mallory writes Entra's issuer: other words, the same verdict."""
    mallory = Idp.make(f"https://sts.windows.net/{TENANT}/")
    opened = open_form(posted(mallory.response()))
    assert provider_of(opened) == "entra"
    report = judged(mallory.response(), expectations(IDP)).report
    assert report.failed == ("issuer",)


# Completeness.


@PROVIDERS
def test_every_code_that_is_set_there_names_its_menu(provider: Provider) -> None:
    missing = [code for code in SET_THERE if code not in provider.remedies]
    assert set(missing) == provider.unnamed & set(SET_THERE)


@PROVIDERS
def test_what_is_unnamed_has_no_text(provider: Provider) -> None:
    assert not provider.unnamed & provider.remedies.keys()
    assert provider.unnamed <= set(TEXTS)


@PROVIDERS
def test_every_text_has_the_shape_of_a_remedy(provider: Provider) -> None:
    for code, text in provider.remedies.items():
        assert code in TEXTS, code
        assert_is_a_remedy(text)


def test_the_texts_about_this_service_and_its_statuses_have_that_shape() -> None:
    for code, text in book().here.items():
        assert code in TEXTS
        assert "Accounts → " in text or code == "sso_enabled"
        assert_is_a_remedy(text)
    for key, text in book().problems.items():
        code, _, problem = key.partition(".")
        assert of_name(BY_CODE[code].problems, problem).value == problem
        assert_is_a_remedy(text)
    for status in book().statuses.values():
        assert not status.means.endswith(".")
        assert status.means[0].islower()
        assert_is_a_remedy(status.remedy)


BLAME = re.compile(
    r"\b(fault|wrong|mistake|forgot|failed to|should have|you (did|have) not|incorrect)\b", re.IGNORECASE
)


def assert_is_a_remedy(text: str) -> None:
    assert "→" in text or "`" in text, f"no menu, no file: {text}"
    assert text.endswith("."), text
    assert not text.endswith(".."), text
    assert text[0].isupper(), text
    assert "{" not in text, text
    assert text.count("`") % 2 == 0, text
    assert text.count('"') % 2 == 0, text
    assert "|" not in text, f"breaks the table in the docs: {text}"
    assert not BLAME.search(text), text
    assert len(text) < 420, text


@PROVIDERS
def test_every_provider_says_how_it_is_known(provider: Provider) -> None:
    assert provider.name
    assert provider.known_by
    assert not provider.known_by.endswith(".")
    assert provider.signs


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_every_check_has_a_remedy_with_every_provider(check: Any) -> None:
    row = Row(check.code, Outcome.FAILED, received=Instant(NOW))
    for provider in book().providers:
        remedy = remedy_for(row, provider)
        assert remedy.endswith(".")
        assert book().here.get(check.code, "") in remedy
        if check.code not in book().providers[provider].remedies:
            assert remedy.startswith(TEXTS[check.code][1])


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (UserLinkProblem.NONE, "Create the user first"),
        (UserLinkProblem.MANY, "in one of the profiles that have it"),
        (UserLinkProblem.UNAVAILABLE, "whether its domain is one of your company"),
        (UserLinkProblem.FULL, "Wait an hour"),
    ],
)
def test_a_user_who_is_not_found_has_the_remedy_of_that_cause(problem: UserLinkProblem, words: str) -> None:
    assert words in remedy_for(Row("user_link", Outcome.FAILED, problem, None, Text("x")), "entra")
    assert words not in remedy_for(Row("username", Outcome.FAILED, UsernameProblem.EMPTY, None, Text("x")), "entra")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_demo_directory_says_where_its_flaws_are_switched_off(check: Any) -> None:
    row = Row(check.code, Outcome.FAILED)
    assert "8x8 Virtual Office → Faults ends with Switch off." in remedy_for(row, "demo_directory")
    assert "Faults" not in remedy_for(row, "entra")


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (f"https://login.microsoftonline.com/{TENANT}/saml2", True),
        (f"https://login.microsoftonline.com/{TENANT}/", False),
        ("https://contoso.okta.com/app/x/exk1fxpgf9lHj7pQ00h8/sso/saml", True),
        ("https://adfs.contoso.example/adfs/ls/", True),
        ("http://adfs.contoso.example/adfs/services/trust", False),
        ("https://idp.contoso.example/", False),
        ("", False),
    ],
)
def test_an_address_to_sign_in_at_is_told_from_an_issuer(value: str, is_one: bool) -> None:
    assert is_sign_in_url(value) is is_one


def test_an_unknown_provider_has_the_general_remedy() -> None:
    row = Row("audience", Outcome.FAILED, AudienceProblem.DIFFERENT, Uri("x"), Uri("y"))
    assert remedy_for(row, "nobody") == remedy_for(row, GENERAL) == remedy_for(row)
    assert name_of("nobody") == name_of(GENERAL)
    assert name_of("entra") == "Microsoft Entra ID"


@pytest.mark.parametrize("code", CLOCK)
def test_a_clock_does_not_help_a_time_that_is_missing(code: str) -> None:
    there = book().providers["entra"].remedies[code]
    assert remedy_for(Row(code, Outcome.FAILED, TimeProblem.EXPIRED, Instant(NOW), Instant(NOW)), "entra").startswith(
        there
    )
    missing = Row(code, Outcome.FAILED, TimeProblem.MISSING, None, Missing("NotOnOrAfter"))
    assert remedy_for(missing, "entra") == TEXTS[code][1]


# Statuses.


@pytest.mark.parametrize(
    ("codes", "text", "code"),
    [
        (("Responder", "RequestDenied"), "AADSTS50105: x", "AADSTS50105"),
        (("Responder", "RequestDenied"), "", "RequestDenied"),
        (("Responder", "Unheard"), "", None),
        (("Requester", "NoPassive"), "AADSTS99999999: x", "NoPassive"),
        ((), "AADSTS50105x", "AADSTS50105"),
        ((), "50105", None),
        ((), "", None),
    ],
)
def test_the_most_telling_status_counts(codes: tuple[str, ...], text: str, code: str | None) -> None:
    known = status_in(Status(tuple(f"{names.STATUS_URI}{code}" for code in codes), text))
    assert (known and known.code) == code


@pytest.mark.parametrize("number", [50011, 50105, 700016, 75011, 50068, 50070])
def test_the_codes_that_testers_meet_are_known(number: int) -> None:
    status = Status((f"{names.STATUS_URI}Responder",), f"AADSTS{number}: x")
    row = Row("status", Outcome.FAILED, StatusProblem.NOT_SUCCESS, Uri(names.SUCCESS), status)
    known = status_in(status)
    assert known is not None
    assert remedy_for(row, "entra") == remedy_for(row) == known.remedy


def test_an_unknown_status_has_the_provider_s_remedy() -> None:
    status = Status((f"{names.STATUS_URI}Responder",))
    row = Row("status", Outcome.FAILED, StatusProblem.NOT_SUCCESS, Uri(names.SUCCESS), status)
    assert remedy_for(row, "okta") == book().providers["okta"].remedies["status"]


def test_the_row_of_a_whole_report_has_it_too() -> None:
    report = judged(IDP.response(mutate=without(".//saml:AuthnStatement")), expectations(IDP)).report
    assert "Include AuthnStatement" in remedy_for(report.row("authn_statement"), "keycloak")


def test_the_docs_say_the_same() -> None:
    assert "identity-providers.md" not in outdated()
