"""The calibration set of the gate: good and spoiled clips of the products, each made from a product, a kind and a seed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from tests.fidelity_products import Thing, cutout_of, things, write

WIDTH, HEIGHT, COUNT = 432, 768, 13


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames in memory as footage."""

    pictures: tuple[Any, ...]
    fps: Fraction = Fraction(24)

    @property
    def width_px(self) -> int:
        return int(self.pictures[0].shape[1])

    @property
    def height_px(self) -> int:
        return int(self.pictures[0].shape[0])

    @property
    def count(self) -> int:
        return len(self.pictures)

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Any]:
        return iter(self.pictures[start:stop:step])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a clip shows at each instant t in [0, 1]; the defaults are a slow push in on the photo's own background."""

    product: Callable[[float], tuple[Any, Any]]
    """Photo pixels and mask, spoiled or not."""
    pose: Callable[[float], Any]
    """Matrix from photo to frame."""
    ground: Callable[[float], Any] | None = None
    """Frame behind the product; None shows the whole photo as one plane."""
    after: Callable[[Any, float], Any] = lambda frame, t: frame
    """Light, noise, blur on the finished frame, float32."""
    inside: Callable[[Any, Any, float], Any] = lambda frame, mask, t: frame
    """The same, with the product's mask in the frame."""
    crf: int | None = 21
    count: int = COUNT


def film(scene: Scene) -> Frames:
    """Draw every frame and put it through H.264."""
    pictures = []
    for number in range(scene.count):
        t = number / (scene.count - 1)
        pixels, mask = scene.product(t)
        frame, soft = _warp(pixels, scene.pose(t)), _warp(mask, scene.pose(t), 0)
        if scene.ground is not None:
            share = soft.astype(np.float32)[..., None] / 255
            frame = frame * share + scene.ground(t) * (1 - share)
        frame = scene.after(scene.inside(frame.astype(np.float32), soft, t), t)
        pictures.append(np.clip(frame + 0.5, 0, 255).astype(np.uint8))
    return Frames(tuple(pictures if scene.crf is None else through_h264(pictures, scene.crf)))


def _warp(image: Any, matrix: Any, border: int = -1) -> Any:
    scale = float(np.sqrt(np.linalg.det(matrix[:2, :2])))
    if scale < 0.9:
        image, matrix = (
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
            matrix @ np.diag([1 / scale, 1 / scale, 1]),
        )
    mode = cv2.BORDER_REPLICATE if border < 0 else cv2.BORDER_CONSTANT
    return np.clip(cv2.warpPerspective(image, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=mode), 0, 255)


def through_h264(pictures: list[Any], crf: int) -> list[Any]:
    """Encode and decode."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=24, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = WIDTH, HEIGHT, "yuv420p", 2
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as read:
        return [frame.to_ndarray(format="rgb24") for frame in read.decode(video=0)]


# --- poses and grounds ----------------------------------------------------------------------------


def pose(thing: Thing, *, fill: float = 0.72, dx: float = 0, dy: float = 0, turn: float = 0, yaw: float = 0) -> Any:
    """Bring the product to the middle, its box `fill` of the frame; shifts are shares of the frame, angles degrees."""
    box, photo = thing.cutout.box, thing.photo
    cx, cy = (box.x + box.w / 2) * photo.width_px, (box.y + box.h / 2) * photo.height_px
    scale = fill * min(WIDTH / (box.w * photo.width_px), HEIGHT / (box.h * photo.height_px))
    a = np.radians(turn)
    spin = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) * np.array([[scale], [scale], [1]])
    tilt = np.eye(3)
    tilt[0, 0], tilt[2, 0] = np.cos(np.radians(yaw)), np.sin(np.radians(yaw)) * 0.25 / max(box.w * photo.width_px, 1)
    to = np.array([[1, 0, WIDTH * (0.5 + dx)], [0, 1, HEIGHT * (0.5 + dy)], [0, 0, 1]])
    return to @ spin @ tilt @ np.array([[1, 0, -cx], [0, 1, -cy], [0, 0, 1]], float)


def gradient(top: tuple[int, int, int], foot: tuple[int, int, int]) -> Any:
    share = np.linspace(0, 1, HEIGHT)[:, None, None]
    return np.broadcast_to(np.array(top) * (1 - share) + np.array(foot) * share, (HEIGHT, WIDTH, 3)).astype(np.float32)


def busy(seed: int) -> Any:
    """A wide, out-of-focus room."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(40, 230, (14, 16, 3)).astype(np.float32)
    wide = cv2.resize(small, (WIDTH * 2, HEIGHT + 100), interpolation=cv2.INTER_CUBIC)
    wide += cv2.resize(rng.normal(0, 14, (110, 120, 1)).astype(np.float32), (WIDTH * 2, HEIGHT + 100))[..., None]
    return np.clip(wide, 0, 255)


def ease(t: float) -> float:
    return t * t * (3 - 2 * t)


def noise(shape: tuple[int, ...], seed: int, wave: float) -> Any:
    """Smooth random field of unit spread."""
    rng = np.random.default_rng(seed)
    field = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), wave)
    return field / max(float(field.std()), 1e-6)


# --- spoiling a product ---------------------------------------------------------------------------


def displaced(image: Any, dx: Any, dy: Any) -> Any:
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    return cv2.remap(image, xs + dx.astype(np.float32), ys + dy.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def window(thing: Thing, box: tuple[int, int, int, int], soft: float = 0.06) -> Any:
    """1 in a box, falling to 0 around it."""
    flat = np.zeros(thing.cutout.mask.shape, np.float32)
    x, y, w, h = box
    flat[y : y + h, x : x + w] = 1
    return cv2.GaussianBlur(flat, (0, 0), soft * max(w, h))


def long_edge(thing: Thing) -> float:
    return max(thing.cutout.box.w * thing.photo.width_px, thing.cutout.box.h * thing.photo.height_px)


def part(thing: Thing, rng: Any, share: float) -> tuple[int, int, int, int]:
    """A box on the product, `share` of its long edge wide, with enough of the product inside."""
    side, mask = int(share * long_edge(thing)), thing.cutout.mask
    ys, xs = np.nonzero(cv2.erode(mask, np.ones((5, 5), np.uint8)) > 127)
    for _ in range(200):
        at = rng.integers(len(xs))
        x, y = max(0, int(xs[at]) - side // 2), max(0, int(ys[at]) - side // 2)
        if float((mask[y : y + side, x : x + side] > 127).mean()) > 0.75:
            return x, y, side, side
    return x, y, side, side


def melted(thing: Thing, box: tuple[int, int, int, int], strength: float, seed: int) -> Callable[[float], tuple[Any, Any]]:
    """Let what is in a box run and smear, ever more."""
    size = long_edge(thing)
    area, shape = window(thing, box, 0.04), thing.cutout.mask.shape
    dx, dy = (noise(shape, seed + i, 0.03 * size) * area * strength * size for i in range(2))

    def at(t: float) -> tuple[Any, Any]:
        return displaced(thing.photo.pixels, dx * t, dy * t), thing.cutout.mask

    return at


def warped(thing: Thing, box: tuple[int, int, int, int], strength: float, seed: int) -> Callable[[float], tuple[Any, Any]]:
    """Swell or pinch a part, mask included."""
    area = window(thing, box, 0.25)
    x, y, w, h = box
    ys, xs = np.mgrid[: area.shape[0], : area.shape[1]].astype(np.float32)
    sign = 1 if seed % 2 else -1
    dx, dy = sign * strength * (xs - x - w / 2) * area, -sign * strength * (ys - y - h / 2) * area

    def at(t: float) -> tuple[Any, Any]:
        return displaced(thing.photo.pixels, dx * t, dy * t), displaced(thing.cutout.mask, dx * t, dy * t)

    return at


def bent(thing: Thing, strength: float) -> Callable[[float], tuple[Any, Any]]:
    """Bend the whole product like rubber."""
    size, box = long_edge(thing), thing.cutout.box
    ys = np.mgrid[: thing.photo.height_px, : thing.photo.width_px][0].astype(np.float32)
    wave = np.sin((ys / thing.photo.height_px - box.y) / max(box.h, 1e-3) * np.pi * 1.5) * strength * size

    def at(t: float) -> tuple[Any, Any]:
        return displaced(thing.photo.pixels, wave * t, 0 * wave), displaced(thing.cutout.mask, wave * t, 0 * wave)

    return at


def crossfaded(thing: Thing, other: Thing, upto: float) -> Callable[[float], tuple[Any, Any]]:
    """Morph into another product of the same place and size."""
    box, theirs = thing.cutout.box, other.cutout.box
    w, h = thing.photo.width_px, thing.photo.height_px
    sx, sy = box.w * w / (theirs.w * other.photo.width_px), box.h * h / (theirs.h * other.photo.height_px)
    move = np.array([[sx, 0, box.x * w - sx * theirs.x * other.photo.width_px], [0, sy, box.y * h - sy * theirs.y * other.photo.height_px]])
    pixels = cv2.warpAffine(other.photo.pixels, move, (w, h), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    mask = cv2.warpAffine(other.cutout.mask, move, (w, h)).astype(np.float32)

    def at(t: float) -> tuple[Any, Any]:
        share = upto * t
        mixed = thing.photo.pixels * (1 - share) + pixels * share
        return mixed.astype(np.uint8), np.maximum(thing.cutout.mask * (1 - share), mask * share).astype(np.uint8)

    return at


def swapped(thing: Thing, other: Thing) -> Callable[[float], tuple[Any, Any]]:
    full = crossfaded(thing, other, 1.0)(1.0)
    return lambda t: full


def constant(pixels: Any, mask: Any) -> Callable[[float], tuple[Any, Any]]:
    return lambda t: (pixels, mask)


def garbled(thing: Thing, rng: Any) -> Any:
    """Shuffle the strokes of the label's ink: text-like, and unreadable."""
    assert thing.label is not None
    out = thing.photo.pixels.copy()
    x, y, w, h = thing.label
    rows, columns = 7, 8
    for row in range(rows):
        top, foot = y + row * h // rows, y + (row + 1) * h // rows
        order = rng.permutation(columns)
        strip = thing.photo.pixels[top:foot, x : x + w]
        step = w // columns
        for to, source in enumerate(order):
            piece = strip[:, source * step : (source + 1) * step]
            piece = piece[::-1] if rng.random() < 0.5 else piece[:, ::-1]
            out[top:foot, x + to * step : x + to * step + piece.shape[1]] = piece
    return out


OTHER_TEXT = ("果味香皂", "MORELLO", "限量 2 瓶", "spring sale")


def replaced_text(thing: Thing, rng: Any) -> Any:
    """Print other words where the label is."""
    assert thing.label is not None
    x, y, w, h = thing.label
    canvas = Image.fromarray(thing.photo.pixels.copy())
    inner = thing.photo.pixels[y : y + h, x : x + w].reshape(-1, 3)
    light = inner[inner.sum(1) >= np.percentile(inner.sum(1), 60)].mean(0)
    dark = inner[inner.sum(1) <= np.percentile(inner.sum(1), 8)].mean(0)
    pen = ImageDraw.Draw(canvas)
    pen.rectangle((x + w * 0.06, y + h * 0.3, x + w * 0.94, y + h * 0.94), fill=tuple(int(v) for v in light))
    write(pen, tuple(rng.permutation(OTHER_TEXT)[:2]), (x, y + int(h * 0.34), x + w, y + h), tuple(int(v) for v in dark))
    return np.asarray(canvas)


def erased(thing: Thing, rng: Any) -> Any | None:
    """Fill a part of the product with what surrounds it; None where nobody would see it, as on a plain side."""
    for attempt in range(6):
        box = thing.label if thing.label is not None and rng.random() < 0.5 and attempt < 3 else part(thing, rng, 0.26)
        x, y, w, h = box
        hole = np.zeros(thing.cutout.mask.shape, np.uint8)
        hole[y : y + h, x : x + w] = 255
        small = cv2.resize(thing.photo.pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        if thing.label is None:
            small[:] = (250, 250, 250)
        filled = cv2.resize(cv2.inpaint(small, cv2.resize(hole, small.shape[1::-1]), 5, cv2.INPAINT_TELEA), thing.photo.pixels.shape[1::-1])
        share = cv2.GaussianBlur(hole, (0, 0), 3)[..., None].astype(np.float32) / 255
        out = (filled * share + thing.photo.pixels * (1 - share)).astype(np.uint8)
        if changed_share(thing, out, box) > 0.12:
            return out
    return None


def changed_share(thing: Thing, pixels: Any, box: tuple[int, int, int, int]) -> float:
    """Share of a box that looks otherwise than in the photo: by more than a tenth of white."""
    x, y, w, h = box
    changed = np.abs(pixels.astype(int) - thing.photo.pixels).max(axis=2)[y : y + h, x : x + w]
    return float((changed > 25).mean())


Shown = Callable[[float], tuple[Any, Any]]
SEEN = 0.04


def if_seen(thing: Thing, product: Shown, box: tuple[int, int, int, int]) -> Shown | None:
    """None where nobody would see that a part has changed, as a blank one that melts."""
    return product if changed_share(thing, product(1.0)[0], box) > SEEN else None


def doubled(thing: Thing, rng: Any) -> Any:
    """Copy a part of the product to another place on it."""
    x, y, w, h = thing.label if thing.label is not None else part(thing, rng, 0.25)
    w, h = int(w * 0.7), int(h * 0.7)
    box, out = thing.cutout.box, thing.photo.pixels.copy()
    cx, cy = (box.x + box.w / 2) * thing.photo.width_px, (box.y + box.h / 2) * thing.photo.height_px
    to_x = int(np.clip(2 * cx - x - w if abs(2 * cx - 2 * x - w) > w else x + w * 0.6, 0, thing.photo.width_px - w))
    to_y = int(np.clip(2 * cy - y - h if abs(2 * cy - 2 * y - h) > h * 0.6 else y + h * 0.6, 0, thing.photo.height_px - h))
    out[to_y : to_y + h, to_x : to_x + w] = thing.photo.pixels[y : y + h, x : x + w]
    return out


def recoloured(thing: Thing, box: tuple[int, int, int, int], turn: int) -> Any:
    """Turn the hue of a part."""
    colours = cv2.cvtColor(thing.photo.pixels, cv2.COLOR_RGB2HSV).astype(int)
    colours[..., 0] = (colours[..., 0] + turn) % 180
    colours[..., 1] = np.clip(colours[..., 1] + 70, 0, 255)
    colours[..., 2] = np.clip(colours[..., 2], 40, 235)
    other = cv2.cvtColor(colours.astype(np.uint8), cv2.COLOR_HSV2RGB)
    share = window(thing, box, 0.02)[..., None]
    return (other * share + thing.photo.pixels * (1 - share)).astype(np.uint8)


# --- kinds ----------------------------------------------------------------------------------------

Maker = Callable[[Thing, Any, tuple[Thing, ...]], Scene | None]


def _still(thing: Thing) -> Callable[[float], tuple[Any, Any]]:
    return constant(thing.photo.pixels, thing.cutout.mask)


def _push(thing: Thing, rng: Any, *, by: float | None = None) -> Callable[[float], Any]:
    start, by = rng.uniform(0.62, 0.8), by if by is not None else rng.uniform(0.06, 0.2)
    return lambda t: pose(thing, fill=start * (1 + by * ease(t)))


def _base(thing: Thing, rng: Any, **changes: Any) -> Scene:
    """A usual shot: on its own background, or lifted onto another one."""
    ground = None
    if rng.random() < 0.5:
        flat = gradient(tuple(rng.integers(60, 250, 3)), tuple(rng.integers(60, 250, 3)))
        ground = lambda t: flat  # noqa: E731 - a scene is a bundle of small functions
    fields: dict[str, Any] = {"product": _still(thing), "pose": _push(thing, rng), "ground": ground, "crf": int(rng.integers(17, 25))}
    return Scene(**{**fields, **changes})


def g_push_in(thing: Thing, rng: Any, _: Any) -> Scene:
    return _base(thing, rng, pose=_push(thing, rng, by=rng.uniform(0.15, 0.5)))


def g_pull_out(thing: Thing, rng: Any, _: Any) -> Scene:
    by = rng.uniform(0.1, 0.3)
    return _base(thing, rng, pose=lambda t: pose(thing, fill=0.85 - by * ease(t)))


def g_pan(thing: Thing, rng: Any, _: Any) -> Scene:
    way = rng.uniform(0.06, 0.2) * rng.choice([-1, 1])
    return _base(thing, rng, pose=lambda t: pose(thing, fill=0.6, dx=way * (ease(t) - 0.5)))


def g_rise(thing: Thing, rng: Any, _: Any) -> Scene:
    return _base(thing, rng, pose=lambda t: pose(thing, fill=0.7, dy=0.1 * (0.5 - ease(t)), turn=2 * t))


def g_orbit(thing: Thing, rng: Any, _: Any) -> Scene:
    most = rng.uniform(6, 14)
    return _base(thing, rng, pose=lambda t: pose(thing, fill=0.7, yaw=most * (2 * t - 1), dx=0.03 * (2 * t - 1)))


def g_parallax(thing: Thing, rng: Any, _: Any) -> Scene:
    wide = busy(int(rng.integers(1000)))
    return _base(
        thing,
        rng,
        pose=lambda t: pose(thing, fill=0.66, dx=0.06 * (2 * t - 1)),
        ground=lambda t: wide[50 : 50 + HEIGHT, int(200 + 90 * t) : int(200 + 90 * t) + WIDTH],
    )


def g_detail(thing: Thing, rng: Any, _: Any) -> Scene:
    dx, dy = rng.uniform(-0.25, 0.25), rng.uniform(-0.12, 0.12)
    return _base(thing, rng, pose=lambda t: pose(thing, fill=1.5 + 0.4 * ease(t), dx=dx * (1 - 0.4 * t), dy=dy))


def g_light(thing: Thing, rng: Any, _: Any) -> Scene:
    gain = rng.uniform(0.04, 0.08) * rng.choice([-1, 1])
    return _base(thing, rng, after=lambda frame, t: frame * (1 + gain * np.sin(np.pi * t)))


def g_sweep(thing: Thing, rng: Any, _: Any) -> Scene:
    xs = np.mgrid[:HEIGHT, :WIDTH][1]
    return _base(
        thing,
        rng,
        after=lambda frame, t: frame * (1 + 0.06 * np.exp(-(((xs - WIDTH * (1.4 * t - 0.2)) / 60) ** 2)))[..., None],
        pose=lambda t: pose(thing, fill=0.7 + 0.03 * t),
    )


def g_low_rate(thing: Thing, rng: Any, _: Any) -> Scene:
    return _base(thing, rng, crf=28)


def g_soft(thing: Thing, rng: Any, _: Any) -> Scene:
    def soften(frame: Any, t: float) -> Any:
        small = cv2.resize(frame, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)

    return _base(thing, rng, after=soften)


def g_grain(thing: Thing, rng: Any, _: Any) -> Scene:
    sigma = rng.uniform(1.5, 3.0)
    return _base(thing, rng, after=lambda frame, t: frame + rng.normal(0, sigma, frame.shape), crf=20)


def g_living_scene(thing: Thing, rng: Any, _: Any) -> Scene:
    wide = busy(int(rng.integers(1000)))
    return _base(
        thing, rng, pose=lambda t: pose(thing, fill=0.7), ground=lambda t: wide[30 : 30 + HEIGHT, int(120 * t) : int(120 * t) + WIDTH]
    )


def g_small(thing: Thing, rng: Any, _: Any) -> Scene:
    return _base(thing, rng, pose=lambda t: pose(thing, fill=0.42 + 0.06 * t, dx=0.1, dy=0.08))


GOOD: dict[str, Maker] = {
    "push in": g_push_in,
    "pull out": g_pull_out,
    "pan": g_pan,
    "rise and turn": g_rise,
    "orbit up to 14°": g_orbit,
    "parallax": g_parallax,
    "detail, partly out of frame": g_detail,
    "light ±8 %": g_light,
    "light sweep": g_sweep,
    "H.264 at CRF 28": g_low_rate,
    "upscaled from 3/4": g_soft,
    "grain": g_grain,
    "still product, living scene": g_living_scene,
    "small in the frame": g_small,
}


def s_melt_label(thing: Thing, rng: Any, _: Any) -> Scene | None:
    if thing.label is None:
        return None
    product = if_seen(thing, melted(thing, thing.label, rng.uniform(0.018, 0.04), int(rng.integers(1000))), thing.label)
    return None if product is None else _base(thing, rng, product=product)


def s_melt_part(thing: Thing, rng: Any, _: Any) -> Scene | None:
    if thing.label is None:
        return None
    x, y, w, h = thing.label
    small = (x + w // 4, y + int(h * rng.uniform(0.1, 0.4)), w // 2, max(h // 3, int(0.08 * long_edge(thing))))
    product = if_seen(thing, melted(thing, small, rng.uniform(0.025, 0.045), int(rng.integers(1000))), small)
    return None if product is None else _base(thing, rng, product=product)


def s_warp(thing: Thing, rng: Any, _: Any) -> Scene | None:
    box = part(thing, rng, 0.45)
    product = if_seen(thing, warped(thing, box, rng.uniform(0.25, 0.4), int(rng.integers(1000))), box)
    return None if product is None else _base(thing, rng, product=product)


def s_bend(thing: Thing, rng: Any, _: Any) -> Scene:
    return _base(thing, rng, product=bent(thing, rng.uniform(0.035, 0.06)))


def s_morph(thing: Thing, rng: Any, others: tuple[Thing, ...]) -> Scene:
    return _base(thing, rng, product=crossfaded(thing, others[int(rng.integers(len(others)))], rng.uniform(0.6, 1.0)))


def s_swap(thing: Thing, rng: Any, others: tuple[Thing, ...]) -> Scene:
    return _base(thing, rng, product=swapped(thing, others[int(rng.integers(len(others)))]))


def s_darken(thing: Thing, rng: Any, _: Any) -> Scene:
    gain = rng.uniform(0.18, 0.35)
    return _base(thing, rng, after=lambda frame, t: frame * (1 - gain * t))


def s_tint(thing: Thing, rng: Any, _: Any) -> Scene:
    shift = np.array([(1.14, 1.0, 0.84), (0.86, 1.0, 1.16), (0.88, 1.1, 0.88), (1.12, 0.9, 1.1)][int(rng.integers(4))])
    return _base(thing, rng, after=lambda frame, t: frame * (1 + (shift - 1) * t))


def s_flicker(thing: Thing, rng: Any, _: Any) -> Scene:
    depth = rng.uniform(0.03, 0.06)
    return _base(thing, rng, after=lambda frame, t: frame * (1 + depth * (-1) ** round(t * (COUNT - 1))))


def s_flash(thing: Thing, rng: Any, _: Any) -> Scene:
    at = int(rng.integers(2, COUNT - 2))
    return _base(thing, rng, after=lambda frame, t: frame * 0.6 + 102 if round(t * (COUNT - 1)) == at else frame)


def s_boil(thing: Thing, rng: Any, _: Any) -> Scene:
    sigma = rng.uniform(16, 26)
    return _base(
        thing,
        rng,
        inside=lambda frame, mask, t: (
            frame + cv2.GaussianBlur(rng.normal(0, 1, frame.shape).astype(np.float32), (0, 0), 1.2) * 4.2 * sigma * (mask > 0)[..., None]
        ),
    )


def s_garble(thing: Thing, rng: Any, _: Any) -> Scene | None:
    return _base(thing, rng, product=constant(garbled(thing, rng), thing.cutout.mask)) if thing.has_text else None


def s_other_text(thing: Thing, rng: Any, _: Any) -> Scene | None:
    return _base(thing, rng, product=constant(replaced_text(thing, rng), thing.cutout.mask)) if thing.has_text else None


def s_stretch(thing: Thing, rng: Any, _: Any) -> Scene:
    by, push = rng.uniform(1.12, 1.3), _push(thing, rng)
    middle = np.array([[1, 0, WIDTH / 2], [0, 1, HEIGHT / 2], [0, 0, 1]])
    wider = middle @ (np.diag([by, 1, 1]) if rng.random() < 0.5 else np.diag([1, by, 1])) @ np.linalg.inv(middle)
    return _base(thing, rng, pose=lambda t: wider @ push(t))


def s_blur(thing: Thing, rng: Any, _: Any) -> Scene:
    sigma = rng.uniform(2.2, 3.6)
    return _base(thing, rng, after=lambda frame, t: cv2.GaussianBlur(frame, (0, 0), 0.1 + sigma * min(1, 2 * t)))


def s_frozen(thing: Thing, rng: Any, _: Any) -> Scene:
    place = _push(thing, rng)(0.0)
    return _base(thing, rng, pose=lambda t: place)


def s_erase(thing: Thing, rng: Any, _: Any) -> Scene | None:
    pixels = erased(thing, rng)
    return None if pixels is None else _base(thing, rng, product=constant(pixels, thing.cutout.mask))


def s_double(thing: Thing, rng: Any, _: Any) -> Scene | None:
    return _base(thing, rng, product=constant(doubled(thing, rng), thing.cutout.mask)) if thing.label is not None else None


def s_recolour(thing: Thing, rng: Any, _: Any) -> Scene:
    box = thing.label or part(thing, rng, 0.3)
    return _base(thing, rng, product=constant(recoloured(thing, box, int(rng.integers(35, 145))), thing.cutout.mask))


def s_grey_ground(thing: Thing, rng: Any, _: Any) -> Scene | None:
    if not thing.is_white:
        return None
    drop = rng.uniform(0.14, 0.3)
    return _base(
        thing, rng, ground=None, inside=lambda frame, mask, t: np.where((mask > 20)[..., None], frame, frame * (1 - drop * min(1.0, 2 * t)))
    )


def s_mirror(thing: Thing, rng: Any, _: Any) -> Scene | None:
    if thing.label is None or not thing.has_text:
        return None
    push = _push(thing, rng)
    flip = np.array([[-1, 0, WIDTH], [0, 1, 0], [0, 0, 1.0]])
    pixels, mask = thing.photo.pixels[:, ::-1].copy(), thing.cutout.mask[:, ::-1].copy()
    back = np.array([[-1, 0, thing.photo.width_px - 1], [0, 1, 0], [0, 0, 1.0]])
    return _base(thing, rng, product=constant(pixels, mask), pose=lambda t: flip @ push(t) @ back)


def s_second_product(thing: Thing, rng: Any, _: Any) -> Scene | None:
    """A second copy of the product grows beside it."""
    if thing.label is None:
        return None
    first, second = _push(thing, rng), pose(thing, fill=0.34, dx=0.28, dy=0.27)
    ground = gradient((236, 232, 226), (200, 196, 190))

    def behind(t: float) -> Any:
        share = _warp(thing.cutout.mask, second, 0).astype(np.float32)[..., None] / 255
        return _warp(thing.photo.pixels, second) * share + ground * (1 - share)

    return _base(thing, rng, pose=lambda t: _shifted(first(t), -0.14, -0.12), ground=behind)


def _shifted(matrix: Any, dx: float, dy: float) -> Any:
    return np.array([[0.8, 0, WIDTH * (0.1 + dx)], [0, 0.8, HEIGHT * (0.1 + dy)], [0, 0, 1]]) @ matrix


SPOILED: dict[str, Maker] = {
    "label melts": s_melt_label,
    "part of the label melts": s_melt_part,
    "local warp": s_warp,
    "bent": s_bend,
    "slow morph": s_morph,
    "product swapped": s_swap,
    "darkens": s_darken,
    "tint": s_tint,
    "flicker": s_flicker,
    "flash": s_flash,
    "noise boils": s_boil,
    "text garbled": s_garble,
    "text replaced": s_other_text,
    "stretched": s_stretch,
    "blur": s_blur,
    "frozen": s_frozen,
    "part erased": s_erase,
    "part doubled": s_double,
    "part recoloured": s_recolour,
    "white goes grey": s_grey_ground,
    "mirrored": s_mirror,
    "second product": s_second_product,
}


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One clip of the set, made when it is shot."""

    thing: Thing
    others: tuple[Thing, ...]
    kind: str
    is_good: bool
    seed: int

    def scene(self) -> Scene | None:
        """What it shows; None where the product does not allow the kind, as a label's melting without a label."""
        make = GOOD[self.kind] if self.is_good else SPOILED[self.kind]
        return make(self.thing, np.random.default_rng(self.seed), self.others)

    def shoot(self) -> Frames | None:
        scene = self.scene()
        return None if scene is None else film(scene)

    @property
    def half(self) -> int:
        """0 is for setting limits, 1 for reporting: a product is wholly in one."""
        return sum(map(ord, self.thing.name)) % 2


def clips(seed: int = 0, share: float = 1.0) -> Iterator[Clip]:
    """Yield the set: every product in every kind, or a part of it in which every kind and every product occurs."""
    everything = tuple(things())
    for number, thing in enumerate(everything):
        others = tuple(other for other in everything if other is not thing and other.photo.pixels.shape == thing.photo.pixels.shape)
        for is_good, kinds in ((True, GOOD), (False, SPOILED)):
            for place, kind in enumerate(kinds):
                if (number * 7 + place * 5) % 20 < share * 20:
                    yield Clip(thing, others, kind, is_good, seed * 100_000 + number * 100 + place + (0 if is_good else 50))


__all__ = ["GOOD", "SPOILED", "Clip", "Frames", "clips", "cutout_of", "film"]
