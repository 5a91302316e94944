"""One pass over the frames, measured by every meter at once.

Key frames are decoded small; the cheap meters see all of them, faces and products those that lie a little apart. Decoding,
face finding and product finding run side by side, with a handful of frames in flight: memory does not grow with length.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from clipper import media
from clipper.errors import Cancelled, InputError
from clipper.values import Face, Look, Picture, Product, Recording, Sighting, Span, ms
from clipper.vision import cuts
from clipper.vision.faces import FaceFinder, openness
from clipper.vision.pictures import prepare
from clipper.vision.sightings import Found, ProductFinder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from clipper.media import Frame

log = logging.getLogger(__name__)

T = TypeVar("T")

VERSION = 2
LOOK_PX = 360
"""Width at which sharpness is measured."""
IN_FLIGHT = 6
SURE = 0.7
"""A sighting this sure stands alone; a weaker one needs another of the same product in a neighbouring frame."""
BELIEVED = 0.5
DOUBTED = 0.4
"""Weaker than this is nothing, whatever the neighbours say."""
SPIKE = 3
"""A new view costs at least this many times the bytes of the next largest frame between two key frames."""
REFINED = 60
"""Cuts that are placed to the frame; in a recording with more, the rest stay at the frame that first shows the new view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOptions:
    """How closely the picture is looked at."""

    width_px: int = 480
    """Shorter side of the frames that products are looked for in; 240 to 1080."""
    product_step_s: float = 2.0
    """Least distance of frames in which products are looked for, in seconds; 0.5 to 60."""
    face_step_s: float = 3.0
    """Least distance of frames in which faces are looked for in a landscape recording, in seconds; 0.5 to 60. Portrait: twice that."""
    face_threshold: float = 0.5
    """Least score of a face; 0.1 to 0.95."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("width_px", 240, 1080),
            ("product_step_s", 0.5, 60),
            ("face_step_s", 0.5, 60),
            ("face_threshold", 0.1, 0.95),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"vision.{name} = {value}: expected {low} to {high}")


@dataclass(slots=True)
class _Notes:
    """What the pass collects; small numbers only."""

    looks: list[Look] = field(default_factory=list)
    keys: list[tuple[float, bool]] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    last_view: cuts.View | None = None
    faces: list[Face] = field(default_factory=list)
    found: list[tuple[float, tuple[Found, ...]]] = field(default_factory=list)


def look(
    recording: Recording,
    products: Sequence[Product],
    options: LookOptions,
    *,
    face_model: Path | None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Picture:
    """Look at a recording once: sharpness and brightness, changes of view, faces, product sightings.

    `face_model` is CenterFace's ONNX file; without it no face is found. `progress` is called with the share that is done.
    Sightings are None when no product has a usable picture. Raises InputError when the file can no longer be opened,
    ModelError for a bad model file, Cancelled.
    """
    templates, warnings = prepare(products)
    faces = FaceFinder(face_model, threshold=options.face_threshold) if face_model else None
    finder = ProductFinder(templates, threshold=DOUBTED) if templates else None
    notes = _Notes()
    for frame in _measured(recording, options, faces, finder, notes):
        if cancelled and cancelled():
            raise Cancelled(f"stopped looking at {recording.path}")
        if progress:
            progress(min(1.0, frame.time / max(recording.duration, 0.001)))
    log.info(
        "looked at %d frames: %d faces, %d frames with products",
        len(notes.looks),
        len(notes.faces),
        sum(1 for _, found in notes.found if found),
    )
    return Picture(
        looks=tuple(notes.looks),
        cuts=tuple(_cuts(recording, notes)),
        faces=tuple(notes.faces),
        sightings=tuple(believed(notes.found)) if finder else None,
        warnings=warnings,
    )


def _measured(
    recording: Recording, options: LookOptions, faces: FaceFinder | None, finder: ProductFinder | None, notes: _Notes
) -> Iterator[Frame]:
    """Run every meter over the frames; yields each frame when it is decoded."""
    face_step = options.face_step_s * (1 if recording.width_px > recording.height_px else 2)
    shorter = min(recording.width_px, recording.height_px)
    width = round(recording.width_px * min(1.0, options.width_px / shorter))
    waiting: deque[Callable[[], None]] = deque()
    face_due = product_due = 0.0
    with ThreadPoolExecutor(1) as face_worker, ThreadPoolExecutor(1) as product_worker:
        for frame in media.key_frames(recording, width_px=width):
            _note_view(notes, frame)
            if faces and frame.time >= face_due:
                face_due = frame.time + face_step
                waiting.append(_later(face_worker.submit(_faces, faces, frame), notes.faces.extend))
            if finder and frame.time >= product_due:
                product_due = frame.time + options.product_step_s
                waiting.append(_later(product_worker.submit(_found, finder, frame), notes.found.extend))
            while len(waiting) > IN_FLIGHT:
                waiting.popleft()()
            yield frame
        while waiting:
            waiting.popleft()()


def _later(future: Future[list[T]], keep: Callable[[list[T]], None]) -> Callable[[], None]:
    return lambda: keep(future.result())


def _faces(finder: FaceFinder, frame: Frame) -> list[Face]:
    return [Face(frame.time, face.box, face.score, openness(frame.image, face)) for face in finder.find(frame.image)]


def _found(finder: ProductFinder, frame: Frame) -> list[tuple[float, tuple[Found, ...]]]:
    return [(frame.time, finder.find(frame.image))]


def _note_view(notes: _Notes, frame: Frame) -> None:
    view = cuts.summarise(frame.image)
    if notes.last_view is not None:
        notes.steps.append(cuts.distance(notes.last_view, view))
    notes.last_view = view
    notes.keys.append((frame.time, frame.is_key))
    notes.looks.append(measure(frame.time, frame.image))


def measure(time: float, image: NDArray[np.uint8]) -> Look:
    """Measure sharpness and brightness of a frame uint8 (h, w, 3) BGR."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if grey.shape[1] != LOOK_PX:
        size = (LOOK_PX, max(1, round(grey.shape[0] * LOOK_PX / grey.shape[1])))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if grey.shape[1] > LOOK_PX else cv2.INTER_LINEAR)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return Look(time, round(float(deviation[0, 0]) ** 2, 2), round(float(cv2.mean(grey)[0]) / 255, 4))


def believed(found: Sequence[tuple[float, tuple[Found, ...]]]) -> Iterator[Sighting]:
    """Keep the sightings that stand alone, and weaker ones that a neighbouring frame confirms; `found` is in order of time."""
    for index, (time, products) in enumerate(found):
        near = [other for at in (index - 1, index + 1) if 0 <= at < len(found) for other in found[at][1]]
        for product in products:
            confirmed = max((other.score for other in near if other.sku == product.sku), default=0.0)
            if product.score >= SURE or confirmed >= (BELIEVED if product.score < BELIEVED else DOUBTED):
                yield Sighting(time, product.sku, product.box, product.score)


def _cuts(recording: Recording, notes: _Notes) -> Iterator[float]:
    """Place the changes of view: at the key frame that an encoder puts there, else by decoding what lies between."""
    gaps = sorted(after[0] - before[0] for before, after in zip(notes.keys, notes.keys[1:], strict=False))
    usual = gaps[len(gaps) // 2] if gaps else 0.0
    for count, index in enumerate(cuts.find_changes(notes.steps)):
        (before, _), (after, is_key) = notes.keys[index], notes.keys[index + 1]
        if (is_key and after - before < 0.9 * usual) or count >= REFINED:
            yield after
        else:
            yield _place(recording, before, after)


def _place(recording: Recording, before: float, after: float) -> float:
    """Find the first frame that is more like the later view than like the earlier one.

    In a portrait recording, where no window jumps at a cut, the one coded frame that is far larger than the rest will do: it
    is at most a few frames late.
    """
    if recording.width_px < recording.height_px:
        sizes = sorted(((size, time) for time, size in media.packet_sizes(recording, Span(before, after))), reverse=True)
        if len(sizes) > 2 and sizes[0][0] > SPIKE * sizes[1][0]:
            return sizes[0][1]
    width = 96 if recording.width_px < recording.height_px else 160
    later = next(media.frames(recording, Span(after, after + 1.0), width_px=width), None)
    first: cuts.View | None = None
    for frame in media.frames(recording, Span(before, after), width_px=width):
        view = cuts.summarise(frame.image)
        first = first or view
        if later is None or _gap(view, cuts.summarise(later.image)) < _gap(first, view):
            return frame.time
    return ms(after)


def _gap(one: cuts.View, other: cuts.View) -> float:
    kept, colour = cuts.distance(one, other)
    return 1.0 - kept + colour
