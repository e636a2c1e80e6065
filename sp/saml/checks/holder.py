"""Stage 9: the account holder. Owns the rows about the user; never looks anybody up: the store's word is passed in."""

from __future__ import annotations

from dataclasses import dataclass

from sp.saml.identity import differs_beyond_ascii_case, username_problem
from sp.saml.messages import AccountHolder, Identity, UserLink
from sp.saml.report import Finding, failed, passed, quoted, skipped, warning
from sp.saml.times import written

NOT_HANDED_OUT = "an assertion whose message was not handed out"


@dataclass(frozen=True, slots=True)
class Holder:
    """A verified identity beside what the store says about it."""

    identity: Identity
    found: AccountHolder


def replay(holder: Holder) -> Finding:
    if holder.found.replayed is None:
        return skipped("no record of earlier sign-ins was asked")
    if holder.found.replayed:
        return failed(expected="an assertion used for the first time", received=f"{holder.identity.assertion_id} again")
    if (given := holder.found.handed_out) is not None:
        received = f"{holder.identity.assertion_id}, handed out at {written(given.at)} to {given.to}"
        return failed(expected=NOT_HANDED_OUT, received=received)
    return passed(holder.identity.assertion_id)


def username(holder: Holder) -> Finding:
    value = holder.identity.username
    problem = username_problem(value)
    if problem is not None:
        return failed(
            expected="a user name without hidden or unusual characters", received=f"{quoted(value)}: {problem}"
        )
    stored = holder.found.stored_username
    if stored is not None and differs_beyond_ascii_case(stored, value):
        return warning(expected=f"{quoted(stored)}, as this user is stored", received=quoted(value))
    return passed(value)


def user_link(holder: Holder) -> Finding:
    match holder.found.link:
        case UserLink.ONE:
            return passed("an existing user")
        case UserLink.CREATE:
            return passed("a new user")
        case UserLink.UNKNOWN:
            return skipped("no user profiles were asked")
        case UserLink.UNAVAILABLE if username_problem(holder.identity.username):
            return skipped("the username is not acceptable")  # the row above says what is wrong with it
        case refused:
            expected, sentence = _refusal(refused, holder.identity.username)
            return failed(expected=expected, received=sentence)


def _refusal(link: UserLink, name: str) -> tuple[str, str]:
    """What is expected instead of such a link, and the sentence about it; the first two are the real service's."""
    return {
        UserLink.NONE: (f"a user {quoted(name)}", "The SAML user does not link to any user."),
        UserLink.MANY: (
            "one profile with this Federation ID",
            f"No unique user found for the SAML authenticated user {name}.",
        ),
        # One sentence for every reason: another one for a name that exists elsewhere would tell that it does.
        UserLink.UNAVAILABLE: (
            "a username that is available to this account",
            f"The username {quoted(name)} is not available to this account.",
        ),
        UserLink.FULL: (
            "room for a new user",
            "Within the last hour sign-ins have created as many users in this account as they may.",
        ),
    }[link]


def user_active(holder: Holder) -> Finding:
    status = holder.found.status
    if status is None:
        return skipped("there is no user yet")
    return passed(status) if status == "active" else failed(expected="active", received=status)
