"""Owns the demo directory's tables.

Never shares a registry with another program's tables: both may live in one process under test.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

directory_registry = registry()


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC on both sides; SQLite itself keeps no time zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.replace(tzinfo=UTC) if value else None


class DirectoryTable(SQLModel, registry=directory_registry):
    """What every table here is derived from."""


class Tenant(DirectoryTable, table=True):
    """The one directory: Contoso. `form_secret` signs what forms carry."""

    __tablename__ = "tenant"

    id: int = Field(default=1, primary_key=True)
    name: str
    tenant_id: str
    domain: str
    form_secret: str


class Person(DirectoryTable, table=True):
    """Somebody in the directory. `user_name` is the part before the "@", `user_name_key` makes it unique."""

    __tablename__ = "person"

    object_id: str = Field(primary_key=True)
    user_name: str
    user_name_key: str = Field(unique=True)
    first_name: str
    last_name: str
    display_name: str
    role: str
    password_hash: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class Application(DirectoryTable, table=True):
    """An application added from the gallery. `configured_at` is set by the wizard's "Complete"."""

    __tablename__ = "application"

    object_id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    federated: bool = False
    reply_url: str = ""
    identifier: str = ""
    notification_email: str = ""
    configured_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    added_at: datetime = Field(sa_type=UtcDateTime)


class Assignment(DirectoryTable, table=True):
    """A person who may use an application."""

    __tablename__ = "assignment"

    application_id: str = Field(primary_key=True, foreign_key="application.object_id", ondelete="CASCADE")
    person_id: str = Field(primary_key=True, foreign_key="person.object_id", ondelete="CASCADE")


class ChosenFault(DirectoryTable, table=True):
    """The fault that a person's sign-ins to an application carry; `code` names it."""

    __tablename__ = "chosen_fault"

    application_id: str = Field(primary_key=True, foreign_key="application.object_id", ondelete="CASCADE")
    person_id: str = Field(primary_key=True, foreign_key="person.object_id", ondelete="CASCADE")
    code: str


class TokenEncryption(DirectoryTable, table=True):
    """The certificate, in DER, that an application's assertions are encrypted for."""

    __tablename__ = "token_encryption"

    application_id: str = Field(primary_key=True, foreign_key="application.object_id", ondelete="CASCADE")
    certificate: bytes


class PanelSession(DirectoryTable, table=True):
    """Somebody signed in to the Access Panel; only the hash of the cookie is kept."""

    __tablename__ = "panel_session"

    token_hash: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.object_id", ondelete="CASCADE", index=True)
    authenticated_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class OpenedApplication(DirectoryTable, table=True):
    """An assertion that a session sent to an application: its ID is what a LogoutRequest names (SessionIndex)."""

    __tablename__ = "opened_application"

    session_index: str = Field(primary_key=True)
    token_hash: str = Field(foreign_key="panel_session.token_hash", ondelete="CASCADE", index=True)
    application_id: str = Field(foreign_key="application.object_id", ondelete="CASCADE", index=True)


class PendingRequest(DirectoryTable, table=True):
    """A service's AuthnRequest that waits for its person to sign in."""

    __tablename__ = "pending_request"

    reference: str = Field(primary_key=True)
    application_id: str = Field(foreign_key="application.object_id", ondelete="CASCADE", index=True)
    request_id: str
    relay_state: str
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)
