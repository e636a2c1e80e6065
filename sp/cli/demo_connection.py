"""Connecting the demo directory and the service provider without a browser, for `make demo`.

Owns asking the one for its values and giving them to the other. Never imports the demo directory: it is a stranger.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from sp.cli.atomic_file import write_atomically
from sp.cli.running import stop
from sp.clock import system_clock
from sp.flows import account_setup
from sp.models import SignOutBinding
from sp.saml.certificates import read_certificate
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database


def connect(settings: Settings, database: Database) -> dict[str, str]:
    """Both sides set up for each other, Britta assigned. What the demo directory said about itself.

    Her password is kept in a file, for those who start this without a terminal.
    """
    described = _ask_demo_directory(settings)
    write_atomically(demo_password_file(settings), described["password"] + "\n")
    certificate = read_certificate(Path(described["certificate_file"]).read_bytes())
    with database.writing() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
        if account is None:
            stop(f"There is no account {account_setup.SEEDED_SLUG!r} to connect the demo directory to.")
        draft = replace(
            account_setup.draft_of(session, account),
            single_sign_on=True,
            issuer=described["issuer"],
            sign_in_url=described["sign_in_url"],
            sign_out_url=described["sign_out_url"],
            sign_out_binding=SignOutBinding.REDIRECT,
            certificates=(certificate,),
        )
        saved = account_setup.save_sso_settings(
            session, settings, account, draft, saved_by="make demo", now=system_clock()
        )
    if isinstance(saved, account_setup.Invalid):
        stop(*(f"{account_setup.LABELS[name]}: {sentence}" for name, sentence in saved.errors.items()))
    return described


def demo_password_file(settings: Settings) -> Path:
    """Where the password of the demo directory's user is kept, readable by its owner only."""
    return settings.data_dir / "demo-user-password.txt"


def demo_command(settings: Settings, command: str) -> list[str]:
    """The demo directory's own command line, `serve` or `connect`, for these settings."""
    address = urlsplit(settings.demo_url)
    return [
        *(sys.executable, "-m", "sp.demo_directory", command),
        *("--host", str(address.hostname), "--port", str(address.port or 80)),
        *("--data-dir", str(settings.data_dir)),
        *("--service-acs-url", settings.acs_url, "--service-entity-id", settings.entity_id),
        *("--service-url", settings.base_url),
    ]


def _ask_demo_directory(settings: Settings) -> dict[str, str]:
    done = subprocess.run(demo_command(settings, "connect"), check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        stop("The demo directory could not be connected; the lines above say why.")
    described: dict[str, str] = json.loads(done.stdout)
    return described
