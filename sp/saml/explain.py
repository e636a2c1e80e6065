"""A report in one sentence, and what to change.

Owns the choice of the cause that is named, and the sentences. Never adds a fact that the report does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from sp.saml.checks import BY_CODE
from sp.saml.checks.assertion import QUALIFIED_FOR
from sp.saml.checks.holder import NOT_HANDED_OUT
from sp.saml.enveloped import RETIRED
from sp.saml.identity import username_key
from sp.saml.remedies import GENERAL, is_sign_in_url, remedy_for, status_in
from sp.saml.report import Outcome, Report, Row
from sp.saml.times import instant


def message(report: Report) -> str:
    """One sentence that names the first cause with both sides, or that the response is accepted."""
    if report.accepts:
        return "The response is accepted."
    row = cause(report)
    if row is None:
        return "Nothing was checked to the end, so nothing is granted."
    return _ended(_SENTENCES.get(row.code, _general)(row, report))


def remedy(report: Report, provider: str = GENERAL) -> str:
    """What to change so that the first cause goes away, in the words of a provider of `sp.saml.remedies`.

    '' when nothing failed.
    """
    row = cause(report)
    return "" if row is None else remedy_for(row, provider)


def cause(report: Report) -> Row | None:
    """The failed row to name: the first one, or the `audience` behind a failed `subject`; None when nothing failed.

    Providers that qualify the NameID write the entity ID that they hold into SPNameQualifier and into Audience alike
    (Core 8.3.7), so one mistyped entity ID fails both rows, and only the second is a setting.
    """
    failed = [row for row in report.rows if row.outcome is Outcome.FAILED]
    if not failed:
        return None
    first = failed[0]
    if first.code == "subject" and first.expected.startswith(QUALIFIED_FOR):
        return next((row for row in failed if row.code == "audience" and row.received == first.received), first)
    return first


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


# What went wrong, before "expected …, received …".
_CAUSES = {
    "form": "The form that was posted is not one with a SAML response",
    "size": "The message is too large",
    "limits": "The message is too deep or too crowded",
    "unique_ids": "Several elements share one ID",
    "in_response_to": "The response does not answer a sign-in that this browser has begun",
    "response_issue_instant": "The Response does not say in a usable way when it was issued",
    "encryption_algorithms": "The assertion is encrypted in a way that is not accepted",
    "decryption": "The assertion is encrypted and cannot be opened",
    "assertion_issue_instant": "The assertion does not say in a usable way when it was issued",
    "signature_structure": "The signature has another shape or place than the standard gives it",
    "signature_algorithms": "The signature is made with an algorithm that is not accepted",
    "signature": "The signature does not verify",
    "subject": "The subject does not name a user in a usable way",
    "bearer": "No confirmation says who may deliver the assertion",
    "confirmation_expiry": "The confirmation does not say in a usable way until when it holds",
    "confirmation_not_before": "The confirmation has a beginning, which the profile forbids",
    "confirmation_in_response_to": "The assertion answers another request than the Response around it",
    "conditions": "The conditions of the assertion are missing, or one of them is not understood",
    "not_before": "The assertion does not say in a usable way from when on it is valid",
    "not_on_or_after": "The assertion does not say in a usable way until when it is valid",
    "validity_window": "The assertion is valid for the wrong length of time",
    "authn_statement": "The assertion does not say properly when and how the user signed in",
    "session_expiry": "The assertion does not say in a usable way until when the session lasts",
    "authn_context": "The user did not sign in as was requested",
    "attributes": "An attribute cannot be put into the user's profile",
    "replay": "The assertion was used before",
    "username": "The user name cannot be used",
}


def _general(row: Row, _report: Report) -> str:
    return _both_sides(_CAUSES.get(row.code, BY_CODE[row.code].title), row)


def _both_sides(cause: str, row: Row) -> str:
    return f"{cause}: expected {row.expected}, received {row.received}"


def _user_link(row: Row, _report: Report) -> str:
    """The real service's sentence, or our own whole one, and what to look for."""
    name = row.expected.removeprefix("a user ")
    if row.received.startswith("The SAML user does not link"):
        return f"{row.received} The NameID is {_in_quotes(name)}, and no user profile of the account has that value."
    if row.received.startswith("No unique user found"):
        return f"{row.received} Several user profiles have that value as Federation ID."
    if row.received.startswith("Within the last hour"):
        return row.received
    return (
        f"{row.received} A username is unique across all companies, and where several share this service, "
        "a company creates usernames in its own domains only."
    )


def _replay(row: Row, report: Report) -> str:
    if row.expected == NOT_HANDED_OUT:
        return f"The message was handed out before it was delivered, so it cannot be used: {row.received}"
    return _general(row, report)


def _plain(template: str) -> Callable[[Row, Report], str]:
    def sentence(row: Row, _report: Report) -> str:
        return template.format(expected=row.expected, received=row.received)

    return sentence


def _status(row: Row, _report: Report) -> str:
    known = status_in(row.received)
    because = f", because {known.means} ({known.code})" if known is not None else ""
    return f"The identity provider did not sign the user in{because}: {row.received}"


def _signature_present(row: Row, _report: Report) -> str:
    received = f"one {row.received} only" if row.received.startswith("of ") else row.received
    return f"A signature is missing: expected {row.expected}, received {received}"


def _signing_key(row: Row, _report: Report) -> str:
    if row.received.endswith("configured"):
        return f"The signature cannot be checked, because {row.received}: expected {row.expected}"
    if row.received.startswith(RETIRED):
        return _both_sides("The signature was made with a certificate that this account has retired", row)
    subject = row.received.rpartition(", SHA-256 ")[0]
    renewed = (
        "; the name is the same and the key another, as after a change of certificates, or when it is the certificate "
        "of another application"
    )
    same_name = bool(subject) and f"{subject}, SHA-256 " in row.expected
    return _both_sides("The signature was not made with a certificate of the account", row) + renewed * same_name


# Values that must be equal: both sides, what they differ in, and whose value came instead.

_OWNERS = {
    "audience": ("The audience", "this service's entity ID"),
    "recipient": ("The recipient", "this service's ACS URL"),
    "destination": ("The destination", "this service's ACS URL"),
    "issuer": ("The issuer", 'the account\'s "Issuer URL"'),
    "assertion_issuer": ("The assertion's issuer", 'the account\'s "Issuer URL"'),
}


def _value(row: Row, report: Report) -> str:
    name, owner = _OWNERS[row.code]
    if not _is_value(row.expected):
        return _unknown_value(name, row)
    if _LIST in row.received:
        return f'{name}s are {row.received}, and none is {owner}, "{row.expected}"{_closest(row)}'
    if not _is_value(row.received):
        return f'There is {row.received}, and {owner} is "{row.expected}"'
    said = f'{name} is {_in_quotes(row.received)}, but {owner} is "{row.expected}"'
    return said + (_mistaken(row, report) or _closest(row) or _no_issuer(row))


def _no_issuer(row: Row) -> str:
    """What was entered as "Issuer URL" instead, where that shows: an address, of metadata or to sign in at."""
    if row.code != "issuer":
        return ""
    if "metadata" in row.expected.lower() and "metadata" not in row.received.lower():
        return '; that "Issuer URL" looks like the address of metadata, in which the issuer is called entityID'
    return '; that "Issuer URL" looks like a "Sign In URL"' if is_sign_in_url(row.expected) else ""


def _unknown_value(name: str, row: Row) -> str:
    if _is_value(row.received):
        return f"{name} is {_in_quotes(row.received)}, which is not {row.expected}"
    return _both_sides(f"{name} is not as it must be", row)


_LIST = ", "


def _is_value(text: str) -> bool:
    """Whether a finding's side is a value rather than a phrase: a URI has no spaces, and one with any is quoted."""
    return " " not in text or text.startswith('"')


def _in_quotes(text: str) -> str:
    return text if text.startswith('"') else f'"{text}"'


def _closest(row: Row) -> str:
    """ "; they differ only in …" for the received value that is nearly the expected one, or ''."""
    differences = (difference(row.expected, value) for value in row.received.split(_LIST))
    found = next(filter(None, differences), "")
    return f"; they differ only in {found}" if found else ""


def difference(expected: str, received: str) -> str:
    """What alone two addresses differ in, as a phrase; '' when they differ in more, or in something else."""
    received = received.removeprefix('"').removesuffix('"')
    if expected == received:
        return ""
    for phrase, simplified in (
        ("white space", lambda text: "".join(text.split())),
        ("the slash at the end", lambda text: text.rstrip("/")),
        ("upper and lower case", username_key),
        ("white space and the slash at the end", lambda text: text.strip().rstrip("/")),
    ):
        if simplified(expected) == simplified(received):
            return phrase
    return _different_place(expected, received)


def _different_place(expected: str, received: str) -> str:
    """Which of scheme, host and port differ when everything else is the same, and more than a lone slash."""
    try:
        ours, theirs = urlsplit(expected), urlsplit(received)
        places = [phrase for phrase, part in _PLACES if part(ours) != part(theirs)]
    except ValueError:
        return ""
    same_rest = ours[2:] == theirs[2:] and ours.path.strip("/")
    told = len(places) < len(_PLACES) and same_rest and ours.netloc and theirs.netloc
    return " and ".join(places) if told else ""


_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLACES: tuple[tuple[str, Callable[[SplitResult], object]], ...] = (
    ("the scheme (http or https)", lambda url: url.scheme),
    ("the host", lambda url: url.hostname),
    ("the port", lambda url: None if url.port == _DEFAULT_PORTS.get(url.scheme) else url.port),
)

_SERVICE_VALUES = {"recipient": "ACS URL", "destination": "ACS URL", "audience": "entity ID"}


def _mistaken(row: Row, report: Report) -> str:
    """Whose value came instead: the entity ID as recipient, the ACS URL as audience."""
    own = _SERVICE_VALUES.get(row.code)
    for code, name in _SERVICE_VALUES.items():
        if name != own and row.received == _known_value(report, code):
            return f'; "{row.received}" is this service\'s {name}'
    return ""


def _known_value(report: Report, code: str) -> str:
    """This service's value as another row of the report tells it: what it expected, or what passed."""
    row = next((row for row in report.rows if row.code == code), None)
    if row is None or row.outcome not in {Outcome.PASSED, Outcome.FAILED}:
        return ""
    return row.expected or row.received


# Times: how far off.

_MOMENTS = {
    "response_issue_instant": "The Response was issued at",
    "assertion_issue_instant": "The assertion was issued at",
    "confirmation_expiry": "The assertion could be delivered until",
    "not_before": "The assertion is valid from",
    "not_on_or_after": "The assertion was valid until",
    "authn_statement": "The user signed in at the identity provider at",
    "session_expiry": "The session at the identity provider lasted until",
}
_NOW = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_ISSUED = ("response_issue_instant", "assertion_issue_instant")


def _moment(row: Row, report: Report) -> str:
    now, received = _now(row), instant(row.received)
    if now is None or received is None:
        return _general(row, report)
    return f"{_MOMENTS[row.code]} {row.received}, which must be {row.expected}: {_how_far(row.code, received - now)}"


def _now(row: Row) -> datetime | None:
    """The time at which the row was judged, as the expected side tells it."""
    found = _NOW.findall(row.expected)
    return instant(found[-1]) if found and row.expected.endswith(found[-1]) else None


def _how_far(code: str, ahead: timedelta) -> str:
    if ahead > timedelta():
        return f"the identity provider's clock is {span(ahead)} ahead of this service's{_zone(ahead)}"
    if code in _ISSUED:
        return (
            f"it is {span(-ahead)} old, so it was kept, or the identity provider's clock is behind this service's"
            f"{_zone(ahead)}"
        )
    return f"{span(-ahead)} too late"


def _zone(ahead: timedelta) -> str:
    """A remark where the distance is whole hours, as when a local time is written as if it were UTC."""
    minutes = round(abs(ahead) / timedelta(minutes=1))
    near_full_hour = min(minutes % 60, -minutes % 60) <= 2
    is_a_zone = near_full_hour and 58 <= minutes <= 14 * 60 + 2
    return ", which looks like local time written as UTC" if is_a_zone else ""


def span(length: timedelta) -> str:
    """A length of time in the largest unit that leaves at least two of it, rounded: "90 seconds", "47 minutes"."""
    for unit, one in (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1))):
        if length >= 2 * one:
            return f"{round(length / one)} {unit}"
    seconds = max(1, round(length.total_seconds()))
    return "1 second" if seconds == 1 else f"{seconds} seconds"


_SENTENCES: dict[str, Callable[[Row, Report], str]] = {
    "base64": _plain("The SAMLResponse field is not in {expected}: received {received}"),
    "encoding": _plain("The message is not in {expected}: received {received}"),
    "no_dtd": _plain("The message must have {expected}, and it has {received}"),
    "well_formed": _plain("The message is not {expected}: {received}"),
    "no_comments": _plain("The message must have {expected} in it, and it has {received}"),
    "root": _plain("The message is not a {expected}: received {received}"),
    "schema": _plain("The message does not follow {expected}: {received}"),
    "one_assertion": _plain("There must be {expected}: received {received}"),
    "response_version": _plain("The Response says that it is of version {received}, which must be {expected}"),
    "assertion_version": _plain("The assertion says that it is of version {received}, which must be {expected}"),
    "user_active": _plain("The user is {received}, and must be {expected} to sign in"),
    "replay": _replay,
    "user_link": _user_link,
    "status": _status,
    "sso_enabled": _plain("The account takes no SAML sign-ins: expected {expected}, but {received}"),
    "signature_present": _signature_present,
    "signing_key": _signing_key,
    **dict.fromkeys(_OWNERS, _value),
    **dict.fromkeys(_MOMENTS, _moment),
}
