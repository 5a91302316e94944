"""How alike two pieces of speech sound: tokens of a text, and the cost of hearing one token for another.

A recogniser writes what it heard with the characters it knows: 连衣裙 becomes 连益群, "Swiftlines" becomes "swift lines".
So texts are compared by sound: a Chinese character by its toneless syllable, split into initial and final, with the classes
that speakers and recognisers confuse at a small cost and the tone at a smaller one; a Latin word by its letters and by a
consonant skeleton; a number by its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["zh", "latin", "number"]

CONFUSED = 0.2
"""Cost of a confusable initial or final (z/zh, n/l, an/ang): the commonest error of speakers and recognisers alike."""
NEAR = 0.35
"""Cost of parts that share their manner or most of their letters (b/p, ian/ie): rarer, still heard."""
DIFFERENT = 0.6
"""Cost of an unrelated initial or final; two of them make a whole substitution."""
TONE = 0.05
"""Cost of a wrong tone: tones are lost first, so they only break ties."""
LATIN_SLOPE = 1.8
"""A Latin word whose letters agree to 1 - x costs 1.8 x: one letter of six costs .3, and half of them cost all."""

_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_CONFUSED_INITIALS = ("zh z", "ch c", "sh s", "n l", "r l", "f h")
_NEAR_INITIALS = ("b p", "d t", "g k", "j q", "zh ch", "z c", "zh j", "ch q", "sh x", "s x", "j z", "q c", "k h", "g h", "m n", "y ", "w ")
_CONFUSED_FINALS = ("an ang", "en eng", "in ing", "ian iang", "uan uang", "un ong", "uo o", "ui ei", "ue uo", "v u", "ong eng", "uan van")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[A-Za-zÀ-ɏ]+(?:['’][A-Za-z]+)*|[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Token:
    """One sounding piece of a text."""

    kind: Kind
    sound: str
    """Toneless syllable, lower-case word, or digits."""
    tone: int
    start: int
    """Index of its first character in the text."""
    end: int
    text: str = ""
    """As it was written."""


@lru_cache(maxsize=65536)
def _syllable(character: str) -> tuple[str, int]:
    from pypinyin import Style, pinyin

    read = pinyin(character, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")
    if not read or not read[0][0]:
        return character, 0
    text = read[0][0].replace("ü", "v")
    return (text[:-1], int(text[-1])) if text[-1].isdigit() else (text, 5)


@lru_cache(maxsize=16384)
def tokens(text: str) -> tuple[Token, ...]:
    """Split a text into tokens that sound: characters, Latin words, numbers; everything else only separates."""
    found = []
    for match in _TOKEN.finditer(text):
        piece, start, end = match.group(), match.start(), match.end()
        if piece[0].isdigit():
            found.append(Token("number", piece, 0, start, end, piece))
        elif piece[0] >= "\u3400" and len(piece) == 1:
            sound, tone = _syllable(piece)
            found.append(Token("zh", sound, tone, start, end, piece))
        else:
            found.append(Token("latin", piece.lower().replace("’", "'"), 0, start, end, piece))
    return tuple(found)


@lru_cache(maxsize=4096)
def split(syllable: str) -> tuple[str, str]:
    """Split a toneless syllable into initial and final; the initial may be empty."""
    initial = next((part for part in _INITIALS if syllable.startswith(part)), "")
    return initial, syllable[len(initial) :]


def _pairs(rows: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    both = set()
    for row in rows:
        left, right = row.split(" ")
        both |= {(left, right), (right, left)}
    return frozenset(both)


_CLASSES = (_pairs(_CONFUSED_INITIALS), _pairs(_NEAR_INITIALS), _pairs(_CONFUSED_FINALS))


@lru_cache(maxsize=262144)
def syllable_cost(left: str, right: str) -> float:
    """Cost in [0, 1] of hearing one toneless syllable for another."""
    if left == right:
        return 0.0
    (a, x), (b, y) = split(left), split(right)
    return min(1.0, _initial_cost(a, b) + _final_cost(x, y))


def _initial_cost(left: str, right: str) -> float:
    confused, near, _ = _CLASSES
    return 0.0 if left == right else CONFUSED if (left, right) in confused else NEAR if (left, right) in near else DIFFERENT


def _final_cost(left: str, right: str) -> float:
    if left == right:
        return 0.0
    if (left, right) in _CLASSES[2]:
        return CONFUSED
    shared = len(set(left) & set(right)) / max(len(set(left) | set(right)), 1)
    return NEAR if shared >= 0.5 and left[:1] == right[:1] else DIFFERENT


def skeleton(word: str) -> str:
    """Reduce a Latin word to how it sounds: consonant classes, vowels only where the word starts."""
    text = word.lower()
    for old, new in _SPELLINGS:
        text = text.replace(old, new)
    text = re.sub(r"[^a-z]", "", text)
    head, tail = text[:1], re.sub(r"[aeiouyhw]", "", text[1:])
    return re.sub(r"(.)\1+", r"\1", (("a" if head in "aeiou" else head) + tail))


_SPELLINGS = (
    ("tion", "shn"),
    ("ph", "f"),
    ("ck", "k"),
    ("gh", "g"),
    ("qu", "kw"),
    ("x", "ks"),
    ("ce", "se"),
    ("ci", "si"),
    ("c", "k"),
    ("z", "s"),
    ("v", "f"),
)


@lru_cache(maxsize=262144)
def latin_cost(left: str, right: str) -> float:
    """Cost in [0, 1] of hearing one Latin word for another; short words have to agree but for a plural."""
    if left == right:
        return 0.0
    if (
        left.rstrip("s") == right.rstrip("s")
        or left.removesuffix("'s") == right.removesuffix("'s")
        or left.removesuffix("es") == right.removesuffix("es")
    ):
        return 0.05
    from rapidfuzz.distance import DamerauLevenshtein

    if min(len(left), len(right)) <= 4:
        return 1.0
    letters = float(DamerauLevenshtein.normalized_distance(left, right))
    a, b = skeleton(left), skeleton(right)
    sound = float(DamerauLevenshtein.normalized_distance(a, b)) if min(len(a), len(b)) >= 3 else 1.0
    return min(1.0, LATIN_SLOPE * (0.6 * letters + 0.4 * sound))


def cost(left: Token, right: Token) -> float:
    """Cost in [0, 1] of hearing one token for another."""
    if left.kind != right.kind:
        return 1.0
    if left.kind == "zh":
        return min(1.0, syllable_cost(left.sound, right.sound) + (TONE if left.tone != right.tone else 0.0))
    if left.kind == "latin":
        return latin_cost(left.sound, right.sound)
    return 0.0 if left.sound == right.sound else 1.0


class _Part:
    """The initials, or the finals, of a text's distinct syllables: few values, so a cost is worked out once per value."""

    def __init__(self, values: Sequence[str]) -> None:
        index: dict[str, int] = {}
        self._codes = np.array([index.setdefault(value, len(index)) for value in values], np.int32)
        self._values = tuple(index)
        self._by_value: dict[str, NDArray[np.float64]] = {}

    def costs(self, value: str, of: Callable[[str, str], float]) -> NDArray[np.float64]:
        """Cost of hearing `value` as the part of each syllable."""
        if value not in self._by_value:
            self._by_value[value] = np.array([of(value, other) for other in self._values], float)[self._codes]
        return self._by_value[value]


def stream_of(texts: Iterable[str]) -> tuple[list[int], tuple[Token, ...]]:
    """Put the tokens of several texts, such as a stream's sentences, one behind the other: the text that owns each, and the tokens."""
    owners: list[int] = []
    stream: list[Token] = []
    for place, text in enumerate(texts):
        found = tokens(text)
        owners += [place] * len(found)
        stream += found
    return owners, tuple(stream)


class Heard:
    """A tokenised text that names can be looked for in, fast: costs are worked out once per pair of distinct tokens."""

    def __init__(self, stream: tuple[Token, ...]) -> None:
        self.stream = stream
        index: dict[tuple[str, str, int], int] = {}
        self._codes = np.fromiter((index.setdefault((t.kind, t.sound, t.tone), len(index)) for t in stream), np.int32, len(stream))
        self._kinds = _distinct(stream, index)
        self._places = {kind: np.flatnonzero([t.kind == kind for t in self._kinds]) for kind in ("zh", "latin", "number")}
        syllables: dict[str, int] = {}
        spoken = [self._kinds[at] for at in self._places["zh"]]
        self._syllable_of = np.array([syllables.setdefault(t.sound, len(syllables)) for t in spoken], np.int32)
        self._tones = np.array([t.tone for t in spoken], np.int32)
        self._initials = _Part([split(syllable)[0] for syllable in syllables])
        self._finals = _Part([split(syllable)[1] for syllable in syllables])
        self._by_syllable: dict[str, NDArray[np.float32]] = {}
        self._costs: dict[tuple[str, str, int], NDArray[np.float32]] = {}

    def _row(self, token: Token) -> NDArray[np.float32]:
        """Cost of hearing a token as each distinct one of the text; `cost` says the same of two."""
        key = (token.kind, token.sound, token.tone)
        if key not in self._costs:
            row, places = np.ones(len(self._kinds), np.float32), self._places[token.kind]
            if token.kind == "zh":
                row[places] = np.minimum(1.0, self._syllable_row(token.sound) + np.where(self._tones != token.tone, np.float32(TONE), 0))
            else:
                row[places] = np.fromiter((cost(token, self._kinds[at]) for at in places), np.float32, len(places))
            self._costs[key] = row
        return self._costs[key]

    def _syllable_row(self, sound: str) -> NDArray[np.float32]:
        if sound not in self._by_syllable:
            initial, final = split(sound)
            parts = self._initials.costs(initial, _initial_cost) + self._finals.costs(final, _final_cost)
            self._by_syllable[sound] = np.minimum(1.0, parts).astype(np.float32)
        return self._by_syllable[sound][self._syllable_of]

    def find(self, name: tuple[Token, ...], least: float, *, gap: float = 0.8) -> tuple[tuple[int, int, float], ...]:
        """Find where a name sounds: (first token, token after the last, score in [least, 1]), best first, none overlapping.

        Edit distance with free ends over the whole stream (Sellers 1980), at most one inserted token between two of the
        name's; `gap` is the cost of a token too many or too few. Score is 1 - distance / length.
        """
        size, length = len(self.stream), len(name)
        if not size or not length:
            return ()
        width = size + 1
        previous, depth = np.zeros(width, np.float32), np.zeros(width, np.int32)
        for token in name:
            step = self._row(token)[self._codes]
            diagonal, skipped = np.full(width, np.inf, np.float32), previous + gap
            diagonal[1:] = previous[:-1] + step
            taken = np.full(width, -1, np.int32)
            taken[1:] = depth[:-1] + 1
            current, length_now = np.where(diagonal <= skipped, diagonal, skipped), np.where(diagonal <= skipped, taken, depth)
            if length >= 3:
                extra = np.full(width, np.inf, np.float32)
                extra[1:] = current[:-1] + gap
                better = extra < current
                longer = np.full(width, 0, np.int32)
                longer[1:] = length_now[:-1] + 1
                current, length_now = np.where(better, extra, current), np.where(better, longer, length_now)
            previous, depth = current, length_now
        scores = (1.0 - previous / length).astype(np.float32)
        return _apart(scores, depth, least)

    def align(self, name: tuple[Token, ...], least: float) -> tuple[tuple[int, int, float], ...]:
        """Find a phrase token by token, none added or left out: as `find`, an order of magnitude cheaper."""
        length, places = len(name), len(self.stream) - len(name) + 1
        if places <= 0 or not length:
            return ()
        total = np.zeros(places, np.float32)
        for offset, token in enumerate(name):
            total += self._row(token)[self._codes[offset : offset + places]]
        scores = np.zeros(len(self.stream) + 1, np.float32)
        scores[length:] = 1.0 - total / length
        return _apart(scores, np.full(len(scores), length, np.int32), least)


def _distinct(stream: tuple[Token, ...], index: dict[tuple[str, str, int], int]) -> list[Token]:
    first: dict[int, Token] = {}
    for token in stream:
        first.setdefault(index[token.kind, token.sound, token.tone], token)
    return [first[code] for code in range(len(index))]


def _apart(scores: NDArray[np.float32], depth: NDArray[np.int32], least: float) -> tuple[tuple[int, int, float], ...]:
    hits: list[tuple[int, int, float]] = []
    candidates = np.flatnonzero(scores >= least - 1e-6)
    for end in candidates[np.argsort(-scores[candidates], kind="stable")]:
        start = int(end - depth[end])
        if start < end and all(end <= first or start >= last for first, last, _ in hits):
            hits.append((start, int(end), float(min(scores[end], 1.0))))
    return tuple(hits)
