"""One document can be written in many ways: whatever keeps the canonical form keeps the verdict and the identity.

Owns writing a message anew. Never changes what it says: the order of attributes, quotation marks, white space in tags,
references to characters, CDATA and declarations that nobody uses are not part of a canonical form.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from responses import Idp, expectations, judged, one

from sp.saml.xml import canonical, parse

IDP = Idp.make()
SIGNED = IDP.response(attributes={"urn:x": ("one", "two")})
BOTH = IDP.response(signed="both")
HELD = expectations(IDP)


@settings(max_examples=100)
@given(st.integers(0, 10**9))
@pytest.mark.parametrize("xml", [SIGNED, BOTH], ids=["assertion", "both"])
def test_another_spelling_has_the_same_verdict(xml: bytes, seed: int) -> None:
    spelled = _spelled(xml, seed)
    assert _signed_form(spelled) == _signed_form(xml)
    again, before = judged(spelled, HELD), judged(xml, HELD)
    assert again.report.accepts
    assert (again.identity, again.certificate) == (before.identity, before.certificate)
    assert [row for row in again.report.rows if row.code != "size"] == [
        row for row in before.report.rows if row.code != "size"
    ]


def test_the_spellings_differ() -> None:
    assert len({_spelled(SIGNED, seed) for seed in range(9)}) == 9


def _spelled(xml: bytes, seed: int) -> bytes:
    return "".join(_written(parse(xml), Random(seed))).encode()  # noqa: S311  (nothing is kept secret)


def _signed_form(xml: bytes) -> bytes:
    return canonical(one(parse(xml), "saml:Assertion"))


def _written(element: etree._Element, chance: Random) -> Iterator[str]:
    tag = _name(element.tag, element)
    yield f"<{tag}"
    for name, value in _attributes(element, chance):
        yield f"{_space(chance) or ' '}{name}={_space(chance)}{_quoted(value, chance)}"
    if not len(element) and not element.text and chance.random() < 0.5:
        yield f"{_space(chance)}/>"
        return
    yield f"{_space(chance)}>{_text(element.text or '', chance)}"
    for child in element:
        yield from _written(child, chance)
        yield _text(child.tail or "", chance)
    yield f"</{tag}{_space(chance)}>"


def _attributes(element: etree._Element, chance: Random) -> list[tuple[str, str]]:
    """The declarations that are new here and perhaps one that nobody uses, and the attributes, in any order."""
    parent = element.getparent()
    above = {} if parent is None else parent.nsmap
    found = [
        ("xmlns" if prefix is None else f"xmlns:{prefix}", uri)
        for prefix, uri in element.nsmap.items()
        if above.get(prefix) != uri
    ]
    if chance.random() < 0.2:
        found.append((f"xmlns:spare{chance.randrange(9)}", "urn:spare"))
    found += [(_name(str(name), element), str(value)) for name, value in element.items()]
    return chance.sample(found, len(found))


def _name(tag: str, element: etree._Element) -> str:
    name = etree.QName(tag)
    if name.namespace is None:
        return name.localname
    prefix = element.prefix if tag == element.tag else {uri: key for key, uri in element.nsmap.items()}[name.namespace]
    return name.localname if prefix is None else f"{prefix}:{name.localname}"


def _space(chance: Random) -> str:
    return chance.choice(("", "", " ", "\n", "\t "))


def _quoted(value: str, chance: Random) -> str:
    mark = chance.choice("\"'")
    return mark + "".join(_character(character, chance, f"<&\t\n\r{mark}") for character in value) + mark


def _text(text: str, chance: Random) -> str:
    if text and "]]>" not in text and "\r" not in text and chance.random() < 0.2:
        return f"<![CDATA[{text}]]>"
    return "".join(_character(character, chance, "<&>\r") for character in text)


def _character(character: str, chance: Random, reserved: str) -> str:
    if character not in reserved and chance.random() > 0.02:
        return character
    return chance.choice((f"&#{ord(character)};", f"&#x{ord(character):x};", f"&#x{ord(character):04X};"))
