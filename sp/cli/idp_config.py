"""`idp-config`: what an identity provider has to be told about this service, in its own format.

Owns the options and what goes where: the text to standard output, what to do with it to standard error. Changes nothing
but for the account's encryption key, which is made here if nothing has asked for it before.
"""

from __future__ import annotations

from typing import Annotated

import typer

from sp.cli.running import UNUSABLE, changeable_database, printable, settings_in_force, stop
from sp.cli.setup import AccountOption
from sp.clock import system_clock
from sp.flows import account_setup
from sp.flows.idp_config import Product, Unwritable, configuration
from sp.flows.idp_config.facts import service_facts
from sp.flows.service_keys import ensure_encryption_key
from sp.store import accounts
from sp.store.rows import required

ForProduct = Annotated[Product, typer.Option("--for", help="The identity provider.")]


def idp_config(
    product: ForProduct,
    account: AccountOption = account_setup.SEEDED_SLUG,
) -> None:
    """Print what an identity provider needs to know of this service, with the live values filled in."""
    settings = settings_in_force()
    with changeable_database(settings) as database:
        with database.reading() as session:
            found = accounts.account_by_slug(session, account)
        if found is None:
            stop(f"There is no account {account!r}.", code=UNUSABLE)
        ensure_encryption_key(database, settings, required(found.id), system_clock())
        with database.reading() as session:
            made = configuration(product, service_facts(session, settings, found))
    if isinstance(made, Unwritable):
        stop(printable(made.sentence))
    for part in made.parts:
        typer.echo(f"{part.file_name}: {part.where}", err=True)
        if len(made.parts) > 1:
            typer.echo(f"==> {part.file_name} <==")
        typer.echo(part.text, nl=False)
