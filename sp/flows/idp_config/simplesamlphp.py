"""SimpleSAMLphp: an entry of metadata/saml20-sp-remote.php.

Owns its options and how a value is written in PHP. Never writes anything but quoted texts, numbers, lists and flags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sp.flows.idp_config.parts import (
    POST,
    REDIRECT,
    Configuration,
    Part,
    ServiceFacts,
    base64_of,
    name_format_of,
)

Php = str | int | bool | Mapping[str | int, "Php"] | Sequence["Php"]
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


def configuration(facts: ServiceFacts) -> Configuration:
    text = f"<?php\n\n$metadata[{php(facts.entity_id)}] = {php(_options(facts))};\n"
    where = "Add it to metadata/saml20-sp-remote.php, without the line <?php where the file has one already."
    return Configuration((Part("saml20-sp-remote.php", where, text),))


def php(value: Php, depth: int = 0) -> str:
    """The value in PHP. In single quotes only the backslash and the quote itself mean anything, and `$` nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    inside = "    " * (depth + 1)
    if isinstance(value, Mapping):
        lines = [f"{inside}{php(name)} => {php(item, depth + 1)},\n" for name, item in value.items()]
    else:
        lines = [f"{inside}{php(item, depth + 1)},\n" for item in value]
    return "[\n" + "".join(lines) + "    " * depth + "]" if lines else "[]"


def _options(facts: ServiceFacts) -> dict[str | int, Php]:
    return {
        "AssertionConsumerService": [{"index": 0, "isDefault": True, "Binding": POST, "Location": facts.acs_url}],
        "SingleLogoutService": [{"Binding": binding, "Location": facts.sign_out_url} for binding in (REDIRECT, POST)],
        "NameIDFormat": facts.name_id_format,
        "saml20.sign.assertion": facts.wants_signed_assertion,
        "saml20.sign.response": True,
        "signature.algorithm": _RSA_SHA256,
        "validate.authnrequest": facts.signs_requests,
        "sign.logout": True,
        "validate.logout": True,
        "attributes.NameFormat": name_format_of(facts.attributes.email),
        "authproc": _filters(facts),
        "keys": [
            *(_key(one, "signing") for one in facts.signing),
            *(_key(one, "encryption") for one in facts.encryption),
        ],
    }


def _filters(facts: ServiceFacts) -> dict[str | int, Php]:
    """From the names of an LDAP directory. What version 1 calls `attribute`, version 2 calls `identifyingAttribute`."""
    name_id: dict[str | int, Php] = {
        "class": "saml:AttributeNameID",
        "attribute": "mail",
        "identifyingAttribute": "mail",
        "Format": facts.name_id_format,
    }
    names: dict[str | int, Php] = {
        "class": "core:AttributeMap",
        "givenName": facts.attributes.first_name,
        "sn": facts.attributes.last_name,
        "mail": facts.attributes.email,
    }
    return {50: name_id, 60: names}


def _key(certificate: bytes, use: str) -> dict[str | int, Php]:
    return {
        "type": "X509Certificate",
        "signing": use == "signing",
        "encryption": use == "encryption",
        "X509Certificate": base64_of(certificate),
    }
