"""Whether SAML works for an account, and what is missing.

Owns the words for it. Never decides: `sp.flows.account_setup` knows what SAML needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sp.flows.account_setup import SsoDraft, missing_for_saml


@dataclass(frozen=True, slots=True)
class SamlState:
    """`chosen`: Single Sign On is ticked. `missing`: one sentence for each field that SAML still lacks."""

    chosen: bool
    missing: Mapping[str, str]
    password_sign_in: bool

    @property
    def on(self) -> bool:
        return self.chosen and not self.missing

    @property
    def locked_out(self) -> bool:
        """Neither method works: nobody but administrators can sign in."""
        return not self.on and not self.password_sign_in


def saml_state(draft: SsoDraft) -> SamlState:
    return SamlState(draft.single_sign_on, missing_for_saml(draft), draft.password_sign_in)
