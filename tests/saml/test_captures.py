"""What somebody captured: which messages are in it, and that each gets the verdict that the service would give."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from responses import Idp, expectations, form, post_field, posted

from sp.diagnosis.captures import (
    CAPTURES,
    MAX_CAPTURE_BYTES,
    MOST_MESSAGES,
    Capture,
    CapturedMessage,
    find_messages,
    open_captured,
    xml_of,
)
from sp.saml.messages import Limits, PostedForm
from sp.saml.report import Report
from sp.saml.validation import judge, open_form, open_message

IDP = Idp.make()
HELD = expectations(IDP)
XML = IDP.response()
FIELD = post_field(XML)
BODY = urlencode({"SAMLResponse": FIELD, "RelayState": "/x"})
REQUEST = b'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>'
ACS = "https://sso.8x8.com/saml2"


def deflated(xml: bytes) -> str:
    return post_field(zlib.compress(xml)[2:-4])


REDIRECT = f"{ACS}?{urlencode({'SAMLResponse': deflated(XML), 'RelayState': '/x'})}"


def found(capture: bytes | str, limits: Limits = Limits()) -> Capture:  # noqa: B008
    return find_messages(capture.encode() if isinstance(capture, str) else capture, limits)


def only(capture: bytes | str) -> CapturedMessage:
    (message,) = found(capture).messages
    return message


def report(message: CapturedMessage, limits: Limits = Limits()) -> Report:  # noqa: B008
    return judge(open_captured(message, limits), HELD).report


def page(value: str = FIELD, action: str = ACS) -> str:
    return (
        f'<html><body onload="document.forms[0].submit()"><form method="POST" action="{action}">'
        f'<input type="hidden" name="SAMLResponse" value="{value}"/>'
        "<input name=RelayState type='hidden' value='a>b'><input type=submit></form></body></html>"
    )


def entry(body: str = BODY, *, at: str = "2030-01-31T12:00:00.000Z", url: str = ACS, **request: Any) -> dict[str, Any]:
    posted_data = {"mimeType": "application/x-www-form-urlencoded", "text": body}
    return {"startedDateTime": at, "request": {"method": "POST", "url": url, "postData": posted_data, **request}}


def har(*entries: Any) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "a browser"}, "entries": entries}})


def traced(*requests: dict[str, Any]) -> str:
    return json.dumps({"requests": requests, "timestamp": "2030-01-31T12:00:00.000Z"})


TRACED = {
    "method": "POST",
    "url": ACS,
    "requestId": "request-1",
    "post": [["SAMLResponse", FIELD], ["RelayState", "x"]],
}


class TestEveryShape:
    @pytest.mark.parametrize(
        ("capture", "kind"),
        [
            (XML, "xml"),
            (b"\xef\xbb\xbf" + XML, "xml"),
            (FIELD, "value"),
            (base64.encodebytes(XML), "value"),
            (FIELD.encode("utf-16"), "value"),
            (quote(FIELD, safe=""), "value"),
            (FIELD.replace("+", "-").replace("/", "_").rstrip("="), "value"),
            (BODY, "form"),
            (f"RelayState=%2F&{urlencode({'SAMLResponse': FIELD})}", "form"),
            (f"wa=x&{BODY}", "form"),
            (f"SAMLResponse: {FIELD}\nRelayState: /x\n", "form"),
            (f"SAMLResponse={base64.encodebytes(XML).decode().replace('+', '%2B')}", "form"),
            (REDIRECT, "address"),
            (f"/saml2?{REDIRECT.partition('?')[2]}", "address"),
            (page(), "html"),
            (f"<!DOCTYPE html>{page()}", "html"),
            (page(FIELD.replace("+", "&#x2B;").replace("=", "&equals;")), "html"),
            (f"<form action='{ACS}'><input value='{FIELD}' name='SAMLResponse'></form>", "html"),
            (f"curl '{ACS}' -X POST -H 'Cookie: a=b' --data-raw '{BODY}' --compressed", "curl"),
            (f"curl '{ACS}' \\\n  -H 'Cookie: a=b' \\\n  --data '{BODY}'", "curl"),
            (f"curl $'{ACS}' --data-raw $'{BODY}'", "curl"),
            (f'curl ^"{ACS}^" ^\r\n  --data-raw ^"{BODY.replace("%", "^%^").replace("&", "^&")}^"', "curl"),
            (f'fetch("{ACS}", {{"body": "{BODY}", "method": "POST"}});', "text"),
            (f'10.0.0.1 - - [31/Jan/2030] "GET {REDIRECT} HTTP/1.1" 403', "text"),
            (har(entry()), "har"),
            (b"\xef\xbb\xbf" + har(entry()).encode(), "har"),
            (traced(TRACED), "saml_tracer"),
        ],
    )
    def test_the_message_in_it_is_accepted(self, capture: bytes | str, kind: str) -> None:
        assert found(capture).kind == kind
        assert only(capture).kind == "response"
        assert report(only(capture)).accepts

    def test_every_kind_has_a_name(self) -> None:
        assert {found(shape).kind for shape in (XML, FIELD, BODY, REDIRECT, page(), har(), traced(), "x")} <= set(
            CAPTURES
        )


class TestTheVerdictIsTheServices:
    """What the service would have been sent is judged as it is: nothing is mended on the way."""

    @pytest.mark.parametrize(
        ("capture", "sent"),
        [
            (BODY, posted(XML, RelayState="/x")),
            (f"{BODY}&{BODY}", form(*(2 * [("SAMLResponse", FIELD), ("RelayState", "/x")]))),
            (f"SAMLResponse={quote(FIELD)}&SAMLRequest=x", form(("SAMLResponse", FIELD), ("SAMLRequest", "x"))),
            (f"SAMLRequest={quote(post_field(REQUEST))}", form(("SAMLRequest", post_field(REQUEST)))),
            ("SAMLart=AAQAADWN", form(("SAMLart", "AAQAADWN"))),
            ("SAMLResponse=%21%21", form(("SAMLResponse", "!!"))),
            ("SAMLResponse=", form(("SAMLResponse", ""))),
            (har(entry(postData={"mimeType": "text/plain", "text": BODY})), posted(XML, RelayState="/x")),
        ],
    )
    def test_a_form_is_judged_as_it_came(self, capture: str, sent: PostedForm) -> None:
        message = only(capture)
        if "text/plain" in capture:
            sent = PostedForm("POST", "text/plain", sent.fields)
        assert message.source == sent
        assert report(message) == judge(open_form(sent), HELD).report
        assert message.note == ""

    def test_xml_is_judged_byte_for_byte(self) -> None:
        for xml in (XML, XML + b"<!-- -->", b"<!DOCTYPE a>" + XML, XML.decode().encode("utf-16"), XML[:-1]):
            assert report(only(xml)) == judge(open_message(xml), HELD).report

    def test_one_changed_byte_is_refused_in_every_shape(self) -> None:
        changed = XML.replace(b"<saml:Audience>h", b"<saml:Audience>H")
        assert changed != XML
        body = urlencode({"SAMLResponse": post_field(changed)})
        address = f"{ACS}?{urlencode({'SAMLResponse': deflated(changed)})}"
        for capture in (changed, post_field(changed), body, address, page(post_field(changed)), har(entry(body))):
            assert report(only(capture)).failed == ("signature",)


class TestLeniency:
    """What the service would not take is found and judged, and the note says what it would refuse."""

    @pytest.mark.parametrize(
        ("capture", "word"),
        [
            (REDIRECT, "GET request"),
            (REDIRECT, "compressed"),
            (f"{ACS}?{urlencode({'SAMLResponse': FIELD})}", "GET request"),
            (urlencode({"SAMLResponse": deflated(XML)}), "compressed"),
            (deflated(XML), "compressed"),
            (post_field(gzip.compress(XML)), "compressed"),
            (post_field(zlib.compress(XML)), "compressed"),
            (post_field(FIELD.encode()), "base64-encoded twice"),
            (FIELD.replace("+", "-").replace("/", "_").rstrip("="), "URL-safe"),
            (urlencode({"SAMLResponse": quote(FIELD, safe="")}), "percent-encoded twice"),
            (urlencode({"SAMLResponse": XML}), "plain XML"),
            (quote(FIELD, safe=""), "percent-encoding"),
            ("&".join([BODY, *(f"a{n}=1" for n in range(20))]), "more than 20 fields"),
        ],
    )
    def test_a_note_says_what_would_be_refused(self, capture: str, word: str) -> None:
        message = only(capture)
        assert message.kind == "response"
        assert "would refuse this transport" in message.note
        assert word in message.note

    @pytest.mark.parametrize("extra", range(40))
    def test_compressed_bytes_are_not_taken_for_text(self, extra: int) -> None:
        """Some of them look like percent-encoding or base64 by chance."""
        xml = IDP.response(assertion_id=f"_a{extra * 7919}")
        assert xml_of(only(deflated(xml))) == xml

    def test_plus_signs_that_became_spaces(self) -> None:
        assert "+" in FIELD
        message = only(f"SAMLResponse={FIELD}")
        assert xml_of(message) == XML
        assert "would refuse this transport" in message.note

    def test_the_tracers_own_copy_is_judged_where_the_export_hides_the_field(self) -> None:
        for mask in ("{hash:0a1b}", "{obf:alternative_0}"):
            message = only(traced({**TRACED, "post": [["SAMLResponse", mask]], "saml": XML.decode()}))
            assert report(message).accepts
            assert "hides" in message.note

    def test_nothing_is_judged_where_even_that_is_missing(self) -> None:
        assert not found(traced({**TRACED, "post": [["SAMLResponse", "{hash:0a1b}"]]})).messages


class TestSeveralMessages:
    def test_the_last_response_is_meant(self) -> None:
        first, last, request = (
            urlencode(pair)
            for pair in (
                {"SAMLResponse": post_field(b"<a/>")},
                {"SAMLResponse": FIELD},
                {"SAMLRequest": post_field(REQUEST)},
            )
        )
        capture = found(har(entry(first), entry(last), entry(request)))
        assert [message.kind for message in capture.messages] == ["other_xml", "response", "authn_request"]
        assert capture.default == 1

    def test_without_a_response_the_last_message_is(self) -> None:
        capture = found(har(entry(urlencode({"SAMLRequest": post_field(REQUEST)})), entry("SAMLart=x")))
        assert (len(capture.messages), capture.default) == (2, 1)

    def test_they_are_ordered_by_time(self) -> None:
        capture = found(
            har(
                entry(at="2030-01-31T13:00:00+01:00", url="https://b/"),
                entry(at="2030-01-31T11:59:00Z", url="https://a/"),
            )
        )
        assert [message.where.split()[1].rstrip(",") for message in capture.messages] == ["https://a/", "https://b/"]

    @pytest.mark.parametrize("at", ["", "yesterday", "2030-01-31T12:00:00"])
    def test_they_stay_in_order_where_a_time_cannot_be_compared(self, at: str) -> None:
        capture = found(har(entry(url="https://a/"), entry(at=at, url="https://b/")))
        assert [message.where.split()[1].rstrip(",") for message in capture.messages] == ["https://a/", "https://b/"]

    def test_the_newest_are_kept(self) -> None:
        capture = found(har(*(entry(url=f"https://x/{number}", at="") for number in range(MOST_MESSAGES + 5))))
        assert (len(capture.messages), capture.left_out) == (MOST_MESSAGES, 5)
        assert capture.messages[-1].where == f"POST https://x/{MOST_MESSAGES + 4}"

    def test_a_page_with_two_forms(self) -> None:
        assert [message.where for message in found(page() + page(action="https://other/")).messages] == [
            f"a form to {ACS}",
            "a form to https://other/",
        ]

    def test_a_request_and_its_answer_in_plain_text(self) -> None:
        asked = f"https://idp.example/sso?{urlencode({'SAMLRequest': deflated(REQUEST)})}"
        capture = found(f"{asked}\n{BODY}\n")
        assert [message.kind for message in capture.messages] == ["authn_request", "response"]
        assert capture.messages[0].note == ""


class TestBrowsersDiffer:
    def test_parameters_that_the_browser_left_encoded(self) -> None:
        for value in (FIELD, quote(FIELD, safe="")):
            pairs = [{"name": "SAMLResponse", "value": value}]
            assert report(
                only(har(entry(postData={"mimeType": "application/x-www-form-urlencoded", "params": pairs})))
            ).accepts

    def test_a_redirect_in_the_log(self) -> None:
        assert "GET request" in only(har({"request": {"method": "GET", "url": REDIRECT}})).note

    @pytest.mark.parametrize(
        "strange",
        [
            None,
            1,
            "x",
            [],
            {},
            [[]],
            [None],
            {"request": 1},
            {"request": {"url": 1, "method": []}},
            {"request": {"method": "POST", "postData": []}},
            {"request": {"method": "POST", "postData": {"params": [1, {"name": 1}], "text": 7}}},
        ],
    )
    def test_entries_of_a_strange_shape_are_passed_over(self, strange: Any) -> None:
        assert len(found(har(strange, entry())).messages) == 1
        assert len(found(json.dumps({"requests": [strange, TRACED]})).messages) == 1

    @pytest.mark.parametrize("post", [None, 1, "x", [1], [["SAMLResponse"]], [[1, 2]], [["SAMLResponse", None]]])
    def test_traced_posts_of_a_strange_shape_do_no_harm(self, post: Any) -> None:
        assert all(not report(message).accepts for message in found(traced({**TRACED, "post": post})).messages)


class TestWhatIsLeftBehind:
    def test_only_the_fields_that_matter_are_kept(self) -> None:
        message = only(f"password=hunter2&{BODY}&other=1")
        assert isinstance(message.source, PostedForm)
        assert [name for name, _ in message.source.fields] == ["SAMLResponse", "RelayState"]

    def test_the_place_tells_no_secrets(self) -> None:
        assert (
            only(har(entry(url="https://britta:hunter2@sso.8x8.com/saml2;jsessionid=1?token=2#3", at=""))).where
            == "POST https://sso.8x8.com/saml2"
        )


class TestNothingFound:
    @pytest.mark.parametrize(
        ("capture", "kind", "word"),
        [
            ("", "nothing", "There is nothing in it"),
            (" \n", "nothing", "There is nothing in it"),
            ("hello", "nothing", "Give a Response"),
            ("eyJhbGciOi.eyJhbGciOi.abc", "nothing", "JSON Web Token"),
            (IDP.certificate_pem, "nothing", "a certificate"),
            (base64.b64encode(IDP.certificate_der), "nothing", "a certificate"),
            (IDP.key_pem, "nothing", "a private key"),
            ("<html><body><h1>Sign in</h1></body></html>", "html", "sign-in or error page"),
            (f"curl '{ACS}' -d 'user=britta'", "curl", "posts to the assertion consumer service"),
            (har(), "har", "of 0 requests"),
            (har({}), "har", "of 1 request."),
            (har({}, {}), "har", "Preserve log"),
            (traced({}), "saml_tracer", "SAML-tracer"),
            ('{"a": 1}', "nothing", "neither a HAR file"),
            ('{"log": {"entries": 1}}', "nothing", "neither a HAR file"),
            ("[]", "nothing", "neither a HAR file"),
            (har(entry())[:-40], "nothing", "cannot be read"),
            (b'{"log": "\xff"}', "nothing", "cannot be read"),
            ('{"a": ' + "9" * 5000 + "}", "nothing", "cannot be read"),
        ],
    )
    def test_a_sentence_says_what_it_is(self, capture: bytes | str, kind: str, word: str) -> None:
        read = found(capture)
        assert (read.kind, read.messages) == (kind, ())
        assert word in read.fault


class TestBounds:
    @pytest.mark.parametrize("bomb", ["[" * 1_000_000, '{"a":' * 500_000, '{"log":{"entries":' + "[" * 1_000_000])
    def test_a_json_depth_bomb_is_a_sentence(self, bomb: str) -> None:
        capture = found(bomb)
        assert capture.fault.startswith("This JSON")

    def test_a_json_of_many_values_is_not_even_read(self) -> None:
        for bomb in ("[" + "[]," * 700_000 + "1]", "[" + "1," * 2_100_000 + "1]"):
            assert "more values" in found(bomb).fault

    def test_a_bomb_is_inflated_to_no_more_than_a_message(self) -> None:
        bomb = b'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">' + b"<a/>" * 20_000_000
        address = f"{ACS}?{urlencode({'SAMLResponse': deflated(bomb)})}"
        for limits in (Limits(), Limits(message_bytes=1024)):
            (message,) = found(address, limits).messages
            assert len(xml_of(message, limits)) == limits.message_bytes + 1
            assert report(message, limits).failed == ("size",)

    def test_a_bomb_in_a_bomb_is_not_unwrapped_for_ever(self) -> None:
        value = FIELD
        for _ in range(8):
            value = post_field(value.encode())
        assert not found(value).messages

    def test_a_message_that_is_too_large_gets_its_verdict(self) -> None:
        large = XML.replace(b"</samlp:Response>", b" " * 300_000 + b"</samlp:Response>")
        for capture in (large, post_field(large), urlencode({"SAMLResponse": post_field(large)})):
            assert report(only(capture)).failed == ("size",)

    def test_a_capture_that_is_too_large_is_not_looked_at(self) -> None:
        assert "larger than 16 MiB" in found(b"<" * (MAX_CAPTURE_BYTES + 1)).fault

    @pytest.mark.parametrize("limit", [20, 21])
    def test_as_many_fields_as_the_service_allows(self, limit: int) -> None:
        body = "&".join([f"SAMLResponse={quote(FIELD, safe='')}", *(f"a{n}=1" for n in range(limit - 1))])
        assert bool(only(body).note) is (limit > 20)

    @pytest.mark.parametrize(
        "piece",
        [
            *("<input ", "%41", "SAMLResponse=1&", "x SAMLResponse=1 ", "<html><form a=", "&#99999;", "^", "!<a", " "),
            *("\n SAMLResponse :", "a ", "[", "SAMLResponse=", "http://x?SAMLResponse=PHg+ ", "-", "\n"),
        ],
    )
    def test_no_repetition_takes_long(self, piece: str) -> None:
        """Each of these would take minutes with a careless pattern."""
        started = time.process_time()
        for begin in ("", "curl ", "<html><input value='", "! "):
            assert found(begin + piece * (2 * 1024 * 1024 // len(piece)) + "!").kind in CAPTURES
        assert time.process_time() - started < 8


KEYS = (
    *("log", "entries", "request", "requests", "method", "url", "postData", "text", "params", "name", "value"),
    *("post", "saml", "startedDateTime", "mimeType"),
)
SHAPES = st.one_of(
    st.binary(max_size=2000),
    st.text(max_size=2000).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=600).map(base64.b64encode),
    st.binary(max_size=600).map(lambda data: f"SAMLResponse={quote(data)}".encode()),
    st.text(alphabet="<>/='\" formINPUTsamlResponse;&#0x", max_size=400).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just(BODY),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=5,
            )
        ),
        max_leaves=25,
    ).map(lambda tree: json.dumps(tree).encode()),
)


@settings(deadline=None)
@given(SHAPES, st.sampled_from([64, 256 * 1024]))
@example(
    b'{"log":{"entries":[{"request":{"method":"POST","url":"\\ud800","postData":{"text":"SAMLResponse=\\ud800"}}}]}}',
    64,
)
@example(b"\xff\xfe\x00", 64)
@example(b'<html><input name="SAMLResponse" value="&#' + b"9" * 5000 + b';">', 64)
def test_any_bytes_have_an_answer(data: bytes, limit: int) -> None:
    """A sentence, or messages that each get their verdict; every text can be shown."""
    limits = Limits(message_bytes=limit)
    capture = find_messages(data, limits)
    assert capture.name
    assert bool(capture.messages) != bool(capture.fault)
    capture.fault.encode()
    for message in capture.messages:
        opened = open_captured(message, limits)
        assert not judge(opened, HELD).report.accepts or XML in (opened.xml, xml_of(message))
        assert len(xml_of(message, limits)) <= max(limit + 1, len(data))
        f"{message.where}{message.note}{message.name}{message.source!r}".encode()


def test_a_depth_bomb_does_no_harm_where_the_stack_is_deep_already() -> None:
    """A server's thread may stand anywhere when it reads a capture."""

    def deep(levels: int) -> Capture:
        return deep(levels - 1) if levels else found("[" * 100_000)

    with ThreadPoolExecutor(1) as threads:
        capture = threads.submit(deep, sys.getrecursionlimit() // 2).result()
    assert "nested" in capture.fault
