"""`compare` and `share`: recorded sign-in attempts beside each other, and as a file for somebody else.

Owns how they are asked for and printed. Never judges, and never changes an attempt. Whoever may run commands here may
see every company's attempts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from sp.cli.running import UNUSABLE, existing_database, printable, settings_in_force, stop, wide_console
from sp.diagnosis.comparison import Line, Side
from sp.diagnosis.comparison import compare as compared
from sp.flows.evidence import Evidence, evidence_of
from sp.flows.sharing import shared
from sp.store import sign_in_attempts

Reference = Annotated[str, typer.Argument(help="The reference of an attempt, as `sign-ins` lists it.")]


def compare(
    first: Reference,
    second: Reference,
    all_lines: Annotated[bool, typer.Option("--all", help="Print what is the same, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what differs in meaning between two sign-in attempts: not IDs, times, prefixes or the order."""
    with existing_database(settings_in_force()) as database, database.reading() as session:
        one, other = evidence_for(session, first), evidence_for(session, second)
        lines = [line for line in compared(one.judged, other.judged) if line.differs or all_lines]
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
    elif lines:
        wide_console().print(_table(lines, one.attempt.reference, other.attempt.reference))
    else:
        typer.echo("Nothing differs in meaning.")


def share(
    reference: Reference,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file to write; it must not exist.")],
    keep_host_names: Annotated[bool, typer.Option("--keep-host-names", help="Leave host names as they are.")] = False,
) -> None:
    """Write an attempt to one HTML file in which names and identifiers are replaced, for somebody else to read."""
    from sp.web.admin.shared_file import counted, shared_file  # noqa: PLC0415  no other command here needs the pages

    with existing_database(settings_in_force()) as database, database.reading() as session:
        copy = shared(evidence_for(session, reference), keep_hosts=keep_host_names)
    content = shared_file(copy)
    try:
        with output.open("xb") as file:
            file.write(content)
    except FileExistsError:
        stop(f"{str(output)!r} exists already; name a new file.", code=UNUSABLE)
    except OSError as error:
        stop(f"{str(output)!r} cannot be written: {error.strerror}.")
    typer.echo(f"Written to {output}. Replaced: {', '.join(counted(copy)) or 'nothing'}. Read it before you send it.")


def evidence_for(session: Session, reference: str) -> Evidence:
    """Ends the command where there is no such attempt."""
    known = sign_in_attempts.as_reference(reference)
    found = sign_in_attempts.attempt_by_reference(session, known) if known else None
    if found is None:
        stop(f"There is no sign-in attempt {reference!r}.", code=UNUSABLE)
    return evidence_of(session, found)


def _table(lines: Sequence[Line], first: str, second: str) -> Table:
    table = Table("What")
    for name in (first, second):
        table.add_column(name, overflow="fold")
    for line in lines:
        style = "bold" if line.differs else "dim"
        label = Text(f"{line.group}: {printable(line.label)}", style=style)
        table.add_row(label, _cell(line.a), _cell(line.b))
    return table


def _cell(side: Side) -> Text:
    text = "\n".join(printable(value) for value in side.values) or "not there"
    return Text(f"{text}\n(not verified)" if side.unverified else text)
