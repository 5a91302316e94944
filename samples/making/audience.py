"""Play the audience: viewers, orders, comments and product cards that follow the speech with a lag.

Orders and comments are Poisson processes over the seconds of the stream. Orders of a product start some seconds after its price is
first said, go on while it is sold, and die away; the hot product sells `HOT_UPLIFT` times as fast per viewer as the others.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from making.script import GOODS, LINES, SCARF
from making.voice import Spoken

STARTED = datetime(2026, 11, 20, 20, 30, 0, tzinfo=timezone(timedelta(hours=8)))
HOT, HOT_UPLIFT = SCARF, 8.0
VIEWERS_AT_START = 860
VIEWERS_PEAK = 0.62
"""Where in the stream most people watch, as a fraction of its length."""
ORDERS_PER_MINUTE_PER_THOUSAND = 9.0
LAG_S = 4.0
"""Seconds between a sentence and the audience's answer to it."""

_ASK = ("多少钱", "还有货吗", "有别的颜色吗", "有优惠吗", "包邮吗", "怎么拍", "链接呢", "送人合适吗", "新疆能发吗", "主播再讲一遍")
_BUY = ("拍了", "已拍", "下单了", "抢到了", "拍了两份", "冲", "付款了", "给我妈也来一条", "手快有手慢无")
_IDLE = ("来了来了", "主播好", "哈哈哈", "第一次来", "晚上好", "点赞点赞", "666", "声音真好听", "路过", "今天好冷")
_SPAM = ("加V领无门槛券", "同款低价看主页")


@dataclass(frozen=True, slots=True)
class Sale:
    """The stretch of an explanation in which the product is offered."""

    sku: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Segment:
    """One product's explanation: its lines, with at most two other lines in between."""

    sku: str
    first: int
    last: int


def segments() -> tuple[Segment, ...]:
    """Gather the explanations from the script."""
    found: list[Segment] = []
    for index, line in enumerate(LINES):
        if not line.explain or line.sku is None:
            continue
        if found and found[-1].sku == line.sku and index - found[-1].last <= 3:
            found[-1] = Segment(line.sku, found[-1].first, index)
        else:
            found.append(Segment(line.sku, index, index))
    return tuple(found)


def sales(times: tuple[Spoken, ...]) -> tuple[Sale, ...]:
    """Find when each product is offered: from its first price, link or countdown to the end of its explanation."""
    out = []
    for part in segments():
        offer = next(i for i in range(part.first, part.last + 1) if LINES[i].sku == part.sku and LINES[i].phase in ("price", "urgency"))
        out.append(Sale(part.sku, times[offer].start, times[part.last].end))
    return tuple(out)


def events(times: tuple[Spoken, ...], duration: float, seed: int = 20) -> list[dict[str, object]]:
    """Draw everything that the audience does, sorted by time."""
    rng = random.Random(seed)
    drawn = [*_viewers(duration), *_orders(times, duration, rng), *_comments(times, duration, rng), *_cards(times, rng)]
    return sorted((event for event in drawn if float(str(event["t"])) < duration), key=lambda event: float(str(event["t"])))


def watching(t: float, duration: float) -> float:
    """Count the people in the room."""
    return VIEWERS_AT_START * (1 + 1.1 * math.exp(-(((t / duration - VIEWERS_PEAK) / 0.25) ** 2))) * (1 + 0.04 * math.sin(t / 29))


def _viewers(duration: float) -> Iterator[dict[str, object]]:
    for t in range(0, int(duration), 10):
        yield {"t": float(t), "type": "viewers", "count": int(watching(t, duration))}


def _appetite(sale: Sale, t: float) -> float:
    """Say how eagerly a product is bought, 1 being normal."""
    since, after = t - sale.start - LAG_S - 2, t - sale.end - LAG_S - 6
    if since <= 0:
        return 0.0
    eager = HOT_UPLIFT if sale.sku == HOT else 1.0
    return max(eager * (1.0 if after < 0 else math.exp(-after / 14)), 0.06 if t > sale.end else 0.0)


def _orders(times: tuple[Spoken, ...], duration: float, rng: random.Random) -> Iterator[dict[str, object]]:
    price = {item.sku: item.price for item in GOODS}
    for sale in sales(times):
        for t in range(int(duration)):
            rate = ORDERS_PER_MINUTE_PER_THOUSAND * watching(t, duration) / 1000 / 60 * _appetite(sale, t)
            for _ in range(_poisson(rate, rng)):
                quantity = 1 if rng.random() < 0.88 else 2
                yield {
                    "t": round(t + rng.random(), 3),
                    "type": "order",
                    "sku": sale.sku,
                    "quantity": quantity,
                    "amount": round(price[sale.sku] * quantity, 2),
                    "user": f"u{rng.randrange(9999):04d}",
                }


def _comments(times: tuple[Spoken, ...], duration: float, rng: random.Random) -> Iterator[dict[str, object]]:
    offers = sales(times)
    for t in range(int(duration)):
        rate, words = watching(t, duration) / 1000 * 0.34, _IDLE
        for part in segments():
            if times[part.first].start + LAG_S <= t < times[part.last].end:
                words = _ASK
        for sale in offers:
            if sale.start + LAG_S <= t <= sale.end + LAG_S + 6:
                rate *= 2.6 if sale.sku == HOT else 1.5
                words = _BUY if rng.random() < (0.7 if sale.sku == HOT else 0.4) else _ASK
        for _ in range(_poisson(rate, rng)):
            text = rng.choice(words if rng.random() < 0.8 else _IDLE)
            yield {"t": round(t + rng.random(), 3), "type": "comment", "user": f"u{rng.randrange(9999):04d}", "text": text}
        if t % 53 == 20:
            yield {"t": t + 0.5, "type": "comment", "user": "u7777", "text": rng.choice(_SPAM)}


def _cards(times: tuple[Spoken, ...], rng: random.Random) -> Iterator[dict[str, object]]:
    for line, spoken in zip(LINES, times, strict=True):
        if line.card:
            yield {"t": round(spoken.start + rng.uniform(0.3, 4.0), 3), "type": "product_card", "sku": line.sku, "action": "show"}


def _poisson(mean: float, rng: random.Random) -> int:
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def write_events(path: Path, drawn: list[dict[str, object]]) -> None:
    """Write orders, cards and viewers; comments are in the danmaku file alone, so nobody counts them twice."""
    rows = (json.dumps(event, ensure_ascii=False) for event in drawn if event["type"] != "comment")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_danmaku(path: Path, drawn: list[dict[str, object]]) -> None:
    """Write the comments as BililiveRecorder does."""
    started = STARTED.isoformat(timespec="microseconds").replace("+08:00", "0+08:00")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<i>",
        "<chatserver>chat.bilibili.com</chatserver><chatid>0</chatid><mission>0</mission><maxlimit>1000</maxlimit><state>0</state>",
        '<BililiveRecorder version="2.17.2" />',
        '<BililiveRecorderRecordInfo roomid="20261120" shortid="0" name="小北的直播间" title="降温夜场：花茶、围巾和苹果"'
        f' areanameparent="电商" areanamechild="直播带货" start_time="{started}" />',
    ]
    epoch_ms = int(STARTED.timestamp() * 1000)
    for event in drawn:
        if event["type"] == "comment":
            t, user = float(str(event["t"])), str(event["user"])
            place = f"{t:.3f},1,25,16777215,{epoch_ms + int(t * 1000)},0,{user[1:]},0"
            lines.append(f'<d p="{place}" user={quoteattr(user)}>{escape(str(event["text"]))}</d>')
    path.write_text("\n".join([*lines, "</i>"]) + "\n", encoding="utf-8")
