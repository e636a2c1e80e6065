"""What must hold for any bytes: there is a verdict, and it grants nothing that no signature covers.

Owns these rules. Never runs the fuzzer (see `fuzz.__main__`); a test runs them over the corpus.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from cast import BRITTA
from responses import Idp, expectations, form, posted

from sp.diagnosis.captures import find_messages, open_captured, xml_of
from sp.saml.certificates import read_certificate
from sp.saml.checks import CHECKS
from sp.saml.errors import CertificateError
from sp.saml.messages import Judgement, Limits
from sp.saml.validation import judge, open_form, open_message

HELD = expectations(Idp.make())
NAME = BRITTA.email
LIMITS = Limits(message_bytes=8 * 1024)


class BrokenRuleError(Exception):
    """A rule that holds for any bytes did not."""


def message(data: bytes) -> None:
    """The bytes as a message, as a posted message and as a field. Raises BrokenRuleError, or whatever broke."""
    field = form(("SAMLResponse", data.decode("latin-1")))
    for opened in (open_message(data), open_form(posted(data)), open_form(field)):
        _holds(judge(opened, HELD))


def _holds(judgement: Judgement) -> None:
    report = judgement.report
    if [row.code for row in report.rows] != [check.code for check in CHECKS]:
        raise BrokenRuleError("a report without all its rows")
    if report.accepts == bool(report.failed):
        raise BrokenRuleError(f"accepted: {report.accepts}, failed: {report.failed}")
    if judgement.identity is not None and judgement.certificate is None:
        raise BrokenRuleError("an identity that no certificate verified")
    if report.accepts and (judgement.identity is None or judgement.identity.username != NAME):
        raise BrokenRuleError("somebody else than Britta was accepted")


def certificate(data: bytes) -> None:
    """The bytes as an upload: a certificate with a usable key, or a sentence."""
    try:
        found = read_certificate(data)
    except CertificateError as error:
        if not str(error).endswith("."):
            raise BrokenRuleError(f"no sentence: {error}") from error
        return
    if found.weakness or found.public_key is None:
        raise BrokenRuleError(f"a weak key was taken: {found.key}")


def capture(data: bytes) -> None:
    """The bytes as a paste or a file: messages that each get their verdict, or a sentence."""
    found = find_messages(data, LIMITS)
    if bool(found.messages) == bool(found.fault):
        raise BrokenRuleError(f"messages and a fault, or neither: {found.fault}")
    for one in found.messages:
        if len(xml_of(one, LIMITS)) > max(LIMITS.message_bytes + 1, len(data)):
            raise BrokenRuleError("inflated beyond the limit of a message")
        _holds(judge(open_captured(one, LIMITS), HELD))
        (one.where + one.note).encode()


TARGETS = {"message": message, "certificate": certificate, "capture": capture}
