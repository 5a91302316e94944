"""Hostile and damaged logs: what is lost is counted, and nothing else is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clipper.audience import LogOptions, read_logs
from clipper.audience.reading import MAX_COMMENT_CHARS, clock_seconds, epoch_seconds, number
from clipper.errors import InputError
from clipper.values import AudienceLog

OPTIONS = LogOptions()


def read(folder: Path, data: bytes | str, name: str = "log", options: LogOptions = OPTIONS, duration: float | None = 3600.0) -> AudienceLog:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_logs(folder / "show.mp4", chat=[path], duration=duration, options=options)


def xml(count: int) -> list[bytes]:
    return [f'<d p="{second},1,25,16777215,0,0,0,0" user="u{second}">第{second}条</d>'.encode() for second in range(count)]


@pytest.mark.parametrize("bad", [b"\x08", b"\xff\xfe", b"a < b", b"AT&T", b"&nope;", b"</i>"])
def test_one_bad_line_of_danmaku_costs_one_line(bad: bytes, tmp_path: Path) -> None:
    body = xml(1000)
    body[500] = b'<d p="500,1,25,16777215,0,0,0,0" user="x">' + bad + b"</d>"
    log = read(tmp_path, b"<i>\n" + b"\n".join(body) + b"\n</i>")
    assert log.comments is not None
    times = [comment.time for comment in log.comments]
    assert [second for second in range(1000) if second not in times] == [500]
    assert log.rejects and log.rejects[0].line in (502, 503)
    assert any("lines could not be used" in text for text in log.warnings)


def test_all_of_a_file_on_one_line_is_salvaged_too(tmp_path: Path) -> None:
    body = xml(400)
    for place in (3, 200, 399):
        body[place] = b'<d p="1,1" user="x">\x01</d>'
    log = read(tmp_path, b"<i>" + b"".join(body) + b"</i>")
    assert log.comments is not None
    assert len(log.comments) == 397
    assert len(log.rejects) == 3


def test_pieces_of_the_file_join_without_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = xml(60)
    body[20] = b'<d p="1,1" user="x">\x01</d>'
    for size in range(1, 40):
        monkeypatch.setattr("clipper.audience.danmaku_xml.PIECE_BYTES", size)
        log = read(tmp_path, b'<?xml version="1.0"?><i>' + b"".join(body) + b"</i>")
        assert log.comments is not None
        assert len(log.comments) == 59, size


def test_a_cut_file_is_read_up_to_the_cut(tmp_path: Path) -> None:
    whole = b"<i>" + b"".join(xml(100)) + b"</i>"
    log = read(tmp_path, whole[: len(whole) // 2])
    assert log.comments is not None
    assert 45 <= len(log.comments) <= 51
    assert any("ends in the middle" in text for text in log.warnings)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE i [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE i SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE i [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_declared_entities_are_refused(declaration: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="declares a document type or entities"):
        read(tmp_path, f'<?xml version="1.0"?>{declaration}<i><d p="1,1">&b;</d></i>')


def test_deep_nesting_ends_nowhere(tmp_path: Path) -> None:
    log = read(tmp_path, b"<i>" + b"<a>" * 200_000 + xml(1)[0])
    assert log.comments is not None
    assert len(log.comments) == 1


def test_chinese_encodings_of_danmaku(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="{}"?><i><d p="1,1,25" user="小李">多少钱，在哪里拍</d></i>'
    for name in ("gb18030", "utf-16", "utf-8-sig"):
        log = read(tmp_path, text.format(name).encode(name))
        assert [comment.text for comment in log.comments or ()] == ["多少钱，在哪里拍"]


def test_times_that_cannot_be_are_counted(tmp_path: Path) -> None:
    times = ("NaN", "Infinity", "-Infinity", "-50", "1e300", "9" * 400, '"x"', "null", "true", "[]", "32503680000", "5")
    log = read(tmp_path, "\n".join(f'{{"t": {time}, "type": "comment", "text": "t"}}' for time in times))
    assert [comment.time for comment in log.comments or ()] == [5.0]
    told = " ".join(log.warnings)
    assert f"{len(times) - 1 - 3} lines could not be used" in told
    assert "3 events lie outside the recording" in told


def test_years_beyond_2100_are_no_instants(tmp_path: Path) -> None:
    log = read(
        tmp_path, '{"ts": "3000-01-01T00:00:00Z", "type": "comment", "text": "t"}\n{"ts": 32503680000000, "type": "comment", "text": "t"}'
    )
    assert log.comments is None
    assert len(log.rejects) == 2


def test_a_comment_of_ten_megabytes_is_cut(tmp_path: Path) -> None:
    long = "哈" * (10 * 2**20 // 3)
    for data in (json.dumps({"t": 1, "type": "comment", "text": long}, ensure_ascii=False), f'<i><d p="1,1">{long}</d></i>'):
        log = read(tmp_path, data)
        assert [len(comment.text) for comment in log.comments or ()] == [MAX_COMMENT_CHARS]


def test_a_line_without_end_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipper.audience.reading.MAX_LINE_BYTES", 1000)
    event = '{"t": 1, "type": "comment", "text": "t"}\n'
    log = read(tmp_path, event + '{"t": 2, "type": "comment", "text": "' + "x" * 5000 + '"}\n' + event)
    assert len(log.comments or ()) == 2
    assert [reject.line for reject in log.rejects] == [2]


def test_floods_are_bounded_and_counted(tmp_path: Path) -> None:
    body = "".join(f'{{"t": {n % 100}, "type": "comment", "text": "t"}}\n' for n in range(500))
    log = read(tmp_path, body + "junk\n" * 500, options=LogOptions(max_events=120))
    assert len(log.comments or ()) == 120
    assert any("more than 120 events; 380 were left out" in text for text in log.warnings)
    assert any("500 lines could not be used" in text for text in log.warnings)
    assert len(log.rejects) < 150


@pytest.mark.parametrize("bomb", ['{"a":' * 100_000, "[" * 100_000, '{"t": 1, "type": "comment", "text": ' + "[" * 100_000])
def test_json_bombs_are_no_crash(bomb: str, tmp_path: Path) -> None:
    good = '{"t": 1, "type": "comment", "text": "t"}'
    log = read(tmp_path, f"{good}\n{bomb}\n{good}")
    assert len(log.comments or ()) == 2
    assert len(log.rejects) == 1


def test_the_last_of_equal_keys_counts(tmp_path: Path) -> None:
    log = read(tmp_path, '{"t": 1, "t": 2, "type": "comment", "text": "t"}')
    assert [comment.time for comment in log.comments or ()] == [2.0]


def test_unknown_kinds_of_log_say_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the known kinds") as caught:
        read(tmp_path, "hello there\n")
    assert "'hello there" in str(caught.value)
    with pytest.raises(InputError, match="No such file"):
        read_logs(tmp_path / "show.mp4", chat=[tmp_path / "gone.xml"])


def test_subtitles_are_no_chat(tmp_path: Path) -> None:
    subtitles = "[Script Info]\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hello\n"
    with pytest.raises(InputError, match="none of the known kinds"):
        read(tmp_path, subtitles, "show.ass")


@pytest.mark.parametrize(
    "text",
    [
        "2025-11-23T20:00:00+08:00",
        "2025-11-23 20:00:00",
        "2025/11/23 20:00",
        "2025年11月23日 20:00:00",
        "2025-11-23T12:00:00Z",
        "1763899200",
        "1763899200000",
        "1763899200000000",
    ],
)
def test_instants_in_many_spellings(text: str) -> None:
    assert epoch_seconds(text, OPTIONS.zone) == 1_763_899_200.0


@pytest.mark.parametrize("text", ["2025-13-01 00:00:00", "2025-11-23", "yesterday", "", "3000-01-01 00:00:00", "nan", "-1"])
def test_what_is_no_instant(text: str) -> None:
    assert epoch_seconds(text, OPTIONS.zone) is None


def test_numbers_and_clock_times() -> None:
    assert [number(value) for value in ("1,204", "3.2万", "12k", 5, "x", True, None, float("inf"), 10**400)] == [
        1204,
        32000,
        12000,
        5,
        None,
        None,
        None,
        None,
        None,
    ]
    assert [clock_seconds(text) for text in ("1:02:03.5", "62:03", "-0:15", "x", "1:2:3:4")] == [3723.5, 3723, -15, None, None]


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="not a known time zone"):
        LogOptions(timezone="Mars/Base")
    with pytest.raises(InputError, match="max_events"):
        LogOptions(max_events=0)
