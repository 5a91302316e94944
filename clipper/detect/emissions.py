"""Turn evidence into numbers: how much each sentence speaks for each product.

Every channel adds its own (sentences, products) table of log-likelihood ratios against background; a missing channel adds
nothing. The tables are kept apart, so that reasons can be given and channels be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clipper.detect import logged, spoken
from clipper.detect.learning import learned
from clipper.detect.reading import Read, Table
from clipper.values import Evidence


@dataclass(frozen=True, slots=True)
class Scores:
    """Evidence in nats, one table per channel."""

    channels: Mapping[str, Table]
    """(sentences, products) by channel."""
    talk: Table
    """(sentences,): product talk against background, whatever the product."""
    naming: Table
    """(sentences, products) in [0, 1]: how clearly the product is named."""


def score(evidence: Evidence, stream: Read, share: Table | None, channels: tuple[str, ...]) -> Scores:
    """Score every sentence for every product. `share` is the posterior of an earlier pass, (sentences, products), or None."""
    naming = spoken.naming(stream)
    talk = spoken.talk(stream, naming)
    tables: dict[str, Table] = {}
    if "speech" in channels:
        tables["links"] = spoken.links(stream, share)
        tables["words"] = spoken.words(stream)
        tables["prices"] = spoken.prices(stream)
        marks = tables["links"] + tables["words"] + tables["prices"]
        tables["names"] = spoken.with_twins(spoken.names(naming, share, evidence.duration), stream, marks)
        if share is not None:
            tables["learned"] = learned(stream, share)
    if "cards" in channels and evidence.log.cards is not None:
        tables["cards"] = logged.carded(evidence, stream)
    if "picture" in channels and evidence.picture is not None and evidence.picture.sightings is not None:
        tables["picture"] = logged.seen(evidence, stream, share)
    if "comments" in channels and evidence.log.comments is not None:
        tables["chat"] = logged.asked(evidence, stream)
        talk = talk + logged.strayed(evidence, stream)
    if "orders" in channels and evidence.log.orders is not None:
        tables["orders"] = logged.bought(evidence, stream)
    return Scores(tables, talk, naming)
