"""The `virtual-office` command.

Owns the words of the command line and its exit codes: 0 done, 1 refused or failed, 2 unusable arguments or settings.
Never decides: it calls the same flows as the pages.
"""

from __future__ import annotations

import typer

from sp import __version__
from sp.cli import (
    apply,
    attempts,
    certificates,
    database,
    expectations,
    healthcheck,
    idp_certificates,
    idp_config,
    idp_metadata,
    inspection,
    judging_again,
    keys,
    people,
    preflight,
    service,
    sessions,
    setup,
    tokens,
    workspaces,
)

app = typer.Typer(
    name="virtual-office",
    help="A stand-in for the 8x8 Virtual Office service provider. Not affiliated with 8x8.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(service.serve)
app.command("demo")(service.demo)
app.command("configure")(setup.configure)
app.command("preflight")(preflight.preflight)
app.add_typer(setup.account, name="account")
app.add_typer(people.administrator, name="administrator")
app.add_typer(people.user, name="user")
app.command("users")(people.users)
app.command("sign-ins")(people.sign_ins)
app.add_typer(sessions.sessions, name="sessions")
app.command("inspect")(inspection.inspect)
app.command("judge-again")(judging_again.judge_again)
app.command("compare")(attempts.compare)
app.command("share")(attempts.share)
app.command("import-metadata")(idp_metadata.import_metadata)
app.add_typer(idp_certificates.idp_certificates, name="idp-certificates")
app.add_typer(keys.keys, name="keys")
app.command("metadata")(keys.metadata)
app.command("certificates")(certificates.certificates)
app.add_typer(tokens.token, name="token")
app.add_typer(workspaces.workspace, name="workspace")
app.command("expect")(expectations.expect)
app.add_typer(database.db, name="db")
app.command("apply")(apply.apply)
app.command("export")(apply.export)
app.command("idp-config")(idp_config.idp_config)
app.command("healthcheck")(healthcheck.healthcheck)


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    app()
