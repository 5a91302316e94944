"""Storyboard files: kept when edited, refused with a reason when they cannot be shown; and what a run is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clipper import artefact
from clipper.errors import ArtefactError, InputError, ModelError
from generators.diffusion import DiffusersOptions
from generators.kling_client import Refused
from generators.values import Animator, Overlay, PictureRef, Storyboard
from pipelines import backends, storyboards
from pipelines.backends import choose_backends
from pipelines.casting import cast
from pipelines.generate_options import GenerateOptions
from pipelines.storyboards import is_storyboard, load_board, names_of, save_boards, stored_boards
from tests import films

BOARD = films.board(1.0, 1.5, pictures=(PictureRef(path="/p.jpg", sha256="0"),), overlays=films.overlays(2.5), style="clean-studio")


def write(path: Path, board: Storyboard) -> Path:
    artefact.save(path, artefact.dumps(board, storyboards.SCHEMA, storyboards.VERSION))
    return path


def test_a_storyboard_comes_back_as_it_was(tmp_path: Path) -> None:
    assert load_board(write(tmp_path / "a.json", BOARD)) == BOARD


def test_names_number_the_videos_of_a_product() -> None:
    own = replace(BOARD, style="/home/me/my style.toml")
    assert names_of([BOARD, BOARD]) == ["001-clean-studio", "002-clean-studio"]
    assert "/" not in names_of([own])[0] and names_of([own])[0].startswith("001-my-style")


def test_an_edited_file_is_kept_and_used(tmp_path: Path) -> None:
    (first,) = save_boards(tmp_path / "plans", [BOARD], replan=False)
    assert not first.edited
    path = tmp_path / "plans" / "001-clean-studio.json"
    path.write_text(path.read_text(encoding="utf-8").replace("红盒", "蓝盒"), encoding="utf-8")
    (again,) = save_boards(tmp_path / "plans", [BOARD], replan=False)
    assert again.edited and again.board.title == "蓝盒"
    assert stored_boards(tmp_path / "plans")[0].edited
    (anew,) = save_boards(tmp_path / "plans", [BOARD], replan=True)
    assert not anew.edited and anew.board == BOARD


def test_an_edited_variant_that_is_planned_no_more_is_kept(tmp_path: Path) -> None:
    save_boards(tmp_path / "plans", [BOARD, BOARD], replan=False)
    path = tmp_path / "plans" / "002-clean-studio.json"
    path.write_text(path.read_text(encoding="utf-8").replace("红盒", "蓝盒"), encoding="utf-8")
    files = save_boards(tmp_path / "plans", [BOARD], replan=False)
    assert [(file.name, file.edited) for file in files] == [("001-clean-studio", False), ("002-clean-studio", True)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shots": ()}, "shots is empty"),
        ({"width_px": 271}, "expected even numbers"),
        ({"height_px": 9000}, "expected even numbers from 64 to 4096"),
        ({"fps": 0}, "fps is 0"),
        ({"pictures": ()}, r"shots\[0\]\.photo is 0; the storyboard has 0 pictures"),
        ({"shots": (replace(BOARD.shots[0], seconds=0.0),)}, r"shots\[0\]: seconds is 0"),
        ({"shots": (BOARD.shots[0], BOARD.shots[0])}, "two shots have the same id"),
        ({"overlays": (Overlay(kind="title", text="x", start=2.0, end=1.0),)}, r"overlays\[0\] runs from 2 to 1 s"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_reason(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = write(tmp_path / "a.json", replace(BOARD, **changes))
    with pytest.raises(ArtefactError, match=said):
        load_board(path)


@pytest.mark.parametrize(
    ("field", "misspelt", "said"),
    [
        ("shots", "shtos", "shtos is not a field of storyboard; did you mean shots"),
        ("move", "mvoe", r"shots\[0\]\.mvoe is not a field of shot; did you mean move"),
        ("detail", "details", r"overlays\[0\]\.details is not a field of overlay; did you mean detail"),
        ("sha256", "checksum", r"pictures\[0\]\.checksum is not a field of pictureref; it has path, sha256"),
    ],
)
def test_a_misspelt_field_is_named(tmp_path: Path, field: str, misspelt: str, said: str) -> None:
    path = write(tmp_path / "a.json", BOARD)
    path.write_text(path.read_text(encoding="utf-8").replace(f'"{field}"', f'"{misspelt}"', 1), encoding="utf-8")
    with pytest.raises(ArtefactError, match=said):
        load_board(path)


def test_a_storyboard_is_told_from_a_clips_plan(tmp_path: Path) -> None:
    assert is_storyboard(write(tmp_path / "a.json", BOARD))
    (tmp_path / "b.json").write_text(json.dumps({"schema": "livecut.plan"}), encoding="utf-8")
    (tmp_path / "c.json").write_text("no json", encoding="utf-8")
    assert not is_storyboard(tmp_path / "b.json") and not is_storyboard(tmp_path / "c.json") and not is_storyboard(tmp_path / "d.json")


# --- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        ("", (1080, 1920)),
        ("9:16", (1080, 1920)),
        ("1:1", (1080, 1080)),
        ("16:9", (1920, 1080)),
        ("3:4", (1080, 1440)),
        ("4:5", (1080, 1350)),
    ],
)
def test_shapes_keep_the_short_edge(aspect: str, size: tuple[int, int]) -> None:
    assert GenerateOptions(aspect=aspect).frame(1080, 1920) == size


@pytest.mark.parametrize("wrong", [{"seconds": 2.9}, {"seconds": 31}, {"variants": 0}, {"aspect": "2:1"}, {"seed": -1}])
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        GenerateOptions(**wrong)


def test_pictures_and_a_catalogue_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"could not use a\.jpg beside a catalogue"):
        cast(["a.jpg"], tmp_path / "catalog.csv", (), GenerateOptions())


def test_nothing_is_loaded_before_the_first_shot() -> None:
    found = choose_backends(GenerateOptions(backend="camera"))
    assert [rung.name for rung in found.rungs] == ["camera"] and found.why == "asked for"
    assert not found._close
    one = found.rungs[0].open()
    assert found.rungs[0].open() is one and found._close == [one]
    found.close()
    assert not found._close


def test_a_card_holds_one_model_at_a_time() -> None:
    fast, better = films.Fake(), films.Fake()
    opened: list[Animator] = []
    open_fast = backends._once(lambda: fast, opened, alone=True)
    open_better = backends._once(lambda: better, opened, alone=True)
    assert open_fast() is fast and open_fast() is fast and fast.closed == 0
    assert open_better() is better and (fast.closed, better.closed) == (1, 0)
    backends._once(lambda: films.Fake(generated=False), opened)()
    assert better.closed == 0, "the camera takes no room"


def test_who_asks_for_a_model_is_told_when_it_fails() -> None:
    options = GenerateOptions(backend="diffusers", diffusers=DiffusersOptions(model="wan2.2-i2v-a14b", preset="lowvram"))
    first, *others = choose_backends(options).rungs
    assert first.gives_way == () and others and all(ModelError in rung.gives_way for rung in others)
    assert choose_backends(GenerateOptions(backend="kling")).rungs[0].gives_way == (Refused,)
