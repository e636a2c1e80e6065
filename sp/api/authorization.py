"""Who calls: a program with a token, for one account.

Owns turning the Authorization header into a Caller (RFC 6750). Never grants more than the token's scope and account.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from sp.api.problems import ApiError
from sp.flows.api_tokens import Caller, recognize
from sp.models import Account
from sp.service import ServiceDep
from sp.store import accounts

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    bearerFormat="vo_…",
    description="A token of one account, made on the page API Tokens or with `virtual-office token create`.",
)
_REALM = 'Bearer realm="virtual-office"'


def caller(
    request: Request,
    service: ServiceDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Caller:
    """Raises ApiError (401) where no token that holds was sent."""
    if credentials is None:
        raise ApiError(401, headers={"WWW-Authenticate": _REALM})
    found = recognize(service.database, credentials.credentials, service.now())
    if found is None:
        detail = "This token is unknown, was revoked or has expired."
        raise ApiError(401, detail, headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'})
    request.state.caller = found
    return found


ReaderDep = Annotated[Caller, Depends(caller)]


def writer(found: ReaderDep) -> Caller:
    """Raises ApiError (403) for a token that may read only."""
    if not found.may_write:
        wanted = f'{_REALM}, error="insufficient_scope", scope="write"'
        raise ApiError(403, headers={"WWW-Authenticate": wanted})
    return found


WriterDep = Annotated[Caller, Depends(writer)]


def message_reader(found: ReaderDep) -> Caller:
    """Raises ApiError (403) for a token that may not have the exact bytes of messages."""
    if not found.may_fetch_messages:
        wanted = f'{_REALM}, error="insufficient_scope", scope="messages"'
        detail = "The token may not fetch exact messages. Make one with the scope messages."
        raise ApiError(403, detail, headers={"WWW-Authenticate": wanted})
    return found


MessageReaderDep = Annotated[Caller, Depends(message_reader)]


def account_of(session: Session, found: Caller) -> Account:
    """The account that the token is for."""
    return accounts.account_by_id(session, found.account_id)
