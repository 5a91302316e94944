"""One shot, tried until it shows the product: another seed, calmer motion, the product's own pixels put back, the next
preset, and at last the camera, which cannot melt anything.

Every attempt is kept as a `Take` with what was measured and why it was made; the one that was used says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clipper.errors import InputError, LivecutError, ModelError, ToolError
from generators.values import Animator, Fidelity, Footage, Move, Origin, Shot, ShotRequest, Take

log = logging.getLogger(__name__)

VERSION = 1
"""Goes up when the same request leads to other attempts."""

SEED_STEP = 1_000_003
LOCKABLE = 0.3
"""Similarity of the best take below which the product is somewhere else, or nowhere: looking for it frame by frame is in vain."""
CALM = "Very slow and subtle camera movement; the product stays perfectly still and unchanged, every letter on it sharp."
CALMER: dict[Move, Move] = {
    "push_in": "still",
    "pull_out": "still",
    "parallax": "push_in",
    "detail": "push_in",
    "sweep": "still",
    "rise": "push_in",
    "pan": "push_in",
    "reveal": "push_in",
    "still": "still",
}

Measure = Callable[[ShotRequest, Footage, bool], Fidelity]
"""The gate: what was asked for, what came, and whether the camera made it."""
Lock = Callable[[ShotRequest, Footage], tuple[Footage | None, str]]
"""The pixel lock; without footage where the product does not fit into the frames, and then with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOptions:
    """How often a shot is tried again."""

    seeds: int = 1
    """Other seeds that are tried, 0 to 8."""
    calmer: bool = True
    """Try again with calmer motion."""
    pixel_lock: bool = True
    """Put the product's own pixels back where they fit."""
    camera: bool = True
    """Fall back on camera moves; without it a shot that never passes is an error."""
    enforce: bool = True
    """Show only shots that pass the gate. Without it the first take is shown, and the manifest says what was measured."""

    def __post_init__(self) -> None:
        if not 0 <= self.seeds <= 8:
            raise InputError(f"seeds = {self.seeds}: expected 0 to 8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One way of making shots: a backend with a preset. Its animator is loaded when it is first needed."""

    name: str
    """As the manifest says it, e.g. wan balanced."""
    open: Callable[[], Animator]
    is_camera: bool = False
    retries: bool = True
    """Worth trying again with another seed and calmer motion: not where every try costs money."""
    gives_way: tuple[type[LivecutError], ...] = (ModelError, ToolError, InputError)
    """Errors after which the next way is tried; any other ends the run and is told, as keys that are wrong have to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A shot that may be shown, and all that was tried."""

    footage: Footage
    origin: Origin
    rung: str
    """Name of the way that made it."""
    takes: tuple[Take, ...]
    notes: tuple[str, ...] = ()
    """Ways that could not be tried, and why."""
    is_camera: bool = False


@dataclass(slots=True)
class _Attempts:
    request: ShotRequest
    work: Path
    measure: Measure
    progress: Callable[[float], None]
    cancelled: Callable[[], bool]
    takes: list[Take]
    notes: list[str]
    best: tuple[float, Footage, Origin] | None = None
    """The footage most like the product so far, for the pixel lock; the last rung's own where it is shown in any case."""


def make_shot(
    request: ShotRequest,
    rungs: Sequence[Rung],
    work: Path,
    options: TakeOptions,
    *,
    measure: Measure,
    lock: Lock | None = None,
    progress: Callable[[float], None] = lambda _share: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Try the rungs in turn until a shot passes the gate.

    The last rung's camera is used as it is: its pixels are the picture's own, and what the gate says of it goes into the
    manifest. Raises Cancelled, ModelError when nothing passed and there is no camera to fall back on, and what a rung raises
    that is the last one or does not give way.
    """
    tries = _Attempts(request=request, work=work, measure=measure, progress=progress, cancelled=cancelled, takes=[], notes=[])
    for number, rung in enumerate(rungs):
        why = "" if number == 0 else f"{rungs[number - 1].name} did not show the product faithfully"
        try:
            found = _climb(rung, tries, options, lock, why)
        except (ModelError, ToolError, InputError) as error:
            if number == len(rungs) - 1 or not isinstance(error, rung.gives_way):
                raise
            log.warning("shot %s: %s could not make it: %s", request.shot.id, rung.name, error)
            tries.notes.append(f"{rung.name}: {error}")
            continue
        if found is not None:
            footage, origin = found
            return Outcome(
                footage=footage, origin=origin, rung=rung.name, takes=tuple(tries.takes), notes=tuple(tries.notes), is_camera=rung.is_camera
            )
    raise ModelError(_nothing_passed(request, tries))


def _nothing_passed(request: ShotRequest, tries: _Attempts) -> str:
    said = "; ".join(dict.fromkeys(reason for take in tries.takes for reason in take.fidelity.reasons)) or "nothing could be made"
    return (
        f"could not make shot {request.shot.id}: none of {len(tries.takes)} takes shows the product faithfully ({said}); "
        "allow the camera (takes.camera), use a better preset, or a picture with larger text"
    )


def _climb(rung: Rung, tries: _Attempts, options: TakeOptions, lock: Lock | None, why: str) -> tuple[Footage, Origin] | None:
    """Try one rung: as asked, with other seeds, calmer, and locked."""
    found = _take(rung, tries.request, tries, why)
    if found is not None:
        return found
    if rung.is_camera or not options.enforce:
        return _shown_anyway(tries, rung)
    if rung.retries:
        for request, reason in _variations(tries.request, options):
            found = _take(rung, request, tries, reason)
            if found is not None:
                return found
    return _locked(tries, lock) if options.pixel_lock and lock is not None else None


def _variations(request: ShotRequest, options: TakeOptions) -> list[tuple[ShotRequest, str]]:
    shot = request.shot
    others = [
        (replace(request, shot=replace(shot, seed=(shot.seed + number * SEED_STEP) % 2**31)), "another seed")
        for number in range(1, options.seeds + 1)
    ]
    return [*others, (replace(request, shot=_calmer(shot)), "calmer motion")] if options.calmer else others


def _calmer(shot: Shot) -> Shot:
    return replace(shot, move=CALMER[shot.move], prompt=f"{shot.prompt} {CALM}".strip() if shot.prompt else "")


def _take(rung: Rung, request: ShotRequest, tries: _Attempts, why: str) -> tuple[Footage, Origin] | None:
    if rung.is_camera and request.last is not None:
        request = replace(request, last=None, last_cutout=None)
        tries.notes.append("the camera moves one picture: the shot does not end on another")
    footage, origin = rung.open().animate(request, tries.work, progress=tries.progress, cancelled=tries.cancelled)
    said = tries.measure(request, footage, rung.is_camera)
    tries.takes.append(Take(shot=request.shot.id, origin=origin, fidelity=said, used=said.passed, why=why))
    log.info("shot %s, %s: %s", request.shot.id, rung.name, "passed" if said.passed else "; ".join(said.reasons))
    if said.passed:
        return footage, origin
    if rung.is_camera or tries.best is None or said.ssim > tries.best[0]:
        tries.best = (said.ssim, footage, origin)
    return None


def _shown_anyway(tries: _Attempts, rung: Rung) -> tuple[Footage, Origin]:
    """Show an attempt whatever the gate says: the camera's, which moved the picture's pixels and nothing else, or as told."""
    assert tries.best is not None
    why = "the picture's own pixels, moved; shown in spite of the gate" if rung.is_camera else "shown in spite of the gate (takes.enforce)"
    last = tries.takes[-1]
    tries.takes[-1] = replace(last, used=True, why="; ".join(part for part in (last.why, why) if part))
    return tries.best[1], tries.best[2]


def _locked(tries: _Attempts, lock: Lock | None) -> tuple[Footage, Origin] | None:
    """Put the picture's own product back into the best attempt so far."""
    if tries.best is None or lock is None:
        return None
    ssim, footage, origin = tries.best
    tries.best = None
    request = tries.request
    if ssim < LOCKABLE:
        tries.notes.append(f"no pixel lock: the product is not to be found in the frames (similarity {ssim:.2f})")
        return None
    locked, reason = lock(request, footage)
    if locked is None:
        tries.notes.append(f"no pixel lock: {reason}")
        return None
    said = tries.measure(request, locked, False)
    why = "the product's own pixels put back"
    tries.takes.append(Take(shot=request.shot.id, origin=origin, fidelity=said, pixel_lock=True, used=said.passed, why=why))
    return (locked, origin) if said.passed else None
