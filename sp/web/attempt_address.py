"""Where a sign-in attempt is shown to the account's administrators.

Owns that address, for pages outside the console. Never says who may see it: the page does.
"""

from __future__ import annotations


def attempt_address(slug: str, reference: str) -> str:
    return f"/account-manager/{slug}/accounts/single-sign-on/sign-in-log/{reference}"
