"""`judge-again`: a recorded attempt against other settings, the old verdict beside the new one.

Owns the options, the table and the exit code. Never changes the attempt: what is asked here leaves no trace.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from sp.cli.inspection import (
    STYLES,
    AcsUrlOption,
    AllowSha1Option,
    AtOption,
    EntityIdOption,
    IssuerOption,
    JsonOption,
    SignedOption,
    chosen_time,
    print_sentences,
    verdict_of,
)
from sp.cli.running import REFUSED, UNUSABLE, existing_database, printable, settings_in_force, stop, wide_console
from sp.cli.setup import CertificateFiles, read_certificates
from sp.diagnosis.remedies import provider_of
from sp.diagnosis.rows import finding_json
from sp.diagnosis.sides import sides
from sp.flows import judging_again
from sp.flows.judging_again import Changes
from sp.models import Account, SignInAttempt
from sp.saml.messages import Judgement
from sp.saml.report import Row
from sp.store import accounts, sign_in_attempts
from sp.store.rows import required

Pairs = Sequence[tuple[Row, Row]]

_OF_ACCOUNT = ("certificates", "issuer", "allow_sha1", "signed_part")


def judge_again(
    reference: Annotated[str, typer.Argument(help="The attempt's reference, as `sign-ins` lists it.")],
    issuer: IssuerOption = None,
    certificate: CertificateFiles = None,
    account: Annotated[
        str | None, typer.Option(help="The account whose settings count; default: the attempt's.")
    ] = None,
    settings_version: Annotated[
        int | None, typer.Option(help="The number of a version of its settings; default: the one of then.")
    ] = None,
    entity_id: EntityIdOption = None,
    acs_url: AcsUrlOption = None,
    at: AtOption = None,
    signed: SignedOption = None,
    allow_sha1: AllowSha1Option = False,
    as_json: JsonOption = False,
) -> None:
    """Judge a recorded attempt against other settings. Exit code: 0 accepted now, 1 refused now, 2 unusable."""
    changes = Changes(
        certificates=read_certificates(certificate) if certificate else None,
        issuer=issuer.strip() if issuer else None,
        entity_id=entity_id,
        acs_url=acs_url,
        now=chosen_time(at),
        allow_sha1=allow_sha1 or None,
        signed_part=signed,
    )
    with existing_database(settings_in_force()) as database, database.reading() as session:
        attempt = _attempt(session, reference)
        settings_id = _settings_id(session, attempt, account, settings_version)
        _require_settings(attempt, settings_id, changes)
        inputs = judging_again.inputs_of(session, attempt)
        then = judging_again.judge_attempt(session, attempt)
        now = judging_again.judge_again(session, attempt, replace(changes, settings_id=settings_id))
        provider = provider_of(inputs.opened)
    _show(attempt, then, now, provider, as_json=as_json)
    raise typer.Exit(0 if now.report.accepts else REFUSED)


def _attempt(session: Session, reference: str) -> SignInAttempt:
    known = sign_in_attempts.as_reference(reference)
    found = sign_in_attempts.attempt_by_reference(session, known) if known else None
    if found is None:
        stop(f"There is no sign-in attempt {reference!r}. `virtual-office sign-ins` lists them.", code=UNUSABLE)
    if found.message is None:
        stop("Nothing of this attempt was decoded, so there is no message to judge again.", code=UNUSABLE)
    return found


def _settings_id(session: Session, attempt: SignInAttempt, slug: str | None, number: int | None) -> int | None:
    """The version that counts, None for the one of then."""
    if slug is None and number is None:
        return None
    account = accounts.account_by_slug(session, slug) if slug else _account_of(session, attempt)
    if account is None:
        stop(f"There is no account {slug!r}." if slug else _NO_ACCOUNT, code=UNUSABLE)
    if number is None:
        return required(account.settings_id)
    version = next(reversed(accounts.versions_after(session, required(account.id), number - 1)), None)
    if version is None or version.version != number:
        stop(f"--settings-version: {account.slug!r} has no version {number} of its settings.", code=UNUSABLE)
    return required(version.id)


_NO_ACCOUNT = "This attempt named no issuer that an account trusts. Name the account with --account SLUG."


def _account_of(session: Session, attempt: SignInAttempt) -> Account | None:
    return accounts.account_by_id(session, attempt.account_id) if attempt.account_id else None


def _require_settings(attempt: SignInAttempt, settings_id: int | None, changes: Changes) -> None:
    """Changes to an account's settings are nothing where there are no settings."""
    if settings_id is None and attempt.settings_id is None and any(getattr(changes, name) for name in _OF_ACCOUNT):
        stop(_NO_ACCOUNT, code=UNUSABLE)


def _show(attempt: SignInAttempt, then: Judgement, now: Judgement, provider: str, *, as_json: bool) -> None:
    old, new = (verdict_of(judgement, provider, attempt.reference) for judgement in (then, now))
    pairs = [(row, now.report.row(row.code)) for row in then.report.rows]
    if as_json:
        typer.echo(json.dumps({"then": old, "now": new, "differences": _differences(pairs)}, indent=2))
        return
    console = wide_console()
    console.print(_table(pairs))
    console.print(Text(f"Then: {old['outcome']}. {old['message']}", style="dim"))
    console.print(Text("With these settings:"))
    print_sentences(console, new)


def _differences(pairs: Pairs) -> list[dict[str, Any]]:
    return [
        {"code": then.code, "then": finding_json(then), "now": finding_json(now)} for then, now in pairs if then != now
    ]


def _table(pairs: Pairs) -> Table:
    """Every check; the values only where something is different."""
    table = Table("Check", "", "Then", "With these settings")
    for then, now in pairs:
        differs = then != now
        mark = "changed" if then.outcome is not now.outcome else "values" if differs else ""
        name = Text(then.code, style="bold" if differs else "dim")
        table.add_row(name, Text(mark, style="bold"), _cell(then, whole=differs), _cell(now, whole=differs))
    return table


def _cell(row: Row, *, whole: bool) -> Text:
    text = Text(row.outcome.replace("_", " "), style=STYLES[row.outcome])
    for name, side in sides(row)._asdict().items() if whole else ():
        if side:
            text.append(f"\n{name} {printable(side)}", style="default")
    return text
