"""`token`: the tokens by which programs use the API.

Owns the options and the table. Prints a token once, alone on standard output, so that a script can keep it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from sp.cli.people import JsonFlag, account_of_slug, show
from sp.cli.running import UNUSABLE, existing_database, opened_database, settings_in_force, stop
from sp.cli.setup import SAVED_BY, AccountOption
from sp.clock import system_clock
from sp.flows import account_setup
from sp.flows.account_setup import Invalid
from sp.flows.api_tokens import LONGEST_DAYS, make_token
from sp.models import ApiToken, TokenScope
from sp.store import api_tokens
from sp.store.rows import required

token = typer.Typer(help="The tokens by which programs use the API.", no_args_is_help=True)

TokenName = Annotated[str, typer.Argument(help="The token's name, as `token list` has it.")]


@token.command()
def create(
    name: Annotated[str, typer.Option("--name", help="What will use it, such as nightly.")],
    scopes: Annotated[
        list[TokenScope] | None,
        typer.Option("--scope", help="What the program may do, beside reading; repeat for several."),
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=LONGEST_DAYS, help="Until when it holds; default: until it is revoked.")
    ] = None,
    account: AccountOption = account_setup.SEEDED_SLUG,
) -> None:
    """Make a token and print it. It is kept nowhere: only its hash is."""
    lifetime = timedelta(days=expires_days) if expires_days else None
    with opened_database(settings_in_force()) as database, database.writing() as session:
        found, now = account_of_slug(session, account), system_clock()
        made = make_token(session, found, name, *(scopes or ()), lifetime=lifetime, created_by=SAVED_BY, now=now)
        if isinstance(made, Invalid):
            stop(*made.errors.values(), code=UNUSABLE)
    typer.echo(made.token)


@token.command("list")
def list_tokens(account: AccountOption = account_setup.SEEDED_SLUG, as_json: JsonFlag = False) -> None:
    """List an account's tokens, without the tokens."""
    with existing_database(settings_in_force()) as database, database.reading() as session:
        found = account_of_slug(session, account)
        rows = (_row(row) for row in api_tokens.of_account(session, required(found.id)))
        show(rows, as_json=as_json, empty="No tokens. `virtual-office token create` makes one.")


@token.command()
def revoke(name: TokenName, account: AccountOption = account_setup.SEEDED_SLUG) -> None:
    """Refuse a token from now on."""
    with opened_database(settings_in_force()) as database, database.writing() as session:
        found = api_tokens.named(session, required(account_of_slug(session, account).id), name)
        if found is None:
            stop(f"There is no token named {name!r}.", code=UNUSABLE)
        api_tokens.remove(session, found)
    typer.echo(f"Revoked {name!r}.")


def _row(row: ApiToken) -> dict[str, Any]:
    return {
        "name": row.name,
        "scope": row.scope,
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
    }
