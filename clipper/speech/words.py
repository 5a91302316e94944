"""From the characters a recognizer wrote to words with sound times, and from words to sentences.

Attention tells roughly when a character was said, and drags words across pauses; voice activity tells exactly when somebody
began and stopped speaking, and nothing about words. Here words are laid onto the runs of speech by dynamic programming, so
that a word at the edge of a pause starts or ends where the voice does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from clipper.values import Sentence, Span, Word

PAUSE_S = 0.15
"""Shorter gaps between runs of speech are stops inside words, not pauses."""
REACH_S = 0.6
"""How far the first and last word of a run are drawn to the voice's edge."""
MIN_CHAR_S = 0.04

SENTENCE_PAUSE_S = 0.35
MAX_SENTENCE_S = 12.0
LONG_SENTENCE_S = 7.0
"""From this length on, a sentence is split at a comma with a pause."""

_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_IS_CJK = re.compile(f"[{_CJK}]")
_STOPS = "。！？；!?;…"
_COMMAS = "，,、：:"
_OPENING = re.escape("\"'“‘(（[【《<$¥€£#@+-")
_FULL_WIDTH = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；", ":": "："})


@dataclass(frozen=True, slots=True)
class Unit:
    """A word on its way: the text with its punctuation, and when attention says it was spoken."""

    start: float
    end: float
    text: str
    probability: float

    @property
    def mark(self) -> str:
        """The punctuation at the end; empty when there is none."""
        tail = self.text.rstrip()[-1:]
        return tail if tail and not tail.isalnum() else ""

    @property
    def letters(self) -> int:
        """Characters that are spoken."""
        return max(sum(char.isalnum() for char in self.text), 1)


def words_of(pieces: Sequence[Word], runs: Sequence[Span], language: str, names: Sequence[str] = ()) -> tuple[Word, ...]:
    """Turn one window's pieces into words: ordered, never overlapping, never across a pause.

    Pieces and runs are on the recording's clock. Chinese is written in Simplified characters and cut into words by jieba,
    which is told the catalogue's names.
    """
    units = units_of(simplified(pieces, language), language, names)
    if not units or not runs:
        return ()
    found: list[Word] = []
    for run, members in lay_on_runs(units, joined(runs)):
        found += _timed(run, members)
    return tuple(found)


def simplified(pieces: Sequence[Word], language: str) -> tuple[Word, ...]:
    """Write Chinese in Simplified characters, and its punctuation full-width."""
    if language not in ("zh", "yue"):
        return tuple(pieces)
    text = "".join(piece.text for piece in pieces)
    converted: str = _converter().convert(text)
    if len(converted) != len(text):
        converted = "".join(part if len(part := _converter().convert(char)) == 1 else char for char in text)
    converted = re.sub(rf"(?<=[{_CJK}])[,?!;:]|[,?!;:](?=[{_CJK}])", lambda match: match.group().translate(_FULL_WIDTH), converted)
    converted = re.sub(rf"(?<=[{_CJK}])\.(?![0-9A-Za-z])", "。", converted)
    at = 0
    rewritten: list[Word] = []
    for piece in pieces:
        rewritten.append(replace(piece, text=converted[at : at + len(piece.text)]))
        at += len(piece.text)
    return tuple(rewritten)


def units_of(pieces: Sequence[Word], language: str, names: Sequence[str] = ()) -> list[Unit]:
    """Join pieces into words: Chinese by jieba, spaced scripts at their spaces; punctuation joins the word before it."""
    chars = [char for piece in pieces for char in _chars(piece)]
    text = "".join(char.text for char in chars)
    units: list[Unit] = []
    at = 0
    for part in _parts(text, language, tuple(names)):
        members = chars[at : at + len(part)]
        at += len(part)
        spoken = [char for char in members if char.text.isalnum()]
        if not spoken and (units or not part.strip()):
            if units:
                units[-1] = replace(units[-1], text=units[-1].text + part)
            continue
        spoken = spoken or members
        probability = sum(char.probability for char in spoken) / len(spoken)
        units.append(Unit(spoken[0].start, spoken[-1].end, part, probability))
    return units


def joined(runs: Sequence[Span]) -> list[Span]:
    """Join runs of speech that no pause separates."""
    merged: list[Span] = []
    for run in sorted(runs):
        if merged and run.start - merged[-1].end < PAUSE_S:
            merged[-1] = Span(merged[-1].start, max(run.end, merged[-1].end))
        else:
            merged.append(run)
    return merged


def lay_on_runs(units: Sequence[Unit], runs: Sequence[Span]) -> list[tuple[Span, list[Unit]]]:
    """Give every word to a run of speech, in order, at the least total displacement.

    A word pays its distance from the run, a change of run after a comma or full stop is favoured, and a run that gets no
    word pays for its length.
    """
    infinite = float("inf")
    skips = [0.0]
    for run in runs:
        skips.append(skips[-1] + 0.3 * run.duration)
    cost = [_distance(units[0], run) + skips[index] for index, run in enumerate(runs)]
    back: list[list[int]] = []
    for before, unit in pairwise(units):
        change = -0.15 if before.mark else 0.1
        best, best_from = infinite, 0
        fresh: list[float] = []
        origin: list[int] = []
        for index, run in enumerate(runs):
            stay, move = cost[index], best + skips[index] + change
            fresh.append(min(stay, move) + _distance(unit, run))
            origin.append(index if stay <= move else best_from)
            if cost[index] - skips[index + 1] < best:
                best, best_from = cost[index] - skips[index + 1], index
        cost = fresh
        back.append(origin)
    at = min(range(len(runs)), key=lambda index: cost[index] + skips[-1] - skips[index + 1])
    chosen = [at]
    for origin in reversed(back):
        chosen.append(origin[chosen[-1]])
    chosen.reverse()
    return [
        (run, members)
        for index, run in enumerate(runs)
        if (members := [unit for unit, mine in zip(units, chosen, strict=True) if mine == index])
    ]


def sentences_of(words: Sequence[Word]) -> tuple[Sentence, ...]:
    """Cut words into sentence-like units: at full stops, at pauses from 0.35 s, at commas where they grow long, 12 s at most."""
    found: list[Sentence] = []
    current: list[Word] = []
    for word in words:
        if current and _ends_here(current, word):
            found += _capped(current)
            current = []
        current.append(word)
    return (*found, *_capped(current))


def _ends_here(current: Sequence[Word], following: Word) -> bool:
    last = current[-1]
    tail, pause = last.text.rstrip()[-1:], following.start - last.end
    if pause >= SENTENCE_PAUSE_S or (tail and tail in _STOPS):
        return True
    if tail == "." and following.text.startswith(" "):
        return True
    return bool(tail) and tail in _COMMAS and pause >= PAUSE_S and last.end - current[0].start >= LONG_SENTENCE_S


def _capped(words: Sequence[Word]) -> Iterator[Sentence]:
    """Halve what is too long at its best gap: a pause, a comma, and not too near an end."""
    if not words:
        return
    length = words[-1].end - words[0].start
    if length <= MAX_SENTENCE_S or len(words) == 1:
        yield Sentence(tuple(words))
        return

    def worth(index: int) -> float:
        middle = 1 - abs(2 * (words[index].start - words[0].start) / length - 1)
        comma = words[index - 1].text.rstrip()[-1:] in _COMMAS
        return min(words[index].start - words[index - 1].end, 0.5) + 0.4 * comma + 0.5 * middle

    cut = max(range(1, len(words)), key=worth)
    yield from _capped(words[:cut])
    yield from _capped(words[cut:])


def _chars(piece: Word) -> Iterator[Word]:
    """Split a piece into characters that share its time evenly."""
    spoken = max(sum(char.isalnum() for char in piece.text), 1)
    step = (piece.end - piece.start) / spoken
    at = piece.start
    for char in piece.text:
        end = at + step if char.isalnum() else at
        yield Word(at, min(end, piece.end), char, piece.probability)
        at = min(end, piece.end)


def _parts(text: str, language: str, names: tuple[str, ...]) -> Iterator[str]:
    """Cut a text into words and punctuation, losing no character."""
    for match in re.finditer(rf"[{_CJK}]+|\s*[^\s{_CJK}]+|\s+", text):
        part = match.group()
        if _IS_CJK.match(part):
            yield from _segmenter(names).lcut(part) if language in ("zh", "yue") else list(part)
        else:
            yield from _marks_apart(part)


def _marks_apart(part: str) -> Iterator[str]:
    """Split punctuation from a word of a spaced script; marks that open something stay with the word they open."""
    match = re.fullmatch(rf"(\s*[^\w{_OPENING}]*)([{_OPENING}]*)(.*?)(\W*)", part, re.DOTALL)
    assert match
    before, opening, core, after = match.groups()
    if not core:
        yield part
        return
    if before.strip():
        yield before
        yield opening + core
    else:
        yield before + opening + core
    if after:
        yield after


@lru_cache(maxsize=4)
def _segmenter(names: tuple[str, ...]) -> Any:
    """A segmenter of our own: the catalogue of one stream must not change how another one is cut."""
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    segmenter = jieba.Tokenizer()
    for name in names:
        segmenter.add_word(name)
    return segmenter


@lru_cache(maxsize=1)
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def _distance(unit: Unit, run: Span) -> float:
    """Seconds that the middle of a word lies outside a run."""
    middle = (unit.start + unit.end) / 2
    return max(run.start - middle, middle - run.end, 0.0)


def _timed(run: Span, units: Sequence[Unit]) -> list[Word]:
    """Set the times of the words of one run: edges drawn to the voice, inner bounds monotone, none too short to be said."""
    first, last = units[0], units[-1]
    start = run.start if first.start - run.start < REACH_S else first.start
    end = run.end if run.end - last.end < REACH_S else last.end
    start, end = min(max(start, run.start), run.end), min(max(end, run.start), run.end)
    least = [MIN_CHAR_S * unit.letters for unit in units]
    if end - start < sum(least):
        start, end = _widened(run, start, end, sum(least))
        scale = (end - start) / sum(least)
        least = [value * min(scale, 1.0) for value in least]
    bounds = [start, *(unit.start for unit in units[1:]), end]
    for index, value in enumerate(least):
        if index < len(least) - 1:
            bounds[index + 1] = max(bounds[index + 1], bounds[index] + value)
    for index in range(len(least) - 1, 0, -1):
        bounds[index] = min(bounds[index], bounds[index + 1] - least[index])
    return [
        Word(bounds[index], bounds[index + 1], unicodedata.normalize("NFC", unit.text), unit.probability)
        for index, unit in enumerate(units)
    ]


def _widened(run: Span, start: float, end: float, needed: float) -> tuple[float, float]:
    """Make room inside a run, or give the whole run when it is too short for what was written."""
    if run.duration <= needed:
        return run.start, run.end
    missing = needed - (end - start)
    start = max(run.start, start - missing / 2)
    return start, min(run.end, max(end, start + needed))
