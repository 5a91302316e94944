"""Plan files belong to people once they edited them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipper.errors import ArtefactError
from clipper.values import Plan, Span
from pipelines.plans import load_plan, safe_name, save_plans, stored_plans

PLAN = Plan(
    id="c1", type="explanation", sku="A001", recording="/x.mp4", recording_sha256="0", sources=(Span(1, 30),), title="保温杯", score=0.9
)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_an_unedited_plan_follows_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    save_plans(folder, [PLAN], replan=False)
    (file,) = save_plans(folder, [replace(PLAN, title="另一个")], replan=False)
    assert (file.name, file.plan.title, file.edited) == ("001-explanation-A001", "另一个", False)


def test_an_edited_plan_is_kept_until_replan(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    save_plans(folder, [PLAN], replan=False)
    edit(folder / "001-explanation-A001.json", "保温杯", "我改的标题")
    (kept,) = save_plans(folder, [replace(PLAN, score=0.1)], replan=False)
    assert (kept.plan.title, kept.edited) == ("我改的标题", True)
    assert stored_plans(folder)[0].edited
    (anew,) = save_plans(folder, [PLAN], replan=True)
    assert (anew.plan, anew.edited) == (PLAN, False)


def test_a_stale_plan_goes_unless_it_was_edited(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    other = replace(PLAN, sku="B002")
    save_plans(folder, [PLAN, other], replan=False)
    edit(folder / "002-explanation-B002.json", "保温杯", "改过")
    left = save_plans(folder, [replace(PLAN, type="teaser")], replan=False)
    assert [(file.name, file.edited) for file in left] == [("001-teaser-A001", False), ("002-explanation-B002", True)]
    assert not (folder / "001-explanation-A001.json").exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"title"', '"titel"', "titel is not a field of plan; did you mean title"),
        ('"end": 30.0', '"end": 0.5', r"sources\[0\] runs from 1.0 to 0.5 s"),
        ('"score": 0.9', '"score": "high"', "Expected `float`, got `str`"),
    ],
)
def test_a_wrong_edit_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = tmp_path / "plans"
    save_plans(folder, [PLAN], replan=False)
    edit(folder / "001-explanation-A001.json", old, new)
    with pytest.raises(ArtefactError, match=says):
        load_plan(folder / "001-explanation-A001.json")


@given(st.text(max_size=80), st.text(max_size=80))
def test_names_stay_inside_and_apart(one: str, two: str) -> None:
    for text in (one, two):
        name = safe_name(text)
        assert name not in ("", ".", "..")
        assert not set(name) & set('/\\:*?"<>|\0\n')
        assert len(name) <= 47
    assert one == two or safe_name(one).casefold() != safe_name(two).casefold() or one.casefold() == two.casefold()


@pytest.mark.parametrize("sku", ["../../etc", "CON", "a/b", "a:b", "", "‮txt", "x" * 300, "trailing."])
def test_hostile_names_get_a_digest(sku: str) -> None:
    assert safe_name(sku) != sku
    assert safe_name(sku)[-7] == "-"
