"""Setting type: a face per character of style, weight and tracking, drawn three times as large and reduced.

Pillow hints strokes to whole pixels; at three times the size and reduced, a regular face made heavier keeps even stems.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, Literal

from clipper.captions.breaks import tokens, wrap
from clipper.captions.style import rgba
from clipper.drawing import plain
from clipper.errors import InputError, LivecutError
from clipper.fonts import Face, faces_of, find_font, folders

log = logging.getLogger(__name__)

FINE = 3
"""Type is drawn this many times as large."""
FEWER = 0.12
"""Share of the size that one line less is worth."""
WHOLE = 0.74
"""A long word of Chinese shrinks to this share before it is broken between its parts."""
MOST_WORDS = 12
"""Up to so many words every way to break them is tried."""
LONGEST_BRAND = 6
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]")
SERIF_ROW = "noto-serif-sc"
_SERIFS = ("notoserifcjksc", "notoserifsc", "notoserifcjk", "sourcehanserif", "songti", "stsong", "simsun")
"""Beginnings of file names of Chinese serif faces, letters and digits only, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """How one style's words are set."""

    face: Face
    weight_em: float
    """Stroke added around every glyph."""
    tracking_em: float = 0.0
    align: Literal["left", "middle"] = "left"
    italic: float = 0.0
    """Shear to the right, as a share of the height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A piece of a line in one size and colour."""

    text: str
    size_px: float
    fill: str
    struck: bool = False
    lift_em: float = 0.0
    """Raised above the line's baseline."""
    gap_px: float = 0.0
    """Space before it."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A set line: an RGBA picture, and where its type stands in it."""

    picture: Any
    baseline: float
    """From the picture's top."""
    width: float
    """Advance width of the type, which begins at `pad`."""
    pad: float
    size_px: float
    """Of its largest run."""


def type_of(name: str, font: str = "") -> Type:
    """Choose face, weight and tracking for a style's kind of type; `font` is a font file of the caller's."""
    sans = find_font(font)
    light = 0.0 if sans.is_bold else 0.012
    if name == "serif":
        face = (None if font else serif()) or sans
        return Type(face=face, weight_em=0.0 if face.is_bold else 0.004, tracking_em=0.08, align="middle")
    if name == "bold":
        return Type(face=sans, weight_em=light + 0.022, tracking_em=-0.005, italic=0.14)
    if name == "rounded":
        return Type(face=sans, weight_em=light + 0.016, tracking_em=0.02, align="middle")
    return Type(face=sans, weight_em=light + 0.004, tracking_em=0.01)


@lru_cache(maxsize=1)
def serif() -> Face | None:
    """Find a Chinese serif face: the system's, or the model table's when it is there; None otherwise."""
    ranked = []
    for folder in folders():
        for parent, _, names in os.walk(folder):
            for name in names:
                bare = "".join(char for char in name.lower() if char.isalnum())
                rank = next((number for number, known in enumerate(_SERIFS) if bare.startswith(known)), None)
                if rank is not None and name.lower().endswith((".otf", ".ttf", ".ttc")):
                    ranked.append((rank, "bold" not in bare, Path(parent) / name))
    for path in [path for _, _, path in sorted(ranked)] + _from_table():
        try:
            return find_font(str(faces_of(path)[0].path))
        except InputError:
            continue
    return None


def _from_table() -> list[Path]:
    from clipper.speech import weights

    try:
        return sorted(Path(weights.locate(SERIF_ROW)).rglob("*.otf"))
    except LivecutError:
        return []


def clean(text: str, kind: Type) -> str:
    """Keep what the face can draw."""
    return plain(text, kind.face)


def width_of(text: str, size_px: float, kind: Type) -> float:
    """Width of a text in pixels."""
    return kind.face.width(text) * size_px + kind.tracking_em * size_px * max(0, len(text) - 1) + 2 * kind.weight_em * size_px


def rows_in(text: str, size_px: float, kind: Type, room_px: float, *, rows: int, smallest: float = 0.6) -> tuple[float, list[str]]:
    """Break a text into at most `rows` lines, as large as it fits; the size in px an em, and the lines.

    Lines break at the writer's own spaces where that leaves the type large enough, else between words, and never before a lone
    character. They are evened out: a last line of one word is an eyesore.
    """
    whole = _by_spaces(text, size_px, kind, room_px, rows, smallest)
    if whole is not None:
        return whole
    parts = tokens(text)
    share = 1.0
    while True:
        size = size_px * share
        lines = _wrapped(parts, size, kind, room_px)
        if (len(lines) <= rows and not _has_lone(lines)) or share <= smallest:
            break
        share = max(smallest, share - 0.04)
    if len(lines) > rows:
        lines = [*lines[: rows - 1], _cut(lines[rows - 1], size, kind, room_px)]
    return size, _even(parts, lines, size, kind, room_px)


def tell_cut(lines: Iterable[str], text: str) -> None:
    """Log that a text had to be cut, where it was: nothing is left out in silence."""
    if any(line.endswith("…") for line in lines) and not text.endswith("…"):
        log.warning("%r does not fit where it is to stand, and is cut; write less", text)


def _by_spaces(text: str, size_px: float, kind: Type, room: float, rows: int, smallest: float) -> tuple[float, list[str]] | None:
    """Break at the writer's spaces alone, in as few lines as do not cost size; None when the type would become too small."""
    words = text.split()
    found: list[tuple[float, float, list[str]]] = []
    for count in range(1, min(rows, len(words)) + 1):
        fitting = [lines for lines in _splits(words, count) if not _has_lone(lines)]
        for lines in fitting:
            share = min(1.0, room / max(width_of(line, size_px, kind) for line in lines) * 0.999)
            uneven = 0.04 * (1 - min(len(line) for line in lines) / max(len(line) for line in lines))
            found.append((share - FEWER * (count - 1) - uneven, share, lines))
    if not found:
        return None
    _, share, lines = max(found, key=lambda one: one[0])
    # A long run of Chinese without a space is no name: it may break between its words before it becomes small.
    least = smallest if max((len(word) for word in words if is_wide(word)), default=0) <= LONGEST_BRAND else max(smallest, WHOLE)
    return (size_px * share, lines) if share >= least else None


def _splits(words: Sequence[str], count: int) -> list[list[str]]:
    """Return every way to set words on that many lines."""
    if len(words) > MOST_WORDS:
        return []
    cuts = combinations(range(1, len(words)), count - 1)
    return [[" ".join(words[a:b]) for a, b in pairwise((0, *inner, len(words)))] for inner in cuts]


def _has_lone(lines: Sequence[str]) -> bool:
    """Say whether a line among several is a single character."""
    return len(lines) > 1 and any(len(line.strip()) < 2 for line in lines)


def is_wide(text: str) -> bool:
    """Say whether a text is written in Chinese characters."""
    return bool(_WIDE.search(text))


def brand_of(text: str) -> tuple[str, str]:
    """Split a Chinese title of several words into brand and name; without a brand the first is empty."""
    first, _, rest = text.partition(" ")
    if rest and is_wide(first) and 2 <= len(first) <= LONGEST_BRAND and len(rest) >= 2:
        return first, rest
    return "", text


def _wrapped(parts: Sequence[str], size: float, kind: Type, room: float) -> list[str]:
    return wrap(parts, room, lambda piece: width_of(piece, size, kind))


def _even(parts: Sequence[str], lines: list[str], size: float, kind: Type, room: float) -> list[str]:
    if len(lines) != 2 or lines[-1].endswith("…"):
        return lines
    best, narrow = lines, room
    while narrow > room * 0.4:
        narrow -= room * 0.04
        tried = _wrapped(parts, size, kind, narrow)
        if len(tried) != len(lines) or _has_lone(tried) or max(width_of(row, size, kind) for row in tried) > narrow:
            break
        best = tried
    return best


def _cut(text: str, size: float, kind: Type, room: float) -> str:
    while text and width_of(text + "…", size, kind) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def set_line(runs: Sequence[Run], kind: Type, *, outline: str = "", outline_em: float = 0.0) -> Line:
    """Draw runs on one baseline."""
    from PIL import Image

    runs = [run for run in runs if run.text]
    largest = max((run.size_px for run in runs), default=1.0)
    pad = largest * (0.12 + outline_em + kind.weight_em)
    ascent, descent = largest * 1.06, largest * 0.34
    width = sum(width_of(run.text, run.size_px, kind) + run.gap_px for run in runs)
    slant = kind.italic * (ascent + descent)
    size = (max(1, round((width + 2 * pad + slant) * FINE)), max(1, round((ascent + descent) * FINE)))
    large = Image.new("RGBA", size, (*_ground(runs, outline), 0))
    x = pad
    for run in runs:
        x += run.gap_px
        _draw(large, run, kind, x, ascent, outline, outline_em)
        x += width_of(run.text, run.size_px, kind)
    if kind.italic:
        large = _sheared(large, kind.italic, ascent * FINE)
    small = large.resize((max(1, size[0] // FINE), max(1, size[1] // FINE)), Image.Resampling.BOX)
    return Line(small, ascent, width, pad, largest)


def _ground(runs: Sequence[Run], outline: str) -> tuple[int, int, int]:
    colour = rgba(outline or (runs[0].fill if runs else "#000000"))
    return colour[0], colour[1], colour[2]


def _draw(picture: Any, run: Run, kind: Type, x: float, baseline: float, outline: str, outline_em: float) -> None:
    """Draw a run glyph by glyph where it is tracked, else at once (which keeps kerning)."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    size = run.size_px * FINE
    font = kind.face.pillow(size)
    stroke = round(kind.weight_em * size)
    y = (baseline - run.lift_em * run.size_px) * FINE
    pieces = list(run.text) if kind.tracking_em else [run.text]
    for heavy, colour in ((round(outline_em * size) + stroke, outline), (stroke, run.fill)):
        if not colour:
            continue
        at = x * FINE + stroke
        for piece in pieces:
            draw.text((at, y), piece, font=font, fill=rgba(colour), anchor="ls", stroke_width=heavy, stroke_fill=rgba(colour))
            at += font.getlength(piece) + kind.tracking_em * size
    if run.struck:
        wide = width_of(run.text, run.size_px, kind) * FINE
        thick = max(1, round(size * 0.07))
        middle = y - size * 0.36
        draw.line((x * FINE, middle, x * FINE + wide, middle), fill=rgba(run.fill), width=thick)


def _sheared(picture: Any, by: float, baseline: float) -> Any:
    from PIL import Image

    return picture.transform(picture.size, Image.Transform.AFFINE, (1, by, -by * baseline, 0, 1, 0), Image.Resampling.BICUBIC)


def lighter(kind: Type) -> Type:
    """The same type for small words: upright, less heavy, no tighter than usual."""
    return replace(kind, weight_em=kind.weight_em * 0.55, italic=0.0, tracking_em=max(kind.tracking_em * 0.6, 0.0))


def spaced(kind: Type) -> Type:
    """The same type with air between its letters: for a brand above a name."""
    return replace(kind, tracking_em=kind.tracking_em + 0.1)


def ink_box(text: str, size_px: float, face: Face) -> tuple[float, float]:
    """Top and bottom of a text's ink over its baseline in pixels, both positive upwards."""
    left, top, right, bottom = face.pillow(size_px * FINE).getbbox(text, anchor="ls")
    del left, right
    return -top / FINE, -bottom / FINE
