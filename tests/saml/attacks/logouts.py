"""Hostile logout messages (SLO), by every binding: each has one flaw, beside a control that is accepted.

Owns the cases as data. Never runs them.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from cast import CONTOSO_ISSUER, MALLORY, MALLORY_ISSUER, NOW
from encryption import encrypted, own_key
from logouts import (
    PENDING,
    SOAP_URL,
    by_soap,
    expected,
    percent,
    posted,
    queried,
    query,
    request,
    response,
)
from lxml import etree
from responses import Idp, Mutation, all_of, element_of, form, one, with_attribute, with_child, without

from sp.saml import names
from sp.saml.checks.logout import Named
from sp.saml.logout import conclude_logout, open_logout, verify_logout
from sp.saml.logout_messages import Arrival, ByForm, ByQuery, Kind, LogoutExpectations, LogoutJudgement
from sp.saml.messages import Limits
from sp.saml.redirect_binding import deflated

KEY, OTHER = own_key(), own_key("another")
LIMITS = Limits()
MALLORYS_KEY = "a key of Mallory's"
EXTENSIONS = '<samlp:Extensions><x xmlns="u:x"/></samlp:Extensions>'
Carry = Callable[[Idp, bytes, Kind], Arrival]


def by_post(_idp: Idp, xml: bytes, kind: Kind) -> Arrival:
    return posted(xml, kind)


def by_query(idp: Idp, xml: bytes, kind: Kind) -> Arrival:
    return queried(idp, xml, kind)


def by_envelope(_idp: Idp, xml: bytes, _kind: Kind) -> Arrival:
    return by_soap(xml)


@dataclass(frozen=True)
class LogoutCase:
    """One flaw. `given` and `held` hold for the control too; what begins with `flaw` does not.

    `given` and `flaw` are arguments of `logouts.request` or `logouts.response`, `held` and `flaw_held` of `expected`.
    `carry` brings the message of the control, `flaw_carry` the flawed one, made with `flaw_signer`'s key. No `failed`
    code means that the case is accepted.
    """

    id: str
    story: str
    failed: tuple[str, ...] = ()
    flaw: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict)
    flaw_held: Mapping[str, Any] = field(default_factory=dict)
    carry: Carry = by_post
    flaw_carry: Carry | None = None
    flaw_signer: Callable[[Idp], Idp] = lambda idp: idp
    kind: Kind = Kind.REQUEST
    named: Named | None = None

    def control(self) -> LogoutJudgement:
        return judged(self.carry(IDP, self._message(IDP, self.given), self.kind), expected(IDP, **self._held({})))

    def flawed(self) -> LogoutJudgement:
        signer, carry = self.flaw_signer(IDP), self.flaw_carry or self.carry
        arrival = carry(signer, self._message(signer, {**self.given, **self.flaw}), self.kind)
        return judged(arrival, expected(IDP, **self._held(self.flaw_held)), self.named)

    def _message(self, signer: Idp, given: Mapping[str, Any]) -> bytes:
        make = request if self.kind is Kind.REQUEST else response
        unsigned = {"signed": False} if self.carry is by_query else {}
        return make(signer, **{**unsigned, **given})

    def _held(self, flaw: Mapping[str, Any]) -> dict[str, Any]:
        pending = {"pending": PENDING} if self.kind is Kind.RESPONSE else {}
        location = {"location": SOAP_URL} if self.carry is by_envelope else {}
        return {**pending, **location, **self.held, **flaw}


IDP = Idp.make(CONTOSO_ISSUER)


def judged(arrival: Arrival, held: LogoutExpectations, named: Named | None = None) -> LogoutJudgement:
    opened = open_logout(arrival, LIMITS)
    return conclude_logout(verify_logout(opened, held), named)


def answer(identifier: str, story: str, failed: tuple[str, ...], **more: Any) -> LogoutCase:
    return LogoutCase(identifier, story, failed, kind=Kind.RESPONSE, **more)


def by_redirect(identifier: str, story: str, failed: tuple[str, ...], **more: Any) -> LogoutCase:
    return LogoutCase(identifier, story, failed, carry=by_query, **more)


def asked_directly(identifier: str, story: str, failed: tuple[str, ...], **more: Any) -> LogoutCase:
    given = {"destination": None, **more.pop("given", {})}
    return LogoutCase(identifier, story, failed, carry=by_envelope, given=given, **more)


# How a query, a form and an envelope can be meddled with.


def rewritten(**options: Any) -> Carry:
    """A query that was signed otherwise than `query` does by itself."""
    return lambda idp, xml, kind: queried(idp, xml, kind, **options)


def altered(change: Callable[[bytes], bytes]) -> Carry:
    """A query that was changed on its way."""

    def carry(idp: Idp, xml: bytes, kind: Kind) -> Arrival:
        before = query(idp, xml, kind, relay_state="token")
        after = change(before)
        assert after != before
        return ByQuery(after, kind)

    return carry


def lower_case(value: str) -> str:
    """As Entra ID writes it: %2b rather than %2B."""
    first, *rest = quote(value, safe="").split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def upper_cased(octets: bytes) -> bytes:
    """What a proxy makes of it that writes the query anew."""
    first, *rest = octets.split(b"%")
    return first + b"".join(b"%" + part[:2].upper() + part[2:] for part in rest)


def written_anew(idp: Idp, xml: bytes, kind: Kind) -> Arrival:
    return ByQuery(upper_cased(query(idp, xml, kind, spelt=lower_case)), kind)


def reordered(octets: bytes) -> bytes:
    """The same parameters in another order."""
    message, state, algorithm, signature = octets.split(b"&")
    return b"&".join((state, message, algorithm, signature))


def with_another_message(octets: bytes) -> bytes:
    forged = percent(deflated(request(IDP, name_id=MALLORY.email, signed=False)))
    return b"&".join((f"SAMLRequest={forged}".encode(), *octets.split(b"&")[1:]))


def bomb(_idp: Idp, _xml: bytes, kind: Kind) -> Arrival:
    """Ten million spaces, deflated to some ten thousand bytes."""
    packed = deflated(b" " * 10_000_000)
    return ByQuery(f"SAMLRequest={percent(packed)}".encode(), kind)


def two_fields(_idp: Idp, xml: bytes, kind: Kind) -> Arrival:
    value = base64.b64encode(xml).decode("ascii")
    return ByForm(form(("SAMLRequest", value), ("SAMLResponse", value)), kind)


def in_an_envelope(**options: str) -> Carry:
    return lambda _idp, xml, _kind: by_soap(xml, **options)


def wrapped(root: etree._Element) -> None:
    """The genuine request hidden inside a forged one for somebody else (XSW)."""
    genuine = copy.deepcopy(root)
    signature = one(root, "ds:Signature")
    root.remove(signature)
    root.set("ID", "_forged")
    one(root, "saml:NameID").text = MALLORY.email
    root.insert(1, element_of(EXTENSIONS))
    one(root, "samlp:Extensions")[0].append(genuine)


def signature_moved(root: etree._Element) -> None:
    """As `wrapped`, with the genuine signature where one belongs."""
    signature = copy.deepcopy(one(root, "ds:Signature"))
    wrapped(root)
    inner = one(root, "samlp:Extensions")[0][0]
    inner.remove(one(inner, "ds:Signature"))
    root.insert(1, signature)


def sealed_name(root: etree._Element) -> None:
    one(root, "saml:NameID").text = MALLORY.email


def opened_by(*keys: Any) -> dict[str, Any]:
    return {"common": {"decryption_keys": keys}}


def secret(**options: Any) -> dict[str, Any]:
    """The NameID, encrypted for this service."""
    key = options.pop("key", KEY)
    return {"mutate": encrypted(key, "saml:NameID", wrapper=names.ENCRYPTED_ID, **options)}


def by_triple_des(root: etree._Element) -> None:
    method = next(root.iter(names.ENCRYPTION_METHOD))
    method.set("Algorithm", names.XENC + "tripledes-cbc")


def root_changed(path: str, xml: str, at: int | None = None) -> dict[str, Mutation]:
    return {"mutate": with_child(path, xml, at)}


def aged(**amount: float) -> dict[str, Any]:
    """Sent so long ago; a NotOnOrAfter that has not come."""
    return {"now": NOW - timedelta(**amount), "valid_for": timedelta(days=1)}


UNSIGNED: dict[str, Any] = {"signed": False}
HELD_SHA1 = {"account": {"allow_sha1": True}}
SIGNING_KEY = ("signing_key",)
STATUS = names.STATUS_URI

REQUESTS = (
    LogoutCase("SLO-01", "A LogoutRequest by POST that nobody signed", ("signature_present",), UNSIGNED),
    asked_directly("SLO-01.soap", "A LogoutRequest by SOAP that nobody signed", ("signature_present",), flaw=UNSIGNED),
    by_redirect(
        "SLO-02",
        "A LogoutRequest by Redirect without a signature",
        ("signature_present",),
        flaw_carry=rewritten(signed=False),
    ),
    by_redirect(
        "SLO-02.inside",
        "A signature inside the message where the query's is missing",
        ("signature_present",),
        flaw={"signed": True},
        flaw_carry=rewritten(signed=False),
    ),
    by_redirect(
        "SLO-02.both",
        "A signature of the query, and one inside the message",
        ("signature_structure",),
        flaw={"signed": True},
    ),
    by_redirect(
        "SLO-03",
        "A Signature that is random bytes",
        ("signature",),
        flaw_carry=altered(lambda octets: octets.rpartition(b"Signature=")[0] + b"Signature=AAAA"),
    ),
    by_redirect(
        "SLO-03.message",
        "Another message under the signature of a genuine one",
        ("signature",),
        flaw_carry=altered(with_another_message),
    ),
    by_redirect(
        "SLO-03.state",
        "Another RelayState under the signature",
        ("signature",),
        flaw_carry=altered(lambda octets: octets.replace(b"RelayState=token", b"RelayState=other")),
    ),
    by_redirect(
        "SLO-03.alone",
        "A SigAlg without a Signature",
        ("form",),
        flaw_carry=altered(lambda octets: octets.rpartition(b"&Signature=")[0]),
    ),
    by_redirect(
        "SLO-03.hmac",
        "An algorithm whose secret would be the public key",
        ("signature_algorithms",),
        flaw_carry=rewritten(method="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
    ),
    by_redirect(
        "SLO-03.sha1",
        "SHA-1, which the account does not allow",
        ("signature_algorithms",),
        flaw_carry=rewritten(method=names.RSA_SHA1),
    ),
    LogoutCase("SLO-03.name", "Another NameID after signing", ("signature",), {"sealed": sealed_name}),
    LogoutCase(
        "SLO-03.index",
        "A SessionIndex taken away, so that all sessions end",
        ("signature",),
        {"sealed": without("samlp:SessionIndex")},
        given={"session_indexes": ("_one",)},
    ),
    LogoutCase("SLO-03.wrapped", "A genuine request inside a forged one", ("signature_present",), {"sealed": wrapped}),
    LogoutCase(
        "SLO-03.moved",
        "The same, with the genuine signature in its place",
        ("signature_structure",),
        {"sealed": signature_moved},
    ),
    asked_directly("SLO-03.soap", "Another NameID in an envelope", ("signature",), flaw={"sealed": sealed_name}),
    LogoutCase(
        "SLO-04",
        "A request that another identity provider signed in Contoso's name",
        SIGNING_KEY,
        flaw_signer=lambda idp: idp.with_key(MALLORYS_KEY),
    ),
    by_redirect(
        "SLO-04.query", "The same by Redirect", ("signature",), flaw_signer=lambda idp: idp.with_key(MALLORYS_KEY)
    ),
    LogoutCase("SLO-04.issuer", "An issuer whom no account trusts", ("issuer",), {"issuer": MALLORY_ISSUER}),
    LogoutCase("SLO-04.none", "No issuer at all", ("issuer",), {"mutate": without("saml:Issuer")}),
    LogoutCase(
        "SLO-04.format",
        "An Issuer that is said to be no entity ID",
        ("issuer",),
        {"mutate": with_attribute("saml:Issuer", "Format", names.TRANSIENT_FORMAT)},
    ),
    LogoutCase(
        "SLO-04.alias",
        "The other name of Contoso's provider, where the account has entered none",
        ("issuer",),
        {"issuer": "https://login.contoso.example/"},
    ),
    LogoutCase(
        "SLO-04.known-alias",
        "The same, once it has been entered",
        (),
        {"issuer": "https://login.contoso.example/"},
        held={"issuer_alias": "https://login.contoso.example/"},
    ),
    LogoutCase(
        "SLO-04.retired",
        "A signature by a retired certificate",
        SIGNING_KEY,
        flaw_held={
            "account": {"certificates": (IDP.with_key("next").certificate,), "retired_certificates": (IDP.certificate,)}
        },
    ),
    by_redirect(
        "SLO-04.retired-query",
        "The same by Redirect",
        SIGNING_KEY,
        flaw_held={
            "account": {"certificates": (IDP.with_key("next").certificate,), "retired_certificates": (IDP.certificate,)}
        },
    ),
    by_redirect(
        "SLO-04.no-certificate",
        "An account without a certificate",
        SIGNING_KEY,
        flaw_held={"account": {"certificates": ()}},
    ),
    LogoutCase(
        "SLO-05",
        "A request whose NotOnOrAfter has come",
        ("logout_not_on_or_after",),
        {"valid_for": timedelta(seconds=-181)},
    ),
    LogoutCase(
        "SLO-05.skew", "The same within the allowed difference of clocks", (), {"valid_for": timedelta(seconds=-179)}
    ),
    LogoutCase(
        "SLO-05.zone",
        "A NotOnOrAfter with an offset",
        ("logout_not_on_or_after",),
        {"mutate": with_attribute(".", "NotOnOrAfter", "2030-01-31T14:00:00+01:00")},
    ),
    *(
        LogoutCase(f"SLO-05.{name} {text}", f"{name} is {text}", failed, {"mutate": with_attribute(".", name, text)})
        for name, text, failed in (
            ("NotOnOrAfter", "0001-01-01T00:00:00Z", ("logout_not_on_or_after",)),
            ("NotOnOrAfter", "9999-12-31T23:59:59.9999999Z", ()),
            ("NotOnOrAfter", "2030-01-31T12:00:60Z", ("schema",)),
            ("NotOnOrAfter", "2030-01-30T24:00:00Z", ("logout_not_on_or_after",)),
            ("IssueInstant", "0001-01-01T00:00:00Z", ("logout_issue_instant",)),
            ("IssueInstant", "9999-12-31T23:59:59.9999999Z", ("logout_issue_instant",)),
            ("IssueInstant", "2030-01-31T12:00:60Z", ("schema",)),
            ("IssueInstant", "2030-01-30T24:00:00Z", ("logout_issue_instant",)),
        )
    ),
    LogoutCase("SLO-05.none", "No NotOnOrAfter, which is allowed", (), {"valid_for": None}),
    LogoutCase("SLO-05.old", "A request kept back too long", ("logout_issue_instant",), aged(minutes=14)),
    LogoutCase("SLO-05.future", "A request from the future", ("logout_issue_instant",), aged(minutes=-4)),
    LogoutCase("SLO-07", "A request for another service", ("destination",), {"destination": "https://sp.example/slo"}),
    LogoutCase("SLO-07.none", "A signed request without Destination", ("destination",), {"destination": None}),
    by_redirect("SLO-07.query", "A query without Destination", ("destination",), flaw={"destination": None}),
    asked_directly(
        "SLO-07.soap",
        "A request that was meant for the other address",
        ("destination",),
        flaw={"destination": "http://localhost:8000/saml2/slo"},
    ),
    LogoutCase(
        "SLO-08", "The same request once more", ("logout_replay",), named=Named("_same", replayed=True, matched=1)
    ),
    LogoutCase(
        "SLO-15",
        "A sign-in's Response where a LogoutRequest belongs",
        ("root",),
        flaw_carry=lambda idp, _xml, kind: posted(idp.response(signed="response"), kind),
    ),
    LogoutCase("SLO-15.both", "A request and a response in one form", ("form",), flaw_carry=two_fields),
    asked_directly("SLO-15.soap", "Two requests in one envelope", ("root",), flaw_carry=in_an_envelope(more="<a/>")),
    asked_directly(
        "SLO-15.header",
        "A header that must be understood",
        ("root",),
        flaw_carry=in_an_envelope(
            header=f'<soap:Header><a soap:mustUnderstand="1" xmlns:soap="{names.SOAP}"/></soap:Header>'
        ),
    ),
    asked_directly(
        "SLO-15.type",
        "An envelope that is said to be a form",
        ("form",),
        flaw_carry=in_an_envelope(content_type="application/x-www-form-urlencoded"),
    ),
    LogoutCase(
        "SLO-17",
        "A NameID whose key travels by RSA 1.5",
        ("logout_subject",),
        secret(transport=names.XENC + "rsa-1_5"),
        given=secret(),
        held=opened_by(KEY),
    ),
    LogoutCase(
        "SLO-17.key",
        "A NameID that was encrypted for somebody else",
        ("logout_subject",),
        secret(key=OTHER),
        given=secret(),
        held=opened_by(KEY),
    ),
    LogoutCase(
        "SLO-17.3des",
        "A NameID encrypted by Triple DES: no key is tried",
        ("logout_subject",),
        {"mutate": all_of(secret()["mutate"], by_triple_des)},
        given=secret(),
        held=opened_by(KEY),
    ),
    LogoutCase(
        "SLO-17.plain",
        "An EncryptedID that holds an assertion",
        ("logout_subject",),
        secret(plaintext=b'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>'),
        given=secret(),
        held=opened_by(KEY),
    ),
    LogoutCase(
        "SLO-17.unsigned",
        "An encrypted NameID in a request that nobody signed: it stays shut",
        ("signature_present",),
        UNSIGNED,
        given=secret(),
        held=opened_by(KEY),
    ),
    LogoutCase("SLO-18.empty", "A NameID of spaces", ("logout_subject",), {"name_id": "  "}),
    LogoutCase("SLO-18.long", "A NameID of 257 characters", ("logout_subject",), {"name_id": "x" * 257}),
    LogoutCase("SLO-18.two", "Two NameIDs", ("schema",), root_changed(".", "<saml:NameID>x</saml:NameID>")),
    LogoutCase(
        "SLO-18.version",
        "A request of SAML 1.1",
        ("logout_version",),
        {"mutate": with_attribute(".", "Version", "1.1")},
    ),
    LogoutCase(
        "SLO-18.twins",
        "One ID on two elements",
        ("unique_ids",),
        {
            "identifier": "_same",
            "mutate": with_child(".", EXTENSIONS.replace("/>", ' ID="_same"/>'), 1),
        },
    ),
    LogoutCase(
        "SLO-18.comment",
        "A comment inside the name",
        ("no_comments",),
        {"mutate": lambda root: one(root, "saml:NameID").append(etree.Comment("x"))},
    ),
    LogoutCase(
        "SLO-18.dtd",
        "A document type declaration",
        ("no_dtd",),
        flaw_carry=lambda _idp, xml, kind: posted(b"<!DOCTYPE a>" + xml, kind),
    ),
    LogoutCase(
        "SLO-18.cut",
        "Half a message",
        ("well_formed",),
        flaw_carry=lambda _idp, xml, kind: posted(xml[: len(xml) // 2], kind),
    ),
    LogoutCase(
        "SLO-18.utf16",
        "A message in UTF-16",
        ("encoding",),
        flaw_carry=lambda _idp, xml, kind: posted(xml.decode().encode("utf-16"), kind),
    ),
    LogoutCase(
        "SLO-18.crowd",
        "Ten thousand elements",
        ("limits",),
        root_changed(".", f'<samlp:Extensions xmlns:x="u:x">{"<x:a/>" * 10_000}</samlp:Extensions>', 1),
    ),
    by_redirect("BND-14.logout", "A DEFLATE bomb", ("size",), flaw_carry=bomb),
    LogoutCase(
        "BND-18.logout",
        "The octets written anew after signing",
        ("signature",),
        given=UNSIGNED,
        carry=rewritten(spelt=lower_case),
        flaw_carry=written_anew,
    ),
    by_redirect("BND-18.logout-order", "The parameters in another order", ("form",), flaw_carry=altered(reordered)),
)

ANSWERS = (
    answer(
        "SLO-11", "An answer to no sign-out of this browser", ("logout_in_response_to",), flaw_held={"pending": None}
    ),
    answer(
        "SLO-11.unknown",
        "An answer to a request that we never sent",
        ("logout_in_response_to",),
        flaw={"in_response_to": "_unknown"},
    ),
    answer("SLO-11.none", "An answer that names no request", ("logout_in_response_to",), flaw={"in_response_to": None}),
    answer(
        "SLO-11.used", "A second answer", ("logout_in_response_to",), flaw_held={"pending": replace(PENDING, used=True)}
    ),
    answer(
        "SLO-11.late",
        "An answer after a quarter of an hour",
        ("logout_in_response_to",),
        flaw_held={"pending": replace(PENDING, sent_at=NOW - timedelta(minutes=15))},
    ),
    answer(
        "SLO-11.account",
        "An answer to a sign-out of another account",
        ("logout_in_response_to",),
        flaw_held={"pending": replace(PENDING, account="fabrikam")},
    ),
    answer("SLO-11.unsigned", "An answer by POST that nobody signed", ("signature_present",), flaw=UNSIGNED),
    answer(
        "SLO-11.query",
        "An answer by Redirect that nobody signed",
        ("signature_present",),
        carry=by_query,
        flaw_carry=rewritten(signed=False),
    ),
    answer(
        "SLO-11.forged",
        "An answer that Mallory signed",
        SIGNING_KEY,
        flaw_signer=lambda idp: idp.with_key(MALLORYS_KEY),
    ),
    answer("SLO-11.failure", "A failure, told plainly", ("logout_status",), flaw={"status": (names.RESPONDER,)}),
    answer(
        "SLO-11.changed",
        "A failure made a success after signing",
        ("signature",),
        given={},
        flaw={
            "status": (names.RESPONDER,),
            "sealed": all_of(with_attribute("samlp:Status/samlp:StatusCode", "Value", names.SUCCESS)),
        },
    ),
    answer(
        "SLO-11.elsewhere",
        "An answer for another service",
        ("destination",),
        flaw={"destination": "https://sp.example/slo"},
    ),
    answer("SLO-11.nowhere", "A signed answer without Destination", ("destination",), flaw={"destination": None}),
    answer("SLO-11.issuer", "An answer in a stranger's name", ("issuer",), flaw={"issuer": MALLORY_ISSUER}),
    answer(
        "SLO-11.alias",
        "Entra's other host, which the account has entered",
        (),
        flaw={"issuer": "https://login.contoso.example/"},
        held={"issuer_alias": "https://login.contoso.example/"},
    ),
    answer(
        "SLO-11.old",
        "An answer that was kept back",
        ("logout_issue_instant",),
        flaw={"now": NOW - timedelta(minutes=14)},
    ),
    answer(
        "SLO-15.request",
        "A LogoutRequest where its answer belongs",
        ("root",),
        flaw_carry=lambda idp, _xml, kind: posted(request(idp), kind),
    ),
    answer(
        "SLO-15.response",
        "A sign-in's Response by Redirect",
        ("root",),
        carry=by_query,
        flaw_carry=lambda idp, _xml, kind: queried(idp, idp.response(), kind),
    ),
)

CASES = REQUESTS + ANSWERS
