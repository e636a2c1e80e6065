"""The page of an identity provider's metadata: give it, look at what it would change, take it over, follow it.

Owns what each form answers. Nothing is saved before "Save" was pressed under a preview. Never judges a value:
`sp.flows.metadata_import` and `sp.flows.metadata_refresh` do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from sp.flows.account_setup import LABELS, Invalid, Overtaken, Saved, url_fault
from sp.flows.issuers import record_conflict_of_preview
from sp.flows.metadata_import import proposal, save_import
from sp.flows.metadata_refresh import confirm_held, dismiss_held, held_proposal, refresh_account
from sp.models import Account, IdpMetadata
from sp.outgoing import run_outgoing
from sp.saml.errors import MetadataError
from sp.store import accounts, idp_metadata
from sp.web import csrf
from sp.web.admin.idp_metadata_form import (
    CHOSEN,
    FOLLOW,
    LISTED,
    PINNED,
    TEXT,
    URL,
    WANTED,
    FetchedMetadataDep,
    ReadMetadata,
    SentMetadata,
    SentMetadataDep,
    read_sent,
    sent_metadata,
    source_of,
)
from sp.web.admin.idp_metadata_view import FollowedView, choices_of, followed_view, proposal_view
from sp.web.admin.managed import AccountView, ManagedAccountDep, managed_account
from sp.web.errors import not_found
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep
from sp.web.viewer import AdministratorDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/metadata")
_FORM = [Depends(csrf.require_form_token)]
# In this order: a stranger's 16 MiB are not even read, and the token is looked for in the form as read here.
_LARGE_FORM = [Depends(managed_account), Depends(sent_metadata), Depends(csrf.require_form_token)]

_OVERTAKEN = "Somebody saved other settings meanwhile. Look at the preview again: it has been made anew."
_GONE = "Nothing is waiting any more."
_ANOTHER = "The metadata has changed again since you looked: this is what waits now. Nothing was saved."
_Shown = Annotated[str, Form(max_length=64)]  # by which a button names the change above it


@dataclass(frozen=True, slots=True)
class _Again:
    """What the page shows besides what is followed: a refused form as it was sent, and why."""

    status: int = 200
    errors: Mapping[str, str] = field(default_factory=dict)
    sent: SentMetadata = field(default_factory=lambda: SentMetadata({FOLLOW: "on"}))
    refusal: str = ""


@router.get("")
def page(request: Request, account: ManagedAccountDep, service: ServiceDep) -> Response:
    return _page(request, service, account, _Again())


@router.get("/preview")
def back_to_the_page(account: ManagedAccountDep) -> Response:
    """For whoever opens the address that a form has left in the browser."""
    return RedirectResponse(_address(account), status_code=303)


@router.post("/preview", dependencies=_LARGE_FORM)
def preview(
    request: Request,
    account: ManagedAccountDep,
    service: ServiceDep,
    sent: SentMetadataDep,
    fetched: FetchedMetadataDep,
) -> Response:
    read = read_sent(service, sent, fetched)
    if read.errors:
        return _page(request, service, account, _Again(422, read.errors, sent))
    if read.found is not None:
        return _choice(request, account, sent, read)
    return _preview(request, service, account, sent, read)


@router.post("", dependencies=_FORM)
def save(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    service: ServiceDep,
    sent: SentMetadataDep,
) -> Response:
    """Take over what the preview showed."""
    if not sent.text(CHOSEN):
        return RedirectResponse(_address(account), status_code=303)
    read = read_sent(service, sent)
    source = source_of(sent, read.pinned)
    fault = url_fault(source.url) if source else None
    if fault or read.entity is None:
        return _page(request, service, account, _Again(422, {URL: fault} if fault else read.errors, sent))
    with service.database.writing() as session:
        stored = accounts.account_by_id(session, account.id)
        outcome = save_import(
            session,
            service.settings,
            stored,
            read.entity,
            based_on=sent.based_on,
            saved_by=administrator.username,
            now=service.now(),
            source=source,
        )
    match outcome:
        case Saved():
            key = "metadata-followed" if source else "metadata-imported"
            return redirect_with_flash(_address(account), key, service.settings)
        case Overtaken():
            return _preview(request, service, account, sent, read, status=409, refusal=_OVERTAKEN)
        case Invalid():
            return _preview(request, service, account, sent, read, status=422)


@router.post("/refresh", dependencies=_FORM)
async def refresh(request: Request, account: ManagedAccountDep, service: ServiceDep) -> Response:
    work = partial(refresh_account, service.database, service.settings, account.id, service.now())
    await run_outgoing(request, account.id, work)
    return redirect_with_flash(_address(account), "metadata-asked", service.settings)


@router.post("/leave", dependencies=_FORM)
def leave(account: ManagedAccountDep, service: ServiceDep) -> Response:
    """Follow the address no longer. The settings stay."""
    with service.database.writing() as session:
        idp_metadata.forget(session, account.id)
    return redirect_with_flash(_address(account), "metadata-left", service.settings)


@router.post("/confirm", dependencies=_FORM)
def confirm(
    request: Request,
    account: ManagedAccountDep,
    administrator: AdministratorDep,
    service: ServiceDep,
    shown: _Shown = "",
) -> Response:
    """Take the held change over, if it is the one that the page showed."""
    try:
        with service.database.writing() as session:
            stored = accounts.account_by_id(session, account.id)
            outcome = confirm_held(
                session, service.settings, stored, shown, saved_by=administrator.username, now=service.now()
            )
            waits = _row(session, account).held is not None
    except MetadataError as error:
        return _page(request, service, account, _Again(422, refusal=str(error)))
    if isinstance(outcome, Saved):
        return redirect_with_flash(_address(account), "metadata-confirmed", service.settings)
    if isinstance(outcome, Invalid):
        return _page(request, service, account, _Again(422, refusal=_told(outcome)))
    return _page(request, service, account, _Again(409, refusal=_ANOTHER if waits else _GONE))


@router.post("/dismiss", dependencies=_FORM)
def dismiss(request: Request, account: ManagedAccountDep, service: ServiceDep, shown: _Shown = "") -> Response:
    """Keep the settings as they are, whatever the metadata that the page showed says of endpoints."""
    with service.database.writing() as session:
        dismissed = dismiss_held(session, accounts.account_by_id(session, account.id), shown)
        waits = _row(session, account).held is not None
    if not dismissed:
        return _page(request, service, account, _Again(409, refusal=_ANOTHER if waits else _GONE))
    return redirect_with_flash(_address(account), "metadata-dismissed", service.settings)


def _told(outcome: Invalid) -> str:
    return " ".join(f"{LABELS.get(name, name)}: {sentence}" for name, sentence in outcome.errors.items())


def _row(session: Session, account: AccountView) -> IdpMetadata:
    """Raises PageError (404) when the account follows nothing."""
    row = idp_metadata.of_account(session, account.id)
    if row is None:
        raise not_found("This account follows no metadata any more")
    return row


def _page(request: Request, service: Service, account: AccountView, again: _Again) -> Response:
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        row = idp_metadata.of_account(session, account.id)
        followed, expired = (None, "") if row is None else _followed(session, service, stored, row)
    return render(
        request,
        "admin/idp_metadata/page.html",
        status=again.status,
        account=account,
        active_tab="accounts",
        active_menu="metadata",
        address=_address(account),
        errors=again.errors,
        values={name: again.sent.text(name) for name in (URL, TEXT, WANTED, f"{PINNED}_text")},
        follow=FOLLOW in again.sent.fields,
        refusal=again.refusal or expired,
        followed=followed,
    )


def _followed(session: Session, service: Service, stored: Account, row: IdpMetadata) -> tuple[FollowedView, str]:
    """What is followed, and why what waits cannot be shown, or ""."""
    now = service.now()
    try:
        waiting = held_proposal(session, service.settings, stored, row, now) if row.held else None
    except MetadataError as error:
        return followed_view(row, None, now), f"A change is waiting that cannot be taken over: {error}"
    return followed_view(row, waiting, now), ""


def _choice(request: Request, account: AccountView, sent: SentMetadata, read: ReadMetadata) -> Response:
    """Which entity of a federation it is. Every one carries itself, since a file would have to be sent again."""
    if read.found is None:
        raise RuntimeError("nothing to choose from")
    return render(
        request,
        "admin/idp_metadata/choose.html",
        account=account,
        active_tab="accounts",
        active_menu="metadata",
        address=_address(account),
        choices=choices_of(read.found),
        matching=read.found.matching,
        total=read.found.total,
        listed=LISTED,
        wanted=sent.text(WANTED),
        carried=_carried(sent, read),
    )


def _preview(
    request: Request,
    service: Service,
    account: AccountView,
    sent: SentMetadata,
    read: ReadMetadata,
    *,
    status: int = 200,
    refusal: str = "",
) -> Response:
    """What "Save" would change. A proposal that cannot be saved is shown with the reasons and without the button."""
    if read.entity is None:
        raise RuntimeError("nothing to look at")
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        version = accounts.settings_in_force(session, stored).version
        found = proposal(session, service.settings, stored, read.entity)
        row = idp_metadata.of_account(session, account.id)
    if "issuer" in found.faults:
        record_conflict_of_preview(service.database, account.id, read.entity.entity_id, service.now())
    carried = _carried(sent, read)
    return render(
        request,
        "admin/idp_metadata/preview.html",
        status=status,
        account=account,
        active_tab="accounts",
        active_menu="metadata",
        address=_address(account),
        proposal=proposal_view(found, service.now()),
        version=version,
        carried=carried,
        pinned=read.pinned.subject if read.pinned else "",
        follows=sent.text(URL) if FOLLOW in carried else "",
        ends_following=row.url if row is not None and FOLLOW not in carried else "",
        refusal=refusal,
    )


def _carried(sent: SentMetadata, read: ReadMetadata) -> dict[str, str]:
    """The fields that go on to the next form: where to follow it, and who must have signed it."""
    carried = {URL: sent.text(URL)} if sent.text(URL) else {}
    if carried and FOLLOW in sent.fields:
        carried[FOLLOW] = "on"
    if read.pinned is not None:
        carried[f"{PINNED}_text"] = read.pinned.pem
    return carried


def _address(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/metadata"
