"""Realms, companies, accounts and the versions of their Single Sign On settings.

Owns what an account trusts, as stored. Never validates a form: `sp.flows.account_setup` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session

from sp.models import Account, CertificateUse, Company, IdpCertificateRecord, Realm, SsoSettings
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.messages import AccountTrust, AttributeNames, Comparison, SignedPart, UserMapping
from sp.settings import SHARED_REALM
from sp.store.rows import Runner, column, required
from sp.store.together import Transaction

Row = TypeVar("Row", Realm, Company, Account, SsoSettings)


# Built once: building a statement costs more than running one of these.
_TRUSTING = (
    select(Account, SsoSettings)
    .join(Realm, column(Realm.id) == Account.realm_id)
    .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
    .where(column(Realm.name) == bindparam("realm"), column(Account.issuer) == bindparam("issuer"))
)
_SIGNED_OUT_BY = (
    select(Account, SsoSettings)
    .join(Realm, column(Realm.id) == Account.realm_id)
    .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
    .where(column(Realm.name) == bindparam("realm"), column(SsoSettings.sign_out_issuer) == bindparam("issuer"))
    .limit(1)
)
_CERTIFICATES = (
    select(column(IdpCertificateRecord.der), column(IdpCertificateRecord.retired))
    .where(column(IdpCertificateRecord.settings_id) == bindparam("settings_id"))
    .order_by(column(IdpCertificateRecord.position))
)
# What `AccountTrust` is made of. A sign-in asks for columns: a row as an object costs more than all of its statements.
_TRUSTED_COLUMNS = tuple(
    column(attribute)
    for attribute in (
        Account.slug,
        Account.active,
        SsoSettings.issuer,
        SsoSettings.single_sign_on,
        SsoSettings.unsolicited,
        SsoSettings.provisioning,
        SsoSettings.user_mapping,
        SsoSettings.signed_part,
        SsoSettings.allow_sha1,
        SsoSettings.accept_transient,
        SsoSettings.refuse_unsigned_cbc,
        SsoSettings.force_authn,
        SsoSettings.requested_contexts,
        SsoSettings.context_comparison,
        SsoSettings.first_name_attribute,
        SsoSettings.last_name_attribute,
        SsoSettings.email_attribute,
    )
)
_SIGNING_IN = (
    select(
        column(Account.id).label("account_id"),
        column(Account.realm_id),
        column(SsoSettings.id).label("settings_id"),
        column(SsoSettings.saved_at),
        column(SsoSettings.sign_in_url),
        *_TRUSTED_COLUMNS,
        column(IdpCertificateRecord.der),
        column(IdpCertificateRecord.retired),
        column(CertificateUse.last_used_at),
    )
    .select_from(Account)
    .join(Realm, column(Realm.id) == Account.realm_id)
    .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
    .outerjoin(IdpCertificateRecord, column(IdpCertificateRecord.settings_id) == SsoSettings.id)
    .outerjoin(
        CertificateUse,
        and_(
            column(CertificateUse.account_id) == Account.id,
            column(CertificateUse.sha256) == IdpCertificateRecord.sha256,
        ),
    )
    .where(column(Realm.name) == bindparam("realm"), column(Account.issuer) == bindparam("issuer"))
    .order_by(column(IdpCertificateRecord.position))
)
_IN_FORCE = (
    select(column(Account.slug), column(Account.active), column(Account.settings_id), column(SsoSettings.saved_at))
    .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
    .where(column(Account.id) == bindparam("account_id"), column(Account.issuer) == bindparam("issuer"))
)


def shared_realm(session: Session) -> Realm:
    """The realm of `/saml2`, made at the first call."""
    realm = session.execute(select(Realm).where(column(Realm.name) == SHARED_REALM)).scalar_one_or_none()
    return realm or _stored(session, Realm(name=SHARED_REALM))


def has_companies(session: Session) -> bool:
    return session.execute(select(column(Company.id)).limit(1)).first() is not None


def company_named(session: Session, name: str) -> Company | None:
    return session.execute(select(Company).where(column(Company.name) == name)).scalar_one_or_none()


def add_company(session: Session, realm: Realm, name: str, now: datetime) -> Company:
    return _stored(session, Company(realm_id=required(realm.id), name=name, created_at=now))


def add_account(session: Session, company: Company, name: str, slug: str, now: datetime) -> Account:
    """A new account with version 1 of its settings: password sign-in only, provisioning on."""
    account = _stored(
        session,
        Account(realm_id=company.realm_id, company_id=required(company.id), name=name, slug=slug, created_at=now),
    )
    save_settings(session, account, SsoSettings(version=1, saved_at=now, saved_by="setup"), ())
    return account


def only_company(session: Session, company_id: int) -> bool:
    """Whether this is the one company that shares `/saml2`: its administrators are then the operators too.

    Companies of workspaces do not count, and their administrators never operate anything.
    """
    shared = select(column(Company.id)).join(Realm, column(Realm.id) == Company.realm_id)
    found = session.execute(shared.where(column(Realm.name) == SHARED_REALM).limit(2)).scalars().all()
    return found == [company_id]


def accounts_of(session: Session, company_id: int) -> Sequence[Account]:
    query = select(Account).where(column(Account.company_id) == company_id).order_by(column(Account.name))
    return session.execute(query).scalars().all()


def account_of_company(session: Session, company_id: int, slug: str) -> Account | None:
    """The account of that slug if the company has it; other companies' accounts do not exist here."""
    query = select(Account).where(column(Account.slug) == slug, column(Account.company_id) == company_id)
    return session.execute(query).scalar_one_or_none()


def account_by_slug(session: Session, slug: str) -> Account | None:
    """For the operator's command line, which sees every company."""
    return session.execute(select(Account).where(column(Account.slug) == slug)).scalar_one_or_none()


def oldest_account(session: Session, realm_id: int) -> Account | None:
    """The account of the realm that was made first."""
    oldest_first = column(Account.created_at), column(Account.id)
    query = select(Account).where(column(Account.realm_id) == realm_id).order_by(*oldest_first).limit(1)
    return session.execute(query).scalar_one_or_none()


def account_by_id(session: Session, account_id: int) -> Account:
    """Raises NoResultFound."""
    found: Account = session.execute(select(Account).where(column(Account.id) == account_id)).scalar_one()
    return found


def company_by_id(session: Session, company_id: int) -> Company:
    """Raises NoResultFound."""
    found: Company = session.execute(select(Company).where(column(Company.id) == company_id)).scalar_one()
    return found


def able_to_start(session: Session) -> list[tuple[Account, str]]:
    """The accounts of the shared realm whose people can begin a sign-in here, each with its company's name."""
    query = (
        select(Account, column(Company.name))
        .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
        .join(Company, column(Company.id) == Account.company_id)
        .where(*_able_to_start())
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def starting(session: Session, slug: str, realm: str = SHARED_REALM) -> tuple[Account, SsoSettings] | None:
    """The account of that slug with its settings in force, if its people can begin a sign-in in this realm."""
    query = (
        select(Account, SsoSettings)
        .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
        .where(column(Account.slug) == slug, *_able_to_start(realm))
    )
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1])


def _able_to_start(realm: str = SHARED_REALM) -> tuple[ColumnElement[bool], ...]:
    """SAML is on and complete, and there is an address to send people to."""
    realm_id = select(column(Realm.id)).where(column(Realm.name) == realm).scalar_subquery()
    trusted = select(column(IdpCertificateRecord.id)).where(
        column(IdpCertificateRecord.settings_id) == SsoSettings.id, column(IdpCertificateRecord.retired).is_(False)
    )
    return (
        column(Account.realm_id) == realm_id,
        column(Account.active).is_(True),
        column(SsoSettings.single_sign_on).is_(True),
        column(SsoSettings.issuer) != "",
        column(SsoSettings.sign_in_url) != "",
        trusted.exists(),
    )


def account_with_issuer(session: Session, realm_id: int, issuer: str) -> Account | None:
    """Exact comparison: no case, slash or encoding is forgiven."""
    if not issuer:
        return None
    query = select(Account).where(column(Account.realm_id) == realm_id, column(Account.issuer) == issuer)
    return session.execute(query).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Trusting:
    """An account that trusts an issuer, as a sign-in needs it; when each certificate was last used, by `sha256`."""

    issuer: str  # by which it was found
    account_id: int
    realm_id: int
    settings_id: int
    saved_at: datetime
    sign_in_url: str
    trust: AccountTrust
    last_used: dict[str, datetime]


def signing_in(runner: Runner, realm: str, issuer: str) -> Trusting | None:
    """The account of the realm that trusts this issuer, with what its settings in force trust: one statement."""
    rows = runner.execute(_SIGNING_IN, {"realm": realm, "issuer": issuer}).all() if issuer else ()
    if not rows:
        return None
    first: Any = rows[0]
    known = [(stored_certificate(row.der), row.retired, row.last_used_at) for row in rows if row.der is not None]
    certificates = _sorted_out((certificate, retired) for certificate, retired, _ in known)
    return Trusting(
        issuer,
        first.account_id,
        first.realm_id,
        first.settings_id,
        first.saved_at,
        first.sign_in_url,
        trust_of(first, first, certificates),
        {certificate.sha256: moment for certificate, _, moment in known if moment},
    )


def still_trusts(transaction: Transaction, known: Trusting) -> bool:
    """Whether what `signing_in` found is in force. Versions never change, but a workspace that is reset drops some, and
    SQLite gives their ids out again: so the time of saving counts too.
    """
    asked = {"account_id": known.account_id, "issuer": known.issuer}
    question = (_IN_FORCE, *asked.values())
    found = transaction.once(question, lambda connection: connection.execute(_IN_FORCE, asked).first())
    return found is not None and tuple(found) == (
        known.trust.slug,
        known.trust.active,
        known.settings_id,
        known.saved_at,
    )


def trusting(session: Session, realm: str, issuer: str) -> tuple[Account, SsoSettings] | None:
    """The account of the realm that trusts this issuer, with its settings in force."""
    row = session.execute(_TRUSTING, {"realm": realm, "issuer": issuer}).first() if issuer else None
    return None if row is None else (row[0], row[1])


def trusting_sign_out(session: Session, realm: str, issuer: str) -> tuple[Account, SsoSettings] | None:
    """As `trusting`, and else the account whose identity provider speaks of sign-out under this other name."""
    found = trusting(session, realm, issuer)
    if found is not None or not issuer:
        return found
    row = session.execute(_SIGNED_OUT_BY, {"realm": realm, "issuer": issuer}).first()
    return None if row is None else (row[0], row[1])


def user_of_sign_out_issuer(session: Session, realm_id: int, issuer: str) -> Account | None:
    """The account of the realm whose identity provider speaks of sign-out under this name."""
    query = (
        select(Account)
        .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
        .where(column(Account.realm_id) == realm_id, column(SsoSettings.sign_out_issuer) == issuer)
        .limit(1)
    )
    return session.execute(query).scalar_one_or_none() if issuer else None


def issuers_in_force(session: Session) -> list[tuple[str, str, Account, str, datetime]]:
    """The issuers of the shared realm in alphabetical order: issuer, setting, account, company, and since when."""
    found = [
        (row[2], name, row[0], row[1], row[3])
        for name, query in (("issuer", _held("issuer")), ("sign_out_issuer", _held("sign_out_issuer")))
        for row in session.execute(query)
    ]
    return sorted(found, key=lambda one: (one[0], one[2].slug))


def _held(name: str) -> Select[tuple[Account, str, str, datetime]]:
    version = aliased(SsoSettings)
    issuer = getattr(SsoSettings, name)
    since = select(func.min(version.saved_at)).where(
        column(version.account_id) == Account.id, getattr(version, name) == issuer
    )
    return (
        select(Account, column(Company.name), column(issuer), since.scalar_subquery())
        .join(SsoSettings, column(SsoSettings.id) == Account.settings_id)
        .join(Company, column(Company.id) == Account.company_id)
        .join(Realm, column(Realm.id) == Account.realm_id)
        .where(column(Realm.name) == SHARED_REALM, column(issuer) != "")
    )


def nearest_issuer(session: Session, realm_id: int, issuer: str, *, account_id: int | None = None) -> str:
    """An issuer that an account trusts and that differs from this one only in what people get wrong, or "".

    The last slash, the scheme, capitals; or whatever it is, when there is one issuer only and so no other can have been
    meant. Where several companies share the realm, of `account_id` alone: the report must not name another company's
    issuer. For the words of a refusal, never for trust.
    """
    known = [column(Account.realm_id) == realm_id, column(Account.issuer).is_not(None)]
    if _is_shared_by_companies(session, realm_id):
        known.append(column(Account.id) == account_id)
    query = select(column(Account.issuer)).where(*known)
    alike = query.where(column(Account.issuer).in_(_slips(issuer))).limit(1)
    found = session.execute(alike).scalar_one_or_none()
    if found is None:
        every = session.execute(query.limit(2)).scalars().all()
        found = every[0] if len(every) == 1 else None
    return found or ""


def _is_shared_by_companies(session: Session, realm_id: int) -> bool:
    query = select(column(Company.id)).where(column(Company.realm_id) == realm_id).limit(2)
    return len(session.execute(query).all()) > 1


def _slips(issuer: str) -> set[str]:
    forms = {issuer, issuer.lower()}
    for form in tuple(forms):
        forms |= {form.replace("http://", "https://", 1), form.replace("https://", "http://", 1)}
    return {form.rstrip("/") for form in forms} | {form.rstrip("/") + "/" for form in forms}


def settings_in_force(session: Session, account: Account) -> SsoSettings:
    """Raises NoResultFound when the account has no settings, which `add_account` never leaves behind."""
    found: SsoSettings = session.execute(
        select(SsoSettings).where(column(SsoSettings.id) == account.settings_id)
    ).scalar_one()
    return found


def settings_version(session: Session, settings_id: int) -> SsoSettings:
    """Raises NoResultFound."""
    found: SsoSettings = session.execute(select(SsoSettings).where(column(SsoSettings.id) == settings_id)).scalar_one()
    return found


def lock_settings(session: Session, account: Account) -> None:
    """Wait for other saves in the realm to end, and read `account` anew; until the transaction ends nobody else saves.

    One lock for the realm, since issuers are unique in it. On SQLite the writing transaction is that lock already.
    """
    session.execute(select(Realm).where(column(Realm.id) == account.realm_id).with_for_update())
    session.refresh(account)


def versions_after(session: Session, account_id: int, version: int) -> Sequence[SsoSettings]:
    """The versions that were saved after the one of that number, newest first."""
    query = (
        select(SsoSettings)
        .where(column(SsoSettings.account_id) == account_id, column(SsoSettings.version) > version)
        .order_by(column(SsoSettings.version).desc())
    )
    return session.execute(query).scalars().all()


def versions(session: Session, account_id: int, *, limit: int = 50, before: int | None = None) -> Sequence[SsoSettings]:
    """The account's versions, newest first; with `before` those older than the one of that number."""
    query = (
        select(SsoSettings)
        .where(column(SsoSettings.account_id) == account_id)
        .order_by(column(SsoSettings.version).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(column(SsoSettings.version) < before)
    return session.execute(query).scalars().all()


def numbered_version(session: Session, account_id: int, version: int) -> SsoSettings | None:
    """The account's version of that number."""
    wanted = column(SsoSettings.account_id) == account_id, column(SsoSettings.version) == version
    return session.execute(select(SsoSettings).where(*wanted)).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates that one version of the settings names, each in order."""

    trusted: tuple[IdpCertificate, ...] = ()
    retired: tuple[IdpCertificate, ...] = ()


def certificates_of(session: Session, settings_id: int) -> Certificates:
    found = session.execute(_CERTIFICATES, {"settings_id": settings_id})
    return _sorted_out((stored_certificate(der), retired) for der, retired in found)


def _sorted_out(found: Iterable[tuple[IdpCertificate, bool]]) -> Certificates:
    every = tuple(found)
    return Certificates(
        trusted=tuple(certificate for certificate, retired in every if not retired),
        retired=tuple(certificate for certificate, retired in every if retired),
    )


def issuers_of_certificates(
    session: Session, hashes: Sequence[str], *, company_id: int, besides: int
) -> dict[str, str]:
    """The issuer for which another account of the company trusts each of these certificates, by `sha256`."""
    query = (
        select(column(IdpCertificateRecord.sha256), column(Account.issuer))
        .join(Account, column(Account.settings_id) == IdpCertificateRecord.settings_id)
        .where(
            column(IdpCertificateRecord.sha256).in_(hashes),
            column(Account.company_id) == company_id,
            column(Account.id) != besides,
            column(Account.issuer).is_not(None),
        )
    )
    return {row[0]: row[1] for row in session.execute(query)}


def save_settings(
    session: Session,
    account: Account,
    settings: SsoSettings,
    certificates: Sequence[IdpCertificate],
    retired: Sequence[IdpCertificate] = (),
) -> SsoSettings:
    """Store a new version and put it in force. `settings` has everything but the account and the number."""
    account_id = required(account.id)
    newest = select(func.max(SsoSettings.version)).where(column(SsoSettings.account_id) == account_id)
    settings.account_id = account_id
    settings.version = (session.execute(newest).scalar_one() or 0) + 1
    settings = _stored(session, settings)
    for position, certificate in enumerate(certificates):
        session.add(_record(required(settings.id), position, certificate, retired=False))
    for position, certificate in enumerate(retired):
        session.add(_record(required(settings.id), position, certificate, retired=True))
    account.settings_id = settings.id
    account.issuer = settings.issuer or None
    session.add(account)
    session.flush()
    return settings


def trust_of(account: Account, settings: SsoSettings, certificates: Certificates) -> AccountTrust:
    """An account and one version of its settings, as the core reads them."""
    return AccountTrust(
        slug=account.slug,
        issuer=settings.issuer,
        certificates=certificates.trusted,
        active=account.active,
        saml_enabled=settings.single_sign_on and bool(settings.issuer and certificates.trusted),
        unsolicited=settings.unsolicited,
        provisioning=settings.provisioning,
        user_mapping=UserMapping(settings.user_mapping),
        signed_part=SignedPart(settings.signed_part),
        allow_sha1=settings.allow_sha1,
        accept_transient=settings.accept_transient,
        refuse_unsigned_cbc=settings.refuse_unsigned_cbc,
        retired_certificates=certificates.retired,
        force_authn=settings.force_authn,
        requested_contexts=tuple(settings.requested_contexts),
        context_comparison=Comparison(settings.context_comparison),
        attribute_names=AttributeNames(
            settings.first_name_attribute, settings.last_name_attribute, settings.email_attribute
        ),
    )


def _record(settings_id: int, position: int, certificate: IdpCertificate, *, retired: bool) -> IdpCertificateRecord:
    return IdpCertificateRecord(
        settings_id=settings_id, position=position, sha256=certificate.sha256, der=certificate.der, retired=retired
    )


def _stored(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
