"""User profiles for the tests of stores, flows and pages.

Owns making rows. Never goes through the pages under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cast import BRITTA, NOW, Person
from sqlmodel import Session

from sp.flows.domains import AddedDomain, add_domain
from sp.models import Account, User, UserSource, UserStatus
from sp.store import accounts, users
from sp.store.engine import Database
from sp.store.rows import required


@dataclass(frozen=True, slots=True)
class Accounts:
    """The Business accounts of the two companies that every test about confinement needs."""

    contoso: Account
    fabrikam: Account


def add_both_accounts(database: Database) -> Accounts:
    with database.writing() as session:
        return Accounts(add_account(session, "Contoso", "business"), add_account(session, "Fabrikam", "fabrikam"))


def add_account(session: Session, company_name: str, slug: str) -> Account:
    """A company that owns the domain NAME.example, with its account."""
    company = accounts.add_company(session, accounts.shared_realm(session), company_name, NOW)
    assert isinstance(add_domain(session, company, f"{company_name}.example", NOW), AddedDomain)
    return accounts.add_account(session, company, "Business", slug, NOW)


def profile(account: Account, person: Person = BRITTA, **changes: Any) -> User:
    """A profile that is not stored yet: Britta's in `account`, but for the changes."""
    values: dict[str, Any] = {
        "username": person.email,
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "source": UserSource.JUST_IN_TIME,
        "status": UserStatus.ACTIVE,
        "created_at": NOW,
    }
    return User(realm_id=account.realm_id, account_id=required(account.id), **(values | changes))


def add_profile(database: Database, account: Account, person: Person = BRITTA, **changes: object) -> User:
    with database.writing() as session:
        return users.store_user(session, profile(account, person, **changes))


def add_crowd(database: Database, account: Account, size: int) -> list[User]:
    """So many people, created a minute apart; every third has signed in, and names repeat without regard to case."""
    names = ("Ada", "bea", "CARL", "dörte", "Émile", "ada", "")
    crowd = [
        profile(
            account,
            username=f"user{number}@{account.slug}.example",
            email=f"User{number}@{account.slug}.example",
            first_name=names[number % len(names)],
            last_name=names[number // 2 % len(names)],
            federation_id=f"f-{number % 5}" if number % 2 else "",
            source=UserSource.SUPPORT if number % 4 == 0 else UserSource.JUST_IN_TIME,
            status=UserStatus.DISABLED if number % 6 == 0 else UserStatus.ACTIVE,
            created_at=NOW + timedelta(minutes=number // 2),
            last_sign_in_at=NOW + timedelta(days=number // 6) if number % 3 == 0 else None,
        )
        for number in range(size)
    ]
    with database.writing() as session:
        for user in crowd:
            users.store_user(session, user)
    return crowd
