"""Frames drawn when they are asked for, from any frame on, a few at a time on threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import Any

from generators.animators.camera.moves import Path
from generators.animators.camera.scene import Scene


class Drawn:
    """A shot of the camera backend: it keeps the scene and the path, never a frame."""

    def __init__(
        self,
        scene: Scene,
        path: Path,
        *,
        size: tuple[int, int],
        fps: Fraction,
        count: int,
        loop: bool,
        threads: int,
        box: tuple[float, float, float, float] | None = None,
    ) -> None:
        self.width_px, self.height_px = size
        self.fps, self.count = fps, count
        self._scene, self._path, self._box = scene, path, box
        self._loop, self._threads = loop, min(threads, os.cpu_count() or 1)

    def frame(self, index: int) -> Any:
        """Draw one frame, `uint8 (h, w, 3)` RGB; the same index gives the same pixels always."""
        return self._scene.draw(self._path(self.instant(index)))

    def product(self, index: int) -> tuple[float, float, float, float] | None:
        """Return left, top, right, bottom of the product in a frame, in its pixels; None where nobody knows the product's place."""
        if self._box is None:
            return None
        near = self._path(self.instant(index)).near
        return (*near.apply(*self._box[:2]), *near.apply(*self._box[2:]))

    def instant(self, index: int) -> float:
        """Return where a frame lies on the path, in [0, 1]; of a closed path the last frame lies one step before the first."""
        steps = self.count if self._loop else max(1, self.count - 1)
        return index / steps

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Any]:
        """Yield every `step`-th frame of the half-open range, in order; a few frames are drawn ahead."""
        wanted = range(self.count)[start:stop:step]
        if self._threads < 2 or len(wanted) < 2:
            yield from (self.frame(index) for index in wanted)
            return
        ahead: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="camera") as pool:
            try:
                for index in wanted:
                    ahead.append(pool.submit(self.frame, index))
                    if len(ahead) > self._threads:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()
