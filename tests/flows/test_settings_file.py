"""A settings file as text: what it means, and where each of its faults stands. No database is asked."""

from __future__ import annotations

import time

import pytest
from cast import CONTOSO_ISSUER
from hypothesis import given, settings
from hypothesis import strategies as st
from responses import Idp

from sp.flows.settings_file import MAX_BYTES, Unreadable, Wanted, read_settings_file

IDP = Idp.make(CONTOSO_ISSUER)
HEAD = """\
companies:
  - name: Contoso
    accounts:
      - slug: business
"""


def no_file(_name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory")


def read(text: str | bytes) -> Wanted | Unreadable:
    return read_settings_file(text if isinstance(text, bytes) else text.encode(), no_file)


def wanted(text: str) -> Wanted:
    found = read(text)
    assert isinstance(found, Wanted), found
    return found


def faults(text: str | bytes) -> list[tuple[int, str, str]]:
    found = read(text)
    assert isinstance(found, Unreadable)
    return [(fault.place.line, fault.place.path, fault.sentence) for fault in found.faults]


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.strip().splitlines())


def with_settings(text: str) -> str:
    return HEAD + "        settings:\n" + indented(text, 10)


class TestValues:
    def test_what_is_left_out_is_not_asked_for(self) -> None:
        [account] = wanted(HEAD).companies[0].accounts
        assert (account.slug, account.name, account.active, dict(account.changes), account.users) == (
            *("business", None, None),
            {},
            (),
        )

    @pytest.mark.parametrize("written", ["true", "True", "yes", "on", "ON"])
    def test_a_switch_can_be_written_in_several_ways(self, written: str) -> None:
        [account] = wanted(with_settings(f"single_sign_on: {written}")).companies[0].accounts
        assert account.changes == {"single_sign_on": True}

    @pytest.mark.parametrize("written", ["NO", "on", "007", "1e3", "2026-01-01", "0x1F", "~x"])
    def test_a_text_is_what_is_written(self, written: str) -> None:
        """YAML makes values of its own of most of these, and a user named NO would become false."""
        text = with_settings(f"provider_name: {written}") + f"        users:\n          - username: {written}\n"
        [account] = wanted(text).companies[0].accounts
        assert (account.changes["provider_name"], account.users[0].username) == (written, written)

    @pytest.mark.parametrize("written", ["", "~", "null", "''"])
    def test_nothing_is_an_empty_text(self, written: str) -> None:
        [account] = wanted(with_settings(f"sign_out_url: {written}\nproxy_count: {written}")).companies[0].accounts
        assert account.changes == {"sign_out_url": "", "proxy_count": None}

    def test_a_certificate_stands_in_the_file(self) -> None:
        text = with_settings("certificates:\n  - |\n" + indented(IDP.certificate.pem, 4))
        [account] = wanted(text).companies[0].accounts
        assert account.changes["certificates"] == (IDP.certificate,)

    def test_a_certificate_stands_in_a_file_of_its_own(self) -> None:
        asked: list[str] = []

        def read_file(name: str) -> bytes:
            asked.append(name)
            return IDP.certificate.der

        text = with_settings("certificates:\n  - certificate_file: idp.cer")
        found = read_settings_file(text.encode(), read_file)
        assert isinstance(found, Wanted)
        assert found.companies[0].accounts[0].changes["certificates"] == (IDP.certificate,)
        assert asked == ["idp.cer"]


@pytest.mark.parametrize(
    ("text", "line", "path", "sentence"),
    [
        ("", 1, "", "The file is empty."),
        ("just words", 1, "", "Keys and values are expected here: companies."),
        ("a: [\n", 2, "", "This is not YAML: "),
        ("companies: 3", 1, "companies", "A list is expected here"),
        ("companies:\n  - accounts: []", 2, "companies[0]", "name is missing."),
        ("companies:\n  - name: [a]", 2, "companies[0].name", "One value is expected here"),
        ("company:\n  - name: Contoso", 1, "company", "There is no such key; did you mean companies?"),
        (HEAD + "        admin_password: x", 5, "companies[0].accounts[0].admin_password", "There is no such key"),
        (HEAD + "        active: maybe", 5, "companies[0].accounts[0].active", "Enter true or false."),
        (HEAD + "        slug: other", 5, "companies[0].accounts[0].slug", "This key stands here twice."),
        (HEAD + "      - slug: business", 5, "companies[0].accounts[1].slug", "'business' stands in this file twice."),
        (
            with_settings("isuer: https://x/"),
            6,
            "companies[0].accounts[0].settings.isuer",
            "There is no such key; did you mean issuer?",
        ),
        (with_settings("proxy_count: many"), 6, "companies[0].accounts[0].settings.proxy_count", "Enter a number"),
        (with_settings("proxy_count: -1"), 6, "companies[0].accounts[0].settings.proxy_count", "Enter a number"),
        (
            with_settings("certificates:\n  - garbage"),
            7,
            "companies[0].accounts[0].settings.certificates[0]",
            "This certificate cannot be used.",
        ),
        (
            with_settings("certificates:\n  - certificate_file: gone.pem"),
            7,
            "companies[0].accounts[0].settings.certificates[0]",
            "The certificate file cannot be read: No such file",
        ),
        *(
            (
                with_settings(f"certificates:\n  - {written}"),
                7,
                "companies[0].accounts[0].settings.certificates[0]",
                sentence,
            )
            for written, sentence in (
                ("", "A certificate is expected here"),
                ("''", "A certificate is expected here"),
                ("' '", "A certificate is expected here"),
                ("[a]", "One value is expected here"),
                ("certificate_file:", "certificate_file has the name of a file"),
                ("certificate_file: ''", "certificate_file has the name of a file"),
                ('certificate_file: "a\\u200eb"', "certificate_file has the name of a file"),
            )
        ),
        (
            with_settings("certificates:\n" + f"  - |\n{indented(IDP.certificate.pem, 4)}" * 2),
            7 + len(IDP.certificate.pem.splitlines()) + 1,
            "companies[0].accounts[0].settings.certificates[1]",
            "This certificate stands in the list twice.",
        ),
        (
            HEAD + "        users:\n          - username: a\n            status: deleted",
            7,
            "companies[0].accounts[0].users[0].status",
            "Choose one of: active, disabled.",
        ),
        (
            HEAD + "        users:\n          - username: a\n          - username: A",
            7,
            "companies[0].accounts[0].users[1].username",
            "'a' stands in this file twice.",
        ),
        (with_settings("issuer: !mine x"), 6, "companies[0].accounts[0].settings.issuer", "The tag '!mine'"),
        (
            with_settings("issuer: !!python/object/apply:os.system [id]"),
            6,
            "companies[0].accounts[0].settings.issuer",
            "One value is expected here",
        ),
        ("companies: &a []", 1, "", "Anchors and aliases are not taken"),
        ("a: *b", 1, "", "Anchors and aliases are not taken"),
        ("a: 1\n--- \nb: 2", 2, "", "This is not YAML: but found another document"),
    ],
)
def test_a_fault_names_its_line_and_its_field(text: str, line: int, path: str, sentence: str) -> None:
    found = faults(text)
    assert [(where, which) for where, which, _ in found] == [(line, path)]
    assert found[0][2].startswith(sentence)


def test_every_fault_is_told_at_once() -> None:
    found = faults(with_settings("isuer: x\nprovisioning: perhaps\nproxy_count: x"))
    assert [line for line, _, _ in found] == [6, 7, 8]


def test_bytes_that_are_no_text_are_refused() -> None:
    assert faults(b"companies: \xff") == [(1, "", "This is not UTF-8 (byte 11).")]


class TestBounds:
    """Whoever is sent a settings file by Mallory loses neither memory nor time."""

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" * 9, "Anchors and aliases"),
            ("[" * 100_000, "Values are nested at most 12 deep."),
            ("- " * 100_000 + "x", "Values are nested at most 12 deep."),
            ("{a: " * 100_000, "Values are nested at most 12 deep."),
            ("? " * 50_000, "Values are nested at most 12 deep."),
            ("companies:\n" + "#" * MAX_BYTES, "A settings file has at most 4 MiB"),
        ],
        ids=["laughs", "brackets", "hyphens", "braces", "questions", "size"],
    )
    def test_a_bomb_is_refused_at_once(self, text: str, sentence: str) -> None:
        began = time.process_time()
        [(_, _, said)] = faults(text)
        assert said.startswith(sentence)
        assert time.process_time() - began < 2

    def test_the_list_of_faults_ends(self) -> None:
        assert len(faults("companies:\n" + "  - x\n" * 1000)) == 50

    @given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEAD + text).encode()))
    @settings(max_examples=150, deadline=None)
    def test_nothing_that_stands_in_a_file_breaks_the_reader(self, content: bytes) -> None:
        assert isinstance(read(content), Wanted | Unreadable)


def test_usernames_that_only_case_folding_makes_the_same_are_two() -> None:
    users = wanted(HEAD + "        users:\n          - username: weiß\n          - username: weiss")
    assert [user.username for user in users.companies[0].accounts[0].users] == ["weiß", "weiss"]
