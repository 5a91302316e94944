"""What is laid over the picture: product card, sales badge and closing card, as PNG files in the work folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clipper.captions.ass import box_of
from clipper.captions.style import Panel, Style, rgba
from clipper.drawing import Ink, fit, panel, plain, rounded, thumbnail, with_shadow, write
from clipper.fonts import Face
from clipper.values import Plan, ProductCard

CARD_WIDTH_PX = 680
CARD_HEIGHT_PX = 172
PICTURE_PX = 132
GAP_PX = 20


def draw_card(card: ProductCard, style: Style, face: Face, scale: float) -> Any:
    """Draw the product card: picture, title, catalogue price; an RGBA picture with its shadow."""
    look = style.card
    height, pad = round(CARD_HEIGHT_PX * scale), round(GAP_PX * scale)
    side = round(PICTURE_PX * scale)
    image = thumbnail(card.image, side) if card.image else None
    left = pad + (side + pad if image else round(8 * scale))
    room = CARD_WIDTH_PX * scale - left - 1.5 * pad
    price = plain(card.price, face)
    title = Ink(face=face, size_px=look.size_px * scale, fill=look.text)
    title, rows = fit(plain(card.title, face), title, room, rows=1 if price else 2, smallest=0.8)
    cost = Ink(face=face, size_px=look.size_px * 1.3 * scale, fill=look.accent)
    used = max([*(title.width(row) for row in rows), cost.width(price), 120 * scale])
    picture = panel((round(left + used + 1.5 * pad), height), look.radius_px * scale, look.fill)
    if image:
        picture.paste(image, (pad, (height - side) // 2), rounded((side, side), look.radius_px * scale * 0.6))
    lines = [(row, title) for row in rows] + ([(price, cost)] if price else [])
    total = sum(ink.size_px * 1.32 for _, ink in lines)
    y = (height - total) / 2
    for text, ink in lines:
        write(picture, (left, y + ink.size_px * 1.02), text, ink)
        y += ink.size_px * 1.32
    return with_shadow(picture, 8 * scale)


def place_card(picture: Any, plan: Plan, style: Style, safe_box: tuple[int, int, int, int], line_em: float) -> tuple[int, int]:
    """Left and top of the card: at the safe box's left edge, above two lines of captions."""
    left, _, _, bottom = box_of(plan, safe_box)
    scale = plan.width_px / 1080
    captions = style.lift_px + 2 * style.size_px * line_em + 2 * style.outline_px + style.shadow_px + GAP_PX
    pad = round(3 * 8 * scale)  # the card's shadow may reach outside the box
    return round(left) - pad, round(bottom - captions * scale - picture.height + pad)


def draw_badge(text: str, style: Style, face: Face, scale: float) -> Any:
    """Draw the sales badge: a pill with rising bars and the text; an RGBA picture."""
    look = style.badge
    ink = Ink(face=face, size_px=look.size_px * scale, fill=look.text)
    ink, rows = fit(plain(text, face), ink, 520 * scale, rows=1, smallest=0.7)
    height, pad = round(look.size_px * 1.75 * scale), round(look.size_px * 0.55 * scale)
    bars = round(look.size_px * 0.85 * scale)
    width = round(pad + bars + pad * 0.5 + ink.width(rows[0] if rows else "") + pad)
    picture = panel((width, height), min(look.radius_px * scale, height / 2), look.fill)
    _bars(picture, (pad, (height - bars) // 2), bars, look.accent)
    write(picture, (pad + bars + pad * 0.5, height / 2 + ink.size_px * 0.36), rows[0] if rows else "", ink)
    return with_shadow(picture, 6 * scale, 70)


def place_badge(picture: Any, plan: Plan, safe_box: tuple[int, int, int, int]) -> tuple[int, int]:
    """Left and top of the badge: the safe box's upper left corner."""
    left, top, _, _ = box_of(plan, safe_box)
    pad = round(3 * 6 * plan.width_px / 1080)
    return round(left) - pad, round(top) - pad


def draw_end_card(text: str, backdrop: Any, plan: Plan, style: Style, face: Face, safe_box: tuple[int, int, int, int]) -> Any:
    """Draw the closing card: the last frame blurred and tinted, the room's name, and the call as a button.

    `backdrop` is an RGB picture of any size, or None for a plain ground.
    """
    from PIL import Image

    look, scale = style.end_card, plan.width_px / 1080
    size = (plan.width_px, plan.height_px)
    picture = _backdrop(backdrop, size, look)
    left, top, right, bottom = box_of(plan, safe_box)
    call, *rest = [plain(row, face) for row in text.splitlines()] or [""]
    room = 0.8 * (right - left)
    button = Ink(face=face, size_px=look.size_px * scale, fill=look.text)
    button, calls = fit(call, button, room - 2 * look.size_px * scale, rows=1, smallest=0.5)
    name = Ink(face=face, size_px=look.size_px * 0.72 * scale, fill=look.text, outline="#00000066", outline_px=2 * scale)
    name, names = fit(" ".join(part for part in rest if part), name, room, rows=2, smallest=0.6)
    middle, y = plan.width_px / 2, (top + bottom) / 2 - (len(names) * name.size_px * 1.4) / 2
    for row in names:
        write(picture, (middle, y), row, name, "ms")
        y += name.size_px * 1.4
    pill = _button(calls[0] if calls else "", button, look, scale)
    picture.alpha_composite(pill, (round(middle - pill.width / 2), round(y - 24 * scale)))
    flat = Image.new("RGB", size)
    flat.paste(picture.convert("RGB"))
    return flat


def _button(text: str, ink: Ink, look: Panel, scale: float) -> Any:
    height, pad = round(ink.size_px * 1.9), round(ink.size_px * 0.7)
    bars = round(ink.size_px * 0.72)
    pill = panel((round(2 * pad + bars + pad * 0.45 + ink.width(text)), height), height / 2, look.accent)
    _bars(pill, (pad, (height - bars) // 2), bars, ink.fill)
    write(pill, (pad + bars + pad * 0.45, height / 2 + ink.size_px * 0.36), text, ink)
    return with_shadow(pill, 10 * scale, 110)


def _backdrop(source: Any, size: tuple[int, int], look: Panel) -> Any:
    from PIL import Image, ImageFilter, ImageOps

    if source is None:
        ground = Image.new("RGB", size, rgba(look.fill)[:3])
    else:
        small = ImageOps.fit(source, (max(2, size[0] // 8), max(2, size[1] // 8)), Image.Resampling.BILINEAR)
        ground = small.filter(ImageFilter.GaussianBlur(7)).resize(size, Image.Resampling.BICUBIC)
    picture = ground.convert("RGBA")
    picture.alpha_composite(Image.new("RGBA", size, rgba(look.fill)))
    return picture


def _bars(picture: Any, at: tuple[int, int], side: int, colour: str) -> None:
    """Three rising bars: the sign that live apps put beside what is on air."""
    width = max(2, round(side * 0.22))
    for number, share in enumerate((0.5, 0.75, 1.0)):
        height = max(2, round(side * share))
        bar = panel((width, height), width / 2, colour)
        picture.alpha_composite(bar, (at[0] + round(number * side * 0.36), at[1] + side - height))


def save_png(picture: Any, path: Path) -> None:
    """Write a picture fast: the file lives for one render."""
    picture.save(path, "PNG", compress_level=1)
