"""Writing a settings file: what `apply` would have to be given to make this installation's accounts again.

Owns the order and the style of the file. Never writes a password, a token or a private key, and no workspace: those
end by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any

import yaml
from sqlmodel import Session

from sp.flows import account_setup
from sp.flows.account_setup import SsoDraft
from sp.flows.settings_file import CERTIFICATE_LISTS
from sp.flows.user_profiles import profile_of
from sp.models import Account, User
from sp.store import accounts, company_listing, domains, user_listing
from sp.store.engine import Database
from sp.store.rows import required
from sp.store.user_listing import Listing, SortBy

_HEAD = "# Single Sign On settings of Virtual Office, for `virtual-office apply`.\n"


class _Block(str):
    """A text of several lines, written line by line."""

    __slots__ = ()


class _Writer(yaml.SafeDumper):
    """YAML for people: certificates as they are, lists indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)


def _write_block(writer: yaml.SafeDumper, text: _Block) -> yaml.Node:
    return writer.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_Writer.add_representer(_Block, _write_block)


def exported(database: Database, *, with_users: bool = False) -> str:
    """The settings file of the shared realm as text; `with_users` with everybody's profile."""
    with database.reading() as session:
        realm_id = required(accounts.shared_realm(session).id)
        companies = [
            {
                "name": company.name,
                "domains": domains.domains_of(session, required(company.id)),
                "accounts": [
                    _account(session, account) | _users(database, account, with_users=with_users)
                    for account in accounts.accounts_of(session, required(company.id))
                ],
            }
            for company in company_listing.companies_of(session, realm_id)
        ]
    return _HEAD + yaml.dump({"companies": companies}, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=120)


def _account(session: Session, account: Account) -> dict[str, Any]:
    return {
        "slug": account.slug,
        "name": account.name,
        "active": account.active,
        "settings": _settings(account_setup.draft_of(session, account)),
    }


def _settings(draft: SsoDraft) -> dict[str, Any]:
    return {field.name: _plain(field.name, getattr(draft, field.name)) for field in fields(SsoDraft)}


def _plain(name: str, value: Any) -> Any:
    if name in CERTIFICATE_LISTS:
        return [_Block(certificate.pem) for certificate in value]
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return str(value) if isinstance(value, str) else value  # without the class of a choice


def _users(database: Database, account: Account, *, with_users: bool) -> dict[str, Any]:
    if not with_users:
        return {}
    listing = Listing(required(account.id), sort=SortBy.USERNAME, descending=False)
    return {"users": list(_profiles(user_listing.everybody(database, listing)))}


def _profiles(users: Iterable[User]) -> Iterator[dict[str, str]]:
    for user in users:
        values = asdict(profile_of(user))
        yield {"username": values.pop("username"), **values, "status": str(user.status)}
