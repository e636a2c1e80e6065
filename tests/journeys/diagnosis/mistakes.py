"""The mistakes, by the place where they are made. Never runs them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from browser import Browser
from cast import ACS_URL, BRITTA, CHARLIE, ENTITY_ID, NOW
from httpx2 import Response
from journeys.diagnosis.mistake import (
    ENTRA,
    ENTRA_SIGN_IN,
    FORM,
    TENANT,
    Mistake,
    Scene,
    email,
    post,
    post_value,
)
from lxml import etree
from responses import Idp, all_of, instant, one, post_field, with_attribute, with_child, without
from saml.one_flaw import AUTHN, CONDITIONS, DATA, NAME_ID, encrypted

from sp.flows import account_setup
from sp.models import UserStatus
from sp.saml import names
from sp.saml.messages import SignedPart, UserMapping

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

OTHER_TENANT = "11111111-2222-4333-8444-555555555555"
REAL_SERVICE = "https://sso.8x8.com/saml2"

OKTA = Idp("http://www.okta.com/exk1fxpgf9lHj7pQ00h8", "okta")
KEYCLOAK = Idp("https://login.contoso.example/realms/contoso", "keycloak")
ADFS = Idp("http://adfs.contoso.example/adfs/services/trust", "adfs")
SIMPLESAML = Idp("https://idp.contoso.example/saml2/idp/metadata.php", "simplesamlphp")
GOOGLE = Idp("https://accounts.google.com/o/saml2?idpid=C01abcdef", "google")

IDENTIFIER = "Basic SAML Configuration → Identifier (Entity ID)"
REPLY_URL = "Basic SAML Configuration → Reply URL"
HERE_ISSUER = 'Accounts → Single Sign On → "Issuer URL"'
HERE_CERTIFICATE = 'Accounts → Single Sign On → "Identity Provider Certificate"'
HERE_OPTIONS = "Accounts → Single Sign On → Options of this stand-in"


def received(audience: str) -> tuple[str, str]:
    return f'The audience is "{audience}"', f'this service\'s entity ID is "{ENTITY_ID}"'


# The names of the service, as the identity provider has them.

NAMES = (
    Mistake(
        "audience-slash",
        "the Identifier ends in a slash",
        "audience",
        (*received(f"{ENTITY_ID}/"), "they differ only in the slash at the end"),
        (IDENTIFIER, "Give these to the identity provider"),
        response={"audience": f"{ENTITY_ID}/"},
    ),
    Mistake(
        "audience-scheme",
        "the Identifier begins with https",
        "audience",
        (*received("https://localhost:8000/saml2"), "they differ only in the scheme (http or https)"),
        (IDENTIFIER,),
        response={"audience": "https://localhost:8000/saml2"},
    ),
    Mistake(
        "audience-host",
        "the Identifier has 127.0.0.1 for localhost",
        "audience",
        (*received("http://127.0.0.1:8000/saml2"), "they differ only in the host"),
        (IDENTIFIER,),
        response={"audience": "http://127.0.0.1:8000/saml2"},
    ),
    Mistake(
        "audience-port",
        "the Identifier lacks the port",
        "audience",
        (*received("http://localhost/saml2"), "they differ only in the port"),
        (IDENTIFIER,),
        response={"audience": "http://localhost/saml2"},
    ),
    Mistake(
        "audience-case",
        "the Identifier is in capitals",
        "audience",
        (*received("http://localhost:8000/SAML2"), "they differ only in upper and lower case"),
        ("Clients → your client → Settings → Client ID",),
        response={"audience": "http://localhost:8000/SAML2"},
        idp=KEYCLOAK,
    ),
    Mistake(
        "audience-of-the-tutorial",
        "the Identifier is the real service's, as in the tutorial",
        "audience",
        received(REAL_SERVICE),
        (IDENTIFIER, "Give these to the identity provider"),
        response={"audience": REAL_SERVICE},
    ),
    Mistake(
        "audience-spn",
        "the Identifier was left empty, so Entra ID sends the application's number",
        "audience",
        received("spn:6731de76-14a6-49ae-97bc-6eba6914391e"),
        (IDENTIFIER,),
        response={"audience": "spn:6731de76-14a6-49ae-97bc-6eba6914391e"},
    ),
    Mistake(
        "audience-is-the-acs-url",
        "the ACS URL was entered as Audience URI too",
        "audience",
        (
            f'The audience is "{ACS_URL}"',
            'this service\'s entity ID is "urn:8x8:virtual-office"',
            "is this service's ACS URL",
        ),
        ("Applications → Applications → your app → General → SAML Settings → Audience URI (SP Entity ID)",),
        response={"audience": ACS_URL},
        service={"entity_id": "urn:8x8:virtual-office"},
        idp=OKTA,
    ),
    Mistake(
        "entity-id-at-simplesamlphp",
        "SimpleSAMLphp knows the service by another entity ID, which it writes into the NameID too",
        "subject",
        received("https://sso.contoso.example/saml2"),
        ("index of this service's entry", "`metadata/saml20-sp-remote.php`", "Give these to the identity provider"),
        also=("audience",),
        response={
            "audience": "https://sso.contoso.example/saml2",
            "mutate": with_attribute(NAME_ID, "SPNameQualifier", "https://sso.contoso.example/saml2"),
        },
        idp=SIMPLESAML,
    ),
    Mistake(
        "no-audience",
        "the assertion has no audience at all",
        "audience",
        ("There is no AudienceRestriction", f'this service\'s entity ID is "{ENTITY_ID}"'),
        ("`metadata/saml20-sp-remote.php`", "Accounts → Single Sign On"),
        response={"mutate": without(".//saml:AudienceRestriction")},
        idp=SIMPLESAML,
    ),
    Mistake(
        "recipient-is-the-entity-id",
        "the entity ID was entered as Reply URL",
        "destination",
        (
            'The destination is "urn:8x8:virtual-office"',
            f'this service\'s ACS URL is "{ACS_URL}"',
            "is this service's entity ID",
        ),
        ("Apps → Web and mobile apps → your app → Service provider details → ACS URL",),
        also=("recipient",),
        response={
            "audience": "urn:8x8:virtual-office",
            "recipient": "urn:8x8:virtual-office",
            "destination": "urn:8x8:virtual-office",
        },
        service={"entity_id": "urn:8x8:virtual-office"},
        idp=GOOGLE,
    ),
    Mistake(
        "recipient-only",
        "the Recipient was set by hand, to the entity ID",
        "recipient",
        (
            'The recipient is "urn:8x8:virtual-office"',
            f'this service\'s ACS URL is "{ACS_URL}"',
            "is this service's entity ID",
        ),
        ("Single sign-on URL", "Use this for Recipient URL and Destination URL"),
        response={"audience": "urn:8x8:virtual-office", "recipient": "urn:8x8:virtual-office"},
        service={"entity_id": "urn:8x8:virtual-office"},
        idp=OKTA,
    ),
    Mistake(
        "reply-url-of-production",
        "the Reply URL is the real service's",
        "destination",
        (f'The destination is "{REAL_SERVICE}"', f'this service\'s ACS URL is "{ACS_URL}"'),
        (REPLY_URL, "Give these to the identity provider"),
        also=("recipient",),
        response={"recipient": REAL_SERVICE, "destination": REAL_SERVICE},
    ),
    Mistake(
        "reply-url-https",
        "the Reply URL begins with https, and a proxy speaks http to the service",
        "destination",
        (
            'The destination is "https://localhost:8000/saml2"',
            f'this service\'s ACS URL is "{ACS_URL}"',
            "they differ only in the scheme (http or https)",
        ),
        (REPLY_URL,),
        also=("recipient",),
        response={"recipient": "https://localhost:8000/saml2", "destination": "https://localhost:8000/saml2"},
    ),
    Mistake(
        "reply-url-slash",
        "the Trusted URL ends in a slash",
        "destination",
        (f'The destination is "{ACS_URL}/"', "they differ only in the slash at the end"),
        ("AD FS Management → Relying Party Trusts → your trust → Properties → Endpoints",),
        also=("recipient",),
        response={"recipient": f"{ACS_URL}/", "destination": f"{ACS_URL}/"},
        idp=ADFS,
    ),
)

# Clocks and delays.

CLOCKS = (
    Mistake(
        "clock-ahead",
        "the identity provider's clock is twelve minutes ahead",
        "response_issue_instant",
        ("2030-01-31T12:12:00Z", "2030-01-31T12:00:00Z", "the identity provider's clock is 12 minutes ahead"),
        ("Keycloak host by NTP", "Clients → your client"),
        also=("assertion_issue_instant", "not_before", "authn_statement"),
        response={"now": NOW + 12 * MINUTE},
        idp=KEYCLOAK,
    ),
    Mistake(
        "clock-behind",
        "the identity provider's clock is 47 minutes behind",
        "response_issue_instant",
        ("2030-01-31T11:13:00Z", "not older than 10 minutes at 2030-01-31T12:00:00Z", "it is 47 minutes old"),
        ("AD FS server", "w32tm /resync"),
        also=("assertion_issue_instant", "confirmation_expiry", "not_on_or_after"),
        response={"now": NOW - 47 * MINUTE},
        idp=ADFS,
    ),
    Mistake(
        "local-time",
        "local time is written as if it were UTC",
        "response_issue_instant",
        ("2030-01-31T14:00:00Z", "2030-01-31T12:00:00Z", "2 hours ahead", "looks like local time written as UTC"),
        ("SimpleSAMLphp host by NTP",),
        also=("assertion_issue_instant", "not_before", "authn_statement"),
        response={"now": NOW + 2 * HOUR},
        idp=SIMPLESAML,
    ),
    Mistake(
        "slow-user",
        "the user left the identity provider's page open for nine minutes before going on",
        "confirmation_expiry",
        ("2030-01-31T11:56:00Z", "later than 2030-01-31T12:00:00Z", "4 minutes too late"),
        ("sign in again from My Apps → 8x8 Virtual Office",),
        also=("not_on_or_after",),
        response={"now": NOW - 9 * MINUTE, "lifetime": 5 * MINUTE},
    ),
    Mistake(
        "for-ten-years",
        "assertions are valid for ten years",
        "validity_window",
        ("expected at most 24 hours", "3650 days"),
        ("Assertion Lifespan", "Clients → your client"),
        response={"lifetime": timedelta(days=3650)},
        idp=KEYCLOAK,
    ),
    Mistake(
        "session-over",
        "the identity provider answers from a session that has ended",
        "session_expiry",
        ("2030-01-31T11:30:00Z", "later than 2030-01-31T12:00:00Z", "30 minutes too late"),
        ("→",),
        response={"mutate": with_attribute(AUTHN, "SessionNotOnOrAfter", instant(NOW - 30 * MINUTE))},
    ),
)

# Certificates and signatures.


def read_metadata(scene: Scene) -> None:
    """As an identity provider does, for which the account's encryption key is made."""
    Browser(scene.app).open("/saml2/metadata/business")


def pretty(xml: bytes) -> bytes:
    parsed = etree.fromstring(xml)
    etree.indent(parsed)
    return etree.tostring(parsed)


CERTIFICATES = (
    Mistake(
        "certificate-rolled-over",
        "the identity provider has renewed its certificate",
        "signing_key",
        (
            ENTRA.certificate.fingerprint,
            ENTRA.with_key("entra-2030").certificate.fingerprint,
            "the name is the same and the key another, as after a change of certificates",
        ),
        ("SAML Certificates → Certificate (Base64)", "Active", HERE_CERTIFICATE),
        signer=ENTRA.with_key("entra-2030"),
    ),
    Mistake(
        "certificate-of-another-application",
        "the certificate of the neighboring application was downloaded, which has the same name",
        "signing_key",
        (
            ENTRA.with_key("entra-neighbor").certificate.fingerprint,
            ENTRA.certificate.fingerprint,
            "or when it is the certificate of another application",
        ),
        ("Enterprise applications → 8x8 Virtual Office", HERE_CERTIFICATE),
        account={"certificates": (ENTRA.with_key("entra-neighbor").certificate,)},
    ),
    Mistake(
        "certificate-of-another-tenant",
        "the certificate of the test tenant was uploaded",
        "signing_key",
        (OKTA.certificate.fingerprint, KEYCLOAK.certificate.fingerprint, "CN=https://login.contoso.example"),
        ("Realm settings → Keys", HERE_CERTIFICATE),
        account={"certificates": (OKTA.certificate,)},
        idp=KEYCLOAK,
    ),
    Mistake(
        "no-key-info",
        "another key signs, and the message does not say which",
        "signing_key",
        (ADFS.certificate.fingerprint, "another key, and no certificate in KeyInfo"),
        ("AD FS Management → Service → Certificates → Token-signing", HERE_CERTIFICATE),
        response={"key_info": ()},
        idp=ADFS,
        signer=ADFS.with_key("adfs-2030"),
    ),
    Mistake(
        "no-certificate",
        "Single Sign On was ticked, and the certificate was never uploaded",
        "sso_enabled",
        ("The account takes no SAML sign-ins", "expected Single Sign On", "has no Identity Provider Certificate"),
        ('Accounts → Single Sign On, where "Issuer URL" and "Identity Provider Certificate" belong to it',),
        also=("signing_key",),
        account={"certificates": (), "choosing_method": True},
    ),
    Mistake(
        "sha-1",
        "the relying party trust signs with SHA-1",
        "signature_algorithms",
        ("rsa-sha1", "expected RSA, RSA-PSS or ECDSA with SHA-256"),
        ("Properties → Advanced → Secure hash algorithm", f'{HERE_OPTIONS} → "Allow SHA-1 signatures"'),
        response={"method": names.RSA_SHA1, "digest": names.SHA1},
        idp=ADFS,
    ),
    Mistake(
        "unsigned",
        "nothing is signed",
        "signature_present",
        ("A signature is missing", "expected a signature of the Assertion or Response", "received no signature"),
        ("Signature and Encryption → Sign assertions", "What must be signed"),
        response={"signed": None},
        idp=KEYCLOAK,
    ),
    Mistake(
        "only-the-response-is-signed",
        "the response is signed, and the account wants the assertion signed",
        "signature_present",
        ("expected a signature of the Assertion", "received one of the Response only"),
        ("Token signing certificate → Edit → Signing Option", "What must be signed"),
        response={"signed": "response"},
        account={"signed_part": SignedPart.ASSERTION},
    ),
    Mistake(
        "pretty-printed",
        "a proxy pretty-printed the message after it was signed",
        "signature",
        ("The signature does not verify", "was changed after it was signed", "a SignatureValue that does not verify"),
        ("pretty-printing", "Accounts → Single Sign On → Sign-in log"),
        response={"tamper": pretty},
    ),
    Mistake(
        "inclusive-canonicalization",
        "the client canonicalizes inclusively",
        "signature_structure",
        ('expected "http://www.w3.org/2001/10/xml-exc-c14n#"', "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        ("Signature and Encryption → Canonicalization method",),
        response={
            "shape": with_attribute(
                ".//ds:CanonicalizationMethod", "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
            )
        },
        idp=KEYCLOAK,
    ),
    Mistake(
        "encrypted",
        "the assertion is encrypted for the certificate of another service",
        "decryption",
        (
            "The assertion is encrypted and cannot be opened",
            "expected an EncryptedAssertion for the key of the certificate SHA-256",
            "received one that does not open with it",
        ),
        ("Token encryption",),
        response=encrypted(),
        prepare=read_metadata,
    ),
    Mistake(
        "encrypted-before-the-metadata-was-read",
        "the assertion is encrypted, and nothing has ever read the account's metadata",
        "decryption",
        (
            "The assertion is encrypted and cannot be opened",
            'expected an EncryptedAssertion for the encryption key in "http://localhost:8000/saml2/metadata/business"',
            "received one that no key here opens",
        ),
        ("Token encryption",),
        response=encrypted(),
    ),
    Mistake(
        "encrypted-with-3des",
        "the assertion is encrypted with Triple DES",
        "encryption_algorithms",
        ("expected AES-GCM or AES-CBC", "tripledes-cbc"),
        ("Properties → Encryption",),
        response=encrypted(names.XENC + "tripledes-cbc"),
        idp=ADFS,
    ),
)


# The issuer.


def issuer(mistaken: str) -> tuple[str, str]:
    return f'The issuer is "{ENTRA.entity_id}"', f'"Issuer URL" is "{mistaken}"'


_METADATA = f"https://login.microsoftonline.com/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"

ISSUERS = (
    Mistake(
        "issuer-without-slash",
        "the Issuer URL was copied without the slash at its end",
        "issuer",
        (*issuer(ENTRA.entity_id.rstrip("/")), "they differ only in the slash at the end"),
        ("Microsoft Entra Identifier", "with the slash at its end", HERE_ISSUER),
        account={"issuer": ENTRA.entity_id.rstrip("/")},
    ),
    Mistake(
        "issuer-of-another-tenant",
        "the Issuer URL is that of the test tenant",
        "issuer",
        issuer(f"https://sts.windows.net/{OTHER_TENANT}/"),
        ("Microsoft Entra Identifier", HERE_ISSUER),
        account={"issuer": f"https://sts.windows.net/{OTHER_TENANT}/"},
    ),
    Mistake(
        "issuer-is-the-metadata-url",
        "the federation metadata's address was entered as Issuer URL",
        "issuer",
        (*issuer(_METADATA), "looks like the address of metadata"),
        ("Microsoft Entra Identifier", HERE_ISSUER),
        account={"issuer": _METADATA},
    ),
    Mistake(
        "issuer-is-the-sign-in-url",
        "the SAML SSO URL was entered as Issuer URL too",
        "issuer",
        (*issuer(ENTRA_SIGN_IN), 'looks like a "Sign In URL"'),
        ("Microsoft Entra Identifier", HERE_ISSUER),
        account={"issuer": ENTRA_SIGN_IN},
    ),
    Mistake(
        "issuer-http",
        "the Issuer URL of ADFS was entered with https",
        "issuer",
        (f'The issuer is "{ADFS.entity_id}"', "they differ only in the scheme (http or https)"),
        ("which begins with http:// and not with https://", HERE_ISSUER),
        account={"issuer": ADFS.entity_id.replace("http:", "https:")},
        idp=ADFS,
    ),
)

# What the identity provider itself refuses.


def refused(code: str, said: str, second: str = "") -> Mapping[str, object]:
    """The response of an identity provider that did not sign the user in."""
    nested = f'<samlp:StatusCode Value="{names.STATUS_URI}{second}"/>' if second else ""
    message = f"<samlp:StatusMessage>{said}</samlp:StatusMessage>" if said else ""
    status = f'<samlp:Status><samlp:StatusCode Value="{names.STATUS_URI}{code}">{nested}</samlp:StatusCode>{message}'
    return {
        "signed": None,
        "mutate": all_of(
            without("saml:Assertion"), without("samlp:Status"), with_child(".", f"{status}</samlp:Status>")
        ),
    }


STATUSES = (
    Mistake(
        "not-assigned",
        "the user is not assigned to the application",
        "status",
        ("AADSTS50105", "the user is not assigned to the application", "BrittaSimon@contoso.example"),
        ("Enterprise applications → 8x8 Virtual Office → Users and groups → Add user/group",),
        response=refused(
            "Responder",
            "AADSTS50105: The signed in user 'BrittaSimon@contoso.example' is not assigned to a role for the "
            "application.",
        ),
    ),
    Mistake(
        "unknown-application",
        "the request named an identifier that the directory does not know",
        "status",
        ("AADSTS700016", "the directory knows no application with this identifier", "'urn:other'"),
        (IDENTIFIER,),
        response=refused("Requester", "AADSTS700016: Application with identifier 'urn:other' was not found."),
    ),
    Mistake(
        "reply-url-unknown",
        "the request asked for an answer to an address that is no reply URL",
        "status",
        ("AADSTS50011", "is none of the application's reply URLs"),
        (REPLY_URL,),
        response=refused("Requester", "AADSTS50011: The reply URL specified in the request does not match."),
    ),
    Mistake(
        "mfa-context",
        "the user signed in with a second factor and the request wanted a password",
        "status",
        ("AADSTS75011", "the user signed in by another method than the one requested", "X509, MultiFactor"),
        ("Request no authentication context", "→"),
        response=refused(
            "Responder",
            "AADSTS75011: Authentication method 'X509, MultiFactor' by which the user authenticated with the service "
            "doesn't match requested authentication method 'Password'.",
            "NoAuthnContext",
        ),
    ),
    Mistake(
        "conditional-access",
        "a Conditional Access policy blocks the user",
        "status",
        ("AADSTS53003", "a Conditional Access policy blocks the sign-in"),
        ("Sign-in logs → Conditional Access",),
        response=refused("Responder", "AADSTS53003: Access has been blocked by Conditional Access policies."),
    ),
    Mistake(
        "disabled-in-the-directory",
        "the user's account in the directory is disabled",
        "status",
        ("AADSTS50057", "the user's account in the directory is disabled"),
        ("Account enabled", "→"),
        response=refused("Responder", "AADSTS50057: The user account is disabled."),
    ),
    Mistake(
        "status-of-an-unknown-kind",
        "Microsoft answers with a code that is in no list here",
        "status",
        ("AADSTS999999: Something new", "The identity provider did not sign the user in"),
        ("Sign-in logs", "→"),
        response=refused("Responder", "AADSTS999999: Something new."),
    ),
    Mistake(
        "request-denied",
        "the user has no role for the client",
        "status",
        ("RequestDenied", "it understood the request and denied it"),
        ("→",),
        response=refused("Responder", "", "RequestDenied"),
        idp=KEYCLOAK,
    ),
)

# Users.


def fabrikam_owns_the_name(scene: Scene) -> None:
    with scene.service.database.writing() as session:
        account_setup.add_company_account(session, "Fabrikam", "fabrikam", scene.service.now())
    scene.add_user(replace(CHARLIE, email=BRITTA.email), slug="fabrikam")


def twice(scene: Scene) -> None:
    scene.add_user(federation_id="E1024")
    scene.add_user(replace(BRITTA, email="britta.simon@contoso.example"), federation_id="E1024")


USERS = (
    Mistake(
        "no-such-user",
        "nobody has created the user, and just-in-time provisioning is off",
        "user_link",
        ("The SAML user does not link to any user.", f'The NameID is "{BRITTA.email}"'),
        ("Accounts → User Profiles", "Just-in-time provisioning"),
        account={"provisioning": False},
    ),
    Mistake(
        "mapped-to-the-wrong-field",
        "the user mapping field is Federation ID, and the profiles have none",
        "user_link",
        ("The SAML user does not link to any user.", f'The NameID is "{BRITTA.email}"'),
        ("Accounts → User Profiles", "User Mapping Field"),
        account={"provisioning": False, "user_mapping": UserMapping.FEDERATION_ID},
        prepare=lambda scene: scene.add_user(),
    ),
    Mistake(
        "persistent-name",
        "the identity provider sends a pairwise persistent name instead of the user name",
        "user_link",
        ("The SAML user does not link to any user.", "G-3f1c7a52-0b1e-4c5b-9a55-2a1b7f1d0c11"),
        ("Accounts → User Profiles", "User Mapping Field"),
        response={
            "name_id": "G-3f1c7a52-0b1e-4c5b-9a55-2a1b7f1d0c11",
            "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
        },
        account={"provisioning": False},
        prepare=lambda scene: scene.add_user(),
        idp=KEYCLOAK,
    ),
    Mistake(
        "federation-id-twice",
        "two profiles have the same Federation ID",
        "user_link",
        ("No unique user found for the SAML authenticated user E1024.",),
        ("Accounts → User Profiles",),
        response={"name_id": "E1024"},
        account={"user_mapping": UserMapping.FEDERATION_ID},
        prepare=twice,
    ),
    Mistake(
        "name-of-another-company",
        "another company's account owns the user name",
        "user_link",
        (BRITTA.email, "is not available to this account"),
        ("Accounts → User Profiles",),
        prepare=fabrikam_owns_the_name,
    ),
    Mistake(
        "disabled",
        "the user is disabled under User Profiles",
        "user_active",
        ("The user is disabled", "must be active"),
        ("Accounts → User Profiles",),
        prepare=lambda scene: scene.add_user(status=UserStatus.DISABLED),
    ),
    Mistake(
        "deleted",
        "the user was deleted under User Profiles",
        "user_active",
        ("The user is deleted", "must be active"),
        ("support", "Accounts → User Profiles"),
        prepare=lambda scene: scene.add_user(status=UserStatus.DELETED),
    ),
    Mistake(
        "no-name-id",
        "the claim rule for the NameID is missing",
        "subject",
        ("expected a NameID", "received no NameID"),
        ("Edit Claim Issuance Policy", "Name ID"),
        response={"mutate": without(NAME_ID)},
        idp=ADFS,
    ),
    Mistake(
        "empty-name-id",
        "the attribute behind the NameID is empty for this user",
        "subject",
        ("expected a NameID with a value", 'received ""'),
        ("Application username",),
        response={"name_id": ""},
        idp=OKTA,
    ),
    Mistake(
        "transient-name",
        "the NameID is transient",
        "subject",
        ("expected a NameID that stays the same", names.TRANSIENT_FORMAT),
        ("'NameIDFormat'", f'{HERE_OPTIONS} → "Accept transient name identifiers"'),
        response={"name_id": "_7b1d0c11", "name_id_format": names.TRANSIENT_FORMAT},
        idp=SIMPLESAML,
    ),
    Mistake(
        "trailing-space",
        "a space follows the user name in the directory",
        "username",
        (f'"{BRITTA.email} "', "white space at the start or the end"),
        ("Unique User Identifier (Name ID)", "Users → the user → Properties"),
        response={"name_id": f"{BRITTA.email} "},
    ),
    Mistake(
        "two-addresses",
        "the user has two e-mail addresses in the directory",
        "attributes",
        ("expected one value of", "emailaddress", "2 values"),
        ("Attributes & Claims", "Attribute for First Name"),
        response={"attributes": email(BRITTA.email, "b.simon@contoso.example")},
    ),
)

# The account.

ACCOUNT = (
    Mistake(
        "switched-off",
        "Single Sign On is switched off for the account",
        "sso_enabled",
        ("The account takes no SAML sign-ins", "expected Single Sign On with SAML", "switched off for business"),
        ("Accounts → Single Sign On", '"Authentication method"'),
        account={"single_sign_on": False},
    ),
    Mistake(
        "only-from-here",
        "the user clicks the tile, and the account takes only sign-ins that begin at the service",
        "in_response_to",
        ("expected an answer to a sign-in begun here", "received no InResponseTo"),
        ("Sign-in started by the identity provider", "→"),
        account={"unsolicited": False},
    ),
    Mistake(
        "answers-nothing",
        "the answer comes to a request that this browser did not send",
        "in_response_to",
        ("expected no InResponseTo, or the ID of a sign-in that this browser has begun", "_8e8dc5f69a98cc4c1ff3427e5"),
        ("My Apps → 8x8 Virtual Office", "Sign-in started by the identity provider"),
        response={"in_response_to": "_8e8dc5f69a98cc4c1ff3427e5"},
    ),
    Mistake(
        "made-up-request",
        "the identity provider makes a request ID up for a sign-in of its own",
        "in_response_to",
        ("IdP_Initiated_Login", "expected no InResponseTo"),
        ("→",),
        response={"in_response_to": "IdP_Initiated_Login"},
        idp=replace(OKTA, entity_id="https://idp.contoso.example/"),
        sign_in_url="",
    ),
    Mistake(
        "empty-request",
        "an unsolicited response has an empty InResponseTo",
        "schema",
        ("InResponseTo",),
        ("→",),
        response={"mutate": with_attribute(".", "InResponseTo", "")},
        idp=replace(OKTA, entity_id="https://idp.contoso.example/"),
        sign_in_url="",
    ),
)

# What is posted.

AUTHN_REQUEST = (
    f'<samlp:AuthnRequest xmlns:samlp="{names.SAMLP}" ID="_1" Version="2.0" IssueInstant="2030-01-31T12:00:00Z"/>'
)
IDP_METADATA = (
    '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.contoso.example/">'
    '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/></EntityDescriptor>'
)
LOGIN_PAGE = '<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method="post"></form></body></html>'
SAML_11 = (
    '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1" '
    'ResponseID="_1" IssueInstant="2030-01-31T12:00:00Z"/>'
)
WS_FEDERATION = (
    '<t:RequestSecurityTokenResponse xmlns:t="http://schemas.xmlsoap.org/ws/2005/02/trust">'
    "<t:TokenType>urn:oasis:names:tc:SAML:1.0:assertion</t:TokenType></t:RequestSecurityTokenResponse>"
)


def instead(text: str) -> Mapping[str, object]:
    """Another text in the place of the message."""
    return {"tamper": lambda _xml: text.encode()}


def post_twice(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    post(browser, message, headers)
    return post(browser, message, headers)


def post_with_spaces(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    """Nobody percent-encoded the plus signs, which then mean spaces."""
    return browser.client.post(
        "/saml2", content=f"SAMLResponse={post_field(message)}".encode(), headers={**FORM, **headers}
    )


def post_compressed(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    return post(browser, zlib.compress(message)[2:-4], headers)


def post_as_request(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    return post_value(browser, post_field(message), headers, "SAMLRequest")


def post_as_ws_federation(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    return post_value(browser, message.decode(), headers, "wresult")


def get(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    """The HTTP-Redirect binding, which is not for responses."""
    value = post_field(zlib.compress(message)[2:-4])
    return browser.client.get("/saml2", params={"SAMLResponse": value}, headers=dict(headers))


def post_multipart(browser: Browser, message: bytes, headers: Mapping[str, str]) -> Response:
    return browser.client.post("/saml2", files={"SAMLResponse": ("r.xml", post_field(message))}, headers=dict(headers))


POSTED = (
    Mistake(
        "back-button",
        "the user went back and sent the form once more",
        "replay",
        ("The assertion was used before", "expected an assertion used for the first time", '"_the-one" again'),
        ("Start a new sign-in", "→"),
        response={"assertion_id": "_the-one"},
        send=post_twice,
    ),
    Mistake(
        "authn-request",
        "the service's own question was posted back",
        "form",
        ("a SAMLRequest field", "this is an AuthnRequest, a service's question"),
        ('Accounts → Single Sign On → "Sign In URL"',),
        response=instead(AUTHN_REQUEST),
        send=post_as_request,
    ),
    Mistake(
        "metadata",
        "the identity provider's metadata was sent as the message",
        "root",
        ("this is the metadata of an identity provider", "samlp:Response"),
        ("Accounts → Single Sign On",),
        response=instead(IDP_METADATA),
    ),
    Mistake(
        "login-page",
        "a script posted the identity provider's sign-in page",
        "no_dtd",
        ("this is an HTML page, such as a sign-in or error page",),
        ("→",),
        response=instead(LOGIN_PAGE),
    ),
    Mistake(
        "saml-1.1",
        "the application is set to SAML 1.1",
        "root",
        ("this is a SAML 1.1 Response", "choose SAML 2.0 at the identity provider"),
        ("→",),
        response=instead(SAML_11),
    ),
    Mistake(
        "ws-federation",
        "the relying party trust has a WS-Federation endpoint",
        "form",
        ("this is a WS-Federation answer (RequestSecurityTokenResponse)", "choose SAML 2.0", "not WS-Federation"),
        ("→",),
        response=instead(WS_FEDERATION),
        send=post_as_ws_federation,
    ),
    Mistake(
        "plus-signs",
        "the form was built by hand, and its plus signs became spaces",
        "base64",
        ('text with spaces: was "+" sent without percent-encoding?',),
        ("percent-encode the form field", "`curl --data-urlencode`"),
        send=post_with_spaces,
    ),
    Mistake(
        "compressed",
        "the message is compressed as for the Redirect binding",
        "encoding",
        ("compressed as for the HTTP-Redirect binding",),
        ("HTTP-POST", "→"),
        send=post_compressed,
    ),
    Mistake(
        "redirect-binding",
        "the response comes by the Redirect binding",
        "form",
        ("expected the method POST, received GET", "compressed as for the HTTP-Redirect binding"),
        ("HTTP-POST", "→"),
        send=get,
    ),
    Mistake(
        "multipart",
        "the form is sent as multipart/form-data",
        "form",
        ("expected the content type application/x-www-form-urlencoded", "multipart/form-data"),
        ("HTTP-POST", "→"),
        send=post_multipart,
    ),
    Mistake(
        "plain-xml",
        "the XML was posted without base64",
        "base64",
        ("plain XML that was not encoded",),
        ("base64", "→"),
        send=lambda browser, message, headers: post_value(browser, message.decode(), headers),
    ),
    Mistake(
        "cut-off",
        "the message was copied by hand, and its end is missing",
        "well_formed",
        ("expected '>'", "whose end is missing"),
        ("Send the whole message", "a copy by hand"),
        response={"tamper": lambda xml: xml[:-400]},
        by_hand=True,
    ),
    Mistake(
        "bare-assertion",
        "a script posts the assertion alone",
        "root",
        ("this is a bare Assertion", "send the Response with the Assertion in it"),
        ("Send the Response with the Assertion in it",),
        response={"tamper": lambda xml: etree.tostring(one(etree.fromstring(xml), "saml:Assertion"))},
        by_hand=True,
    ),
    Mistake(
        "too-many-groups",
        "the user is in thousands of groups, and all of them are sent",
        "size",
        ("expected at most 262144 bytes", "bytes"),
        ("fewer attributes, groups above all", "→"),
        response={"attributes": {**email(BRITTA.email), "groups": tuple(f"group {n:08}" * 8 for n in range(2500))}},
    ),
    Mistake(
        "no-expiry",
        "home-made code leaves NotOnOrAfter out of the confirmation",
        "confirmation_expiry",
        ("expected a NotOnOrAfter", "received no NotOnOrAfter"),
        ("SubjectConfirmationData",),
        response={"mutate": with_attribute(DATA, "NotOnOrAfter", None)},
        idp=replace(OKTA, entity_id="https://idp.contoso.example/"),
        sign_in_url="",
        by_hand=True,
    ),
    Mistake(
        "no-conditions",
        "home-made code sends no Conditions",
        "conditions",
        ("expected one Conditions element", "received no Conditions"),
        ("AudienceRestriction", "→"),
        response={"mutate": without(CONDITIONS)},
        idp=replace(OKTA, entity_id="https://idp.contoso.example/"),
        sign_in_url="",
    ),
)

MISTAKES = (*NAMES, *CLOCKS, *CERTIFICATES, *ISSUERS, *STATUSES, *USERS, *ACCOUNT, *POSTED)
