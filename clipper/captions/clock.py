"""A plan's captions on the clip's clock: what is shown from when to when, and when each piece of it is spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from clipper.captions.lines import unprintable
from clipper.values import CaptionLine, Plan, Span, ms

GAP_S = 0.067
"""Two frames at 30 fps: events that met at a joint are kept apart by this."""
_SHORTEST_S = 0.1


@dataclass(frozen=True, slots=True)
class Piece:
    """A few characters that light up together; seconds on the clip's clock."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One caption event on the clip's clock."""

    start: float
    end: float
    rows: tuple[tuple[Piece, ...], ...]
    """Display lines, top first."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The display lines as plain text."""
        return tuple("".join(piece.text for piece in row).strip() for row in self.rows)


@dataclass(slots=True)
class _Char:
    text: str
    start: float
    end: float
    word: int


def shown(plan: Plan) -> tuple[Shown, ...]:
    """Map a plan's caption lines onto the clip's clock, sorted and disjoint.

    What was said outside the plan's sources is left out; a line that several sources show appears in each.
    """
    events: list[Shown] = []
    offset = 0.0
    for source in plan.sources:
        found = [_in_source(line, source, offset) for line in plan.captions]
        events += sorted((event for event in found if event), key=lambda event: event.start)
        offset += source.duration
    return tuple(_apart(events))


def _in_source(line: CaptionLine, source: Span, offset: float) -> Shown | None:
    if min(line.end, source.end) - max(line.start, source.start) < _SHORTEST_S:
        return None
    rows = [[piece for piece in row if source.holds((piece.start + piece.end) / 2)] for row in pieces(line)]
    rows = [row for row in rows if "".join(piece.text for piece in row).strip()]
    if not rows:
        return None
    whole = len([piece for row in pieces(line) for piece in row]) == sum(map(len, rows))
    first, last = rows[0][0], rows[-1][-1]
    start = max(line.start if whole else min(max(line.start, first.start), last.start), source.start)
    end = min(line.end, source.end)
    shift = offset - source.start

    def moved(piece: Piece) -> Piece:
        return Piece(piece.text, ms(max(piece.start, start) + shift), ms(min(max(piece.end, start), end) + shift))

    return Shown(ms(start + shift), ms(end + shift), tuple(tuple(moved(piece) for piece in row) for row in rows))


def _apart(events: Sequence[Shown]) -> list[Shown]:
    """Shorten events that would stand on the screen together with the next one."""
    out: list[Shown] = []
    for number, event in enumerate(events):
        after = events[number + 1].start - GAP_S if number + 1 < len(events) else event.end
        end = event.end if event.end <= after else max(after, event.start + _SHORTEST_S / 2)
        if end - event.start >= _SHORTEST_S / 2:
            out.append(Shown(event.start, ms(end), event.rows))
    return out


def pieces(line: CaptionLine) -> list[list[Piece]]:
    """Time a line's text on the recording's clock, a list of pieces for each display line.

    Characters that were recognised keep their word's time; what an editor changed is spread over the time that is left.
    """
    chars = _timed_chars(line)
    rows: list[list[Piece]] = [[]]
    open_word = -2
    for char in chars:
        if char.text == "\n":
            rows.append([])
            open_word = -2
        elif rows[-1] and (not char.text.isalnum() or _belongs(char, rows[-1][-1], open_word)):
            last = rows[-1][-1]
            end = max(last.end, char.end) if char.text.isalnum() else last.end
            rows[-1][-1] = Piece(last.text + char.text, last.start, end)
        else:
            rows[-1].append(Piece(char.text, char.start, char.end))
        if char.text.isalnum():
            open_word = char.word
    return [row for row in rows if row]


def _belongs(char: _Char, piece: Piece, open_word: int) -> bool:
    """Join characters of one recognised word; of an edited stretch two full-width characters or one Latin word."""
    if char.word != open_word or (char.word < 0 and piece.text[-1:].isspace()):
        return False
    return char.word >= 0 or char.text.isascii() or len(piece.text) < 2


def _timed_chars(line: CaptionLine) -> list[_Char]:
    text = "".join(
        " " if char == "\t" else char
        for char in line.text.replace("\r\n", "\n").replace("\r", "\n")
        if char in "\n\t" or not unprintable(char)
    )
    chars = [_Char(char, 0.0, 0.0, -1) for char in text]
    spoken = [
        _Char(char, word.start + i * step, word.start + (i + 1) * step, number)
        for number, word in enumerate(line.words)
        for step in [(word.end - word.start) / max(len(word.text), 1)]
        for i, char in enumerate(word.text)
        if char.isalnum()
    ]
    letters = [char for char in chars if char.text.isalnum()]
    same = SequenceMatcher(None, [char.text.casefold() for char in letters], [char.text.casefold() for char in spoken], autojunk=False)
    for block in same.get_matching_blocks():
        for step in range(block.size):
            heard = spoken[block.b + step]
            target = letters[block.a + step]
            target.start, target.end, target.word = heard.start, heard.end, heard.word
    _spread(letters, line.start, line.end)
    _lend(chars, line.start)
    return chars


def _spread(letters: Sequence[_Char], start: float, end: float) -> None:
    """Share out the time between timed neighbours among letters that have none."""
    at = 0
    while at < len(letters):
        if letters[at].word >= 0:
            at += 1
            continue
        stop = at
        while stop < len(letters) and letters[stop].word < 0:
            stop += 1
        low = letters[at - 1].end if at else start
        high = letters[stop].start if stop < len(letters) else max(end, low)
        step = max(high - low, 0.0) / (stop - at)
        for number in range(at, stop):
            letters[number].start = low + (number - at) * step
            letters[number].end = low + (number - at + 1) * step
        at = stop


def _lend(chars: Sequence[_Char], start: float) -> None:
    """Give punctuation and spaces the instant at which the letter before them ends."""
    last = start
    for char in chars:
        if char.text.isalnum():
            last = char.end
        else:
            char.start = char.end = last
