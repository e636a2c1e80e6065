"""The fuzzer's rules hold for everything it starts from."""

from __future__ import annotations

import pytest

from fuzz import corpus, targets


@pytest.mark.parametrize("target", targets.TARGETS)
def test_the_rules_hold_for_the_corpus(target: str) -> None:
    made = corpus.SEEDS[target]()
    assert len(made) >= 8
    for seed in made:
        targets.TARGETS[target](seed)


def test_a_broken_rule_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody else is expected, the genuine message breaks the rule."""
    monkeypatch.setattr(targets, "NAME", "somebody@contoso.example")
    with pytest.raises(targets.BrokenRuleError, match="somebody else"):
        targets.message(corpus.messages()[0])
