"""Commands that look at what is here: `models`, `config`, `doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pipelines.cli_common import common, settings_of
from pipelines.terminal import Display


@click.group()
def models() -> None:
    """Model files: what is here, where from, how large, which licence."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def models_list(as_json: bool) -> None:
    """List every model file the project may need."""
    from pipelines.models import as_rows, as_table

    rows = as_rows()
    click.echo(json.dumps(rows, ensure_ascii=False, indent=1) if as_json else as_table(rows))


@models.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be fetched; write nothing.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def models_fetch(names: tuple[str, ...], dry_run: bool, quiet: bool) -> None:
    """Fetch models into the cache and verify them; without NAMES, all that a default run needs."""
    from pipelines.models import fetch

    fetch(names, display=Display(quiet=quiet), dry_run=dry_run)


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@common
def show_config(as_json: bool, **options: Any) -> None:
    """Print the effective options as a livecut.toml."""
    from pipelines import config

    settings = settings_of(options, {})
    click.echo(json.dumps(config.plain(settings), ensure_ascii=False, indent=1) if as_json else config.dump(settings), nl=as_json)


@click.command()
@click.option("-o", "--out", metavar="FOLDER", help="Folder of results whose ledger and disk are looked at.  [default: livecut-out]")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def doctor(out: str | None, as_json: bool) -> int:
    """Check that everything a run needs is here; exit code 4 when something is missing."""
    from pipelines.batch import ledger_path
    from pipelines.doctor import checks

    settings = settings_of({"config_file": None, "overrides": ()}, {"run.out": out})
    found = checks(Path(settings.run.out), ledger_path(settings))
    if as_json:
        click.echo(
            json.dumps([{"name": check.name, "ok": check.ok, "detail": check.detail} for check in found], ensure_ascii=False, indent=1)
        )
    else:
        for check in found:
            click.echo(f"{'ok     ' if check.ok else 'MISSING'}  {check.name:<14} {check.detail}")
    return 0 if all(check.ok for check in found) else 4


COMMANDS = (models, show_config, doctor)
"""What `livecut` gains."""
