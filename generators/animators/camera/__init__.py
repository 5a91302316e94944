"""The camera backend: a photograph filmed by a moving camera, every pixel of the product its own.

Where the cut-out is sure, the product is a plane of its own before a backdrop drawn from the style; else the whole photo is, as
a print, and a scene of the frame's own shape fills it. Planes are only ever scaled evenly and shifted, by one Lanczos
resampling per frame from the photo's full resolution, so nothing can melt. The same request gives the same pixels.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from clipper.errors import Cancelled, InputError
from clipper.values import Box
from generators.animators.camera import cards, moves, shadows
from generators.animators.camera.backdrops import MARGIN, Backdrop, Ground, Look, paint
from generators.animators.camera.extend import extended
from generators.animators.camera.footage import Drawn
from generators.animators.camera.geometry import Similarity, around
from generators.animators.camera.light import Sweep
from generators.animators.camera.product import cut
from generators.animators.camera.scene import Layers, Scene, Single
from generators.layout import Area, layout
from generators.values import Cutout, Footage, Origin, Photo, ShotRequest

__all__ = ["Camera", "CameraOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOptions:
    """How the camera backend works."""

    threads: int = 2
    """Frames drawn at once; 1 to 64."""
    layer_confidence: float = 0.7
    """From this confidence of the cut-out on the product is lifted off its background; 0 to 1."""
    largest_scale: float = 1.6
    """Most that a picture's pixels are enlarged at rest, unless the product would be too small to see; 1 to 4."""

    def __post_init__(self) -> None:
        for name, low, high in (("threads", 1, 64), ("layer_confidence", 0, 1), ("largest_scale", 1, 4)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"camera.{name} = {value}: expected {low} to {high}")


SMALLEST_SHARE = 0.5
"""A product is at least this share of its room along one side, however few pixels it has."""
ROOM_FOR_MOVES = 0.9
"""Share of its area that the product fills at rest: pushing in takes the remainder."""
PRINT = 0.975
"""The same for a print, which shows its product smaller."""
STANDS = 0.45
"""Share of its area's unused height that is left below the product."""


KEPT_BACKDROPS = 2
"""One for the product as a layer and one for its prints; each takes 10 to 20 MB at 1080×1920."""

WHOLE = Box(0.0, 0.0, 1.0, 1.0)
UNKNOWN = Box(0.1, 0.1, 0.8, 0.8)
"""What is kept in sight when nothing tells where the product is."""


class Camera:
    """Moves a camera over product pictures; satisfies the protocol Animator."""

    def __init__(self, options: CameraOptions | None = None) -> None:
        self.options = options or CameraOptions()
        self._backdrop = lru_cache(maxsize=KEPT_BACKDROPS)(paint)

    def animate(
        self, request: ShotRequest, work: Path, *, progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> tuple[Footage, Origin]:
        """Prepare the shot: planes, backdrop and path. Frames are drawn when the footage is read; nothing lies on disk.

        Raises InputError when the frame or the picture is too small, and Cancelled.
        """
        _check(request)
        if cancelled():
            raise Cancelled("stopped before the shot was prepared")
        planes = self._planes(request)
        mounted = replace(request, cutout=cards.mounted(request.photo)) if planes == "card" else request
        scene, stage = self._single(request) if planes == "single" else self._layers(mounted)
        progress(1.0)
        shot = request.shot
        swept = request.style.light_sweep > 0
        route = moves.path(shot.move, stage, seed=shot.seed, loop=request.loop, swept=swept)
        size = (request.width_px, request.height_px)
        count = max(1, round(shot.seconds * request.fps))
        box = stage.box if planes != "single" or request.cutout.confidence >= cards.SURE else None
        footage = Drawn(scene, route, size=size, fps=request.fps, count=count, loop=request.loop, threads=self.options.threads, box=box)
        return footage, _origin(request, stage, planes)

    def close(self) -> None:
        """Forget the backdrops."""
        self._backdrop.cache_clear()

    def _planes(self, request: ShotRequest) -> str:
        """Say how the photo is shown: its product as a layer, the whole of it as a card, or filling the frame as a single plane."""
        cutout = request.cutout
        if cutout.is_layer(self.options.layer_confidence) and not cutout.is_cropped() and int(cutout.mask.max()) > 127:
            return "layers"
        return "single" if cards.fills(request.photo, cutout, request.width_px, request.height_px) else "card"

    def _layers(self, request: ShotRequest) -> tuple[Scene, moves.Stage]:
        width, height = request.width_px, request.height_px
        grid = layout(request.style.title_at, width, height)
        is_print = request.cutout.box == WHOLE
        rest, box = self._stand(
            request.photo, request.cutout, grid.print_ if is_print else grid.product, PRINT if is_print else ROOM_FOR_MOVES
        )
        stage = moves.Stage(
            width=width,
            height=height,
            box=box,
            focus=_focus(request, rest, box),
            scale=rest.scale,
            flat=False,
            covers=is_print,
            free=grid.print_free if is_print else grid.free,
        )
        product = cut(request.photo, request.cutout, rest.scale * 1.12)
        placed = product.placed(rest)
        backdrop = self._paint(request, grid.product, box)
        under = shadows.under(product, placed, backdrop, request.style.shadow)
        sweep = Sweep(box, request.style.light_sweep, request.style.light_deg)
        scene = Layers(width=width, height=height, backdrop=backdrop, product=product, rest=placed, under=under, base=box[3], sweep=sweep)
        return scene, stage

    def _stand(self, photo: Photo, cutout: Cutout, space: Area, fills: float) -> tuple[Similarity, tuple[float, float, float, float]]:
        """Return where the product rests: from photo to frame pixels, and its box in the frame."""
        left, top, wide, tall = _pixels(cutout.box, photo)
        fit = min(space.width / wide, space.height / tall)
        scale = min(fills * fit, max(self.options.largest_scale, SMALLEST_SHARE * fit))
        x = space.centre[0] + _balance(cutout, scale * photo.width_px, 0.5 * (space.width - wide * scale))
        y = space.bottom - STANDS * (space.height - tall * scale) - 0.5 * tall * scale
        rest = around(scale, left + wide / 2, top + tall / 2, x, y)
        return rest, (*rest.apply(left, top), *rest.apply(left + wide, top + tall))

    def _paint(self, request: ShotRequest, space: Area, box: tuple[float, float, float, float]) -> Backdrop:
        margin = round(MARGIN * request.width_px)
        left, top, right, bottom = (round(value) for value in box)
        ground = Ground(
            width=request.width_px + 2 * margin,
            height=request.height_px + 2 * margin,
            margin=margin,
            x=round(space.centre[0]) + margin,
            base=bottom + margin,
            product_width=right - left,
            product_height=bottom - top,
            frame_width=request.width_px,
            frame_height=request.height_px,
        )
        style = request.style
        # All shots of a style are filmed on one set: its seed is the style's, not the shot's.
        look = Look(palette=style.palette, motif=style.motif, vignette=style.vignette, light_deg=style.light_deg)
        return self._backdrop(style.backdrop, ground, look, zlib.crc32(style.name.encode()))

    def _single(self, request: ShotRequest) -> tuple[Scene, moves.Stage]:
        width, height = request.width_px, request.height_px
        photo = request.photo
        rest, box = self._fill(photo, request.cutout, width, height, layout(request.style.title_at, width, height).product)
        stage = moves.Stage(width=width, height=height, box=box, focus=_focus(request, rest, box), scale=rest.scale, flat=True)
        back = rest.inverse()
        reach = 0.08 * max(width, height)
        window = (*back.apply(-reach, -reach), *back.apply(width + reach, height + reach))
        plane = extended(photo, request.cutout.box, window, rest.scale * 1.12)
        sweep = Sweep((0, 0, width, height), 0.5 * request.style.light_sweep, request.style.light_deg)
        return Single(width=width, height=height, plane=plane, rest=plane.placed(rest), sweep=sweep), stage

    def _fill(
        self, photo: Photo, cutout: Cutout, width: int, height: int, space: Area
    ) -> tuple[Similarity, tuple[float, float, float, float]]:
        """Return where the whole photo rests: as large as covers the frame, as long as the product stays inside it, and shifted
        to bring the product to its room.
        """
        left, top, wide, tall = _pixels(cutout.box if cutout.method != "none" else UNKNOWN, photo)
        contain = min(width / photo.width_px, height / photo.height_px)
        cover = max(width / photo.width_px, height / photo.height_px)
        scale = max(contain, min(cover, self.options.largest_scale, 0.84 * width / wide, 0.74 * height / tall))
        x, y = space.centre
        first_x = _window(left + wide / 2 - x / scale, photo.width_px, width / scale)
        first_y = _window(top + tall / 2 - y / scale, photo.height_px, height / scale)
        rest = Similarity(scale, -scale * first_x, -scale * first_y)
        return rest, (*rest.apply(left, top), *rest.apply(left + wide, top + tall))


def _check(request: ShotRequest) -> None:
    if min(request.width_px, request.height_px) < 64:
        raise InputError(
            f"could not film {request.photo.path} at {request.width_px}x{request.height_px}: frames are at least 64 pixels wide and high"
        )
    if request.shot.seconds <= 0:
        raise InputError(
            f"could not film {request.photo.path}: shot {request.shot.id} lasts {request.shot.seconds} s; give it a length above 0"
        )
    if request.cutout.mask.shape != request.photo.pixels.shape[:2]:
        raise InputError(f"could not film {request.photo.path}: its cut-out is of another size; cut it out again")


def _balance(cutout: Cutout, width: float, most: float) -> float:
    """Return how far to shift a lopsided product so that its weight, not only its box, is in the middle: half of the way."""
    weights = cutout.mask.sum(axis=0, dtype=np.float64)
    centre = float(weights @ (np.arange(weights.size) + 0.5) / max(weights.sum(), 1.0)) / weights.size
    shift = 0.5 * (cutout.box.x + cutout.box.w / 2 - centre) * width
    return float(max(-most, min(most, shift)))


def _pixels(box: Box, photo: Photo) -> tuple[float, float, float, float]:
    """Return left, top, width, height in photo pixels."""
    return box.x * photo.width_px, box.y * photo.height_px, max(box.w * photo.width_px, 1.0), max(box.h * photo.height_px, 1.0)


def _focus(request: ShotRequest, rest: Similarity, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Return the region to go to in frame pixels; without one, the upper middle of the product, where labels are."""
    if request.shot.focus is not None:
        left, top, wide, tall = _pixels(request.shot.focus, request.photo)
        return (*rest.apply(left, top), *rest.apply(left + wide, top + tall))
    left, top, right, bottom = box
    wide, tall = right - left, bottom - top
    return left + 0.22 * wide, top + 0.25 * tall, right - 0.22 * wide, top + 0.7 * tall


def _window(wanted: float, size: float, window: float) -> float:
    """Return where a window on the picture begins: inside it where it fits; else with some of what is missing on either side."""
    missing = window - size
    low, high = (0.0, -missing) if missing < 0 else (-0.82 * missing, -0.18 * missing)
    return min(max(wanted, low), high)


def _origin(request: ShotRequest, stage: moves.Stage, planes: str) -> Origin:
    settings = [("move", request.shot.move), ("planes", planes), ("scale", f"{stage.scale:.3f}")]
    if planes != "single":
        settings.append(("backdrop", request.style.backdrop))
    return Origin(
        backend="camera",
        is_generated=False,
        seed=request.shot.seed,
        picture_sha256=request.photo.sha256,
        settings=tuple(settings),
        versions=tuple((name, version(name)) for name in ("numpy", "pillow")),
    )
