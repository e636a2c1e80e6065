"""Stage 9: the account holder. Owns the rows about the user; never looks anybody up: the store's word is passed in."""

from __future__ import annotations

from dataclasses import dataclass

from sp.saml.identity import differs_beyond_ascii_case, username_fault
from sp.saml.messages import AccountHolder, Identity, UserLink
from sp.saml.problems import ReplayProblem, UserActiveProblem, UserLinkProblem, UsernameProblem
from sp.saml.report import PASSED, SKIPPED, Finding, Outcome, failed, warning
from sp.saml.values import Event, Name, Text

# The only rows that say something when they pass: it cannot be seen in the message.
EXISTING_USER = Finding(Outcome.PASSED, received=Name("existing"))
NEW_USER = Finding(Outcome.PASSED, received=Name("new"))


@dataclass(frozen=True, slots=True)
class Holder:
    """A verified identity beside what the store says about it."""

    identity: Identity
    found: AccountHolder


def replay(holder: Holder) -> Finding:
    if holder.found.replayed is None:
        return SKIPPED
    if holder.found.replayed:
        return failed(ReplayProblem.REPEATED, received=Text(holder.identity.assertion_id))
    if (given := holder.found.handed_out) is not None:
        return failed(ReplayProblem.HANDED_OUT, received=Event(holder.identity.assertion_id, given.at, given.to))
    return PASSED


def username(holder: Holder) -> Finding:
    value = holder.identity.username
    fault = username_fault(value)
    if fault is not None:
        return failed(*fault)
    stored = holder.found.stored_username
    if stored is not None and differs_beyond_ascii_case(stored, value):
        return warning(UsernameProblem.STORED_DIFFERENTLY, Text(stored), Text(value))
    return PASSED


def user_link(holder: Holder) -> Finding:
    match holder.found.link:
        case UserLink.ONE:
            return EXISTING_USER
        case UserLink.CREATE:
            return NEW_USER
        case UserLink.UNKNOWN:
            return SKIPPED
        case UserLink.UNAVAILABLE if username_fault(holder.identity.username):
            return SKIPPED  # the row above says what is wrong with it
        case refused:
            # UNAVAILABLE has one problem for every reason: another for a name that exists elsewhere would tell so.
            name = Text(holder.identity.username)
            return failed(_REFUSALS[refused], received=name)


_REFUSALS = {
    UserLink.NONE: UserLinkProblem.NONE,
    UserLink.MANY: UserLinkProblem.MANY,
    UserLink.UNAVAILABLE: UserLinkProblem.UNAVAILABLE,
    UserLink.FULL: UserLinkProblem.FULL,
}


def user_active(holder: Holder) -> Finding:
    status = holder.found.status
    if status is None:
        return SKIPPED
    return PASSED if status == "active" else failed(UserActiveProblem.NOT_ACTIVE, Name("active"), Name(status))
