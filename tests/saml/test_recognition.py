"""What is posted instead of a Response is recognized, said in one sentence, and changes no verdict."""

from __future__ import annotations

import base64
import gzip
import time
import tracemalloc
import zlib
from urllib.parse import quote

import pytest
from cast import CONTOSO_ISSUER
from hypothesis import given
from hypothesis import strategies as st
from responses import Idp, expectations, form, post_field

from sp.diagnosis.recognition import KINDS, advice, clause, clause_about
from sp.diagnosis.remedies import remedy_for
from sp.diagnosis.sides import sides
from sp.saml.messages import PostedForm
from sp.saml.problems import UserLinkProblem
from sp.saml.recognition import MOST_INFLATED, UNKNOWN, content_of, content_of_form, recognize
from sp.saml.report import Outcome, Row
from sp.saml.validation import judge, open_form
from sp.saml.values import Content, Text

IDP = Idp.make()
XML = IDP.response()
SAMLP = 'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'
REQUEST = f'<?xml version="1.0"?>\n<samlp:AuthnRequest {SAMLP} ID="_1" Version="2.0"/>'.encode()
METADATA = '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><{0}SSODescriptor/></EntityDescriptor>'
TRUST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_").rstrip("=")


def deflated(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-15)


def root(name: str, namespace: str, content: str = "") -> bytes:
    return f'<x:{name} xmlns:x="{namespace}">{content}</x:{name}>'.encode()


JWT = ".".join(url_safe(b64(part)) for part in (b'{"alg":"RS256"}', b'{"sub":"britta"}', b"signature"))
WS_FEDERATION = root("RequestSecurityTokenResponseCollection", TRUST)
PEM = IDP.certificate_pem.decode()

# what was posted or pasted: its kind
POSTED: dict[str, tuple[bytes | str, str]] = {
    "nothing": ("", "empty"),
    "spaces": (" \r\n", "empty"),
    "an AuthnRequest": (REQUEST, "authn_request"),
    "an AuthnRequest in base64": (b64(REQUEST), "authn_request"),
    "an AuthnRequest of a redirect": (b64(deflated(REQUEST)), "authn_request"),
    "a redirect's address": (f"https://idp.example/sso?SAMLRequest={quote(b64(deflated(REQUEST)))}", "authn_request"),
    "a form body": (f"RelayState=x&SAMLResponse={quote(post_field(XML), safe='')}", "response"),
    "a Response": (post_field(XML), "response"),
    "a Response as bytes": (XML, "response"),
    "a Response as text": (XML.decode(), "response"),
    "a Response with its plus signs lost": (post_field(XML + b"<?>>>~~").replace("+", " "), "response"),
    "a percent-encoded Response": (quote(post_field(XML), safe=""), "response"),
    "a Response encoded twice": (b64(post_field(XML).encode()), "response"),
    "a Response in the URL-safe alphabet": (url_safe(post_field(XML + b"?~>?~>")), "response"),
    "a deflated Response": (b64(deflated(XML)), "response"),
    "a Response in the zlib format": (b64(zlib.compress(XML)), "response"),
    "a gzipped Response": (b64(gzip.compress(XML)), "response"),
    "half a Response": (b64(XML[: len(XML) // 2]), "cut_response"),
    "an empty Response": (f"<samlp:Response {SAMLP}/>", "response"),
    "a LogoutRequest": (root("LogoutRequest", "urn:oasis:names:tc:SAML:2.0:protocol"), "logout_request"),
    "a LogoutResponse": (root("LogoutResponse", "urn:oasis:names:tc:SAML:2.0:protocol"), "logout_response"),
    "an ArtifactResponse": (root("ArtifactResponse", "urn:oasis:names:tc:SAML:2.0:protocol"), "artifact_response"),
    "an AttributeQuery": (root("AttributeQuery", "urn:oasis:names:tc:SAML:2.0:protocol"), "other_saml"),
    "an artifact": (b64(bytes([0, 4]) + bytes(42)), "artifact"),
    "a bare Assertion": (root("Assertion", "urn:oasis:names:tc:SAML:2.0:assertion"), "assertion"),
    "an EncryptedAssertion": (root("EncryptedAssertion", "urn:oasis:names:tc:SAML:2.0:assertion"), "encrypted"),
    "EncryptedData": (root("EncryptedData", "http://www.w3.org/2001/04/xmlenc#"), "encrypted"),
    "metadata of a service": (METADATA.format("SP"), "sp_metadata"),
    "metadata of a provider": (METADATA.format("IDP"), "idp_metadata"),
    "a SAML 1.1 Response": (root("Response", "urn:oasis:names:tc:SAML:1.0:protocol"), "saml11_response"),
    "a SAML 1.1 Assertion": (root("Assertion", "urn:oasis:names:tc:SAML:1.0:assertion"), "saml11_assertion"),
    "a WS-Federation answer": (WS_FEDERATION, "ws_federation"),
    "a SOAP envelope": (root("Envelope", "http://schemas.xmlsoap.org/soap/envelope/"), "soap"),
    "other XML": ("<note>to Britta</note>", "other_xml"),
    "a Response of nobody's namespace": ("<Response/>", "other_xml"),
    "a JSON Web Token": (JWT, "jwt"),
    "JSON": ('{"access_token": "x"}', "json"),
    "JSON in base64": (b64(b'{"user": "britta@contoso.example"}'), "json"),
    "a sign-in page": ("<!DOCTYPE html><title>Sign in</title>", "html"),
    "a page without a DOCTYPE": (" <html lang=en><body>Error", "html"),
    "the page that posts": ('<html><form><input name="SAMLResponse" value="PHNh">', "html_form"),
    "a certificate in PEM": (PEM, "certificate"),
    "a certificate in DER": (b64(IDP.certificate_der), "certificate"),
    "a private key": (IDP.key_pem, "private_key"),
    "PKCS #7 in PEM": ("-----BEGIN PKCS7-----\nMIIB", "pkcs7"),
    "PKCS #7 in DER": (b64(bytes.fromhex("308203e906092a864886f70d010703a08203da") + bytes(40)), "pkcs7"),
    "S/MIME": ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "pkcs7"),
    "a word": ("hello", UNKNOWN),
    "noise": (bytes(range(128, 256)), UNKNOWN),
    "half a tag": ("< britta", UNKNOWN),
}


@pytest.mark.parametrize("story", POSTED)
def test_recognized(story: str) -> None:
    value, kind = POSTED[story]
    assert recognize(value).kind == kind


def test_every_kind_has_a_story() -> None:
    assert {kind for _, kind in POSTED.values()} == {*KINDS, UNKNOWN}


def test_every_sentence_says_what_it_is_and_what_to_do() -> None:
    for value, kind in POSTED.values():
        sentence = clause_about(recognize(value))
        if not sentence:
            continue
        what, instead = KINDS[kind]
        assert sentence.startswith(f"this is {what}")
        assert sentence.endswith(f"; {instead}")
        assert len(sentence) < 220  # a report cuts longer ones


@pytest.mark.parametrize("value", [post_field(XML), XML, "hello", b""[:0] or b"\x80"])
def test_there_is_nothing_to_say_about_what_belongs_there_or_is_unknown(value: bytes | str) -> None:
    assert clause_about(recognize(value)) == ""
    assert clause(content_of(value)) == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b64(deflated(XML)), "compressed as for the HTTP-Redirect binding"),
        (gzip.compress(XML), "compressed with gzip"),
        (b64(post_field(XML).encode()), "base64-encoded twice"),
        (post_field(XML).encode(), "base64-encoded twice"),
        (quote(post_field(XML), safe=""), "percent-encoded"),
        (url_safe(post_field(XML + b"?~>?~>")), "URL-safe"),
        (f"?SAMLRequest={quote(b64(deflated(REQUEST)))}", "in a URL or a form body, percent-encoded, compressed"),
        (XML.decode(), "encoded once and not compressed"),
    ],
)
def test_the_wrapping_is_named(value: bytes | str, words: str) -> None:
    assert words in clause_about(recognize(value))


def test_what_is_inside_comes_along() -> None:
    wrapped = f"https://idp.example/sso?RelayState=&SAMLRequest={quote(b64(deflated(REQUEST)))}"
    assert recognize(wrapped).content == REQUEST


# Where the rows of a report say it.

ROWS: dict[str, tuple[PostedForm, str, str]] = {
    "an AuthnRequest in its own field": (form(("SAMLRequest", b64(deflated(REQUEST)))), "form", "AuthnRequest"),
    "a WS-Federation answer": (form(("wa", "wsignin"), ("wresult", WS_FEDERATION.decode())), "form", "WS-Federation"),
    "an OpenID Connect answer": (form(("id_token", JWT), ("state", "x")), "form", "JSON Web Token"),
    "an artifact": (form(("SAMLart", b64(bytes([0, 4]) + bytes(42)))), "form", "artifact"),
    "plain XML": (form(("SAMLResponse", XML.decode())), "base64", "send its XML as base64"),
    "a token": (form(("SAMLResponse", JWT)), "base64", "JSON Web Token"),
    "compressed": (form(("SAMLResponse", b64(deflated(XML)))), "encoding", "HTTP-Redirect"),
    "a sign-in page": (form(("SAMLResponse", b64(b"<!DOCTYPE html><p>"))), "no_dtd", "HTML page"),
    "encoded twice": (form(("SAMLResponse", b64(post_field(XML).encode()))), "well_formed", "base64-encoded twice"),
    "half a message": (form(("SAMLResponse", b64(XML[:700]))), "well_formed", "whose end is missing"),
    "an AuthnRequest as a Response": (form(("SAMLResponse", b64(REQUEST))), "root", "AuthnRequest, a service"),
    "metadata": (form(("SAMLResponse", b64(METADATA.format("IDP").encode()))), "root", "identity provider"),
}  # fmt: skip


@pytest.mark.parametrize("story", ROWS)
def test_the_refusing_row_says_what_it_is(story: str) -> None:
    posted_form, code, words = ROWS[story]
    report = judge(open_form(posted_form), expectations(IDP)).report
    assert report.failed == (code,)
    assert f": this is {words}" in sides(report.row(code)).received or words in sides(report.row(code)).received
    assert ": this is " in sides(report.row(code)).received


@pytest.mark.parametrize("story", ROWS)
def test_the_remedy_is_what_to_send_instead(story: str) -> None:
    posted_form, code, _ = ROWS[story]
    row = judge(open_form(posted_form), expectations(IDP)).report.row(code)
    assert advice(row.received)
    assert remedy_for(row, "keycloak")[1:] == f"{advice(row.received)}."[1:]


def test_mallory_gives_no_advice() -> None:
    """What a message says after a semicolon is not ours to recommend."""
    assert advice(Text("Opening and ending tag mismatch: this is a note; send the whole message")) == ""
    row = Row("user_link", Outcome.FAILED, UserLinkProblem.NONE, None, Text("x; send the whole message"))
    assert remedy_for(row).startswith("Create the user")


def test_fields_that_say_nothing_add_nothing() -> None:
    assert content_of_form(form(("a", "b")), None) is None
    twice = content_of_form(form(*[("SAMLResponse", post_field(XML))] * 2), None)
    assert isinstance(twice, Content)
    assert clause(twice) == ""


# Bounds.


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400)))
def test_random_input_never_raises(value: bytes | str) -> None:
    assert recognize(value).kind in {*KINDS, UNKNOWN}


@given(st.binary(max_size=200))
def test_random_input_never_raises_however_it_is_wrapped(data: bytes) -> None:
    for value in (b64(data), b64(deflated(data)), b"<" + data, b"\x1f\x8b" + data, b"x\x9c" + data, b"\x30\x82" + data):
        assert recognize(value).kind in {*KINDS, UNKNOWN}


@given(st.text(alphabet="<>!-?[]%&=#xeyJ.SAMLRep \"'/:{}", max_size=200))
def test_random_markup_never_raises(text: str) -> None:
    recognize(text)


def test_a_bomb_is_cut_where_it_stops_being_a_message() -> None:
    bomb = deflated(b"<a>" + b" " * 50_000_000)
    tracemalloc.start()
    found = recognize(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.kind == "other_xml"
    assert len(found.content) == MOST_INFLATED
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize(
    "value",
    [
        "A" * 2_000_000,
        "%41" * 700_000,
        "<" * 2_000_000,
        "<a" * 1_000_000,
        "eyJ" + "." * 2_000_000,
        "?SAMLResponse=" + "%3F" * 500_000,
        "?SAMLRequest=" * 150_000,
        "<!DOCTYPE " + "[" * 2_000_000,
    ],
    ids=lambda value: value[:14],
)
def test_hostile_input_is_looked_at_within_a_bound(value: str) -> None:
    start = time.process_time()
    recognize(value)
    assert time.process_time() - start < 0.2


def test_recognition_opens_no_document_type() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + f"<samlp:Response {SAMLP}>&b;</samlp:Response>"
    assert recognize(bomb).content == bomb.encode()


def test_a_message_for_somebody_else_is_not_called_wrong() -> None:
    """A good Response that fails later says nothing about what was posted."""
    report = judge(
        open_form(form(("SAMLResponse", post_field(XML)))), expectations(Idp.make("https://x.example/"))
    ).report
    assert report.failed == ("issuer",)
    assert "this is" not in sides(report.row("issuer")).received
    assert CONTOSO_ISSUER in sides(report.row("issuer")).received
    assert report.row("destination").outcome is Outcome.PASSED


def test_a_percent_sign_in_compressed_bytes_is_chance() -> None:
    """One in forty compressed responses has one with two digits behind it."""
    kinds = set()
    for number in range(150):
        compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        compressed = compressor.compress(IDP.response(name_id=f"user{number}@contoso.example")) + compressor.flush()
        kinds.add(recognize(b64(compressed)).kind)
    assert kinds == {"response"}
