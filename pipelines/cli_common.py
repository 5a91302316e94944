"""What the files of the command line share: common flags, the display, the settings, and the flag that an interrupt sets."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from clipper.errors import InputError
from pipelines.terminal import Display, printable

stop = threading.Event()
"""Set by the first interrupt; every stage asks for it."""


def complain(text: str) -> None:
    """Say on stderr what went wrong."""
    click.echo(f"livecut: {printable(text)}", err=True)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that every working command has."""
    options = (
        click.option(
            "--config", "config_file", type=click.Path(path_type=Path), help="Options file; default: livecut.toml here, if there is one."
        ),
        click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one option; `livecut config` lists them."),
        click.option("-q", "--quiet", is_flag=True, help="No progress."),
        click.option("-v", "--verbose", count=True, help="Log more; twice for everything."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def display_of(options: dict[str, Any]) -> Display:
    """Set up the log as the flags say, and make the display of a command's progress."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(options.get("verbose", 0), 2)]
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr, force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Printable("%(levelname)s %(name)s: %(message)s"))
    return Display(quiet=options["quiet"])


class _Printable(logging.Formatter):
    """Log lines without control characters from outside."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Escape what a name or a title may carry."""
        return printable(super().formatMessage(record))


def settings_of(options: dict[str, Any], flags: dict[str, Any], *, preset: str | None = None) -> Any:
    """Build the effective settings: file, environment, preset and flags; raises InputError."""
    from pipelines import config
    from pipelines.presets import preset_flags
    from pipelines.settings import Settings

    file = options["config_file"] or config.find_file(Path.cwd())
    given = preset_flags(preset) if preset else {}
    return config.load(Settings, file=file, flags=given | flags_of(options, flags))


def flags_of(options: dict[str, Any], flags: dict[str, Any], *, example: str = "plan.title_max=20") -> dict[str, Any]:
    """Gather what flags and `--set` give, by dotted paths; `--set` wins. Raises InputError, showing `example`."""
    given = {name: str(value) for name, value in flags.items() if value is not None}
    for text in options["overrides"]:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set {text}: expected SECTION.KEY=VALUE, e.g. --set {example}")
        given[name.strip()] = value.strip()
    return given
