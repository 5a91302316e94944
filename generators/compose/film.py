"""Composing one storyboard's shots to a video: whole or not at all, checked, and labelled before it gets its name."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clipper import media
from clipper.errors import Cancelled, InputError, ToolError, ToolFailed
from clipper.render import RenderOptions
from clipper.render.loudness import Sound, Target
from generators import labels, visible_label
from generators.compose.checking import LABELLED, check_file, write_label
from generators.compose.encoding import Glimpses, encode
from generators.compose.options import ComposeOptions
from generators.compose.reading import Reader
from generators.compose.sight import ground_of, views_of
from generators.compose.soundtrack import Heard, make_soundtrack
from generators.compose.stage import Stage
from generators.compose.timeline import Placed, frame_count, place
from generators.labels import Label, LabelOptions
from generators.music import MusicOptions
from generators.overlays import Canvas, Layer, draw_overlays
from generators.overlays.canvas import box_in
from generators.overlays.typeset import type_of
from generators.values import Cutout, Footage, Origin, Photo, Storyboard, Style

log = logging.getLogger(__name__)

VERSION = 2
"""Goes up when the same storyboard, shots and options give another video."""

_SOUND_SHARE, _PICTURE_SHARE = 0.04, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A finished shot, ready to be composed."""

    footage: Footage
    origin: Origin
    closed: bool = False
    """Its camera path comes back to where it began: as the only shot of a loop it needs no blend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What a video shows besides its shots: the style, the pictures, and pieces of sound."""

    style: Style
    photos: tuple[Photo, ...]
    """The storyboard's pictures, in its order."""
    cutouts: tuple[Cutout, ...]
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A finished video, as measured on the file."""

    board_id: str
    video: str
    """File names inside the folder it was written to."""
    cover: str
    duration: float
    width_px: int
    height_px: int
    loudness_lufs: float | None
    """None for a video with a silent track."""
    true_peak_dbtp: float | None
    sha256: str
    content: str
    """Digest of its coded frames and samples: the same for every copy."""
    label: str
    """generated or edited."""
    label_text: str
    """Words of the visible label; empty on edited videos."""
    metadata: tuple[tuple[str, str], ...]
    """What was written into the file and read back."""
    seconds: float
    """Wall time of composing."""
    warnings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    encoding: RenderOptions
    compose: ComposeOptions
    music: MusicOptions
    labels: LabelOptions


def compose(
    board: Storyboard,
    shots: Sequence[Made],
    cast: Cast,
    out_dir: Path,
    name: str,
    encoding: RenderOptions,
    options: ComposeOptions | None = None,
    *,
    music: MusicOptions | None = None,
    label_options: LabelOptions | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Film:
    """Compose a storyboard's shots to `out_dir/name.mp4` and its cover `.jpg`.

    What a model made is labelled in the picture and in the metadata, both are read back from the file, and without them there
    is no file. Raises InputError, ToolError when the output is not what was composed, ToolFailed and Cancelled; nothing
    stands under the final names then.
    """
    began = time.monotonic()
    chosen = _Options(
        encoding=encoding, compose=options or ComposeOptions(), music=music or MusicOptions(), labels=label_options or LabelOptions()
    )
    tell = progress or (lambda _share: None)
    label = _label(board, shots, cast, chosen.labels)
    layers, seen = _layers(board, shots, cast, label, chosen)
    with _work_folder(out_dir) as work, _full_disk_told(board, out_dir):
        sound = _sound(board, cast, work, chosen, cancelled)
        _stop_if(cancelled, board)
        tell(_SOUND_SHARE)
        glimpses, cover = _picture(board, shots, layers, work, chosen, lambda share: tell(_SOUND_SHARE + _PICTURE_SHARE * share), cancelled)
        found = check_file(board, work, glimpses)
        tags, content = write_label(board, label, work, chosen.labels)
        if seen is not None:
            visible_label.check_visible(work / LABELLED, seen)
        _save_cover(cover, work)
        digest = media.sha256(work / LABELLED)
        _publish(work, out_dir, name)
    tell(1.0)
    seconds = time.monotonic() - began
    log.info("composed %s: %.1f s of video in %.1f s", name, found.frames / board.fps, seconds)
    silent = sound.loudness.is_silent
    return Film(
        board_id=board.id,
        video=f"{name}.mp4",
        cover=f"{name}.jpg",
        duration=round(found.frames / board.fps, 3),
        width_px=found.width_px,
        height_px=found.height_px,
        loudness_lufs=None if silent else sound.loudness.integrated_lufs,
        true_peak_dbtp=None if silent else sound.loudness.true_peak_dbtp,
        sha256=digest,
        content=content,
        label=label.kind,
        label_text=label.text,
        metadata=tuple(tags.items()),
        seconds=round(seconds, 3),
        warnings=sound.warnings,
    )


def _stop_if(cancelled: Callable[[], bool] | None, board: Storyboard) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled(f"stopped: composing {board.id}")


def _label(board: Storyboard, shots: Sequence[Made], cast: Cast, options: LabelOptions) -> Label:
    used = {number for shot in board.shots for number in (shot.photo, shot.last)}
    photos = [photo for number, photo in enumerate(cast.photos) if number in used]
    label = labels.decide([made.origin for made in shots], photos, options, chinese=not _is_latin(board))
    if label.is_visible and board.seconds < labels.LEAST_S:
        raise InputError(
            f"could not compose {board.id}: it lasts {board.seconds:g} s, and a generated video shows its label for "
            f"{labels.LEAST_S:g} s; make it longer"
        )
    return label


def _is_latin(board: Storyboard) -> bool:
    text = board.title + "".join(overlay.text for overlay in board.overlays)
    return not any("\u4e00" <= char <= "\u9fff" for char in text)


def _layers(board: Storyboard, shots: Sequence[Made], cast: Cast, label: Label, options: _Options) -> tuple[list[Layer], Layer | None]:
    """Draw everything that lies over the shots; the label's own layer comes back by itself, too."""
    placed, footage = _placed(board, shots), [made.footage for made in shots]
    canvas = Canvas(
        width_px=board.width_px,
        height_px=board.height_px,
        box=box_in(board, options.encoding.safe_box),
        palette=cast.style.palette,
        type=type_of(cast.style.type, options.encoding.font),
        ground=ground_of(board, placed, footage),
        views=views_of(board, placed, footage),
        title_at=cast.style.title_at,
        hero=_hero(board, cast),
    )
    if not label.is_visible:
        return list(draw_overlays(board, cast.style, canvas)), None
    canvas = replace(canvas, taken_px=visible_label.label_height(label.text, canvas))
    layers = list(draw_overlays(board, cast.style, canvas))
    seen = visible_label.draw_label(label.text, canvas, options.labels)
    if board.loop:
        seen = replace(seen, end=board.seconds)  # it may neither come nor go at the seam
    return [*layers, seen], seen


def _hero(board: Storyboard, cast: Cast) -> tuple[Photo, Cutout] | None:
    """The picture that the end card shows: the first whose product can be lifted, else the first."""
    used = list(dict.fromkeys(shot.photo for shot in board.shots))
    best = next(
        (number for number in used if cast.cutouts[number].is_layer() and not cast.cutouts[number].is_cropped()), used[0] if used else None
    )
    return None if best is None else (cast.photos[best], cast.cutouts[best])


def _sound(board: Storyboard, cast: Cast, work: Path, options: _Options, cancelled: Callable[[], bool] | None) -> Sound:
    target = Target(board.id, options.compose.loudness_lufs, options.compose.true_peak_dbtp)
    return make_soundtrack(
        work,
        frame_count(board) / board.fps,
        music=board.music,
        gain_db=board.music_gain_db,
        heard=cast.heard,
        loop=board.loop,
        target=target,
        encoding=options.encoding,
        options=options.music,
        cancelled=cancelled,
    )


def _picture(
    board: Storyboard,
    shots: Sequence[Made],
    layers: Sequence[Layer],
    work: Path,
    options: _Options,
    tell: Callable[[float], None],
    cancelled: Callable[[], bool] | None,
) -> tuple[Glimpses, Any]:
    """Compose and encode all frames; returns glimpses of the first ones, and the frame for the cover."""
    placed = _placed(board, shots)
    size = (board.width_px, board.height_px)
    readers = [Reader(made.footage, size, spot.count + spot.tail, board.fps) for made, spot in zip(shots, placed, strict=True)]
    stage = Stage(list(zip(placed, readers, strict=True)), layers, size=size, fps=board.fps)
    glimpses, covers = Glimpses(), _Cover(_cover_frame(placed, options.compose))
    try:
        frames = glimpses.watch(covers.watch(stage.frames()))
        encode(board, frames, stage.count, work, options.encoding, options.compose.threads, progress=tell, cancelled=cancelled)
    finally:
        stage.close()
    return glimpses, covers.frame


def _placed(board: Storyboard, shots: Sequence[Made]) -> tuple[Placed, ...]:
    return place(board, closed=len(shots) == 1 and shots[0].closed)


def _cover_frame(placed: Sequence[Placed], options: ComposeOptions) -> int:
    """The cover shows the first shot with its title and, if it comes in time, its price: late in the shot, before the next."""
    first = placed[0]
    start, end, _ = first.pieces(sum(spot.count for spot in placed))[-1]
    return min(start + round(options.cover_at * (end - start)), max(0, end - 1))


class _Cover:
    """Keeps a copy of one frame as it passes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.frame: Any = None

    def watch(self, frames: Iterator[Any]) -> Iterator[Any]:
        for number, frame in enumerate(frames):
            if number == self.number:
                self.frame = frame.copy()
            yield frame


def _save_cover(frame: Any, work: Path) -> None:
    from PIL import Image

    if frame is None:
        raise ToolError("could not make the cover: its frame was never composed; render again")
    Image.fromarray(frame).save(work / "cover.jpg", "JPEG", quality=91, optimize=True, progressive=True)


# --- whole or not at all ---------------------------------------------------------------------------


@contextmanager
def _work_folder(out_dir: Path) -> Iterator[Path]:
    out_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".livecut-", suffix=".part", dir=out_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(work: Path, out_dir: Path, name: str) -> None:
    """Bring the files to the disk and give them their names, the video last: where it stands, its cover does."""
    pairs = [(work / "cover.jpg", ".jpg"), (work / LABELLED, ".mp4")]
    for path, _ in pairs:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    for path, suffix in pairs:
        path.chmod(0o644)
        path.replace(out_dir / f"{name}{suffix}")


@contextmanager
def _full_disk_told(board: Storyboard, out_dir: Path) -> Iterator[None]:
    try:
        yield
    except ToolFailed as error:
        if "No space left on device" not in error.tail:
            raise
        raise _no_space(board, out_dir) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_space(board, out_dir) from error


def _no_space(board: Storyboard, out_dir: Path) -> ToolError:
    free = shutil.disk_usage(out_dir).free / 1e6
    return ToolError(
        f"could not compose {board.id} into {out_dir}: no space left on the device ({free:.0f} MB free); free some space and run again"
    )
