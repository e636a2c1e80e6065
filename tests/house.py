"""The service's parts without HTTP, for stories about what happens inside.

Owns configuring an account and posting a response. Never skips a step that the edge would take.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cast import CONTOSO_ISSUER, NOW
from responses import Idp, posted

from sp.flows import account_setup, service_keys
from sp.flows.account_setup import Saved, SsoDraft
from sp.flows.assertion_consumer import Delivery, SignIn, consume
from sp.models import Account
from sp.saml.own_keys import OwnKey
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database
from sp.store.rows import required
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

    def account_id(self, slug: str = "business") -> int:
        with self.database.reading() as session:
            account = accounts.account_by_slug(session, slug)
        assert account is not None
        return required(account.id)

    def encryption_key(self, slug: str = "business") -> OwnKey:
        """The newest key in the account's metadata."""
        account_id = self.account_id(slug)
        service_keys.ensure_encryption_key(self.database, self.settings, account_id, self.now)
        with self.database.reading() as session:
            newest = service_keys.published(session, account_id).encryption[0]
            keys = service_keys.decryption_keys(session, account_id, self.now).own
        return next(key for key in keys if key.certificate == newest)

    def delivery(self, xml: bytes, token: str = "", **changes: Any) -> Delivery:
        return replace(Delivery(posted(xml), self.now, "127.0.0.1", token or new_token()), **changes)

    def post(self, xml: bytes, token: str = "", **changes: Any) -> SignIn:
        return consume(self.database, self.settings, self.delivery(xml, token, **changes))

    def later(self, **amount: float) -> None:
        self.now += timedelta(**amount)
