"""`configure` and `account`: setting accounts up without a browser.

Owns the options. Never checks a value itself: `sp.flows.account_setup` does, as for the page.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from sp.cli.running import UNUSABLE, opened_database, settings_in_force, stop
from sp.clock import system_clock
from sp.flows import account_setup
from sp.flows.account_setup import Invalid, SsoDraft
from sp.flows.realms import settings_of
from sp.models import RequestBinding, SignOutBinding
from sp.saml.certificates import IdpCertificate, read_certificate
from sp.saml.errors import CertificateError
from sp.saml.messages import Comparison, SignedPart, UserMapping
from sp.store import accounts

SAVED_BY = "command line"
_MAX_FILE = 64 * 1024 + 1  # one byte more than a certificate may have, so that the reader can say so

account = typer.Typer(help="Accounts of companies.", no_args_is_help=True)


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


AccountOption = Annotated[str, typer.Option("--account", help="The slug of the account.", show_default=True)]
CertificateFiles = Annotated[
    list[Path] | None,
    typer.Option("--certificate", help="A certificate file (PEM, DER or base64); repeat for a rollover."),
]
RequestedContexts = Annotated[
    list[str] | None,
    typer.Option("--requested-context", help="An authentication context to ask for; repeat for several, '' for none."),
]
ScopingProviders = Annotated[
    list[str] | None,
    typer.Option("--scoping-provider", help="An identity provider to choose from; repeat for several, '' for none."),
]
IssuerOption = Annotated[str | None, typer.Option("--issuer", help="The identity provider's entity ID.")]


def configure(
    account: AccountOption = account_setup.SEEDED_SLUG,
    issuer: IssuerOption = None,
    sign_in_url: Annotated[str | None, typer.Option(help="Where the identity provider signs people in.")] = None,
    sign_out_url: Annotated[str | None, typer.Option(help="Where it signs them out; may stay empty.")] = None,
    certificate: CertificateFiles = None,
    sso: Annotated[Switch | None, typer.Option(help="Switch Single Sign On with SAML on or off.")] = None,
    password_sign_in: Annotated[Switch | None, typer.Option(help="8x8 Username and Password.")] = None,
    provisioning: Annotated[Switch | None, typer.Option(help="Create users at their first sign-in.")] = None,
    unsolicited: Annotated[Switch | None, typer.Option(help="Accept sign-ins the identity provider starts.")] = None,
    user_mapping: Annotated[UserMapping | None, typer.Option(help="What the NameID is held against.")] = None,
    signed: Annotated[SignedPart | None, typer.Option(help="What must be signed.")] = None,
    allow_sha1: Annotated[bool | None, typer.Option("--allow-sha1/--no-allow-sha1", help="Accept SHA-1.")] = None,
    sign_in_binding: Annotated[RequestBinding | None, typer.Option(help="How a sign-in request travels.")] = None,
    sign_requests: Annotated[Switch | None, typer.Option(help="Sign the sign-in request.")] = None,
    force_authn: Annotated[Switch | None, typer.Option(help="Ask for a fresh sign-in.")] = None,
    is_passive: Annotated[Switch | None, typer.Option(help="Ask that no sign-in page be shown.")] = None,
    name_id_policy: Annotated[str | None, typer.Option(help="The NameID format to ask for; '' for none.")] = None,
    requested_context: RequestedContexts = None,
    context_comparison: Annotated[Comparison | None, typer.Option(help="How contexts are compared.")] = None,
    provider_name: Annotated[str | None, typer.Option(help="What the request calls this service; '' for none.")] = None,
    send_login_hint: Annotated[Switch | None, typer.Option(help="Send the typed user name along.")] = None,
    scoping_provider: ScopingProviders = None,
    proxy_count: Annotated[
        int | None, typer.Option(min=-1, help="How many proxies the request allows; -1 to say nothing.")
    ] = None,
    sign_out_binding: Annotated[SignOutBinding | None, typer.Option(help="How a sign-out travels.")] = None,
    sign_out_response_url: Annotated[
        str | None, typer.Option(help="Where answers to sign-outs go, if not to the Sign Out URL; '' for none.")
    ] = None,
    sign_out_issuer: Annotated[
        str | None, typer.Option(help="The issuer of sign-out messages, if another; '' for none.")
    ] = None,
) -> None:
    """Set SAML up for an account; what is not given stays as it is. Works while the service runs."""
    settings = settings_in_force()
    given: dict[str, Any] = {
        "issuer": issuer,
        "sign_in_url": sign_in_url,
        "sign_out_url": sign_out_url,
        "certificates": read_certificates(certificate) if certificate else None,
        "single_sign_on": _chosen(sso),
        "password_sign_in": _chosen(password_sign_in),
        "provisioning": _chosen(provisioning),
        "unsolicited": _chosen(unsolicited),
        "user_mapping": user_mapping,
        "signed_part": signed,
        "allow_sha1": allow_sha1,
        "sign_in_binding": sign_in_binding,
        "sign_requests": _chosen(sign_requests),
        "force_authn": _chosen(force_authn),
        "is_passive": _chosen(is_passive),
        "name_id_policy": name_id_policy,
        "requested_contexts": _listed(requested_context),
        "context_comparison": context_comparison,
        "provider_name": provider_name,
        "send_login_hint": _chosen(send_login_hint),
        "scoping_providers": _listed(scoping_provider),
        "proxy_count": proxy_count,
        "sign_out_binding": sign_out_binding,
        "sign_out_response_url": sign_out_response_url,
        "sign_out_issuer": sign_out_issuer,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if proxy_count is not None and proxy_count < 0:
        changes["proxy_count"] = None
    with opened_database(settings) as database, database.writing() as session:
        found = accounts.account_by_slug(session, account)
        if found is None:
            stop(f"There is no account {account!r}. `virtual-office account add` makes one.", code=UNUSABLE)
        draft = _changed(account_setup.draft_of(session, found), changes)
        saved = account_setup.save_sso_settings(session, settings, found, draft, saved_by=SAVED_BY, now=system_clock())
        settings = settings_of(session, settings, found)
    if isinstance(saved, Invalid):
        stop_with_faults(saved)
    state = "on" if draft.single_sign_on else "off"
    what = (
        f"Version {saved.version} is in force" if saved.changed else f"Nothing changed; version {saved.version} stays"
    )
    typer.echo(f"{what}: Single Sign On with SAML is {state} for {account!r}.")
    typer.echo(f"Give the identity provider: ACS (Reply URL) {settings.acs_url}, entity ID {settings.entity_id}")


@account.command("add")
def add_account(
    company: Annotated[str, typer.Option(help="The company's name.")],
    slug: Annotated[str, typer.Option(help="A short name for addresses and the command line.")],
    domain: Annotated[
        list[str] | None, typer.Option(help="An e-mail domain of the company's users; repeat for several.")
    ] = None,
) -> None:
    """Add a company with its Business account."""
    with opened_database(settings_in_force()) as database, database.writing() as session:
        added = account_setup.add_company_account(session, company, slug, system_clock(), owned=domain or ())
        if isinstance(added, Invalid):
            stop(*added.errors.values(), code=UNUSABLE)
    typer.echo(f"Added {company!r} with its account {account_setup.SEEDED_ACCOUNT!r} ({slug}).")
    if not domain:
        typer.echo(f"It creates users once it has a domain: virtual-office domain add --company {company!r} DOMAIN")
    typer.echo(f"Next: virtual-office administrator add --company {company!r} --username NAME")


def read_certificates(files: list[Path]) -> tuple[IdpCertificate, ...]:
    """The certificates in these files. A file that cannot be used ends the command and is named."""
    return tuple(_read_certificate(file) for file in files)


def stop_with_faults(invalid: Invalid) -> NoReturn:
    lines = [f"{account_setup.LABELS.get(name, name)}: {sentence}" for name, sentence in invalid.errors.items()]
    stop(*lines, code=UNUSABLE)


def _read_certificate(file: Path) -> IdpCertificate:
    try:
        with file.open("rb") as opened:
            return read_certificate(opened.read(_MAX_FILE))
    except OSError as error:
        stop(f"The certificate file {str(file)!r} cannot be read: {error.strerror}.", code=UNUSABLE)
    except CertificateError as error:
        stop(f"The certificate file {str(file)!r} cannot be used. {error}", code=UNUSABLE)


def _chosen(switch: Switch | None) -> bool | None:
    return None if switch is None else switch is Switch.ON


def _listed(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(value for value in values if value)


def _changed(draft: SsoDraft, changes: dict[str, Any]) -> SsoDraft:
    """Whoever names an issuer or a certificate wants SAML on, unless they say otherwise."""
    if "issuer" in changes or "certificates" in changes:
        changes = {"single_sign_on": True} | changes
    return replace(draft, **changes)
