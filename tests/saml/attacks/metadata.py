"""Metadata that must not be believed (MET, and SIG-26): each document has one flaw beside the one that is accepted.

Owns the cases as data. Never runs them.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from cast import CONTOSO_ISSUER, MALLORY_ISSUER
from idp_metadata import NAMESPACES, aggregate, entity, key, role, sign_in_services, signed
from lxml import etree
from responses import Idp

from sp.saml.metadata_document import MAXIMUM_BYTES, MAXIMUM_TAGS

IDP = Idp.make()
EVIL = IDP.with_key("mallory")
WEAK = Idp(CONTOSO_ISSUER, "weak", "rsa-1024")
PIN = {"pinned": IDP.certificate}


@dataclass(frozen=True)
class MetadataCase:
    """A document and the phrase of the sentence that refuses it. `asked` are arguments of `read_metadata`.

    `control` is the same story without the flaw, which is read.
    """

    id: str
    story: str
    document: Callable[[], bytes]
    phrase: str
    asked: dict[str, Any] = field(default_factory=dict)
    control: Callable[[], bytes] = lambda: entity(IDP)


def plain(inside: str = "", **changes: Any) -> Callable[[], bytes]:
    return lambda: entity(IDP, role(IDP, **changes) + inside)


def with_doctype(declaration: str, text: str = "") -> Callable[[], bytes]:
    return lambda: declaration.encode() + entity(IDP, role(IDP, before=text))


LAUGHS = "".join(f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 10))
BOMB = f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]>'
FORMAT = "<md:NameIDFormat>{}</md:NameIDFormat>"


def sealed(change: Callable[[etree._Element], object]) -> Callable[[], bytes]:
    """Signed by the pinned key, changed afterwards."""
    return lambda: signed(entity(IDP), IDP, change)


def another_location(root: etree._Element) -> None:
    for service in root.iterfind(".//md:SingleSignOnService", NAMESPACES):
        service.set("Location", "https://idp.mallory.example/sso")


def another_key(root: etree._Element) -> None:
    evil = etree.fromstring(entity(EVIL))
    mine, theirs = (tree.find(".//md:KeyDescriptor", NAMESPACES) for tree in (root, evil))
    assert mine is not None
    assert theirs is not None
    mine.addprevious(theirs)


def wrapped(place: Callable[[etree._Element, etree._Element], etree._Element]) -> Callable[[], bytes]:
    """The signed entity moved to where nobody looks, and Mallory's in its place."""

    def made() -> bytes:
        genuine = etree.fromstring(signed(entity(IDP), IDP))
        evil = etree.fromstring(entity(EVIL, identifier="_evil"))
        return etree.tostring(place(genuine, evil))

    return made


def in_extensions(genuine: etree._Element, evil: etree._Element) -> etree._Element:
    extensions = etree.Element(f"{{{NAMESPACES['md']}}}Extensions")
    extensions.append(genuine)
    evil.insert(0, extensions)
    return evil


def in_object(genuine: etree._Element, evil: etree._Element) -> etree._Element:
    """Mallory's root carries the signature, and the signed entity is an Object inside of it."""
    signature = genuine.find("ds:Signature", NAMESPACES)
    assert signature is not None
    evil.insert(0, signature)
    etree.SubElement(signature, f"{{{NAMESPACES['ds']}}}Object").append(genuine)
    return evil


def same_id(genuine: etree._Element, evil: etree._Element) -> etree._Element:
    """Both have the ID that the Reference names."""
    evil.set("ID", genuine.get("ID", ""))
    return in_object(genuine, evil)


def beside(genuine: etree._Element, evil: etree._Element) -> etree._Element:
    """Only one entity of the aggregate is signed, and the other one is read."""
    root = etree.Element(f"{{{NAMESPACES['md']}}}EntitiesDescriptor")
    root.extend([evil, genuine])
    return root


def empty_reference(root: etree._Element) -> None:
    reference = root.find(".//ds:Reference", NAMESPACES)
    assert reference is not None
    reference.set("URI", "")


def two_signatures(root: etree._Element) -> None:
    signature = root.find("ds:Signature", NAMESPACES)
    assert signature is not None
    root.insert(0, deepcopy(signature))


def unsigned_around(genuine: etree._Element, _evil: etree._Element) -> etree._Element:
    root = etree.Element(f"{{{NAMESPACES['md']}}}EntitiesDescriptor", ID="_all")
    root.append(genuine)
    return root


def case(identifier: str, story: str, document: Callable[[], bytes], phrase: str, **asked: Any) -> MetadataCase:
    return MetadataCase(identifier, story, document, phrase, asked)


def pinned(identifier: str, story: str, document: Callable[[], bytes], phrase: str) -> MetadataCase:
    return MetadataCase(identifier, story, document, phrase, PIN, lambda: signed(entity(IDP), IDP))


DTD = "document type declaration"
NOT_SIGNED = "is not signed"
BROKEN = "does not hold"

CASES = (
    case("MET-03 large", "more than 16 MiB", lambda: b"<a>" + b" " * MAXIMUM_BYTES, "16 MiB"),
    case("MET-03 tags", "a million empty elements", lambda: b"<a>" + b"<b/>" * MAXIMUM_TAGS + b"</a>", "tags"),
    case("MET-03 deep", "300 nested groups", lambda: b"<a>" * 300 + b"</a>" * 300, "well-formed"),
    case("MET-03 page", "a sign-in page", lambda: b"<!DOCTYPE html><html></html>", "web page"),
    case("MET-03 text", "no XML at all", lambda: b"hello", "not XML"),
    case("MET-03 other", "another XML document", lambda: b"<rss/>", "no metadata"),
    case("MET-03 cut", "metadata that breaks off", lambda: entity(IDP)[:-9], "well-formed"),
    case("MET-03 nothing", "nothing at all", lambda: b" \n", "empty"),
    case("MET-04", "a document type declaration", with_doctype("<!DOCTYPE x>"), DTD),
    case(
        "MET-04 file",
        "a file of the server as a NameIDFormat",
        with_doctype('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>', FORMAT.format("&f;")),
        DTD,
    ),
    case("MET-04 bomb", "a billion laughs", with_doctype(BOMB, FORMAT.format("&a9;")), DTD),
    case("MET-04 UTF-16", "one in UTF-16", lambda: "\ufeff<!DOCTYPE x><x/>".encode("utf-16"), "UTF-16"),
    case("MET-04 entity", "an entity that nothing declares", plain(before=FORMAT.format("&f;")), "well-formed"),
    case(
        "MET-06",
        "a federation without the entity that was asked for",
        lambda: aggregate(entity(IDP), entity(IDP, entity_id=MALLORY_ISSUER)),
        "does not describe",
        wanted="https://idp.nobody.example/",
    ),
    case(
        "MET-06 alike",
        "an entity ID that differs in its last slash",
        lambda: entity(IDP),
        "does not describe",
        wanted=CONTOSO_ISSUER.rstrip("/"),
    ),
    case(
        "MET-06 twice",
        "a federation where Mallory's entity has the same ID",
        lambda: aggregate(entity(IDP), entity(EVIL)),
        "twice",
        wanted=CONTOSO_ISSUER,
    ),
    case(
        "MET-06 hidden",
        "an entity in the Extensions of another",
        lambda: aggregate(
            entity(IDP, f"<md:Extensions>{entity(EVIL, entity_id='https://x/').decode()}</md:Extensions>")
        ),
        "no identity provider",
    ),
    case("MET-07", "a service provider only", plain(name="SPSSODescriptor"), "no identity provider"),
    case("MET-07 none", "an entity without any role", lambda: entity(IDP, ""), "no identity provider"),
    case(
        "MET-07 SAML 1",
        "an identity provider of SAML 1.1",
        plain(protocol="urn:oasis:names:tc:SAML:1.1:protocol"),
        "no identity provider",
    ),
    case("MET-07 SOAP", "one where nobody can sign in", plain(sign_in=""), "no sign-in"),
    case(
        "MET-07 artifact",
        "one where sign-in is by other bindings only",
        plain(sign_in=sign_in_services(bindings=("urn:oasis:names:tc:SAML:2.0:bindings:SOAP",))),
        "no sign-in",
    ),
    case(
        "MET-08",
        "metadata of yesterday",
        lambda: entity(IDP, attributes=' validUntil="2030-01-30T12:00:00Z"'),
        "expired at 2030-01-30",
    ),
    case(
        "MET-08 now",
        "metadata that ends this moment",
        lambda: entity(IDP, attributes=' validUntil="2030-01-31T12:00:00Z"'),
        "expired",
    ),
    case(
        "MET-08 role",
        "a role that has ended in an entity that has not",
        plain(attributes=' validUntil="2030-01-30T12:00:00Z"'),
        "expired",
    ),
    case(
        "MET-08 group",
        "a federation that has ended around an entity that has not",
        lambda: aggregate(entity(IDP), attributes=' validUntil="2030-01-30T12:00:00Z"'),
        "expired",
    ),
    case(
        "MET-08 words",
        "an end that is no time",
        lambda: entity(IDP, attributes=' validUntil="2031-01-30T12:00:00"'),
        "no UTC time",
    ),
    pinned("MET-09", "no signature where one is wanted", lambda: entity(IDP), NOT_SIGNED),
    pinned("MET-09 other", "another provider's signature", lambda: signed(entity(IDP), EVIL), BROKEN),
    pinned("MET-09 changed", "an endpoint that was changed after signing", sealed(another_location), BROKEN),
    pinned("MET-09 key", "a key that was added after signing", sealed(another_key), BROKEN),
    pinned("MET-09 reference", "a Reference to the whole document", sealed(empty_reference), BROKEN),
    pinned("MET-09 two", "two signatures", sealed(two_signatures), BROKEN),
    pinned("MET-09 extensions", "the signed entity in the Extensions of Mallory's", wrapped(in_extensions), NOT_SIGNED),
    pinned("MET-09 object", "the signed entity as an Object of its signature", wrapped(in_object), BROKEN),
    pinned("MET-09 same", "the same with the same ID twice", wrapped(same_id), "twice"),
    pinned("MET-09 beside", "an unsigned entity beside the signed one", wrapped(beside), NOT_SIGNED),
    pinned(
        "MET-09 around", "a group without a signature around the signed entity", wrapped(unsigned_around), NOT_SIGNED
    ),
    pinned(
        "MET-09 SHA-1",
        "a signature with SHA-1",
        lambda: _signed_with("http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        BROKEN,
    ),
    case(
        "SIG-26",
        "the only key is for encryption",
        plain(keys=key(EVIL.certificate_der, "encryption")),
        "no certificate that signs",
    ),
    case("MET-15", "the only key is too weak", plain(keys=key(WEAK.certificate_der)), "1024 bits"),
    case("MET-15 text", "the only certificate is garbage", plain(keys=key(b"x" * 300)), "left out"),
    case(
        "MET-15 name",
        "a key by its name only",
        plain(keys="<md:KeyDescriptor><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>"),
        "without a certificate",
    ),
)


def _signed_with(method: str) -> bytes:
    root = etree.fromstring(entity(IDP))
    IDP.sign(root, method=method)
    return etree.tostring(root)
