"""User profiles by hand: what "User Profiles" and support (the command line) change.

Owns the rules that a profile's values must keep. Never makes a user from a sign-in: `sp.flows.provisioning` does.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from sp.diagnosis.sides import username_reason
from sp.flows.account_setup import Invalid
from sp.flows.domains import may_create_username
from sp.models import Account, User, UserSource, UserStatus
from sp.saml.identity import VALUE_CHARACTERS, looks_like_email, username_fault, username_key, value_problem
from sp.saml.problems import AttributeProblem
from sp.store import sessions, users
from sp.store.rows import required

LABELS = {
    "first_name": "First Name",
    "last_name": "Last Name",
    "email": "Email Address",
    "username": "Username",
    "federation_id": "Federation ID",
}
# One sentence for both reasons: another one for a name that exists elsewhere would tell that it does.
_UNAVAILABLE = "This username is not available: it is taken, or its domain is not one of your company."
_TAKEN_BY_TOMBSTONE = "This user name belongs to a deleted user. Support can bring that user back."


@dataclass(frozen=True, slots=True)
class Profile:
    """What somebody wants a profile to say. Texts are as typed."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    username: str = ""
    federation_id: str = ""


@dataclass(frozen=True, slots=True)
class ChangedMeanwhile:
    """Nothing was saved: the profile is no longer what the form was made from."""

    current: Profile


def profile_of(user: User) -> Profile:
    """The values of a user that can be edited."""
    return Profile(**{field.name: getattr(user, field.name) for field in fields(Profile)})


def mark_of(profile: Profile) -> str:
    """A short mark of the values that a form was made from, to notice when they have changed since."""
    return hashlib.sha256("\0".join(astuple(profile)).encode()).hexdigest()[:16]


def add_user(
    session: Session, account: Account, profile: Profile, now: datetime, *, password_hash: str | None = None
) -> User | Invalid:
    """A new user by support, or a deleted one of this account brought back with new values.

    Takes the hash and not the password: computing it takes long, and nobody else could write meanwhile.
    """
    profile = _trimmed(profile)
    errors = _faults(profile)
    # A name that can be nobody's is not looked up: PostgreSQL takes no NUL in a text.
    owner = None if "username" in errors else users.user_named(session, account.realm_id, profile.username)
    tombstone = owner if owner is not None and _is_tombstone(owner, account) else None
    if tombstone is None and "username" not in errors and not _is_free(session, account.id, profile.username, owner):
        errors = {"username": _UNAVAILABLE} | errors
    if errors:
        return Invalid(errors)
    user = tombstone or User(
        realm_id=account.realm_id, account_id=required(account.id), username=profile.username, created_at=now
    )
    if tombstone is not None:
        sessions.end_all_of_user(session, required(tombstone.id))  # one may have been opened while it was deleted
    user.source, user.status = UserSource.SUPPORT, UserStatus.ACTIVE
    user.created_at, user.last_sign_in_at = now, None
    user.password_hash = password_hash
    return _stored(session, user, profile)


def edit(session: Session, user: User, profile: Profile, *, mark: str) -> User | Invalid | ChangedMeanwhile:
    """Save new values, unless they break a rule or the profile is no longer what `mark` stands for."""
    profile = _trimmed(profile)
    current = profile_of(user)
    if mark != mark_of(current):
        return ChangedMeanwhile(current)
    errors = _faults(profile)
    unavailable = None if "username" in errors else _unavailable(session, user, profile.username)
    if unavailable:
        errors["username"] = unavailable
    return Invalid(errors) if errors else _stored(session, user, profile)


def disable(session: Session, user: User) -> None:
    """The user cannot sign in any more, and is signed out everywhere at once."""
    _set_status(session, user, UserStatus.DISABLED)


def enable(session: Session, user: User) -> None:
    """The user can sign in again. A session that was opened while the user was being disabled stays dead."""
    _set_status(session, user, UserStatus.ACTIVE)


def delete(session: Session, user: User) -> None:
    """A tombstone stays, which owns the user name: the next sign-in does not bring the user back."""
    user.password_hash = None
    _set_status(session, user, UserStatus.DELETED)


def release(session: Session, user: User) -> bool:
    """Remove the row of a deleted user, which frees the username for any account; whether the user was deleted.

    Only the operator may: an account that frees a name and takes it again would bring back a user that was shut out.
    """
    if user.status != UserStatus.DELETED:
        return False
    users.remove(session, user)
    return True


def _set_status(session: Session, user: User, status: UserStatus) -> None:
    user.status = status
    users.store_user(session, user)
    sessions.end_all_of_user(session, required(user.id))


def _trimmed(profile: Profile) -> Profile:
    """Copying often brings white space along, and a value with it at an end matches nothing that is sent."""
    return Profile(*(value.strip() for value in astuple(profile)))


def _stored(session: Session, user: User, profile: Profile) -> User | Invalid:
    try:
        with session.begin_nested():
            for name, value in zip(LABELS, astuple(profile), strict=True):
                setattr(user, name, value)
            return users.store_user(session, user)
    except IntegrityError:  # somebody took the name since we looked
        if user.id is not None:
            session.refresh(user)
        return Invalid({"username": _UNAVAILABLE})


def _is_tombstone(owner: User, account: Account) -> bool:
    return owner.status == UserStatus.DELETED and owner.account_id == account.id


def _is_free(session: Session, account_id: int | None, username: str, owner: User | None) -> bool:
    """Whether the account may create the username, which `owner` has. The domain is looked up in either case."""
    may_create = may_create_username(session, required(account_id), username)
    return may_create and owner is None


def _unavailable(session: Session, user: User, username: str) -> str | None:
    """Why the user cannot get the username, or None. Only the account's own tombstones have a sentence of their own."""
    if username_key(username) == user.username_key:
        return None
    owner = users.user_named(session, user.realm_id, username)
    if owner is not None and owner.status == UserStatus.DELETED and owner.account_id == user.account_id:
        return _TAKEN_BY_TOMBSTONE
    return None if _is_free(session, user.account_id, username, owner) else _UNAVAILABLE


def _faults(profile: Profile) -> dict[str, str]:
    """One sentence for each value that cannot stand in a profile, in the order of the form."""
    found = {
        "first_name": _name_fault("first_name", profile.first_name),
        "last_name": _name_fault("last_name", profile.last_name),
        "email": _email_fault(profile.email),
        "username": _username_fault(profile.username),
        "federation_id": _federation_id_fault(profile.federation_id),
    }
    return {name: fault for name, fault in found.items() if fault}


def _name_fault(field: str, value: str) -> str | None:
    if not value:
        return f"Enter the {LABELS[field]}."
    problem = value_problem(value)
    return f"The {LABELS[field]} cannot be used: {_UNUSABLE[problem]}." if problem else None


_UNUSABLE = {
    AttributeProblem.TOO_LONG: f"it has more than {VALUE_CHARACTERS} characters",
    AttributeProblem.CONTROL_CHARACTER: "it contains a control character",
}


def _email_fault(value: str) -> str | None:
    if not value:
        return "Enter the Email Address."
    return None if looks_like_email(value) else "Enter a whole e-mail address, such as britta@contoso.com."


def _username_fault(value: str) -> str | None:
    if not value:
        return "Enter the Username."
    fault = username_fault(value)
    return f"This cannot be a Username: {username_reason(fault)}." if fault else None


def _federation_id_fault(value: str) -> str | None:
    """The same rule as for user names, since a sign-in with any other value is refused (check `username`)."""
    fault = username_fault(value) if value else None
    return f"This cannot be a Federation ID: {username_reason(fault)}." if fault else None
