"""The gate: does a shot still show the product, on its worst frame?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from generators.fidelity.align import NEAR, find, follow, refine
from generators.fidelity.colour import delta_e, lab
from generators.fidelity.compare import look
from generators.fidelity.doubles import is_doubled
from generators.fidelity.judging import Findings, judge
from generators.fidelity.options import FidelityOptions
from generators.fidelity.pose import Pose, grey, place, view_matrix
from generators.fidelity.reference import Reference, build_reference, scaling
from generators.fidelity.rereading import read_again
from generators.fidelity.text import TextReader
from generators.values import Cutout, Fidelity, Footage, Photo

VERSION = 3
"""Goes up when equal footage is judged otherwise: what was judged before is then judged anew."""

WORK_PX = 540
"""Short edge of the frames that are compared: half of 1080, where the reference's 360 px still fit."""
SMALL_PX = 96
"""Short edge of the pictures in which every frame's light is measured."""
LEAST_VISIBLE = 0.12
"""A frame that shows less of the product is not compared: there is too little to align."""
WHITE_L, WHITE_CHROMA = 88.0, 5.0


def measure(
    photo: Photo,
    cutout: Cutout,
    footage: Footage,
    options: FidelityOptions | None = None,
    *,
    reader: TextReader | None = None,
    in_place: bool = False,
) -> Fidelity:
    """Say how far a shot still shows the product of a photo; every number is that of the worst frame looked at.

    Without a `reader` rapidocr reads the text when it is installed; `options.read_text` turns that off. `in_place` reads the
    lines where they have to be without looking for them, which takes a tenth of the time: for footage that only moves the
    photo's own pixels. Reads the footage once.
    """
    options = options or FidelityOptions()
    reference = build_reference(photo, cutout)
    originals, track = _sample(footage, options.frames)
    factor = min(1.0, WORK_PX / min(footage.width_px, footage.height_px))
    sampled = {index: _reduced(frame, factor) for index, frame in originals.items()}
    poses = _align(reference, sampled)
    full = {index: _enlarged_pose(pose, factor) for index, pose in poses.items()}
    looks = [look(reference, originals[index], pose, index) for index, pose in full.items() if pose is not None]
    lost = [index for index, pose in poses.items() if pose is None]
    seen = [one for one in looks if one.visible >= LEAST_VISIBLE]
    found = Findings(
        looks=tuple(seen),
        lost=tuple(lost),
        flicker=_flicker(reference, poses, track, footage.width_px * factor),
        motion=_motion(reference, poses, min(footage.width_px, footage.height_px) * factor),
        scene=_scene(track),
        background=_background(reference, sampled, poses),
        is_doubled=_is_doubled(reference, photo, sampled, poses),
        text=None,
    )
    judged = judge(found, options, ())
    if not judged.passed:
        return replace(judged, notes=("text was not read: the shot fails without it",))
    if not options.read_text:
        return replace(judged, notes=("text was not read: fidelity.read_text is off",))
    text, notes = read_again(photo, reference, originals, full, seen, reader, in_place=in_place)
    return judge(replace(found, text=text), options, notes)


def survives(
    photo: Photo, cutout: Cutout, first_frame: Any, options: FidelityOptions | None = None, *, reader: TextReader | None = None
) -> Fidelity:
    """Judge a first frame that went through a model's encoder and decoder alone (RGB `uint8 (h, w, 3)`).

    It costs seconds, and what is lost there (small text, mostly) no sampling brings back: try a model with a finer encoder, a
    larger size, or the camera instead.
    """
    return measure(photo, cutout, _Single(first_frame), replace(options or FidelityOptions(), is_still=True), reader=reader)


class _Single:
    """One picture as footage."""

    def __init__(self, frame: Any) -> None:
        from fractions import Fraction

        self.height_px, self.width_px = int(frame.shape[0]), int(frame.shape[1])
        self.fps, self.count = Fraction(1), 1
        self._frame = frame

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Any:
        return iter([self._frame][start:stop:step])


# --- reading --------------------------------------------------------------------------------------


def _sample(footage: Footage, frames: int) -> tuple[dict[int, Any], Any]:
    """Read the footage once: some frames in full, and all of them tiny `float32 (n, h, w, 3)`."""
    import cv2
    import numpy as np

    wanted = {round(i * (footage.count - 1) / max(1, frames - 1)) for i in range(frames)}
    sampled, small = {}, []
    factor = SMALL_PX / min(footage.width_px, footage.height_px)
    size = (max(2, round(footage.width_px * factor)), max(2, round(footage.height_px * factor)))
    for index, frame in enumerate(footage.frames()):
        small.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
        if index in wanted:
            sampled[index] = np.array(frame)
    return sampled, np.array(small)


def _reduced(frame: Any, factor: float) -> Any:
    import cv2

    return frame if factor == 1 else cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def _enlarged_pose(pose: Pose | None, factor: float) -> Pose | None:
    """Bring a pose in a reduced frame to the full one."""
    return None if pose is None else Pose(scaling(1 / factor) @ pose.matrix, pose.score)


def _align(reference: Reference, sampled: dict[int, Any]) -> dict[int, Pose | None]:
    """Place the product in every sampled frame: forwards, then from the surest frame outwards where it was not found well."""
    poses: dict[int, Pose | None] = {}
    before: Pose | None = None
    for index, frame in sampled.items():
        pose = find(reference, frame) if before is None else follow(reference, frame, before)
        poses[index] = pose
        before = pose or before
    known = {index: pose for index, pose in poses.items() if pose is not None and pose.score >= NEAR}
    if not known:
        return poses
    surest = max(known, key=lambda index: known[index].score)
    for index in sorted(set(poses) - set(known), key=lambda index: abs(index - surest)):
        start = known[min(known, key=lambda other: abs(other - index))]
        again, found = refine(reference, sampled[index], start.matrix), poses[index]
        if again is not None and (found is None or again.score > found.score):
            poses[index] = known[index] = again
    return poses


# --- over time ------------------------------------------------------------------------------------


def _ways(reference: Reference, poses: dict[int, Pose | None], count: int) -> Any:
    """Corners of the product in every frame, in between by interpolation: `float64 (count, 4, 2)`."""
    import numpy as np

    known = [(at, place(pose.matrix, reference.corners()).reshape(8)) for at, pose in poses.items() if pose is not None]
    times, corners = [at for at, _ in known], np.array([spot for _, spot in known])
    return np.stack([np.interp(np.arange(count), times, corners[:, i]) for i in range(8)], axis=1).reshape(count, 4, 2)


def _flicker(reference: Reference, poses: dict[int, Pose | None], track: Any, width_px: float) -> float:
    """Return the largest second difference, over all frames, of the product's mean luma against the reference drawn in its place.

    Against the reference, because which pixels of a tiny picture fall on the product changes from frame to frame.
    """
    import cv2
    import numpy as np

    if len(track) < 3 or all(pose is None for pose in poses.values()):
        return 0.0
    factor = track.shape[2] / width_px
    ways = _ways(reference, poses, len(track)) * factor
    view = reference.at(factor * max(pose.scale(reference) for pose in poses.values() if pose is not None))
    start = place(view_matrix(reference, view), reference.corners()).astype(np.float32)
    drawn = np.dstack([grey(view.image), view.mask])
    excess = []
    for picture, corners in zip(track, ways, strict=True):
        ours = cv2.warpPerspective(drawn, cv2.getPerspectiveTransform(start, corners.astype(np.float32)), picture.shape[1::-1])
        inner = cv2.erode(ours[..., 1], np.ones((3, 3), np.uint8)) > 200
        area = inner if int(inner.sum()) >= 30 else ours[..., 1] > 100
        excess.append(float((grey(picture)[area].astype(float) - ours[..., 0][area]).mean()) if area.any() else np.nan)
    curve = np.abs(np.diff(np.array(excess), 2))
    curve = curve[np.isfinite(curve)]
    return float(curve.max()) if curve.size else 0.0


def _motion(reference: Reference, poses: dict[int, Pose | None], short_px: float) -> float:
    """Return the largest way that a corner of the product goes, as a share of the frame's short edge."""
    import numpy as np

    corners = np.array([place(pose.matrix, reference.corners()) for pose in poses.values() if pose is not None])
    if len(corners) < 2:
        return 0.0
    ways = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    return float(ways.max() / short_px)


def _scene(track: Any) -> float:
    """Return how much the whole picture changes: the largest mean difference from the first frame, in 8-bit steps."""
    import numpy as np

    picked = track[:: max(1, len(track) // 24)].astype(np.float32)
    return float(np.abs(picked - picked[0]).mean(axis=(1, 2, 3)).max())


def _background(reference: Reference, sampled: dict[int, Any], poses: dict[int, Pose | None]) -> float | None:
    """Return how far a white border drifts from the photo's, or None when photo or first frame have no white one."""
    import cv2
    import numpy as np

    outside = reference.mask < 8
    if reference.is_whole or float(outside.mean()) < 0.02:
        return None
    colours = lab(reference.image)[outside]
    if not _is_white(np.median(colours, axis=0)) or float(np.percentile(colours[:, 0], 75) - np.percentile(colours[:, 0], 25)) > 6:
        return None
    seen = []
    for index, pose in poses.items():
        frame = sampled[index]
        factor = 160 / min(frame.shape[:2])
        small = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        free = np.ones(small.shape[:2], bool)
        if pose is not None:
            covered = cv2.warpPerspective(reference.mask, scaling(factor) @ pose.matrix, small.shape[1::-1])
            free = cv2.dilate(covered, np.ones((13, 13), np.uint8)) == 0
        ring = np.zeros_like(free)
        width = 12
        ring[:width], ring[-width:], ring[:, :width], ring[:, -width:] = True, True, True, True
        area = ring & free
        if int(area.sum()) > 200:
            seen.append(np.median(lab(small)[area], axis=0))
    if not seen or not _is_white(seen[0]):
        return None
    return float(max(delta_e(seen[0], colour) for colour in seen))


def _is_doubled(reference: Reference, photo: Photo, sampled: dict[int, Any], poses: dict[int, Pose | None]) -> bool:
    """Look for a second product in the middle and in the last frame."""
    placed = [(sampled[index], pose) for index, pose in poses.items() if pose is not None]
    return bool(placed) and is_doubled(reference, photo, [placed[len(placed) // 2], placed[-1]])


def _is_white(colour: Any) -> bool:
    import numpy as np

    return bool(colour[0] >= WHITE_L and float(np.hypot(colour[1], colour[2])) <= WHITE_CHROMA)
