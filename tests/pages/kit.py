"""Renders the kit: every component with sample data, as files that any static server can show.

Owns the sample data. Never starts the service: the frame's context is written out as templates/base.html lists it.
By hand: `python tests/pages/kit.py FOLDER`, then serve FOLDER.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sp.web.drawing import DRAWING
from sp.web.report_view import ReportRow, ReportStage, Segments

ROOT = Path(__file__).parents[2]

ACCOUNT = {"name": "Business", "slug": "business", "company_name": "Contoso"}
ALICE = {"name": "alice@contoso.com", "kind": "administrator"}
BRITTA = {"name": "Britta Simon", "kind": "user"}

CERTIFICATE = {
    "subject": "CN=Demo Directory Federated SSO Certificate",
    "issuer": "CN=Demo Directory Federated SSO Certificate",
    "key": "RSA 2048 bits",
    "fingerprint": ":".join(["8C", "1F", "A0", "44", "D2", "7B", "93", "E5"] * 4),
    "not_before": "2026-11-01 00:00:00 UTC",
    "not_after": "2029-11-01 00:00:00 UTC",
    "days_left": 1073,
}

COLUMNS = [
    {"key": "first_name", "label": "First Name", "sortable": True, "fixed": True},
    {"key": "last_name", "label": "Last Name", "sortable": True, "fixed": True},
    {"key": "email", "label": "Email Address", "sortable": True},
    {"key": "username", "label": "Username", "sortable": True, "hidden": True},
    {"key": "source", "label": "Source", "short": True},
    {"key": "last_sign_in", "label": "Last sign-in", "sortable": True},
    {"key": "status", "label": "Status"},
]


def user(first_name: str, last_name: str, status: str = "active", *, signed_in: bool = True) -> dict[str, Any]:
    email = f"{first_name}.{last_name}@contoso.com".lower()
    return {
        "first_name": first_name,
        "last_name": last_name,
        "email": email,
        "username": email,
        "source": "Just-in-time" if signed_in else "Support",
        "last_sign_in": signed_in,
        "status": status,
    }


REMEDY = "In the identity provider, set the Identifier (Entity ID) of this application to the value above."
Side = str | Segments

USERS = [user("Britta", "Simon"), user("Wolfeschlegel", "Steinhausen-Bergerdorff"), user("Ming", "Li", "disabled")]


def row(
    code: str, title: str, outcome: str = "passed", *, expected: Side = "", received: Side = "", remedy: str = REMEDY
) -> ReportRow:
    return ReportRow(
        code=code,
        title=title,
        outcome=outcome,
        clause="Profiles 4.1.4.3",
        why="A response made for another service would otherwise open this one.",
        remedy=remedy if outcome in {"failed", "warning"} else "",
        expected=expected,
        received=received,
    )


ENTITY_ID = "https://sso.8x8.com/saml2"
ISSUER = "https://sts.windows.net/0b4b9f2e-6a1f-4f3e-9f4e-1f2f0c7f5a11/"
AUDIENCE: Side = (("https://sso.8x8.com/saml", True), ("2", False))
OTHER_AUDIENCE: Side = (("https://sso.8x8.com/saml", True), (" ", False))

STAGES = [
    ReportStage(
        1,
        "transport",
        (
            row("form", "Form", received="SAMLResponse, RelayState"),
            row("size", "Size", received="6 142 bytes"),
        ),
    ),
    ReportStage(
        2,
        "document",
        (
            row("no_dtd", "No DOCTYPE"),
            row("limits", "Limits"),
        ),
    ),
    ReportStage(
        3,
        "structure",
        (
            row("schema", "Schema"),
            row("one_assertion", "One assertion"),
        ),
    ),
    ReportStage(
        4,
        "response",
        (
            row("destination", "Destination", received=ENTITY_ID, expected=ENTITY_ID),
            row("in_response_to", "In response to", "skipped", received="unsolicited"),
        ),
    ),
    ReportStage(5, "account", (row("issuer", "Issuer", received=ISSUER, expected=ISSUER),)),
    ReportStage(6, "decryption", (row("decryption", "Decryption", "skipped", received="not encrypted"),)),
    ReportStage(
        7,
        "signature",
        (
            row("signature_present", "Signature present", received="Assertion"),
            row(
                "signing_key",
                "Signing key",
                "warning",
                expected="more than 30 days left",
                received="12 days left",
                remedy="Ask the identity provider for its next certificate, and add it before this one expires.",
            ),
            row("signature", "Signature"),
        ),
    ),
    ReportStage(
        8,
        "assertion",
        (
            row("subject", "Subject", received="BrittaSimon@contoso.com "),
            row("audience", "Audience", "failed", expected=AUDIENCE, received=OTHER_AUDIENCE),
            row(
                "confirmation_expiry",
                "Confirmation not expired",
                "failed",
                expected="later than 2026-11-23T04:17:00Z",
                received="2026-11-23T04:12:31Z",
            ),
            row("conditions", "Conditions"),
        ),
    ),
    ReportStage(9, "account holder", (row("replay", "Replay", "not_reached"),)),
]

FRAME: dict[str, Any] = {
    "csrf_token": "token",
    "viewer": ALICE,
    "account": ACCOUNT,
    "active_tab": "accounts",
    "active_menu": None,
    "flash": None,
    "path": "/",
    "part": "",
    "kit_layout": "console",
    "certificate": CERTIFICATE,
    "columns": COLUMNS,
    "users": USERS,
    "stages": STAGES,
}

PAGES: dict[str, dict[str, Any]] = {
    "form": {"active_menu": "single-sign-on"},
    "saved": {
        "active_menu": "single-sign-on",
        "flash": {"title": "Success", "text": "The SAML settings have been saved."},
    },
    "users": {"active_menu": "user-profiles", "part": "users"},
    "accounts": {"part": "accounts"},
    "panel": {"part": "panel", "kit_layout": "panel", "account": None, "viewer": BRITTA},
    "card": {"part": "card", "kit_layout": "card", "account": None, "viewer": None},
    "report": {"part": "report", "kit_layout": "workbench", "active_tab": None},
}

ERROR = {
    "status": 500,
    "error_title": "Something broke on our side",
    "next_step": "Try again; the log names the cause under this reference.",
    "reference": "7f3k92qd",
}


def render(folder: Path) -> None:
    """Writes PAGES and an error page into `folder`, with the static files beside them."""
    environment = Environment(
        loader=FileSystemLoader([ROOT / "templates", Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"static": lambda path: f"/static/{path}", **DRAWING}
    shutil.copytree(ROOT / "static", folder / "static", dirs_exist_ok=True)
    for name, context in PAGES.items():
        page = environment.get_template("kit.html").render(FRAME | context)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    error = environment.get_template("errors/error.html").render(FRAME | ERROR | {"account": None, "viewer": None})
    (folder / "error.html").write_text(error, encoding="utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]))
