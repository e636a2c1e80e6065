"""The e-mail domains of companies: who owns one, and where an account may create usernames.

Where several companies share a realm, an account creates usernames only in the domains of its company. Otherwise one
company could take the names of another one's users, or learn which of them exist. Domains are the operator's to give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from sp.models import Company, CompanyDomain
from sp.saml.domains import domain_of, normalize_domain
from sp.store import accounts
from sp.store import domains as store
from sp.store.domains import NamedUser
from sp.store.engine import Database
from sp.store.rows import Runner, required

_SHOWN_CHARACTERS = 80
_LOGGED = 10

_log = structlog.get_logger("sp.domains")


class DomainProblem(StrEnum):
    NOT_A_DOMAIN = "not_a_domain"
    OWNED = "owned"  # by another company
    WORKSPACE = "workspace"  # its company is alone in its realm, and needs no domain


@dataclass(frozen=True, slots=True)
class AddedDomain:
    """The domain as it is stored; `is_new` unless the company owned it before."""

    name: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class RefusedDomain:
    """Why the company cannot get what was given as a domain. For the operator: `owner` may be another company."""

    given: str
    problem: DomainProblem
    owner: str = ""


def may_create_username(runner: Runner, account_id: int, username: str) -> bool:
    """Whether the account may create this username, as far as its domain goes."""
    return store.may_create(runner, account_id, domain_of(username) or "")


def add_domain(session: Session, company: Company, given: str, now: datetime) -> AddedDomain | RefusedDomain:
    """Give the domain to the company."""
    if company.realm_id != accounts.shared_realm(session).id:
        return RefusedDomain(given, DomainProblem.WORKSPACE)
    name = normalize_domain(given.strip())
    if name is None:
        return RefusedDomain(given, DomainProblem.NOT_A_DOMAIN)
    is_new = store.owner_of(session, name) is None and _stored(session, company, name, now)
    owner = store.owner_of(session, name)
    if owner is not None and owner.id != company.id:
        return RefusedDomain(given, DomainProblem.OWNED, owner.name)
    return AddedDomain(name, is_new)


def _stored(session: Session, company: Company, name: str, now: datetime) -> bool:
    """Whether the domain was free; another command may have given it away at the same moment."""
    try:
        with session.begin_nested():
            store.add(session, CompanyDomain(name=name, company_id=required(company.id), added_at=now))
    except IntegrityError:
        return False
    return True


def remove_domain(session: Session, given: str) -> bool:
    """Take the domain from its company; whether one owned it. Its users keep their names."""
    name = normalize_domain(given.strip())
    return name is not None and store.remove(session, name)


def domain_sentence(refused: RefusedDomain) -> str:
    """Why a domain was refused, for the operator."""
    match refused.problem:
        case DomainProblem.NOT_A_DOMAIN:
            return f"This is not a domain such as contoso.com: {refused.given[:_SHOWN_CHARACTERS]!r}."
        case DomainProblem.OWNED:
            return f"The domain {refused.given!r} belongs to the company {refused.owner!r}. A domain has one owner."
        case DomainProblem.WORKSPACE:
            return "This is the company of a workspace, which needs no domain: it shares its usernames with nobody."


def users_outside(session: Session) -> Iterator[NamedUser]:
    """The users whose username is in no domain of their company, where several companies share the realm.

    They keep their names and sign in as before; only new ones like them are refused.
    """
    owned: dict[int, set[str]] = {}
    for user in store.users_besides(session):
        if user.company_id not in owned:
            owned[user.company_id] = set(store.domains_of(session, user.company_id))
        if domain_of(user.username) not in owned[user.company_id]:
            yield user


def warn_of_users_outside(database: Database) -> None:
    """Log how many users are outside of their company's domains, with the names of the first."""
    with database.reading() as session:
        outside = [user.username for user in users_outside(session)]
    if outside:
        _log.warning("users_outside_domains", users=len(outside), first=outside[:_LOGGED])
