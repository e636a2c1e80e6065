"""Sign-ins that begin here, without HTTP: what goes out, and the identity provider's answer to it.

Owns beginning and answering in the words of the stories. Never skips what the edge would take along.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from house import House
from lxml import etree
from responses import Idp
from sqlalchemy import func, select

from sp.flows.assertion_consumer import SignIn
from sp.flows.request_sending import Sending
from sp.flows.sign_in_started_here import Wish, start
from sp.models import AuthnRequest
from sp.store.rows import column

SIGN_IN_URL = "https://idp.contoso.example/sign-in"
BROWSER = "the-token-of-brittas-browser"


def wish(**changes: Any) -> Wish:
    return replace(Wish("business", BROWSER, secrets.token_bytes(20)), **changes)


def begin(house: House, **changes: Any) -> Sending:
    sent = start(house.database, house.settings, house.now, wish(**changes))
    assert isinstance(sent, Sending), sent
    return sent


def request_of(sent: Sending) -> etree._Element:
    return etree.fromstring(sent.xml)


def id_of(sent: Sending) -> str:
    return request_of(sent).get("ID", "")


def answer(house: House, sent: Sending, *, token: str = BROWSER, idp: Idp | None = None, **changes: Any) -> SignIn:
    chosen: dict[str, Any] = {"now": house.now, "in_response_to": id_of(sent)} | changes
    return house.post((idp or house.idp).response(**chosen), request_token=token)


def failed(sign_in: SignIn) -> tuple[str, ...]:
    return sign_in.judgement.report.failed


def count(house: House, table: Any) -> int:
    with house.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def row(house: House, sent: Sending) -> AuthnRequest:
    with house.database.reading() as session:
        found: AuthnRequest = session.execute(
            select(AuthnRequest).where(column(AuthnRequest.id) == id_of(sent))
        ).scalar_one()
    return found
