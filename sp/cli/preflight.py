"""`preflight`: what is likely to go wrong at an account's first sign-in.

Owns the table and the exit code. Never judges: `sp.diagnosis.preflight` does, as for the page. Never changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from sp.cli.running import REFUSED, UNUSABLE, existing_database, printable, settings_in_force, stop, wide_console
from sp.cli.setup import AccountOption
from sp.clock import system_clock
from sp.diagnosis.preflight import BY_CODE, ready
from sp.diagnosis.preflight.finding import Row
from sp.flows import account_setup
from sp.flows.preflight import preflight_of
from sp.saml.report import Outcome
from sp.store import accounts

_STYLES = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.WARNING: "yellow", Outcome.SKIPPED: "dim"}


def preflight(
    account: AccountOption = account_setup.SEEDED_SLUG,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Look for what will go wrong at the first sign-in. Exit code: 0 nothing failed, 1 something did, 2 unusable."""
    settings = settings_in_force()
    with existing_database(settings) as database, database.reading() as session:
        found = accounts.account_by_slug(session, account)
        if found is None:
            stop(f"There is no account {account!r}. `virtual-office account add` makes one.", code=UNUSABLE)
        draft = account_setup.draft_of(session, found)
        rows = preflight_of(session, settings, found, draft, system_clock())
    if as_json:
        typer.echo(
            json.dumps({"account": account, "ready": ready(rows), "rows": [_told(row) for row in rows]}, indent=2)
        )
    else:
        _show(rows)
    raise typer.Exit(0 if ready(rows) else REFUSED)


def _told(row: Row) -> dict[str, str]:
    return {**row._asdict(), "remedy": _remedy(row)}


def _remedy(row: Row) -> str:
    return BY_CODE[row.code].remedy if row.outcome in {Outcome.FAILED, Outcome.WARNING} else ""


def _show(rows: Sequence[Row]) -> None:
    table = Table("Before the first sign-in", "Outcome")
    table.add_column("Expected", overflow="fold")
    table.add_column("Received", overflow="fold")
    for row in rows:
        outcome = Text(row.outcome.value, style=_STYLES[row.outcome])
        table.add_row(BY_CODE[row.code].title, outcome, Text(printable(row.expected)), Text(printable(row.received)))
    console = wide_console()
    console.print(table)
    for row in rows:
        if remedy := _remedy(row):
            console.print(Text(f"{BY_CODE[row.code].title}: {remedy}"))
