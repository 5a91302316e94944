"""The committed sample is whole, consistent with its own ground truth, and small."""

import csv
import itertools
import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

SAMPLES = Path(__file__).parents[2] / "samples"
TRUTH = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
EVENTS = [json.loads(line) for line in (SAMPLES / "show.events.jsonl").read_text(encoding="utf-8").splitlines()]
with (SAMPLES / "catalog.csv").open(encoding="utf-8", newline="") as _file:
    PRODUCTS = list(csv.DictReader(_file))
SKUS = {row["sku"] for row in PRODUCTS}


def orders_within(sku: str, start: float, end: float) -> int:
    return sum(event["quantity"] for event in EVENTS if event["type"] == "order" and event["sku"] == sku and start <= event["t"] < end)


def test_everything_committed_is_under_eight_megabytes():
    committed = [path for path in SAMPLES.rglob("*") if path.is_file() and not {".cache", "__pycache__"} & set(path.parts)]
    assert sum(path.stat().st_size for path in committed) < 8_000_000


def test_recording_is_as_long_and_large_as_the_truth_says():
    import av

    with av.open(str(SAMPLES / "show.mp4")) as file:
        video, sound = file.streams.video[0], file.streams.audio[0]
        assert (video.width, video.height, video.average_rate) == (TRUTH["width"], TRUTH["height"], TRUTH["fps"])
        assert float(video.duration * video.time_base) == pytest.approx(TRUTH["duration_s"], abs=0.05)
        assert float(sound.duration * sound.time_base) == pytest.approx(TRUTH["duration_s"], abs=0.1)


def test_recording_has_a_key_frame_at_least_every_four_seconds():
    import av

    with av.open(str(SAMPLES / "show.mp4")) as file:
        video = file.streams.video[0]
        keys = [float(packet.pts * packet.time_base) for packet in file.demux(video) if packet.is_keyframe and packet.pts is not None]
    assert max(after - before for before, after in zip(keys, [*keys[1:], TRUTH["duration_s"]], strict=True)) <= 4.0


@pytest.mark.parametrize("row", PRODUCTS, ids=lambda row: row["sku"])
def test_product_has_two_square_pictures_and_a_price_below_its_list_price(row):
    assert float(row["price"]) < float(row["list_price"])
    pictures = [SAMPLES / name for name in row["image"].split("|")]
    assert len(pictures) == 2
    for path in pictures:
        with Image.open(path) as image:
            assert image.format == "JPEG"
            assert image.size[0] == image.size[1] >= 1000


@pytest.mark.parametrize("row", PRODUCTS, ids=lambda row: row["sku"])
def test_first_picture_stands_on_white(row):
    with Image.open(SAMPLES / row["image"].split("|")[0]) as image:
        wide, _tall = image.size
        corners = [image.convert("L").getpixel(at) for at in ((5, 5), (wide - 6, 5))]
    assert min(corners) > 235


def test_lines_are_in_order_and_inside_the_recording():
    lines = TRUTH["lines"]
    assert all(before["end"] < after["start"] for before, after in itertools.pairwise(lines))
    assert lines[0]["start"] > 0
    assert lines[-1]["end"] < TRUTH["duration_s"]


def test_segments_begin_and_end_with_lines_that_explain_their_product():
    starts = {line["start"]: line for line in TRUTH["lines"] if line["explain"]}
    ends = {line["end"]: line for line in TRUTH["lines"] if line["explain"]}
    assert {segment["sku"] for segment in TRUTH["segments"]} == SKUS
    for segment in TRUTH["segments"]:
        assert starts[segment["start"]]["sku"] == ends[segment["end"]]["sku"] == segment["sku"]


def test_every_product_is_named_in_its_own_explanation():
    for row in PRODUCTS:
        spoken = "".join(line["text"] for line in TRUTH["lines"] if line["sku"] == row["sku"])
        assert row["aliases"].split("|")[0] in spoken


def test_price_said_is_the_price_of_the_catalogue():
    said = {"L001": "四十九", "L002": "九十九", "L003": "二十九块九"}
    for row in PRODUCTS:
        spoken = "".join(line["text"] for line in TRUTH["lines"] if line["sku"] == row["sku"] and line["phase"] == "price")
        assert said[row["sku"]] in spoken
    assert [row["price"] for row in PRODUCTS] == ["49", "99", "29.9"]


def test_cards_go_up_soon_after_each_product_is_introduced():
    cards = {event["sku"]: event["t"] for event in EVENTS if event["type"] == "product_card"}
    for segment in TRUTH["segments"]:
        assert 0.3 <= cards[segment["sku"]] - segment["start"] <= 4.0


def test_only_the_hot_product_sells_far_above_the_others():
    (hot,) = TRUTH["hot"]
    rates = {}
    for segment in TRUTH["segments"]:
        sold = orders_within(segment["sku"], segment["start"], TRUTH["duration_s"])
        rates[segment["sku"]] = sold / (TRUTH["duration_s"] - segment["start"])
    others = [rate for sku, rate in rates.items() if sku != hot["sku"]]
    assert min(others) > 0
    assert rates[hot["sku"]] > 5 * max(others)


def test_events_are_sorted_known_and_inside_the_recording():
    times = [event["t"] for event in EVENTS]
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] < TRUTH["duration_s"]
    assert {event["sku"] for event in EVENTS if "sku" in event} == SKUS


def test_viewers_are_counted_every_ten_seconds():
    times = [event["t"] for event in EVENTS if event["type"] == "viewers"]
    assert times == [10.0 * step for step in range(len(times))]
    assert len(times) == int(TRUTH["duration_s"] // 10) + 1


def test_comments_are_in_the_danmaku_file_alone():
    root = ElementTree.parse(SAMPLES / "show.xml").getroot()
    assert "comment" not in Counter(event["type"] for event in EVENTS)
    spoken = root.findall("d")
    assert len(spoken) > 60
    assert all(0 <= float(line.get("p").split(",")[0]) < TRUTH["duration_s"] for line in spoken)
    assert root.find("BililiveRecorderRecordInfo").get("start_time").startswith("2026-11-20T20:30:00")


def test_teaser_lines_are_spoken_lines_enough_for_a_trailer():
    spans = {(line["start"], line["end"]) for line in TRUTH["lines"]}
    assert all((piece["start"], piece["end"]) in spans for piece in TRUTH["teaser"])
    assert sum(piece["end"] - piece["start"] for piece in TRUTH["teaser"]) >= 15
