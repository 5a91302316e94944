"""Danmaku drawn as ASS subtitles (DanmakuFactory, danmu2ass, biliass): a comment is a Dialogue line that moves.

Who wrote a comment is not in such a file, so users are ''. Boxes for gifts and paid messages repeat themselves as they move
and hold names; they are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from clipper.audience.reading import Collector, Head, LogOptions, Reading, clock_seconds, text_lines

_OVERRIDE = re.compile(r"\{[^}]*\}")
_DRAWING = re.compile(r"\\p[1-9]")
_BREAK = re.compile(r"\\[Nnh]")
_BOXES = re.compile(r"box|gift|superchat|guard|礼物", re.IGNORECASE)
_DANMAKU = re.compile(r"^Dialogue:.*\\move\(|^Style:\s*(R2L|L2R|danmaku|biliass|弹幕|Roll|scroll)", re.IGNORECASE | re.MULTILINE)
_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")


def claims(head: Head) -> bool:
    """Recognise an ASS file with moving lines; plain subtitles are none."""
    return head.text.startswith("[Script Info]") and bool(_DANMAKU.search(head.text))


def read(path: Path, options: LogOptions, hide: Callable[[object], str]) -> Reading:
    """Read every comment at the time at which it enters the picture."""
    collector = Collector(path, options, hide)
    fields: tuple[str, ...] = _FIELDS
    for number, line in text_lines(path, collector):
        kind, _, rest = line.partition(":")
        if kind == "Format" and "text" in rest.casefold():
            fields = tuple(name.strip().casefold() for name in rest.split(","))
        elif kind == "Dialogue":
            _add(collector, number, dict(zip(fields, rest.split(",", len(fields) - 1), strict=False)))
    return collector.reading(frozenset({"comments"}))


def _add(collector: Collector, number: int, cells: dict[str, str]) -> None:
    time = clock_seconds(cells.get("start", ""))
    if time is None or "text" not in cells:
        collector.reject(number, "subtitle line without a usable start")
        return
    overrides = "".join(_OVERRIDE.findall(cells["text"]))
    if _DRAWING.search(overrides) or _BOXES.search(cells.get("style", "")):
        collector.skip(cells.get("style", "").strip())
        return
    collector.comment("recording", time, "", _BREAK.sub(" ", _OVERRIDE.sub("", cells["text"])))
