"""`keys` and `metadata`: the keys of this service and of its accounts, and what identity providers read about it.

Never prints a private key, and never decides when a step of a rollover is safe: `sp.flows.service_keys` does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text
from sqlmodel import Session

from sp.cli.running import (
    UNUSABLE,
    changeable_database,
    existing_database,
    opened_database,
    settings_in_force,
    stop,
    wide_console,
)
from sp.clock import system_clock
from sp.flows import account_setup, service_keys
from sp.flows.service_keys import NotNow, safe_from
from sp.flows.service_metadata import service_metadata
from sp.models import KeyPurpose, KeyState, ServiceKey
from sp.saml.certificates import stored_certificate
from sp.settings import Settings
from sp.store import accounts
from sp.store import service_keys as stored_keys
from sp.store.engine import Database
from sp.store.rows import required

keys = typer.Typer(help="The service's signing key, the accounts' encryption keys, and rollover.", no_args_is_help=True)

Purpose = Annotated[KeyPurpose, typer.Option("--purpose", help="Which key.")]
KeyAccount = Annotated[
    str | None,
    typer.Option(
        "--account", help=f"Whose encryption key: the slug of the account. Default: {account_setup.SEEDED_SLUG}."
    ),
]
_FORMER = "all, formerly"
_FINGERPRINT_CHARACTERS = 95


@keys.command("list")
def list_keys(
    account: Annotated[str | None, typer.Option("--account", help="Only the keys of this account.")] = None,
) -> None:
    """List the service's keys and the accounts' keys, without anything secret."""
    with existing_database(settings_in_force()) as database, database.reading() as session:
        if account is not None:
            _account_id(session, account)
        found = [(row, slug) for row, slug in stored_keys.with_accounts(session) if account in {None, slug}]
    table = Table("Purpose", Column("Account", overflow="fold"), "State", "Valid until", "Days")
    table.add_column("SHA-256 fingerprint", no_wrap=True, min_width=_FINGERPRINT_CHARACTERS)
    for row, slug in found:
        # As text: in a plain string rich would make an emoji of the ":CD:" in a fingerprint.
        table.add_row(*(Text(cell) for cell in _cells(row, slug, system_clock())))
    wide_console().print(table)


@keys.command()
def begin_rollover(purpose: Purpose, account: KeyAccount = None) -> None:
    """Publish the next key in the metadata, beside the one in use."""
    settings = settings_in_force()
    with opened_database(settings) as database:
        now = system_clock()
        owner = _owner(database, settings, purpose, account)
        key = service_keys.new_key(settings, purpose, now)
        with database.writing() as session:
            outcome = service_keys.begin_rollover(session, purpose, key, now, owner)
    if isinstance(outcome, NotNow):
        stop(outcome.sentence)
    typer.echo(f"The next {purpose} key is in the metadata: {stored_certificate(outcome.key.certificate).fingerprint}")
    typer.echo(f"From {safe_from(outcome.key):%Y-%m-%d %H:%M} UTC it is safe to complete the rollover, unless an")
    typer.echo("identity provider was given our certificate by hand: give it the new one first.")


@keys.command()
def complete_rollover(
    purpose: Purpose,
    account: KeyAccount = None,
    early: Annotated[bool, typer.Option("--early", help="Even if not every identity provider knows it yet.")] = False,
) -> None:
    """Put the upcoming key in use and retire the old one."""
    settings = settings_in_force()
    with opened_database(settings) as database:
        owner = _owner(database, settings, purpose, account)
        with database.writing() as session:
            outcome = service_keys.complete_rollover(session, purpose, system_clock(), owner, early=early)
    if isinstance(outcome, NotNow):
        stop(outcome.sentence)
    typer.echo(f"The {purpose} key in use is {stored_certificate(outcome.key.certificate).fingerprint}")


@keys.command()
def certificate(
    purpose: Purpose,
    account: KeyAccount = None,
    upcoming: Annotated[bool, typer.Option("--upcoming", help="The next one, where a rollover has begun.")] = False,
) -> None:
    """Print the certificate in PEM, to give to an identity provider."""
    state = KeyState.UPCOMING if upcoming else KeyState.ACTIVE
    settings = settings_in_force()
    with changeable_database(settings) as database:
        owner = _owner(database, settings, purpose, account)
        with database.reading() as session:
            found = stored_keys.in_state(session, purpose, state, owner)
    if found is None:
        stop(f"There is no {state} {purpose} key.")
    typer.echo(stored_certificate(found.certificate).pem, nl=False)


def metadata(
    account: Annotated[str | None, typer.Option("--account", help="As this account's settings have it.")] = None,
    signed: Annotated[bool, typer.Option("--signed", help="Sign it with our signing key.")] = False,
) -> None:
    """Print our metadata, for an identity provider that cannot read its address."""
    settings = settings_in_force()
    with changeable_database(settings) as database:
        document = service_metadata(database, settings, system_clock(), account, signed=signed)
    if document is None:
        stop(f"There is no account {account!r}.", code=UNUSABLE)
    typer.echo(document.decode())


def _owner(database: Database, settings: Settings, purpose: KeyPurpose, slug: str | None) -> int | None:
    """The account whose key is meant, which has one from now on; None for the signing key, which is the service's."""
    if purpose is KeyPurpose.SIGNING:
        if slug is not None:
            stop("The signing key is the service's own, not an account's. Leave --account out.", code=UNUSABLE)
        return None
    with database.reading() as session:
        account_id = _account_id(session, account_setup.SEEDED_SLUG if slug is None else slug)
    service_keys.ensure_encryption_key(database, settings, account_id, system_clock())
    return account_id


def _account_id(session: Session, slug: str) -> int:
    found = accounts.account_by_slug(session, slug)
    if found is None:
        stop(f"There is no account {slug!r}.", code=UNUSABLE)
    return required(found.id)


def _cells(row: ServiceKey, slug: str | None, now: datetime) -> tuple[str, ...]:
    certificate = stored_certificate(row.certificate)
    without_account = "" if row.purpose == KeyPurpose.SIGNING else _FORMER
    return (
        row.purpose,
        slug or without_account,
        row.state,
        f"{certificate.not_after:%Y-%m-%d}",
        str(certificate.days_left(now)),
        certificate.fingerprint,
    )
