"""Errors become exit codes in one place."""

from __future__ import annotations

import pytest

from clipper import errors
from pipelines import cli


def raising(error: BaseException) -> object:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.LivecutError("x"), 1),
        (errors.InputError("x"), 2),
        (errors.ToolError("x"), 4),
        (errors.ToolFailed(["ffmpeg"], 1, "last line"), 4),
        (errors.ModelError("x"), 4),
        (errors.NothingFound("x"), 5),
        (errors.ArtefactError("x"), 1),
        (errors.Cancelled("x"), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_code(error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("pipelines.clips.make_clips", raising(error))
    assert cli.run(["clip", "x.mp4", "-q"]) == code
    assert "livecut: " in capfd.readouterr().err


def test_every_kind_of_error_is_in_the_table_above() -> None:
    def kinds(kind: type) -> set[type]:
        return {kind}.union(*(kinds(child) for child in kind.__subclasses__()))

    own = {kind.__name__ for kind in kinds(errors.LivecutError) if kind.__module__ == errors.__name__}
    assert own == {
        "LivecutError", "InputError", "NothingFound", "ToolError", "ToolFailed", "ModelError", "ArtefactError", "Cancelled",
    }  # fmt: skip


def test_a_bug_is_called_a_bug(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("pipelines.clips.make_clips", raising(ZeroDivisionError("division by zero")))
    assert cli.run(["clip", "x.mp4", "-q"]) == 1
    assert "a bug in livecut: ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([None, errors.InputError("x")], 3),
        ([errors.InputError("x")] * 2, 2),
        ([errors.NothingFound("x")] * 2, 5),
        ([None, errors.NothingFound("x")], 0),
    ],
)
def test_a_batch_sums_up(outcomes: list[Exception | None], code: int) -> None:
    assert cli._overall([outcome.exit_code if isinstance(outcome, errors.LivecutError) else 0 for outcome in outcomes]) == code


def test_a_folder_at_a_url_is_not_watched_and_what_does_it_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["watch", "s3://shop/inbox"]) == 2
    assert "could not watch s3://shop/inbox: a watched folder lies on a disk; let cron run `livecut clip" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["s3://shop/orange.jpg"], ["--catalog", "s3://shop/catalog.csv"]])
def test_pictures_at_urls_are_refused_with_what_to_do(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["generate", *words]) == 2
    assert f"could not make videos of {words[-1]}: pictures and catalogues of videos lie on a disk" in capfd.readouterr().err


def test_help_and_version_are_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert cli.run(["clip", "--help"]) == 0
    assert "--catalog" in capsys.readouterr().out


def test_config_prints_what_is_in_force(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECUT_PLAN_TITLE_MAX", "17")
    assert cli.run(["config", "--set", "speech.beam_size=2"]) == 0
    out = capsys.readouterr().out
    assert "title_max = 17" in out
    assert "beam_size = 2" in out
