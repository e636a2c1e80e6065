"""A metadata document: its bytes within bounds, its signature, and its entities one after the other (Metadata 2.3).

Owns the limits of metadata and that it is walked once, each entity forgotten when the next one begins. Never says what
an entity means (see `sp.saml.idp_metadata`) and never lets anybody read what a wanted signature does not cover.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from lxml import etree

from sp.saml.certificates import IdpCertificate
from sp.saml.enveloped import SigningTrust, judge_enveloped
from sp.saml.errors import MetadataError, MetadataSignatureError
from sp.saml.messages import Limits
from sp.saml.report import Fault, Outcome, shown
from sp.saml.service_metadata import MD
from sp.saml.values import Name, Text
from sp.saml.xml import Document, encoding_problem, has_doctype, repeated_ids

MAXIMUM_BYTES = 16 * 1024 * 1024
# Tags of either kind. An entity that never ends cannot be forgotten, so the tree that stays is bounded by this.
MAXIMUM_TAGS = 1_500_000

ENTITY = f"{{{MD}}}EntityDescriptor"
ENTITIES = f"{{{MD}}}EntitiesDescriptor"

_LIMITS = Limits(message_bytes=MAXIMUM_BYTES, depth=64, elements=MAXIMUM_TAGS)


@dataclass(frozen=True, slots=True)
class WalkedEntity:
    """An EntityDescriptor where it stands, with the EntitiesDescriptors around it. Gone when the walk goes on."""

    element: etree._Element
    around: tuple[etree._Element, ...]


def check_bytes(data: bytes) -> None:
    """Raises MetadataError for what must not even be parsed, with a sentence that says what came instead."""
    if not data.strip():
        raise MetadataError("This is empty. Choose the identity provider's metadata file or paste its text.")
    if len(data) > MAXIMUM_BYTES:
        raise MetadataError(f"This is larger than {MAXIMUM_BYTES // 1024**2} MiB. Ask for the metadata of one entity.")
    if problem := encoding_problem(data):
        raise MetadataError(f"Metadata is read as UTF-8 only; this has {_encoding_of(problem)}.")
    _refuse_other_things(data)
    if has_doctype(data):
        raise MetadataError("Metadata has no document type declaration. This one has, so it was not read.")
    if data.count(b"<") > MAXIMUM_TAGS:
        raise MetadataError(f"This has more than {MAXIMUM_TAGS:,} tags. Ask for the metadata of one entity.")


def _encoding_of(fault: Fault) -> str:
    match fault.received:
        case Name(value) | Text(value):
            return shown(value)
    return "other bytes"


def _refuse_other_things(data: bytes) -> None:
    start = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"-----begin" in start and b"private key" in start:
        raise MetadataError("This is a private key, not metadata. It was not kept.")
    if b"-----begin" in start:
        raise MetadataError("This is a certificate, not metadata. Upload it in the form of Single Sign On.")
    if start.startswith(b"<!doctype html") or b"<html" in start:
        raise MetadataError("This is a web page, perhaps a sign-in page, and not metadata.")
    if not start.startswith(b"<"):
        raise MetadataError("This is not XML, so it is no metadata.")


def walk(data: bytes) -> Iterator[WalkedEntity]:
    """The entities of checked bytes in their order, in one pass. Raises MetadataError where the text breaks off.

    Comments are left out while parsing: one inside of a value would otherwise cut it in two (CVE-2018-0489).
    """
    events = etree.iterparse(
        BytesIO(data),
        tag=ENTITY,
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from _entities(events)
        root = events.root
    except etree.XMLSyntaxError as error:
        raise MetadataError(f"This is not well-formed XML: {shown(str(error.msg))}.") from None
    if root.tag not in {ENTITY, ENTITIES}:
        raise MetadataError(
            f"This is XML, but no metadata of an identity provider: it begins with {shown(str(root.tag))}."
        )


def walk_tree(root: etree._Element) -> Iterator[WalkedEntity]:
    """The same of a tree that is there already."""
    yield from _entities(etree.iterwalk(root, tag=ENTITY))


def _entities(events: Iterator[tuple[str, etree._Element]]) -> Iterator[WalkedEntity]:
    for _, element in events:
        around = tuple(element.iterancestors())
        # One that stands anywhere else, in Extensions or a ds:Object, describes nobody.
        if all(parent.tag == ENTITIES for parent in around):
            yield WalkedEntity(element, around)
            _forget(element)


def _forget(element: etree._Element) -> None:
    """Let go of an entity and of everything before it; the element itself is still the parser's."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def verified_root(data: bytes, pinned: IdpCertificate, now: datetime) -> etree._Element:
    """The root of checked bytes, read from what the pinned certificate's key signed (SAML2int MD02).

    The layout is that of a signed Response: one enveloped signature on the root and none anywhere else. Raises
    MetadataError where it is missing or does not hold.
    """
    document = Document(data, _LIMITS)
    if document.root is None:
        raise MetadataError("This is not well-formed XML.")
    if repeated := repeated_ids(document):
        raise MetadataError(f"An ID stands twice in this metadata, so a signature says nothing: {shown(repeated[0])}.")
    findings, root = judge_enveloped(document.root, SigningTrust((pinned,), now))
    if root is None:
        code, finding = next((code, found) for code, found in findings.items() if found.outcome is Outcome.FAILED)
        raise MetadataSignatureError(code, finding)
    return root
