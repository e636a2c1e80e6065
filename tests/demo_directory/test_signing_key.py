"""The signing key: made once, kept private, never replaced."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from demo_directory.browser import StillClock

from sp.demo_directory.keys import COMMON_NAME, KeyFileError, SigningKey, open_signing_key


def test_the_first_start_makes_an_rsa_2048_key_for_three_years(key_files: SigningKey, clock: StillClock) -> None:
    public_key = key_files.certificate.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    assert public_key.key_size == 2048
    assert key_files.certificate.subject.rfc4514_string() == f"CN={COMMON_NAME}"
    days = (key_files.certificate.not_valid_after_utc - clock.now).days
    assert days == 3 * 365
    assert key_files.certificate.not_valid_before_utc <= clock.now


def test_only_its_owner_may_read_the_key_file(key_files: SigningKey) -> None:
    assert key_files.key_file.stat().st_mode & 0o777 == 0o600


def test_no_other_file_is_left_behind(key_files: SigningKey) -> None:
    assert {path.name for path in key_files.key_file.parent.iterdir()} == {"key.pem", "certificate.pem"}


def test_a_second_start_uses_the_same_pair(key_files: SigningKey, clock: StillClock) -> None:
    later = clock.now + timedelta(days=400)
    again = open_signing_key(key_files.key_file, key_files.certificate_file, later)
    assert again.certificate == key_files.certificate


def test_a_lost_certificate_is_made_again_for_the_same_key(
    key_files: SigningKey, clock: StillClock, tmp_path: Path
) -> None:
    again = open_signing_key(key_files.key_file, tmp_path / "new.pem", clock.now)
    assert again.certificate.public_key() == key_files.certificate.public_key()


def test_a_broken_key_file_is_one_sentence_and_shows_nothing_of_it(clock: StillClock, tmp_path: Path) -> None:
    broken = tmp_path / "key.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    with pytest.raises(KeyFileError, match=r"not an unencrypted private key") as caught:
        open_signing_key(broken, tmp_path / "certificate.pem", clock.now)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_certificate_of_another_key_is_refused(key_files: SigningKey, clock: StillClock, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="does not belong to"):
        open_signing_key(tmp_path / "other.pem", key_files.certificate_file, clock.now)


def test_a_key_file_that_cannot_be_read_is_one_sentence(clock: StillClock, tmp_path: Path) -> None:
    (tmp_path / "key.pem").mkdir()
    with pytest.raises(KeyFileError, match="cannot be read"):
        open_signing_key(tmp_path / "key.pem", tmp_path / "certificate.pem", clock.now)
