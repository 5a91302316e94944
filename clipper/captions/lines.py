"""Which words stand on the screen together, and from when to when.

A dynamic programme over the words chooses the events: they end at punctuation and pauses, fit two display lines, and stay
long enough to be read. Limits follow the timed-text guides of the large platforms (5/6 s to 7 s, two frames between events).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clipper.captions.breaks import break_cost, ems, tokens, wrap
from clipper.errors import InputError
from clipper.values import CaptionLine, Product, Sentence, Word, ms

HARD_PAUSE_S = 0.8
"""No event spans a silence longer than this."""
_DROPPED = "，。、；：,.;:…～~"
"""Chinese platforms write none of these at the end of a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionOptions:
    """How captions are cut from speech."""

    max_em: float = 12.0
    """Width of one display line in em: Chinese characters a line, about twice as many Latin ones. 4 to 30."""
    min_s: float = 0.833
    """An event stays at least this long; seconds, 0.1 to 3."""
    max_s: float = 7.0
    """An event stays at most this long; seconds, more than `min_s`."""
    gap_s: float = 0.067
    """Least time between two events: two frames at 30 fps; seconds, 0 to 1."""
    linger_s: float = 0.3
    """An event may stay this long after its last word; seconds, 0 to 3."""
    chars_per_s: float = 9.0
    """Reading speed that is aimed at, in full-width characters a second; 2 to 40."""

    def __post_init__(self) -> None:
        bounds = {"max_em": (4, 30), "min_s": (0.1, 3), "gap_s": (0, 1), "linger_s": (0, 3), "chars_per_s": (2, 40)}
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} = {getattr(self, name)}: expected {low} to {high}")
        if self.max_s <= self.min_s:
            raise InputError(f"max_s = {self.max_s}: expected more than min_s = {self.min_s}")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A token of the text with its time."""

    text: str
    start: float
    end: float
    closes: bool
    """Whether a sentence ends with it."""
    width: float
    """In em."""
    tail: float
    """Part of the width that falls away at the end of a display line: spaces, and commas in Chinese."""


def lines(sentences: Sequence[Sentence], products: Sequence[Product], language: str, options: CaptionOptions) -> tuple[CaptionLine, ...]:
    """Cut sentences into caption events on the recording's clock, sorted and disjoint.

    A line's text holds at most two display lines, parted by a newline; its words are the tokens that light up in turn.
    """
    names = _names(products)
    units = _monotone([unit for sentence in sentences for unit in _units(sentence, names, _dropped(language))])
    groups = [units[begin:end] for begin, end in _partition(units, options)]
    return tuple(line for line in _timed(groups, language, options) if line.text)


def _dropped(language: str) -> str:
    """What is not written at the end of a display line."""
    return _DROPPED + " " if language in ("zh", "ja", "yue", "") else " "


def _names(products: Sequence[Product]) -> tuple[str, ...]:
    parts = [part for product in products for part in (*product.aliases, product.brand, *re.split(r"[\s,，]+", product.title))]
    return tuple(sorted({part for part in parts if 1 < len(part) <= 12}))


def _units(sentence: Sentence, names: tuple[str, ...], dropped: str) -> list[_Unit]:
    """Give every token of a sentence the time of its characters."""
    clock: list[tuple[str, float, float]] = []
    for word in sentence.words:
        step = (word.end - word.start) / max(len(word.text), 1)
        for number, char in enumerate(word.text):
            if unprintable(char) or (char.isspace() and (not clock or clock[-1][0] == " ")):
                continue
            clock.append((" " if char.isspace() else char, word.start + number * step, word.start + (number + 1) * step))
    pieces = tokens("".join(char for char, _, _ in clock), names)
    units, place = [], 0
    for number, piece in enumerate(pieces, 1):
        body = len(piece.rstrip(_DROPPED + "?!？！ ")) or len(piece)
        size = ems(piece)
        tail = size - ems(piece.rstrip(dropped))
        units.append(_Unit(piece, clock[place][1], clock[place + body - 1][2], number == len(pieces), size, tail))
        place += len(piece)
    return units


def unprintable(char: str) -> bool:
    """Say whether a character is a control, a surrogate, or rewrites its surroundings (bidi overrides, zero-width)."""
    code = ord(char)
    return (
        (code < 32 and not char.isspace())
        or 0x7F <= code < 0xA0
        or 0xD800 <= code < 0xE000
        or 0x200B <= code < 0x2010
        or 0x2028 <= code < 0x202F
    )


def _monotone(units: Sequence[_Unit]) -> list[_Unit]:
    """Keep recognised times from running backwards."""
    out: list[_Unit] = []
    last = 0.0
    for unit in units:
        start = max(unit.start, last)
        last = max(start, unit.end)
        out.append(replace(unit, start=start, end=last))
        last = start if unit.end < start else last
    return out


def _partition(units: Sequence[_Unit], options: CaptionOptions) -> list[tuple[int, int]]:
    """Choose the events with the least total cost; linear in the speech's length, as an event is bounded."""
    best = [0.0] + [float("inf")] * len(units)
    origin = [0] * (len(units) + 1)
    for end in range(1, len(units) + 1):
        size = 0.0
        for begin in range(end - 1, -1, -1):
            size += units[begin].width
            if begin < end - 1 and not _may_share(units, begin, end, size, options):
                break
            cost = best[begin] + _cost(units, begin, end, size, options)
            if cost < best[end]:
                best[end], origin[end] = cost, begin
    cuts, end = [], len(units)
    while end > 0:
        cuts.append((origin[end], end))
        end = origin[end]
    return cuts[::-1]


def _may_share(units: Sequence[_Unit], begin: int, end: int, size: float, options: CaptionOptions) -> bool:
    if size > 2 * options.max_em + 1 or units[end - 1].end - units[begin].start > options.max_s:
        return False
    return units[begin + 1].start - units[begin].end <= HARD_PAUSE_S


def _cost(units: Sequence[_Unit], begin: int, end: int, size: float, options: CaptionOptions) -> float:
    """Price one event: one line is best, two are allowed, and it should end where the speaker breathes."""
    cost = 1.0
    if size - units[end - 1].tail > options.max_em:
        inside = _inner_break(units, begin, end, options.max_em)
        cost += 50.0 if inside is None else 1.2 + 0.5 * inside
    cost += _edge(units, end)
    inner = range(begin + 1, end)
    cost += sum(1.5 for at in inner if units[at - 1].closes) + sum(0.15 for at in inner if break_cost(units[at - 1].text, "x") == 0)
    room = _room(units, end, options) - units[begin].start
    if room < options.min_s - 0.001:
        cost += 2.0 + 6.0 * (options.min_s - room) / options.min_s
    cost += 0.8 * max(0.0, 3.0 - size) / 3.0
    return cost + 0.3 * max(0.0, size / max(room, 0.1) - options.chars_per_s)


def _inner_break(units: Sequence[_Unit], begin: int, end: int, limit: float) -> float | None:
    """Price the best place to break an event into two display lines; None when two do not hold it."""
    prices = []
    left = 0.0
    total = sum(unit.width for unit in units[begin:end]) - units[end - 1].tail
    for at in range(begin + 1, end):
        left += units[at - 1].width
        if left - units[at - 1].tail <= limit and total - left <= limit:
            prices.append(break_cost(units[at - 1].text, units[at].text))
    return min(prices, default=None)


def _edge(units: Sequence[_Unit], end: int) -> float:
    if end == len(units) or units[end - 1].closes:
        return 0.0
    pause = units[end].start - units[end - 1].end
    price = break_cost(units[end - 1].text, units[end].text)
    return 0.1 if price == 0 else 0.8 * price * (0.4 if pause > 0.2 else 1.0)


def _room(units: Sequence[_Unit], end: int, options: CaptionOptions) -> float:
    """Latest instant at which an event that ends before unit `end` may go."""
    last = units[end - 1].end
    after = units[end].start - options.gap_s if end < len(units) else last + options.min_s
    return max(last - options.gap_s, min(after, last + options.min_s))


def _timed(groups: Sequence[Sequence[_Unit]], language: str, options: CaptionOptions) -> list[CaptionLine]:
    out: list[CaptionLine] = []
    for number, group in enumerate(groups):
        start, last = group[0].start, group[-1].end
        after = groups[number + 1][0].start - options.gap_s if number + 1 < len(groups) else last + options.min_s + options.linger_s
        size = sum(unit.width for unit in group)
        wanted = max(last + options.linger_s, start + options.min_s, start + size / options.chars_per_s)
        end = min(wanted, after, start + options.max_s)
        floor = out[-1].end + options.gap_s if out else 0.0
        if end - start < options.min_s:
            start = max(min(start, floor) if floor > start else floor, end - options.min_s, start - options.linger_s)
        start = max(start, floor)
        if end <= start:
            end = start + 0.04
        words = tuple(Word(unit.start, unit.end, unit.text) for unit in group)
        out.append(CaptionLine(start=ms(start), end=ms(end), text=_text(group, language, options), words=words))
    return out


def _text(group: Sequence[_Unit], language: str, options: CaptionOptions) -> str:
    dropped = _dropped(language)
    rows = wrap([unit.text for unit in group], options.max_em, dropped=dropped)
    if len(dropped) > 1:
        rows = [re.sub(r"[。；]\s*", " ", row.strip(dropped)) for row in rows]
    return "\n".join(row.strip() for row in rows if row.strip())
