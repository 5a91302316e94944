"""Finding out what a recording holds: probe, recognise, listen, look, gather, find; every value lands in the run's folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from clipper import artefact, audience, detect, media, sound, vision
from clipper.catalog import find_catalog, read_catalog
from clipper.speech import transcribe, weights
from clipper.values import AudienceLog, Catalog, Evidence, Findings, Picture, Product, Recording, Track, Transcript
from pipelines import memory
from pipelines.inputs import Inputs
from pipelines.manifest import Analysis
from pipelines.progress import Asked, Meter
from pipelines.settings import Settings
from pipelines.workdir import Workdir, digest, stamp

Tell = Callable[[float], None]


def analyse(inputs: Inputs, settings: Settings, work: Workdir, meter: Meter) -> Analysis:
    """Find out what a recording holds; every value lands in the run's folder."""
    with meter.stage("probe"):
        identity = _identity(inputs.recording)
        source = work.step("recording", Recording, 1, identity, lambda: _probe(inputs, work))
        found = catalog_of(inputs)
        catalog = work.step("catalog", Catalog, 1, (found,), lambda: found)
        audience_log = audience.read_logs(
            inputs.recording,
            chat=inputs.chat,
            events=inputs.events,
            start_time=inputs.start_time,
            recording_created=source.creation_time,
            duration=source.duration,
        )
        audience_log = _by_catalogue_sku(audience_log, catalog)
    products = catalog.products
    names = [(product.sku, product.title, product.aliases, product.brand) for product in products]
    with meter.stage("recognise") as tell:
        transcript = work.step(
            "transcript",
            Transcript,
            transcribe.VERSION,
            (source.sha256, names, settings.speech),
            lambda: _transcribe(source, products, settings, work, tell, meter.cancelled),
        )
    memory.release()
    with meter.stage("listen"):
        loudness = work.step("loudness", Track, sound.VERSION, (source.sha256,), lambda: sound.measure_loudness(media.audio_blocks(source)))
    with meter.stage("look") as tell:
        pictures = [(product.sku, [stamp(Path(image)) for image in product.images]) for product in products]
        picture = work.step(
            "picture",
            Picture,
            vision.VERSION,
            (source.sha256, pictures, settings.vision, settings.run.faces),
            lambda: _look(source, products, settings, tell, meter.cancelled),
        )
    with meter.stage("find"):
        evidence = work.step(
            "evidence",
            Evidence,
            detect.GATHER_VERSION,
            (transcript, catalog, audience_log, digest(picture, loudness), settings.gather),
            lambda: detect.gather(transcript, catalog, audience_log, picture, loudness, settings.gather),
        )
        findings = work.step(
            "segments",
            Findings,
            detect.FIND_VERSION,
            (digest(evidence), products, settings.find),
            lambda: detect.find(evidence, products, settings.find),
        )
    return _analysis(source, catalog, transcript, evidence, findings)


def stored(root: Path) -> Analysis:
    """Load what a finished run knows, without its inputs."""

    def value(name: str, kind: type[Any], version: int) -> Any:
        path = root / f"{name}.json"
        return artefact.loads(path.read_bytes(), kind, name, version, where=str(path))

    evidence: Evidence = value("evidence", Evidence, detect.GATHER_VERSION)
    catalog: Catalog = value("catalog", Catalog, 1)
    return _analysis(
        value("recording", Recording, 1),
        catalog,
        value("transcript", Transcript, transcribe.VERSION),
        evidence,
        value("segments", Findings, detect.FIND_VERSION),
    )


def _identity(path: Path) -> tuple[object, ...]:
    """What tells that a file is still the one that was probed, without reading it."""
    return stamp(path.resolve())


def _probe(inputs: Inputs, work: Workdir) -> Recording:
    """Probe a recording; one whose time stamps break is copied onto one clock inside the run's folder first."""
    found = media.probe(inputs.recording, digest=inputs.known.digest_of(inputs.recording) if inputs.known else "")
    return replace(media.normalise(found, work.root / "media"), sha256=found.sha256)


def catalog_of(inputs: Inputs) -> Catalog:
    """Read the catalogue that was given or lies beside the recording; an empty one where there is none."""
    path = inputs.catalog or find_catalog(inputs.recording.parent)
    return read_catalog(path) if path else Catalog(path=None, products=())


def _by_catalogue_sku(told: AudienceLog, catalog: Catalog) -> AudienceLog:
    """Call products in the log what the catalogue calls them: an order names a variant's sku."""

    def own(sku: str) -> str:
        product = catalog.named(sku)
        return product.sku if product else sku

    orders = told.orders and tuple(replace(order, sku=own(order.sku)) for order in told.orders)
    cards = told.cards and tuple(replace(card, sku=own(card.sku)) for card in told.cards)
    return replace(told, orders=orders, cards=cards)


def _transcribe(
    source: Recording, products: tuple[Product, ...], settings: Settings, work: Workdir, tell: Tell, cancelled: Asked
) -> Transcript:
    checkpoint = transcribe.FileCheckpoint(work.root / "recognition.jsonl")
    return transcribe.transcribe(source, products, settings.speech, checkpoint=checkpoint, progress=tell, cancelled=cancelled)


def _look(source: Recording, products: tuple[Product, ...], settings: Settings, tell: Tell, cancelled: Asked) -> Picture:
    faces = weights.locate("centerface") / "centerface.onnx" if settings.run.faces else None
    return vision.look(source, products, settings.vision, face_model=faces, progress=tell, cancelled=cancelled)


def _analysis(source: Recording, catalog: Catalog, transcript: Transcript, evidence: Evidence, findings: Findings) -> Analysis:
    return Analysis(
        recording=source,
        catalog=catalog,
        transcript=transcript,
        evidence=evidence,
        findings=findings,
        why_none=tuple(detect.why_none(evidence, catalog.products, findings)),
        pauses=detect.pauses(evidence),
    )
