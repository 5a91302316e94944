"""How names stand in tables, messages and JSON: paths of any bytes, URLs, and Chinese characters that take two columns."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pipelines import places
from pipelines.terminal import printable

WIDTH = 40
"""Columns for a recording's name in tables."""


def shown(path: Path) -> str:
    """A path for people: bytes that are no UTF-8 as \\xNN, control characters escaped."""
    return printable(named(path))


def named(path: Path) -> str:
    """A path for JSON: as it is, but for bytes that are no UTF-8, which become \\xNN."""
    return os.fsencode(places.written(path)).decode("utf-8", "backslashreplace")


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Name files below the folder that all of them lie in."""
    if not paths:
        return {}
    folder = os.path.commonpath([path.absolute().parent for path in paths])
    return {path: shown(path.absolute().relative_to(folder)) for path in paths}


def cell(text: str, width: int) -> str:
    """Fill or shorten a text to so many columns; Chinese characters take two."""
    kept, used = "", 0
    for char in text:
        columns = 2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 1
        if used + columns > width - 1:
            return kept + "…" + " " * (width - used - 1)
        kept, used = kept + char, used + columns
    return kept + " " * (width - used)
