"""Test suites of users: written to a folder and run by pytest in a process of their own.

Owns running them and reading what came out. Never tests anything itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What the examples in the documentation call "yours": an identity provider of the reader's own.
IDENTITY_PROVIDER = """
import base64, tempfile
from datetime import UTC, datetime
from pathlib import Path

import httpx

from sp.demo_directory.reply_url import Reply
from sp.demo_directory.responses import make_response
from sp.testing.identity_provider import Person, signing_provider

_provider = signing_provider(Path(tempfile.mkdtemp()))
METADATA = _provider.metadata().decode()

def signed_response(username, entity_id, acs_url):
    now = datetime.now(UTC)
    subject = Person(username).subject()
    return make_response(_provider, subject, Reply(acs_url, entity_id, mapped=False), now=now, authenticated_at=now)

def send_response(username, entity_id, acs_url):
    message = base64.b64encode(signed_response(username, entity_id, acs_url)).decode()
    httpx.post(acs_url, data={"SAMLResponse": message}, trust_env=False)
"""


@dataclass(frozen=True)
class Run:
    """How a run ended, and what it printed."""

    code: int
    output: str
    passed: int


def run(folder: Path, suite: str, *arguments: str) -> Run:
    """Run a suite that may import `my_identity_provider`, every warning being an error."""
    (folder / "my_identity_provider.py").write_text(IDENTITY_PROVIDER)
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=surroundings | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    output = done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", output)
    return Run(done.returncode, output, int(passed[1]) if passed else 0)


def examples(page: str) -> list[str]:
    """The Python of a page of the documentation."""
    return _FENCE.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
