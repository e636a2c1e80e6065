"""Messages that are as large, as deep or as full as may be, and a little more (DOS).

Owns making them, each from a genuine response. Never judges.
"""

from __future__ import annotations

import copy

from lxml import etree
from responses import Idp, one, with_child

IDP = Idp.make()
MOST = 256 * 1024
LAUGHS = "<!DOCTYPE r [<!ENTITY a0 'ha'>{}]>"


def as_large_as_may_be() -> bytes:
    """A genuine message of exactly 256 KiB, in one attribute."""

    def sized(characters: int) -> bytes:
        return IDP.response(attributes={"urn:x": ("x" * characters,)}, assertion_id="_a", response_id="_r")

    return sized(MOST - len(sized(1)) + 1)


def one_byte_more() -> bytes:
    return as_large_as_may_be() + b"\n"


def elements(count: int) -> bytes:
    """A genuine message with that many elements in all."""
    room = count - sum(1 for _ in etree.fromstring(IDP.response()).iter()) - 1
    many = f'<samlp:Extensions xmlns:x="u:x">{"<x:a/>" * room}</samlp:Extensions>'
    return IDP.response(mutate=with_child(".", many, 1))


def entity_bomb() -> bytes:
    """Ten to the ninth laughs, in a few hundred bytes."""
    nested = "".join(f"<!ENTITY a{at} '{f'&a{at - 1};' * 10}'>" for at in range(1, 10))
    return LAUGHS.format(nested).encode() + IDP.response().replace(b"britta@", b"&a9;@", 1)


def many_signatures(count: int = 100) -> bytes:
    """Copies of the genuine Signature in Extensions, each valid as a structure."""

    def mutate(root: etree._Element) -> None:
        signature = one(root, "saml:Assertion/ds:Signature")
        with_child(".", "<samlp:Extensions/>", 1)(root)
        for _ in range(count - 1):
            one(root, "samlp:Extensions").append(copy.deepcopy(signature))

    return IDP.response(sealed=mutate)


def many_namespaces() -> bytes:
    """As many namespaces as may be, each looked for at every level of the depth that may be."""
    declared = " ".join(f'xmlns:n{at}="u:{at}"' for at in range(50))
    deep = "<a>" * 60 + "</a>" * 60
    nested = f'<samlp:Extensions xmlns:x="u:x"><x:b {declared}>{deep}</x:b></samlp:Extensions>'
    return IDP.response(signed="response", mutate=with_child(".", nested, 1))


def many_prefixes() -> bytes:
    """Nine thousand elements, each in another namespace than the ones around it."""
    declared = " ".join(f'xmlns:n{at}="u:{at}"' for at in range(50))
    content = "".join(f"<n{at % 50}:a/>" for at in range(9_000))
    nested = f"<samlp:Extensions><n0:b {declared}>{content}</n0:b></samlp:Extensions>"
    return IDP.response(signed="response", mutate=with_child(".", nested, 1))


def style_sheet() -> bytes:
    """A transform that would run for long, if it ran."""
    xml = (
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet version="1.0" '
        'xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template name="t"><xsl:call-template name="t"/>'
        '</xsl:template><xsl:template match="/"><xsl:call-template name="t"/></xsl:template></xsl:stylesheet>'
        "</ds:Transform>"
    )
    return IDP.response(sealed=with_child("saml:Assertion/ds:Signature//ds:Transforms", xml))


# what it is called, how it is made, the codes that fail
BOUNDS = {
    "256 KiB": (as_large_as_may_be, ()),
    "one byte more": (one_byte_more, ("size",)),
    "10 000 elements": (lambda: elements(10_000), ()),
    "10 001 elements": (lambda: elements(10_001), ("limits",)),
    "an entity bomb": (entity_bomb, ("no_dtd",)),
    "100 signatures": (many_signatures, ("signature_structure",)),
    "50 namespaces, 60 levels": (many_namespaces, ()),
    "9 000 changes of namespace": (many_prefixes, ()),
    "an endless style sheet": (style_sheet, ("signature_structure",)),
}
