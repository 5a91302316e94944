"""The default engine: Whisper on CTranslate2, decoded in batches.

A window costs one pass of the encoder; decoding and the alignment that gives times to tokens share it, and a batch's windows
share every matrix multiplication. Radford et al. 2022, https://arxiv.org/abs/2212.04356; times from cross-attention by
dynamic time warping, as in openai-whisper's `timing.py`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np

from clipper.errors import ModelError
from clipper.speech.recognizer import Decoding, Heard, weights_folder
from clipper.speech.voice import RATE_HZ, Samples
from clipper.values import Word

log = logging.getLogger(__name__)

FRAMES = 3000
"""Mel frames of the longest window: 30 s."""
MARGIN = 150
"""Frames of silence after the longest window of a batch. The encoder takes any length up to `FRAMES`: without the rest of
the 30 s it costs half at 14 s, and the error rate stays (measured: 14.9 % against 16.0 % padded to 30 s)."""
TOKEN_S = 0.02
"""Resolution of the alignment."""
MAX_WORKERS = 4
"""Each worker has buffers of its own, about 150 MB."""
GROUP = 4
"""Windows that a worker decodes at once. They are sorted by length first, so that little silence is encoded."""
MAX_TOKENS = 224
"""Longest answer to one window; Chinese at seven characters a second takes 200."""


class FasterWhisper:
    """Whisper through the faster-whisper package."""

    name = "faster-whisper"

    def __init__(self, model: str, *, device: str = "auto", compute_type: str = "auto", threads: int = 0) -> None:
        from faster_whisper import WhisperModel

        self.model = model
        folder = weights_folder(model)
        self._workers, each = _shares(device, threads)
        try:
            self._whisper = WhisperModel(
                str(folder),
                device=device,
                compute_type=_compute_type(device, compute_type),
                cpu_threads=each,
                num_workers=self._workers,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(
                f"could not load {folder} with faster-whisper: {error}; it must be a folder in CTranslate2's format"
            ) from error
        self._tokenizers: dict[str, Any] = {}

    def count_tokens(self, text: str) -> int:
        """Count the tokens that a text takes up in a prompt."""
        return len(self._tokenizer("en").encode(text))

    def languages(self, windows: Sequence[Samples]) -> list[tuple[str, float]]:
        """Give each window's likeliest language and its probability."""
        if not self._whisper.model.is_multilingual:
            return [("en", 1.0)] * len(windows)
        answers = self._whisper.model.detect_language(self._encode(windows))
        return [(answer[0][0].strip("<|>"), float(answer[0][1])) for answer in answers]

    def recognise(self, windows: Sequence[Samples], decoding: Decoding) -> list[Heard]:
        """Decode a batch of windows, each float32 (n,) at 16 kHz and 30 s at most."""
        order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
        groups = [order[start : start + GROUP] for start in range(0, len(order), GROUP)]
        try:
            with ThreadPoolExecutor(self._workers) as pool:
                answers = list(pool.map(lambda group: self._share([windows[index] for index in group], decoding), groups[::-1]))
        except RuntimeError as error:
            raise ModelError(f"could not recognise {len(windows)} windows with {self.model}: {error}; free some memory") from error
        found = dict(zip(chain.from_iterable(groups[::-1]), chain.from_iterable(answers), strict=True))
        return [found[index] for index in range(len(windows))]

    def _share(self, windows: Sequence[Samples], decoding: Decoding) -> list[Heard]:
        encoded = self._encode(windows)
        results = self._generate(encoded, len(windows), decoding)
        return self._timed(encoded, windows, results, decoding.language)

    def _encode(self, windows: Sequence[Samples]) -> Any:
        mel = self._whisper.feature_extractor
        spectra = [mel(samples)[:, :FRAMES] for samples in windows]
        length = min(max(spectrum.shape[1] for spectrum in spectra) + MARGIN, FRAMES)
        features = np.zeros((len(windows), spectra[0].shape[0], length), np.float32)
        for row, spectrum in zip(features, spectra, strict=True):
            row[:, : spectrum.shape[1]] = spectrum
        return self._whisper.encode(features)

    def _generate(self, encoded: Any, count: int, decoding: Decoding) -> list[Any]:
        tokenizer = self._tokenizer(decoding.language)
        from faster_whisper.transcribe import get_suppressed_tokens

        before = tokenizer.encode(" " + decoding.prompt.strip()) if decoding.prompt else []
        prompt = [*([tokenizer.sot_prev, *before] if before else []), *tokenizer.sot_sequence, tokenizer.no_timestamps]
        sampling: dict[str, Any] = {"beam_size": decoding.beam_size, "patience": 1}
        if decoding.temperature > 0:
            import ctranslate2

            ctranslate2.set_random_seed(decoding.seed)
            sampling = {"beam_size": 1, "num_hypotheses": 3, "sampling_topk": 0, "sampling_temperature": decoding.temperature}
        results: list[Any] = self._whisper.model.generate(
            encoded,
            [prompt] * count,
            max_length=min(len(prompt) + MAX_TOKENS, self._whisper.max_length),
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
            **sampling,
        )
        return results

    def _timed(self, encoded: Any, windows: Sequence[Samples], results: Sequence[Any], language: str) -> list[Heard]:
        tokenizer = self._tokenizer(language)
        texts = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in results]
        frames = [max(min(len(samples) * 100 // RATE_HZ, FRAMES), 2) for samples in windows]
        aligned = self._whisper.model.align(encoded, tokenizer.sot_sequence, texts, frames, median_filter_width=7)
        heard: list[Heard] = []
        for result, tokens, alignment in zip(results, texts, aligned, strict=True):
            length = len(result.sequences_ids[0])
            logprob = result.scores[0] * length / (length + 1)
            heard.append(Heard(_pieces(tokenizer, tokens, alignment), float(logprob), float(result.no_speech_prob)))
        return heard

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            from faster_whisper.tokenizer import Tokenizer

            multilingual = self._whisper.model.is_multilingual
            self._tokenizers[language] = Tokenizer(self._whisper.hf_tokenizer, multilingual, task="transcribe", language=language)
        return self._tokenizers[language]


def _shares(device: str, threads: int) -> tuple[int, int]:
    """Split processors into (workers, threads of each).

    Two workers with a thread each decode faster than one with two: decoding is a chain of small multiplications, and threads
    that share one wait for each other.
    """
    if _on_gpu(device):
        return 1, threads
    threads = threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or os.cpu_count() or 1
    workers = min(threads, MAX_WORKERS)
    return workers, threads // workers


def _on_gpu(device: str) -> bool:
    import ctranslate2

    return device == "cuda" or (device == "auto" and ctranslate2.get_cuda_device_count() > 0)


def _compute_type(device: str, asked: str) -> str:
    """int8 on processors: a third faster than float32 with the same error rate (measured); the device's own choice elsewhere."""
    if asked != "auto":
        return asked
    return "default" if _on_gpu(device) else "int8"


def _pieces(tokenizer: Any, tokens: list[int], alignment: Any) -> tuple[Word, ...]:
    """Give every whole character (or subword, in spaced scripts) the time at which attention moved to it."""
    if not tokens:
        return ()
    texts, groups = tokenizer.split_tokens_on_unicode([*tokens, tokenizer.eot])
    pairs = np.array(alignment.alignments)
    jumps = np.diff(pairs[:, 0], prepend=-1) > 0
    times = pairs[jumps, 1] * TOKEN_S
    bounds = np.cumsum([0] + [len(group) for group in groups[:-1]])
    pieces: list[Word] = []
    for text, first, last in zip(texts[:-1], bounds[:-1], bounds[1:], strict=True):
        probability = float(np.mean(alignment.text_token_probs[first:last]))
        pieces.append(Word(times[min(first, len(times) - 1)], times[min(last, len(times) - 1)], text, probability))
    return tuple(pieces)
