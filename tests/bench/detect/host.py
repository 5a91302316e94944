"""A simulated host: phases of explanations, talk between them, interruptions, and the truth of all of it.

Parameters: explanations lognormal with a median of 80 to 95 s and sigma .55 (six streams in ten), 180 to 600 s (three), one to three
things pitched again and again (one); background 12 to 25 % of time; 5.8 characters a second, 15 % either way between hosts;
15 % of explanations interrupted for 10 to 30 s, 20 % announce a later product, 10 % compare with the one before; pauses
lognormal with a median of .25 s, .4 s between sentences; a second voice in 8 %; four to six hot moments an hour, 20 to 45 s,
1.5 to 4 times the usual orders; urgency without them in 30 % of its phrases, and none in 20 % of them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from clipper.values import Product
from tests.bench.detect.evaluate import Labelled
from tests.bench.detect.misheard import Line
from tests.bench.detect.vocabulary import DOES, FILL, PEOPLE, PHRASES, PLACES, WHEN, clause, spoken_number, words_of

CHARACTERS_PER_S = 5.8
LONG_DIGRESSION_S = 15.0
"""From here on an interruption by another product is an explanation of its own."""
HOOKS = ("demo", "hook", "urgency")
"""Phases whose lines an editor might pick for a teaser."""


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """How the host is."""

    regime: str = "fast"
    """fast, long or loop."""
    hours: float = 1.0
    background: float = 0.18
    """Share of time, 0.05 to 0.5."""
    named: float = 0.33
    """Share of product lines that say the name."""
    previews: float = 0.2
    digressions: float = 0.15
    comparisons: float = 0.1
    moments_per_hour: float = 5.0


@dataclass(frozen=True, slots=True)
class Offer:
    """A stretch in which viewers are asked to order."""

    start: float
    end: float
    sku: str
    pull: float
    """Orders per viewer against the usual: above 1 in a hot moment."""
    link_at: float
    sold_out: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something that moves the chat and sells nothing."""

    start: float
    end: float
    kind: str
    """giveaway, quarrel or celebrity."""


@dataclass(slots=True)
class Show:
    """What happened."""

    lines: list[Line] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    """Phase of every line."""
    loud: list[float] = field(default_factory=list)
    """dB above the host's usual, per line."""
    truth: list[Labelled] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    moments: list[Labelled] = field(default_factory=list)
    """Hot moments; their confidence is the uplift."""
    events: list[Event] = field(default_factory=list)
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class _Turn:
    product: Product
    length: float
    uplift: float = 1.0
    urges: bool = False


def perform(rng: random.Random, options: HostOptions, shown: tuple[Product, ...]) -> Show:
    """Run the whole show."""
    host = _Host(rng, options, shown)
    turns = _plan(rng, options, shown)
    explained = sum(turn.length for turn in turns)
    breaks = _breaks(rng, len(turns), explained * options.background / (1 - options.background))
    host.between(8.0, "greeting")
    for at, (turn, pause) in enumerate(zip(turns, breaks, strict=True)):
        host.explain(turn, turns[at - 1].product if at else None, turns[(at + 1) % len(turns)].product)
        host.between(pause, "banter")
    host.show.duration = host.clock + 2.0
    return host.show


def _plan(rng: random.Random, options: HostOptions, shown: tuple[Product, ...]) -> list[_Turn]:
    """Lay out who is explained for how long, and where the hot moments are."""
    median, total = rng.uniform(80, 95), options.hours * 3600 * (1 - options.background)
    queue: list[tuple[Product, float]] = []
    while sum(length for _, length in queue) < total:
        if options.regime == "loop":
            product = shown[len(queue) // 12 % min(3, len(shown))]
        else:
            product = rng.choice(shown) if rng.random() < 0.3 else shown[len(queue) % len(shown)]
        if queue and queue[-1][0] is product and options.regime != "loop":
            continue
        length = rng.uniform(180, 600) if options.regime == "long" else max(15.0, rng.lognormvariate(0, 0.55) * median)
        queue.append((product, length))
    count = min(max(1, round(options.moments_per_hour * options.hours)), len(queue) // 2)
    stars = [p.sku for p in rng.sample(shown, max(1, min(3, len(shown) // 8)))]
    favoured = [at for at, (product, _) in enumerate(queue) if product.sku in stars]
    others = [at for at in range(len(queue)) if at not in favoured]
    rng.shuffle(favoured)
    rng.shuffle(others)
    hot = set((favoured + others)[:count])
    plain = max(1, len(queue) - len(hot))
    false_urgency = 0.3 / 0.7 * 0.8 * len(hot) / plain
    return [
        _Turn(product, length, rng.uniform(1.5, 4.0), rng.random() < 0.8)
        if at in hot
        else _Turn(product, length, 1.0, rng.random() < false_urgency)
        for at, (product, length) in enumerate(queue)
    ]


def _breaks(rng: random.Random, count: int, total: float) -> list[float]:
    """Share out the background: mostly a sentence or two, now and then minutes."""
    raw = [rng.lognormvariate(0, 1.2) for _ in range(count)]
    return [value / sum(raw) * total for value in raw]


class _Host:
    """Says one thing after another, on a clock."""

    def __init__(self, rng: random.Random, options: HostOptions, shown: tuple[Product, ...]) -> None:
        self.rng, self.options, self.shown = rng, options, shown
        self.rate = CHARACTERS_PER_S * rng.uniform(0.85, 1.15)
        self.show = Show()
        self.clock = rng.uniform(0.5, 3.0)

    def between(self, seconds: float, kind: str) -> None:
        """Talk of nothing, or hold a giveaway, a quarrel, a visit."""
        until = self.clock + seconds
        rng = self.rng
        if seconds > 25 and rng.random() < 0.6:
            kind = rng.choices(("giveaway", "quarrel", "celebrity"), (6, 1, 1))[0]
            self.show.events.append(Event(self.clock, until, kind))
        if seconds > 2 and rng.random() < 0.5:
            self.say("bridge", None)
        while self.clock < until - 1.0:
            if rng.random() < 0.05:
                self.clock += rng.uniform(1.0, 4.0)  # nobody speaks
            self.say("banter" if kind == "greeting" or rng.random() < 0.4 else kind, None)

    def explain(self, turn: _Turn, before: Product | None, after: Product) -> None:
        """Explain one product, from hook to close."""
        rng, options, start = self.rng, self.options, self.clock
        end = start + turn.length
        first = len(self.show.lines)
        interrupted = options.digressions * min(3.0, max(1.0, turn.length / 120))
        if rng.random() < 0.35 and turn.length > 30:
            self.say("hook", turn.product)
        self.say("intro", turn.product)
        asides = (
            [rng.uniform(start + 0.3 * turn.length, start + 0.8 * turn.length)] if rng.random() < interrupted and turn.length > 45 else []
        )
        forecast = rng.uniform(start, end) if rng.random() < options.previews else None
        compared = rng.uniform(start, end) if before is not None and rng.random() < options.comparisons else None
        next_offer = start + rng.uniform(0.5, 0.7) * min(turn.length, 150)
        while self.clock < end - 9.0:
            if self.clock >= next_offer:
                self._offer(turn, min(end, self.clock + rng.uniform(20, 45)))
                next_offer = self.clock + rng.uniform(60, 120)
            elif asides and self.clock > asides[0]:
                first = self._aside(turn, first)
                asides = []
            elif forecast is not None and self.clock > forecast:
                self.say("forecast", after, about=turn.product)
                forecast = None
            elif compared is not None and before is not None and self.clock > compared:
                self.say("compare", before, about=turn.product)
                compared = None
            else:
                self.say(rng.choices(("feature", "demo", "qa"), (10, 2, 2))[0], turn.product)
        self._offer(turn, end)
        if rng.random() < 0.35:
            self.say("close", turn.product)
        self._label(first, turn.product.sku)

    def _label(self, first: int, sku: str) -> None:
        lines = self.show.lines[first:]
        if lines:
            self.show.truth.append(Labelled(round(lines[0].start, 3), round(lines[-1].end, 3), sku))

    def _offer(self, turn: _Turn, end: float) -> None:
        """Price, link, urgency; a hot one is pressed harder and longer."""
        start, rng = self.clock, self.rng
        hot = turn.uplift > 1
        self.say("price", turn.product, loud=2.0 * turn.urges)
        link_at = self.clock
        self.say("link", turn.product, loud=2.0 * turn.urges)
        if turn.urges:
            self.say("urgency", turn.product, loud=rng.uniform(2, 5))
        while self.clock < end - 6.0:
            kind = rng.choices(("feature", "link", "price", "urgency"), (5, 2, 1, 3 if turn.urges else 0))[0]
            self.say(kind, turn.product, loud=rng.uniform(1, 4) if turn.urges else 0.0)
        sold_out = rng.random() < (0.15 if hot else 0.03)
        if sold_out:
            self.say("sold_out", turn.product)
        self.show.offers.append(Offer(start, self.clock, turn.product.sku, turn.uplift, link_at, sold_out))
        if hot:
            self.show.moments.append(Labelled(start, min(max(self.clock, start + 20), start + 45), turn.product.sku, turn.uplift))

    def _aside(self, turn: _Turn, first: int) -> int:
        """Answer about another product; a long answer is an explanation of its own, and splits this one. Give its new first line."""
        other = self.rng.choice([p for p in self.shown if p is not turn.product] or [turn.product])
        length = self.rng.uniform(10, 30)
        at, until = len(self.show.lines), self.clock + length
        while self.clock < until:
            self.say("aside" if self.clock < until - length / 2 else "feature", other)
        if self.show.lines[-1].end - self.show.lines[at].start < LONG_DIGRESSION_S:
            return first
        began = self.show.lines[first:at]
        self.show.truth.append(Labelled(round(began[0].start, 3), round(began[-1].end, 3), turn.product.sku))
        self._label(at, other.sku)
        return len(self.show.lines)

    def say(self, kind: str, product: Product | None, *, about: Product | None = None, loud: float = 0.0) -> None:
        """Say one line of a phase, breath by breath."""
        rng = self.rng
        text, names = self._filled(rng.choice(PHRASES[kind]), kind, product, about or product)
        if kind in ("feature", "banter", "hook", "qa") and rng.random() < 0.6:
            text += "，" + clause(rng)
        parts = [part for part in text.split("，") if part]
        for number, part in enumerate(parts):
            end = self.clock + max(len(part) / self.rate, 0.3)
            self.show.lines.append(Line(self.clock, end, part, tuple(n for n in names if n in part), number == len(parts) - 1))
            self.show.kinds.append(kind)
            self.show.loud.append(loud)
            self.clock = end + (rng.lognormvariate(-1.386, 0.4) if number < len(parts) - 1 else rng.lognormvariate(-0.916, 0.5))
        if rng.random() < 0.08:
            word = rng.choice(PHRASES["cohost"])
            self.show.lines.append(Line(self.clock, self.clock + 0.7, word, (), True, 3.0))
            self.show.kinds.append("cohost")
            self.show.loud.append(-3.0)
            self.clock += 0.7 + rng.lognormvariate(-0.916, 0.5)

    def _filled(self, phrase: str, kind: str, product: Product | None, about: Product | None) -> tuple[str, tuple[str, ...]]:
        rng = self.rng
        slots = {
            "p": rng.choice(PEOPLE), "m": rng.choice(PLACES), "d": rng.choice(DOES), "t": rng.choice(WHEN), "f": rng.choice(FILL),
            "x": clause(rng), "n": "", "w": "", "a": "", "P": "", "L": "", "k": "",
        }  # fmt: skip
        names: tuple[str, ...] = ()
        if product is not None and about is not None:
            name = self._name(product, kind)
            words, attribute = words_of(about)[1:]
            slots |= {
                "n": name,
                "w": rng.choice(words),
                "a": attribute,
                "k": f"{product.link}" if rng.random() < 0.7 else _numeral(product.link or 1),
            }
            slots |= {"P": _money(rng, product.price or 0), "L": _money(rng, product.list_price or 0)}
            names = (name,) if "{n}" in phrase and name not in PRONOUNS else ()
            if kind in ("feature", "demo", "price", "urgency", "link") and "{n}" not in phrase and rng.random() < self.options.named:
                phrase, names = "{n}" + phrase, (name,) if name not in PRONOUNS else ()
        return phrase.format(**slots), names

    def _name(self, product: Product, kind: str) -> str:
        """Call a product by its name, its kind alone, or "this one"."""
        full, (short, _, _) = product.aliases[0], words_of(product)
        if kind in ("forecast", "compare", "intro"):
            return full if self.rng.random() < 0.75 else short
        roll = self.rng.random()
        return full if roll < 0.5 else short if roll < 0.8 else self.rng.choice(PRONOUNS)


PRONOUNS = ("这个", "这款", "它")


def _money(rng: random.Random, value: float) -> str:
    return f"{value:g}" if rng.random() < 0.5 else spoken_number(value)


def _numeral(number: int) -> str:
    return spoken_number(float(number))
