"""The chain of takes: what is tried after what, and what is shown in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clipper.errors import Cancelled, InputError, ModelError, ToolError
from generators.takes import CALM, Outcome, Rung, TakeOptions, make_shot
from generators.values import Footage, ShotRequest
from tests import films

WORK = Path("unused")


def rung(name: str, fake: films.Fake, **more: Any) -> Rung:
    return Rung(name=name, open=lambda: fake, **more)


def run(*rungs: Rung, verdicts: list[bool], options: TakeOptions | None = None, lock: Any = None) -> Outcome:
    left = iter(verdicts)
    say = lambda *_: films.verdict(next(left))  # noqa: E731
    return make_shot(films.asked(), rungs, WORK, options or TakeOptions(), measure=say, lock=lock)


def test_the_first_take_that_passes_is_shown() -> None:
    model = films.Fake()
    done = run(rung("wan", model), verdicts=[True])
    assert [take.used for take in done.takes] == [True]
    assert (done.rung, done.is_camera, len(model.asked)) == ("wan", False, 1)


def test_another_seed_comes_before_calmer_motion() -> None:
    model = films.Fake()
    done = run(rung("wan", model), verdicts=[False, False, True])
    assert [take.why for take in done.takes] == ["", "another seed", "calmer motion"]
    assert [take.used for take in done.takes] == [False, False, True]
    first, second, third = (request.shot for request in model.asked)
    assert second.seed != first.seed and second.prompt == first.prompt
    assert third.move == "still" and third.prompt.endswith(CALM)


def test_the_lock_comes_before_the_next_preset_and_takes_the_best_footage() -> None:
    model, better = films.Fake(), films.Fake()
    asked: list[Footage] = []

    def lock(_request: ShotRequest, footage: Footage) -> tuple[Footage | None, str]:
        asked.append(footage)
        return footage, ""

    done = run(rung("wan fast", model), rung("wan quality", better), verdicts=[False, False, False, True], lock=lock)
    assert len(asked) == 1 and not better.asked
    assert done.takes[-1].pixel_lock and done.takes[-1].used
    assert done.origin.is_generated


def test_a_lock_that_does_not_fit_says_why_and_the_next_preset_is_tried() -> None:
    model, better = films.Fake(), films.Fake()
    done = run(rung("wan fast", model), rung("wan quality", better), verdicts=[False] * 3 + [True], lock=lambda *_: (None, "it jumps"))
    assert done.rung == "wan quality"
    assert "no pixel lock: it jumps" in done.notes
    assert done.takes[-1].why == "wan fast did not show the product faithfully"


def test_the_camera_is_last_and_shown_whatever_is_said_of_it() -> None:
    model, camera = films.Fake(), films.Fake(generated=False)
    done = run(rung("wan", model), rung("camera", camera, is_camera=True), verdicts=[False] * 4)
    assert done.is_camera and done.rung == "camera"
    assert len(camera.asked) == 1, "filmed once"
    assert [take.used for take in done.takes] == [False, False, False, True]
    assert "shown in spite of the gate" in done.takes[-1].why
    assert done.takes[-1].fidelity.reasons == ("the label has melted",)


def test_where_tries_cost_money_there_is_one() -> None:
    hosted, camera = films.Fake(), films.Fake(generated=False)
    run(rung("kling", hosted, retries=False), rung("camera", camera, is_camera=True), verdicts=[False, True])
    assert len(hosted.asked) == 1


@pytest.mark.parametrize("error", [ModelError("out of memory"), InputError("too small")])
def test_a_way_that_cannot_be_gone_is_noted(error: Exception) -> None:
    camera = films.Fake(generated=False)
    done = run(rung("wan", films.Fake(error=error)), rung("camera", camera, is_camera=True), verdicts=[True])
    assert done.is_camera
    assert done.notes == (f"wan: {error}",)


def test_an_error_that_does_not_give_way_is_told() -> None:
    camera = films.Fake(generated=False)
    hosted = rung("kling", films.Fake(error=ToolError("the account is empty")), gives_way=(InputError,))
    with pytest.raises(ToolError, match="the account is empty"):
        run(hosted, rung("camera", camera, is_camera=True), verdicts=[])
    assert not camera.asked


def test_without_another_way_the_error_comes_through() -> None:
    with pytest.raises(ModelError, match="out of memory"):
        run(rung("wan", films.Fake(error=ModelError("out of memory"))), verdicts=[])


def test_cancelling_is_no_reason_to_try_something_else() -> None:
    camera = films.Fake(generated=False)
    with pytest.raises(Cancelled):
        run(rung("wan", films.Fake(error=Cancelled("stopped"))), rung("camera", camera, is_camera=True), verdicts=[])
    assert not camera.asked


def test_nothing_that_passes_and_no_camera_is_an_error_that_says_what_was_wrong() -> None:
    with pytest.raises(ModelError, match=r"none of 3 takes shows the product faithfully \(the label has melted\)"):
        run(rung("wan", films.Fake()), verdicts=[False] * 3)


def test_the_gate_may_be_told_to_report_only() -> None:
    done = run(rung("wan", films.Fake()), verdicts=[False], options=TakeOptions(enforce=False))
    assert done.takes[0].used and not done.takes[0].fidelity.passed


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="seeds = 9"):
        TakeOptions(seeds=9)
