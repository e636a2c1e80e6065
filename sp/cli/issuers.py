"""`issuer`: which account holds an issuer, who else asked for it, and the operator's decision."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sp.cli.people import JsonFlag, account_of_slug, show
from sp.cli.running import existing_database, opened_database, settings_in_force
from sp.cli.setup import stop_with_faults
from sp.clock import system_clock
from sp.flows.account_setup import LABELS, Invalid
from sp.flows.issuer_moving import move_issuer
from sp.flows.issuers import HeldIssuer, held_issuers

issuer = typer.Typer(help="Issuers, which belong to one account each.", no_args_is_help=True)

OnlyConflicts = Annotated[bool, typer.Option("--conflicts", help="Only those that another company asked for too.")]


@issuer.command("list")
def list_issuers(conflicts: OnlyConflicts = False, as_json: JsonFlag = False) -> None:
    """List the issuers with the accounts that hold them, and the accounts of other companies that asked for them."""
    with existing_database(settings_in_force()) as database, database.reading() as session:
        rows = (_row(held, as_json=as_json) for held in held_issuers(session, only_conflicts=conflicts))
        show(rows, as_json=as_json, empty="No conflicts." if conflicts else "No account has an issuer yet.")


@issuer.command("move")
def move(
    name: Annotated[str, typer.Argument(metavar="ISSUER", help="The entity ID, exactly as `issuer list` has it.")],
    to: Annotated[str, typer.Option("--to", metavar="SLUG", help="The account that gets it.")],
) -> None:
    """Take an issuer from the account that holds it and give it to another one.

    The account that loses its Issuer URL has Single Sign On switched off. Sessions that are open go on.
    """
    settings = settings_in_force()
    with opened_database(settings) as database, database.writing() as session:
        account = account_of_slug(session, to)
        moved = move_issuer(session, settings, name, account, system_clock())
        if isinstance(moved, Invalid):
            session.rollback()
            stop_with_faults(moved)
    typer.echo(f"Moved {name} from {moved.taken_from.slug!r} to {to!r}, as its {LABELS[moved.setting]}.")
    if moved.setting == "issuer":
        typer.echo(f"Next: check the certificate of {to!r}. It must be that identity provider's.")


def _row(held: HeldIssuer, *, as_json: bool) -> dict[str, Any]:
    asked = [_asked(conflict.asked_by.slug, conflict.conflict.last_asked_at.isoformat()) for conflict in held.conflicts]
    return {
        "issuer": held.issuer,
        "setting": held.setting,
        "account": held.account.slug,
        "company": held.company,
        "since": held.since.isoformat(),
        "asked_for_by": asked if as_json else [f"{one['account']} ({one['last_asked_at']})" for one in asked],
    }


def _asked(slug: str, last_asked_at: str) -> dict[str, str]:
    return {"account": slug, "last_asked_at": last_asked_at}
