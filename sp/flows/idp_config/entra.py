"""Microsoft Entra ID: the requests to Microsoft Graph, one after the other.

Owns their order and bodies. Never holds a token. What an answer gives and a later request needs stands in braces.
"""

from __future__ import annotations

import json
from typing import Any

from sp.flows.idp_config.parts import EMAIL_FORMAT, NAME, Configuration, Part, ServiceFacts
from sp.saml.messages import AttributeNames

GRAPH = "https://graph.microsoft.com/v1.0"
NON_GALLERY_TEMPLATE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"  # "Create your own application", the same in every tenant
_NAME_ID_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
_WHERE = (
    "Send the requests in this order, for instance with `az rest` or Graph Explorer, and put what an answer gives "
    "where it stands in braces. Then assign people, and take the application's federation metadata over here."
)


def configuration(facts: ServiceFacts) -> Configuration:
    text = json.dumps({"requests": _requests(facts)}, indent=2, ensure_ascii=False) + "\n"
    return Configuration((Part("entra-requests.json", _WHERE, text),))


def _requests(facts: ServiceFacts) -> list[dict[str, Any]]:
    application, principal = (
        f"{GRAPH}/applications/{{application.id}}",
        f"{GRAPH}/servicePrincipals/{{servicePrincipal.id}}",
    )
    return [
        _request("POST", f"{GRAPH}/applicationTemplates/{NON_GALLERY_TEMPLATE}/instantiate", {"displayName": NAME}),
        _request("PATCH", principal, {"preferredSingleSignOnMode": "saml", "loginUrl": facts.start_url}),
        _request(
            "PATCH",
            application,
            {
                "identifierUris": [facts.entity_id],
                "web": {"redirectUris": [facts.acs_url], "logoutUrl": facts.sign_out_url},
            },
        ),
        _request("POST", f"{principal}/addTokenSigningCertificate", {"displayName": f"CN={NAME}"}),
        _request("PATCH", principal, {"preferredTokenSigningKeyThumbprint": "{tokenSigningCertificate.thumbprint}"}),
        *_claims(facts, principal),
    ]


def _claims(facts: ServiceFacts, principal: str) -> list[dict[str, Any]]:
    """Nothing where the account expects the names that Entra ID sends by itself."""
    if facts.attributes == AttributeNames() and facts.name_id_format == EMAIL_FORMAT:
        return []
    policy = {"definition": [json.dumps({"ClaimsMappingPolicy": _policy(facts)})], "displayName": f"{NAME} claims"}
    reference = {"@odata.id": f"{GRAPH}/policies/claimsMappingPolicies/{{claimsMappingPolicy.id}}"}
    return [
        _request("POST", f"{GRAPH}/policies/claimsMappingPolicies", policy),
        _request("POST", f"{principal}/claimsMappingPolicies/$ref", reference),
    ]


def _policy(facts: ServiceFacts) -> dict[str, Any]:
    name_id = _claim("userprincipalname", _NAME_ID_CLAIM) | {"SamlNameIdFormat": facts.name_id_format}
    return {
        "Version": 1,
        "IncludeBasicClaimSet": "true",
        "ClaimsSchema": [
            name_id,
            _claim("givenname", facts.attributes.first_name),
            _claim("surname", facts.attributes.last_name),
            _claim("mail", facts.attributes.email),
        ],
    }


def _claim(source: str, name: str) -> dict[str, str]:
    return {"Source": "user", "ID": source, "SamlClaimType": name}


def _request(method: str, url: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"method": method, "url": url, "body": body}
