"""Realms: the shared one, and the workspaces.

Owns finding workspaces and removing them with every row that belongs to them. Never decides when one is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, inspect, select, tuple_
from sqlmodel import Session, SQLModel

from sp.models import (
    Account,
    Administrator,
    AdministratorSession,
    ApiToken,
    AuthnRequest,
    CertificateUse,
    Company,
    ConsumedAssertion,
    ConsumedLogoutRequest,
    HandedOutAssertion,
    IdpCertificateRecord,
    IdpMetadata,
    LogoutRequest,
    Realm,
    ServiceKey,
    SignInAttempt,
    SignInExpectation,
    SignOutMessage,
    SsoSettings,
    User,
    UserSession,
)
from sp.store.rows import Runner, column

Wanted = tuple[type[SQLModel], ColumnElement[bool]]


def realm_by_id(session: Session, realm_id: int) -> Realm:
    """Raises NoResultFound."""
    found: Realm = session.execute(select(Realm).where(column(Realm.id) == realm_id)).scalar_one()
    return found


def workspace_named(session: Session, name: str) -> Realm | None:
    """The workspace of that name, over or not. The shared realm is none."""
    wanted = column(Realm.name) == name, column(Realm.expires_at).is_not(None)
    return session.execute(select(Realm).where(*wanted)).scalar_one_or_none()


def workspaces(session: Session, now: datetime) -> Sequence[Realm]:
    """Those that are not over, by name."""
    query = select(Realm).where(column(Realm.expires_at) > now).order_by(column(Realm.name))
    return session.execute(query).scalars().all()


def count_workspaces(session: Session, now: datetime) -> int:
    """How many are not over."""
    query = select(func.count()).select_from(Realm).where(column(Realm.expires_at) > now)
    return int(session.execute(query).scalar_one())


def count_workspaces_from(session: Session, sender: str, now: datetime) -> int:
    """How many of those that are not over were made from there."""
    made = column(Realm.created_from) == sender, column(Realm.expires_at) > now
    return int(session.execute(select(func.count()).select_from(Realm).where(*made)).scalar_one())


def one_that_is_over(session: Session, now: datetime) -> int | None:
    """The id of a workspace that is over and still has rows."""
    query = select(column(Realm.id)).where(column(Realm.expires_at) <= now).order_by(column(Realm.id)).limit(1)
    return session.execute(query).scalar_one_or_none()


def account_of_workspace(session: Session, realm_id: int) -> Account | None:
    """The one account of a workspace, unless it was removed meanwhile."""
    return session.execute(select(Account).where(column(Account.realm_id) == realm_id)).scalar_one_or_none()


def is_in_workspace(session: Session, account_id: int) -> bool:
    """Whether the account is a workspace's."""
    mine = column(Account.id) == account_id, column(Realm.expires_at).is_not(None)
    query = select(column(Realm.id)).join(Account, column(Account.realm_id) == Realm.id).where(*mine)
    return session.execute(query).first() is not None


def workspace_of_company(session: Session, company_id: int) -> Realm | None:
    """The workspace that the company is for; None for one that shares `/saml2`."""
    mine = column(Company.id) == company_id, column(Realm.expires_at).is_not(None)
    query = select(Realm).join(Company, column(Company.realm_id) == Realm.id).where(*mine)
    return session.execute(query).scalar_one_or_none()


def add(session: Session, realm: Realm) -> Realm:
    session.add(realm)
    session.flush()
    return realm


def lock(session: Session, realm_id: int) -> None:
    """Until the transaction ends, nobody else adds anything that names the realm."""
    session.execute(select(Realm).where(column(Realm.id) == realm_id).with_for_update())


def lock_if_over(session: Session, realm_id: int, now: datetime) -> bool:
    """As `lock`; whether the realm is a workspace whose time is over."""
    over = column(Realm.id) == realm_id, column(Realm.expires_at) <= now
    return session.execute(select(column(Realm.id)).where(*over).with_for_update()).first() is not None


_HOLD = (
    select(column(Realm.id)).where(column(Realm.id) == bindparam("realm_id")).with_for_update(read=True, key_share=True)
)


def hold(runner: Runner, realm_id: int) -> bool:
    """Until the transaction ends nobody locks the realm, so it is neither emptied nor removed; whether it is there.

    Taken before anything else: whoever empties it waits for our rows, and we would wait for them (deadlock).
    """
    return runner.execute(_HOLD, {"realm_id": realm_id}).first() is not None


def empty(session: Session, realm_id: int) -> None:
    """Remove what happened in a workspace, and put its account back to version 1 of its settings."""
    for table, wanted in _what_happened(realm_id):
        session.execute(delete(table).where(wanted))
    account = account_of_workspace(session, realm_id)
    if account is None:
        return
    first = select(column(SsoSettings.id)).where(
        column(SsoSettings.account_id) == account.id, column(SsoSettings.version) == 1
    )
    account.settings_id, account.issuer = session.execute(first).scalar_one(), None
    session.add(account)
    session.flush()
    later = column(SsoSettings.account_id) == account.id, column(SsoSettings.version) > 1
    settings_ids = select(column(SsoSettings.id)).where(*later)
    session.execute(delete(IdpCertificateRecord).where(column(IdpCertificateRecord.settings_id).in_(settings_ids)))
    session.execute(delete(SsoSettings).where(*later))


def remove_some(session: Session, realm_id: int, *, at_most: int) -> bool:
    """Remove up to so many rows of the first table that still has any; whether the workspace is gone altogether."""
    for table, wanted in (*_what_happened(realm_id), *_what_it_is(realm_id)):
        keys = list(inspect(table).primary_key)
        found = session.execute(select(*keys).where(wanted).limit(at_most)).all()
        if len(keys) == 1:
            session.execute(delete(table).where(keys[0].in_([row[0] for row in found])))
        else:
            session.execute(delete(table).where(tuple_(*keys).in_([tuple(row) for row in found])))
        if found:
            return table is Realm
    return True


def _what_happened(realm_id: int) -> tuple[Wanted, ...]:
    """What came of using a workspace, in an order in which nothing refers to what is gone."""
    accounts = _ids(Account, realm_id)
    return (
        *_of_accounts(accounts, SignInExpectation, UserSession, AuthnRequest, LogoutRequest),
        *_of_realm(
            realm_id, SignInAttempt, SignOutMessage, ConsumedAssertion, HandedOutAssertion, ConsumedLogoutRequest, User
        ),
        *_of_accounts(accounts, CertificateUse, IdpMetadata),
    )


def _what_it_is(realm_id: int) -> tuple[Wanted, ...]:
    """The workspace itself, from its leaves to its root."""
    accounts, companies = _ids(Account, realm_id), _ids(Company, realm_id)
    settings_ids = select(column(SsoSettings.id)).where(column(SsoSettings.account_id).in_(accounts))
    administrators = select(column(Administrator.id)).where(column(Administrator.company_id).in_(companies))
    return (
        *_of_accounts(accounts, ApiToken, ServiceKey),
        (IdpCertificateRecord, column(IdpCertificateRecord.settings_id).in_(settings_ids)),
        *_of_accounts(accounts, SsoSettings),
        (AdministratorSession, column(AdministratorSession.administrator_id).in_(administrators)),
        (Administrator, column(Administrator.company_id).in_(companies)),
        *_of_realm(realm_id, Account, Company),
        (Realm, column(Realm.id) == realm_id),
    )


def _of_accounts(accounts: Select[tuple[int]], *tables: type[SQLModel]) -> tuple[Wanted, ...]:
    return tuple((table, column(table.account_id).in_(accounts)) for table in tables)  # type: ignore[attr-defined]


def _of_realm(realm_id: int, *tables: type[SQLModel]) -> tuple[Wanted, ...]:
    return tuple((table, column(table.realm_id) == realm_id) for table in tables)  # type: ignore[attr-defined]


def _ids(table: type[Account | Company], realm_id: int) -> Select[tuple[int]]:
    return select(column(table.id)).where(column(table.realm_id) == realm_id)
