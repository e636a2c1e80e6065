"""Keycloak: a client as JSON, for Clients → Import client, the admin API, or a realm file.

Owns Keycloak's names of the settings. Never sets up the realm around it.
"""

from __future__ import annotations

import json
from typing import Any

from sp.flows.idp_config.parts import (
    EMAIL_FORMAT,
    NAME,
    PERSISTENT_FORMAT,
    TRANSIENT_FORMAT,
    UNSPECIFIED_FORMAT,
    URI_NAMES,
    Configuration,
    Part,
    ServiceFacts,
    base64_of,
    name_format_of,
)

_FORMATS = {
    EMAIL_FORMAT: "email",
    UNSPECIFIED_FORMAT: "username",
    PERSISTENT_FORMAT: "persistent",
    TRANSIENT_FORMAT: "transient",
}
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


def configuration(facts: ServiceFacts) -> Configuration:
    text = json.dumps(client(facts), indent=2, ensure_ascii=False) + "\n"
    where = (
        "Clients → Import client → Browse, in the realm whose users sign in. Then take the realm's metadata over here."
    )
    return Configuration((Part("keycloak-client.json", where, text),))


def client(facts: ServiceFacts) -> dict[str, Any]:
    """A ClientRepresentation. Without client scopes: the default one sends every role as an attribute of its own."""
    return {
        "clientId": facts.entity_id,
        "name": NAME,
        "enabled": True,
        "protocol": "saml",
        "publicClient": True,
        "frontchannelLogout": True,
        "fullScopeAllowed": False,
        "baseUrl": facts.start_url,
        "adminUrl": facts.sign_out_url,
        "redirectUris": [facts.acs_url],
        "defaultClientScopes": [],
        "optionalClientScopes": [],
        "attributes": _attributes(facts),
        "protocolMappers": [
            _mapper("First Name", "firstName", facts.attributes.first_name),
            _mapper("Last Name", "lastName", facts.attributes.last_name),
            _mapper("Email Address", "email", facts.attributes.email),
        ],
    }


def _attributes(facts: ServiceFacts) -> dict[str, str]:
    """The options of a SAML client. The encryption certificate is there for whoever switches encryption on."""
    signing = {"saml.signing.certificate": base64_of(facts.signing[0])} if facts.signing else {}
    encryption = {"saml.encryption.certificate": base64_of(facts.encryption[0])} if facts.encryption else {}
    return {
        "saml.assertion.signature": _flag(facts.wants_signed_assertion),
        "saml.server.signature": "true",
        "saml.client.signature": _flag(facts.signs_requests),
        "saml.encrypt": "false",
        "saml.authnstatement": "true",
        "saml.onetimeuse.condition": "false",
        "saml.artifact.binding": "false",
        "saml.force.post.binding": "true",
        "saml.signature.algorithm": "RSA_SHA256",
        "saml_signature_canonicalization_method": _EXCLUSIVE,
        "saml.server.signature.keyinfo.ext": "false",
        "saml_force_name_id_format": "true",
        "saml_name_id_format": _FORMATS.get(facts.name_id_format, "username"),
        "saml_assertion_consumer_url_post": facts.acs_url,
        "saml_single_logout_service_url_post": facts.sign_out_url,
        "saml_single_logout_service_url_redirect": facts.sign_out_url,
        "saml_idp_initiated_sso_url_name": facts.identifier,
        **signing,
        **encryption,
    }


def _mapper(name: str, property_name: str, attribute: str) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": "saml",
        "protocolMapper": "saml-user-property-mapper",
        "consentRequired": False,
        "config": {
            "user.attribute": property_name,
            "friendly.name": property_name,
            "attribute.name": attribute,
            "attribute.nameformat": "URI Reference" if name_format_of(attribute) == URI_NAMES else "Basic",
        },
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"
