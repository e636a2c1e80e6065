"""This service's own metadata: what an identity provider has to know about it (Metadata 2.4.4).

Owns the EntityDescriptor and the order of what stands in it. Never reads a private key: it is given certificates.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lxml import etree

from sp.saml import names
from sp.saml.messages import AttributeNames
from sp.saml.own_keys import PublishedKeys
from sp.saml.times import written

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
CONTENT_TYPE = "application/samlmetadata+xml"
CACHE_DURATION = timedelta(days=1)
VALIDITY = timedelta(days=14)  # whoever cannot read it again for two weeks has a fault that somebody should see

SERVICE_NAME = "Virtual Office"
NAME_ID_FORMATS = (
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
)
_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:"
_NAME_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_CONTENT_ENCRYPTION = (names.XENC11 + "aes256-gcm", names.XENC11 + "aes128-gcm")
_OAEP_DIGESTS = (names.SHA256, names.SHA1)

_PREFIXES = {"md": MD, "ds": names.DS}


@dataclass(frozen=True, slots=True)
class ServiceDescription:
    """What the metadata says. `now` is the time of asking; `sign_out_url` takes Redirect and POST, the other SOAP."""

    entity_id: str
    acs_url: str
    sign_out_url: str
    soap_sign_out_url: str
    keys: PublishedKeys
    now: datetime
    signs_requests: bool = False
    wants_signed_assertions: bool = True
    attributes: AttributeNames = field(default_factory=AttributeNames)


def metadata(description: ServiceDescription) -> bytes:
    """The EntityDescriptor as XML in UTF-8, the same bytes all day long unless something in it changes."""
    entity = _element(
        "EntityDescriptor",
        _service(description),
        entityID=description.entity_id,
        validUntil=written(_midnight(description.now) + VALIDITY),
        cacheDuration=f"P{CACHE_DURATION.days}D",
    )
    entity.set("ID", "_" + hashlib.sha256(etree.tostring(entity)).hexdigest()[:40])
    return etree.tostring(entity, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _service(description: ServiceDescription) -> etree._Element:
    return _element(
        "SPSSODescriptor",
        *(_key(certificate, "signing") for certificate in description.keys.signing),
        *(_key(certificate, "encryption", *_encryption_methods()) for certificate in description.keys.encryption),
        *_sign_out(description),
        *(_text(f"{{{MD}}}NameIDFormat", name_format) for name_format in NAME_ID_FORMATS),
        _element(
            "AssertionConsumerService",
            Binding=_BINDING + "HTTP-POST",
            Location=description.acs_url,
            index="0",
            isDefault="true",
        ),
        _attribute_service(description.attributes),
        protocolSupportEnumeration=names.SAMLP,
        AuthnRequestsSigned=_boolean(description.signs_requests),
        WantAssertionsSigned=_boolean(description.wants_signed_assertions),
    )


def _key(certificate: bytes, use: str, *methods: etree._Element) -> etree._Element:
    info = etree.Element(names.KEY_INFO)
    data = etree.SubElement(info, f"{{{names.DS}}}X509Data")
    data.append(_text(names.X509_CERTIFICATE, base64.b64encode(certificate).decode("ascii")))
    return _element("KeyDescriptor", info, *methods, use=use)


def _encryption_methods() -> tuple[etree._Element, ...]:
    """What to encrypt with, the best first; CBC is understood too, and not asked for."""
    content = tuple(_element("EncryptionMethod", Algorithm=algorithm) for algorithm in _CONTENT_ENCRYPTION)
    transport = tuple(
        _element(
            "EncryptionMethod", etree.Element(names.DIGEST_METHOD, Algorithm=digest), Algorithm=names.RSA_OAEP_MGF1P
        )
        for digest in _OAEP_DIGESTS
    )
    return content + transport


def _sign_out(description: ServiceDescription) -> tuple[etree._Element, ...]:
    places = {
        "HTTP-Redirect": description.sign_out_url,
        "HTTP-POST": description.sign_out_url,
        "SOAP": description.soap_sign_out_url,
    }
    return tuple(
        _element("SingleLogoutService", Binding=_BINDING + binding, Location=location)
        for binding, location in places.items()
    )


def _attribute_service(attributes: AttributeNames) -> etree._Element:
    requested = {
        "givenName": attributes.first_name,
        "surname": attributes.last_name,
        "emailAddress": attributes.email,
    }
    name = _text(f"{{{MD}}}ServiceName", SERVICE_NAME)
    name.set(_LANGUAGE, "en")
    return _element(
        "AttributeConsumingService",
        name,
        *(_requested(name, friendly_name) for friendly_name, name in requested.items()),
        index="0",
        isDefault="true",
    )


def _requested(name: str, friendly_name: str) -> etree._Element:
    """Wanted, never required: a sign-in does without, and an identity provider would refuse one that it cannot fill."""
    name_format = _NAME_FORMAT + ("uri" if ":" in name else "basic")
    return _element(
        "RequestedAttribute", Name=name, NameFormat=name_format, FriendlyName=friendly_name, isRequired="false"
    )


def _element(name: str, *children: etree._Element, **attributes: str) -> etree._Element:
    element = etree.Element(f"{{{MD}}}{name}", attributes, nsmap=_PREFIXES)
    element.extend(children)
    return element


def _text(tag: str, text: str) -> etree._Element:
    element = etree.Element(tag)
    element.text = text
    return element


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _boolean(value: bool) -> str:
    return "true" if value else "false"
