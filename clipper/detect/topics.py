"""Topics of a stream by its own words: what is said often here and rarely elsewhere."""

from __future__ import annotations

from collections import Counter

import numpy as np

from clipper.detect.names import cut, is_cjk
from clipper.values import Sentence


def telling_words(sentences: tuple[Sentence, ...], first: int, last: int) -> tuple[str, ...]:
    """List the words that set a stretch apart from the rest, the most telling first."""
    from clipper.detect.emissions import content_words

    inside, outside = Counter[str](), Counter[str]()
    for at, sentence in enumerate(sentences):
        text = sentence.text
        words = [w for w in cut(text) if len(w) >= 2 and is_cjk(w)] if is_cjk(text) else list(content_words(text))
        (inside if first <= at < last else outside).update(set(words))
    size = max(len(sentences), 1)
    scored = {w: n * np.log((n / max(last - first, 1)) / ((outside[w] + 0.5) / size)) for w, n in inside.items() if n >= 2}
    return tuple(sorted(scored, key=lambda w: (-scored[w], w)))
