"""Mistakes that administrators really make: message and remedy alone say what is wrong and where to change it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from journeys.diagnosis.mistake import Mistake, Scene
from journeys.diagnosis.mistakes import MISTAKES
from lxml import html
from responses import Idp


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
def test_whoever_made_the_mistake_reads_what_to_change(mistake: Mistake, open_scene: Callable[..., Scene]) -> None:
    scene = open_scene(**mistake.service)
    mistake.set_up(scene, **mistake.account)
    mistake.prepare(scene)
    verdict = mistake.told(scene, "application/json").json()
    assert verdict["outcome"] == "refused"
    assert verdict["failed"] == [mistake.code, *mistake.also], verdict["message"]
    for phrase in mistake.message:
        assert phrase in verdict["message"]
    for phrase in mistake.remedy:
        assert phrase in verdict["remedy"]
    assert mistake.by_hand or "→" in verdict["remedy"] or "`" in verdict["remedy"], "no menu, file or command is named"
    page = read(mistake.told(scene, "text/html").text)
    for phrase in (*mistake.message, *mistake.remedy):
        assert phrase in page


@pytest.mark.parametrize("idp", dict.fromkeys(mistake.idp for mistake in MISTAKES), ids=lambda idp: idp.key_name)
def test_without_a_mistake_each_of_these_identity_providers_signs_britta_in(
    idp: Idp, open_scene: Callable[..., Scene]
) -> None:
    scene, sound = open_scene(), Mistake("sound", "", "", (), (), idp=idp)
    sound.set_up(scene)
    assert sound.told(scene, "application/json").json()["outcome"] == "accepted"


def test_what_failed_besides_the_cause_stands_beside_it(open_scene: Callable[..., Scene]) -> None:
    """One entity ID fails two rows at SimpleSAMLphp: the page names one as the cause and the other as failed too."""
    scene = open_scene()
    (mistake,) = (mistake for mistake in MISTAKES if mistake.id == "entity-id-at-simplesamlphp")
    mistake.set_up(scene)
    parsed: Any = html.document_fromstring(mistake.told(scene, "text/html").text)
    assert parsed.xpath("//*[normalize-space()='Failed too']/following-sibling::*[1]/a/@href") == ["#subject"]


def read(page: str) -> str:
    """What somebody reads on a page."""
    parsed: Any = html.document_fromstring(page)
    return " ".join(parsed.text_content().split())


def test_there_are_at_least_forty_and_each_has_a_name_of_its_own() -> None:
    assert len(MISTAKES) >= 40
    assert max(Counter(mistake.id for mistake in MISTAKES).values()) == 1
    assert max(Counter(mistake.story for mistake in MISTAKES).values()) == 1
