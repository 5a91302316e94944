"""The label that is seen: how it is drawn, and how a finished file is asked whether it shows it.

It stands on a dark plate of its own, so that it can be read on any picture, and so that it can be found again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from clipper.drawing import panel
from clipper.errors import ToolError
from clipper.media.container import opened
from generators.labels import LEAST_HEIGHT, LEAST_S, LabelOptions
from generators.overlays.canvas import Canvas
from generators.overlays.motion import Layer
from generators.overlays.typeset import Run, Type, ink_box, set_line
from generators.sprites import Pose, Sprite, sprite

MARGIN = 1.06
"""The smallest character is this much higher than the law asks: encoding softens edges."""
ORDER = 90
ALIKE = 0.75
"""Correlation of what a frame shows with what was drawn, below which the label is not there. Found labels measure 0.97 and more."""


def draw_label(text: str, canvas: Canvas, options: LabelOptions) -> Layer:
    """Draw the label into the upper left corner of the safe box, from the first frame on; it neither fades nor moves."""
    picture = plate(text, canvas)
    left, top = round(canvas.box[0]), round(canvas.box[1])
    pose = Pose(x=left, y=top)
    return Layer(sprite=sprite(picture), start=0.0, end=max(options.seconds, LEAST_S), order=ORDER, pose=lambda _time: pose)


def label_height(text: str, canvas: Canvas) -> float:
    """Height that the label and its gap take at the top of the safe box."""
    return float(plate(text, canvas).height + 30 * canvas.unit)


def plate(text: str, canvas: Canvas) -> Any:
    """Draw the words in white on a dark plate: an RGBA picture."""
    kind = Type(face=canvas.type.face, weight_em=0.008, tracking_em=0.03)
    size = size_px(text, kind, min(canvas.width_px, canvas.height_px))
    line = set_line([Run(text=text, size_px=size, fill="#ffffff")], kind)
    high, pad = round(size * 1.42), size * 0.36
    picture = panel((round(line.width + 2 * pad), high), size * 0.2, "#101010b0")
    picture.alpha_composite(line.picture, (max(0, round(pad - line.pad)), max(0, round(high / 2 + size * 0.37 - line.baseline))))
    return picture


def size_px(text: str, kind: Type, short_edge: int) -> float:
    """Size in px an em at which the lowest character of a text is as high as the law asks."""
    lowest = min(top - bottom for top, bottom in (ink_box(char, 100.0, kind.face) for char in text if char.isalnum()))
    return LEAST_HEIGHT * MARGIN * short_edge * 100.0 / lowest


def check_visible(path: Path, layer: Layer) -> float:
    """Look whether a finished video shows the label throughout its first two seconds; return the worst likeness, in [-1, 1].

    Raises ToolError when a frame does not show it, or the video is shorter than two seconds.
    """
    worst, last = 1.0, -1.0
    with opened(path, "mov") as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 30)
        every = max(1, round(rate / 4))
        for number, frame in enumerate(container.decode(stream)):
            last = number / rate
            if number % every == 0 or last + 1 / rate >= LEAST_S:
                worst = min(worst, likeness(frame.to_ndarray(format="gray"), layer))
            if last + 1 / rate >= LEAST_S:
                break
    if last + 1.5 * (1 / rate) < LEAST_S:
        raise ToolError(f"could not verify the visible label of {path.name}: the video is shorter than {LEAST_S:g} s; make it longer")
    if worst < ALIKE:
        raise ToolError(
            f"could not verify the visible label of {path.name}: a frame within the first {LEAST_S:g} s does not show it "
            f"(likeness {worst:.2f}, expected {ALIKE}); the file is not to be used"
        )
    return worst


def likeness(grey: Any, layer: Layer) -> float:
    """Correlate a grey frame's corner with the label as drawn, in [-1, 1]."""
    pose = layer.pose(0.0)
    x, y = round(pose.x), round(pose.y)
    drawn = _ink(layer.sprite)
    part = grey[y : y + drawn.shape[0], x : x + drawn.shape[1]].astype(np.float32)
    if part.shape != drawn.shape:
        return -1.0
    part, drawn = part - part.mean(), drawn - drawn.mean()
    scale = float(np.sqrt((part * part).sum() * (drawn * drawn).sum()))
    return float((part * drawn).sum()) / scale if scale > 0 else -1.0


def _ink(shown: Sprite) -> Any:
    """How light the label itself is: letters high, plate low."""
    return shown.colour.mean(axis=2).astype(np.float32)
