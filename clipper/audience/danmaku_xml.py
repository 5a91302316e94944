"""Danmaku XML of BililiveRecorder, blrec, biliLive-tools and Bilibili's site: `<d p="12.5,1,25,16777215,…" user="…">text</d>`.

Recorders leave files without an end when they are stopped hard, and users type characters that no XML may hold. So the
parser (defusedxml's, on expat) is fed piece by piece; at an error it is started again at the next comment, and what lay
between is counted as lost.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from clipper.audience.reading import MAX_LINE_BYTES, Collector, Head, LogOptions, Reading, epoch_seconds, number
from clipper.errors import InputError
from clipper.tables import encoding_of

PIECE_BYTES = 256 * 2**10
MAX_DEPTH = 64

_NEXT = re.compile(rb"<(?:d|gift|sc|guard|toast)[\s>/]")
_LONGEST_NAME = 8
_ROOT = b"<i>"
_MARKS = re.compile(r"^(?:<\?xml[^>]{0,200}\?>\s*)?<i[\s>]|<d\s[^>]{0,400}\bp=|<BililiveRecorderRecordInfo")
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]{0,200}\?>")


def claims(head: Head) -> bool:
    """Recognise the root `<i>`, or comments of this shape where the start of a file is lost."""
    return head.text.startswith("<") and _MARKS.search(head.text) is not None


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read the comments and the recording's start; gifts, paid messages and guards are counted and not used.

    Raises InputError for document type declarations and entities.
    """
    collector = Collector(path, options, hide)
    target = _Target(collector)
    try:
        with path.open("rb") as file:
            _parse(_utf8_pieces(file), target)
    except DefusedXmlException as error:
        raise InputError(
            f"could not read log {path}: it declares a document type or entities, which are refused; record or export it again"
        ) from error
    if target.is_open:
        collector.notes.append("the file ends in the middle; everything before was read")
    return collector.reading(frozenset({"comments"}), target.started_at)


class _Target:
    """Receives elements from the parser and keeps what they tell."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.started_at: float | None = None
        self.is_open = False
        self._parser: Any = None
        self._first_line = 1
        self._depth = 0
        self._tag = ""
        self._attributes: dict[str, str] = {}
        self._text: list[str] = []
        self._size = 0

    def fresh_parser(self, line: int) -> Any:
        """Return a parser for what begins on a line, and forget a broken element."""
        self._depth, self._tag, self._text, self._size = 0, "", [], 0
        self._first_line = line
        self._parser = DefusedXMLParser(target=self, encoding="utf-8", forbid_dtd=True)
        return self._parser

    @property
    def line(self) -> int:
        """Line of the file that is being parsed."""
        return int(self._first_line + self._parser.parser.CurrentLineNumber - 1)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self.is_open = True
        if self._depth > MAX_DEPTH:
            raise ParseError(f"nested deeper than {MAX_DEPTH}")
        if self._tag == "d":
            self.collector.reject(self.line, "comment without an end")
        self._tag, self._attributes, self._text, self._size = tag, attributes, [], 0
        if tag == "BililiveRecorderRecordInfo":
            self.started_at = epoch_seconds(attributes.get("start_time"), self.collector.options.zone)

    def data(self, text: str) -> None:
        if self._tag and self._size < MAX_LINE_BYTES:
            self._text.append(text)
            self._size += len(text)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self.is_open = self._depth > 0
        text = "".join(self._text)
        if tag == self._tag == "d":
            self._comment(text)
        elif tag == self._tag == "record_start_time":
            self.started_at = epoch_seconds(text, self.collector.options.zone)
        elif tag in ("gift", "sc", "guard", "toast"):
            self.collector.skip(tag)
        self._tag, self._text = "", []

    def close(self) -> None:
        return None

    def _comment(self, text: str) -> None:
        fields = self._attributes.get("p", "").split(",")
        time = number(fields[0])
        if time is None:
            self.collector.reject(self.line, f"comment without a usable time: {fields[0][:40]!r}")
            return
        names = (self._attributes.get("uid", ""), fields[6] if len(fields) > 6 else "", self._attributes.get("user", ""))
        self.collector.comment("recording", time, next((name for name in names if name not in ("", "0")), ""), text)


def _parse(pieces: Iterator[bytes], target: _Target) -> None:
    parser = target.fresh_parser(1)
    base = 0  # bytes that this parser was given before `data`
    line = 1  # line on which `data` begins
    is_lost = False
    rest = b""
    for piece in pieces:
        data, rest = rest + piece, b""
        while data:
            if is_lost:
                match = _NEXT.search(data)
                skipped = match.start() if match else max(len(data) - _LONGEST_NAME, 0)
                line += data.count(b"\n", 0, skipped)
                data = data[skipped:]
                if match is None:
                    rest = data
                    break
                parser, base, is_lost = target.fresh_parser(line), len(_ROOT), False
                parser.feed(_ROOT)
            try:
                _feed(parser, data, base)
            except ParseError as error:
                target.collector.reject(target.line, f"not valid XML: {error}".partition(": line")[0][:120])
                skipped = min(max(parser.parser.ErrorByteIndex - base + 1, 1), len(data))
                line += data.count(b"\n", 0, skipped)
                data = data[skipped:]
                is_lost = True
            else:
                base += len(data)
                line += data.count(b"\n")
                break


def _feed(parser: Any, data: bytes, base: int) -> None:
    parser.feed(data)
    if base + len(data) - parser.parser.CurrentByteIndex > MAX_LINE_BYTES:
        raise ParseError(f"one element larger than {MAX_LINE_BYTES // 2**20} MB")


def _utf8_pieces(file: Any) -> Iterator[bytes]:
    """Yield the file as UTF-8 without its XML declaration (expat knows no GB18030)."""
    piece = file.read(PIECE_BYTES)
    encoding = encoding_of(piece, is_whole=False)
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)(errors="replace")
    is_first = True
    while piece:
        ready = decoder.decode(piece).encode("utf-8", errors="replace") if decoder else piece
        yield _DECLARATION.sub(b"", ready.removeprefix(codecs.BOM_UTF8)) if is_first else ready
        is_first = False
        piece = file.read(PIECE_BYTES)
