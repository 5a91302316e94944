"""Product pictures for the tests of the gate: drawn ones, and the sample's photographs, each with its mask and its label's place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clipper.fonts import find_font
from clipper.values import Box
from generators.values import Cutout, Photo

SAMPLES = Path(__file__).parent.parent / "samples" / "images"
SIDE = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A product picture with what is known about it."""

    name: str
    photo: Photo
    cutout: Cutout
    label: tuple[int, int, int, int] | None
    """x, y, w, h of what must not change first: label or logo, in photo pixels."""
    has_text: bool
    is_white: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a product is drawn."""

    name: str
    shape: str
    colour: tuple[int, int, int]
    texts: tuple[str, ...] = ()
    pattern: str = ""
    logo: str = ""
    label: tuple[int, int, int] | None = (245, 242, 232)
    ink: tuple[int, int, int] = (30, 32, 36)
    shade: float = 0.35
    backdrop: tuple[int, int, int] = (255, 255, 255)


DRAWINGS = (
    Drawing(name="balm", shape="jar", colour=(58, 120, 110), texts=("HOLLOWAY", "herbal balm 60 g"), logo="leaf"),
    Drawing(
        name="noodles",
        shape="pouch",
        colour=(196, 46, 38),
        texts=("红油拌面", "巷口人家", "净含量 320克"),
        logo="sun",
        label=None,
        ink=(255, 240, 210),
    ),
    Drawing(name="flask", shape="bottle", colour=(36, 44, 60), texts=("NORDVIK",), label=None, ink=(220, 224, 230)),
    Drawing(name="ball", shape="disc", colour=(232, 128, 30), shade=0.5),
    Drawing(name="blanket", shape="box", colour=(150, 60, 70), pattern="plaid", logo="patch"),
    Drawing(name="serum", shape="bottle", colour=(226, 190, 150), texts=("Lumière", "vitamin C serum", "30 ml"), logo="drop"),
    Drawing(
        name="soap",
        shape="box",
        colour=(238, 226, 204),
        texts=("山茶花皂", "手工冷制 100g"),
        logo="flower",
        label=(250, 248, 240),
        ink=(120, 40, 60),
    ),
    Drawing(name="mug", shape="mug", colour=(70, 92, 160), logo="star"),
    Drawing(name="chips", shape="pouch", colour=(30, 130, 70), texts=("CRISPO", "sea salt", "150 g"), logo="sun", pattern="dots"),
    Drawing(name="bag", shape="tote", colour=(200, 176, 140), shade=0.2),
    Drawing(name="shirt", shape="shirt", colour=(90, 150, 190), logo="star", label=None),
    Drawing(name="tea", shape="can", colour=(28, 70, 52), texts=("云岭毛尖", "明前采摘", "250克"), logo="leaf"),
    Drawing(
        name="lotion",
        shape="tube",
        colour=(240, 240, 244),
        texts=("PURE FERN", "hand lotion"),
        logo="leaf",
        label=None,
        backdrop=(206, 214, 220),
    ),
    Drawing(
        name="cookies",
        shape="box",
        colour=(120, 82, 52),
        texts=("Oat & Honey", "12 cookies"),
        logo="flower",
        pattern="stripes",
        backdrop=(226, 218, 204),
    ),
    Drawing(name="phonecase", shape="slab", colour=(24, 24, 28), logo="drop", shade=0.15),
    Drawing(name="juice", shape="bottle", colour=(238, 150, 40), texts=("鲜橙多多", "NFC 果汁", "300mL"), logo="sun"),
)


def photo_of(pixels: Any, name: str) -> Photo:
    return Photo(path=f"/pictures/{name}.png", sha256=name, pixels=pixels)


def cutout_of(mask: Any, confidence: float = 0.95) -> Cutout:
    ys, xs = np.nonzero(mask > 127)
    height, width = mask.shape
    left, right, top, bottom = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    box = Box(left / width, top / height, (right - left) / width, (bottom - top) / height)
    return Cutout(mask=mask, box=box, confidence=confidence, method="key")


@lru_cache(maxsize=64)
def draw(drawing: Drawing) -> Thing:
    """Draw one product, shaded like a rounded body, with a soft shadow."""
    seed = sum(map(ord, drawing.name))
    rng = np.random.default_rng(seed)
    mask, area = _shape(drawing.shape)
    body = np.empty((SIDE, SIDE, 3), np.float32)
    body[:] = drawing.colour
    body *= _pattern(drawing.pattern, rng)[..., None]
    canvas = Image.fromarray(np.clip(body, 0, 255).astype(np.uint8))
    box = _print(canvas, drawing, area)
    printed = np.asarray(canvas).astype(np.float32)
    printed *= _shading(mask, drawing.shade)[..., None]
    printed += cv2.GaussianBlur(rng.normal(0, 6, (SIDE, SIDE, 1)).astype(np.float32), (0, 0), 1.5)[..., None]
    alpha = cv2.GaussianBlur(mask, (0, 0), 1.0)[..., None].astype(np.float32) / 255
    ground = np.empty_like(printed)
    ground[:] = drawing.backdrop
    fallen = cv2.GaussianBlur(np.roll(mask, 14, axis=0), (0, 0), 16).astype(np.float32)[..., None] / 255
    pixels = printed * alpha + ground * (1 - 0.3 * fallen) * (1 - alpha)
    return Thing(
        name=drawing.name,
        photo=photo_of(np.clip(pixels, 0, 255).astype(np.uint8), drawing.name),
        cutout=cutout_of((alpha[..., 0] * 255).astype(np.uint8)),
        label=box,
        has_text=bool(drawing.texts),
        is_white=min(drawing.backdrop) > 250,
    )


SHAPES: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "jar": (("r", (240, 330, 760, 800, 60)), ("r", (270, 240, 730, 360, 24))),
    "pouch": (("r", (260, 170, 740, 850, 26)), ("r", (250, 150, 750, 210, 6)), ("r", (250, 820, 750, 870, 6))),
    "bottle": (("r", (350, 360, 650, 880, 60)), ("r", (430, 130, 570, 260, 16)), ("p", (430, 250, 570, 250, 650, 430, 350, 430))),
    "disc": (("e", (230, 230, 770, 770)),),
    "box": (("r", (210, 280, 790, 760, 8)),),
    "mug": (("r", (250, 300, 650, 780, 40)), ("e", (560, 380, 830, 690))),
    "tote": (("p", (240, 380, 760, 380, 800, 860, 200, 860)), ("h", (380, 150, 620, 560))),
    "shirt": (("p", (360, 180, 640, 180, 860, 330, 790, 460, 700, 400, 700, 860, 300, 860, 300, 400, 210, 460, 140, 330)),),
    "can": (("r", (310, 260, 690, 850, 30)), ("r", (325, 180, 675, 290, 30))),
    "tube": (("p", (340, 130, 660, 130, 610, 760, 390, 760)), ("r", (410, 750, 590, 870, 18))),
    "slab": (("r", (330, 140, 670, 860, 70)),),
}
PRINT = {
    "jar": (290, 440, 710, 740),
    "pouch": (310, 290, 690, 760),
    "bottle": (370, 480, 630, 820),
    "box": (300, 360, 700, 690),
    "mug": (340, 430, 540, 640),
    "shirt": (420, 330, 580, 480),
    "can": (340, 360, 660, 780),
    "tube": (415, 240, 585, 660),
    "slab": (430, 700, 570, 800),
    "disc": (0, 0, 0, 0),
    "tote": (0, 0, 0, 0),
}


def _shape(shape: str) -> tuple[Any, tuple[int, int, int, int]]:
    big = Image.new("L", (SIDE * 2, SIDE * 2), 0)
    pen = ImageDraw.Draw(big)
    for kind, numbers in SHAPES[shape]:
        spots = [value * 2 for value in numbers]
        if kind == "r":
            pen.rounded_rectangle(spots[:4], radius=spots[4], fill=255)
        elif kind == "e":
            pen.ellipse(spots, fill=255)
        elif kind == "h":
            pen.ellipse(spots, outline=255, width=56)
        else:
            pen.polygon(spots, fill=255)
    return np.asarray(big.resize((SIDE, SIDE), Image.Resampling.LANCZOS)), PRINT[shape]


def _shading(mask: Any, depth: float) -> Any:
    """Darken towards the sides, with one soft highlight."""
    xs = np.nonzero(mask.max(axis=0) > 127)[0]
    x = np.clip((np.arange(SIDE) - xs.min()) / max(1, xs.max() - xs.min()), 0, 1)
    light = 1 - depth * (2 * x - 0.8) ** 2 + 0.25 * np.exp(-(((x - 0.28) / 0.07) ** 2)) * (depth > 0.18)
    y = np.linspace(1.03, 0.92, SIDE)
    return (light[None, :] * y[:, None]).astype(np.float32)


def _pattern(kind: str, rng: Any) -> Any:
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    if kind == "plaid":
        weave = 1 + 0.08 * np.sign(np.sin(xs * 0.9) * np.sin(ys * 0.9))
        bands = 0.75 + 0.2 * (np.sin(xs / 21) > 0.3) + 0.2 * (np.sin(ys / 26) > 0.2) + 0.35 * (np.abs(np.sin(xs / 47)) > 0.995)
        return weave * bands
    if kind == "dots":
        return 1 + 0.22 * ((np.sin(xs / 14) * np.sin(ys / 14)) > 0.5)
    if kind == "stripes":
        return 1 + 0.15 * np.sign(np.sin((xs + ys) / 18))
    return np.ones((SIDE, SIDE), np.float32)


def font(size: int) -> Any:
    face = find_font()
    return ImageFont.truetype(face.path, size, index=face.index)


def _print(canvas: Any, drawing: Drawing, area: tuple[int, int, int, int]) -> tuple[int, int, int, int] | None:
    """Print label, logo and text; return their box."""
    if not drawing.texts and not drawing.logo:
        return None
    left, top, right, bottom = area
    pen = ImageDraw.Draw(canvas)
    if drawing.label is not None and drawing.texts:
        pen.rounded_rectangle((left, top, right, bottom), radius=14, fill=drawing.label)
        pen.rounded_rectangle((left + 8, top + 8, right - 8, bottom - 8), radius=10, outline=drawing.ink, width=3)
    ink = drawing.ink if drawing.texts or drawing.label is None else drawing.label
    room = bottom - top
    at = top + int(0.06 * room)
    if drawing.logo:
        size = int(min(right - left, room) * (0.34 if drawing.texts else 0.9))
        draw_logo(pen, drawing.logo, ((left + right) // 2, at + size // 2), size // 2, ink)
        at += size + int(0.03 * room)
    write(pen, drawing.texts, (left, at, right, bottom), ink)
    return left, top, right - left, bottom - top


def write(pen: Any, texts: tuple[str, ...], area: tuple[int, int, int, int], ink: tuple[int, int, int]) -> None:
    """Set lines one under the other, the first one large."""
    left, at, right, bottom = area
    for number, text in enumerate(texts):
        size = int((bottom - at) / max(1.6, (len(texts) - number) * 1.25) * (0.8 if number else 1.0))
        size = max(22, min(size, int((right - left) * 0.86 / max(1.0, font(100).getlength(text) / 100))))
        pen.text(((left + right) / 2, at + size * 0.6), text, font=font(size), fill=ink, anchor="mm")
        at += int(size * 1.3)


def draw_logo(pen: Any, kind: str, centre: tuple[int, int], radius: int, ink: tuple[int, int, int]) -> None:
    x, y = centre
    turns = np.arange(10) * np.pi / 5 - np.pi / 2
    if kind == "star":
        pen.polygon(
            [
                (x + radius * (1 if i % 2 == 0 else 0.45) * np.cos(a), y + radius * (1 if i % 2 == 0 else 0.45) * np.sin(a))
                for i, a in enumerate(turns)
            ],
            fill=ink,
        )
    elif kind == "leaf":
        pen.ellipse((x - radius * 0.5, y - radius, x + radius * 0.5, y + radius), fill=ink)
        pen.line((x, y - radius, x, y + radius), fill=(250, 250, 250), width=max(3, radius // 10))
        for i in (-0.5, 0.0, 0.5):
            pen.line((x, y + i * radius + radius * 0.3, x + radius * 0.4, y + i * radius), fill=(250, 250, 250), width=max(2, radius // 14))
    elif kind == "sun":
        pen.ellipse((x - radius * 0.55, y - radius * 0.55, x + radius * 0.55, y + radius * 0.55), fill=ink)
        for a in turns:
            pen.line(
                (x + 0.7 * radius * np.cos(a), y + 0.7 * radius * np.sin(a), x + radius * np.cos(a), y + radius * np.sin(a)),
                fill=ink,
                width=max(4, radius // 8),
            )
    elif kind == "flower":
        for a in turns[::2]:
            cx, cy = x + 0.5 * radius * np.cos(a), y + 0.5 * radius * np.sin(a)
            pen.ellipse((cx - radius * 0.38, cy - radius * 0.38, cx + radius * 0.38, cy + radius * 0.38), fill=ink)
        pen.ellipse((x - radius * 0.25, y - radius * 0.25, x + radius * 0.25, y + radius * 0.25), fill=(250, 220, 120))
    elif kind == "drop":
        pen.polygon([(x, y - radius), (x + radius * 0.6, y + radius * 0.2), (x - radius * 0.6, y + radius * 0.2)], fill=ink)
        pen.ellipse((x - radius * 0.62, y - radius * 0.3, x + radius * 0.62, y + radius), fill=ink)
    else:
        pen.rectangle((x - radius, y - radius * 0.4, x + radius, y + radius * 0.4), fill=(240, 236, 226), outline=(40, 40, 40), width=4)
        pen.line((x - radius * 0.7, y, x + radius * 0.7, y), fill=(40, 40, 40), width=6)


# --- photographs ----------------------------------------------------------------------------------

LABELS = {
    "L001-white": (225, 300, 300, 420),
    "L001-home": (195, 340, 175, 325),
    "L002-white": (575, 440, 180, 90),
    "L002-home": (530, 620, 130, 80),
    "L003-white": (330, 300, 380, 340),
    "L003-home": (200, 400, 680, 240),
}
AREAS = {"L001-home": (160, 230, 470, 710), "L002-home": (210, 290, 740, 930), "L003-home": (0, 200, 1010, 830)}
"""Where the product is in the pictures taken at home: left, top, right, bottom."""


@lru_cache(maxsize=8)
def sample(name: str) -> Thing:
    """Load one of the sample's six photographs; the mask is keyed on white, or grown from a rectangle."""
    pixels = cv2.cvtColor(cv2.imread(str(SAMPLES / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    mask = _grabbed(pixels, AREAS[name]) if name in AREAS else _keyed(pixels)
    return Thing(
        name=name,
        photo=photo_of(pixels, name),
        cutout=cutout_of(mask),
        label=LABELS[name],
        has_text=name.startswith(("L001", "L003-home")),
        is_white=name not in AREAS,
    )


def _keyed(pixels: Any) -> Any:
    colour = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    ground = np.median(np.concatenate([colour[:20].reshape(-1, 3), colour[-20:].reshape(-1, 3)]), axis=0)
    far = (np.linalg.norm((colour - ground) * (0.6, 1.5, 1.5), axis=2) > 22).astype(np.uint8) * 255
    return _largest(cv2.morphologyEx(far, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)))


def _grabbed(pixels: Any, area: tuple[int, int, int, int]) -> Any:
    mask = np.full(pixels.shape[:2], cv2.GC_BGD, np.uint8)
    left, top, right, bottom = area
    mask[top:bottom, left:right] = cv2.GC_PR_FGD
    cv2.setRNGSeed(1)
    small, marks = (
        cv2.resize(pixels, (512, 512), interpolation=cv2.INTER_AREA),
        cv2.resize(mask, (512, 512), interpolation=cv2.INTER_NEAREST),
    )
    cv2.grabCut(small, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    found = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    return _largest(cv2.resize(found, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def _largest(mask: Any) -> Any:
    _, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 127).astype(np.uint8))
    kept = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8) * 255
    contours, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(kept, contours, -1, 255, -1)
    return cv2.GaussianBlur(kept, (0, 0), 1.0)


def things() -> Iterator[Thing]:
    """Every product of the calibration set."""
    yield from (draw(drawing) for drawing in DRAWINGS)
    yield from (sample(name) for name in LABELS)
