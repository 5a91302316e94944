"""The documents say what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipelines import config
from pipelines.cli import livecut
from pipelines.settings import Settings
from tests.docs import generate

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "samples" / "README.md"])


@pytest.mark.parametrize("name", generate.PAGES)
def test_reference_pages_are_current(name: str) -> None:
    assert (generate.REFERENCE / name).read_text(encoding="utf-8") == generate.PAGES[name](), "run `make docs`"


def test_every_option_says_what_it_means() -> None:
    silent = re.findall(r"^\| `(\w+)` \| [^|]* \|  \|$", generate.options(), re.MULTILINE)
    assert not silent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_documents_exist(page: Path) -> None:
    blocks = "\n".join(re.findall(r"```(?:sh|bash|console|text)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    for line in re.findall(r"^(?:\$ )?livecut ([a-z]+ .*|[a-z]+)$", blocks, re.MULTILINE):
        words = line.split()
        command = livecut.commands.get(words[0])
        assert command is not None, f"{page.name}: livecut {line}"
        known = {option for parameter in command.params for option in parameter.opts}
        for word in words[1:]:
            if word.startswith("--") and command.name != "models":
                assert word.split("=")[0] in known, f"{page.name}: livecut {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_in_documents_load(page: Path, tmp_path: Path) -> None:
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        tomllib.loads(block)
        if block.startswith("# livecut.toml"):
            file = tmp_path / "livecut.toml"
            file.write_text(block, encoding="utf-8")
            config.load(Settings, file=file, environ={})


def test_python_in_documents_is_python() -> None:
    for page in PAGES:
        for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            compile(block, str(page), "exec")
