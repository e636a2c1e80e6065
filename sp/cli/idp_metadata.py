"""`import-metadata`: an identity provider's metadata from a file, a URL or standard input.

Owns the options and how a difference is printed. Never judges metadata: the flows do, as for the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sp.cli.running import REFUSED, UNUSABLE, database_for_a_trial, printable, settings_in_force, stop
from sp.cli.setup import SAVED_BY, AccountOption, read_certificates
from sp.clock import system_clock
from sp.diagnosis.metadata import metadata_sentence
from sp.flows import account_setup
from sp.flows.account_setup import LABELS, Overtaken, Saved
from sp.flows.metadata_addresses import Refused
from sp.flows.metadata_fetching import fetch_anew
from sp.flows.metadata_import import Proposal, Source, labeled, proposal, save_import
from sp.saml.certificates import IdpCertificate
from sp.saml.errors import MetadataError
from sp.saml.idp_metadata import IdpEntity, ListedProvider, read_metadata
from sp.saml.metadata_document import MAXIMUM_BYTES
from sp.settings import Settings
from sp.store import accounts

_LISTED = 20


def import_metadata(
    source: Annotated[str, typer.Argument(help="A file, an https:// address, or - for standard input.")],
    account: AccountOption = account_setup.SEEDED_SLUG,
    entity_id: Annotated[str, typer.Option(help="Which entity of a federation.")] = "",
    pin: Annotated[Path | None, typer.Option(help="The certificate that must have signed the metadata.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Print what would change and save nothing.")] = False,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Read an address again by itself.")] = True,
) -> None:
    """Take over what an identity provider's metadata says. Exit code: 0 done, 1 it cannot be used, 2 unusable."""
    settings = settings_in_force()
    pinned = next(iter(read_certificates([pin])), None) if pin else None
    entity = _entity(_data(settings, source), entity_id, pinned)
    following = Source(source, pinned) if follow and _is_url(source) else None
    with database_for_a_trial(settings, is_trial=check) as database, database.writing() as session:
        found = accounts.account_by_slug(session, account)
        if found is None:
            stop(f"There is no account {account!r}. `virtual-office account add` makes one.", code=UNUSABLE)
        accounts.lock_settings(session, found)
        proposed = proposal(session, settings, found, entity)
        _print(proposed)
        if check:
            raise typer.Exit(REFUSED if proposed.faults else 0)
        version = accounts.settings_in_force(session, found).version
        saved = save_import(
            session, settings, found, entity, based_on=version, saved_by=SAVED_BY, now=system_clock(), source=following
        )
    if not isinstance(saved, Saved):
        stop(
            "Nothing was saved: somebody else saved meanwhile."
            if isinstance(saved, Overtaken)
            else "Nothing was saved."
        )
    in_force = f"Version {saved.version} is in force" if saved.changed else f"Version {saved.version} stays in force"
    typer.echo(f"{in_force}{', and the address is followed' if following else ''}.")


def _is_url(source: str) -> bool:
    return source.startswith(("https://", "http://"))


def _data(settings: Settings, source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(MAXIMUM_BYTES + 1)
    if _is_url(source):
        answer = fetch_anew(settings, source)
        if isinstance(answer, Refused):
            stop(answer.sentence)
        return answer.data
    try:
        with Path(source).open("rb") as opened:
            return opened.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        stop(f"The metadata file {source!r} cannot be read: {error.strerror}.", code=UNUSABLE)


def _entity(data: bytes, entity_id: str, pinned: IdpCertificate | None) -> IdpEntity:
    try:
        document = read_metadata(data, system_clock(), wanted=entity_id, pinned=pinned)
    except MetadataError as error:
        stop(metadata_sentence(error))
    if document.entity is None:
        _stop_to_choose(document.providers)
    return document.entity


def _stop_to_choose(providers: Sequence[ListedProvider]) -> NoReturn:
    first = [f"  {printable(f'{one.entity_id} {one.display_name}'.strip())}" for one in providers[:_LISTED]]
    more = [f"  and {len(providers) - _LISTED:,} more"] if len(providers) > _LISTED else []
    stop("This metadata describes several identity providers. Name one with --entity-id:", *first, *more, code=UNUSABLE)


def _print(found: Proposal) -> None:
    typer.echo(printable(f"{found.entity.display_name} {found.entity.entity_id}".strip()))
    for line in _lines(found):
        typer.echo(printable(line))
    for name, fault in found.faults.items():
        typer.echo(printable(f"{LABELS.get(name, name)}: {fault}"), err=True)


def _lines(found: Proposal) -> Iterator[str]:
    changes = labeled(found.changes)
    for label, before, after in changes:
        yield f"  {label}: {before or 'empty'} -> {after or 'empty'}"
    for what, certificates in (("added", found.added), ("retired", found.retired), ("stays", found.kept)):
        for one in certificates:
            yield f"  Certificate {what}: {one.subject}, until {one.not_after:%Y-%m-%d}, SHA-256 {one.fingerprint}"
    if not changes and not found.added and not found.retired:
        yield "  Nothing would change."
    for note in found.entity.notes:
        yield f"  Note: {note}"
