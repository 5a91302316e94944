"""Simulated streams at scale, made without the decoder: who is explained when, and every trace it leaves, errors included.

The host talks (`host`), a recogniser mishears (`misheard`), an audience reacts (`crowd`); what goes wrong is dialled in. Equal
options give equal streams. Figures are published or measured ones where there are any; they stand beside each part.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import numpy as np

from clipper.speech.words import sentences_of
from clipper.values import AudienceLog, Picture, Product, Sentence, Track
from tests.bench.detect import crowd
from tests.bench.detect.evaluate import Labelled
from tests.bench.detect.host import HOOKS, HostOptions, Show, perform
from tests.bench.detect.misheard import Line, Recogniser
from tests.bench.detect.vocabulary import catalogue

CERS = (0.0, 0.06, 0.10, 0.14, 0.17)
"""Character error rates that recognisers reach on live speech."""
INVENTED_EVERY_S = 1200.0
"""A phrase is invented in silence this often."""
SPEECH_DB, PAUSE_DB = -20.0, -52.0


@dataclass(frozen=True, kw_only=True)
class SimulationOptions:
    """How a simulated stream is, and what goes wrong in it. None draws from the range that is usual."""

    seed: int = 0
    hours: float = 1.0
    products: int | None = None
    """Products shown; by default so many that each is explained 3.3 times."""
    distractors: int | None = None
    """Products in the catalogue that are never shown; by default two to ten times as many as are."""
    regime: str | None = None
    """fast, long or loop; by default six, three and one in ten."""
    cer: float | None = None
    punctuates: bool | None = None
    crowd: crowd.CrowdOptions = field(default_factory=crowd.CrowdOptions)
    previews: float = 0.2
    digressions: float = 0.15
    skew_s: float = 0.0
    """Seconds that the log's clock is ahead of the recording's."""
    drift: float = 0.0
    """Share by which the log's clock runs fast."""
    hole_s: float = 0.0
    """Seconds of speech and picture that were lost in the middle; the clock goes on."""
    glued: bool = False
    """The recorder restarted: a stretch of one to five minutes is missing from the recording and not from the log."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One stream and its truth."""

    products: tuple[Product, ...]
    sentences: tuple[Sentence, ...]
    log: AudienceLog
    picture: Picture
    loudness: Track
    truth: tuple[Labelled, ...]
    duration: float
    uplifts: dict[str, float]
    """True order rate per viewer of every product, over what the others usually get."""
    moments: tuple[Labelled, ...]
    """Hot moments, their uplift as confidence."""
    teaser: tuple[tuple[float, float], ...]
    """Lines that an editor would pick."""

    @property
    def hot(self) -> frozenset[str]:
        """Products that sell more than twice what the others usually get, per viewer."""
        return frozenset(sku for sku, uplift in self.uplifts.items() if uplift > 2)


def simulate(options: SimulationOptions) -> Simulated:
    """Make one stream; equal options give equal streams."""
    rng, draw = random.Random(options.seed), np.random.default_rng(options.seed)
    regime = options.regime or rng.choices(("fast", "long", "loop"), (6, 3, 1))[0]
    explained_s = {"fast": 102.0, "long": 390.0, "loop": 102.0}[regime]
    shown_count = options.products or max(5, min(60, round(options.hours * 3600 * 0.8 / explained_s / 3.3)))
    others = options.distractors if options.distractors is not None else round(shown_count * rng.uniform(2, 10))
    products = catalogue(rng, shown_count, others)
    shown = products[:shown_count]
    show = perform(rng, _host(rng, options, regime), shown)
    audience = crowd.viewers(draw, show.duration)
    curve = crowd.per_second(audience, show.duration)
    orders, uplifts = crowd.orders(draw, show, shown, curve, options.crowd)
    log = AudienceLog(
        comments=crowd.comments(draw, rng, show, shown, curve),
        orders=orders,
        cards=crowd.cards(rng, show.truth, shown, options.crowd),
        viewers=audience,
    )
    seen = crowd.picture(rng, show, shown)
    show, log, seen = _damaged(rng, options, show, log, seen)
    return Simulated(
        products=products,
        sentences=_sentences(rng, options, show),
        log=_skewed(log, options),
        picture=seen,
        loudness=_loudness(draw, show),
        truth=tuple(sorted(show.truth)),
        duration=show.duration,
        uplifts=uplifts,
        moments=tuple(show.moments),
        teaser=tuple(
            (x.start, x.end)
            for x, kind, up in zip(show.lines, show.kinds, show.loud, strict=True)
            if kind in HOOKS and (kind != "urgency" or up > 3)
        ),
    )


def violated(options: SimulationOptions) -> SimulationOptions:
    """Break one thing or several: cards late, false or missing, previews everywhere, clocks, holes, glue."""
    rng = random.Random(options.seed + 77)
    bad = crowd.CrowdOptions(
        cards_missing=rng.choice((0.25, 0.6)),
        cards_false=rng.choice((0.05, 0.2)),
        card_delay_s=rng.choice((4.0, 20.0)),
        card_spread_s=rng.choice((12.0, 20.0)),
    )
    return replace(
        options,
        crowd=bad,
        previews=rng.choice((0.2, 0.6)),
        digressions=rng.choice((0.15, 0.4)),
        skew_s=rng.choice((0.0, rng.uniform(-90, 90))),
        drift=rng.choice((0.0, 0.0, 0.005 * rng.choice((-1, 1)))),
        hole_s=rng.choice((0.0, 0.0, 300.0)),
        glued=rng.random() < 0.3,
    )


def _host(rng: random.Random, options: SimulationOptions, regime: str) -> HostOptions:
    return HostOptions(
        regime=regime,
        hours=options.hours,
        background=rng.uniform(0.12, 0.25),
        named=rng.uniform(0.18, 0.4),
        previews=options.previews,
        digressions=options.digressions,
        moments_per_hour=rng.uniform(4, 6),
    )


def _sentences(rng: random.Random, options: SimulationOptions, show: Show) -> tuple[Sentence, ...]:
    cer = rng.choice(CERS) if options.cer is None else options.cer
    punctuates = rng.random() >= 0.3 if options.punctuates is None else options.punctuates
    lines = sorted([*show.lines, *_invented(rng, show)], key=lambda line: line.start)
    return tuple(sentences_of(Recogniser(rng, cer, punctuates).hear(lines)))


def _invented(rng: random.Random, show: Show) -> list[Line]:
    """Invent repeated phrases in the longest silences."""
    gaps = sorted(((b.start - a.end, a.end) for a, b in zip(show.lines, show.lines[1:], strict=False)), reverse=True)
    wanted = gaps[: int(show.duration / INVENTED_EVERY_S)]
    return [Line(at + 0.1, at + gap - 0.1, rng.choice(("谢谢大家", "请点赞订阅", "好的")) * 3) for gap, at in wanted if gap > 1.2]


def _loudness(draw: np.random.Generator, show: Show) -> Track:
    """Draw the level of the sound every tenth of a second."""
    levels = PAUSE_DB + draw.normal(0, 2, int(show.duration * 10) + 1)
    for line, loud in zip(show.lines, show.loud, strict=True):
        first, last = round(line.start * 10), round(line.end * 10)
        levels[first:last] = SPEECH_DB + loud + draw.normal(0, 2.5, len(levels[first:last]))
    return Track(0.1, tuple(np.round(levels, 1).tolist()))


def _skewed(log: AudienceLog, options: SimulationOptions) -> AudienceLog:
    """Put the log onto a clock that is ahead and runs fast."""
    if not options.skew_s and not options.drift:
        return log

    def moved(rows):  # type: ignore[no-untyped-def]
        at = (replace(row, time=round(row.time * (1 + options.drift) + options.skew_s, 3)) for row in rows or ())
        return tuple(row for row in at if row.time >= 0)

    return replace(log, comments=moved(log.comments), orders=moved(log.orders), cards=moved(log.cards), viewers=moved(log.viewers))


def _damaged(
    rng: random.Random, options: SimulationOptions, show: Show, log: AudienceLog, seen: Picture
) -> tuple[Show, AudienceLog, Picture]:
    """Lose a stretch of speech and picture, or of the recording itself."""
    if options.hole_s and show.duration > 4 * options.hole_s:
        begin = rng.uniform(0.2, 0.6) * show.duration
        show, seen = _without(show, seen, begin, begin + options.hole_s, closes=False)
    if options.glued and show.duration > 1200:
        begin = rng.uniform(0.3, 0.7) * show.duration
        show, seen = _without(show, seen, begin, begin + rng.uniform(60, 300), closes=True)
    return show, log, seen


def _without(show: Show, seen: Picture, begin: float, end: float, *, closes: bool) -> tuple[Show, Picture]:
    """Take out what lies between two times; `closes` lets the rest move up (the log does not)."""
    gone = end - begin if closes else 0.0

    def at(time: float) -> float:
        return time if time < begin else max(time - gone, begin)

    kept = [n for n, line in enumerate(show.lines) if line.end <= begin or line.start >= end]
    parts = [(s, max(s.start, end), s.end) for s in show.truth] + [(s, s.start, min(s.end, begin)) for s in show.truth]
    pieces = {(round(at(a), 3), round(at(b), 3), s.sku) for s, a, b in parts if b - a > 5 and (b <= begin or a >= end)}
    left = Show(
        lines=[replace(show.lines[n], start=at(show.lines[n].start), end=at(show.lines[n].end)) for n in kept],
        kinds=[show.kinds[n] for n in kept],
        loud=[show.loud[n] for n in kept],
        truth=[Labelled(*piece) for piece in sorted(pieces)],
        offers=show.offers,
        moments=[replace(m, start=at(m.start), end=at(m.end)) for m in show.moments if m.end <= begin or m.start >= end],
        events=show.events,
        duration=show.duration - gone,
    )
    sightings = tuple(replace(s, time=round(at(s.time), 3)) for s in seen.sightings or () if not begin <= s.time < end)
    cuts = tuple(round(at(c), 3) for c in seen.cuts if not begin <= c < end)
    return left, replace(seen, sightings=sightings, cuts=cuts)
