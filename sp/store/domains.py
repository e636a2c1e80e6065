"""The e-mail domains of companies, and which usernames are in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session

from sp.models import Account, Company, CompanyDomain, Realm, User, UserStatus
from sp.settings import SHARED_REALM
from sp.store.rows import Runner, column

_OTHER = aliased(Company)


def _another_company() -> ColumnElement[bool]:
    """Whether another company is in the realm of the Company of the statement around it."""
    return exists().where(column(_OTHER.realm_id) == Company.realm_id, column(_OTHER.id) != Company.id)


def _owned(domain: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(column(CompanyDomain.company_id) == Company.id, domain)


# One statement whatever the answer, so that its duration says nothing about other companies.
_MAY_CREATE = (
    select(column(Account.id))
    .join(Company, column(Company.id) == Account.company_id)
    .where(
        column(Account.id) == bindparam("account_id"),
        or_(~_another_company(), _owned(column(CompanyDomain.name) == bindparam("domain"))),
    )
)


def may_create(runner: Runner, account_id: int, domain: str) -> bool:
    """Whether the account may create usernames in the domain: its company owns it, or is alone in its realm."""
    return runner.execute(_MAY_CREATE, {"account_id": account_id, "domain": domain}).first() is not None


def owner_of(session: Session, domain: str) -> Company | None:
    """The company that owns the domain."""
    query = select(Company).join(CompanyDomain, column(CompanyDomain.company_id) == Company.id)
    return session.execute(query.where(column(CompanyDomain.name) == domain)).scalar_one_or_none()


def domains_of(session: Session, company_id: int) -> list[str]:
    """The company's domains in alphabetical order."""
    query = select(column(CompanyDomain.name)).where(column(CompanyDomain.company_id) == company_id)
    return list(session.execute(query.order_by(column(CompanyDomain.name))).scalars())


def every_domain(session: Session) -> list[tuple[CompanyDomain, str]]:
    """Every domain in alphabetical order, each with the name of its company."""
    query = select(CompanyDomain, column(Company.name)).join(Company, column(Company.id) == CompanyDomain.company_id)
    return [(row[0], row[1]) for row in session.execute(query.order_by(column(CompanyDomain.name)))]


def add(session: Session, domain: CompanyDomain) -> None:
    """Raises IntegrityError when the domain has an owner."""
    session.add(domain)
    session.flush()


def remove(session: Session, domain: str) -> bool:
    """Take the domain from its owner; whether it had one."""
    found = session.get(CompanyDomain, domain)
    if found is not None:
        session.delete(found)
        session.flush()
    return found is not None


@dataclass(frozen=True, slots=True)
class NamedUser:
    """A username with its company."""

    username: str
    company: str
    company_id: int


def users_besides(session: Session) -> Iterator[NamedUser]:
    """The users, not deleted, whose username ends in no domain of their company as it is stored.

    A domain written with U-labels is among them. Nothing comes where the shared realm has one company only.
    """
    for row in session.execute(_users_besides().execution_options(yield_per=1000)):
        yield NamedUser(*row)


def _users_besides() -> Select[tuple[str, str, int]]:
    ends_in = column(User.username_key).like("%@" + column(CompanyDomain.name))
    return (
        select(column(User.username), column(Company.name), column(Company.id))
        .join(Account, column(Account.id) == User.account_id)
        .join(Company, column(Company.id) == Account.company_id)
        .join(Realm, column(Realm.id) == Company.realm_id)
        .where(
            column(Realm.name) == SHARED_REALM,
            column(User.status) != UserStatus.DELETED.value,
            and_(_another_company(), ~_owned(ends_in)),
        )
        .order_by(column(User.id))
    )
