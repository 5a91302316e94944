"""Rendering one plan: prepare the files, make the sound, run the picture once, check everything, and only then name it."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from clipper import ffmpeg as door
from clipper import media
from clipper.captions import Style, ass, load_style, srt
from clipper.captions.ass import overflow
from clipper.cover import draw_cover
from clipper.errors import Cancelled, InputError, LivecutError, ToolError, ToolFailed
from clipper.fonts import Face, find_font, font_folder
from clipper.media.container import opened, picture_of, sound_of
from clipper.render import cards, verify
from clipper.render.crop import at
from clipper.render.graph import BADGE, CAPTIONS, CARD, END_CARD, FONTS, VIDEO, Files, Source, command, end_card_frames
from clipper.render.loudness import Sound, make_sound
from clipper.render.options import RenderOptions
from clipper.render.seeking import seek_points
from clipper.render.timing import cuts, grid
from clipper.values import Plan, Recording, Render

log = logging.getLogger(__name__)

VERSION = 1
"""Goes up when the same plan and options give another clip."""

_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020nc"}
_TRANSFERS = {1: "bt709", 16: "smpte2084", 18: "arib-std-b67"}
_SOUND_SHARE, _PICTURE_SHARE = 0.1, 0.85


def render(
    plan: Plan,
    recording: Recording,
    out_dir: Path,
    name: str,
    options: RenderOptions,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Render:
    """Render a plan to `out_dir/name.mp4`, `.srt` and `.jpg`, whole or not at all; return what was measured on the file.

    The returned paths are names inside `out_dir`. `progress` gets the share that is done; `cancelled` is asked all the time.
    Raises InputError for a plan that does not fit its recording, ToolError when ffmpeg fails or its output is not what was
    planned, Cancelled; nothing stands under the final names then.
    """
    began = time.monotonic()
    tell = progress or (lambda _share: None)
    style = load_style(plan.caption_style)
    face = find_font(options.font, bold=style.bold)
    frames = sum(cut.frames for cut in cuts(plan, recording))
    with _work_folder(out_dir, name) as work, _full_disk_told(plan, out_dir):
        files = _prepare(plan, recording, work, style, face, options)
        _stop_if(cancelled, plan)
        sound = make_sound(plan, recording, files, options, cancelled) if files.sound else None
        _stop_if(cancelled, plan)
        tell(_SOUND_SHARE)
        _run(plan, recording, files, options, lambda share: tell(_SOUND_SHARE + _PICTURE_SHARE * share), cancelled)
        frames += end_card_frames(plan, files)
        found = verify.inspect(work / VIDEO)
        verify.check(found, plan, frames, sound=files.sound)
        verify.check_head(work / VIDEO, plan, recording)
        (work / "cover.jpg").write_bytes(_cover(plan, recording, style, face, options, work))
        (work / "captions.srt").write_text(srt(plan), encoding="utf-8")
        digest = media.sha256(work / VIDEO)
        _publish(work, out_dir, name)
    tell(1.0)
    seconds = time.monotonic() - began
    log.info("rendered %s: %.1f s of clip in %.1f s", name, frames / plan.fps, seconds)
    return _result(plan, name, found, sound, digest, seconds)


def _stop_if(cancelled: Callable[[], bool] | None, plan: Plan) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled(f"stopped: rendering {plan.id}")


def _result(plan: Plan, name: str, found: verify.Output, sound: Sound | None, digest: str, seconds: float) -> Render:
    silent = sound is None or sound.loudness.is_silent
    return Render(
        plan_id=plan.id,
        video=f"{name}.mp4",
        captions=f"{name}.srt",
        cover=f"{name}.jpg",
        duration=round(found.frames / plan.fps, 3),
        width_px=found.width_px,
        height_px=found.height_px,
        loudness_lufs=None if silent or sound is None else sound.loudness.integrated_lufs,
        true_peak_dbtp=None if silent or sound is None else sound.loudness.true_peak_dbtp,
        sha256=digest,
        seconds=round(seconds, 3),
        warnings=sound.warnings if sound else (),
    )


def _prepare(plan: Plan, recording: Recording, work: Path, style: Style, face: Face, options: RenderOptions) -> Files:
    """Write everything the run reads under fixed names into the work folder."""
    burned = options.captions == "burned" and bool(plan.captions)
    if burned:
        wide = overflow(plan, style, safe_box=options.safe_box, font=face)
        if wide:
            raise InputError(
                f"could not set the captions of {plan.id} inside the safe box: {wide[0]!r} is too long; shorten it in the plan"
            )
        (work / CAPTIONS).write_text(ass(plan, style, safe_box=options.safe_box, font=face), encoding="utf-8")
        font_folder(face, work / FONTS)
    scale = plan.width_px / 1080
    card = badge = None
    if options.card and plan.card and plan.card.end > plan.card.start:
        picture = cards.draw_card(plan.card, style, face, scale)
        cards.save_png(picture, work / CARD)
        card = cards.place_card(picture, plan, style, options.safe_box, face.line_em)
    if options.badge and plan.badge:
        picture = cards.draw_badge(plan.badge, style, face, scale)
        cards.save_png(picture, work / BADGE)
        badge = cards.place_badge(picture, plan, options.safe_box)
    closing = options.end_card and bool(plan.end_card.strip()) and plan.end_card_s > 0
    if closing:
        backdrop = _backdrop(plan, recording)
        cards.save_png(cards.draw_end_card(plan.end_card, backdrop, plan, style, face, options.safe_box), work / END_CARD)
    sound = recording.has_audio or options.silent_track
    return Files(folder=work, captions=burned, card=card, badge=badge, end_card=closing, sound=sound, source=_source(plan, recording))


def _source(plan: Plan, recording: Recording) -> Source:
    """Ask the file which streams count and how its colours are coded."""
    with opened(recording.path, recording.format) as container:
        video, audio = picture_of(container), sound_of(container)
        if video is None:
            raise InputError(f"could not render {recording.path}: it has no picture any more; was it replaced?")
        codec = video.codec_context
        return Source(
            video=str(video.index),
            audio=str(audio.index) if audio is not None else "a",
            matrix=_MATRICES.get(int(codec.colorspace), ""),
            transfer=_TRANSFERS.get(int(codec.color_trc), ""),
            start=(container.start_time or 0) / 1e6,
            seeks=seek_points(plan, recording),
        )


def _run(
    plan: Plan,
    recording: Recording,
    files: Files,
    options: RenderOptions,
    tell: Callable[[float], None],
    cancelled: Callable[[], bool] | None,
) -> None:
    argv = command(plan, recording, files, options)
    door.run(argv, what=f"could not render {plan.id}", cwd=files.folder, duration_s=plan.duration, progress=tell, cancelled=cancelled)


def _framed(plan: Plan, recording: Recording, time_s: float) -> Any:
    """One frame of the recording as the clip shows it: uint8 (h, w, 3) BGR in the output's shape."""
    image = media.frame_at(recording, time_s)
    height, width = image.shape[:2]
    shape = plan.width_px / plan.height_px
    keys = () if plan.framing == "blur" else plan.crop
    x, y, w, h = at(keys, time_s, width_px=width, height_px=height, shape=shape)
    top, left = round(y * height), round(x * width)
    return np.ascontiguousarray(image[top : top + max(2, round(h * height)), left : left + max(2, round(w * width))])


def _backdrop(plan: Plan, recording: Recording) -> Any:
    """The clip's last frame as a Pillow picture; None when it cannot be read."""
    from PIL import Image

    last = plan.sources[-1].end - 1 / float(grid(plan, recording))
    try:
        return Image.fromarray(np.ascontiguousarray(_framed(plan, recording, max(plan.sources[-1].start, last))[:, :, ::-1]))
    except InputError:
        return None


def _cover(plan: Plan, recording: Recording, style: Style, face: Face, options: RenderOptions, work: Path) -> bytes:
    moment = plan.cover_time if plan.cover_time is not None else min(plan.sources[0].start + 0.5, plan.sources[0].end)
    try:
        frame = _framed(plan, recording, moment)
    except InputError:
        with opened(work / VIDEO, "mov") as container:
            frame = next(container.decode(video=0)).to_ndarray(format="bgr24")
    title = plan.title if options.cover_title else ""
    size = (plan.width_px, plan.height_px)
    return draw_cover(frame, title, style, face, size=size, safe_box=options.safe_box)


# --- whole or not at all --------------------------------------------------------------------------


@contextmanager
def _work_folder(out_dir: Path, name: str) -> Iterator[Path]:
    """A folder beside the results, gone when the render ends, whichever way; its name is short whatever the clip's is."""
    out_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".livecut-", suffix=".part", dir=out_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(work: Path, out_dir: Path, name: str) -> None:
    """Bring the files to the disk and give them their names, the video last: where it stands, the others do."""
    pairs = [(work / "captions.srt", ".srt"), (work / "cover.jpg", ".jpg"), (work / VIDEO, ".mp4")]
    for path, _ in pairs:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    for path, suffix in pairs:
        path.chmod(0o644)
        path.replace(out_dir / f"{name}{suffix}")
    folder = os.open(out_dir, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _full_disk_told(plan: Plan, out_dir: Path) -> Iterator[None]:
    """Say "disk full" in plain words, whoever met it."""
    try:
        yield
    except ToolFailed as error:
        if "No space left on device" not in error.tail and "Disk quota exceeded" not in error.tail:
            raise
        raise _no_space(plan, out_dir) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_space(plan, out_dir) from error


def _no_space(plan: Plan, out_dir: Path) -> LivecutError:
    free = shutil.disk_usage(out_dir).free / 1e6
    return ToolError(
        f"could not render {plan.id} into {out_dir}: no space left on the device ({free:.0f} MB free); free some space and run again"
    )
