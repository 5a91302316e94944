"""How things come and go: easing curves, and the poses they give.

Source of the curves: Penner, "Motion, Tweening, and Easing" (2001), in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generators.sprites import Pose, Sprite

OUT_S = 0.28
"""How long anything takes to leave."""
BACK = 1.35
"""How far a pop overshoots: 6 % of the way."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """A sprite and its way through time."""

    sprite: Sprite
    start: float
    """Seconds on the video's clock."""
    end: float
    order: int
    """Higher ones lie on top."""
    pose: Callable[[float], Pose]
    """From seconds since `start` to the pose."""


def out_cubic(share: float) -> float:
    """Come softly to rest."""
    return 1 - (1 - _held(share)) ** 3


def out_quint(share: float) -> float:
    """Come to rest from a quick start: for type."""
    return 1 - (1 - _held(share)) ** 5


def out_back(share: float) -> float:
    """Go a little too far and come back: for prices."""
    at = _held(share) - 1
    return 1 + (BACK + 1) * at**3 + BACK * at * at


def _held(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def leaving(time: float, seconds: float) -> float:
    """Opacity near the end: 1, falling to 0 over the last `OUT_S` of `seconds`."""
    return out_cubic((seconds - time) / OUT_S)


def fade(x: float, y: float, seconds: float, *, late: float = 0.0, over: float = 0.4, opacity: float = 1.0) -> Callable[[float], Pose]:
    """Appear in place."""
    return lambda time: Pose(x=x, y=y, opacity=opacity * out_cubic((time - late) / over) * leaving(time, seconds))


def reveal(
    x: float, y: float, height: float, seconds: float, *, late: float = 0.0, over: float = 0.6, wide: float = 1e6
) -> Callable[[float], Pose]:
    """Rise from behind an edge at the foot of the sprite: nothing below the edge is drawn."""

    def pose(time: float) -> Pose:
        moved = (1 - out_quint((time - late) / over)) * height
        return Pose(x=x, y=y + moved, opacity=leaving(time, seconds) * (time >= late), clip=(x - wide, y - height, x + wide, y + height))

    return pose


def slide(x: float, y: float, seconds: float, *, by: float, late: float = 0.0, over: float = 0.5) -> Callable[[float], Pose]:
    """Come in from the side while appearing."""

    def pose(time: float) -> Pose:
        way = out_quint((time - late) / over)
        return Pose(x=x + by * (1 - way), y=y, opacity=out_cubic((time - late) / over * 1.4) * leaving(time, seconds))

    return pose


def rise(x: float, y: float, seconds: float, *, by: float, late: float = 0.0, over: float = 0.55) -> Callable[[float], Pose]:
    """Come up from below while appearing."""

    def pose(time: float) -> Pose:
        way = out_quint((time - late) / over)
        return Pose(x=x, y=y + by * (1 - way), opacity=out_cubic((time - late) / over * 1.3) * leaving(time, seconds))

    return pose


def pop(x: float, y: float, seconds: float, *, late: float = 0.0, over: float = 0.42, least: float = 0.7) -> Callable[[float], Pose]:
    """Grow in with a little overshoot."""

    def pose(time: float) -> Pose:
        share = (time - late) / over
        size = least + (1 - least) * out_back(share)
        return Pose(x=x, y=y, scale=size if share < 1 else 1.0, opacity=out_cubic(share * 2) * leaving(time, seconds))

    return pose


def grow(
    x: float, y: float, width: float, height: float, seconds: float, *, over: float = 0.7, middle: bool = False
) -> Callable[[float], Pose]:
    """Unroll to the right, or from the middle to both sides: for rules."""

    def pose(time: float) -> Pose:
        shown = width * out_quint(time / over)
        left = x + (width - shown) / 2 if middle else x
        return Pose(x=x, y=y, opacity=leaving(time, seconds), clip=(left, y - 1, left + shown, y + height + 1))

    return pose
