"""Oddities of AuthnRequests: what an identity provider should refuse, or may take in a way of its own.

Owns the list for the request bench. Never sends anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from lxml import etree

from sp.saml import names
from sp.saml.authn_request import RequestOptions, write_request
from sp.saml.xml import parse

_PROTOCOL_BINDING = "ProtocolBinding"
_ACS_URL = "AssertionConsumerServiceURL"
_ARTIFACT_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
_UNSPECIFIED_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_ELSEWHERE = "https://not-registered.example/saml2"
_HOUR = timedelta(hours=1)


class Signing(StrEnum):
    """What the bench does about a signature."""

    NONE = "none"
    SIGNED = "signed"
    BROKEN = "broken"


Options = Callable[[RequestOptions], RequestOptions]
Tree = Callable[[Any], object]  # given the root element


def _same(options: RequestOptions) -> RequestOptions:
    return options


def _untouched(_root: etree._Element) -> None:
    """Nothing is different."""


def _with(**changes: object) -> Options:
    return lambda options: replace(options, **changes)  # type: ignore[arg-type]


def _setting(name: str, value: str) -> Tree:
    return lambda root: root.set(name, value)


@dataclass(frozen=True, slots=True)
class Oddity:
    """One way to be odd. `signing` is None where the account's settings say whether to sign."""

    key: str
    label: str
    options: Options = _same
    tree: Tree = _untouched
    text: Callable[[str], str] = str
    signing: Signing | None = None

    def xml(self, options: RequestOptions) -> str:
        """The request, indented for people to edit."""
        root = parse(write_request(self.options(options)))
        self.tree(root)
        etree.indent(root)
        return self.text(etree.tostring(root, encoding="unicode"))


def _with_subject(root: etree._Element) -> None:
    subject = etree.Element(names.SUBJECT)
    etree.SubElement(subject, names.NAME_ID).text = "britta@contoso.example"
    root.insert(1, subject)


def _by_index(root: etree._Element) -> None:
    for name in (_PROTOCOL_BINDING, _ACS_URL):
        del root.attrib[name]
    root.set("AssertionConsumerServiceIndex", "99")


def _without_issuer(root: etree._Element) -> None:
    for issuer in root.findall(names.ISSUER):
        root.remove(issuer)


ODDITIES = (
    Oddity("ordinary", "Nothing odd: as the settings say"),
    Oddity("force-authn", "Asks for a fresh sign-in (ForceAuthn)", _with(force_authn=True)),
    Oddity("is-passive", "Allows no sign-in page (IsPassive)", _with(is_passive=True)),
    Oddity("both-flags", "Asks for a fresh sign-in without a page", _with(force_authn=True, is_passive=True)),
    Oddity("digit-id", "The ID begins with a digit", lambda options: replace(options, id=f"1{options.id[1:]}")),
    Oddity("no-id", "There is no ID", tree=lambda root: root.attrib.pop("ID")),
    Oddity("version", "The Version is 1.1", tree=_setting("Version", "1.1")),
    Oddity("old", "Issued an hour ago", lambda options: replace(options, issue_instant=options.issue_instant - _HOUR)),
    Oddity(
        "future", "Issued in an hour", lambda options: replace(options, issue_instant=options.issue_instant + _HOUR)
    ),
    Oddity("destination", "The Destination is another provider's", _with(destination="https://another.example/sso")),
    Oddity("no-destination", "There is no Destination", tree=lambda root: root.attrib.pop("Destination")),
    Oddity("issuer", "The Issuer is a service that nobody knows", _with(issuer="https://unknown.example/metadata")),
    Oddity("no-issuer", "There is no Issuer", tree=_without_issuer),
    Oddity("acs-url", "The answer is to go to an address that is not registered", _with(acs_url=_ELSEWHERE)),
    Oddity("acs-index", "The answer is to go to endpoint number 99", tree=_by_index),
    Oddity("artifact", "The answer is to come as an artifact", tree=_setting(_PROTOCOL_BINDING, _ARTIFACT_BINDING)),
    Oddity("subject", "Names the Subject", tree=_with_subject),
    Oddity("unspecified-name", "Asks for an unspecified NameID", _with(name_id_policy=_UNSPECIFIED_NAME)),
    Oddity("unknown-name", "Asks for a NameID format that nobody has", _with(name_id_policy="urn:example:nonsense")),
    Oddity("context", "Asks for an unknown way of signing in", _with(requested_contexts=("urn:example:telepathy",))),
    Oddity(
        "better-context",
        "Asks for better than any way of signing in",
        _with(requested_contexts=("urn:oasis:names:tc:SAML:2.0:ac:classes:X509",), comparison="better"),
    ),
    Oddity(
        "proxy", "Allows no proxy, and names another provider", _with(proxy_count=0, scoping_providers=(_ELSEWHERE,))
    ),
    Oddity("unsigned", "Is not signed", signing=Signing.NONE),
    Oddity("signed", "Is signed", signing=Signing.SIGNED),
    Oddity("broken-signature", "Is signed, and the signature is broken", signing=Signing.BROKEN),
    Oddity(
        "doctype", "Begins with a DOCTYPE", text=lambda xml: f"<!DOCTYPE AuthnRequest>\n{xml}", signing=Signing.NONE
    ),
    Oddity("cut-short", "Ends in the middle", text=lambda xml: xml[: len(xml) // 2], signing=Signing.NONE),
)

_BY_KEY = {oddity.key: oddity for oddity in ODDITIES}


def oddity_named(key: str) -> Oddity:
    """The oddity of that key, the first one for any other."""
    return _BY_KEY.get(key, ODDITIES[0])
