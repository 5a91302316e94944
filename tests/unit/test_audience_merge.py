"""Which files are logs of a recording, on which clock, and what several of them tell together."""

from __future__ import annotations

import json
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clipper.audience import Listing, LogOptions, find_logs, parse_start, read_logs, start_from_name
from clipper.errors import InputError
from clipper.values import Card, Order, Viewers

ZONE = ZoneInfo("Asia/Shanghai")
START = 1_763_899_200.0  # 2025-11-23 20:00:00 in Shanghai
COMMENT = '{"t": 1, "type": "comment", "user": "a", "text": "hi"}\n'


@pytest.mark.parametrize(
    "stem",
    [
        "主播_2025-11-23_20-00-00",
        "主播_专场_2025-11-23_20-00-00_000",
        "录制-1001-20251123-200000-000-秋装",
        "blive_1001_2025-11-23-200000",
        "[2025-11-23 20-00-00][主播][房间]",
        "2025-11-23 20-00-00-000 标题",
        "streamer-20251123200000",
        "名字-1 的主播直播20251123_20-00",
        "2025年11月23日 20:00:00",
    ],
)
def test_names_of_recorders_tell_the_start(stem: str) -> None:
    assert start_from_name(stem, ZONE) == START


@pytest.mark.parametrize(
    "stem", ["show", "房间123456", "2025-11-23", "20251399-200000", "a_2025-11-23_20-00-00_003", "12345678901234567890"]
)
def test_other_names_tell_none(stem: str) -> None:
    assert start_from_name(stem, ZONE) is None


def test_milliseconds_and_zones_of_names_count() -> None:
    assert start_from_name("录制-1-20251123-200000-250-x", ZONE) == START + 0.25
    assert start_from_name("x_2025-11-23_20-00-00", ZoneInfo("UTC")) == START + 8 * 3600


def test_start_times_that_somebody_types() -> None:
    assert parse_start("2025-11-23 20:00:00", ZONE) == parse_start(START, ZONE) == START
    with pytest.raises(InputError, match="could not use start time soon"):
        parse_start("soon", ZONE)


def test_the_start_is_taken_from_option_side_file_name_and_container_in_that_order(tmp_path: Path) -> None:
    recording = tmp_path / "a_2025-11-23_20-00-00.mp4"
    side = tmp_path / "a_2025-11-23_20-00-00.events.jsonl"
    plain = tmp_path / "show.mp4"
    assert (read_logs(plain).started_at, read_logs(plain).started_from) == (None, "unknown")
    log = read_logs(plain, recording_created=START - 9)
    assert (log.started_at, log.started_from) == (START - 9, "container")
    assert read_logs(plain, recording_created=-2_082_844_800.0).started_from == "unknown"
    log = read_logs(recording, recording_created=START - 9)
    assert (log.started_at, log.started_from) == (START, "name")
    side.write_text(json.dumps({"type": "recording", "started_at": START + 3}) + "\n" + COMMENT, encoding="utf-8")
    log = read_logs(recording, recording_created=START - 9)
    assert (log.started_at, log.started_from) == (START + 3, "side file")
    log = read_logs(recording, start_time="2025-11-23 20:00:05")
    assert (log.started_at, log.started_from) == (START + 5, "option")


def test_instants_need_a_start(tmp_path: Path) -> None:
    (tmp_path / "show.events.jsonl").write_text(f'{{"ts": {START + 7}, "type": "comment", "text": "hi"}}\n', encoding="utf-8")
    log = read_logs(tmp_path / "show.mp4", duration=60)
    assert log.comments is None
    assert any("start is not known" in text for text in log.warnings)
    log = read_logs(tmp_path / "show.mp4", duration=60, start_time=START)
    assert [comment.time for comment in log.comments or ()] == [7.0]


def test_a_log_of_another_evening_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "show.events.jsonl").write_text(f'{{"ts": {START}, "type": "comment", "text": "hi"}}\n', encoding="utf-8")
    log = read_logs(tmp_path / "show.mp4", duration=60, start_time=START + 86_400)
    assert log.comments is None
    assert any("is the start time right?" in text for text in log.warnings)


def test_side_files_belong_to_the_recording_with_the_longest_name(tmp_path: Path) -> None:
    for name in (
        "show.mp4",
        "show.b.mp4",
        "show.xml",
        "show.b.xml",
        "show.events.jsonl",
        "show_chat.json",
        "show.info.json",
        "showcase.xml",
        "events.jsonl",
        "catalog.csv",
    ):
        (tmp_path / name).touch()
    assert [path.name for path in find_logs(tmp_path / "show.mp4")] == ["show.events.jsonl", "show.xml", "show_chat.json"]
    assert [path.name for path in find_logs(tmp_path / "show.b.mp4")] == ["show.b.xml"]


def test_plain_names_belong_to_a_lone_recording(tmp_path: Path) -> None:
    for name in ("show.mp4", "events.jsonl", "danmaku.xml", "orders.csv", "notes.csv"):
        (tmp_path / name).touch()
    assert [path.name for path in find_logs(tmp_path / "show.mp4")] == ["danmaku.xml", "events.jsonl", "orders.csv"]
    assert find_logs(tmp_path / "gone" / "show.mp4") == ()


def test_a_folder_of_thousands_is_read_once_for_all_its_recordings(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"show {number}.mp4").touch()
        (tmp_path / f"show {number}.danmaku.xml").touch()
        (tmp_path / f"show {number}_live_chat.json").touch()
    began = time.process_time()
    listing = Listing.of(tmp_path)
    found = [listing.of_recording(tmp_path / f"show {number}.mp4") for number in range(3000)]
    assert time.process_time() - began < 3.0, "not once for each of them"
    assert [path.name for path in found[30]] == ["show 30.danmaku.xml", "show 30_live_chat.json"]
    assert found[7] == find_logs(tmp_path / "show 7.mp4")


def test_what_two_files_both_tell_counts_once(tmp_path: Path) -> None:
    (tmp_path / "show.mp4").touch()
    (tmp_path / "events.jsonl").write_text(COMMENT * 2 + '{"t": 3, "type": "order", "sku": "A", "quantity": 1}\n', encoding="utf-8")
    (tmp_path / "danmaku.xml").write_text('<i><d p="1.4,1" user="a">hi</d><d p="9,1" user="b">hi</d></i>', encoding="utf-8")
    (tmp_path / "orders.csv").write_text("t,sku,quantity,amount\n3,A,1,59\n3,A,1,59\n", encoding="utf-8")
    log = read_logs(tmp_path / "show.mp4", duration=60)
    assert [comment.time for comment in log.comments or ()] == [1.0, 1.4, 9.0]
    assert len(log.orders or ()) == 2
    assert len(log.sources) == 3


def test_one_file_may_tell_the_same_twice(tmp_path: Path) -> None:
    (tmp_path / "show.events.jsonl").write_text(COMMENT * 3, encoding="utf-8")
    assert len(read_logs(tmp_path / "show.mp4").comments or ()) == 3


def test_named_files_stand_in_for_found_ones(tmp_path: Path) -> None:
    (tmp_path / "show.events.jsonl").write_text(COMMENT + '{"t": 3, "type": "order", "sku": "A"}\n', encoding="utf-8")
    other = tmp_path / "other"
    other.write_text('<i><d p="5,1">named</d></i>', encoding="utf-8")
    log = read_logs(tmp_path / "show.mp4", chat=[other])
    assert [comment.text for comment in log.comments or ()] == ["named"]
    assert log.orders == (Order(3.0, "A", 1.0),)
    orders = tmp_path / "other.csv"
    orders.write_text("t,sku\n8,B\n", encoding="utf-8")
    log = read_logs(tmp_path / "show.mp4", events=[orders])
    assert log.orders == (Order(8.0, "B", 1.0),)
    assert [comment.text for comment in log.comments or ()] == ["hi"]


def test_missing_is_not_zero(tmp_path: Path) -> None:
    recording = tmp_path / "show.mp4"
    assert read_logs(recording).missing == ("comments", "orders", "cards", "viewers")
    (tmp_path / "show.xml").write_text("<i></i>", encoding="utf-8")
    log = read_logs(recording)
    assert (log.comments, log.orders) == ((), None)
    (tmp_path / "show.events.jsonl").write_text('{"type": "recording", "channels": ["orders", "cards"]}\n', encoding="utf-8")
    log = read_logs(recording)
    assert (log.orders, log.cards, log.viewers) == ((), (), None)


def test_found_files_of_other_kinds_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "show.json").write_text('{"nothing": 1}', encoding="utf-8")
    (tmp_path / "show.xml").write_text("", encoding="utf-8")
    log = read_logs(tmp_path / "show.mp4")
    assert log.missing == ("comments", "orders", "cards", "viewers")
    assert any("show.json was left out" in text for text in log.warnings)
    assert any("the file is empty" in text for text in log.warnings)


def test_users_are_one_within_a_recording_and_others_in_another(tmp_path: Path) -> None:
    for stem in ("a", "b"):
        (tmp_path / f"{stem}.mp4").write_bytes(stem.encode())
        (tmp_path / f"{stem}.events.jsonl").write_text(COMMENT * 2, encoding="utf-8")
    users = [{comment.user for comment in read_logs(tmp_path / f"{stem}.mp4").comments or ()} for stem in ("a", "b")]
    assert [len(found) for found in users] == [1, 1]
    assert users[0] != users[1]


def test_the_series_of_viewers_with_most_samples_counts(tmp_path: Path) -> None:
    (tmp_path / "show.events.jsonl").write_text('{"t": 0, "type": "viewers", "count": 5}\n', encoding="utf-8")
    (tmp_path / "show.viewers.csv").write_text("minute,viewers\n0,9\n1,10\n", encoding="utf-8")
    assert read_logs(tmp_path / "show.mp4").viewers == (Viewers(0.0, 9.0), Viewers(60.0, 10.0))


@pytest.mark.parametrize(
    ("first", "second", "start", "times"),
    [
        ("20:01:00", "20:02:30", START, (60.0, 150.0)),
        ("20:01", "20:03", START, (60.0, 180.0)),
        ("0:00:10", "0:00:20", START, (10.0, 20.0)),
        ("01:10", "02:20", None, (70.0, 140.0)),
    ],
)
def test_times_of_day_are_told_from_times_of_the_recording(
    first: str, second: str, start: float | None, times: tuple[float, float], tmp_path: Path
) -> None:
    (tmp_path / "show.csv").write_text(f"时间,商品ID,数量\n{first},A,1\n{second},A,1\n", encoding="utf-8")
    log = read_logs(tmp_path / "show.mp4", start_time=start, duration=600)
    assert tuple(order.time for order in log.orders or ()) == times


def test_a_mapping_file_names_the_columns(tmp_path: Path) -> None:
    (tmp_path / "show.csv").write_text("何时,哪个,几件\n5000,A,3\n", encoding="utf-8")
    assert read_logs(tmp_path / "show.mp4").orders is None
    (tmp_path / "columns.toml").write_text(
        '[orders]\ntime = "何时"\nsku = "哪个"\nquantity = "几件"\n[time]\nunit = "ms"\n', encoding="utf-8"
    )
    assert read_logs(tmp_path / "show.mp4").orders == (Order(5.0, "A", 3.0),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[order]\ntime = 'x'\n", "did you mean orders?"),
        ("[orders]\ntiem = 'x'\n", "did you mean time?"),
        ("[time]\nunit = 'days'\n", "expected one of auto"),
        ("[orders]\ntime = 3\n", "expected the name of a column"),
        ("orders = 3\n", "expected a section"),
        ("][", "write TOML like"),
    ],
)
def test_wrong_mappings_are_explained(text: str, found: str, tmp_path: Path) -> None:
    (tmp_path / "show.csv").write_text("t,sku\n5,A\n", encoding="utf-8")
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_logs(tmp_path / "show.mp4", events=[tmp_path / "show.csv"], options=LogOptions(mapping=tmp_path / "map.toml"))
    assert found in str(caught.value)


def test_explanations_with_sales_tell_cards_and_orders(tmp_path: Path) -> None:
    (tmp_path / "show.csv").write_text(
        '商品ID,讲解开始时间,讲解结束时间,成交件数,用户支付金额(元)\n77,0:00:10,0:00:40,6,"1,200.5"\n', encoding="utf-8"
    )
    log = read_logs(tmp_path / "show.mp4", duration=600)
    assert log.cards == (Card(10.0, "77", "show"), Card(40.0, "77", "hide"))
    assert log.orders == (Order(10.0, "77", 6.0, 1200.5, 30.0),)
