"""Where an assertion may go: to this computer, and nowhere else."""

import pytest

from sp.demo_directory.reply_url import Reply, Service, Unusable, loopback_problem, resolve

SERVICE = Service("http://localhost:8000/saml2", "urn:local:service")

MAPPED = [
    "https://sso.8x8.com/saml2",
    "https://sso.8x8.com/contoso",
    "https://contoso.8x8pilot.com/saml2",
    "https://SSO.8X8.COM/saml2",
    "https://8x8.com/saml2",
]

KEPT = [
    "http://localhost:8000/saml2",
    "http://127.0.0.1:9000/acs?tenant=1",
    "http://[::1]:9000/acs",
    "https://service.localhost/acs",
    "http://127.8.9.10/acs",
]

REFUSED = [
    "https://evil.example/saml2",
    "https://sso.8x8.com.evil.example/saml2",
    "https://evil8x8.com/saml2",
    "http://localhost.evil.example/",
    "http://127.0.0.1.evil.example/",
    "http://localhost@evil.example/",
    "http://localhost:8000@evil.example/",
    "http://evil.example\\@localhost/",
    "http://localhost\\.evil.example/",
    "http://evil.example#@localhost/",
    "http://localhost#fragment",
    "http://local\thost/",
    "http://localhost\n.evil.example/",
    " http://localhost/",
    "http://localhost:0/",
    "http://localhost:99999/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0.0.0.0/",
    "http://[::ffff:8.8.8.8]/",
    "http://localhost./",
    "http://lоcalhost/",
    "//localhost/saml2",
    "localhost:8000/saml2",
    "javascript:alert(1)//localhost",
    "ftp://localhost/",
    "http://",
    "",
    "http://localhost/" + "a" * 1100,
]


@pytest.mark.parametrize("typed", MAPPED)
def test_an_address_of_8x8_is_mapped_to_the_local_service(typed: str) -> None:
    assert resolve(typed, "", SERVICE) == Reply(SERVICE.acs_url, SERVICE.entity_id, mapped=True)


@pytest.mark.parametrize("typed", KEPT)
def test_an_address_of_this_computer_is_used_as_typed(typed: str) -> None:
    reply = resolve(typed, "", SERVICE)
    assert isinstance(reply, Reply)
    assert (reply.acs_url, reply.mapped) == (typed, False)


@pytest.mark.parametrize("typed", REFUSED)
def test_any_other_address_is_refused_with_a_sentence(typed: str) -> None:
    refused = resolve(typed, "", SERVICE)
    assert isinstance(refused, Unusable)
    assert refused.sentence.endswith(".")


def test_a_mapping_to_another_computer_is_refused_too() -> None:
    elsewhere = Service("https://sp.example/saml2", "urn:elsewhere")
    assert isinstance(resolve("https://sso.8x8.com/saml2", "", elsewhere), Unusable)


@pytest.mark.parametrize(
    ("reply_url", "identifier", "audience"),
    [
        ("https://sso.8x8.com/saml2", "", "urn:local:service"),
        ("https://sso.8x8.com/saml2", "https://sso.8x8.com/saml2", "urn:local:service"),
        ("https://sso.8x8.com/saml2", "urn:something:else", "urn:something:else"),
        ("http://localhost:8000/saml2", "", "urn:local:service"),
        ("http://localhost:9999/acs", "", "http://localhost:9999/acs"),
        ("http://localhost:9999/acs", "https://sso.8x8.com/contoso", "urn:local:service"),
    ],
)
def test_the_audience_follows_the_identifier(reply_url: str, identifier: str, audience: str) -> None:
    reply = resolve(reply_url, identifier, SERVICE)
    assert isinstance(reply, Reply)
    assert reply.entity_id == audience


@pytest.mark.parametrize("url", KEPT)
def test_addresses_of_this_computer_are_no_problem(url: str) -> None:
    assert loopback_problem(url) is None


@pytest.mark.parametrize("url", [*MAPPED, *REFUSED])
def test_every_other_address_is_one(url: str) -> None:
    assert loopback_problem(url)
