"""Nouns of speech: what could be the name of a thing.

Mandarin is tagged with a dictionary of its own, apart from anything that adds words to the shared one. English has no tagger:
a noun there is the end of a phrase that an article or the like begins, "the waxed canvas tote is", which needs only the words
that hold sentences together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from clipper.detect.names import CLUTTER, is_cjk


@lru_cache(maxsize=1)
def _table() -> Mapping[str, frozenset[str]]:
    path = files("clipper.detect") / "lexicon" / "nouns.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    whole = {f"{language}.{kind}": text for language, kinds in table.items() for kind, text in kinds.items()}
    return {kind: frozenset(text if kind in ("zh.endings", "zh.counts") else text.split()) for kind, text in whole.items()}


@lru_cache(maxsize=1)
def fillers() -> frozenset[str]:
    """List the words of any language that are said with anything."""
    return _table()["zh.fillers"] | _table()["en.fillers"]


@lru_cache(maxsize=1)
def _tagger() -> Any:
    import logging
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba's own source has unescaped patterns that newer Pythons warn of
        import jieba
        import jieba.posseg

        jieba.setLogLevel(logging.WARNING)
        return jieba.posseg.POSTokenizer(jieba.Tokenizer())


@lru_cache(maxsize=65536)
def nouns(text: str) -> tuple[str, ...]:
    """List the nouns of a sentence that could name a thing, in order, two characters (four letters) at least."""
    return _chinese(text) if is_cjk(text) else _english(text)


def _chinese(text: str) -> tuple[str, ...]:
    """Take the last noun of every run of nouns: 冰糖苹果 is an apple."""
    found: list[str] = []
    open_run = False
    dull = _table()["zh.dull"] | CLUTTER | cue_words()
    for pair in _tagger().cut(text, HMM=False):
        word, tag = pair.word, pair.flag
        is_noun = (tag.startswith("n") and tag not in ("nr", "ng", "ns")) or is_thing(word)
        if is_noun and len(word) >= 2 and is_cjk(word) and word[0] not in _table()["zh.counts"] and word not in dull:
            if open_run:
                found.pop()
            found.append(word)
            open_run = True
        else:
            open_run = False
    return tuple(found)


def _english(text: str) -> tuple[str, ...]:
    """Take the ends of phrases that an article begins, four words at most, and words written large inside a sentence."""
    found = []
    function, openers = _table()["en.function"], _table()["en.openers"]
    dull = function | _table()["en.dull"] | cue_words()
    for clause in re.split(r"[^\w'’\- ]+", text):
        words = clause.replace("’", "'").split()
        for at, word in enumerate(words):
            plain = word.lower()
            ends = at + 1 == len(words) or words[at + 1].lower() in function
            opened = any(w.lower() in openers for w in words[max(0, at - 3) : at]) or (at > 0 and word[0].isupper())
            fit = len(plain) >= 4 and plain.isalpha() and not plain.endswith(("ing", "ly", "est", "ful", "less", "able", "ous"))
            if ends and opened and fit and not {plain, plain.removesuffix("s")} & dull:
                found.append(plain)
    return tuple(found)


def is_thing(word: str) -> bool:
    """Tell whether a Chinese word ends like the name of a thing, or an English one heads the names of things that are sold."""
    things = _table()["en.things"]
    return word[-1] in _table()["zh.endings"] or bool({word, word.removesuffix("s"), word.removesuffix("es")} & things)


def things(text: str) -> tuple[str, ...]:
    """List the English words of a sentence that end a phrase and head the names of things sold, whatever stands before them."""
    found = []
    for clause in re.split(r"[^\w'’\- ]+", text.lower()):
        words = clause.split()
        following = [*words[1:], ""]
        found += [word for word, after in zip(words, following, strict=False) if is_thing(word) and (not after or after in _function())]
    return tuple(found)


def _function() -> frozenset[str]:
    return _table()["en.function"]


def modified(text: str, noun: str) -> str:
    """Give an English noun with the word that describes it in a text ("rain shell"); the noun alone where none does."""
    match = re.search(rf"([A-Za-z]{{3,}})[ -]{re.escape(noun)}\b", text, re.IGNORECASE)
    before = match.group(1).lower() if match else ""
    return f"{before} {noun}" if before and before not in _table()["en.function"] | _table()["en.openers"] | cue_words() else noun


@lru_cache(maxsize=1)
def cue_words() -> frozenset[str]:
    """Give every phrase of the lexicons: what sellers say of anything."""
    from clipper.detect.cues import languages, lexicon

    return frozenset(phrase for language in languages() for phrases in lexicon(language).values() for phrase in phrases)
