"""What is replaced in a message and in a report, and what of it stays to be seen."""

from __future__ import annotations

from typing import Any

import pytest
from cast import ENTITY_ID
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from responses import Idp, all_of, expectations, name_id_of, one, with_attribute, with_child, with_text

from sp.diagnosis.explanations import message
from sp.diagnosis.pseudonyms import Kind, Pseudonyms
from sp.diagnosis.redacted_report import LEFT_OUT, redacted_report
from sp.diagnosis.redaction import Seals, redacted_tree
from sp.diagnosis.sides import sides
from sp.saml import names
from sp.saml.problems import AudienceProblem, SigningKeyProblem
from sp.saml.report import Outcome, Report, Row, shown
from sp.saml.validation import judge, open_message
from sp.saml.values import Fingerprint, Uri

IDP = Idp.make()
XSI = "http://www.w3.org/2001/XMLSchema-instance"
GUID = "0b0e1f5e-8f1d-4b2c-9a77-0d9c1f2e3a4b"


def redacted(xml: bytes, pseudonyms: Pseudonyms | None = None) -> Any:
    return redacted_tree(etree.fromstring(xml), pseudonyms or Pseudonyms(), Seals((IDP.certificate,), IDP.certificate))


def told(**changes: Any) -> tuple[str, Report]:
    """The redacted report of a message, and its sentence."""
    opened = open_message(IDP.response(**changes))
    judgement = judge(opened, expectations(IDP))
    pseudonyms = Pseudonyms()
    pseudonyms.of(IDP.certificate.subject, Kind.SUBJECT)
    if opened.xml is not None:
        redacted(opened.xml, pseudonyms)
    report = redacted_report(judgement.report, pseudonyms)
    return message(report), report


def failed_with(text: str) -> Any:
    """The identity provider's refusal with a sentence."""
    return all_of(
        with_attribute("samlp:Status/samlp:StatusCode", "Value", f"{names.STATUS_URI}Responder"),
        with_child("samlp:Status", f"<samlp:StatusMessage>{text}</samlp:StatusMessage>"),
    )


class TestPseudonyms:
    @pytest.mark.parametrize(
        ("value", "kind", "expected"),
        [
            ("britta@contoso.example", Kind.USER, "user-1@example-1.invalid"),
            (" britta@contoso.example\t", Kind.USER, " user-1@example-1.invalid\t"),
            ("CONTOSO\\BrittaSimon", Kind.USER, "Part-1\\User-1"),
            ("https://idp.contoso.example:8443/adfs/services/trust", Kind.PLACE, "https://host-1.invalid:8443/adfs/services/trust"),
            (f"https://sts.example/{GUID}/", Kind.PLACE, "https://host-1.invalid/id-1/"),
            ("https://idp.example/realms/contoso?user=b#c", Kind.PLACE, "https://host-1.invalid/realms/part-1?user=part-2#part-3"),
            ("https://britta:secret@idp.example/", Kind.PLACE, "https://user-1@host-1.invalid/"),
            ("idp.contoso.example", Kind.PLACE, "host-1.invalid"),
            ("contoso-idp/", Kind.PLACE, "place-1/"),
            ("urn:contoso:idp", Kind.PLACE, "urn:part-1:idp"),
            ("10.0.0.1:44732", Kind.PLACE, "address-1:44732"),
            ("2001:db8::1", Kind.PLACE, "address-1"),
            ("127.0.0.1", Kind.PLACE, "127.0.0.1"),
            (ENTITY_ID, Kind.PLACE, ENTITY_ID),
            ("https://sso.8x8.com/saml2", Kind.PLACE, "https://sso.8x8.com/saml2"),
            ("https://idp.example/x!y!britta@contoso.example", Kind.PLACE, "https://host-1.invalid/part-1!part-2!user-1@example-1.invalid"),
            ("Ask b@c.example, please", Kind.TEXT, "Text-1 user-1@example-1.invalid, text-2"),
            ("9abc", Kind.ID, "0id-1"),
            ("IdP_Initiated_Login", Kind.ID, "IdP_Initiated_Login"),
            ("x" * 300, Kind.USER, "user-1-over-256"),
            (" ", Kind.USER, " "),
            ("bri\u200btta", Kind.USER, "u\u200bser-1"),
            (names.BEARER, Kind.PLACE, names.BEARER),
            ("urn:contoso:BrittaSimon", Kind.PLACE, "urn:part-1:Part-2"),
            ("http://schemas.microsoft.com/identity/claims/objectidentifier", Kind.ATTRIBUTE, "http://schemas.microsoft.com/identity/claims/objectidentifier"),
            ("urn:oid:2.5.4.42", Kind.ATTRIBUTE, "urn:oid:2.5.4.42"),
        ],
    )  # fmt: skip
    def test_a_shape_stays(self, value: str, kind: Kind, expected: str) -> None:
        found = Pseudonyms().of(value, kind)
        assert found.lower() == expected.lower()
        assert value.islower() is False or found == expected

    def test_the_same_value_has_the_same_one_wherever_it_stands(self) -> None:
        pseudonyms = Pseudonyms()
        assert pseudonyms.of("britta", Kind.USER) == pseudonyms.of("britta", Kind.TEXT) == "user-1"
        assert pseudonyms.of("britta@a.example", Kind.TEXT) == "user-1@example-1.invalid"
        assert pseudonyms.of("britta@b.example", Kind.TEXT) == "user-1@example-2.invalid"
        assert pseudonyms.of("https://a.example/", Kind.PLACE) == "https://example-1.invalid/"

    def test_other_spellings_of_it_are_told_by_capitals(self) -> None:
        pseudonyms = Pseudonyms()
        forms = [pseudonyms.of(value, Kind.USER) for value in ("Britta", "britta", "BRITTA", "bRITTA", "Britta")]
        assert forms == ["User-1", "user-1", "uSer-1", "USer-1", "User-1"]

    @pytest.mark.parametrize(
        "value", [GUID, "999.999.999.999", "1.2.3.4:99999", f"{GUID} {GUID}", "a@b", "@", "://", "\\"]
    )
    @pytest.mark.parametrize("kind", Kind)
    def test_a_value_that_only_looks_like_something_has_one_too(self, value: str, kind: Kind) -> None:
        assert GUID not in Pseudonyms().of(value, kind)

    @given(value=st.text(), kind=st.sampled_from(Kind), keep_hosts=st.booleans())
    def test_any_text_has_one(self, value: str, kind: Kind, keep_hosts: bool) -> None:
        pseudonyms = Pseudonyms(keep_hosts=keep_hosts)
        assert pseudonyms.of(value, kind) == pseudonyms.of(value, kind)

    @given(value=st.from_regex(r"(?i)[a-z0-9.:/@\\\[\]-]{1,40}", fullmatch=True), kind=st.sampled_from(Kind))
    def test_any_address_has_one(self, value: str, kind: Kind) -> None:
        assert Pseudonyms().of(value, kind)

    def test_host_names_may_stay(self) -> None:
        pseudonyms = Pseudonyms(keep_hosts=True)
        assert pseudonyms.of("https://idp.contoso.example/contoso", Kind.PLACE) == "https://idp.contoso.example/part-1"
        assert pseudonyms.of("britta@contoso.example", Kind.USER) == "user-1@contoso.example"
        assert pseudonyms.kept == ("idp.contoso.example", "contoso.example")

    def test_what_was_replaced_and_kept_is_counted(self) -> None:
        pseudonyms = Pseudonyms()
        for value in ("britta@contoso.example", "BRITTA@contoso.example", names.BEARER):
            pseudonyms.of(value, Kind.PLACE)
        assert dict(pseudonyms.counts) == {Kind.USER: 1, Kind.DOMAIN: 1}
        assert pseudonyms.kept == (names.BEARER,)


class TestMessage:
    def test_the_structure_and_the_standards_names_stay(self) -> None:
        xml = IDP.response()
        tree = redacted(xml)
        assert [element.tag for element in tree.iter()] == [element.tag for element in etree.fromstring(xml).iter()]
        assert tree.nsmap == etree.fromstring(xml).nsmap
        assert one(tree, ".//saml:NameID").get("Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
        assert one(tree, ".//saml:Conditions").get("NotOnOrAfter") == "2030-01-31T12:05:00Z"

    def test_signed_bytes_are_described(self) -> None:
        tree = redacted(IDP.response())
        assert one(tree, ".//ds:SignatureValue").text == "[signature, 256 bytes, verified]"
        assert one(tree, ".//ds:DigestValue").text == "[digest, 32 bytes]"
        described = one(tree, ".//ds:X509Certificate").text or ""
        assert described.startswith(
            f"[certificate: RSA 2048 bits, SHA-256 {IDP.certificate.fingerprint[:11]}…, valid 2029-"
        )
        assert "trusted by the account, verified this message" in described
        assert IDP.certificate.fingerprint[:14] not in described

    def test_a_reference_still_points_to_what_it_signs(self) -> None:
        tree = redacted(IDP.response())
        assert one(tree, ".//ds:Reference").get("URI") == f"#{one(tree, 'saml:Assertion').get('ID')}"
        assert one(tree, ".//saml:AuthnStatement").get("SessionIndex") == one(tree, "saml:Assertion").get("ID")

    @pytest.mark.parametrize(
        "inside",
        [
            "<c:BrittaSimon xmlns:c='urn:contoso'>Britta</c:BrittaSimon>",
            "<BrittaSimon/>",
            "<saml:BrittaSimon/>",
            "<saml:Advice BrittaSimon='1'/>",
            "<saml:Advice c:x='Britta' xmlns:c='http://contoso/Britta'/>",
            "<saml:Advice Version='BrittaSimon' IssueInstant='BrittaSimon'/>",
            "<saml:Advice IssueInstant='2030-01-31T12:00:00Z BrittaSimon'/>",
            "<saml:Advice xml:lang='BrittaSimon' xml:BrittaSimon='x'/>",
            "<BrittaSimon:x xmlns:BrittaSimon='urn:contoso'/>",
            "<x xmlns='urn:contoso:BrittaSimon'><y xmlns=''/></x>",
            "<!-- BrittaSimon contoso --><?BrittaSimon contoso?>",
            "<saml:Advice/>BrittaSimon<saml:Advice/>",
            "<ds:X509Data><ds:X509Certificate>Britta Simon, contoso</ds:X509Certificate></ds:X509Data>",
            "<ds:KeyName>BrittaSimon</ds:KeyName>",
            "<ds:X509Data><ds:X509SubjectName>CN=Britta,O=contoso</ds:X509SubjectName></ds:X509Data>",
            f"<ec:InclusiveNamespaces xmlns:ec='{names.EXC_C14N}' PrefixList='BrittaSimon saml'/>",
            f"<saml:AttributeValue xmlns:x='{XSI}' x:type='BrittaSimon:string'/>",
            f"<saml:AttributeValue xmlns:x='{XSI}' x:schemaLocation='contoso Britta'/>",
        ],
    )
    def test_no_corner_of_a_message_keeps_a_name(self, inside: str) -> None:
        xml = IDP.response(signed=None, mutate=with_child("saml:Assertion", inside))
        said = etree.tostring(redacted(xml)).decode().lower()
        assert "britta" not in said
        assert "simon" not in said
        assert "contoso" not in said

    def test_it_parses_again_whatever_it_was(self) -> None:
        deep = b"<a xmlns:ns0='urn:x'>" * 200 + b"&lt;&#9;]]&gt;" + b"</a>" * 200
        for xml in (deep, "<é:ü xmlns:é='urn:n' é:ß='&#10;&quot;'>\u202e\u200c</é:ü>".encode(), b"<a b='' c=' '/>"):
            tree = redacted(xml)
            assert len(list(tree.iter())) == len(list(etree.fromstring(xml).iter()))


class TestReport:
    def test_a_slash_at_the_end_is_still_seen(self) -> None:
        sentence, report = told(audience="https://sp.contoso.example/saml2/", mutate=lambda _: None)
        assert "https://host-2.invalid/saml2/" in sentence
        assert sides(report.row("audience")).received.endswith("/saml2/")
        sentence, _ = told(audience=f"{ENTITY_ID}/")
        assert "they differ only in the slash at the end" in sentence

    def test_the_space_at_the_end_is_still_seen(self) -> None:
        sentence, _ = told(name_id="britta@contoso.example ")
        assert '"user-1@example-1.invalid "' in sentence

    def test_upper_case_is_still_seen(self) -> None:
        sentence, _ = told(audience="HTTP://localhost:8000/saml2", mutate=lambda _: None)
        assert "localhost:8000/saml2" in sentence

    def test_a_value_that_is_too_long_is_still_too_long(self) -> None:
        _, report = told(name_id="b" * 300)
        assert sides(report.row("subject")).received == "300 characters"

    @pytest.mark.parametrize("before", range(0, 40, 7))
    def test_a_shortened_text_keeps_neither_its_beginning_nor_its_end(self, before: int) -> None:
        long = "Ask " + "x" * before + " brittasimon, contoso" * 60
        _, report = told(signed=None, mutate=failed_with(long))
        received = sides(report.row("status")).received
        assert "britta" not in received
        assert "toso" not in received

    def test_a_shortened_list_of_values_keeps_none(self) -> None:
        attributes = {f"contoso-attribute-{number}": ("x",) for number in range(40)}
        _, report = told(attributes=attributes)
        assert "contoso" not in sides(report.row("attributes")).received

    def test_of_a_status_message_the_code_stays(self) -> None:
        sentence, report = told(signed=None, mutate=failed_with("AADSTS50105: Ask Alice of Contoso."))
        assert sides(report.row("status")).received == f'{names.STATUS_URI}Responder: "AADSTS50105: Text-1"'
        assert "not assigned" in sentence

    def test_escaped_characters_do_not_hide_a_name(self) -> None:
        _, report = told(name_id="britta\u202esimon")
        assert "britta" not in sides(report.row("username")).received
        assert "simon" not in sides(report.row("username")).received

    def test_a_schema_error_names_nobody(self) -> None:
        _, report = told(mutate=with_attribute(".//saml:Conditions", "NotBefore", "Britta Simon of Contoso"))
        assert report.row("schema").outcome is Outcome.FAILED
        assert "Britta" not in sides(report.row("schema")).received
        assert "NotBefore" in sides(report.row("schema")).received

    def test_a_certificate_keeps_the_beginning_of_its_fingerprint(self) -> None:
        subject, fingerprint = IDP.certificate.subject, IDP.certificate.fingerprint
        pseudonyms = Pseudonyms()
        pseudonyms.of(subject, Kind.SUBJECT)
        row = Row("signing_key", Outcome.FAILED, SigningKeyProblem.UNKNOWN, None, Fingerprint(fingerprint, subject))
        redacted_row = redacted_report(Report((row,)), pseudonyms).row("signing_key")
        assert redacted_row.received == Fingerprint(f"{fingerprint[:11]}…", "Subject-1")

    def test_an_ordinary_word_stays_in_our_sentences(self) -> None:
        _, report = told(attributes={"role": ("the", "assertion", "5", "user", "encrypted")})
        assert sides(report.row("decryption")).received == "the assertion is not encrypted"

    @pytest.mark.parametrize("written", ["YnJpdHRhc2ltb24", "YNJPDHRHC2LTB24="])
    def test_a_side_that_still_holds_a_value_in_another_writing_is_left_out(self, written: str) -> None:
        pseudonyms = Pseudonyms()
        pseudonyms.of("brittasimon", Kind.USER)
        row = Row("audience", Outcome.FAILED, AudienceProblem.DIFFERENT, Uri("x"), Uri(f"something {written}"))
        assert redacted_report(Report((row,)), pseudonyms).row("audience").received == Uri(LEFT_OUT)

    def test_the_names_of_parts_are_those_of_the_message(self) -> None:
        name = "Britta@Contoso.Example"
        tree = redacted(IDP.response(name_id=name, audience=name))
        _, report = told(name_id=name, audience=name)
        assert report.row("audience").received == Uri(name_id_of(etree.tostring(tree)))

    def test_left_out_is_no_value(self) -> None:
        assert shown(LEFT_OUT) == LEFT_OUT


def test_every_kind_of_place_is_tried() -> None:
    """So that a new element with a text of its own is thought of."""
    xml = IDP.response(mutate=with_text(".//saml:AuthnContextClassRef", "https://contoso.example/mfa"))
    assert one(redacted(xml), ".//saml:AuthnContextClassRef").text == "https://example-1.invalid/mfa"


def test_two_usernames_that_only_case_folding_makes_the_same_have_two_pseudonyms() -> None:
    pseudonyms = Pseudonyms()
    sharp_s, double_s, loud = (pseudonyms.of(name, Kind.USER) for name in ("weiß", "weiss", "WEISS"))
    assert sharp_s.lower() != double_s.lower() == loud.lower()
