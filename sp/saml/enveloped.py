"""Enveloped signatures: the layout first, then the algorithms, then cryptography, and the bytes that were digested.

Owns every rule about ds:Signature, whatever it signs. Never takes a key from the message, never runs a transform that
was not judged before, and gives out no tree: whoever wants to read what was signed parses the digested bytes.
"""

from __future__ import annotations

import binascii
import copy
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from sp.saml import names
from sp.saml.certificates import MAXIMUM_BYTES, IdpCertificate, stored_certificate
from sp.saml.errors import CertificateError
from sp.saml.problems import (
    SignatureAlgorithmProblem,
    SignaturePresentProblem,
    SignatureProblem,
    SignatureStructureProblem,
    SigningKeyProblem,
)
from sp.saml.report import NOT_REACHED, PASSED, Fault, Finding, Outcome, failed, passed_unless, warning
from sp.saml.values import Count, Fingerprint, Instant, Missing, Name, Several, Unit, Uri, names_of
from sp.saml.xml import canonical, child, parse, text_of

PREFIXES = 16  # of one InclusiveNamespaces list; the longest real ones name about ten
KEY_INFO_CERTIFICATES = 8  # looked at to explain a failure; never trusted

DIGESTS = {names.SHA256: "sha256", names.SHA384: "sha384", names.SHA512: "sha512", names.SHA1: "sha1"}
WEAK = frozenset((names.SHA1, names.RSA_SHA1, names.ECDSA_SHA1))

Hash = hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512

_RSA: dict[str, type[Hash]] = {
    names.RSA_SHA1: hashes.SHA1,
    names.RSA_SHA256: hashes.SHA256,
    names.RSA_SHA384: hashes.SHA384,
    names.RSA_SHA512: hashes.SHA512,
}
_PSS: dict[str, type[Hash]] = {
    names.PSS_SHA256: hashes.SHA256,
    names.PSS_SHA384: hashes.SHA384,
    names.PSS_SHA512: hashes.SHA512,
}
_ECDSA: dict[str, type[Hash]] = {
    names.ECDSA_SHA1: hashes.SHA1,
    names.ECDSA_SHA256: hashes.SHA256,
    names.ECDSA_SHA384: hashes.SHA384,
    names.ECDSA_SHA512: hashes.SHA512,
}
SIGNATURE_METHODS = frozenset((*_RSA, *_PSS, *_ECDSA))


@dataclass(frozen=True, eq=False)
class Enveloped:
    """A ds:Signature and its parent, which it claims to sign."""

    signature: etree._Element
    signed: etree._Element
    _parts: dict[tuple[str, ...], etree._Element] = field(default_factory=dict, repr=False)

    def part(self, *path: str) -> etree._Element:
        """The element at `path` below the Signature. Raises ValueError when the layout was not judged before."""
        if path not in self._parts:
            found = child(self.part(*path[:-1]) if len(path) > 1 else self.signature, path[-1])
            if found is None:
                raise ValueError(f"no {path[-1]} in the Signature")
            self._parts[path] = found
        return self._parts[path]

    @cached_property
    def method(self) -> str:
        return self.part(names.SIGNED_INFO, names.SIGNATURE_METHOD).get("Algorithm", "")

    @cached_property
    def digest_method(self) -> str:
        return self.part(names.SIGNED_INFO, names.REFERENCE, names.DIGEST_METHOD).get("Algorithm", "")

    @cached_property
    def digested(self) -> tuple[bytes | None, bytes]:
        """The SignatureValue, None where it is not base64, and the canonical bytes of SignedInfo that it is over.

        Raises etree.C14NError and ValueError where those have no canonical form.
        """
        prefixes = _prefixes(self.part(names.SIGNED_INFO, names.CANONICALIZATION_METHOD))
        return _base64(self.part(names.SIGNATURE_VALUE)), canonical(self.part(names.SIGNED_INFO), prefixes)

    @property
    def name(self) -> str:
        return _local(self.signed.tag)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one signature. `content` is the digested bytes, present only where everything held."""

    enveloped: Enveloped
    signing_key: Finding
    signature: Finding
    certificate: IdpCertificate | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class SigningTrust:
    """Whose signatures count, and when. `retired` certificates are there to be named, never to verify."""

    certificates: tuple[IdpCertificate, ...]
    now: datetime
    retired: tuple[IdpCertificate, ...] = ()
    allow_sha1: bool = False
    warn_before_expiry: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Signed:
    """Elements whose Signature children count, outermost first, and what those are held against."""

    elements: tuple[etree._Element, ...]
    trust: SigningTrust

    @cached_property
    def found(self) -> tuple[Enveloped, ...]:
        """The Signature children of the elements: the only ones that can count."""
        pairs = ((child, parent) for parent in self.elements for child in parent)
        return tuple(Enveloped(child, parent) for child, parent in pairs if child.tag == names.SIGNATURE)

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each signature. Costs cryptography: ask only once the structure and algorithms hold."""
        return tuple(_verdict(enveloped, self) for enveloped in self.found)

    @cached_property
    def copies(self) -> dict[Enveloped, etree._Element]:
        """The signed elements in a copy of their trees, from which Signatures may be taken: the trees stay untouched.

        An element is digested with the Signatures inside it, so whoever takes one away goes from the outside in.
        """
        copied = {root: copy.deepcopy(root) for root in self.trees}
        return {enveloped: _same_place(enveloped.signed, copied) for enveloped in self.found}

    @cached_property
    def trees(self) -> tuple[etree._Element, ...]:
        """The root of every tree that has something of the message in it."""
        return tuple(dict.fromkeys(element.getroottree().getroot() for element in self.elements))


def holds(signed: Signed) -> bool:
    """Whether there is a signature and every one has the accepted layout and algorithms and verifies."""
    if not signed.found or structure_problem(signed) or algorithm_problem(signed):
        return False
    return all(verdict.content is not None for verdict in signed.verdicts)


def covered_bytes(signed: Signed) -> bytes | None:
    """The digested bytes of the innermost signed element, where every signature holds; else None.

    No signature at all is None too: nothing checked means nothing granted. Ask only once the structure and the
    algorithms hold.
    """
    verdicts = signed.verdicts
    if not verdicts or any(verdict.content is None for verdict in verdicts):
        return None
    return verdicts[-1].content


def judge_enveloped(root: etree._Element, trust: SigningTrust) -> tuple[dict[str, Finding], etree._Element | None]:
    """The rows of stage 7 on the one signature of `root`, up to the first failure, and the root read afresh.

    For messages that are signed as a whole: a LogoutRequest, a LogoutResponse, metadata. The second value is the
    parse of the digested bytes, and None unless everything holds: only what is read from there was signed.
    """
    signed = Signed((root,), trust)
    findings: dict[str, Finding] = {}
    for code, judge in ROWS.items():
        findings[code] = judge(signed)
        if findings[code].outcome is Outcome.FAILED:
            return findings, None
    content = covered_bytes(signed)
    return findings, None if content is None else parse(content)


def signature_present(signed: Signed) -> Finding:
    if not signed.found:
        return failed(SignaturePresentProblem.MISSING, received=Missing("Signature"))
    return PASSED


def signature_structure(signed: Signed) -> Finding:
    return passed_unless(structure_problem(signed))


def signature_algorithms(signed: Signed) -> Finding:
    problem = algorithm_problem(signed)
    if problem is not None:
        return failed(*problem)
    weak = weak_algorithms(signed)
    if weak:
        return warning(SignatureAlgorithmProblem.WEAK, received=Several(tuple(map(Uri, weak))))
    return PASSED


def signing_key(signed: Signed) -> Finding:
    return _worst([verdict.signing_key for verdict in signed.verdicts])


def signature(signed: Signed) -> Finding:
    return _worst([verdict.signature for verdict in signed.verdicts])


ROWS: dict[str, Callable[[Signed], Finding]] = {
    "signature_present": signature_present,
    "signature_structure": signature_structure,
    "signature_algorithms": signature_algorithms,
    "signing_key": signing_key,
    "signature": signature,
}


def _worst(findings: list[Finding]) -> Finding:
    """Every signature present must hold, so one that fails decides, and no signature at all is a failure."""
    for outcome in (Outcome.FAILED, Outcome.NOT_REACHED, Outcome.WARNING, Outcome.PASSED):
        for finding in findings:
            if finding.outcome is outcome:
                return finding
    return failed(SignaturePresentProblem.MISSING, received=Missing("Signature"))


# Structure, judged on the tree before anything is computed: a transform that is not on the list never runs.


def structure_problem(signed: Signed) -> Fault | None:
    """What differs from the one layout that is accepted (Core 5.4, errata E91), or None."""
    every = sum(1 for tree in signed.trees for _ in tree.iter(names.SIGNATURE))
    if every != len(signed.found):
        where = names_of([_local(element.tag) for element in signed.elements])
        return Fault(SignatureStructureProblem.PLACE, where, Count(every, Unit.SIGNATURES))
    if len({enveloped.signed for enveloped in signed.found}) != len(signed.found):
        return Fault(SignatureStructureProblem.SEVERAL, Count(1, Unit.SIGNATURES))
    messages = {
        names.RESPONSE,
        names.ASSERTION,
        names.ENCRYPTED_ASSERTION,
        *(element.tag for element in signed.elements),
    }
    for enveloped in signed.found:
        hidden = next(enveloped.signature.iter(*messages), None)
        if hidden is not None:
            return Fault(SignatureStructureProblem.MESSAGE_INSIDE, received=Name(_local(hidden.tag)))
    problems = (problem for enveloped in signed.found for problem in _layout_problems(enveloped))
    return next(problems, None)


_LAYOUTS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    ((), (names.SIGNED_INFO, names.SIGNATURE_VALUE), (names.KEY_INFO,)),
    ((names.SIGNED_INFO,), (names.CANONICALIZATION_METHOD, names.SIGNATURE_METHOD, names.REFERENCE), ()),
    ((names.SIGNED_INFO, names.REFERENCE), (names.TRANSFORMS, names.DIGEST_METHOD, names.DIGEST_VALUE), ()),
    ((names.SIGNED_INFO, names.REFERENCE, names.TRANSFORMS), (names.TRANSFORM, names.TRANSFORM), ()),
    ((names.SIGNED_INFO, names.REFERENCE, names.DIGEST_METHOD), (), ()),
)


def _layout_problems(enveloped: Enveloped) -> Iterator[Fault]:
    """Every difference, in document order; a later step may rely on the earlier ones having found nothing."""
    for path, required, optional in _LAYOUTS:
        parent = enveloped.part(*path) if path else enveloped.signature
        children = tuple([child.tag for child in parent])
        if children not in {required, required + optional}:
            yield Fault(SignatureStructureProblem.LAYOUT, _locals(required), _locals(children), _local(parent.tag))
            return
    yield from _reference_problems(enveloped)
    yield from _transform_problems(enveloped)


def _reference_problems(enveloped: Enveloped) -> Iterator[Fault]:
    identifier = enveloped.signed.get("ID", "")
    uri = enveloped.part(names.SIGNED_INFO, names.REFERENCE).get("URI")
    # A reference to anything else signs something else, and this element would be read without a signature.
    if not identifier or identifier != identifier.strip() or uri != f"#{identifier}":
        received = Missing("URI") if uri is None else Uri(uri)
        yield Fault(SignatureStructureProblem.REFERENCE, Uri(f"#{identifier}"), received)


def _transform_problems(enveloped: Enveloped) -> Iterator[Fault]:
    first, second = enveloped.part(names.SIGNED_INFO, names.REFERENCE, names.TRANSFORMS)
    method = enveloped.part(names.SIGNED_INFO, names.CANONICALIZATION_METHOD)
    algorithms = (first.get("Algorithm"), second.get("Algorithm"), method.get("Algorithm"))
    for expected, received in zip((names.ENVELOPED, names.EXC_C14N, names.EXC_C14N), algorithms, strict=True):
        if received != expected:
            found = Uri(received) if received else Missing("Algorithm")
            yield Fault(SignatureStructureProblem.ALGORITHM, Uri(expected), found)
    if len(first):
        yield Fault(SignatureStructureProblem.TRANSFORM_CONTENT, received=_locals(child.tag for child in first))
    for element in (second, method):
        yield from _prefix_list_problems(element)


def _prefix_list_problems(element: etree._Element) -> Iterator[Fault]:
    tags = tuple(child.tag for child in element)
    if tags not in {(), (names.INCLUSIVE_NAMESPACES,)}:
        expected = names_of(["InclusiveNamespaces"])
        problem = SignatureStructureProblem.CANONICALIZATION_CONTENT
        yield Fault(problem, expected, _locals(tags), _local(element.tag))
    elif len(_prefixes(element)) > PREFIXES:
        limit, count = Count(PREFIXES, Unit.PREFIXES), Count(len(_prefixes(element)), Unit.PREFIXES)
        yield Fault(SignatureStructureProblem.TOO_MANY_PREFIXES, limit, count)


def _prefixes(element: etree._Element) -> tuple[str, ...]:
    return tuple(element[0].get("PrefixList", "").split()) if len(element) else ()


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _locals(tags: Iterable[object]) -> Several:
    return names_of([_local(tag) for tag in islice(tags, 12)])


# Algorithms, judged on the tree too: none with a secret, since a public key as an HMAC secret is no secret.


def algorithm_problem(signed: Signed) -> Fault | None:
    """The first algorithm that is not accepted (SAML2int ALG01), SHA-1 only with the account's leave; or None."""
    for enveloped in signed.found:
        method = enveloped.part(names.SIGNED_INFO, names.SIGNATURE_METHOD)
        if len(method):
            return Fault(SignatureAlgorithmProblem.PARAMETERS, received=_locals(child.tag for child in method))
        for algorithm, known in (
            (enveloped.method, SIGNATURE_METHODS),
            (enveloped.digest_method, DIGESTS),
        ):
            if algorithm not in known or (algorithm in WEAK and not signed.trust.allow_sha1):
                return Fault(SignatureAlgorithmProblem.NOT_ACCEPTED, received=Uri(algorithm))
    return None


def weak_algorithms(signed: Signed) -> tuple[str, ...]:
    """The SHA-1 algorithms in use, each once."""
    used = (name for enveloped in signed.found for name in (enveloped.method, enveloped.digest_method))
    return tuple(dict.fromkeys(name for name in used if name in WEAK))


# Cryptography.


def _verdict(enveloped: Enveloped, signed: Signed) -> Verdict:
    """Find the certificate whose key made the SignatureValue, then digest what it refers to.

    SignedInfo is small. What it refers to may be made expensive to canonicalize, by anybody: so that is done only for
    a value that a key of the account did make, and once.
    """
    certificates = [certificate for certificate in signed.trust.certificates if not certificate.weakness]
    signer = next((certificate for certificate in certificates if _value_verifies(enveloped, certificate)), None)
    if signer is None:
        return _explained(enveloped, certificates, signed.trust)
    return _covered(enveloped, signer, signed)


def _covered(enveloped: Enveloped, certificate: IdpCertificate, signed: Signed) -> Verdict:
    """The verdict on a signature whose value holds: whether what it refers to has the digest that it says."""
    content = _digested_bytes(enveloped, signed)
    key = key_finding(certificate, signed.trust)
    if content is None or not _digest_agrees(enveloped, content):
        return Verdict(enveloped, key, _digest_failed(enveloped), certificate)
    return Verdict(enveloped, key, PASSED, certificate, content)


def _digested_bytes(enveloped: Enveloped, signed: Signed) -> bytes | None:
    """The canonical bytes of the signed element without its Signature; None where there is no such form."""
    element = signed.copies[enveloped]
    signature = child(element, names.SIGNATURE)
    if signature is not None:
        _remove_keeping_tail(element, signature)
    transform = enveloped.part(names.SIGNED_INFO, names.REFERENCE, names.TRANSFORMS)[1]
    try:
        return canonical(element, _prefixes(transform))
    except (etree.C14NError, ValueError):
        return None


def _same_place(element: etree._Element, copied: dict[etree._Element, etree._Element]) -> etree._Element:
    """The counterpart of an element in the copy of its tree."""
    above = [element, *element.iterancestors()]
    found = copied[above[-1]]
    for parent, below in reversed([(parent, below) for below, parent in itertools.pairwise(above)]):
        found = found[parent.index(below)]
    return found


def _remove_keeping_tail(parent: etree._Element, child: etree._Element) -> None:
    """The text after a removed Signature belongs to the signed element, and lxml would take it along."""
    tail, previous = child.tail or "", child.getprevious()
    parent.remove(child)
    if previous is None:
        parent.text = (parent.text or "") + tail
    else:
        previous.tail = (previous.tail or "") + tail


def _digest_agrees(enveloped: Enveloped, content: bytes) -> bool:
    stated = _base64(enveloped.part(names.SIGNED_INFO, names.REFERENCE, names.DIGEST_VALUE))
    return hashlib.new(DIGESTS[enveloped.digest_method], content).digest() == stated


def _base64(element: etree._Element) -> bytes | None:
    try:
        return binascii.a2b_base64("".join(text_of(element).split()).encode("ascii"), strict_mode=True)
    except ValueError:
        return None


# Findings.


def key_finding(certificate: IdpCertificate, trust: SigningTrust) -> Finding:
    """Pinned keys hold beyond the dates in their certificate (SAML2 MDIOP), but somebody should hear of it."""
    if trust.now >= certificate.not_after:
        return _dated(SigningKeyProblem.EXPIRED, Instant(certificate.not_after), certificate)
    if trust.now < certificate.not_before:
        return _dated(SigningKeyProblem.NOT_YET_VALID, Instant(certificate.not_before), certificate)
    if certificate.not_after - trust.now <= trust.warn_before_expiry:
        days = Count(certificate.days_left(trust.now), Unit.DAYS)
        return _dated(SigningKeyProblem.EXPIRES_SOON, days, certificate)
    return PASSED


def _dated(problem: SigningKeyProblem, when: Instant | Count, certificate: IdpCertificate) -> Finding:
    return warning(problem, received=Several((when, fingerprint_of(certificate))))


def fingerprint_of(certificate: IdpCertificate) -> Fingerprint:
    """The certificate as a value of a finding."""
    return Fingerprint(certificate.fingerprint, certificate.subject)


def _digest_failed(enveloped: Enveloped) -> Finding:
    return failed(SignatureProblem.DIGEST, Name(enveloped.name))


def _explained(enveloped: Enveloped, certificates: list[IdpCertificate], trust: SigningTrust) -> Verdict:
    """Why no certificate fits: none is there, all are weak, the signature is broken, or somebody else signed."""
    if not trust.certificates:
        return _unverified(enveloped, failed(SigningKeyProblem.NONE_CONFIGURED))
    if not certificates:
        return _unverified(enveloped, failed(SigningKeyProblem.ONLY_WEAK))
    return _unknown_signer(enveloped, certificates, trust)


def _unverified(enveloped: Enveloped, finding: Finding) -> Verdict:
    return Verdict(enveloped, finding, NOT_REACHED)


def _unknown_signer(enveloped: Enveloped, certificates: list[IdpCertificate], trust: SigningTrust) -> Verdict:
    embedded = _embedded_certificates(enveloped)
    foreign = [certificate for certificate in embedded if certificate not in trust.certificates]
    signer = next((certificate for certificate in foreign if _value_verifies(enveloped, certificate)), None)
    known = next((certificate for certificate in embedded if certificate in certificates), None)
    if signer is None and known is not None:
        value = failed(SignatureProblem.VALUE, fingerprint_of(known))
        return Verdict(enveloped, key_finding(known, trust), value)
    expected = Several(tuple(map(fingerprint_of, certificates[:2])))
    retired = next((past for past in trust.retired if _value_verifies(enveloped, past)), None)
    if retired is not None:
        return _unverified(enveloped, failed(SigningKeyProblem.RETIRED, expected, fingerprint_of(retired)))
    named = signer or next(iter(foreign), None)
    if named is None:
        missing = Missing("X509Certificate")
        return _unverified(enveloped, failed(SigningKeyProblem.NOT_NAMED, expected, missing))
    return _unverified(enveloped, failed(SigningKeyProblem.UNKNOWN, expected, fingerprint_of(named)))


def _embedded_certificates(enveloped: Enveloped) -> list[IdpCertificate]:
    """The certificates in KeyInfo that can be read, a bounded number, to explain and never to trust."""
    found = []
    for element in islice(enveloped.signature.iter(names.X509_CERTIFICATE), KEY_INFO_CERTIFICATES):
        der = _base64(element)
        if der is None or len(der) > MAXIMUM_BYTES:
            continue
        try:
            found.append(stored_certificate.__wrapped__(der))  # not cached: anybody may fill it
        except CertificateError:
            continue
    return found


def _value_verifies(enveloped: Enveloped, certificate: IdpCertificate) -> bool:
    """Whether the key made the SignatureValue over SignedInfo, whatever the digest in it says."""
    try:
        value, signed_info = enveloped.digested
    except (etree.C14NError, ValueError):
        return False
    return value is not None and value_made_by(certificate, enveloped.method, value, signed_info)


def value_made_by(certificate: IdpCertificate, method: str, value: bytes, octets: bytes) -> bool:
    """Whether the certificate's key made `value` over `octets`; False for a `method` not in SIGNATURE_METHODS."""
    key = certificate.public_key
    try:
        if isinstance(key, rsa.RSAPublicKey) and method in _RSA:
            key.verify(value, octets, padding.PKCS1v15(), _RSA[method]())
        elif isinstance(key, rsa.RSAPublicKey) and method in _PSS:
            digest = _PSS[method]()
            key.verify(value, octets, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and method in _ECDSA:
            key.verify(_der_signature(value), octets, ec.ECDSA(_ECDSA[method]()))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _der_signature(value: bytes) -> bytes:
    """XML signatures carry r and s side by side (RFC 4050, 3.3); the library wants them in DER."""
    half = len(value) // 2
    return encode_dss_signature(int.from_bytes(value[:half]), int.from_bytes(value[half:]))
