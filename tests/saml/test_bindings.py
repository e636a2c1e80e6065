"""The form: exactly one message, in plain base64, whatever else comes with it."""

from __future__ import annotations

import base64
import zlib

import pytest
from responses import Idp, expectations, form, judged, post_field, posted

from sp.diagnosis.sides import sides
from sp.saml.messages import Limits, PostedForm
from sp.saml.report import Outcome
from sp.saml.validation import judge, open_form, open_message

IDP = Idp.make()
XML = IDP.response()
FIELD = post_field(XML)


def _failed(posted_form: PostedForm) -> tuple[str, ...]:
    return judge(open_form(posted_form), expectations(IDP)).report.failed


ACCEPTED = {
    "as it is": posted(XML),
    "with a RelayState": posted(XML, RelayState="/profile"),
    "with a character set": form(
        ("SAMLResponse", FIELD), content_type="application/x-www-form-urlencoded; charset=UTF-8"
    ),
    "wrapped at 76 columns with CRLF": form(
        ("SAMLResponse", "\r\n".join(FIELD[at : at + 76] for at in range(0, len(FIELD), 76)))
    ),
    "with white space around": form(("SAMLResponse", f"\n {FIELD}\t\r\n")),
    "with parameters of SimpleSign, which count for nothing": posted(XML, SigAlg="x", Signature="y"),
}

REFUSED = {
    "GET": (form(("SAMLResponse", FIELD), method="GET"), "form"),
    "JSON": (form(("SAMLResponse", FIELD), content_type="application/json"), "form"),
    "XML": (form(("SAMLResponse", FIELD), content_type="text/xml"), "form"),
    "multipart": (form(("SAMLResponse", FIELD), content_type="multipart/form-data; boundary=x"), "form"),
    "no content type": (form(("SAMLResponse", FIELD), content_type=""), "form"),
    "UTF-7": (
        form(("SAMLResponse", FIELD), content_type="application/x-www-form-urlencoded; charset=utf-7"),
        "form",
    ),
    "no field": (form(("RelayState", "/")), "form"),
    "a field of another case": (form(("samlresponse", FIELD)), "form"),
    "an empty field": (form(("SAMLResponse", "")), "form"),
    "a blank field": (form(("SAMLResponse", " \r\n")), "form"),
    "two fields, the first genuine": (form(("SAMLResponse", FIELD), ("SAMLResponse", "AAAA")), "form"),
    "two fields, the second genuine": (form(("SAMLResponse", "AAAA"), ("SAMLResponse", FIELD)), "form"),
    "two RelayStates": (form(("SAMLResponse", FIELD), ("RelayState", "/"), ("RelayState", "//evil")), "form"),
    "a request beside it": (posted(XML, SAMLRequest=FIELD), "form"),
    "an artifact beside it": (posted(XML, SAMLart="AAQ"), "form"),
    "the URL-safe alphabet": (form(("SAMLResponse", "PD94-_" + FIELD)), "base64"),
    "padding left out": (form(("SAMLResponse", post_field(XML + b" " * (-len(XML) % 3 + 1)).rstrip("="))), "base64"),
    "padding too long": (form(("SAMLResponse", FIELD + "=")), "base64"),
    "padding in the middle": (form(("SAMLResponse", "QQ==" + FIELD)), "base64"),
    "characters beyond ASCII": (form(("SAMLResponse", FIELD + "é")), "base64"),
    "raw XML": (form(("SAMLResponse", XML.decode())), "base64"),
    "percent-encoded twice": (form(("SAMLResponse", "PHNhbWw%2B")), "base64"),
    "encoded twice": (form(("SAMLResponse", base64.b64encode(FIELD.encode()).decode())), "well_formed"),
    "deflated": (form(("SAMLResponse", post_field(zlib.compress(XML, wbits=-15)))), "encoding"),
    "gzipped": (form(("SAMLResponse", post_field(zlib.compress(XML, wbits=31)))), "encoding"),
    "one byte too many": (posted(XML + b" " * (256 * 1024 + 1 - len(XML))), "size"),
}


@pytest.mark.parametrize("story", ACCEPTED)
def test_accepted(story: str) -> None:
    assert _failed(ACCEPTED[story]) == ()


@pytest.mark.parametrize("story", REFUSED)
def test_refused(story: str) -> None:
    posted_form, code = REFUSED[story]
    assert _failed(posted_form) == (code,)


def test_the_largest_message_fits_exactly() -> None:
    assert _failed(posted(XML + b" " * (256 * 1024 - len(XML)))) == ()


def test_plus_signs_lost_on_the_way_are_recognised() -> None:
    broken = form(("SAMLResponse", "PHNhbWw6 A" + FIELD))
    row = judge(open_form(broken), expectations(IDP)).report.row("base64")
    assert "percent-encoding" in sides(row).received


def test_a_message_without_a_form_skips_the_rows_of_the_form() -> None:
    report = judged(XML, expectations(IDP)).report
    assert report.accepts
    assert report.row("form").outcome is Outcome.SKIPPED
    assert report.row("base64").outcome is Outcome.SKIPPED
    assert report.row("size").outcome is Outcome.PASSED


def test_a_message_without_a_form_has_its_size_judged() -> None:
    opened = open_message(XML, Limits(message_bytes=100))
    assert judge(opened, expectations(IDP)).report.failed == ("size",)
    assert opened.xml is None


def test_what_was_decoded_is_kept_for_the_log() -> None:
    opened = open_form(posted(XML))
    assert opened.xml == XML
    assert opened.unverified_issuer == IDP.entity_id


def test_the_issuer_is_known_even_when_the_schema_refuses() -> None:
    invalid = IDP.response(tamper=lambda xml: xml.replace(b"<saml:AuthnContext>", b"<saml:AuthnContext><x/>"))
    opened = open_form(posted(invalid))
    assert opened.response is None
    assert opened.unverified_issuer == IDP.entity_id


def test_an_endless_issuer_is_cut() -> None:
    opened = open_message(IDP.response(tamper=lambda xml: xml.replace(b"https://idp", b"https://" + b"i" * 5000)))
    assert len(opened.unverified_issuer) == 1024
    assert judge(opened, expectations(IDP)).report.failed == ("issuer",)
