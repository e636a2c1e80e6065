"""Metadata of identity providers, as they publish it, with one flaw where a story wants one.

Owns the text. Never reads it. What a story does not mention has a good default: `entity(idp)` describes a provider that
signs people in and out by Redirect and POST.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from xml.sax.saxutils import quoteattr

from lxml import etree
from responses import Idp

from sp.saml import names
from sp.saml.service_metadata import MD

REDIRECT, POST = names.REDIRECT_BINDING, names.POST_BINDING
NAMESPACES = {"md": MD, "ds": names.DS}
_DECLARED = f'xmlns:md="{MD}" xmlns:ds="{names.DS}" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"'

SIGN_IN = "https://idp.contoso.example/sso"
SIGN_OUT = "https://idp.contoso.example/slo"


def key(der: bytes, use: str | None = "signing") -> str:
    told = "" if use is None else f' use="{use}"'
    text = base64.encodebytes(der).decode("ascii")
    return (
        f"<md:KeyDescriptor{told}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def service(name: str, binding: str, location: str, response_location: str = "") -> str:
    answers = f" ResponseLocation={quoteattr(response_location)}" if response_location else ""
    return f'<md:{name} Binding="{binding}" Location={quoteattr(location)}{answers}/>'


def sign_in_services(location: str = SIGN_IN, bindings: Sequence[str] = (POST, REDIRECT)) -> str:
    return "".join(service("SingleSignOnService", binding, location) for binding in bindings)


def sign_out_services(location: str = SIGN_OUT, response: str = "", bindings: Sequence[str] = (POST, REDIRECT)) -> str:
    return "".join(service("SingleLogoutService", binding, location, response) for binding in bindings)


def named(name: str, language: str = "en") -> str:
    return (
        f'<md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang="{language}">{name}</mdui:DisplayName></mdui:UIInfo>'
        "</md:Extensions>"
    )


def role(
    idp: Idp,
    *,
    keys: str | None = None,
    sign_in: str | None = None,
    sign_out: str | None = None,
    before: str = "",
    attributes: str = "",
    protocol: str = names.SAMLP,
    name: str = "IDPSSODescriptor",
) -> str:
    """The descriptor of the role of an identity provider; `before` stands first in it."""
    inside = (
        before,
        key(idp.certificate_der) if keys is None else keys,
        sign_out_services() if sign_out is None else sign_out,
        sign_in_services() if sign_in is None else sign_in,
    )
    return f'<md:{name} protocolSupportEnumeration="{protocol}"{attributes}>{"".join(inside)}</md:{name}>'


def entity(
    idp: Idp,
    inside: str | None = None,
    *,
    entity_id: str | None = None,
    attributes: str = "",
    identifier: str = "_entity",
) -> bytes:
    """The EntityDescriptor of a provider; `inside` is its one role unless told otherwise."""
    known = quoteattr(idp.entity_id if entity_id is None else entity_id)
    told = f"<md:EntityDescriptor {_DECLARED} entityID={known} ID={quoteattr(identifier)}{attributes}>"
    return (told + (role(idp) if inside is None else inside) + "</md:EntityDescriptor>").encode()


def aggregate(*entities: bytes, attributes: str = "", before: str = "") -> bytes:
    inside = b"\n".join(entities)
    return (
        f"<md:EntitiesDescriptor {_DECLARED} ID='_all'{attributes}>{before}".encode()
        + inside
        + b"</md:EntitiesDescriptor>"
    )


def signed(xml: bytes, signer: Idp, seal: Callable[[etree._Element], object] = lambda _: None) -> bytes:
    """The metadata with an enveloped signature on its root; `seal` changes it afterwards."""
    root = etree.fromstring(xml)
    signer.sign(root)
    seal(root)
    return etree.tostring(root)
