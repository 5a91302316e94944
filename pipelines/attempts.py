"""One attempt at a job: a single recording done in this process, and what any attempt came to, written into the ledger."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from clipper.errors import InputError, ToolError
from pipelines import enrolling, jobs, places, verdicts
from pipelines.clips import Inputs, Known, Run, make_clips
from pipelines.ledger import Claim, Heartbeat, Job, Ledger, LedgerError, LostLease, State, publish
from pipelines.progress import Asked, Callback
from pipelines.settings import Settings
from pipelines.verdicts import Verdict


def run_one(inputs: Inputs, settings: Settings, ledger: Ledger, *, replan: bool, progress: Callback, cancelled: Asked) -> Run:
    """Do one recording in this process, whatever the ledger says about it, and record what comes of it.

    Raises what `make_clips` raises, LedgerError, and LostLease when another process has taken the job over meanwhile.
    """
    job = enrolling.enrol(ledger, inputs, settings, replan=replan)
    ledger.retry(job.id)
    claim = ledger.claim(job.id)
    if claim is None:
        raise InputError(f"could not use {job.folder}: another livecut is at work in it; wait for it, or choose another folder with -o")
    with Heartbeat(ledger):
        try:
            done = make_clips(
                inputs.recording,
                settings=settings,
                catalog=inputs.catalog,
                chat=inputs.chat,
                events=inputs.events,
                start_time=inputs.start_time,
                replan=replan,
                folder=job.folder,
                known=known(ledger, job, inputs.recording),
                progress=progress,
                cancelled=cancelled,
            )
            verdict = verdicts.of_manifest(done.manifest)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit)
            with suppress(LostLease, LedgerError):  # the error under way says more; the lease ends by itself
                settle(ledger, claim, Verdict(outcome="stopped", code=130) if stopped else verdicts.judge(error, inputs.recording))
            raise
        settle(ledger, claim, verdict)
    return done


def known(ledger: Ledger, job: Job, recording: Path) -> Known | None:
    """What enrolling has read of a recording: hashing hours of it once is enough."""
    row = ledger.file(places.absolute(recording))
    return Known(job.content, row.stamp) if row and row.job_id == job.id else None


def settle(ledger: Ledger, claim: Claim, verdict: Verdict) -> State:
    """Write an attempt's verdict into the ledger, publishing what a finished one has made. Raises LostLease and LedgerError."""
    if verdict.outcome == "finished":
        try:
            files, plans = jobs.results(claim.job)
            publish(ledger, claim, files, editable=plans, state=verdict.state, reason=verdict.reason, code=verdict.code)
            return verdict.state
        except (OSError, ValueError, KeyError, InputError) as error:
            verdict = Verdict(outcome="failed", reason=f"could not publish its results: {error}", code=1)
        except ToolError as error:  # the storage of the results
            verdict = verdicts.judge(error)
    if verdict.outcome in ("rejected", "quarantined", "gone"):
        state: State = verdict.outcome
        return ledger.give_up(claim, state, verdict.reason, code=verdict.code)
    if verdict.outcome == "later":
        return ledger.hand_back(claim, verdict.reason, wait_s=verdicts.LATER_S, code=verdict.code)
    if verdict.outcome == "stopped":
        return ledger.hand_back(claim, verdict.reason or "stopped by the caller", code=verdict.code)
    return ledger.fail(claim, verdict.reason, code=verdict.code)
