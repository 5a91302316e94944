"""Streams with their truth, and the sets of channels that they are decided with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from clipper import detect
from clipper.detect.clocks import Heard
from clipper.detect.gathering import heard
from clipper.values import AudienceLog, Catalog, Evidence, Picture, Product, Track, Transcript
from tests.bench.detect.evaluate import Labelled
from tests.bench.detect.scripts import Script
from tests.bench.detect.simulate import SimulationOptions, simulate, violated


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One stream, as it was recorded and logged, with its truth."""

    name: str
    transcript: Transcript
    products: tuple[Product, ...]
    log: AudienceLog = field(default_factory=AudienceLog)
    picture: Picture | None = None
    loudness: Track | None = None
    truth: tuple[Labelled, ...]
    hot: frozenset[str] = frozenset()
    uplifts: tuple[tuple[str, float], ...] = ()
    """True uplift per product, where it is known."""
    teaser: tuple[tuple[float, float], ...] = ()
    """Stretches that an editor would pick."""
    skew_s: float = 0.0
    """Seconds that the log is ahead of the recording."""


MASKS: dict[str, tuple[str, ...]] = {
    "all channels": (),
    "no orders": ("orders",),
    "no chat": ("comments",),
    "no viewers": ("viewers",),
    "no picture": ("picture",),
    "no cards": ("cards",),
    "picture and chat": ("cards", "orders", "viewers"),
    "speech and catalogue": ("cards", "orders", "viewers", "comments", "picture"),
    "no catalogue": ("catalogue", "picture"),
}
"""Set of channels: what it lacks. Sightings need the catalogue's pictures, so they go with it."""


def gathered(case: Case, mask: str) -> Evidence:
    """Gather what a set of channels leaves of a stream; what the speech says is found once for all sets that have the catalogue."""
    lacks = MASKS[mask]
    log = replace(case.log, **{name: None for name in lacks if name not in ("picture", "catalogue")})
    picture = None if "picture" in lacks else case.picture
    if "catalogue" in lacks:
        return detect.gather(case.transcript, Catalog(path=None, products=()), log, picture, case.loudness)
    before, said = _spoken(case)
    return detect.gather(case.transcript, Catalog(path=None, products=case.products), log, picture, case.loudness, before=before, said=said)


def _spoken(case: Case) -> tuple[Evidence, Heard]:
    """Find the mentions of a stream, and what its speech says of the products; the last stream's are kept."""
    if not _LAST or _LAST[0][0] is not case:
        plain = detect.gather(case.transcript, Catalog(path=None, products=case.products), AudienceLog(), None, case.loudness)
        _LAST[:] = [(case, plain, heard(plain, case.products))]
    return _LAST[0][1:]


_LAST: list[tuple[Case, Evidence, Heard]] = []


def scripted(script: Script) -> Case:
    """Make a case of a written stream."""
    sentences = script.sentences
    transcript = Transcript(
        language=script.language, sentences=sentences, heard=(), duration=sentences[-1].end + 3, engine="script", model="script"
    )
    truth = tuple(Labelled(start, end, sku) for sku, start, end in script.truth)
    return Case(name=script.name, transcript=transcript, products=script.products, truth=truth)


def simulated(options: SimulationOptions, *, breaks: bool = False) -> Case:
    """Make a case of a simulated stream, with or without violations."""
    options = violated(options) if breaks else options
    stream = simulate(options)
    transcript = Transcript(
        language="zh", sentences=stream.sentences, heard=(), duration=stream.duration, engine="simulated", model="simulated"
    )
    return Case(
        name=f"simulated {options.seed}",
        transcript=transcript,
        products=stream.products,
        log=stream.log,
        picture=stream.picture,
        loudness=stream.loudness,
        truth=stream.truth,
        hot=stream.hot,
        uplifts=tuple(sorted(stream.uplifts.items())),
        teaser=stream.teaser,
        skew_s=options.skew_s,
    )
