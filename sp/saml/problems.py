"""What can be wrong, check by check: one closed enumeration for each rule.

Checks with the same rule share one. The members are no strings: two rules may use one word for different problems.
The sentences are in `sp.diagnosis`.
"""

from __future__ import annotations

from enum import Enum


class Problem(Enum):
    """What kept a check from passing. The value is its name in JSON."""


class InternalProblem(Problem):
    """Any check: an exception was raised while it was evaluated."""

    EXCEPTION = "internal_error"


class RecordedProblem(Problem):
    """Rows of stage 1 that were stored as text by an earlier version."""

    IN_WORDS = "recorded_in_words"


# Transport.


class FormProblem(Problem):
    METHOD = "method"
    CONTENT_TYPE = "content_type"
    CHARACTER_SET = "character_set"
    CONTENT_ENCODING = "content_encoding"
    TOO_MANY_FIELDS = "too_many_fields"
    OTHER_MESSAGE = "other_message"
    MESSAGE_COUNT = "message_count"
    RELAY_STATE_COUNT = "relay_state_count"
    EMPTY = "empty"


class QueryProblem(Problem):
    """The form of a message that came by HTTP-Redirect."""

    CHARACTER = "character"
    ESCAPE = "escape"
    TOO_MANY_PARAMETERS = "too_many_parameters"
    MISSPELLED_NAME = "misspelled_name"
    UNUSUAL_NAME = "unusual_name"
    REPEATED = "repeated"
    MESSAGE_COUNT = "query_message_count"
    EMPTY = "empty_parameter"
    ENCODING = "encoding"
    LONE_PARAMETER = "lone_parameter"
    NOT_UTF8 = "not_utf8"
    ORDER = "order"
    SIGNATURE_NOT_BASE64 = "signature_not_base64"


class SoapTypeProblem(Problem):
    CONTENT_TYPE = "soap_content_type"


class SizeProblem(Problem):
    MESSAGE = "message"
    FORM = "form"
    QUERY = "query"
    INFLATED = "inflated"


class Base64Problem(Problem):
    PLAIN_XML = "plain_xml"
    PERCENT_ENCODED = "percent_encoded"
    URL_SAFE = "url_safe"
    SPACES = "spaces"
    OTHER = "other"


class DeflateProblem(Problem):
    """The base64 and the compression of a message that came by HTTP-Redirect."""

    PLUS = "plus"
    WHITE_SPACE = "white_space"
    NOT_BASE64 = "not_base64"
    ZLIB_HEADER = "zlib_header"
    NOT_DEFLATED = "not_deflated"
    TRAILING_BYTES = "trailing_bytes"
    TRUNCATED = "truncated"


# Document and structure.


class EncodingProblem(Problem):
    OTHER = "other"
    XML_VERSION = "xml_version"
    DECLARED = "declared"
    NOT_UTF8 = "not_utf8"


class DtdProblem(Problem):
    PRESENT = "present"


class SyntaxProblem(Problem):
    NOT_WELL_FORMED = "not_well_formed"


class CommentProblem(Problem):
    PRESENT = "present"


class LimitProblem(Problem):
    EXCEEDED = "exceeded"
    PARSER_GAVE_UP = "parser_gave_up"


class RootProblem(Problem):
    DIFFERENT = "different"
    RESPONSE = "response"
    ENVELOPE = "envelope"
    EMPTY_ENVELOPE = "empty_envelope"
    EMPTY_BODY = "empty_body"
    MUST_UNDERSTAND = "must_understand"


class IdProblem(Problem):
    REPEATED = "repeated"


class SchemaProblem(Problem):
    VIOLATED = "violated"


class StatusProblem(Problem):
    NOT_SUCCESS = "not_success"
    PARTIAL = "partial"


class OneAssertionProblem(Problem):
    COUNT = "count"
    MISPLACED = "misplaced"


# Response and account.


class VersionProblem(Problem):
    DIFFERENT = "different"


class TimeProblem(Problem):
    """Any time in a message."""

    MISSING = "missing"
    NOT_A_TIME = "not_a_time"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    EXPIRED = "expired"


class AddressProblem(Problem):
    """Destination and Recipient."""

    MISSING = "missing"
    DIFFERENT = "different"
    ENTITY_ID = "entity_id"  # ours came where our ACS URL belongs


class RequestProblem(Problem):
    """InResponseTo, of a sign-in or a sign-out."""

    UNSOLICITED = "unsolicited"
    UNKNOWN = "unknown"
    UNKNOWN_SIGN_OUT = "unknown_sign_out"
    ANSWERED = "answered"
    OTHER_PROVIDER = "other_provider"
    OTHER_ACCOUNT = "other_account"
    TOO_LATE = "too_late"


class IssuerProblem(Problem):
    MISSING = "missing"
    UNKNOWN = "unknown"
    OWN = "own"
    FORMAT = "format"


class SsoProblem(Problem):
    NOT_ACTIVE = "not_active"
    SWITCHED_OFF = "switched_off"
    NO_CERTIFICATE = "no_certificate"


# Encryption.


class EncryptionProblem(Problem):
    """The layout and the algorithms of an EncryptedAssertion or EncryptedID."""

    NO_DATA = "no_data"
    NO_DATA_METHOD = "no_data_method"
    DATA_ALGORITHM = "data_algorithm"
    CIPHER_REFERENCE = "cipher_reference"
    NO_KEY = "no_key"
    TOO_MANY_KEYS = "too_many_keys"
    NO_KEY_METHOD = "no_key_method"
    KEY_ALGORITHM = "key_algorithm"
    DIGEST = "digest"
    MASK = "mask"
    UNSIGNED_CBC = "unsigned_cbc"


class DecryptionProblem(Problem):
    NO_KEY_HERE = "no_key_here"
    NOT_OPENED = "not_opened"
    OTHER_RECIPIENT = "other_recipient"
    FORMER_KEY = "former_key"


# Signature.


class SignaturePresentProblem(Problem):
    MISSING = "missing"
    PART_MISSING = "part_missing"
    NOT_IN_QUERY = "not_in_query"


class SignatureStructureProblem(Problem):
    PLACE = "place"
    SEVERAL = "several"
    MESSAGE_INSIDE = "message_inside"
    LAYOUT = "layout"
    REFERENCE = "reference"
    ALGORITHM = "algorithm"
    TRANSFORM_CONTENT = "transform_content"
    CANONICALIZATION_CONTENT = "canonicalization_content"
    TOO_MANY_PREFIXES = "too_many_prefixes"
    BESIDE_QUERY = "beside_query"


class SignatureAlgorithmProblem(Problem):
    PARAMETERS = "parameters"
    NOT_ACCEPTED = "not_accepted"
    WEAK = "weak"


class SigningKeyProblem(Problem):
    NONE_CONFIGURED = "none_configured"
    ONLY_WEAK = "only_weak"
    UNKNOWN = "unknown"
    NOT_NAMED = "not_named"
    RETIRED = "retired"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRES_SOON = "expires_soon"


class SignatureProblem(Problem):
    VALUE = "value"
    DIGEST = "digest"
    QUERY = "query"


# Assertion.


class AssertionIssuerProblem(Problem):
    DIFFERENT = "different"
    NOT_IN_RESPONSE = "not_in_response"
    RESPONSE_DIFFERS = "response_differs"
    QUALIFIER = "qualifier"
    FORMAT = "format"


class SubjectProblem(Problem):
    MISSING = "missing"
    NOT_OPENED = "not_opened"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    SP_NAME_QUALIFIER = "sp_name_qualifier"
    NAME_QUALIFIER = "name_qualifier"
    TRANSIENT = "transient"


class BearerProblem(Problem):
    MISSING = "missing"
    NO_DATA = "no_data"
    OTHER_METHOD = "other_method"
    ALL_FAULTY = "all_faulty"


class ConfirmationNotBeforeProblem(Problem):
    PRESENT = "present"


class SameRequestProblem(Problem):
    DIFFERENT = "different"


class ConditionsProblem(Problem):
    COUNT = "count"
    UNKNOWN = "unknown"


class AudienceProblem(Problem):
    NO_RESTRICTION = "no_restriction"
    NO_AUDIENCE = "no_audience"
    DIFFERENT = "different"
    ACS_URL = "acs_url"  # ours came where our entity ID belongs


class WindowProblem(Problem):
    REVERSED = "reversed"
    TOO_LONG = "too_long"
    LONG = "long"


class AuthnStatementProblem(Problem):
    COUNT = "count"
    NO_CONTEXT = "no_context"


class AuthnContextProblem(Problem):
    BEFORE_REQUEST = "before_request"
    NOT_FRESH = "not_fresh"
    MISSING = "missing"
    DIFFERENT = "different"
    NOT_SATISFIED = "not_satisfied"
    UNDECIDED = "undecided"


class AttributeProblem(Problem):
    ENCRYPTED = "encrypted"
    SEVERAL_VALUES = "several_values"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    MISSING = "missing"


# Account holder and sessions.


class ReplayProblem(Problem):
    REPEATED = "repeated"
    REQUEST_REPEATED = "request_repeated"
    HANDED_OUT = "handed_out"


class UsernameProblem(Problem):
    EMPTY = "empty"
    TOO_LONG = "too_long"
    OUTER_WHITE_SPACE = "outer_white_space"
    WHITE_SPACE = "white_space"
    INVISIBLE = "invisible"
    NOT_COMPOSED = "not_composed"
    COMPATIBILITY = "compatibility"
    COMPATIBILITY_CHARACTER = "compatibility_character"
    DISALLOWED = "disallowed"
    MIXED_DIRECTIONS = "mixed_directions"
    STORED_DIFFERENTLY = "stored_differently"


class UserLinkProblem(Problem):
    NONE = "none"
    MANY = "many"
    UNAVAILABLE = "unavailable"
    FULL = "full"


class UserActiveProblem(Problem):
    NOT_ACTIVE = "not_active"


class SessionsProblem(Problem):
    NONE = "none"
    ALIKE = "alike"


# Of rules that several checks share, what each of them can find.

ISSUED = (TimeProblem.NOT_A_TIME, TimeProblem.IN_FUTURE, TimeProblem.TOO_OLD)
BEGIN = (TimeProblem.NOT_A_TIME, TimeProblem.IN_FUTURE)
END = (TimeProblem.NOT_A_TIME, TimeProblem.EXPIRED)
REQUIRED_END = (TimeProblem.MISSING, *END)
ENCRYPTED_ID = tuple(problem for problem in EncryptionProblem if problem is not EncryptionProblem.UNSIGNED_CBC)


SIGN_IN_REQUEST = tuple(problem for problem in RequestProblem if problem is not RequestProblem.UNKNOWN_SIGN_OUT)


def of_name(problems: tuple[Problem, ...], name: str) -> Problem:
    """The problem of that JSON name among those of a check. Raises ValueError for a name that none has."""
    every: tuple[Problem, ...] = (*problems, *InternalProblem, *RecordedProblem)
    for problem in every:
        if problem.value == name:
            return problem
    raise ValueError(f"{name!r} is no problem of this check")
