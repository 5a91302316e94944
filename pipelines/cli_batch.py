"""What `livecut clip` does with its recordings: one here, several on an executor, each recorded in the ledger."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clipper.errors import InputError, LivecutError
from pipelines import places
from pipelines.progress import Progress
from pipelines.tables import WIDTH, cell, named, short_names
from pipelines.terminal import Display, printable

if TYPE_CHECKING:
    from pipelines.batch import Outcome
    from pipelines.clips import Run
    from pipelines.ledger import Ledger
    from pipelines.settings import Settings


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
    began, night = time.monotonic(), _Night(display)

    def settled(outcome: Outcome) -> None:
        _tell(outcome, options["as_json"])
        night.ended(outcome)

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
                settled=settled,
                progress=night.tell,
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


class _Night:
    """Tells how a batch goes on: each stage of a recording once, though each part of its job finds those before it done, and each end."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._done: dict[Path, set[str]] = {}
        self._ended = 0

    def tell(self, recording: Path, told: Progress) -> None:
        """Show one step of a recording."""
        done = self._done.setdefault(recording, set())
        if told.stage in done:
            return
        if told.fraction >= 1:
            done.add(told.stage)
        self._display(Progress(f"{recording.name}: {told.stage}", told.fraction, told.detail))

    def ended(self, outcome: Outcome) -> None:
        """Show what a recording came to."""
        self._ended += 1
        self._done.pop(outcome.recording, None)
        if not self._display.quiet:
            spent = "done before" if outcome.reused else f"{outcome.state}, {outcome.seconds:.0f} s"
            self._display.say(f"{self._ended} ended: {outcome.recording.name}: {spent}")


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
    from pipelines import attempts, batch, clips
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
                return attempts.run_one(inputs, settings, ledger, replan=options["replan"], progress=display, cancelled=cancelled)
    given = {name: options[name] for name in ("catalog", "chat", "events", "start_time", "replan")}
    return clips.make_clips(recording, settings=settings, progress=display, cancelled=cancelled, **given)


def record_videos(folders: Sequence[Path], settings: Settings, say: Callable[[str], None]) -> None:
    """Record videos that `generate` has made: one finished job per product folder, known by the pictures it was made of."""
    from pipelines import attempts, batch, enrolling, verdicts
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
            claim = ledger.claim(enrolling.enrol_made(ledger, folder, settings).id)
            if claim is not None:
                attempts.settle(ledger, claim, verdicts.Verdict(outcome="finished"))


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
    lines = [f"{cell('recording', WIDTH)}  {'state':<12} {'clips':>5} {'seconds':>8}  why"]
    counts: dict[str, int] = {}
    names = short_names([outcome.recording for outcome in outcomes])
    for outcome in outcomes:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1
        manifest = _manifest(outcome)
        clips = str(len(manifest["clips"])) if manifest else "-"
        spent = "before" if outcome.reused and not outcome.same_as else "-" if outcome.same_as else f"{outcome.seconds:.1f}"
        why = f"same content as {names.get(outcome.same_as, outcome.same_as.name)}" if outcome.same_as else outcome.reason
        lines.append(f"{cell(names[outcome.recording], WIDTH)}  {outcome.state:<12} {clips:>5} {spent:>8}  {why}".rstrip())
    told = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    return [*lines, f"{len(outcomes)} recordings: {told}; {seconds:.0f} s"]
