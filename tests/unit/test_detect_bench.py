"""The evaluator and the simulator are themselves tested."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from clipper import artefact
from clipper.values import AudienceLog, Catalog, Order, Transcript
from tests.bench.detect import labelled
from tests.bench.detect.baselines import BASELINES
from tests.bench.detect.evaluate import (
    Labelled,
    average_precision,
    boundary_errors,
    bridged,
    calibration_error,
    interval,
    iou,
    mean,
    seconds_right,
)
from tests.bench.detect.simulate import SimulationOptions, simulate
from tests.unit.test_detect_find import FARM, evidence_of

TRUTH = (Labelled(10, 40, "A"), Labelled(50, 90, "B"))


def test_a_perfect_answer_scores_one() -> None:
    assert average_precision(TRUTH, TRUTH, 0.9) == 1
    assert seconds_right(TRUTH, TRUTH, 100) == 1
    assert boundary_errors(TRUTH, TRUTH) == (0, 0, 0, 0)


def test_wrong_products_and_missing_ones_cost() -> None:
    assert average_precision((Labelled(10, 40, "B"), TRUTH[1]), TRUTH, 0.5) == pytest.approx(0.25)
    assert average_precision(TRUTH[:1], TRUTH, 0.5) == 0.5
    assert average_precision((), TRUTH, 0.5) == 0
    assert average_precision((), (), 0.5) == 1


def test_a_sure_mistake_costs_more_than_an_unsure_one() -> None:
    wrong = Labelled(60, 90, "C", 0.9)
    right = (Labelled(10, 40, "A", 0.5), Labelled(50, 90, "B", 0.5))
    sure, unsure = (average_precision((*right, Labelled(wrong.start, wrong.end, "C", c)), TRUTH, 0.5) for c in (0.9, 0.1))
    assert sure < unsure == 1


def test_interrupted_explanations_may_be_told_as_one_or_two() -> None:
    truth = (Labelled(0, 30, "A"), Labelled(50, 80, "A"))
    assert bridged(truth) == (Labelled(0, 80, "A"),)
    assert average_precision(truth, truth, 0.7) == average_precision(bridged(truth), truth, 0.7) == 1


def test_overlap_and_seconds() -> None:
    assert iou(Labelled(0, 10, "A"), Labelled(5, 15, "A")) == pytest.approx(1 / 3)
    assert seconds_right((), TRUTH, 99) == pytest.approx(1 - (31 + 41) / 100)


def test_calibration_and_interval() -> None:
    assert calibration_error([(1.0, True)] * 10) == 0
    assert calibration_error([(1.0, False)] * 10) == 1
    low, high = interval([0.0, 1.0] * 20, mean)
    assert 0.3 < low < 0.5 < high < 0.7


def test_simulated_streams_are_repeatable_and_lifelike() -> None:
    options = SimulationOptions(hours=0.3, seed=4)
    one, two = simulate(options), simulate(options)
    assert one.sentences == two.sentences
    assert one.truth == two.truth
    explained = sum(t.end - t.start for t in one.truth) / one.duration
    assert 0.6 < explained < 0.98
    assert all(a.end <= b.start for a, b in pairwise(one.truth))
    characters = sum(len(s.text) for s in one.sentences) / sum(s.end - s.start for s in one.sentences)
    assert 5 < characters < 7


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_baselines_answer_in_order(name: str) -> None:
    found = BASELINES[name](evidence_of(FARM))
    assert all(a.end <= b.start + 0.001 for a, b in pairwise(found))


@pytest.mark.parametrize("place", ["A/run", "A/out/recording", "A", "A.run"])
def test_labelled_recordings_are_read_from_finished_runs(tmp_path: Path, place: str) -> None:
    evidence = evidence_of(FARM)
    home, run = tmp_path / "A", tmp_path / place
    home.mkdir()
    run.mkdir(parents=True, exist_ok=True)
    segments = [{"sku": sku, "start": start, "end": end} for sku, start, end in FARM.truth]
    truth = {"duration_s": evidence.duration, "segments": segments, "hot": [{"sku": "F2"}]}
    (home / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    orders = (Order(60.0, "F2", 1.0),)
    transcript = Transcript(language="zh", sentences=evidence.sentences, heard=(), duration=evidence.duration, engine="", model="")
    values = {
        "transcript": transcript,
        "catalog": Catalog(path=None, products=FARM.products),
        "evidence": replace(evidence, log=AudienceLog(orders=orders)),
    }
    for schema, value in values.items():
        (run / f"{schema}.json").write_bytes(artefact.dumps(value, schema, 1))
    (found,) = labelled.streams(tmp_path)
    name, read, products, labels, hot = found
    assert (name, products, hot) == ("A", FARM.products, frozenset({"F2"}))
    assert read.mentions == evidence.mentions
    assert read.log.orders == orders
    assert [(x.sku, x.start, x.end) for x in labels] == list(FARM.truth)


def test_labelled_recordings_without_a_run_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "truth.json").write_text("{}", encoding="utf-8")
    assert list(labelled.streams(tmp_path)) == []
