"""User Profiles: the list, a profile's form, and disabling, enabling and deleting.

Owns what each address answers. Never decides what a profile may hold: `sp.flows.user_profiles` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from sqlmodel import Session

from sp.flows import user_profiles
from sp.flows.account_setup import Invalid
from sp.flows.user_profiles import ChangedMeanwhile, Profile
from sp.models import User, UserStatus
from sp.store import user_listing, users
from sp.web import csrf
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.user_columns import columns_of, keep_columns
from sp.web.admin.user_csv import csv_of
from sp.web.admin.user_list_address import Wanted, WantedDep, address_of
from sp.web.admin.user_view import user_view
from sp.web.errors import not_found
from sp.web.flash import redirect_with_flash
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/user-profiles")
_FORM = [Depends(csrf.require_form_token)]
_ON_A_PAGE = 50
_ID_DIGITS = 18  # as many as every database's ids can have


@router.get("")
def list_profiles(request: Request, account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep) -> Response:
    listing = wanted.listing(account)
    start = wanted.start(listing)
    with service.database.reading() as session:
        page = user_listing.page(session, listing, start, size=_ON_A_PAGE)
    if start is not None and not page.users:  # the last ones of this page went away meanwhile
        return RedirectResponse(address_of(account) + replace(wanted, page="").suffix, status_code=303)
    now = service.now()
    return _render(
        request,
        "list",
        account,
        wanted,
        users=[user_view(user, now) for user in page.users],
        total=page.total,
        columns=columns_of(request),
        previous_url=wanted.page_url(listing, page.previous),
        next_url=wanted.page_url(listing, page.next),
    )


@router.post("/columns", dependencies=_FORM)
def choose_columns(
    account: ManagedAccountDep,
    service: ServiceDep,
    wanted: WantedDep,
    columns: Annotated[tuple[str, ...], Form()] = (),
) -> Response:
    """Which columns this browser shows."""
    response = RedirectResponse(address_of(account) + wanted.suffix, status_code=303)
    keep_columns(response, columns, service.settings)
    return response


@router.get("/download")
def download(account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep) -> Response:
    """Everybody whom the search finds, in its order, as CSV."""
    rows = csv_of(user_listing.everybody(service.database, wanted.listing(account)))
    return StreamingResponse(
        rows,
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="user-profiles-{account.slug}.csv"',
            "Cache-Control": "no-store",
        },
    )


def profile_id(user_id: str) -> int:
    """The id in the address. Raises PageError (404) for anything that can be no id."""
    if not (user_id.isascii() and user_id.isdigit() and len(user_id) <= _ID_DIGITS):
        raise not_found("There is no such user")
    return int(user_id)


def typed_profile(
    first_name: Annotated[str, Form()] = "",
    last_name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    username: Annotated[str, Form()] = "",
    federation_id: Annotated[str, Form()] = "",
) -> Profile:
    return Profile(first_name, last_name, email, username, federation_id)


ProfileIdDep = Annotated[int, Depends(profile_id)]
ProfileDep = Annotated[Profile, Depends(typed_profile)]


@router.get("/{user_id}")
def profile_form(
    request: Request, account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep, user_id: ProfileIdDep
) -> Response:
    with service.database.reading() as session:
        user = _user(session, account, user_id)
    return _edit_page(request, service, account, wanted, user)


@router.post("/{user_id}", dependencies=_FORM)
def save_profile(
    request: Request,
    account: ManagedAccountDep,
    service: ServiceDep,
    wanted: WantedDep,
    user_id: ProfileIdDep,
    profile: ProfileDep,
    mark: Annotated[str, Form()] = "",
) -> Response:
    with service.database.writing() as session:
        user = _user(session, account, user_id, lock=True)
        outcome = user_profiles.edit(session, user, profile, mark=mark)
    match outcome:
        case Invalid(errors=errors):
            return _edit_page(request, service, account, wanted, user, typed=profile, errors=errors, status=422)
        case ChangedMeanwhile(current=current):
            return _edit_page(request, service, account, wanted, user, typed=profile, changed=current, status=409)
        case User():
            return redirect_with_flash(address_of(account) + wanted.suffix, "profile-saved", service.settings)


@router.get("/{user_id}/disable")
def ask_to_disable(
    request: Request, account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep, user_id: ProfileIdDep
) -> Response:
    return _confirm_page(request, service, account, wanted, user_id, "disable")


@router.get("/{user_id}/delete")
def ask_to_delete(
    request: Request, account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep, user_id: ProfileIdDep
) -> Response:
    return _confirm_page(request, service, account, wanted, user_id, "delete")


@router.post("/{user_id}/disable", dependencies=_FORM)
def disable(account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep, user_id: ProfileIdDep) -> Response:
    return _change(service, account, wanted, user_id, user_profiles.disable, "user-disabled")


@router.post("/{user_id}/enable", dependencies=_FORM)
def enable(account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep, user_id: ProfileIdDep) -> Response:
    return _change(service, account, wanted, user_id, user_profiles.enable, "user-enabled")


@router.post("/{user_id}/delete", dependencies=_FORM)
def delete(account: ManagedAccountDep, service: ServiceDep, wanted: WantedDep, user_id: ProfileIdDep) -> Response:
    return _change(service, account, wanted, user_id, user_profiles.delete, "user-deleted")


def _user(session: Session, account: AccountView, user_id: int, *, lock: bool = False) -> User:
    """Raises PageError (404) for another account's user, and for a deleted one."""
    user = users.user_of_account(session, account.id, user_id, lock=lock)
    if user is None or user.status == UserStatus.DELETED:
        raise not_found("There is no such user")
    return user


def _change(
    service: Service,
    account: AccountView,
    wanted: Wanted,
    user_id: int,
    change: Callable[[Session, User], None],
    said: str,
) -> Response:
    with service.database.writing() as session:
        change(session, _user(session, account, user_id, lock=True))
    return redirect_with_flash(address_of(account) + wanted.suffix, said, service.settings)


def _edit_page(
    request: Request,
    service: Service,
    account: AccountView,
    wanted: Wanted,
    user: User,
    *,
    typed: Profile | None = None,
    errors: Mapping[str, str] | None = None,
    changed: Profile | None = None,
    status: int = 200,
) -> Response:
    current = changed or user_profiles.profile_of(user)
    return _render(
        request,
        "edit",
        account,
        wanted,
        status=status,
        user=user_view(user, service.now()),
        values=typed or current,
        mark=user_profiles.mark_of(current),
        errors=errors or {},
        changed=changed,
        labels=user_profiles.LABELS,
    )


def _confirm_page(
    request: Request, service: Service, account: AccountView, wanted: Wanted, user_id: int, action: str
) -> Response:
    with service.database.reading() as session:
        user = _user(session, account, user_id)
    return _render(request, "confirm", account, wanted, user=user_view(user, service.now()), action=action)


def _render(
    request: Request, page: str, account: AccountView, wanted: Wanted, *, status: int = 200, **context: object
) -> Response:
    return render(
        request,
        f"admin/user_profiles/{page}.html",
        status=status,
        account=account,
        active_tab="accounts",
        active_menu="user-profiles",
        address=address_of(account),
        wanted=wanted,
        **context,
    )
