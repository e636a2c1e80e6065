"""Two attempts side by side, and the form that leads there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browser import Browser
from cast import CONTOSO_ISSUER, MALLORY
from responses import Idp, form
from web.sign_in_log.conftest import FABRIKAMS_LOG, LOG, Door

from sp.flows.assertion_consumer import SignIn

HOSTILE = "<img src=x onerror=alert(1)>\u202etxt.exe\u2066\u200b"


def compared(browser: Browser, a: SignIn, b: SignIn, more: str = "") -> Browser:
    browser.open(f"{LOG}/compare?a={a.reference}&b={b.reference}{more}")
    assert browser.page.status_code == 200
    return browser


def lines(browser: Browser) -> dict[str, tuple[str, str]]:
    """Both sides by the name of the fact."""
    found = {}
    for row in browser.html.xpath("//main//tbody/tr"):
        what, a, b, _ = (" ".join(cell.text_content().split()) for cell in row.xpath("./td"))
        found[what] = (a, b)
    return found


def test_two_good_sign_ins_differ_in_nothing(alice: Browser, door: Door) -> None:
    compared(alice, door.accepted(), door.accepted())
    assert "Nothing differs in meaning." in alice.text()
    assert lines(alice) == {}


def test_everything_is_there_on_demand(alice: Browser, door: Door) -> None:
    compared(alice, door.accepted(), door.accepted())
    (link,) = alice.html.xpath("//a[normalize-space()='Show all']/@href")
    alice.open(link)
    assert lines(alice)["Settings in force"] == ("version 2", "version 2")
    assert alice.html.xpath("//a[normalize-space()='Show differences only']")


def test_only_what_differs_is_listed_with_the_difference_marked(alice: Browser, door: Door) -> None:
    good, bad = door.accepted(), door.refused(audience="http://localhost:8000/saml2/")
    found = lines(compared(alice, good, bad))
    assert found["Outcome"] == ("accepted", "refused")
    assert set(found) == {"Outcome", "Audience"}  # the check, and the fact of the same name
    assert [mark.text_content().strip() for mark in alice.html.xpath("//mark")][-1] == "/"


def test_what_nobody_signed_is_said_to_be_unverified(alice: Browser, door: Door) -> None:
    mallory = Idp(CONTOSO_ISSUER, "mallorys key")
    found = lines(compared(alice, door.accepted(), door.post(mallory.response(name_id=MALLORY.email))))
    assert found["NameID"][1] == f"{MALLORY.email} not verified"
    assert "not verified" not in found["NameID"][0]


def test_the_form_proposes_the_last_good_one_of_the_same_user(alice: Browser, door: Door) -> None:
    good = door.accepted()
    other = door.accepted(name_id="bob@contoso.example")
    bad = door.refused()
    alice.open(f"{LOG}/{bad.reference}")
    (chosen, *rest) = alice.html.xpath("//select[@name='b']/option")
    assert chosen.get("value") == good.reference
    assert "The last accepted one of the same user" in chosen.text_content()
    assert [option.get("value") for option in rest] == [other.reference]


def test_somebody_elses_good_one_is_proposed_where_the_user_has_none(alice: Browser, door: Door) -> None:
    good = door.accepted(name_id="bob@contoso.example")
    bad = door.refused()
    alice.open(f"{LOG}/{bad.reference}")
    (chosen,) = alice.html.xpath("//select[@name='b']/option")
    assert chosen.get("value") == good.reference
    assert "The last accepted one of this account" in chosen.text_content()


def test_a_reference_may_be_typed_in_small_letters(alice: Browser, door: Door) -> None:
    a, b = door.accepted(), door.refused()
    alice.open(f"{LOG}/compare?a={a.reference}&b=&typed=+{b.reference.lower()}+")
    assert str(alice.page.url).endswith(f"/compare?a={a.reference}&b={b.reference}")
    assert alice.page.status_code == 200


@pytest.mark.parametrize("asked", ["?a=AAAAAAAA&b=AAAAAAAA", "?a=x&b=y", "?a=%00&b=%00", "?a=1&typed=%0d%0aX:y"])
def test_an_attempt_that_is_not_there_is_404(alice: Browser, door: Door, asked: str) -> None:
    door.accepted()
    assert alice.open(f"{LOG}/compare{asked}").status_code == 404


def test_another_companys_attempt_is_404_on_either_side(alice: Browser, charlie: Browser, door: Door) -> None:
    a, b = door.accepted(), door.accepted()
    asked = f"compare?a={a.reference}&b={b.reference}"
    assert alice.open(f"{LOG}/{asked}").status_code == 200
    assert charlie.open(f"{LOG}/{asked}").status_code == 404
    assert charlie.open(f"{FABRIKAMS_LOG}/{asked}").status_code == 404


def test_an_attempt_of_no_account_is_not_shown_where_there_are_two_companies(alice: Browser, door: Door) -> None:
    a, stray = door.accepted(), door.post(Idp.make("https://nobody.example/").response())
    assert alice.open(f"{LOG}/compare?a={a.reference}&b={stray.reference}").status_code == 404


def test_a_reference_that_is_too_long_is_a_sentence(alice: Browser, door: Door) -> None:
    door.accepted()
    assert alice.open(f"{LOG}/compare?a={'A' * 999}&b=B").status_code == 422


def test_what_cannot_be_read_compares_by_its_verdict(lone_alice: Browser, lone_door: Door) -> None:
    good, bad = lone_door.accepted(), lone_door.post(form=form(("SAMLResponse", "garbage!")))
    found = lines(compared(lone_alice, good, bad))
    assert found["What was posted"] == ("a SAML 2.0 Response", "nothing that can be read as XML")
    assert "NameID" not in found


def test_hostile_values_are_shown_harmlessly(alice: Browser, door: Door) -> None:
    a = door.post(door.response(name_id=HOSTILE, attributes={HOSTILE: (HOSTILE,)}, audience=HOSTILE))
    page = compared(alice, a, door.accepted()).page.text
    assert "<img src=x" not in page
    assert not any(mark in text for text in alice.html.xpath("//main//text()") for mark in "\u202e\u200b")


def test_ten_thousand_elements_and_long_values_get_a_page(alice: Browser, door: Door) -> None:
    crowd = door.post(door.response(attributes={f"urn:{number}": ("v",) for number in range(2500)}))
    long = door.post(door.response(attributes={"urn:x": ("A" * 150_000,), "urn:y": ("B" * 299,)}))
    compared(alice, crowd, long, "&all=1")
    assert len(alice.page.content) < 2_000_000


def test_a_clock_that_is_off_is_a_length_of_time(alice: Browser, door: Door) -> None:
    good, early = door.accepted(), door.post(door.response(now=door.clock.now - timedelta(minutes=47)))
    assert lines(compared(alice, good, early))["Response issued"] == (
        "when it arrived not verified",
        "47 minutes before it arrived not verified",
    )


def test_the_bare_address_leads_to_the_log(alice: Browser, door: Door) -> None:
    door.accepted()
    assert alice.open(f"{LOG}/compare", follow_redirects=False).headers["location"] == LOG
