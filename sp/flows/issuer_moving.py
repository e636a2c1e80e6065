"""Moving an issuer from the account that holds it to another one: the operator's decision on a conflict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from sp.flows.account_setup import Invalid, draft_of, save_sso_settings
from sp.flows.issuers import holder_of
from sp.models import Account
from sp.settings import Settings
from sp.store import accounts, idp_metadata, issuer_conflicts
from sp.store.rows import required

SAVED_BY = "operator"


@dataclass(frozen=True, slots=True)
class MovedIssuer:
    """Which account lost the issuer, and the setting of the other one that has it now."""

    taken_from: Account
    setting: str


def move_issuer(
    session: Session, settings: Settings, issuer: str, account: Account, now: datetime
) -> MovedIssuer | Invalid:
    """Give the issuer to the account, each side with a new version of its settings.

    The account that held it has Single Sign On switched off when it was its Issuer URL, and does not follow the
    metadata of that identity provider any more. On Invalid the caller has to roll the session back.
    """
    accounts.lock_settings(session, account)
    holder = holder_of(session, account.realm_id, issuer, besides=account.id)
    if holder is None:
        return Invalid({"issuer": f"No other account has the issuer {issuer!r}."})
    asked = issuer_conflicts.conflict_of(session, required(account.id), issuer)
    setting = asked.setting if asked else "issuer"
    for changed, changes in ((holder, _without(session, holder, issuer)), (account, {setting: issuer})):
        draft = replace(draft_of(session, changed), **changes)
        saved = save_sso_settings(session, settings, changed, draft, saved_by=SAVED_BY, now=now)
        if isinstance(saved, Invalid):
            return saved
    issuer_conflicts.remove(session, required(account.id), issuer)
    return MovedIssuer(holder, setting)


def _without(session: Session, holder: Account, issuer: str) -> dict[str, Any]:
    """What changes for the account that loses the issuer, by the names of SsoDraft."""
    draft = draft_of(session, holder)
    changes: dict[str, Any] = {"sign_out_issuer": ""} if draft.sign_out_issuer == issuer else {}
    if draft.issuer != issuer:
        return changes
    idp_metadata.forget(session, required(holder.id))  # a refresh would trust that provider's certificates again
    return changes | {"issuer": "", "single_sign_on": False, "password_sign_in": True}
