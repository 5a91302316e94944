"""Camera moves: where the product's plane is at every instant of a shot, and how far the camera has gone around it.

A move is a path of views relative to the resting view. It starts and stops softly but never stands still in between: its
speed runs from a third of the mean to above it and back. Closed moves run through sines, so that frame `count` would be
frame 0 exactly.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from generators.animators.camera.geometry import Similarity, around, between, inside
from generators.layout import Area
from generators.values import Move

CREEP = 0.34
"""Share of a move that runs at constant speed, so that no shot begins or ends dead."""
CLOSEST = 2.0
"""Most that a detail is enlarged over the picture's own pixels."""
REVEALED = 0.5
"""Share of the way from rest to the close view at which a reveal begins."""
LOOKS_AT = 0.44
"""Height of the frame at which a close view holds its focus: a little above its middle, over what apps cover."""
CLOSE: tuple[Move, ...] = ("detail", "reveal")
"""Moves that leave the product's area for a close view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a move has to know: the frame, the product in its resting view, and the region to go to, all in frame pixels."""

    width: int
    height: int
    box: tuple[float, float, float, float]
    """Left, top, right, bottom of the product at rest."""
    focus: tuple[float, float, float, float]
    scale: float
    """Output pixels per picture pixel at rest."""
    flat: bool
    """True when there is one plane only."""
    covers: bool = False
    """True for a print, which fills the frame in close views as far as its pixels bear."""
    free: Area | None = None
    """What the whole product may take while it moves; None lets it go anywhere."""


@dataclass(frozen=True, slots=True)
class View:
    """One instant: how the product's plane has moved from rest, and the camera's way around it in pixels of the far plane."""

    near: Similarity
    orbit: float = 0.0
    light: float | None = None
    """Where the sweeping light is, 0 before the product and 1 behind it; None without it."""


Path = Callable[[float], View]
"""From the instant in [0, 1] to the view."""


def path(move: Move, stage: Stage, *, seed: int, loop: bool, swept: bool) -> Path:
    """Lay a move over the stage; the seed chooses sides and small differences. `swept` lets light pass over the product."""
    rng = random.Random(seed)
    side = rng.choice((-1.0, 1.0))
    strength = rng.uniform(0.92, 1.08)
    if move == "parallax":
        return _orbit(stage, side, strength, loop)
    start, end = _ends(move, stage, side, strength)
    if stage.free is not None and move not in CLOSE:
        start, end = inside(start, stage.box, stage.free), inside(end, stage.box, stage.free)
    ease = _there_and_back if loop else _settle if move == "reveal" else _glide
    lit = swept and move in ("sweep", "reveal", "still")

    def view(t: float) -> View:
        return View(between(start, end, ease(t)), 0.0, _smooth(t) if lit else None)

    return view


def _ends(move: Move, stage: Stage, side: float, strength: float) -> tuple[Similarity, Similarity]:
    wide, tall = stage.width, stage.height
    cx, cy = _eye(stage)

    def zoom(scale: float, dx: float = 0.0, dy: float = 0.0) -> Similarity:
        return around(scale, cx, cy, cx + dx, cy + dy)

    step = 0.12 * strength
    if move == "push_in":
        return zoom(1.0), zoom(1.0 + step)
    if move == "pull_out":
        return zoom(1.02 + step), zoom(1.0)
    if move == "sweep":
        return zoom(1.0), zoom(1.0 + 0.5 * step)
    if move == "rise":
        return zoom(1.07, 0, -0.035 * tall * strength), zoom(1.01, 0, 0.012 * tall * strength)
    if move == "pan":
        way = side * strength * _slack(stage, 1.05, 0.055 * wide)
        return zoom(1.05, way), zoom(1.05, -way)
    if move == "detail":
        close = _close(stage)
        return between(Similarity(), close, 0.12), close
    if move == "reveal":
        return between(Similarity(), _close(stage), REVEALED), Similarity()
    return Similarity(), Similarity()


def _eye(stage: Stage) -> tuple[float, float]:
    """Return the point that zooms run to: a little above the product's middle, where labels are."""
    left, top, right, bottom = stage.box
    return (left + right) / 2, top + 0.46 * (bottom - top)


def _slack(stage: Stage, scale: float, wanted: float) -> float:
    """Return how far the product may be shifted to either side, up to what is wanted, and stay in the frame at that scale."""
    left, _, right, _ = stage.box
    middle = (left + right) / 2
    half = scale * (right - left) / 2
    return max(0.018 * stage.width, min(wanted, middle - half - 0.012 * stage.width, stage.width * 0.988 - middle - half))


def _close(stage: Stage) -> Similarity:
    """Return the view that shows the focus large: no more than the picture's pixels bear, and never less than a visible step."""
    left, top, right, bottom = stage.focus
    fill = min(0.8 * stage.width / max(right - left, 1.0), 0.46 * stage.height / max(bottom - top, 1.0))
    most = min(CLOSEST / stage.scale, 2.4)
    scale = max(1.18, min(fill, most))
    if stage.covers:
        wide, tall = stage.box[2] - stage.box[0], stage.box[3] - stage.box[1]
        scale = min(max(scale, stage.width / wide, stage.height / tall), max(scale, 1.1 * most))
    x, y = (left + right) / 2, (top + bottom) / 2
    to_x, to_y = stage.width / 2, LOOKS_AT * stage.height
    # The focus is brought towards the middle as far as the zoom alone would carry it out, not by a leap of its own.
    pull = min(1.0, (scale - 1) / 0.7)
    view = around(scale, x, y, x + (to_x - x) * pull, y + (to_y - y) * pull)
    return _covering(view, stage) if stage.covers else view


def _covering(view: Similarity, stage: Stage) -> Similarity:
    """Shift a view so that a print reaches over the frame's edges, as far as its size allows."""
    left, top = view.apply(*stage.box[:2])
    right, bottom = view.apply(*stage.box[2:])
    dx = min(0.0, -left) + max(0.0, stage.width - right) if right - left >= stage.width else (stage.width - left - right) / 2
    dy = min(0.0, -top) + max(0.0, stage.height - bottom) if bottom - top >= stage.height else (stage.height - top - bottom) / 2
    return view.moved(dx, dy)


def _orbit(stage: Stage, side: float, strength: float, loop: bool) -> Path:
    """Circle around the product: it keeps its place but for a small counter-movement, the far plane runs past behind it."""
    cx, cy = _eye(stage)
    swing = side * strength * stage.width
    near, far = (0.03, 0.0) if stage.flat else (0.016, 0.062)

    def view(t: float) -> View:
        if loop:
            angle, closer = math.sin(2 * math.pi * t), 0.5 - 0.5 * math.cos(4 * math.pi * t)
        else:
            angle = 2 * _glide(t) - 1
            closer = 1 - angle * angle
        scale = (1.06 if stage.flat else 1.03) + 0.035 * closer
        return View(around(scale, cx, cy, cx - near * swing * angle, cy), far * swing * angle)

    return view


def _smooth(t: float) -> float:
    return t * t * t * (t * (6 * t - 15) + 10)


def _glide(t: float) -> float:
    """Ease in and out with a speed that never falls to nothing."""
    return CREEP * t + (1 - CREEP) * t * t * (3 - 2 * t)


def _settle(t: float) -> float:
    """Set out fast and come to rest slowly: the eased way of the reveal."""
    return float(CREEP * t * 0.5 + (1 - CREEP * 0.5) * (1 - (1 - t) ** 3) ** 1.25)


def _there_and_back(t: float) -> float:
    return 0.5 - 0.5 * math.cos(2 * math.pi * t)
