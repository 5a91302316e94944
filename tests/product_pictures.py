"""Product pictures with a known outline: drawn products on plain and lived-in grounds, with shadows, noise and JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

SHAPES = ("bottle", "box", "mug", "blob", "shoe", "pair", "ring", "garment")
GROUNDS = ("white", "offwhite", "plain", "gradient", "sweep", "wood", "room", "clutter", "fabric")
PLAIN = GROUNDS[:5]
SURFACES = ("matte", "print", "white", "metal", "stripes", "pale")
SHADOWS = ("none", "contact", "cast", "both", "mirror")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One drawn picture: `pixels` uint8 (h, w, 3), `mask` uint8 (h, w), and what it was drawn from."""

    pixels: np.ndarray
    mask: np.ndarray
    shape: str
    ground: str
    surface: str
    shadow: str
    touches: bool


def scene(seed: int, *, size: int | None = None, ground: str | None = None, **choice: Any) -> Scene:
    """Draw a picture; everything that is not given is chosen by the seed."""
    rng = np.random.default_rng(seed)
    shape = choice.get("shape") or str(rng.choice(SHAPES))
    ground = ground or str(rng.choice(GROUNDS))
    surface = choice.get("surface") or str(rng.choice(SURFACES))
    shadow = choice.get("shadow") or str(rng.choice(SHADOWS))
    touches = bool(choice.get("touches", rng.random() < 0.1))
    height = size or int(rng.choice([480, 720, 1000]))
    width = int(height * rng.choice([0.75, 1.0, 1.0, 1.33]))
    mask = _outline(rng, shape, (height, width), touches)
    back = _ground(rng, ground, (height, width))
    back = _with_shadow(rng, back, mask, shadow)
    front = _surface(rng, surface, mask)
    cover = mask[..., None].astype(np.float32) / 255
    picture = back * (1 - cover) + front * cover
    picture += rng.normal(0, rng.choice([0.3, 1.2, 2.5]), picture.shape[:2])[..., None]
    pixels = jpeg(np.clip(picture, 0, 255).astype(np.uint8), int(rng.choice([75, 85, 95])))
    return Scene(pixels=pixels, mask=mask, shape=shape, ground=ground, surface=surface, shadow=shadow, touches=touches)


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Send pixels through JPEG."""
    from PIL import Image

    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        return np.array(Image.open(file))


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Share of the union of two masks that both cover."""
    a, b = mask > 127, truth > 127
    return float((a & b).sum() / max(1, (a | b).sum()))


def _soft(rng: np.random.Generator, size: tuple[int, int], cell: float) -> np.ndarray:
    """Smooth noise in [0, 1]."""
    import cv2

    small = rng.random((max(2, round(size[0] / cell) + 2), max(2, round(size[1] / cell) + 2))).astype(np.float32)
    grown = cv2.resize(small, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip((grown - grown.min()) / max(1e-6, float(np.ptp(grown))), 0, 1)


def _outline(rng: np.random.Generator, shape: str, size: tuple[int, int], touches: bool) -> np.ndarray:
    """Draw the product's outline four times too large, and shrink it: soft edges."""
    import cv2

    height, width = size
    big = np.zeros((height * 2, width * 2), np.uint8)
    cx, cy = width * rng.uniform(0.9, 1.1), height * rng.uniform(0.95, 1.15)
    h = height * rng.uniform(0.7, 1.4)
    w = min(width * 1.5, h * rng.uniform(0.55, 1.1))
    if touches:
        cy, h = height * 1.5, height * 1.6

    def rect(x0: float, y0: float, x1: float, y1: float, value: int = 255, r: float = 0.02) -> None:
        radius = round(r * min(w, h))
        a, b = (round(cx + x0 * w), round(cy + y0 * h)), (round(cx + x1 * w), round(cy + y1 * h))
        cv2.rectangle(big, (a[0] + radius, a[1]), (b[0] - radius, b[1]), value, -1)
        cv2.rectangle(big, (a[0], a[1] + radius), (b[0], b[1] - radius), value, -1)
        for x in (a[0] + radius, b[0] - radius):
            for y in (a[1] + radius, b[1] - radius):
                cv2.circle(big, (x, y), radius, value, -1)

    def oval(x: float, y: float, rx: float, ry: float, value: int = 255) -> None:
        cv2.ellipse(big, (round(cx + x * w), round(cy + y * h)), (round(rx * w), round(ry * h)), 0, 0, 360, value, -1)

    def poly(points: list[tuple[float, float]], value: int = 255) -> None:
        cv2.fillPoly(big, [np.array([(cx + x * w, cy + y * h) for x, y in points], np.int32)], value)

    if shape == "bottle":
        rect(-0.28, -0.2, 0.28, 0.5, r=0.12)
        rect(-0.11, -0.5, 0.11, -0.15, r=0.03)
    elif shape == "box":
        lean = rng.uniform(0.05, 0.2)
        poly([(-0.45, -0.35), (-0.45 + lean, -0.5), (0.45, -0.5), (0.45, 0.35), (0.45 - lean, 0.5), (-0.45, 0.5)])
    elif shape == "mug":
        oval(0.3, 0.0, 0.2, 0.25)
        oval(0.3, 0.0, 0.12, 0.16, 0)
        rect(-0.45, -0.4, 0.25, 0.45, r=0.06)
    elif shape == "shoe":
        poly([(-0.5, -0.1), (-0.35, -0.25), (-0.05, -0.2), (0.15, 0.0), (0.5, 0.08), (0.5, 0.25), (-0.5, 0.25)])
    elif shape == "pair":
        oval(-0.25, 0.1, 0.22, 0.3)
        oval(0.27, 0.05, 0.2, 0.28)
    elif shape == "ring":
        oval(0, 0, 0.42, 0.42)
        oval(0, 0, 0.3, 0.3, 0)
    elif shape == "garment":
        poly(
            [
                (-0.25, -0.45),
                (0.25, -0.45),
                (0.5, -0.2),
                (0.36, -0.08),
                (0.28, -0.16),
                (0.3, 0.5),
                (-0.3, 0.5),
                (-0.28, -0.16),
                (-0.36, -0.08),
                (-0.5, -0.2),
            ]
        )
    else:
        angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        reach = 0.4 + sum(rng.uniform(0, 0.06) * np.cos(k * angles + rng.uniform(0, 6)) for k in range(2, 7))
        poly([(float(r * np.cos(a)), float(r * np.sin(a))) for r, a in zip(reach, angles, strict=True)])
    return np.asarray(cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _ground(rng: np.random.Generator, ground: str, size: tuple[int, int]) -> np.ndarray:
    import cv2

    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    flat = np.ones((height, width, 3), np.float32)
    if ground == "white":
        return flat * 255
    if ground == "offwhite":
        away = np.hypot((x / width - 0.5), (y / height - 0.5))
        return flat * (np.array([246, 245, 243], np.float32) - rng.uniform(4, 18) * away[..., None])
    if ground == "plain":
        return flat * rng.uniform(60, 240, 3).astype(np.float32) + (_soft(rng, size, 300)[..., None] - 0.5) * 6
    if ground == "gradient":
        a = rng.uniform(90, 230, 3)
        b = np.clip(a + rng.uniform(-50, 50), 0, 255)
        t = (y / height)[..., None]
        return (a * (1 - t) + b * t).astype(np.float32)
    if ground == "sweep":
        t = 1 / (1 + np.exp(-(y / height - rng.uniform(0.45, 0.65)) * rng.uniform(8, 25)))
        base = rng.uniform(215, 240)
        return flat * (base + rng.uniform(5, 15) * t[..., None])
    if ground == "wood":
        rings = np.sin((x / width * rng.uniform(3, 9) + _soft(rng, size, 160) * 4) * 6.28 + _soft(rng, (height, width), 12) * 2)
        return np.array([150, 105, 65], np.float32) + rings[..., None] * np.array([28, 24, 18], np.float32)
    if ground == "room":
        line = height * rng.uniform(0.45, 0.65)
        wall, floor = rng.uniform(120, 230, 3), rng.uniform(60, 190, 3)
        picture = np.where((y < line)[..., None], wall, floor).astype(np.float32)
        for _ in range(4):
            cv2.rectangle(
                picture,
                (int(rng.uniform(0, width)), int(rng.uniform(0, line))),
                (int(rng.uniform(0, width)), int(line)),
                rng.uniform(20, 240, 3).tolist(),
                -1,
            )
        return cv2.GaussianBlur(picture, (0, 0), height / rng.uniform(30, 120))
    if ground == "clutter":
        picture = np.stack([_soft(rng, size, c) for c in (60, 45, 80)], -1) * 220 + 20
        for _ in range(25):
            centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
            cv2.circle(picture, centre, int(rng.uniform(10, height / 7)), rng.uniform(0, 255, 3).tolist(), -1)
        return np.asarray(picture, np.float32)
    weave = (np.sin(x * 0.9) * np.sin(y * 0.9) + _soft(rng, size, 90) * 2)[..., None]
    return np.clip(rng.uniform(60, 210, 3) + weave * 14, 0, 255).astype(np.float32)


def _with_shadow(rng: np.random.Generator, back: np.ndarray, mask: np.ndarray, shadow: str) -> np.ndarray:
    import cv2

    if shadow == "none":
        return back
    height, width = mask.shape
    dark = np.zeros((height, width), np.float32)
    ys, xs = np.nonzero(mask > 127)
    left, right, bottom = xs.min(), xs.max(), ys.max()
    if shadow in ("contact", "both"):
        spot = np.zeros((height, width), np.float32)
        cv2.ellipse(
            spot, (int((left + right) / 2), int(bottom)), (int((right - left) * 0.5), int(max(4, height * 0.02))), 0, 0, 360, 1.0, -1
        )
        dark = np.maximum(dark, cv2.GaussianBlur(spot, (0, 0), height * 0.012) * rng.uniform(0.25, 0.55))
    if shadow in ("cast", "both"):
        move = np.float32([[1, 0, width * rng.uniform(-0.06, 0.06)], [0, 1, height * rng.uniform(0.0, 0.04)]])
        moved = cv2.warpAffine(mask.astype(np.float32) / 255, move, (width, height))
        dark = np.maximum(dark, cv2.GaussianBlur(moved, (0, 0), height * rng.uniform(0.015, 0.05)) * rng.uniform(0.1, 0.3))
    back = back * (1 - dark[..., None])
    if shadow == "mirror":
        rows = np.arange(height)
        flipped = mask[np.clip(2 * bottom - rows, 0, height - 1)].astype(np.float32) / 255
        fade = np.clip(1 - (rows - bottom) / (height * 0.15), 0, 1)[:, None] * (rows > bottom)[:, None] * 0.12
        back = back * (1 - (flipped * fade)[..., None])
    return np.asarray(back, np.float32)


def _surface(rng: np.random.Generator, surface: str, mask: np.ndarray) -> np.ndarray:
    import cv2

    size = (mask.shape[0], mask.shape[1])
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    ys, xs = np.nonzero(mask > 127)
    across = np.clip((x - xs.min()) / max(1, np.ptp(xs)), 0, 1)
    shade = (0.72 + 0.4 * np.sin(np.pi * (0.15 + 0.75 * across)) * (0.85 + 0.15 * _soft(rng, size, 120)))[..., None]
    if surface == "white":
        return np.clip(np.array([236, 235, 232], np.float32) * (0.55 + 0.42 * shade), 0, 252)
    if surface == "metal":
        bands = 0.5 + 0.5 * np.sin(across * 14)
        return (90 + 150 * bands[..., None]) * np.ones(3, np.float32)
    if surface == "stripes":
        on = (np.sin((x + y) / rng.uniform(9, 30)) > 0)[..., None]
        return (np.where(on, rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)) * shade).clip(0, 255).astype(np.float32)
    if surface == "pale":
        return (rng.uniform(185, 225, 3).astype(np.float32) * (0.7 + 0.3 * shade)).clip(0, 250)
    picture = np.clip(rng.uniform(20, 210, 3) * shade, 0, 255).astype(np.float32)
    if surface == "print":
        w, h = np.ptp(xs), np.ptp(ys)
        cx, cy = (xs.min() + xs.max()) // 2, (ys.min() + ys.max()) // 2
        cv2.rectangle(picture, (int(cx - w / 4), int(cy - h / 8)), (int(cx + w / 4), int(cy + h / 8)), (248, 246, 240), -1)
        scale = max(0.4, w / 420)
        whole = picture.astype(np.uint8)
        cv2.putText(whole, "SAMPLE", (int(cx - w / 5), int(cy)), cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 20), max(1, int(scale * 2)))
        return whole.astype(np.float32)
    return picture
