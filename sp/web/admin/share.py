"""The way to an attempt's file for somebody else: what was replaced in it, and the download.

Owns what both addresses answer. Never keeps a file, and never puts what stands for what into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from sp.flows.evidence import evidence_of
from sp.flows.sharing import Shared, shared
from sp.web.admin.attempt_scope import ScopesDep, attempt_seen
from sp.web.admin.managed import AccountView, ManagedAccountDep
from sp.web.admin.shared_file import counted, file_name, replaced, shared_file
from sp.web.admin.sign_in_log_address import address_of
from sp.web.rendering import render
from sp.web.state import ServiceDep

router = APIRouter(prefix="/account-manager/{slug}/accounts/single-sign-on/sign-in-log/{reference}/share")
_KEEP = "keep"
_MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Sharing:
    """An attempt that the administrator may see, made ready for others to see."""

    account: AccountView
    shared: Shared
    keep_hosts: bool

    @property
    def reference(self) -> str:
        return self.shared.evidence.attempt.reference

    @property
    def address(self) -> str:
        return f"{address_of(self.account)}/{self.reference}/share"


def sharing_of(
    reference: str,
    account: ManagedAccountDep,
    scopes: ScopesDep,
    service: ServiceDep,
    hosts: Annotated[str, Query(max_length=8)] = "",
) -> Sharing:
    """Raises PageError (404) for an attempt that the administrator may not see."""
    with service.database.reading() as session:
        evidence = evidence_of(session, attempt_seen(session, scopes, reference))
    return Sharing(account, shared(evidence, keep_hosts=hosts == _KEEP), hosts == _KEEP)


SharingDep = Annotated[Sharing, Depends(sharing_of)]


@router.get("")
def before_sharing(request: Request, sharing: SharingDep) -> Response:
    """What the file will hold."""
    file = shared_file(sharing.shared)  # drawn first: only then everything in it was replaced
    replacements = replaced(sharing.shared)
    return render(
        request,
        "admin/sign_in_log/share.html",
        account=sharing.account,
        active_tab="accounts",
        active_menu="sign-in-log",
        log_address=address_of(sharing.account),
        reference=sharing.reference,
        address=sharing.address,
        keep_hosts=sharing.keep_hosts,
        size=len(file),
        counts=counted(sharing.shared),
        kept=sharing.shared.pseudonyms.kept,
        replacements=replacements[:_MOST_SHOWN],
        more=max(0, len(replacements) - _MOST_SHOWN),
    )


@router.get("/file")
def download_shared_file(sharing: SharingDep) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(sharing.reference)}"',
        "Cache-Control": "no-store",
    }
    return Response(shared_file(sharing.shared), media_type="text/html; charset=utf-8", headers=headers)
