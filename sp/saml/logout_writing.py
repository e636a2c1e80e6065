"""Writing our own logout messages (Core 3.7).

Owns what stands in them. Never signs one (`sp.saml.message_signing`, `sp.saml.redirect_binding`) and never chooses
an ID: whoever sends it does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from sp.saml import names
from sp.saml.messages import NameId
from sp.saml.times import written

_PREFIXES = {"samlp": names.SAMLP, "saml": names.SAML}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every message of ours says about itself. `id` begins with a letter or `_`; `issuer` is our entity ID."""

    id: str
    issued_at: datetime
    destination: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a request: a top-level code, perhaps a second one, and a sentence for whoever reads the log."""

    code: str
    second_code: str = ""
    sentence: str = ""


def logout_request(envelope: Envelope, name_id: NameId, session_index: str, valid_until: datetime) -> bytes:
    """A LogoutRequest for one session, or for all of the person's where `session_index` is ''.

    The name is written as the identity provider sent it, format and qualifiers included (SDP-SP29): it knows the
    person by nothing else.
    """
    root = _root("LogoutRequest", envelope)
    root.set("NotOnOrAfter", written(valid_until.replace(microsecond=0)))
    root.append(_name_id(name_id))
    if session_index:
        etree.SubElement(root, names.SESSION_INDEX).text = session_index
    return etree.tostring(root, encoding="UTF-8")


def logout_response(envelope: Envelope, in_response_to: str, status: Status) -> bytes:
    root = _root("LogoutResponse", envelope)
    root.set("InResponseTo", in_response_to)
    element = etree.SubElement(root, names.STATUS)
    code = etree.SubElement(element, names.STATUS_CODE, Value=status.code)
    if status.second_code:
        etree.SubElement(code, names.STATUS_CODE, Value=status.second_code)
    if status.sentence:
        etree.SubElement(element, names.STATUS_MESSAGE).text = status.sentence
    return etree.tostring(root, encoding="UTF-8")


def _root(name: str, envelope: Envelope) -> etree._Element:
    attributes = {
        "ID": envelope.id,
        "Version": "2.0",
        "IssueInstant": written(envelope.issued_at.replace(microsecond=0)),
        **({"Destination": envelope.destination} if envelope.destination else {}),
    }
    root = etree.Element(f"{{{names.SAMLP}}}{name}", attributes, nsmap=_PREFIXES)
    etree.SubElement(root, names.ISSUER).text = envelope.issuer
    return root


def _name_id(name_id: NameId) -> etree._Element:
    element = etree.Element(names.NAME_ID, _given(name_id), nsmap=_PREFIXES)
    element.text = name_id.value
    return element


def _given(name_id: NameId) -> dict[str, str]:
    pairs: Iterable[tuple[str, str | None]] = (
        ("NameQualifier", name_id.name_qualifier),
        ("SPNameQualifier", name_id.sp_name_qualifier),
        ("Format", name_id.format),
    )
    return {name: value for name, value in pairs if value is not None}
