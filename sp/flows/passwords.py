"""Passwords: hashing, checking, making.

Owns argon2 and its parameters. Never stores, logs or returns a password it was given.
"""

from __future__ import annotations

import secrets
import string
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106, section 4, second choice
_AT_ONCE = threading.BoundedSemaphore(4)  # each computation takes 64 MiB: a crowd of attempts must not take them all
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#%+:=?@")
_GENERATED_LENGTH = 16


def hash_password(password: str) -> str:
    """Waits for its turn among all that compute: call it before a transaction that keeps others from writing."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Takes as long for an unknown user name or one without a password as for a wrong password."""
    with _AT_ONCE:
        return _matches(password_hash, password)


def _matches(password_hash: str | None, password: str) -> bool:
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def generate_password() -> str:
    """A password of 16 characters that keeps the product's rule: lower-case, capital, number, special."""
    characters = [secrets.choice(group) for group in _CLASSES]
    everything = "".join(_CLASSES)
    characters += [secrets.choice(everything) for _ in range(_GENERATED_LENGTH - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


def password_fault(password: str) -> str | None:
    """What is missing from a password by the product's rule, as one sentence, or None."""
    has_classes = all(any(character in group for character in password) for group in _CLASSES[:3])
    has_special = any(not character.isalnum() for character in password)
    if len(password) >= 8 and has_classes and has_special:
        return None
    return (
        "A password needs at least 8 characters, among them a lower-case letter, a capital, a number and "
        "a special character."
    )


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe())
