"""Requests, keys, metadata and sign-out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sp.models import BigId, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "consumed_logout_request",
        sa.Column("realm_id", BigId, nullable=False),
        sa.Column("issuer", sa.String(length=1024), nullable=False),
        sa.Column("request_id", sa.String(length=1024), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "issuer", "request_id"),
    )
    with op.batch_alter_table("consumed_logout_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consumed_logout_request_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "service_key",
        sa.Column("id", BigId, nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("activated_at", UtcTime(), nullable=True),
        sa.Column("retired_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "certificate_use",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("first_used_at", UtcTime(), nullable=False),
        sa.Column("last_used_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id", "sha256"),
    )
    op.create_table(
        "idp_metadata",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("entity_id", sa.String(length=1024), nullable=False),
        sa.Column("pinned_certificate", sa.LargeBinary(), nullable=True),
        sa.Column("refreshing", sa.Boolean(), nullable=False),
        sa.Column("etag", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", UtcTime(), nullable=True),
        sa.Column("next_refresh_at", UtcTime(), nullable=True),
        sa.Column("valid_until", UtcTime(), nullable=True),
        sa.Column("fault", sa.String(length=1024), nullable=False),
        sa.Column("held", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id"),
    )
    with op.batch_alter_table("idp_metadata", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idp_metadata_next_refresh_at"), ["next_refresh_at"], unique=False)

    op.create_table(
        "authn_request",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("settings_id", BigId, nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("identity_provider", sa.String(length=1024), nullable=False),
        sa.Column("destination", sa.String(length=2048), nullable=False),
        sa.Column("acs_url", sa.String(length=2048), nullable=False),
        sa.Column("binding", sa.String(length=16), nullable=False),
        sa.Column("requested_contexts", sa.JSON(), nullable=False),
        sa.Column("comparison", sa.String(length=16), nullable=False),
        sa.Column("return_path", sa.String(length=2048), nullable=False),
        sa.Column("bench", sa.Boolean(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("used_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["settings_id"],
            ["sso_settings.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("authn_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authn_request_browser_hash"), ["browser_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_authn_request_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "logout_request",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("settings_id", BigId, nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("identity_provider", sa.String(length=1024), nullable=False),
        sa.Column("name_id", sa.String(length=256), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("used_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["settings_id"],
            ["sso_settings.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("logout_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_logout_request_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "sign_out_message",
        sa.Column("id", BigId, nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("realm_id", BigId, nullable=False),
        sa.Column("account_id", BigId, nullable=True),
        sa.Column("settings_id", BigId, nullable=True),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("remote_address", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("binding", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("failed", sa.JSON(), nullable=False),
        sa.Column("issuer", sa.String(length=1024), nullable=False),
        sa.Column("name_id", sa.String(length=256), nullable=False),
        sa.Column("sessions_ended", sa.Integer(), nullable=False),
        sa.Column("expectations", sa.JSON(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["realm_id"],
            ["realm.id"],
        ),
        sa.ForeignKeyConstraint(
            ["settings_id"],
            ["sso_settings.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    with op.batch_alter_table("sign_out_message", schema=None) as batch_op:
        batch_op.create_index("ix_sign_out_message_account", ["account_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_out_message_received_at"), ["received_at"], unique=False)

    with op.batch_alter_table("idp_certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retired", sa.Boolean(), nullable=False, server_default=sa.false()))

    # What a version saved before said nothing about is what the service did then.
    with op.batch_alter_table("sso_settings", schema=None) as batch_op:
        for name in ("refuse_unsigned_cbc", "sign_requests", "force_authn", "is_passive", "send_login_hint"):
            batch_op.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        for name, length, before in (
            ("sign_in_binding", 16, "redirect"),
            ("name_id_policy", 256, ""),
            ("context_comparison", 16, "exact"),
            ("provider_name", 256, ""),
            ("sign_out_binding", 16, "plain"),
            ("sign_out_response_url", 2048, ""),
            ("sign_out_issuer", 1024, ""),
        ):
            batch_op.add_column(sa.Column(name, sa.String(length), nullable=False, server_default=before))
        for name in ("requested_contexts", "scoping_providers"):
            batch_op.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("proxy_count", sa.Integer(), nullable=True))

    with op.batch_alter_table("user_session", schema=None) as batch_op:
        for name in ("name_qualifier", "sp_name_qualifier"):
            batch_op.add_column(sa.Column(name, sa.String(length=1024), nullable=False, server_default=""))
        batch_op.create_index("ix_user_session_subject", ["account_id", "name_id"], unique=False)
