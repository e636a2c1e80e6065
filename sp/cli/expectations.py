"""`expect`: declare what the next sign-in must look like, wait for it, and say whether it did.

Owns the options, the words and the exit code: 0 it did, 1 it did not or none came. Never compares anything itself.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from sp.cli.running import UNUSABLE, opened_database, printable, settings_in_force, stop
from sp.cli.setup import AccountOption
from sp.clock import system_clock
from sp.flows import expectations
from sp.flows.account_setup import SEEDED_SLUG
from sp.flows.expectations import Answer, Declaration, Status, TooManyError
from sp.flows.junit import junit_xml
from sp.store import accounts
from sp.store.engine import Database
from sp.store.rows import required

_MAX_FILE = 256 * 1024
_LOOK_EVERY_SECONDS = 0.25  # another process takes the sign-in, and only the database tells

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.json", help="The expectation, as for the API.")]


def expect(
    file: FileArgument,
    account: AccountOption = SEEDED_SLUG,
    wait: Annotated[int, typer.Option(min=1, max=86_400, help="How long to wait for a sign-in, in seconds.")] = 60,
    junit: Annotated[Path | None, typer.Option(help="Write the result as JUnit XML to this file.")] = None,
) -> None:
    """Wait for the next sign-in and hold it against FILE.json. Exit code 0: it is as expected."""
    wanted = _read(file).model_copy(update={"expires_in_seconds": wait})
    with opened_database(settings_in_force()) as database:
        account_id, reference = _declare(database, account, wanted)
        typer.echo(f"Waiting for a sign-in of {account!r} (expectation {reference}).", err=True)
        answer = _wait(database, account_id, reference)
    if junit is not None:
        _write(junit, junit_xml(answer, f"virtual-office.{account}"))
    if answer.status is Status.EXPIRED:
        stop(f"No sign-in came within {wait} seconds.")
    for line in answer.differences:
        typer.echo(printable(f"{line.field}: expected {line.expected}, received {line.received}"))
    if answer.status is not Status.MET:
        stop(f"The sign-in {answer.sign_in} is not as expected.")
    typer.echo(f"The sign-in {answer.sign_in} is as expected.")


def _read(file: Path) -> Declaration:
    try:
        with file.open("rb") as opened:
            text = opened.read(_MAX_FILE + 1)
    except OSError as error:
        stop(f"{str(file)!r} cannot be read: {error.strerror}.", code=UNUSABLE)
    if len(text) > _MAX_FILE:
        stop(f"{str(file)!r} is longer than {_MAX_FILE // 1024} KiB.", code=UNUSABLE)
    try:
        return Declaration.model_validate_json(text)
    except ValidationError as error:
        faults = ((".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in error.errors())
        stop(*(printable(f"{field or file.name}: {message}") for field, message in faults), code=UNUSABLE)


def _declare(database: Database, slug: str, wanted: Declaration) -> tuple[int, str]:
    with database.writing() as session:
        account = accounts.account_by_slug(session, slug)
        if account is None:
            stop(f"There is no account {slug!r}.", code=UNUSABLE)
        try:
            made = expectations.declare(session, account, wanted, system_clock())
        except TooManyError as error:
            stop(str(error))
        return required(account.id), made.reference


def _wait(database: Database, account_id: int, reference: str) -> Answer:
    """How it stands once it is settled. It ends by itself, when its time is over."""
    while True:
        answer = expectations.answer_of(database, account_id, reference, system_clock())
        if answer is None:
            stop("The account was removed meanwhile.")
        if answer.status is not Status.WAITING:
            return answer
        time.sleep(_LOOK_EVERY_SECONDS)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        stop(f"{str(file)!r} cannot be written: {error.strerror}.", code=UNUSABLE)
