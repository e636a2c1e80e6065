"""The elements of a message that a finding is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from lxml import etree

from sp.saml import names
from sp.saml.report import Outcome, Report, Row
from sp.saml.response import assertions
from sp.saml.values import texts_in
from sp.saml.xml import child

Element: TypeAlias = etree._Element  # noqa: SLF001  (lxml has no public name for it)
Elements = Iterable[Element | None]
Finder = Callable[[Element], Elements]
Places = Mapping[Element, tuple[str, ...]]

_POINTED_TO = (Outcome.FAILED, Outcome.WARNING)


def places_of(report: Report, root: Element) -> Places:
    """The codes of the failed and warned checks, by the element that they are about."""
    places: dict[Element, tuple[str, ...]] = {}
    for row in report.rows:
        if row.outcome not in _POINTED_TO:
            continue
        for element in _meant(row, FINDERS[row.code](root)):
            places[element] = (*places.get(element, ()), row.code)
    return places


def _meant(row: Row, found: Elements) -> list[Element]:
    """Of several algorithms the ones that the finding names; otherwise all that were found."""
    elements = [element for element in found if element is not None]
    named = texts_in((row.received,))
    return [element for element in elements if element.get("Algorithm") in named] or elements


def assertion_of(root: Element) -> Element | None:
    """The first Assertion or EncryptedAssertion where one belongs."""
    return next(iter(assertions(root)), None)


def signed_elements(root: Element) -> frozenset[Element]:
    """What the signatures stand in: of a message whose signatures all hold, what they cover."""
    return frozenset(element for element in (root, *assertions(root)) if child(element, names.SIGNATURE) is not None)


def _nowhere(_root: Element) -> Elements:
    return ()


def _root(root: Element) -> Elements:
    return (root,)


def _in_response(*path: str) -> Finder:
    return lambda root: (child(root, *path),)


def _in_assertion(*path: str) -> Finder:
    """The element at the path, else the closest one above it: where it is missing, it is missing there."""

    def find(root: Element) -> Elements:
        found = assertion_of(root)
        for tag in path:
            below = None if found is None else child(found, tag)
            if below is None:
                break
            found = below
        return (found,)

    return find


def _issuer(root: Element) -> Elements:
    issuer = child(root, names.ISSUER)
    return (issuer,) if issuer is not None else _in_assertion(names.ISSUER)(root)


def _everywhere(*tags: str) -> Finder:
    return lambda root: root.iter(*tags)


def _signatures(*path: str) -> Finder:
    """In each signature where one belongs: of the Response and of its assertion."""

    def find(root: Element) -> Elements:
        signed = (root, *assertions(root))
        found = (child(element, names.SIGNATURE, *path) for element in signed)
        return tuple(found) if any(child(element, names.SIGNATURE) is not None for element in signed) else (root,)

    return find


def _algorithms(root: Element) -> Elements:
    reference = (names.SIGNED_INFO, names.REFERENCE, names.DIGEST_METHOD)
    return (*_signatures(names.SIGNED_INFO, names.SIGNATURE_METHOD)(root), *_signatures(*reference)(root))


def _comments(root: Element) -> Elements:
    return tuple(root.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity))[:1]


_CONFIRMATION = (names.SUBJECT, names.SUBJECT_CONFIRMATION)
_DATA = (*_CONFIRMATION, names.SUBJECT_CONFIRMATION_DATA)

# What is about the message as a whole, or is found before there is a tree.
NOWHERE = ("form", "size", "base64", "encoding", "no_dtd", "well_formed", "limits", "unique_ids", "schema")

FINDERS: Mapping[str, Finder] = {
    **dict.fromkeys(NOWHERE, _nowhere),
    "no_comments": _comments,
    "root": _root,
    "status": _in_response(names.STATUS),
    "one_assertion": _root,
    "response_version": _root,
    "response_issue_instant": _root,
    "destination": _root,
    "in_response_to": _root,
    "issuer": _issuer,
    "sso_enabled": _issuer,
    "encryption_algorithms": _everywhere(names.ENCRYPTION_METHOD),
    "decryption": _in_response(names.ENCRYPTED_ASSERTION),
    "signature_present": _in_assertion(),
    "signature_structure": _signatures(),
    "signature_algorithms": _algorithms,
    "signing_key": _signatures(),
    "signature": _signatures(names.SIGNATURE_VALUE),
    "assertion_version": _in_assertion(),
    "assertion_issuer": _in_assertion(names.ISSUER),
    "assertion_issue_instant": _in_assertion(),
    "subject": _in_assertion(names.SUBJECT, names.NAME_ID),
    "bearer": _in_assertion(*_CONFIRMATION),
    "recipient": _in_assertion(*_DATA),
    "confirmation_expiry": _in_assertion(*_DATA),
    "confirmation_not_before": _in_assertion(*_DATA),
    "confirmation_in_response_to": _in_assertion(*_DATA),
    "conditions": _in_assertion(names.CONDITIONS),
    "audience": _in_assertion(names.CONDITIONS, names.AUDIENCE_RESTRICTION, names.AUDIENCE),
    "not_before": _in_assertion(names.CONDITIONS),
    "not_on_or_after": _in_assertion(names.CONDITIONS),
    "validity_window": _in_assertion(names.CONDITIONS),
    "authn_statement": _in_assertion(names.AUTHN_STATEMENT),
    "session_expiry": _in_assertion(names.AUTHN_STATEMENT),
    "authn_context": _in_assertion(names.AUTHN_STATEMENT, names.AUTHN_CONTEXT),
    "attributes": _in_assertion(names.ATTRIBUTE_STATEMENT),
    "replay": _in_assertion(),
    "username": _in_assertion(names.SUBJECT, names.NAME_ID),
    "user_link": _in_assertion(names.SUBJECT, names.NAME_ID),
    "user_active": _in_assertion(names.SUBJECT, names.NAME_ID),
}
