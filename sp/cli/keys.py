"""`keys` and `metadata`: this service's own keys, and what identity providers read about it.

Owns the options and the table. Never prints a private key, and never decides when a step is safe: the flow does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from sp.cli.running import UNUSABLE, existing_database, opened_database, settings_in_force, stop, wide_console
from sp.clock import system_clock
from sp.flows import service_keys
from sp.flows.service_keys import NotNow, safe_from
from sp.flows.service_metadata import service_metadata
from sp.models import Account, KeyPurpose, KeyState, ServiceKey
from sp.saml.certificates import stored_certificate
from sp.store import accounts
from sp.store import service_keys as stored_keys
from sp.store.engine import Database

keys = typer.Typer(help="This service's own keys, and their rollover.", no_args_is_help=True)

Purpose = Annotated[KeyPurpose, typer.Option("--purpose", help="Which key.")]


@keys.command("list")
def list_keys() -> None:
    """List the keys of both purposes, without anything secret."""
    with existing_database(settings_in_force()) as database:
        found = _rows(database)
    table = Table("Purpose", "State", "Published", "Valid until", "Days", "SHA-256 fingerprint")
    for row in found:
        # As text: in a plain string rich would make an emoji of the ":CD:" in a fingerprint.
        table.add_row(*(Text(cell) for cell in _cells(row, system_clock())))
    wide_console().print(table)


@keys.command()
def begin_rollover(purpose: Purpose) -> None:
    """Publish the next key in the metadata, beside the one in use."""
    settings = settings_in_force()
    with opened_database(settings) as database:
        now = system_clock()
        key = service_keys.new_key(settings, purpose, now)
        with database.writing() as session:
            outcome = service_keys.begin_rollover(session, purpose, key, now)
    if isinstance(outcome, NotNow):
        stop(outcome.sentence)
    typer.echo(f"The next {purpose} key is in the metadata: {stored_certificate(outcome.key.certificate).fingerprint}")
    typer.echo(f"From {safe_from(outcome.key):%Y-%m-%d %H:%M} UTC it is safe to complete the rollover, unless an")
    typer.echo("identity provider was given our certificate by hand: give it the new one first.")


@keys.command()
def complete_rollover(
    purpose: Purpose,
    early: Annotated[bool, typer.Option("--early", help="Even if not every identity provider knows it yet.")] = False,
) -> None:
    """Put the upcoming key in use and retire the old one."""
    with opened_database(settings_in_force()) as database, database.writing() as session:
        outcome = service_keys.complete_rollover(session, purpose, system_clock(), early=early)
    if isinstance(outcome, NotNow):
        stop(outcome.sentence)
    typer.echo(f"The {purpose} key in use is {stored_certificate(outcome.key.certificate).fingerprint}")


@keys.command()
def certificate(
    purpose: Purpose,
    upcoming: Annotated[bool, typer.Option("--upcoming", help="The next one, where a rollover has begun.")] = False,
) -> None:
    """Print the certificate in PEM, to give to an identity provider."""
    state = KeyState.UPCOMING if upcoming else KeyState.ACTIVE
    with existing_database(settings_in_force()) as database, database.reading() as session:
        found = stored_keys.in_state(session, purpose, state)
    if found is None:
        stop(f"There is no {state} {purpose} key.")
    typer.echo(stored_certificate(found.certificate).pem, nl=False)


def metadata(
    account: Annotated[str | None, typer.Option("--account", help="As this account's settings have it.")] = None,
    signed: Annotated[bool, typer.Option("--signed", help="Sign it with our signing key.")] = False,
) -> None:
    """Print our metadata, for an identity provider that cannot read its address."""
    settings = settings_in_force()
    with existing_database(settings) as database, database.reading() as session:
        found: Account | None = accounts.account_by_slug(session, account) if account else None
        if account and found is None:
            stop(f"There is no account {account!r}.", code=UNUSABLE)
        document = service_metadata(session, settings, system_clock(), found, signed=signed)
    typer.echo(document.decode())


def _rows(database: Database) -> Sequence[ServiceKey]:
    with database.reading() as session:
        return [row for purpose in KeyPurpose for row in stored_keys.of_purpose(session, purpose)]


def _cells(row: ServiceKey, now: datetime) -> tuple[str, ...]:
    certificate = stored_certificate(row.certificate)
    return (
        row.purpose,
        row.state,
        f"{row.created_at:%Y-%m-%d}",
        f"{certificate.not_after:%Y-%m-%d}",
        str(certificate.days_left(now)),
        certificate.fingerprint,
    )
