"""Clean chat: what people wrote of themselves, without bots, repeats and what the host asked them to type."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict, deque

from clipper.values import Comment

USER_EVERY_S = 10.0
"""One message per user counts in so many seconds: typing fast is not wanting more."""
REPEAT_S = 30.0
"""The same text within so many seconds is a copy; a quarter of live chat is."""
COPIES = 3
"""Copies of one text that still count: a few people do say the same, a raid says it forty times."""
BOT_TEXTS = 3
"""A user who wrote one text at least so often, and little else, is a bot or a shop assistant."""
TOKEN = re.compile(r"^\W*(?:扣)?(?:\d{1,4}|[一二三四五六七八九]|[a-z]{1,2}|me|yes)(?:[\s,，]*(?:\d{1,4}|me|1))*\W*$", re.IGNORECASE)
"""What hosts ask for: 扣1, 666, "me"."""


def cleaned(comments: tuple[Comment, ...], copies: int = COPIES) -> tuple[Comment, ...]:
    """Keep the comments that say something of their own accord, sorted by time."""
    bots = _bots(comments)
    prompted = _prompted(comments)
    last_by_user: dict[str, float] = {}
    recent: dict[str, deque[float]] = defaultdict(deque)
    kept = []
    for comment in comments:
        text = normal(comment.text)
        if comment.user in bots or not text or TOKEN.match(comment.text) or (text, int(comment.time // 60)) in prompted:
            continue
        if comment.user and comment.time - last_by_user.get(comment.user, -1e9) < USER_EVERY_S:
            continue
        alike = recent[text]
        while alike and comment.time - alike[0] > REPEAT_S:
            alike.popleft()
        alike.append(comment.time)
        if len(alike) > copies:
            continue
        last_by_user[comment.user] = comment.time
        kept.append(comment)
    return tuple(kept)


def normal(text: str) -> str:
    """Reduce a text to what makes it the same: no case, space, punctuation, or stretched letters."""
    return re.sub(r"(.)\1{2,}", r"\1\1", re.sub(r"[\W_]+", "", text.lower()))


def _bots(comments: tuple[Comment, ...]) -> set[str]:
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    for comment in comments:
        if comment.user:
            texts[comment.user][normal(comment.text)] += 1
    bots = set()
    for user, counts in texts.items():
        total, few = sum(counts.values()), len(counts)
        if max(counts.values()) >= BOT_TEXTS and few <= max(2, total // 3):
            bots.add(user)
    return bots


def _prompted(comments: tuple[Comment, ...]) -> set[tuple[str, int]]:
    """Find texts that many users typed inside one minute: a keyword somebody asked for, by (text, minute)."""
    by_text: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for comment in comments:
        by_text[normal(comment.text)].append((comment.time, comment.user))
    found = set()
    usual = Counter(normal(comment.text) for comment in comments)
    for text, rows in by_text.items():
        if usual[text] < 20:
            continue
        times = [time for time, _ in rows]
        minutes = Counter(int(time // 60) for time in times)
        typical = sorted(minutes.values())[len(minutes) // 2] if len(minutes) > 3 else 0
        for minute, count in minutes.items():
            users = {user for time, user in rows[bisect_left(times, minute * 60) : bisect_left(times, minute * 60 + 60)]}
            if count >= 15 and count > 4 * typical and len(users) >= 0.6 * count:
                found.add((text, minute))
    return found
