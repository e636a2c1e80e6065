"""What lxml remembers of messages ends with the thread that read them."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from lxml import etree

from sp.saml import errands, xml

# 280 messages of 240 KB that nobody sent before; what is left of the last 240 is seen from the process that read them.
STRANGERS = """
import secrets, sys
from pathlib import Path
from sp.saml.errors import SamlError
from sp.saml.idp_metadata import read_metadata
from sp.saml.times import instant
from sp.saml.xml import parse

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def message():
    return ("<a>" + "".join(f"<x{secrets.token_hex(400)}/>" for _ in range(300)) + "</a>").encode()

def read(data):
    if sys.argv[1] == "message":
        return parse(data)
    try:
        read_metadata(data, instant("2030-01-31T12:00:00Z"))
    except SamlError:
        pass

for number in range(280):
    if number == 40:
        before = resident()
    read(message())
print((resident() - before) // 2**20)
"""
KEPT_MIB = 30  # of 56 that are read; it was all of them, and is what the allocator keeps for later

# In a thread that is not the first one, whose names all others know.
DEFAULT_PREFIX = """
from concurrent.futures import ThreadPoolExecutor
from sp.saml import errands, xml

def form():
    errands.count(errands.ENOUGH)
    return xml.canonical(xml.parse(b'<p:a xmlns:p="urn:p" xmlns="urn:d"><p:b/></p:a>')[0], ("#default",))

print(ThreadPoolExecutor(1).submit(form).result().decode())
"""


@pytest.fixture
def tired(monkeypatch: pytest.MonkeyPatch) -> None:
    """This thread has read enough."""
    monkeypatch.setattr(errands._here, "octets", errands.ENOUGH + 1)


@pytest.mark.parametrize("reader", ["message", "metadata"])
def test_what_strangers_make_up_is_forgotten(reader: str) -> None:
    assert int(printed(STRANGERS, reader)) < KEPT_MIB


def test_the_default_namespace_is_known_where_a_message_is_read_apart() -> None:
    """lxml leaves a prefix out that was not heard of, and the signature over the true form would not hold."""
    assert printed(DEFAULT_PREFIX) == '<p:b xmlns="urn:d" xmlns:p="urn:p"></p:b>\n'


def printed(program: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.usefixtures("tired")
def test_a_thread_that_has_read_enough_reads_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[int] = []
    real = xml._parse

    def seen(data: bytes) -> etree._Element:
        readers.append(threading.get_ident())
        return real(data)

    monkeypatch.setattr(xml, "_parse", seen)
    monkeypatch.setattr(xml, "_parse_apart", errands.on_an_errand(seen))
    xml.parse(b"<a/>")
    errands._here.octets = 0
    xml.parse(b"<a/>")
    apart, here = readers
    assert (apart != here, here) == (True, threading.get_ident())


def test_every_message_counts() -> None:
    before = errands._here.octets
    xml.parse(b"<a>0123456789</a>")
    assert errands._here.octets == before + 17


@pytest.mark.usefixtures("tired")
def test_what_is_wrong_is_told_by_an_errand_too() -> None:
    with pytest.raises(etree.XMLSyntaxError, match="Opening and ending tag mismatch"):
        xml.parse(b"<a><b></a>")
