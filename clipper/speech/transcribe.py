"""Turn a recording's sound into a transcript: words with times, in sentences.

Voice activity picks the windows, the recognizer decodes them in batches with the catalogue's names in every prompt, the
guard has broken ones decoded again by other means, and words are laid onto the runs of speech. Each finished window goes
into the checkpoint, so an interrupted job goes on at its window, and memory does not grow with length.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from clipper.errors import Cancelled, InputError
from clipper.speech import guard, hot_words, words
from clipper.speech.checkpoint import Checkpoint, FileCheckpoint
from clipper.speech.likely import is_misspelt, leaks, likely_products
from clipper.speech.recognizer import RECOGNIZERS, Decoding, Heard, Recognizer, load
from clipper.speech.voice import RATE_HZ, Block, Detector, VoiceOptions, Window, windows
from clipper.values import Product, Recording, Span, Transcript, Word

__all__ = ["RECOGNIZERS", "VERSION", "Checkpoint", "FileCheckpoint", "SpeechOptions", "transcribe"]

log = logging.getLogger(__name__)

VERSION = 2

LANGUAGE_SAMPLES = 6 * RATE_HZ
"""A window votes on the language with its first seconds."""

LEAST_SAMPLES = 3 * RATE_HZ
"""Windows are not cut into shorter parts than this."""

RETRY_TEMPERATURES = (0.0, 0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOptions:
    """Which engine recognises speech, and how."""

    engine: str = "faster-whisper"
    """A name of the table: faster-whisper or whisper."""
    model: str = "base"
    """A model of the weights table (livecut models list), or the path of one of your own: a folder in CTranslate2's format,
    or for the engine whisper also a .pt file."""
    language: str = ""
    """ISO 639-1 code, e.g. zh or en; empty to detect it."""
    prompt: str = ""
    """A sentence in the style that is wanted; empty for the language's own."""
    hot_words: bool = True
    """Whether the recogniser is told the catalogue's names: all of them in every prompt when they fit, else those that a first look
    makes likely, for a second look."""
    hot_word_tokens: int = 120
    """Room for names in a prompt, in tokens, in [0, 200]."""
    beam_size: int = 5
    """Hypotheses kept while decoding, in [1, 10]. 3 takes a fifth less time and makes a twentieth more errors (measured)."""
    batch_size: int = 16
    """Windows handed to the engine at once, in [1, 64]; what an interruption loses at most."""
    device: str = "auto"
    """auto, cpu or cuda."""
    compute_type: str = "auto"
    """auto, or a type of CTranslate2: int8, int8_float16, float16, float32."""
    threads: int = 0
    """Threads of the engine; 0 for all processors."""
    language_windows: int = 3
    """Windows that vote on the language, in [1, 20]."""
    voice: VoiceOptions = field(default_factory=VoiceOptions)
    """When sound counts as speech."""

    def __post_init__(self) -> None:
        _check("hot_word_tokens", self.hot_word_tokens, 0, 200)
        _check("beam_size", self.beam_size, 1, 10)
        _check("batch_size", self.batch_size, 1, 64)
        _check("threads", self.threads, 0, 1024)
        _check("language_windows", self.language_windows, 1, 20)
        if self.engine not in RECOGNIZERS:
            raise InputError(f"speech.engine: there is no engine {self.engine!r}; known: {', '.join(RECOGNIZERS)}")


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(f"speech.{name} is {value}; give {least} to {most}")


def transcribe(
    source: Recording | Iterable[Block],
    products: Sequence[Product],
    options: SpeechOptions,
    *,
    recognizer: Recognizer | None = None,
    detector: Detector | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Transcript:
    """Recognise what was said.

    `source` is a recording, or blocks of mono sound at 16 kHz in order. `progress` is called with the share that is done
    (for blocks, whose length is not known, with 1 at the end). Raises Cancelled when `cancelled` says so, ModelError for
    weights that are missing or wrong; what is in the checkpoint by then is used by the next call.
    """
    job = _Job(options, products, recognizer, checkpoint, cancelled or (lambda: False))
    length = source.duration if isinstance(source, Recording) else None
    clock = _Clock(length, progress)
    found = windows(_blocks(source), options.voice, detector=detector, heard=clock.hear)
    spoken: list[Word] = []
    heard: list[Span] = []
    for window, result in job.results(found):
        spoken += words.words_of(result, window.runs, job.language, job.names)
        heard += words.joined(window.runs)
        clock.finish(window.span.end)
    clock.finish(None)
    log.info(
        "recognised %d words in %.0f s of speech, language %s", len(spoken), sum(span.duration for span in heard), job.language or "none"
    )
    return Transcript(
        language=job.language,
        sentences=words.sentences_of(spoken),
        heard=tuple(heard),
        duration=length if length is not None else clock.taken,
        engine=options.engine,
        model=options.model,
        warnings=tuple(job.warnings),
    )


def _blocks(source: Recording | Iterable[Block]) -> Iterable[Block]:
    if not isinstance(source, Recording):
        return source
    from clipper import media

    return media.audio_blocks(source) if source.has_audio else ()


class _Clock:
    """How far the job is; the share done is that of the recording's time."""

    def __init__(self, length: float | None, progress: Callable[[float], None] | None) -> None:
        self.length = length
        self.tell = progress or (lambda share: None)
        self.taken = 0.0

    def hear(self, seconds: float) -> None:
        self.taken = seconds

    def finish(self, time: float | None) -> None:
        if time is None:
            self.tell(1.0)
        elif self.length:
            self.tell(min(time / self.length, 1.0))


class _Job:
    """One transcription: the language once it is known, the prompt, and the windows that went wrong."""

    def __init__(
        self,
        options: SpeechOptions,
        products: Sequence[Product],
        recognizer: Recognizer | None,
        checkpoint: Checkpoint | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self.options = options
        self.products = products
        self.checkpoint = checkpoint
        self.cancelled = cancelled
        self.language = options.language
        self.names: tuple[str, ...] = ()
        self.warnings: list[str] = []
        self._engine = recognizer

    @property
    def engine(self) -> Recognizer:
        """The recognizer, loaded when the first window needs it."""
        if self._engine is None:
            options = self.options
            self._engine = load(
                options.engine, options.model, device=options.device, compute_type=options.compute_type, threads=options.threads
            )
        return self._engine

    def results(self, found: Iterator[Window]) -> Iterator[tuple[Window, tuple[Word, ...]]]:
        """Recognise windows in batches; yields each with its pieces on the recording's clock, in order."""
        first = list(islice(found, self.options.language_windows))
        if not first:
            return
        self.language = self.language or self._detect(first)
        self.names = self._names()
        stream = chain(first, found)
        while batch := list(islice(stream, self.options.batch_size)):
            if self.cancelled():
                raise Cancelled("stopped while recognising: finished windows are kept, run again to go on")
            yield from zip(batch, self._batch(batch), strict=True)

    def _batch(self, batch: Sequence[Window]) -> list[tuple[Word, ...]]:
        keys = [self._key(window) for window in batch]
        results: dict[int, Any] = {index: self._load(key) for index, key in enumerate(keys)}
        missing = [index for index, result in results.items() if result is None]
        for index, answer in zip(missing, self._recognise([batch[index] for index in missing]), strict=True):
            results[index] = answer
            if self.checkpoint:
                self.checkpoint.save(keys[index], _plain(answer))
        self.warnings += [note for index in range(len(batch)) if (note := results[index][1])]
        return [results[index][0] for index in range(len(batch))]

    def _load(self, key: str) -> tuple[tuple[Word, ...], str] | None:
        stored = self.checkpoint.load(key) if self.checkpoint else None
        return (tuple(Word(*piece) for piece in stored["pieces"]), stored["note"]) if stored else None

    def _recognise(self, batch: Sequence[Window]) -> list[tuple[tuple[Word, ...], str]]:
        """Decode windows with names; those with faults again: in halves, without names, then both, then by sampling."""
        best = self._decode(batch, self.names)
        if self._looks_twice:
            self._spell(batch, best)
        if self.names:
            self._improve(
                batch, best, lambda windows: self._in_halves(windows, self.names), lambda take: not guard.is_hopeless(take.faults)
            )
            self._improve(batch, best, lambda windows: self._decode(windows, ()))
        for temperature in RETRY_TEMPERATURES:
            self._improve(batch, best, lambda windows, warmth=temperature: self._in_halves(windows, (), warmth))  # type: ignore[misc]
        return [self._settled(window, take) for window, take in zip(batch, best, strict=True)]

    def _spell(self, batch: Sequence[Window], best: list[_Take]) -> None:
        """Decode windows that hold misspelt names again, with the names that the batch is likely about."""
        likely = likely_products([take.heard.pieces for take in best], self.products, self.language)
        names = hot_words.choose_names(likely, self.options.hot_word_tokens)
        again = [index for index, take in enumerate(best) if is_misspelt(take.heard.pieces, likely, self.language)]
        for index, take in zip(again, self._decode([batch[index] for index in again], names) if again else (), strict=True):
            if len(take.faults) <= len(best[index].faults) and not leaks(best[index].heard.text, take.heard.text, names):
                best[index] = take

    def _improve(
        self,
        batch: Sequence[Window],
        best: list[_Take],
        decode: Callable[[Sequence[Window]], list[_Take]],
        worth: Callable[[_Take], bool] = lambda take: True,
    ) -> None:
        broken = [index for index, take in enumerate(best) if take.faults and worth(take)]
        for index, take in zip(broken, decode([batch[index] for index in broken]) if broken else (), strict=True):
            if take.rank > best[index].rank:
                best[index] = take

    def _settled(self, window: Window, take: _Take) -> tuple[tuple[Word, ...], str]:
        if guard.is_hopeless(take.faults):
            span = window.span
            return (), f"dropped what was recognised at {span.start:.1f}–{span.end:.1f} s: {', '.join(take.faults)}"
        return tuple(_moved(piece, window) for piece in take.heard.pieces), ""

    def _decode(self, batch: Sequence[Window], names: Sequence[str], temperature: float = 0.0) -> list[_Take]:
        prompt = hot_words.prompt_for(self.language, names, self.options.prompt)
        decoding = Decoding(language=self.language, prompt=prompt, beam_size=self.options.beam_size, temperature=temperature)
        answers = self.engine.recognise([window.samples for window in batch], decoding)
        return [_Take(heard, guard.faults(heard, window.runs_inside, names, prompt)) for window, heard in zip(batch, answers, strict=True)]

    def _in_halves(self, batch: Sequence[Window], names: Sequence[str], temperature: float = 0.0) -> list[_Take]:
        """Decode windows in two parts each, and broken parts again in two: a shorter window loops less and leaves out less."""
        halves = [window.halves() for window in batch]
        parts = [half for pair in halves for half in pair]
        takes = self._decode(parts, names, temperature)
        again = [index for index, take in enumerate(takes) if take.faults and len(parts[index].samples) >= 2 * LEAST_SAMPLES]
        if again:
            for index, take in zip(again, self._in_halves([parts[index] for index in again], names, temperature), strict=True):
                takes[index] = max(takes[index], take, key=lambda one: one.rank)
        found = iter(takes)
        return [_joined(window, [(half, next(found)) for half in pair]) for window, pair in zip(batch, halves, strict=True)]

    def _detect(self, first: Sequence[Window]) -> str:
        key = "language-" + hashlib.sha256("".join(self._key(window) for window in first).encode()).hexdigest()
        stored = self.checkpoint.load(key) if self.checkpoint else None
        if stored:
            return str(stored)
        votes: Counter[str] = Counter()
        for window, (language, probability) in zip(
            first, self.engine.languages([window.samples[:LANGUAGE_SAMPLES] for window in first]), strict=True
        ):
            votes[language] += probability * _voiced(window)  # type: ignore[assignment]
        language = votes.most_common(1)[0][0]
        if self.checkpoint:
            self.checkpoint.save(key, language)
        log.info("the language is %s (%s)", language, ", ".join(f"{name} {vote:.1f}" for name, vote in votes.most_common(3)))
        return language

    @property
    def _looks_twice(self) -> bool:
        """Whether the catalogue is too large for one prompt, so that windows are decoded without names first."""
        return self.options.hot_words and bool(self.products) and not hot_words.all_fit(self.products, self.options.hot_word_tokens)

    def _names(self) -> tuple[str, ...]:
        if not self.options.hot_words or not self.products or self._looks_twice:
            return ()
        return hot_words.choose_names(self.products, self.options.hot_word_tokens)

    def _key(self, window: Window) -> str:
        """Name a window by everything that decides its result."""
        digest = hashlib.sha256(window.samples.tobytes())
        names = [product.aliases for product in self.products] if self._looks_twice else self.names
        digest.update(repr((VERSION, self.options, self.language, names, window.pieces)).encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Take:
    """One attempt at a window."""

    heard: Heard
    faults: tuple[str, ...]

    @property
    def rank(self) -> tuple[bool, int, int, float]:
        """Higher is better: fit to show, few faults, more text where text is missing, likely."""
        letters = len(self.heard.text) if not guard.LACKING.isdisjoint(self.faults) else 0
        return (not guard.is_hopeless(self.faults), -len(self.faults), letters, self.heard.mean_logprob)


def _joined(window: Window, parts: Sequence[tuple[Window, _Take]]) -> _Take:
    """Put the parts of a window together again, without those that are unfit to be shown."""
    kept = [(half, take) for half, take in parts if not guard.is_hopeless(take.faults)]
    faults = {fault for _, take in parts for fault in take.faults}
    pieces: list[Word] = []
    for half, take in kept:
        offset = window.offset_of(half)
        pieces += [replace(piece, start=piece.start + offset, end=piece.end + offset) for piece in take.heard.pieces]
    if not kept:
        return _Take(Heard((), -10.0, 1.0), tuple(faults))
    logprob = sum(take.heard.mean_logprob for _, take in kept) / len(kept)
    if len(kept) < len(parts):
        return _Take(Heard(tuple(pieces), logprob, 0.0), tuple({"sparse", *faults} - guard.HARD))
    return _Take(Heard(tuple(pieces), logprob, max(take.heard.no_speech for _, take in kept)), tuple(faults))


def _voiced(window: Window) -> float:
    return sum(run.duration for run in window.runs)


def _moved(piece: Word, window: Window) -> Word:
    start = window.on_recording(piece.start)
    return replace(piece, start=start, end=max(start, window.on_recording(piece.end)))


def _plain(answer: tuple[tuple[Word, ...], str]) -> dict[str, Any]:
    return {"pieces": [[piece.start, piece.end, piece.text, round(piece.probability, 4)] for piece in answer[0]], "note": answer[1]}
