"""`inspect`: judging a message offline.

Owns reading the file and showing the report. Never asks a database or the network: the message, the options and the
time are all that counts.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from sp.cli.running import REFUSED, UNUSABLE, printable, settings_in_force, stop, wide_console
from sp.cli.setup import CertificateFiles, read_certificates
from sp.clock import readable_time, system_clock
from sp.flows.assertion_consumer import expectations_for
from sp.flows.verdict import verdict
from sp.saml import validation
from sp.saml.messages import AccountTrust, Judgement, Limits, Opened, PendingRequest, PostedForm, SignedPart
from sp.saml.remedies import GENERAL, name_of, provider_of
from sp.saml.report import Outcome, Report

_MAX_FILE = 16 * 1024 * 1024
_STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.WARNING: "yellow",
    Outcome.SKIPPED: "dim",
    Outcome.NOT_REACHED: "dim",
}


def inspect(
    file: Annotated[str, typer.Argument(help="A file with the message, raw XML or base64; - for standard input.")],
    issuer: Annotated[str, typer.Option(help="The identity provider's entity ID that the account trusts.")],
    certificate: CertificateFiles = None,
    entity_id: Annotated[str | None, typer.Option(help="Our entity ID; default: the setting.")] = None,
    acs_url: Annotated[str | None, typer.Option(help="Our ACS URL; default: the setting.")] = None,
    at: Annotated[str | None, typer.Option(help="Judge at this time, such as 2026-11-23T12:00:00Z.")] = None,
    in_response_to: Annotated[str | None, typer.Option(help="The ID of a pending AuthnRequest.")] = None,
    signed: Annotated[SignedPart, typer.Option(help="What must be signed.")] = SignedPart.EITHER,
    allow_sha1: Annotated[bool, typer.Option("--allow-sha1", help="Accept SHA-1 signatures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Judge a message offline and print the report. Exit code: 0 accepted, 1 refused, 2 unusable arguments."""
    if not certificate:
        stop("Name the identity provider's certificate with --certificate FILE.", code=UNUSABLE)
    settings = settings_in_force(entity_id=entity_id, acs_url=acs_url)
    now = _time(at)
    trust = AccountTrust(
        slug="inspect",
        issuer=issuer.strip(),
        certificates=read_certificates(certificate),
        signed_part=signed,
        allow_sha1=allow_sha1,
    )
    opened = _open(_read(file), settings.limits)
    pending = (PendingRequest(in_response_to, trust.issuer, now),) if in_response_to else ()
    judgement = validation.judge(opened, expectations_for(settings, trust, now, pending))
    _show(judgement, provider_of(opened), as_json=as_json)
    raise typer.Exit(0 if judgement.report.accepts else REFUSED)


def _time(text: str | None) -> datetime:
    if text is None:
        return system_clock()
    try:
        return readable_time(text)
    except ValueError:
        stop(f"--at: {text!r} is no time such as 2026-11-23T12:00:00Z.", code=UNUSABLE)


def _read(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(_MAX_FILE)
        with Path(file).open("rb") as opened:
            return opened.read(_MAX_FILE)
    except OSError as error:
        stop(f"The message {file!r} cannot be read: {error.strerror}.", code=UNUSABLE)


def _open(content: bytes, limits: Limits) -> Opened:
    """Base64 as a form carries it, or XML as it is: base64 has neither angle brackets nor bytes past ASCII."""
    if b"<" in content or not content.isascii():
        return validation.open_message(content, limits)
    field = ("SAMLResponse", content.decode("ascii").strip())
    return validation.open_form(PostedForm("POST", "application/x-www-form-urlencoded", (field,)), limits)


def _show(judgement: Judgement, provider: str, *, as_json: bool) -> None:
    username = judgement.identity.username if judgement.identity else ""
    told = verdict(judgement.report, reference="", username=username, provider=provider)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    console = wide_console()
    console.print(_table(judgement.report))
    if provider != GENERAL:
        console.print(Text(f"Recognized: {name_of(provider)}", style="dim"))
    console.print(Text(f"{told['outcome'].capitalize()}. {told['message']}", style="bold"))
    if told["remedy"]:
        console.print(Text(told["remedy"]))


def _table(report: Report) -> Table:
    table = Table("Check", "Outcome")
    table.add_column("Expected", overflow="fold")
    table.add_column("Received", overflow="fold")
    for row in report.rows:
        outcome = Text(row.outcome.replace("_", " "), style=_STYLES[row.outcome])
        table.add_row(row.code, outcome, Text(printable(row.expected)), Text(printable(row.received)))
    return table
