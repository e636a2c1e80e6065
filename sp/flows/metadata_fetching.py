"""Fetching metadata from a URL: within bounds of time and size, from addresses that were checked and no others.

Owns the connection. Never believes a name twice: the address that was checked is the one that is connected to, so that
an answer of the resolver that changes in between (DNS rebinding) changes nothing, and each redirect is checked anew.

A proxy of the environment is not used: it would look the name up once more.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from dataclasses import dataclass
from functools import cache
from urllib.parse import urljoin, urlsplit

import httpx

from sp.flows.metadata_addresses import Address, Refused, Target, check_target
from sp.saml.metadata_document import MAXIMUM_BYTES
from sp.settings import Settings

SECONDS = 10.0  # for everything together: looking up, connecting, redirects, the last byte
MAXIMUM_REDIRECTS = 3

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_GZIP = 16 + zlib.MAX_WBITS
_ACCEPT = "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
_TAG_CHARACTERS = 256  # a longer ETag is not kept
_TOO_LARGE = f"The metadata is larger than {MAXIMUM_BYTES // 1024**2} MiB. Ask for the metadata of one entity."
_TOO_LONG = f"The metadata did not arrive within {SECONDS:.0f} seconds."


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes, and the ETag by which to ask whether they have changed, or ""."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that it has nothing newer than the ETag that was sent."""


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: str


class _RefusedError(Exception):
    """Ends a connection; the text is the sentence of a Refused."""


def fetch_metadata(
    settings: Settings, url: str, *, etag: str = "", seconds: float = SECONDS
) -> Fetched | Unchanged | Refused:
    """What the URL answers. Blocks for `seconds` at most; must not be called where an event loop runs."""
    deadline = time.monotonic() + seconds
    for _ in range(MAXIMUM_REDIRECTS + 1):
        target = check_target(settings, url, _left(deadline))
        if isinstance(target, Refused):
            return target
        answer = asyncio.run(_ask(target, etag, deadline))
        if not isinstance(answer, _Redirect):
            return answer
        url = answer.url
    return Refused(f"The address redirects more than {MAXIMUM_REDIRECTS} times.")


def fetch_anew(settings: Settings, url: str) -> Fetched | Refused:
    """The same for whoever has nothing yet."""
    answer = fetch_metadata(settings, url)
    if isinstance(answer, Unchanged):
        raise RuntimeError("nobody asked whether anything is new")  # noqa: TRY004  the value is right, the place is not
    return answer


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.0)


async def _ask(target: Target, etag: str, deadline: float) -> Fetched | Unchanged | Refused | _Redirect:
    """One request, to the first address that takes the connection."""
    try:
        async with asyncio.timeout(_left(deadline)):
            refusal = Refused(f"There is no host named {target.host}.")
            for address in target.addresses:
                try:
                    return await _ask_at(target, address, etag)
                except httpx.ConnectError as error:
                    refusal = Refused(f"{target.host} cannot be reached: {_reason(error)}.")
            return refusal
    except _RefusedError as error:
        return Refused(str(error))
    except (TimeoutError, httpx.TimeoutException):
        return Refused(_TOO_LONG)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Refused(f"{target.host} did not answer as a web server does: {_reason(error)}.")


def _reason(error: Exception) -> str:
    """The library's words, on one line; a server can have put its own into them."""
    words = " ".join(str(error).split())[:200] or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in words).rstrip(".")


async def _ask_at(target: Target, address: Address, etag: str) -> Fetched | Unchanged | _Redirect:
    """The URL says the address; the name goes into Host and, with TLS, is what the certificate must be made out to."""
    parts = urlsplit(target.url)
    literal = f"[{address}]" if address.version == 6 else str(address)
    place = parts._replace(netloc=f"{literal}:{target.port}").geturl()
    name = parts.netloc.rpartition("@")[2]
    headers = {"Host": name, "Accept": _ACCEPT, "Accept-Encoding": "gzip", "User-Agent": "virtual-office"}
    if _is_tag(etag):
        headers["If-None-Match"] = etag
    async with httpx.AsyncClient(trust_env=False, verify=_tls(), timeout=SECONDS) as client:
        request = client.build_request("GET", place, headers=headers, extensions={"sni_hostname": target.host})
        answer = await client.send(request, stream=True)
        try:
            return await _read(target, answer)
        finally:
            await answer.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """Loading the authorities takes longer than most answers."""
    return httpx.create_ssl_context()


async def _read(target: Target, answer: httpx.Response) -> Fetched | Unchanged | _Redirect:
    if answer.status_code in _REDIRECTS and "location" in answer.headers:
        return _redirected(target, answer.headers["location"])
    if answer.status_code == 304 and "if-none-match" in answer.request.headers:
        return Unchanged()
    if answer.status_code != 200:
        raise _RefusedError(f"{target.host} answered with HTTP status {answer.status_code} instead of metadata.")
    etag = answer.headers.get("etag", "")
    return Fetched(await _body(answer), etag if _is_tag(etag) else "")


def _redirected(target: Target, location: str) -> _Redirect:
    try:
        return _Redirect(urljoin(target.url, location))
    except ValueError:  # such as an open bracket
        raise _RefusedError(f"{target.host} redirects to something that is no address.") from None


def _is_tag(etag: str) -> bool:
    """Whether an ETag can be sent back: a header takes ASCII, and RFC 9110, 8.8.3 leaves nothing else to rely on."""
    return bool(etag) and len(etag) <= _TAG_CHARACTERS and etag.isascii() and etag.isprintable()


async def _body(answer: httpx.Response) -> bytes:
    """The content. It is unpacked here and not by the library, which would unpack a bomb as far as it goes."""
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise _RefusedError("The metadata came in a compression that nobody asked for.")
    unpack = _Unpacking() if "gzip" in encoding else _plain
    body = bytearray()
    received = 0
    async for piece in answer.aiter_raw():
        received += len(piece)
        body += unpack(piece, MAXIMUM_BYTES + 1 - len(body))
        if received > MAXIMUM_BYTES or len(body) > MAXIMUM_BYTES:
            raise _RefusedError(_TOO_LARGE)
    return bytes(body)


def _plain(piece: bytes, _room: int) -> bytes:
    return piece


class _Unpacking:
    """Unpacks gzip piece by piece, never more than there is room for."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)

    def __call__(self, piece: bytes, room: int) -> bytes:
        try:
            return self._stream.decompress(piece, room)
        except zlib.error:
            raise _RefusedError("The metadata says that it is compressed, and is not.") from None
