"""Identity providers of our own: signed responses with one flaw where a story wants one.

Owns keys that are made once per run, and messages. Never judges a message. Everything that a story does not mention
has a good default, so `idp.response()` is accepted by `expectations(idp)` at `cast.NOW`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from cast import ACS_URL, BRITTA, CONTOSO_ISSUER, ENTITY_ID, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from sp.saml import names
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.messages import (
    AccountHolder,
    AccountTrust,
    AttributeNames,
    Expectations,
    Judgement,
    PostedForm,
)
from sp.saml.validation import judge, open_message
from sp.saml.xml import text_of

NS = {"samlp": names.SAMLP, "saml": names.SAML, "ds": names.DS}
CLAIMS = AttributeNames()
BRITTAS_ATTRIBUTES = {
    CLAIMS.first_name: (BRITTA.first_name,),
    CLAIMS.last_name: (BRITTA.last_name,),
    CLAIMS.email: (BRITTA.email,),
}
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

Mutation = Callable[[etree._Element], object]

_RESPONSE = """\
<samlp:Response xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="{response_id}" Version="2.0" \
IssueInstant="{now}" Destination={destination}{in_response_to}>\
<saml:Issuer>{issuer}</saml:Issuer>\
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>\
<saml:Assertion ID="{assertion_id}" Version="2.0" IssueInstant="{now}">\
<saml:Issuer>{issuer}</saml:Issuer>\
<saml:Subject><saml:NameID Format="{name_id_format}">{name_id}</saml:NameID>\
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">\
<saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient={recipient}{in_response_to}/>\
</saml:SubjectConfirmation></saml:Subject>\
<saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}">\
<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
<saml:AuthnStatement AuthnInstant="{now}" SessionIndex="{assertion_id}"><saml:AuthnContext>\
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
{attributes}</saml:Assertion></samlp:Response>"""

_SIGNATURE = """\
<ds:Signature xmlns:ds="{ds}"><ds:SignedInfo>\
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>\
<ds:SignatureMethod Algorithm="{method}"/>\
<ds:Reference URI="#{identifier}"><ds:Transforms>\
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>\
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>\
<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>\
<ds:SignatureValue/></ds:Signature>"""


def instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def private_key(name: str, kind: str = "rsa") -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """A key that is the same one for the same name throughout a run. Kinds: rsa, rsa-1024, p256, p384, p521."""
    return _made_key(name, kind)


@lru_cache(maxsize=64)
def _made_key(_name: str, kind: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if kind.startswith("rsa"):
        bits = int(kind.partition("-")[2] or 2048)
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind])


@dataclass(frozen=True)
class Idp:
    """An identity provider with one key. `kind` is a kind of `private_key`, `key_name` tells keys apart."""

    entity_id: str
    key_name: str
    kind: str = "rsa"
    not_before: datetime = NOW - timedelta(days=365)
    not_after: datetime = NOW + timedelta(days=3650)

    @classmethod
    def make(cls, entity_id: str = CONTOSO_ISSUER, kind: str = "rsa") -> Idp:
        return cls(entity_id, entity_id, kind)

    def with_key(self, key_name: str, kind: str = "rsa") -> Idp:
        """The same provider by name, holding another key."""
        return replace(self, key_name=key_name, kind=kind)

    @property
    def key(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
        return private_key(self.key_name, self.kind)

    @cached_property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def x509_certificate(self) -> x509.Certificate:
        return _certificate(self)

    def _make_certificate(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.entity_id[:60])])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(4711)
        builder = builder.not_valid_before(self.not_before).not_valid_after(self.not_after)
        return builder.public_key(self.key.public_key()).sign(self.key, hashes.SHA256())

    @cached_property
    def certificate_der(self) -> bytes:
        return self.x509_certificate.public_bytes(serialization.Encoding.DER)

    @cached_property
    def certificate_pem(self) -> bytes:
        return self.x509_certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def certificate(self) -> IdpCertificate:
        return stored_certificate(self.certificate_der)

    @cached_property
    def signing_key(self) -> xmlsec.Key:
        return xmlsec.Key.from_memory(self.key_pem, xmlsec.constants.KeyDataFormatPem)

    @property
    def method(self) -> str:
        return names.RSA_SHA256 if self.kind.startswith("rsa") else names.ECDSA_SHA256

    def response(
        self,
        *,
        now: datetime = NOW,
        name_id: str = BRITTA.email,
        name_id_format: str = EMAIL_FORMAT,
        audience: str = ENTITY_ID,
        recipient: str = ACS_URL,
        destination: str = ACS_URL,
        in_response_to: str | None = None,
        attributes: Mapping[str, tuple[str, ...]] | None = None,
        lifetime: timedelta = timedelta(minutes=5),
        assertion_id: str | None = None,
        response_id: str | None = None,
        signed: str | None = "assertion",
        mutate: Mutation = lambda _: None,
        encrypted: Mutation = lambda _: None,
        sealed: Mutation = lambda _: None,
        tamper: Callable[[bytes], bytes] = lambda xml: xml,
        **signing: Any,
    ) -> bytes:
        """The bytes of a response for Britta. `signed` is "assertion", "response", "both" or None.

        `mutate` changes the tree before it is signed, `encrypted` between the signatures of the assertion and of the
        response, `sealed` the tree afterwards, `tamper` the bytes. `signing` goes to `sign`.
        """
        xml = _RESPONSE.format(
            **NS,
            response_id=response_id or f"_r{uuid4().hex}",
            assertion_id=assertion_id or f"_a{uuid4().hex}",
            issuer=escape(self.entity_id),
            now=instant(now),
            begin=instant(now),
            end=instant(now + lifetime),
            destination=quoteattr(destination),
            recipient=quoteattr(recipient),
            audience=escape(audience),
            name_id=escape(name_id),
            name_id_format=name_id_format,
            in_response_to=f" InResponseTo={quoteattr(in_response_to)}" if in_response_to else "",
            attributes=_statement(BRITTAS_ATTRIBUTES if attributes is None else attributes),
        )
        root = etree.fromstring(xml)
        mutate(root)
        if signed in {"assertion", "both"}:
            self.sign(one(root, "saml:Assertion"), **signing)
        encrypted(root)
        if signed in {"response", "both"}:
            self.sign(root, **signing)
        sealed(root)
        return tamper(etree.tostring(root))

    def sign(
        self,
        element: etree._Element,
        *,
        method: str = "",
        digest: str = names.SHA256,
        shape: Mutation = lambda _: None,
        key: xmlsec.Key | None = None,
        key_info: tuple[bytes, ...] | None = None,
    ) -> etree._Element:
        """Sign an element in place, after its Issuer; `shape` changes the Signature before it is computed.

        `key_info` holds the certificates in DER that are put into KeyInfo: by default this provider's, () for none.
        """
        method = method or self.method
        identifier = element.get("ID", "")
        text = _SIGNATURE.format(**NS, method=method, digest=digest, identifier=identifier)
        signature = etree.fromstring(text)
        issuer = element.find("saml:Issuer", NS)
        element.insert(0 if issuer is None else element.index(issuer) + 1, signature)
        shape(signature)
        context = xmlsec.SignatureContext()
        context.register_id(element, "ID")
        context.key = key or self.signing_key
        context.sign(signature)
        add_key_info(signature, (self.certificate_der,) if key_info is None else key_info)
        return signature


@lru_cache(maxsize=64)
def _certificate(idp: Idp) -> x509.Certificate:
    """Made once, because an ECDSA signature of the same content differs each time."""
    return idp._make_certificate()


def add_key_info(signature: etree._Element, certificates: tuple[bytes, ...]) -> None:
    if not certificates:
        return
    key_info = etree.SubElement(signature, names.KEY_INFO)
    for der in certificates:
        data = etree.SubElement(key_info, f"{{{names.DS}}}X509Data")
        etree.SubElement(data, names.X509_CERTIFICATE).text = base64.b64encode(der).decode("ascii")


def _statement(attributes: Mapping[str, tuple[str, ...]]) -> str:
    if not attributes:
        return ""
    parts = []
    for name, values in attributes.items():
        sent = "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
        parts.append(f"<saml:Attribute Name={quoteattr(name)}>{sent}</saml:Attribute>")
    return f"<saml:AttributeStatement>{''.join(parts)}</saml:AttributeStatement>"


# What stories say about a tree. A path is written with the prefixes samlp, saml and ds.


def one(root: etree._Element, path: str) -> etree._Element:
    """The first element at a path. Raises LookupError where there is none: a story that changes nothing is wrong."""
    found = root.find(path, NS)
    if found is None:
        raise LookupError(path)
    return found


def with_attribute(path: str, name: str, value: str | None) -> Mutation:
    """Set an attribute, or take it away when `value` is None."""

    def mutate(root: etree._Element) -> None:
        element = root if path == "." else one(root, path)
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value)

    return mutate


def with_text(path: str, text: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        one(root, path).text = text

    return mutate


def without(path: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        element = one(root, path)
        parent = element.getparent()
        if parent is None:
            raise LookupError(path)
        parent.remove(element)

    return mutate


def with_child(path: str, xml: str, at: int | None = None) -> Mutation:
    """Add an element, written with the prefixes samlp, saml and ds, as the last child or at an index."""

    def mutate(root: etree._Element) -> None:
        parent = root if path == "." else one(root, path)
        child = element_of(xml)
        parent.insert(len(parent) if at is None else at, child)

    return mutate


def element_of(xml: str) -> etree._Element:
    declarations = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    return etree.fromstring(f"<w {declarations}>{xml}</w>")[0]


def all_of(*mutations: Mutation) -> Mutation:
    def mutate(root: etree._Element) -> None:
        for mutation in mutations:
            mutation(root)

    return mutate


def post_field(xml: bytes) -> str:
    """The value of the SAMLResponse field."""
    return base64.b64encode(xml).decode("ascii")


def posted(xml: bytes, **fields: str) -> PostedForm:
    """The form in which a browser brings a response."""
    return form(("SAMLResponse", post_field(xml)), *fields.items())


def form(
    *fields: tuple[str, str], method: str = "POST", content_type: str = "application/x-www-form-urlencoded"
) -> PostedForm:
    return PostedForm(method, content_type, tuple(fields))


# What a message is held against.


def trust(idp: Idp, **changes: Any) -> AccountTrust:
    """An account that trusts this provider."""
    account = AccountTrust(slug="business", issuer=idp.entity_id, certificates=(idp.certificate,))
    return replace(account, **changes)


def expectations(idp: Idp, **changes: Any) -> Expectations:
    """What the service expects at `cast.NOW` when it trusts this provider."""
    account = changes.pop("account", None) or trust(idp)
    return replace(Expectations(NOW, ENTITY_ID, ACS_URL, account), **changes)


def judged(xml: bytes, held_against: Expectations, holder: AccountHolder = AccountHolder()) -> Judgement:  # noqa: B008
    """The judgement of the bytes of a message."""
    return judge(open_message(xml), held_against, holder)


def name_id_of(xml: bytes) -> str:
    """The first NameID in a message, believed by nobody."""
    return text_of(one(etree.fromstring(xml), ".//saml:NameID"))
