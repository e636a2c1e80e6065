"""authentik: a blueprint with the property mappings, the SAML provider and the application.

Owns authentik's models and their fields. Never names a secret: it signs with the certificate that it has.
"""

from __future__ import annotations

from typing import Any

import yaml

from sp.flows.idp_config.parts import (
    EMAIL_FORMAT,
    NAME,
    PERSISTENT_FORMAT,
    Configuration,
    Part,
    ServiceFacts,
    pem_of,
)

_MAPPING = "authentik_providers_saml.samlpropertymapping"
_HEAD = "# yaml-language-server: $schema=https://goauthentik.io/blueprints/schema.json\n"
_NAME_IDS = {
    EMAIL_FORMAT: "goauthentik.io/providers/saml/email",
    PERSISTENT_FORMAT: "goauthentik.io/providers/saml/uid",
}
_OTHER_NAME_ID = "goauthentik.io/providers/saml/username"


class _Tagged:
    """A value behind one of authentik's own tags."""

    def __init__(self, tag: str, value: Any) -> None:
        self.tag = tag
        self.value = value


class _Writer(yaml.SafeDumper):
    """YAML with authentik's tags."""


def _write_tagged(writer: yaml.SafeDumper, tagged: _Tagged) -> yaml.Node:
    if isinstance(tagged.value, str):
        return writer.represent_scalar(tagged.tag, tagged.value)
    return writer.represent_sequence(tagged.tag, tagged.value, flow_style=True)


_Writer.add_representer(_Tagged, _write_tagged)


def configuration(facts: ServiceFacts) -> Configuration:
    text = _HEAD + yaml.dump(_blueprint(facts), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=1000)
    where = "Customization → Blueprints → Create → Internal, or a file in the folder /blueprints/custom."
    return Configuration((Part(f"{facts.identifier}.yaml", where, text),))


def _blueprint(facts: ServiceFacts) -> dict[str, Any]:
    mappings = {
        "first-name": ("First Name", facts.attributes.first_name, 'return request.user.name.partition(" ")[0]'),
        "last-name": ("Last Name", facts.attributes.last_name, 'return request.user.name.partition(" ")[2]'),
        "email": ("Email Address", facts.attributes.email, "return request.user.email"),
    }
    return {
        "version": 1,
        "metadata": {"name": f"{NAME} ({facts.slug})"},
        "entries": [
            *(_property_mapping(facts, key, *mapping) for key, mapping in mappings.items()),
            *_verification(facts),
            _provider(facts, list(mappings)),
            _application(facts),
        ],
    }


def _property_mapping(facts: ServiceFacts, key: str, label: str, attribute: str, expression: str) -> dict[str, Any]:
    name = f"{NAME} ({facts.slug}): {label}"
    return {
        "id": key,
        "model": _MAPPING,
        "identifiers": {"name": name},
        "attrs": {"name": name, "saml_name": attribute, "friendly_name": label, "expression": expression},
    }


def _verification(facts: ServiceFacts) -> list[dict[str, Any]]:
    """Our certificate, where our requests are signed."""
    if not (facts.signs_requests and facts.signing):
        return []
    name = f"{NAME} ({facts.slug}): request signing"
    return [
        {
            "id": "verification",
            "model": "authentik_crypto.certificatekeypair",
            "identifiers": {"name": name},
            "attrs": {"name": name, "certificate_data": pem_of(facts.signing[0])},
        }
    ]


def _provider(facts: ServiceFacts, mappings: list[str]) -> dict[str, Any]:
    name_id = _NAME_IDS.get(facts.name_id_format, _OTHER_NAME_ID)
    verification = {"verification_kp": _Tagged("!KeyOf", "verification")} if facts.signs_requests else {}
    return {
        "id": "provider",
        "model": "authentik_providers_saml.samlprovider",
        "identifiers": {"name": f"{NAME} ({facts.slug})"},
        "attrs": {
            "authorization_flow": _found(
                "authentik_flows.flow", "slug", "default-provider-authorization-implicit-consent"
            ),
            "invalidation_flow": _found("authentik_flows.flow", "slug", "default-provider-invalidation-flow"),
            "acs_url": facts.acs_url,
            "audience": facts.entity_id,
            "sp_binding": "post",
            "sls_url": facts.sign_out_url,
            "sls_binding": "redirect",
            "name_id_mapping": _found(_MAPPING, "managed", name_id),
            "property_mappings": [_Tagged("!KeyOf", mapping) for mapping in mappings],
            "signing_kp": _found("authentik_crypto.certificatekeypair", "name", "authentik Self-signed Certificate"),
            "sign_assertion": True,
            "sign_response": facts.wants_signed_response,
            "signature_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
            **verification,
        },
    }


def _application(facts: ServiceFacts) -> dict[str, Any]:
    return {
        "model": "authentik_core.application",
        "identifiers": {"slug": facts.identifier},
        "attrs": {"name": NAME, "provider": _Tagged("!KeyOf", "provider")},
    }


def _found(model: str, field: str, value: str) -> _Tagged:
    return _Tagged("!Find", [model, [field, value]])
