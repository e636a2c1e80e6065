"""One request for metadata, at an address that was checked.

Owns the connection, and how much of an answer is read. Never believes a name twice: the address that was checked is the
one that is connected to, so that an answer of the resolver that changes in between (DNS rebinding) changes nothing.

A proxy of the environment is not used: it would look the name up once more.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from functools import cache
from urllib.parse import urljoin, urlsplit

import httpx

from sp.flows.metadata_addresses import Address, Refused, Target
from sp.flows.metadata_answers import SECONDS, Fetched, Redirect, Unchanged, seconds_left
from sp.saml.metadata_document import MAXIMUM_BYTES

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_GZIP = 16 + zlib.MAX_WBITS
_ACCEPT = "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
_TAG_CHARACTERS = 256  # a longer ETag is not kept
_TOO_LARGE = f"The metadata is larger than {MAXIMUM_BYTES // 1024**2} MiB. Ask for the metadata of one entity."
_TOO_LONG = f"The metadata did not arrive within {SECONDS:.0f} seconds."


class _RefusedError(Exception):
    """Ends a connection; the text is the sentence of a Refused."""


async def ask(target: Target, etag: str, deadline: float) -> Fetched | Unchanged | Refused | Redirect:
    """One request, to the first address that takes the connection."""
    try:
        async with asyncio.timeout(seconds_left(deadline)):
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


async def _ask_at(target: Target, address: Address, etag: str) -> Fetched | Unchanged | Redirect:
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


async def _read(target: Target, answer: httpx.Response) -> Fetched | Unchanged | Redirect:
    if answer.status_code in _REDIRECTS and "location" in answer.headers:
        return _redirected(target, answer.headers["location"])
    if answer.status_code == 304 and "if-none-match" in answer.request.headers:
        return Unchanged()
    if answer.status_code != 200:
        raise _RefusedError(f"{target.host} answered with HTTP status {answer.status_code} instead of metadata.")
    etag = answer.headers.get("etag", "")
    return Fetched(await _body(answer), etag if _is_tag(etag) else "")


def _redirected(target: Target, location: str) -> Redirect:
    try:
        return Redirect(urljoin(target.url, location))
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
