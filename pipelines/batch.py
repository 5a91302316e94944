"""Many recordings: each done once, none stopping another, as many at once as the machine has room for.

`run_batch` is the loop that stands between the ledger and an executor. What it does may end at any instant: the ledger knows
what is done, the folders of the runs know what is half done, and the next batch goes on from there.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clipper.errors import Cancelled, InputError, LivecutError
from pipelines import enrolling, jobs, places, verdicts
from pipelines.attempts import known, settle
from pipelines.executors import Executor, Task
from pipelines.inputs import Inputs
from pipelines.ledger import FINISHED, Claim, Heartbeat, Job, Ledger, LedgerError, LedgerOptions, LostLease, State, is_fresh
from pipelines.outcomes import Outcome, outcome_of
from pipelines.progress import Asked, Progress, never
from pipelines.settings import Settings
from pipelines.verdicts import Verdict

__all__ = ["NAME", "Outcome", "ledger_path", "open_ledger", "run_batch"]

log = logging.getLogger(__name__)

NAME = "livecut.ledger"
TICK_S = 0.25
"""How often the loop looks around while nothing ends."""
AHEAD = 64
"""Recordings that are read and digested before there is room for them."""


def ledger_path(settings: Settings) -> Path:
    """Where a run's ledger lies: `run.ledger`, or livecut.ledger in the folder of the results."""
    path = places.absolute(settings.run.ledger or Path(settings.run.out) / NAME)
    if places.is_url(path):
        raise LedgerError(f"could not keep a ledger at {places.written(path)}: it is a file of this machine; name one with --ledger")
    return path


def open_ledger(settings: Settings) -> Ledger:
    """Open a run's ledger, making it when there is none. Raises LedgerError."""
    return Ledger(ledger_path(settings), LedgerOptions(max_attempts=settings.run.attempts))


@dataclass(slots=True, eq=False)
class _Entry:
    """One recording of the batch."""

    inputs: Inputs
    job: Job | None = None
    error: LivecutError | None = None
    twins: list[Path] = field(default_factory=list)
    """Recordings with the same content that came later."""


@dataclass(slots=True, eq=False)
class _Running:
    """A job that a worker is at."""

    entry: _Entry
    claim: Claim
    tasks: Iterator[Task]
    began: float
    task: Task
    future: Future[Any]


def run_batch(
    recordings: Iterable[Inputs],
    settings: Settings,
    ledger: Ledger,
    executor: Executor,
    *,
    at_once: int,
    replan: bool = False,
    settled: Callable[[Outcome], None] = lambda outcome: None,
    progress: Callable[[Path, Progress], None] = lambda recording, progress: None,
    cancelled: Asked = never,
    draining: Asked = never,
    keep: bool = True,
) -> tuple[Outcome, ...]:
    """Do many recordings, at most `at_once` at the same time; return what each came to, in the order they ended.

    What is finished already and untouched is skipped; the same content is done once; a job that another process works on is
    waited for. `settled` is called as each recording ends. When `draining` says so, what runs is finished and nothing else is
    begun. With `keep` False nothing is remembered of what has ended (a batch without end), and nothing returned. Raises
    Cancelled after handing back what was under way, and LedgerError when nothing can be recorded any more.
    """
    settings = jobs.with_renders(settings, at_once, int(executor.capacity.cpus))
    batch = _Batch(
        settings=settings, ledger=ledger, executor=executor, at_once=at_once, replan=replan, settled=settled, progress=progress, keep=keep
    )
    intake = threading.Thread(target=batch.read, args=(iter(recordings),), name="intake", daemon=True)
    intake.start()
    with Heartbeat(ledger, broken=batch.lose_ledger):
        try:
            batch.work(cancelled, draining)
        finally:
            batch.over.set()
            batch.hand_back()
    if cancelled():
        raise Cancelled("stopped: what was finished is kept, run again to go on")
    return tuple(batch.outcomes)


@dataclass(slots=True)
class _Batch:
    """The state of one batch; only `read` runs in another thread."""

    settings: Settings
    ledger: Ledger
    executor: Executor
    at_once: int
    replan: bool
    settled: Callable[[Outcome], None]
    progress: Callable[[Path, Progress], None]
    keep: bool
    intake: queue.Queue[_Entry | None] = field(default_factory=lambda: queue.Queue(AHEAD))
    over: threading.Event = field(default_factory=threading.Event)
    waiting: list[_Entry] = field(default_factory=list)
    running: dict[Future[Any], _Running] = field(default_factory=dict)
    ended: dict[int, Outcome] = field(default_factory=dict)
    """Outcome of each job of this batch that has ended."""
    outcomes: list[Outcome] = field(default_factory=list)
    broken: Exception | None = None
    """Why nothing more can be done: the ledger cannot be written, or the source of recordings failed."""

    def read(self, recordings: Iterator[Inputs]) -> None:
        """Digest recordings ahead of the workers, in a thread of its own."""
        try:
            self._read(recordings)
        except Exception as error:  # in a thread nobody would hear of it
            self.broken = error

    def _read(self, recordings: Iterator[Inputs]) -> None:
        for inputs in recordings:
            entry = _Entry(inputs)
            try:
                job = enrolling.enrol(self.ledger, inputs, self.settings, replan=self.replan)
                entry.job = replace(job, task="")  # ten kilobytes that whoever claims it reads again
            except LivecutError as error:
                entry.error = error
            except OSError as error:
                entry.error = InputError(f"could not read {inputs.recording}: {error.strerror or error}")
            self._offer(entry)
            if self.over.is_set():
                return
        self._offer(None)

    def _offer(self, entry: _Entry | None) -> None:
        while not self.over.is_set():
            with suppress(queue.Full):
                self.intake.put(entry, timeout=TICK_S)
                return

    def lose_ledger(self, error: LedgerError) -> None:
        """Hear from the heartbeat that the ledger cannot be written."""
        self.broken = error

    def work(self, cancelled: Asked, draining: Asked) -> None:
        """Go on until every recording has ended, or the caller asks to stop."""
        reading = True
        while (reading or self.waiting or self.running) and not cancelled():
            if self.broken:
                raise self.broken
            if draining():
                reading, self.waiting = False, []
            idle = not self.running and not self.waiting
            reading = self._take(TICK_S if idle else 0.0) if reading else False
            self._start_some()
            if self.running:
                for future in wait(self.running, TICK_S, return_when=FIRST_COMPLETED).done:
                    self._go_on(self.running.pop(future))
            elif self.waiting:
                self.over.wait(TICK_S)

    def _take(self, wait_s: float) -> bool:
        """Take in what was read, waiting for the first of it; False after the last."""
        with suppress(queue.Empty):
            while len(self.waiting) < AHEAD:
                entry = self.intake.get(timeout=wait_s) if wait_s else self.intake.get_nowait()
                wait_s = 0.0
                if entry is None:
                    return False
                self._admit(entry)
        return True

    def _admit(self, entry: _Entry) -> None:
        path, job = entry.inputs.recording, entry.job
        if job is None:
            error = entry.error
            assert error is not None
            if isinstance(error, LedgerError):
                raise error
            row = self.ledger.file(places.absolute(path))
            known = (row is not None and row.state == "rejected") or (not places.is_url(path) and path.exists())
            state: State = "rejected" if known else "gone" if isinstance(error, InputError) else "waiting"
            self._tell(Outcome(recording=path, state=state, code=error.exit_code, reason=str(error)))
            return
        first = next(
            (one for one in (*self.waiting, *(run.entry for run in self.running.values())) if one.job and one.job.id == job.id), None
        )
        if first is not None:
            if first.inputs.recording != path:
                first.twins.append(path)
        elif job.id in self.ended:
            self._tell_twin(self.ended[job.id], path)
        elif job.state in FINISHED and is_fresh(self.ledger.outputs(job.id)) and not self.replan:
            self._end(entry, outcome_of(job, path, reused=True))
        elif job.state in FINISHED:
            self.ledger.retry(job.id, "its results have changed, or are to be made anew")
            self.waiting.append(entry)
        elif job.state in ("waiting", "running"):
            if self.keep and job.due_at:
                self.ledger.hurry(job.id)  # asked for now; a batch without end keeps to its waiting times
            self.waiting.append(entry)
        else:
            self._end(entry, outcome_of(job, path))

    def _start_some(self) -> None:
        for entry in list(self.waiting):
            if len(self.running) >= self.at_once:
                return
            assert entry.job is not None
            claim = self.ledger.claim(entry.job.id)
            if claim is not None:
                self.waiting.remove(entry)
                self._start(entry, claim)
                continue
            job = self.ledger.job(entry.job.id)  # waits for its time, or somebody else works on it
            if job.state not in ("waiting", "running"):
                self.waiting.remove(entry)
                self._end(entry, outcome_of(job, entry.inputs.recording))

    def _start(self, entry: _Entry, claim: Claim) -> None:
        recording = jobs.recording_of(self.ledger, claim.job)
        if recording is None:
            self.ledger.give_up(claim, "gone", "the file has gone")
            self._end(entry, outcome_of(self.ledger.job(claim.job_id), entry.inputs.recording))
            return
        task = enrolling.task_text(entry.inputs, self.settings, replan=self.replan)
        told = {"recording": str(recording), "attempt": claim.attempt}
        log.info("%s: attempt %d begins", places.written(recording), claim.attempt, extra=told)
        read = known(self.ledger, claim.job, recording)
        tasks = iter(jobs.stage_tasks(claim.job, task, self.executor.capacity, recording=recording, attempt=claim.attempt, known=read))
        self._submit(entry, claim, tasks, time.monotonic(), next(tasks))

    def _submit(self, entry: _Entry, claim: Claim, tasks: Iterator[Task], began: float, task: Task) -> None:
        def tell(progress: Progress) -> None:
            self.progress(entry.inputs.recording, progress)

        try:
            future = self.executor.submit(task, progress=tell)
        except LivecutError as error:
            future = Future()
            future.set_exception(error)
        self.running[future] = _Running(entry, claim, tasks, began, task, future)

    def _go_on(self, run: _Running) -> None:
        """A stage has ended: start the next, or write down what the job came to."""
        try:
            verdict = verdicts.verdict_of(run.future.result())
        except LivecutError as error:
            verdict = verdicts.judge(error)
        if verdict.outcome == "goes on":
            self._submit(run.entry, run.claim, run.tasks, run.began, next(run.tasks))
            return
        self.executor.end_group(run.task.group)
        try:
            settle(self.ledger, run.claim, verdict)
        except LostLease as error:
            log.warning("%s", error)
        job = self.ledger.job(run.claim.job_id)
        seconds = time.monotonic() - run.began
        if job.state in ("waiting", "running") and verdict.outcome not in ("later", "stopped"):
            log.warning("%s: %s; trying again", places.written(run.entry.inputs.recording), job.reason)
            self.waiting.append(run.entry)
        else:
            self._end(run.entry, outcome_of(job, run.entry.inputs.recording, seconds=seconds))

    def _end(self, entry: _Entry, outcome: Outcome) -> None:
        assert entry.job is not None
        if self.keep:
            self.ended[entry.job.id] = outcome
        self._tell(outcome)
        for twin in entry.twins:
            self._tell_twin(outcome, twin)

    def _tell_twin(self, outcome: Outcome, path: Path) -> None:
        if path != outcome.recording:
            self._tell(replace(outcome, recording=path, seconds=0.0, reused=True, same_as=outcome.same_as or outcome.recording))

    def _tell(self, outcome: Outcome) -> None:
        if self.keep:
            self.outcomes.append(outcome)
        self.settled(outcome)

    def hand_back(self) -> None:
        """Stop what is under way and let others have it."""
        for run in self.running.values():
            self.executor.cancel(run.task.id)
        for future, run in self.running.items():
            try:
                verdict = verdicts.verdict_of(future.result())
            except LivecutError:
                verdict = Verdict(outcome="stopped")
            if verdict.outcome == "goes on":
                verdict = Verdict(outcome="stopped")
            with suppress(LostLease, LedgerError):  # the lease ends by itself
                settle(self.ledger, run.claim, verdict)
            self.executor.end_group(run.task.group)
