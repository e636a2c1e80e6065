"""A real SimpleSAMLphp as identity provider, on loopback.

Owns its folder, its process and what it knows about service providers. Never imports the program under test, and
writes nothing outside its folder.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
from lxml import etree
from processes.program import free_port
from simplesamlphp.configuration import (
    POST,
    VERIFY_METADATA_PHP,
    Behavior,
    Certificates,
    Offer,
    Php,
    authsources_php,
    config_php,
    hosted_php,
    service_provider_php,
    trusted_metadata_php,
)
from simplesamlphp.keys import SigningKey, make_key
from simplesamlphp.packages import INSTALLED

_FOLDERS = ("config", "cert", "data", "temp", "logging", "metadata", "sessions")
_START_SECONDS = 10
_STOP_SECONDS = 5
_EMPTY = "<?php\n"


class SimpleSamlPhp:
    """One identity provider. What changes here is true of the next request that it answers."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.base_url = f"http://127.0.0.1:{port}/"
        self.entity_id = f"{self.base_url}saml2/idp/metadata.php"
        self._offer = Offer()
        self._keys: list[SigningKey] = [make_key("SimpleSAMLphp 1")]
        self._announced: SigningKey | None = None
        self._service_providers: dict[str, str] = {}
        self._write_configuration()

    # What a service provider has to know

    @property
    def sign_in_url(self) -> str:
        return f"{self.base_url}saml2/idp/SSOService.php"

    @property
    def sign_out_url(self) -> str:
        return f"{self.base_url}saml2/idp/SingleLogoutService.php"

    @property
    def certificate_pem(self) -> str:
        """Of the key that signs now."""
        return self._keys[-1].certificate_pem

    @property
    def metadata_url(self) -> str:
        return self.entity_id

    def metadata(self) -> bytes:
        """As it serves it now. Raises httpx.HTTPStatusError with its log when it cannot."""
        return httpx.get(self.metadata_url, trust_env=False).raise_for_status().content

    def idp_initiated_url(self, entity_id: str, relay_state: str = "") -> str:
        """Where a person goes who starts here to reach a service provider."""
        query = {"spentityid": entity_id} | ({"RelayState": relay_state} if relay_state else {})
        return f"{self.sign_in_url}?{urlencode(query)}"

    def idp_initiated_sign_out_url(self, return_to: str) -> str:
        """Where a person goes to be signed out here and, by LogoutRequests, at every service provider."""
        return f"{self.sign_out_url}?{urlencode({'ReturnTo': return_to})}"

    # What it has to know

    def trust(self, metadata: bytes, behavior: Behavior = Behavior()) -> None:  # noqa: B008 - it is frozen
        """Take a service provider from its metadata, read by SimpleSAMLphp's own reader."""
        entity_id = etree.fromstring(metadata).get("entityID", "")
        self._trust(entity_id, trusted_metadata_php(entity_id, metadata, behavior))

    def configure_service_provider(
        self,
        *,
        entity_id: str,
        acs_url: str,
        slo_urls: Mapping[str, str] | None = None,
        signing_certificate: str = "",
        encryption_certificate: str = "",
        behavior: Behavior = Behavior(),  # noqa: B008 - it is frozen
    ) -> None:
        """Take a service provider by hand. `slo_urls` has a URL for each binding, certificates are PEM."""
        slo = [{"Binding": binding, "Location": url} for binding, url in (slo_urls or {}).items()]
        options: dict[str, Php] = {
            "AssertionConsumerService": [{"Binding": POST, "Location": acs_url, "index": 0}],
            "SingleLogoutService": slo,
            "keys": [*_key("signing", signing_certificate), *_key("encryption", encryption_certificate)],
            **behavior.options(),
        }
        self._trust(entity_id, service_provider_php(entity_id, options))

    def forget(self, entity_id: str) -> None:
        """It does not know this service provider any more."""
        del self._service_providers[entity_id]
        self._write_service_providers()

    def offer(self, offer: Offer) -> None:
        """What its metadata offers from now on."""
        self._offer = offer
        self._write_hosted()

    def verifies_metadata(self, metadata: bytes, certificate_pem: str) -> bool:
        """Whether its own reader finds that this certificate's key signed a service provider's metadata."""
        self._write("cert/pinned.pem", certificate_pem)
        command = ["php", "-d", "error_reporting=0", "-r", VERIFY_METADATA_PHP, str(INSTALLED)]
        done = subprocess.run(command, env=_environment(self.folder), input=metadata, capture_output=True, check=False)
        assert (done.returncode, done.stdout) in {(0, b"yes"), (0, b"no")}, done.stdout + done.stderr
        return done.stdout == b"yes"

    # Rollover

    def announce_certificate(self) -> str:
        """Publish the next key's certificate beside the current one, which goes on signing. The new one, PEM."""
        self._announced = make_key(f"SimpleSAMLphp {len(self._keys) + 1}")
        self._write_hosted()
        return self._announced.certificate_pem

    def roll_over(self) -> str:
        """Sign with the announced key from now on, or a new one that nobody announced. Its certificate, PEM."""
        self._keys.append(self._announced or make_key(f"SimpleSAMLphp {len(self._keys) + 1}"))
        self._announced = None
        self._write_hosted()
        return self.certificate_pem

    # For whoever looks into a failure

    @property
    def log(self) -> str:
        """What the web server printed and what SimpleSAMLphp logged."""
        files = (self.folder / "server.log", self.folder / "logging/simplesamlphp.log")
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def _trust(self, entity_id: str, entry: str) -> None:
        self._service_providers[entity_id] = entry
        self._write_service_providers()

    def _write_configuration(self) -> None:
        for name in _FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write("config/config.php", config_php(self.folder, self.base_url))
        self._write("config/authsources.php", authsources_php())
        self._write_hosted()
        self._write_service_providers()

    def _write_hosted(self) -> None:
        current = self._write_key(self._keys[-1], f"key-{len(self._keys)}")
        upcoming = self._write_key(self._announced, f"key-{len(self._keys) + 1}") if self._announced else ""
        text = hosted_php(self.entity_id, Certificates(current, upcoming), self._offer)
        self._write("metadata/saml20-idp-hosted.php", text)

    def _write_service_providers(self) -> None:
        self._write("metadata/saml20-sp-remote.php", _EMPTY + "".join(self._service_providers.values()))

    def _write_key(self, key: SigningKey, name: str) -> str:
        self._write(f"cert/{name}.key", key.private_key_pem)
        self._write(f"cert/{name}.pem", key.certificate_pem)
        return name

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")


@contextmanager
def running(folder: Path) -> Iterator[SimpleSamlPhp]:
    """Start one in `folder`, which has to be empty, and stop it at the end."""
    port = free_port()
    identity_provider = SimpleSamlPhp(folder, port)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            _command(folder, port),
            env=_environment(folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(process, port, identity_provider)
        yield identity_provider
    finally:
        _stop(process)


def _command(folder: Path, port: int) -> list[str]:
    settings = {
        "opcache.enable": "0",  # it would go on with a configuration that a story has changed
        "display_errors": "0",
        "session.save_path": f"{folder}/sessions",
        "sys_temp_dir": f"{folder}/temp",
    }
    options = [f"-d{name}={value}" for name, value in settings.items()]
    return ["php", *options, "-S", f"127.0.0.1:{port}", "-t", str(INSTALLED / "www")]


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {"SIMPLESAMLPHP_CONFIG_DIR": str(folder / "config"), "TMPDIR": str(folder / "temp")}


def _wait_for(process: subprocess.Popen[bytes], port: int, identity_provider: SimpleSamlPhp) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError(f"SimpleSAMLphp did not start:\n{identity_provider.log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _key(use: str, certificate_pem: str) -> list[Php]:
    if not certificate_pem:
        return []
    base64 = "".join(certificate_pem.split("-----")[2].split())
    return [
        {
            "type": "X509Certificate",
            "signing": use == "signing",
            "encryption": use == "encryption",
            "X509Certificate": base64,
        }
    ]
