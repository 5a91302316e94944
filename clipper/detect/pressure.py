"""How hard a host presses an offer: urgency, countdown, a raised voice. What the host wants, and not what viewers do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clipper.detect.cues import counts_down
from clipper.detect.hot_windows import sentences_inside
from clipper.detect.lags import Floats
from clipper.detect.reading import Read
from clipper.values import Evidence, Segment, Sentence


def pressure(loud: Floats, segment: Segment, stream: Read) -> tuple[float, float]:
    """Score how hard an offer is pressed: urgency, countdown, energy of the voice (`loudness_z`); and where most."""
    none = np.zeros(len(stream.sentences))
    urges, links = stream.cue_counts.get("urgency", none), stream.cue_counts.get("link", none)
    inside = sentences_inside(segment, stream)
    if not inside:
        return 0.0, segment.start
    value = [
        min(urges[at], 3) + 0.3 * min(links[at], 1) + 1.5 * counts_down(stream.sentences[at].text) + 0.3 * max(loud[at], 0) for at in inside
    ]
    return float(np.sum(value)), round(float(stream.sentences[inside[int(np.argmax(value))]].start), 3)


def loudness_z(evidence: Evidence, sentences: Sequence[Sentence]) -> Floats:
    """Give how loud each sentence is against the stream's own sentences, in robust standard deviations; zeros without a track."""
    track = evidence.loudness
    if track is None or not track.values or not sentences:
        return np.zeros(len(sentences))
    levels = np.asarray(track.values)
    heard = [levels[int(s.start / track.step) : max(int(s.start / track.step) + 1, int(s.end / track.step))] for s in sentences]
    typical = np.array([np.partition(part, (len(part) - 1) * 4 // 5)[(len(part) - 1) * 4 // 5] if len(part) else -60.0 for part in heard])
    middle = np.median(typical)
    scale: Floats = (typical - middle) / max(1.4826 * float(np.median(np.abs(typical - middle))), 0.5)
    return np.clip(scale, -4, 4)
