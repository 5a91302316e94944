"""The end card: the product on the style's ground, its name, its price, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clipper.captions.style import rgba
from clipper.drawing import rounded
from generators.overlays.canvas import Canvas, legible, luminance, readable
from generators.overlays.motion import Layer, fade, pop, reveal, rise
from generators.overlays.price import price_picture
from generators.overlays.small import call_picture
from generators.overlays.title import draw_rows, title_rows
from generators.sprites import sprite
from generators.values import Cutout, Overlay, Photo

END_TITLES = (0.8, 0.65, 0.52)
"""Sizes of the title that are tried, as shares of its full size."""
MOST_WORDS = 0.56
"""Share of the safe box's height that words may take where the product stands above or below them."""
WIDE = 1.25
"""From this shape on the product stands beside the words."""
ABOVE = 0.085
"""The product may reach this high, as a share of the frame: only words keep to the safe box."""
TALL = 1.6
"""From this shape on the product stands below the words."""
GLOW, GLOW_TALL = 0.36, 0.62
"""Height of the light behind the product, as a share of the frame's."""
WORDS_AT, FOOT = 0.15, 0.84
"""In tall frames: where the words begin and where the product ends, as shares of the height."""
SHADOW = 92
"""Darkness of the shadow under the product, of 255."""


def draw_end_card(overlay: Overlay, canvas: Canvas, price: Overlay | None, badge: str) -> list[Layer]:
    """Draw the end card; `text` is the title, `detail` the call. Words stay in the safe box.

    The product stands above the words, on frames wider than high beside them.
    """
    seconds = overlay.end - overlay.start
    layers: list[Layer] = []

    def add(picture: Any, order: int, pose: Any) -> None:
        layers.append(Layer(sprite=sprite(picture), start=overlay.start, end=overlay.end + 1, order=order, pose=pose))

    stays = seconds + 2  # nothing leaves: the card is the end
    add(ground(canvas), 30, fade(0, 0, stays, over=0.3))
    beside = canvas.width_px > WIDE * canvas.height_px and canvas.hero is not None
    middle = canvas.width_px * 0.7 if beside else canvas.middle
    room = canvas.width_px * 0.42 if beside else 2 * min(canvas.middle - canvas.box[0], canvas.box[2] - canvas.middle)
    high = canvas.box[3] - canvas.box[1]
    for share in END_TITLES:
        blocks = _words(overlay, canvas, price, badge, room, share)
        words = sum(height for _, _, height in blocks)
        if beside or canvas.hero is None or words <= MOST_WORDS * high:
            break
    hero, spot, y = _placed(canvas, words, beside)
    if hero is not None:
        add(hero, 32, rise(*spot, stays, by=70 * canvas.unit, over=0.8))
    for number, (kind, picture, height) in enumerate(blocks):
        x, late = middle - picture.width / 2, 0.18 + 0.1 * number
        at = y + (height - picture.height) / 2 if kind != "line" else y
        way = reveal(x, at, picture.height, stays, late=late) if kind == "line" else pop(x, at, stays, late=late)
        add(picture, 34 + number, way)
        y += height
    return layers


def _placed(canvas: Canvas, words: float, beside: bool) -> tuple[Any, tuple[float, float], float]:
    """Draw the product as large as there is room: its picture, its left and top, and where the words begin."""
    _, top, _, bottom = canvas.box
    top, gap = min(top, ABOVE * canvas.height_px), 48 * canvas.unit
    if canvas.hero is None:
        return None, (0.0, 0.0), top + max(0.0, (bottom - top - words) / 2)
    if beside:
        hero = hero_picture(canvas.hero, canvas.width_px * 0.4, bottom - top)
        spot = (canvas.width_px * 0.27 - hero.width / 2, (top + bottom - hero.height) / 2)
        return hero, spot, top + max(0.0, (bottom - top - words) / 2)
    if canvas.height_px > TALL * canvas.width_px:
        # Apps cover the foot of tall frames: words stand above, and the product, which may be covered a little, below.
        begins = max(canvas.box[1], WORDS_AT * canvas.height_px)
        hero = hero_picture(canvas.hero, canvas.width_px * 0.84, max(60.0, FOOT * canvas.height_px - begins - words - gap))
        space = FOOT * canvas.height_px - begins - words - gap - hero.height
        return hero, (canvas.middle - hero.width / 2, begins + words + gap + 0.35 * space), begins
    hero = hero_picture(canvas.hero, canvas.width_px * 0.84, max(60.0, bottom - top - words - 60 * canvas.unit))
    y = top + max(0.0, (bottom - top - words - hero.height - gap) / 2)
    return hero, (canvas.middle - hero.width / 2, y), y + hero.height + gap


def _words(overlay: Overlay, canvas: Canvas, price: Overlay | None, badge: str, room: float, share: float) -> list[tuple[str, Any, float]]:
    """Title lines, price and button: kind, picture, and the height that each takes."""
    unit = canvas.unit
    blocks: list[tuple[str, Any, float]] = []
    colours = canvas.palette
    grounds = (colours.background, colours.background_end)
    ink = readable((colours.ink,), grounds) or legible(colours.ink, colours.background_end)
    rows = title_rows(replace(overlay, detail=""), canvas, room, share)
    for row, line in zip(rows, draw_rows(rows, ink, readable((colours.accent,), grounds) or ink), strict=True):
        blocks.append(("line", line.picture, row.step))
    found = price_picture(price.text, price.detail, canvas, badge if badge in ("tag", "plain") else "pill", 1.0, grounds) if price else None
    if found is not None:
        blocks.append(("price", found.picture, found.height + 52 * unit))
    picture, edge = call_picture(overlay.detail, canvas)
    if picture is not None:
        blocks.append(("call", picture, picture.height - 2 * edge + 52 * unit))
    return blocks


def ground(canvas: Canvas) -> Any:
    """The style's gradient from above downwards, with light behind the product; an opaque RGBA picture."""
    import cv2
    import numpy as np
    from PIL import Image

    width, height = canvas.width_px, canvas.height_px
    small = (max(2, width // 8), max(2, height // 8))  # it is smooth: drawn small and enlarged it is the same
    one, two = (np.array(rgba(colour)[:3], np.float32) for colour in (canvas.palette.background, canvas.palette.background_end))
    share = np.linspace(0, 1, small[1], dtype=np.float32)[:, None, None]
    share = share * share * (3 - 2 * share)
    high = GLOW_TALL if height > TALL * width else GLOW
    x = ((np.arange(small[0], dtype=np.float32) + 0.5)[None, :] / small[0] - 0.5) * 1.5
    y = ((np.arange(small[1], dtype=np.float32) + 0.5)[:, None] / small[1] - high) * 2.6
    glow = np.exp(-(x * x + y * y) * 2.2)[:, :, None]
    base = one * (1 - share) + two * share
    # On a dark ground the light behind the product is the style's own, and strong enough to part black from black.
    dark = 1 - min(1.0, 2.5 * luminance(canvas.palette.background))
    lamp = 255 + dark * 0.5 * (np.array(rgba(canvas.palette.accent)[:3], np.float32) - 255)
    lit = cv2.resize(base + (lamp - base) * (0.10 + 0.16 * dark) * glow, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).random((height, width, 1), np.float32)  # keeps eight bits from showing steps
    return Image.fromarray(np.clip(np.add(lit, noise), 0, 255).astype(np.uint8)).convert("RGBA")


def hero_picture(hero: tuple[Photo, Cutout], width: float, height: float) -> Any:
    """The product to be shown inside a size: cut out over its shadow where the cut-out is sure, else the photograph, framed."""
    from PIL import Image

    photo, cutout = hero
    if cutout.is_layer() and not cutout.is_cropped():
        return _lifted(photo, cutout, width, height)
    picture = Image.fromarray(photo.pixels).convert("RGBA")
    picture.thumbnail((max(8, round(width)), max(8, round(height))), Image.Resampling.LANCZOS)
    picture.putalpha(rounded(picture.size, min(picture.size) * 0.05))
    return picture


def _lifted(photo: Photo, cutout: Cutout, width: float, height: float) -> Any:
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter

    from generators.cutout import foreground

    box = cutout.box
    x0, y0 = max(0, int(box.x * photo.width_px) - 2), max(0, int(box.y * photo.height_px) - 2)
    x1 = min(photo.width_px, int((box.x + box.w) * photo.width_px) + 3)
    y1 = min(photo.height_px, int((box.y + box.h) * photo.height_px) + 3)
    own = foreground(photo, cutout)  # without a rim of the old background
    cut = Image.fromarray(np.dstack([own[y0:y1, x0:x1], cutout.mask[y0:y1, x0:x1]]))
    share = min(width / cut.width, height * 0.94 / cut.height)
    cut = cut.resize((max(8, round(cut.width * share)), max(8, round(cut.height * share))), Image.Resampling.LANCZOS)
    soft = max(2.0, cut.width * 0.035)
    pad = round(3 * soft)
    floor = Image.new("L", (cut.width + 2 * pad, cut.height + 2 * pad), 0)
    high = max(3.0, cut.width * 0.045)
    middle = pad + cut.height - high * 0.6
    ImageDraw.Draw(floor).ellipse((pad + cut.width * 0.06, middle - high, pad + cut.width * 0.94, middle + high), fill=SHADOW)
    picture = Image.new("RGBA", floor.size, (0, 0, 0, 0))
    picture.putalpha(floor.filter(ImageFilter.GaussianBlur(soft)))
    picture.alpha_composite(cut, (pad, pad))
    return picture.crop((0, pad, picture.width, picture.height))
