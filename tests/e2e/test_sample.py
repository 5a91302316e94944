"""The sample, through the real recognizer, to finished files: the whole promise at once."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines import cli, make_clips
from pipelines.settings import RunOptions, Settings
from tests.e2e.conftest import SAMPLES, SampleRun, copy_sample

pytestmark = pytest.mark.slow


def iou(a: dict[str, Any], b: dict[str, Any]) -> float:
    shared = min(a["end_s"], b["end"]) - max(a["start_s"], b["start"])
    return max(0.0, shared) / (max(a["end_s"], b["end"]) - min(a["start_s"], b["start"]))


def test_every_explanation_is_found(sample_run: SampleRun) -> None:
    segments = sample_run.manifest["segments"]
    for want in sample_run.truth["segments"]:
        best = max((iou(got, want) for got in segments if got["sku"] == want["sku"]), default=0.0)
        assert best >= 0.8, f"{want['sku']}: tIoU {best:.2f}"


def test_every_product_name_that_is_said_is_heard(sample_run: SampleRun) -> None:
    with (SAMPLES / "catalog.csv").open(encoding="utf-8-sig") as file:
        names = {row["sku"]: row["aliases"].split("|") for row in csv.DictReader(file)}
    mentions = json.loads((sample_run.folder / "evidence.json").read_text(encoding="utf-8"))["value"]["mentions"]
    said = [(line, sku) for line in sample_run.truth["lines"] for sku, own in names.items() if any(name in line["text"] for name in own)]
    assert said
    for line, sku in said:
        near = [m for m in mentions if m["sku"] == sku and m["start"] < line["end"] + 1.5 and m["end"] > line["start"] - 1.5]
        assert near, f"{sku} is not heard in {line['text']}"


def test_the_hot_item_is_right_and_no_other(sample_run: SampleRun) -> None:
    hot = sample_run.manifest["hot_items"]
    assert [item["sku"] for item in hot] == [item["sku"] for item in sample_run.truth["hot"]]
    assert hot[0]["basis"] == "orders"
    assert hot[0]["uplift_low"] <= hot[0]["uplift"] <= hot[0]["uplift_high"]


def test_no_cut_is_inside_speech(sample_run: SampleRun) -> None:
    lines = sample_run.truth["lines"]
    for clip in sample_run.manifest["clips"]:
        for edge in [edge for source in clip["sources"] for edge in (source["start_s"], source["end_s"])]:
            inside = [line["text"] for line in lines if line["start"] + 0.12 < edge < line["end"] - 0.12]
            assert not inside, f"{clip['id']} cuts at {edge} inside {inside}"


def test_there_are_clips_of_all_types_with_lengths_in_their_ranges(sample_run: SampleRun) -> None:
    ranges = {"explanation": (8, 120), "hot_item": (12, 47), "teaser": (10, 32)}
    kinds = set()
    for clip in sample_run.manifest["clips"]:
        low, high = ranges[clip["type"]]
        assert low <= clip["duration_s"] <= high, clip["id"]
        kinds.add(clip["type"])
    assert kinds == set(ranges)


def test_finished_files_are_what_the_manifest_says(sample_run: SampleRun) -> None:
    for clip in sample_run.manifest["clips"]:
        video = sample_run.folder / clip["file"]
        assert hashlib.sha256(video.read_bytes()).hexdigest() == clip["sha256"]
        assert (clip["width"], clip["height"]) == (1080, 1920)
        assert -15 <= clip["loudness_lufs"] <= -13
        assert clip["true_peak_dbtp"] <= -1
        for name in ("captions", "cover", "plan"):
            assert (sample_run.folder / clip[name]).stat().st_size > 0
        assert 0 < len(clip["title"]) <= 30
    assert not list(sample_run.folder.rglob("*.part"))


def test_the_manifest_keeps_its_contract(sample_run: SampleRun) -> None:
    manifest = sample_run.manifest
    assert (manifest["schema"], manifest["version"]) == ("livecut.manifest", 1)
    assert {"path", "sha256", "duration_s", "width", "height", "fps", "language"} <= manifest["recording"].keys()
    assert {"catalog", "events", "chat", "missing"} <= manifest["inputs"].keys()
    assert {"transcribed_s", "damaged_s", "warnings"} <= manifest["coverage"].keys()
    catalogued = {segment["sku"] for segment in sample_run.truth["segments"]}
    assert {product["sku"] for product in manifest["products"]} >= catalogued
    for product in manifest["products"]:
        assert product["clips"] or product["why_none"]
    for clip in manifest["clips"]:
        kept = [claim for claim in clip["claims"] if claim["perishable"]]
        assert not kept or clip["valid_until"]
        assert clip["synthetic_elements"] == []


def test_captions_read_like_the_speech(sample_run: SampleRun) -> None:
    for clip in sample_run.manifest["clips"]:
        text = (sample_run.folder / clip["captions"]).read_text(encoding="utf-8")
        assert "-->" in text
        assert "\\N" not in text


def test_a_second_run_computes_nothing(sample_run: SampleRun) -> None:
    before = {path: path.stat().st_mtime_ns for path in (sample_run.folder / "clips").iterdir()}
    again = make_clips(sample_run.recording, settings=Settings(run=RunOptions(out=str(sample_run.out))))
    assert again.made == ()
    assert {path: path.stat().st_mtime_ns for path in (sample_run.folder / "clips").iterdir()} == before


def test_an_edited_plan_renders_its_clip_alone(sample_run: SampleRun, tmp_path: Path) -> None:
    plan = next(sample_run.folder.glob("plans/*-teaser*.json"))
    original = plan.read_bytes()
    record = json.loads(original)
    record["value"]["title"] = "改过的标题"
    plan.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    try:
        again = make_clips(sample_run.recording, settings=Settings(run=RunOptions(out=str(sample_run.out))))
        assert again.made == (f"render {plan.stem}",)
        clip = next(clip for clip in sample_run.manifest["clips"] if clip["plan"] == f"plans/{plan.name}")
        assert (clip["title"], clip["edited"]) == ("改过的标题", True)
    finally:
        plan.write_bytes(original)
        assert cli.run(["render", str(plan), "-q"]) == 0
    assert not any(clip["edited"] for clip in sample_run.manifest["clips"])


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    recording = copy_sample(tmp_path / "in")
    command = [sys.executable, "-m", "pipelines", "clip", str(recording), "-o", str(tmp_path / "out"), "--types", "teaser", "-q"]
    running = subprocess.Popen(command, start_new_session=True)
    transcript = tmp_path / "out" / "show" / "transcript.json"
    deadline = time.monotonic() + 120
    while not transcript.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert transcript.exists()
    assert not list((tmp_path / "out" / "show").glob("clips/*.mp4"))
    written = transcript.stat().st_mtime_ns
    subprocess.run(command, check=True)
    assert transcript.stat().st_mtime_ns == written
    assert list((tmp_path / "out" / "show").glob("clips/*.mp4"))
