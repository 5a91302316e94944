"""Captions to burn in, as an ASS script for libass: one event a line of speech, the spoken word in another colour.

Every position is our own (`\\pos`), every line break is our own (libass does not wrap Chinese), and nothing that a caption
says can become markup: braces and backslashes are written as their full-width twins, control characters are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from clipper.captions.breaks import CLOSING, Width, ems, tokens, wrap
from clipper.captions.clock import Piece, Shown, shown
from clipper.captions.style import Style, rgba
from clipper.values import Plan

DESIGN_WIDTH_PX = 1080
SAFE_BOX = (65, 270, 940, 1248)
"""Left, top, right, bottom on 1080×1920: what no platform covers with its own buttons and texts."""
SMALLEST = 0.7
"""A line that an editor made too long is set smaller, down to this share of its size, before it is broken anew."""

LONGEST = 300
"""More characters than this are no caption."""
LEGIBLE = 0.4
"""Nobody reads type below this share of its style's size."""
BREATH_S = 0.4
"""A pause shorter than this does not put a word's colour out."""

_ESCAPES = str.maketrans({"{": "｛", "}": "｝", "\\": "＼", "\n": " ", "\r": " ", "\t": " "})


class Type(Protocol):
    """What a font must tell to set captions in it."""

    @property
    def family(self) -> str:
        """Family name, as the renderer finds it."""

    @property
    def line_em(self) -> float:
        """Height of a line in em: ASS sizes are line heights."""

    def width(self, text: str) -> float:
        """Width of a text in em."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """Noto Sans SC without its file: widths from the table in `breaks`."""

    family: str = "Noto Sans SC"
    line_em: float = 1.448

    def width(self, text: str) -> float:
        """Width of a text in em."""
        return ems(text)


def ass(plan: Plan, style: Style, *, safe_box: tuple[int, int, int, int] = SAFE_BOX, font: Type | None = None) -> str:
    """Print a plan's captions as ASS on the clip's clock.

    `safe_box` is left, top, right, bottom in pixels of a frame 1080×1920; it scales with the plan's frame.
    """
    type_ = font or Estimated()
    scaled, box = scale(style, plan), box_of(plan, safe_box)
    events = [_event(event, scaled, box, plan, type_) for event in shown(plan)]
    return "\n".join((_head(plan), _styles(scaled, type_), _EVENTS, *events)) + "\n"


def scale(style: Style, plan: Plan) -> Style:
    """Size a style's lengths for the plan's frame."""
    factor = plan.width_px / DESIGN_WIDTH_PX
    names = ("size_px", "outline_px", "shadow_px", "spacing_px", "lift_px")
    limits = {"size_px": (16, 160), "outline_px": (0, 30), "shadow_px": (0, 30), "spacing_px": (-5, 20), "lift_px": (0, 900)}
    sizes = {name: min(max(getattr(style, name) * factor, limits[name][0]), limits[name][1]) for name in names}
    return replace(style, **sizes)


def box_of(plan: Plan, safe_box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    """Scale the safe box to the plan's frame: left, top, right, bottom."""
    x, y = plan.width_px / 1080, plan.height_px / 1920
    return safe_box[0] * x, safe_box[1] * y, safe_box[2] * x, safe_box[3] * y


def layout(event: Shown, style: Style, room: float, font: Type) -> tuple[float, list[list[Piece]]]:
    """Fit an event into `room` pixels: the share of the style's size to set it in, and its display lines.

    Lines as planned when they fit; a longer one is set smaller, and broken anew when that is not enough.
    """

    def width(text: str) -> float:
        return font.width(text) * style.size_px + style.spacing_px * len(text)

    widest = max(width(row) for row in event.texts)
    if widest <= room or widest * SMALLEST <= room:
        return min(1.0, room / widest), [list(row) for row in event.rows]
    flat = [piece for row in event.rows for piece in row]
    for share in (1.0, 0.85, SMALLEST):
        rows = _rewrap(flat, room / share, width)
        if len(rows) <= 2:
            return share, rows
    share = SMALLEST * min(1.0, 3 / len(rows))  # an edit of this length is the editor's wish: small, but inside the box
    return share, _rewrap(flat, room / share, width)


def _rewrap(flat: Sequence[Piece], room: float, width: Width) -> list[list[Piece]]:
    """Break pieces into lines anew, at words where pieces are longer than a line."""
    parts = [
        Piece(part, piece.start, piece.end)
        for piece in flat
        for part in ([piece.text] if width(piece.text.strip()) <= room else tokens(piece.text))
    ]
    texts = wrap([part.text for part in parts], room, width)
    rows: list[list[Piece]] = []
    queue = list(parts)
    for text in texts:
        row: list[Piece] = []
        while queue and len("".join(piece.text for piece in row).strip()) < len(text):
            missing = len(text) - len("".join(piece.text for piece in row).lstrip())
            head = queue.pop(0)
            if len(head.text.strip()) > missing > 0:
                queue.insert(0, Piece(head.text[missing:], head.start, head.end))
                head = Piece(head.text[:missing], head.start, head.end)
            row.append(head)
        rows.append(row)
    return rows


def _event(event: Shown, style: Style, box: tuple[float, float, float, float], plan: Plan, font: Type) -> str:
    x, room = _column(box, plan, style)
    share, rows = layout(event, style, room, font)
    y = box[3] - style.lift_px - style.outline_px - style.shadow_px
    size = f"\\fs{style.size_px * share * font.line_em:.1f}" if share < 1 else ""
    grow = "\\fscx92\\fscy92\\t(0,90,\\fscx100\\fscy100)" if style.pop else ""
    lit = iter(_lit_until([piece for row in rows for piece in row], event))
    body = "\\N".join("".join(_spoken(piece, next(lit), event, style) for piece in _trimmed(row)) for row in rows)
    return f"Dialogue: 0,{_stamp(event.start)},{_stamp(event.end)},Caption,,0,0,0,,{{\\pos({x:.0f},{y:.0f}){size}{grow}}}{body}"


def _column(box: tuple[float, float, float, float], plan: Plan, style: Style) -> tuple[float, float]:
    """Centre captions on the frame when the safe box leaves room, else on the box; return the centre and the width."""
    left, _, right, _ = box
    edge = 2 * style.outline_px + style.shadow_px
    middle = plan.width_px / 2
    around = 2 * min(middle - left, right - middle)
    if around >= 0.85 * (right - left):
        return middle, around - edge
    return (left + right) / 2, right - left - edge


def _trimmed(row: Sequence[Piece]) -> list[Piece]:
    """Take the spaces off both ends of a display line."""
    texts = [piece.text for piece in row]
    texts[0] = texts[0].lstrip()
    texts[-1] = texts[-1].rstrip()
    return [replace(piece, text=text) for piece, text in zip(row, texts, strict=True)]


def _lit_until(pieces: Sequence[Piece], event: Shown) -> list[float]:
    """End of each piece's colour: a word stays lit over a breath, until the next one takes over."""
    ends = [*(piece.start for piece in pieces[1:]), event.end]
    return [after if 0 <= after - piece.end < BREATH_S else piece.end for piece, after in zip(pieces, ends, strict=True)]


def _spoken(piece: Piece, until: float, event: Shown, style: Style) -> str:
    """Print one piece, coloured while it is spoken."""
    text = piece.text.translate(_ESCAPES)
    if style.highlight == style.colour or not text.strip():
        return text
    begin = max(0, round((piece.start - event.start) * 1000))
    end = max(begin + 40, round((until - event.start) * 1000))
    plain, lit = f"\\1c{_bgr(style.colour)}", f"\\1c{_bgr(style.highlight)}"
    on = lit if begin < 20 else f"{plain}\\t({begin},{begin + 1},{lit})"
    word = text.rstrip(CLOSING + " ")
    mark = f"{{{plain}}}{text[len(word) :]}" if word != text else ""
    return f"{{{on}\\t({end},{end + 1},{plain})}}{word}{mark}"


def _head(plan: Plan) -> str:
    return (
        "[Script Info]\nScriptType: v4.00+\nWrapStyle: 2\nScaledBorderAndShadow: yes\nYCbCr Matrix: None\n"
        f"PlayResX: {plan.width_px}\nPlayResY: {plan.height_px}\n"
    )


def _styles(style: Style, font: Type) -> str:
    columns = (
        "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, "
        "ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding"
    )
    back = style.outline if style.box else style.shadow
    values = [
        "Caption",
        font.family.replace(",", " "),
        f"{style.size_px * font.line_em:.1f}",
        *(_abgr(colour) for colour in (style.colour, style.highlight, style.outline, back)),
        *("-1" if style.bold else "0", "0", "0", "0", "100", "100", f"{style.spacing_px:g}", "0"),
        # style 4 draws one box round the whole event: its padding is the shadow's distance, and glyphs need no outline in it
        *(("4", "0", f"{style.outline_px:g}") if style.box else ("1", f"{style.outline_px:g}", f"{style.shadow_px:g}")),
        *("2", "0", "0", "0", "1"),
    ]
    return f"[V4+ Styles]\nFormat: {columns}\nStyle: {','.join(values)}\n"


_EVENTS = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"


def _bgr(colour: str) -> str:
    red, green, blue, _ = rgba(colour)
    return f"&H{blue:02X}{green:02X}{red:02X}&"


def _abgr(colour: str) -> str:
    red, green, blue, alpha = rgba(colour)
    return f"&H{255 - alpha:02X}{blue:02X}{green:02X}{red:02X}"


def _stamp(seconds: float) -> str:
    whole, hundredths = divmod(round(seconds * 100), 100)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}.{hundredths:02d}"


def overflow(plan: Plan, style: Style, *, safe_box: tuple[int, int, int, int] = SAFE_BOX, font: Type | None = None) -> list[str]:
    """Name the captions that do not stand inside the safe box, measured with the font: none, unless a text is absurdly long."""
    type_, scaled, box = font or Estimated(), scale(style, plan), box_of(plan, safe_box)
    _, room = _column(box, plan, scaled)
    outside = []
    for event in shown(plan):
        if sum(map(len, event.texts)) > LONGEST:
            outside.append(" ".join(event.texts)[:40] + "…")
            continue
        share, rows = layout(event, scaled, room, type_)
        texts = ["".join(piece.text for piece in _trimmed(row)) for row in rows]
        size = scaled.size_px * share
        wide = max(type_.width(text) * size + scaled.spacing_px * len(text) for text in texts) > room + 1
        tall = len(texts) * size * type_.line_em + scaled.lift_px > box[3] - box[1]
        if wide or tall or share < LEGIBLE:
            outside.append(" ".join(texts))
    return outside
