"""What the overlays have to know of the shots: what is under the words, and where the product is."""

from __future__ import annotations

from collections.abc import Sequence

from generators.compose.reading import shaped
from generators.compose.timeline import Placed, place
from generators.layout import Area
from generators.overlays.ground import Ground, survey
from generators.overlays.views import View
from generators.values import Footage, Storyboard

LOOKS = (0.1, 0.5, 0.9)
"""Shares of a shot at which its pixels are looked at."""
STEPS = 12
"""Instants of a shot at which its product is located, but for the first."""


def ground_of(board: Storyboard, shots: Sequence[Footage]) -> Ground:
    """Look at the shots while words stand over them: whether they can be read there is measured, not assumed."""
    spans = [(overlay.start, overlay.end) for overlay in board.overlays if overlay.kind in ("price", "title", "point", "call")]
    seen: dict[float, tuple[Footage, int]] = {}
    for placed, footage in zip(place(board), shots, strict=True):
        for share in LOOKS:
            time = (placed.first + share * placed.count) / board.fps
            if any(start <= time <= end for start, end in spans):
                seen[time] = (footage, _index(placed, footage, share, board.fps))

    def frame_at(time: float) -> object:
        footage, index = seen[time]
        return shaped(next(iter(footage.frames(index, index + 1))), (board.width_px, board.height_px))

    return survey(sorted(seen), frame_at)


def views_of(board: Storyboard, shots: Sequence[Footage]) -> tuple[View, ...]:
    """Ask the shots where their product is; of footage that cannot tell, no place is known."""
    return tuple(_view(placed, footage, board) for placed, footage in zip(place(board), shots, strict=True))


def _view(placed: Placed, footage: Footage, board: Storyboard) -> View:
    first, fps = placed.first / board.fps, board.fps
    ask = getattr(footage, "product", None)
    products: list[tuple[float, Area | None]] = []
    for step in range(STEPS + 1):
        share = step / STEPS
        box = ask(_index(placed, footage, share, fps)) if ask is not None else None
        area = None if box is None else _area(box, footage, board)
        products.append((first + share * placed.count / fps, area))
    lead = placed.lead if placed.index else 0
    return View(start=first + lead / fps, end=placed.end / fps, cut=first, products=tuple(products))


def _index(placed: Placed, footage: Footage, share: float, fps: int) -> int:
    """Return the footage's frame at a share of the shot."""
    return min(footage.count - 1, int(share * placed.count * float(footage.fps) / fps))


def _area(box: tuple[float, float, float, float], footage: Footage, board: Storyboard) -> Area:
    across, down = board.width_px / footage.width_px, board.height_px / footage.height_px
    return Area(box[0] * across, box[1] * down, box[2] * across, box[3] * down)
