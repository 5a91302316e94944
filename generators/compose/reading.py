"""Footage as composition needs it: at the video's rate and size, read once in order, a few frames ahead in a thread.

A model works at a rate and a size of its own (16 frames a second at 480×832, say). Frames are found by nearest, or blended
where the rate is too low to repeat frames; a shot that came out short is slowed down a little, then held.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from generators.values import Footage, Pixels

AHEAD = 1
"""Frames that are made ahead, besides those that the footage itself draws ahead: one of 1080×1920 takes 6 MB."""
BLEND_BELOW_FPS = 23
"""Rates below this are blended: repeated frames of 16 frames a second are seen as judder, mixed ones are not."""
SLOWEST = 0.7
"""A shot that is too short is played at this share of its speed at the least; then its last frame stays."""
CROP_MAX = 0.12
"""A frame of another shape loses at most this share of a side; beyond it stands on its own blurred enlargement."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What an output frame is made of: a frame of the footage, and how much of the next one is mixed in."""

    frame: int
    mix: float = 0.0


def samples(count: int, rate: float, wanted: int, fps: float) -> tuple[Sample, ...]:
    """Say which frames of footage (`count` at `rate`) make `wanted` frames at `fps`; pure."""
    step = rate / fps
    last = count - 1
    if wanted > 1 and (wanted - 1) * step > last:
        step = max(step * SLOWEST, last / (wanted - 1))
    out = []
    for number in range(wanted):
        at = min(number * step, float(last))
        if rate >= BLEND_BELOW_FPS or abs(at - round(at)) < 0.02:
            out.append(Sample(min(int(at + 0.5), last)))
        else:
            out.append(Sample(int(at), at - int(at)))
    return tuple(out)


class Reader:
    """One shot's frames at the video's rate and size, in order; going back starts the footage anew."""

    def __init__(self, footage: Footage, size: tuple[int, int], wanted: int, fps: int) -> None:
        self.size = size
        self._footage = footage
        self._samples = samples(footage.count, float(footage.fps), wanted, fps)
        self._ahead: Ahead | None = None
        self._next = 0
        self._held: tuple[int, Pixels] | None = None
        self._last: tuple[int, Pixels] | None = None

    def at(self, number: int) -> Pixels:
        """Return output frame `number` of the shot: uint8 (h, w, 3) RGB, not to be written to."""
        if self._last is None or self._last[0] != number:
            sample = self._samples[min(max(number, 0), len(self._samples) - 1)]
            frame = self._frame(sample.frame)
            if sample.mix > 0:
                import cv2

                frame = cv2.addWeighted(frame, 1 - sample.mix, self._frame(sample.frame + 1), sample.mix, 0)
            self._last = (number, frame)
        return self._last[1]

    def close(self) -> None:
        """End the thread and drop what was made ahead."""
        if self._ahead is not None:
            self._ahead.close()
        self._ahead, self._held, self._last = None, None, None

    def _frame(self, number: int) -> Pixels:
        if self._held is not None and self._held[0] == number:
            return self._held[1]
        if self._ahead is None or number < self._next:
            self.close()
            self._ahead = Ahead(lambda: (shaped(frame, self.size) for frame in self._footage.frames(number)))
            self._next = number
        while self._next <= number:
            self._held = (self._next, self._ahead.take())
            self._next += 1
        assert self._held is not None
        return self._held[1]


class Ahead:
    """Runs an iterator in a thread, a few values ahead; its errors come out where the value would have."""

    def __init__(self, start: Callable[[], Iterator[Any]]) -> None:
        self._queue: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(start,), daemon=True)
        self._thread.start()

    def take(self) -> Any:
        """Return the next value; raises what the iterator raised, and EOFError at its end."""
        value, error = self._queue.get()
        if error is not None:
            self._put(None, error)
            raise error
        return value

    def close(self) -> None:
        """Stop the thread and wait for it."""
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get_nowait()
            except queue.Empty:
                self._thread.join(0.01)

    def _run(self, start: Callable[[], Iterator[Any]]) -> None:
        try:
            for value in start():
                if not self._put(value, None):
                    return
            self._put(None, EOFError("the footage holds fewer frames than it said"))
        except BaseException as error:
            self._put(None, error)

    def _put(self, value: Any, error: BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put((value, error), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False


def shaped(frame: Pixels, size: tuple[int, int]) -> Pixels:
    """Bring a frame to a size: scaled and cut a little, or whole over its own blurred enlargement; never stretched."""
    height, width = frame.shape[:2]
    if (width, height) == size:
        return frame
    grow = max(size[0] / width, size[1] / height)
    lost = 1 - min(size[0] / (width * grow), size[1] / (height * grow))
    if lost <= CROP_MAX:
        return _cut(frame, size, grow)
    back = _blurred(frame, size, grow)
    inside = _scaled(frame, min(size[0] / width, size[1] / height))
    y, x = (size[1] - inside.shape[0]) // 2, (size[0] - inside.shape[1]) // 2
    back[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return back


def _cut(frame: Pixels, size: tuple[int, int], grow: float) -> Pixels:
    """Scale the middle of a frame to fill a size exactly."""
    height, width = frame.shape[:2]
    w, h = min(width, round(size[0] / grow)), min(height, round(size[1] / grow))
    x, y = (width - w) // 2, (height - h) // 2
    return _resized(frame[y : y + h, x : x + w], size)


def _scaled(frame: Pixels, share: float) -> Pixels:
    height, width = frame.shape[:2]
    return _resized(frame, (max(1, round(width * share)), max(1, round(height * share))))


def _resized(frame: Pixels, size: tuple[int, int]) -> Pixels:
    import cv2

    smaller = size[0] < frame.shape[1]
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def _blurred(frame: Pixels, size: tuple[int, int], grow: float) -> Pixels:
    import cv2

    small = _cut(frame, (max(2, size[0] // 12), max(2, size[1] // 12)), grow / 12)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), 4), size, interpolation=cv2.INTER_CUBIC)
