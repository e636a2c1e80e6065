"""What an attack may leave behind: a row in the log, and nothing else.

Owns looking at the database before and after. Never writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from browser import Browser
from cast import MALLORY
from httpx2 import Response
from responses import Idp, post_field
from sqlalchemy import func, select
from sqlmodel import SQLModel

from sp.flows import account_setup
from sp.flows.account_setup import Invalid, Saved, SsoDraft
from sp.models import ConsumedAssertion, SignInAttempt, User, UserSession
from sp.saml.checks import BY_CODE
from sp.store import accounts
from sp.store.engine import Database
from sp.store.rows import column
from sp.web.state import Service

JSON = {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

USED = ConsumedAssertion.__name__

Rows = list[dict[str, object]]


@dataclass
class Traces:
    """The rows that a sign-in makes or changes, as they were when this was made."""

    database: Database
    before: dict[str, Rows] = field(init=False)
    known: int = field(init=False)

    def __post_init__(self) -> None:
        self.before = self._granted()
        with self.database.reading() as session:
            self.known = session.execute(select(func.max(column(SignInAttempt.id)))).scalar_one() or 0

    def _granted(self) -> dict[str, Rows]:
        return {table.__name__: self._rows(table) for table in (User, UserSession, ConsumedAssertion)}

    def _rows(self, table: type[SQLModel]) -> Rows:
        with self.database.reading() as session:
            return [row.model_dump() for row in session.execute(select(table)).scalars()]

    @property
    def attempts(self) -> list[tuple[list[str], int | None, str]]:
        """The rows of the log since then: the codes that failed, the user and the outcome."""
        table = SignInAttempt
        with self.database.reading() as session:
            new = session.execute(select(table).where(column(table.id) > self.known)).scalars()
            return [(row.failed, row.user_id, row.outcome) for row in new]

    def of_nothing(self) -> None:
        """No row in the log; no user, no session and no used assertion came or changed."""
        assert self.attempts == []
        assert self._granted() == self.before

    def of_one_refusal(self, *codes: str) -> None:
        """One row in the log names these codes; no user, no session and no used assertion came or changed.

        A message that was refused for its user alone has been delivered, so its assertion counts as used.
        """
        assert self.attempts == [(list(codes), None, "refused")]
        after = self._granted()
        if BY_CODE[codes[0]].stage == 9:
            after[USED] = self.before[USED]
        assert after == self.before
        assert MALLORY.email not in str(after)


def send(browser: Browser, xml: bytes, **fields: str) -> Response:
    """Post a message as a browser does, and read the verdict as a program does."""
    browser.client.follow_redirects = False
    return browser.client.post("/saml2", data={"SAMLResponse": post_field(xml)} | fields, headers=JSON)


def refused(answer: Response, *codes: str) -> None:
    """The answer names these codes, is an error of the sender's, and brings no cookie."""
    verdict = answer.json()
    assert verdict["outcome"] == "refused"
    assert verdict["failed"] == list(codes)
    assert answer.status_code in {400, 403, 413, 415}
    assert "set-cookie" not in answer.headers


def accepted(answer: Response) -> None:
    verdict = answer.json()
    assert (verdict["outcome"], verdict["failed"]) == ("accepted", [])
    assert answer.status_code == 200


def configure(service: Service, slug: str, idp: Idp, **changes: Any) -> Saved | Invalid:
    """Save settings in which the account trusts this provider."""
    draft = SsoDraft(single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,))
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, slug)
        assert account is not None
        return account_setup.save_sso_settings(
            session, service.settings, account, replace(draft, **changes), saved_by="test", now=service.now()
        )
