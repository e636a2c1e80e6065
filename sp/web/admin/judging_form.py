"""The form "Judge again": what of the circumstances somebody wants to change.

Owns its fields and what is wrong with them. Never stores what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sp.flows.judging_again import Changes
from sp.models import SsoSettings
from sp.saml.messages import SignedPart
from sp.store.rows import required
from sp.web.admin.saml_form import CERTIFICATE, Submission, submitted_certificate
from sp.web.admin.sign_in_log_address import time_of
from sp.web.errors import PageError

TEXTS = ("version", "issuer", "entity_id", "acs_url", "at", "allow_sha1", "signed_part")
_LONGEST = 2048
_NO_TIME = "Write a UTC time like 2030-01-31T12:00:00Z."
_TOO_LONG = "This is longer than any such value."
_NO_VERSION = "There is no such version of the settings."


@dataclass(frozen=True, slots=True)
class Asked:
    """The form as it was sent: its texts, what they ask for, and one sentence for each field that is wrong."""

    values: Mapping[str, str]
    changes: Changes = field(default_factory=Changes)
    errors: Mapping[str, str] = field(default_factory=dict)
    certificate_text: str = ""


def untouched(values: Mapping[str, str]) -> Asked:
    """The form before anything was typed."""
    return Asked(values)


def asked(
    sent: Submission, shown: Mapping[str, str], versions: Mapping[int, SsoSettings], then: SsoSettings | None
) -> Asked:
    """What was asked for. `shown` is what the form showed at first: a field that still says so changes nothing.

    `versions` are those that may be chosen, by their number; `then` is the one in force then, if there was one.
    """
    values = {name: sent.fields.get(name, "").strip() for name in TEXTS}
    errors = {name: _TOO_LONG for name, text in values.items() if len(text) > _LONGEST}
    certificate = submitted_certificate(sent)
    if certificate.fault:
        errors[CERTIFICATE] = certificate.fault
    settings_id = _version(values["version"], versions, errors)
    if then is not None and settings_id == then.id:
        settings_id = None
    now = _time(values["at"], errors) if values["at"] != shown["at"] else None
    changes = Changes(
        settings_id=settings_id,
        certificates=(certificate.certificate,) if certificate.certificate else None,
        issuer=_changed(values, shown, "issuer"),
        entity_id=_changed(values, shown, "entity_id"),
        acs_url=_changed(values, shown, "acs_url"),
        now=now,
        allow_sha1={"yes": True, "no": False}.get(values["allow_sha1"]),
        signed_part=SignedPart(values["signed_part"]) if values["signed_part"] in set(SignedPart) else None,
    )
    return Asked(values, changes, errors, certificate.text)


def _changed(values: Mapping[str, str], shown: Mapping[str, str], name: str) -> str | None:
    """What was typed, or None where it is empty or says what it said at first."""
    return None if values[name] in {"", shown[name]} else values[name]


def _version(text: str, versions: Mapping[int, SsoSettings], errors: dict[str, str]) -> int | None:
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if number not in versions:
        errors["version"] = _NO_VERSION
        return None
    return required(versions[number].id)


def _time(text: str, errors: dict[str, str]) -> datetime | None:
    try:
        return time_of(text)
    except PageError:
        errors["at"] = _NO_TIME
        return None
