"""Any order of events: hypothesis drives two owners of one ledger, kills them, turns clocks, and holds the ledger to its promises."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipelines.ledger import FINISHED, STATES, Claim, Clock, Ledger, LedgerOptions, LostLease, Owner, Seen, audit, publish
from pipelines.ledger.states import MOVES

names = st.sampled_from("abcd")
owners = st.integers(0, 1)


class Machine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ledger-"))
        self.wall, self.uptime, self.pid = 1e9, 1e3, 2**22
        self.claims: dict[int, list[Claim]] = {0: [], 1: []}
        self.acknowledged: dict[int, int] = {}
        self.states: dict[int, str] = {}
        self.attempts: dict[int, int] = {}
        self.seen: set[Path] = set()
        self.ledgers = [self.open(0), self.open(1)]

    def open(self, which: int) -> Ledger:
        """An owner that lives until it is killed: a number that no process has, which counts as alive from another name space."""
        self.pid += 1
        owner = replace(Owner.me(), space="elsewhere", pid=self.pid, started=1)
        clock = Clock(lambda: self.wall, lambda: self.uptime)
        return Ledger(self.root / "livecut.ledger", LedgerOptions(lease_s=10, backoff_s=1), clock=clock, owner=owner)

    def teardown(self) -> None:
        if hasattr(self, "root"):
            for ledger in self.ledgers:
                ledger.close()
            shutil.rmtree(self.root)

    @rule(name=names, content=st.sampled_from("123"), options=st.sampled_from("xy"), owner=owners)
    def add(self, name: str, content: str, options: str, owner: int) -> None:
        path, out = self.root / "in" / name, self.root / "out"
        seen = Seen(path=path, size=1, mtime_ns=1, device=1, inode=1)
        self.ledgers[owner].add(
            seen, kind="clip", content=content, options=options, task="{}", folder=out / name, spare=out / f"{name}-{content}"
        )
        self.seen.add(path)

    @rule(name=names, owner=owners, state=st.sampled_from(["waiting", "ignored", "rejected", "gone"]))
    def note(self, name: str, owner: int, state: str) -> None:
        path = self.root / "in" / name
        self.ledgers[owner].note([Seen(path=path, size=1, mtime_ns=1, device=1, inode=1)], state)  # type: ignore[arg-type]
        self.seen.add(path)

    @rule(owner=owners)
    def claim(self, owner: int) -> None:
        claim = self.ledgers[owner].claim()
        if claim:
            assert claim.attempt > self.attempts.get(claim.job_id, 0), "attempts only grow"
            self.claims[owner].append(claim)

    @precondition(lambda self: any(self.claims.values()))
    @rule(owner=owners, end=st.sampled_from(["publish", "degrade", "fail", "reject", "back"]), which=st.integers(0, 5))
    def end(self, owner: int, end: str, which: int) -> None:
        if not self.claims[owner]:
            return
        claim = self.claims[owner].pop(which % len(self.claims[owner]))
        ledger = self.ledgers[owner]
        newest = ledger.job(claim.job_id).attempt
        try:
            if end in ("publish", "degrade"):
                staged = self.root / f"staged-{claim.job_id}-{claim.attempt}"
                staged.write_text(f"{claim.job_id}/{claim.attempt}")
                publish(
                    ledger, claim, staged=[(staged, claim.job.folder / "manifest.json")], state="done" if end == "publish" else "degraded"
                )
                self.acknowledged[claim.job_id] = claim.attempt
            elif end == "fail":
                ledger.fail(claim, "boom")
            elif end == "reject":
                ledger.give_up(claim, "rejected", "no")
            else:
                ledger.hand_back(claim, "later")
        except LostLease:
            return
        assert claim.attempt == newest, "only the newest attempt may end a job"

    @rule(owner=owners)
    def killed(self, owner: int) -> None:
        self.ledgers[owner].close()
        self.claims[owner] = []
        self.ledgers[owner] = self.open(owner)

    @rule(seconds=st.sampled_from([0.5, 4, 11, 3600]))
    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.uptime += seconds

    @rule(seconds=st.sampled_from([-1e8, -60.0, 60.0, 1e8]))
    def clock_jumps(self, seconds: float) -> None:
        self.wall += seconds

    @rule(owner=owners)
    def renew(self, owner: int) -> None:
        held = self.ledgers[owner].renew()
        assert held <= {(claim.job_id, claim.attempt) for claim in self.claims[owner]}

    @rule(owner=owners)
    def retry(self, owner: int) -> None:
        for job in list(self.ledgers[owner].jobs(state="quarantined")):
            self.ledgers[owner].retry(job.id)

    @invariant()
    def every_file_has_one_state(self) -> None:
        if not hasattr(self, "ledgers"):
            return
        files = list(self.ledgers[0].files())
        assert {file.path for file in files} == self.seen
        assert all(file.state in STATES for file in files)

    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "ledgers"):
            return
        ledger = self.ledgers[0]
        running: list[Path] = []
        for job in ledger.jobs():
            assert job.attempt >= self.attempts.get(job.id, 0)
            before, self.states[job.id] = self.states.get(job.id, "waiting"), job.state
            reachable = {before} | MOVES[before] | {after for step in MOVES[before] for after in MOVES[step]}  # type: ignore[index]
            assert job.state in reachable, f"{before} -> {job.state}"
            self.attempts[job.id] = job.attempt
            running += [job.folder] if job.state == "running" else []
            if job.state in FINISHED:
                assert self.acknowledged[job.id] == job.attempt, "done means that this very attempt published"
                assert (job.folder / "manifest.json").read_text() == f"{job.id}/{job.attempt}"
        assert len(running) == len(set(running)), "one folder, one worker"
        assert audit(ledger).is_clean


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
