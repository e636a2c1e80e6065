"""Our metadata: valid, complete, the same for everybody who asks twice, and without a secret."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import saml2.data
import xmlsec
from browser import Browser, StillClock
from cast import ACS_URL, ENTITY_ID, NOW
from lxml import etree
from saml2 import BINDING_HTTP_POST
from saml2.attribute_converter import ac_factory
from saml2.mdstore import InMemoryMetaData

from sp.flows import account_setup, service_keys
from sp.flows.account_setup import Saved
from sp.flows.workspaces import Made, delete_workspace, make_workspace
from sp.models import KeyPurpose
from sp.saml.own_keys import make_key
from sp.saml.xml import parse
from sp.store import accounts
from sp.store import service_keys as rows
from sp.web.state import Service

NS = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}
SCHEMAS = Path(saml2.data.__file__).parent / "schemas"
ADDRESSES = ("/saml2/metadata", "/saml2/metadata/business")


class LocalSchemas(etree.Resolver):
    """Schemas by file name, whatever address names them: nothing comes from the network."""

    def resolve(self, system_url: str, _public_id: str | None, context: Any) -> Any:  # type: ignore[override]
        name = system_url.rpartition("/")[2]
        return self.resolve_string((SCHEMAS / name).read_bytes(), context, base_url=name)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(LocalSchemas())
    return etree.XMLSchema(etree.fromstring((SCHEMAS / "saml-schema-metadata-2.0.xsd").read_bytes(), parser))


def document(browser: Browser, path: str = "/saml2/metadata") -> etree._Element:
    page = browser.open(path)
    assert page.status_code == 200
    return parse(page.content)


def save(service: Service, **changes: Any) -> None:
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        draft = account_setup.SsoDraft(**changes)
        saved = account_setup.save_sso_settings(
            session, service.settings, account, draft, saved_by="alice", now=service.now()
        )
    assert isinstance(saved, Saved)


@pytest.mark.parametrize("path", [*ADDRESSES, "/saml2/metadata?signed=1"])
def test_it_is_valid_against_the_schema(browser: Browser, schema: etree.XMLSchema, path: str) -> None:
    schema.assertValid(document(browser, path))


def test_it_says_where_everything_is(browser: Browser) -> None:
    entity = document(browser)
    assert entity.get("entityID") == ENTITY_ID
    (consumer,) = entity.findall(".//md:AssertionConsumerService", NS)
    assert dict(consumer.items()) == {
        "Binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        "Location": ACS_URL,
        "index": "0",
        "isDefault": "true",
    }
    sign_out = {
        place.get("Binding", "").rpartition(":")[2]: place.get("Location")
        for place in entity.iterfind(".//md:SingleLogoutService", NS)
    }
    assert sign_out == {
        "HTTP-Redirect": "http://localhost:8000/saml2/slo",
        "HTTP-POST": "http://localhost:8000/saml2/slo",
        "SOAP": "http://localhost:8000/saml2/slo/soap",
    }


def test_it_may_be_kept_for_a_day_and_not_for_ever(browser: Browser) -> None:
    entity = document(browser)
    assert entity.get("cacheDuration") == "P1D"
    assert entity.get("validUntil") == "2030-02-14T00:00:00Z"


def test_it_names_the_keys_in_use_and_the_next_ones(browser: Browser, service: Service) -> None:
    upcoming = make_key("upcoming", NOW)
    with service.database.writing() as session:
        (active,) = service_keys.published(session).signing
        service_keys.begin_rollover(session, KeyPurpose.SIGNING, upcoming, NOW)
    certificates = [
        base64.b64decode(element.text or "")
        for element in document(browser).iterfind(".//md:KeyDescriptor[@use='signing']//ds:X509Certificate", NS)
    ]
    assert certificates == [active, upcoming.certificate]


def test_no_private_key_is_in_it(browser: Browser, service: Service) -> None:
    """MET-14. Neither as bytes nor in base64, at whatever place in a line."""
    browser.open(ADDRESSES[0])
    with service.database.reading() as session:
        keys = [key for key, _ in rows.with_accounts(session)]
    assert len(keys) == 2
    for path in ADDRESSES:
        page = browser.open(path).text
        assert "PRIVATE" not in page
        for key in keys:
            assert base64.b64encode(key.certificate).decode() in page
            secret = base64.b64encode(key.private_key).decode()  # PKCS #8: the numbers begin after the first few bytes
            assert secret[200:260] not in page.replace("\n", "")


def test_an_account_says_what_it_wants(browser: Browser, service: Service) -> None:
    save(service, sign_requests=True, signed_part="response", first_name_attribute="firstName")
    described = document(browser, "/saml2/metadata/business").find("md:SPSSODescriptor", NS)
    assert described is not None
    assert (described.get("AuthnRequestsSigned"), described.get("WantAssertionsSigned")) == ("true", "false")
    names = [attribute.get("Name") for attribute in described.iterfind(".//md:RequestedAttribute", NS)]
    assert names[0] == "firstName"
    shared = document(browser).find("md:SPSSODescriptor", NS)
    assert shared is not None
    assert (shared.get("AuthnRequestsSigned"), shared.get("WantAssertionsSigned")) == ("false", "true")


@pytest.mark.parametrize("slug", ["nobody", "..%2Fadmin", "A", "x" * 300])
def test_an_account_that_is_not_there_has_none(browser: Browser, slug: str) -> None:
    assert browser.open(f"/saml2/metadata/{slug}").status_code == 404


def test_it_is_sent_once(browser: Browser, service: Service, clock: StillClock) -> None:
    first = browser.open("/saml2/metadata")
    assert first.headers["content-type"] == "application/samlmetadata+xml"
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    clock.advance(hours=1)
    again = browser.open("/saml2/metadata", headers={"If-None-Match": f'W/"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        upcoming = make_key("upcoming", NOW)
        service_keys.begin_rollover(session, KeyPurpose.ENCRYPTION, upcoming, NOW, account.id)
    changed = browser.open("/saml2/metadata", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_a_signed_one_is_signed_by_the_active_key(browser: Browser, service: Service) -> None:
    """As an identity provider checks it that was given our certificate by hand."""
    entity = document(browser, "/saml2/metadata?signed=true")
    assert entity[0].tag == f"{{{NS['ds']}}}Signature"
    with service.database.reading() as session:
        own = service_keys.signing_key(session)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(own.certificate, xmlsec.constants.KeyDataFormatCertDer)
    context.register_id(entity, "ID")
    context.verify(entity[0])
    consumer = entity.find(".//md:AssertionConsumerService", NS)
    assert consumer is not None
    consumer.set("Location", "https://mallory.example/")
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(own.certificate, xmlsec.constants.KeyDataFormatCertDer)
    context.register_id(entity, "ID")
    with pytest.raises(xmlsec.Error):
        context.verify(entity[0])


def test_pysaml2_reads_it(browser: Browser) -> None:
    """As an identity provider built with it does."""
    read = InMemoryMetaData(ac_factory(), browser.open("/saml2/metadata").text)
    read.load()
    (service,) = read.service(ENTITY_ID, "spsso_descriptor", "assertion_consumer_service")[BINDING_HTTP_POST]
    assert service["location"] == ACS_URL
    for use in ("signing", "encryption"):
        assert len(read.certs(ENTITY_ID, "spsso", use)) == 1


def test_nobody_can_write_it(browser: Browser) -> None:
    assert browser.post("/saml2/metadata").status_code == 405


# Each account's encryption key


def encryption_certificates(browser: Browser, path: str) -> list[bytes]:
    found = document(browser, path).iterfind(".//md:KeyDescriptor[@use='encryption']//ds:X509Certificate", NS)
    return [base64.b64decode(element.text or "") for element in found]


def test_each_account_has_a_key_of_its_own_and_the_shared_address_names_the_oldest_ones(browser: Browser) -> None:
    (contoso,) = encryption_certificates(browser, "/saml2/metadata/business")
    (fabrikam,) = encryption_certificates(browser, "/saml2/metadata/fabrikam")
    assert contoso != fabrikam
    assert encryption_certificates(browser, "/saml2/metadata") == [contoso]
    assert encryption_certificates(browser, "/saml2/metadata/business") == [contoso], "made once"


def test_the_shared_address_makes_the_oldest_accounts_key_and_no_other(browser: Browser, service: Service) -> None:
    browser.open("/saml2/metadata")
    with service.database.reading() as session:
        made = [slug for key, slug in rows.with_accounts(session) if key.purpose == KeyPurpose.ENCRYPTION]
    assert made == ["business"]


@pytest.mark.parametrize("slug", ["nobody", "A"])
def test_asking_for_an_account_that_is_not_there_makes_no_key(browser: Browser, service: Service, slug: str) -> None:
    browser.open(f"/saml2/metadata/{slug}")
    with service.database.reading() as session:
        assert [key.purpose for key, _ in rows.with_accounts(session)] == [KeyPurpose.SIGNING]


def test_a_workspace_has_a_key_once_its_metadata_is_asked_for(browser: Browser, service: Service) -> None:
    made = make_workspace(service.database, service.now(), "job-4711", timedelta(hours=1), made_by="alice")
    assert isinstance(made, Made)
    with service.database.reading() as session:
        assert [key.purpose for key, _ in rows.with_accounts(session)] == [KeyPurpose.SIGNING]
    (own,) = encryption_certificates(browser, "/w/job-4711/saml2/metadata")
    assert encryption_certificates(browser, "/w/job-4711/saml2/metadata") == [own]
    assert own not in encryption_certificates(browser, "/saml2/metadata/business")
    assert delete_workspace(service.database, "job-4711", service.now())
    with service.database.reading() as session:
        slugs = [slug for key, slug in rows.with_accounts(session) if key.purpose == KeyPurpose.ENCRYPTION]
    assert slugs == ["business"]
    assert browser.open("/w/job-4711/saml2/metadata").status_code == 404


def test_the_configuration_for_an_identity_provider_has_the_accounts_key(alice: Browser, browser: Browser) -> None:
    """Also when nothing has asked for the metadata before."""
    page = "/account-manager/business/accounts/single-sign-on/identity-provider-configuration"
    shown = "".join(alice.open(f"{page}?product=keycloak").text.split())
    (own,) = encryption_certificates(browser, "/saml2/metadata/business")
    assert base64.b64encode(own).decode()[:60] in shown.replace("&#43;", "+")
