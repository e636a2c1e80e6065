"""Nothing in a message makes the service open an address or a file: a listener on loopback hears nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attack import attack
from lxml import etree
from responses import Idp, Mutation, expectations, judged, one, with_attribute, with_child
from saml.attacks.signatures import REFERENCE, SIGNATURE, XSLT, transform_with
from saml.one_flaw import bytes_before

from sp.saml import enveloped

IDP = Idp.make()
XSI = "http://www.w3.org/2001/XMLSchema-instance"


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A listening socket that nobody may connect to."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0)
        yield server


def _address(trap: socket.socket) -> str:
    return f"http://127.0.0.1:{trap.getsockname()[1]}/x"


def _nobody_came(trap: socket.socket) -> bool:
    try:
        trap.accept()
    except BlockingIOError:
        return True
    return False


STYLE = (
    "<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform' version='1.0'>"
    "<xsl:template match='/'><xsl:copy-of select=\"document('{}')\"/></xsl:template></xsl:stylesheet>"
)


def _style_sheet(address: str) -> Mutation:
    return transform_with(XSLT, STYLE.format(address))


def _retrieval(address: str) -> Mutation:
    return with_child(f"{SIGNATURE}/ds:KeyInfo", f'<ds:RetrievalMethod URI="{address}"/>')


def _hint(address: str) -> Mutation:
    return with_attribute(".", f"{{{XSI}}}schemaLocation", f"urn:x {address}")


TRAPS = {
    "XML-12 a schema's place": (_hint, ()),
    "SIG-19 a key's place": (_retrieval, ()),
    "DSG-06 the signed content's place": (
        lambda address: with_attribute(REFERENCE, "URI", address),
        ("signature_structure",),
    ),
    "DSG-14 a style sheet that reads": (_style_sheet, ("signature_structure",)),
}


@pytest.mark.parametrize(
    "story", [pytest.param(story, marks=attack(story.split()[0], story.partition(" ")[2])) for story in TRAPS]
)
def test_an_address_is_never_opened(story: str, trap: socket.socket) -> None:
    build, failed = TRAPS[story]
    mutation = build(_address(trap))
    signed_too = "mutate" if story.startswith("XML") else "sealed"
    report = judged(IDP.response(**{signed_too: mutation}), expectations(IDP)).report  # type: ignore[arg-type]
    assert report.failed == failed
    assert _nobody_came(trap)


@attack("XML-06 trap", "a DOCTYPE that names an address")
@pytest.mark.parametrize("kind", ["SYSTEM '{}'", "[<!ENTITY % x SYSTEM '{}'> %x;]", "[<!ENTITY e SYSTEM '{}'>]"])
def test_a_doctype_opens_nothing(kind: str, trap: socket.socket) -> None:
    doctype = f"<!DOCTYPE x {kind.format(_address(trap))}>".encode()
    xml = IDP.response(tamper=lambda xml: doctype + xml)
    assert judged(xml, expectations(IDP)).report.failed == ("no_dtd",)
    assert _nobody_came(trap)


def test_a_schema_that_a_message_names_is_not_read(tmp_path: Path) -> None:
    """A type that only the named schema knows stays unknown."""
    schema = tmp_path / "evil.xsd"
    schema.write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:e"><complexType name="T"/></schema>'
    )

    def mutate(root: etree._Element) -> None:
        root.set(f"{{{XSI}}}schemaLocation", f"urn:e {schema.as_uri()}")
        value = one(root, ".//saml:AttributeValue")
        value.text = None
        value.set(f"{{{XSI}}}type", "e:T")

    declared = bytes_before(b"<samlp:Response ", b'<samlp:Response xmlns:e="urn:e" ')
    xml = IDP.response(mutate=mutate, signed=None, **declared)
    assert judged(xml, expectations(IDP)).report.failed == ("schema",)


def test_nothing_that_a_stranger_signed_is_canonicalized(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Reference leads to may be made costly by anybody; SignedInfo, which is looked at first, is small."""
    asked: list[object] = []
    monkeypatch.setattr(enveloped, "_digested_bytes", lambda *given: asked.append(given))
    idp = Idp.make()
    judgement = judged(idp.with_key("mallory").response(signed="both"), expectations(idp))
    assert judgement.report.failed == ("signing_key",)
    assert asked == []
