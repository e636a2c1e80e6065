"""Where there is one company only, its administrators are the operators too."""

from __future__ import annotations

from browser import Browser
from responses import Idp
from web.sign_in_log.conftest import LOG, Door


def test_an_unknown_issuer_is_shown_and_said_to_be_nobodys(lone_alice: Browser, lone_door: Door) -> None:
    made = lone_door.post(Idp.make("https://nobody.example/").response())
    lone_alice.open(LOG)
    assert "https://nobody.example/ no account" in lone_alice.text()
    assert lone_alice.open(f"{LOG}/{made.reference}").status_code == 200
    assert "it names no issuer that an account trusts" in lone_alice.text()


def test_both_kinds_stand_in_one_order(lone_alice: Browser, lone_door: Door) -> None:
    made = [
        lone_door.refused(),
        lone_door.post(Idp.make("https://nobody.example/").response()),
        lone_door.accepted(),
        lone_door.post(b"no message at all"),
    ]
    lone_alice.open(LOG)
    cells = lone_alice.html.xpath("//td[@data-column='reference']")
    assert [cell.text_content().strip() for cell in cells] == [sign_in.reference for sign_in in reversed(made)]
    assert "4 attempts" in lone_alice.text()


def test_judging_an_unknown_issuer_again_with_the_slash(lone_alice: Browser, lone_door: Door) -> None:
    """The commonest mistake: the Issuer URL was typed without the slash at its end."""
    made = lone_door.post(Idp("https://idp.contoso.example", lone_door.idp.key_name).response())
    lone_alice.open(f"{LOG}/{made.reference}")
    page = lone_alice.submit(f"{LOG}/{made.reference}/judge-again", issuer="https://idp.contoso.example")
    assert page.status_code == 200
    assert "The response is accepted" in lone_alice.text()
