"""The service's parts without HTTP, for stories about what happens inside.

Owns configuring an account and posting a response. Never skips a step that the edge would take.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cast import CONTOSO_ISSUER, NOW
from responses import Idp, posted

from sp.flows import account_setup
from sp.flows.account_setup import Saved, SsoDraft
from sp.flows.assertion_consumer import Delivery, SignIn, consume
from sp.models import Account
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database
from sp.web.cookies import new_token


@dataclass
class House:
    """The service's parts, with a clock that a story can move."""

    settings: Settings
    database: Database
    now: datetime = NOW
    idp: Idp = field(default_factory=lambda: Idp.make(CONTOSO_ISSUER))

    def configure(self, slug: str = "business", **changes: Any) -> None:
        """Save Single Sign On settings; without changes, SAML is on and trusts this house's identity provider."""
        draft = SsoDraft(single_sign_on=True, issuer=self.idp.entity_id, certificates=(self.idp.certificate,))
        with self.database.writing() as session:
            account = accounts.account_by_slug(session, slug)
            assert account is not None
            saved = account_setup.save_sso_settings(
                session, self.settings, account, replace(draft, **changes), saved_by="alice", now=self.now
            )
        assert isinstance(saved, Saved), saved

    def add_account(self, company: str, slug: str) -> Account:
        """A company that owns the domain SLUG.example, with its account."""
        owned = (f"{slug}.example",)
        with self.database.writing() as session:
            added = account_setup.add_company_account(session, company, slug, self.now, owned=owned)
        assert isinstance(added, Account), added
        return added

    def delivery(self, xml: bytes, token: str = "", **changes: Any) -> Delivery:
        return replace(Delivery(posted(xml), self.now, "127.0.0.1", token or new_token()), **changes)

    def post(self, xml: bytes, token: str = "", **changes: Any) -> SignIn:
        return consume(self.database, self.settings, self.delivery(xml, token, **changes))

    def later(self, **amount: float) -> None:
        self.now += timedelta(**amount)
