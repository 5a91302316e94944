"""Names of files that lie at URLs, and jobs whose files do: over storages in memory, on this disk, and on the loopback interface."""

from __future__ import annotations

import http.server
import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pytest
from PIL import Image

from clipper.errors import InputError, ToolError
from generators.images import read_picture
from pipelines import carrying, places
from pipelines.batch import Outcome, run_batch
from pipelines.clips import Inputs
from pipelines.ledger import Ledger, LedgerError, LedgerOptions, audit
from pipelines.recordings import expand
from pipelines.settings import RunOptions, Settings
from tests import sham


@pytest.fixture
def store() -> Iterator[Any]:
    """An empty storage in memory."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    ledger, scratch = tmp_path / "livecut.ledger", tmp_path / "scratch"
    return Settings(run=RunOptions(out="memory://store/out", ledger=str(ledger), scratch=str(scratch)))


def recording(store: Any, name: str, text: str = "") -> Path:
    store.pipe_file(f"/store/{name}", sham.HEAD + f"{name}|{text}".encode())
    return Path(f"memory://store/{name}")


def batch(settings: Settings, *recordings: Path, **more: Any) -> tuple[Outcome, ...]:
    with Ledger(Path(settings.run.ledger), LedgerOptions(backoff_s=0.0)) as ledger:
        given = (Inputs(recording=path, **more) for path in recordings)
        found = run_batch(given, settings, ledger, sham.Threads(), at_once=2)
        assert audit(ledger).is_clean
    return found


@pytest.fixture(autouse=True)
def work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.jobs.make_clips", sham.make_clips)


def test_a_url_keeps_its_meaning_as_a_path(tmp_path: Path) -> None:
    for url in ("s3://bucket/a b/show.mp4", "memory://x/y.flv", "file:///srv/show.mp4", "http://127.0.0.1:8000/a.mp4?sign=1%2F2"):
        assert places.is_url(Path(url)) and places.written(Path(url)) == url
        assert places.absolute(Path(url)) == Path(url)
    for path in ("a:b.mp4", "http:x.mp4", "concat:a|b", "-vf.mp4", "zip://a.mp4", "C:/x.mp4", str(tmp_path)):
        assert not places.is_url(path)
        assert places.written(path) == path


def test_a_folder_on_this_disk_that_is_called_like_a_url_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = sham.recording(tmp_path / "s3:" / "show.mp4")
    assert places.absolute(Path("s3://show.mp4")) == path


def test_recordings_at_urls_are_done_once_and_their_results_put_back(store: Any, settings: Settings, tmp_path: Path) -> None:
    one, two, twin = recording(store, "in/one.mp4"), recording(store, "in/two.mp4", "nothing"), Path("memory://store/in/copy.mp4")
    store.pipe_file("/store/in/copy.mp4", store.cat_file("/store/in/one.mp4"))
    found = {outcome.recording.name: outcome for outcome in batch(settings, one, two, twin)}
    assert {name: outcome.state for name, outcome in found.items()} == {"one.mp4": "done", "two.mp4": "done", "copy.mp4": "done"}
    assert found["copy.mp4"].same_as == one
    assert store.cat_file("/store/out/one/clips/001.mp4") == b"clip of " + store.cat_file("/store/in/one.mp4")
    assert json.loads(store.cat_file("/store/out/one/manifest.json"))["recording"]["path"] == "memory://store/in/one.mp4"
    assert not store.exists("/store/out/one/.lock")
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == []
    assert all(outcome.reused for outcome in batch(settings, one, two))


def test_a_later_stage_goes_on_from_what_an_earlier_one_put_back_on_another_machine(store: Any, settings: Settings, tmp_path: Path) -> None:
    source = recording(store, "in/show.mp4")
    for number, until in enumerate(("recognise", "plan", None)):
        run = RunOptions(scratch=str(tmp_path / f"machine {number}"))
        arguments = {
            "inputs": {"recording": str(source), "catalog": None, "chat": [], "events": []},
            "settings": {"run": {"scratch": run.scratch}},
            "folder": "memory:/store/out/show",
            "content": places.sha256(source),
        }
        with carrying.carried(arguments) as here:
            sham.make_clips(
                here.arguments["inputs"]["recording"],
                folder=here.arguments["folder"],
                until=until,
                progress=lambda told: None,
                cancelled=lambda: False,
            )
            here.send(last=until is None)
    assert store.cat_file("/store/out/show/calls") == b"recognise\nplan\nNone\n"


def test_a_result_that_was_touched_at_its_url_is_found(store: Any, settings: Settings) -> None:
    source = recording(store, "in/show.mp4")
    batch(settings, source)
    store.pipe_file("/store/out/show/clips/001.mp4", b"other")
    store.pipe_file("/store/out/stranger/manifest.json", b"{}")
    with Ledger(Path(settings.run.ledger)) as ledger:
        told = [finding.text for finding in audit(ledger).findings if finding.wrong]
    assert len(told) == 2 and "has changed since" in told[0] + told[1] and "no job knows" in told[0] + told[1]
    store.rm("/store/out/stranger", recursive=True)
    assert [outcome.reused for outcome in batch(settings, source)] == [False]


def test_side_files_are_fetched_with_their_recording_and_make_another_job(store: Any, settings: Settings, tmp_path: Path) -> None:
    source, other = recording(store, "in/show.mp4"), recording(store, "in/show 2.mp4")
    store.pipe_file("/store/in/catalog.csv", "sku,title,image\n1,橙子,pictures/1.jpg\n".encode())
    store.pipe_file("/store/in/pictures/1.jpg", b"\xff\xd8\xff picture")
    store.pipe_file("/store/in/show.events.jsonl", b"{}\n")
    local = carrying.beside(source, tmp_path / "in", http=False)
    here = {str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in").rglob("*") if path.is_file()}
    assert here == {"catalog.csv", "pictures/1.jpg", "show.events.jsonl", other.name} and not local.exists()
    assert (tmp_path / "in" / other.name).stat().st_size == 0
    assert [outcome.reused for outcome in batch(settings, source)] == [False]
    store.pipe_file("/store/in/pictures/1.jpg", b"\xff\xd8\xff another")
    assert [outcome.reused for outcome in batch(settings, source)] == [False]
    assert [outcome.reused for outcome in batch(settings, source)] == [True]


def test_pictures_of_every_kind_that_is_read_are_fetched(store: Any, tmp_path: Path) -> None:
    source = recording(store, "in/show.mp4")
    picture = Image.new("RGB", (96, 96), (200, 30, 30))
    kinds = {"jpg": "JPEG", "JPEG": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF", "tiff": "TIFF"}
    for suffix, kind in kinds.items():
        file = io.BytesIO()
        picture.save(file, kind)
        store.pipe_file(f"/store/in/pictures/one.{suffix}", file.getvalue())
    store.pipe_file("/store/in/pictures/notes.docx", b"no picture")
    carrying.beside(source, tmp_path / "in", http=False)
    fetched = sorted((tmp_path / "in" / "pictures").iterdir())
    assert [path.suffix[1:] for path in fetched] == sorted(kinds)
    assert [read_picture(path).pixels.shape[:2] for path in fetched] == [(96, 96)] * len(kinds)


def test_a_file_that_is_not_there_is_gone_and_one_that_is_no_recording_rejected(store: Any, settings: Settings) -> None:
    store.pipe_file("/store/in/list.mp4", b"#EXTM3U\nhttp://127.0.0.1/x\n")
    store.pipe_file("/store/in/empty.mp4", b"")
    found = batch(settings, *(Path(f"memory://store/in/{name}.mp4") for name in ("nowhere", "list", "empty")))
    assert {outcome.recording.stem: outcome.state for outcome in found} == {"nowhere": "gone", "list": "rejected", "empty": "rejected"}
    assert "memory://store/in/list.mp4: it is an HLS playlist" in next(one.reason for one in found if one.recording.stem == "list")


def test_a_file_that_comes_other_than_it_was_is_not_used(store: Any, tmp_path: Path) -> None:
    source = recording(store, "in/show.mp4")
    with pytest.raises(ToolError, match="its bytes are not those"):
        places.fetch(source, tmp_path / "show.mp4", sha="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_storage_that_fails_makes_a_job_wait(store: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    source = recording(store, "in/show.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("the storage is away")

    monkeypatch.setattr(type(store), "put_file", refuse)
    (found,) = batch(settings, source)
    assert found.state == "waiting" and "the storage is away" in found.reason
    monkeypatch.undo()
    monkeypatch.setattr("pipelines.jobs.make_clips", sham.make_clips)
    assert [outcome.state for outcome in batch(settings, source)] == ["done"]


def test_a_storage_that_cannot_be_asked_makes_a_recording_wait(store: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    source = recording(store, "in/show.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("the storage is away")

    monkeypatch.setattr(type(store), "_open", refuse)
    (found,) = batch(settings, source)
    assert (found.state, found.code) == ("waiting", 4) and "the storage is away" in found.reason


def test_names_that_lead_outside_are_left_alone(store: Any, tmp_path: Path) -> None:
    source = recording(store, "in/show.mp4")
    store.store["/store/in/../../../escaped.csv"] = store.store["/store/in/show.mp4"]
    carrying.beside(source, tmp_path / "a" / "in", http=False)
    assert not list(tmp_path.rglob("escaped.csv"))


def test_folders_and_patterns_at_urls(store: Any, tmp_path: Path) -> None:
    for name in ("night/a.mp4", "night/b/c.FLV", "night/.hidden/x.mp4", "night/out/done/clips/001.mp4", "night/d.mp4.part", "night/e.csv"):
        recording(store, name)
    store.pipe_file("/store/night/out/done/manifest.json", b"{}")

    def meant(text: str) -> list[str]:
        return [places.written(path) for path in expand([Path(text)], out=tmp_path)]

    assert meant("memory://store/night") == ["memory://store/night/a.mp4", "memory://store/night/b/c.FLV"]
    assert meant("memory://store/night/*.mp4") == ["memory://store/night/a.mp4"]
    assert meant("memory://store/night/a.mp4") == ["memory://store/night/a.mp4"]


def test_the_ledger_stays_on_a_disk(settings: Settings) -> None:
    from pipelines.batch import ledger_path

    with pytest.raises(LedgerError, match=r"memory://store/out/livecut.ledger: it is a file of this machine"):
        ledger_path(Settings(run=RunOptions(out="memory://store/out")))


def test_scratch_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(InputError, match="belongs to somebody else"):
        carrying.scratch_root(str(tmp_path / "link"))


def test_the_web_is_read_only_when_asked_for(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sham.recording(tmp_path / "web" / "show.mp4")
    handler = partial(_Quiet, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = Path(f"http://127.0.0.1:{server.server_address[1]}/show.mp4")
        asked: list[str] = []
        monkeypatch.setattr(_Quiet, "do_HEAD", lambda self: asked.append(self.path))
        (refused,) = batch(settings, url)
        assert refused.state == "rejected" and "only when asked for" in refused.reason
        assert asked == [], "nobody was asked anything"
        monkeypatch.undo()
        monkeypatch.setattr("pipelines.jobs.make_clips", sham.make_clips)
        local = str(tmp_path / "out")
        (done,) = batch(Settings(run=RunOptions(out=local, ledger=settings.run.ledger, scratch=settings.run.scratch, http=True)), url)
        server.shutdown()
    assert (done.state, done.reason) == ("done", "")
    assert (tmp_path / "out" / "show" / "clips" / "001.mp4").is_file()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
