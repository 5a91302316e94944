"""A product's name as a prompt can use it: English kind first, the seller's own words behind it."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources

from generators.values import Subject

NAME_CHARS = 40
"""A listing's title is a heap of search words; this much of it names the product."""

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_UNSAFE = re.compile(r"""["'“”‘’{}<>|\\\[\]()（）【】《》「」#@]+""")


def describe_product(subject: Subject) -> str:
    """Name a subject in a prompt: "the scarf in the picture (北巷 羊毛围巾)".

    No quotation marks: models write what is quoted. A title in English stands for itself.
    """
    name = short_name(subject.title)
    if name and not _FOREIGN.search(name):
        return f"the {name} in the picture"
    kind = kind_of(f"{subject.category} {subject.title}")
    thing = f"the {kind}" if kind else "the product"
    return f"{thing} in the picture" + (f" ({name})" if name else "")


def short_name(title: str) -> str:
    """Keep the start of a title, whole words, without marks that a model or a template would take for its own."""
    text = " ".join(_UNSAFE.sub(" ", title).split())
    if len(text) <= NAME_CHARS:
        return text
    cut = text[: NAME_CHARS + 1].rsplit(" ", 1)[0]
    return cut[:NAME_CHARS].strip()


def kind_of(text: str) -> str:
    """Say in English what a Chinese title or category names, without an article; empty when nothing is known."""
    for table in ("words", "broad"):
        for key, english in _words(table):
            if key in text:
                return re.sub(r"^(?:an?|the) ", "", english)
    return ""


@lru_cache(maxsize=2)
def _words(table: str) -> tuple[tuple[str, str], ...]:
    data = tomllib.loads((resources.files("generators") / "product_words.toml").read_text(encoding="utf-8"))
    return tuple(sorted(data[table].items(), key=lambda item: -len(item[0])))
