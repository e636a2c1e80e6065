"""`inspect`: judging a message that somebody has in a file, however it was captured.

Owns reading the file, choosing the message and showing the report. Never stores anything; without `--account` it asks
no database either: the message, the options and the time are all that counts.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sp.cli.running import (
    REFUSED,
    UNUSABLE,
    existing_database,
    printable,
    settings_in_force,
    stop,
    wide_console,
)
from sp.cli.setup import CertificateFiles, read_certificates
from sp.clock import readable_time, system_clock
from sp.diagnosis.captures import MAX_CAPTURE_BYTES, Capture, CapturedMessage, find_messages, open_captured
from sp.diagnosis.remedies import GENERAL, name_of, provider_of
from sp.diagnosis.sides import sides
from sp.flows.assertion_consumer import expectations_for
from sp.flows.judging_again import Changes
from sp.flows.judging_captured import judge_captured
from sp.flows.verdict import verdict
from sp.saml import validation
from sp.saml.messages import AccountTrust, Judgement, PendingRequest, SignedPart
from sp.saml.report import Outcome, Report
from sp.settings import Settings
from sp.store import accounts
from sp.store.rows import required

STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.WARNING: "yellow",
    Outcome.SKIPPED: "dim",
    Outcome.NOT_REACHED: "dim",
}

IssuerOption = Annotated[
    str | None, typer.Option("--issuer", help="The identity provider's entity ID that the account trusts.")
]
EntityIdOption = Annotated[str | None, typer.Option("--entity-id", help="Our entity ID; default: the setting.")]
AcsUrlOption = Annotated[str | None, typer.Option("--acs-url", help="Our ACS URL; default: the setting.")]
AtOption = Annotated[str | None, typer.Option("--at", help="Judge at this time, such as 2026-11-23T12:00:00Z.")]
SignedOption = Annotated[SignedPart | None, typer.Option("--signed", help="What must be signed; default: either.")]
AllowSha1Option = Annotated[bool, typer.Option("--allow-sha1", help="Accept SHA-1 signatures.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")]


@dataclass(frozen=True, slots=True)
class _Judged:
    judgement: Judgement
    provider: str


def inspect(
    file: Annotated[
        str,
        typer.Argument(help="XML, base64, a form's body, a URL, HTML, cURL, HAR or SAML-tracer; - for standard input."),
    ],
    issuer: IssuerOption = None,
    certificate: CertificateFiles = None,
    account: Annotated[str | None, typer.Option(help="Judge with this account's settings; nothing is stored.")] = None,
    entity_id: EntityIdOption = None,
    acs_url: AcsUrlOption = None,
    at: AtOption = None,
    in_response_to: Annotated[str | None, typer.Option(help="The ID of a pending AuthnRequest.")] = None,
    signed: SignedOption = None,
    allow_sha1: AllowSha1Option = False,
    message: Annotated[int | None, typer.Option(help="Which message; default: the last Response.")] = None,
    as_list: Annotated[bool, typer.Option("--list", help="List the messages that were found, and stop.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge a message from any capture and print the report. Exit code: 0 accepted, 1 refused, 2 unusable arguments."""
    if not (as_list or account or certificate):
        stop("Name the identity provider's certificate with --certificate FILE.", code=UNUSABLE)
    if not (as_list or account or issuer):
        stop("Name the identity provider's entity ID with --issuer, or an account with --account.", code=UNUSABLE)
    settings = settings_in_force(entity_id=entity_id, acs_url=acs_url)
    changes = Changes(
        certificates=read_certificates(certificate) if certificate else None,
        issuer=issuer.strip() if issuer else None,
        now=chosen_time(at),
        allow_sha1=allow_sha1 or None,
        signed_part=signed,
    )
    capture = find_messages(_read(file), settings.limits)
    if not capture.messages:
        stop(capture.fault, code=UNUSABLE)
    if as_list:
        _list(capture, as_json=as_json)
        return
    number = _number(capture, message)
    chosen = capture.messages[number - 1]
    judged = (
        _judge_live(settings, account, chosen, changes, in_response_to)
        if account
        else _judge_alone(settings, chosen, changes, in_response_to)
    )
    _show(judged, capture, number, as_json=as_json)
    raise typer.Exit(0 if judged.judgement.report.accepts else REFUSED)


def _judge_alone(settings: Settings, message: CapturedMessage, changes: Changes, request: str | None) -> _Judged:
    """With what the options say, and nothing else."""
    now = changes.now or system_clock()
    trust = AccountTrust(
        slug="inspect",
        issuer=changes.issuer or "",
        certificates=changes.certificates or (),
        signed_part=changes.signed_part or SignedPart.EITHER,
        allow_sha1=bool(changes.allow_sha1),
    )
    opened = open_captured(message, settings.limits)
    expectations = expectations_for(settings, trust, now, _pending(request, trust.issuer, now))
    expectations = replace(expectations, metadata_url="")  # no account of this service is meant
    return _Judged(validation.judge(opened, expectations), provider_of(opened))


def _judge_live(
    settings: Settings, slug: str, message: CapturedMessage, changes: Changes, request: str | None
) -> _Judged:
    """With the account's settings, of which the options change a part. The database is only read."""
    now = changes.now or system_clock()
    with existing_database(settings) as database, database.reading() as session:
        found = accounts.account_by_slug(session, slug)
        if found is None:
            stop(f"There is no account {slug!r}. `virtual-office account add` makes one.", code=UNUSABLE)
        pending = _pending(request, changes.issuer or found.issuer or "", now)
        judged = judge_captured(session, settings, message, required(found.settings_id), changes, now, pending)
    return _Judged(judged.judgement, judged.provider)


def _pending(request: str | None, issuer: str, now: datetime) -> tuple[PendingRequest, ...]:
    return (PendingRequest(request, issuer, now),) if request else ()


def chosen_time(text: str | None) -> datetime | None:
    """The time that --at names; one that is none ends the command."""
    if text is None:
        return None
    try:
        return readable_time(text)
    except ValueError:
        stop(f"--at: {text!r} is no time such as 2026-11-23T12:00:00Z.", code=UNUSABLE)


def _read(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_CAPTURE_BYTES + 1)
        with Path(file).open("rb") as opened:
            return opened.read(MAX_CAPTURE_BYTES + 1)
    except OSError as error:
        stop(f"The message {file!r} cannot be read: {error.strerror}.", code=UNUSABLE)


def _number(capture: Capture, wanted: int | None) -> int:
    count = len(capture.messages)
    if wanted is not None and not 1 <= wanted <= count:
        stop(f"--message: there is no message {wanted}; the capture has 1 to {count}.", code=UNUSABLE)
    return wanted or capture.default + 1


def _list(capture: Capture, *, as_json: bool) -> None:
    rows = [_told(message, number) for number, message in enumerate(capture.messages, 1)]
    if as_json:
        typer.echo(json.dumps({"capture": capture.kind, "left_out": capture.left_out, "messages": rows}, indent=2))
        return
    table = Table("No.", "Message", "Where", "Note")
    for row in rows:
        table.add_row(str(row["number"]), *(Text(printable(str(row[key]))) for key in ("name", "where", "note")))
    console = wide_console()
    console.print(Text(f"This is {capture.name}."))
    if capture.left_out:
        console.print(Text(f"{capture.left_out} older messages are left out."))
    console.print(table)


def _told(message: CapturedMessage, number: int) -> dict[str, Any]:
    return {
        "number": number,
        "kind": message.kind,
        "name": message.name,
        "where": message.where,
        "note": message.note,
    }


def _show(judged: _Judged, capture: Capture, number: int, *, as_json: bool) -> None:
    told = verdict_of(judged.judgement, judged.provider)
    message = capture.messages[number - 1]
    if as_json:
        of = len(capture.messages)
        told["captured"] = {"capture": capture.kind, "messages": of, **_told(message, number)}
        typer.echo(json.dumps(told, indent=2))
        return
    console = wide_console()
    console.print(_table(judged.judgement.report))
    if len(capture.messages) > 1 or message.note:
        console.print(Text(f"Message {number} of {len(capture.messages)} in {capture.name}: {message.name}, "), end="")
        console.print(Text(printable(message.where)))
    if message.note:
        console.print(Text(printable(message.note), style="yellow"))
    if judged.provider != GENERAL:
        console.print(Text(f"Recognized: {name_of(judged.provider)}", style="dim"))
    print_sentences(console, told)


def verdict_of(judgement: Judgement, provider: str, reference: str = "") -> dict[str, Any]:
    username = judgement.identity.username if judgement.identity else ""
    return verdict(judgement.report, reference=reference, username=username, provider=provider)


def print_sentences(console: Console, told: dict[str, Any]) -> None:
    """The outcome, its cause and what to change."""
    console.print(Text(f"{told['outcome'].capitalize()}. {told['message']}", style="bold"))
    if told["remedy"]:
        console.print(Text(told["remedy"]))


def _table(report: Report) -> Table:
    table = Table("Check", "Outcome")
    table.add_column("Expected", overflow="fold")
    table.add_column("Received", overflow="fold")
    for row in report.rows:
        outcome = Text(row.outcome.replace("_", " "), style=STYLES[row.outcome])
        table.add_row(row.code, outcome, *(Text(printable(side)) for side in sides(row)))
    return table
