"""Where title, price, points and call go, shot by shot.

In a wide shot they stand in their own area: the title (after it the points, then the call) over the price. A close shot belongs
to the product alone. Only what could not be read in the wide shots, and everything over footage whose product nobody can place,
stands there on panels of its own: at the head or the foot of the safe box, wherever less is covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from clipper.drawing import panel
from generators.layout import Area
from generators.overlays.canvas import SAFELY, Canvas, legible, readable
from generators.overlays.head import GAP, Head, set_head
from generators.overlays.motion import Layer, fade, pop
from generators.overlays.price import price_picture
from generators.overlays.small import draw_call, draw_point, point_picture
from generators.overlays.title import draw_rows, draw_title, height_of, title_rows
from generators.overlays.typeset import tell_cut
from generators.overlays.views import LEAST_S, Span, clear_spans, close_spans
from generators.sprites import sprite
from generators.texts import read_s
from generators.values import Overlay

CALM = 14.0
"""Busyness of the ground up to which words need no panel, where they stand out from its tones."""
PANEL_PAD = 34.0
"""Design units between words and the edge of their panel."""
SMALL = 0.62
"""Size of a title on a panel at the foot, as a share of the full one."""
CHIP = 0.74
"""Size of a price at the foot."""


class Words:
    """A video's words, placed."""

    def __init__(self, shown: Sequence[Overlay], canvas: Canvas, badge: str) -> None:
        self.canvas, self.badge = canvas, badge
        self.titles = [overlay for overlay in shown if overlay.kind == "title" and overlay.text.strip()]
        self.price = next((overlay for overlay in shown if overlay.kind == "price"), None)
        self.points = [overlay for overlay in shown if overlay.kind == "point"]
        self.call = next((overlay for overlay in shown if overlay.kind == "call"), None)
        self.closes = any(overlay.kind == "end_card" for overlay in shown)
        head = set_head(self.titles, self.price, canvas, badge)
        self.tones = canvas.tones(head.area, self._clear(head, shown))
        self.head = set_head(self.titles, self.price, canvas, badge, self.tones)
        for title, rows in zip(self.titles, self.head.titles, strict=True):
            tell_cut((row.text for row in rows), title.text)
        self.foot = self._foot()

    def layers(self) -> list[Layer]:
        """Draw all of them."""
        found: list[Layer] = []
        for number, title in enumerate(self.titles):
            found += self._title(title, number)
        found += self._price()
        found += self._points()
        found += self._call()
        return found

    def _clear(self, head: Head, shown: Sequence[Overlay]) -> list[Span]:
        spans = [(overlay.start, overlay.end) for overlay in shown if overlay.kind in ("title", "price")]
        return [part for span in spans for part in clear_spans(self.canvas.views, head.area, span)]

    def _spans(self, overlay: Overlay) -> tuple[list[Span], list[Span]]:
        """Return when an overlay stands in its own area, and when it has to stand on a panel because it was not read there."""
        span = (overlay.start, overlay.end)
        clear = clear_spans(self.canvas.views, self.head.area, span)
        longest = max((end - start for start, end in clear), default=0.0)
        # The end card shows title and price again.
        least = LEAST_S if overlay.kind in ("title", "price") and self.closes else read_s(overlay.text)
        if longest + 0.05 >= min(least, overlay.end - overlay.start):
            return clear, []
        return clear, close_spans(self.canvas.views, self.head.area, span)

    # --- title ---

    def _title(self, title: Overlay, number: int) -> list[Layer]:
        rows = self.head.titles[number]
        if not rows:
            return []
        clear, close = self._spans(title)
        top = self.head.slot.bottom - height_of(rows, self.canvas.unit)
        layers: list[Layer] = []
        for span in clear:
            ink, accent, plate = self._inks(span)
            if plate:
                layers.append(self._plate(Area(self.head.slot.left, top, self.head.slot.right, self.head.slot.bottom), span))
            layers += draw_title(rows, self.canvas, top, span, ink, accent)
        return layers + [layer for span in close for layer in self._title_panel(number, span)]

    def _inks(self, span: Span) -> tuple[str, str, bool]:
        """Return ink and accent for words on the set, and whether they need a panel under them."""
        colours = self.canvas.palette
        tones = self.canvas.tones(self.head.slot, [span])
        ink = readable((colours.ink,), tones, SAFELY)
        if ink is None or self.canvas.ground.busy(self.head.slot, *span) > CALM:
            ink = legible(colours.ink, colours.background)
            return ink, readable((colours.accent,), (colours.background,)) or ink, True
        return ink, readable((colours.accent,), tones, SAFELY) or ink, False

    def _plate(self, area: Area, span: Span) -> Layer:
        """A small panel of the style's own ground behind words alone: the product is never dimmed for the sake of type."""
        pad = PANEL_PAD * self.canvas.unit
        left, top, right, bottom = self.canvas.box
        around = Area(area.left - pad, area.top - pad, area.right + pad, area.bottom + 0.6 * pad).within(Area(left, top, right, bottom))
        size = (max(2, round(around.width)), max(2, round(around.height)))
        picture = panel(size, 0.6 * pad, self.canvas.palette.background + "f4")
        pose = fade(around.left, around.top, span[1] - span[0], over=0.3)
        return Layer(sprite=sprite(picture), start=span[0], end=span[1], order=3, pose=pose)

    def _title_panel(self, number: int, span: Span) -> list[Layer]:
        """Set a title small on a panel over the price at the foot."""
        picture = self._small[number]
        if picture is None:
            return []
        foot = self._stand(span) - self._chip_height(span)
        pose = fade(self._foot_left(picture.width), foot - picture.height, span[1] - span[0], over=0.3)
        return [Layer(sprite=sprite(picture), start=span[0], end=span[1], order=12, pose=pose)]

    @cached_property
    def _small(self) -> list[Any | None]:
        """The titles as they stand on their panels."""
        return [self._small_title(title) for title in self.titles]

    def _small_title(self, title: Overlay) -> Any | None:
        canvas, colours = self.canvas, self.canvas.palette
        pad = PANEL_PAD * canvas.unit
        rows = title_rows(title, canvas, self.foot.width - 2 * pad, SMALL)
        if not rows:
            return None
        ink = legible(colours.ink, colours.background)
        lines = draw_rows(rows, ink, readable((colours.accent,), (colours.background,)) or ink)
        wide = max(row.width for row in rows)
        size = (round(wide + 2 * pad), round(sum(row.step for row in rows) + 1.3 * pad))
        picture = panel(size, 0.6 * pad, colours.background + "f4")
        y = 0.65 * pad
        for row, line in zip(rows, lines, strict=True):
            x = pad if canvas.align == "left" else (size[0] - line.width) / 2
            picture.alpha_composite(line.picture, (max(0, round(x - line.pad)), max(0, round(y))))
            y += row.step
        return picture

    # --- price ---

    def _price(self) -> list[Layer]:
        if self.price is None or self.head.price is None:
            return []
        clear, close = self._spans(self.price)
        layers: list[Layer] = []
        for span in clear:
            drawn = price_picture(
                self.price.text, self.price.detail, self.canvas, self.head.badge, self.head.share, self._under_price(span)
            )
            assert drawn is not None
            x, y = self.head.price_at
            layers.append(self._popped(drawn, x, y + (self.head.price.height - drawn.height) / 2, span))
        for span in close:
            layers.append(self._popped(self._chip, self._foot_left(self._chip.width), self._stand(span) - self._chip.height, span))
        return layers

    def _under_price(self, span: Span) -> tuple[str, ...]:
        price = self.head.price
        assert price is not None
        x, y = self.head.price_at
        area = Area(x, y, x + price.width, y + price.height)
        busy = self.canvas.ground.busy(area, *span) > CALM
        return ("#000000", "#ffffff") if busy else self.canvas.tones(area, [span])

    def _popped(self, drawn: Any, x: float, y: float, span: Span) -> Layer:
        pose = pop(x - drawn.inset, y - drawn.inset, span[1] - span[0], late=0.05)
        return Layer(sprite=sprite(drawn.picture), start=span[0], end=span[1], order=14, pose=pose)

    @cached_property
    def _chip(self) -> Any:
        """The price for the foot, where it needs a ground of its own: the style's shape, and a pill for what has none."""
        assert self.price is not None
        badge = "tag" if self.badge == "tag" else "pill"
        return price_picture(self.price.text, self.price.detail, self.canvas, badge, CHIP)

    def _chip_height(self, span: Span) -> float:
        """Height that the price takes at the foot while something else stands there, its gap included."""
        price = self.price
        if price is None or self.head.price is None or price.end <= span[0] or price.start >= span[1]:
            return 0.0
        return float(self._chip.height) + GAP * self.canvas.unit

    # --- foot ---

    def _foot(self) -> Area:
        left, top, right, bottom = self.canvas.box
        return replace(self.canvas.words, top=top, bottom=bottom) if self.canvas.align == "middle" else Area(left, top, right, bottom)

    def _stand(self, span: Span) -> float:
        """Choose the line that panels stand on throughout a span: the foot of the safe box, or below its head when that covers less."""
        high = self._chip_height((-1e9, 1e9))
        high += max((picture.height for picture in self._small if picture is not None), default=0.0)
        ends = (self.foot.bottom, self.foot.top + max(high, 0.1 * self.foot.height))
        stands = [(Area(self.foot.left, end - high, self.foot.right, end), 2.0 * number) for number, end in enumerate(ends)]
        views = [view for view in self.canvas.views if view.cut < span[1] and view.end > span[0]]
        whole = (min([span[0], *(view.cut for view in views)]), max([span[1], *(view.end for view in views)]))
        return ends[self.canvas.ground.calmest(stands, *whole)]

    def _foot_left(self, width: float) -> float:
        return self.foot.left if self.canvas.align == "left" else self.canvas.middle - width / 2

    # --- points and call ---

    def _points(self) -> list[Layer]:
        layers: list[Layer] = []
        placed: list[tuple[Span, bool, float]] = []
        for point in self.points:
            clear, close = self._spans(point)
            for span, is_clear in [*((span, True) for span in clear), *((span, False) for span in close)]:
                bar = point_picture(point.text, self.canvas, self.head.area.width if self.canvas.grid.is_column else self.foot.width)
                if bar is None:
                    continue
                stands = self._slot_foot() if is_clear else self._stand(span) - self._chip_height(span)
                above = [top for other, kind, top in placed if kind == is_clear and other[1] > span[0] and span[1] > other[0]]
                foot = min([stands, *above])
                layers.append(draw_point(bar, self.canvas, foot, span))
                placed.append((span, is_clear, foot - bar.height - GAP * self.canvas.unit))
        return layers

    def _slot_foot(self) -> float:
        """Where bars stand that take the title's place."""
        if self.titles:
            return self.head.slot.bottom
        return self.head.price_at[1] - GAP * self.canvas.unit if self.head.price is not None else self.canvas.words.bottom

    def _call(self) -> list[Layer]:
        if self.call is None:
            return []
        clear, close = self._spans(self.call)
        layers = [layer for span in clear for layer in draw_call(self.call, self.canvas, self._slot_foot(), span)]
        for span in close:
            layers += draw_call(self.call, self.canvas, self._stand(span) - self._chip_height(span), span)
        return layers
