"""`domain`: the e-mail domains in which each company may create usernames."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlmodel import Session

from sp.cli.people import JsonFlag, show
from sp.cli.running import UNUSABLE, existing_database, opened_database, printable, settings_in_force, stop
from sp.clock import system_clock
from sp.flows.domains import RefusedDomain, add_domain, domain_sentence, remove_domain, users_outside
from sp.models import Company, CompanyDomain
from sp.store import accounts
from sp.store import domains as store
from sp.store.engine import Database

_LISTED = 20

domain = typer.Typer(
    help="The e-mail domains in which companies create usernames. With one company they do not matter.",
    no_args_is_help=True,
)

DomainArguments = Annotated[list[str], typer.Argument(metavar="DOMAIN...", help="Such as contoso.com.")]
CompanyOption = Annotated[str, typer.Option("--company", help="The company's name.")]


@domain.command("add")
def add(domains: DomainArguments, company: CompanyOption) -> None:
    """Let the accounts of a company create usernames in these domains. A domain has one owner."""
    with opened_database(settings_in_force()) as database, database.writing() as session:
        found = _company(session, company)
        outcomes = [add_domain(session, found, name, system_clock()) for name in domains]
        refused = [domain_sentence(one) for one in outcomes if isinstance(one, RefusedDomain)]
        if refused:
            stop(*refused, code=UNUSABLE)
    for one in outcomes:
        if not isinstance(one, RefusedDomain):
            typer.echo(f"{'Added' if one.is_new else 'Already there:'} {one.name} for {company!r}.")


@domain.command("remove")
def remove(domains: DomainArguments) -> None:
    """Take domains from their company. Its users keep their usernames and sign in as before."""
    with opened_database(settings_in_force()) as database, database.writing() as session:
        missing = [name for name in domains if not remove_domain(session, name)]
        if missing:
            stop(*(f"No company owns the domain {name!r}." for name in missing), code=UNUSABLE)
    for name in domains:
        typer.echo(f"Removed {name}.")


@domain.command("list")
def list_domains(as_json: JsonFlag = False) -> None:
    """List the domains with their companies, and say which users are outside of their company's domains."""
    with existing_database(settings_in_force()) as database:
        with database.reading() as session:
            rows = (_row(found, company) for found, company in store.every_domain(session))
            show(rows, as_json=as_json, empty="No domains. `virtual-office domain add` adds one.")
        if not as_json:
            tell_users_outside(database)


def tell_users_outside(database: Database) -> None:
    """Print the users whose usernames are in no domain of their company, the first twenty by name."""
    for line in lines_of_users_outside(database):
        typer.echo(line)


def lines_of_users_outside(database: Database) -> list[str]:
    """One line that counts them, then one for each of the first twenty; none where there are no such users."""
    with database.reading() as session:
        outside = [f"  {user.username} ({user.company})" for user in users_outside(session)]
    if not outside:
        return []
    count = f"{len(outside)} {'user has a username' if len(outside) == 1 else 'users have usernames'}"
    more = [f"  and {len(outside) - _LISTED:,} more"] if len(outside) > _LISTED else []
    head = f"{count} outside of the domains of their company; they keep them, and new ones like them are refused:"
    return [head, *(printable(line) for line in outside[:_LISTED]), *more]


def _company(session: Session, name: str) -> Company:
    found = accounts.company_named(session, name)
    if found is None:
        stop(f"There is no company {name!r}.", code=UNUSABLE)
    return found


def _row(found: CompanyDomain, company: str) -> dict[str, Any]:
    return {"domain": found.name, "company": company, "added_at": found.added_at.isoformat()}
