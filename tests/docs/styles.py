"""Film every style on the sample's three products, and lay a frame of each on one sheet: `make styles`.

`python -m tests.docs.styles [STYLE …]` films only those named, to look at while writing one; the sheet of docs/styles.md is
written when all are filmed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from clipper.catalog import read_catalog
from clipper.fonts import find_font
from clipper.render import RenderOptions
from generators.animators.camera import Camera
from generators.compose import Cast, Made, compose
from generators.storyboard import StoryboardOptions, plan_video
from generators.styles import style_named, style_names
from generators.subjects import read_subject, sources_of_catalog
from generators.values import ShotRequest, Style, Subject

ROOT = Path(__file__).parent.parent.parent
SHEET = ROOT / "docs" / "images" / "styles.jpg"
WIDTH, HEIGHT, FPS = 540, 960, 12
CELL = (250, 444)
GAP, HEAD = 6, 34
ACROSS = 2
"""Styles side by side; each takes a cell per product."""


def main(names: Sequence[str]) -> None:
    """Film and write."""
    sources = sources_of_catalog(read_catalog(ROOT / "samples" / "catalog.csv")).sources
    subjects = [read_subject(source) for source in sources]
    styles = [style_named(name) for name in names or style_names()]
    rows = []
    for style in styles:
        print(f"{style.name}: {style.label}", file=sys.stderr)
        rows.append([film(subject, style) for subject in subjects])
    out = SHEET if not names else Path(tempfile.gettempdir()) / "styles.jpg"
    out.parent.mkdir(exist_ok=True)
    sheet(styles, rows).save(out, quality=84, optimize=True)
    print(out)


def film(subject: Subject, style: Style) -> Image.Image:
    """Compose a short video of a product and return its cover."""
    board = plan_video(subject, style, StoryboardOptions(seconds=3, width_px=WIDTH, height_px=HEIGHT, fps=FPS, end_card=False))
    first = replace(board.shots[0], seconds=3.0)
    texts = tuple(replace(overlay, start=0.1, end=3.0) for overlay in board.overlays if overlay.kind in ("title", "price"))
    board = replace(board, shots=(first,), overlays=texts)
    camera = Camera()
    request = ShotRequest(
        shot=first,
        photo=subject.photos[first.photo],
        cutout=subject.cutouts[first.photo],
        style=style,
        width_px=WIDTH,
        height_px=HEIGHT,
        fps=Fraction(FPS),
    )
    with tempfile.TemporaryDirectory() as folder:
        footage, origin = camera.animate(request, Path(folder), progress=lambda _share: None, cancelled=lambda: False)
        cast = Cast(style=style, photos=subject.photos, cutouts=subject.cutouts)
        made = compose(board, (Made(footage=footage, origin=origin),), cast, Path(folder), "film", RenderOptions())
        with Image.open(Path(folder) / made.cover) as cover:
            return cover.convert("RGB")


def sheet(styles: Sequence[Style], rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Lay the covers out, each style's under its name."""
    products = len(rows[0])
    block = (products * (CELL[0] + GAP) + 2 * GAP, HEAD + CELL[1] + 2 * GAP)
    across = min(ACROSS, len(styles))
    page = Image.new("RGB", (across * block[0] + GAP, -(-len(styles) // across) * block[1] + GAP), "#ffffff")
    pen = ImageDraw.Draw(page)
    face = find_font()
    font = ImageFont.truetype(face.path, 18, index=face.index)
    for number, (style, covers) in enumerate(zip(styles, rows, strict=True)):
        x, y = (number % across) * block[0] + 2 * GAP, (number // across) * block[1] + GAP
        pen.text((x, y + 4), f"{style.name}   {style.label}", font=font, fill="#1c1c1e")
        for column, cover in enumerate(covers):
            page.paste(cover.resize(CELL, Image.Resampling.LANCZOS), (x + column * (CELL[0] + GAP), y + HEAD))
    return page


if __name__ == "__main__":
    main(sys.argv[1:])
