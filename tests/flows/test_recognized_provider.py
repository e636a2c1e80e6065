"""A refused sign-in is explained in the words of the identity provider that it seems to come from."""

from __future__ import annotations

from house import House
from responses import Idp, form

from sp.diagnosis.remedies import GENERAL
from sp.flows.assertion_consumer import SignIn
from sp.flows.verdict import verdict
from sp.web.report_view import ReportRow, report_stages

KEYCLOAK_ID = "ID_0f3a9a52-7c1e-4b6f-9d57-3f2f1f0c9a11"


def test_the_message_gives_its_maker_away(house: House) -> None:
    sign_in = house.post(house.idp.response(audience="urn:other", response_id=KEYCLOAK_ID))
    assert not sign_in.accepted
    assert sign_in.provider == "keycloak"


def test_the_account_s_sign_in_url_gives_it_away(house: House) -> None:
    house.configure(sign_in_url="https://sso.jumpcloud.com/saml2/virtual-office")
    assert house.post(house.idp.response(audience="urn:other")).provider == "jumpcloud"


def test_a_stranger_s_message_says_nothing_about_an_account(house: House) -> None:
    house.configure(sign_in_url="https://sso.jumpcloud.com/saml2/virtual-office")
    assert house.post(Idp.make("https://idp.mallory.example/").response()).provider == GENERAL


def test_what_is_no_form_comes_from_nobody(house: House) -> None:
    assert house.post(b"", form=form(("SAMLResponse", "<"))).provider == GENERAL


def rows_of(sign_in: SignIn) -> dict[str, ReportRow]:
    stages = report_stages(sign_in.judgement.report, sign_in.provider)
    return {row.code: row for stage in stages for row in stage.rows}


def test_verdict_and_rows_speak_its_words(house: House) -> None:
    sign_in = house.post(house.idp.response(audience="urn:other", response_id=KEYCLOAK_ID))
    report = sign_in.judgement.report
    told = verdict(report, reference="", username="", provider=sign_in.provider)
    rows = rows_of(sign_in)
    assert told["remedy"].startswith("Set Clients → your client → Settings → Client ID")
    assert rows["audience"].remedy == told["remedy"]
    assert rows["signature_present"].remedy == ""  # nothing is to mend there
    unsigned = rows_of(house.post(house.idp.response(signed=None, response_id=KEYCLOAK_ID)))
    assert unsigned["signature_present"].remedy.startswith("Switch on Clients → your client")
    assert "Clients →" not in verdict(report, reference="", username="")["remedy"]
