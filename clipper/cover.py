"""The cover: which frame a clip is shown by before anybody plays it, and the title set on it.

The frame is chosen from what the meters saw (sampled looks, faces, sightings): sharp, neither dark nor washed out, a face with
open eyes or the product in it, away from cuts and from the ends.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipper.captions.ass import SAFE_BOX
from clipper.captions.style import Style, rgba
from clipper.drawing import Ink, fit, panel, plain, with_shadow, write
from clipper.fonts import Face as Typeface
from clipper.values import Face, Look, Picture, Sentence, Span

NEAR_CUT_S = 0.4
"""A frame this close to a camera cut may be half of either."""
SEEN_S = 1.0
"""A face or a product found this close to a look is taken to be in it."""
OPEN = 0.6
"""Eyes are open when they measure at least this share of the recording's median: of a host's 12 blinks all frames measured below
half of it, and no others below three quarters."""
EDGE_S = 0.4
SHADE = 105
"""Opacity of the dark behind the title, of 255."""


def choose_cover(sources: Sequence[Span], picture: Picture | None, sku: str | None, sentences: Sequence[Sentence] = ()) -> float | None:
    """Choose the cover's instant on the recording's clock; None when nothing was looked at inside the sources.

    Only sampled looks are candidates: of anything between them nobody knows whether it is sharp.
    """
    if picture is None:
        return None
    looks = [look for look in picture.looks if any(span.start <= look.time < span.end for span in sources)]
    if not looks:
        return None
    sharpness = np.array([look.sharpness for look in looks])
    low, high = np.percentile(sharpness, [10, 90])
    spread = max(float(high - low), 1e-6)
    eyes = _eyes(picture)

    def worth(look: Look) -> float:
        span = next(span for span in sources if span.start <= look.time < span.end)
        score = min(max((look.sharpness - float(low)) / spread, 0.0), 1.2)
        score += _exposure(look.brightness) + _seen(look.time, picture, sku) + _place(look.time, span, sentences)
        score += eyes.get(look.time, 0.0)
        return score - (2.0 if any(abs(cut - look.time) < NEAR_CUT_S for cut in picture.cuts) else 0.0)

    return max(looks, key=lambda look: (worth(look), -look.time)).time


def _exposure(brightness: float) -> float:
    """0 for an ordinary picture, down to -2 for one that is nearly black or washed out."""
    return -2.0 * max(0.0, (0.25 - brightness) / 0.25, (brightness - 0.8) / 0.2)


def _eyes(picture: Picture) -> dict[float, float]:
    """0.4 for a frame in which the largest face is known to have open eyes, -1.5 where they are shut; other frames are left out."""
    largest: dict[float, Face] = {}
    for face in picture.faces:
        if face.time not in largest or face.box.h > largest[face.time].box.h:
            largest[face.time] = face
    measured = {time: face.eyes for time, face in largest.items() if face.eyes is not None}
    usual = float(np.median(list(measured.values()))) if measured else 0.0
    return {time: 0.4 if eyes >= OPEN * usual else -1.5 for time, eyes in measured.items()} if usual else {}


def _seen(time: float, picture: Picture, sku: str | None) -> float:
    """Up to 0.8 for a face and up to 0.9 for the product; another product costs a little."""
    faces = [face.score * min(1.0, face.box.h / 0.12) for face in picture.faces if abs(face.time - time) <= SEEN_S]
    score = 0.8 * max(faces, default=0.0)
    near = [sighting for sighting in picture.sightings or () if abs(sighting.time - time) <= SEEN_S]
    score += 0.9 * max((sighting.score for sighting in near if sighting.sku == sku), default=0.0)
    return score - (0.3 if near and sku and all(sighting.sku != sku for sighting in near) else 0.0)


def _place(time: float, span: Span, sentences: Sequence[Sentence]) -> float:
    """A frame while somebody speaks, away from the ends of its source, the earlier half first."""
    edge = min(time - span.start, span.end - time)
    score = -1.0 if edge < EDGE_S else 0.0
    share = (time - span.start) / max(span.duration, 1e-6)
    score += 0.3 * (1.0 - abs(share - 0.4) / 0.6)
    return score + (0.15 if any(sentence.span.holds(time) for sentence in sentences) else 0.0)


def draw_cover(
    frame: NDArray[np.uint8],
    title: str,
    style: Style,
    face: Typeface,
    *,
    price: str = "",
    size: tuple[int, int] = (1080, 1920),
    safe_box: tuple[int, int, int, int] = SAFE_BOX,
    quality: int = 90,
) -> bytes:
    """Set the title on a frame and return a JPEG of `size`.

    `frame` is uint8 (h, w, 3) BGR, already in the clip's framing. What stands after ｜ or | is set as a second, smaller line
    in the accent colour. An empty title leaves the frame as it is.
    """
    from PIL import Image, ImageOps

    picture = Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1]))
    picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS).convert("RGBA")
    lines = _title_lines(title, style, face, size, safe_box)
    if lines:
        _set_title(picture, lines, price, style, face, safe_box)
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _title_lines(
    title: str, style: Style, face: Typeface, size: tuple[int, int], safe_box: tuple[int, int, int, int]
) -> list[tuple[str, Ink]]:
    scale = size[0] / 1080
    look = style.cover
    main, rest = _halves(title, face)
    edge = max(4.0, look.size_px * 0.085) * scale
    ink = Ink(face=face, size_px=look.size_px * scale, fill=look.text, outline=look.outline, outline_px=edge)
    room = (safe_box[2] - safe_box[0]) * scale - 2 * edge
    large, rows = fit(main, ink, room, rows=3 if not rest else 2, smallest=0.55)
    lines = [(row, large) for row in rows if row]
    if rest:
        second = replace(ink, size_px=min(look.size_px * 0.68 * scale, large.size_px), fill=look.accent, outline_px=edge * 0.8)
        small, rows = fit(rest, second, room, rows=2, smallest=0.6)
        lines += [(row, small) for row in rows if row]
    return lines


def _halves(title: str, face: Typeface) -> tuple[str, str]:
    main, _, rest = re.sub(r"\s*[｜|]\s*", "\n", title, count=1).partition("\n")
    return plain(main, face), plain(rest, face)


def _set_title(
    picture: Any, lines: Sequence[tuple[str, Ink]], price: str, style: Style, face: Typeface, safe_box: tuple[int, int, int, int]
) -> None:
    """Set lines from the bottom of the safe box upwards on a soft dark ground, centred on the frame when the box allows."""
    scale = picture.width / 1080
    left, _, right, bottom = (side * scale for side in safe_box)
    bottom = bottom * (picture.height / 1920) / scale
    widest = max(ink.width(text) + 2 * ink.outline_px for text, ink in lines)
    middle = picture.width / 2
    if middle + widest / 2 > right:
        middle = (left + right) / 2
    tag = _price_tag(price, style, face, scale) if price else None
    heights = [ink.size_px * 1.24 for _, ink in lines]
    top = bottom - sum(heights) - (tag.height if tag else 0)
    _shade(picture, top, bottom)
    y = top
    for (text, ink), height in zip(lines, heights, strict=True):
        write(picture, (middle, y + ink.size_px), text, ink, "ms")
        y += height
    if tag:
        picture.alpha_composite(tag, (round(middle - tag.width / 2), round(y)))


def _price_tag(price: str, style: Style, face: Typeface, scale: float) -> Any:
    look = style.badge
    ink = Ink(face=face, size_px=64 * scale, fill=look.text)
    text = plain(price, face)
    height = round(ink.size_px * 1.55)
    tag = panel((round(ink.width(text) + ink.size_px * 1.1), height), min(look.radius_px * scale, height / 2), look.fill)
    write(tag, (tag.width / 2, height / 2 + ink.size_px * 0.36), text, ink, "ms")
    return with_shadow(tag, 6 * scale, 80)


def _shade(picture: Any, top: float, bottom: float) -> None:
    """Darken softly behind the title, from well above it to the foot of the frame, so that type stands on any picture."""
    from PIL import Image

    rows = np.arange(picture.height, dtype=np.float32)
    rise = np.clip((rows - (top - 380)) / max(bottom - 120 - (top - 380), 1.0), 0, 1)
    fall = np.clip((rows - bottom) / max(picture.height - bottom, 1.0), 0, 1)
    strength = SHADE * (rise * rise * (3 - 2 * rise)) * (1 - 0.55 * fall * fall * (3 - 2 * fall))
    alpha = Image.fromarray(np.repeat(strength[:, None], picture.width, axis=1).astype(np.uint8))
    veil = Image.new("RGBA", picture.size, rgba("#000000"))
    veil.putalpha(alpha)
    picture.alpha_composite(veil)
