"""A case: a story, one deliberate flaw, and the codes that must fail, each beside its accepted control.

Owns how a case is told and run. Never holds a case itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from responses import Idp, expectations, posted, trust

from sp.saml.messages import AccountHolder, Expectations, Judgement, PostedForm
from sp.saml.validation import judge, open_form


@dataclass(frozen=True)
class Case:
    """One flaw. `given`, `held` and `account` hold for the control too; what begins with `flaw` does not.

    `given` and `flaw` are arguments of `Idp.response`, `held` and `flaw_held` of `expectations`, `account` and
    `flaw_account` of `trust`. `flaw_signer` makes the flawed message with another provider's key. `flaw_form` is how
    it is posted. No `failed` code means that the case is accepted.
    """

    id: str
    story: str
    failed: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    flaw: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict)
    flaw_held: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    flaw_account: Mapping[str, Any] = field(default_factory=dict)
    flaw_signer: Callable[[Idp], Idp] = lambda idp: idp
    flaw_form: Callable[[bytes], PostedForm] = posted
    flaw_holder: AccountHolder = AccountHolder()  # noqa: RUF009
    warnings: tuple[str, ...] = ()
    kind: str = "rsa"

    @property
    def idp(self) -> Idp:
        return Idp.make(kind=self.kind)

    def control(self) -> Judgement:
        """The same story without the flaw."""
        held = expectations(self.idp, account=trust(self.idp, **self.account), **self.held)
        return judge(open_form(posted(self.idp.response(**self.given))), held)

    @property
    def message(self) -> bytes:
        """The flawed message, made anew."""
        return self.flaw_signer(self.idp).response(**{**self.given, **self.flaw})

    @property
    def expectations(self) -> Expectations:
        """What the flawed message is held against."""
        account = trust(self.idp, **{**self.account, **self.flaw_account})
        return expectations(self.idp, account=account, **{**self.held, **self.flaw_held})

    def flawed(self) -> Judgement:
        return judge(open_form(self.flaw_form(self.message)), self.expectations, self.flaw_holder)


def check(case: Case) -> tuple[Judgement, Judgement]:
    """The control is accepted, and the flaw fails for its own reason alone. Returns both, for more questions."""
    control = case.control()
    assert control.report.accepts, (case.story, control.report.failed)
    judgement = case.flawed()
    assert judgement.error is None, (case.story, judgement.error)
    assert judgement.report.failed == case.failed, (case.story, judgement.report.failed)
    assert judgement.report.accepts is (not case.failed), case.story
    for code in case.warnings:
        assert code in judgement.report.warnings, case.story
    return control, judgement


def ids(cases: tuple[Case, ...]) -> list[str]:
    return [f"{case.id}: {case.story}" for case in cases]
