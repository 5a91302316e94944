"""Backdrops, drawn from a style's palette: one file per kind, one row each.

A backdrop is a far plane, and with a horizon a floor that runs from the far plane to where the product stands. The floor
follows the camera as a plane in perspective does: with the far plane at the horizon, with the product at its base.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, cast

from generators.values import Palette

BACKDROPS = {kind: f"generators.animators.camera.backdrops.{kind}" for kind in ("gradient", "studio", "stage", "table", "pattern", "bokeh")}
"""Modules; each has `paint(ground, look, rng)`."""

MARGIN = 0.16
"""How much canvas lies beyond the frame on each side, as a share of its width: as far as moves shift the far plane."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a backdrop is painted for, in canvas pixels: the frame lies `margin` inside it."""

    width: int
    height: int
    margin: int
    x: float
    """Middle of the place the product has; its weight is about there."""
    base: float
    """Line on which the product stands."""
    product_width: float
    product_height: float
    frame_width: int
    frame_height: int

    @property
    def eye(self) -> float:
        """Height of the product's middle."""
        return self.base - self.product_height / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What of a style a backdrop shows."""

    palette: Palette
    motif: str = "plain"
    vignette: float = 0.12
    light_deg: float = 30.0

    @property
    def side(self) -> float:
        """-1 when light comes from the left, 1 from the right."""
        return 1.0 if self.light_deg > 0 else -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """A painted backdrop."""

    wall: Any
    """`uint8 (h, w, 3)` RGB, the whole canvas."""
    margin: int
    floor: Any | None = None
    """`uint8 (h - horizon, w, 3)`: the canvas from the horizon on; None without a floor."""
    horizon: int = 0
    """Row of the canvas at which the floor begins."""
    mirror: float = 0.0
    """How strongly the floor reflects, 0 to 1."""
    shadow: Literal["contact", "drop"] = "contact"
    depth: float = 0.4
    """How much of the product's movement the far plane follows."""


def paint(kind: str, ground: Ground, look: Look, seed: int) -> Backdrop:
    """Paint the backdrop of that kind; the same arguments give the same pixels."""
    import numpy as np

    module = import_module(BACKDROPS[kind])
    return cast("Backdrop", module.paint(ground, look, np.random.default_rng(seed)))
