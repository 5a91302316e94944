"""What is written over a product's video, and when: each text stays long enough to be read, none hides behind another.

title ─────────┐                points, one after another ──┐
               price ───────────────────────────────────────┤  end card: title, call, price
logo ───────────────────────────────────────────────────────┴──────────────────────────────
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from clipper.captions.breaks import tokens
from clipper.values import ms
from generators.values import Overlay, Subject

LEAST_S = 1.2
"""No text is shown for less."""
WIDE_PER_S, NARROW_PER_S = 7.0, 15.0
"""Chinese and Latin characters that are read in a second, while looking at something else, too."""
FIRST_S = 0.2
"""The title comes after the eye has found the product."""
PRICE_S = 0.7
"""The price comes after the title has begun to be read."""
END_CARD_S = (1.2, 2.8)
TITLE_WIDTH, DETAIL_WIDTH, POINT_WIDTH = 24, 28, 28
"""Most that is written in one text; a Chinese character counts two."""
LONG_TITLE_WIDTH = 60
"""A name written without a space may be this long: it is set on up to three lines. Marketplaces allow no longer titles."""
LATIN_TITLE_WIDTH = 48
BRAND_WIDTH = 12
"""A first word up to this width is a brand, which never stands alone."""
MOST_POINTS = 4

_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]")

_SIZE = re.compile(r"[\d.,]+(?:[A-Za-z]{1,4}|[\u4e00-\u9fff]{1,2})?(?:[*x×/][\d.]+\S{0,3})?")
_DESCRIBES = re.compile(r"(?<=\S{3})(?:\s*[,;|(]\s*|\s+[-–—]\s+|\s+(?=(?:with|for|featuring)\s))", re.IGNORECASE)
_MARKS = ",;.|&–—-…，、；。"
_DANGLING = re.compile(r"[\s,;|&–—-]+$|\s+(?:with|for|and|of|the|a|an|in|to)$", re.IGNORECASE)


def write_overlays(
    subject: Subject, cuts: Sequence[float], *, call: str | None, logo: str | None, end_card: bool, loop: bool = False
) -> tuple[Overlay, ...]:
    """Place title, price, points, call and logo over shots that begin at `cuts` (whose last entry is the end).

    In a loop every text has left before the seam; the logo stays.
    """
    end = ms(cuts[-1] - FIRST_S) if loop else cuts[-1]
    title, more = split_title(subject.title)
    ask = call if call is not None else subject.call or default_call(subject.title)
    closing = _end_card_at(cuts, ask) if end_card else end
    asked = max(FIRST_S, min(end / 2, end - read_s(ask))) if ask and not (end_card and closing < end) else closing
    overlays: list[Overlay] = []
    points = _points(subject, title, cuts, asked)
    if title:
        until = points[0].start if points else asked
        detail = more if read_s(title + more) <= until - FIRST_S + 1e-6 else ""
        overlays.append(Overlay(kind="title", text=title, detail=detail, start=FIRST_S, end=ms(until)))
    if subject.price:
        start = min(_second_shot(cuts), PRICE_S, closing - max(LEAST_S, read_s(subject.price)))
        overlays.append(
            Overlay(kind="price", text=subject.price, detail=subject.list_price, start=ms(max(FIRST_S, start)), end=ms(closing))
        )
    overlays += points
    if end_card and closing < end:
        overlays.append(Overlay(kind="end_card", text=title, detail=ask, start=ms(closing), end=ms(end)))
    elif ask:
        overlays.append(Overlay(kind="call", text=ask, start=ms(asked), end=ms(end)))
    if logo:
        overlays.append(Overlay(kind="logo", text="", start=0.0, end=cuts[-1], image=logo))
    return tuple(overlays)


def read_s(text: str) -> float:
    """Seconds that a text needs to be read; never below 1.2."""
    wide = len(_WIDE.findall(text))
    narrow = len(re.findall(r"\S", text)) - wide
    return ms(max(LEAST_S, 0.5 + wide / WIDE_PER_S + narrow / NARROW_PER_S))


def default_call(title: str) -> str:
    """Return the neutral call in the title's language."""
    return "点击购买" if _WIDE.search(title) else "Shop now"


def split_title(title: str) -> tuple[str, str]:
    """Split a listing's title, a heap of search words, into what is shown large and a second line.

    A Latin title ends where its description begins; a lone character at the end (女, 新) is a search word and no name.
    """
    plain = " ".join(title.split())
    if not _WIDE.search(plain):
        name, described = _latin_name(plain)
        first, rest = _fill(name.split(" "), LATIN_TITLE_WIDTH)
        second, _ = _fill(" ".join([*rest, *described.split()]).split(" "), DETAIL_WIDTH)
        return _trimmed(first), _trimmed(second)
    first, rest = _fill(plain.split(" "), TITLE_WIDTH, LONG_TITLE_WIDTH)
    if rest and " " not in first and width(first) <= BRAND_WIDTH:
        name, more = _cut(rest[0], LONG_TITLE_WIDTH)
        first, rest = f"{first} {name}", [*more, *rest[1:]]
    head, _, last = first.rpartition(" ")
    if head and _WIDE.fullmatch(last):
        first = head
    head, _, last = first.rpartition(" ")
    if " " in head and _SIZE.fullmatch(last):
        first, rest = head, [last, *rest]  # 750ml is a property, and stands with the others
    words = [word for word in rest if not _WIDE.fullmatch(word)] or [""]
    second, left = _fill(words, DETAIL_WIDTH)
    return first, shorten(second + left[0], DETAIL_WIDTH) if left and left[0] not in words else second


def unsaid(title: str, overlays: Sequence[Overlay]) -> str:
    """Return what of a title is written nowhere in a video: it is for the seller to decide whether that matters."""
    shown = [text for overlay in overlays if overlay.kind in ("title", "end_card") for text in (overlay.text, overlay.detail)]
    written = " ".join(shown).split()
    lost = (_missing(word.strip(_MARKS), written) for word in title.split())
    return " ".join(word for word in lost if word)


def _missing(word: str, written: Sequence[str]) -> str:
    """Return the end of a word that is not written; a long one may have been torn over two lines."""
    least = 2 if _WIDE.search(word) else 5
    while word:
        ends = range(len(word), min(least, len(word)) - 1, -1)
        known = next((end for end in ends if any(word[:end] in other for other in written)), 0)
        if not known:
            return word
        word = word[known:]
    return ""


def _latin_name(title: str) -> tuple[str, str]:
    """Cut a long title at the first mark or word behind which descriptions stand: "Backpack with padded belt, 38L"."""
    if width(title) <= LATIN_TITLE_WIDTH:
        return title, ""
    found = _DESCRIBES.search(title)
    return (title[: found.start()].rstrip(), title[found.end() :].strip()) if found else (title, "")


def _trimmed(text: str) -> str:
    """Take marks and joining words off the end of a text that was cut."""
    while (shorter := _DANGLING.sub("", text)) != text:
        text = shorter
    return text


def _fill(words: Sequence[str], limit: int, longest: int = 0) -> tuple[str, list[str]]:
    """Take words up to a width, and return the others; a single word may be as wide as `longest`, and is cut beyond."""
    taken: list[str] = []
    for number, word in enumerate(words):
        line = " ".join([*taken, word])
        if width(line) > limit:
            if taken:
                return " ".join(taken), list(words[number:])
            first, rest = _cut(word, max(limit, longest))
            return first, [*rest, *words[1:]]
        taken.append(word)
    return " ".join(taken), []


def _cut(word: str, limit: int) -> tuple[str, list[str]]:
    """Cut a run of characters between two words of the language; the rest comes back as one word."""
    if width(word) <= limit:
        return word, []
    taken = ""
    for piece in tokens(word):
        if width(taken + piece) > limit:
            break
        taken += piece
    if not taken:
        while width(taken + word[len(taken)]) <= limit:
            taken += word[len(taken)]
    return taken, [word[len(taken) :]]


def width(text: str) -> int:
    """Width of a text, a Chinese character counting two."""
    return len(text) + len(_WIDE.findall(text))


def shorten(text: str, limit: int) -> str:
    """Cut a text to a width, an ellipsis at its end."""
    if width(text) <= limit:
        return text
    while text and width(text) > limit - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _end_card_at(cuts: Sequence[float], text: str) -> float:
    """Begin the end card with the last shot, or within it when the shot is long; before it when the shot is short."""
    end = cuts[-1]
    low, high = END_CARD_S
    wanted = min(max(low, read_s(text), 0.25 * end), high)  # the title and the price were read before
    last = cuts[-2]
    return ms(last if wanted <= end - last <= 1.35 * wanted else end - wanted)


def _second_shot(cuts: Sequence[float]) -> float:
    return cuts[1] if len(cuts) > 2 else 0.35 * cuts[-1]


def _points(subject: Subject, title: str, cuts: Sequence[float], closing: float) -> list[Overlay]:
    """Show selling points one after another between title and end card, beginning on cuts where there are some."""
    texts = [shorten(point.strip(), POINT_WIDTH) for point in subject.points if point.strip()]
    at = FIRST_S + read_s(title) if title else FIRST_S
    found: list[Overlay] = []
    for text in texts[:MOST_POINTS]:
        cut = next((cut for cut in cuts[1:-1] if at - 1e-6 <= cut <= at + 1.0), at)
        start = cut if cut + read_s(text) <= closing else at
        if start + read_s(text) > closing + 1e-6:
            break
        found.append(Overlay(kind="point", text=text, start=ms(start), end=ms(start + read_s(text))))
        at = start + read_s(text)
    return _stretched(found, closing)


def _stretched(points: list[Overlay], closing: float) -> list[Overlay]:
    """Let every point stay until the next one, half as long again at most."""
    ends = [*(point.start for point in points[1:]), closing][: len(points)]
    return [
        replace(point, end=ms(min(until, point.start + 1.5 * (point.end - point.start)))) for point, until in zip(points, ends, strict=True)
    ]
