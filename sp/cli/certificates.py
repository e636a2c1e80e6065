"""`certificates`: what is needed to answer as https://sso.8x8.com on this machine.

Owns the option and the words about what to do next. Never changes the hosts file or a store of trusted certificates:
that is for the person to decide.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sp.cli.running import UNUSABLE, settings_in_force, stop
from sp.clock import system_clock
from sp.flows import local_authority
from sp.flows.local_authority import OTHER_NAME, Files, Kept, LocalAuthorityError


def certificates(
    host: Annotated[str, typer.Option(help="The name that the service answers to.")] = OTHER_NAME,
    out: Annotated[Path | None, typer.Option(help="The folder for the files; default: tls in the data folder.")] = None,
) -> None:
    """Make a local authority and a server certificate, for `serve --tls`; keeps those that still hold."""
    settings = settings_in_force()
    files = Files(out) if out else local_authority.default_files(settings.data_dir)
    try:
        kept = local_authority.ensure(files, host, system_clock())
    except LocalAuthorityError as error:
        stop(str(error), code=UNUSABLE)
    typer.echo("\n".join(_next_steps(kept, host, elsewhere=out is not None)))


def _next_steps(kept: Kept, host: str, *, elsewhere: bool) -> list[str]:
    files, authority = kept.files, kept.files.authority.resolve()
    said = "Made a certificate" if kept.made else "The certificate still holds"
    variables = (
        [
            f"   export VIRTUAL_OFFICE_TLS_CERTIFICATE={files.certificate.resolve()}",
            f"   export VIRTUAL_OFFICE_TLS_KEY={files.key.resolve()}",
        ]
        if elsewhere
        else []
    )
    return [
        f"{said} for {host} and localhost, valid until {kept.not_after:%Y-%m-%d}: {files.certificate}",
        "",
        "1. Trust the authority, for as long as you test. Its private key was thrown away when the certificate was",
        "   made, so it can vouch for nothing else.",
        f"   Debian, Ubuntu    sudo cp {authority} /usr/local/share/ca-certificates/virtual-office.crt",
        "                     sudo update-ca-certificates",
        f"   Fedora            sudo trust anchor {authority}",
        f"   Chromium on Linux certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n virtual-office -i {authority}",
        "   macOS             sudo security add-trusted-cert -d -r trustRoot \\",
        f"                         -k /Library/Keychains/System.keychain {authority}",
        f"   Windows           certutil -addstore Root {authority}",
        "   Firefox           Settings, Privacy & Security, View Certificates, Authorities, Import",
        "",
        "2. Send the name to this machine: one line in /etc/hosts, or on Windows in",
        r"   C:\Windows\System32\drivers\etc\hosts",
        f"   127.0.0.1 {host}",
        "",
        "3. Start the service under that name.",
        *variables,
        "   virtual-office serve --tls",
        "",
        f"Remove the line from the hosts file afterwards: until then this machine cannot reach the real {host}.",
    ]
