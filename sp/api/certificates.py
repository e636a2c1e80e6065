"""/account/single-sign-on/certificates: the identity provider's certificates, and changing over to the next.

Owns the addresses. Never decides whether one may go: `sp.flows.idp_certificates` says what is known.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from sqlmodel import Session

from sp.api.authorization import ReaderDep, WriterDep, account_of
from sp.api.pem import Certificate, read_one
from sp.api.preconditions import IfMatch, check_match, etag
from sp.api.problems import BY_ANY, documented, invalid, not_found
from sp.api.schemas import Answer, Body, Time, examples
from sp.api.single_sign_on import ADDRESS as SETTINGS
from sp.api.single_sign_on import save_changes
from sp.flows import account_setup, idp_certificates
from sp.flows.account_setup import Invalid, SsoDraft
from sp.flows.api_tokens import Caller
from sp.flows.idp_certificates import CertificateState, Change, Standing
from sp.models import Account
from sp.service import Service, ServiceDep
from sp.store import accounts, certificate_uses
from sp.store.rows import required

ADDRESS = f"{SETTINGS}/certificates"
router = APIRouter(tags=["single sign-on"], responses=BY_ANY | documented(412))


class CertificateBody(Body):
    """A certificate to trust."""

    model_config = ConfigDict(json_schema_extra=examples({"certificate": "-----BEGIN CERTIFICATE-----\nMIIC…"}))

    certificate: Certificate


class CertificateAnswer(Answer):
    """A certificate, what it is used for, and whether it may go."""

    sha256: str = Field(description="The SHA-256 of its bytes, in lower-case hexadecimal.")
    state: CertificateState
    subject: str
    key: str
    not_before: Time
    not_after: Time
    days_left: int
    advice: str
    removable: bool = Field(description="Whether removing it breaks no sign-in, as far as is known.")
    first_used_at: Time | None
    last_used_at: Time | None
    pem: str


class CertificateList(Answer):
    """Every certificate of the account: the trusted ones, then the retired ones."""

    items: list[CertificateAnswer]


@router.get(ADDRESS)
def get_certificates(caller: ReaderDep, service: ServiceDep, response: Response) -> CertificateList:
    """The identity provider's certificates. The ETag is that of the settings."""
    with service.database.reading() as session:
        return _listed(session, service, account_of(session, caller), response)


@router.post(ADDRESS, status_code=201, responses={200: {"description": "It was trusted already."}})
def add_certificate(
    caller: WriterDep, service: ServiceDep, response: Response, body: CertificateBody, if_match: IfMatch = None
) -> CertificateList:
    """Trust one beside the others, whether or not it was retired."""
    added = read_one(body.certificate, "certificate")

    def change(draft: SsoDraft) -> Change:
        if added in draft.certificates:
            response.status_code = 200
        return idp_certificates.adding(draft, added)

    return _change(service, caller, response, if_match, change)


@router.post(f"{ADDRESS}/{{sha256}}/retire")
def retire_certificate(
    caller: WriterDep, service: ServiceDep, response: Response, sha256: str, if_match: IfMatch = None
) -> CertificateList:
    """Trust it no longer, but keep it to explain what it still signs."""
    return _change(service, caller, response, if_match, lambda draft: idp_certificates.retiring(draft, sha256))


@router.post(f"{ADDRESS}/{{sha256}}/bring-back")
def bring_certificate_back(
    caller: WriterDep, service: ServiceDep, response: Response, sha256: str, if_match: IfMatch = None
) -> CertificateList:
    """Trust a retired one again."""
    return _change(service, caller, response, if_match, lambda draft: idp_certificates.bringing_back(draft, sha256))


@router.delete(f"{ADDRESS}/{{sha256}}")
def remove_certificate(
    caller: WriterDep, service: ServiceDep, response: Response, sha256: str, if_match: IfMatch = None
) -> CertificateList:
    """Forget it, trusted or retired. The last trusted one stays as long as SAML is on (422)."""
    return _change(
        service, caller, response, if_match, lambda draft: idp_certificates.removing(draft, sha256), forgotten=sha256
    )


def _change(
    service: Service,
    caller: Caller,
    response: Response,
    if_match: str | None,
    change: Callable[[SsoDraft], Change | None],
    *,
    forgotten: str = "",
) -> CertificateList:
    """Save a change. When the certificate whose hash is `forgotten` comes back, its use begins anew."""
    with service.database.writing() as session:
        account = account_of(session, caller)
        accounts.lock_settings(session, account)
        check_match(if_match, accounts.settings_in_force(session, account).version)
        changes = change(account_setup.draft_of(session, account))
        if changes is None:
            raise not_found("certificate")
        saved = save_changes(session, service, caller, account, changes)
        if isinstance(saved, Invalid):
            raise invalid(saved.errors)
        if forgotten:
            certificate_uses.forget(session, required(account.id), forgotten)
        return _listed(session, service, account, response)


def _listed(session: Session, service: Service, account: Account, response: Response) -> CertificateList:
    now = service.now()
    response.headers["ETag"] = etag(accounts.settings_in_force(session, account).version)
    standings = idp_certificates.standings_of(session, account, now)
    return CertificateList(items=[_told(standing, standing.certificate.days_left(now)) for standing in standings])


def _told(standing: Standing, days_left: int) -> CertificateAnswer:
    certificate = standing.certificate
    return CertificateAnswer(
        sha256=certificate.sha256,
        state=standing.state,
        subject=certificate.subject,
        key=certificate.key,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        days_left=days_left,
        advice=standing.advice,
        removable=standing.removable,
        first_used_at=standing.first_used_at,
        last_used_at=standing.last_used_at,
        pem=certificate.pem,
    )
