"""A report on a logout message in one sentence, and what to change."""

from __future__ import annotations

from sp.diagnosis.logout_catalogue import TEXTS
from sp.diagnosis.sides import sides_in_sentence
from sp.saml.logout_messages import Kind
from sp.saml.report import Report, Row

_NAMES = {Kind.REQUEST: "LogoutRequest", Kind.RESPONSE: "LogoutResponse"}

# What went wrong, before "expected …, received …".
_CAUSES = {
    "form": "This is not how a logout message travels",
    "size": "The message is too large",
    "base64": "The message is not encoded as it must be",
    "encoding": "The message is in another encoding",
    "no_dtd": "The message has a document type declaration",
    "well_formed": "The message is not well-formed XML",
    "no_comments": "The message has something in it that some programs do not see",
    "limits": "The message is too deep or too crowded",
    "root": "This address takes sign-out messages, and this is another one",
    "unique_ids": "Several elements share one ID",
    "schema": "The message does not follow the schema",
    "issuer": "No account trusts the issuer of the message",
    "signature_present": "The message is not signed",
    "signature_structure": "The signature has another shape or place than the standard gives it",
    "signature_algorithms": "The signature is made with an algorithm that is not accepted",
    "signing_key": "The signature was not made with a certificate of the account",
    "signature": "The signature does not verify",
    "logout_version": "The message is of another version of SAML",
    "logout_issue_instant": "The message is too old, or comes from the future",
    "destination": "The message is meant for another address",
    "logout_not_on_or_after": "The request is no longer valid",
    "logout_subject": "The request does not name a person in a usable way",
    "logout_in_response_to": "The answer is not one to a sign-out that this browser has begun",
    "logout_status": "The identity provider did not sign the person out",
    "logout_replay": "The request was carried out before",
}


def logout_message(report: Report, kind: Kind) -> str:
    """One sentence that names the first cause with both sides, or that the message is accepted."""
    if report.accepts:
        return f"The {_NAMES[kind]} is accepted."
    if not report.failed:
        return "Nothing was checked to the end, so nothing is done."
    row = report.row(report.failed[0])
    expected, received = sides_in_sentence(row)
    return _ended(f"{_CAUSES[row.code]}: expected {expected}, received {received}")


def logout_remedy(report: Report) -> str:
    """What to change so that the first cause goes away; '' when nothing failed."""
    return remedy_of(report.row(report.failed[0])) if report.failed else ""


def remedy_of(row: Row) -> str:
    return TEXTS[row.code][1]


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
