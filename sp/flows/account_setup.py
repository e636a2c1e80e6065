"""Setting an account up: the first company, more companies, and new versions of Single Sign On settings.

Owns the rules that settings must keep. Never shows a form: the page, the command line and the tests call the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from sp.flows import domains, issuers
from sp.flows.passwords import generate_password, hash_password, password_matches
from sp.flows.realms import settings_of
from sp.models import Account, RequestBinding, SignOutBinding, SsoSettings
from sp.saml.certificates import IdpCertificate
from sp.saml.messages import AttributeNames, Comparison, SignedPart, UserMapping
from sp.settings import Settings
from sp.store import accounts, administrators
from sp.store.rows import required

SEEDED_COMPANY = "Contoso"
SEEDED_ACCOUNT = "Business"
SEEDED_SLUG = "business"
SEEDED_DOMAINS = ("contoso.com", "contoso.example")
MAX_CERTIFICATES = 8
MAX_RETIRED = 16
MAX_CHOICES = 16  # of authentication contexts, or of identity providers to choose from
MAX_PROXY_COUNT = 10
_URI_CHARACTERS = 256

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f\x7f-\x9f]+\Z")
_NOT_IN_URLS = re.compile(r"[\s\x00-\x20\x7f\"<>\\^`{|}]")  # RFC 3986, 2; a browser reads a backslash as a slash
_SCRIPT_SCHEMES = ("javascript:", "data:", "vbscript:")


@dataclass(frozen=True, slots=True)
class SsoDraft:
    """What somebody wants the settings to be, before anything is checked. Texts are as typed."""

    password_sign_in: bool = True
    single_sign_on: bool = False
    sign_in_url: str = ""
    sign_out_url: str = ""
    issuer: str = ""
    certificates: tuple[IdpCertificate, ...] = ()
    user_mapping: str = UserMapping.USERNAME
    provisioning: bool = True
    unsolicited: bool = True
    signed_part: str = SignedPart.EITHER
    allow_sha1: bool = False
    accept_transient: bool = False
    first_name_attribute: str = AttributeNames().first_name
    last_name_attribute: str = AttributeNames().last_name
    email_attribute: str = AttributeNames().email
    retired_certificates: tuple[IdpCertificate, ...] = ()
    refuse_unsigned_cbc: bool = False
    sign_in_binding: str = RequestBinding.REDIRECT
    sign_requests: bool = False
    force_authn: bool = False
    is_passive: bool = False
    name_id_policy: str = ""
    requested_contexts: tuple[str, ...] = ()
    context_comparison: str = Comparison.EXACT
    provider_name: str = ""
    send_login_hint: bool = False
    scoping_providers: tuple[str, ...] = ()
    proxy_count: int | None = None
    sign_out_binding: str = SignOutBinding.PLAIN
    sign_out_response_url: str = ""
    sign_out_issuer: str = ""


# The labels of the form, for the list of what a version changed and for the command line's errors.
LABELS: Mapping[str, str] = {
    "password_sign_in": "8x8 Username and Password",
    "single_sign_on": "Single Sign On",
    "sign_in_url": "Sign In URL",
    "sign_out_url": "Sign Out URL",
    "issuer": "Issuer URL",
    "certificates": "Identity Provider Certificate",
    "user_mapping": "User Mapping Field",
    "provisioning": "Just-in-time provisioning",
    "unsolicited": "Sign-in started by the identity provider",
    "signed_part": "What must be signed",
    "allow_sha1": "Allow SHA-1 signatures",
    "accept_transient": "Accept transient name identifiers",
    "first_name_attribute": "Attribute for First Name",
    "last_name_attribute": "Attribute for Last Name",
    "email_attribute": "Attribute for Email Address",
    "retired_certificates": "Retired certificates",
    "refuse_unsigned_cbc": "Refuse AES-CBC outside a signed Response",
    "sign_in_binding": "Sign-in request binding",
    "sign_requests": "Sign the sign-in request",
    "force_authn": "Ask for a fresh sign-in (ForceAuthn)",
    "is_passive": "Never show a sign-in page (IsPassive)",
    "name_id_policy": "Requested NameID format",
    "requested_contexts": "Requested authentication contexts",
    "context_comparison": "Comparison of authentication contexts",
    "provider_name": "Provider name",
    "send_login_hint": "Send the user name along (login_hint)",
    "scoping_providers": "Identity providers to choose from (Scoping)",
    "proxy_count": "Allowed number of proxies (Scoping)",
    "sign_out_binding": "Sign-out method",
    "sign_out_response_url": "Sign Out Response URL",
    "sign_out_issuer": "Issuer of sign-out messages",
}


_CERTIFICATES = ("certificates", "retired_certificates")
_LISTS = ("requested_contexts", "scoping_providers")
_STORED = tuple(field.name for field in fields(SsoDraft) if field.name not in _CERTIFICATES)


@dataclass(frozen=True, slots=True)
class Saved:
    """A new version is in force, or, when nothing was different, the old one stays."""

    version: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Invalid:
    """Nothing was saved. One sentence for each field that is wrong."""

    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Nothing was saved: since the form was made, these versions changed fields that it would overwrite."""

    versions: Sequence[SsoSettings]


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the first start made. `password` is there only when it was generated just now."""

    username: str
    password: str | None


def seed(session: Session, settings: Settings, now: datetime) -> Seeded:
    """Make the realm, Contoso, its Business account and its administrator where they are missing.

    A password in the settings wins over the stored one at every start.
    """
    realm = accounts.shared_realm(session)
    company = accounts.company_named(session, SEEDED_COMPANY)
    if company is None:
        company = accounts.add_company(session, realm, SEEDED_COMPANY, now)
        accounts.add_account(session, company, SEEDED_ACCOUNT, SEEDED_SLUG, now)
        for domain in SEEDED_DOMAINS:
            domains.add_domain(session, company, domain, now)
    chosen = settings.admin_password.get_secret_value() if settings.admin_password else None
    administrator = administrators.administrator_named(session, settings.admin_username)
    if administrator is None:
        password = chosen or generate_password()
        administrators.add_administrator(session, company, settings.admin_username, hash_password(password), now)
        return Seeded(settings.admin_username, None if chosen else password)
    if chosen and not password_matches(administrator.password_hash, chosen):
        administrators.set_password(session, administrator, hash_password(chosen))
    return Seeded(settings.admin_username, None)


def add_company_account(
    session: Session, name: str, slug: str, now: datetime, *, owned: Sequence[str] = ()
) -> Account | Invalid:
    """A company that owns these domains, with its Business account. On Invalid the session has to be rolled back."""
    errors: dict[str, str] = {}
    if not name.strip() or len(name) > 256:
        errors["company"] = "The company needs a name of at most 256 characters."
    elif accounts.company_named(session, name.strip()):
        errors["company"] = f"There is a company named {name.strip()!r} already."
    if not _SLUG.match(slug):
        errors["slug"] = "The slug takes lower-case letters, digits and hyphens, at most 64, such as 'fabrikam'."
    elif accounts.account_by_slug(session, slug):
        errors["slug"] = f"There is an account with the slug {slug!r} already."
    if errors:
        return Invalid(errors)
    company = accounts.add_company(session, accounts.shared_realm(session), name.strip(), now)
    for domain in owned:
        added = domains.add_domain(session, company, domain, now)
        if isinstance(added, domains.RefusedDomain):
            return Invalid({"domain": domains.domain_sentence(added)})
    return accounts.add_account(session, company, SEEDED_ACCOUNT, slug, now)


def draft_of(session: Session, account: Account) -> SsoDraft:
    """The settings in force, as something to change and save."""
    settings = accounts.settings_in_force(session, account)
    known = accounts.certificates_of(session, required(settings.id))
    return SsoDraft(
        **{name: _unlisted(getattr(settings, name)) for name in _STORED},
        certificates=known.trusted,
        retired_certificates=known.retired,
    )


def save_sso_settings(
    session: Session,
    settings: Settings,
    account: Account,
    draft: SsoDraft,
    *,
    saved_by: str,
    now: datetime,
    choosing_method: bool = False,
) -> Saved | Invalid:
    """Check the draft and put it in force as a new version. A refusal is to be committed too: it stores conflicts.

    While an administrator is `choosing_method` (step one of the page), SAML may be ticked before its form is filled
    in; it stays off until Issuer URL and certificate are there.
    """
    accounts.lock_settings(session, account)
    draft = _trimmed(draft)
    errors = sso_faults(session, settings, account, draft, choosing_method=choosing_method)
    if errors:
        issuers.record_conflicts(session, account, _refused_issuers(draft, errors), now)
        return Invalid(errors)
    before = draft_of(session, account)
    changes = changes_between(before, draft)
    if not changes:
        return Saved(accounts.settings_in_force(session, account).version, changed=False)
    values = {name: _listed(getattr(draft, name)) for name in _STORED}
    version = SsoSettings(**values, saved_at=now, saved_by=saved_by, changes=changes)
    saved = accounts.save_settings(session, account, version, draft.certificates, draft.retired_certificates)
    return Saved(saved.version, changed=True)


def _refused_issuers(draft: SsoDraft, errors: Mapping[str, str]) -> dict[str, str]:
    """The issuers that were refused although they are well formed, by setting. PostgreSQL takes no NUL in a text."""
    refused = {name: getattr(draft, name) for name in issuers.SETTINGS if name in errors}
    return {name: issuer for name, issuer in refused.items() if issuer_fault(issuer) is None}


def change_sso_settings(
    session: Session,
    settings: Settings,
    account: Account,
    changes: Mapping[str, Any],
    *,
    based_on: int,
    saved_by: str,
    now: datetime,
    choosing_method: bool = False,
) -> Saved | Invalid | Overtaken:
    """Put the `changes`, by the names of SsoDraft, on top of the settings in force, as a new version.

    `based_on` is the version that the form was made from: what somebody else saved into the same fields meanwhile
    is reported instead of overwritten; other fields keep what the other one saved.
    """
    accounts.lock_settings(session, account)
    overtaking = [
        version
        for version in accounts.versions_after(session, required(account.id), based_on)
        if any(change["field"] in changes for change in version.changes)
    ]
    if overtaking:
        return Overtaken(overtaking)
    draft = replace(draft_of(session, account), **changes)
    return save_sso_settings(
        session, settings, account, draft, saved_by=saved_by, now=now, choosing_method=choosing_method
    )


def sso_faults(
    session: Session, settings: Settings, account: Account, draft: SsoDraft, *, choosing_method: bool = False
) -> dict[str, str]:
    """What is wrong with the draft, one sentence for each field, in the form's order; empty when it can be saved."""
    errors = _faults(session, settings, account, _trimmed(draft))
    missing = missing_for_saml(draft) if draft.single_sign_on and not choosing_method else {}
    found = missing | errors
    return {name: found[name] for name in LABELS if name in found}


def is_slug(text: str) -> bool:
    """Whether an account could have this slug at all."""
    return bool(_SLUG.match(text))


def url_fault(value: str) -> str | None:
    """Why a text is no absolute http(s) URL without credentials or fragment, as one sentence, or None."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return f"This is not a URL: {value!r}."
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "Enter a whole URL that begins with https:// or http://."
    if _NOT_IN_URLS.search(value) or len(value) > 2048:
        return "A URL has no white space, quotes, braces or backslashes, and at most 2048 characters."
    if parts.username is not None or parts.password is not None:
        return "Leave the user name and password out of the URL."
    return "Leave out the part from # on." if "#" in value else None


def issuer_fault(value: str) -> str | None:
    """Why a text cannot be an entity ID (Core 8.3.6), as one sentence, or None."""
    if len(value) > 1024:
        return f"An Issuer URL has at most 1024 characters; this one has {len(value)}."
    if not _URI.match(value):
        return "Enter the identity provider's entity ID, a URI such as https://sts.windows.net/<tenant-id>/."
    if value.lower().startswith(_SCRIPT_SCHEMES):
        return "A script or data address cannot be an issuer."
    return None


def _trimmed(draft: SsoDraft) -> SsoDraft:
    """Copying from a web page often brings white space along; none of these values can begin or end with it."""
    values = {field.name: getattr(draft, field.name) for field in fields(SsoDraft)}
    trimmed: dict[str, Any] = {name: value.strip() for name, value in values.items() if isinstance(value, str)}
    for name in _LISTS:
        trimmed[name] = tuple(dict.fromkeys(text.strip() for text in values[name] if text.strip()))
    return replace(draft, **trimmed)


def _listed(value: object) -> Any:
    """As the database keeps it: JSON has lists and no tuples."""
    return list(value) if isinstance(value, tuple) else value


def _unlisted(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _faults(session: Session, settings: Settings, account: Account, draft: SsoDraft) -> dict[str, str]:
    found = {
        "single_sign_on": _method_fault(draft),
        "sign_in_url": url_fault(draft.sign_in_url) if draft.sign_in_url else None,
        "sign_out_url": url_fault(draft.sign_out_url) if draft.sign_out_url else None,
        "issuer": _issuer_fault(session, settings, account, draft),
        "certificates": _certificates_fault(draft.certificates),
        "retired_certificates": _retired_fault(draft),
        "user_mapping": _choice_fault(draft.user_mapping, tuple(UserMapping)),
        "signed_part": _choice_fault(draft.signed_part, tuple(SignedPart)),
        **_request_faults(draft),
        **_sign_out_faults(draft),
        "sign_out_issuer": _sign_out_issuer_fault(session, settings, account, draft),
    }
    found |= {name: _attribute_fault(getattr(draft, name)) for name in LABELS if name.endswith("_attribute")}
    return {name: fault for name, fault in found.items() if fault}


def _request_faults(draft: SsoDraft) -> dict[str, str | None]:
    """The options of a sign-in that is begun here (Core 3.4.1)."""
    contexts = (_uri_fault(context, "an authentication context") for context in draft.requested_contexts)
    providers = (issuer_fault(provider) for provider in draft.scoping_providers)
    counts = draft.proxy_count is None or 0 <= draft.proxy_count <= MAX_PROXY_COUNT
    return {
        "sign_in_binding": _choice_fault(draft.sign_in_binding, tuple(RequestBinding)),
        "name_id_policy": _uri_fault(draft.name_id_policy, "a NameID format") if draft.name_id_policy else None,
        "requested_contexts": _many_fault(draft.requested_contexts) or next(filter(None, contexts), None),
        "context_comparison": _choice_fault(draft.context_comparison, tuple(Comparison)),
        "provider_name": _text_fault(draft.provider_name),
        "scoping_providers": _many_fault(draft.scoping_providers) or next(filter(None, providers), None),
        "proxy_count": None if counts else f"Enter a number from 0 to {MAX_PROXY_COUNT}, or nothing.",
    }


def _sign_out_faults(draft: SsoDraft) -> dict[str, str | None]:
    needs_url = draft.sign_out_binding != SignOutBinding.PLAIN and not draft.sign_out_url
    choice = _choice_fault(draft.sign_out_binding, tuple(SignOutBinding))
    missing = "A sign-out message needs the Sign Out URL to be sent to." if needs_url else None
    return {
        "sign_out_binding": choice or missing,
        "sign_out_response_url": url_fault(draft.sign_out_response_url) if draft.sign_out_response_url else None,
    }


def _sign_out_issuer_fault(session: Session, settings: Settings, account: Account, draft: SsoDraft) -> str | None:
    """The name picks the account whose keys are tried, so that it belongs to one account, as an issuer does."""
    name = draft.sign_out_issuer
    if not name:
        return None
    if fault := issuer_fault(name):
        return fault
    if name in _own_addresses(session, settings, account):
        return "This is this service's own address. Enter the identity provider's other name."
    return issuers.issuer_refusal(session, account, name)


def _own_addresses(session: Session, settings: Settings, account: Account) -> set[str]:
    own = settings_of(session, settings, account)
    return {own.entity_id, own.acs_url}


def _uri_fault(value: str, what: str) -> str | None:
    """Why a text cannot name something that the standard names by a URI, or None."""
    if _URI.match(value) and len(value) <= _URI_CHARACTERS:
        return None
    return f"This is not the URI of {what}: {value[:80]!r}."


def _many_fault(values: Sequence[str]) -> str | None:
    return None if len(values) <= MAX_CHOICES else f"Enter at most {MAX_CHOICES}."


def _text_fault(value: str) -> str | None:
    return None if value.isprintable() and len(value) <= 256 else "Enter at most 256 characters in one line."


def _retired_fault(draft: SsoDraft) -> str | None:
    """One certificate is either trusted or not, and only so many of the past are of interest."""
    if len(draft.retired_certificates) > MAX_RETIRED:
        return f"An account keeps at most {MAX_RETIRED} retired certificates. Remove one first."
    both = set(draft.certificates) & set(draft.retired_certificates)
    return "A retired certificate is among the trusted ones. Bring it back first." if both else None


def _method_fault(draft: SsoDraft) -> str | None:
    return None if draft.password_sign_in or draft.single_sign_on else "Choose at least one authentication method."


def _issuer_fault(session: Session, settings: Settings, account: Account, draft: SsoDraft) -> str | None:
    if not draft.issuer:
        return None
    fault = issuer_fault(draft.issuer)
    if fault:
        return fault
    if draft.issuer in _own_addresses(session, settings, account):
        return "This is this service's own address. Enter the Issuer URL of the identity provider."
    return issuers.issuer_refusal(session, account, draft.issuer)


def _certificates_fault(certificates: Sequence[IdpCertificate]) -> str | None:
    if len(certificates) > MAX_CERTIFICATES:
        return f"An account takes at most {MAX_CERTIFICATES} certificates; this would make {len(certificates)}."
    return None


def _choice_fault(value: str, choices: tuple[str, ...]) -> str | None:
    return None if value in choices else f"Choose one of: {', '.join(choices)}."


def _attribute_fault(value: str) -> str | None:
    if not value or len(value) > 1024:
        return "Enter the exact Name of the attribute, at most 1024 characters."
    return None if value.isprintable() else "The Name of an attribute has no line breaks or control characters."


def missing_for_saml(draft: SsoDraft) -> dict[str, str]:
    """What SAML still lacks before it can be switched on."""
    missing = {}
    if not draft.issuer.strip():
        missing["issuer"] = "SAML needs the Issuer URL: it tells which responses belong to this account."
    if not draft.certificates:
        missing["certificates"] = "SAML needs the identity provider's certificate: without it nothing can be verified."
    return missing


def changes_between(before: SsoDraft, after: SsoDraft) -> list[dict[str, str]]:
    pairs = ((name, _shown(before, name), _shown(after, name)) for name in LABELS)
    return [{"field": name, "before": old, "after": new} for name, old, new in pairs if old != new]


def _shown(draft: SsoDraft, name: str) -> str:
    value = getattr(draft, name)
    if name in _CERTIFICATES:
        return ", ".join(certificate.sha256 for certificate in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)
