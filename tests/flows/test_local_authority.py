"""A certificate for another name: made once, renewed in time, and vouched for by an authority that can do no more."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cast import NOW
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from sp.flows.local_authority import (
    OTHER_NAME,
    RENEWED_BEFORE,
    VALIDITY,
    Files,
    LocalAuthorityError,
    ensure,
    first_name,
)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path / "tls")
    assert ensure(made, OTHER_NAME, NOW).made
    return made


def test_a_browser_that_trusts_the_authority_trusts_the_server(files: Files) -> None:
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    server, *chain = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    assert chain == [authority]
    for name in (OTHER_NAME, "localhost"):
        policy = PolicyBuilder().store(Store([authority])).time(NOW.replace(tzinfo=None))
        policy.build_server_verifier(x509.DNSName(name)).verify(server, [])
    key = load_pem_private_key(files.key.read_bytes(), password=None)
    assert key.public_key() == server.public_key()


def test_the_authority_can_vouch_for_nothing_else(files: Files) -> None:
    """Somebody who steals the folder finds no key that signs certificates, and the names are bound all the same."""
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [name.value for name in constraints.value.permitted_subtrees or []] == [OTHER_NAME, "localhost"]
    assert sorted(file.name for file in files.folder.iterdir()) == ["authority.pem", "server-key.pem", "server.pem"]
    key = load_pem_private_key(files.key.read_bytes(), password=None)
    assert key.public_key() != authority.public_key()


def test_the_key_is_for_its_owner_only(files: Files) -> None:
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


def test_what_still_holds_is_kept(files: Files) -> None:
    before = files.key.read_bytes()
    assert not ensure(files, OTHER_NAME, NOW + VALIDITY - RENEWED_BEFORE - timedelta(days=1)).made
    assert files.key.read_bytes() == before


def test_a_month_before_its_end_it_is_renewed(files: Files) -> None:
    renewed = ensure(files, OTHER_NAME, NOW + VALIDITY - RENEWED_BEFORE)
    assert renewed.made
    assert renewed.not_after == NOW + VALIDITY - RENEWED_BEFORE + VALIDITY


@pytest.mark.parametrize("harm", ["another host", "no key", "no certificate in the file"])
def test_what_does_not_hold_is_made_again(files: Files, harm: str) -> None:
    if harm == "no key":
        files.key.unlink()
    elif harm == "no certificate in the file":
        files.certificate.write_text("harmed")
    host = "acme.8x8pilot.com" if harm == "another host" else OTHER_NAME
    assert ensure(files, host, NOW).made
    assert first_name(files.certificate) == host


@pytest.mark.parametrize(
    "host", ["", "SSO.8x8.com", "sso.8x8.com/", "a b", "*.8x8.com", "-a.com", "ä.example", "a" * 64]
)
def test_a_host_that_is_no_name_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(LocalAuthorityError, match="DNS name"):
        ensure(Files(tmp_path / "tls"), host, NOW)
    assert not (tmp_path / "tls").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(LocalAuthorityError, match="tls cannot be used"):
        ensure(Files(tmp_path / "file" / "tls"), OTHER_NAME, NOW)
