"""SimpleSAMLphp's configuration files, as text.

Owns the names of its options and how values are written in PHP. Never touches a file or a process.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cast import ALICE, BOB, BRITTA, CHARLIE, Person

PASSWORD = "Rehearse-IdP-1"
USERS = (BRITTA, ALICE, BOB, CHARLIE)

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

Php = str | int | bool | None | Mapping[str, "Php"] | Sequence["Php"]


@dataclass(frozen=True, slots=True)
class Behavior:
    """How the identity provider treats one service provider. None leaves it to its defaults or to our metadata.

    By default it signs the response and the assertion, encrypts nothing, checks no request and signs no sign-out.
    """

    sign_response: bool | None = None
    sign_assertion: bool | None = None
    encrypt_assertion: bool | None = None  # AES-128-CBC and RSA-OAEP, the only ones that it has
    encrypt_name_id: bool | None = None
    validate_authnrequest: bool | None = None
    sign_logout: bool | None = None
    validate_logout: bool | None = None
    name_id_format: str | None = None  # EMAIL by default
    signature_algorithm: str | None = None  # RSA-SHA256 by default
    lifetime_seconds: int | None = None  # 300 by default

    def options(self) -> dict[str, Php]:
        """Its names for what is set (simplesamlphp-reference-sp-remote)."""
        named: dict[str, Php] = {
            "saml20.sign.response": self.sign_response,
            "saml20.sign.assertion": self.sign_assertion,
            "assertion.encryption": self.encrypt_assertion,
            "nameid.encryption": self.encrypt_name_id,
            "validate.authnrequest": self.validate_authnrequest,
            "sign.logout": self.sign_logout,
            "validate.logout": self.validate_logout,
            "NameIDFormat": self.name_id_format,
            "signature.algorithm": self.signature_algorithm,
            "assertion.lifetime": self.lifetime_seconds,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the identity provider's own metadata offers and asks for."""

    sign_in_bindings: tuple[str, ...] = (REDIRECT, POST)
    sign_out_bindings: tuple[str, ...] = (REDIRECT, POST)
    wants_signed_requests: bool = False


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files of the key in use and of the key that will be, each `NAME.key` and `NAME.pem`; "" for none."""

    current: str
    upcoming: str = ""


def php(value: Php) -> str:
    """The value as PHP writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, Mapping):
        return "[" + ", ".join(f"{php(name)} => {php(item)}" for name, item in value.items()) + "]"
    return "[" + ", ".join(php(item) for item in value) + "]"


def config_php(folder: Path, base_url: str) -> str:
    """config.php: everything that it keeps is kept below `folder`."""
    options: dict[str, Php] = {
        "baseurlpath": base_url,
        **{f"{kind}dir": f"{folder}/{kind}/" for kind in ("cert", "data", "temp", "logging", "metadata")},
        "attributenamemapdir": "/usr/share/simplesamlphp/attributemap/",
        "secretsalt": "a salt for tests",
        "auth.adminpassword": PASSWORD,
        "admin.checkforupdates": False,
        "technicalcontact_email": "na@example.org",
        "timezone": "UTC",
        "trusted.url.domains": None,  # after a sign-out it returns to any of our ports
        "enable.saml20-idp": True,
        "module.enable": {"exampleauth": True, "core": True, "saml": True},
        "logging.level": 6,
        "logging.handler": "file",
        "logging.logfile": "simplesamlphp.log",
        "statistics.out": [],
        "store.type": "phpsession",
        "session.phpsession.savepath": f"{folder}/sessions",
        "session.cookie.secure": False,  # loopback is plain http
        "session.cookie.samesite": None,
        "language.cookie.secure": False,
        "metadata.sources": [{"type": "flatfile"}],
    }
    return f"<?php\n$config = {php(options)};\n"


def authsources_php() -> str:
    """authsources.php: the cast, each with an address as user name."""
    people: dict[str, Php] = {f"{person.email}:{PASSWORD}": _attributes(person) for person in USERS}
    return f"<?php\n$config = ['cast' => ['exampleauth:UserPass'] + {php(people)}];\n"


def _attributes(person: Person) -> dict[str, Php]:
    """The claims that Azure AD sends by default."""
    claims = {
        "givenname": person.first_name,
        "surname": person.last_name,
        "emailaddress": person.email,
        "name": person.email,
    }
    return {_CLAIMS + name: [value] for name, value in claims.items()}


def hosted_php(entity_id: str, certificates: Certificates, offer: Offer) -> str:
    """saml20-idp-hosted.php. The upcoming key is published beside the current one, and signs nothing yet."""
    options: dict[str, Php] = {
        "host": "__DEFAULT__",
        "privatekey": f"{certificates.current}.key",
        "certificate": f"{certificates.current}.pem",
        "auth": "cast",
        "SingleSignOnServiceBinding": offer.sign_in_bindings,
        "SingleLogoutServiceBinding": offer.sign_out_bindings,
        "NameIDFormat": [EMAIL, UNSPECIFIED, PERSISTENT, TRANSIENT],
        "authproc": [_name_id(name_format) for name_format in (EMAIL, UNSPECIFIED, PERSISTENT)],
    }
    if certificates.upcoming:
        options |= {
            "new_privatekey": f"{certificates.upcoming}.key",
            "new_certificate": f"{certificates.upcoming}.pem",
        }
    if offer.wants_signed_requests:
        options["validate.authnrequest"] = True
    return f"<?php\n$metadata[{php(entity_id)}] = {php(options)};\n"


def _name_id(name_format: str) -> dict[str, Php]:
    return {"class": "saml:AttributeNameID", "attribute": f"{_CLAIMS}emailaddress", "Format": name_format}


def service_provider_php(entity_id: str, options: Mapping[str, Php]) -> str:
    """One entry of saml20-sp-remote.php, written out."""
    return f"$metadata[{php(entity_id)}] = {php(options)};\n"


def trusted_metadata_php(entity_id: str, metadata: bytes, behavior: Behavior) -> str:
    """One entry that SimpleSAMLphp's own reader makes of a service provider's metadata."""
    xml = f"base64_decode({php(base64.b64encode(metadata).decode())})"
    read = f"\\SimpleSAML\\Metadata\\SAMLParser::parseString({xml})->getMetadata20SP()"
    return f"$metadata[{php(entity_id)}] = array_replace({read}, {php(behavior.options())});\n"


# "yes" or "no": whether the key of cert/pinned.pem signed the metadata on standard input.
VERIFY_METADATA_PHP = """\
require_once($argv[1] . '/lib/_autoload.php');
$metadata = \\SimpleSAML\\Metadata\\SAMLParser::parseString(stream_get_contents(STDIN));
echo $metadata->validateSignature(['pinned.pem']) ? 'yes' : 'no';
"""
