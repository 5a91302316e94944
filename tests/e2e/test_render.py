"""Real renders of the clock: the planned frames and no others, sound where the picture is, and what must hold of every file."""

from __future__ import annotations

import errno
from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from clipper import captions, ffmpeg, media
from clipper.errors import Cancelled, InputError, ToolError, ToolFailed
from clipper.fonts import find_font, font_folder
from clipper.render import RenderOptions, job, loudness, render
from clipper.values import CaptionLine, CropKey, Plan, ProductCard, Recording, Render, Span, Word
from tests.media import build_clock, read_frame_index, read_pitch, truncate

QUICK = RenderOptions(preset="ultrafast", crf=24)
NTSC = Fraction(24000, 1001)


def plan_of(recording: Recording, *sources: tuple[float, float], **changes: Any) -> Plan:
    base = Plan(
        id="c1",
        type="explanation",
        sku=None,
        recording=recording.path,
        recording_sha256=recording.sha256,
        sources=tuple(Span(*source) for source in sources),
        title="钟｜每一帧",
        score=1.0,
        width_px=180,
        height_px=320,
    )
    return replace(base, **changes)


def indices(path: Path, *, skip: Collection[int] = (), count: int | None = None) -> list[int]:
    """What the frames of a finished clip spell, but for those at the numbers to skip."""
    import av

    with av.open(str(path)) as container:
        frames = islice(container.decode(video=0), count)
        return [read_frame_index(frame.to_ndarray(format="bgr24")) for number, frame in enumerate(frames) if number not in skip]


def sound_of(path: Path) -> NDArray[np.float32]:
    """A finished clip's sound as mono samples at 48 kHz, placed by time stamp."""
    recording = media.probe(path)
    return np.concatenate([block.samples for block in media.audio_blocks(recording, rate_hz=48_000)])


def expected(plan: Plan, fps: Fraction) -> list[int]:
    """Frame of the source nearest to each output frame, piece by piece."""
    out: list[int] = []
    total = Fraction(0)
    for source in plan.sources:
        first, last = round(source.start * float(fps)), round(source.end * float(fps))
        total += (last - first) / fps
        count = round(total * plan.fps) - len(out)
        placed = [
            (int((Fraction(index - first) / fps + Fraction(1, 1000)) * plan.fps + Fraction(1, 2)), index) for index in range(first, last)
        ]
        out += [[index for at, index in placed if at <= number][-1] for number in range(count)]
    return out


@pytest.mark.parametrize(
    ("suffix", "fps"),
    [
        (".mp4", Fraction(25)),
        (".mp4", NTSC),
        (".mp4", Fraction(30)),
        (".mp4", Fraction(60)),
        (".mp4", Fraction(30000, 1001)),
        (".flv", Fraction(25)),
        (".flv", Fraction(60)),
        (".ts", Fraction(25)),
        (".ts", NTSC),
        (".mkv", NTSC),
        (".mkv", Fraction(50)),
    ],
)
def test_shows_exactly_the_planned_frames(suffix: str, fps: Fraction, tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / f"clock{suffix}", seconds=7, fps=fps, gop_frames=40))
    plan = plan_of(recording, (4.12, 5.4), (1.04, 2.32), (5.88, 6.6))
    done = render(plan, recording, tmp_path / "out", "clip", QUICK)
    assert indices(tmp_path / "out" / done.video) == expected(plan, fps)
    assert done.duration == pytest.approx(plan.duration, abs=len(plan.sources) / 30)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_rate_becomes_constant_without_losing_its_clock(suffix: str, tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / f"clock{suffix}", seconds=6, fps=Fraction(25), is_vfr=True))
    assert recording.is_vfr
    plan = plan_of(recording, (3.2, 4.4), (1.0, 2.0))
    render(plan, recording, tmp_path / "out", "clip", QUICK)
    shown = indices(tmp_path / "out" / "clip.mp4")
    times = [3.2 + number / 30 for number in range(36)] + [1.0 + number / 30 for number in range(30)]
    assert len(shown) == len(times)
    late = [time - index / 25 for time, index in zip(times, shown, strict=True)]
    assert min(late) > -0.021, "a frame before its time"
    assert max(late) < 0.125, "a frame that stays longer than the three that were left out"


@pytest.mark.parametrize(("suffix", "channels"), [(".mp4", 2), (".flv", 1), (".ts", 2), (".mkv", 6)])
def test_sound_stays_within_twenty_milliseconds(suffix: str, channels: int, tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / f"clock{suffix}", seconds=9, channels=channels))
    plan = plan_of(recording, (5.6, 8.4), (1.6, 3.8))
    render(plan, recording, tmp_path / "out", "clip", QUICK)
    samples = sound_of(tmp_path / "out" / "clip.mp4")
    for second, at in ((6, 0.4), (7, 1.4), (8, 2.4), (2, 2.8 + 0.4), (3, 2.8 + 1.4)):
        begin = round((at - 0.1) * 48_000)
        window = samples[begin : begin + 19_200]
        onset = float(np.flatnonzero(np.abs(window) > 0.1 * np.max(np.abs(window)))[0]) / 48_000 - 0.1
        assert abs(onset) < 0.02, f"second {second} is off by {onset * 1000:.1f} ms"
        start = round((at + 0.1) * 48_000)
        assert read_pitch(samples[start : start + 9_600], 48_000) == second


def test_sound_that_begins_late_stays_late(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=6, audio_delay_s=0.3))
    render(plan_of(recording, (2.0, 5.0)), recording, tmp_path / "out", "clip", QUICK)
    samples = sound_of(tmp_path / "out" / "clip.mp4")
    loud = np.flatnonzero(np.abs(samples[round(0.9 * 48_000) :]) > 0.1 * np.max(np.abs(samples)))
    assert 0.9 + loud[0] / 48_000 == pytest.approx(1.3, abs=0.02)


def test_joints_do_not_click(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=6))
    render(plan_of(recording, (1.2, 1.4), (3.2, 3.4)), recording, tmp_path / "out", "clip", QUICK)
    samples = sound_of(tmp_path / "out" / "clip.mp4")
    joint = samples[round(0.2 * 48_000) - 48 : round(0.2 * 48_000) + 48]
    assert np.max(np.abs(joint)) < 0.25 * np.max(np.abs(samples))


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_recording_is_shown_upright(rotation: int, tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=3, rotation_deg=rotation))
    plan = plan_of(recording, (1.0, 2.0))
    render(plan, recording, tmp_path / "out", "clip", QUICK)
    assert indices(tmp_path / "out" / "clip.mp4") == expected(plan, Fraction(25))


@pytest.mark.parametrize("framing", ["crop", "blur"])
def test_a_landscape_recording_fills_the_frame(framing: str, tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=3, width_px=320, height_px=180))
    plan = plan_of(recording, (1.0, 2.0), framing=framing)
    done = render(plan, recording, tmp_path / "out", "clip", QUICK)
    assert (done.width_px, done.height_px) == (180, 320)
    if framing == "crop":
        assert indices(tmp_path / "out" / "clip.mp4") == expected(plan, Fraction(25))


@pytest.mark.parametrize("zoom", [False, True])
def test_the_crop_window_follows_its_keys(zoom: bool, tmp_path: Path) -> None:
    source = tmp_path / "ramp.mp4"
    ramp = "geq=lum='16+219*X/W':cb=128:cr=128"
    ffmpeg.run(
        ["-f", "lavfi", "-i", f"color=s=640x180:r=25:d=4,{ramp},format=yuv420p", "-c:v", "libx264", "-crf", "10", "-y", str(source)],
        what="build",
    )
    recording = media.probe(source)
    w = 180 / 640 * 180 / 320
    keys = (CropKey(1.0, 0.1, 0, w, 1), CropKey(2.0, 0.7, 0 if not zoom else 0.25, w if not zoom else w / 2, 1 if not zoom else 0.5))
    plan = plan_of(recording, (0.5, 2.8), crop=keys)
    render(plan, recording, tmp_path / "out", "clip", QUICK)
    finished = media.probe(tmp_path / "out" / "clip.mp4")
    levels = {time: float(media.frame_at(finished, time)[:, 88:92].mean()) for time in (0.1, 0.5, 1.0, 1.5, 2.2)}
    left, right = (0.1 + w / 2) * 255, (0.7 + (w if not zoom else w / 2) / 2) * 255
    assert levels[0.1] == pytest.approx(left, abs=8)
    assert levels[1.0] == pytest.approx((left + right) / 2, abs=12)
    assert levels[1.5] == pytest.approx(right, abs=8)
    assert levels[2.2] == pytest.approx(right, abs=8)


@pytest.mark.parametrize("gain_db", [-30.0, -12.0, 6.0])
@pytest.mark.parametrize("seconds", [1.2, 5.0])
def test_loudness_is_reached_under_the_peak_ceiling(gain_db: float, seconds: float, tmp_path: Path) -> None:
    source = tmp_path / "noise.mp4"
    bursts = f"anoisesrc=c=pink:r=48000:d=8:a=0.5:seed=7,volume='if(lt(mod(t,1),0.03),4,0.5)':eval=frame,volume={gain_db}dB"
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=180x320:r=25:d=8", "-f", "lavfi", "-i", bursts]
    ffmpeg.run([*inputs, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-y", str(source)], what="build")
    recording = media.probe(source)
    done = render(plan_of(recording, (1.0, 1.0 + seconds)), recording, tmp_path / "out", "clip", QUICK)
    heard = loudness.measure(tmp_path / "out" / "clip.mp4")
    assert heard.integrated_lufs == pytest.approx(-14.0, abs=1.0)
    assert heard.true_peak_dbtp <= -1.0
    assert done.loudness_lufs == heard.integrated_lufs


def test_no_sound_gives_a_silent_track_or_none(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=3, channels=0))
    done = render(plan_of(recording, (1.0, 2.0)), recording, tmp_path / "out", "silent", QUICK)
    assert done.loudness_lufs is None and any("no sound" in warning for warning in done.warnings)
    assert media.probe(tmp_path / "out" / "silent.mp4").has_audio
    render(plan_of(recording, (1.0, 2.0)), recording, tmp_path / "out", "bare", replace(QUICK, silent_track=False))
    assert not media.probe(tmp_path / "out" / "bare.mp4").has_audio


def test_sharp_peaks_in_silence_stay_quiet_and_say_so(tmp_path: Path) -> None:
    clicks = np.zeros((6 * 48_000, 2), np.float32)
    clicks[::12_000] = 0.9
    raw = ["-f", "f32le", "-ar", "48000", "-ac", "2", "-i", "pipe:0", "-c:a", "pcm_f32le", "-f", "wav", "-y"]
    ffmpeg.run([*raw, ffmpeg.url(tmp_path / loudness.RAW)], what="could not write clicks", feed=iter([clicks.tobytes()]))
    heard = loudness.measure(tmp_path / loudness.RAW, "wav")
    sound = loudness.bring_to(tmp_path, heard, loudness.Target("clicks"), RenderOptions())
    assert sound.loudness.true_peak_dbtp <= -1.0 and sound.loudness.integrated_lufs < -15.0
    assert "sharp peaks" in sound.warnings[0]


@pytest.mark.parametrize("suffix", [".flv", ".ts"])
def test_what_is_left_of_a_damaged_recording_is_rendered(suffix: str, tmp_path: Path) -> None:
    path = truncate(build_clock(tmp_path / f"clock{suffix}", seconds=8), 0.6)
    data = bytearray(path.read_bytes())
    at = int(len(data) * 0.5)
    data[at : at + 300] = bytes(300)
    path.write_bytes(data)
    recording = media.probe(path)
    plan = plan_of(recording, (1.0, recording.duration - 0.1))
    done = render(plan, recording, tmp_path / "out", "clip", QUICK)
    assert done.duration == pytest.approx(plan.duration, abs=0.1)


def test_everything_burned_in_comes_out_whole(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=6, width_px=360, height_px=640))
    hostile = "{\\fs400}大%{n}'字\\N\n,[0:v]drawtext=text=x"
    words = (Word(1.2, 2.0, "你好"),)
    plan = plan_of(
        recording,
        (1.0, 4.0),
        width_px=360,
        height_px=640,
        type="teaser",
        title="'\";drawtext=x{\\b1}\n｜%d%%",
        captions=(CaptionLine(start=1.2, end=2.4, text="你好", words=words), CaptionLine(start=2.5, end=3.8, text=hostile)),
        card=ProductCard(title="锅'{}\\N%{pts}", price="¥1\n9", image=None, start=0.5, end=2.5),
        badge="已售3件",
        end_card="来直播间\n一家店",
        end_card_s=1.0,
    )
    done = render(plan, recording, tmp_path / "out", "clip", QUICK)
    assert done.duration == pytest.approx(4.0, abs=0.07)
    body = expected(replace(plan, end_card=""), Fraction(25))
    slides = {*range(15, 27), *range(63, 77)}  # the card passes over the edge that spells the index
    spelled = indices(tmp_path / "out" / "clip.mp4", skip=slides, count=90)
    assert spelled == [index for number, index in enumerate(body) if number not in slides]
    samples = sound_of(tmp_path / "out" / "clip.mp4")
    assert np.max(np.abs(samples[round(3.05 * 48_000) :])) < 0.01, "the closing card is silent"
    last = media.frame_at(media.probe(tmp_path / "out" / "clip.mp4"), 3.9)
    with pytest.raises(ValueError, match="margin"):
        read_frame_index(last)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.jpg", "clip.mp4", "clip.srt"]


def test_a_source_outside_the_recording_is_refused(tmp_path: Path) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=3))
    with pytest.raises(InputError, match=r"lies outside the recording, which holds 0–3"):
        render(plan_of(recording, (2.0, 9.0)), recording, tmp_path / "out", "clip", QUICK)


def test_a_failed_render_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=3))
    plan = plan_of(recording, (1.0, 2.0))
    with pytest.raises(Cancelled):
        render(plan, recording, tmp_path / "out", "clip", QUICK, cancelled=lambda: True)
    real = ffmpeg.run

    def full(args: Any, **options: Any) -> Any:
        if any(str(part).endswith(job.VIDEO) for part in args):
            raise ToolFailed(["ffmpeg"], 1, "av_interleaved_write_frame(): No space left on device", options["what"])
        return real(args, **options)

    monkeypatch.setattr(ffmpeg, "run", full)
    with pytest.raises(ToolError, match="no space left on the device"):
        render(plan, recording, tmp_path / "out", "clip", QUICK)
    monkeypatch.setattr(ffmpeg, "run", real)

    def no_room(*_: Any) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(job, "_cover", no_room)
    with pytest.raises(ToolError, match="no space left on the device"):
        render(plan, recording, tmp_path / "out", "clip", QUICK)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_output_that_is_not_the_plan_gets_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=5))
    plan = plan_of(recording, (1.0, 4.0))
    whole = job.command

    def short(*args: Any) -> list[str]:
        argv = whole(*args)
        argv[argv.index("-frames:v") + 1] = "40"
        return argv

    monkeypatch.setattr(job, "command", short)
    with pytest.raises(ToolError, match="frames 40, planned 90"):
        render(plan, recording, tmp_path / "out", "clip", QUICK)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_black_opening_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=3))
    plan = plan_of(recording, (1.0, 2.0))
    whole = job.command

    def dark(*args: Any) -> list[str]:
        argv = whole(*args)
        at = argv.index("-filter_complex") + 1
        argv[at] = argv[at].replace("setsar=1", "setsar=1,eq=brightness=-1", 1)
        return argv

    monkeypatch.setattr(job, "command", dark)
    with pytest.raises(ToolError, match="begins black"):
        render(plan, recording, tmp_path / "out", "clip", QUICK)


def test_a_recording_that_is_dark_itself_may_open_dark(tmp_path: Path) -> None:
    source = tmp_path / "dark.mp4"
    inputs = ["-f", "lavfi", "-i", "color=black:s=180x320:r=25:d=3", "-f", "lavfi", "-i", "sine=300:d=3"]
    ffmpeg.run([*inputs, "-c:v", "libx264", "-c:a", "aac", "-y", str(source)], what="build")
    recording = media.probe(source)
    done: Render = render(plan_of(recording, (1.0, 2.0)), recording, tmp_path / "out", "clip", QUICK)
    assert done.duration == 1.0


def test_high_dynamic_range_is_tone_mapped(tmp_path: Path) -> None:
    source = tmp_path / "hdr.mp4"
    graph = "color=white:s=180x320:r=25:d=2,format=yuv420p10le,geq=lum=509:cb=512:cr=512"  # 100 cd/m² in PQ
    graph += ",setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    ffmpeg.run(
        ["-f", "lavfi", "-i", graph, "-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", "-y", str(source)],
        what="build",
    )
    recording = media.probe(source)
    render(plan_of(recording, (0.5, 1.5)), recording, tmp_path / "out", "clip", QUICK)
    flat = media.frame_at(media.probe(tmp_path / "out" / "clip.mp4"), 0.5)
    dull = media.frame_at(recording, 1.0)
    assert float(flat.mean()) > float(dull.mean()) + 20, "100 cd/m² white is dull in the file and has to be lifted"


def test_the_file_is_what_platforms_ask_for(tmp_path: Path) -> None:
    import av

    recording = media.probe(build_clock(tmp_path / "clock.mp4", seconds=5))
    render(plan_of(recording, (0.5, 4.5)), recording, tmp_path / "out", "clip", RenderOptions())
    path = tmp_path / "out" / "clip.mp4"
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.profile, video.codec_context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (int(video.codec_context.colorspace), int(video.codec_context.color_trc), int(video.codec_context.color_primaries)) == (
            1,
            1,
            1,
        )
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 48_000, 2)
        packets = [packet for packet in container.demux(video) if packet.pts is not None]
    base = float(video.time_base or 0)
    times = sorted(float(packet.pts or 0) * base for packet in packets)
    assert times == pytest.approx([number / 30 for number in range(120)])
    keys = [float(packet.pts or 0) * base for packet in packets if packet.is_keyframe]
    assert max(b - a for a, b in pairwise([*keys, 4.0])) <= 2.01
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("style", ["pop", "clean", "bold", "festival", "minimal"])
def test_burned_captions_stand_inside_the_safe_box(style: str, tmp_path: Path) -> None:
    texts = (
        "三层涂层随便铲不粘锅\n一滴油都不用真的好用",
        "{\\fs400}大\\N字",
        "W" * 40,
        "a line an editor made far too long for one row",
        "一" * 30,
    )
    lines = tuple(CaptionLine(start=n, end=n + 0.9, text=text) for n, text in enumerate(texts))
    face, box = find_font(), (65, 270, 940, 1248)
    plan = Plan(
        id="c", type="teaser", sku=None, recording="", recording_sha256="", sources=(Span(0, 5),), title="", score=0, captions=lines
    )
    (tmp_path / "captions.ass").write_text(captions.ass(plan, captions.load_style(style), safe_box=box, font=face), encoding="utf-8")
    font_folder(face, tmp_path / "fonts")
    graph = "color=gray:s=1080x1920:r=2:d=5,subtitles=filename=captions.ass:fontsdir=fonts"
    ffmpeg.run(
        ["-f", "lavfi", "-i", graph, "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", "-y", "out.mp4"], what="draw", cwd=tmp_path
    )
    recording = media.probe(tmp_path / "out.mp4")
    for frame in media.frames(recording, Span(0, 5)):
        touched = np.abs(frame.image.astype(int) - 128).max(axis=2) > 24
        if frame.time % 1 > 0.6:
            continue
        rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
        assert len(rows), f"nothing to be seen at {frame.time} s"
        assert box[0] <= columns[0] and columns[-1] <= box[2], f"{frame.time} s: x {columns[0]}–{columns[-1]}"
        assert box[1] <= rows[0] and rows[-1] <= box[3], f"{frame.time} s: y {rows[0]}–{rows[-1]}"
