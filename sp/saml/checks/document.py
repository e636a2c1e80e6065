"""Stages 2 and 3: a document that every parser reads alike, and the structure of a Response.

Owns what may be looked at at all. Never believes a value in it.
"""

from __future__ import annotations

from lxml import etree

from sp.saml import names, xml
from sp.saml.problems import (
    CommentProblem,
    DtdProblem,
    IdProblem,
    OneAssertionProblem,
    RootProblem,
    SchemaProblem,
    StatusProblem,
    SyntaxProblem,
)
from sp.saml.recognition import content_of
from sp.saml.report import NOT_REACHED, PASSED, Finding, failed, passed_unless
from sp.saml.response import assertions, child_text, misplaced_assertion
from sp.saml.values import Count, Name, Several, Status, Text, Unit, Uri
from sp.saml.withheld import masked_error
from sp.saml.xml import Document


def encoding(document: Document) -> Finding:
    problem = xml.encoding_problem(document.xml)
    if problem is None:
        return PASSED
    return failed(*problem._replace(received=content_of(document.xml, problem.received)))


def no_dtd(document: Document) -> Finding:
    if xml.has_doctype(document.xml):
        return failed(DtdProblem.PRESENT, received=content_of(document.xml, Name("DOCTYPE")))
    return PASSED


def well_formed(document: Document) -> Finding:
    error = document.syntax_error
    if error is None:
        return PASSED
    if xml.parser_gave_up(error):
        return NOT_REACHED  # how it would go on is not known; `limits` says why
    received = content_of(document.xml, Text(error.msg or ""))
    return failed(SyntaxProblem.NOT_WELL_FORMED, Name("XML"), received, place=f"line:{error.lineno or 1}")


def no_comments(document: Document) -> Finding:
    if document.root is None:
        return NOT_REACHED
    found = xml.first_comment(document.root)
    if found is not None:
        return failed(CommentProblem.PRESENT, received=found)
    return PASSED


def limits(document: Document) -> Finding:
    return passed_unless(xml.limit_problem(document))


def root(document: Document) -> Finding:
    if document.element.tag != names.RESPONSE:
        received = content_of(document.xml, Name(str(document.element.tag)))
        return failed(RootProblem.DIFFERENT, Name("samlp:Response"), received)
    return PASSED


def unique_ids(document: Document) -> Finding:
    repeated = xml.repeated_ids(document)
    if repeated:
        return failed(IdProblem.REPEATED, received=Several(tuple(map(Text, repeated[:3]))))
    return PASSED


def schema(document: Document) -> Finding:
    problem = xml.schema_problem(document)
    if problem is not None:
        return failed(
            SchemaProblem.VIOLATED, received=Text(masked_error(problem.message)), place=f"line:{problem.line}"
        )
    return PASSED


def status(document: Document) -> Finding:
    """A failure response. Codes of other vendors below Success say more about a success and are let be."""
    codes = [code.get("Value", "") for code in document.element.iterfind(f"{names.STATUS}//{names.STATUS_CODE}")]
    contradicting = [code for code in codes[1:] if code.startswith(names.STATUS_URI) and code != names.SUCCESS]
    if codes[:1] == [names.SUCCESS] and not contradicting:
        return PASSED
    return failed(StatusProblem.NOT_SUCCESS, Uri(names.SUCCESS), status_of(document.element, codes))


def status_of(message: etree._Element, codes: list[str]) -> Status:
    """The status of a message with those codes, the first three of them."""
    element = xml.child(message, names.STATUS)
    said = None if element is None else child_text(element, names.STATUS_MESSAGE)
    return Status(tuple(codes[:3]), (said or "").strip())


def one_assertion(document: Document) -> Finding:
    found = assertions(document.element)
    if len(found) != 1:
        return failed(OneAssertionProblem.COUNT, Count(1, Unit.ASSERTIONS), Count(len(found), Unit.ASSERTIONS))
    misplaced = misplaced_assertion(document.element)
    if misplaced is not None:
        parent = misplaced.getparent()
        where = "" if parent is None else etree.QName(parent).localname
        received = Name(etree.QName(misplaced).localname)
        return failed(OneAssertionProblem.MISPLACED, Count(1, Unit.ASSERTIONS), received, place=where)
    return PASSED
