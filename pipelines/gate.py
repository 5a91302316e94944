"""The fidelity gate as a run uses it: how closely a shot is looked at depends on who made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from generators import fidelity
from generators.fidelity import FidelityOptions
from generators.values import Cutout, Fidelity, Footage, Pixels, ShotRequest

CAMERA_LOOKS = 4
"""Frames of a camera shot that are looked at: its pixels cannot melt, and every frame that is looked at is drawn twice."""


def judge(request: ShotRequest, footage: Footage, is_camera: bool, options: FidelityOptions) -> Fidelity:
    """Measure a shot, its text too; of a camera's, which moves the picture's own pixels, fewer frames, and lines in their places."""
    moving = request.shot.move not in (("still", "sweep") if is_camera else ("still",))
    asked = replace(options, is_still=not moving)
    reader = _reader() if options.read_text else None
    if not is_camera:
        if _changes(request):
            return _judge_change(request, footage, asked, reader)
        return fidelity.measure(request.photo, request.cutout, footage, asked, reader=reader)
    few = replace(asked, frames=min(options.frames, CAMERA_LOOKS))
    return fidelity.measure(request.photo, request.cutout, Thinned(footage, CAMERA_LOOKS), few, reader=reader, in_place=True)


def _changes(request: ShotRequest) -> bool:
    """Whether a shot is to go from one picture to another."""
    return request.last is not None and request.last.sha256 != request.photo.sha256


def _judge_change(request: ShotRequest, footage: Footage, options: FidelityOptions, reader: Any) -> Fidelity:
    """Judge a shot that goes from one picture to another: its first frame by the one, its last by the other.

    What it shows in between neither picture knows.
    """
    assert request.last is not None
    first, last = (next(iter(footage.frames(at, at + 1))) for at in (0, footage.count - 1))
    begins = fidelity.survives(request.photo, request.cutout, first, options, reader=reader)
    whole = Cutout(mask=None, box=request.cutout.box, confidence=0.0, method="none")
    ends = fidelity.survives(request.last, request.last_cutout or whole, last, options, reader=reader)
    worse = min((begins, ends), key=lambda found: (found.passed, found.ssim))
    reasons = (*(f"as it begins: {reason}" for reason in begins.reasons), *(f"as it ends: {reason}" for reason in ends.reasons))
    note = "only the first and the last frame were compared, each with its own picture"
    return replace(worse, passed=not reasons, reasons=reasons, notes=(*worse.notes, note))


@lru_cache(maxsize=1)
def _reader() -> Any:
    """One reader of text for a whole run: loading it takes a second."""
    return fidelity.find_reader()


def lock(request: ShotRequest, footage: Footage, options: FidelityOptions) -> tuple[Footage | None, str]:
    """Put the product's own pixels back into a shot where they fit; without footage, the reason why not."""
    if _changes(request):
        return None, "the shot goes from one picture to another"
    tried = fidelity.try_lock(request.photo, request.cutout, footage, options)
    return tried.footage, tried.reason


class Thinned:
    """Some frames of a shot, the first and about the last among them, as a shot of a lower rate."""

    def __init__(self, footage: Footage, frames: int) -> None:
        self._footage, self._step = footage, max(1, (footage.count - 1) // max(1, frames - 1))
        self.width_px, self.height_px = footage.width_px, footage.height_px
        self.count = len(range(0, footage.count, self._step))
        self.fps = footage.fps / self._step

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Pixels]:
        """Yield frames of the thinned shot."""
        wanted = range(self.count)[start:stop:step]
        return self._footage.frames(wanted.start * self._step, wanted.stop * self._step - self._step + 1, wanted.step * self._step)
