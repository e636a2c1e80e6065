"""Writes deploy/keycloak/realm.json: the realm that the compose profile `keycloak` imports.

Usage: python scripts/write_realm.py          writes it
       python scripts/write_realm.py --check  says whether it is up to date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sp.flows.idp_config.keycloak import client
from sp.flows.idp_config.parts import EMAIL_FORMAT, ServiceFacts
from sp.saml.messages import AttributeNames

FILE = Path(__file__).resolve().parent.parent / "deploy" / "keycloak" / "realm.json"
_SERVICE = "http://localhost:8000"


def realm() -> str:
    """The realm as JSON. Its keys are made by Keycloak, and ours by the service: none stands here."""
    return json.dumps(_realm(), indent=2, ensure_ascii=False) + "\n"


def _realm() -> dict[str, object]:
    britta = {
        "username": "britta@contoso.com",
        "enabled": True,
        "email": "britta@contoso.com",
        "emailVerified": True,
        "firstName": "Britta",
        "lastName": "Simon",
        "credentials": [{"type": "password", "value": "Rehearse-8x8", "temporary": False}],
    }
    return {
        "realm": "contoso",
        "displayName": "Contoso",
        "enabled": True,
        "sslRequired": "external",
        "registrationAllowed": False,
        "loginWithEmailAllowed": True,
        "users": [britta],
        "clients": [client(_facts())],
    }


def _facts() -> ServiceFacts:
    """The service of docker-compose.yml, whose keys nobody knows before its first start."""
    return ServiceFacts(
        slug="business",
        entity_id=f"{_SERVICE}/saml2",
        acs_url=f"{_SERVICE}/saml2",
        sign_out_url=f"{_SERVICE}/saml2/slo",
        metadata_url=f"{_SERVICE}/saml2/metadata/business",
        start_url=f"{_SERVICE}/sso/login/",
        name_id_format=EMAIL_FORMAT,
        attributes=AttributeNames(),
        signing=(),
        encryption=(),
        signs_requests=False,
        wants_signed_assertion=True,
        wants_signed_response=False,
    )


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        stale = not FILE.exists() or FILE.read_text(encoding="utf-8") != realm()
        print("Out of date. Run scripts/write_realm.py." if stale else "Up to date.")
        return 1 if stale else 0
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(realm(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
