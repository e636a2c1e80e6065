"""My profile: what the signed-on user is here, and how the sign-on came about.

Owns this one page. Never shows another user, and never changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from sp.models import User, UserSession
from sp.settings import Settings
from sp.store import accounts
from sp.store.rows import required
from sp.web.admin.managed import AccountView
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.times import ShownTime, shown_time
from sp.web.viewer import UserDep

router = APIRouter()

_METHODS = {"saml": "Single Sign On with SAML", "password": "8x8 Username and Password"}


@dataclass(frozen=True, slots=True)
class SignOnView:
    """How the session began and when it ends. `ends_idle` is when it ends if no further page is asked for."""

    method: str
    saml: bool
    reference: str
    issuer: str
    name_id: str
    name_id_format: str
    authn_context: str
    session_index: str
    attributes: dict[str, list[str]]
    began: ShownTime
    ends: ShownTime
    ends_idle: ShownTime


@router.get("/my-profile")
def my_profile(request: Request, service: ServiceDep, viewer: UserDep) -> Response:
    user, session = viewer.user, viewer.user_session
    if user is None or session is None:
        raise RuntimeError("a user is signed in without a session")
    return render(
        request,
        "home/my_profile.html",
        account=_account_of(service, user),
        user=user,
        sign_on=_sign_on(service.settings, session, service.now()),
    )


def _account_of(service: Service, user: User) -> AccountView:
    with service.database.reading() as session:
        account = accounts.account_by_id(session, user.account_id)
        company = accounts.company_by_id(session, account.company_id)
    return AccountView(required(account.id), account.name, account.slug, company.name)


def _sign_on(settings: Settings, session: UserSession, now: datetime) -> SignOnView:
    return SignOnView(
        method=_METHODS[session.method],
        saml=session.method == "saml",
        reference=session.attempt_reference,
        issuer=session.issuer,
        name_id=session.name_id,
        name_id_format=session.name_id_format,
        authn_context=session.authn_context,
        session_index=session.session_index,
        attributes=session.attributes,
        began=shown_time(session.created_at, now),
        ends=shown_time(session.expires_at, now),
        ends_idle=shown_time(min(now + settings.session_idle, session.expires_at), now),
    )
