"""Camera moves over a product picture: livecut, and the same moves written plainly in MoviePy, in one run.

    python -m tests.bench.bench_camera [PICTURE.jpg] [seconds]

Both make the same shots (push in, parallax, detail) at 1080×1920 and 30 frames a second, before the same backdrop with the
same shadow, with the same title and price, and use the same encoder on two threads. The plain version is what a tutorial
shows: image clips with `resized` and `with_position` under a CompositeVideoClip. Trust the ratios, not the seconds. Each runs
in a process of its own, so that the peak memory is its own. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from generators.animators import animator
from generators.animators.camera import Camera
from generators.animators.camera.footage import Drawn
from generators.compose.film import Cast, Made, compose
from generators.cutout import cut_out
from generators.images import read_picture
from generators.styles import style_named
from generators.values import Cutout, Overlay, Photo, PictureRef, Shot, ShotRequest, Storyboard, Style

SAMPLE = Path(__file__).parent.parent.parent / "samples" / "images" / "L001-white.jpg"
STYLE = "bright-home"
"""A table: wall, floor in perspective, shadow and reflection; the dearest of the backdrops to draw."""
REAL_TIME_BAR, RATIO_BAR, MEMORY_BAR_MB = 2.5, 4.0, 800
SIZE = (1080, 1920)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("seconds", nargs="?", type=float, default=6.0)
    parser.add_argument("--only", choices=("livecut", "moviepy"), default=None)
    args = parser.parse_args(arguments)
    picture = args.picture if args.picture.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp") else SAMPLE
    if args.only:
        print(json.dumps(measure(args.only, picture, args.seconds)))
        return 0
    found = {name: in_a_process(name, picture, args.seconds) for name in ("livecut", "moviepy")}
    ours, theirs = found["livecut"], found["moviepy"]
    times, ratio, memory = ours["wall_s"] / args.seconds, theirs["wall_s"] / ours["wall_s"], ours["peak_mb"]
    for name, row in found.items():
        print(f"{name:8} {row['wall_s']:6.1f} s wall  {row['cpu_s']:6.1f} s of processor  {row['peak_mb']:5.0f} MB")
    print(f"livecut: {times:.2f} times the video's length (bar {REAL_TIME_BAR}), {ours['frame_ms']:.0f} ms a frame before type and encoder")
    print(f"MoviePy ÷ livecut: {ratio:.1f} (bar {RATIO_BAR}); peak memory {memory:.0f} MB (bar {MEMORY_BAR_MB})")
    return 0 if times <= REAL_TIME_BAR and ratio >= RATIO_BAR and memory <= MEMORY_BAR_MB else 1


def in_a_process(name: str, picture: Path, seconds: float) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_camera", str(picture), str(seconds), "--only", name],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(name: str, picture: Path, seconds: float) -> dict[str, float]:
    """Time one way of making the video, from pictures in memory to the finished file."""
    photo = read_picture(picture)
    cutout, style = cut_out(photo), style_named(STYLE)
    board = storyboard(photo, seconds)
    with tempfile.TemporaryDirectory() as scratch:
        began, busy = time.perf_counter(), processor_s()
        made = (ours if name == "livecut" else plain)(board, photo, cutout, style, Path(scratch))
        wall, busy = time.perf_counter() - began, processor_s() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_s": round(wall, 2), "cpu_s": round(busy, 2), "peak_mb": round(peak), "frame_ms": round(frame_ms(made), 1)}


def frame_ms(made: Sequence[Made]) -> float:
    """Time the frames of finished shots alone, without type and encoder."""
    began = time.perf_counter()
    count = sum(1 for one in made for _ in one.footage.frames(0, 20))
    return 1000 * (time.perf_counter() - began) / max(count, 1)


def processor_s() -> float:
    """Seconds of processor of this process and of those it waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def storyboard(photo: Photo, seconds: float) -> Storyboard:
    each = seconds / 3
    shots = tuple(Shot(id=f"s{n}", photo=0, seconds=each, move=move, seed=n) for n, move in enumerate(("push_in", "parallax", "detail"), 1))
    return Storyboard(
        id="bench",
        sku=None,
        title="茉莉花茶",
        style=STYLE,
        backend="camera",
        pictures=(PictureRef(path=photo.path, sha256=photo.sha256),),
        shots=shots,
        overlays=(
            Overlay(kind="title", text="茉莉花茶 浓香型", detail="七窨一提", start=0.0, end=seconds),
            Overlay(kind="price", text="¥49", start=0.0, end=seconds),
        ),
        width_px=SIZE[0],
        height_px=SIZE[1],
    )


def requests(board: Storyboard, photo: Photo, cutout: Cutout, style: Style) -> list[ShotRequest]:
    return [
        ShotRequest(shot=shot, photo=photo, cutout=cutout, style=style, width_px=SIZE[0], height_px=SIZE[1], fps=Fraction(board.fps))
        for shot in board.shots
    ]


def ours(board: Storyboard, photo: Photo, cutout: Cutout, style: Style, folder: Path) -> Sequence[Made]:
    from clipper.render import RenderOptions

    camera = animator("camera")
    made = [
        Made(footage=footage, origin=origin)
        for footage, origin in (
            camera.animate(request, folder, progress=lambda _: None, cancelled=lambda: False)
            for request in requests(board, photo, cutout, style)
        )
    ]
    compose(board, made, Cast(style=style, photos=(photo,), cutouts=(cutout,)), folder, "ours", RenderOptions())
    return made


# --- plainly, in MoviePy ------------------------------------------------------------------------


def plain(board: Storyboard, photo: Photo, cutout: Cutout, style: Style, folder: Path) -> Sequence[Made]:
    """Compose image clips that are resized and moved per frame; backdrop and shadow are the very pictures livecut draws."""
    from moviepy import CompositeVideoClip, ImageClip, concatenate_videoclips

    backdrop, shadow, product, rest = pictures(board, photo, cutout, style)
    wide, tall = SIZE
    shots = []
    for request, motion in zip(requests(board, photo, cutout, style), motions(board.shots[0].seconds), strict=True):
        seconds = request.shot.seconds
        scale, shift = motion
        far = ImageClip(backdrop).with_duration(seconds).resized(lambda t, s=scale: 1 + 0.4 * (s(t) - 1))
        far = far.with_position(lambda t, s=scale, m=shift: centred(backdrop, 1 + 0.4 * (s(t) - 1), -4 * m(t)))
        layers = [far]
        for picture, left, top in ((shadow, rest[2], rest[3]), (product, rest[0], rest[1])):
            clip = ImageClip(picture).with_duration(seconds).resized(lambda t, s=scale: s(t))
            layers.append(clip.with_position(lambda t, s=scale, m=shift, x=left, y=top: around(x, y, s(t), m(t))))
        shots.append(CompositeVideoClip(layers, size=(wide, tall)))
    whole = concatenate_videoclips(shots)
    whole = CompositeVideoClip([whole, *texts(board, style)], size=(wide, tall))
    whole.write_videofile(
        str(folder / "plain.mp4"),
        fps=board.fps,
        codec="libx264",
        preset="superfast",
        threads=2,
        audio=False,
        logger=None,
        ffmpeg_params=["-crf", "21", "-x264-params", "mbtree=1:rc-lookahead=10", "-pix_fmt", "yuv420p"],
    )
    return ()


def motions(seconds: float) -> list[tuple[Any, Any]]:
    """Return scale and sideways shift over time of the three moves."""

    def ease(t: float) -> float:
        part = t / seconds
        return 0.34 * part + 0.66 * part * part * (3 - 2 * part)

    return [
        (lambda t: 1 + 0.12 * ease(t), lambda _t: 0.0),
        (lambda t: 1.03 + 0.035 * (1 - (2 * ease(t) - 1) ** 2), lambda t: -17 * (2 * ease(t) - 1)),
        (lambda t: 1.06 + 0.5 * ease(t), lambda _t: 0.0),
    ]


def centred(picture: Any, scale: float, shift: float) -> tuple[float, float]:
    return (SIZE[0] - picture.shape[1] * scale) / 2 + shift, (SIZE[1] - picture.shape[0] * scale) / 2


def around(left: float, top: float, scale: float, shift: float) -> tuple[float, float]:
    """Zoom around the frame's middle."""
    return SIZE[0] / 2 + (left - SIZE[0] / 2) * scale + shift, SIZE[1] / 2 + (top - SIZE[1] / 2) * scale


def pictures(board: Storyboard, photo: Photo, cutout: Cutout, style: Style) -> tuple[Any, Any, Any, tuple[float, float, float, float]]:
    """Return backdrop, shadow and product (RGBA at resting size), and where the last two rest."""
    from PIL import Image

    request = requests(board, photo, cutout, style)[0]
    footage, _ = Camera().animate(request, Path(), progress=lambda _: None, cancelled=lambda: False)
    assert isinstance(footage, Drawn)
    scene: Any = footage._scene
    rest, plane = scene.rest, scene.product
    size = (round(plane.rgb.size[0] * rest.scale), round(plane.rgb.size[1] * rest.scale))
    product = np.dstack([np.asarray(plane.rgb.resize(size, Image.Resampling.LANCZOS)), np.asarray(plane.alpha.resize(size))])
    let = np.asarray(Image.fromarray(scene.under.let[..., 0]).resize((4 * scene.under.let.shape[1], 4 * scene.under.let.shape[0])))
    shadow = np.dstack([np.zeros((*let.shape, 3), np.uint8), 255 - let])
    wall = scene.backdrop.wall.copy()
    wall[scene.backdrop.horizon :] = scene.backdrop.floor
    return wall, shadow, product, (rest.x, rest.y, scene.under.place.x, scene.under.place.y)


def texts(board: Storyboard, style: Style) -> list[Any]:
    from moviepy import TextClip

    from clipper.fonts import find_font

    face, seconds = find_font(), sum(shot.seconds for shot in board.shots)
    title = TextClip(font=face.path, text=board.overlays[0].text, font_size=96, color=style.palette.ink)
    price = TextClip(font=face.path, text=board.overlays[1].text, font_size=120, color=style.palette.accent)
    return [title.with_position(("center", 280)).with_duration(seconds), price.with_position((90, 1060)).with_duration(seconds)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
