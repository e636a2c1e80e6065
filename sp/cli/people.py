"""`administrator`, `user`, `users` and `sign-ins`: people, and what they did.

Owns the options and the tables. Never changes a profile by itself: `sp.flows.user_profiles` does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from sp.cli.running import (
    UNUSABLE,
    existing_database,
    opened_database,
    printable,
    settings_in_force,
    stop,
    wide_console,
)
from sp.cli.setup import AccountOption
from sp.clock import system_clock
from sp.flows import account_setup, user_profiles
from sp.flows.account_setup import Invalid
from sp.flows.opening import forget_password
from sp.flows.passwords import generate_password, hash_password, password_fault
from sp.flows.user_profiles import Profile
from sp.models import Account, SignInAttempt, User, UserStatus
from sp.store import accounts, administrators, sign_in_attempts, user_listing
from sp.store import users as user_store
from sp.store.rows import required
from sp.store.user_listing import Listing

administrator = typer.Typer(help="Administrators of companies.", no_args_is_help=True)
user = typer.Typer(help="What 8x8's support would do with user profiles.", no_args_is_help=True)

UsernameOption = Annotated[str, typer.Option("--username", help="The user name.")]
UsernameArgument = Annotated[str, typer.Argument(metavar="USERNAME", help="The user name, in any case.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@administrator.command("add")
def add_administrator(
    company: Annotated[str, typer.Option(help="The company's name.")],
    username: UsernameOption,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Add an administrator; prints the password that was made."""
    password = _chosen_password(password_stdin)
    with opened_database(settings_in_force()) as database, database.writing() as session:
        found = accounts.company_named(session, company)
        if found is None:
            stop(f"There is no company {company!r}.", code=UNUSABLE)
        if administrators.administrator_named(session, username):
            stop(f"There is an administrator {username!r} already.", code=UNUSABLE)
        administrators.add_administrator(session, found, username, hash_password(password), system_clock())
    _tell_password(f"Added {username!r} for {company!r}.", password, told=password_stdin)


@administrator.command("reset-password")
def reset_password(
    username: UsernameOption,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Give an administrator a new password; prints it."""
    password = _chosen_password(password_stdin)
    settings = settings_in_force()
    with opened_database(settings) as database, database.writing() as session:
        found = administrators.administrator_named(session, username)
        if found is None:
            stop(f"There is no administrator {username!r}.", code=UNUSABLE)
        administrators.set_password(session, found, hash_password(password))
    if found.username == settings.admin_username:
        forget_password(settings)  # else the next start would print a password that no longer works
    _tell_password(f"Changed the password of {username!r}.", password, told=password_stdin)


@user.command("add")
def add_user(
    username: UsernameOption,
    first_name: Annotated[str, typer.Option()],
    last_name: Annotated[str, typer.Option()],
    email: Annotated[str | None, typer.Option(help="Default: the user name.")] = None,
    federation_id: Annotated[str, typer.Option(help="What the identity provider calls them.")] = "",
    account: AccountOption = account_setup.SEEDED_SLUG,
    with_password: Annotated[bool, typer.Option(help="Make a password, for 8x8 Username and Password.")] = False,
) -> None:
    """Add a user profile, or bring a deleted one back."""
    password = generate_password() if with_password else None
    profile = Profile(
        username=username,
        first_name=first_name,
        last_name=last_name,
        email=username if email is None else email,
        federation_id=federation_id,
    )
    password_hash = hash_password(password) if password else None
    with opened_database(settings_in_force()) as database, database.writing() as session:
        done = user_profiles.add_user(
            session, account_of_slug(session, account), profile, system_clock(), password_hash=password_hash
        )
    if isinstance(done, Invalid):
        stop(*done.errors.values(), code=UNUSABLE)
    _tell_password(f"Added {username!r}.", password or "", told=not with_password)


@user.command()
def disable(username: UsernameArgument) -> None:
    """Refuse their sign-ins and end their sessions."""
    _change(username, user_profiles.disable, "Disabled")


@user.command()
def enable(username: UsernameArgument) -> None:
    """Let them sign in again."""
    _change(username, user_profiles.enable, "Enabled")


@user.command()
def delete(username: UsernameArgument) -> None:
    """Delete the profile; provisioning does not bring it back, `user add` does."""
    _change(username, user_profiles.delete, "Deleted")


@user.command()
def release(username: UsernameArgument) -> None:
    """Remove a deleted profile for good, so that any account may create its username again."""
    with opened_database(settings_in_force()) as database, database.writing() as session:
        found = user_store.user_named(session, required(accounts.shared_realm(session).id), username)
        if found is None:
            stop(f"There is no user {username!r}.", code=UNUSABLE)
        if not user_profiles.release(session, found):
            stop(f"The user {found.username!r} is not deleted. Delete the user first.", code=UNUSABLE)
    typer.echo(f"Released {found.username!r}.")


def users(
    account: AccountOption = account_setup.SEEDED_SLUG,
    as_json: JsonFlag = False,
) -> None:
    """List the user profiles of an account."""
    with existing_database(settings_in_force()) as database, database.reading() as session:
        found = account_of_slug(session, account)
        listing = Listing(required(found.id), sort=user_listing.SortBy.USERNAME, descending=False)
        rows = (_user_row(row) for row in user_listing.everybody(database, listing))
        show(rows, as_json=as_json, empty="No users yet: the first sign-in creates one.")


def sign_ins(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List the newest sign-in attempts of all accounts."""
    with existing_database(settings_in_force()) as database, database.reading() as session:
        rows = (_attempt_row(session, row) for row in sign_in_attempts.newest(session, limit=limit))
        show(rows, as_json=as_json, empty="No sign-in has been tried yet.")


def account_of_slug(session: Session, slug: str) -> Account:
    found = accounts.account_by_slug(session, slug)
    if found is None:
        stop(f"There is no account {slug!r}.", code=UNUSABLE)
    return found


def _change(username: str, change: Any, done: str) -> None:
    with opened_database(settings_in_force()) as database, database.writing() as session:
        found = user_store.user_named(session, required(accounts.shared_realm(session).id), username)
        if found is None or found.status == UserStatus.DELETED:
            stop(f"There is no user {username!r}.", code=UNUSABLE)
        change(session, found)
    typer.echo(f"{done} {found.username!r}.")


def _chosen_password(from_stdin: bool) -> str:
    if not from_stdin:
        return generate_password()
    password = sys.stdin.readline().rstrip("\n")
    fault = password_fault(password)
    if fault:
        stop(fault, code=UNUSABLE)
    return password


def _tell_password(sentence: str, password: str, *, told: bool) -> None:
    typer.echo(sentence)
    if not told:
        typer.echo(f"Password: {password}")


def _user_row(row: User) -> dict[str, Any]:
    names = ("username", "first_name", "last_name", "email", "federation_id", "source", "status")
    return {name: getattr(row, name) for name in names} | {
        "created_at": row.created_at.isoformat(),
        "last_sign_in_at": row.last_sign_in_at.isoformat() if row.last_sign_in_at else None,
    }


def _attempt_row(session: Session, row: SignInAttempt) -> dict[str, Any]:
    account = accounts.account_by_id(session, row.account_id).slug if row.account_id else None
    return {
        "reference": row.reference,
        "received_at": row.received_at.isoformat(),
        "outcome": row.outcome,
        "account": account,
        "issuer": row.issuer,
        "username": row.username,
        "provisioned": row.provisioned,
        "failed": row.failed,
        "warnings": row.warnings,
    }


def show(rows: Iterator[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    listed = list(rows)
    if as_json:
        typer.echo(json.dumps(listed, indent=2))
        return
    if not listed:
        typer.echo(empty)
        return
    table = Table()
    for name in listed[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in listed:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    wide_console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, list) else printable(str(value))
