"""Stage 1: the form a message came in. Owns the judgement of the transport; never looks inside the message."""

from __future__ import annotations

from sp.saml.bindings import Transport, base64_problem, form_problem
from sp.saml.recognition import described, described_form
from sp.saml.report import Finding, failed, passed


def form(transport: Transport) -> Finding:
    problem = form_problem(transport.form)
    if problem is None:
        return passed("one SAMLResponse")
    return failed(expected=problem[0], received=described_form(problem[1], transport.form))


def size(transport: Transport) -> Finding:
    return size_of(transport.decoded_bytes, transport.limits.message_bytes)


def size_of(count: int, limit: int) -> Finding:
    if count > limit:
        return failed(expected=f"at most {limit} bytes", received=f"{count} bytes")
    return passed(f"{count} bytes")


def base64(transport: Transport) -> Finding:
    if transport.decoded is None:
        return failed(expected="base64", received=described(base64_problem(transport), transport.posted))
    return passed()
