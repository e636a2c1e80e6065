"""GET /account: the account that the token is for.

Owns that answer. Never names another account.
"""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from sp.api.authorization import ReaderDep, account_of
from sp.api.problems import BY_ANY
from sp.api.schemas import Answer, Time, examples
from sp.flows.realms import settings_of
from sp.flows.service_metadata import metadata_url
from sp.service import ServiceDep
from sp.store import accounts

router = APIRouter(tags=["account"], responses=BY_ANY)


class TokenAnswer(Answer):
    """The token that was sent, without the token."""

    name: str
    scope: str = Field(description="Words separated by a space: `read` or `write`, and `messages`.")
    expires_at: Time | None


class AccountAnswer(Answer):
    """An account and what an identity provider has to know about this service."""

    model_config = ConfigDict(
        json_schema_extra=examples(
            {
                "slug": "business",
                "name": "Business",
                "company": "Contoso",
                "active": True,
                "entity_id": "http://localhost:8000/saml2",
                "acs_url": "http://localhost:8000/saml2",
                "metadata_url": "http://localhost:8000/saml2/metadata/business",
                "settings_version": 3,
                "token": {"name": "nightly", "scope": "write messages", "expires_at": "2030-05-01T12:00:00Z"},
            }
        )
    )

    slug: str
    name: str
    company: str
    active: bool
    entity_id: str = Field(description="Audience of every assertion.")
    acs_url: str = Field(description="Where responses are posted: Destination and Recipient.")
    metadata_url: str = Field(description="Our metadata as this account's settings have it.")
    settings_version: int = Field(description="The number of the settings in force.")
    token: TokenAnswer


@router.get("/account")
def get_account(caller: ReaderDep, service: ServiceDep) -> AccountAnswer:
    """The account that the token is for."""
    with service.database.reading() as session:
        account = account_of(session, caller)
        company = accounts.company_by_id(session, account.company_id)
        version = accounts.settings_in_force(session, account).version
        settings = settings_of(session, service.settings, account)
    return AccountAnswer(
        slug=account.slug,
        name=account.name,
        company=company.name,
        active=account.active,
        entity_id=settings.entity_id,
        acs_url=settings.acs_url,
        metadata_url=metadata_url(settings, account.slug),
        settings_version=version,
        token=TokenAnswer(name=caller.token_name, scope=caller.scope, expires_at=caller.expires_at),
    )
