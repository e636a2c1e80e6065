"""Forms that bring a genuine response in a way that no form may (BND, DOS): Mallory's, signed by her own provider.

The message in them is one that the account would accept, so nothing but the form can be the reason of the refusal.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

import pytest
from attack import attack
from attacks.traces import FORM, JSON, Traces, accepted, refused, send
from browser import Browser
from cast import BRITTA, MALLORY
from responses import Idp, post_field

from sp.store.engine import Database
from sp.web.cookies import SESSION


def plain(xml: bytes) -> bytes:
    return urlencode({"SAMLResponse": post_field(xml)}).encode()


def value(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """The form whose field holds what `change` makes of the base64."""
    return lambda xml: urlencode({"SAMLResponse": change(post_field(xml))}).encode()


def message(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """The form that brings what `change` makes of the bytes of the message."""
    return lambda xml: plain(change(xml))


def with_field(text: bytes) -> Callable[[bytes], bytes]:
    return lambda xml: plain(xml) + b"&" + text


def multipart(xml: bytes) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="SAMLResponse"\r\n\r\n'
    return head + post_field(xml).encode() + b"\r\n--x--\r\n"


def kind(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type}


def deflated(xml: bytes) -> bytes:
    return zlib.compress(xml, wbits=-15)


@dataclass(frozen=True)
class Post:
    """How Mallory posts it: the body made of the message, and the headers."""

    id: str
    story: str
    code: str
    body: Callable[[bytes], bytes]
    headers: dict[str, str] = field(default_factory=lambda: dict(FORM))
    status: int = 400


POSTS = (
    Post("BND-02", "no field", "form", lambda _: b"RelayState=%2F"),
    Post("BND-02 empty", "an empty field", "form", lambda _: b"SAMLResponse="),
    Post("BND-02 blank", "white space", "form", lambda _: b"SAMLResponse=+%0D%0A"),
    Post("BND-02 nothing", "an empty body", "form", lambda _: b""),
    Post("BND-02 case", "the field in lower case", "form", lambda xml: plain(xml).lower()),
    Post("BND-03", "the field twice, the same", "form", lambda xml: plain(xml) + b"&" + plain(xml)),
    Post("BND-03 first", "the field twice, garbage first", "form", lambda xml: b"SAMLResponse=YQ&" + plain(xml)),
    Post("BND-03 last", "the field twice, garbage last", "form", with_field(b"SAMLResponse=YQ")),
    Post("BND-03 empty", "the field twice, once empty", "form", with_field(b"SAMLResponse=")),
    Post("BND-03 state", "RelayState twice", "form", with_field(b"RelayState=a&RelayState=b")),
    Post("BND-04", "a request beside it", "form", with_field(b"SAMLRequest=YQ")),
    Post("BND-05", "an artifact beside it", "form", with_field(b"SAMLart=AAQAAA")),
    Post("BND-05 alone", "an artifact", "form", lambda _: b"SAMLart=AAQAAA"),
    Post(
        "BND-06 JSON",
        "JSON",
        "form",
        lambda xml: b'{"SAMLResponse": "' + post_field(xml).encode() + b'"}',
        kind("application/json"),
    ),
    Post("BND-06 XML", "plain XML", "form", lambda xml: xml, kind("text/xml")),
    Post("BND-06 multipart", "a form in parts", "form", multipart, kind("multipart/form-data; boundary=x")),
    Post("BND-06 text", "a form as text", "form", plain, kind("text/plain")),
    Post("BND-06 charset", "a form in UTF-7", "form", plain, kind(f"{FORM['Content-Type']}; charset=utf-7")),
    Post("BND-06 none", "a form of no type", "form", plain, {}),
    Post("BND-08", "the alphabet for URLs", "base64", value(lambda text: "-_" + text[2:])),
    Post("BND-08 short", "no padding", "base64", value(lambda text: text + "A")),
    Post("BND-08 long", "padding too much", "base64", value(lambda text: text.rstrip("=") + "====")),
    Post("BND-08 middle", "padding in the middle", "base64", value(lambda text: "YQ==" + text)),
    Post("BND-08 zero", "a zero byte", "base64", value(lambda text: text + "\x00")),
    Post("BND-10", "plain XML in the field", "base64", lambda xml: urlencode({"SAMLResponse": xml.decode()}).encode()),
    Post("BND-11", "base64 twice", "well_formed", message(lambda xml: post_field(xml).encode()), status=403),
    Post("BND-11 percent", "percent-encoded twice", "base64", value(lambda text: quote_plus(text[:-4] + "+/+/"))),
    Post("BND-12", "compressed, as for the Redirect binding", "encoding", message(deflated), status=403),
    Post("BND-15 zlib", "compressed with zlib", "encoding", message(zlib.compress), status=403),
    Post("BND-15 gzip", "compressed with gzip", "encoding", message(gzip.compress), status=403),
    Post(
        "BND-15",
        "a compressed body",
        "form",
        lambda xml: gzip.compress(plain(xml)),
        FORM | {"Content-Encoding": "gzip"},
    ),
    Post("BND-16", "a megabyte of padding", "size", message(lambda xml: xml + b" " * 1_000_000), status=413),
    Post("BND-16 8", "eight megabytes", "size", with_field(b"x=" + b"A" * 8_000_000), status=413),
    Post("BND-17", "10 000 fields", "form", with_field(b"&".join([b"a=1"] * 10_000))),
    Post("BND-17 name", "a field whose name has a megabyte", "size", with_field(b"A" * 2_000_000 + b"=1"), status=413),
)


@pytest.mark.parametrize("post", [pytest.param(post, id=post.id, marks=attack(post.id, post.story)) for post in POSTS])
def test_the_form_is_refused(post: Post, browser: Browser, connected: Idp, database: Database) -> None:
    accepted(send(browser, connected.response()))
    traces = Traces(database)
    xml = connected.response(name_id=MALLORY.email)
    answer = browser.client.post("/saml2", content=post.body(xml), headers=post.headers | JSON)
    refused(answer, post.code)
    assert answer.status_code == post.status
    traces.of_one_refusal(post.code)


FINE = (
    (
        "BND-09",
        "lines of 76 characters",
        value(lambda text: "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))),
    ),
    ("BND-20 signed", "SimpleSign fields, which nobody reads", with_field(b"Signature=AAAA&SigAlg=urn%3Ax")),
    ("BND-05 none", "a field that nobody knows", with_field(b"x=y")),
)


@pytest.mark.parametrize(
    "body", [pytest.param(body, id=name, marks=attack(name, story, count=0)) for name, story, body in FINE]
)
def test_the_form_is_fine(body: Callable[[bytes], bytes], browser: Browser, connected: Idp) -> None:
    answer = browser.client.post("/saml2", content=body(connected.response()), headers=FORM | JSON)
    accepted(answer)
    assert answer.json()["username"] == BRITTA.email


@attack("BND-20", "an unsigned response with the fields of SimpleSign")
def test_simple_sign_is_no_signature(browser: Browser, connected: Idp, traces: Traces) -> None:
    xml = connected.response(name_id=MALLORY.email, signed=None)
    refused(send(browser, xml, Signature="AAAA", SigAlg="urn:x"), "signature_present")
    traces.of_one_refusal("signature_present")


@attack("BND-21", "headers that claim another address")
def test_our_address_comes_from_the_settings(browser: Browser, connected: Idp, traces: Traces) -> None:
    """A response for the claimed address is refused, and one for ours is not."""
    claimed = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    headers = claimed | JSON
    address = "https://evil.example/saml2"
    evil = connected.response(name_id="mallory@contoso.example", recipient=address, destination=address)
    refused(
        browser.client.post("/saml2", data={"SAMLResponse": post_field(evil)}, headers=headers),
        "destination",
        "recipient",
    )
    traces.of_one_refusal("destination", "recipient")
    accepted(browser.client.post("/saml2", data={"SAMLResponse": post_field(connected.response())}, headers=headers))


@attack("BND-22", "another Host")
def test_a_message_under_another_name_is_not_looked_at(browser: Browser, connected: Idp, traces: Traces) -> None:
    headers = {"Host": "evil.example"} | JSON
    for xml in (connected.response(name_id=MALLORY.email), connected.response()):
        answer = browser.client.post("/saml2", data={"SAMLResponse": post_field(xml)}, headers=headers)
        assert answer.status_code == 421
    traces.of_nothing()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@attack("WEB-11", "another method than POST")
def test_other_methods_sign_nobody_in(method: str, browser: Browser, connected: Idp, traces: Traces) -> None:
    field = urlencode({"SAMLResponse": post_field(connected.response(name_id=MALLORY.email))})
    answer = browser.client.request(method, f"/saml2?{field}", content=field, headers=FORM)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers
    assert SESSION not in answer.headers.get("set-cookie", "")
    assert traces.attempts == []


@attack("WEB-11", "a response in the query of a GET")
def test_a_response_in_a_query_signs_nobody_in(browser: Browser, connected: Idp, traces: Traces) -> None:
    field = urlencode({"SAMLResponse": post_field(connected.response(name_id=MALLORY.email))})
    answer = browser.client.get(f"/saml2?{field}")
    assert answer.status_code == 400
    assert SESSION not in answer.headers.get("set-cookie", "")
    traces.of_one_refusal("form")
