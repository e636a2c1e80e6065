"""Opening what was encrypted for this service: an EncryptedAssertion, or the EncryptedID of a subject.

Owns the layout and the algorithms of XML Encryption that are accepted, and what a plaintext must be. Never follows a
reference, never says why something did not open: whoever can tell a wrong key from a wrong padding can read the rest.
"""

from __future__ import annotations

import binascii
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from sp.saml import names
from sp.saml.messages import Limits
from sp.saml.own_keys import OwnKey
from sp.saml.problems import EncryptionProblem
from sp.saml.report import Fault
from sp.saml.response import misplaced_assertion
from sp.saml.values import Count, Missing, Unit, Uri
from sp.saml.xml import (
    Document,
    child,
    encoding_problem,
    first_comment,
    has_doctype,
    limit_problem,
    repeated_ids,
    schema_problem,
    text_of,
)

ENCRYPTED_KEYS = 4  # each costs one private operation for each of our keys
_BLOCK = 16  # bytes, of AES
_NONCE = 12  # bytes, of AES-GCM (XML Encryption 1.1, 5.2.4)
_TAG = 16

_KEY_BYTES = {name: int(name.rpartition("#aes")[2][:3]) // 8 for name in (*names.AES_CBC, *names.AES_GCM)}
_DIGESTS: dict[str, type[hashes.SHA1 | hashes.SHA256]] = {names.SHA1: hashes.SHA1, names.SHA256: hashes.SHA256}
_MASKS: dict[str, type[hashes.SHA1 | hashes.SHA256]] = {
    names.XENC11 + "mgf1sha1": hashes.SHA1,
    names.XENC11 + "mgf1sha256": hashes.SHA256,
}
_LIMITS = Limits()  # of a plaintext; it is smaller than the message that it came in


@dataclass(frozen=True, slots=True)
class _Transported:
    """One EncryptedKey: the bytes, and the padding that its EncryptionMethod names."""

    ciphertext: bytes
    padding: padding.OAEP


@dataclass(frozen=True, slots=True)
class _Plaintext:
    """What came out. Something always does, so that a wrong key takes the same way as a right one."""

    content: bytes
    sound: bool


def data_algorithm(encrypted: etree._Element) -> str:
    """The Algorithm of the EncryptedData's EncryptionMethod, or ''."""
    return _algorithm(child(encrypted, names.ENCRYPTED_DATA))


def encryption_problem(encrypted: etree._Element) -> Fault | None:
    """What is wrong with the layout or the algorithms of an EncryptedAssertion or EncryptedID, or None.

    Everything here can be seen without a key (SAML2int ALG; XML Encryption 1.1, 5.2 and 5.5).
    """
    data = child(encrypted, names.ENCRYPTED_DATA)
    if data is None:
        return Fault(EncryptionProblem.NO_DATA, received=Missing("EncryptedData"))
    if not _algorithm(data):
        return Fault(EncryptionProblem.NO_DATA_METHOD, received=Missing("EncryptionMethod"))
    if _algorithm(data) not in _KEY_BYTES:
        return Fault(EncryptionProblem.DATA_ALGORITHM, received=Uri(_algorithm(data)))
    if child(data, names.CIPHER_DATA, names.CIPHER_VALUE) is None:
        return Fault(EncryptionProblem.CIPHER_REFERENCE, received=Missing("CipherValue"))
    keys = list(islice(_encrypted_keys(encrypted), ENCRYPTED_KEYS + 1))
    if not keys or len(keys) > ENCRYPTED_KEYS:
        kind = EncryptionProblem.TOO_MANY_KEYS if keys else EncryptionProblem.NO_KEY
        return Fault(kind, Count(ENCRYPTED_KEYS, Unit.KEYS), Count(len(keys), Unit.KEYS))
    return next((problem for key in keys if (problem := _key_problem(key)) is not None), None)


def recipients(encrypted: etree._Element) -> tuple[bytes, ...]:
    """The certificates, in DER, that the EncryptedKeys say they are for: told by the sender, for words only."""
    found = []
    for key in islice(_encrypted_keys(encrypted), ENCRYPTED_KEYS):
        for element in islice(key.iter(names.X509_CERTIFICATE), 1):
            der = _decoded(text_of(element))
            if der is not None:
                found.append(der)
    return tuple(found)


def opened(encrypted: etree._Element, tag: str, keys: tuple[OwnKey, ...]) -> etree._Element | None:
    """The root of the one element `tag` that `encrypted` holds, parsed by itself; None for any fault whatever.

    Ask only once `encryption_problem` has found nothing. Every key is tried on every EncryptedKey. The plaintext
    passes what stages 2 and 3 ask of a document, alone: nothing of the message around it is in scope.
    """
    data = child(encrypted, names.ENCRYPTED_DATA)
    if data is None:
        return None
    found = None
    for transported in _transported(encrypted):
        for key in keys:
            plaintext = _plaintext(data, transported, key)
            root = _root(plaintext.content, tag)
            if plaintext.sound and root is not None and found is None:
                found = root
    return found


def _encrypted_keys(encrypted: etree._Element) -> Iterator[etree._Element]:
    """The EncryptedKeys in the two places where SAML puts them (Core 6.2): beside the data, or in its KeyInfo."""
    yield from encrypted.iterchildren(names.ENCRYPTED_KEY)
    info = child(encrypted, names.ENCRYPTED_DATA, names.KEY_INFO)
    if info is not None:
        yield from info.iterchildren(names.ENCRYPTED_KEY)


def _key_problem(key: etree._Element) -> Fault | None:
    algorithm = _algorithm(key)
    if not algorithm:
        return Fault(EncryptionProblem.NO_KEY_METHOD, received=Missing("EncryptionMethod"))
    if algorithm not in names.RSA_OAEP:
        return Fault(EncryptionProblem.KEY_ALGORITHM, received=Uri(algorithm))
    digest, mask = _oaep_names(key)
    if digest not in _DIGESTS:
        return Fault(EncryptionProblem.DIGEST, received=Uri(digest))
    if mask not in _MASKS:
        return Fault(EncryptionProblem.MASK, received=Uri(mask))
    if child(key, names.CIPHER_DATA, names.CIPHER_VALUE) is None:
        return Fault(EncryptionProblem.CIPHER_REFERENCE, received=Missing("CipherValue"))
    return None


def _algorithm(element: etree._Element | None) -> str:
    method = None if element is None else child(element, names.ENCRYPTION_METHOD)
    return "" if method is None else method.get("Algorithm", "")


def _oaep_names(key: etree._Element) -> tuple[str, str]:
    """Digest and mask generation function, with the defaults of XML Encryption 1.1, 5.5.2: SHA-1 for both."""
    digest = child(key, names.ENCRYPTION_METHOD, names.DIGEST_METHOD)
    mask = child(key, names.ENCRYPTION_METHOD, names.MGF)
    default = names.XENC11 + "mgf1sha1"
    fixed = mask is None or _algorithm(key) == names.RSA_OAEP_MGF1P
    return (
        names.SHA1 if digest is None else digest.get("Algorithm", ""),
        default if fixed or mask is None else mask.get("Algorithm", ""),
    )


def _transported(encrypted: etree._Element) -> Iterator[_Transported]:
    for key in islice(_encrypted_keys(encrypted), ENCRYPTED_KEYS):
        digest, mask = _oaep_names(key)
        label = child(key, names.ENCRYPTION_METHOD, names.OAEP_PARAMS)
        oaep = padding.OAEP(
            mgf=padding.MGF1(_MASKS[mask]()),
            algorithm=_DIGESTS[digest](),
            label=None if label is None else _decoded(text_of(label)),
        )
        yield _Transported(_cipher_value(key), oaep)


def _plaintext(data: etree._Element, transported: _Transported, key: OwnKey) -> _Plaintext:
    """Open the data with the transported key, or with a random one where that does not come out."""
    size = _KEY_BYTES[_algorithm(data)]
    try:
        secret = key.private_key.decrypt(transported.ciphertext, transported.padding)
    except ValueError:
        secret = b""
    fits = len(secret) == size
    secret = secret if fits else secrets.token_bytes(size)
    read = _gcm if _algorithm(data) in names.AES_GCM else _cbc
    plaintext = read(secret, _cipher_value(data))
    return _Plaintext(plaintext.content, fits and plaintext.sound)


def _gcm(secret: bytes, value: bytes) -> _Plaintext:
    if len(value) < _NONCE + _TAG:
        return _Plaintext(b"", sound=False)
    try:
        return _Plaintext(AESGCM(secret).decrypt(value[:_NONCE], value[_NONCE:], None), sound=True)
    except InvalidTag:
        return _Plaintext(b"", sound=False)


def _cbc(secret: bytes, value: bytes) -> _Plaintext:
    """The last byte counts the padding; what else is in it has no meaning (XML Encryption 1.1, 5.2)."""
    if len(value) < 2 * _BLOCK or len(value) % _BLOCK:
        return _Plaintext(b"", sound=False)
    decryptor = Cipher(algorithms.AES(secret), modes.CBC(value[:_BLOCK])).decryptor()
    padded = decryptor.update(value[_BLOCK:]) + decryptor.finalize()
    sound = 1 <= padded[-1] <= _BLOCK
    return _Plaintext(padded[: -padded[-1]] if sound else padded, sound)


def _root(content: bytes, tag: str) -> etree._Element | None:
    if encoding_problem(content) is not None or has_doctype(content):
        return None
    document = Document(content, _LIMITS)
    root = document.root
    if root is None or root.tag != tag or first_comment(root) is not None:
        return None
    if limit_problem(document) is not None or repeated_ids(document) or misplaced_assertion(root) is not None:
        return None
    return None if schema_problem(document) is not None else root


def _cipher_value(element: etree._Element) -> bytes:
    value = child(element, names.CIPHER_DATA, names.CIPHER_VALUE)
    return b"" if value is None else _decoded(text_of(value)) or b""


def _decoded(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
    except ValueError:
        return None
