"""pysaml2's identity provider, by its metadata alone: whatever was configured before, and then somebody signs in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
from processes.program import Installation
from responses import Idp

DIRECTORY = (sys.executable, "-m", "sp.demo_directory")


def ask_directory(place: Installation, command: str) -> str:
    """What the demo directory's own command line prints, for the same data folder."""
    options = ("--port", str(place.demo_port), "--data-dir", str(place.data), "--service-acs-url", place.acs_url)
    told = (*DIRECTORY, command, *options, "--service-entity-id", place.acs_url)
    return subprocess.run(
        told, env=place.environment, cwd=place.folder, check=True, stdout=subprocess.PIPE
    ).stdout.decode()


def sign_in(place: Installation) -> dict[str, object]:
    message = ask_directory(place, "response").strip()
    headers = {"Accept": "application/json"}
    answer = httpx.post(place.acs_url, data={"SAMLResponse": message}, headers=headers, timeout=30, trust_env=False)
    verdict: dict[str, object] = answer.json()
    return verdict


def test_its_metadata_is_all_that_is_needed(tmp_path: Path) -> None:
    place = Installation(tmp_path)
    with place.start("demo"):
        issuer = json.loads(ask_directory(place, "connect"))["issuer"]
        other = tmp_path / "other.pem"
        other.write_bytes(Idp.make().certificate_pem)
        wrong = place.run("configure", "--issuer", "https://wrong.example/", "--certificate", str(other))
        assert wrong.returncode == 0, wrong.stderr
        assert sign_in(place)["failed"] == ["issuer"]
        url = f"{issuer}federationmetadata/2007-06/federationmetadata.xml"
        done = place.run("import-metadata", url)
        assert (done.returncode, done.stderr) == (0, "")
        assert "and the address is followed" in done.stdout
        assert sign_in(place)["outcome"] == "accepted"
