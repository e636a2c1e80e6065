"""From a valid tree to an UnverifiedResponse.

Owns where in a Response each value stands, always by absolute position. Never believes any of it.
"""

from __future__ import annotations

from lxml import etree

from sp.saml import names
from sp.saml.messages import UnverifiedResponse
from sp.saml.xml import XML_SPACE, Document, child, text_of

ISSUER_CHARACTERS = 1024  # Core 8.3.6

_ASSERTIONS = (names.ASSERTION, names.ENCRYPTED_ASSERTION)


def read_response(document: Document) -> UnverifiedResponse:
    """The values of a Response that passed stages 1 to 3, with exactly one assertion in it."""
    root = document.element
    assertion = assertions(root)[0]
    return UnverifiedResponse(
        xml=document.xml,
        tree=root,
        assertion=assertion,
        encrypted=assertion.tag == names.ENCRYPTED_ASSERTION,
        id=root.get("ID", ""),
        version=root.get("Version", ""),
        issue_instant=root.get("IssueInstant", ""),
        destination=root.get("Destination"),
        in_response_to=root.get("InResponseTo"),
        issuer=child_text(root, names.ISSUER),
        assertion_issuer=child_text(assertion, names.ISSUER),
    )


def assertions(root: etree._Element) -> list[etree._Element]:
    """The Assertion and EncryptedAssertion children of a Response; what is deeper is no assertion of it."""
    return list(root.iterchildren(*_ASSERTIONS))


def misplaced_assertion(root: etree._Element) -> etree._Element | None:
    """An Assertion or Response anywhere but where it belongs, or None.

    An Assertion may stand inside Advice, which is never read; one inside a Signature is for `signature_structure`.
    """
    for found in root.iter(names.RESPONSE, *_ASSERTIONS):
        if found is root or (found.getparent() is root and found.tag != names.RESPONSE):
            continue
        around = {ancestor.tag for ancestor in found.iterancestors(names.ADVICE, names.SIGNATURE)}
        if names.SIGNATURE in around or (names.ADVICE in around and found.tag != names.RESPONSE):
            continue
        return found
    return None


def child_text(element: etree._Element, tag: str) -> str | None:
    """The whole text of the first child of that name, or None without such a child."""
    found = child(element, tag)
    return None if found is None else text_of(found)


def unverified_issuer(root: etree._Element) -> str:
    """The trimmed Issuer of whatever claims to be a Response, for the log of attempts; '' where there is none.

    Cut at 1024 characters (Core 8.3.6), so it may pick an account to tell, and no more: `issuer` compares again.
    """
    if root.tag != names.RESPONSE:
        return ""
    issuer = child_text(root, names.ISSUER)
    if issuer is None or not issuer.strip(XML_SPACE):
        issuer = next((child_text(found, names.ISSUER) for found in assertions(root)), None)
    return (issuer or "").strip(XML_SPACE)[:ISSUER_CHARACTERS]
