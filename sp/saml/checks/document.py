"""Stages 2 and 3: a document that every parser reads alike, and the structure of a Response.

Owns what may be looked at at all. Never believes a value in it.
"""

from __future__ import annotations

from lxml import etree

from sp.saml import names, xml
from sp.saml.recognition import described
from sp.saml.report import NOT_REACHED, Finding, failed, passed, quoted
from sp.saml.response import assertions, child_text, misplaced_assertion
from sp.saml.withheld import masked_error
from sp.saml.xml import Document


def encoding(document: Document) -> Finding:
    problem = xml.encoding_problem(document.xml)
    if problem is None:
        return passed("UTF-8")
    return failed(expected="UTF-8 and XML 1.0", received=described(problem, document.xml))


def no_dtd(document: Document) -> Finding:
    if xml.has_doctype(document.xml):
        return failed(expected="no document type declaration", received=described("a DOCTYPE", document.xml))
    return passed()


def well_formed(document: Document) -> Finding:
    error = document.syntax_error
    if error is None:
        return passed()
    if xml.parser_gave_up(error):
        return NOT_REACHED  # how it would go on is not known; `limits` says why
    return failed(expected="well-formed XML", received=described(error.msg or "no XML", document.xml))


def no_comments(document: Document) -> Finding:
    if document.root is None:
        return NOT_REACHED
    found = xml.first_comment(document.root)
    if found is not None:
        return failed(expected="neither a comment nor a processing instruction", received=found)
    return passed()


def limits(document: Document) -> Finding:
    problem = xml.limit_problem(document)
    if problem is not None:
        return failed(expected=problem[0], received=problem[1])
    return passed(f"{document.survey.elements} elements, {document.survey.depth} levels")


def root(document: Document) -> Finding:
    if document.element.tag != names.RESPONSE:
        return failed(expected="samlp:Response", received=described(str(document.element.tag), document.xml))
    return passed()


def unique_ids(document: Document) -> Finding:
    repeated = xml.repeated_ids(document)
    if repeated:
        return failed(expected="every ID once", received=f"several times: {', '.join(repeated[:3])}")
    return passed(f"{len(document.survey.ids)} IDs")


def schema(document: Document) -> Finding:
    problem = xml.schema_problem(document)
    if problem is not None:
        return failed(expected="the SAML 2.0 protocol schema", received=masked_error(problem))
    return passed()


def status(document: Document) -> Finding:
    """A failure response. Codes of other vendors below Success say more about a success and are let be."""
    codes = [code.get("Value", "") for code in document.element.iterfind(f"{names.STATUS}//{names.STATUS_CODE}")]
    contradicting = [code for code in codes[1:] if code.startswith(names.STATUS_URI) and code != names.SUCCESS]
    if codes[:1] == [names.SUCCESS] and not contradicting:
        return passed(names.SUCCESS)
    return failed(expected=names.SUCCESS, received=_status_described(document.element, codes))


def _status_described(response: etree._Element, codes: list[str]) -> str:
    element = xml.child(response, names.STATUS)
    message = None if element is None else child_text(element, names.STATUS_MESSAGE)
    described = " / ".join(quoted(code) for code in codes[:3])
    return f"{described}: {message.strip()}" if message and message.strip() else described


def one_assertion(document: Document) -> Finding:
    found = assertions(document.element)
    if len(found) != 1:
        received = f"{len(found) or 'no'} assertions"
        return failed(expected="exactly one Assertion in the Response", received=received)
    misplaced = misplaced_assertion(document.element)
    if misplaced is not None:
        parent = misplaced.getparent()
        where = "" if parent is None else f" in {etree.QName(parent).localname}"
        received = f"another {etree.QName(misplaced).localname}{where}"
        return failed(expected="exactly one Assertion in the Response", received=received)
    return passed(etree.QName(found[0]).localname)
