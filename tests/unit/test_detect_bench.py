"""The evaluator and the simulator are themselves tested."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from clipper import artefact
from clipper.values import AudienceLog, Catalog, Order, Transcript
from tests.bench.detect import ablation, labelled
from tests.bench.detect.baselines import BASELINES
from tests.bench.detect.cases import MASKS, gathered, simulated
from tests.bench.detect.evaluate import (
    Labelled,
    average_precision,
    boundary_errors,
    boundary_f1,
    bridged,
    calibration_error,
    error_by_chance,
    interval,
    iou,
    mean,
    seconds_inside,
    seconds_right,
    swept_error,
)
from tests.bench.detect.misheard import Line, Recogniser, alike
from tests.bench.detect.scores import all_scores, grouped, table
from tests.bench.detect.simulate import Simulated, SimulationOptions, simulate, violated
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
    assert calibration_error([(0.5, True), (0.5, False)] * 150) < 0.02
    assert error_by_chance([1.0] * 10) == error_by_chance([]) == 0
    assert error_by_chance([0.8] * 45) > 0.1 > 0.03 > error_by_chance([0.8] * 4500, draws=20)
    assert swept_error([]) == swept_error([(1.0, True)] * 10) == 0
    assert swept_error([(0.9, n % 2 == 0) for n in range(40)]) == pytest.approx(0.4)
    graded = [(level / 10, 7 * n % 10 < level) for level in (2, 4, 6, 8) for n in range(40)]
    assert swept_error(graded) < 0.05
    assert swept_error([(confidence + 0.2, is_right) for confidence, is_right in graded]) > 0.15
    spread = [0.5 + n / 100 for n in range(45)]
    assert error_by_chance(spread, swept_error) < error_by_chance(spread)
    low, high = interval([0.0, 1.0] * 20, mean)
    assert 0.3 < low < 0.5 < high < 0.7


def test_edges_are_matched_one_to_one() -> None:
    assert boundary_f1(TRUTH, TRUTH) == 1
    assert boundary_f1((Labelled(13, 37, "A"),), TRUTH) == pytest.approx(2 * 2 / 6)
    assert boundary_f1((Labelled(10, 40, "X"), Labelled(41.5, 90, "X")), TRUTH, 2.0) == pytest.approx(2 * 3 / 8)
    assert boundary_f1((), TRUTH) == 0
    assert seconds_inside(((0, 10), (20, 30)), ((5, 25),)) == 10


@pytest.fixture(scope="module")
def stream() -> Simulated:
    return simulate(SimulationOptions(hours=0.5, seed=4, regime="fast", cer=0.1))


def test_simulated_streams_are_repeatable(stream: Simulated) -> None:
    again = simulate(SimulationOptions(hours=0.5, seed=4, regime="fast", cer=0.1))
    assert again == stream
    assert simulate(SimulationOptions(hours=0.5, seed=5)).sentences != stream.sentences


def test_simulated_hosts_talk_as_published(stream: Simulated) -> None:
    explained = sum(t.end - t.start for t in stream.truth)
    assert 0.7 < explained / stream.duration < 0.92
    assert all(a.end <= b.start for a, b in pairwise(stream.truth))
    assert 60 < explained / len(stream.truth) < 130
    spoken_s = sum(w.end - w.start for s in stream.sentences for w in s.words)
    assert 5 < sum(len(s.text) for s in stream.sentences) / spoken_s < 8
    assert 2 < stream.duration / len(stream.sentences) < 6
    assert {m.sku for m in stream.moments} <= {p.sku for p in stream.products}
    assert all(1.5 <= m.confidence <= 4 and 15 <= m.end - m.start <= 45.1 for m in stream.moments)


def test_simulated_chat_bursts_and_repeats_as_measured() -> None:
    fano, copies = [], []
    for seed in range(6):
        made = simulate(SimulationOptions(hours=0.5, seed=seed))
        people = [c for c in made.log.comments or () if not c.user.startswith(("bot", "p", "r"))]
        counts = np.bincount([int(c.time // 5) for c in people], minlength=int(made.duration // 5))
        fano.append(counts.var() / counts.mean())
        last: dict[str, float] = {}
        again = 0
        for c in people:
            again += c.time - last.get(c.text, -99.0) <= 30
            last[c.text] = c.time
        copies.append(again / len(people))
    assert 3 < np.median(fano) < 16
    assert 0.15 < np.median(copies) < 0.45


def test_simulated_orders_lag_and_are_batched_or_refunded(stream: Simulated) -> None:
    found = [simulate(SimulationOptions(hours=0.5, seed=seed)).log.orders or () for seed in range(8)]
    assert {o.bucket_s for orders in found for o in orders} >= {0.0, 60.0}
    refunds = sum(o.quantity < 0 for orders in found for o in orders) / sum(len(orders) for orders in found)
    assert 0.02 < refunds < 0.3
    assert stream.hot == {sku for sku, uplift in stream.uplifts.items() if uplift > 2}


def test_misrecognition_is_as_dialled() -> None:
    lines = [Line(10.0 * n, 10.0 * n + 8, "今天给大家看的是手工竹纤维毛巾又软又厚", ("竹纤维毛巾",)) for n in range(300)]
    for cer in (0.0, 0.1, 0.17):
        words = Recogniser(random.Random(1), cer, punctuates=False).hear(lines)
        heard = "".join(w.text for w in words)
        wrong = Levenshtein.distance("".join(line.text for line in lines), heard) / (19 * 300)
        assert cer * 1.0 <= wrong <= cer * 1.8
        assert all(a.end <= b.start + 1e-9 for a, b in pairwise(words))
    assert "zhu" in {sound_of(c) for c in alike("竹")}
    assert "zu" in {sound_of(c) for c in alike("竹")}


def sound_of(character: str) -> str:
    from pypinyin import lazy_pinyin

    return str(lazy_pinyin(character)[0])


def test_violations_are_dialled_in() -> None:
    broken = [violated(SimulationOptions(seed=seed)) for seed in range(40)]
    assert any(o.skew_s for o in broken)
    assert any(o.drift for o in broken)
    assert any(o.hole_s for o in broken)
    assert any(o.glued for o in broken)
    assert {o.crowd.cards_missing for o in broken} == {0.25, 0.6}
    base = SimulationOptions(hours=0.5, seed=3)
    plain, glued = simulate(base), simulate(replace(base, glued=True))
    assert plain.duration - 300 <= glued.duration <= plain.duration - 60
    assert max(s.words[-1].end for s in glued.sentences) <= glued.duration
    skewed = simulate(replace(base, skew_s=50.0))
    assert [c.time + 50 for c in plain.log.cards or ()] == pytest.approx([c.time for c in skewed.log.cards or ()], abs=0.01)


def test_masks_take_away_what_they_say() -> None:
    case = simulated(SimulationOptions(hours=0.2, seed=1, products=5, distractors=5))
    for mask in ("all channels", "picture and chat", "no catalogue"):
        lacks = MASKS[mask]
        evidence = gathered(case, mask)
        for name in ("cards", "orders", "comments", "viewers"):
            assert (getattr(evidence.log, name) is None) == (name in lacks)
        assert (evidence.picture is None) == ("picture" in lacks)
        assert bool(evidence.mentions) == ("catalogue" not in lacks)


def test_a_table_has_livecut_the_baselines_and_what_only_livecut_answers() -> None:
    case = simulated(SimulationOptions(hours=0.25, seed=2, products=5, distractors=5, cer=0.06, regime="fast"))
    rows = all_scores(case, ("all channels", "no cards", "no catalogue"))
    by_mask = grouped(rows)
    text = "\n".join(table("all channels", by_mask["all channels"]))
    for method in ("livecut", *BASELINES, "ECE", "hot products"):
        assert method in text
    ablated = ablation.table(by_mask)
    assert [line.split(" | ")[0] for line in ablated[4:-1]] == ["| all channels", "| no cards", "| no catalogue"]
    assert "[" in ablated[5].split(" | ")[4]  # the difference to all channels has its interval
    assert "cards only" not in by_mask["no cards"]
    assert list(by_mask["no catalogue"]) == ["livecut"]
    (ours,) = by_mask["all channels"]["livecut"]
    assert ours.half > max(by_mask["all channels"][name][0].half for name in BASELINES)
    assert all(0 <= confidence <= 1 for confidence, _ in ours.pairs)


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
    assert (found.name, found.products, found.hot) == ("A", FARM.products, frozenset({"F2"}))
    assert found.transcript == transcript
    assert found.log.orders == orders
    assert [(x.sku, x.start, x.end) for x in found.truth] == list(FARM.truth)
    assert gathered(found, "all channels").mentions == evidence.mentions


def test_labelled_recordings_without_a_run_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "truth.json").write_text("{}", encoding="utf-8")
    assert list(labelled.streams(tmp_path)) == []
