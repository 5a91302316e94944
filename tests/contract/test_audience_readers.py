"""Every kind of log tells what it holds on the recording's clock; no bytes make a reader crash, no name is kept."""

from __future__ import annotations

import importlib
import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipper.audience import READERS, find_logs, read_logs
from clipper.errors import InputError
from clipper.values import AudienceLog, Card, Order, Viewers
from tests.tables import workbook

START = 1_763_899_200.0  # 2025-11-23 20:00:00 in Shanghai
SAYS = ((2.5, "多少钱"), (12.0, "扣1"), (12.0, "扣1"))
"""What every chat below holds: seconds and text."""
SECRET = "小李子"
"""The user's name in every log; it must not come out again."""


@dataclass(frozen=True)
class Sample:
    """A file of one kind, and what it must tell."""

    reader: str
    name: str
    data: bytes
    channels: tuple[str, ...] = ("comments",)
    is_absolute: bool = False


def lines(*objects: object) -> bytes:
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in objects).encode() + b"\n"


def danmaku(head: str, tail: str = "</i>", more: str = "") -> bytes:
    body = "\n".join(
        f'<d p="{time:.3f},1,25,16777215,{int((START + time) * 1000)},0,1001,0{more}" user="{SECRET}">{text}</d>' for time, text in SAYS
    )
    return f'<?xml version="1.0" encoding="utf-8"?>\n<i>{head}\n{body}\n{tail}'.encode()


def youtube(time: float, text: str) -> object:
    renderer = {
        "message": {"runs": [{"text": text}]},
        "authorName": {"simpleText": SECRET},
        "timestampUsec": str(int((START + time) * 1e6)),
    }
    actions = [{"addChatItemAction": {"item": {"liveChatTextMessageRenderer": renderer}}}]
    return {"replayChatItemAction": {"videoOffsetTimeMsec": str(int(time * 1000)), "actions": actions}}


def twitch(time: float, text: str) -> object:
    return {
        "_id": "x",
        "content_offset_seconds": time,
        "commenter": {"display_name": SECRET, "name": SECRET},
        "message": {"body": text, "fragments": [{"text": text}]},
    }


def downloaded(time: float, text: str) -> object:
    author = {"id": SECRET, "name": SECRET}
    return {
        "message_id": "m",
        "message": text,
        "message_type": "text_message",
        "author": author,
        "time_in_seconds": time,
        "timestamp": int((START + time) * 1e6),
    }


def webcast(time: float, text: str) -> object:
    return {
        "method": "WebcastChatMessage",
        "event_ts_ms": int((START + time) * 1000),
        "payload": {"user": {"nickname": SECRET}, "content": text},
    }


ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nStyle: R2L,Arial,38\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    + "".join(f"Dialogue: 0,0:00:{time:05.2f},0:00:30.00,R2L,,0,0,0,,{{\\move(900,1,-9,1)}}{{\\c&HD8EE54}}{text}\n" for time, text in SAYS)
)
BOX = f"Dialogue: 1,0:00:05.00,0:00:06.00,message_box,,0,0,0,,{{\\pos(29,993)}}{SECRET}\n" + (
    "Dialogue: 0,0:00:05.00,0:00:06.00,R2L,,0,0,0,,{\\p1}m 0 19 b 0 9\n"
)
GIFTS = f'<gift ts="3" user="{SECRET}" giftname="心" giftcount="1"/>' + (
    f'<sc ts="4" user="{SECRET}" price="30" time="60">要链接</sc><guard ts="5" user="{SECRET}" level="3"/>'
)
EVENTS = (
    *({"t": time, "type": "comment", "user": SECRET, "text": text} for time, text in SAYS),
    {"t": 5, "type": "order", "sku": "A1", "quantity": 2, "amount": 118, "user": SECRET},
    {"t": 1, "type": "product_card", "sku": "A1", "action": "show"},
    {"t": 9, "type": "product_card", "sku": "A1", "action": "hide"},
    {"t": 0, "type": "viewers", "count": 821},
    {"t": 3, "type": "like", "user": SECRET},
)
ALL = ("comments", "orders", "cards", "viewers")
SHOP = ("orders", "cards", "viewers")
WORKBOOK = {
    "场次概览": [["达人昵称", SECRET], ["开播时间", "2025-11-23 20:00:00"]],
    "订单": [
        ["订单编号", "支付时间", "商品ID", "商品数量", "实付金额", "买家昵称", "订单状态"],
        ["9", "2025-11-23 20:00:05", "A1", 2, 118, SECRET, "已完成"],
        ["8", "2025-11-23 20:00:06", "A1", 1, 59, SECRET, "已取消"],
    ],
    "商品讲解": [["商品ID", "商品名称", "讲解开始时间戳", "讲解结束时间戳"], ["A1", "杯子", int(START) + 1, int(START) + 9]],
    "在线": [["时间", "实时在线人数"], ["2025-11-23 20:00:00", 821]],
}

SAMPLES = {
    "events": Sample("events", "show.events.jsonl", lines(*EVENTS), ALL),
    "events-absolute": Sample(
        "events",
        "show.events.jsonl",
        lines(*({**{k: v for k, v in e.items() if k != "t"}, "ts": int((START + float(str(e["t"]))) * 1000)} for e in EVENTS)),
        ALL,
        True,
    ),
    "bililive-recorder": Sample(
        "danmaku-xml",
        "show.xml",
        danmaku(
            f'<BililiveRecorderRecordInfo roomid="1" name="{SECRET}" start_time="2025-11-23T20:00:00.0000000+08:00"/>'
            '<z:stylesheet version="1.0" xmlns:z="http://www.w3.org/1999/XSL/Transform"><z:template match="/"/></z:stylesheet>' + GIFTS
        ),
    ),
    "blrec": Sample(
        "danmaku-xml",
        "show.xml",
        danmaku(
            f"<metadata><user_name>{SECRET}</user_name><record_start_time>1763899200</record_start_time><recorder>blrec</recorder></metadata>"
        ),
    ),
    "bilive-tools": Sample(
        "danmaku-xml", "show.xml", danmaku(f"<metadata><platform>douyin</platform></metadata>{GIFTS}", tail='<d p="13,1,', more=",1001")
    ),
    "bilibili-site": Sample("danmaku-xml", "show.xml", danmaku("<chatserver>chat.bilibili.com</chatserver><chatid>1</chatid>")),
    "ass": Sample("danmaku-ass", "show.ass", (ASS + BOX).encode("utf-8-sig")),
    "youtube": Sample("youtube", "show.live_chat.json", lines(*(youtube(*say) for say in SAYS))),
    "twitch": Sample(
        "twitch",
        "show_chat.json",
        json.dumps(
            {
                "streamer": {"name": SECRET, "id": 1},
                "video": {"title": "x", "created_at": "2025-11-23T12:00:00Z", "start": 0},
                "comments": [twitch(*say) for say in SAYS],
                "embeddedData": {},
            }
        ).encode(),
    ),
    "chat-downloader": Sample("chat-downloader", "show.json", json.dumps([downloaded(*say) for say in SAYS]).encode()),
    "chat-downloader-lines": Sample("chat-downloader", "show.jsonl", lines(*(downloaded(*say) for say in SAYS))),
    "douyin-raw": Sample(
        "barrage",
        "show.jsonl",
        lines({"method": "WebcastLikeMessage", "event_ts_ms": 1}, *(webcast(*say) for say in SAYS)),
        ("comments",),
        True,
    ),
    "douyin-flat": Sample(
        "barrage",
        "show.jsonl",
        lines(*({"event_ts_ms": int((START + time) * 1000), "user": SECRET, "content": text} for time, text in SAYS)),
        ("comments",),
        True,
    ),
    "kuaishou-flat": Sample(
        "barrage",
        "show.jsonl",
        lines(*({"user_id": 7, "nickname": SECRET, "content": text, "timestmap": int((START + time) * 1000)} for time, text in SAYS)),
        ("comments",),
        True,
    ),
    "comments-csv": Sample(
        "table",
        "show.csv",
        ("时间,昵称,评论内容\n" + "".join(f"2025-11-23 20:00:{time:04.1f},{SECRET},{text}\n" for time, text in SAYS)).encode("gb18030"),
        ("comments",),
        True,
    ),
    "shop-workbook": Sample("table", "show.xlsx", workbook(WORKBOOK), SHOP, True),
    "orders-csv": Sample("table", "show.orders.csv", b"t,sku,quantity,amount\n5,A1,2,118\n", ("orders",)),
    "cards-csv": Sample("table", "show.cards.csv", "时间,商品ID,动作\n0:00:01,A1,讲解开始\n0:00:09,A1,讲解结束\n".encode(), ("cards",)),
    "viewers-tsv": Sample("table", "show.viewers.tsv", "分钟\t在线人数\n0\t821\n".encode(), ("viewers",)),
}


def read(folder: Path, sample: Sample, **more: object) -> AudienceLog:
    for old in folder.iterdir():
        old.unlink()
    (folder / "show.mp4").write_bytes(b"media")
    (folder / sample.name).write_bytes(sample.data)
    return read_logs(folder / "show.mp4", start_time=START if sample.is_absolute else None, duration=60.0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_tells_what_it_holds(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    log = read(tmp_path, sample)
    assert log.sources == (str(tmp_path / sample.name),)
    assert set(log.missing) == {*ALL} - {*sample.channels}
    if "comments" in sample.channels:
        assert log.comments is not None
        assert [(comment.time, comment.text) for comment in log.comments] == list(SAYS)
    if "orders" in sample.channels:
        assert log.orders == (Order(5.0, "A1", 2.0, 118.0),)
    if "cards" in sample.channels:
        assert log.cards == (Card(1.0, "A1", "show"), Card(9.0, "A1", "hide"))
    if "viewers" in sample.channels:
        assert log.viewers == (Viewers(0.0, 821.0),)


@pytest.mark.parametrize("name", SAMPLES)
def test_no_name_is_kept(name: str, tmp_path: Path) -> None:
    log = read(tmp_path, SAMPLES[name])
    assert SECRET not in repr(log)
    users = {comment.user for comment in log.comments or ()}
    assert users == {""} or len(users) <= 1
    assert all(user == "" or (user.startswith("u") and len(user) == 13) for user in users)


@pytest.mark.parametrize("name", SAMPLES)
def test_reading_twice_tells_the_same(name: str, tmp_path: Path) -> None:
    assert read(tmp_path, SAMPLES[name]) == read(tmp_path, SAMPLES[name])


@pytest.mark.parametrize("name", ["bililive-recorder", "blrec", "twitch"])
def test_start_times_are_taken_from_side_files(name: str, tmp_path: Path) -> None:
    log = read(tmp_path, SAMPLES[name])
    assert (log.started_at, log.started_from) == (START, "side file")


def test_every_reader_has_a_sample_and_knows_it_alone(tmp_path: Path) -> None:
    assert {sample.reader for sample in SAMPLES.values()} == set(READERS)
    for path in READERS.values():
        module = importlib.import_module(path)
        assert callable(module.claims) and callable(module.read)


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_beside_the_recording_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "show.mp4").touch()
    (tmp_path / SAMPLES[name].name).touch()
    assert find_logs(tmp_path / "show.mp4") == (tmp_path / SAMPLES[name].name,)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(st.binary(max_size=1500), st.text(max_size=600).map(lambda text: text.encode("utf-8", "surrogatepass"))),
    start=st.sampled_from(
        [
            b"",
            b"<i>",
            b'<i><d p="1">',
            b"{",
            b'{"t":1,"type":"comment","text":',
            b"[",
            b"[Script Info]\nDialogue: \\move(",
            b"t,sku\n",
            b'{"comments":[{"content_offset_seconds":1,',
        ]
    ),
)
def test_arbitrary_bytes_are_read_or_refused(data: bytes, start: bytes, tmp_path: Path) -> None:
    reads_or_refuses(tmp_path, start + data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 2**32), cut=st.floats(0.05, 1))
def test_damaged_files_are_read_or_refused(name: str, seed: int, cut: float, tmp_path: Path) -> None:
    data = bytearray(SAMPLES[name].data)
    dice = random.Random(seed)
    for _ in range(dice.randrange(1, 8)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    reads_or_refuses(tmp_path, bytes(data[: max(1, int(len(data) * cut))]))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.just("A1"),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
names = st.sampled_from(
    [
        *(
            "t",
            "ts",
            "type",
            "user",
            "text",
            "sku",
            "quantity",
            "amount",
            "count",
            "action",
            "bucket_s",
            "message",
            "actions",
            "author",
            "method",
            "payload",
            "content",
            "replayChatItemAction",
            "time_in_seconds",
        )
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.dictionaries(names, scalars, max_size=6), max_size=6),
    kind=st.sampled_from(["events", "youtube", "chat-downloader-lines", "douyin-raw"]),
)
def test_values_of_wrong_types_are_read_or_refused(events: list[dict[str, object]], kind: str, tmp_path: Path) -> None:
    tail = "\n".join(json.dumps(event) for event in events).encode()
    reads_or_refuses(tmp_path, SAMPLES[kind].data + tail)


def reads_or_refuses(folder: Path, data: bytes) -> None:
    path = folder / "log.bin"
    path.write_bytes(data)
    try:
        log = read_logs(folder / "show.mp4", chat=[path], start_time=START, duration=60.0)
    except InputError as error:
        assert "log.bin" in str(error)
        return
    for channel in (log.comments, log.orders, log.cards, log.viewers):
        times = [event.time for event in channel or ()]
        assert times == sorted(times)
        assert all(0 <= time <= 60 for time in times)
    assert all(0 < order.quantity < 1e8 for order in log.orders or ())
