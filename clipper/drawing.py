"""Text, rounded panels and pictures drawn with Pillow: what cards, badges and covers are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from clipper.captions.breaks import tokens, wrap
from clipper.captions.lines import unprintable
from clipper.captions.style import rgba
from clipper.fonts import Face

SMOOTH = 4
"""Corners are drawn this many times larger and scaled down: Pillow's own are jagged."""
LONGEST = 200
"""Characters of a title that are looked at; no frame holds more."""
MAX_PIXELS = 50_000_000
"""A product picture with more pixels is left out: it would take gigabytes to open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """How a text is drawn."""

    face: Face
    size_px: float
    fill: str
    outline: str = "#000000"
    outline_px: float = 0.0
    bold: bool = True

    @property
    def weight_px(self) -> float:
        """Extra stroke that makes a regular face look bold."""
        return self.size_px / 34 if self.bold and not self.face.is_bold else 0.0

    def width(self, text: str) -> float:
        """Width of a text in pixels, without the outline."""
        return self.face.width(text) * self.size_px + self.weight_px


def plain(text: str, face: Face) -> str:
    """Keep what a face can draw of a text: no control characters, no line breaks, no boxes for missing glyphs."""
    line = " ".join("".join(char if not unprintable(char) else "" for char in text[:LONGEST]).split())
    return "".join(char for char in line if char == " " or _has_glyph(face, char)).strip()


@lru_cache(maxsize=8192)
def _has_glyph(face: Face, char: str) -> bool:
    font = face.pillow(32)
    return bytes(font.getmask(char)) != bytes(font.getmask("\U0010fffd"))


def fit(text: str, ink: Ink, room_px: float, *, rows: int, smallest: float) -> tuple[Ink, list[str]]:
    """Set a text in at most `rows` lines as large as it fits, down to `smallest` times its size; the rest is cut off with …"""
    from dataclasses import replace

    parts = tokens(text)
    share = 1.0
    while True:
        sized = replace(ink, size_px=ink.size_px * share)
        lines = wrap(parts, room_px, sized.width)
        if len(lines) <= rows:
            return sized, lines
        if share <= smallest:
            return sized, [*lines[: rows - 1], _cut(lines[rows - 1], sized, room_px)]
        share = max(smallest, share - 0.06)


def _cut(text: str, ink: Ink, room_px: float) -> str:
    while text and ink.width(text + "…") > room_px:
        text = text[:-1]
    return text.rstrip() + "…"


def write(picture: Any, at: tuple[float, float], text: str, ink: Ink, anchor: str = "ls") -> None:
    """Draw one line; `anchor` as Pillow's (ls: left end of the baseline, ms: its middle)."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    font = ink.face.pillow(ink.size_px)
    heavy = round(ink.weight_px / 2)
    if ink.outline_px:
        edge = round(ink.outline_px) + heavy
        draw.text(at, text, font=font, fill=rgba(ink.outline), anchor=anchor, stroke_width=edge, stroke_fill=rgba(ink.outline))
    draw.text(at, text, font=font, fill=rgba(ink.fill), anchor=anchor, stroke_width=heavy, stroke_fill=rgba(ink.fill))


def panel(size: tuple[int, int], radius_px: float, fill: str) -> Any:
    """Draw a panel with smooth rounded corners: an RGBA picture."""
    from PIL import Image

    red, green, blue, alpha = rgba(fill)
    picture = Image.new("RGBA", size, (red, green, blue, 0))
    picture.putalpha(rounded(size, radius_px).point(lambda value: value * alpha // 255))
    return picture


def rounded(size: tuple[int, int], radius_px: float) -> Any:
    """Draw the mask of a rounded rectangle: mode L."""
    from PIL import Image, ImageDraw

    large = Image.new("L", (size[0] * SMOOTH, size[1] * SMOOTH), 0)
    box = (0, 0, large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle(box, radius=radius_px * SMOOTH, fill=255)
    return large.resize(size, Image.Resampling.BOX)


def with_shadow(picture: Any, blur_px: float, strength: int = 90) -> Any:
    """Lay a soft shadow under a picture; the result is larger by 3 × `blur_px` on each side."""
    from PIL import Image, ImageFilter

    pad = round(3 * blur_px)
    size = (picture.width + 2 * pad, picture.height + 2 * pad)
    alpha = Image.new("L", size, 0)
    alpha.paste(picture.getchannel("A").point(lambda value: min(value, strength)), (pad, pad + round(blur_px / 2)))
    shadow = Image.new("RGBA", size, (0, 0, 0, 0))
    shadow.putalpha(alpha.filter(ImageFilter.GaussianBlur(blur_px)))
    shadow.alpha_composite(picture, (pad, pad))
    return shadow


def thumbnail(path: str, side_px: int) -> Any | None:
    """Open a product picture as a square RGB picture; None when it cannot be read, is no picture, or is far too large."""
    from PIL import Image, ImageOps

    try:
        with Image.open(Path(path), formats=("JPEG", "PNG", "WEBP", "GIF", "BMP")) as file:
            if file.width * file.height > MAX_PIXELS:
                return None
            file.draft("RGB", (2 * side_px, 2 * side_px))
            upright = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    white = Image.new("RGBA", upright.size, (255, 255, 255, 255))
    white.alpha_composite(upright)
    return ImageOps.fit(white.convert("RGB"), (side_px, side_px), Image.Resampling.LANCZOS)
