"""Options from every place, one value out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from clipper.errors import InputError
from pipelines import config


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    max_s: float = 30.0
    names: tuple[str, ...] = ("a",)
    note: str | None = None

    def __post_init__(self) -> None:
        if self.max_s <= 0:
            raise InputError(f"max_s = {self.max_s}: expected more than 0 s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    teaser: Inner = field(default_factory=Inner)
    jobs: int = 1
    faces: bool = True


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "livecut.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = write(tmp_path, "jobs = 2\nfaces = false\n[teaser]\nmax_s = 10\n")
    got = config.load(Outer, file=file, environ={"LIVECUT_TEASER_MAX_S": "20", "LIVECUT_JOBS": "3"}, flags={"jobs": "4"})
    assert got == Outer(jobs=4, faces=False, teaser=Inner(max_s=20.0))


def test_lists_are_written_with_commas() -> None:
    assert config.load(Outer, environ={"LIVECUT_TEASER_NAMES": "x, y"}).teaser.names == ("x", "y")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[teaser]\nmax_secs = 3\n", r"teaser\.max_secs is not an option; did you mean max_s\?"),
        ("[teasr]\n", r"teasr is not an option; did you mean teaser\?"),
        ("teaser = 3\n", "teaser is a section"),
        ("jobs = 'many'\n", r"jobs: found 'many'"),
        ("[teaser]\nmax_s = -1\n", "teaser: max_s = -1.0: expected more than 0 s"),
        ("jobs = \n", "not valid TOML"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        config.load(Outer, file=write(tmp_path, text), environ={})


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        config.load(Outer, file=tmp_path / "absent.toml", environ={})


def test_what_is_printed_can_be_read_back(tmp_path: Path) -> None:
    options = Outer(jobs=7, teaser=Inner(max_s=1.5, names=('quote " and \\', "中文")))
    assert config.load(Outer, file=write(tmp_path, config.dump(options)), environ={}) == options


def test_sources_are_named() -> None:
    found = config.sources(Outer, None, {"LIVECUT_JOBS": "1", "HOME": "/"}, {"faces": True})
    assert found == config.Source(file=None, environment=("LIVECUT_JOBS",), flags=("faces",))


def test_the_options_of_an_earlier_run_are_defaults_and_what_is_no_more_is_left_out() -> None:
    told = config.plain(Outer(teaser=Inner(max_s=20, names=("b", "c")), jobs=3)) | {"gone": 1}
    told["teaser"]["forgotten"] = True
    found = config.load(Outer, base=told, environ={}, flags={"teaser.max_s": "12"})
    assert found == Outer(teaser=Inner(max_s=12, names=("b", "c")), jobs=3)
