"""Signature wrapping: a genuine signature stays valid somewhere while an evil assertion stands where it is read.

Owns the nine classic shapes (Somorovsky et al., "On Breaking SAML", 2012) and a sweep over all places in which the
genuine element can be hidden. Never judges: each shape is a mutation of the signed tree of a genuine response.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from cast import CONTOSO_ISSUER, MALLORY, NOW
from lxml import etree
from responses import Idp, Mutation, element_of, instant, one, with_child
from saml.one_flaw import ENCRYPTED, GCM, OAEP

from sp.saml import names

MD = "urn:oasis:names:tc:SAML:2.0:metadata"


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

    def mutate(root: etree._Element) -> None:
        """Another element carries the signed ID under another name."""
        identifier = _assertion(root).get("ID", "")
        with_child(".", f'<samlp:Extensions><x xmlns="u:x" {name}="{identifier}"/></samlp:Extensions>', 1)(root)

    return mutate


def cross_reference(root: etree._Element) -> None:
    """The Assertion's Signature refers to the Response."""
    one(root, "saml:Assertion/ds:Signature//ds:Reference").set("URI", f"#{root.get('ID')}")


def evil_beside_encrypted(root: etree._Element) -> None:
    """An evil Assertion stands beside an encrypted one."""
    root.append(element_of(ENCRYPTED.format(data=GCM, key=OAEP)))
    _make_evil(_assertion(root))


def _other_login() -> etree._Element:
    """The assertion of another login that the same provider signed."""
    return _assertion(etree.fromstring(Idp.make().response(name_id="other@contoso.example")))


def other_login_beside(root: etree._Element) -> None:
    """The signature of another login, whose assertion is parked in Advice."""
    assertion, other = _assertion(root), _other_login()
    own = one(assertion, "ds:Signature")
    assertion.replace(own, one(other, "ds:Signature"))
    advice = etree.Element(names.ADVICE)
    assertion.insert(assertion.index(one(assertion, "saml:Conditions")) + 1, advice)
    advice.append(other)
    _make_evil(assertion)


def two_different_signatures(root: etree._Element) -> None:
    """Two Signatures of which the second refers to what is parked in Extensions."""
    assertion, other = _assertion(root), _other_login()
    assertion.insert(2, one(other, "ds:Signature"))
    extensions = etree.Element(f"{{{names.SAMLP}}}Extensions")
    root.insert(1, extensions)
    extensions.append(other)


def two_different_response_signatures(root: etree._Element) -> None:
    """The same at the Response, the foreign one first."""
    other = _other_login()
    root.insert(1, one(other, "ds:Signature"))
    _assertion(root).append(other)


def concealed(root: etree._Element) -> None:
    """The signed Assertion stands in the Signature of the one that is read, which refers to it."""
    assertion = _assertion(root)
    evil = _evil_copy(assertion)
    root.replace(assertion, evil)
    signature = copy.deepcopy(one(assertion, "ds:Signature"))
    evil.insert(1, signature)
    one(signature, "ds:KeyInfo").append(assertion)


def other_message(name: str) -> Mutation:

    def mutate(root: etree._Element) -> None:
        """Another message of the provider that is signed, with an evil Response around it."""
        signed = element_of(f'<samlp:{name} ID="_signed" Version="2.0" IssueInstant="{instant(NOW)}"/>')
        signed.append(element_of(f"<saml:Issuer>{CONTOSO_ISSUER}</saml:Issuer>"))
        _park(root, signed)

    return mutate


def signed_metadata(root: etree._Element) -> None:
    """The provider's signed metadata, with an evil Response around it."""
    _park(root, etree.fromstring(f'<EntityDescriptor xmlns="{MD}" ID="_signed" entityID="{CONTOSO_ISSUER}"/>'))


def _park(root: etree._Element, signed: etree._Element) -> None:
    """What the provider signed stands in Extensions, and its Signature in the evil Response."""
    extensions = etree.Element(f"{{{names.SAMLP}}}Extensions")
    root.insert(1, extensions)
    extensions.append(signed)
    Idp.make().sign(signed)
    root.insert(1, one(signed, "ds:Signature"))
    assertion = _assertion(root)
    assertion.remove(one(assertion, "ds:Signature"))
    _make_evil(assertion)


def hidden_in(slot: str) -> Mutation:

    def mutate(root: etree._Element) -> None:
        """The signed Assertion is moved deep into an evil one, which keeps its Signature."""
        Hidden("assertion", slot, first=True, identifier="new", signature="moved").apply(root)

    return mutate


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
    "XSW-13": (hidden_in("Extensions"), "assertion", ("one_assertion",)),
    "XSW-14": (hidden_in("Advice"), "assertion", ("signature_structure",)),
    "XSW-15": (hidden_in("SubjectConfirmationData"), "assertion", ("one_assertion",)),
    "XSW-16": (hidden_in("AttributeValue"), "assertion", ("one_assertion",)),
    "XSW-19": (concealed, "assertion", ("signature_structure",)),
    "XSW-20": (evil_beside_encrypted, "assertion", ("one_assertion",)),
    "XSW-21": (two_different_signatures, "assertion", ("schema",)),
    "XSW-21 response": (two_different_response_signatures, "response", ("schema",)),
    "XSW-27": (other_login_beside, "assertion", ("signature_structure",)),
    "XSW-28 metadata": (signed_metadata, "assertion", ("signature_structure",)),
    "XSW-28 logout": (other_message("LogoutRequest"), "assertion", ("schema",)),
    "XSW-28 error": (other_message("Response"), "assertion", ("schema",)),
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


def summary_of(identifier: str) -> str:
    """The story of a classic shape, as one phrase."""
    story = (SHAPES[identifier][0].__doc__ or "").partition("\n")[0].rstrip(".")
    return story[:1].lower() + story[1:] or identifier


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
