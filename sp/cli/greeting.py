"""What `serve` and `demo` say once they are ready: a greeting on a terminal, log lines everywhere else.

A generated password is shown on a terminal only: what a pipe or a container engine collects is kept, and others read
it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import typer

from sp.cli.demo_connection import demo_password_file
from sp.cli.listening_file import Listening, write_listening
from sp.cli.service_address import ServiceAddress
from sp.flows.opening import password_file
from sp.settings import Settings

_log = structlog.get_logger("sp.service")


@dataclass(frozen=True)
class Started:
    """What there is to say. `former` is the address at the last start, `people` what the connected demo said."""

    settings: Settings
    former: ServiceAddress | None
    with_demo: bool = False
    people: Mapping[str, str] = field(default_factory=dict)

    @property
    def changed_address(self) -> dict[str, str]:
        """What identity providers have to be told."""
        return ServiceAddress.of(self.settings).changes_since(self.former)


def on_terminal(settings: Settings) -> bool:
    """Whether standard output is read by a person; else it holds log lines only."""
    return sys.stdout.isatty() and settings.log_format == "console"


def say_listening(started: Started) -> None:
    """Say where the service listens, in the log and in the data folder."""
    write_listening(started.settings)
    listening = Listening.of(started.settings)
    _log.info("listening", url=listening.url, host=listening.host, port=listening.port)


def greet(started: Started) -> None:
    """Say who may sign in where: to a person all of it, else where the passwords are."""
    if on_terminal(started.settings):
        typer.echo("\n".join(_greeting(started)))
        sys.stdout.flush()
        return
    if password_file(started.settings).exists():
        _log.info(
            "administrator_password",
            username=started.settings.admin_username,
            file=str(password_file(started.settings).resolve()),
        )
    if started.with_demo:
        _log.info("demo_directory_listening", url=started.settings.demo_url)
    if started.people:
        log_demo_user(started.settings, started.people)


def log_demo_user(settings: Settings, people: Mapping[str, str]) -> None:
    """Say as whom the connected demo directory's user signs in, and where the password is."""
    _log.info(
        "demo_directory_connected",
        access_panel=people["access_panel_url"],
        username=people["user_name"],
        password_file=str(demo_password_file(settings).resolve()),
    )


def _greeting(started: Started) -> list[str]:
    settings, people = started.settings, started.people
    lines = ["", f"  Virtual Office     {settings.base_url}", f"    user name        {settings.admin_username}"]
    lines.append(f"    password         {_password_line(settings)}")
    if started.with_demo:
        lines += ["", f"  Demo directory     {settings.demo_url}"]
    if people:
        lines += [
            f"    Access Panel     {people['access_panel_url']}",
            f"    user name        {people['user_name']}",
            f"    password         {people['password']}",
        ]
    if changed := started.changed_address:
        lines += ["", *_changed_lines(changed)]
    return [*lines, "", f"  Data               {Path(settings.data_dir).resolve()}", "  Ctrl-C stops everything.", ""]


def _changed_lines(changed: Mapping[str, str]) -> list[str]:
    return [
        "  The address has changed. Enter the new values in every identity provider:",
        f"    Reply URL (ACS)  {changed['acs_url']}  (before: {changed['former_acs_url']})",
        f"    Entity ID        {changed['entity_id']}  (before: {changed['former_entity_id']})",
        f"    Sign-out URL     {changed['sign_out_url']}",
        f"    Metadata         {changed['metadata_url']}",
    ]


def _password_line(settings: Settings) -> str:
    if settings.admin_password:
        return "(the one in VIRTUAL_OFFICE_ADMIN_PASSWORD)"
    try:
        return password_file(settings).read_text(encoding="utf-8").strip()
    except OSError:
        return "(chosen earlier; `virtual-office administrator reset-password` makes a new one)"
