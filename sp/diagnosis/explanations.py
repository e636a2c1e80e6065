"""A report in one sentence, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from sp.diagnosis.remedies import GENERAL, is_sign_in_url, remedy_for, status_in
from sp.diagnosis.sides import in_words, sides_in_sentence
from sp.saml.checks import BY_CODE
from sp.saml.identity import username_key
from sp.saml.problems import (
    AddressProblem,
    AssertionIssuerProblem,
    AudienceProblem,
    IssuerProblem,
    Problem,
    ReplayProblem,
    SignaturePresentProblem,
    SigningKeyProblem,
    SubjectProblem,
    UserLinkProblem,
)
from sp.saml.report import Outcome, Report, Row
from sp.saml.values import Fingerprint, Instant, Several, Status, Uri, Value


def message(report: Report) -> str:
    """One sentence that names the first cause with both sides, or that the response is accepted."""
    if report.accepts:
        return "The response is accepted."
    row = cause(report)
    if row is None:
        return "Nothing was checked to the end, so nothing is granted."
    return sentence(row)


def sentence(row: Row) -> str:
    """A failed row in one sentence."""
    by_problem = None if row.problem is None else _BY_PROBLEM.get(row.problem)
    return _ended((by_problem or _BY_CODE.get(row.code, _general))(row))


def remedy(report: Report, provider: str = GENERAL) -> str:
    """What to change so that the first cause goes away, in the words of a provider of `sp.diagnosis.remedies`.

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
    if first.problem is SubjectProblem.SP_NAME_QUALIFIER:
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


def _general(row: Row) -> str:
    return _both_sides(_CAUSES.get(row.code, BY_CODE[row.code].title), row)


def _both_sides(cause: str, row: Row) -> str:
    expected, received = sides_in_sentence(row)
    return f"{cause}: expected {expected}, received {received}"


def _after(cause: str) -> Callable[[Row], str]:
    return lambda row: _both_sides(cause, row)


def _plain(template: str) -> Callable[[Row], str]:
    return lambda row: template.format_map(sides_in_sentence(row)._asdict())


def _nobody_linked(row: Row) -> str:
    """The real service's sentence, and what to look for."""
    name = "" if row.received is None else in_words(row.received, quotes_all=True)
    found = sides_in_sentence(row).received
    return f"{found} The NameID is {name}, and no user profile of the account has that value."


def _status(row: Row) -> str:
    known = status_in(row.received) if isinstance(row.received, Status) else None
    because = f", because {known.means} ({known.code})" if known is not None else ""
    return f"The identity provider did not sign the user in{because}: {sides_in_sentence(row).received}"


def _another_key(row: Row) -> str:
    renewed = (
        "; the name is the same and the key another, as after a change of certificates, or when it is the certificate "
        "of another application"
    )
    trusted = row.expected.value if isinstance(row.expected, Several) else ()
    subjects = {one.subject for one in trusted if isinstance(one, Fingerprint)}
    same_name = isinstance(row.received, Fingerprint) and row.received.subject in subjects - {""}
    return _both_sides("The signature was not made with a certificate of the account", row) + renewed * same_name


# Values that must be equal: both sides, what they differ in, and whose value came instead.

_OWNERS = {
    "audience": ("The audience", "this service's entity ID"),
    "recipient": ("The recipient", "this service's ACS URL"),
    "destination": ("The destination", "this service's ACS URL"),
    "issuer": ("The issuer", 'the account\'s "Issuer URL"'),
    "assertion_issuer": ("The assertion's issuer", 'the account\'s "Issuer URL"'),
}


def _absent(row: Row) -> str:
    expected, received = sides_in_sentence(row)
    if row.expected is None:
        return _not_as_it_must_be(row)
    return f"There is {received}, and {_OWNERS[row.code][1]} is {expected}"


def _not_as_it_must_be(row: Row) -> str:
    return _both_sides(f"{_OWNERS[row.code][0]} is not as it must be", row)


def _different(row: Row) -> str:
    name, owner = _OWNERS[row.code]
    expected, received = sides_in_sentence(row)
    if row.expected is None:
        return f"{name} is {received}, which is not {expected}"
    if isinstance(row.received, Several):
        return f"{name}s are {received}, and none is {owner}, {expected}{_closest(row)}"
    return f"{name} is {received}, but {owner} is {expected}{_mistaken(row) or _closest(row) or _no_issuer(row)}"


def _mistaken(row: Row) -> str:
    """Whose value came instead: the entity ID as recipient, the ACS URL as audience."""
    found = _MISTAKEN.get(row.problem) if row.problem is not None else None
    return f"; {sides_in_sentence(row).received} is this service's {found}" if found else ""


_MISTAKEN: Mapping[Problem, str] = {AddressProblem.ENTITY_ID: "entity ID", AudienceProblem.ACS_URL: "ACS URL"}


def _no_issuer(row: Row) -> str:
    """What was entered as "Issuer URL" instead, where that shows: an address, of metadata or to sign in at."""
    if row.code != "issuer":
        return ""
    expected, received = _address(row.expected), _address(row.received)
    if "metadata" in expected.lower() and "metadata" not in received.lower():
        return '; that "Issuer URL" looks like the address of metadata, in which the issuer is called entityID'
    return '; that "Issuer URL" looks like a "Sign In URL"' if is_sign_in_url(expected) else ""


def _address(value: Value | None) -> str:
    return value.value if isinstance(value, Uri) else ""


def _closest(row: Row) -> str:
    """ "; they differ only in …" for the received value that is nearly the expected one, or ''."""
    received = row.received.value if isinstance(row.received, Several) else (row.received,)
    differences = (difference(_address(row.expected), _address(value)) for value in received)
    found = next(filter(None, differences), "")
    return f"; they differ only in {found}" if found else ""


def difference(expected: str, received: str) -> str:
    """What alone two addresses differ in, as a phrase; '' when they differ in more, or in something else."""
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
_ISSUED = ("response_issue_instant", "assertion_issue_instant")


def _moment(row: Row) -> str:
    now = _now(row)
    if now is None or not isinstance(row.received, Instant):
        return _general(row)
    expected, received = sides_in_sentence(row)
    far = _how_far(row.code, row.received.value - now)
    return f"{_MOMENTS[row.code]} {received}, which must be {expected}: {far}"


def _now(row: Row) -> datetime | None:
    """The time at which the row was evaluated, alone or after the age that was allowed."""
    found = row.expected.value[-1] if isinstance(row.expected, Several) else row.expected
    return found.value if isinstance(found, Instant) else None


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


# The sentence of a problem comes before that of its check.

_BY_PROBLEM: Mapping[Problem, Callable[[Row], str]] = {
    AudienceProblem.NO_RESTRICTION: _absent,
    AudienceProblem.NO_AUDIENCE: _absent,
    AddressProblem.MISSING: _absent,
    IssuerProblem.MISSING: _absent,
    IssuerProblem.OWN: _not_as_it_must_be,
    AssertionIssuerProblem.NOT_IN_RESPONSE: _not_as_it_must_be,
    AssertionIssuerProblem.RESPONSE_DIFFERS: _not_as_it_must_be,
    AssertionIssuerProblem.QUALIFIER: _not_as_it_must_be,
    AssertionIssuerProblem.FORMAT: _not_as_it_must_be,
    SignaturePresentProblem.PART_MISSING: _plain(
        "A signature is missing: expected {expected}, received one {received} only"
    ),
    SigningKeyProblem.NONE_CONFIGURED: _plain(
        "The signature cannot be checked, because {received}: expected {expected}"
    ),
    SigningKeyProblem.ONLY_WEAK: _plain("The signature cannot be checked, because {received}: expected {expected}"),
    SigningKeyProblem.RETIRED: _after("The signature was made with a certificate that this account has retired"),
    ReplayProblem.HANDED_OUT: _plain(
        "The message was handed out before it was delivered, so it cannot be used: {received}"
    ),
    UserLinkProblem.NONE: _nobody_linked,
    UserLinkProblem.MANY: _plain("{received} Several user profiles have that value as Federation ID."),
    UserLinkProblem.UNAVAILABLE: _plain(
        "{received} A username is unique across all companies, and where several share this service, "
        "a company creates usernames in its own domains only."
    ),
    UserLinkProblem.FULL: _plain("{received}"),
}

_BY_CODE: Mapping[str, Callable[[Row], str]] = {
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
    "status": _status,
    "sso_enabled": _plain("The account takes no SAML sign-ins: expected {expected}, but {received}"),
    "signature_present": _after("A signature is missing"),
    "signing_key": _another_key,
    **dict.fromkeys(_OWNERS, _different),
    **dict.fromkeys(_MOMENTS, _moment),
}
