"""Brushes for backdrops: canvases are `float32 (h, w, 3)` RGB in 8-bit steps, masks `float32 (h, w)` in [0, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np

Canvas = Any
Weights = Any
Colour = Any
"""`float32 (3,)`, RGB in 8-bit steps."""

WHITE = np.full(3, 255, np.float32)
BLACK = np.zeros(3, np.float32)
SUN = np.array([255, 243, 220], np.float32)


def colour(code: str) -> Colour:
    """Read #rrggbb."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return `one` with that share of `other` in it."""
    return (one + (other - one) * np.float32(share)).astype(np.float32)


def luma(tone: Colour) -> float:
    """Return the lightness of a colour in [0, 1]."""
    return float(tone @ np.array([0.299, 0.587, 0.114], np.float32)) / 255


def ramp(width: int, height: int, stops: list[tuple[float, Colour]]) -> Canvas:
    """Paint a vertical gradient through (height in pixels, colour) stops, eased between them."""
    rows = np.arange(height, dtype=np.float32) + 0.5
    places = [place for place, _ in stops]
    where = np.interp(rows, places, np.arange(len(stops), dtype=np.float32))
    index = np.minimum(where.astype(int), len(stops) - 2)
    share = where - index
    share = (share * share * (3 - 2 * share))[:, None].astype(np.float32)
    tones = np.stack([tone for _, tone in stops])
    column = tones[index] * (1 - share) + tones[index + 1] * share
    return np.repeat(column[:, None, :], width, axis=1).astype(np.float32)


def bell(width: int, height: int, x: float, y: float, sigma_x: float, sigma_y: float) -> Weights:
    """Return a soft round weight of height 1."""
    across = np.exp(-0.5 * ((np.arange(width, dtype=np.float32) + 0.5 - x) / sigma_x) ** 2)
    down = np.exp(-0.5 * ((np.arange(height, dtype=np.float32) + 0.5 - y) / sigma_y) ** 2)
    return np.outer(down, across)


def step(size: int, edge: float, softness: float) -> Any:
    """Return `float32 (size,)` that goes from 0 to 1 at `edge`, over about `softness` pixels."""
    t = np.clip((np.arange(size, dtype=np.float32) + 0.5 - edge) / max(softness, 1.0) + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def lay(canvas: Canvas, tone: Colour, weights: Weights) -> None:
    """Paint a colour over the canvas where the weights say, in place."""
    w = weights[..., None]
    canvas += (tone - canvas) * w


def shine(canvas: Canvas, tone: Colour, weights: Weights) -> None:
    """Add light, as the screen mode does: nothing burns out."""
    canvas += (255 - canvas) * (tone / np.float32(255)) * weights[..., None]


def shade(canvas: Canvas, weights: Weights) -> None:
    """Darken by the weights, in place."""
    canvas *= (1 - weights)[..., None]


def vignette(canvas: Canvas, amount: float, tone: Colour) -> None:
    """Deepen towards the corners, towards a darker shade of the tone: light grounds stay clean instead of turning grey."""
    height, width = canvas.shape[:2]
    across = ((np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1) ** 2
    down = ((np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1) ** 2
    far = np.clip((across[None, :] + down[:, None]) / 2, 0, 1)
    weights = np.float32(1.6 * amount) * far * far * (3 - 2 * far)
    lay(canvas, mix(tone, BLACK, 0.35 if luma(tone) > 0.5 else 0.6), np.clip(weights, 0, 0.9))


def noise(rng: Any, width: int, height: int, cell_x: float, cell_y: float) -> Weights:
    """Return smooth random weights with mean 0 and deviation about 1, whose features have that size in pixels."""
    import cv2

    small = rng.standard_normal((max(2, round(height / cell_y) + 2), max(2, round(width / cell_x) + 2))).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(1.25)


def blur(picture: Canvas, sigma_x: float, sigma_y: float | None = None) -> Canvas:
    """Blur, at reduced size when the blur is wide: the result is the same to the eye, at a hundredth of the time."""
    import cv2

    down = sigma_y or sigma_x
    factor = max(1, int(min(sigma_x, down) / 3))
    if factor == 1:
        return cv2.GaussianBlur(picture, (0, 0), sigma_x, sigmaY=down)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(2, width // factor), max(2, height // factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_x / factor, sigmaY=down / factor)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def daylight(canvas: Canvas, rng: Any, x: float, y: float, spread: float, amount: float, side: float = -1.0) -> None:
    """Let slanted light fall through a window: bright panes with the soft shadow of leaves, the rest a little darker."""
    height, width = canvas.shape[:2]
    import cv2

    small_w, small_h = width // 4, height // 4
    rows = (4 * np.arange(small_h, dtype=np.float32) - y)[:, None] / spread
    columns = -side * (4 * np.arange(small_w, dtype=np.float32) - x)[None, :] / spread
    slanted = columns + 0.55 * rows
    panes = sum(np.exp(-(((slanted - place) / 0.14) ** 6)) for place in (-0.52, -0.17, 0.18))
    light = panes * np.exp(-(((rows + 0.10 + 0.3 * columns) / 0.58) ** 6))
    leaves = noise(rng, small_w, small_h, 0.030 * spread, 0.016 * spread) + noise(rng, small_w, small_h, 0.014 * spread, 0.022 * spread)
    light = light * np.clip(0.95 + 0.3 * np.minimum(leaves, 0), 0.35, 1.0)
    light = blur(np.clip(light, 0, 1).astype(np.float32), 0.0055 * spread)
    light = np.clip(cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    shade(canvas, np.float32(amount) * (1 - light))
    shine(canvas, SUN, np.float32(1.6 * amount) * light)


def finish(canvas: Canvas, rng: Any) -> Any:
    """Return `uint8` with triangular noise of one step under the rounding, so that gradients do not band."""
    grain = rng.random(canvas.shape[:2], dtype=np.float32) + rng.random(canvas.shape[:2], dtype=np.float32)
    return np.clip(np.floor(canvas + grain[..., None] * np.float32(1.1) - np.float32(0.6)), 0, 255).astype(np.uint8)
