"""How loud a recording is, instant by instant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from clipper.errors import InputError
from clipper.values import Track

if TYPE_CHECKING:
    from clipper.media import AudioBlock

VERSION = 2
FLOOR_DB = -100.0
"""What digital silence counts as."""


def measure_loudness(blocks: Iterable[AudioBlock], *, rate_hz: int = 16_000, step_s: float = 0.05) -> Track:
    """Measure the root mean square of each step in dB of full scale, from −100 to 0; the first step begins at time 0.

    `blocks` follow each other from time 0 without holes, as `audio_blocks` yields them, at `rate_hz`.
    """
    import numpy as np

    size = round(step_s * rate_hz)
    if size < 1:
        raise InputError(f"step_s = {step_s:g}: expected at least one sample")
    values: list[float] = []
    rest = np.zeros(0, np.float32)
    for block in blocks:
        samples = np.concatenate([rest, block.samples]) if len(rest) else block.samples
        whole = len(samples) // size
        power = np.mean(np.square(samples[: whole * size].reshape(whole, size), dtype=np.float64), axis=1)
        values += np.maximum(FLOOR_DB, 10 * np.log10(power + 1e-12)).round(2).tolist()
        rest = samples[whole * size :]
    return Track(step=step_s, values=tuple(values))
