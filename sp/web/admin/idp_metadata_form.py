"""What was sent to the metadata page, read within bounds: where the metadata is, and who must have signed it.

Owns the names of the fields and turning them into metadata, or into a sentence for each field that is wrong. Never
saves anything, and never writes a file or a private key back into a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from sp.flows.metadata_addresses import Refused
from sp.flows.metadata_answers import Fetched
from sp.flows.metadata_fetching import fetch_anew
from sp.flows.metadata_import import Source
from sp.outgoing import run_outgoing
from sp.saml.certificates import MAXIMUM_BYTES as MAXIMUM_CERTIFICATE
from sp.saml.certificates import IdpCertificate, read_certificate
from sp.saml.errors import CertificateError, MetadataError
from sp.saml.idp_metadata import FoundProviders, IdpEntity, read_metadata, search_metadata
from sp.saml.metadata_document import MAXIMUM_BYTES
from sp.web.admin.managed import ManagedAccountDep
from sp.web.state import Service, ServiceDep

URL, FILE, TEXT = "url", "metadata", "metadata_text"
CHOSEN = "chosen"  # an entity that was read before, as small metadata of its own
PINNED = "pinned"  # the certificate's file; pasted text comes as pinned_text
WANTED, FOLLOW = "wanted", "follow"
LISTED = 50
_MOST_FIELDS = 50
_MOST_FILES = 2  # metadata and a certificate

_NOTHING = "Enter an address, choose a file or paste the text."
_TOO_MUCH = "Give one of the three: an address, a file or a text."


@dataclass(frozen=True, slots=True)
class SentMetadata:
    """The texts by field name, and the files, of which at most one byte too many was read."""

    fields: Mapping[str, str]
    file: bytes = b""
    pin: bytes = b""

    def text(self, name: str) -> str:
        return self.fields.get(name, "").strip()

    @property
    def based_on(self) -> int:
        """The version of the settings that the preview was made from; 0 when it does not say."""
        version = self.text("version")
        return int(version) if version.isdecimal() and version.isascii() and len(version) < 10 else 0


@dataclass(frozen=True, slots=True)
class ReadMetadata:
    """The entity, or those to choose from, or a sentence for each field that is wrong."""

    entity: IdpEntity | None = None
    found: FoundProviders | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    pinned: IdpCertificate | None = None


async def sent_metadata(request: Request) -> SentMetadata:
    """Dependency: the whole form. `sp.web.body_limit` bounds it."""
    form = await request.form(max_fields=_MOST_FIELDS, max_files=_MOST_FILES, max_part_size=MAXIMUM_BYTES)
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    file, pin = form.get(FILE), form.get(PINNED)
    return SentMetadata(
        texts,
        await file.read(MAXIMUM_BYTES + 1) if isinstance(file, UploadFile) else b"",
        await pin.read(MAXIMUM_CERTIFICATE + 1) if isinstance(pin, UploadFile) else b"",
    )


SentMetadataDep = Annotated[SentMetadata, Depends(sent_metadata)]


async def fetched_metadata(
    request: Request, account: ManagedAccountDep, service: ServiceDep, sent: SentMetadataDep
) -> Fetched | Refused | None:
    """Dependency: what the address in the form answers; None where the form gives no address, or more than that."""
    if _given(sent) != [URL]:
        return None
    return await run_outgoing(request, account.id, partial(fetch_anew, service.settings, sent.text(URL)))


FetchedMetadataDep = Annotated[Fetched | Refused | None, Depends(fetched_metadata)]


def read_sent(service: Service, sent: SentMetadata, fetched: Fetched | Refused | None = None) -> ReadMetadata:
    """Read what the form gives: an entity carried by a page of ours, what was fetched, a file or a text."""
    try:
        pinned = _pinned(sent)
    except CertificateError as error:
        return ReadMetadata(errors={PINNED: str(error)})
    if sent.text(CHOSEN):
        return _read_chosen(service, sent, pinned)
    named = _given(sent)
    if len(named) != 1:
        return ReadMetadata(errors={named[0] if named else URL: _TOO_MUCH if named else _NOTHING}, pinned=pinned)
    source = named[0]
    data = _data(sent, source, fetched)
    if isinstance(data, Refused):
        return ReadMetadata(errors={URL: data.sentence}, pinned=pinned)
    return _read(service, data, source, sent.text(WANTED), pinned)


def _read_chosen(service: Service, sent: SentMetadata, pinned: IdpCertificate | None) -> ReadMetadata:
    """The entity that a page of ours carries. Its signature, if one was asked for, was checked when it was read."""
    try:
        return ReadMetadata(read_metadata(sent.text(CHOSEN).encode(), service.now()).entity, pinned=pinned)
    except MetadataError as error:
        return ReadMetadata(errors={URL: str(error)}, pinned=pinned)


def source_of(sent: SentMetadata, pinned: IdpCertificate | None) -> Source | None:
    """Where to follow the metadata, if that is wanted."""
    return Source(sent.text(URL), pinned) if FOLLOW in sent.fields and sent.text(URL) else None


def _pinned(sent: SentMetadata) -> IdpCertificate | None:
    """Raises CertificateError."""
    data = sent.pin or sent.text(f"{PINNED}_text").encode()
    return read_certificate(data) if data else None


def _given(sent: SentMetadata) -> list[str]:
    """The fields that give metadata; none where the form carries an entity that was read before."""
    given = {URL: sent.text(URL), FILE: sent.file, TEXT: sent.text(TEXT)}
    return [] if sent.text(CHOSEN) else [name for name, value in given.items() if value]


def _data(sent: SentMetadata, source: str, fetched: Fetched | Refused | None) -> bytes | Refused:
    if source == FILE:
        return sent.file
    if source == TEXT:
        return sent.text(TEXT).encode()
    if fetched is None:
        raise RuntimeError("the address was not fetched")
    return fetched if isinstance(fetched, Refused) else fetched.data


def _read(service: Service, data: bytes, source: str, wanted: str, pinned: IdpCertificate | None) -> ReadMetadata:
    now = service.now()
    try:
        document = read_metadata(data, now, pinned=pinned)
        if document.entity is not None:
            return ReadMetadata(document.entity, pinned=pinned)
        if any(provider.entity_id == wanted for provider in document.providers):
            return ReadMetadata(read_metadata(data, now, wanted=wanted, pinned=pinned).entity, pinned=pinned)
        found = search_metadata(data, now, wanted, pinned=pinned, at_most=LISTED)
    except MetadataError as error:
        return ReadMetadata(errors={source: str(error)}, pinned=pinned)
    if not found.entities:
        return ReadMetadata(errors={WANTED: f"None of {found.total:,} identity providers matches."}, pinned=pinned)
    return ReadMetadata(found=found, pinned=pinned)
