"""Voice activity over a stream of any length: blocks of sound in, windows of speech for a recognizer out.

Silero's detector (it ships inside the faster-whisper package) gives a probability per 32 ms. Runs of speech are packed into
windows of at most 30 s, cut where the longest pause is; pauses longer than a second are shortened, so that silence costs
nothing, and every window carries the map back to the recording's clock. Only about a minute of sound is held at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clipper.errors import InputError, ModelError
from clipper.values import Span

Samples = NDArray[np.float32]
Detector = Callable[[Samples], Samples]
"""float32 (n × 512,) at 16 kHz in, probability of speech per 512 samples out."""

RATE_HZ = 16_000
FRAME = 512
"""Samples per probability: 32 ms."""
FRAME_S = FRAME / RATE_HZ

STRETCH_S = 30.0
WARM_UP = 63 * FRAME
"""Samples that a stretch repeats from the one before, so that the detector's memory is warm where its answers count."""


class Block(Protocol):
    """A stretch of mono sound at 16 kHz; blocks follow each other in time."""

    @property
    def start(self) -> float:
        """Seconds on the recording's clock."""
        ...

    @property
    def samples(self) -> Samples:
        """float32 (n,) in [-1, 1]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceOptions:
    """When sound counts as speech, and how speech is packed into windows."""

    threshold: float = 0.5
    """Probability from which a run of speech starts, in (0, 1)."""
    release: float = 0.35
    """Probability under which it ends, in (0, threshold]."""
    min_speech_s: float = 0.1
    """Shorter runs are not speech, in seconds, ≥ 0."""
    pause_s: float = 0.4
    """Longer pauses inside a window are shortened to this many seconds, in [0.2, 5]. Long ones tempt the model to end its text
    (measured: 16 % errors at 1.5 s, 13 % at 0.4 s)."""
    window_s: float = 14.0
    """Longest window, in seconds, in [5, 30]. Whisper base leaves out whole phrases of longer ones (measured: error rate
    13 % at 14 s, 22 % at 29 s)."""

    def __post_init__(self) -> None:
        if not 0 < self.release <= self.threshold < 1:
            raise InputError(f"speech.voice: release {self.release} and threshold {self.threshold} must obey 0 < release ≤ threshold < 1")
        if not 0 <= self.min_speech_s <= 5:
            raise InputError(f"speech.voice.min_speech_s is {self.min_speech_s}; give 0 to 5 seconds")
        if not 0.2 <= self.pause_s <= 5:
            raise InputError(f"speech.voice.pause_s is {self.pause_s}; give 0.2 to 5 seconds")
        if not 5 <= self.window_s <= 30:
            raise InputError(f"speech.voice.window_s is {self.window_s}; give 5 to 30 seconds")


@dataclass(frozen=True, slots=True)
class Window:
    """What a recognizer hears at once: pieces of the recording, one after the other."""

    samples: Samples
    """float32 (n,) at 16 kHz, 30 s at most."""
    pieces: tuple[Span, ...]
    """The stretches of the recording that it is made of."""
    runs: tuple[Span, ...]
    """Runs of speech, on the recording's clock."""

    @property
    def span(self) -> Span:
        """From the first piece's start to the last piece's end."""
        return Span(self.pieces[0].start, self.pieces[-1].end)

    @property
    def runs_inside(self) -> tuple[Span, ...]:
        """Runs of speech, in seconds since the window's start."""
        return tuple(Span(self.in_window(run.start), self.in_window(run.end)) for run in self.runs)

    def halves(self) -> tuple[Window, ...]:
        """Cut the window in two at the pause between runs that is nearest its middle; one run alone is cut in the middle."""
        total = len(self.samples) / RATE_HZ
        gaps = [self.in_window((before.end + after.start) / 2) for before, after in pairwise(self.runs)]
        at = min((gap for gap in gaps if 0.25 * total < gap < 0.75 * total), key=lambda gap: abs(gap - total / 2), default=total / 2)
        cut, index = self.on_recording(at), round(at * RATE_HZ)
        left, right = _before(self.pieces, cut), _after(self.pieces, cut)
        return (
            Window(self.samples[:index], left, _before(self.runs, cut) or left),
            Window(self.samples[index:], right, _after(self.runs, cut) or right),
        )

    def in_window(self, time: float) -> float:
        """Turn seconds on the recording's clock into seconds since the window's start."""
        passed = 0.0
        for piece in self.pieces:
            if time < piece.end:
                return passed + max(time - piece.start, 0.0)
            passed += piece.end - piece.start
        return passed

    def offset_of(self, part: Window) -> float:
        """Seconds from the window's start to the start of one of its halves."""
        return self.in_window(part.pieces[0].start)

    def on_recording(self, time: float) -> float:
        """Turn seconds since the window's start into seconds on the recording's clock."""
        offsets = [0.0]
        for piece in self.pieces:
            offsets.append(offsets[-1] + piece.end - piece.start)
        index = min(max(bisect_right(offsets, time) - 1, 0), len(self.pieces) - 1)
        return min(self.pieces[index].start + time - offsets[index], self.pieces[index].end)


def _before(spans: Sequence[Span], cut: float) -> tuple[Span, ...]:
    return tuple(Span(span.start, min(span.end, cut)) for span in spans if span.start < cut)


def _after(spans: Sequence[Span], cut: float) -> tuple[Span, ...]:
    return tuple(Span(max(span.start, cut), span.end) for span in spans if span.end > cut)


def windows(
    blocks: Iterable[Block],
    options: VoiceOptions,
    *,
    detector: Detector | None = None,
    heard: Callable[[float], None] | None = None,
) -> Iterator[Window]:
    """Cut a stream of sound into windows of speech, in order.

    Blocks may have any length; a gap between them counts as silence. `heard` is told how many seconds have been taken in.
    """
    detect = detector or load_detector()
    buffer = _Buffer()
    for stretch in _stretches(blocks):
        buffer.append(stretch, detect)
        yield from buffer.closed(options, final=False)
        if heard:
            heard(buffer.end)
    yield from buffer.closed(options, final=True)


def load_detector() -> Detector:
    """Load Silero's detector out of the faster-whisper package."""
    try:
        from faster_whisper.vad import get_vad_model

        model = get_vad_model()
    except Exception as error:
        raise ModelError(f"could not load the voice detector of the faster-whisper package: {error}; install it again") from error

    def detect(samples: Samples) -> Samples:
        probabilities: Samples = np.asarray(model(samples), dtype=np.float32).reshape(-1)
        return probabilities

    return detect


def runs_of_speech(probabilities: Samples, options: VoiceOptions) -> list[tuple[int, int]]:
    """Find runs as half-open pairs of frame numbers: up at `threshold`, down under `release`."""
    above, below = probabilities >= options.threshold, probabilities < options.release
    found: list[tuple[int, int]] = []
    start: int | None = None
    for index in np.flatnonzero(above | below):
        if above[index] and start is None:
            start = int(index)
        elif below[index] and start is not None:
            found.append((start, int(index)))
            start = None
    if start is not None:
        found.append((start, len(probabilities)))
    return [(a, b) for a, b in found if (b - a) * FRAME_S >= options.min_speech_s]


def pack(runs: Sequence[Span], options: VoiceOptions, *, final: bool) -> list[list[Span]]:
    """Group runs into windows no longer than `window_s`; without `final` the runs that may still grow are left out."""
    groups: list[list[Span]] = []
    rest = [part for run in runs for part in _split(run, options.window_s - options.pause_s)]
    while rest:
        fit = next((n for n in range(1, len(rest) + 1) if _length(rest[:n], options) > options.window_s), len(rest) + 1) - 1
        if fit == len(rest):
            if final:
                groups.append(rest)
            break
        cut = _best_cut(rest, max(fit, 1), options)
        groups.append(rest[:cut])
        rest = rest[cut:]
    return groups


def pieces_of(runs: Sequence[Span], options: VoiceOptions) -> list[Span]:
    """Join runs that follow each other within `pause_s`, with half a pause of air around each piece."""
    air = options.pause_s / 2
    joined = [Span(max(0.0, runs[0].start - air), runs[0].end + air)]
    for run in runs[1:]:
        if run.start - air <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, run.end + air)
        else:
            joined.append(Span(run.start - air, run.end + air))
    return joined


def _length(runs: Sequence[Span], options: VoiceOptions) -> float:
    return sum(piece.duration for piece in pieces_of(runs, options))


def _split(run: Span, limit: float) -> list[Span]:
    """Cut a run that no window can hold; the detector heard no pause in it, so equal parts are as good as any."""
    count = int(-(-run.duration // limit)) or 1
    step = run.duration / count
    return [Span(run.start + index * step, run.start + (index + 1) * step) for index in range(count)]


def _best_cut(runs: Sequence[Span], fit: int, options: VoiceOptions) -> int:
    """Choose the number of runs to take: the longest pause in the window's later half, the later the better."""
    best, best_score = fit, -1.0
    for count in range(1, fit + 1):
        share = _length(runs[:count], options) / options.window_s
        if share < 0.55 and count < fit:
            continue
        pause = min(runs[count].start - runs[count - 1].end, options.pause_s) if count < len(runs) else options.pause_s
        score = pause + 0.3 * share
        if score > best_score:
            best, best_score = count, score
    return best


class _Buffer:
    """The sound that no window has taken yet, with its probabilities."""

    def __init__(self) -> None:
        self.samples: Samples = np.zeros(0, np.float32)
        self.probabilities: Samples = np.zeros(0, np.float32)
        self.first = 0
        """Frame number of the first sample held."""

    @property
    def end(self) -> float:
        return (self.first + len(self.probabilities)) * FRAME_S

    def append(self, stretch: Samples, detect: Detector) -> None:
        warm = self.samples[-WARM_UP:]
        padded = np.pad(stretch, (0, -len(stretch) % FRAME))
        fresh = detect(np.concatenate([warm, padded]))[len(warm) // FRAME :]
        self.samples = np.concatenate([self.samples, padded])
        self.probabilities = np.concatenate([self.probabilities, fresh])

    def closed(self, options: VoiceOptions, *, final: bool) -> Iterator[Window]:
        runs = [Span((self.first + a) * FRAME_S, (self.first + b) * FRAME_S) for a, b in runs_of_speech(self.probabilities, options)]
        settled = runs if final else [run for run in runs if run.end < self.end - options.pause_s]
        groups = pack(settled, options, final=final)
        for group in groups:
            yield self.window(group, options)
        used = groups[-1][-1].end if groups else None
        left = [run.start for run in runs if used is None or run.start >= used]
        keep = min(left, default=self.end) - options.pause_s
        self.forget(max(keep, used or 0.0))

    def window(self, runs: Sequence[Span], options: VoiceOptions) -> Window:
        pieces = [Span(max(piece.start, self.first * FRAME_S), min(piece.end, self.end)) for piece in pieces_of(runs, options)]
        sound = [self.samples[self.index(piece.start) : self.index(piece.end)] for piece in pieces]
        return Window(np.concatenate(sound), tuple(pieces), tuple(runs))

    def index(self, time: float) -> int:
        return max(round(time * RATE_HZ) - self.first * FRAME, 0)

    def forget(self, before: float) -> None:
        """Drop what no window can need, but never the detector's warm-up."""
        frames = min(int(before / FRAME_S) - self.first, len(self.probabilities) - WARM_UP // FRAME)
        if frames > 0:
            self.samples = self.samples[frames * FRAME :].copy()
            self.probabilities = self.probabilities[frames:].copy()
            self.first += frames


def _stretches(blocks: Iterable[Block]) -> Iterator[Samples]:
    """Re-cut blocks into stretches of `STRETCH_S`, with silence where blocks leave a gap; the last one may be shorter."""
    size = int(STRETCH_S * RATE_HZ) // FRAME * FRAME
    waiting: list[Any] = []
    count = taken = 0
    for block in blocks:
        gap = round(block.start * RATE_HZ) - taken
        samples = np.asarray(block.samples, dtype=np.float32).reshape(-1)
        for part in _silence(gap, size) if gap > 0 else ():
            waiting.append(part)
            count += len(part)
            if count >= size:
                yield from _drain(waiting, size)
                count = len(waiting[0])
        samples = samples[-gap:] if gap < 0 else samples
        waiting.append(samples)
        taken += max(gap, 0) + len(samples)
        count += len(samples)
        if count >= size:
            yield from _drain(waiting, size)
            count = len(waiting[0])
    if count:
        yield np.concatenate(waiting)


def _silence(gap: int, size: int) -> Iterator[Samples]:
    for start in range(0, gap, size):
        yield np.zeros(min(size, gap - start), np.float32)


def _drain(waiting: list[Any], size: int) -> Iterator[Samples]:
    """Hand out whole stretches and leave the rest as the one waiting part."""
    joined = np.concatenate(waiting)
    whole = len(joined) // size * size
    for start in range(0, whole, size):
        yield joined[start : start + size]
    waiting[:] = [joined[whole:]]
