"""Certificates of identity providers that end soon, as the panel and the pages warn of them.

Owns the words. Never says what soon is: `sp.flows.idp_certificates` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from sp.flows.account_setup import SsoDraft, draft_of
from sp.flows.idp_certificates import WARNED_DAYS, Expiry, expiries
from sp.store import accounts
from sp.web.admin.saml_state import saml_state

_KINDS = dict(zip(WARNED_DAYS, ("note", "warning", "refused"), strict=True))


@dataclass(frozen=True, slots=True)
class ExpiryView:
    """`kind` is that of a note or a badge; `short` fits into a tile, `sentence` names the certificate."""

    kind: str
    short: str
    sentence: str
    days: int


def expiry_views(draft: SsoDraft, now: datetime) -> tuple[ExpiryView, ...]:
    """For one account, the first one to end first; nothing where SAML is off."""
    if not saml_state(draft).on:
        return ()
    return tuple(_view(one) for one in expiries(draft.certificates, now))


def most_urgent(session: Session, company_id: int, now: datetime) -> ExpiryView | None:
    """The one of all accounts of a company that ends first and has no successor, else the first of all."""
    drafts = [draft_of(session, account) for account in accounts.accounts_of(session, company_id)]
    views = [view for draft in drafts for view in expiry_views(draft, now)]
    return min(views, key=lambda view: (view.kind == "note", view.days), default=None)


def _view(expiry: Expiry) -> ExpiryView:
    kind = "note" if expiry.has_successor else _KINDS[expiry.within]
    ending = _ending(expiry.days)
    then = "Its successor is trusted already." if expiry.has_successor else "Ask for its successor and add it here."
    return ExpiryView(kind, f"Certificate {ending}", f"{expiry.certificate.subject} {ending}. {then}", expiry.days)


def _ending(days: int) -> str:
    if days < 0:
        return "has expired"
    return "expires today" if days == 0 else f"expires in {days} day{'' if days == 1 else 's'}"


def worst_kind(views: Sequence[ExpiryView]) -> str:
    """Of several, the one that a reader must not miss."""
    return next((kind for kind in ("refused", "warning") if any(view.kind == kind for view in views)), "note")
