"""`livecut generate` for real, small: from pictures to labelled files, resumed, edited, stopped, and with bad input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clipper.errors import Cancelled, InputError, ModelError
from clipper.media import sha256
from clipper.render import verify
from generators import diffusion, labels
from generators.takes import Rung
from pipelines import backends, cli, make_videos
from pipelines.config import load
from pipelines.progress import Progress
from pipelines.settings import Settings
from tests import films

SAMPLES = Path(__file__).parent.parent.parent / "samples"
SMALL = (
    *("--set", "plan.width_px=180", "--set", "plan.height_px=320", "--set", "generate.cutout.work_px=256"),
    *("--set", "generate.fidelity.read_text=false", "--set", "generate.fidelity.frames=3", "--set", "generate.takes.pixel_lock=false"),
)


def generate(*arguments: object) -> int:
    return cli.run(["generate", *map(str, arguments), *SMALL, "-q"])


def small(out: Path, **flags: object) -> Settings:
    given: dict[str, object] = {"run.out": str(out), "generate.seconds": 3, **dict(part.split("=") for part in SMALL[1::2]), **flags}
    return load(Settings, environ={}, flags={name: str(value) for name, value in given.items()})


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two variants of one catalogue product, filmed by the camera, in a folder with spaces and Chinese characters."""
    out = tmp_path_factory.mktemp("产品 视频")
    assert generate("L001", "--catalog", SAMPLES / "catalog.csv", "-o", out, "--seconds", 3, "--variants", 2, "--backend", "camera") == 0
    return out / "L001"


# --- a run -----------------------------------------------------------------------------------------


def test_a_run_leaves_videos_covers_plans_and_sidecars(run: Path) -> None:
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file() and not path.name.startswith(".")}
    ends = [("plans", ".json"), ("videos", ".mp4"), ("videos", ".jpg"), ("videos", ".json")]
    wanted = {f"{folder}/{stem}{end}" for stem in ("001-clean-studio", "002-clean-studio") for folder, end in ends}
    assert names == wanted | {"manifest.json", "run.json", "storyboards.json"}


def test_the_manifest_says_what_was_made_and_how(run: Path) -> None:
    data = manifest(run)
    assert (data["schema"], data["version"], data["kind"]) == ("livecut.manifest", 1, "videos")
    assert data["product"]["sku"] == "L001" and data["product"]["price"] == "¥49"
    assert data["backend"] == {"asked": "camera", "used": "camera", "why": "asked for"}
    assert [picture["cutout"]["method"] for picture in data["inputs"]["pictures"]]
    for video in data["videos"]:
        path = run / video["file"]
        assert video["sha256"] == sha256(path)
        found = verify.inspect(path)
        assert (found.width_px, found.height_px, found.frames) == (video["width"], video["height"], 90)
        assert video["duration_s"] == 3.0 and video["loudness_lufs"] is None
        assert video["label"]["kind"] == "edited" and video["synthetic_elements"] == []
        assert video["edits"] and all(shot["backend"] == "camera" for shot in video["shots"])
        for shot in video["shots"]:
            assert [take["used"] for take in shot["takes"]] == [True]
            assert set(shot["takes"][0]["fidelity"]) >= {"passed", "ssim", "inliers", "reasons"}
        for name in ("file", "cover", "plan", "sidecar"):
            assert (run / video[name]).is_file()


def test_variants_differ_and_are_deterministic(run: Path, tmp_path: Path) -> None:
    one, two = manifest(run)["videos"]
    assert one["sha256"] != two["sha256"]
    assert [shot["move"] for shot in one["shots"]] != [shot["move"] for shot in two["shots"]]
    again = make_videos(
        catalog=SAMPLES / "catalog.csv", skus=["L001"], settings=small(tmp_path, **{"generate.variants": 1}), backend="camera"
    )
    assert sha256(again.videos[0]) == one["sha256"]


def test_the_sidecar_tells_all_that_is_needed_to_make_it_again(run: Path) -> None:
    data = json.loads((run / "videos" / "001-clean-studio.json").read_text(encoding="utf-8"))
    assert data["schema"] == "livecut.sidecar"
    assert data["sha256"] == sha256(run / "videos" / "001-clean-studio.mp4")
    assert data["content"] == labels.content_digest(run / "videos" / "001-clean-studio.mp4")
    assert {"livecut", "ffmpeg", "moviepy"} <= set(data["versions"])
    for shot in data["shots"]:
        assert shot["picture_sha256"] in {picture["sha256"] for picture in data["pictures"]}
        assert shot["generated"] is False and isinstance(shot["seed"], int)


# --- resume, edit, stop ----------------------------------------------------------------------------


def rerun(run: Path, *more: object) -> int:
    given = ("L001", "--catalog", SAMPLES / "catalog.csv", "-o", run.parent, "--seconds", 3, "--variants", 2, "--backend", "camera")
    return generate(*given, *more)


def test_a_second_run_makes_nothing(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run.parent, tmp_path / "copy") / "L001"
    before = {path: path.stat().st_mtime_ns for path in (copy / "videos").iterdir()}
    assert rerun(copy) == 0
    assert {path: path.stat().st_mtime_ns for path in (copy / "videos").iterdir()} == before
    assert json.loads((copy / "run.json").read_text())["made"] == []


def test_a_damaged_video_is_made_again(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run.parent, tmp_path / "copy") / "L001"
    video = copy / "videos" / "001-clean-studio.mp4"
    whole = sha256(video)
    video.write_bytes(video.read_bytes()[:-100])
    assert rerun(copy) == 0
    assert sha256(video) == whole
    assert json.loads((copy / "run.json").read_text())["made"] == ["video 001-clean-studio"]


def test_an_edited_plan_is_rendered_and_never_overwritten(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run.parent, tmp_path / "copy") / "L001"
    plan = copy / "plans" / "001-clean-studio.json"
    box = json.loads(plan.read_text(encoding="utf-8"))
    box["value"]["shots"] = box["value"]["shots"][:1]
    box["value"]["overlays"] = []
    plan.write_text(json.dumps(box, ensure_ascii=False), encoding="utf-8")
    seconds = box["value"]["shots"][0]["seconds"]
    assert rerun(copy) == 0
    assert json.loads(plan.read_text(encoding="utf-8"))["value"] == box["value"]
    video = manifest(copy)["videos"][0]
    assert video["edited"] and video["duration_s"] == pytest.approx(seconds, abs=0.04)
    assert rerun(copy, "--replan") == 0
    assert manifest(copy)["videos"][0]["duration_s"] == 3.0


def test_render_takes_storyboards_too(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copytree(run.parent, tmp_path / "copy") / "L001"
    plan = copy / "plans" / "002-clean-studio.json"
    plan.write_text(plan.read_text(encoding="utf-8").replace("小满山房", "山房"), encoding="utf-8")
    assert cli.run(["render", str(plan), "--dry-run"]) == 0
    assert "video of" in capsys.readouterr().out
    assert cli.run(["render", str(plan), *SMALL, "-q"]) == 0
    assert capsys.readouterr().out.strip() == str(copy / "videos" / "002-clean-studio.mp4")
    assert manifest(copy)["videos"][1]["edited"]


def test_a_run_that_is_stopped_goes_on(tmp_path: Path) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 7

    wanted = {"catalog": SAMPLES / "catalog.csv", "skus": ["L001"], "backend": "camera"}
    settings = small(tmp_path, **{"generate.variants": 2})
    with pytest.raises(Cancelled):
        make_videos(settings=settings, cancelled=stop, **wanted)  # type: ignore[arg-type]
    assert not list((tmp_path / "L001" / "videos").glob(".livecut-*")), "no half a file"
    done = make_videos(settings=settings, **wanted)  # type: ignore[arg-type]
    assert len(done.videos) == 2 and all(video.is_file() for video in done.videos)


def test_progress_says_how_far_it_is(tmp_path: Path) -> None:
    told: list[Any] = []
    make_videos([SAMPLES / "images" / "L001-white.jpg"], settings=small(tmp_path), backend="camera", progress=told.append)
    shares = [step.fraction for step in told if step.stage.startswith("video ")]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert len({round(share, 1) for share in shares}) > 4


# --- backends --------------------------------------------------------------------------------------


def in_its_place(monkeypatch: pytest.MonkeyPatch, build: Callable[[], films.Fake]) -> None:
    """Put an animator in the place of the diffusers backend."""

    def rungs(options: Any, opened: list[Any], *, insists: bool) -> list[Rung]:
        return [Rung(name="tiny fast", open=backends._once(build, opened), gives_way=() if insists else (ModelError,))]

    monkeypatch.setattr(backends, "_diffusers", rungs)
    monkeypatch.setattr(diffusion, "outline", lambda options, request: f"model   tiny\nshot    {request.shot.seconds:g} s")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> films.Fake:
    """A model in place of the diffusers backend."""
    fake = films.Fake()
    in_its_place(monkeypatch, lambda: fake)
    return fake


def test_generated_videos_say_so_everywhere(model: films.Fake, tmp_path: Path) -> None:
    settings = small(tmp_path, **{"generate.takes.enforce": False, "generate.title": "茉莉花茶"})
    done = make_videos([SAMPLES / "images" / "L001-white.jpg"], settings=settings, backend="diffusers")
    video = done.products[0].manifest["videos"][0]
    assert video["label"]["kind"] == "generated" and video["label"]["text"] == "AI生成"
    assert video["synthetic_elements"] and "wan" in video["synthetic_elements"][0]
    tags = labels.read(done.videos[0])
    assert json.loads(tags["AIGC"])["Label"] == "1"
    assert video["label"]["metadata"]["AIGC"] == json.loads(tags["AIGC"])
    assert model.closed == 1


def test_a_model_that_melts_the_product_gives_way_to_the_camera(model: films.Fake, tmp_path: Path) -> None:
    done = make_videos([SAMPLES / "images" / "L001-white.jpg"], settings=small(tmp_path), backend="diffusers")
    video = done.products[0].manifest["videos"][0]
    assert video["label"]["kind"] == "edited"
    for shot in video["shots"]:
        assert shot["backend"] == "camera"
        assert [take["why"] for take in shot["takes"][1:3]] == ["another seed", "calmer motion"]
        assert not any(take["used"] for take in shot["takes"] if take["generated"])
    assert "camera in the end" in " ".join(video["reasons"])


def test_a_batch_loads_the_model_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded: list[films.Fake] = []

    def load_it() -> films.Fake:
        loaded.append(films.Fake())
        return loaded[-1]

    in_its_place(monkeypatch, load_it)
    settings = small(tmp_path, **{"generate.takes.enforce": False})
    done = make_videos(catalog=SAMPLES / "catalog.csv", settings=settings, backend="diffusers")
    assert len(done.products) == 3 and len(loaded) == 1 and loaded[0].closed == 1


def test_how_a_model_is_laid_over_the_machine_is_said_before_it_starts(model: films.Fake, tmp_path: Path) -> None:
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        if progress.detail:
            assert not model.asked, "before the first shot"
            told.append(progress)

    settings = small(tmp_path, **{"generate.takes.enforce": False})
    make_videos(catalog=SAMPLES / "catalog.csv", skus=["L001", "L002"], settings=settings, backend="diffusers", progress=tell)
    (said,) = told
    assert said.stage == "model" and said.detail.startswith("model   tiny\nshot ")


def test_a_model_that_was_asked_for_and_fails_is_an_error_and_not_the_camera(model: films.Fake, tmp_path: Path) -> None:
    model.error = ModelError("the card is full")
    with pytest.raises(ModelError, match="the card is full"):
        make_videos([SAMPLES / "images" / "L001-white.jpg"], settings=small(tmp_path), backend="diffusers")


def test_auto_says_why_it_took_the_camera(tmp_path: Path) -> None:
    settings = small(tmp_path, **{"generate.diffusers.device": "cpu"})
    found = backends.choose_backends(settings.generate)
    assert (found.name, found.why) == ("camera", "no graphics card")
    assert [rung.name for rung in found.rungs] == ["camera"]


def test_kling_is_not_paid_without_consent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("KLING_ACCESS_KEY", "ak")
    monkeypatch.setenv("KLING_SECRET_KEY", "sk")
    assert generate(SAMPLES / "images" / "L001-white.jpg", "-o", tmp_path, "--backend", "kling") == 2
    said = capsys.readouterr().err
    assert "US$" in said and "--yes" in said


# --- music -----------------------------------------------------------------------------------------


def test_cuts_fall_on_the_beat(tmp_path: Path) -> None:
    from tests.e2e.test_compose import write_sound
    from tests.unit.test_music import drums

    sound, truth = drums(100)
    music = write_sound(tmp_path / "drums.wav", sound)
    settings = small(tmp_path, **{"generate.music": music, "generate.seconds": 6})
    done = make_videos([SAMPLES / "images" / "L001-white.jpg"], settings=settings, backend="camera")
    shots = done.products[0].manifest["videos"][0]["shots"]
    board = json.loads((done.products[0].folder / "plans" / "001-clean-studio.json").read_text())["value"]
    cut = 0.0
    for shot in board["shots"][:-1]:
        cut += shot["seconds"]
        assert min(abs(truth - cut)) < 0.06
    assert len(shots) >= 2
    assert done.products[0].manifest["videos"][0]["loudness_lufs"] == pytest.approx(-14, abs=1)


# --- what can be wrong -----------------------------------------------------------------------------


def test_one_bad_product_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "tea", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    shutil.copy(SAMPLES / "images" / "L001-white.jpg", good / "a.jpg")
    (bad / "b.jpg").write_bytes((SAMPLES / "images" / "L001-white.jpg").read_bytes()[:4000])
    out = tmp_path / "out"
    assert generate(good, bad, "-o", out, "--seconds", 3, "--backend", "camera") == 3
    told = capsys.readouterr()
    assert str(out / "tea" / "videos") in told.out
    assert "bad" in told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no picture was named"),
        (("nowhere.jpg",), "nowhere.jpg"),
        (("L009", "--catalog", str(SAMPLES / "catalog.csv")), "L009"),
        ((str(SAMPLES / "images" / "L001-white.jpg"), "--seconds", "2"), "seconds = 2"),
        ((str(SAMPLES / "images" / "L001-white.jpg"), "--style", "clean-studo"), "clean-studio"),
        ((str(SAMPLES / "images" / "L001-white.jpg"), "--music", "nowhere.mp3"), "nowhere.mp3"),
        ((str(SAMPLES / "images" / "L001-white.jpg"), "--logo", "nowhere.png"), "nowhere.png"),
        ((str(SAMPLES / "images" / "L001-white.jpg"), "--preset", "instagrm"), "no such preset"),
    ],
)
def test_wrong_use_is_told_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(*arguments, "-o", tmp_path / "out") == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.mp4"))


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate("L003", "--catalog", SAMPLES / "catalog.csv", "-o", tmp_path / "out", "--dry-run") == 0
    told = capsys.readouterr().out
    first, *others = told.splitlines()
    assert first == "backend    camera: no graphics card"
    assert any("L003" in line for line in others) and any("180×320" in line for line in others)
    assert not (tmp_path / "out").exists()


def test_json_is_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(SAMPLES / "images" / "L001-white.jpg", "-o", tmp_path, "--seconds", 3, "--backend", "camera", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["manifest"]["videos"][0]["file"] == "videos/001-clean-studio.mp4"


def test_styles_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["styles"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) >= 8 and any(row.startswith("clean-studio") for row in rows)
    assert cli.run(["styles", "luxury-dark", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["palette"]["ink"].startswith("#")
    assert cli.run(["styles", "luxury"]) == 2


def test_a_picture_that_was_replaced_is_not_used(run: Path, tmp_path: Path) -> None:
    from pipelines.rendering import render_boards

    image = shutil.copy(SAMPLES / "images" / "L001-white.jpg", tmp_path / "tea.jpg")
    done = make_videos([image], settings=small(tmp_path / "out"), backend="camera")
    shutil.copy(SAMPLES / "images" / "L003-white.jpg", image)
    plan = done.products[0].folder / "plans" / "001-clean-studio.json"
    plan.write_text(plan.read_text(encoding="utf-8").replace('"fps": 30', '"fps": 25'), encoding="utf-8")
    with pytest.raises(InputError, match="is not the file it was planned with"):
        render_boards([plan], settings=small(tmp_path / "out"))


@pytest.mark.slow
def test_full_size(tmp_path: Path) -> None:
    """One video as it is published: size, rate, codec, mark, and a second run that makes nothing."""
    given = ["generate", "L001", "--catalog", str(SAMPLES / "catalog.csv"), "-o", str(tmp_path), "--style", "bright-home", "-q"]
    assert cli.run([*given, "--seconds", "3", "--preset", "kuaishou"]) == 0
    video = tmp_path / "L001" / "videos" / "001-bright-home.mp4"
    found = verify.inspect(video)
    assert (found.width_px, found.height_px, found.frames, found.pixels) == (1080, 1920, 90, "yuv420p")
    assert found.video_codec == "h264 High" and found.audio_codec == "aac"
    assert manifest(tmp_path / "L001")["videos"][0]["shots"][0]["takes"][0]["fidelity"]["ssim"] > 0.9
    assert cli.run([*given, "--seconds", "3", "--preset", "kuaishou"]) == 0
    assert json.loads((tmp_path / "L001" / "run.json").read_text())["made"] == []
