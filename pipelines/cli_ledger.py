"""Commands about the ledger: `status`, `ledger audit`, `retry`, `forget`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clipper.errors import InputError
from pipelines import places
from pipelines.tables import WIDTH, cell, named, short_names, shown
from pipelines.terminal import printable

if TYPE_CHECKING:
    from pipelines.ledger import Event, FileRow, Job, Ledger


def where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say which ledger is meant."""
    options = (
        click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder of the results.  [default: livecut-out]"),
        click.option(
            "--ledger",
            "ledger_file",
            type=click.Path(path_type=Path),
            help="The ledger.  [default: livecut.ledger in the folder of the results]",
        ),
        click.option(
            "--config", "config_file", type=click.Path(path_type=Path), help="Options file; default: livecut.toml here, if there is one."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _open(options: dict[str, Any]) -> Ledger:
    """Open the ledger that is meant; one that does not exist is not made."""
    from pipelines import batch
    from pipelines.cli_common import settings_of

    flags = {"run.out": options["out"], "run.ledger": options["ledger_file"]}
    settings = settings_of({"config_file": options["config_file"], "overrides": ()}, flags)
    path = batch.ledger_path(settings)
    if not path.exists():
        raise InputError(
            f"could not read the ledger {path}: no such file; name the folder of the results with -o, or the ledger with --ledger"
        )
    return batch.open_ledger(settings)


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--state", "states", multiple=True, help="Only files in this state; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@where
def status(file: Path | None, states: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Show what has become of every recording; with FILE, its history and why."""
    with _open(options) as ledger:
        if file is not None:
            _one(ledger, file, as_json)
            return
        rows = [row for row in ledger.files() if not states or row.state in states]
        jobs = {job.id: job for job in ledger.jobs()}
        if as_json:
            click.echo(json.dumps({"counts": ledger.counts(), "files": [_row(row, jobs) for row in rows]}, ensure_ascii=False, indent=1))
            return
        click.echo(f"{cell('file', WIDTH)}  {'state':<12} {'attempts':>8}  {'changed':<16}  why")
        names = short_names([row.path for row in rows])
        for row in rows:
            job = jobs.get(row.job_id or 0)
            changed = _clock(job.changed_at if job else row.seen_at)
            name = cell(names[row.path], WIDTH)
            click.echo(f"{name}  {row.state:<12} {job.attempt if job else '-':>8}  {changed:<16}  {printable(row.reason)}".rstrip())
        click.echo(", ".join(f"{number} {state}" for state, number in ledger.counts().items()) or "nothing seen yet")


def _row(row: FileRow, jobs: dict[int, Job]) -> dict[str, Any]:
    job = jobs.get(row.job_id or 0)
    told: dict[str, Any] = {"file": named(row.path), "state": row.state, "reason": row.reason, "size": row.stamp[0], "seen_at": row.seen_at}
    if os.fsencode(row.path) != told["file"].encode():
        told["file_hex"] = os.fsencode(row.path).hex()
    if job:
        told |= {"job": job.id, "kind": job.kind, "attempt": job.attempt, "failures": job.failures, "exit_code": job.code}
        told |= {"folder": named(job.folder), "content": job.content, "options": job.options, "changed_at": job.changed_at}
    return told


def _one(ledger: Ledger, file: Path, as_json: bool) -> None:
    row = _known(ledger, file)
    jobs = {row.job_id: ledger.job(row.job_id)} if row.job_id is not None else {}
    events = ledger.history(path=row.path)
    outputs = ledger.outputs(row.job_id) if row.job_id is not None else ()
    if as_json:
        told = _row(row, jobs)
        told["history"] = [_event(event) for event in events]
        told["outputs"] = [{"file": named(one.path), "sha256": one.sha256, "size": one.size} for one in outputs]
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    click.echo(f"{shown(row.path)}: {row.state}" + (f": {printable(row.reason)}" if row.reason else ""))
    for job in jobs.values():
        click.echo(f"results  {shown(job.folder)}, {len(outputs)} files published")
        click.echo(f"attempts {job.attempt}; {job.failures} failed since the last success")
        if job.state == "waiting" and job.due_at > time.time():
            click.echo(f"waits until {_clock(job.due_at)}")
    for event in events:
        attempt = f"attempt {event.attempt}" if event.attempt else ""
        click.echo(
            f"{datetime.fromtimestamp(event.at):%Y-%m-%d %H:%M:%S}  {event.what:<12} {attempt:<11} {printable(event.detail)}".rstrip()
        )


def _event(event: Event) -> dict[str, Any]:
    return {"at": event.at, "what": event.what, "job": event.job_id, "attempt": event.attempt, "detail": event.detail}


def _known(ledger: Ledger, file: Path) -> FileRow:
    row = ledger.file(places.absolute(file))
    if row is None:
        named = [row for row in ledger.files() if row.path.name == file.name]
        hint = f"; did you mean {shown(named[0].path)}?" if named else "; `livecut status` lists what is known"
        raise InputError(f"could not find {shown(file)} in {ledger.path}{hint}")
    return row


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"


@click.group()
def ledger() -> None:
    """The record of every file ever seen."""


@ledger.command("audit")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@where
def ledger_audit(as_json: bool, **options: Any) -> int:
    """Compare the ledger with the disk; exit code 1 when they disagree.

    Every file ever seen has one state, every finished one its results with the right digest, and no results lie about without a
    record. Reads every result, changes nothing.
    """
    from pipelines.ledger import audit

    with _open(options) as opened:
        found = audit(opened)
    if as_json:
        rows = [{"wrong": one.wrong, "path": named(one.path) if one.path else None, "text": one.text} for one in found.findings]
        told = {"clean": found.is_clean, "files": found.files, "jobs": found.jobs, "outputs": found.outputs, "findings": rows}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return 0 if found.is_clean else 1
    for one in found.findings:
        click.echo(f"{'WRONG' if one.wrong else 'note '}  {shown(one.path) if one.path else ''} {printable(one.text)}")
    verdict = "clean" if found.is_clean else f"{sum(one.wrong for one in found.findings)} WRONG"
    click.echo(f"{verdict}: {found.files} files, {found.jobs} jobs, {found.outputs} results compared in {found.seconds:.1f} s")
    return 0 if found.is_clean else 1


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--all-quarantined", is_flag=True, help="Every recording that was given up.")
@where
def retry(files: tuple[Path, ...], all_quarantined: bool, **options: Any) -> None:
    """Let recordings be tried again, with all their attempts; the next `clip` or `watch` does them."""
    if not files and not all_quarantined:
        raise InputError("could not retry: no FILE given; name one, or give --all-quarantined")
    with _open(options) as opened:
        chosen = dict.fromkeys(job.id for job in opened.jobs(state="quarantined")) if all_quarantined else {}
        for file in files:
            row = _known(opened, file)
            if row.job_id is None:
                raise InputError(
                    f"could not retry {shown(file)}: it is {row.state} ({row.reason}), there is nothing to run; `livecut clip` looks again"
                )
            chosen[row.job_id] = None
        for job_id in chosen:
            state = opened.retry(job_id)
            click.echo(f"{shown(opened.job(job_id).path)}: {state}")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Say what would be forgotten; change nothing.")
@where
def forget(files: tuple[Path, ...], dry_run: bool, **options: Any) -> None:
    """Drop recordings from the ledger, as if never seen. Results stay on the disk."""
    with _open(options) as opened:
        for row in [_known(opened, file) for file in files]:
            if not dry_run:
                opened.forget(row.path)
            click.echo(f"{shown(row.path)}: {'would be ' if dry_run else ''}forgotten")


COMMANDS = (status, ledger, retry, forget)
"""What `livecut` gains."""
