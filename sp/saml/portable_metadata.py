"""One entity written as small metadata of its own: what a page carries from the choice to the preview and on to "Save".

Owns that reading it again gives an equal entity. Never keeps a signature: whoever reads it back cannot check one.
"""

from __future__ import annotations

import base64

from lxml import etree

from sp.saml import names
from sp.saml.idp_metadata import (
    BINDINGS,
    KEY,
    LANGUAGE,
    MDUI,
    NAME_ID_FORMAT,
    ROLE,
    SIGN_IN_SERVICE,
    SIGN_OUT_SERVICE,
    Endpoint,
    IdpEntity,
)
from sp.saml.metadata_document import ENTITY
from sp.saml.service_metadata import MD
from sp.saml.times import written

_URIS = {binding: uri for uri, binding in BINDINGS.items()}
_PREFIXES = {"md": MD, "ds": names.DS, "mdui": MDUI}


def portable(entity: IdpEntity) -> str:
    """The entity as XML. Its notes are left out, as is everything that was left out when it was read."""
    root = etree.Element(ENTITY, entityID=entity.entity_id, nsmap=_PREFIXES)
    if entity.valid_until is not None:
        root.set("validUntil", written(entity.valid_until))
    if entity.cache_duration is not None:
        root.set("cacheDuration", f"PT{int(entity.cache_duration.total_seconds())}S")
    role = etree.SubElement(root, ROLE, protocolSupportEnumeration=names.SAMLP)
    if entity.wants_signed_requests:
        role.set("WantAuthnRequestsSigned", "true")
    _write_name(role, entity.display_name)
    for certificate in entity.certificates:
        _write_key(role, certificate.der)
    _write_endpoints(role, SIGN_OUT_SERVICE, entity.sign_out)
    for name_format in entity.name_id_formats:
        etree.SubElement(role, NAME_ID_FORMAT).text = name_format
    _write_endpoints(role, SIGN_IN_SERVICE, entity.sign_in)
    return etree.tostring(root, encoding="unicode")


def _write_name(role: etree._Element, name: str) -> None:
    if name:
        info = etree.SubElement(etree.SubElement(role, f"{{{MD}}}Extensions"), f"{{{MDUI}}}UIInfo")
        display = etree.SubElement(info, f"{{{MDUI}}}DisplayName")
        display.text = name
        display.set(LANGUAGE, "en")


def _write_key(role: etree._Element, der: bytes) -> None:
    info = etree.SubElement(etree.SubElement(role, KEY, use="signing"), names.KEY_INFO)
    data = etree.SubElement(info, f"{{{names.DS}}}X509Data")
    etree.SubElement(data, names.X509_CERTIFICATE).text = base64.b64encode(der).decode("ascii")


def _write_endpoints(role: etree._Element, tag: str, endpoints: tuple[Endpoint, ...]) -> None:
    for endpoint in endpoints:
        element = etree.SubElement(role, tag, Binding=_URIS[endpoint.binding], Location=endpoint.location)
        if endpoint.response_location:
            element.set("ResponseLocation", endpoint.response_location)
