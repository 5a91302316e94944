"""Title and price as one block: solved once per video for its area, as large as both fit, neither touching the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from generators.layout import Area
from generators.overlays.canvas import Canvas
from generators.overlays.price import Price, price_picture
from generators.overlays.title import LATIN, NAME, Row, height_of, is_long, title_rows
from generators.overlays.typeset import is_wide
from generators.values import Overlay

GAP = 36.0
"""Design units between title and price, and between bars that stand on one another."""
SHARES = tuple(1.0 - 0.08 * step for step in range(8))
"""Sizes that are tried, as shares of the full one."""
SECOND_LINE, PRICE_WORTH, BURST = 0.1, 0.3, 0.15
"""What a second line, a full-size price and a burst of points are worth, in shares of the name's size."""
TORN = 1.0
"""What it costs to cut a name: more than any size is worth."""
SMALLEST_PRICE = 0.5
ABOVE, BELOW, BESIDE = 0.6, 0.15, 0.5
"""Share of the area's unused height that is left over the block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The solved block."""

    titles: tuple[list[Row], ...]
    """The lines of every title, in the order given."""
    price: Price | None
    share: float
    """Size of the price, as a share of its full one."""
    badge: str
    area: Area
    """What title and price cover together."""
    slot: Area
    """Where the title stands, and after it points and call."""
    price_at: tuple[float, float]
    """Left and top of the price's shape."""


def set_head(titles: Sequence[Overlay], price: Overlay | None, canvas: Canvas, badge: str, tones: Sequence[str] = ()) -> Head:
    """Set title and price into the canvas' area for words: of all ways that fit, the one in which the name is largest."""
    area = canvas.words
    plain = [replace(title, detail="") for title in titles]
    told = [titles, plain] if any(title.detail for title in titles) else [titles]
    prices = _Prices(price, canvas, tones)
    fitting: list[tuple[float, Head]] = []
    for texts in told:
        for beside, lines in product(_ways(canvas, badge), _lines(titles, canvas)):
            for share in SHARES:
                found = _tried(texts, prices, badge, share, beside, lines)
                if found.area.height <= area.height + 0.5 and found.area.width <= area.width + 0.5:
                    second = SECOND_LINE if texts is titles and len(told) > 1 else 0.0
                    fitting.append((_worth(found, canvas, beside) + second, found))
                    break
    if not fitting:
        return _tried(plain, prices, "pill", SHARES[-1], False, _lines(titles, canvas)[-1])
    return max(fitting, key=lambda one: one[0])[1]


def _worth(head: Head, canvas: Canvas, beside: bool) -> float:
    """Rate a block: by the size of its smallest name, then by that of its price."""
    names = [row for rows in head.titles for row in rows if not row.is_small]
    size = min((row.size_px / canvas.unit / (NAME if is_wide(row.text) else LATIN) for row in names), default=1.0)
    burst = BURST if beside and head.badge == "burst" else 0.0
    cut = TORN if any(row.text.endswith("…") for row in names) else 0.0
    return size + PRICE_WORTH * head.share + burst - cut


class _Prices:
    """Prices drawn once for every size and shape that is tried."""

    def __init__(self, price: Overlay | None, canvas: Canvas, tones: Sequence[str]) -> None:
        self.price, self.canvas, self.tones = price, canvas, tones
        self._drawn: dict[tuple[str, float], Price | None] = {}

    def drawn(self, badge: str, share: float) -> Price | None:
        """Draw the price, or find it drawn."""
        if self.price is None:
            return None
        key = (badge, share)
        if key not in self._drawn:
            self._drawn[key] = price_picture(self.price.text, self.price.detail, self.canvas, badge, share, self.tones)
        return self._drawn[key]


def _ways(canvas: Canvas, badge: str) -> tuple[bool, ...]:
    """Say whether the price may stand at the right of the title, best first."""
    if canvas.align == "middle" or canvas.grid.is_column:
        return (False,)
    return (True, False) if badge == "burst" else (False, True)


def _lines(titles: Sequence[Overlay], canvas: Canvas) -> tuple[int, ...]:
    """On how many lines a name may stand: more where it is long and written without a space."""
    usual, more = (3, 2) if canvas.grid.is_column else (2, 1)
    return tuple(range(usual, usual + more + 1)) if any(is_long(title.text) for title in titles) else (usual,)


def _tried(titles: Sequence[Overlay], prices: _Prices, badge: str, share: float, beside: bool, lines: int) -> Head:
    canvas = prices.canvas
    area, unit = canvas.words, canvas.unit
    size = max(share, SMALLEST_PRICE)
    shape = badge if beside or badge != "burst" else "pill"
    drawn = prices.drawn(shape, size)
    wide, high = (drawn.width, drawn.height) if drawn is not None else (0.0, 0.0)
    gap = GAP * unit if titles and drawn is not None else 0.0
    room = area.width - wide - 1.4 * gap if beside else area.width
    rows = tuple(title_rows(title, canvas, max(room, 0.3 * area.width), share, rows=lines) for title in titles)
    title_wide = max((row.width for lines in rows for row in lines), default=0.0)
    title_high = max((height_of(lines, unit) for lines in rows), default=0.0)
    if beside:
        across, down = title_wide + 1.4 * gap + wide, max(title_high, high)
    else:
        across, down = max(title_wide, wide), title_high + gap + high
    left = canvas.left_of(across)
    top = area.top + _over(canvas) * max(0.0, area.height - down)
    slot = Area(
        left,
        top + (down - title_high if beside else 0.0),
        left + (title_wide if beside else across),
        top + (down if beside else title_high),
    )
    # At the title's side a price hangs in the corner of the area, so that both edges of the block are straight.
    at = (area.right - wide, top + (down - high) / 2) if beside else (canvas.left_of(wide), top + title_high + gap)
    whole = Area(area.left if beside else left, top, area.right if beside else left + across, top + down)
    return Head(titles=rows, price=drawn, share=size, badge=shape, area=whole, slot=slot, price_at=at)


def _over(canvas: Canvas) -> float:
    return {"above": ABOVE, "below": BELOW}.get(canvas.grid.side, BESIDE)
