"""Commands about many recordings and their ledger: how `clip` does several, `status`, `ledger audit`, `retry`, `forget`."""

from __future__ import annotations

import json
import os
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clipper.errors import InputError, LivecutError
from pipelines import places
from pipelines.progress import Progress
from pipelines.terminal import Display, printable

if TYPE_CHECKING:
    from pipelines.batch import Outcome
    from pipelines.clips import Run
    from pipelines.ledger import Event, FileRow, Job, Ledger
    from pipelines.settings import Settings

WIDTH = 40
"""Columns for a recording's name in tables."""


def shown(path: Path) -> str:
    """A path for people: bytes that are no UTF-8 as \\xNN, control characters escaped."""
    return printable(named(path))


def named(path: Path) -> str:
    """A path for JSON: as it is, but for bytes that are no UTF-8, which become \\xNN."""
    return os.fsencode(places.written(path)).decode("utf-8", "backslashreplace")


# --- clip: several recordings -------------------------------------------------------------------


def clip_many(
    recordings: Sequence[Path], settings: Settings, options: dict[str, Any], display: Display, cancelled: Callable[[], bool]
) -> list[int]:
    """Do the recordings that the arguments mean; print results as they come and a table at the end; return exit codes."""
    from pipelines import batch, executors

    _preflight(settings)
    at_once = settings.run.recordings or min(2, os.cpu_count() or 1)
    if at_once > 1:
        display.fancy = False  # one bar cannot show two recordings
    os.environ.setdefault("LIVECUT_LOG_LEVEL", ("WARNING", "INFO", "DEBUG")[min(options["verbose"], 2)])  # for the workers
    began = time.monotonic()
    with batch.open_ledger(settings) as ledger:
        executor = executors.load(settings.run.executor)
        try:
            outcomes = batch.run_batch(
                _inputs(recordings, settings, options, ledger),
                settings,
                ledger,
                executor,
                at_once=at_once,
                replan=options["replan"],
                settled=lambda outcome: _tell(outcome, options["as_json"]),
                progress=lambda recording, told: display(Progress(f"{recording.name}: {told.stage}", told.fraction, told.detail)),
                cancelled=cancelled,
            )
        finally:
            executor.close()
    if not outcomes:
        raise InputError(f"found no recordings in {', '.join(map(str, recordings))}; give files, or folders that hold MP4, FLV, TS or MKV")
    if not options["quiet"]:
        display.say("")
        for line in summary(outcomes, time.monotonic() - began):
            display.say(line)
    return [outcome.code for outcome in outcomes]


def _preflight(settings: Settings) -> None:
    """Refuse at once what would fail every recording."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(settings.run.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"run.timezone = {settings.run.timezone!r} is not a time zone; expected an IANA name such as Asia/Shanghai"
        ) from error


def _inputs(recordings: Sequence[Path], settings: Settings, options: dict[str, Any], ledger: Ledger) -> Iterator[Any]:
    from pipelines.clips import Inputs
    from pipelines.ledger import Seen
    from pipelines.recordings import expand

    def ignored(path: Path, why: str) -> None:
        try:
            ledger.note([Seen.of(path)], "ignored", why)
        except OSError:
            return  # gone already, or a link to nowhere

    for recording in expand(recordings, out=Path(settings.run.out), ignored=ignored):
        yield Inputs(
            recording=recording,
            catalog=options["catalog"],
            chat=tuple(options["chat"]),
            events=tuple(options["events"]),
            start_time=options["start_time"],
        )


def describe_url(recording: Path, settings: Settings) -> str:
    """Say what would be read and written for a recording at a URL; fetches nothing."""
    places.refuse_strange(recording, http=settings.run.http)
    size, _ = places.look(recording)
    return f"recording  {named(recording)}: {size} bytes\nresults    {named(places.absolute(settings.run.out) / recording.stem)}"


def expanded(recordings: Sequence[Path], settings: Settings) -> Iterator[Path]:
    """Name the recordings that arguments mean."""
    from pipelines.recordings import expand

    yield from expand(recordings, out=Path(settings.run.out))


def clip_one(recording: Path, settings: Settings, options: dict[str, Any], display: Display, cancelled: Callable[[], bool]) -> Run:
    """Do one recording in this process and record it; where the ledger cannot live, say so and do it all the same."""
    from pipelines import batch, clips
    from pipelines.ledger import LedgerError

    inputs = clips.Inputs(
        recording=recording,
        catalog=options["catalog"],
        chat=tuple(options["chat"]),
        events=tuple(options["events"]),
        start_time=options["start_time"],
    )
    if recording.is_file():
        ledger: Ledger | None = None
        try:
            ledger = batch.open_ledger(settings)
        except LedgerError as error:
            if "network file system" not in str(error):
                raise
            display.say(f"not recorded: {error}")
        if ledger is not None:
            with ledger:
                return batch.run_one(inputs, settings, ledger, replan=options["replan"], progress=display, cancelled=cancelled)
    given = {name: options[name] for name in ("catalog", "chat", "events", "start_time", "replan")}
    return clips.make_clips(recording, settings=settings, progress=display, cancelled=cancelled, **given)


def record_videos(folders: Sequence[Path], settings: Settings, say: Callable[[str], None]) -> None:
    """Record videos that `generate` has made: one finished job per product folder, known by the pictures it was made of."""
    from pipelines import batch, jobs
    from pipelines.ledger import LedgerError

    if not folders:
        return
    try:
        ledger = batch.open_ledger(settings)
    except LedgerError as error:
        say(f"not recorded: {error}")
        return
    with ledger:
        for folder in folders:
            claim = ledger.claim(jobs.enrol_made(ledger, folder, settings).id)
            if claim is not None:
                batch.settle(ledger, claim, jobs.Verdict(outcome="finished"))


def amend(plans: Sequence[Path], settings: Settings) -> None:
    """Tell the ledger that the clips of edited plans were rendered anew."""
    from pipelines import batch, jobs
    from pipelines.ledger import Ledger, seal

    for run in dict.fromkeys(path.resolve().parent.parent for path in plans):
        path = batch.ledger_path(settings) if settings.run.ledger else run.parent / batch.NAME
        if not path.is_file():
            continue
        with Ledger(path) as opened:
            for job in opened.jobs(folder=run):
                if job.state in ("done", "degraded"):
                    files, edited = jobs.results(job)
                    opened.amend(job.id, [*map(seal, files), *(seal(one, editable=True) for one in edited)])


def _tell(outcome: Outcome, as_json: bool) -> None:
    manifest = _manifest(outcome)
    if as_json:
        row: dict[str, Any] = {"recording": named(outcome.recording), "state": outcome.state, "exit_code": outcome.code}
        row |= {"attempt": outcome.attempt, "seconds": round(outcome.seconds, 1), "reused": outcome.reused}
        if outcome.same_as:
            row["same_as"] = named(outcome.same_as)
        if outcome.folder:
            row["folder"] = named(outcome.folder)
        if manifest is not None:
            row["manifest"] = manifest
        if outcome.code:
            row["error"] = printable(outcome.reason)
        click.echo(json.dumps(row, ensure_ascii=False))
        return
    if outcome.code:
        click.echo(f"livecut: {printable(outcome.reason)}", err=True)
    if outcome.folder and manifest and not outcome.same_as:
        for one in manifest.get("clips", ()):
            click.echo(places.written(outcome.folder / one["file"]))


def _manifest(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.folder is None or outcome.state not in ("done", "degraded"):
        return None
    try:
        return dict(json.loads(places.read(outcome.folder / "manifest.json")))
    except (OSError, ValueError, LivecutError):
        return None


def summary(outcomes: Sequence[Outcome], seconds: float) -> list[str]:
    """Lines of the table that ends a batch."""
    lines = [f"{_cell('recording', WIDTH)}  {'state':<12} {'clips':>5} {'seconds':>8}  why"]
    counts: dict[str, int] = {}
    names = short_names([outcome.recording for outcome in outcomes])
    for outcome in outcomes:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1
        manifest = _manifest(outcome)
        clips = str(len(manifest["clips"])) if manifest else "-"
        spent = "before" if outcome.reused and not outcome.same_as else "-" if outcome.same_as else f"{outcome.seconds:.1f}"
        why = f"same content as {names.get(outcome.same_as, outcome.same_as.name)}" if outcome.same_as else outcome.reason
        lines.append(f"{_cell(names[outcome.recording], WIDTH)}  {outcome.state:<12} {clips:>5} {spent:>8}  {why}".rstrip())
    told = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    return [*lines, f"{len(outcomes)} recordings: {told}; {seconds:.0f} s"]


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Name files below the folder that all of them lie in."""
    if not paths:
        return {}
    folder = os.path.commonpath([path.absolute().parent for path in paths])
    return {path: shown(path.absolute().relative_to(folder)) for path in paths}


def _cell(text: str, width: int) -> str:
    """Fill or shorten a text to so many columns; Chinese characters take two."""
    kept, used = "", 0
    for char in text:
        columns = 2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 1
        if used + columns > width - 1:
            return kept + "…" + " " * (width - used - 1)
        kept, used = kept + char, used + columns
    return kept + " " * (width - used)


# --- commands -----------------------------------------------------------------------------------


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
        click.echo(f"{_cell('file', WIDTH)}  {'state':<12} {'attempts':>8}  {'changed':<16}  why")
        names = short_names([row.path for row in rows])
        for row in rows:
            job = jobs.get(row.job_id or 0)
            changed = _clock(job.changed_at if job else row.seen_at)
            name = _cell(names[row.path], WIDTH)
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
