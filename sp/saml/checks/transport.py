"""Stage 1: the form a message came in. Owns the judgement of the transport; never looks inside the message."""

from __future__ import annotations

from sp.saml.bindings import Transport, base64_problem, form_problem
from sp.saml.problems import SizeProblem
from sp.saml.recognition import content_of, content_of_form
from sp.saml.report import PASSED, Finding, failed
from sp.saml.values import Count, Name, Unit


def form(transport: Transport) -> Finding:
    problem = form_problem(transport.form)
    if problem is None:
        return PASSED
    return failed(*problem._replace(received=content_of_form(transport.form, problem.received)))


def size(transport: Transport) -> Finding:
    return size_of(transport.decoded_bytes, transport.limits.message_bytes)


def size_of(count: int, limit: int) -> Finding:
    if count > limit:
        return failed(SizeProblem.MESSAGE, Count(limit, Unit.BYTES), Count(count, Unit.BYTES))
    return PASSED


def base64(transport: Transport) -> Finding:
    if transport.decoded is None:
        return failed(base64_problem(transport), Name("base64"), content_of(transport.posted))
    return PASSED
