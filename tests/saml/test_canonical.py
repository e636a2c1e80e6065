"""What is read is what was digested, also where namespaces of the Response reach into the signed element."""

from __future__ import annotations

import base64
import hashlib

import pytest
from lxml import etree
from responses import Idp, expectations, judged, one, trust, with_attribute
from saml.attacks.signatures import prefix_list

from sp.saml.report import Outcome
from sp.saml.response import read_response
from sp.saml.signature import Signatures, verified_assertion
from sp.saml.validation import DEFAULT_LIMITS
from sp.saml.xml import Document, canonical, parse

IDP = Idp.make()


def _signed_under(declarations: bytes, prefixes: str) -> bytes:
    """A message whose Response declares more namespaces than it uses, and whose signature lists some of them."""
    bare = IDP.response(signed=None).replace(b"<samlp:Response ", b"<samlp:Response " + declarations + b" ", 1)
    root = etree.fromstring(bare)
    IDP.sign(one(root, "saml:Assertion"), shape=prefix_list(prefixes))
    return etree.tostring(root)


@pytest.mark.parametrize("prefixes", ["xs", "#default", "#default xs", "xs saml nowhere", "xs\txsi"])
def test_inclusive_namespaces_from_outside(prefixes: str) -> None:
    declarations = b'xmlns="urn:d" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    report = judged(_signed_under(declarations, prefixes), expectations(IDP)).report
    assert report.accepts, report.failed


def test_text_around_the_signature_is_part_of_what_is_signed() -> None:
    xml = IDP.response(mutate=etree.indent)
    assert judged(xml, expectations(IDP)).report.accepts
    moved = xml.replace(b"</ds:Signature>", b"</ds:Signature> ", 1)
    assert judged(moved, expectations(IDP)).report.failed == ("signature",)


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_the_verified_tree_is_made_of_the_digested_bytes(signed: str) -> None:
    response = read_response(Document(IDP.response(signed=signed), DEFAULT_LIMITS))
    signatures = Signatures(response, trust(IDP), expectations(IDP))
    verified = verified_assertion(signatures)
    assert verified is not None
    content = signatures.signed.verdicts[-1].content
    assert content is not None
    digest = one(signatures.signed.found[-1].signature, ".//ds:DigestValue").text
    assert hashlib.sha256(content).hexdigest() == base64.b64decode(digest or "").hex()
    assert canonical(verified.tree) in content
    assert verified.tree.getroottree() is not response.tree.getroottree()


def _shaped_tail(signature: etree._Element) -> None:
    signature.tail = "\n  "


def test_text_behind_the_signature_stays_where_it_is() -> None:
    assert judged(IDP.response(shape=_shaped_tail), expectations(IDP)).report.accepts


def test_a_tree_that_was_changed_after_it_was_parsed_is_not_the_signed_one() -> None:
    response = read_response(Document(IDP.response(), DEFAULT_LIMITS))
    sound = Signatures(response, trust(IDP), expectations(IDP)).signed.verdicts[0]
    assert sound.content is not None
    one(response.assertion, ".//saml:NameID").text = "mallory@evil.example"
    verdict = Signatures(response, trust(IDP), expectations(IDP)).signed.verdicts[0]
    assert verdict.content is None
    assert verdict.signature.outcome is Outcome.FAILED


def test_one_broken_signature_spoils_the_other() -> None:
    xml = IDP.response(signed="both", sealed=with_attribute(".", "Consent", "urn:x"))
    signatures = Signatures(read_response(Document(xml, DEFAULT_LIMITS)), trust(IDP), expectations(IDP))
    assert [verdict.content is None for verdict in signatures.signed.verdicts] == [True, False]
    assert verified_assertion(signatures) is None


def test_no_signature_verifies_nothing() -> None:
    response = read_response(Document(IDP.response(signed=None), DEFAULT_LIMITS))
    assert verified_assertion(Signatures(response, trust(IDP), expectations(IDP))) is None


def test_judging_leaves_the_tree_as_it_was() -> None:
    xml = IDP.response(signed="both")
    document = Document(xml, DEFAULT_LIMITS)
    before = etree.tostring(document.element)
    signatures = Signatures(read_response(document), trust(IDP), expectations(IDP))
    assert verified_assertion(signatures) is not None
    assert etree.tostring(document.element) == before
    assert parse(xml).tag == document.element.tag
