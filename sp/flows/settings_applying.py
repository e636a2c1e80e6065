"""Applying a settings file: from what it asks for to companies, accounts, settings and users.

Owns the order of the steps and the list of what changed. Never deletes: what the file does not name stays as it is.
Every step runs in the caller's transaction, which keeps nothing when there is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from sp.flows import account_setup, domains, user_profiles
from sp.flows.account_setup import Invalid
from sp.flows.domains import RefusedDomain
from sp.flows.settings_file import Fault, Place, Unreadable, Wanted, WantedAccount, WantedCompany, WantedUser
from sp.flows.user_profiles import ChangedMeanwhile, Profile
from sp.models import Account, Company, User, UserStatus
from sp.saml.identity import username_fault, username_key
from sp.settings import Settings
from sp.store import accounts, sessions, users
from sp.store.rows import required

SAVED_BY = "settings file"
_STATUS_STEPS = {UserStatus.ACTIVE: user_profiles.enable, UserStatus.DISABLED: user_profiles.disable}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of which thing, which field ("" for a thing that was added), before and after."""

    thing: str
    field: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What is different now; nothing where the file said what was there already."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    session: Session
    settings: Settings
    now: datetime


class _RefusedError(Exception):
    """A value breaks a rule of the house; it unwinds to `apply_settings`, which returns the faults as a value."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__()
        self.faults = faults


def apply_settings(session: Session, settings: Settings, wanted: Wanted, now: datetime) -> Applied | Unreadable:
    """Make everything as the file has it. On faults the caller has to roll the session back."""
    step = _Step(session, settings, now)
    try:
        return Applied(tuple(change for company in wanted.companies for change in _company(step, company)))
    except _RefusedError as refused:
        return Unreadable(refused.faults)


def _company(step: _Step, wanted: WantedCompany) -> Iterator[Change]:
    """What cannot be a name is not looked up: PostgreSQL takes no NUL in a text."""
    name, realm = wanted.name.strip(), accounts.shared_realm(step.session)
    if not name.isprintable() or not 0 < len(name) <= 256:
        raise _RefusedError((Fault(wanted.place("name"), "A company's name has 1 to 256 characters."),))
    company = accounts.company_named(step.session, name)
    if company is not None and company.realm_id != realm.id:
        sentence = "This is the company of a workspace, which has an end. Choose another name."
        raise _RefusedError((Fault(wanted.place("name"), sentence),))
    if company is None:
        company = accounts.add_company(step.session, realm, name, step.now)
        yield Change(f"company {name}")
    yield from _domains(step, company, wanted)  # first: accounts create their users in them
    for account in wanted.accounts:
        yield from _account(step, company, account)


def _domains(step: _Step, company: Company, wanted: WantedCompany) -> Iterator[Change]:
    for name, place in wanted.domains:
        added = domains.add_domain(step.session, company, name, step.now)
        if isinstance(added, RefusedDomain):
            raise _RefusedError((Fault(place, domains.domain_sentence(added)),))
        if added.is_new:
            yield Change(f"domain {added.name} of company {company.name}")


def _account(step: _Step, company: Company, wanted: WantedAccount) -> Iterator[Change]:
    thing = f"account {wanted.slug}"
    if not account_setup.is_slug(wanted.slug):
        sentence = "A slug has lower-case letters, digits and hyphens, at most 64, such as 'fabrikam'."
        raise _RefusedError((Fault(wanted.place("slug"), sentence),))
    account = accounts.account_by_slug(step.session, wanted.slug)
    if account is not None and account.company_id != company.id:
        raise _RefusedError((Fault(wanted.place("slug"), "An account of another company has this slug."),))
    if account is None:
        name = wanted.name or account_setup.SEEDED_ACCOUNT
        account = accounts.add_account(step.session, company, name, wanted.slug, step.now)
        yield Change(thing)
    yield from _named_and_active(step, account, wanted, thing)
    yield from _settings(step, account, wanted, thing)
    for user in wanted.users:
        yield from _user(step, account, user)


def _named_and_active(step: _Step, account: Account, wanted: WantedAccount, thing: str) -> Iterator[Change]:
    if wanted.name is not None and wanted.name.strip() != account.name:
        name = wanted.name.strip()
        if not name or len(name) > 256 or not name.isprintable():
            raise _RefusedError((Fault(wanted.place("name"), "An account's name has 1 to 256 characters."),))
        yield Change(thing, "name", account.name, name)
        account.name = name
    if wanted.active is not None and wanted.active != account.active:
        yield Change(thing, "active", _switch(account.active), _switch(wanted.active))
        account.active = wanted.active
        if not wanted.active:  # whoever is signed in would stay so for hours, as a disabled user must not
            sessions.end_all_of_account(step.session, required(account.id))
    step.session.add(account)
    step.session.flush()


def _settings(step: _Step, account: Account, wanted: WantedAccount, thing: str) -> Iterator[Change]:
    if not wanted.changes:
        return
    before = account_setup.draft_of(step.session, account)
    draft = replace(before, **wanted.changes)
    saved = account_setup.save_sso_settings(
        step.session, step.settings, account, draft, saved_by=SAVED_BY, now=step.now
    )
    if isinstance(saved, Invalid):
        raise _RefusedError(_faults(saved.errors, wanted.places, "settings"))
    after = account_setup.draft_of(step.session, account)
    for change in account_setup.changes_between(before, after):
        yield Change(thing, change["field"], change["before"], change["after"])


def _user(step: _Step, account: Account, wanted: WantedUser) -> Iterator[Change]:
    thing = f"user {wanted.username}"
    named = None if username_fault(wanted.username) else wanted.username
    owner = users.user_named(step.session, account.realm_id, named) if named else None
    user = owner if owner is not None and owner.account_id == account.id else None
    if user is None or user.status == UserStatus.DELETED:
        user = _added(step, account, wanted)
        yield Change(thing)
    else:
        yield from _edited(step, user, wanted, thing)
    if wanted.status is not None and wanted.status != user.status:
        yield Change(thing, "status", user.status, wanted.status)
        _STATUS_STEPS[UserStatus(wanted.status)](step.session, user)


def _added(step: _Step, account: Account, wanted: WantedUser) -> User:
    """Without an e-mail address the user name is one, as on the page."""
    profile = Profile(**{"email": wanted.username, **wanted.values})
    outcome = user_profiles.add_user(step.session, account, profile, step.now)
    if isinstance(outcome, Invalid):
        raise _RefusedError(_faults(outcome.errors, wanted.places, ""))
    return outcome


def _edited(step: _Step, user: User, wanted: WantedUser, thing: str) -> Iterator[Change]:
    """The user name keeps the letters in which it was first written."""
    before = user_profiles.profile_of(user)
    given = dict(wanted.values)
    if username_key(given["username"]) == user.username_key:
        given["username"] = before.username
    after = replace(before, **given)
    if after == before:
        return
    outcome = user_profiles.edit(step.session, user, after, mark=user_profiles.mark_of(before))
    if isinstance(outcome, Invalid):
        raise _RefusedError(_faults(outcome.errors, wanted.places, ""))
    if isinstance(outcome, ChangedMeanwhile):
        raise TypeError("a profile cannot change between two statements of one transaction")
    for name in given:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(thing, name, old, new)


def _faults(errors: Mapping[str, str], places: Mapping[str, Place], section: str) -> tuple[Fault, ...]:
    """Each at its field, or where the whole stands when the field was left out of the file."""
    return tuple(Fault(_at(places, name, section), sentence) for name, sentence in errors.items())


def _at(places: Mapping[str, Place], name: str, section: str) -> Place:
    whole = places.get(section) or places[""]
    return places.get(name) or replace(whole, path=f"{whole.path}.{name}")


def _switch(value: bool) -> str:
    return "on" if value else "off"
