"""The metadata of identity providers: which ones a document describes, and what one of them says (Metadata 2.4.3).

Owns what is read and what is refused. Never fetches anything, never trusts anything by itself, and never decides what
an account does with it: `sp.flows.metadata_import` does.
"""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from lxml import etree

from sp.saml import names
from sp.saml.certificates import MAXIMUM_BYTES as MAXIMUM_CERTIFICATE
from sp.saml.certificates import IdpCertificate, read_certificate
from sp.saml.errands import on_an_errand
from sp.saml.errors import CertificateError, MetadataError
from sp.saml.metadata_document import WalkedEntity, check_bytes, verified_root, walk, walk_tree
from sp.saml.report import shown
from sp.saml.service_metadata import MD
from sp.saml.times import instant, written
from sp.saml.xml import XML_SPACE, child, text_of

MDUI = "urn:oasis:names:tc:SAML:metadata:ui"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
ROLE = f"{{{MD}}}IDPSSODescriptor"
SIGN_IN_SERVICE = f"{{{MD}}}SingleSignOnService"
SIGN_OUT_SERVICE = f"{{{MD}}}SingleLogoutService"
KEY = f"{{{MD}}}KeyDescriptor"
NAME_ID_FORMAT = f"{{{MD}}}NameIDFormat"

# The first one that is offered is taken: everybody understands Redirect, and a request fits into an address.
BINDINGS = {names.REDIRECT_BINDING: "redirect", names.POST_BINDING: "post"}

_READ_AT_MOST = 64  # endpoints, keys and formats of one entity; real ones have a handful
_NAME_CHARACTERS = 256
_FAR_OFF = timedelta(days=10 * 365)
_LONGEST_DURATION = timedelta(days=3650)
_DURATION = re.compile(
    r"P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?",
    re.ASCII,
)
_DURATION_DAYS = (365, 30, 1, 1 / 24, 1 / 1440, 1 / 86400)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages of one binding go, "redirect" or "post"; answers elsewhere where `response_location` says so."""

    binding: str
    location: str
    response_location: str = ""


@dataclass(frozen=True, slots=True)
class IdpEntity:
    """What an identity provider says about itself. Texts are as written: whoever saves them judges them.

    `certificates` verify (Metadata 2.4.1.1: use is "signing" or missing). `notes` are sentences about what was left
    out or is odd. Times are aware and in UTC.
    """

    entity_id: str
    certificates: tuple[IdpCertificate, ...]
    sign_in: tuple[Endpoint, ...]
    sign_out: tuple[Endpoint, ...] = ()
    wants_signed_requests: bool = False
    name_id_formats: tuple[str, ...] = ()
    display_name: str = ""
    valid_until: datetime | None = None
    cache_duration: timedelta | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ListedProvider:
    """An identity provider among others: what to choose it by."""

    entity_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class IdpMetadataDocument:
    """The identity providers of one document, and the one that was asked for, or the only one."""

    providers: tuple[ListedProvider, ...]
    entity: IdpEntity | None = None


@dataclass(frozen=True, slots=True)
class FoundProviders:
    """The first identity providers that match a search, how many do, and how many there are."""

    entities: tuple[IdpEntity, ...]
    unusable: tuple[tuple[ListedProvider, str], ...]  # those among the first that cannot be taken, and why
    matching: int
    total: int


@on_an_errand
def read_metadata(
    data: bytes, now: datetime, *, wanted: str = "", pinned: IdpCertificate | None = None
) -> IdpMetadataDocument:
    """The identity providers in a metadata document; `wanted` is the entity ID of the one to read.

    With `pinned`, the root must be signed by that certificate's key, and only what was signed is read. Raises
    MetadataError with a sentence for the person who gave the document.
    """
    listed, entity = _read_all(_walked(data, now, pinned), wanted, now)
    if not listed:
        raise MetadataError(
            "This metadata describes no identity provider that speaks SAML 2.0: it has no IDPSSODescriptor for it."
        )
    if isinstance(entity, MetadataError):
        raise entity
    if wanted and entity is None:
        raise MetadataError(f"This metadata does not describe {shown(wanted)}.")
    return IdpMetadataDocument(tuple(listed), entity)


@on_an_errand
def search_metadata(
    data: bytes, now: datetime, text: str, *, pinned: IdpCertificate | None = None, at_most: int
) -> FoundProviders:
    """The providers whose entity ID or name has `text` in it, whatever its case; the first ones are read.

    Raises MetadataError as `read_metadata` does.
    """
    first: list[tuple[ListedProvider, IdpEntity | MetadataError]] = []
    matching = 0
    counted: Counter[str] = Counter()
    for walked in _walked(data, now, pinned):
        roles = _roles(walked.element)
        if not roles:
            continue
        listed = _listed(walked.element, roles)
        counted[listed.entity_id] += 1
        if text.casefold() in f"{listed.entity_id}\n{listed.display_name}".casefold():
            matching += 1
            if matching <= at_most:
                first.append((listed, _tried(walked, roles, now)))
    judged = [(listed, _twice(listed) if counted[listed.entity_id] > 1 else found) for listed, found in first]
    return FoundProviders(
        tuple(found for _, found in judged if isinstance(found, IdpEntity)),
        tuple((listed, str(found)) for listed, found in judged if isinstance(found, MetadataError)),
        matching,
        counted.total(),
    )


def _twice(listed: ListedProvider) -> MetadataError:
    return MetadataError(f"This metadata describes {shown(listed.entity_id)} twice, so neither can be believed.")


def _walked(data: bytes, now: datetime, pinned: IdpCertificate | None) -> Iterator[WalkedEntity]:
    check_bytes(data)
    return walk(data) if pinned is None else walk_tree(verified_root(data, pinned, now))


def _listed(element: etree._Element, roles: tuple[etree._Element, ...]) -> ListedProvider:
    return ListedProvider(element.get("entityID", "").strip(XML_SPACE), _display_name(element, roles))


def _read_all(
    entities: Iterable[WalkedEntity], wanted: str, now: datetime
) -> tuple[list[ListedProvider], IdpEntity | MetadataError | None]:
    """One pass. What is wrong with an entity that nobody asks for is nobody's business."""
    listed: list[ListedProvider] = []
    entity: IdpEntity | MetadataError | None = None
    for walked in entities:
        roles = _roles(walked.element)
        if not roles:
            continue
        listed.append(_listed(walked.element, roles))
        entity_id = listed[-1].entity_id
        if wanted and entity_id == wanted and entity is not None:
            entity = _twice(listed[-1])
        elif entity_id == wanted or (not wanted and len(listed) == 1):
            entity = _tried(walked, roles, now)
    return listed, entity if wanted or len(listed) == 1 else None


def _roles(element: etree._Element) -> tuple[etree._Element, ...]:
    """The descriptors of an identity provider that speaks SAML 2.0; one entity may have several (Metadata 2.3.2)."""
    found = element.iterchildren(ROLE)
    return tuple(role for role in found if names.SAMLP in role.get("protocolSupportEnumeration", "").split())


def _tried(walked: WalkedEntity, roles: tuple[etree._Element, ...], now: datetime) -> IdpEntity | MetadataError:
    try:
        return _entity(walked, roles, now)
    except MetadataError as error:
        return error


def _entity(walked: WalkedEntity, roles: tuple[etree._Element, ...], now: datetime) -> IdpEntity:
    valid_until, cache_duration, notes = _validity((walked.element, *roles, *walked.around), now)
    certificates, left_out = _certificates(roles)
    sign_in = tuple(_endpoints(roles, SIGN_IN_SERVICE))
    if not sign_in:
        raise MetadataError("This identity provider offers no sign-in by HTTP-Redirect or HTTP-POST.")
    if not certificates:
        why = " ".join(left_out) or "It has no certificate that signs."
        raise MetadataError(f"Nothing of this identity provider could be verified. {why}")
    return IdpEntity(
        entity_id=walked.element.get("entityID", "").strip(XML_SPACE),
        certificates=certificates,
        sign_in=sign_in,
        sign_out=tuple(_endpoints(roles, SIGN_OUT_SERVICE)),
        wants_signed_requests=any(role.get("WantAuthnRequestsSigned", "").strip() in {"true", "1"} for role in roles),
        name_id_formats=tuple(_texts(roles, NAME_ID_FORMAT)),
        display_name=_display_name(walked.element, roles),
        valid_until=valid_until,
        cache_duration=cache_duration,
        notes=(*left_out, *notes),
    )


def _endpoints(roles: tuple[etree._Element, ...], tag: str) -> Iterator[Endpoint]:
    """The endpoints by bindings that are spoken here, the preferred one first (Metadata 2.2.2)."""
    found = [element for role in roles for element in role.iterchildren(tag)][:_READ_AT_MOST]
    for uri, binding in BINDINGS.items():
        for element in found:
            location = element.get("Location", "").strip(XML_SPACE)
            if element.get("Binding", "").strip(XML_SPACE) == uri and location:
                yield Endpoint(binding, location, element.get("ResponseLocation", "").strip(XML_SPACE))


def _certificates(roles: tuple[etree._Element, ...]) -> tuple[tuple[IdpCertificate, ...], list[str]]:
    """The usable certificates that sign, each once, and a sentence for each one that was left out."""
    found: dict[IdpCertificate, None] = {}
    left_out = []
    keys = (element for role in roles for element in role.iterchildren(KEY))
    for element in islice(keys, _READ_AT_MOST):
        if element.get("use", "signing").strip(XML_SPACE) != "signing":
            continue
        try:
            found[_certificate(element)] = None
        except CertificateError as error:
            left_out.append(f"A certificate was left out: {error}")
    return tuple(found), left_out


def _certificate(descriptor: etree._Element) -> IdpCertificate:
    """The certificate of one key. Those that follow in its X509Data issued it, and must not come to be trusted."""
    element = child(descriptor, names.KEY_INFO, f"{{{names.DS}}}X509Data", names.X509_CERTIFICATE)
    if element is None:
        raise CertificateError("a key without a certificate (ds:X509Certificate).")
    text = "".join(text_of(element).split())
    if len(text) > MAXIMUM_CERTIFICATE:
        raise CertificateError("it is larger than 64 KiB.")
    try:
        return read_certificate(binascii.a2b_base64(text.encode("ascii"), strict_mode=True))
    except (ValueError, UnicodeEncodeError):
        raise CertificateError("its text is no base64.") from None


def _validity(
    elements: tuple[etree._Element, ...], now: datetime
) -> tuple[datetime | None, timedelta | None, list[str]]:
    """Until when it may be used and for how long it may be kept: the shortest that it or anything around it says."""
    ends: list[datetime] = []
    kept: list[timedelta] = []
    notes = []
    for element in elements:
        ends += _valid_until(element.get("validUntil"))
        duration = element.get("cacheDuration")
        if duration is not None and (read := duration_of(duration)) is not None:
            kept.append(read)
        elif duration is not None:
            notes.append(f"Its cacheDuration cannot be read and counts as missing: {shown(duration)}.")
    end = min(ends, default=None)
    if end is not None and end <= now:
        raise MetadataError(f"This metadata expired at {written(end)}. Ask the identity provider for the current one.")
    if end is not None and end - now > _FAR_OFF:
        notes.append(f"It says that it is valid until {written(end)}, which is no limit at all.")
    return end, min(kept, default=None), notes


def _valid_until(text: str | None) -> Iterator[datetime]:
    if text is None:
        return
    end = instant(text.strip(XML_SPACE))
    if end is None:
        raise MetadataError(f"Its validUntil is no UTC time, so nobody knows whether it has expired: {shown(text)}.")
    yield end


def duration_of(text: str) -> timedelta | None:
    """The length that an xs:duration names, years as 365 and months as 30 days, at most ten years.

    None for anything else, a negative one and an empty one included.
    """
    match = _DURATION.fullmatch(text.strip(XML_SPACE))
    if match is None or not any(match.groups()):
        return None
    days = sum(int(part) * size for part, size in zip(match.groups(default="0"), _DURATION_DAYS, strict=True))
    return timedelta(days=min(days, _LONGEST_DURATION.days))


def _display_name(element: etree._Element, roles: tuple[etree._Element, ...]) -> str:
    """What its people call it, in English where there is a choice: for choosing, never for trust."""
    places = [child(role, f"{{{MD}}}Extensions", f"{{{MDUI}}}UIInfo") for role in roles]
    found = [name for place in places if place is not None for name in place.iterchildren(f"{{{MDUI}}}DisplayName")]
    organization = child(element, f"{{{MD}}}Organization")
    if not found and organization is not None:
        found = list(organization.iterchildren(f"{{{MD}}}OrganizationDisplayName"))
    english = (name for name in found if name.get(LANGUAGE, "").lower().startswith("en"))
    chosen = next(english, found[0] if found else None)
    return "" if chosen is None else shown(" ".join(text_of(chosen).split()))[:_NAME_CHARACTERS]


def _texts(roles: tuple[etree._Element, ...], tag: str) -> list[str]:
    elements = (element for role in roles for element in role.iterchildren(tag))
    return list(dict.fromkeys(text_of(element).strip(XML_SPACE) for element in islice(elements, _READ_AT_MOST)))
