"""The values that pass between the formats: what is known of this service, and what comes out.

Owns the names of the products. Never writes a format.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum

from sp.saml.certificates import pem
from sp.saml.messages import AttributeNames

NAME = "Virtual Office"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
URI_NAMES = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
BASIC_NAMES = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


class Product(StrEnum):
    """The identity providers whose format is known, and one list of values for every other."""

    KEYCLOAK = "keycloak"
    AUTHENTIK = "authentik"
    OKTA = "okta"
    ENTRA = "entra"
    SIMPLESAMLPHP = "simplesamlphp"
    SHIBBOLETH = "shibboleth"
    ADFS = "adfs"
    GENERIC = "generic"


PRODUCT_NAMES = {
    Product.KEYCLOAK: "Keycloak",
    Product.AUTHENTIK: "authentik",
    Product.OKTA: "Okta",
    Product.ENTRA: "Microsoft Entra ID",
    Product.SIMPLESAMLPHP: "SimpleSAMLphp",
    Product.SHIBBOLETH: "Shibboleth",
    Product.ADFS: "AD FS",
    Product.GENERIC: "Another identity provider",
}


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What an identity provider may know of this service, as one account's settings have it.

    Certificates are DER: of `signing` the one in use comes first, of `encryption` the newest. `slug` is the account's.
    """

    slug: str
    entity_id: str
    acs_url: str
    sign_out_url: str
    metadata_url: str
    start_url: str
    name_id_format: str
    attributes: AttributeNames
    signing: tuple[bytes, ...]
    encryption: tuple[bytes, ...]
    signs_requests: bool
    wants_signed_assertion: bool
    wants_signed_response: bool

    @property
    def identifier(self) -> str:
        """A short name without surprises, for products that want one."""
        return f"virtual-office-{self.slug}"


@dataclass(frozen=True, slots=True)
class Part:
    """One text to put somewhere. `file_name` says what it would be called, `where` what to do with it."""

    file_name: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that one product needs; there is at least one part."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Unwritable:
    """Why the product's format cannot hold one of the values, as a sentence."""

    sentence: str


class UnwritableError(Exception):
    """Unwinds from the middle of a format to `configuration`, which returns the sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def base64_of(certificate: bytes) -> str:
    """A certificate's DER on one line, as most products keep it."""
    return base64.b64encode(certificate).decode("ascii")


def pem_of(certificate: bytes) -> str:
    return pem(certificate)


def name_format_of(attribute: str) -> str:
    """The NameFormat that our metadata asks for with this Name (Core 8.2)."""
    return URI_NAMES if ":" in attribute else BASIC_NAMES


def refuse(value: str, what: str, *forbidden: str) -> str:
    """The value, or UnwritableError where it holds something that the format would act on."""
    for text in forbidden:
        if text in value:
            raise UnwritableError(f"{what} holds {text!r}, which this format cannot express.")
    return value
