"""Logout messages of identity providers of our own, with one flaw where a story wants one.

Owns the messages and how each binding carries them. Never judges one. Everything that a story does not mention has a
good default, so `request(idp)` is accepted by `expected(idp)` at `cast.NOW`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from cast import ACS_URL, BASE_URL, BRITTA, ENTITY_ID, NOW
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree
from responses import EMAIL_FORMAT, NS, Idp, Mutation, form, instant, trust

from sp.saml import names
from sp.saml.logout_messages import ByForm, ByQuery, BySoap, Kind, LogoutExpectations, PendingSignOut
from sp.saml.messages import Expectations, PostedForm
from sp.saml.redirect_binding import deflated

SLO_URL = f"{BASE_URL}/saml2/slo"
SOAP_URL = f"{BASE_URL}/saml2/slo/soap"
OUR_REQUEST = "_our-request"
PENDING = PendingSignOut(OUR_REQUEST, NOW - timedelta(minutes=1), "business")
LATER = timedelta(minutes=5)

_HEAD = """\
<samlp:{name} xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="{id}" Version="2.0" IssueInstant="{now}"{attributes}>\
<saml:Issuer>{issuer}</saml:Issuer>"""

Spelling = Callable[[str], str]


def request(
    idp: Idp,
    *,
    now: datetime = NOW,
    issuer: str = "",
    name_id: str = BRITTA.email,
    name_id_attributes: Mapping[str, str] | None = None,
    session_indexes: tuple[str, ...] = (),
    destination: str | None = SLO_URL,
    valid_for: timedelta | None = LATER,
    identifier: str = "",
    signed: bool = True,
    mutate: Mutation = lambda _: None,
    sealed: Mutation = lambda _: None,
    **signing: Any,
) -> bytes:
    """A LogoutRequest for Britta. `mutate` changes the tree before it is signed, `sealed` afterwards."""
    given = {"Format": EMAIL_FORMAT} if name_id_attributes is None else name_id_attributes
    named = "".join(f" {name}={quoteattr(value)}" for name, value in given.items())
    indexes = "".join(f"<samlp:SessionIndex>{escape(index)}</samlp:SessionIndex>" for index in session_indexes)
    end = "" if valid_for is None else f' NotOnOrAfter="{instant(now + valid_for)}"'
    root = etree.fromstring(
        _head("LogoutRequest", idp, now, issuer, destination, end, identifier)
        + f"<saml:NameID{named}>{escape(name_id)}</saml:NameID>{indexes}</samlp:LogoutRequest>"
    )
    return _finished(idp, root, mutate, sealed, signed=signed, **signing)


def response(
    idp: Idp,
    *,
    now: datetime = NOW,
    issuer: str = "",
    in_response_to: str | None = OUR_REQUEST,
    status: tuple[str, ...] = (names.SUCCESS,),
    said: str = "",
    destination: str | None = SLO_URL,
    identifier: str = "",
    signed: bool = True,
    mutate: Mutation = lambda _: None,
    sealed: Mutation = lambda _: None,
    **signing: Any,
) -> bytes:
    """A LogoutResponse to `OUR_REQUEST`; `status` has the codes from the top down."""
    answered = "" if in_response_to is None else f" InResponseTo={quoteattr(in_response_to)}"
    codes = "".join(f"<samlp:StatusCode Value={quoteattr(code)}>" for code in status)
    codes += "</samlp:StatusCode>" * len(status)
    said = f"<samlp:StatusMessage>{escape(said)}</samlp:StatusMessage>" if said else ""
    root = etree.fromstring(
        _head("LogoutResponse", idp, now, issuer, destination, answered, identifier)
        + f"<samlp:Status>{codes}{said}</samlp:Status></samlp:LogoutResponse>"
    )
    return _finished(idp, root, mutate, sealed, signed=signed, **signing)


def _head(name: str, idp: Idp, now: datetime, issuer: str, destination: str | None, more: str, identifier: str) -> str:
    where = "" if destination is None else f" Destination={quoteattr(destination)}"
    return _HEAD.format(
        **NS,
        name=name,
        id=identifier or f"_l{uuid4().hex}",
        now=instant(now),
        issuer=escape(issuer or idp.entity_id),
        attributes=where + more,
    )


def _finished(
    idp: Idp, root: etree._Element, mutate: Mutation, sealed: Mutation, *, signed: bool, **signing: Any
) -> bytes:
    mutate(root)
    if signed:
        idp.sign(root, **signing)
    sealed(root)
    return etree.tostring(root)


# How each binding carries a message.


def posted(xml: bytes, kind: Kind = Kind.REQUEST, **fields: str) -> ByForm:
    return ByForm(posted_form(xml, kind, **fields), kind)


def posted_form(xml: bytes, kind: Kind = Kind.REQUEST, **fields: str) -> PostedForm:
    return form((kind.carried, base64.b64encode(xml).decode("ascii")), *fields.items())


def percent(value: str) -> str:
    return quote(value, safe="")


def query(
    idp: Idp,
    xml: bytes,
    kind: Kind = Kind.REQUEST,
    *,
    relay_state: str | None = None,
    method: str = "",
    spelt: Spelling = percent,
    signed: bool = True,
) -> bytes:
    """A query that an identity provider signed, over the octets as it spells them (Bindings 3.4.4.1)."""
    state = "" if relay_state is None else f"&RelayState={spelt(relay_state)}"
    text = f"{kind.carried}={spelt(deflated(xml))}{state}"
    if not signed:
        return text.encode()
    text += f"&SigAlg={spelt(method or idp.method)}"
    made = base64.b64encode(_made(idp, text.encode())).decode("ascii")
    return f"{text}&Signature={spelt(made)}".encode()


def _made(idp: Idp, octets: bytes) -> bytes:
    if isinstance(idp.key, rsa.RSAPrivateKey):
        return idp.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    return idp.key.sign(octets, ec.ECDSA(hashes.SHA256()))


def queried(idp: Idp, xml: bytes, kind: Kind = Kind.REQUEST, **options: Any) -> ByQuery:
    return ByQuery(query(idp, xml, kind, **options), kind)


def soap_body(xml: bytes, *, header: str = "", more: str = "") -> bytes:
    text = xml.decode()
    return (
        f'<soap:Envelope xmlns:soap="{names.SOAP}">{header}<soap:Body>{text}{more}</soap:Body></soap:Envelope>'
    ).encode()


def by_soap(xml: bytes, content_type: str = "text/xml", **options: str) -> BySoap:
    return BySoap(content_type, soap_body(xml, **options))


# What a message is held against.


def expected(idp: Idp, **changes: Any) -> LogoutExpectations:
    """What the service expects at `cast.NOW` when its account trusts this provider.

    `account` changes the account, `common` the rest that every message is held against.
    """
    account = trust(idp, **changes.pop("account", {}))
    common = replace(Expectations(NOW, ENTITY_ID, ACS_URL, account), **changes.pop("common", {}))
    return replace(LogoutExpectations(common, SLO_URL), **changes)
