"""The query of a redirect: read as it was received, and signed over those very octets."""

from __future__ import annotations

import base64
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from attack import attack
from cast import CONTOSO_ISSUER, MALLORY_ISSUER, NOW
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from responses import Idp

from sp.diagnosis.sides import sides_of_finding
from sp.saml import names
from sp.saml.certificates import stored_certificate
from sp.saml.messages import Limits
from sp.saml.own_keys import OwnKey, make_key
from sp.saml.problems import SizeProblem
from sp.saml.redirect_binding import (
    DEFLATE,
    Carried,
    RedirectMessage,
    UnreadQuery,
    deflated,
    read_query,
    redirect_url,
    verify_query,
)
from sp.saml.report import Outcome, failed

IDP = Idp.make(CONTOSO_ISSUER)
XML = b'<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_genuine"/>'
FORGED = XML.replace(b"_genuine", b"_forged")
LIMITS = Limits(message_bytes=4096)

Spelling = Callable[[str], str]


def percent(value: str) -> str:
    return quote(value, safe="")


def lower_case(value: str) -> str:
    """As Entra ID writes it: %2b rather than %2B."""
    return "".join(
        part[:3].lower() + part[3:] if part.startswith("%") else part for part in _at_percent(percent(value))
    )


def _at_percent(text: str) -> list[str]:
    first, *rest = text.split("%")
    return [first, *(f"%{part}" for part in rest)]


def signed_query(
    xml: bytes = XML,
    *,
    idp: Idp = IDP,
    relay_state: str | None = "token",
    method: str = "",
    spelt: Spelling = percent,
    digest: hashes.HashAlgorithm | None = None,
    carried: str = "SAMLRequest",
) -> str:
    """A query signed by an identity provider, over the octets as it spells them."""
    method = method or idp.method
    state = "" if relay_state is None else f"&RelayState={spelt(relay_state)}"
    query = f"{carried}={spelt(deflated(xml))}{state}&SigAlg={spelt(method)}"
    made = _made(idp, query.encode(), digest or hashes.SHA256())
    return f"{query}&Signature={spelt(base64.b64encode(made).decode())}"


def _made(idp: Idp, octets: bytes, digest: hashes.HashAlgorithm) -> bytes:
    if isinstance(idp.key, rsa.RSAPrivateKey):
        return idp.key.sign(octets, padding.PKCS1v15(), digest)
    r, s = decode_dss_signature(idp.key.sign(octets, ec.ECDSA(digest)))
    size = (idp.key.curve.key_size + 7) // 8
    return r.to_bytes(size) + s.to_bytes(size)


def read(query: str | bytes, carried: Carried = Carried.REQUEST) -> RedirectMessage | UnreadQuery:
    return read_query(query if isinstance(query, bytes) else query.encode(), carried, LIMITS)


def understood(query: str | bytes, carried: Carried = Carried.REQUEST) -> RedirectMessage:
    message = read(query, carried)
    assert isinstance(message, RedirectMessage), message
    return message


def outcome(query: str | bytes, idp: Idp = IDP, **options: Any) -> Outcome:
    return verify_query(understood(query), (idp.certificate,), **options).finding.outcome


@pytest.fixture(scope="module")
def key() -> OwnKey:
    return make_key("sp.example", NOW)


class TestWriting:
    def test_what_is_written_is_read_again(self) -> None:
        url = redirect_url("https://idp.example/sso", Carried.REQUEST, XML, relay_state="a token/1")
        message = understood(urlsplit(url).query)
        assert (message.xml, message.relay_state, message.signature) == (XML, "a token/1", None)

    def test_the_query_of_the_destination_stays(self) -> None:
        url = redirect_url("https://idp.example/sso?tenant=1", Carried.REQUEST, XML)
        assert url.startswith("https://idp.example/sso?tenant=1&SAMLRequest=")
        assert understood(urlsplit(url).query).xml == XML

    def test_our_signature_verifies_with_our_certificate(self, key: OwnKey) -> None:
        url = redirect_url("https://idp.example/sso", Carried.REQUEST, XML, relay_state="t", key=key)
        message = understood(urlsplit(url).query)
        verdict = verify_query(message, (stored_certificate(key.certificate),))
        assert verdict.finding.outcome is Outcome.PASSED
        assert parse_qs(urlsplit(url).query)["SigAlg"] == [names.RSA_SHA256]

    def test_a_message_without_a_relay_state_has_none(self, key: OwnKey) -> None:
        url = redirect_url("https://idp.example/sso", Carried.RESPONSE, XML, key=key)
        assert "RelayState" not in url
        assert understood(urlsplit(url).query, Carried.RESPONSE).relay_state is None


class TestVerifying:
    @pytest.mark.parametrize(
        "spelt", [percent, lower_case, lambda value: value.replace("+", "%2B").replace("#", "%23").replace("=", "%3d")]
    )
    def test_the_octets_count_as_they_were_received(self, spelt: Spelling) -> None:
        assert outcome(signed_query(spelt=spelt)) is Outcome.PASSED

    @attack("BND-18", "the same values, percent-encoded differently after they were signed")
    def test_octets_that_were_spelt_again_do_not_verify(self) -> None:
        query = signed_query(spelt=lower_case)
        assert "%2" in query
        assert outcome(query.replace("%2b", "%2B").replace("%2f", "%2F").replace("%3d", "%3D")) is Outcome.FAILED

    @pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521"])
    def test_every_kind_of_key(self, kind: str) -> None:
        idp = Idp.make(kind=kind)
        assert outcome(signed_query(idp=idp), idp) is Outcome.PASSED

    def test_a_curves_signature_in_der_is_the_same_signature(self) -> None:
        idp = Idp.make(kind="p256")
        assert isinstance(idp.key, ec.EllipticCurvePrivateKey)
        query = f"SAMLRequest={percent(deflated(XML))}&SigAlg={percent(names.ECDSA_SHA256)}"
        made = idp.key.sign(query.encode(), ec.ECDSA(hashes.SHA256()))
        assert outcome(f"{query}&Signature={percent(base64.b64encode(made).decode())}", idp) is Outcome.PASSED

    @pytest.mark.parametrize(
        ("method", "digest"), [(names.RSA_SHA384, hashes.SHA384()), (names.RSA_SHA512, hashes.SHA512())]
    )
    def test_longer_digests(self, method: str, digest: hashes.HashAlgorithm) -> None:
        assert outcome(signed_query(method=method, digest=digest)) is Outcome.PASSED

    def test_sha1_only_with_the_accounts_leave(self) -> None:
        query = signed_query(method=names.RSA_SHA1, digest=hashes.SHA1())  # noqa: S303
        assert outcome(query) is Outcome.FAILED
        assert outcome(query, allow_sha1=True) is Outcome.WARNING

    @pytest.mark.parametrize("method", ["", names.DS + "hmac-sha1", names.DS + "dsa-sha1", "none"])
    def test_another_algorithm_is_refused(self, method: str) -> None:
        query = signed_query().replace(percent(names.RSA_SHA256), percent(method))
        assert outcome(query) is Outcome.FAILED

    def test_the_verdict_names_the_certificate(self) -> None:
        others = (Idp.make(MALLORY_ISSUER).certificate, IDP.certificate)
        assert verify_query(understood(signed_query()), others).certificate == IDP.certificate

    @attack("BND-19", "a query signed by a stranger, and one signed by nobody", count=3)
    def test_nobody_elses_signature_counts(self) -> None:
        assert outcome(signed_query(idp=Idp.make(MALLORY_ISSUER))) is Outcome.FAILED
        assert outcome(f"SAMLRequest={percent(deflated(XML))}") is Outcome.FAILED
        unsigned = verify_query(understood(signed_query()), ())
        assert unsigned.finding.outcome is Outcome.FAILED
        assert unsigned.certificate is None

    def test_a_weak_key_verifies_nothing(self) -> None:
        weak = Idp.make(kind="rsa-1024")
        assert outcome(signed_query(idp=weak), weak) is Outcome.FAILED

    @attack("BND-18 part", "the message, the RelayState or the algorithm was changed after signing", count=3)
    @pytest.mark.parametrize("name", ["SAMLRequest", "RelayState", "SigAlg"])
    def test_every_signed_parameter_is_covered(self, name: str) -> None:
        other = {"SAMLRequest": deflated(FORGED), "RelayState": "other", "SigAlg": names.RSA_SHA512}[name]
        parts = [part if not part.startswith(f"{name}=") else f"{name}={percent(other)}" for part in _parts()]
        assert outcome("&".join(parts)) is Outcome.FAILED

    def test_a_relay_state_that_was_added_or_taken_away_is_noticed(self) -> None:
        assert outcome("&".join(part for part in _parts() if not part.startswith("RelayState"))) is Outcome.FAILED
        bare = signed_query(relay_state=None)
        assert outcome(bare) is Outcome.PASSED
        assert outcome(bare.replace("&SigAlg", "&RelayState=x&SigAlg")) is Outcome.FAILED


def _parts() -> list[str]:
    return signed_query().split("&")


SIGNED = signed_query()
SWAP = f"SAMLRequest={percent(deflated(FORGED))}"

SMUGGLED = {
    "a second message before the signed one": (f"{SWAP}&{SIGNED}", "one SAMLRequest"),
    "a second message after the signature": (f"{SIGNED}&{SWAP}", "one SAMLRequest"),
    "the same message twice": (f"{SIGNED.split('&')[0]}&{SIGNED}", "one SAMLRequest"),
    "two RelayStates": (f"{SIGNED}&RelayState=x", "one RelayState"),
    "two algorithms": (f"{SIGNED}&SigAlg=x", "one SigAlg"),
    "two signatures": (f"{SIGNED}&Signature=QUJD", "one Signature"),
    "a response beside the request": (f"{SIGNED}&SAMLResponse={percent(deflated(FORGED))}", "no other message"),
    "a response alone": (signed_query(carried="SAMLResponse"), "no other message"),
    "an artifact beside it": (f"{SIGNED}&SAMLart=AAQ", "parameter names"),
    "another spelling of the name": (f"{SIGNED}&samlrequest=x", "parameter names"),
    "a percent-encoded name": (f"{SIGNED}&SAML%52equest={percent(deflated(FORGED))}", "parameter names"),
    "a name with a space": (f"{SIGNED}&SAMLRequest+=x", "parameter names"),
    "a name as an array": (f"{SIGNED}&SAMLRequest[]=x", "everything else is percent-encoded"),
    "a percent-encoded array": (f"{SIGNED}&SAMLRequest%5B%5D=x", "parameter names"),
    "a name that no form has": (f"{SIGNED}&a%00b=x", "plain parameter names"),
    "a semicolon as separator": (f"{SIGNED};{SWAP}", "everything else is percent-encoded"),
    "a fragment": (f"{SIGNED}#&{SWAP}", "everything else is percent-encoded"),
    "a line break": (f"{SIGNED}\n&{SWAP}", "everything else is percent-encoded"),
    "a NUL": (SIGNED.encode() + b"\0", "everything else is percent-encoded"),
    "bytes beyond ASCII": (SIGNED.encode() + b"&x=\xff", "everything else is percent-encoded"),
    "a broken escape": (f"{SIGNED}&x=%zz", "two hexadecimal digits"),
    "another encoding": (f"{SIGNED}&SAMLEncoding=urn%3Anone", DEFLATE),
    "two encodings": (f"{SIGNED}&SAMLEncoding={percent(DEFLATE)}&SAMLEncoding={percent(DEFLATE)}", "one SAMLEncoding"),
    "a signature without its algorithm": ("&".join(part for part in _parts() if "SigAlg" not in part), "together"),
    "an algorithm without a signature": ("&".join(part for part in _parts() if "Signature" not in part), "together"),
    "the RelayState after the signature": ("&".join([_parts()[0], *_parts()[2:], _parts()[1]]), "in this order"),
    "the message after the signature": ("&".join([*_parts()[1:], _parts()[0]]), "in this order"),
    "no message": ("RelayState=x", "one SAMLRequest"),
    "an empty message": ("SAMLRequest=&RelayState=x", "a message in it"),
    "nothing": ("", "one SAMLRequest"),
    "a RelayState that is no text": (f"{SWAP}&RelayState=%ff", "UTF-8"),
    "too many parameters": ("&".join([SIGNED, *(f"x{n}=1" for n in range(30))]), "at most 20"),
    "a signature that is no base64": (f"{SWAP}&SigAlg=x&Signature=%21", "Signature in base64"),
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [pytest.param(*case, id=name, marks=attack("BND-19 query", name)) for name, case in SMUGGLED.items()],
)
def test_two_readers_can_find_one_message_only(query: str | bytes, expected: str) -> None:
    unread = read(query)
    assert isinstance(unread, UnreadQuery)
    assert unread.code == "form"
    assert expected in sides_of_finding(failed(*unread.fault)).expected


def test_other_parameters_of_the_address_are_left_alone() -> None:
    message = understood(f"tenant=7&{SIGNED}&SAMLEncoding={percent(DEFLATE)}")
    assert verify_query(message, (IDP.certificate,)).finding.outcome is Outcome.PASSED


def packed(data: bytes) -> str:
    return f"SAMLRequest={percent(base64.b64encode(data).decode())}"


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


UNREADABLE = {
    "base64 that is none": ("SAMLRequest=%21%21", "base64"),
    "a bare plus": ("SAMLRequest=" + percent(deflated(XML)).replace("%2F", "+"), "base64"),
    "the URL-safe alphabet": ("SAMLRequest=" + deflated(XML).replace("+", "-").replace("/", "_"), "base64"),
    "percent-encoded twice": ("SAMLRequest=" + percent(percent(deflated(XML))), "base64"),
    "line breaks": (f"SAMLRequest=%0A{percent(deflated(XML))}", "base64"),
    "no DEFLATE": (packed(XML), "base64"),
    "a zlib header": (packed(zlib.compress(XML)), "base64"),
    "a gzip header": (packed(zlib.compress(XML, wbits=31)), "base64"),
    "a part of a stream": (packed(raw_deflate(XML)[:-4]), "base64"),
    "bytes after the stream": (packed(raw_deflate(XML) + b"<more/>"), "base64"),
    "two streams": (packed(raw_deflate(XML) + raw_deflate(FORGED)), "base64"),
    "one byte too many": (packed(raw_deflate(b" " * 4097)), "size"),
    "a query beyond all bounds": ("SAMLRequest=" + "A" * 64 * 1024, "size"),
}


@pytest.mark.parametrize(("query", "code"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_message_that_cannot_be_read_names_the_check(query: str, code: str) -> None:
    unread = read(query)
    assert isinstance(unread, UnreadQuery)
    assert unread.code == code


def test_a_message_may_be_as_large_as_allowed() -> None:
    assert len(understood(packed(raw_deflate(b" " * 4096))).xml) == 4096


@attack("BND-14", "a DEFLATE bomb of 64 MiB in a few characters")
def test_a_bomb_is_not_inflated() -> None:
    bomb = raw_deflate(b"\0" * 64 * 1024 * 1024)
    limits = Limits(message_bytes=64 * 1024)
    query = packed(bomb).encode()
    tracemalloc.start()
    unread = read_query(query, Carried.REQUEST, limits)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * 1024 * 1024
    assert isinstance(unread, UnreadQuery)
    assert unread.code == "size"
    assert unread.fault.problem is SizeProblem.INFLATED
