"""The preflight: each check has a connection with one flaw, and the control that it was changed from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import pytest
from cast import ACS_URL, BASE_URL, CONTOSO_ISSUER, ENTITY_ID, FABRIKAM_ISSUER, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from responses import Idp, private_key

from sp.diagnosis.preflight import PREFLIGHT, preflight, ready
from sp.diagnosis.preflight.connection import Connection
from sp.diagnosis.preflight.finding import Row
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.report import Outcome

TENANT = "5f1f5cd5-3f2c-4b0e-9c1d-8a1b2c3d4e5f"
OTHER_TENANT = "0a1b2c3d-0000-1111-2222-333344445555"
ENTRA = f"https://sts.windows.net/{TENANT}/"
ENTRA_SIGN_IN = f"https://login.microsoftonline.com/{TENANT}/saml2"
IDP = Idp.make()

GOOD = Connection(
    now=NOW,
    base_url=BASE_URL,
    entity_id=ENTITY_ID,
    acs_url=ACS_URL,
    sign_in_url="https://idp.contoso.example/sso",
    sign_out_url="https://idp.contoso.example/slo",
    issuer=CONTOSO_ISSUER,
    certificates=(IDP.certificate,),
    distances=(timedelta(seconds=-2), timedelta(seconds=1), timedelta()),
    browser_distance=timedelta(seconds=3),
)
PUBLIC = replace(
    GOOD,
    base_url="https://sp.contoso.example",
    entity_id="https://sp.contoso.example/saml2",
    acs_url="https://sp.contoso.example/saml2",
)


@cache
def certificate(
    *usages: str, ca: bool = False, issuer: str = "", host: str = "", days: float = 3650, begins: float = -365
) -> IdpCertificate:
    """A certificate of Contoso's identity provider that says what it is for; self-signed without another issuer."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host or "idp.contoso.example")])
    signer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else subject
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(signer).serial_number(4711)
    builder = builder.not_valid_before(NOW + timedelta(days=begins)).not_valid_after(NOW + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if usages:
        builder = builder.add_extension(key_usage(usages), critical=True)
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    key = private_key("preflight")
    made = builder.public_key(key.public_key()).sign(key, hashes.SHA256())
    return stored_certificate(made.public_bytes(serialization.Encoding.DER))


def key_usage(usages: Iterable[str]) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in usages for name in names})


@dataclass(frozen=True)
class Flaw:
    """One flaw, the row that finds it, and what the row says was received; `control` finds nothing."""

    code: str
    outcome: Outcome
    flawed: Connection
    received: str
    control: Connection = GOOD

    def __str__(self) -> str:
        return f"{self.code}: {self.received[:40]}"


def fails(code: str, received: str, control: Connection = GOOD, **flaw: object) -> Flaw:
    return Flaw(code, Outcome.FAILED, replace(control, **flaw), received, control)  # type: ignore[arg-type]


def warns(code: str, received: str, control: Connection = GOOD, **flaw: object) -> Flaw:
    return Flaw(code, Outcome.WARNING, replace(control, **flaw), received, control)  # type: ignore[arg-type]


ENTRA_GOOD = replace(GOOD, issuer=ENTRA, sign_in_url=ENTRA_SIGN_IN, sign_out_url=ENTRA_SIGN_IN)
OKTA_GOOD = replace(
    GOOD,
    issuer="http://www.okta.com/exk1fcia6d6EMsf331d8",
    sign_in_url="https://contoso.okta.com/app/8x8/exk1fcia6d6EMsf331d8/sso/saml",
    sign_out_url="",
)
ADFS_GOOD = replace(
    GOOD,
    issuer="http://adfs.contoso.example/adfs/services/trust",
    sign_in_url="https://adfs.contoso.example/adfs/ls/",
    sign_out_url="https://adfs.contoso.example/adfs/ls/?wa=wsignout1.0",
)
KEYCLOAK_GOOD = replace(
    GOOD,
    issuer="http://keycloak:8080/realms/contoso",
    sign_in_url="http://keycloak:8080/realms/contoso/protocol/saml",
    sign_out_url="http://keycloak:8080/realms/contoso/protocol/saml",
)
GOOGLE_GOOD = replace(
    GOOD,
    issuer="https://accounts.google.com/o/saml2?idpid=C01abc2de",
    sign_in_url="https://accounts.google.com/o/saml2/idp?idpid=C01abc2de",
    sign_out_url="",
)
SIMPLESAMLPHP_GOOD = replace(
    GOOD,
    issuer="https://idp.contoso.example/simplesaml/saml2/idp/metadata.php",
    sign_in_url="https://idp.contoso.example/simplesaml/saml2/idp/SSOService.php",
    sign_out_url="https://idp.contoso.example/simplesaml/saml2/idp/SingleLogoutService.php",
)
CONTROLS = {
    "another provider": GOOD,
    "on a public host": PUBLIC,
    "Entra ID": ENTRA_GOOD,
    "Okta": OKTA_GOOD,
    "ADFS": ADFS_GOOD,
    "Keycloak": KEYCLOAK_GOOD,
    "Google": GOOGLE_GOOD,
    "SimpleSAMLphp": SIMPLESAMLPHP_GOOD,
    "one URL for signing in and out": replace(GOOD, sign_out_url=GOOD.sign_in_url),
    "nothing but the issuer and the certificate": replace(GOOD, sign_in_url="", sign_out_url=""),
    "a certificate for signing": replace(GOOD, certificates=(certificate("digital_signature", "key_encipherment"),)),
    "a self-signed one that calls itself an authority": replace(GOOD, certificates=(certificate(ca=True),)),
    "signed off by non-repudiation": replace(GOOD, certificates=(certificate("content_commitment"),)),
    "no message yet": replace(GOOD, distances=(), browser_distance=None),
}

CASES = [
    fails("savable", "Sign Out URL: Leave out", faults={"Sign Out URL": "Leave out the part from # on."}),
    fails("issuer_text", r"https://idp.contoso.example/\u200b", issuer=f"{CONTOSO_ISSUER}\u200b"),
    fails("issuer_text", "https://idp.contoso .example/", issuer="https://idp.contoso .example/"),
    warns("issuer_text", '"https://idp.contoso.example/ "', issuer=f"{CONTOSO_ISSUER} "),
    fails("issuer_own", "this service's own", issuer=ENTITY_ID),
    fails("issuer_own", "this service's own", issuer=f"{BASE_URL}/SAML2/"),
    fails("issuer_own", "https://sso.8x8.com/saml2", issuer="https://sso.8x8.com/saml2"),
    fails(
        "issuer_metadata",
        "federationmetadata.xml",
        issuer=f"https://login.microsoftonline.com/{TENANT}/federationmetadata/2007-06/federationmetadata.xml",
    ),
    fails("issuer_metadata", "descriptor", issuer="https://kc.contoso.example/realms/contoso/protocol/saml/descriptor"),
    fails("issuer_metadata", "metadata", issuer="https://contoso.okta.com/app/exk1fcia6d6EMsf331d8/sso/saml/metadata"),
    fails("issuer_address", "where people sign in", OKTA_GOOD, issuer=OKTA_GOOD.sign_in_url),
    warns("issuer_address", "the same value", issuer=GOOD.sign_in_url),
    fails("issuer_exact", ENTRA.rstrip("/"), ENTRA_GOOD, issuer=ENTRA.rstrip("/")),
    fails("issuer_exact", "http://sts", ENTRA_GOOD, issuer=ENTRA.replace("https", "http")),
    fails("issuer_exact", "/v2.0", ENTRA_GOOD, issuer=f"https://login.microsoftonline.com/{TENANT}/v2.0"),
    warns("issuer_exact", "https://www.okta", OKTA_GOOD, issuer=OKTA_GOOD.issuer.replace("http:", "https:")),
    warns("issuer_exact", "https://adfs", ADFS_GOOD, issuer=ADFS_GOOD.issuer.replace("http:", "https:")),
    warns("issuer_exact", "contoso/", KEYCLOAK_GOOD, issuer=f"{KEYCLOAK_GOOD.issuer}/"),
    warns("issuer_exact", "C01abc2de/", GOOGLE_GOOD, issuer=f"{GOOGLE_GOOD.issuer}/"),
    fails("sign_in_own", "this service's own", sign_in_url=ACS_URL),
    fails("sign_in_own", "this service's own", sign_in_url=f"{BASE_URL}/sso/login/"),
    fails("sign_in_metadata", "metadata.xml", sign_in_url="https://idp.contoso.example/federationmetadata.xml"),
    fails("sign_in_metadata", "/metadata", sign_in_url="https://idp.contoso.example/saml/metadata"),
    fails("sign_in_kind", "for signing out", sign_in_url="https://idp.contoso.example/saml/logout"),
    fails("sign_in_kind", "for signing out", sign_in_url="https://idp.contoso.example/saml/slo"),
    fails("sign_in_kind", "an entity ID", ENTRA_GOOD, sign_in_url=ENTRA),
    warns("sign_in_https", "http://idp", sign_in_url="http://idp.contoso.example/sso"),
    fails("sign_out_own", "this service's own", sign_out_url=ACS_URL),
    fails("sign_out_kind", "sts.windows.net", ENTRA_GOOD, sign_out_url=ENTRA),
    fails("sign_out_kind", "/metadata", sign_out_url="https://idp.contoso.example/saml/metadata"),
    warns("sign_out_kind", "for signing in", sign_out_url="https://idp.contoso.example/login"),
    warns("sign_out_https", "http://idp", sign_out_url="http://idp.contoso.example/slo"),
    warns("one_provider", "Okta", ENTRA_GOOD, sign_in_url=OKTA_GOOD.sign_in_url),
    warns("one_provider", OTHER_TENANT, ENTRA_GOOD, sign_in_url=ENTRA_SIGN_IN.replace(TENANT, OTHER_TENANT)),
    warns("one_provider", "exk2", OKTA_GOOD, sign_in_url=OKTA_GOOD.sign_in_url.replace("exk1", "exk2")),
    warns("one_provider", "C01zzz", GOOGLE_GOOD, sign_in_url=GOOGLE_GOOD.sign_in_url.replace("C01abc2de", "C01zzz")),
    warns("one_provider", "fabrikam", KEYCLOAK_GOOD, sign_in_url="http://keycloak:8080/realms/fabrikam/protocol/saml"),
    warns("certificate_time", "expired on 2030-01-30", certificates=(certificate(days=-1),)),
    warns("certificate_time", "valid from 2030-02-01", certificates=(certificate(begins=1),)),
    warns("certificate_time", "60 days left", certificates=(certificate(days=60),)),
    warns("certificate_time", "30 days left", certificates=(certificate(days=30),)),
    warns("certificate_time", "7 days left", certificates=(certificate(days=7),)),
    warns("certificate_purpose", "encryption", certificates=(certificate("key_encipherment", "data_encipherment"),)),
    warns("certificate_purpose", "issuing other", certificates=(certificate("key_cert_sign", "crl_sign", ca=True),)),
    warns("certificate_authority", "an authority's", certificates=(certificate(ca=True, issuer="Contoso Root"),)),
    fails("certificate_key", "1024 bits", certificates=(Idp.make(kind="rsa-1024").certificate,)),
    fails("certificate_own", "this service's own", own_certificates=(IDP.certificate_der,)),
    warns("certificate_own", "sp.contoso.example", PUBLIC, certificates=(certificate(host="sp.contoso.example"),)),
    warns("certificate_elsewhere", FABRIKAM_ISSUER, issuers_elsewhere={IDP.certificate.sha256: FABRIKAM_ISSUER}),
    fails("switched_on", "not ticked", switched_on=False),
    fails("switched_on", "switched off", active=False),
    fails("somebody_begins", "neither", replace(GOOD, sign_in_url=""), unsolicited=False),
    fails("somebody_signs_in", "neither", provisioning=False),
    warns(
        "own_https",
        "http://sp",
        PUBLIC,
        acs_url="http://sp.contoso.example/saml2",
        base_url="http://sp.contoso.example",
    ),
    fails("clock", "5 minutes ahead in the last message", distances=(timedelta(minutes=5),)),
    fails("clock", "2 hours behind", distances=(timedelta(hours=-2),)),
    warns("clock", "40 seconds ahead", distances=(timedelta(seconds=40),)),
    warns("clock", "10 minutes behind", distances=(timedelta(minutes=-10),)),
    warns("browser_clock", "2 minutes behind", browser_distance=timedelta(minutes=-2)),
]


def found(connection: Connection) -> list[Row]:
    """The rows worth reading."""
    return [row for row in preflight(connection) if row.outcome in {Outcome.FAILED, Outcome.WARNING}]


@pytest.mark.parametrize("connection", CONTROLS.values(), ids=CONTROLS)
def test_nothing_is_wrong_with_what_works(connection: Connection) -> None:
    assert found(connection) == []
    assert ready(preflight(connection))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_flaw_is_found_by_its_row(case: Flaw) -> None:
    assert case.code not in {row.code for row in found(case.control)}
    row = next(row for row in preflight(case.flawed) if row.code == case.code)
    assert row.outcome is case.outcome
    assert case.received in row.received
    assert row.expected or row.code == "savable"
    assert ready(preflight(case.flawed)) is not (case.outcome is Outcome.FAILED)


def test_every_check_has_a_flaw_and_its_words() -> None:
    assert {case.code for case in CASES} == {check.code for check in PREFLIGHT}
    for check in PREFLIGHT:
        assert check.why.endswith(".")
        assert check.remedy.endswith(".")


def test_an_entra_issuer_is_told_whole() -> None:
    row = found(replace(ENTRA_GOOD, issuer=ENTRA.rstrip("/")))[0]
    assert (row.expected, row.received) == (ENTRA, ENTRA.rstrip("/"))


def test_swapped_addresses_are_both_named() -> None:
    swapped = replace(GOOD, sign_in_url=GOOD.sign_out_url, sign_out_url=GOOD.sign_in_url)
    assert [row.code for row in found(swapped)] == ["sign_in_kind", "sign_out_kind"]


def test_the_certificate_that_is_unusual_among_several_is_named() -> None:
    old = certificate(days=-1)
    row = found(replace(GOOD, certificates=(IDP.certificate, old)))[0]
    assert row.received.startswith(f"{old.subject}: expired")


def test_one_message_that_was_held_up_says_nothing_about_a_clock() -> None:
    held_up = (timedelta(hours=-3), timedelta(), timedelta(seconds=1))
    assert found(replace(GOOD, distances=held_up)) == []


def test_until_a_message_came_the_clock_is_unknown() -> None:
    row = next(row for row in preflight(replace(GOOD, distances=())) if row.code == "clock")
    assert (row.outcome, row.received) == (Outcome.SKIPPED, "unknown until the first message")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "idp.localhost", "keycloak"])
def test_http_is_fine_where_nobody_can_listen(host: str) -> None:
    assert found(replace(GOOD, sign_in_url=f"http://{host}:8080/sso")) == []


@pytest.mark.parametrize("text", ["", "x", "https://[::1", "https://", "\x00", "\u202e" * 3, "http://a" + "b" * 9000])
def test_whatever_is_typed_it_never_breaks(text: str) -> None:
    rows = preflight(replace(GOOD, issuer=text, sign_in_url=text, sign_out_url=text, certificates=()))
    assert len(rows) == len(PREFLIGHT)
    assert all(len(row.received) < 700 for row in rows)


def test_nothing_checked_is_not_ready() -> None:
    assert not ready(())
