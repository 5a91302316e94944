"""Is the text on the product still the same to a reader?

The picture is read once; the lines that a frame shows large enough are looked for in the frame at the same place, brought to
the picture's view, and compared character by character. rapidocr (PP-OCR inside its wheel, no download) reads when it is installed.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

LEAST_HEIGHT_PX = 13.0
"""Lines lower than this in the frame are not asked for: nobody reads them there."""
LEAST_SURE = 0.8
"""Confidence from which a line read on the picture counts as its text."""
KEPT_READINGS = 32
THREADS = 2


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text in a picture."""

    text: str
    corners: tuple[tuple[float, float], ...]
    """Four corners in pixels."""
    score: float

    @property
    def height_px(self) -> float:
        """Height across the writing direction: the shorter side."""
        (ax, ay), (bx, by), (cx, cy), _ = self.corners
        return min(float(((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5), float(((cx - bx) ** 2 + (cy - by) ** 2) ** 0.5))

    @property
    def centre(self) -> tuple[float, float]:
        """Mean of the corners."""
        return sum(x for x, _ in self.corners) / 4, sum(y for _, y in self.corners) / 4


class TextReader(Protocol):
    """Reads the text in a picture."""

    def read(self, pixels: Any) -> tuple[TextLine, ...]:
        """Read `uint8 (h, w, 3)` RGB; lines in any order."""
        ...

    def read_lines(self, pixels: Any, lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
        """Read what stands in the places of lines that are known, one for one, without looking for text."""
        ...


class RapidReader:
    """rapidocr with its own models, on two threads; the last readings are kept, since one photo is asked about for every shot."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        self._engine = RapidOCR(
            params={
                "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Global.log_level": "error",
            }
        )
        self._kept: OrderedDict[tuple[int, bytes], tuple[TextLine, ...]] = OrderedDict()

    def read(self, pixels: Any) -> tuple[TextLine, ...]:
        """Read a picture."""
        import hashlib

        import numpy as np

        key = (pixels.shape[1], hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).digest())
        if key not in self._kept:
            self._kept[key] = self._read(pixels)
            if len(self._kept) > KEPT_READINGS:
                self._kept.popitem(last=False)
        return self._kept[key]

    def read_lines(self, pixels: Any, lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
        """Read what stands in the places of known lines."""
        from rapidocr.ch_ppocr_rec import TextRecInput

        if not lines:
            return ()
        engine: Any = self._engine
        found = engine.text_rec(TextRecInput(img=[_cut_out(pixels, line) for line in lines]))
        return tuple(
            TextLine(str(text), line.corners, float(score)) for line, text, score in zip(lines, found.txts, found.scores, strict=True)
        )

    def _read(self, pixels: Any) -> tuple[TextLine, ...]:
        import numpy as np

        result: Any = self._engine(np.ascontiguousarray(pixels[..., ::-1]))
        if result.txts is None or result.boxes is None or result.scores is None:
            return ()
        return tuple(
            TextLine(str(text), tuple((float(x), float(y)) for x, y in box), float(score))
            for text, box, score in zip(result.txts, result.boxes, result.scores, strict=True)
        )


def _cut_out(pixels: Any, line: TextLine) -> Any:
    """A line upright, as the recognizer takes it: BGR; one that is much higher than wide is written downwards and turned."""
    import cv2
    import numpy as np

    (ax, ay), (bx, by), (cx, cy), _ = line.corners
    width, height = max(8, round(float(np.hypot(ax - bx, ay - by)))), max(8, round(float(np.hypot(cx - bx, cy - by))))
    there = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(np.array(line.corners, np.float32), there)
    image = cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[..., ::-1]
    return np.ascontiguousarray(np.rot90(image) if height > 1.5 * width else image)


@lru_cache(maxsize=1)
def find_reader() -> TextReader | None:
    """Return rapidocr's reader; None when it is not installed."""
    try:
        return RapidReader()
    except ImportError:
        return None


def plain_text(text: str) -> str:
    """Keep letters and digits, full-width and case folded: punctuation and spaces are read at random."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def agreement(wanted: Sequence[TextLine], seen: Sequence[TextLine]) -> float | None:
    """Return the share of the wanted characters that are read at their place; None when nothing is wanted."""
    from rapidfuzz.distance import Indel

    total = matched = 0.0
    for line in wanted:
        text = plain_text(line.text)
        near = [plain_text(other.text) for other in _beside(line, seen)]
        joined = "".join(near)
        best = max((Indel.normalized_similarity(text, other) for other in {*near, joined} if other), default=0.0)
        total += len(text)
        matched += best * len(text)
    return matched / total if total else None


def _beside(line: TextLine, others: Sequence[TextLine]) -> list[TextLine]:
    """Lines whose middle lies within a line's height of it, left to right."""
    xs, ys = [x for x, _ in line.corners], [y for _, y in line.corners]
    room = 0.6 * line.height_px
    near = [
        other
        for other in others
        if min(xs) - room <= other.centre[0] <= max(xs) + room and min(ys) - room <= other.centre[1] <= max(ys) + room
    ]
    return sorted(near, key=lambda other: other.centre[0])
