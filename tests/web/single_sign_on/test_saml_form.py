"""Step two: the form "SAML Single Sign on"."""

from __future__ import annotations

import pytest
from browser import Browser
from cast import CONTOSO_ISSUER, FABRIKAM_ISSUER
from responses import Idp

from sp.flows import account_setup
from sp.flows.account_setup import Saved, SsoDraft
from sp.store import accounts
from sp.store.engine import Database
from sp.web.state import Service

PAGE = "/account-manager/business/accounts/single-sign-on"
SAVE = f"{PAGE}/saml"
GOOD = {
    "sign_in_url": "https://idp.contoso.example/sign-in",
    "sign_out_url": "https://idp.contoso.example/sign-out",
    "issuer": CONTOSO_ISSUER,
}


@pytest.fixture
def form(alice: Browser) -> Browser:
    """Alice's browser after step one."""
    alice.open(PAGE)
    alice.submit(f"{PAGE}/authentication-method", single_sign_on="on")
    return alice


def settings_in_force(database: Database, slug: str = "business") -> SsoDraft:
    with database.reading() as session:
        account = accounts.account_by_slug(session, slug)
        assert account is not None
        return account_setup.draft_of(session, account)


def test_the_labels_are_the_products(form: Browser) -> None:
    shown = [" ".join(label.text_content().split()) for label in form.html.xpath(f"//form[@action='{SAVE}']//label")]
    assert shown[:5] == [
        "Sign In URL",
        "Sign Out URL",
        "Issuer URL",
        "Identity Provider Certificate",
        "User Mapping Field",
    ]
    assert form.html.xpath("//select[@name='user_mapping']/option/text()") == ["8x8 Username", "Federation ID"]
    assert "Browse" in form.text()


def test_the_page_gives_the_services_own_values(form: Browser) -> None:
    values = form.html.xpath("//aside[@aria-label='For the identity provider']")[0]
    assert "Reply URL (Assertion Consumer Service)" in values.text_content()
    service = "http://localhost:8000/saml2"
    assert values.xpath(".//code/text()") == [service, service, f"{service}/metadata/business"]
    assert [row.text_content().strip() for row in values.xpath(".//tbody/tr/td[1]")] == [
        "SAML SSO URL",
        "Single Sign-Out Service URL",
        "Issuer URL",
        "Download certificate",
    ]


def test_the_page_says_what_the_real_service_took(form: Browser) -> None:
    assert "PEM, DER or base64. The real service took Standard PEM (.cer) only." in form.text()


def test_alice_fills_in_the_form_and_saml_is_on(form: Browser, idp: Idp, database: Database) -> None:
    form.submit(SAVE, files={"certificate": ("idp.cer", idp.certificate_pem)}, **GOOD)
    assert "The SAML settings have been saved." in form.text()
    assert "SAML is on" in form.text()
    saved = settings_in_force(database)
    assert (saved.sign_in_url, saved.sign_out_url, saved.issuer) == tuple(GOOD.values())
    assert saved.certificates == (idp.certificate,)
    assert saved.provisioning


def test_every_option_is_saved(form: Browser, idp: Idp, database: Database) -> None:
    form.submit(
        SAVE,
        files={"certificate": ("idp.cer", idp.certificate_pem)},
        user_mapping="federation-id",
        provisioning=None,
        unsolicited=None,
        allow_sha1="on",
        accept_transient="on",
        refuse_unsigned_cbc="on",
        signed_part="both",
        first_name_attribute="firstName",
        last_name_attribute="lastName",
        email_attribute="mail",
        **GOOD,
    )
    assert settings_in_force(database) == SsoDraft(
        single_sign_on=True,
        certificates=(idp.certificate,),
        user_mapping="federation-id",
        provisioning=False,
        unsolicited=False,
        allow_sha1=True,
        accept_transient=True,
        refuse_unsigned_cbc=True,
        signed_part="both",
        first_name_attribute="firstName",
        last_name_attribute="lastName",
        email_attribute="mail",
        sign_in_url=GOOD["sign_in_url"],
        sign_out_url=GOOD["sign_out_url"],
        issuer=GOOD["issuer"],
    )
    assert form.value_of("signed_part") == "both"
    assert form.value_of("email_attribute") == "mail"


def test_white_space_around_a_pasted_value_goes_away(form: Browser, idp: Idp, database: Database) -> None:
    form.submit(
        SAVE,
        files={"certificate": ("idp.cer", idp.certificate_pem)},
        issuer=f" {CONTOSO_ISSUER}\n",
        sign_in_url="\thttps://idp.contoso.example/ ",
    )
    assert settings_in_force(database).issuer == CONTOSO_ISSUER


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sign_in_url", "idp.contoso.example/sign-in", "Enter a whole URL that begins with https:// or http://."),
        ("sign_in_url", "ftp://idp.contoso.example/", "Enter a whole URL"),
        ("sign_in_url", "javascript:alert(1)", "Enter a whole URL"),
        ("sign_in_url", "https://", "Enter a whole URL"),
        ("sign_in_url", "https://britta:secret@idp.contoso.example/", "Leave the user name and password out"),
        ("sign_in_url", "https://idp.contoso.example/#top", "Leave out the part from # on."),
        ("sign_in_url", "https://idp.contoso.example/a b", "no white space"),
        ("sign_in_url", "https://idp.contoso.example\\@evil.example/", "backslashes"),
        ("sign_in_url", "https://idp.contoso.example:99999/", "not a URL"),
        ("sign_in_url", "https://[::1", "not a URL"),
        ("sign_in_url", "https://idp.contoso.example/" + "x" * 2048, "at most 2048 characters"),
        ("sign_out_url", "not a url", "Enter a whole URL"),
        ("issuer", "contoso", "Enter the identity provider's entity ID"),
        ("issuer", "urn:" + "x" * 1021, "at most 1024 characters; this one has 1025"),
        ("issuer", "javascript:alert(1)", "script or data address"),
        ("issuer", "http://localhost:8000/saml2", "This is this service's own address."),
        ("user_mapping", "email", "Choose one of"),
        ("signed_part", "nothing", "Choose one of"),
        ("first_name_attribute", "", "Enter the exact Name of the attribute"),
        ("last_name_attribute", "x" * 1025, "at most 1024 characters"),
        ("email_attribute", "ma\x00il", "no line breaks or control characters"),
    ],
)
def test_one_wrong_field_is_refused_in_place(
    form: Browser, idp: Idp, database: Database, name: str, value: str, sentence: str
) -> None:
    before = settings_in_force(database)
    fields = {**GOOD, name: value}
    page = form.submit(SAVE, files={"certificate": ("idp.cer", idp.certificate_pem)}, **fields)
    assert page.status_code == 422
    assert sentence in form.error_at(name)
    assert form.html.xpath("//*[@id='error-summary']//a/@href") == [f"#field-{name}"]
    assert form.html.get_element_by_id(f"field-{name}").get("aria-invalid") == "true"
    assert settings_in_force(database) == before


@pytest.mark.parametrize("issuer", ["https://sts.windows.net/0000/", "urn:contoso:idp", "https://idp/a?b=c#d", "x:y"])
def test_an_issuer_may_be_any_uri(form: Browser, idp: Idp, database: Database, issuer: str) -> None:
    form.submit(SAVE, files={"certificate": ("idp.cer", idp.certificate_pem)}, **(GOOD | {"issuer": issuer}))
    assert settings_in_force(database).issuer == issuer


def test_what_was_typed_stays(form: Browser) -> None:
    form.submit(SAVE, sign_in_url="nonsense <b>", sign_out_url="https://idp/out", issuer="urn:x", allow_sha1="on")
    assert form.value_of("sign_in_url") == "nonsense <b>"
    assert form.value_of("sign_out_url") == "https://idp/out"
    assert form.value_of("issuer") == "urn:x"
    assert form.html.get_element_by_id("field-allow_sha1").get("checked") is not None


def test_all_faults_are_told_at_once_in_the_forms_order(form: Browser) -> None:
    form.submit(SAVE, sign_in_url="x", sign_out_url="y", email_attribute="")
    assert form.html.xpath("//*[@id='error-summary']//a/@href") == [
        "#field-sign_in_url",
        "#field-sign_out_url",
        "#field-issuer",
        "#field-certificate",
        "#field-email_attribute",
    ]
    assert form.html.xpath("//details[@class='options']/@open"), "an error in a folded part would be hidden"


def test_saml_needs_an_issuer_and_a_certificate(form: Browser) -> None:
    page = form.submit(SAVE)
    assert page.status_code == 422
    assert "SAML needs the Issuer URL" in form.error_at("issuer")
    assert "SAML needs the identity provider's certificate" in form.error_at("certificate")


def test_an_issuer_belongs_to_one_account(form: Browser, idp: Idp, service: Service) -> None:
    """Otherwise a response could be for either account; whose it is already is not told."""
    other = Idp.make(FABRIKAM_ISSUER)
    with service.database.writing() as session:
        fabrikam = accounts.account_by_slug(session, "fabrikam")
        assert fabrikam is not None
        draft = SsoDraft(single_sign_on=True, issuer=FABRIKAM_ISSUER, certificates=(other.certificate,))
        saved = account_setup.save_sso_settings(
            session, service.settings, fabrikam, draft, saved_by="charlie", now=service.now()
        )
        assert isinstance(saved, Saved)
    fields = GOOD | {"issuer": FABRIKAM_ISSUER}
    form.submit(SAVE, files={"certificate": ("idp.cer", idp.certificate_pem)}, **fields)
    assert "Ask the operator" in form.error_at("issuer")
    assert "Fabrikam" not in form.text()


def test_markup_in_a_value_stays_text(form: Browser, idp: Idp) -> None:
    issuer = "urn:<script>alert(1)</script>"
    form.submit(SAVE, files={"certificate": ("idp.cer", idp.certificate_pem)}, **(GOOD | {"issuer": issuer}))
    assert "<script>alert" not in form.page.text
    assert issuer in form.text()
