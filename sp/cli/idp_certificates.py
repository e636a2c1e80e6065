"""`idp-certificates`: the certificates of an account's identity provider, listed and changed.

Owns the options and the table. Never decides how a certificate stands: `sp.flows.idp_certificates` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from sp.cli.running import UNUSABLE, existing_database, opened_database, settings_in_force, stop, wide_console
from sp.cli.setup import SAVED_BY, AccountOption, read_certificates, stop_with_faults
from sp.clock import system_clock
from sp.flows import account_setup
from sp.flows import idp_certificates as flow
from sp.flows.account_setup import Invalid, SsoDraft
from sp.flows.idp_certificates import Change, Standing
from sp.models import Account
from sp.store import accounts, certificate_uses
from sp.store.rows import required

idp_certificates = typer.Typer(help="The identity provider's certificates of an account.", no_args_is_help=True)

Fingerprint = Annotated[
    str, typer.Argument(help="The SHA-256 fingerprint, or so much of its beginning that it means one certificate.")
]
_SHORTEST = 4  # hexadecimal digits: fewer are a slip


@idp_certificates.command("list")
def list_certificates(account: AccountOption = account_setup.SEEDED_SLUG) -> None:
    """List them with their state, what they verified last, and which may go."""
    now = system_clock()
    with existing_database(settings_in_force()) as database, database.reading() as session:
        standings = flow.standings_of(session, _account(session, account), now)
    table = Table("State", "Subject", "Valid until", "Days", "Last used")
    table.add_column("SHA-256 fingerprint", overflow="fold")
    table.add_column("Advice")
    for standing in standings:
        # As text: in a plain string rich would make an emoji of the ":CD:" in a fingerprint.
        table.add_row(*(Text(cell) for cell in _cells(standing, now)))
    wide_console().print(table)


@idp_certificates.command()
def add(
    certificate: Annotated[Path, typer.Argument(help="The certificate file (PEM, DER or base64).")],
    account: AccountOption = account_setup.SEEDED_SLUG,
) -> None:
    """Trust one more beside the others, or again one that was retired."""
    (found,) = read_certificates([certificate])
    _change(account, lambda draft: flow.adding(draft, found), f"Trusted from now on: {found.subject}")


@idp_certificates.command()
def retire(fingerprint: Fingerprint, account: AccountOption = account_setup.SEEDED_SLUG) -> None:
    """Trust it no longer; it stays in the list."""
    _change(account, lambda draft: flow.retiring(draft, _named(draft, fingerprint)), "Retired: trusted no longer")


@idp_certificates.command()
def remove(fingerprint: Fingerprint, account: AccountOption = account_setup.SEEDED_SLUG) -> None:
    """Take it out of the list, trusted or retired."""
    removed: list[str] = []

    def change(draft: SsoDraft) -> Change | None:
        removed.append(_named(draft, fingerprint))
        return flow.removing(draft, removed[-1])

    _change(account, change, "Removed", lambda session, found: _forget(session, found, removed[-1]))


def _forget(session: Session, account: Account, sha256: str) -> None:
    certificate_uses.forget(session, required(account.id), sha256)


def _change(
    slug: str,
    change: Callable[[SsoDraft], Change | None],
    done: str,
    afterwards: Callable[[Session, Account], None] = lambda _session, _account: None,
) -> None:
    settings = settings_in_force()
    with opened_database(settings) as database, database.writing() as session:
        account = _account(session, slug)
        accounts.lock_settings(session, account)
        current = account_setup.draft_of(session, account)
        changes = change(current)
        if changes is None:
            stop("This certificate is not in that state. `virtual-office idp-certificates list` shows them.")
        saved = account_setup.save_sso_settings(
            session, settings, account, replace(current, **changes), saved_by=SAVED_BY, now=system_clock()
        )
        if isinstance(saved, Invalid):
            stop_with_faults(saved)
        afterwards(session, account)
    typer.echo(f"{done}. Version {saved.version} is in force." if saved.changed else "Nothing changed.")


def _account(session: Session, slug: str) -> Account:
    found = accounts.account_by_slug(session, slug)
    if found is None:
        stop(f"There is no account {slug!r}. `virtual-office account add` makes one.", code=UNUSABLE)
    return found


def _named(draft: SsoDraft, fingerprint: str) -> str:
    """The one certificate whose fingerprint begins so, as `sha256`."""
    begins = fingerprint.replace(":", "").lower()
    known = (*draft.certificates, *draft.retired_certificates)
    found = [one.sha256 for one in known if len(begins) >= _SHORTEST and one.sha256.startswith(begins)]
    if len(found) != 1:
        stop(f"{len(found)} certificates of this account have a fingerprint that begins with {fingerprint!r}.")
    return found[0]


def _cells(standing: Standing, now: datetime) -> tuple[str, ...]:
    certificate, used = standing.certificate, standing.last_used_at
    return (
        standing.state.value,
        certificate.subject,
        f"{certificate.not_after:%Y-%m-%d}",
        str(certificate.days_left(now)),
        f"{used:%Y-%m-%d %H:%M}" if used else "never",
        certificate.fingerprint,
        standing.advice,
    )
