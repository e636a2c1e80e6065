"""Owns reading what the demo directory posts, with lxml and xmlsec alone.

Never uses the service provider's verification: a fault of the one must not hide a fault of the other.
"""

import base64
from pathlib import Path
from typing import Any

import saml2
import xmlsec
from demo_directory.browser import parsed
from lxml import etree

NAMESPACES = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}


def posted_form(page: str) -> Any:
    """The form that carries a SAMLResponse."""
    return parsed(page).get_element_by_id("auto-post")


def posted_message(page: str) -> bytes:
    return base64.b64decode(posted_form(page).fields["SAMLResponse"])


def one(root: etree._Element, path: str) -> etree._Element:
    """The one element at a path; more or fewer fail."""
    (found,) = root.findall(path, NAMESPACES)
    return found


def text(root: etree._Element, path: str) -> str:
    return one(root, path).text or ""


def verify_assertion(root: etree._Element, certificate: Path) -> None:
    """Verify the assertion's own signature with a certificate; raises xmlsec.Error when it does not hold."""
    assertion = one(root, "saml:Assertion")
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(certificate), xmlsec.constants.KeyDataFormatCertPem)
    context.register_id(assertion, "ID")
    context.verify(one(assertion, "ds:Signature"))


def protocol_schema() -> etree.XMLSchema:
    """The SAML 2.0 protocol schema, from the files that pysaml2 brings."""
    folder = Path(saml2.__file__).parent / "data" / "schemas"
    parser = etree.XMLParser()
    parser.resolvers.add(_ByFileName(folder))
    return etree.XMLSchema(etree.parse(folder / "saml-schema-protocol-2.0.xsd", parser))


class _ByFileName(etree.Resolver):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(self, system_url: str, _public_id: str, context: Any) -> Any:  # type: ignore[override]
        return self.resolve_filename(str(self._folder / system_url.rpartition("/")[2]), context)  # type: ignore[attr-defined]
