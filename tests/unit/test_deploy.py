"""The files in deploy/: what they start exists, and what they promise fits the program. Neither systemd nor Docker is needed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from clipper.errors import InputError
from pipelines import config
from pipelines.cli import livecut
from pipelines.settings import Settings
from pipelines.watch.options import WatchOptions

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def unit() -> dict[str, list[str]]:
    """Every setting of the unit, with its values in order."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "livecut.service").read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def parses(arguments: list[str]) -> None:
    command = livecut.commands[arguments[0]]
    command.make_context(arguments[0], arguments[1:])


def test_the_service_starts_a_command_that_is_there() -> None:
    words = shlex.split(unit()["ExecStart"][0])
    assert Path(words[0]).name == "livecut"
    parses(words[1:])


def test_the_service_waits_longer_than_the_daemon_drains() -> None:
    settings = unit()
    assert float(settings["TimeoutStopSec"][0]) > WatchOptions().drain_s
    assert (settings["Type"], settings["KillSignal"], settings["KillMode"]) == (["notify"], ["SIGTERM"], ["mixed"])
    assert settings["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_service_may_write_where_it_says_and_nowhere_else() -> None:
    settings, words = unit(), shlex.split(unit()["ExecStart"][0])
    assert settings["ProtectSystem"] == ["strict"] and settings["NoNewPrivileges"] == ["yes"]
    writable = settings["ReadWritePaths"][0].split()
    cache = next(value for value in settings["Environment"][0].split() if value.startswith("LIVECUT_CACHE="))
    assert words[words.index("-o") + 1] in writable and cache.partition("=")[2] in writable
    assert words[2] in settings["ReadOnlyPaths"][0].split()


def test_the_image_copies_what_is_there_and_starts_what_parses() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
            assert f"!{name}" in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines(), "it reaches the builder"
    command = json.loads(re.findall(r"^CMD (.+)$", text, re.MULTILINE)[-1])
    parses(command)
    assert re.search(r"^USER 10001$", text, re.MULTILINE) and "--uid 10001" in text
    extra = re.search(r'pip install "\.\[(\w+)\]"', text)
    assert extra and f"\n{extra.group(1)} = [" in (ROOT / "pyproject.toml").read_text()


def test_the_example_options_are_options() -> None:
    assert config.load(Settings, file=DEPLOY / "livecut.toml", environ={}).watch.stable_s == 30


def test_an_option_of_the_watch_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "livecut.toml").write_text("[watch]\nstable = 30\n")
    with pytest.raises(InputError, match=r"watch\.stable is not an option; did you mean stable_s"):
        config.load(Settings, file=tmp_path / "livecut.toml", environ={})
