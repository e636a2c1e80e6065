"""`sessions`: who is signed in, and ending that.

Owns the options and the table. Never ends another account's sessions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from sqlmodel import Session

from sp.cli.people import JsonFlag, account_of_slug, show
from sp.cli.running import UNUSABLE, existing_database, opened_database, settings_in_force, stop
from sp.cli.setup import AccountOption
from sp.clock import system_clock
from sp.flows import account_setup
from sp.models import Account, User, UserSession
from sp.settings import Settings
from sp.store import session_listing, users
from sp.store import sessions as session_store
from sp.store.rows import required
from sp.store.session_listing import OpenSessions

sessions = typer.Typer(help="Who is signed in.", no_args_is_help=True)

_AT_ONCE = 500


@sessions.command("list")
def list_sessions(account: AccountOption = account_setup.SEEDED_SLUG, as_json: JsonFlag = False) -> None:
    """List the open sessions of an account's users, newest first."""
    settings = settings_in_force()
    with existing_database(settings) as database, database.reading() as session:
        found = account_of_slug(session, account)
        rows = (_row(*row) for row in _everybody(session, settings, found))
        show(rows, as_json=as_json, empty="Nobody is signed in.")


@sessions.command("end")
def end_sessions(
    session_id: Annotated[int | None, typer.Argument(help="The id of one session, as `sessions list` has it.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Every session of this user name.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Every session of the account.")] = False,
    account: AccountOption = account_setup.SEEDED_SLUG,
) -> None:
    """End sessions: one, a user's, or all of an account. The identity provider is not told."""
    if [session_id is not None, user is not None, everybody].count(True) != 1:
        stop("Name one session, or a --user, or --all.", code=UNUSABLE)
    with opened_database(settings_in_force()) as database, database.writing() as session:
        found = account_of_slug(session, account)
        if session_id is not None:
            ended = _end_one(session, found, session_id)
        elif user is not None:
            ended = _end_of_user(session, found, user)
        else:
            ended = session_store.end_all_of_account(session, required(found.id))
    typer.echo(f"Ended {ended} session{'' if ended == 1 else 's'}.")


def _end_one(session: Session, account: Account, session_id: int) -> int:
    if session_listing.session_of(session, required(account.id), session_id) is None:
        stop(f"There is no session {session_id} in the account {account.slug!r}.", code=UNUSABLE)
    return session_store.end_these(session, [session_id])


def _end_of_user(session: Session, account: Account, name: str) -> int:
    user = users.user_named(session, account.realm_id, name)
    if user is None or user.account_id != account.id:
        stop(f"There is no user {name!r} in the account {account.slug!r}.", code=UNUSABLE)
    return session_store.end_all_of_user(session, required(user.id))


def _everybody(session: Session, settings: Settings, account: Account) -> Iterator[tuple[User, UserSession]]:
    wanted = OpenSessions(required(account.id), system_clock(), settings.session_idle)
    before: int | None = None
    while True:
        page = session_listing.page(session, wanted, before=before, size=_AT_ONCE)
        yield from page.rows
        if not page.older:
            return
        before = page.last_id


def _row(user: User, row: UserSession) -> dict[str, Any]:
    return {
        "id": row.id,
        "username": user.username,
        "method": row.method,
        "reference": row.attempt_reference or None,
        "created_at": row.created_at.isoformat(),
        "last_seen_at": row.last_seen_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "name_id": row.name_id,
        "session_index": row.session_index,
    }
