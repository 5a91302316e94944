"""Finding a font and reading what it says of itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clipper import fonts
from clipper.captions.breaks import ems
from clipper.errors import InputError, ModelError
from clipper.fonts import Face, find_font, font_folder


def test_a_font_of_the_callers_is_used(face: Face) -> None:
    assert find_font(face.path).path == face.path
    assert "Noto Sans" in face.family or face.family
    assert 1.0 < face.line_em < 2.0


def test_the_estimate_is_close_to_the_font(face: Face) -> None:
    for text in ("一千二百克出头", "1000ml×2", "It's pinned here.", "¥59.9"):
        assert face.width(text) == pytest.approx(ems(text), rel=0.15)


@pytest.mark.parametrize(("content", "message"), [(b"not a font at all", "its first bytes"), (b"OTTO\x00\x09", "could not read font")])
def test_what_is_no_font_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.otf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        find_font(str(path))


def test_a_missing_font_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.ttf"):
        find_font(str(tmp_path / "gone.ttf"))


def test_system_folders_are_searched_by_name(face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nested = tmp_path / "fonts" / "opentype" / "noto"
    nested.mkdir(parents=True)
    (nested / "NotoSansCJK-Bold.ttc").write_bytes(b"broken")
    shutil.copy(face.path, nested / "SourceHanSansSC-Regular.otf")
    monkeypatch.setattr(fonts, "folders", lambda: (tmp_path / "fonts",))
    fonts._found.cache_clear()
    assert find_font().path == str(nested / "SourceHanSansSC-Regular.otf")
    fonts._found.cache_clear()


def test_no_font_anywhere_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clipper.speech import weights

    def nothing(name: str) -> Path:
        raise ModelError(f"the model {name} is not on this machine")

    monkeypatch.setattr(fonts, "folders", lambda: (tmp_path,))
    monkeypatch.setattr(weights, "locate", nothing)
    fonts._found.cache_clear()
    with pytest.raises(ModelError, match="livecut models fetch"):
        find_font()
    fonts._found.cache_clear()


def test_the_folder_for_libass_holds_the_font_alone(face: Face, tmp_path: Path) -> None:
    folder = font_folder(face, tmp_path / "fonts")
    (only,) = folder.iterdir()
    assert only.read_bytes() == Path(face.path).read_bytes()
    font_folder(face, tmp_path / "fonts")
    assert len(list(folder.iterdir())) == 1
