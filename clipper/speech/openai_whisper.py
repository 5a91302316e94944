"""The second engine: OpenAI's own whisper package, on PyTorch.

It decodes one window at a time and is several times slower; it is here for machines where PyTorch is at home, and as a check
on the first one. Its weights are a `.pt` file of its own, or the table's verified CTranslate2 file, converted in memory.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clipper.errors import ModelError
from clipper.speech.ctranslate2_file import Checkpoint, state_dict_from_ctranslate2
from clipper.speech.recognizer import Decoding, Heard, weights_folder
from clipper.speech.voice import RATE_HZ, Samples
from clipper.values import Word

SECONDS_PER_TOKEN = 0.02
SMALL_WIDTH = 768
"""Models up to this width (base, small) run on one thread unless told otherwise: their multiplications are so short that
threads mostly wait for each other (measured on two busy cores: 4 s of processor time for ten seconds of sound, 32 s with two)."""
MARGIN = 75
"""Positions of the encoder after the window's end: 1.5 s."""
MEDIAN_FRAMES = 7
"""Width of the filter over attention, as in whisper's `timing.py`."""


class OpenAIWhisper:
    """Whisper through the openai-whisper package."""

    name = "whisper"

    def __init__(self, model: str, *, device: str = "auto", compute_type: str = "auto", threads: int = 0) -> None:
        import torch

        self.model = model
        self._device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self._half = self._device == "cuda" and compute_type in ("auto", "float16")
        self._whisper = _load(weights_folder(model), self._device)
        if threads or (self._device == "cpu" and self._whisper.dims.n_audio_state <= SMALL_WIDTH):
            torch.set_num_threads(threads or 1)
        self._positions = self._whisper.encoder.positional_embedding

    def count_tokens(self, text: str) -> int:
        """Count the tokens that a text takes up in a prompt."""
        return len(self._tokenizer("en").encode(text))

    def languages(self, windows: Sequence[Samples]) -> list[tuple[str, float]]:
        """Give each window's likeliest language and its probability."""
        if not self._whisper.is_multilingual:
            return [("en", 1.0)] * len(windows)
        answers: list[tuple[str, float]] = []
        for samples in windows:
            _, probabilities = self._whisper.detect_language(self._mel(samples))
            language = max(probabilities, key=lambda code: probabilities[code])
            answers.append((language, float(probabilities[language])))
        return answers

    def recognise(self, windows: Sequence[Samples], decoding: Decoding) -> list[Heard]:
        """Decode windows, each float32 (n,) at 16 kHz and 30 s at most."""
        return [self._one(samples, decoding) for samples in windows]

    def _one(self, samples: Samples, decoding: Decoding) -> Heard:
        import torch
        from whisper.decoding import DecodingOptions, decode

        if decoding.temperature > 0:
            torch.manual_seed(decoding.seed)
        options = DecodingOptions(
            language=decoding.language,
            prompt=decoding.prompt or None,
            temperature=decoding.temperature,
            beam_size=decoding.beam_size if decoding.temperature == 0 else None,
            best_of=3 if decoding.temperature > 0 else None,
            without_timestamps=True,
            fp16=self._half,
        )
        mel = self._mel(samples)
        try:
            result: Any = decode(self._whisper, mel, options)
            pieces = self._timed(
                mel, samples, [token for token in result.tokens if token < self._tokenizer(decoding.language).eot], decoding.language
            )
        except RuntimeError as error:
            raise ModelError(f"could not recognise a window with {self.model}: {error}") from error
        return Heard(pieces, float(result.avg_logprob), float(result.no_speech_prob))

    def _mel(self, samples: Samples) -> Any:
        """Make the spectrum, and fit the encoder to it: without the rest of the 30 s it costs half, as in the first engine."""
        from whisper.audio import HOP_LENGTH, log_mel_spectrogram, pad_or_trim

        length = min(-(-len(samples) // (2 * HOP_LENGTH)) + MARGIN, len(self._positions))
        self._whisper.encoder.positional_embedding = self._positions[:length]
        self._whisper.dims.n_audio_ctx = length
        mel = log_mel_spectrogram(samples, self._whisper.dims.n_mels, padding=2 * MARGIN * HOP_LENGTH, device=self._device)
        mel = pad_or_trim(mel, 2 * length)
        return mel.half() if self._half else mel

    def _timed(self, mel: Any, samples: Samples, tokens: list[int], language: str) -> tuple[Word, ...]:
        """Give every whole character the time at which attention moved to it: whisper's alignment, before it joins words."""
        if not tokens:
            return ()
        import torch
        from whisper.timing import dtw, median_filter

        tokenizer = self._tokenizer(language)
        line = torch.tensor([*tokenizer.sot_sequence, tokenizer.no_timestamps, *tokens, tokenizer.eot], device=self._device)
        frames = max(len(samples) // (RATE_HZ // 50), 2)
        weights, probabilities = self._attention(mel, line, len(tokenizer.sot_sequence), tokens, tokenizer.eot)
        weights = (weights[:, :, :frames] * 1.0).softmax(dim=-1)
        std, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
        matrix = median_filter((weights - mean) / std, MEDIAN_FRAMES).mean(dim=0)[len(tokenizer.sot_sequence) : -1]
        text_at, time_at = dtw(-matrix)
        jumps = np.diff(text_at, prepend=-1) > 0
        times = np.asarray(time_at)[jumps] * SECONDS_PER_TOKEN
        times = np.append(times, times[-1] if len(times) else 0.0)
        texts, groups = tokenizer.split_tokens_on_unicode([*tokens, tokenizer.eot])
        bounds = [0, *itertools.accumulate(len(group) for group in groups[:-1])]
        last = len(times) - 1
        return tuple(
            Word(times[min(a, last)], times[min(b, last)], text, float(np.mean(probabilities[a:b])))
            for text, a, b in zip(texts[:-1], bounds, bounds[1:], strict=False)
        )

    def _attention(self, mel: Any, line: Any, skip: int, tokens: list[int], eot: int) -> tuple[Any, list[float]]:
        """Run the decoder once over the finished text and listen to the heads that follow the sound."""
        import torch
        from whisper.model import disable_sdpa

        found: dict[int, Any] = {}
        hooks = [
            block.cross_attn.register_forward_hook(lambda _module, _inputs, outputs, index=index: found.__setitem__(index, outputs[-1][0]))
            for index, block in enumerate(self._whisper.decoder.blocks)
        ]
        try:
            with torch.no_grad(), disable_sdpa():
                logits = self._whisper(mel.unsqueeze(0), line.unsqueeze(0))[0]
        finally:
            for hook in hooks:
                hook.remove()
        scores = logits[skip:, :eot].float().softmax(dim=-1)
        probabilities = scores[np.arange(len(tokens)), tokens].tolist()
        heads = self._whisper.alignment_heads.indices().T
        return torch.stack([found[int(layer)][int(head)] for layer, head in heads]).float(), probabilities

    def _tokenizer(self, language: str) -> Any:
        from whisper.tokenizer import get_tokenizer

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # the package leaves its vocabulary file to the garbage collector
            return get_tokenizer(
                self._whisper.is_multilingual, num_languages=self._whisper.num_languages, language=language, task="transcribe"
            )


def _load(path: Path, device: str) -> Any:
    """Build the model from a .pt file, or from a folder in CTranslate2's format."""
    if path.is_dir():
        return _build(state_dict_from_ctranslate2(path), device)
    from whisper import load_model

    try:
        return load_model(str(path), device=device)
    except Exception as error:
        raise ModelError(
            f"could not load {path} with openai-whisper: {error}; give a .pt file of its own or a CTranslate2 folder"
        ) from error


def _build(checkpoint: Checkpoint, device: str) -> Any:
    import torch
    from whisper.model import ModelDimensions, Whisper

    model = Whisper(ModelDimensions(**checkpoint.dims))
    model.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in checkpoint.state.items()})
    heads = torch.zeros(model.dims.n_text_layer, model.dims.n_text_head, dtype=torch.bool)
    for layer, head in checkpoint.alignment_heads:
        heads[layer, head] = True
    model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    return model.eval().to(device)
