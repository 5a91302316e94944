"""The gate: does a shot still show the product, on its worst frame?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from generators.fidelity.align import NEAR, Pose, find, follow, grey, place, rectify, refine, view_matrix
from generators.fidelity.compare import Look, delta_e, lab, look
from generators.fidelity.doubles import is_doubled
from generators.fidelity.options import FidelityOptions
from generators.fidelity.reference import Reference, build_reference, scaling
from generators.fidelity.text import LEAST_HEIGHT_PX, LEAST_SURE, TextLine, TextReader, agreement, find_reader, plain_text
from generators.values import Cutout, Fidelity, Footage, Photo

VERSION = 1

WORK_PX = 540
"""Short edge of the frames that are compared: half of 1080, where the reference's 360 px still fit."""
SMALL_PX = 96
"""Short edge of the pictures in which every frame's light is measured."""
FEW_POINTS = 20
LEAST_VISIBLE = 0.12
"""A frame that shows less of the product is not compared: there is too little to align."""
TEXT_FRAMES = 3
TEXT_PX = 960
"""Long edge of the product when its text is read."""
SCENE_STEP = 1.5
"""Mean difference between two frames, in 8-bit steps at 96 px, from which on something moves although the product does not."""
WHITE_L, WHITE_CHROMA = 88.0, 5.0


def measure(
    photo: Photo, cutout: Cutout, footage: Footage, options: FidelityOptions | None = None, *, reader: TextReader | None = None
) -> Fidelity:
    """Say how far a shot still shows the product of a photo; every number is that of the worst frame looked at.

    Without a `reader` rapidocr reads the text when it is installed; `options.read_text` turns that off. Reads the footage once.
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
    found = _Findings(
        looks=tuple(seen),
        lost=tuple(lost),
        flicker=_flicker(reference, poses, track, footage.width_px * factor),
        motion=_motion(reference, poses, min(footage.width_px, footage.height_px) * factor),
        scene=_scene(track),
        background=_background(reference, sampled, poses),
        is_doubled=_is_doubled(reference, photo, sampled, poses),
        text=None,
    )
    judged = _judge(found, options, ())
    if not judged.passed:
        return replace(judged, notes=("text was not read: the shot fails without it",))
    text, notes = _text(photo, reference, originals, full, seen, options, reader)
    return _judge(replace(found, text=text), options, notes)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    looks: tuple[Look, ...]
    lost: tuple[int, ...]
    flicker: float
    motion: float
    scene: float
    background: float | None
    is_doubled: bool
    text: float | None


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


# --- text -----------------------------------------------------------------------------------------


def _text(
    photo: Photo,
    reference: Reference,
    sampled: dict[int, Any],
    poses: dict[int, Pose | None],
    looks: list[Look],
    options: FidelityOptions,
    reader: TextReader | None,
) -> tuple[float | None, tuple[str, ...]]:
    if not options.read_text:
        return None, ("text was not read: fidelity.read_text is off",)
    reader = reader or find_reader()
    if reader is None:
        return None, ("text was not read: rapidocr is not installed",)
    large = _enlarged(photo, reference)
    lines = [line for line in reader.read(large.image) if line.score >= LEAST_SURE and len(plain_text(line.text)) >= 2]
    lines = [line for line in lines if _lies_on(line, large.mask)]
    if not lines:
        return None, ("text was not read: the picture has none",)
    worst = sorted(looks, key=lambda one: one.detail)[:1]
    picked = {one.index for one in (*looks[:1], *looks[-1:], *worst)}
    shares = []
    for index in sorted(picked):
        pose = poses[index]
        assert pose is not None
        share = _read_again(large, reference, sampled[index], pose, lines, reader)
        if share is not None:
            shares.append(share)
    if not shares:
        return None, ("text was not read: it is too small in the frames",)
    return min(shares), ()


def _enlarged(photo: Photo, reference: Reference) -> Reference:
    """The product's crop as sharp as the photo has it, at most 960 px long."""
    import cv2
    import numpy as np

    full = float(np.sqrt(np.linalg.det(reference.to_photo[:2, :2])))
    factor = min(full, TEXT_PX / reference.long_px)
    height, width = reference.mask.shape
    size = (round(width * factor), round(height * factor))
    into_photo = reference.to_photo @ scaling(1 / factor)
    reduce = factor / full
    pixels = cv2.resize(photo.pixels, None, fx=reduce, fy=reduce, interpolation=cv2.INTER_AREA) if reduce < 0.95 else photo.pixels
    matrix = (scaling(reduce) if reduce < 0.95 else np.eye(3)) @ into_photo
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    image = cv2.warpPerspective(pixels, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.resize(reference.mask, size, interpolation=cv2.INTER_LINEAR)
    return Reference(
        image=image,
        mask=mask,
        to_photo=into_photo,
        long_px=reference.long_px * factor,
        centre=(size[0] / 2 - 0.5, size[1] / 2 - 0.5),
        is_whole=reference.is_whole,
    )


def _lies_on(line: TextLine, mask: Any) -> bool:
    x, y = (round(value) for value in line.centre)
    return bool(0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] > 127)


def _read_again(large: Reference, reference: Reference, frame: Any, pose: Pose, lines: list[TextLine], reader: TextReader) -> float | None:
    """Read a frame in the photo's view; return the share of characters found among the lines it shows large enough."""
    import numpy as np

    from_large = pose.matrix @ np.linalg.inv(reference.to_photo) @ large.to_photo
    image, inside = rectify(frame, from_large, large)
    scale = Pose(from_large, 0).scale(large)
    height, width = inside.shape
    wanted = []
    for line in lines:
        spots = [(min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)) for x, y in line.corners]
        if line.height_px * scale >= LEAST_HEIGHT_PX and all(inside[y, x] for x, y in spots):
            wanted.append(line)
    return agreement(wanted, _read_around(image, wanted, reader)) if wanted else None


def _read_around(image: Any, wanted: list[TextLine], reader: TextReader) -> list[TextLine]:
    """Read only the part of a picture that holds the wanted lines: half the time is spent on looking for text."""
    import numpy as np

    spots = np.array([corner for line in wanted for corner in line.corners])
    room = 1.5 * max(line.height_px for line in wanted)
    left, top = (max(0, int(value - room)) for value in spots.min(axis=0))
    right, bottom = (int(value + room) for value in spots.max(axis=0))
    part = np.ascontiguousarray(image[top:bottom, left:right])
    return [TextLine(line.text, tuple((x + left, y + top) for x, y in line.corners), line.score) for line in reader.read(part)]


# --- judging --------------------------------------------------------------------------------------


def _judge(found: _Findings, options: FidelityOptions, notes: tuple[str, ...]) -> Fidelity:
    looks = found.looks
    reasons = []
    if found.lost or not looks:
        reasons.append("the product was not found in " + (f"frame {found.lost[0] + 1}" if found.lost else "any frame"))
    ssim = min((one.ssim for one in looks), default=0.0)
    detail = min((one.detail for one in looks), default=0.0)
    judged = [one for one in looks if one.points >= FEW_POINTS]
    inliers = min((one.inliers for one in judged), default=1.0 if looks else 0.0)
    colour = max((one.colour for one in looks), default=0.0)
    patch = max((one.patch_colour for one in looks), default=0.0)
    sharpness = min((one.sharpness for one in looks), default=1.0)
    outline = max((one.outline for one in looks), default=0.0)
    stretched = max((one.stretch for one in looks), default=1.0)
    below = [
        (ssim < options.min_ssim, f"the product looks different: similarity {ssim:.2f}, at least {options.min_ssim:g} is asked"),
        (
            detail < options.min_detail,
            f"a part of the product has changed: similarity {detail:.2f} there, at least {options.min_detail:g} is asked",
        ),
        (
            inliers < options.min_inliers,
            f"only {inliers:.0%} of the product's details are in their place, at least {options.min_inliers:.0%} are asked",
        ),
        (colour > options.max_colour, f"the product's colour has shifted: ΔE {colour:.1f}, at most {options.max_colour:g} is allowed"),
        (
            patch > options.max_patch_colour,
            f"a part of the product has another colour: ΔE {patch:.1f}, at most {options.max_patch_colour:g} is allowed",
        ),
        (
            sharpness < options.min_sharpness,
            f"the product is blurred: {sharpness:.0%} of its fine edges are left, at least {options.min_sharpness:.0%} is asked",
        ),
        (
            outline > options.max_outline,
            f"{outline:.0%} of the product's outline is out of place, at most {options.max_outline:.0%} is allowed",
        ),
        (
            stretched > options.max_stretch,
            f"the product is stretched by {stretched - 1:.0%}, at most {options.max_stretch - 1:.0%} is allowed",
        ),
        (
            found.flicker > options.max_flicker,
            f"the light flickers by {found.flicker:.1f} steps, at most {options.max_flicker:g} are allowed",
        ),
        (
            found.background is not None and found.background > options.max_background,
            f"the white background has drifted: ΔE {found.background or 0:.1f}, at most {options.max_background:g} is allowed",
        ),
        (
            not options.is_still and bool(looks) and found.motion < options.min_motion and found.scene < SCENE_STEP,
            f"nothing moves: the product travels {found.motion:.1%} of the frame, at least {options.min_motion:.1%} is asked",
        ),
        (
            found.text is not None and found.text < options.min_text,
            f"only {found.text or 0:.0%} of the text on the product can be read, at least {options.min_text:.0%} is asked",
        ),
    ]
    if found.is_doubled:
        reasons.append("the product, or a part of it, is seen a second time beside itself")
    reasons += [words for broken, words in below if broken]
    return Fidelity(
        passed=not reasons,
        ssim=round(ssim, 4),
        inliers=round(inliers, 4),
        colour=round(colour, 3),
        flicker=round(found.flicker, 3),
        motion=round(found.motion, 4),
        text=None if found.text is None else round(found.text, 4),
        reasons=tuple(reasons),
        detail=round(detail, 4),
        patch_colour=round(patch, 3),
        sharpness=round(sharpness, 4),
        outline=round(outline, 4),
        stretch=round(stretched, 4),
        background=None if found.background is None else round(found.background, 3),
        is_doubled=found.is_doubled,
        notes=notes,
    )
