"""What was sent with the form "SAML Single Sign on", read within bounds.

Owns the names of its fields and what of a refused certificate may be shown again. Never keeps a private key: what
could be one is neither stored nor written back into the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from sp.flows.account_setup import SsoDraft
from sp.saml.certificates import MAXIMUM_BYTES, IdpCertificate, read_certificate
from sp.saml.errors import CertificateError

TEXTS = (
    "sign_in_url",
    "sign_out_url",
    "issuer",
    "user_mapping",
    "signed_part",
    "first_name_attribute",
    "last_name_attribute",
    "email_attribute",
)
FLAGS = ("provisioning", "unsolicited", "allow_sha1", "accept_transient", "refuse_unsigned_cbc")
CERTIFICATE = "certificate"  # the file; pasted text comes as certificate_text
CARRIED = "certificate_carried"  # a certificate that was understood before another field was refused

KEEP = "keep_certificates"

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----")
_SLIP_LENGTH = 40  # characters: the shortest private key in use, 32 bytes, has 44 in base64


@dataclass(frozen=True, slots=True)
class Submission:
    """The texts by field name, and the chosen file, of which at most one byte too many was read."""

    fields: Mapping[str, str]
    file: bytes = b""

    @property
    def based_on(self) -> int:
        """The version of the settings that the form was made from; 0 when it does not say."""
        version = self.fields.get("version", "")
        return int(version) if version.isdecimal() and len(version) < 10 else 0

    @property
    def pasted(self) -> str:
        return self.fields.get(f"{CERTIFICATE}_text", "")


@dataclass(frozen=True, slots=True)
class SubmittedDraft:
    """The settings as the form would make them; `faults` says what of it could not be read, by the settings' names."""

    draft: SsoDraft
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubmittedCertificate:
    """The certificate that was understood, or why not; `text` is what of the pasted text may be shown again."""

    certificate: IdpCertificate | None = None
    fault: str = ""
    text: str = ""


async def submission(request: Request) -> Submission:
    """Dependency: the whole form. `sp.web.body_limit` bounds it, and the file is in memory only."""
    form = await request.form()
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    chosen = form.get(CERTIFICATE)
    file = await chosen.read(MAXIMUM_BYTES + 1) if isinstance(chosen, UploadFile) else b""
    return Submission(texts, file)


SubmissionDep = Annotated[Submission, Depends(submission)]


def saml_values(draft: SsoDraft) -> dict[str, str | bool]:
    """The fields of the form as the settings have them."""
    return {name: getattr(draft, name) for name in (*TEXTS, *FLAGS)}


def submitted_values(sent: Submission) -> dict[str, str | bool]:
    """The fields of the form as they were sent. A box that is not ticked is not sent; a text always is."""
    texts = {name: sent.fields[name] for name in TEXTS if name in sent.fields}
    return {**texts, **{name: name in sent.fields for name in FLAGS}}


def submitted_certificate(sent: Submission) -> SubmittedCertificate:
    """The chosen file, else the pasted text, else the certificate that the form carries along."""
    data = sent.file or sent.pasted.strip().encode() or sent.fields.get(CARRIED, "").encode()
    if not data:
        return SubmittedCertificate()
    try:
        return SubmittedCertificate(read_certificate(data), text=_harmless(sent.pasted))
    except CertificateError as error:
        return SubmittedCertificate(fault=str(error), text=_harmless(sent.pasted))


def submitted_draft(sent: Submission, current: SsoDraft) -> SubmittedDraft:
    """What was sent on top of the settings in force, good or not, for whoever looks before it is saved."""
    return draft_with(current, submitted_values(sent), submitted_certificate(sent), keep=KEEP in sent.fields)


def draft_with(
    current: SsoDraft, values: Mapping[str, Any], read: SubmittedCertificate, *, keep: bool
) -> SubmittedDraft:
    """The same for a form that was read before."""
    changes = {**values, **certificate_change(current, read.certificate, keep=keep)}
    return SubmittedDraft(replace(current, **changes), {"certificates": read.fault} if read.fault else {})


def certificate_change(
    current: SsoDraft, new: IdpCertificate | None, *, keep: bool
) -> dict[str, tuple[IdpCertificate, ...]]:
    """A new certificate takes the place of those that are here, or stands beside them while keys change over."""
    if new is None:
        return {}
    others = tuple(other for other in current.certificates if other != new) if keep else ()
    return {"certificates": (*others, new)}


def _harmless(text: str) -> str:
    """The pasted text, or "" when more than a slip of it is no certificate: that may be a private key."""
    rest = _BLOCK.sub(_without_certificate, text).strip()
    return text if len(rest) < _SLIP_LENGTH else ""


def _without_certificate(block: re.Match[str]) -> str:
    """Nothing for a block that holds a certificate; anything else stays, whatever its label says."""
    try:
        read_certificate(block[0].encode())
    except CertificateError:
        return block[0]
    return ""
