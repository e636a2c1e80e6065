"""Serving https: which files, under which name and port, and whether they can be used at all.

Owns what `serve --tls` adds to the settings. Never makes a certificate: `virtual-office certificates` does.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from sp.cli.running import UNUSABLE, chosen_settings, stop
from sp.flows.local_authority import LocalAuthorityError, default_files, first_name
from sp.settings import Settings, origin

HTTPS_PORT = 443


def settings_with_tls(**overrides: Any) -> Settings:
    """The settings in force with https added.

    What they do not say: the files that `certificates` made, port 443, the certificate's first name as base URL.
    """
    settings = chosen_settings(**overrides)
    files = default_files(settings.data_dir)
    certificate = settings.tls_certificate or _made(files.certificate)
    chosen = settings.model_fields_set
    port = settings.port if "port" in chosen else HTTPS_PORT
    derived = _address(certificate, port) if port else ""  # port 0: once the system has chosen one
    base_url = settings.base_url if "base_url" in chosen else derived
    tls = {"tls_certificate": certificate, "tls_key": settings.tls_key or files.key, "port": port, "base_url": base_url}
    return chosen_settings(**overrides | tls)


def require_usable(settings: Settings) -> None:
    """Ends the command with one sentence where TLS is asked for and cannot be spoken."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    if not settings.base_url.startswith("https:"):
        stop(
            f"VIRTUAL_OFFICE_BASE_URL: must begin with https where TLS is spoken ({settings.base_url}).", code=UNUSABLE
        )
    certificate = settings.tls_certificate
    _require_readable(certificate, "VIRTUAL_OFFICE_TLS_CERTIFICATE", certificate)
    _require_readable(settings.tls_key, "VIRTUAL_OFFICE_TLS_KEY", certificate)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate, settings.tls_key)
    except ssl.SSLError:
        stop(f"{settings.tls_certificate} and {settings.tls_key} are no certificate and its open key, in PEM.")


def _require_readable(file: Path, variable: str, certificate: Path) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        belongs = f" The certificate is {certificate}." if file != certificate else ""
        stop(f"{variable}: {file} cannot be read ({error.strerror}).{belongs}")


def _made(certificate: Path) -> Path:
    if not certificate.is_file():
        stop(
            f"There is no certificate in {certificate.parent}. Make one with `virtual-office certificates`, or name "
            "your own in VIRTUAL_OFFICE_TLS_CERTIFICATE and VIRTUAL_OFFICE_TLS_KEY."
        )
    return certificate


def _address(certificate: Path, port: int) -> str:
    try:
        host = first_name(certificate)
    except LocalAuthorityError as error:
        stop(str(error))
    return origin("https", host, port)
