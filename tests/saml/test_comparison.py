"""What differs in meaning between two messages, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cast import CONTOSO_ISSUER, NOW
from lxml import etree
from responses import Idp, all_of, expectations, trust, with_attribute, with_child, with_text, without

from sp.diagnosis.comparison import Line, compare
from sp.diagnosis.meaning import Judged
from sp.saml import names
from sp.saml.messages import Expectations, PendingRequest
from sp.saml.validation import DEFAULT_LIMITS, judge, open_message
from sp.saml.xml import Document

IDP = Idp.make()
STATUS = "samlp:Status/samlp:StatusCode"


def judged(xml: bytes | None = None, *, held: Expectations | None = None, **changes: Any) -> Judged:
    """A judged message of Contoso's identity provider: a good one, with the changes of `responses.Idp.response`."""
    held = held or expectations(IDP)
    opened = open_message(IDP.response(**changes) if xml is None else xml)
    judgement = judge(opened, held)
    root = Document(opened.xml, DEFAULT_LIMITS).root if opened.xml is not None else None
    return Judged(judgement.report, held, root, judgement.certificate, 2)


def differences(a: Judged, b: Judged) -> dict[str, Line]:
    return {line.key: line for line in compare(a, b) if line.differs}


def facts(a: Judged, b: Judged) -> set[str]:
    """The keys that differ, without the checks and the verdict."""
    return {key for key in differences(a, b) if not key.startswith(("check:", "verdict", "not_reached"))}


def prefixed(xml: bytes) -> bytes:
    """The same message with other prefixes."""
    return (
        xml.replace(b"saml:", b"ns0:")
        .replace(b":saml=", b":ns0=")
        .replace(b"samlp:", b"x:")
        .replace(b":samlp=", b":x=")
    )


ROLES = {"urn:role": ("a", "b"), "urn:mail": ("x",)}

SAME = {
    "ids-and-signature-values": (judged(), judged()),
    "prefixes": (judged(signed=None), judged(prefixed(IDP.response(signed=None)))),
    "the-order-of-attributes": (
        judged(attributes=ROLES),
        judged(attributes=dict(reversed(ROLES.items()))),
    ),
    "the-order-of-values": (judged(attributes=ROLES), judged(attributes=ROLES | {"urn:role": ("b", "a")})),
    "times": (judged(), judged(held=expectations(IDP, now=NOW + timedelta(days=9)), now=NOW + timedelta(days=9))),
    "a-second-of-delivery": (judged(), judged(now=NOW - timedelta(seconds=2))),
    "another-known-request": tuple(
        judged(
            in_response_to=identifier,
            held=expectations(IDP, pending=(PendingRequest(identifier, CONTOSO_ISSUER, NOW),)),
        )
        for identifier in ("_first", "_second")
    ),
    "another-unknown-request": (judged(in_response_to="_first"), judged(in_response_to="_second")),
    "a-late-one-at-another-time": tuple(
        judged(now=NOW - timedelta(hours=1) + late, held=expectations(IDP, now=NOW + late))
        for late in (timedelta(), timedelta(days=3))
    ),
    "the-correlation-id-of-a-status-message": tuple(
        judged(
            signed=None,
            mutate=all_of(
                with_attribute(STATUS, "Value", names.STATUS_URI + "Responder"),
                with_child(
                    "samlp:Status",
                    f"<samlp:StatusMessage>AADSTS50105: no. Trace ID: {guid} Timestamp: {time}</samlp:StatusMessage>",
                ),
            ),
        )
        for guid, time in (
            ("0b0e1f5e-8f1d-4b2c-9a77-0d9c1f2e3a4b", "2030-01-31 11:58:00Z"),
            ("9c8b7a69-1111-4222-8333-444455556666", "2030-02-01 09:00:07Z"),
        )
    ),
}

OTHER: dict[str, tuple[Judged, set[str]]] = {
    "issuer": (
        judged(mutate=with_text("saml:Issuer", "https://idp.contoso.example")),
        {"response.issuer", "signature.verified_by"},
    ),
    "destination": (judged(destination="urn:x"), {"response.destination"}),
    "no-destination": (judged(mutate=with_attribute(".", "Destination", None)), {"response.destination"}),
    "audience": (judged(audience="urn:x"), {"conditions.audience"}),
    "recipient": (judged(recipient="urn:x"), {"confirmation.recipient"}),
    "name-id": (judged(name_id="britta@contoso.example "), {"name_id.value"}),
    "name-id-format": (judged(name_id_format="urn:x"), {"name_id.format"}),
    "name-qualifier": (
        judged(mutate=with_attribute(".//saml:NameID", "NameQualifier", CONTOSO_ISSUER)),
        {"name_id.name_qualifier"},
    ),
    "sp-name-qualifier": (
        judged(mutate=with_attribute(".//saml:NameID", "SPNameQualifier", "urn:x")),
        {"name_id.sp_name_qualifier"},
    ),
    "authn-context": (judged(mutate=with_text(".//saml:AuthnContextClassRef", "urn:x")), {"authn.context"}),
    "in-response-to": (
        judged(in_response_to="_r"),
        {"response.in_response_to", "confirmation.in_response_to"},
    ),
    "empty-in-response-to": (
        judged(mutate=with_attribute(".", "InResponseTo", "")),
        {"response.in_response_to", "signature.verified_by"},
    ),
    "what-is-signed": (judged(signed="response"), {"signature.covers"}),
    "digest": (judged(digest=names.SHA512), {"signature.digest"}),
    "method": (judged(method=names.RSA_SHA512), {"signature.method"}),
    "no-certificate-in-it": (judged(key_info=()), {"signature.certificates"}),
    "validity": (judged(lifetime=timedelta(minutes=70)), {"times.validity", "times.delivery"}),
    "clock": (
        judged(now=NOW - timedelta(minutes=2), lifetime=timedelta(minutes=5)),
        {"response.issued", "times.issued"},
    ),
    "session-lifetime": (
        judged(mutate=with_attribute(".//saml:AuthnStatement", "SessionNotOnOrAfter", "2030-01-31T20:00:00Z")),
        {"times.session"},
    ),
    "no-session-index": (
        judged(mutate=with_attribute(".//saml:AuthnStatement", "SessionIndex", None)),
        {"times.session_index"},
    ),
    "one-time-use": (judged(mutate=with_child(".//saml:Conditions", "<saml:OneTimeUse/>")), {"conditions.others"}),
    "skew": (judged(held=expectations(IDP, skew=timedelta(seconds=5))), {"ours.skew"}),
    "sha1-allowed": (judged(held=expectations(IDP, account=trust(IDP, allow_sha1=True))), {"ours.allow_sha1"}),
    "version": (replace(judged(), settings_version=3), {"ours.settings"}),
}


@pytest.mark.parametrize("name", SAME)
def test_no_difference_in_meaning(name: str) -> None:
    a, b = SAME[name]
    assert differences(a, b) == {}


@pytest.mark.parametrize("name", OTHER)
def test_one_difference(name: str) -> None:
    other, expected = OTHER[name]
    assert facts(judged(), other) == expected
    assert facts(other, judged()) == expected


def test_attributes_by_name() -> None:
    a = judged(attributes={"urn:kept": ("1",), "urn:gone": ("1",), "urn:changed": ("1",)})
    b = judged(attributes={"urn:kept": ("1",), "urn:new": ("1",), "urn:changed": ("1", "1")})
    found = differences(a, b)
    assert {key for key in found if key.startswith("attribute:")} == {
        "attribute:urn:gone",
        "attribute:urn:new",
        "attribute:urn:changed",
    }
    assert found["attribute:urn:gone"].b.values == ()
    assert found["attribute:urn:changed"].b.values == ("1", "1")


def test_a_row_that_was_not_reached_is_counted_and_not_listed() -> None:
    found = differences(judged(), judged(signed=None))
    assert found["verdict"].b.values == ("refused",)
    assert found["not_reached"].a.values == ("none",)
    assert int(found["not_reached"].b.values[0]) > 10
    assert {key for key in found if key.startswith("check:")} == {"check:signature_present"}


def test_both_sides_of_a_check_that_failed_twice() -> None:
    found = differences(judged(audience="urn:x"), judged(audience="urn:y"))
    assert found["check:audience"].a.values[-1] == "received urn:x"
    assert found["check:audience"].b.values[-1] == "received urn:y"


def test_another_signer_shows_as_the_certificate_that_did_not_verify() -> None:
    found = differences(judged(), judged(Idp(CONTOSO_ISSUER, "mallory").response()))
    assert found["signature.verified_by"].b.values == ()
    assert "signature.certificates" in found


def test_only_what_a_trusted_signature_covers_is_told_as_verified() -> None:
    every = {line.key: line for line in compare(judged(), judged(signed="response"))}
    assert (every["response.destination"].a.unverified, every["response.destination"].b.unverified) == (True, False)
    assert not every["name_id.value"].a.unverified
    forged = {line.key: line for line in compare(judged(), judged(Idp(CONTOSO_ISSUER, "mallory").response()))}
    assert forged["name_id.value"].b.unverified
    assert not forged["ours.entity_id"].b.unverified


def test_what_one_message_lacks_altogether_is_one_difference() -> None:
    failed = all_of(without("saml:Assertion"), with_attribute(STATUS, "Value", names.STATUS_URI + "Responder"))
    found = facts(judged(), judged(signed=None, mutate=failed))
    assert "response.assertions" in found
    assert not any(key.startswith(("name_id", "attribute:", "conditions")) for key in found)


def test_anything_can_be_compared_with_anything() -> None:
    crowd = etree.tostring(etree.fromstring(b"<a>" + b"<b/>" * 9000 + b"</a>"))
    every = [judged(), *(judged(xml) for xml in (b"", b"<", b"<a/>", b"<!DOCTYPE a><a/>", b"\xff", crowd))]
    for a in every:
        for b in every:
            assert {line.key for line in compare(a, b)} >= {"verdict", "message"}
