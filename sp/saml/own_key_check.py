"""Whether a stored key pair of this service is whole: the private key is readable and is that of its certificate."""

from __future__ import annotations

import math
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key


class KeyProblem(StrEnum):
    """What is wrong with a stored key pair."""

    PRIVATE_KEY = "the private key cannot be read"
    CERTIFICATE = "the certificate cannot be read"
    MISMATCH = "the certificate is of another private key"


def key_problem(private_key: bytes, certificate: bytes) -> KeyProblem | None:
    """What is wrong with a private key (PKCS #8 in DER) and its certificate (DER), or None."""
    numbers = _private_numbers(private_key)
    if numbers is None:
        return KeyProblem.PRIVATE_KEY
    try:
        public_key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return KeyProblem.CERTIFICATE
    if not isinstance(public_key, rsa.RSAPublicKey) or public_key.public_numbers() != numbers.public_numbers:
        return KeyProblem.MISMATCH
    return None


def _private_numbers(private_key: bytes) -> rsa.RSAPrivateNumbers | None:
    """The numbers of a private key whose parts belong together, or None.

    The library's own check looks for primes, which takes 90 ms a key (measured, RSA 2048) and would hold up each start.
    That the product is the modulus of the certificate says as much about a key that was sound when it was made.
    """
    try:
        key = load_der_private_key(private_key, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, rsa.RSAPrivateKey):
        return None
    numbers = key.private_numbers()
    return numbers if _belong_together(numbers) else None


def _belong_together(numbers: rsa.RSAPrivateNumbers) -> bool:
    p, q, d = numbers.p, numbers.q, numbers.d
    return (
        p * q == numbers.public_numbers.n
        and numbers.public_numbers.e * d % math.lcm(p - 1, q - 1) == 1
        and (numbers.dmp1, numbers.dmq1) == (d % (p - 1), d % (q - 1))
        and numbers.iqmp * q % p == 1
    )
