"""Videos composed for real, small: what the file holds, what it sounds like, and that no label can be lost unnoticed."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipper import ffmpeg as door
from clipper.errors import Cancelled, InputError, ToolError
from clipper.media.container import opened
from clipper.render import RenderOptions, verify
from clipper.render.loudness import measure
from generators import labels, visible_label
from generators.compose import Film, Heard, compose, wanted_seconds
from generators.compose.film import _layers, _Options
from generators.compose.options import ComposeOptions
from generators.labels import LabelOptions
from generators.music import MusicOptions
from generators.values import Storyboard
from tests import films

BOARD = films.board(1.2, 1.3, overlays=films.overlays(2.5))


def made(out: Path, board: Storyboard = BOARD, *, generated: bool = False, cast: Any = None, **more: Any) -> Film:
    return compose(board, films.made(board, generated=generated), cast or films.cast(), out, "one", RenderOptions(), **more)


def write_sound(path: Path, samples: Any, rate: int = 48_000) -> Path:
    args = ["-f", "f32le", "-ar", str(rate), "-ac", "2", "-i", "pipe:0", "-f", "wav", "-y", door.url(path)]
    door.run(args, what="could not write a sound", feed=[np.asarray(samples, np.float32).tobytes()])
    return path


def tone(seconds: float, hertz: float = 440.0, level: float = 0.2) -> Any:
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 48_000)) / 48_000)
    return np.stack([wave, wave], axis=1)


def frames_of(path: Path) -> list[Any]:
    with opened(path, "mov") as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Film]:
    out = tmp_path_factory.mktemp("edited 视频")
    return out, made(out)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Film]:
    out = tmp_path_factory.mktemp("generated")
    return out, made(out, generated=True)


def seen_label(board: Storyboard = BOARD) -> Any:
    """The label's layer as composition drew it."""
    shots, cast = films.made(board, generated=True), films.cast()
    label = labels.decide([one.origin for one in shots], cast.photos, LabelOptions())
    options = _Options(encoding=RenderOptions(), compose=ComposeOptions(), music=MusicOptions(), labels=LabelOptions())
    return _layers(board, shots, cast, label, options)[1]


GENERATED = labels.Label(kind="generated", text="AI生成", value="1", generated=True)


# --- the file --------------------------------------------------------------------------------------


def test_a_video_is_what_the_storyboard_says(edited: tuple[Path, Film]) -> None:
    out, film = edited
    found = verify.inspect(out / film.video)
    assert (found.width_px, found.height_px, found.pixels, found.frames) == (270, 480, "yuv420p", 75)
    assert found.video_codec.startswith("h264") and found.audio_codec == "aac" and found.audio_rate_hz == 48_000
    assert found.audio_end == pytest.approx(2.5, abs=0.1)
    assert (film.duration, film.loudness_lufs) == (2.5, None)
    assert sorted(path.name for path in out.iterdir()) == ["one.jpg", "one.mp4"]


def test_its_first_frame_is_the_first_shots_first(edited: tuple[Path, Film]) -> None:
    out, film = edited
    assert films.number_in(frames_of(out / film.video)[0]) == 0


def test_colours_come_through(edited: tuple[Path, Film]) -> None:
    out, film = edited
    wanted = films.made(BOARD)[0].footage.frame(0)  # type: ignore[attr-defined]
    assert np.abs(frames_of(out / film.video)[0][:100, :].mean(axis=(0, 1)) - wanted[0, 0]).max() < 3
    with opened(out / film.video, "mov") as container:
        codec = container.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1), "BT.709"


def test_the_cover_is_a_frame_of_the_video(edited: tuple[Path, Film]) -> None:
    from PIL import Image

    out, film = edited
    with Image.open(out / film.cover) as cover:
        assert cover.size == (270, 480)
        assert films.number_in(np.asarray(cover.convert("RGB"))) in range(20, 26)


def test_footage_of_another_rate_and_size_fits(tmp_path: Path) -> None:
    board = films.board(1.0)
    slow = replace(films.made(board)[0], footage=films.Numbered(count=16, fps=16, width_px=180, height_px=320))  # type: ignore[arg-type]
    film = compose(board, [slow], films.cast(), tmp_path, "slow", RenderOptions())
    assert verify.inspect(tmp_path / film.video).frames == 30


@pytest.mark.parametrize("size", [(480, 270), (320, 320)], ids=str)
def test_other_shapes_are_composed_alike(tmp_path: Path, size: tuple[int, int]) -> None:
    board = films.board(1.0, size=size, overlays=films.overlays(1.0))
    film = made(tmp_path, board)
    assert (film.width_px, film.height_px) == size


# --- sound -----------------------------------------------------------------------------------------


def test_music_is_brought_to_its_loudness_and_faded(tmp_path: Path) -> None:
    music = write_sound(tmp_path / "music.wav", tone(8.0))
    film = made(tmp_path / "out", replace(BOARD, music=str(music)))
    assert film.loudness_lufs == pytest.approx(-14, abs=1)
    assert measure(tmp_path / "out" / film.video).integrated_lufs == pytest.approx(-14, abs=1)
    assert film.true_peak_dbtp is not None and film.true_peak_dbtp <= -1


def heard_levels(path: Path) -> Any:
    """Level of the low tone and of the high tone, every 50 ms."""
    raw = path.with_suffix(".f32")
    door.run([*door.input_args(path, "mov"), "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-y", door.url(raw)], what="reading")
    samples = np.fromfile(raw, np.float32)
    blocks = samples[: len(samples) // 2400 * 2400].reshape(-1, 2400)
    spectrum = np.abs(np.fft.rfft(blocks * np.hanning(2400), axis=1))
    return spectrum[:, round(220 / 20)], spectrum[:, round(2000 / 20)]


def test_music_goes_down_under_a_voice(tmp_path: Path) -> None:
    board = films.board(4.0)
    music, voice = write_sound(tmp_path / "music.wav", tone(6.0, 220)), write_sound(tmp_path / "voice.wav", tone(1.0, 2000, 0.3))
    cast = films.cast(heard=(Heard(path=str(voice), start=1.5),))
    film = made(tmp_path / "out", replace(board, music=str(music)), cast=cast, music=MusicOptions(duck_db=12))
    low, high = heard_levels(tmp_path / "out" / film.video)
    during = slice(32, 48)
    assert high[during].min() > 20 * high[:20].max()
    drop = 20 * np.log10(np.median(low[during]) / np.median(low[10:22]))
    assert drop == pytest.approx(-12, abs=1.5)


@pytest.mark.parametrize("what", ["nothing", "text"])
def test_a_file_that_is_no_sound_is_named(tmp_path: Path, what: str) -> None:
    path = tmp_path / "music.mp3"
    path.write_bytes(b"" if what == "nothing" else b"hello, this is no music at all " * 20)
    with pytest.raises(InputError, match=r"music\.mp3"):
        made(tmp_path / "out", replace(BOARD, music=str(path)))
    assert not list((tmp_path / "out").iterdir())


# --- loop ------------------------------------------------------------------------------------------


def test_a_loop_has_no_seam(tmp_path: Path) -> None:
    board = films.board(1.0, 1.0, loop=True)
    film = made(tmp_path, board)
    means = [frame[:200].astype(float).mean(axis=(0, 1)) for frame in frames_of(tmp_path / film.video)]
    steps = [np.abs(means[number] - means[number - 1]).max() for number in range(len(means))]  # the first one is the seam
    assert steps[0] <= 1.2 * max(steps[1:])


# --- labels ----------------------------------------------------------------------------------------


def test_moved_photographs_carry_their_own_mark(edited: tuple[Path, Film]) -> None:
    out, film = edited
    tags = labels.read(out / film.video)
    assert "AIGC" not in tags
    assert json.loads(tags["livecut_edited"])["generated"] is False
    assert (film.label, film.label_text) == ("edited", "")
    labels.check_metadata(out / film.video, labels.Label(kind="edited", text="", value=""))


def test_generated_videos_are_labelled_in_picture_and_metadata(generated: tuple[Path, Film]) -> None:
    out, film = generated
    assert (film.label, film.label_text) == ("generated", "AI生成")
    found = labels.check_metadata(out / film.video, GENERATED)
    assert found["Label"] == "1" and found["ReservedCode2"] == f"sha256:{film.content}"
    assert visible_label.check_visible(out / film.video, seen_label()) > 0.9


def test_the_label_is_where_the_standard_has_it(generated: tuple[Path, Film]) -> None:
    out, film = generated
    data = (out / film.video).read_bytes()
    meta = data.index(b"moov")
    assert b"udta" in data[meta:] or b"meta" in data[meta:]
    assert b"mdta" + b"AIGC" in data, "key AIGC among moov's metadata keys"


def copied(path: Path, out: Path, *options: str) -> Path:
    door.run([*door.input_args(path, "mov"), "-map", "0", *options, "-f", "mp4", "-y", door.url(out)], what="could not copy")
    return out


def test_a_copy_without_the_label_fails(generated: tuple[Path, Film], tmp_path: Path) -> None:
    out, film = generated
    stripped = copied(out / film.video, tmp_path / "stripped.mp4", "-c", "copy")
    with pytest.raises(ToolError, match="has no key AIGC"):
        labels.check_metadata(stripped, GENERATED)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("Label", "2", "Label is '2'"),
        ("ProduceID", "", "ProduceID is ''"),
        ("ReservedCode2", "sha256:0", "other content"),
        ("Label", None, "Label is None"),
    ],
)
def test_a_changed_label_fails(generated: tuple[Path, Film], tmp_path: Path, field: str, value: str | None, said: str) -> None:
    out, film = generated
    tags = labels.read(out / film.video)
    fields = {**json.loads(tags["AIGC"]), field: value}
    if value is None:
        del fields[field]
    labels.write(out / film.video, tmp_path / "changed.mp4", {"AIGC": json.dumps(fields)})
    with pytest.raises(ToolError, match=said):
        labels.check_metadata(tmp_path / "changed.mp4", GENERATED)


def test_a_label_on_other_content_fails(generated: tuple[Path, Film], edited: tuple[Path, Film], tmp_path: Path) -> None:
    tags = labels.read(generated[0] / generated[1].video)
    labels.write(edited[0] / edited[1].video, tmp_path / "moved.mp4", {"AIGC": tags["AIGC"]})
    with pytest.raises(ToolError, match="belongs to other content"):
        labels.check_metadata(tmp_path / "moved.mp4", GENERATED)


@pytest.mark.parametrize("how", ["painted", "cropped", "late", "early"])
def test_a_visible_label_that_is_gone_is_noticed(generated: tuple[Path, Film], tmp_path: Path, how: str) -> None:
    out, film = generated
    cover = "drawbox=x=0:y=40:w=iw:h=120:color=blue:t=fill"
    graph = {
        "painted": cover,
        "cropped": "crop=iw:ih-140:0:140,scale=270:480",
        "late": f"{cover}:enable='lt(t,0.2)'",
        "early": f"{cover}:enable='gt(t,1.8)'",
    }[how]
    spoiled = copied(out / film.video, tmp_path / "spoiled.mp4", "-vf", graph, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy")
    with pytest.raises(ToolError, match="does not show it"):
        visible_label.check_visible(spoiled, seen_label())


def test_no_file_without_its_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = labels.write
    monkeypatch.setattr(labels, "write", lambda path, out, tags: real(path, out, {"comment": "nothing here"}))
    with pytest.raises(ToolError, match="could not verify the label"):
        made(tmp_path / "out", generated=True)
    assert not list((tmp_path / "out").iterdir())


def test_no_file_without_its_visible_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = visible_label.draw_label
    monkeypatch.setattr(visible_label, "draw_label", lambda *given: replace(real(*given), start=1.0, end=2.0))
    with pytest.raises(ToolError, match="could not verify the visible label"):
        made(tmp_path / "out", generated=True)
    assert not list((tmp_path / "out").iterdir())


def test_a_generated_video_is_long_enough_for_its_label(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shows its label for 2 s; make it longer"):
        made(tmp_path, films.board(1.5), generated=True)


def test_one_generated_shot_among_moved_ones_is_enough(tmp_path: Path) -> None:
    shots = films.made(BOARD)
    mixed = [shots[0], replace(shots[1], origin=films.origin(generated=True))]
    film = compose(BOARD, mixed, films.cast(), tmp_path, "mixed", RenderOptions())
    assert film.label == "generated"
    labels.check_metadata(tmp_path / film.video, GENERATED)


def test_a_labelled_picture_makes_a_labelled_video(tmp_path: Path) -> None:
    theirs = json.dumps({"Label": "1", "ContentProducer": "studio", "ProduceID": "p-7"})
    film = made(tmp_path, cast=films.cast(aigc=theirs))
    assert film.label == "generated"
    tags = labels.read(tmp_path / film.video)
    assert json.loads(tags["AIGC"])["ContentProducer"] == "studio"
    assert json.loads(tags["AIGC_sources"])[0]["ProduceID"] == "p-7"


# --- whole or not at all ---------------------------------------------------------------------------


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    stopped, asked = threading.Event(), iter([False] * 3 + [True] * 1000)

    class Waiting(films.Numbered):
        """Does not come to its end before the run was stopped."""

        def frame(self, number: int) -> Any:
            assert number < 10 or stopped.wait(60)
            return super().frame(number)

    def cancelled() -> bool:
        if next(asked):
            stopped.set()
        return stopped.is_set()

    bare = replace(BOARD, overlays=())
    slow = [replace(one, footage=Waiting(count=60)) for one in films.made(bare)]
    with pytest.raises(Cancelled):
        compose(bare, slow, films.cast(), tmp_path, "stopped", RenderOptions(), cancelled=cancelled)
    assert not list(tmp_path.iterdir())


def test_a_shot_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    broken = [replace(one, footage=films.Numbered(count=60, fails_at=20)) for one in films.made(BOARD)]
    with pytest.raises(ValueError, match="cannot be made"):
        compose(BOARD, broken, films.cast(), tmp_path, "broken", RenderOptions())
    assert not list(tmp_path.iterdir())


def test_a_video_that_begins_black_is_refused(tmp_path: Path) -> None:
    board = films.board(1.0)

    class Black(films.Numbered):
        def frame(self, number: int) -> Any:
            return np.zeros((self.height_px, self.width_px, 3), np.uint8)

    dark = [replace(films.made(board)[0], footage=Black(count=30))]
    with pytest.raises(ToolError, match="it begins black"):
        compose(board, dark, films.cast(), tmp_path, "dark", RenderOptions())


def test_wanted_seconds_are_the_shots_own_and_the_blend_after_them() -> None:
    assert wanted_seconds(BOARD) == (1.6, 1.3)
