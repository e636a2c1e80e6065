"""User names that only one person can have, and attributes that mean one thing."""

from __future__ import annotations

import unicodedata

import pytest
from cast import BRITTA
from hypothesis import given
from hypothesis import strategies as st
from precis_i18n import get_profile
from responses import CLAIMS, Idp, all_of, expectations, judged, trust, with_attribute, with_child, without

from sp.diagnosis.sides import sides, username_reason
from sp.saml.identity import username_fault, username_key
from sp.saml.messages import Identity

IDP = Idp.make()

FINE = [
    "britta@contoso.example",
    "BRITTA@Contoso.example",
    "brittasimon",
    "o'brien+tag@contoso.example",
    "DOMAIN\\britta",
    "jürgen@contoso.example",
    "straße",
    "Σίσυφος",
    "佐藤",
    "김철수",
    "דוד",
    "l·l",  # in the contexts of RFC 5892
    "\u30ab\u30fb\u30ab",
    "b" * 256,
]

# value, a word of the problem
WRONG = [
    ("", "empty"),
    ("   ", "empty"),
    ("britta ", "white space"),
    (" britta", "white space"),
    ("britta\n", "white space"),
    ("britta simon", "white space"),
    ("britta\u00a0simon", "white space"),
    ("britta\u3000simon", "white space"),
    ("britta\x00", "cannot be seen"),
    ("britta\u200b", "cannot be seen"),  # zero width space
    ("brit\u200dta", "cannot be seen"),  # zero width joiner
    ("brit\u00adta", "cannot be seen"),  # soft hyphen
    ("brit\ufeffta", "cannot be seen"),
    ("\u202eattirb", "cannot be seen"),  # right-to-left override
    ("brit\u2066ta", "cannot be seen"),
    ("britta\u3164", "cannot be seen"),  # Hangul filler
    ("britta\u115f", "cannot be seen"),
    ("britta\ufe0f", "cannot be seen"),
    ("britta\u034f", "cannot be seen"),
    ("britta\ue000", "cannot be seen"),  # private use
    ("britta\U000e0041", "cannot be seen"),  # a tag
    ("ｂritta", "compatibility"),
    ("ﬁona", "compatibility"),
    ("brittaⅣ", "compatibility"),
    ("britta²", "compatibility"),
    ("britta\u2800", "may have"),  # blank Braille
    ("britta☃", "may have"),
    ("britta😀", "may have"),
    ("britta\u2013simon", "may have"),
    ("ᄀ", "may have"),
    ("ju\u0308rgen", "NFC"),
    ("דוד@contoso.example", "directions"),
    ("b\u0375", "may have"),  # a Greek keraia without a Greek letter
    ("\u0915\u094d\u200d\u0937", "cannot be seen"),  # a joiner that the profile takes in its context
    ("\u017fimon", "compatibility"),
    ("\u212aarl", "NFC"),  # the Kelvin sign
    ("b" * 257, "257"),
]


@pytest.mark.parametrize("value", FINE)
def test_a_fine_name(value: str) -> None:
    assert username_fault(value) is None


@pytest.mark.parametrize(("value", "word"), WRONG, ids=[ascii(value)[:30] for value, _ in WRONG])
def test_a_name_that_nobody_may_have(value: str, word: str) -> None:
    fault = username_fault(value)
    assert fault is not None
    assert word in username_reason(fault)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Britta@Contoso.example", "britta@contoso.EXAMPLE"),
        ("JÜRGEN", "ju\u0308rgen"),
        ("GRO\u1e9e", "groß"),
        ("Σίσυφοσ", "σίσυφοσ"),
        ("\u1f88", "\u1f80"),  # alpha with psili and ypogegrammeni
        ("\u13a0", "\uab70"),  # Cherokee
        ("\u0130", "i\u0307"),
    ],
)
def test_case_does_not_tell_people_apart(one: str, other: str) -> None:
    assert username_key(one) == username_key(other)


FOLDED = [mark for mark in map(chr, range(0x110000)) if mark.casefold() != mark.lower()]


def test_what_only_case_folding_makes_alike_is_two_people() -> None:
    """But for Cherokee, whose folding goes to the capitals, and for two ways to write one character."""
    alike = [mark for mark in FOLDED if username_key(mark) == username_key(mark.casefold())]
    assert [mark for mark in alike if not _is_pair_of_case(mark)] == []
    assert len(FOLDED) - len(alike) > 50


def _is_pair_of_case(mark: str) -> bool:
    folded = mark.casefold()
    composed = unicodedata.normalize("NFC", mark) == unicodedata.normalize("NFC", folded)
    return composed or folded.lower() == mark.lower()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("weiß", "weiss"),
        ("WEI\u1e9e", "WEISS"),
        ("\u1fb3", "\u03b1\u03b9"),  # alpha with ypogegrammeni, and alpha iota
        ("a\u0345", "a\u03b9"),
        ("λόγος", "λόγοσ"),
        ("\u1c80", "\u0432"),  # historical Cyrillic ve
        ("\u1c82", "\u043e"),
        ("\u017fimon", "simon"),  # long s
        ("\u1e9b", "\u1e61"),
        ("\ufb01ona", "fiona"),
        ("\u0149", "\u02bcn"),
        ("\u01f0", "j"),
        ("\u0131", "i"),
        ("\u0130", "i"),
        ("\u00b5", "\u03bc"),  # micro sign
        ("\u03d0", "\u03b2"),
    ],
)
def test_letters_that_only_folding_makes_alike_tell_people_apart(one: str, other: str) -> None:
    assert username_key(one) != username_key(other)


def test_a_capital_sigma_has_one_key_wherever_it_is() -> None:
    """`str.lower` makes a final sigma of the last one, so that a name would be found or not by what follows it."""
    assert username_key("ΟΣ") == username_key("οσ") != username_key("ος")
    assert username_key("ΟΣ@x") == username_key("ΟΣ") + "@x"


def _lowered(value: str) -> str:
    return unicodedata.normalize("NFC", "".join(map(str.lower, unicodedata.normalize("NFC", value))))


NAMES = st.text(st.characters() | st.sampled_from(FOLDED), max_size=20)


@given(NAMES, NAMES)
def test_one_key_is_one_name_in_lower_case(one: str, other: str) -> None:
    assert (username_key(one) == username_key(other)) == (_lowered(one) == _lowered(other))


@given(NAMES)
def test_what_folding_makes_of_a_name_is_that_name_only_where_lower_case_says_so(value: str) -> None:
    assert (username_key(value) == username_key(value.casefold())) == (_lowered(value) == _lowered(value.casefold()))


@given(st.text(max_size=40))
def test_any_text_has_an_answer_and_a_stable_key(value: str) -> None:
    problem = username_fault(value)
    key = username_key(value)
    assert username_key(key) == key
    assert unicodedata.is_normalized("NFC", key)
    if problem is None:
        assert value == value.strip()
        assert value.isprintable()
        assert get_profile("UsernameCasePreserved").enforce(value) == value


def test_a_letter_of_another_width_is_no_name() -> None:
    """The profile would map it to another user's plain letter."""
    assert [mark for mark in map(chr, range(0xFF00, 0xFFF0)) if username_fault(f"b{mark}") is None] == []


def _identity(**response: object) -> Identity:
    judgement = judged(IDP.response(**response), expectations(IDP))  # type: ignore[arg-type]
    assert judgement.report.accepts, judgement.report.failed
    assert judgement.identity is not None
    return judgement.identity


def test_britta_as_entra_sends_her() -> None:
    identity = _identity()
    assert (identity.first_name, identity.last_name, identity.email) == ("Britta", "Simon", BRITTA.email)
    assert identity.username == BRITTA.email
    assert identity.issuer == IDP.entity_id
    assert identity.session_index == identity.assertion_id
    assert identity.authn_context == "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


def test_no_attributes_are_a_warning_and_the_address_comes_from_the_name() -> None:
    judgement = judged(IDP.response(attributes={}), expectations(IDP))
    assert judgement.report.accepts
    assert judgement.report.warnings == ("attributes",)
    assert judgement.identity is not None
    assert judgement.identity.email == BRITTA.email
    assert judgement.identity.first_name == ""


def test_a_name_that_is_no_address_leaves_the_address_empty() -> None:
    assert _identity(name_id="britta", attributes={}).email == ""


def test_the_warning_names_what_came_instead() -> None:
    report = judged(IDP.response(attributes={"mail": ("b@x.example",), "MAIL": ("x",)}), expectations(IDP)).report
    row = report.row("attributes")
    assert report.accepts
    assert CLAIMS.email in sides(row).expected
    assert sides(row).received == "mail, MAIL"


def test_roles_in_repeated_attributes_are_kept_together() -> None:
    def repeat(root: object) -> None:
        for role in ("admin", "user"):
            xml = f'<saml:Attribute Name="Role"><saml:AttributeValue>{role}</saml:AttributeValue></saml:Attribute>'
            with_child(".//saml:AttributeStatement", xml)(root)  # type: ignore[arg-type]

    identity = _identity(mutate=repeat)
    assert identity.attributes["Role"] == ("admin", "user")
    assert identity.first_name == "Britta"


@pytest.mark.parametrize("value", ["a@b.example\r\nBcc: x@evil.example", "a\x7fb", "a\u2028b", "x" * 257])
def test_a_mapped_value_that_breaks_lines_is_refused(value: str) -> None:
    report = judged(IDP.response(attributes={CLAIMS.email: (value,)}), expectations(IDP)).report
    assert report.failed == ("attributes",)
    assert "\n" not in sides(report.row("attributes")).received


def test_values_of_256_characters_and_any_script_arrive_whole() -> None:
    name = "佐😀" * 128
    identity = _identity(attributes={CLAIMS.first_name: (name,), "urn:x": ("", "two", "words\nlines")})
    assert identity.first_name == name
    assert identity.attributes["urn:x"] == ("", "two", "words\nlines")


def test_a_friendly_name_means_nothing() -> None:
    attribute = (
        f'<saml:Attribute Name="urn:x" FriendlyName="{CLAIMS.email}">'
        "<saml:AttributeValue>mallory@evil.example</saml:AttributeValue></saml:Attribute>"
    )
    assert _identity(mutate=with_child(".//saml:AttributeStatement", attribute)).email == BRITTA.email


@pytest.mark.parametrize("name", [CLAIMS.email.upper(), CLAIMS.email + " ", CLAIMS.email.replace("e", "е", 1)])
def test_only_the_exact_name_counts(name: str) -> None:
    identity = _identity(attributes={CLAIMS.email: (BRITTA.email,), name: ("mallory@evil.example",)})
    assert identity.email == BRITTA.email


def test_attributes_in_advice_are_never_read() -> None:
    advice = (
        "<saml:Advice><saml:Assertion ID='_adv' Version='2.0' IssueInstant='2030-01-31T12:00:00Z'>"
        "<saml:Issuer>x</saml:Issuer><saml:Subject><saml:NameID>mallory@evil.example</saml:NameID></saml:Subject>"
        f"<saml:AttributeStatement><saml:Attribute Name='{CLAIMS.first_name}'>"
        "<saml:AttributeValue>Mallory</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"
        "</saml:Assertion></saml:Advice>"
    )
    identity = _identity(mutate=with_child("saml:Assertion", advice, 3))
    assert identity.first_name == "Britta"
    assert identity.username == BRITTA.email


def test_a_name_in_the_confirmation_is_never_read() -> None:
    nested = "<saml:NameID>mallory@evil.example</saml:NameID>"
    assert _identity(mutate=with_child(".//saml:SubjectConfirmation", nested, 0)).username == BRITTA.email


@pytest.mark.parametrize("count", [256, 257])
def test_names_up_to_256_characters(count: int) -> None:
    report = judged(IDP.response(name_id="b" * count), expectations(IDP)).report
    assert report.failed == (() if count == 256 else ("subject",))


def test_a_transient_name_is_fine_where_nobody_is_made_from_it() -> None:
    transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    for changes in ({"provisioning": False}, {"accept_transient": True}):
        held = expectations(IDP, account=trust(IDP, **changes))
        assert judged(IDP.response(name_id_format=transient), held).report.accepts


def test_what_a_provider_may_leave_out() -> None:
    name_id = ".//saml:NameID"
    bare = all_of(
        with_attribute(name_id, "Format", None),
        with_attribute(".//saml:AuthnStatement", "SessionIndex", None),
        without("saml:Issuer"),
    )
    identity = _identity(mutate=bare)
    assert identity.name_id.format is None
    assert identity.session_index is None
