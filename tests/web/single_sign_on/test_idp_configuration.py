"""The page with what the identity provider has to be told, and its files."""

from __future__ import annotations

import json

import pytest
from browser import Browser
from cast import ENTITY_ID

from sp.flows.idp_config import Product

PAGE = "/account-manager/business/accounts/single-sign-on/identity-provider-configuration"


def test_the_way_leads_there_from_the_saml_form(alice: Browser, connected: object) -> None:  # noqa: ARG001
    alice.open("/account-manager/business/accounts/single-sign-on")
    assert alice.html.xpath("//section[@id='saml']//a[@href=$page]", page=PAGE)


@pytest.mark.parametrize("product", Product)
def test_every_product_has_its_texts_to_copy_and_to_take_along(alice: Browser, product: Product) -> None:
    page = alice.open(PAGE, params={"product": product})
    assert page.status_code == 200
    shown = [str(code.text_content()) for code in alice.html.xpath("//pre/code")]
    copied = alice.html.xpath("//section//button/@data-copy")
    files = alice.html.xpath("//a[@download]/@href")
    assert len(shown) == len(copied) == len(files) >= 1
    for text, file in zip(shown, files, strict=True):
        answer = alice.client.get(file)
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
        assert answer.text.split() == text.split()
    assert ENTITY_ID in "".join(shown)


def test_the_chosen_product_stays_chosen(alice: Browser) -> None:
    alice.open(PAGE, params={"product": "okta"})
    assert alice.value_of("product") == "okta"


def test_a_value_that_a_format_cannot_hold_is_told_as_a_sentence(alice: Browser, connected: object) -> None:  # noqa: ARG001
    alice.open("/account-manager/business/accounts/single-sign-on")
    alice.submit("/account-manager/business/accounts/single-sign-on/saml", email_attribute='urn:"x')
    alice.open(PAGE, params={"product": "adfs"})
    assert "The attribute for Email Address holds" in alice.text()
    assert not alice.html.xpath("//pre")
    assert alice.client.get(f"{PAGE}/adfs/text-1").status_code == 404
    hostile = json.loads(alice.client.get(f"{PAGE}/keycloak/text-1").text)
    assert hostile["protocolMappers"][2]["config"]["attribute.name"] == 'urn:"x'


@pytest.mark.parametrize("path", ["/keycloak/text-0", "/keycloak/text-2", "/keycloak/text-99999999999999999999"])
def test_a_file_that_there_is_not_is_not_found(alice: Browser, path: str) -> None:
    assert alice.client.get(PAGE + path).status_code == 404


@pytest.mark.parametrize("path", ["?product=nobody", "/nobody/text-1", "/keycloak/text-x"])
def test_what_is_no_product_and_no_number_is_named(alice: Browser, path: str) -> None:
    assert alice.client.get(PAGE + path).status_code == 422


def test_charlie_sees_nothing_of_contosos(charlie: Browser) -> None:
    assert charlie.open(PAGE).status_code == 404
    assert charlie.client.get(f"{PAGE}/keycloak/text-1").status_code == 404
