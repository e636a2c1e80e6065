"""AuthnRequests: written from options, and read back for what an answer is held against.

Owns the layout of what this service sends (Core 3.4.1). Never chooses an ID, never reads a clock, and never sends a
Subject: identity providers refuse it, and a user name belongs into `login_hint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from sp.saml import names
from sp.saml.messages import Comparison
from sp.saml.times import written
from sp.saml.xml import XML_SPACE, child, encoding_problem, has_doctype, parse, text_of

ID_CHARACTERS = 64  # of a request that is remembered; ours have 41

_AUTHN_REQUEST = f"{{{names.SAMLP}}}AuthnRequest"
_NAME_ID_POLICY = f"{{{names.SAMLP}}}NameIDPolicy"
_REQUESTED_CONTEXT = f"{{{names.SAMLP}}}RequestedAuthnContext"
_SCOPING = f"{{{names.SAMLP}}}Scoping"
_IDP_LIST = f"{{{names.SAMLP}}}IDPList"
_IDP_ENTRY = f"{{{names.SAMLP}}}IDPEntry"
_ACS_URL = "AssertionConsumerServiceURL"
_PREFIXES = {"samlp": names.SAMLP, "saml": names.SAML}
_TRUE = frozenset(("true", "1"))  # xs:boolean


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """Everything that an AuthnRequest says. What is empty or off is left out of the message."""

    id: str
    issue_instant: datetime
    issuer: str
    destination: str
    acs_url: str
    force_authn: bool = False
    is_passive: bool = False
    name_id_policy: str = ""
    requested_contexts: tuple[str, ...] = ()
    comparison: str = Comparison.EXACT
    provider_name: str = ""
    scoping_providers: tuple[str, ...] = ()
    proxy_count: int | None = None


@dataclass(frozen=True, slots=True)
class SentRequest:
    """What of a request matters for its answer. `id` is empty where the bytes name none that can be remembered."""

    id: str = ""
    force_authn: bool = False
    requested_contexts: tuple[str, ...] = ()
    comparison: str = Comparison.EXACT


def request_id(randomness: bytes) -> str:
    """An ID from at least 20 random bytes: an NCName that does not begin with a digit (Core 1.3.4)."""
    if len(randomness) < 20:
        raise ValueError("an ID takes 160 random bits")
    return f"_{randomness.hex()}"


def write_request(options: RequestOptions) -> bytes:
    """The message, not signed. Valid against the protocol schema."""
    root = etree.Element(_AUTHN_REQUEST, dict(_attributes(options)), nsmap=_PREFIXES)
    etree.SubElement(root, names.ISSUER).text = options.issuer
    if options.name_id_policy:
        etree.SubElement(root, _NAME_ID_POLICY, _policy(options.name_id_policy))
    if options.requested_contexts:
        contexts = etree.SubElement(root, _REQUESTED_CONTEXT, {"Comparison": str(options.comparison)})
        for context in options.requested_contexts:
            etree.SubElement(contexts, names.AUTHN_CONTEXT_CLASS_REF).text = context
    if options.scoping_providers or options.proxy_count is not None:
        _add_scoping(root, options)
    return etree.tostring(root, encoding="UTF-8")


def _attributes(options: RequestOptions) -> Mapping[str, str]:
    found = {
        "ID": options.id,
        "Version": "2.0",
        "IssueInstant": written(options.issue_instant),
        "Destination": options.destination,
        "ProtocolBinding": names.POST_BINDING,
        _ACS_URL: options.acs_url,
        "ProviderName": options.provider_name,
        "ForceAuthn": "true" if options.force_authn else "",
        "IsPassive": "true" if options.is_passive else "",
    }
    return {name: value for name, value in found.items() if value}


def _policy(name_format: str) -> dict[str, str]:
    """AllowCreate says that a new name may be made; a transient one always is, and takes no such word (Core E14)."""
    policy = {"Format": name_format}
    return policy if name_format == names.TRANSIENT_FORMAT else policy | {"AllowCreate": "true"}


def _add_scoping(root: etree._Element, options: RequestOptions) -> None:
    count = {} if options.proxy_count is None else {"ProxyCount": str(options.proxy_count)}
    scoping = etree.SubElement(root, _SCOPING, count)
    if options.scoping_providers:
        known = etree.SubElement(scoping, _IDP_LIST)
        for provider in options.scoping_providers:
            etree.SubElement(known, _IDP_ENTRY, {"ProviderID": provider})


def read_request(xml: bytes) -> SentRequest:
    """What a request of ours asks, also one that an administrator wrote freely: whatever cannot be read is left out."""
    root = _root(xml)
    if root is None:
        return SentRequest()
    identifier = root.get("ID", "").strip(XML_SPACE)
    usable = identifier.isprintable() and len(identifier) <= ID_CHARACTERS
    contexts = child(root, _REQUESTED_CONTEXT)
    classes = () if contexts is None else tuple(contexts.iterchildren(names.AUTHN_CONTEXT_CLASS_REF))
    stated = "" if contexts is None else contexts.get("Comparison", "")
    return SentRequest(
        id=identifier if usable else "",
        force_authn=root.get("ForceAuthn", "").strip(XML_SPACE) in _TRUE,
        requested_contexts=tuple(text_of(found).strip(XML_SPACE) for found in classes),
        comparison=stated if stated in tuple(Comparison) else Comparison.EXACT,
    )


def is_from(xml: bytes, issuer: str, acs_url: str) -> bool:
    """Whether every reader finds an AuthnRequest of `issuer`, for an answer at `acs_url` where it says so at all."""
    root = _root(xml) if encoding_problem(xml) is None else None
    if root is None or root.tag != _AUTHN_REQUEST:
        return False
    issuers = [text_of(found) for found in root.iterchildren(names.ISSUER)]
    return issuers == [issuer] and root.get(_ACS_URL, acs_url) == acs_url


def _root(xml: bytes) -> etree._Element | None:
    """The root, or None for what is no XML, or brings a document type."""
    try:
        return None if has_doctype(xml) else parse(xml)
    except etree.XMLSyntaxError:
        return None
