"""Signature wrapping: a genuine signature stays valid somewhere while an evil assertion stands where it is read.

Owns the nine classic shapes (Somorovsky et al., "On Breaking SAML", 2012) and a sweep over all places in which the
genuine element can be hidden. Never judges: each shape is a mutation of the signed tree of a genuine response.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from cast import MALLORY
from lxml import etree
from responses import Mutation, element_of, one, with_child

from sp.saml import names


def _evil_copy(element: etree._Element) -> etree._Element:
    """The element as Mallory wants it read, under an ID of its own and without a signature."""
    evil = copy.deepcopy(element)
    evil.tail = None
    evil.set("ID", "_evil")
    one(evil, ".//saml:NameID").text = MALLORY.email
    for signature in list(evil.iterchildren(names.SIGNATURE)):
        evil.remove(signature)
    return evil


def _genuine(element: etree._Element) -> etree._Element:
    """A copy of the element to be hidden, without its signature."""
    genuine = copy.deepcopy(element)
    for signature in list(genuine.iterchildren(names.SIGNATURE)):
        genuine.remove(signature)
    return genuine


def _make_evil(element: etree._Element) -> None:
    element.set("ID", "_evil")
    one(element, ".//saml:NameID").text = MALLORY.email


def _assertion(root: etree._Element) -> etree._Element:
    return one(root, "saml:Assertion")


def xsw1(root: etree._Element) -> None:
    """The genuine Response is moved into the Signature of an evil one."""
    genuine = _genuine(root)
    one(root, "ds:Signature").append(genuine)
    _make_evil(root)


def xsw2(root: etree._Element) -> None:
    """The genuine Response stands before the Signature of an evil one."""
    genuine = _genuine(root)
    signature = one(root, "ds:Signature")
    root.insert(root.index(signature), genuine)
    _make_evil(root)


def xsw3(root: etree._Element) -> None:
    """An evil Assertion stands before the signed one."""
    assertion = _assertion(root)
    root.insert(root.index(assertion), _evil_copy(assertion))


def xsw4(root: etree._Element) -> None:
    """An evil Assertion stands around the signed one."""
    assertion = _assertion(root)
    evil = _evil_copy(assertion)
    root.append(evil)
    evil.append(assertion)


def xsw5(root: etree._Element) -> None:
    """The signed Assertion is made evil, the genuine one stands behind it without its Signature."""
    assertion = _assertion(root)
    root.append(_genuine(assertion))
    _make_evil(assertion)


def xsw6(root: etree._Element) -> None:
    """The signed Assertion is made evil, the genuine one stands in its Signature."""
    assertion = _assertion(root)
    one(assertion, "ds:Signature").append(_genuine(assertion))
    _make_evil(assertion)


def xsw7(root: etree._Element) -> None:
    """An evil Assertion with the genuine one's ID stands in Extensions."""
    extensions = etree.Element(f"{{{names.SAMLP}}}Extensions")
    root.insert(1, extensions)
    evil = _evil_copy(_assertion(root))
    evil.set("ID", _assertion(root).get("ID", ""))
    extensions.append(evil)


def xsw8(root: etree._Element) -> None:
    """The genuine Assertion stands in an Object of the evil one's Signature."""
    assertion = _assertion(root)
    container = etree.SubElement(one(assertion, "ds:Signature"), f"{{{names.DS}}}Object")
    container.append(_genuine(assertion))
    _make_evil(assertion)


def xsw9(root: etree._Element) -> None:
    """A second SignedInfo with a digest of the evil content stands beside the genuine one."""
    signature = one(_assertion(root), "ds:Signature")
    fake = copy.deepcopy(one(signature, "ds:SignedInfo"))
    one(fake, ".//ds:DigestValue").text = "AAAA"
    signature.insert(0, fake)
    one(root, ".//saml:NameID").text = MALLORY.email


def evil_after(root: etree._Element) -> None:
    """An evil Assertion stands behind the signed one."""
    root.append(_evil_copy(_assertion(root)))


def evil_with_the_same_id(root: etree._Element) -> None:
    """An evil Assertion with the same ID stands behind the signed one."""
    evil = _evil_copy(_assertion(root))
    evil.set("ID", _assertion(root).get("ID", ""))
    root.append(evil)


def evil_in_key_info(root: etree._Element) -> None:
    """An evil Assertion stands in KeyInfo, which no signature covers."""
    one(_assertion(root), "ds:Signature/ds:KeyInfo").append(_evil_copy(_assertion(root)))


def nested_response(root: etree._Element) -> None:
    """A Response stands in the Response."""
    root.append(_evil_copy(root))


def two_signatures(root: etree._Element) -> None:
    """The Assertion has its Signature twice."""
    signature = one(_assertion(root), "ds:Signature")
    _assertion(root).insert(1, copy.deepcopy(signature))


def signature_last(root: etree._Element) -> None:
    """The Signature stands at the end of the Assertion, where it stays valid."""
    _assertion(root).append(one(_assertion(root), "ds:Signature"))


def other_id_attribute(name: str) -> Mutation:
    """Another element carries the signed ID under another name."""

    def mutate(root: etree._Element) -> None:
        identifier = _assertion(root).get("ID", "")
        with_child(".", f'<samlp:Extensions><x xmlns="u:x" {name}="{identifier}"/></samlp:Extensions>', 1)(root)

    return mutate


def cross_reference(root: etree._Element) -> None:
    """The Assertion's Signature refers to the Response."""
    one(root, "saml:Assertion/ds:Signature//ds:Reference").set("URI", f"#{root.get('ID')}")


SHAPES: dict[str, tuple[Mutation, str, tuple[str, ...]]] = {
    # id: (shape, what is signed, the codes that fail)
    "XSW-01": (xsw1, "response", ("unique_ids",)),
    "XSW-02": (xsw2, "response", ("unique_ids",)),
    "XSW-03": (xsw3, "assertion", ("one_assertion",)),
    "XSW-04": (xsw4, "assertion", ("schema",)),
    "XSW-05": (xsw5, "assertion", ("one_assertion",)),
    "XSW-06": (xsw6, "assertion", ("schema",)),
    "XSW-07": (xsw7, "assertion", ("unique_ids",)),
    "XSW-08": (xsw8, "assertion", ("signature_structure",)),
    "XSW-09": (xsw9, "assertion", ("schema",)),
    "XSW-10": (evil_after, "assertion", ("one_assertion",)),
    "XSW-11": (evil_with_the_same_id, "assertion", ("unique_ids",)),
    "XSW-17": (evil_in_key_info, "assertion", ("signature_structure",)),
    "XSW-22": (two_signatures, "assertion", ("schema",)),
    "XSW-25": (signature_last, "assertion", ("schema",)),
    "XSW-26": (cross_reference, "assertion", ("signature_structure",)),
    "XSW-29 Id": (other_id_attribute("Id"), "assertion", ("unique_ids",)),
    "XSW-29 id": (other_id_attribute("id"), "assertion", ("unique_ids",)),
    "XSW-29 xml:id": (other_id_attribute("xml:id"), "assertion", ("unique_ids",)),
    "XSW-29 AssertionID": (other_id_attribute("AssertionID"), "assertion", ("unique_ids",)),
    "XSW-29 wsu:Id": (other_id_attribute('xmlns:wsu="u:wsu" wsu:Id'), "assertion", ("unique_ids",)),
    "XSW-33": (nested_response, "response", ("unique_ids",)),
}


# The sweep: an evil element stands where the genuine one stood, and the genuine one is hidden in it.


@dataclass(frozen=True)
class Hidden:
    """Where the genuine element is hidden, under which ID the evil one stands, and who keeps the Signature."""

    level: str  # "assertion" or "response"
    slot: str
    first: bool
    identifier: str  # "same", "new" or "absent"
    signature: str  # "moved", "copied" or "left"

    def __str__(self) -> str:
        place = "first" if self.first else "last"
        return f"{self.level} hidden {place} in {self.slot}, {self.identifier} ID, signature {self.signature}"

    def apply(self, root: etree._Element) -> etree._Element:
        """The evil document made of a genuine one, which is signed at this level."""
        genuine = root if self.level == "response" else _assertion(root)
        evil = _evil_copy(genuine)
        self._identify(evil, genuine)
        self._place_signature(evil, genuine)
        document = evil
        if self.level == "assertion":
            root.replace(genuine, evil)
            document = root
        slot = SLOTS[self.slot](document, evil)
        slot.insert(0 if self.first else len(slot), genuine)
        return document

    def _identify(self, evil: etree._Element, genuine: etree._Element) -> None:
        if self.identifier != "same":
            for inner in evil.iterchildren(names.ASSERTION):
                inner.set("ID", "_evil_assertion")
        if self.identifier == "absent":
            del evil.attrib["ID"]
        elif self.identifier == "same":
            evil.set("ID", genuine.get("ID", ""))

    def _place_signature(self, evil: etree._Element, genuine: etree._Element) -> None:
        signature = one(genuine, "ds:Signature")
        if self.signature != "left":
            evil.insert(1, copy.deepcopy(signature) if self.signature == "copied" else signature)


def _made(tag: str, at: int) -> Callable[[etree._Element, etree._Element], etree._Element]:
    def slot(document: etree._Element, _evil: etree._Element) -> etree._Element:
        found = etree.Element(tag)
        document.insert(at, found)
        return found

    return slot


def _status_detail(document: etree._Element, _evil: etree._Element) -> etree._Element:
    return etree.SubElement(one(document, "samlp:Status"), f"{{{names.SAMLP}}}StatusDetail")


def _advice(document: etree._Element, _evil: etree._Element) -> etree._Element:
    assertion = _assertion(document)
    advice = etree.Element(names.ADVICE)
    assertion.insert(assertion.index(one(assertion, "saml:Conditions")) + 1, advice)
    return advice


def _in_signature(name: str | None) -> Callable[[etree._Element, etree._Element], etree._Element]:
    def slot(_document: etree._Element, evil: etree._Element) -> etree._Element:
        signature = evil.find(names.SIGNATURE)
        if signature is None:  # Mallory brings one that is empty
            signature = element_of("<ds:Signature/>")
            evil.insert(1, signature)
        if name is None:
            return signature
        found = signature.find(f"{{{names.DS}}}{name}")
        return etree.SubElement(signature, f"{{{names.DS}}}{name}") if found is None else found

    return slot


SLOTS: dict[str, Callable[[etree._Element, etree._Element], etree._Element]] = {
    "Extensions": _made(f"{{{names.SAMLP}}}Extensions", 1),
    "StatusDetail": _status_detail,
    "Advice": _advice,
    "SubjectConfirmationData": lambda document, _: one(document, ".//saml:SubjectConfirmationData"),
    "AttributeValue": lambda document, _: one(document, ".//saml:AttributeValue"),
    "KeyInfo": _in_signature("KeyInfo"),
    "Object": _in_signature("Object"),
    "Signature": _in_signature(None),
    "Response": lambda document, _: document,
    "Assertion": lambda document, _: _assertion(document),
}


def sweep() -> Iterator[Hidden]:
    """Every combination of level, slot, order, ID and signature."""
    parts = (
        ("assertion", "response"),
        tuple(SLOTS),
        (True, False),
        ("same", "new", "absent"),
        ("moved", "copied", "left"),
    )
    for combination in product(*parts):
        yield Hidden(*combination)
