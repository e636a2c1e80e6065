"""The form in which e-mail domains are compared."""

from __future__ import annotations

import pytest

from sp.saml.domains import domain_of, normalize_domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("contoso.com", "contoso.com"),
        ("Contoso.COM", "contoso.com"),
        ("intranet", "intranet"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
    ],
)
def test_one_domain_has_one_form(text: str, domain: str) -> None:
    assert normalize_domain(text) == domain


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "contoso.com.",
        "contoso..com",
        "-contoso.com",
        "contoso-.com",
        "con_toso.com",
        "contoso.com\0",
        "contoso.com ",
        "a@contoso.com",
        "%",
        "xn--a",
        "ab--cd.com",
        "ｃontoso.com",
        "contoso。com",
        "x" * 64 + ".com",
        ".".join(["x" * 60] * 5),
    ],
)
def test_what_is_no_domain_has_none(text: str) -> None:
    assert normalize_domain(text) is None


def test_letters_that_fold_together_are_not_one_domain() -> None:
    assert normalize_domain("straße.example") != normalize_domain("strasse.example")


@pytest.mark.parametrize(
    ("username", "domain"),
    [
        ("britta@contoso.com", "contoso.com"),
        ("mallory@contoso.com@fabrikam.com", "fabrikam.com"),
        ("britta@sub.contoso.com", "sub.contoso.com"),
        ("britta", None),
        ("@contoso.com", None),
        ("britta@", None),
        ("britta@contoso com", None),
    ],
)
def test_the_domain_of_a_username_is_after_its_last_at_sign(username: str, domain: str | None) -> None:
    assert domain_of(username) == domain
