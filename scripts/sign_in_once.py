"""Starts the service, signs one user in with a signed response, and stops it: whether it runs on this Python.

Usage: .venv/bin/python scripts/sign_in_once.py
"""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path

import httpx

from sp.client import Workspaces
from sp.testing.identity_provider import IdentityProvider, signing_provider
from sp.testing.office import OfficeUnderTest
from sp.testing.server import running_service

USERNAME = "britta@contoso.com"


def main() -> int:
    """0 when the sign-in was accepted."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder)) as url,
        httpx.Client(trust_env=False) as client,  # no proxy between this and the service
    ):
        office = OfficeUnderTest(url, Workspaces(url, client=client).create(), client)
        identity_provider = IdentityProvider(signing_provider(Path(folder)), office)
        office.import_metadata(identity_provider.metadata())
        sign_in = identity_provider.sign_in(USERNAME)
        accepted = sign_in.accepted and [user.username for user in office.users()] == [USERNAME]
    print(f"Python {platform.python_version()}: the sign-in was {'accepted' if accepted else 'refused'}.")
    return 0 if accepted else 1


if __name__ == "__main__":
    sys.exit(main())
