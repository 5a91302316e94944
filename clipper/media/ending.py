"""Whether a recording's file has been written to its end, as far as its container tells.

A half-copied or still growing file plays, and ffmpeg says nothing about it: exit code 0, and a short clip. Only some
containers show their end: an MP4 needs its index, the boxes of an MP4 must fill the file, an FLV closes each tag with its
size. MPEG-TS and Matroska written live show nothing, so for them a file is as complete as it is quiet.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from clipper.errors import InputError
from clipper.media.formats import sniff

MAX_BOXES = 200_000
"""Top-level boxes that are walked: a fragmented recording of 24 h with a fragment a second has 172,800."""
FLV_TAG = 11
"""Bytes before the data of an FLV tag."""


def why_unfinished(path: str | Path) -> str | None:
    """Say what is missing at the end of a recording; None when the end is there or its container shows none.

    Raises InputError as `sniff` does when the file is no recording at all.
    """
    format = sniff(path)
    check = {"mov": _mov, "flv": _flv}.get(format)
    if check is None:
        return None
    try:
        with Path(path).open("rb") as file:
            return check(file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise InputError(f"could not read {path}: {error.strerror}") from error


def _mov(file: IO[bytes], size: int) -> str | None:
    at, has_index = 0, False
    for _ in range(MAX_BOXES):
        if at == size:
            break
        length, kind = _box(file, at)
        if length is None:
            return "its last box is cut off"
        if length == 0:
            length = size - at
        if length < 8:
            return None
        has_index = has_index or kind in (b"moov", b"moof")
        at += length
        if at > size:
            return "its last box is cut off"
    return None if has_index else "its index (moov) is not written yet"


def _box(file: IO[bytes], at: int) -> tuple[int | None, bytes]:
    """Read length (0: to the end of the file) and kind of the box at an offset."""
    file.seek(at)
    head = file.read(16)
    if len(head) < 8:
        return None, b""
    length = int.from_bytes(head[:4], "big")
    if length == 1:
        return (int.from_bytes(head[8:16], "big"), head[4:8]) if len(head) == 16 else (None, b"")
    return length, head[4:8]


def _flv(file: IO[bytes], size: int) -> str | None:
    if size < 13 + FLV_TAG + 4:
        return "no tag of it is complete"
    file.seek(size - 4)
    length = int.from_bytes(file.read(4), "big")
    start = size - 4 - length
    if length < FLV_TAG or start < 13:
        return "its last tag is cut off"
    file.seek(start)
    head = file.read(4)
    is_tag = head[0] & 0x1F in (8, 9, 18) and int.from_bytes(head[1:4], "big") == length - FLV_TAG
    return None if is_tag else "its last tag is cut off"
