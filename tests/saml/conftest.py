"""How the core's tests run. Owns the hypothesis profile; holds no test."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no fault of the code: what is slow is seen in `bench/verification.py`.
settings.register_profile("saml", deadline=None)
settings.load_profile("saml")
