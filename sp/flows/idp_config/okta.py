"""Okta: the body of POST /api/v1/apps.

Owns Okta's names of the settings. Never holds an API token: whoever sends the request adds one.
"""

from __future__ import annotations

import json
from typing import Any

from sp.flows.idp_config.parts import NAME, Configuration, Part, ServiceFacts, base64_of, name_format_of

_WHERE = (
    "POST it to https://{your Okta domain}/api/v1/apps with the headers Authorization: SSWS {API token} and "
    "Content-Type: application/json. Then assign people, and take the application's metadata over here."
)


def configuration(facts: ServiceFacts) -> Configuration:
    text = json.dumps(_application(facts), indent=2, ensure_ascii=False) + "\n"
    return Configuration((Part("okta-application.json", _WHERE, text),))


def _application(facts: ServiceFacts) -> dict[str, Any]:
    return {
        "label": NAME,
        "signOnMode": "SAML_2_0",
        "visibility": {"autoSubmitToolbar": False, "hide": {"iOS": False, "web": False}},
        "settings": {"signOn": _sign_on(facts)},
    }


def _sign_on(facts: ServiceFacts) -> dict[str, Any]:
    """Single logout needs our signing certificate, so it is left out where there is none."""
    signing = {"spCertificate": {"x5c": [base64_of(facts.signing[0])]}} if facts.signing else {}
    return {
        "defaultRelayState": "",
        "ssoAcsUrl": facts.acs_url,
        "recipient": facts.acs_url,
        "destination": facts.acs_url,
        "audience": facts.entity_id,
        "idpIssuer": "http://www.okta.com/${org.externalKey}",
        "subjectNameIdTemplate": "${user.userName}",
        "subjectNameIdFormat": facts.name_id_format,
        "responseSigned": True,
        "assertionSigned": facts.wants_signed_assertion,
        "signatureAlgorithm": "RSA_SHA256",
        "digestAlgorithm": "SHA256",
        "honorForceAuthn": True,
        "requestCompressed": False,
        "authnContextClassRef": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "slo": {"enabled": bool(facts.signing), "issuer": facts.entity_id, "logoutUrl": facts.sign_out_url},
        **signing,
        "attributeStatements": [
            _statement(facts.attributes.first_name, "user.firstName"),
            _statement(facts.attributes.last_name, "user.lastName"),
            _statement(facts.attributes.email, "user.email"),
        ],
    }


def _statement(name: str, expression: str) -> dict[str, Any]:
    return {"type": "EXPRESSION", "name": name, "namespace": name_format_of(name), "values": [expression]}
