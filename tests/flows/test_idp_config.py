"""What identity providers are told: each value where the product looks for it, and none that is more than a value."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from cast import ACS_URL, ENTITY_ID
from house import House
from lxml import etree

from sp.flows.idp_config import Configuration, Product, ServiceFacts, Unwritable, configuration
from sp.flows.idp_config.facts import service_facts
from sp.flows.idp_config.parts import EMAIL_FORMAT, PERSISTENT_FORMAT
from sp.saml.certificates import read_certificate
from sp.saml.messages import AttributeNames, SignedPart
from sp.store import accounts

NAMES = AttributeNames("urn:given", "urn:family", "mail")
HOSTILE = "urn:x:'\"\\</a>&;$(id)`id`${x}#{y}%{z}\u2019{{a}}: - *b"
SPRING = {"namespaces": "xmlns:c='c' xmlns:p='p' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"}


@pytest.fixture
def facts(house: House) -> ServiceFacts:
    """Of an account with names of its own that signs its requests and wants everything signed."""
    house.configure(
        sign_requests=True,
        signed_part=SignedPart.BOTH,
        name_id_policy=PERSISTENT_FORMAT,
        first_name_attribute=NAMES.first_name,
        last_name_attribute=NAMES.last_name,
        email_attribute=NAMES.email,
    )
    return facts_of(house)


def facts_of(house: House) -> ServiceFacts:
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return service_facts(session, house.settings, account)


def texts(product: Product, facts: ServiceFacts) -> list[str]:
    made = configuration(product, facts)
    assert isinstance(made, Configuration), made
    return [part.text for part in made.parts]


def text(product: Product, facts: ServiceFacts) -> str:
    [only] = texts(product, facts)
    return only


def data(product: Product, facts: ServiceFacts) -> Any:
    return json.loads(text(product, facts))


def test_the_facts_are_the_accounts_and_hold_no_private_key(house: House, facts: ServiceFacts) -> None:
    assert (facts.entity_id, facts.acs_url, facts.attributes) == (ENTITY_ID, ACS_URL, NAMES)
    assert (facts.signs_requests, facts.wants_signed_assertion, facts.wants_signed_response) == (True, True, True)
    assert facts.metadata_url == f"{house.settings.base_url}/saml2/metadata/business"
    assert read_certificate(facts.signing[0]).subject == "CN=localhost signing"
    for product in Product:
        assert "PRIVATE" not in "".join(texts(product, facts))


def test_an_account_that_asks_for_nothing_gets_what_most_products_send(house: House) -> None:
    assert facts_of(house).name_id_format == EMAIL_FORMAT


@pytest.mark.parametrize("product", Product)
def test_every_product_is_told_the_entity_id_and_where_to_post(product: Product, facts: ServiceFacts) -> None:
    other = replace(facts, entity_id="urn:this:service", acs_url="https://sp.example/acs")
    said = "\n".join(texts(product, other))
    assert "urn:this:service" in said
    assert "https://sp.example/acs" in said or "https://localhost" in said or facts.metadata_url in said


class TestKeycloak:
    def test_the_client_is_complete(self, facts: ServiceFacts) -> None:
        client = data(Product.KEYCLOAK, facts)
        assert (client["clientId"], client["protocol"], client["redirectUris"]) == (ENTITY_ID, "saml", [ACS_URL])
        attributes = client["attributes"]
        assert all(isinstance(value, str) for value in attributes.values())  # Keycloak keeps texts only
        assert attributes["saml_assertion_consumer_url_post"] == ACS_URL
        assert attributes["saml_single_logout_service_url_redirect"] == facts.sign_out_url
        assert attributes["saml_name_id_format"] == "persistent"
        assert (attributes["saml.assertion.signature"], attributes["saml.client.signature"]) == ("true", "true")
        assert base64.b64decode(attributes["saml.signing.certificate"]) == facts.signing[0]

    def test_the_mappers_send_what_the_account_expects(self, facts: ServiceFacts) -> None:
        mappers = data(Product.KEYCLOAK, facts)["protocolMappers"]
        sent = {one["config"]["user.attribute"]: one["config"]["attribute.name"] for one in mappers}
        assert sent == {"firstName": "urn:given", "lastName": "urn:family", "email": "mail"}
        formats = [one["config"]["attribute.nameformat"] for one in mappers]
        assert formats == ["URI Reference", "URI Reference", "Basic"]

    def test_no_scope_adds_roles(self, facts: ServiceFacts) -> None:
        """Each role would come as another Attribute element of one name."""
        assert data(Product.KEYCLOAK, facts)["defaultClientScopes"] == []


class _Blueprint(yaml.SafeLoader):
    """Reads authentik's tags as (tag, value)."""


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> tuple[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return tag, loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return tag, loader.construct_scalar(node)


_Blueprint.add_multi_constructor("!", _tagged)


def blueprint(facts: ServiceFacts) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text(Product.AUTHENTIK, facts), Loader=_Blueprint)  # noqa: S506  (a safe one)
    return loaded


class TestAuthentik:
    def test_the_provider_names_everything_it_needs(self, facts: ServiceFacts) -> None:
        entries = blueprint(facts)["entries"]
        known = {entry["id"] for entry in entries if "id" in entry}
        provider = next(entry for entry in entries if entry["model"] == "authentik_providers_saml.samlprovider")[
            "attrs"
        ]
        assert (provider["acs_url"], provider["audience"], provider["sp_binding"]) == (ACS_URL, ENTITY_ID, "post")
        assert (provider["sign_assertion"], provider["sign_response"]) == (True, True)
        assert {value for tag, value in provider["property_mappings"] if tag == "KeyOf"} <= known
        assert provider["verification_kp"] == ("KeyOf", "verification")
        assert provider["name_id_mapping"][1][1] == ["managed", "goauthentik.io/providers/saml/uid"]
        sent = [entry["attrs"]["saml_name"] for entry in entries if "saml_name" in entry["attrs"]]
        assert sent == ["urn:given", "urn:family", "mail"]


class TestOkta:
    def test_the_request_makes_a_saml_application(self, facts: ServiceFacts) -> None:
        body = data(Product.OKTA, facts)
        sign_on = body["settings"]["signOn"]
        assert body["signOnMode"] == "SAML_2_0"
        assert {sign_on[name] for name in ("ssoAcsUrl", "recipient", "destination")} == {ACS_URL}
        assert (sign_on["audience"], sign_on["subjectNameIdFormat"]) == (ENTITY_ID, PERSISTENT_FORMAT)
        assert base64.b64decode(sign_on["spCertificate"]["x5c"][0]) == facts.signing[0]
        assert [one["name"] for one in sign_on["attributeStatements"]] == ["urn:given", "urn:family", "mail"]


class TestEntra:
    def test_the_requests_lead_to_microsoft_graph_in_order(self, facts: ServiceFacts) -> None:
        requests = data(Product.ENTRA, facts)["requests"]
        assert {request["url"].split("/v1.0/")[0] for request in requests} == {"https://graph.microsoft.com"}
        assert requests[0]["url"].endswith("/instantiate")
        patched = next(one["body"] for one in requests if "identifierUris" in one["body"])
        assert (patched["identifierUris"], patched["web"]["redirectUris"]) == ([ENTITY_ID], [ACS_URL])

    def test_a_claims_policy_comes_only_for_names_that_entra_does_not_send_itself(
        self, house: House, facts: ServiceFacts
    ) -> None:
        [definition] = next(
            one["body"]["definition"] for one in data(Product.ENTRA, facts)["requests"] if "definition" in one["body"]
        )
        schema = json.loads(definition)["ClaimsMappingPolicy"]["ClaimsSchema"]
        assert [claim["SamlClaimType"] for claim in schema[1:]] == ["urn:given", "urn:family", "mail"]
        assert schema[0]["SamlNameIdFormat"] == PERSISTENT_FORMAT
        house.configure()
        assert "claimsMappingPolicies" not in text(Product.ENTRA, facts_of(house))


class TestShibboleth:
    def test_each_piece_is_sound_xml(self, facts: ServiceFacts) -> None:
        metadata, party, policy, rules, certificate = texts(Product.SHIBBOLETH, facts)
        provider = fragment(metadata)[0]
        assert provider.get("metadataURL") == f"{facts.metadata_url}?signed=true"
        assert fragment(party)[0].get("{c}relyingPartyIds") == ENTITY_ID
        assert fragment(policy)[0][0].get("value") == ENTITY_ID
        names = fragment(rules).xpath("//prop[@key='saml2.name']/text()")
        assert names == ["urn:given", "urn:family", "mail"]
        assert read_certificate(certificate.encode()).der == facts.signing[0]

    @pytest.mark.parametrize("value", ["urn:x:%{idp.home}", "urn:x:#{T(java.lang.Runtime)}", "urn:x:${idp.home}"])
    def test_a_value_that_it_would_evaluate_is_not_written(self, facts: ServiceFacts, value: str) -> None:
        refused = configuration(Product.SHIBBOLETH, replace(facts, entity_id=value))
        assert refused == Unwritable(f"The entity ID holds '{value[6:8]}', which this format cannot express.")

    def test_markup_in_a_value_stays_a_value(self, facts: ServiceFacts) -> None:
        value = "urn:x:\"/><evil a='b'&amp;\n"
        _, party, policy, _, _ = texts(Product.SHIBBOLETH, replace(facts, entity_id=value))
        assert fragment(party)[0].get("{c}relyingPartyIds") == value
        assert fragment(policy)[0][0].get("value") == value


def fragment(xml: str) -> Any:
    return etree.fromstring(f"<all {SPRING['namespaces']}>{xml}</all>")


class TestAdfs:
    def test_the_script_says_what_is_signed_and_where(self, facts: ServiceFacts) -> None:
        script = text(Product.ADFS, facts)
        assert "-SamlResponseSignature 'MessageAndAssertion'" in script
        assert "-SignedSamlRequestsRequired $true" in script
        assert 'types = ("mail", "urn:given", "urn:family")' in script
        assert ENTITY_ID in strings(script)
        assert base64.b64encode(facts.signing[0]).decode() in strings(script)

    @pytest.mark.parametrize("quote", ["'", "\u2018", "\u2019", "\u201a", "\u201b"])
    def test_no_quote_ends_a_text(self, facts: ServiceFacts, quote: str) -> None:
        """PowerShell takes the typographic ones for the plain one."""
        value = f"urn:x:{quote}; Remove-Item C:\\ -Recurse #$(id)`n"
        script = text(Product.ADFS, replace(facts, entity_id=value))
        assert value in strings(script)
        assert "Remove-Item" not in without_strings(script)

    @pytest.mark.parametrize("name", ['urn:"); issue(x', "urn:\\", "urn:a\nb"])
    def test_a_name_that_claim_rules_cannot_hold_is_not_written(self, facts: ServiceFacts, name: str) -> None:
        refused = configuration(Product.ADFS, replace(facts, attributes=replace(NAMES, email=name)))
        assert isinstance(refused, Unwritable)
        assert refused.sentence.startswith("The attribute for Email Address holds ")


# A text in single quotes as PowerShell reads it: any of its five quotes begins and ends it, two of them stand for one.
_QUOTE = "['\u2018\u2019\u201a\u201b]"
_STRING = re.compile(f"{_QUOTE}((?:[^'\u2018\u2019\u201a\u201b]|{_QUOTE}{_QUOTE})*){_QUOTE}")


def strings(script: str) -> list[str]:
    return [re.sub(f"({_QUOTE}){_QUOTE}", r"\1", found) for found in _STRING.findall(script)]


def without_strings(script: str) -> str:
    return _STRING.sub("''", script)


class TestHostileValues:
    """The entity ID is the operator's, but a company's administrator chooses the names of attributes."""

    @pytest.mark.parametrize("product", [Product.KEYCLOAK, Product.OKTA, Product.ENTRA])
    def test_json_reads_back_as_it_was(self, facts: ServiceFacts, product: Product) -> None:
        hostile = replace(facts, entity_id=HOSTILE, attributes=AttributeNames(HOSTILE, HOSTILE, HOSTILE))
        assert HOSTILE in everything(data(product, hostile))

    def test_yaml_reads_back_as_it_was(self, facts: ServiceFacts) -> None:
        hostile = replace(facts, entity_id=HOSTILE, attributes=AttributeNames(HOSTILE, HOSTILE, HOSTILE))
        provider = blueprint(hostile)["entries"][4]["attrs"]
        assert provider["audience"] == HOSTILE
        assert [entry["attrs"]["saml_name"] for entry in blueprint(hostile)["entries"][:3]] == [HOSTILE] * 3

    def test_a_list_of_values_keeps_its_lines(self, facts: ServiceFacts) -> None:
        [listed, *_] = texts(Product.GENERIC, replace(facts, entity_id="urn:x\nEntity ID:\n  urn:evil\x1b[31m"))
        assert "\n  urn:evil" not in listed
        assert "\x1b" not in listed


def everything(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [one for item in value.values() for one in everything(item)]
    return [one for item in value for one in everything(item)] if isinstance(value, list) else [value]
