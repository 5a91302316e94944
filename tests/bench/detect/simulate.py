"""Simulated streams at scale, made without the decoder: who is explained when, and every trace it leaves, errors included.

Parameters follow measurements and published figures: explanations lognormal (median 85 s, sigma .55; a third long), background
12 to 25 % of time, cards delayed by N(4, 12) s with 25 % missing and 5 % false, a name in a third of the sentences, previews,
comparisons and digressions, orders after a lognormal lag. Speech is symbols, not text: every product has a made-up name of
syllables, and filler is made of syllables too, so that the text channel is exercised from recognition errors on up.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from clipper.values import AudienceLog, Box, Card, Order, Picture, Product, Sentence, Sighting, Viewers, Word
from tests.bench.detect.evaluate import Labelled

_SYLLABLES = (
    "八拔白班帮包杯奔比边标冰波布猜餐仓草层茶柴昌朝车沉城吃充抽初穿窗春慈村搭带单刀灯低点店丁冬豆肚端队多鹅耳法翻方"
    "飞分风佛夫该干刚高哥根工沟古瓜关光归滚锅海寒"
)
_FILLER = (
    "的是在有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成"
    "方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
)
CUES = {
    "open": ("接下来", "下一款", "我们来看", ""),
    "offer": ("原价", "到手价", "号链接", "赶紧", "块钱"),
    "talk": ("大家看", "这个", "里面是", "特别", "质感", ""),
    "banter": ("哈哈", "有人问", "评论区", "欢迎", "点点赞", ""),
}


@dataclass(frozen=True, kw_only=True)
class SimulationOptions:
    """How a simulated stream is, and what goes wrong in it."""

    hours: float = 0.5
    products: int = 12
    distractors: int = 20
    cer: float = 0.12
    """Share of characters that are misheard; names are twice as bad."""
    cards_missing: float = 0.25
    cards_false: float = 0.05
    previews: float = 0.2
    """Share of explanations in which a later product is announced."""
    digressions: float = 0.15
    seed: int = 0


@dataclass(slots=True)
class Simulated:
    """One stream and its truth."""

    products: tuple[Product, ...]
    sentences: tuple[Sentence, ...]
    log: AudienceLog
    picture: Picture
    truth: tuple[Labelled, ...]
    duration: float
    hot: frozenset[str] = field(default_factory=frozenset)


def simulate(options: SimulationOptions) -> Simulated:
    """Make one stream; equal options give equal streams."""
    rng = random.Random(options.seed)
    products = _catalogue(rng, options.products + options.distractors)
    shown = products[: options.products]
    run = _Run(rng, options, shown)
    while run.clock < options.hours * 3600:
        run.background()
        run.explain(rng.choice(shown) if rng.random() < 0.3 else shown[run.turn % len(shown)])
    hot = frozenset(rng.sample([p.sku for p in shown], 1))
    orders = _orders(rng, run.truth, hot)
    log = AudienceLog(orders=orders, cards=tuple(sorted(run.cards)), viewers=(Viewers(0.0, 800.0),))
    picture = Picture(looks=(), cuts=tuple(sorted(run.cuts)), faces=(), sightings=tuple(sorted(run.sightings, key=lambda s: s.time)))
    return Simulated(products, tuple(run.sentences), log, picture, tuple(run.truth), run.clock, hot)


def _catalogue(rng: random.Random, size: int) -> tuple[Product, ...]:
    made = []
    for number in range(size):
        name = "".join(rng.sample(_SYLLABLES, rng.choice((2, 3, 3, 4))))
        words = [("".join(rng.sample(_SYLLABLES, 2))) for _ in range(3)]
        price = float(rng.randrange(20, 400))
        made.append(
            Product(
                sku=f"S{number}", title=f"{' '.join(words)} {name}", aliases=(name,), price=price, list_price=price * 2, link=number + 1
            )
        )
    return tuple(made)


class _Run:
    """The host at work: a clock, and what has been said and shown so far."""

    def __init__(self, rng: random.Random, options: SimulationOptions, shown: tuple[Product, ...]) -> None:
        self.rng, self.options, self.shown = rng, options, shown
        self.clock, self.turn = 2.0, 0
        self.sentences: list[Sentence] = []
        self.truth: list[Labelled] = []
        self.cards: list[Card] = []
        self.sightings: list[Sighting] = []
        self.cuts: list[float] = []

    def background(self) -> None:
        """Talk of nothing for a sentence or for minutes."""
        until = self.clock + self.rng.lognormvariate(2.6, 0.9)
        while self.clock < until:
            self.say(self.rng.choice(CUES["banter"]) + self.filler())
        if self.rng.random() < 0.05:
            self.cuts.append(self.clock)

    def explain(self, product: Product) -> None:
        """Explain one product: name, features, price, link."""
        self.turn += 1
        long = self.rng.random() < 0.25
        length = self.rng.uniform(120, 300) if long else self.rng.lognormvariate(4.3, 0.55)
        start, end = self.clock, self.clock + max(length, 15)
        self._show(product, start, end)
        first = len(self.sentences)
        self.say(self.rng.choice(CUES["open"]) + product.aliases[0] + self.filler())
        while self.clock < end - 12:
            self._feature(product)
        self.say(f"{CUES['offer'][0]}{product.list_price:g}{CUES['offer'][1]}{product.price:g}" + self.filler(4))
        self.say(f"{product.link}{CUES['offer'][2]}" + self.rng.choice(CUES["offer"]) + self.filler(4))
        self.truth.append(Labelled(self.sentences[first].start, self.sentences[-1].end, product.sku))

    def _feature(self, product: Product) -> None:
        text = self.rng.choice(CUES["talk"]) + self.filler()
        if self.rng.random() < 0.33:
            text = product.aliases[0] + text
        elif self.rng.random() < 0.25:
            text += self.rng.choice(product.title.split()[:3])
        other = self.rng.choice(self.shown)
        if self.rng.random() < 0.04 * (1 + self.options.previews):
            text = self.rng.choice(("等会儿还有", "跟刚才那个")) + other.aliases[0] + text
        if self.rng.random() < self.options.digressions * 0.1:
            self.say("有人问" + other.aliases[0] + self.filler())
        self.say(text)

    def _show(self, product: Product, start: float, end: float) -> None:
        rng, options = self.rng, self.options
        if rng.random() > options.cards_missing:
            self.cards.append(Card(round(max(0.0, start + rng.gauss(4, 12)), 3), product.sku))
        if rng.random() < options.cards_false:
            self.cards.append(Card(round(rng.uniform(start, end), 3), rng.choice(self.shown).sku))
        box = Box(0.4, 0.6, 0.2, 0.2)
        time = start + rng.uniform(0, 10)
        while time < end + rng.uniform(-5, 8):
            if rng.random() < 0.4:
                sku = product.sku if rng.random() > 0.05 else rng.choice(self.shown).sku
                self.sightings.append(Sighting(round(time, 3), sku, box, rng.uniform(0.5, 0.95)))
            time += 1.0
        if rng.random() < 0.3:
            self.cuts.append(start)

    def filler(self, size: int = 0) -> str:
        """Make syllables that mean nothing."""
        return "".join(self.rng.choice(_FILLER) for _ in range(size or self.rng.randrange(8, 22)))

    def say(self, text: str) -> None:
        """Speak a sentence as a recogniser would write it."""
        words = []
        for character in text + "。":
            heard = character
            if character != "。" and not character.isdigit() and self.rng.random() < self.options.cer:
                heard = self.rng.choice(_FILLER + _SYLLABLES)
            if heard == "。":
                words[-1] = Word(words[-1].start, words[-1].end, words[-1].text + heard)
                continue
            length = self.rng.uniform(0.13, 0.22)
            words.append(Word(self.clock, self.clock + length, heard))
            self.clock += length
        self.sentences.append(Sentence(tuple(words)))
        self.clock += self.rng.lognormvariate(-0.8, 0.5)


def _orders(rng: random.Random, truth: list[Labelled], hot: frozenset[str]) -> tuple[Order, ...]:
    found = []
    for segment in truth:
        for _ in range(int(rng.expovariate(1 / (4.0 * (6.0 if segment.sku in hot else 1.0)))) + 1):
            offer = rng.uniform(segment.start + 0.6 * (segment.end - segment.start), segment.end)
            found.append(Order(round(offer + rng.lognormvariate(3.2, 0.6), 3), segment.sku, 1.0, None))
    return tuple(sorted(found))
