"""What a sentence does: moves on, previews, quotes a price, urges, greets, chats.

The phrases are data (`lexicon/<language>.toml`): general language of sellers, matched by sound in Mandarin and by whole
words elsewhere. What no row of words can say (a result, a countdown) stands there too, as regular expressions. A language
without a lexicon has no cues, and the other channels decide.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from clipper.detect.sounds import Heard, stream_of, tokens
from clipper.values import Sentence

FUZZY_FROM = 3
"""Characters from which a Mandarin phrase may be misheard; shorter ones occur by chance."""
LEAST = 0.86
"""Score from which a phrase counts: two confusable syllables in four."""
LEAST_SHORT = 0.92
"""The same for three syllables: one confusable (z for zh), and no more."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase heard in one sentence."""

    kind: str
    sentence: int
    start: int
    """Index of its first character in the sentence's text."""
    end: int
    text: str


@lru_cache(maxsize=8)
def lexicon(language: str) -> Mapping[str, tuple[str, ...]]:
    """Read the phrases of a language by what they do; empty for a language without a table."""
    return {kind: tuple(phrases) for kind, phrases in _table(language).items() if kind != "patterns"}


@lru_cache(maxsize=32)
def pattern(kind: str) -> re.Pattern[str]:
    """Join the expressions of a kind over all languages, for hosts mix them: one that nothing matches where no lexicon has the kind."""
    tables = (_table(language).get("patterns", {}) for language in languages())
    return re.compile("|".join(expression for table in tables for expression in table.get(kind, ())) or r"(?!)", re.IGNORECASE)


def counts_down(text: str) -> bool:
    """Tell whether a text counts down, or up, to the opening of an offer."""
    return pattern("count").search(text) is not None


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """List the languages that have a lexicon, sorted."""
    names = (path.name for path in (files("clipper.detect") / "lexicon").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml") and name != "nouns.toml"))


@lru_cache(maxsize=8)
def _table(language: str) -> Mapping[str, Any]:
    path = files("clipper.detect") / "lexicon" / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def find_cues(sentences: tuple[Sentence, ...], language: str) -> tuple[Cue, ...]:
    """Find the cues of every sentence, sorted by sentence and place; the longer of two overlapping ones of a kind stays."""
    table = lexicon(language)
    chinese = language == "zh"
    return _longest([*_exact(sentences, table), *_by_sound(sentences, table)] if chinese else _by_words(sentences, table))


def counts(cues: tuple[Cue, ...], size: int) -> Mapping[str, np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Count the cues of each kind per sentence: int32 (size,)."""
    table: dict[str, np.ndarray[tuple[int], np.dtype[np.int32]]] = {}
    for cue in cues:
        table.setdefault(cue.kind, np.zeros(size, np.int32))[cue.sentence] += 1
    return table


def _exact(sentences: tuple[Sentence, ...], table: Mapping[str, tuple[str, ...]]) -> list[Cue]:
    kinds = {phrase: kind for kind, phrases in table.items() for phrase in phrases}
    pattern = _any_of(tuple(kinds))
    return [
        Cue(kinds[match.group()], place, match.start(), match.end(), match.group())
        for place, sentence in enumerate(sentences)
        for match in pattern.finditer(sentence.text)
    ]


@lru_cache(maxsize=8)
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(phrases, key=len, reverse=True))) or r"(?!)")


def _by_sound(sentences: tuple[Sentence, ...], table: Mapping[str, tuple[str, ...]]) -> list[Cue]:
    owners, stream = stream_of(sentence.text for sentence in sentences)
    heard = Heard(stream)
    found = []
    for kind, phrases in table.items():
        for phrase in phrases:
            if len(phrase) < FUZZY_FROM:
                continue
            for start, end, _ in heard.align(tokens(phrase), LEAST if len(phrase) > FUZZY_FROM else LEAST_SHORT):
                if owners[start] == owners[end - 1]:
                    first, last = stream[start], stream[end - 1]
                    text = sentences[owners[start]].text[first.start : last.end]
                    found.append(Cue(kind, owners[start], first.start, last.end, text))
    return found


def _by_words(sentences: tuple[Sentence, ...], table: Mapping[str, tuple[str, ...]]) -> list[Cue]:
    kinds = {_plain(phrase): kind for kind, phrases in table.items() for phrase in phrases}
    longest = max((len(phrase.split()) for phrase in kinds), default=0)
    found = []
    for place, sentence in enumerate(sentences):
        words = [(m.start(), m.end(), _plain(m.group())) for m in re.finditer(r"[\w'’]+", sentence.text)]
        whole = [_plain(_CLITIC.sub("", sentence.text[start:end])) for start, end, _ in words]
        for size in range(1, longest + 1):
            for first in range(len(words) - size + 1):
                phrase = " ".join(word for _, _, word in words[first : first + size])
                phrase = phrase if phrase in kinds else " ".join((*phrase.split()[:-1], whole[first + size - 1]))
                if phrase in kinds:
                    start, end = words[first][0], words[first + size - 1][1]
                    found.append(Cue(kinds[phrase], place, start, end, sentence.text[start:end]))
    return found


_CLITIC = re.compile(r"['’](?:s|re|ve|ll|d)$", re.IGNORECASE)
"""What is shortened onto the last word of a phrase: "somebody's back", "this one's"."""


def _plain(text: str) -> str:
    return re.sub(r"['’\-]", "", text.lower()).strip()


def _longest(cues: list[Cue]) -> tuple[Cue, ...]:
    """Keep the longest of overlapping cues: 没有了 is urgency, not what 有了 would be."""
    kept: list[Cue] = []
    taken: dict[int, list[tuple[int, int]]] = {}
    for cue in sorted(cues, key=lambda c: (c.sentence, c.start - c.end, c.start)):
        spans = taken.setdefault(cue.sentence, [])
        if all(cue.end <= start or end <= cue.start for start, end in spans):
            spans.append((cue.start, cue.end))
            kept.append(cue)
    return tuple(sorted(kept, key=lambda c: (c.sentence, c.start)))
