"""What a recogniser makes of speech: wrong characters that sound alike, lost and doubled ones, loose times, no full stops."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from clipper.values import Word

SUBSTITUTED, DELETED = 0.61, 0.34
"""Shares of errors; the rest are insertions."""
SOUNDS_ALIKE = 0.65
"""Share of substitutions by a character of the same or a confusable syllable."""
NAME_FACTOR = 2.0
"""Names are misheard this much more often than other words."""
SAME_AGAIN = 0.5
"""Share of a name's errors that repeat how it was misheard before: a recogniser errs alike on the same sounds."""
JITTER_S, LOOSE, LOOSE_S = 0.08, 0.03, 0.5
"""Deviation of word times; share of words that are off by more, and by how much."""
_CONFUSED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l"), ("f", "h"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))


@dataclass(frozen=True, slots=True)
class Line:
    """What was said, and when."""

    start: float
    end: float
    text: str
    names: tuple[str, ...] = ()
    """Product names inside the text."""
    stops: bool = True
    """A statement ends here, and not only a breath."""
    noisy: float = 1.0
    """How much worse than usual it is heard."""


@lru_cache(maxsize=1)
def _characters() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """List the 3755 commonest characters (GB 2312, first level) by how they sound."""
    from pypinyin import lazy_pinyin

    text = "".join(bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    sounds = {char: lazy_pinyin(char)[0] for char in text}
    by_sound: dict[str, list[str]] = {}
    for char, sound in sounds.items():
        by_sound.setdefault(sound, []).append(char)
    return sounds, {sound: tuple(chars) for sound, chars in by_sound.items()}


@lru_cache(maxsize=4096)
def alike(character: str) -> tuple[str, ...]:
    """List the characters that sound the same or nearly so."""
    sounds, by_sound = _characters()
    sound = sounds.get(character)
    if sound is None:
        return ()
    near = {sound}
    for left, right in _CONFUSED:
        for a, b in ((left, right), (right, left)):
            if sound.startswith(a) and not (len(a) == 1 and sound.startswith(a + "h")):
                near.add(b + sound[len(a) :])
    for left, right in _FINALS:
        for a, b in ((left, right), (right, left)):
            near |= {s[: -len(a)] + b for s in set(near) if s.endswith(a)}
    return tuple(c for s in sorted(near) for c in by_sound.get(s, ()) if c != character)


class Recogniser:
    """Hears one stream; `cer` is its share of wrong characters outside names."""

    def __init__(self, rng: random.Random, cer: float, punctuates: bool) -> None:
        self.rng, self.cer, self.punctuates = rng, cer, punctuates
        self._habits: dict[str, str] = {}
        self._all = tuple(_characters()[0])

    def hear(self, lines: list[Line]) -> tuple[Word, ...]:
        """Write the words of all lines, in order and never overlapping."""
        words: list[Word] = []
        for line in lines:
            words += self._words(line, self._written(line.text, self._names(line), self.cer * line.noisy))
        return _ordered(words)

    def _names(self, line: Line) -> list[tuple[int, int]]:
        spans = []
        for name in line.names:
            at = line.text.find(name)
            if at >= 0:
                spans.append((at, at + len(name)))
        return spans

    def _written(self, text: str, names: list[tuple[int, int]], cer: float) -> list[str]:
        """Give what is written for each character said; what was lost is empty, what was added is appended."""
        heard = list(text)
        for at, char in enumerate(text):
            if not "\u3400" <= char <= "\u9fff" or any(a <= at < b for a, b in names):
                continue
            if self.rng.random() < cer:
                heard[at] = self._error(char)
        for first, last in names:
            name = text[first:last]
            known = self._habits.get(name)
            if known is not None and self.rng.random() < SAME_AGAIN:
                heard[first:last] = [known, *[""] * (last - first - 1)]
                continue
            taken = [self._error(c) if self.rng.random() < NAME_FACTOR * cer else c for c in name]
            heard[first:last] = taken
            if "".join(taken) != name:
                self._habits[name] = "".join(taken)
        return heard

    def _error(self, char: str) -> str:
        kind = self.rng.random()
        if kind < SUBSTITUTED:
            same = alike(char)
            return self.rng.choice(same if same and self.rng.random() < SOUNDS_ALIKE else self._all)
        return "" if kind < SUBSTITUTED + DELETED else char + self.rng.choice(self._all)

    def _words(self, line: Line, heard: list[str]) -> list[Word]:
        size = max(len(heard), 1)
        each = (line.end - line.start) / size
        words, at = [], 0
        while at < len(heard):
            take = 1 if self.rng.random() < 0.4 else 2
            text = "".join(heard[at : at + take])
            if text:
                off = self.rng.gauss(0, JITTER_S) + (self.rng.choice((-1, 1)) * LOOSE_S if self.rng.random() < LOOSE else 0.0)
                off = 0.0 if at == 0 or at + take >= len(heard) else off  # the voice's own edges are known from the sound
                words.append(Word(max(0.0, line.start + at * each + off), line.start + min(at + take, size) * each + off, text))
            at += take
        if words:
            mark = (self.rng.choice("。。。！？") if line.stops else "，") if self.punctuates else ""
            words[-1] = Word(words[-1].start, words[-1].end, words[-1].text + mark)
        return words


def _ordered(words: list[Word]) -> tuple[Word, ...]:
    found: list[Word] = []
    last = 0.0
    for word in words:
        start = max(word.start, last)
        end = max(word.end, start + 0.03)
        found.append(Word(start, end, word.text))
        last = found[-1].end
    return tuple(found)
