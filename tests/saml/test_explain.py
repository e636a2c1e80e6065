"""The sentence about a refusal: the true cause, both sides, how far off and what alone differs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cast import ACS_URL, BRITTA, CONTOSO_ISSUER, ENTITY_ID, FABRIKAM_ISSUER, NOW
from responses import CLAIMS, Idp, expectations, instant, judged, trust, with_attribute, with_child, with_text, without
from saml.cases import Case
from saml.one_flaw import CONDITIONS, DATA, ONE_FLAW

from sp.diagnosis.explanations import difference, message, remedy, span
from sp.diagnosis.sides import sides_in_sentence
from sp.saml import names
from sp.saml.messages import AccountHolder, SignedPart, UserLink
from sp.saml.problems import IssuerProblem, Problem, RootProblem, StatusProblem
from sp.saml.report import Outcome, Report, Row
from sp.saml.values import Name, Status, Uri, Value

IDP = Idp.make()
MINUTE = timedelta(minutes=1)


def said(held: dict[str, Any] | None = None, **response: Any) -> str:
    """The sentence about a response of Contoso's identity provider."""
    return message(judged(IDP.response(**response), expectations(IDP, **(held or {}))).report)


def said_of(code: str, problem: Problem, expected: Value | None, received: Value | None) -> str:
    return message(Report((Row(code, Outcome.FAILED, problem, expected, received),)))


@pytest.mark.parametrize("case", ONE_FLAW, ids=[f"{case.id}: {case.story}" for case in ONE_FLAW])
def test_one_sentence_with_both_sides(case: Case) -> None:
    report = case.flawed().report
    row, sentence = report.row(case.id), message(report)
    expected, received = sides_in_sentence(row)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    assert received in sentence
    if case.id not in {"user_link", "status", "schema", "bearer"}:
        assert expected in sentence or case.id == "signing_key"


# Values that must be equal.


def test_another_audience() -> None:
    sentence = said(audience="https://other.example/saml")
    assert sentence == (
        f'The audience is "https://other.example/saml", but this service\'s entity ID is "{ENTITY_ID}".'
    )


@pytest.mark.parametrize(
    ("audience", "difference"),
    [
        (f"{ENTITY_ID}/", "the slash at the end"),
        ("http://localhost:8000/SAML2", "upper and lower case"),
        ("https://localhost:8000/saml2", "the scheme (http or https)"),
        ("http://127.0.0.1:8000/saml2", "the host"),
        ("http://localhost:8080/saml2", "the port"),
        ("http://localhost/saml2", "the port"),
        ("https://localhost/saml2", "the scheme (http or https) and the port"),
        (f"{ENTITY_ID} ", "white space"),
        (f"{ENTITY_ID}/ ", "white space and the slash at the end"),
    ],
)
def test_the_one_difference_is_named(audience: str, difference: str) -> None:
    assert said(audience=audience).endswith(f"; they differ only in {difference}.")


@pytest.mark.parametrize(
    "audience",
    ["http://localhost:8000/saml", "https://sso.8x8.com/saml2", "urn:other", "https://[", "https://x:y/saml2"],
)
def test_more_than_one_difference_is_not_called_one(audience: str) -> None:
    assert "differ only" not in said(audience=audience)


def test_two_hosts_without_a_path_are_two_services() -> None:
    assert difference("https://idp.contoso.example/", "https://idp.fabrikam.example/") == ""
    assert difference(ENTITY_ID, ENTITY_ID) == ""


def test_no_audience_at_all() -> None:
    sentence = said(mutate=without(".//saml:AudienceRestriction"))
    assert sentence == f'There is no AudienceRestriction, and this service\'s entity ID is "{ENTITY_ID}".'


def test_several_audiences_of_which_one_is_close() -> None:
    other = with_child(".//saml:AudienceRestriction", f"<saml:Audience>{ENTITY_ID}/</saml:Audience>")
    assert said(audience="urn:other", mutate=other) == (
        f'The audiences are "urn:other", "{ENTITY_ID}/", and none is this service\'s entity ID, "{ENTITY_ID}"; '
        "they differ only in the slash at the end."
    )


def test_the_recipient_is_the_entity_id() -> None:
    held = {"entity_id": "https://sso.8x8.com/saml2"}
    sentence = said(held, audience="https://sso.8x8.com/saml2", recipient="https://sso.8x8.com/saml2")
    assert sentence.startswith(
        f'The recipient is "https://sso.8x8.com/saml2", but this service\'s ACS URL is "{ACS_URL}"'
    )
    assert sentence.endswith('; "https://sso.8x8.com/saml2" is this service\'s entity ID.')


def test_the_audience_is_the_acs_url() -> None:
    sentence = said({"entity_id": "urn:8x8:virtual-office"}, audience=ACS_URL)
    assert sentence.endswith(f'; "{ACS_URL}" is this service\'s ACS URL.')


def test_an_issuer_that_the_account_nearly_has() -> None:
    account = trust(IDP, issuer=CONTOSO_ISSUER.rstrip("/"))
    assert said({"account": account}) == (
        f'The issuer is "{CONTOSO_ISSUER}", but the account\'s "Issuer URL" is "{CONTOSO_ISSUER.rstrip("/")}"; '
        "they differ only in the slash at the end."
    )


def test_an_issuer_that_no_account_has() -> None:
    report = judged(IDP.response(), expectations(IDP, account=trust(Idp.make(FABRIKAM_ISSUER)))).report
    assert FABRIKAM_ISSUER in message(report)
    assert said_of("issuer", IssuerProblem.UNKNOWN, None, Uri(CONTOSO_ISSUER)) == (
        f'The issuer is "{CONTOSO_ISSUER}", which is not the Issuer URL of an account.'
    )


def test_the_service_signs_for_itself() -> None:
    sentence = said_of("issuer", IssuerProblem.OWN, None, Uri(ENTITY_ID))
    assert sentence == (
        "The issuer is not as it must be: expected an identity provider, received this service's own entity ID, "
        f'"{ENTITY_ID}".'
    )


def test_an_empty_recipient_is_seen() -> None:
    assert said(recipient="").startswith('The recipient is "", but')


# Times.


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (
            {"now": NOW + 12 * MINUTE},
            (
                "The Response was issued at 2030-01-31T12:12:00Z, which must be not after 2030-01-31T12:00:00Z: "
                "the identity provider's clock is 12 minutes ahead of this service's."
            ),
        ),
        (
            {"now": NOW - 47 * MINUTE},
            (
                "The Response was issued at 2030-01-31T11:13:00Z, which must be not older than 10 minutes at "
                "2030-01-31T12:00:00Z: it is 47 minutes old, so it was kept, or the identity provider's clock is "
                "behind this service's."
            ),
        ),
        (
            {"mutate": with_attribute(CONDITIONS, "NotOnOrAfter", instant(NOW - 47 * MINUTE))},
            (
                "The assertion was valid until 2030-01-31T11:13:00Z, which must be later than 2030-01-31T12:00:00Z: "
                "47 minutes too late."
            ),
        ),
        (
            {"mutate": with_attribute(CONDITIONS, "NotBefore", instant(NOW + 200 * timedelta(seconds=1)))},
            (
                "The assertion is valid from 2030-01-31T12:03:20Z, which must be not after 2030-01-31T12:00:00Z: "
                "the identity provider's clock is 3 minutes ahead of this service's."
            ),
        ),
        (
            {"mutate": with_attribute(DATA, "NotOnOrAfter", instant(NOW - 5 * MINUTE))},
            (
                "The assertion could be delivered until 2030-01-31T11:55:00Z, which must be later than "
                "2030-01-31T12:00:00Z: 5 minutes too late."
            ),
        ),
        (
            {"mutate": with_attribute(".//saml:AuthnStatement", "AuthnInstant", instant(NOW + 9 * MINUTE))},
            (
                "The user signed in at the identity provider at 2030-01-31T12:09:00Z, which must be not after "
                "2030-01-31T12:00:00Z: the identity provider's clock is 9 minutes ahead of this service's."
            ),
        ),
        (
            {"mutate": with_attribute(".//saml:AuthnStatement", "SessionNotOnOrAfter", instant(NOW - 300 * MINUTE))},
            (
                "The session at the identity provider lasted until 2030-01-31T07:00:00Z, which must be later than "
                "2030-01-31T12:00:00Z: 5 hours too late."
            ),
        ),
    ],
    ids=["ahead", "old", "expired", "not yet", "delivered late", "signed in later", "session over"],
)
def test_how_far_off(response: dict[str, Any], words: str) -> None:
    assert said(**response) == words


@pytest.mark.parametrize(
    ("off", "looks_local"),
    [(60, True), (61, True), (120, True), (-300, True), (14 * 60, True), (30, False), (90, False), (15 * 60, False)],
)
def test_local_time_written_as_utc(off: int, looks_local: bool) -> None:
    assert ("local time written as UTC" in said(now=NOW + off * MINUTE)) is looks_local


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            None,
            "does not say in a usable way until when it is valid: expected a NotOnOrAfter, received no NotOnOrAfter",
        ),
        ("2030-01-31T12:05:00+01:00", 'expected a UTC time like 2030-01-31T12:00:00Z, received "2030-01-31T12:05:00+'),
    ],
)
def test_a_time_that_is_missing_or_cannot_be_read(value: str | None, words: str) -> None:
    assert words in said(mutate=with_attribute(CONDITIONS, "NotOnOrAfter", value))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (1, "1 second"),
        (90, "90 seconds"),
        (119.4, "119 seconds"),
        (120, "2 minutes"),
        (47 * 60, "47 minutes"),
        (7199, "120 minutes"),
        (7200, "2 hours"),
        (26 * 3600, "26 hours"),
        (48 * 3600, "2 days"),
        (400 * 86400, "400 days"),
    ],
)
def test_a_span(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


# The rest.


def refused_with(code: str, text: str) -> dict[str, Any]:
    def mutate(root: Any) -> None:
        with_attribute(".//samlp:StatusCode", "Value", f"{names.STATUS_URI}Responder")(root)
        with_child(".//samlp:StatusCode", f'<samlp:StatusCode Value="{names.STATUS_URI}{code}"/>')(root)
        with_child("samlp:Status", f"<samlp:StatusMessage>{text}</samlp:StatusMessage>")(root)
        without("saml:Assertion")(root)

    return {"mutate": mutate, "signed": "response"}


def test_entra_says_why() -> None:
    sentence = said(**refused_with("RequestDenied", "AADSTS50105: Your administrator has to assign you."))
    assert sentence.startswith(
        "The identity provider did not sign the user in, because the user is not assigned to the application "
        f'(AADSTS50105): "{names.STATUS_URI}Responder" / "{names.STATUS_URI}RequestDenied": "AADSTS50105: '
    )
    assert sentence.endswith('Your administrator has to assign you.".')


def test_a_standard_status_is_put_into_words() -> None:
    sentence = said(**refused_with("NoAuthnContext", "x"))
    assert "because it cannot authenticate in the way requested (NoAuthnContext)" in sentence


def test_a_status_of_nobody_is_shown_as_it_is() -> None:
    assert ", because" not in said_of(
        "status", StatusProblem.NOT_SUCCESS, Uri(names.SUCCESS), Status(("urn:example:busy",), "come back later")
    )


def test_a_renewed_certificate_is_suspected() -> None:
    renewed = judged(IDP.with_key("next").response(), expectations(IDP)).report
    assert message(renewed).endswith(
        "as after a change of certificates, or when it is the certificate of another application."
    )
    fabrikam = Idp.make(FABRIKAM_ISSUER)
    foreign = fabrikam.response(mutate=lambda root: [with_text(path, CONTOSO_ISSUER)(root) for path in ISSUERS])
    assert "the name is the same" not in message(judged(foreign, expectations(IDP)).report)


ISSUERS = ("saml:Issuer", "saml:Assertion/saml:Issuer")


def test_without_a_certificate_the_sentence_says_so() -> None:
    sentence = said({"account": trust(IDP, certificates=())})
    assert sentence.startswith("The signature cannot be checked, because no certificate is configured: expected ")


def test_a_signature_of_the_wrong_part() -> None:
    sentence = said({"account": trust(IDP, signed_part=SignedPart.RESPONSE)})
    assert sentence == (
        "A signature is missing: expected a signature of the Response, received one of the Assertion only."
    )


def test_the_product_says_it_in_its_own_words() -> None:
    nobody = judged(IDP.response(), expectations(IDP), AccountHolder(link=UserLink.NONE)).report
    assert message(nobody) == (
        f'The SAML user does not link to any user. The NameID is "{BRITTA.email}", and no user profile of the account '
        "has that value."
    )


def test_braces_in_a_value_are_only_braces() -> None:
    assert "{expected}{0}" in said_of("root", RootProblem.DIFFERENT, Name("samlp:Response"), Name("{expected}{0}"))


def test_only_the_first_cause_is_named() -> None:
    sentence = said(audience="urn:other", recipient="urn:other")
    assert sentence.startswith("The recipient is ")


# One mistyped entity ID stands in two places of SimpleSAMLphp's assertion.

QUALIFIER = ".//saml:NameID", "SPNameQualifier"


@pytest.mark.parametrize("recipient", [ACS_URL, "urn:other:acs"])
def test_a_name_qualified_for_the_wrong_audience_is_an_audience(recipient: str) -> None:
    flawed = IDP.response(
        audience="urn:other", recipient=recipient, destination=ACS_URL, mutate=with_attribute(*QUALIFIER, "urn:other")
    )
    report = judged(flawed, expectations(IDP)).report
    assert report.failed == ("subject", *(["recipient"] if recipient != ACS_URL else []), "audience")
    assert message(report) == f'The audience is "urn:other", but this service\'s entity ID is "{ENTITY_ID}".'
    assert "(also called Entity ID or Identifier)" in remedy(report)
    assert "$metadata['…']" in remedy(report, "simplesamlphp")


@pytest.mark.parametrize(
    ("audience", "mutate", "failed"),
    [
        (ENTITY_ID, with_attribute(*QUALIFIER, "urn:other"), ("subject",)),
        ("urn:other", with_attribute(*QUALIFIER, "urn:another"), ("subject", "audience")),
        ("urn:other", with_attribute(".//saml:NameID", "NameQualifier", "urn:other"), ("subject", "audience")),
    ],
    ids=["qualifier alone", "two wrong values", "the other qualifier"],
)
def test_any_other_subject_is_named_first(audience: str, mutate: Any, failed: tuple[str, ...]) -> None:
    report = judged(IDP.response(audience=audience, mutate=mutate), expectations(IDP)).report
    assert report.failed == failed
    assert message(report).startswith("The subject does not name a user in a usable way: ")
    assert "Name ID" in remedy(report) or "NameID" in remedy(report)


def test_the_remedy_is_the_provider_s_own_where_it_is_known() -> None:
    report = judged(IDP.response(audience="urn:other"), expectations(IDP)).report
    assert "Client ID" in remedy(report, "keycloak")
    assert "(also called Entity ID or Identifier)" in remedy(report)
    assert remedy(judged(IDP.response(), expectations(IDP)).report, "keycloak") == ""


def test_two_values_of_an_attribute() -> None:
    sentence = said(attributes={CLAIMS.email: (BRITTA.email, "b@contoso.example")})
    assert sentence.endswith(f'expected one value of "{CLAIMS.email}", received 2 values.')


def test_a_retired_certificate_is_called_one() -> None:
    new = IDP.with_key("renewed")
    held = {"account": trust(IDP, certificates=(new.certificate,), retired_certificates=(IDP.certificate,))}
    sentence = said(held)
    assert "a certificate that this account has retired" in sentence
    assert IDP.certificate.fingerprint in sentence
