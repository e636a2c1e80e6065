"""The identity provider's configuration: what to tell the other side, next to the form for what it tells us.

Owns the choice of the product and the two ways to take a text along, copying and a file. Changes nothing
but for the account's encryption key, which is made here if nothing has asked for it before.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from fastapi import APIRouter, Request, Response

from sp.flows.idp_config import Configuration, Product, Unwritable, configuration
from sp.flows.idp_config.facts import service_facts
from sp.flows.idp_config.parts import PRODUCT_NAMES
from sp.flows.service_keys import ensure_encryption_key
from sp.store import accounts
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.errors import not_found
from sp.web.rendering import render
from sp.web.state import Service, ServiceDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/identity-provider-configuration")


@router.get("")
def idp_configuration(
    request: Request, account: ManagedAccountDep, service: ServiceDep, product: Product = Product.GENERIC
) -> Response:
    made = _made(service, account, product)
    return render(
        request,
        "admin/single_sign_on/idp_configuration.html",
        account=account,
        active_tab="accounts",
        active_menu="single-sign-on",
        address=_address(account),
        product=product.value,
        product_name=PRODUCT_NAMES[product],
        products=[(one.value, PRODUCT_NAMES[one]) for one in Product],
        parts=() if isinstance(made, Unwritable) else made.parts,
        refusal=made.sentence if isinstance(made, Unwritable) else "",
    )


@router.get("/{product}/text-{number}")
def download(account: ManagedAccountDep, service: ServiceDep, product: Product, number: int) -> Response:
    """One of the texts, counted from 1, as a file."""
    made = _made(service, account, product)
    if isinstance(made, Unwritable) or not 0 < number <= len(made.parts):
        raise not_found("There is no such file")
    part = made.parts[number - 1]
    named = {"Content-Disposition": f'attachment; filename="{PurePosixPath(part.file_name).name}"'}
    return Response(part.text, media_type="application/octet-stream", headers=named)


def _made(service: Service, account: AccountView, product: Product) -> Configuration | Unwritable:
    ensure_encryption_key(service.database, service.settings, account.id, service.now())
    with service.database.reading() as session:
        stored = accounts.account_by_id(session, account.id)
        return configuration(product, service_facts(session, service.settings, stored))


def _address(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/identity-provider-configuration"
