"""The e-mail domains of companies, and issuers that two companies ask for.

A company that is alone gets the domains of its users: no other company can lose a name by that. Where several
companies share the realm, only the operator can tell whose a domain is: a company may hold users in another one's.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from sp.models import BigId, UtcTime
from sp.saml.domains import domain_of

revision = "0007"
down_revision = "0006"

SEEDED_COMPANY = "Contoso"
SEEDED_DOMAINS = ("contoso.com", "contoso.example")

_COMPANIES = sa.text(
    "SELECT company.id, company.name FROM company JOIN realm ON realm.id = company.realm_id"
    " WHERE realm.name = 'shared' ORDER BY company.id"
)
_USERS = sa.text(
    "SELECT user_profile.username_key, account.company_id FROM user_profile"
    " JOIN account ON account.id = user_profile.account_id JOIN realm ON realm.id = account.realm_id"
    " WHERE realm.name = 'shared' AND user_profile.username_key LIKE '%@%'"
)


def upgrade() -> None:
    domains = op.create_table(
        "company_domain",
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("company_id", BigId, nullable=False),
        sa.Column("added_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"]),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_company_domain_company_id", "company_domain", ["company_id"])
    op.create_table(
        "issuer_conflict",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("issuer", sa.String(length=1024), nullable=False),
        sa.Column("setting", sa.String(length=32), nullable=False),
        sa.Column("first_asked_at", UtcTime(), nullable=False),
        sa.Column("last_asked_at", UtcTime(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id", "issuer"),
    )
    now = datetime.now(UTC)
    rows = [{"name": name, "company_id": owner, "added_at": now} for name, owner in _owners().items()]
    if rows:
        op.bulk_insert(domains, rows)


def _owners() -> dict[str, int]:
    """The company of each domain that can be given without asking the operator."""
    connection = op.get_bind()
    companies = connection.execute(_COMPANIES).all()
    users = connection.execute(_USERS)
    companies_with: dict[str, set[int]] = {}
    for username_key, company_id in users:
        domain = domain_of(username_key)
        if domain is not None:
            companies_with.setdefault(domain, set()).add(company_id)
    owners: dict[str, int] = {}
    if len(companies) == 1:
        owners = dict.fromkeys(companies_with, companies[0].id)
    for company in companies:
        if company.name == SEEDED_COMPANY:
            free = [name for name in SEEDED_DOMAINS if companies_with.get(name, set()) <= {company.id}]
            owners |= dict.fromkeys(free, company.id)
    return owners
