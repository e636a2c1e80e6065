"""What a metadata URL may not make this service do (MET-01 to MET-03): ask its neighbors, wait, or swallow anything."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attack import attack
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from idp_metadata import entity
from metadata_server import Answer, Handler, MetadataServer, document, redirect, running_server, with_etag
from responses import Idp

from sp.flows import metadata_connection
from sp.flows.metadata_addresses import Refused, Target, check_target, is_public
from sp.flows.metadata_answers import Fetched, Unchanged
from sp.flows.metadata_fetching import fetch_metadata
from sp.saml.metadata_document import MAXIMUM_BYTES
from sp.settings import Settings

METADATA = entity(Idp.make())
ON_LOOPBACK = Settings()
PUBLIC = Settings(base_url="https://sso.8x8.com", host="0.0.0.0")  # noqa: S104  (never listened on)


@pytest.fixture(scope="module")
def server() -> Iterator[MetadataServer]:
    with running_server() as known:
        yield known


# Ids of one story each; the URL, and a phrase of the sentence. All are refused before anything is connected to.
FORBIDDEN = {
    "loopback": ("https://127.0.0.1/m", "127.0.0.1"),
    "loopback by name": ("https://localhost/m", "does not ask"),
    "loopback by another number": ("https://127.8.9.10/m", "127.8.9.10"),
    "loopback in short": ("https://127.1/m", "127.0.0.1"),
    "loopback as one number": ("https://2130706433/m", "127.0.0.1"),
    "loopback in octal": ("https://0177.0.0.1/m", "127.0.0.1"),
    "loopback in hexadecimal": ("https://0x7f000001/m", "127.0.0.1"),
    "loopback by IPv6": ("https://[::1]/m", "::1"),
    "loopback inside of IPv6": ("https://[::ffff:127.0.0.1]/m", "does not ask"),
    "loopback inside of IPv6, compatible": ("https://[::127.0.0.1]/m", "does not ask"),
    "loopback behind NAT64": ("https://[64:ff9b::7f00:1]/m", "does not ask"),
    "loopback behind 6to4": ("https://[2002:7f00:1::1]/m", "does not ask"),
    "the address of nobody": ("https://0.0.0.0/m", "0.0.0.0"),  # noqa: S104
    "the address of nobody in IPv6": ("https://[::]/m", "does not ask"),
    "metadata of the cloud": ("https://169.254.169.254/latest/meta-data/", "169.254.169.254"),
    "metadata of the cloud in decimal": ("https://2852039166/", "169.254.169.254"),
    "metadata of the cloud inside of IPv6": ("https://[::ffff:a9fe:a9fe]/", "does not ask"),
    "metadata of the cloud by IPv6": ("https://[fd00:ec2::254]/", "fd00:ec2::254"),
    "metadata of another cloud": ("https://100.100.100.200/", "100.100.100.200"),
    "the neighbor at a third": ("https://168.63.129.16/", "168.63.129.16"),
    "a private network, 10": ("https://10.0.0.1/m", "10.0.0.1"),
    "a private network, 172": ("https://172.31.0.1/m", "172.31.0.1"),
    "a private network, 192": ("https://192.168.1.1/m", "192.168.1.1"),
    "a private network of IPv6": ("https://[fc00::1]/m", "fc00::1"),
    "the link in IPv6": ("https://[fe80::1]/m", "fe80::1"),
    "everybody on the link": ("https://224.0.0.1/m", "224.0.0.1"),
    "a broadcast": ("https://255.255.255.255/m", "255.255.255.255"),
    "a file": ("file:///etc/passwd", "https://"),
    "gopher": ("gopher://127.0.0.1:6379/_FLUSHALL", "https://"),
    "dict": ("dict://127.0.0.1:11211/stats", "https://"),
    "ftp": ("ftp://192.0.2.1/m", "https://"),
    "http in the open": ("http://8.8.8.8/m", "https://"),
    "a password in it": ("https://user:secret@8.8.8.8/m", "user name and password"),
    "another host behind an @": ("https://8.8.8.8@127.0.0.1/m", "user name and password"),
    "a backslash": ("https://8.8.8.8\\@127.0.0.1/m", "backslashes"),
    "a line break": ("https://8.8.8.8/m\r\nHost: evil.example", "white space"),
    "a fragment": ("https://8.8.8.8/m#x", "#"),
    "digits of another alphabet": ("https://①②⑦.⓪.⓪.①/m", "ASCII"),
    "metadata of Oracle's cloud": ("https://192.0.0.192/", "192.0.0.192"),
    "a private network of the first IPv6": ("https://[fec0::1]/m", "fec0::1"),
}


@pytest.mark.parametrize(
    ("url", "phrase"),
    [
        pytest.param(url, phrase, id=story, marks=attack(f"MET-01 {number}", story))
        for number, (story, (url, phrase)) in enumerate(FORBIDDEN.items(), start=1)
    ],
)
def test_a_service_on_the_internet_asks_no_neighbors(url: str, phrase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _nobody_connects)
    answer = fetch_metadata(PUBLIC, url, seconds=2)
    assert isinstance(answer, Refused)
    assert phrase in answer.sentence


def _nobody_connects(*_: Any) -> None:
    raise AssertionError("a connection was begun")


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "93.184.216.34"]
)
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/", "https://[fe80::1]/", "https://0.0.0.0/", "http://10.0.0.1/", "http://8.8.8.8/"]
)
@attack("MET-01 near", "the link, nobody, or http, from a service on loopback", count=5)
def test_not_even_a_service_on_loopback_asks_these(url: str) -> None:
    assert isinstance(check_target(ON_LOOPBACK, url, 2), Refused)


def test_a_service_on_loopback_asks_its_neighbors(server: MetadataServer) -> None:
    answer = fetch_metadata(ON_LOOPBACK, server.says(document(METADATA)))
    assert answer == Fetched(METADATA, "")
    for url in ("https://10.0.0.1/m", "https://[fc00::1]/m", "https://127.0.0.1/m", "http://[::1]:8000/m"):
        assert isinstance(check_target(ON_LOOPBACK, url, 2), Target)


@attack("MET-02 redirect", "a redirect to a neighbor", count=3)
@pytest.mark.parametrize("location", ["https://169.254.169.254/", "file:///etc/passwd", "//169.254.169.254/latest"])
def test_a_redirect_is_checked_like_the_first_address(server: MetadataServer, location: str) -> None:
    answer = fetch_metadata(ON_LOOPBACK, server.says(redirect(location)))
    assert isinstance(answer, Refused)
    assert "169.254.169.254" in answer.sentence or "https://" in answer.sentence


@attack("MET-02 endless", "redirects without an end")
def test_redirects_come_to_an_end(server: MetadataServer) -> None:
    server.asked.clear()
    answer = fetch_metadata(ON_LOOPBACK, server.says(redirect("/metadata")))
    assert answer == Refused("The address redirects more than 3 times.")
    assert len(server.asked) == 4


def test_three_redirects_are_followed(server: MetadataServer) -> None:
    for at, status, to in ((1, 301, "/2"), (2, 307, server.url("/3")), (3, 308, "metadata")):
        server.says(redirect(to, status), f"/{at}")
    server.says(document(METADATA))
    assert fetch_metadata(ON_LOOPBACK, server.url("/1")) == Fetched(METADATA, "")


@attack("MET-02", "a name that means a public address when it is checked and a neighbor when it is connected to")
def test_the_checked_address_is_connected_to(server: MetadataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver says 127.0.0.1 once and 127.0.0.2, where nobody listens, from then on."""
    real, asked = socket.getaddrinfo, []

    def rebinding(host: Any, *rest: Any, **named: Any) -> Any:
        if host != "rebinding.localhost":
            return real(host, *rest, **named)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    server.says(document(METADATA))
    server.asked.clear()
    answer = fetch_metadata(ON_LOOPBACK, server.url(host="rebinding.localhost"))
    assert answer == Fetched(METADATA, "")
    assert len(asked) == 1
    assert server.asked[0][1]["Host"] == f"rebinding.localhost:{server.port}"


@attack("MET-02 two", "a name with a public address and a private one")
def test_one_bad_address_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 443)) for text in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    answer = check_target(PUBLIC, "https://two.example/", 2)
    assert answer == Refused("two.example is 10.0.0.1, an address that this service does not ask for metadata.")


def test_the_second_address_is_tried_where_the_first_does_not_answer(server: MetadataServer) -> None:
    """`localhost` is ::1 first on many machines, and the server listens on 127.0.0.1 only."""
    server.says(document(METADATA))
    assert fetch_metadata(ON_LOOPBACK, server.url(host="localhost")) == Fetched(METADATA, "")


def drip(handler: Handler) -> None:
    """A header, then a character from time to time, for ever."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"<")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Wait: yes\r\n")
        time.sleep(0.05)


def flood(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


def not_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.close_connection = True


BOMB = gzip.compress(b" " * (8 * MAXIMUM_BYTES), 9)
# story, answer, phrase
HOSTILE: tuple[tuple[str, str, Answer, str], ...] = (
    ("MET-03 slow", "one character after the other", drip, "did not arrive within"),
    ("MET-03 headers", "one header after the other", drip_headers, ""),
    ("MET-03 endless", "bytes without an end", flood, "larger than 16 MiB"),
    (
        "MET-03 bomb",
        "128 MiB in 128 KiB of gzip",
        document(BOMB, Content_Encoding="gzip"),
        "larger than 16 MiB",
    ),
    ("MET-03 gzip", "text that says it is gzip", document(METADATA, Content_Encoding="gzip"), "and is not"),
    ("MET-03 brotli", "a compression nobody asked for", document(METADATA, Content_Encoding="br"), "nobody asked"),
    ("MET-03 status", "an error", document(METADATA, 500), "HTTP status 500"),
    ("MET-03 304", "nothing new, to somebody who has nothing", document(b"", 304), "HTTP status 304"),
    ("MET-03 SSH", "another protocol", not_http, "as a web server does"),
    ("MET-03 redirect", "a redirect to what is no URL", redirect("http://[bad"), "no address"),
)


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [pytest.param(answer, phrase, id=name, marks=attack(name, story)) for name, story, answer, phrase in HOSTILE],
)
def test_a_hostile_server_is_left(server: MetadataServer, answer: Answer, phrase: str) -> None:
    started = time.monotonic()
    refused = fetch_metadata(ON_LOOPBACK, server.says(answer), seconds=0.8 if "drip" in str(answer) else 10)
    assert isinstance(refused, Refused)
    assert phrase in refused.sentence
    assert refused.sentence.endswith(".")
    assert time.monotonic() - started < 5


@attack("MET-03 silent", "a server that takes the connection and says nothing")
def test_silence_comes_to_an_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        started = time.monotonic()
        answer = fetch_metadata(ON_LOOPBACK, url, seconds=0.5)
    assert isinstance(answer, Refused)
    assert "did not arrive within" in answer.sentence
    assert time.monotonic() - started < 3


@attack("MET-03 resolver", "a resolver that takes its time")
def test_looking_up_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    hold = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: hold.wait(10))
    started = time.monotonic()
    answer = fetch_metadata(ON_LOOPBACK, "https://slow.example/", seconds=0.3)
    hold.set()
    assert answer == Refused("Looking up slow.example took too long.")
    assert time.monotonic() - started < 3


def test_nobody_listens_there(free_port: Callable[[], int]) -> None:
    answer = fetch_metadata(ON_LOOPBACK, f"http://127.0.0.1:{free_port()}/")
    assert isinstance(answer, Refused)
    assert "cannot be reached" in answer.sentence


@pytest.fixture
def free_port() -> Callable[[], int]:
    def port() -> int:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            return int(closed.getsockname()[1])

    return port


def test_compressed_metadata_is_unpacked(server: MetadataServer) -> None:
    url = server.says(document(gzip.compress(METADATA), Content_Encoding="gzip", Content_Type="text/html"))
    assert fetch_metadata(ON_LOOPBACK, url) == Fetched(METADATA, "")


def test_what_has_not_changed_is_not_sent_again(server: MetadataServer) -> None:
    url = server.says(with_etag(METADATA, '"1"'))
    assert fetch_metadata(ON_LOOPBACK, url) == Fetched(METADATA, '"1"')
    assert fetch_metadata(ON_LOOPBACK, url, etag='"1"') == Unchanged()
    assert fetch_metadata(ON_LOOPBACK, url, etag='"0"') == Fetched(METADATA, '"1"')


@attack("MET-03 ETag", "an ETag that no request can carry")
def test_an_etag_that_cannot_be_sent_back_is_not_kept(server: MetadataServer) -> None:
    url = server.says(with_etag(METADATA, '"é"'))
    assert fetch_metadata(ON_LOOPBACK, url) == Fetched(METADATA, "")
    server.asked.clear()
    assert fetch_metadata(ON_LOOPBACK, url, etag='"é"') == Fetched(METADATA, ""), "one that was kept before"
    assert "If-None-Match" not in server.asked[0][1]


def test_a_proxy_of_the_environment_is_not_asked(server: MetadataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert fetch_metadata(ON_LOOPBACK, server.says(document(METADATA))) == Fetched(METADATA, "")


AUTHORITY = Idp.make("https://authority.example/")
TLS = Idp.make("https://tls.example/")
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def tls_certificate(name: str) -> bytes:
    """For a web server, issued by the authority."""
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().serial_number(x509.random_serial_number()).issuer_name(issuer)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    authority, server = AUTHORITY.key.public_key(), TLS.key.public_key()
    # Python 3.13 asks for the identifiers of both keys, and what the authority's may be used for.
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
    if name == "authority":
        limits = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.subject_name(issuer).public_key(authority).add_extension(limits, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(authority), critical=False)
        builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
    else:
        hosts = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.subject_name(x509.Name([])).public_key(server).add_extension(hosts, critical=True)
    return builder.sign(AUTHORITY.key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def behind_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MetadataServer, list[str | None]]]:
    """A server that shows a certificate for idp.localhost, and the names that it was asked for."""
    authority, chain = tmp_path / "authority.pem", tmp_path / "server.pem"
    authority.write_bytes(tls_certificate("authority"))
    chain.write_bytes(TLS.key_pem + tls_certificate("idp.localhost"))
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setattr(socket, "getaddrinfo", _everything_is_here(socket.getaddrinfo))
    metadata_connection._tls.cache_clear()
    with running_server(context) as known:
        known.says(document(METADATA))
        yield known, names
    metadata_connection._tls.cache_clear()


def _everything_is_here(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _host, *rest, **named: real("127.0.0.1", *rest, **named)


def test_the_certificate_is_held_against_the_name_and_not_the_address(
    behind_tls: tuple[MetadataServer, list[str | None]],
) -> None:
    server, names = behind_tls
    url = f"https://idp.localhost:{server.port}/metadata"
    assert fetch_metadata(ON_LOOPBACK, url) == Fetched(METADATA, "")
    assert names == ["idp.localhost"]
    assert server.asked[0][1]["Host"] == f"idp.localhost:{server.port}"


@attack("MET-02 name", "a server with another name's certificate")
def test_another_names_certificate_is_refused(behind_tls: tuple[MetadataServer, list[str | None]]) -> None:
    server, _ = behind_tls
    answer = fetch_metadata(ON_LOOPBACK, f"https://other.localhost:{server.port}/metadata")
    assert isinstance(answer, Refused)
    assert "cannot be reached" in answer.sentence
    assert server.asked == []
