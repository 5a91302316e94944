"""The video as MoviePy sees it: shots and overlays on one timeline, composed region by region.

MoviePy keeps time: what starts when, what is playing, what lies above what. Its own compositing turns every overlay into a
full frame of RGBA (measured at 1080×1920: 22 ms a frame, and 13 ms more for each); here a shot is a frame as it comes, and an
overlay touches its own region alone (0.4 ms, and 1 ms for a title with its ground).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clipper.errors import ToolError
from generators.compose.reading import Reader
from generators.compose.timeline import Placed
from generators.compose.transitions import blend
from generators.overlays import Layer
from generators.sprites import lay
from generators.values import Pixels

if TYPE_CHECKING:
    from collections.abc import Callable

SHOTS, OVERLAYS = 0, 1000
"""MoviePy's layer numbers: overlays lie above every shot."""


class Stage:
    """A composed video: frames by number."""

    def __init__(self, shots: Sequence[tuple[Placed, Reader]], layers: Sequence[Layer], *, size: tuple[int, int], fps: int) -> None:
        _moviepy()
        self.size, self.fps = size, fps
        self.count = sum(placed.count for placed, _ in shots)
        self._shots = list(shots)
        self._layers = list(layers)
        self.clip = self._compose()
        self._canvas = np.empty((size[1], size[0], 3), np.uint8)

    def frame(self, number: int) -> Pixels:
        """Compose one frame: uint8 (h, w, 3) RGB, good until the next is asked for."""
        frame: Pixels = self.clip.get_frame((number + 0.5) / self.fps)  # in its middle: no rounding of a bound can move it
        return frame

    def frames(self) -> Iterator[Pixels]:
        """Compose all frames in order."""
        return (self.frame(number) for number in range(self.count))

    def close(self) -> None:
        """End the readers' threads."""
        for _, reader in self._shots:
            reader.close()

    def _compose(self) -> Any:
        from moviepy import CompositeVideoClip

        clips = [self._shot_clip(placed, reader, piece) for placed, reader in self._shots for piece in placed.pieces(self.count)]
        clips += [self._layer_clip(layer, number) for number, layer in enumerate(self._layers)]
        whole = CompositeVideoClip(clips, size=self.size, bg_color=(0, 0, 0)).with_fps(self.fps).with_duration(self.count / self.fps)
        whole.frame_function = lambda time: self._composed(whole, time)
        return whole

    def _shot_clip(self, placed: Placed, reader: Reader, piece: tuple[int, int, int]) -> Any:
        """A piece of a shot on MoviePy's timeline. Its first frame is not asked for before it is needed."""
        start, end, first = piece
        clip = _clip(lambda time: reader.at(first + int(time * self.fps)), self.size)
        clip.placed, clip.reader, clip.before = placed, reader, start - first
        return clip.with_layer_index(SHOTS + placed.index).with_start(start / self.fps).with_end(end / self.fps)

    def _layer_clip(self, layer: Layer, number: int) -> Any:
        clip = _clip(lambda _time: layer.sprite.colour, (layer.sprite.width_px, layer.sprite.height_px))
        clip.layer = layer
        return clip.with_layer_index(OVERLAYS + number).with_start(layer.start).with_end(min(layer.end, self.count / self.fps))

    def _composed(self, whole: Any, time: float) -> Pixels:
        playing = whole.playing_clips(time)
        overlays = [(clip.layer, clip.layer.pose(time - clip.start)) for clip in playing if hasattr(clip, "layer")]
        covered = next((at for at, (layer, pose) in enumerate(overlays) if self._covers(layer, pose)), None)
        if covered is None:
            np.copyto(self._canvas, self._picture(next(clip for clip in playing if hasattr(clip, "placed")), time))
        for layer, pose in overlays[covered or 0 :]:
            lay(self._canvas, layer.sprite, pose)
        return self._canvas

    def _covers(self, layer: Layer, pose: Any) -> bool:
        """Say whether nothing below a layer is seen: shots under a full end card are not read at all."""
        full = (layer.sprite.width_px, layer.sprite.height_px) == self.size
        return full and pose.opacity >= 0.996 and pose.clip is None and layer.sprite.is_opaque

    def _picture(self, clip: Any, time: float) -> Pixels:
        """The shot's frame, under its transition with the shot before."""
        placed: Placed = clip.placed
        number = int(time * self.fps) - clip.before
        frame = clip.reader.at(number)
        if number >= placed.lead:
            self._retire(placed.index)
            return frame
        before, reader = self._shots[placed.index - 1]
        old = reader.at(before.count + number)
        return blend(placed.transition, old, frame, (number + 1) / (placed.lead + 1))

    def _retire(self, current: int) -> None:
        """Let go of what other shots were read ahead: twenty megabytes and more for each."""
        for index, (_, reader) in enumerate(self._shots):
            if index != current:
                reader.close()


def _clip(frame_function: Callable[[float], Any], size: tuple[int, int]) -> Any:
    """A MoviePy clip that is not asked for its first frame to learn its size."""
    from moviepy import VideoClip

    clip = VideoClip()
    clip.frame_function, clip.size = frame_function, size
    return clip


def _moviepy() -> None:
    try:
        import moviepy  # noqa: F401
    except ImportError as error:
        raise ToolError(f"could not compose a video: MoviePy is not installed ({error}); run pip install 'livecut[camera]'") from error
