"""Objects of a JSON array or of JSON Lines one by one: a chat of hundreds of megabytes is never held as a whole."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clipper.audience.reading import MAX_LINE_BYTES, Collector, json_object, read_head, text_lines
from clipper.tables import encoding_of

CHUNK_BYTES = 2**20
_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[\s,]*")
_ARRAY = re.compile(r"^\s*\ufeff?\s*\[")


def records(path: Path, collector: Collector) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based line or number, object) of JSON Lines, or of one JSON array; what is no object is rejected."""
    if read_head(path).text.startswith("["):
        yield from array_items(path, collector, _ARRAY)
        return
    for number, line in text_lines(path, collector):
        if line.strip():
            record = json_object(line)
            if record is None:
                collector.reject(number, "not a JSON object")
            else:
                yield number, record


def array_items(path: Path, collector: Collector, start: re.Pattern[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based number, object) of the array that begins where `start` ends.

    A broken object, and a file that breaks off, end the reading with a reject; objects before are kept.
    """
    chunks = _chunks(path)
    buffer = ""
    while (match := start.search(buffer)) is None:
        chunk = next(chunks, "")
        if not chunk or len(buffer) > MAX_LINE_BYTES:
            collector.reject(0, "no list of messages in it")
            return
        buffer += chunk
    position, count = match.end(), 0
    while True:
        position = _after_gap(buffer, position)
        if buffer.startswith("]", position):
            return
        try:
            value, position = _DECODER.raw_decode(buffer, position)
        except RecursionError:
            collector.reject(count + 1, "nested too deeply; the rest was not read")
            return
        except ValueError:
            buffer, position = buffer[position:], 0
            chunk = next(chunks, "")
            if not chunk or len(buffer) > MAX_LINE_BYTES:
                collector.reject(count + 1, "broken JSON, or the file ends in the middle; everything before was read")
                return
            buffer += chunk
            continue
        count += 1
        if isinstance(value, dict):
            yield count, value
        if position > CHUNK_BYTES:
            buffer, position = buffer[position:], 0


def _chunks(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        data = file.read(CHUNK_BYTES)
        decoder = codecs.getincrementaldecoder(encoding_of(data, is_whole=False))(errors="replace")
        while data:
            text = decoder.decode(data)
            if text:
                yield text
            data = file.read(CHUNK_BYTES)


def _after_gap(buffer: str, position: int) -> int:
    match = _GAP.match(buffer, position)
    return match.end() if match else position
