"""Where an account lives: the shared realm with the service's own entity ID and addresses, or a workspace with its own.

Owns that whoever has an account gets the settings of its realm, and by which clock messages are judged there. Never
makes or removes a realm (see `sp.flows.workspaces`).
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from sp.models import Account, Realm
from sp.settings import Settings
from sp.store import realms
from sp.store.rows import Runner, required
from sp.store.together import Transaction


class WorkspaceGoneError(Exception):
    """The workspace was removed while a message to it was on its way."""


def log_of(session: Session, workspace: Realm | None) -> int | None:
    """In whose log a message goes that names no known issuer: a workspace's only account's, else nobody's.

    Raises WorkspaceGoneError.
    """
    if workspace is None:
        return None
    account = realms.account_of_workspace(session, required(workspace.id))
    if account is None:
        raise WorkspaceGoneError
    return account.id


def hold(runner: Runner, workspace: Realm | None) -> None:
    """Keep the workspace from being emptied or removed until the transaction ends. Raises WorkspaceGoneError."""
    if workspace is not None and not realms.hold(runner, required(workspace.id)):
        raise WorkspaceGoneError


def hold_once(transaction: Transaction, realm_id: int) -> None:
    """Keep settings from being saved in the realm too, for all that is recorded in the transaction.

    So what was asked about them once in it holds until its end. Raises WorkspaceGoneError.
    """
    if not transaction.once(("hold", realm_id), lambda connection: realms.hold(connection, realm_id)):
        raise WorkspaceGoneError


def settings_of(session: Session, settings: Settings, account: Account) -> Settings:
    """The settings as the account's realm has them."""
    return settings.in_realm(realms.realm_by_id(session, account.realm_id).name)


def judging_time(workspace: Realm | None, now: datetime) -> datetime:
    """By which time messages are judged: a workspace's clock may stand still. All else goes by the real one."""
    return now if workspace is None or workspace.fixed_time is None else workspace.fixed_time


def end_in(workspace: Realm | None, moment: datetime) -> datetime:
    """When something that would last until `moment` ends: with its workspace at the latest."""
    ends = workspace.expires_at if workspace else None
    return moment if ends is None else min(moment, ends)


def standing_clock(settings: Settings, realm: Realm | None) -> datetime | None:
    """Where the clock of a realm stands. None where it goes, as all do once they may no longer be stopped."""
    return realm.fixed_time if realm is not None and settings.fixes_clocks else None


def judging_time_of(session: Session, settings: Settings, account: Account, now: datetime) -> datetime:
    """As `judging_time`, for the realm of an account."""
    return standing_clock(settings, realms.realm_by_id(session, account.realm_id)) or now
