"""A report in which every value has become its pseudonym. Leaves a whole text out sooner than a value in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import quote

from sp.diagnosis.catalogue import TEXTS
from sp.diagnosis.pseudonyms import Kind, Pseudonyms
from sp.diagnosis.public_names import public_names
from sp.diagnosis.recognition import KINDS
from sp.saml.checks import CHECKS
from sp.saml.report import Report, Row, shown
from sp.saml.values import texts_in, with_texts

LEFT_OUT = "(left out)"
_CUT = re.compile(r"^(.*?) … (.*) (\(\d+ characters\))$", re.DOTALL)
_CUT_MARK = "…"
_WORD = re.compile(r"[^\W_][\w-]*")
_SHORT = 5  # characters: what is shorter stands in many a word, so only whole words are replaced
_TELLING = 3  # the least of a cut value that tells something
_FINGERPRINT = re.compile(r"((?:[0-9A-F]{2}:){3}[0-9A-F]{2})(?::[0-9A-F]{2}){16,28}")
_SHAPES = (
    r"(?P<url>[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>,;]*[^\s\"'<>,;.:])"
    r"|(?P<email>[^\s@/:;,<>\"'()]+@[^\s@/:;,<>\"'()]*[^\s@/:;,<>\"'().])"
    r"|(?P<guid>\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b)"
    r"|(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}\b)"
)
_PSEUDONYM = re.compile(rf"0?(?:{'|'.join(Kind)})-\d+")
_KINDS = {"url": Kind.PLACE, "email": Kind.USER, "guid": Kind.ID, "address": Kind.PLACE}
# Rows that repeat what came before anything was parsed.
_READ_WORD_BY_WORD = ("form", "base64", "encoding", "no_dtd", "well_formed")


def redacted_report(report: Report, pseudonyms: Pseudonyms) -> Report:
    """Every row with the values replaced that `pseudonyms` has given one to, and what else looks like a value."""
    found = texts_in(value for row in report.rows for value in (row.expected, row.received))
    places = [row.place for row in report.rows if row.place]
    texts = Texts(pseudonyms, "\n".join((*found, *places)))
    return Report(tuple(_row(row, texts) for row in report.rows))


def _row(row: Row, texts: Texts) -> Row:
    known = row.code in _READ_WORD_BY_WORD

    def received(text: str) -> str:
        redacted = texts.redacted(text)
        return known_words(redacted) if known else redacted

    return row._replace(
        expected=None if row.expected is None else with_texts(row.expected, texts.redacted),
        received=None if row.received is None else with_texts(row.received, received),
        place=texts.redacted(row.place),
    )


def known_words(text: str) -> str:
    """Every word that is neither ours nor the parser's left out."""
    return _WORD.sub(lambda found: found[0] if _is_known(found[0]) else "(…)", text)


def _is_known(word: str) -> bool:
    lower = word.lower()
    known = lower in own_words() or lower in public_names().parser_words or word.isdecimal()
    return (
        known
        or re.fullmatch(r"(?:user|text|id|place|host|example|address|part|attribute|subject|name)-\d+", lower)
        is not None
    )


@cache
def own_words() -> frozenset[str]:
    """The words of our own sentences: what consists of one of them says nothing about anybody."""
    texts = [text for check in CHECKS for text in (check.title, *TEXTS[check.code])]
    texts += [text for kind in KINDS.values() for text in kind]
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


class Texts:
    """Replaces in texts. `among` is all that will be asked for, so that values that are not in it cost nothing."""

    def __init__(self, pseudonyms: Pseudonyms, among: str) -> None:
        self._pseudonyms = pseudonyms
        given = dict(pseudonyms.given)
        self._whole = {form: found for value, (found, _) in given.items() for form in (shown(value), value)}
        self._raw = {form: value for value in given for form in _forms_of(value)}
        folded = among.casefold()  # wider than the rule for usernames: what only looks alike is left out too
        self._values = sorted(
            (form for form, value in self._raw.items() if form.casefold() in folded and _tells(form, given[value][1])),
            key=len,
            reverse=True,
        )
        urls, others = ([value for value in self._values if ("://" in value) is url] for url in (True, False))
        patterns = (*map(_pattern_of, urls), _SHAPES, *map(_pattern_of, others))
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE)
        self._writings = [writing for writing in _telling_writings(given) if writing in folded]
        self._cut_values = [_escaped(value) for value in given] if _CUT_MARK in among else []

    def redacted(self, text: str) -> str:
        if text in self._whole:
            return self._whole[text]
        cut = _CUT.match(text)
        if cut is None:
            return self._checked(self._replaced(text))
        head, tail = self._without_beginning_of_value(cut[1]), self._without_end_of_value(cut[2])
        return self._checked(f"{self._replaced(head)} … {self._replaced(tail)} {cut[3]}")

    def _replaced(self, text: str) -> str:
        return _FINGERPRINT.sub(r"\1…", self._pattern.sub(self._pseudonym, text))

    def _pseudonym(self, found: re.Match[str]) -> str:
        value = self._raw.get(found[0], found[0])
        if value in self._pseudonyms.given:
            return self._pseudonyms.given[value][0]
        return self._pseudonyms.of(value, _KINDS.get(found.lastgroup or "", Kind.TEXT))

    # A text that was shortened ends in the beginning of a value, and goes on with the end of one.

    def _without_beginning_of_value(self, text: str) -> str:
        length = max((_overlap(text, value) for value in self._cut_values), default=0)
        return text if length < _TELLING else f"{text[:-length]}{LEFT_OUT}"

    def _without_end_of_value(self, text: str) -> str:
        length = max((_overlap(value[-len(text) :], text) for value in self._cut_values), default=0)
        return text if length < _TELLING else f"{LEFT_OUT}{text[length:]}"

    def _checked(self, text: str) -> str:
        """The text, unless a value or another writing of it is still in there."""
        folded = text.casefold()
        return LEFT_OUT if any(writing in folded for writing in self._writings) else text


def _forms_of(value: str) -> tuple[str, ...]:
    """A value as a sentence of a report may hold it."""
    return tuple(dict.fromkeys((value, _escaped(value), shown(value), " ".join(value.split()))))


def _escaped(value: str) -> str:
    """As `shown` writes what cannot be seen, and in full length."""
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in value)


def _overlap(first: str, second: str) -> int:
    """How much of the end of `first` is the beginning of `second`."""
    for length in range(min(len(first), len(second)), 0, -1):
        if first.endswith(second[:length]):
            return length
    return 0


def _telling_writings(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        if len(value) >= _SHORT and not _is_common(value):
            yield from (writing.casefold() for writing in writings(value))


def writings(value: str) -> Iterator[str]:
    """A value as other programs write it: in base64, percent-encoded, in HTML, by its code points."""
    data = value.encode("utf-8", "replace")
    yield value
    yield base64.b64encode(data).decode("ascii").rstrip("=")
    yield quote(value, safe="")
    yield value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")


def _tells(value: str, kind: Kind) -> bool:
    """A user's name always does; of other values not what is one of our own words, a small number or one letter."""
    if len(value) < 2:
        return False
    return kind is Kind.USER or not (_is_common(value) or (value.isdecimal() and len(value) < _SHORT))


def _is_common(value: str) -> bool:
    """Whether it is one of our own words or of the public ones, which stand in many a sentence and URI."""
    return value.casefold() in own_words() or public_names().is_word(value)


def _pattern_of(value: str) -> str:
    if len(value) >= _SHORT:
        return re.escape(value)
    return rf"(?<!\w){re.escape(value)}(?!\w)"
