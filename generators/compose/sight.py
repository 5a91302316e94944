"""What the overlays have to know of the shots: what is under the words, and where the product is."""

from __future__ import annotations

from collections.abc import Sequence

from generators.compose.reading import shaped
from generators.compose.timeline import Placed, frame_count
from generators.layout import Area
from generators.overlays.ground import Ground, survey
from generators.overlays.views import View
from generators.values import Footage, Storyboard

LOOKS = (0.1, 0.5, 0.9)
"""Shares of a shot at which its pixels are looked at."""
STEPS = 12
"""Instants of a shot at which its product is located, but for the first."""


def ground_of(board: Storyboard, placed: Sequence[Placed], shots: Sequence[Footage]) -> Ground:
    """Look at the shots while words stand over them: whether they can be read there is measured, not assumed."""
    spans = [(overlay.start, overlay.end) for overlay in board.overlays if overlay.kind in ("price", "title", "point", "call")]
    seen: dict[float, tuple[Footage, int]] = {}
    total = frame_count(board)
    for spot, footage in zip(placed, shots, strict=True):
        for share in LOOKS:
            time = (spot.first + share * spot.count) % total / board.fps
            if any(start <= time <= end for start, end in spans):
                seen[time] = (footage, _index(spot, footage, share, board.fps))

    def frame_at(time: float) -> object:
        footage, index = seen[time]
        return shaped(next(iter(footage.frames(index, index + 1))), (board.width_px, board.height_px))

    return survey(sorted(seen), frame_at)


def views_of(board: Storyboard, placed: Sequence[Placed], shots: Sequence[Footage]) -> tuple[View, ...]:
    """Ask the shots where their product is; of footage that cannot tell, no place is known."""
    total = frame_count(board)
    found = [_view(spot, piece, footage, board) for spot, footage in zip(placed, shots, strict=True) for piece in spot.pieces(total)]
    return tuple(sorted(found, key=lambda view: view.cut))


def _view(placed: Placed, piece: tuple[int, int, int], footage: Footage, board: Storyboard) -> View:
    start, end, first = piece
    fps = board.fps
    ask = getattr(footage, "product", None)
    products: list[tuple[float, Area | None]] = []
    for step in range(STEPS + 1):
        at = (end - start) * step / STEPS
        box = ask(_index(placed, footage, (first + at) / placed.count, fps)) if ask is not None else None
        area = None if box is None else _area(box, footage, board)
        products.append(((start + at) / fps, area))
    lead = max(0, placed.lead - first) if start else 0
    return View(start=(start + lead) / fps, end=end / fps, cut=start / fps, products=tuple(products))


def _index(placed: Placed, footage: Footage, share: float, fps: int) -> int:
    """Return the footage's frame at a share of the shot."""
    return min(footage.count - 1, int(share * placed.count * float(footage.fps) / fps))


def _area(box: tuple[float, float, float, float], footage: Footage, board: Storyboard) -> Area:
    across, down = board.width_px / footage.width_px, board.height_px / footage.height_px
    return Area(box[0] * across, box[1] * down, box[2] * across, box[3] * down)
