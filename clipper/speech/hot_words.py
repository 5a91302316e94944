"""Choose what a recognizer is told before every window: the script to write, and the names it is going to hear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

from clipper.values import Product

PROMPTS = {
    "zh": "以下是普通话的句子，用简体中文。",
    "yue": "以下是粤语的句子，用简体中文。",
}
"""A punctuated sentence in the script that is wanted: Whisper goes on as it was begun."""

LEADS = {"zh": "商品有", "yue": "商品有"}
JOINTS = {"zh": "、", "yue": "、", "ja": "、"}
MAX_NAME_CHARS = 40
"""A longer name is a title, and nobody says a title."""


def estimated_tokens(text: str) -> int:
    """Estimate what a text takes up in a Whisper prompt: 1.6 tokens for a Chinese character, one for three letters (measured)."""
    wide = sum(ord(char) > 0x2E80 for char in text)
    return -(-16 * wide // 10) + -(-(len(text) - wide) // 3)


def choose_names(products: Sequence[Product], budget: int, count_tokens: Callable[[str], int] = estimated_tokens) -> tuple[str, ...]:
    """Choose the names that fit into a budget of tokens.

    What hosts say comes first: every product's first alias, then the second ones, then brands; so a catalogue of sixty
    products keeps one name for each for as long as there is room. A name that is contained in one already chosen is left
    out.
    """
    rounds = zip_longest(*([alias.strip() for alias in product.aliases] for product in products), fillvalue="")
    ordered = [name for names in rounds for name in names] + [product.brand.strip() for product in products]
    chosen: list[str] = []
    spent = 0
    for name in ordered:
        if not name or len(name) > MAX_NAME_CHARS or any(name.lower() in other.lower() for other in chosen):
            continue
        cost = count_tokens(name) + 1
        if spent + cost > budget:
            break
        chosen.append(name)
        spent += cost
    return tuple(chosen)


def all_fit(products: Sequence[Product], budget: int, count_tokens: Callable[[str], int] = estimated_tokens) -> bool:
    """Tell whether every product's first alias fits into a budget of tokens: then one prompt serves every window."""
    firsts = {product.aliases[0].strip() for product in products if product.aliases and len(product.aliases[0].strip()) <= MAX_NAME_CHARS}
    return sum(count_tokens(name) + 1 for name in firsts) <= budget


def prompt_for(language: str, names: Sequence[str], own: str = "") -> str:
    """Write the prompt: the caller's own sentence or the language's, then the names."""
    sentence = own or PROMPTS.get(language, "")
    if not names:
        return sentence
    listed = LEADS.get(language, "") + JOINTS.get(language, ", ").join(names) + ("。" if language in JOINTS else ".")
    return f"{listed}{sentence}" if language in JOINTS else f"{listed} {sentence}".strip()
