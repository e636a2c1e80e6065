"""The sign-in log as a list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browser import Browser
from cast import BRITTA, CONTOSO_ISSUER, MALLORY, NOW
from responses import Idp, with_attribute
from web.sign_in_log.conftest import FABRIKAMS_LOG, LOG, Door

from sp.store.attempt_listing import Span
from sp.web.admin import sign_in_log
from sp.web.admin.sign_in_chart import chart_edges, chart_of


def references(browser: Browser) -> list[str]:
    found = browser.html.xpath("//table[@id='attempts']//td[@data-column='reference']")
    return [cell.text_content().strip() for cell in found]


def row_texts(browser: Browser) -> list[str]:
    found = browser.html.xpath("//table[@id='attempts']/tbody/tr")
    return [" | ".join(" ".join(cell.text_content().split()) for cell in row) for row in found]


def test_before_the_first_sign_in_it_says_what_to_do(alice: Browser) -> None:
    alice.open(LOG)
    assert "No sign-in has been tried yet" in alice.text()
    assert "http://localhost:8000/saml2" in alice.text()
    assert "SAML is off" in alice.text()
    assert alice.html.xpath("//a[contains(., 'Set up Single Sign On')]/@href") == [LOG.removesuffix("/sign-in-log")]


def test_the_newest_stands_first(alice: Browser, door: Door) -> None:
    first, second = door.accepted(), door.refused()
    alice.open(LOG)
    assert references(alice) == [second.reference, first.reference]
    assert "2 attempts" in alice.text()


def test_a_row_says_what_happened_to_whom(alice: Browser, door: Door) -> None:
    door.refused()
    alice.open(LOG)
    (row,) = row_texts(alice)
    assert "Refused | Audience | " in row
    assert f"{BRITTA.email} | {CONTOSO_ISSUER} | 192.0.2.7 | " in row


def test_a_name_that_nothing_verified_is_marked(alice: Browser, door: Door) -> None:
    mallory = Idp(CONTOSO_ISSUER, "mallorys key")
    door.post(mallory.response(now=door.clock.now, name_id=MALLORY.email))
    alice.open(LOG)
    (row,) = row_texts(alice)
    assert f"{MALLORY.email} not verified" in row


def test_it_is_reached_from_single_sign_on_and_from_the_menu(alice: Browser) -> None:
    alice.open(LOG.removesuffix("/sign-in-log"))
    assert LOG in alice.html.xpath("//nav[@aria-label='Single Sign On']//a/@href")
    assert LOG in alice.html.xpath("//nav[@aria-label='Accounts']//a/@href")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("outcome=accepted", ["ok"]),
        ("outcome=refused", ["clock", "audience"]),
        ("code=audience", ["audience"]),
        ("code=not_on_or_after", ["clock"]),
        ("code=replay", []),
        ("q=BRITTA", ["audience", "ok"]),
        ("q=another", ["clock"]),
        ("q=%25", []),
        ("q=_", []),
        ("issuer=IDP.contoso", ["clock", "audience", "ok"]),
        ("issuer=fabrikam", []),
        ("since=2030-01-31T12:30", ["clock", "audience"]),
        ("until=2030-01-31T12:30Z", ["ok"]),
        ("since=2030-01-31T13:30%2B01:00&until=2030-01-31T13:30", ["audience"]),
        ("period=hour", ["clock"]),
        ("outcome=refused&q=britta&code=audience", ["audience"]),
        ("q=%00", ["clock", "audience", "ok"]),
    ],
)
def test_the_filter(alice: Browser, door: Door, query: str, shown: list[str]) -> None:
    told = {"ok": door.accepted()}
    door.clock.advance(hours=1)
    told["audience"] = door.refused()
    door.clock.advance(hours=1)
    late = door.clock.now - timedelta(hours=2)
    told["clock"] = door.refused(now=late, audience="http://localhost:8000/saml2", name_id="another@contoso.example")
    door.clock.advance(minutes=1)
    alice.sign_in("alice@contoso.example")
    alice.open(f"{LOG}?{query}")
    assert references(alice) == [told[name].reference for name in shown]


@pytest.mark.parametrize(
    "query",
    [
        "code=nothing",
        "since=yesterday",
        "outcome=maybe",
        "before=0",
        "after=1-99999999999999999999",
        "before=x",
        "since=9999-99-99",
        "since=0001-01-01T00:00%2B23:00",
    ],
)
def test_a_filter_that_is_none_is_refused_in_words(alice: Browser, query: str) -> None:
    assert alice.open(f"{LOG}?{query}").status_code == 422


def test_what_was_typed_stays_in_the_form_and_in_the_links(
    alice: Browser, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_log, "_ON_A_PAGE", 1)
    door.refused()
    door.refused()
    alice.open(f"{LOG}?q=britta&outcome=refused&issuer=contoso")
    assert alice.html.xpath("//input[@name='q']/@value") == ["britta"]
    assert alice.html.xpath("//select[@name='outcome']/option[@selected]/@value") == ["refused"]
    (older,) = alice.html.xpath("//nav[@aria-label='Pages']//a/@href")
    assert "q=britta&outcome=refused&issuer=contoso" in older
    download = alice.html.xpath("//a[contains(@href, 'download.csv')]/@href")
    assert download == [f"{LOG}/download.csv?q=britta&outcome=refused&issuer=contoso"]


def test_nothing_matches(alice: Browser, door: Door) -> None:
    door.accepted()
    alice.open(f"{LOG}?q=nobody")
    assert "No attempt matches" in alice.text()


def test_pages_lead_there_and_back(alice: Browser, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_log, "_ON_A_PAGE", 2)
    made = [door.refused().reference for _ in range(5)][::-1]
    alice.open(LOG)
    seen = [references(alice)]
    while older := alice.html.xpath("//nav[@aria-label='Pages']//a[contains(., 'Older')]/@href"):
        alice.open(LOG + older[0])
        seen.append(references(alice))
    assert seen == [made[:2], made[2:4], made[4:]]
    back = []
    while newer := alice.html.xpath("//nav[@aria-label='Pages']//a[contains(., 'Newer')]/@href"):
        alice.open(LOG + newer[0])
        back.append(references(alice))
    assert back == [made[2:4], made[:2]]
    assert "2 of 5 attempts" in alice.text()


def test_only_the_first_page_is_live(alice: Browser, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_log, "_ON_A_PAGE", 1)
    door.refused()
    door.refused()
    alice.open(LOG)
    assert alice.html.xpath("//*[@data-live]")
    alice.open(LOG + alice.html.xpath("//nav[@aria-label='Pages']//a/@href")[0])
    assert not alice.html.xpath("//*[@data-live]")


def test_a_page_whose_rows_are_gone_leads_to_the_first(alice: Browser, door: Door) -> None:
    made = door.refused()
    alice.open(f"{LOG}?before=1-1")
    assert references(alice) == [made.reference]


def test_a_reference_leads_to_its_attempt(alice: Browser, door: Door) -> None:
    made = door.refused()
    page = alice.open(f"{LOG}?q=%20{made.reference.lower()}")
    assert page.url.path == f"{LOG}/{made.reference}"


def test_charlie_does_not_find_contosos_attempt_by_its_reference(charlie: Browser, door: Door) -> None:
    made = door.refused()
    assert charlie.open(f"{FABRIKAMS_LOG}?q={made.reference}").url.path == FABRIKAMS_LOG
    assert charlie.open(f"{FABRIKAMS_LOG}/{made.reference}").status_code == 404
    assert charlie.open(f"{LOG}/{made.reference}").status_code == 404
    assert charlie.open(LOG).status_code == 404


def test_with_two_companies_an_unknown_issuer_is_nobodys_to_see(alice: Browser, charlie: Browser, door: Door) -> None:
    made = door.post(Idp.make("https://nobody.example/").response())
    for browser, log in ((alice, LOG), (charlie, FABRIKAMS_LOG)):
        browser.open(log)
        assert references(browser) == []
        assert browser.open(f"{log}/{made.reference}").status_code == 404


def test_hostile_values_are_text(alice: Browser, door: Door) -> None:
    name = "<script>alert(1)</script>\u202eevil\u200b "
    door.refused(name_id=name)
    alice.open(LOG)
    assert "<script>alert" not in alice.page.text
    assert "\u202e<" not in alice.page.text
    assert alice.html.xpath("//td[@data-column='user']//span[@data-mark='\\u202e']")


def test_a_long_issuer_is_folded(alice: Browser, door: Door) -> None:
    door.refused(mutate=with_attribute(".", "Destination", "x"))
    alice.open(LOG)
    assert alice.page.status_code == 200


def test_the_chart_tells_its_numbers_in_words(alice: Browser, door: Door) -> None:
    door.accepted()
    door.refused()
    door.refused()
    alice.open(LOG)
    (label,) = alice.html.xpath("//figure//*[@role='img']/@aria-label")
    assert label == "1 accepted, 2 refused. The most, 3, from 2030-01-31 12:00:00 UTC."


class TestChart:
    def test_without_a_range_it_is_the_last_24_hours(self) -> None:
        edges = chart_edges(None, None, NOW + timedelta(minutes=20))
        assert edges[0] == NOW - timedelta(hours=24)
        assert edges[-1] == NOW + timedelta(hours=1)
        assert len(edges) == 26

    @pytest.mark.parametrize(
        ("days", "per"), [(1, "hour"), (2, "hour"), (7, "6 hours"), (30, "day"), (200, "week"), (3650, "77 days")]
    )
    def test_longer_ranges_have_longer_bars(self, days: int, per: str) -> None:
        edges = chart_edges(NOW - timedelta(days=days), NOW, NOW)
        assert edges[0] <= NOW - timedelta(days=days)
        assert edges[-1] >= NOW
        assert len(edges) <= 50
        assert chart_of([Span(edges[0], edges[1], 0, 0)]).per == per

    def test_a_range_that_ends_before_it_begins_is_empty(self) -> None:
        assert len(chart_edges(NOW, NOW - timedelta(days=1), NOW)) == 2

    def test_one_sign_in_among_thousands_is_still_seen(self) -> None:
        chart = chart_of([Span(NOW, NOW, 5000, 0), Span(NOW, NOW, 0, 1)])
        assert chart.bars[1].refused_height >= 2
        assert chart.bars[0].accepted_y == pytest.approx(0, abs=0.1)

    def test_without_any_there_is_nothing_to_draw(self) -> None:
        chart = chart_of([Span(NOW, NOW, 0, 0)])
        assert chart.bars[0].accepted_height == chart.bars[0].refused_height == 0
        assert chart.summary == "No sign-in was tried."
