"""Owns every query of the demo directory, and the file they run against.

Never decides who may do what: it finds and keeps.
"""

import hashlib
import secrets
import sqlite3
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Engine, create_engine, delete, event, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from sp.demo_directory.tables import (
    Application,
    Assignment,
    ChosenFault,
    OpenedApplication,
    PanelSession,
    PendingRequest,
    Person,
    Tenant,
    TokenEncryption,
    directory_registry,
)
from sp.demo_directory.user_names import user_name_key

SESSION_LIFETIME = timedelta(hours=8)
REQUEST_LIFETIME = timedelta(minutes=10)

_PATIENCE_SECONDS = 5
_PAUSE_SECONDS = 0.01

TENANT_NAME = "Contoso"
TENANT_DOMAIN = "contoso.example"


@dataclass(frozen=True)
class SignedIn:
    """Somebody with an open session in the Access Panel."""

    person: Person
    authenticated_at: datetime


@dataclass(frozen=True)
class NewPerson:
    """What is needed to add somebody to the directory."""

    user_name: str
    first_name: str
    last_name: str
    display_name: str
    role: str
    password_hash: str


class DirectoryStore:
    """The directory's database. Every method is one transaction; what it returns is detached."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, database_file: Path) -> "DirectoryStore":
        """Open the database, making it first where it is missing: password hashes are for its owner only."""
        database_file.touch(mode=0o600)
        engine = create_engine(f"sqlite:///{database_file}")
        event.listen(engine, "connect", _prepare_connection)
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # of two that open a new one at once, the first makes it
            directory_registry.metadata.create_all(connection)
            connection.commit()
        store = cls(engine)
        store._make_tenant()
        return store

    def close(self) -> None:
        self._engine.dispose()

    # The tenant

    def tenant(self) -> Tenant:
        with self._session() as session:
            return session.scalars(select(Tenant)).one()

    def _make_tenant(self) -> None:
        with self._session() as session:
            values = {
                "id": 1,
                "name": TENANT_NAME,
                "tenant_id": str(uuid.uuid4()),
                "domain": TENANT_DOMAIN,
                "form_secret": secrets.token_hex(32),
            }
            session.execute(insert(Tenant).values(values).on_conflict_do_nothing())
            session.commit()

    # People

    def people(self) -> list[Person]:
        with self._session() as session:
            return list(session.scalars(select(Person).order_by(col(Person.display_name), col(Person.object_id))))

    def person(self, object_id: str) -> Person | None:
        with self._session() as session:
            return session.scalars(select(Person).where(col(Person.object_id) == object_id)).first()

    def person_named(self, user_name: str) -> Person | None:
        """Find somebody by the part before the "@", in whatever case it is typed."""
        with self._session() as session:
            key = user_name_key(user_name)
            return session.scalars(select(Person).where(col(Person.user_name_key) == key)).first()

    def add_person(self, new: NewPerson, now: datetime) -> Person | None:
        """Add somebody; None when the user name is taken."""
        person = Person(
            object_id=str(uuid.uuid4()),
            user_name=new.user_name,
            user_name_key=user_name_key(new.user_name),
            first_name=new.first_name,
            last_name=new.last_name,
            display_name=new.display_name,
            role=new.role,
            password_hash=new.password_hash,
            created_at=now,
        )
        return person if self._added(person) else None

    def set_password(self, person: Person, password_hash: str) -> None:
        """Set a password and end the sessions that the old one opened."""
        with self._session() as session:
            found = col(Person.object_id) == person.object_id
            session.execute(update(Person).where(found).values(password_hash=password_hash))
            session.execute(delete(PanelSession).where(col(PanelSession.person_id) == person.object_id))
            session.commit()

    def delete_person(self, person: Person) -> None:
        self._run(delete(Person).where(col(Person.object_id) == person.object_id))

    # Applications

    def applications(self) -> list[Application]:
        with self._session() as session:
            return list(session.scalars(select(Application).order_by(col(Application.name))))

    def application(self, object_id: str) -> Application | None:
        with self._session() as session:
            found = col(Application.object_id) == object_id
            return session.scalars(select(Application).where(found)).first()

    def application_named(self, name: str) -> Application | None:
        with self._session() as session:
            return session.scalars(select(Application).where(col(Application.name) == name)).first()

    def add_application(self, name: str, now: datetime) -> Application | None:
        """Add an application of the gallery; None when it is there already."""
        application = Application(object_id=str(uuid.uuid4()), name=name, added_at=now)
        return application if self._added(application) else None

    def change_application(self, application: Application, **changes: Any) -> None:
        """Change columns of one application, named as in the table."""
        self._run(update(Application).where(col(Application.object_id) == application.object_id).values(**changes))

    def delete_application(self, application: Application) -> None:
        self._run(delete(Application).where(col(Application.object_id) == application.object_id))

    # Assignments

    def assigned_people(self, application: Application) -> set[str]:
        """The object IDs of the people who may use an application."""
        query = select(col(Assignment.person_id)).where(col(Assignment.application_id) == application.object_id)
        with self._session() as session:
            return set(session.scalars(query))

    def applications_of(self, person: Person) -> list[Application]:
        query = (
            select(Application)
            .join(Assignment, col(Assignment.application_id) == col(Application.object_id))
            .where(col(Assignment.person_id) == person.object_id)
            .order_by(col(Application.name))
        )
        with self._session() as session:
            return list(session.scalars(query))

    def assign(self, application: Application, object_ids: Iterable[str]) -> None:
        """Let people use an application; who may already, still may."""
        with self._session() as session:
            known = select(col(Person.object_id)).where(col(Person.object_id).in_(list(object_ids)))
            for person_id in session.scalars(known).all():
                row = insert(Assignment).values(application_id=application.object_id, person_id=person_id)
                session.execute(row.on_conflict_do_nothing())
            session.commit()

    def unassign(self, application: Application, object_ids: Iterable[str]) -> None:
        self._run(
            delete(Assignment).where(
                col(Assignment.application_id) == application.object_id,
                col(Assignment.person_id).in_(list(object_ids)),
            )
        )

    # Faults

    def faults_for(self, application: Application) -> dict[str, str]:
        """The fault's code by person: who signs in to this application with a flaw."""
        query = select(col(ChosenFault.person_id), col(ChosenFault.code))
        return self._pairs(query.where(col(ChosenFault.application_id) == application.object_id))

    def faults_of(self, person: Person) -> dict[str, str]:
        """The fault's code by application: where this person signs in with a flaw."""
        query = select(col(ChosenFault.application_id), col(ChosenFault.code))
        return self._pairs(query.where(col(ChosenFault.person_id) == person.object_id))

    def choose_fault(self, application: Application, object_ids: Iterable[str], code: str) -> None:
        """Let people sign in with this fault instead of the one before; strangers are passed over."""
        with self._session() as session:
            known = select(col(Person.object_id)).where(col(Person.object_id).in_(list(object_ids)))
            for person_id in session.scalars(known).all():
                session.merge(ChosenFault(application_id=application.object_id, person_id=person_id, code=code))
            session.commit()

    def end_fault(self, application: Application, object_ids: Iterable[str]) -> None:
        self._run(
            delete(ChosenFault).where(
                col(ChosenFault.application_id) == application.object_id,
                col(ChosenFault.person_id).in_(list(object_ids)),
            )
        )

    # Token encryption

    def encryption_certificate(self, application: Application) -> x509.Certificate | None:
        """What the application's assertions are encrypted for; None where they are not."""
        with self._session() as session:
            found = session.get(TokenEncryption, application.object_id)
        return x509.load_der_x509_certificate(found.certificate) if found else None

    def encrypt_for(self, application: Application, certificate: x509.Certificate) -> None:
        with self._session() as session:
            der = certificate.public_bytes(Encoding.DER)
            session.merge(TokenEncryption(application_id=application.object_id, certificate=der))
            session.commit()

    def end_encryption(self, application: Application) -> None:
        self._run(delete(TokenEncryption).where(col(TokenEncryption.application_id) == application.object_id))

    # Sessions of the Access Panel

    def open_session(self, person: Person, now: datetime) -> str:
        """Sign somebody in; returns the token for the cookie, which is kept only as a hash."""
        token = secrets.token_urlsafe(32)
        with self._session() as session:
            session.execute(delete(PanelSession).where(col(PanelSession.expires_at) <= now))
            session.add(
                PanelSession(
                    token_hash=_hash(token),
                    person_id=person.object_id,
                    authenticated_at=now,
                    expires_at=now + SESSION_LIFETIME,
                )
            )
            session.commit()
        return token

    def signed_in(self, token: str, now: datetime) -> SignedIn | None:
        query = (
            select(Person, col(PanelSession.authenticated_at))
            .join(PanelSession, col(PanelSession.person_id) == col(Person.object_id))
            .where(col(PanelSession.token_hash) == _hash(token), col(PanelSession.expires_at) > now)
        )
        with self._session() as session:
            row = session.execute(query).first()
        return SignedIn(row[0], row[1]) if row else None

    def remember_opened(self, token: str, application: Application, session_index: str) -> None:
        """Keep what this session opened, for its sign-out."""
        with self._session() as session:
            if session.get(PanelSession, _hash(token)) is not None:
                session.add(
                    OpenedApplication(
                        session_index=session_index, token_hash=_hash(token), application_id=application.object_id
                    )
                )
                session.commit()

    def opened_by(self, token: str) -> list[tuple[Application, str]]:
        """The applications that this session opened, each with a SessionIndex that it got."""
        query = (
            select(Application, col(OpenedApplication.session_index))
            .join(OpenedApplication, col(OpenedApplication.application_id) == col(Application.object_id))
            .where(col(OpenedApplication.token_hash) == _hash(token))
        )
        with self._session() as session:
            return [(row[0], row[1]) for row in session.execute(query)]

    def close_session(self, token: str) -> None:
        self._run(delete(PanelSession).where(col(PanelSession.token_hash) == _hash(token)))

    # Requests that wait for somebody to sign in

    def keep_request(self, application: Application, request_id: str, relay_state: str, now: datetime) -> str:
        """Keep an AuthnRequest for a few minutes; returns the reference that finds it again."""
        reference = secrets.token_urlsafe(16)
        with self._session() as session:
            stale = col(PendingRequest.received_at) <= now - REQUEST_LIFETIME
            session.execute(delete(PendingRequest).where(stale))
            session.add(
                PendingRequest(
                    reference=reference,
                    application_id=application.object_id,
                    request_id=request_id,
                    relay_state=relay_state,
                    received_at=now,
                )
            )
            session.commit()
        return reference

    def request(self, reference: str, now: datetime) -> tuple[PendingRequest, Application] | None:
        query = (
            select(PendingRequest, Application)
            .join(Application, col(Application.object_id) == col(PendingRequest.application_id))
            .where(
                col(PendingRequest.reference) == reference,
                col(PendingRequest.received_at) > now - REQUEST_LIFETIME,
            )
        )
        with self._session() as session:
            row = session.execute(query).first()
        return (row[0], row[1]) if row else None

    def forget_request(self, request: PendingRequest) -> None:
        self._run(delete(PendingRequest).where(col(PendingRequest.reference) == request.reference))

    def _session(self) -> Session:
        return Session(self._engine, expire_on_commit=False)

    def _pairs(self, query: Any) -> dict[str, str]:
        with self._session() as session:
            return dict(session.execute(query).all())

    def _run(self, statement: Any) -> None:
        with self._session() as session:
            session.execute(statement)
            session.commit()

    def _added(self, row: Person | Application) -> bool:
        with self._session() as session:
            session.add(row)
            try:
                session.commit()
            except IntegrityError:
                return False
        return True


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _prepare_connection(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("busy_timeout=5000", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    _change_to_wal(connection)


def _change_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait, as it would for any other lock, while another process makes the same change."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
