"""Speak to the Kling API: sign, create a task once, ask how it is, fetch its film. Nothing but the standard library.

A task is never paid twice: its `external_task_id` is made from what it is, and whenever it is not certain whether a creation
arrived, the service is asked for that id before anything is sent again. Keys come from the environment alone and are in no
message, log, file or repr.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from clipper.errors import Cancelled, InputError, LivecutError, ToolError
from generators.kling_access import (
    ACCESS_KEY,
    GLOBAL,
    LOOPBACK,
    REFRESH_S,
    SECRET_KEY,
    TOKEN_S,
    Keys,
    SameRules,
    check_base,
    is_safe,
    sign,
)

log = logging.getLogger(__name__)

LARGEST_ANSWER = 4_000_000
LARGEST_FILM = 1_000_000_000
BLOCK = 1 << 18
AUTH = {1000, 1001, 1002}
CLOCK = {1003, 1004}
ACCOUNT = {1100, 1101, 1102, 1103, 1304}
BUSY = {1302, 1303}
REFUSED = {1200, 1201, 1300, 1301}
MISSING = {1202, 1203}


@dataclass(frozen=True, slots=True, kw_only=True)
class KlingTimes:
    """How long the client waits for what."""

    answer_s: float = 60.0
    """Longest silence of the service while it answers or sends a film, 1 to 600 s."""
    poll_s: float = 5.0
    """First pause between two questions about a task; it grows by half each time."""
    longest_poll_s: float = 30.0
    """Longest wait between two questions how far a film is; above 0."""
    deadline_s: float = 1200.0
    """Longest time that one shot may take, from the first question to the film."""
    tries: int = 6
    """Attempts at one request when the service is busy or the line fails, 1 to 20."""
    pause_s: float = 1.0
    """First pause after a failed attempt; it doubles each time."""

    def __post_init__(self) -> None:
        for name in ("answer_s", "poll_s", "longest_poll_s", "deadline_s", "pause_s"):
            if getattr(self, name) <= 0:
                raise InputError(f"could not use kling {name} = {getattr(self, name)}: it must be above 0 s")
        if not 1 <= self.tries <= 20:
            raise InputError(f"could not use kling tries = {self.tries}: it must be from 1 to 20")


@dataclass(frozen=True, slots=True, kw_only=True)
class KlingTask:
    """What the service says of a task."""

    id: str
    status: str
    """submitted, processing, succeed or failed."""
    message: str = ""
    url: str = field(default="", repr=False)
    """Where the film is; its query is a key to it."""
    units: str = ""
    """What was deducted, when it says so."""


class LostAnswer(ToolError):
    """It is not known whether the service got a request."""


class NotThere(LivecutError):
    """The service knows no such task or film."""


class Refused(InputError):
    """The service does not take what it was given."""


class KlingClient:
    """The API at one address, with one pair of keys."""

    def __init__(
        self,
        keys: Keys,
        base_url: str = GLOBAL,
        times: KlingTimes | None = None,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        dice: random.Random | None = None,
    ) -> None:
        self.base_url = check_base(base_url)
        self.times = times or KlingTimes()
        self.cancelled = cancelled
        self._keys, self._clock, self._sleep = keys, clock, sleep
        self._dice = dice or random.Random()
        self._token, self._until, self._skew = "", 0.0, 0.0
        handlers: list[Any] = [SameRules()]
        if urllib.parse.urlsplit(base_url).hostname in LOOPBACK:
            handlers.append(urllib.request.ProxyHandler({}))
        self._open = urllib.request.build_opener(*handlers).open

    def __repr__(self) -> str:
        return f"KlingClient({self.base_url!r})"

    # --- tasks ------------------------------------------------------------------------------------

    def look_up(self, name: str) -> KlingTask | None:
        """Ask for a task by its id or by the `external_task_id` it was created with; None when there is none."""
        try:
            return self._task(self._ask("GET", f"/v1/videos/image2video/{urllib.parse.quote(name, safe='')}", None))
        except NotThere:
            return None

    def create(self, body: Mapping[str, Any]) -> KlingTask:
        """Create the task that `body` describes, or find it when it was created before; `external_task_id` must be in it.

        Raises Refused (with the service's words), InputError for keys, ToolError when the account or the service cannot.
        """
        name = str(body["external_task_id"])
        for attempt in range(self.times.tries):
            try:
                return self._task(self._ask("POST", "/v1/videos/image2video", body, tries=1))
            except LostAnswer as error:
                log.info("kling: no certain answer to a creation (%s); asking for %s", error, name)
                lost: LivecutError = error
            except Refused as error:
                found = self.look_up(name)
                if found is None:
                    raise
                log.info("kling: %s exists already (%s)", name, error)
                return found
            self.rest(self._pause(attempt))
            found = self.look_up(name)
            if found is not None:
                return found
        raise ToolError(f"could not create a Kling task: {lost}; run again later, nothing is paid twice") from lost

    def wait(self, task: KlingTask, *, progress: Callable[[float], None], began: float | None = None) -> KlingTask:
        """Ask, ever more slowly, until a task has ended; return it succeeded.

        Raises Refused when it failed, ToolError at the deadline (the task goes on: run again to fetch it), and Cancelled.
        """
        began = self._clock() if began is None else began
        pause = self.times.poll_s
        while task.status in ("submitted", "processing"):
            waited = self._clock() - began
            if waited > self.times.deadline_s:
                raise ToolError(
                    f"could not get a film from Kling: task {task.id} is {task.status} after {waited:.0f} s; run again to go on waiting"
                )
            progress(0.05 if task.status == "submitted" else 0.1 + 0.75 * (1 - 1 / (1 + waited / 90)))
            self.rest(min(pause * self._dice.uniform(0.8, 1.2), self.times.longest_poll_s))
            pause = min(pause * 1.5, self.times.longest_poll_s)
            found = self.look_up(task.id)
            if found is None:
                raise ToolError(f"could not get a film from Kling: task {task.id} is no longer known; results are kept for 30 days")
            task = found
        if task.status == "failed":
            raise Refused(f"could not make the shot: Kling's task {task.id} failed: {task.message or 'it gives no reason'}")
        if task.status != "succeed" or not task.url:
            raise ToolError(f"could not get a film from Kling: task {task.id} is {task.status!r} without a film")
        return task

    def download(self, url: str, target: Path) -> None:
        """Fetch a film whole or not at all; goes on where a broken line left off. Raises NotThere, ToolError, Cancelled."""
        if not is_safe(urllib.parse.urlsplit(url)):
            raise ToolError("could not fetch a film from Kling: its address is not https")
        part = target.with_name(f".{target.name}.part")
        part.unlink(missing_ok=True)
        for attempt in range(self.times.tries):
            try:
                self._fetch(url, part)
                part.replace(target)
                return
            except LostAnswer as error:
                log.info("kling: %s; going on", error)
                last = error
            self.rest(self._pause(attempt))
        part.unlink(missing_ok=True)
        raise ToolError(
            f"could not fetch a film from Kling in {self.times.tries} attempts: {last}; run again, nothing is paid twice"
        ) from last

    def rest(self, seconds: float) -> None:
        """Wait, and listen for the wish to stop. Raises Cancelled."""
        left = seconds
        while True:
            if self.cancelled():
                raise Cancelled("stopped while waiting for Kling; the task goes on there, and the next run fetches it")
            if left <= 0:
                return
            self._sleep(min(left, 0.25))
            left -= 0.25

    # --- requests ---------------------------------------------------------------------------------

    def _pause(self, attempt: int) -> float:
        return min(self.times.pause_s * 2.0**attempt, 60.0) * self._dice.uniform(1.0, 1.3)

    def _task(self, data: Mapping[str, Any]) -> KlingTask:
        films = (data.get("task_result") or {}).get("videos") or []
        if not isinstance(data.get("task_id"), str) or not data["task_id"]:
            raise LostAnswer("Kling's answer names no task")
        return KlingTask(
            id=data["task_id"],
            status=str(data.get("task_status", "")),
            message=str(data.get("task_status_msg") or ""),
            url=str(films[0].get("url") or "") if films else "",
            units=str(data.get("final_unit_deduction") or ""),
        )

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, *, tries: int | None = None) -> Mapping[str, Any]:
        """Send a request; wait and send again while the service is busy, and, for questions, when the line failed."""
        tries = tries or self.times.tries
        busy = refreshed = failed = 0
        began = self._clock()
        while True:
            self.rest(0)
            try:
                return self._once(method, path, body)
            except _Busy as error:
                busy += 1
                if self._clock() - began > self.times.deadline_s:
                    raise ToolError(f"could not reach Kling in {busy} attempts: {error}; run again later, nothing is paid twice") from error
                self.rest(self._pause(busy - 1))
            except _WrongClock as error:
                refreshed += 1
                self._skew, self._until = error.skew, 0.0
                if refreshed > 1:
                    raise InputError(f"could not use Kling: {error}; set this machine's clock") from error
            except LostAnswer:
                failed += 1
                if failed >= tries:
                    raise
                self.rest(self._pause(failed - 1))

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._bearer()}", "Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(self.base_url + path, data=data, headers=headers, method=method)
        try:
            with self._open(request, timeout=self.times.answer_s) as answer:
                return self._read(answer.status, answer.read(LARGEST_ANSWER + 1), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return self._read(error.code, _rest_of(error), error.headers)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise LostAnswer(f"no answer from {self.base_url}: {reason or type(error).__name__}") from error

    def _bearer(self) -> str:
        now = self._clock() + self._skew
        if now > self._until - REFRESH_S:
            self._token, self._until = sign(self._keys, now), now + TOKEN_S
        return self._token

    def _read(self, status: int, answer: bytes, headers: Any) -> Mapping[str, Any]:
        try:
            box = json.loads(answer)
            code, message = int(box["code"]), str(box.get("message") or "")
        except (ValueError, KeyError, TypeError):
            if status == 404:
                raise NotThere("Kling knows no such address") from None
            if status == 429:
                raise _Busy("too many requests") from None
            if status in (401, 403):
                raise InputError(
                    f"could not use Kling: it answered {status} without a reason; check the keys and the address {self.base_url}"
                ) from None
            raise LostAnswer(f"Kling answered {status} with something else than JSON") from None
        data = box.get("data")
        if code == 0 and status < 400 and isinstance(data, dict):
            return data
        raise self._error(status, code, message, str(box.get("request_id") or ""), headers)

    def _error(self, status: int, code: int, message: str, request: str, headers: Any) -> LivecutError:
        words = f"Kling says {code} {message}".strip() + (f" (request {request})" if request else "")
        if code in CLOCK:
            return _WrongClock(words, self._skew_by(headers))
        if code in AUTH or (status == 401 and code not in ACCOUNT):
            return InputError(f"could not use Kling: {words}; check {ACCESS_KEY} and {SECRET_KEY}, and that they belong to {self.base_url}")
        if code in ACCOUNT:
            return ToolError(f"could not use Kling: {words}; look into the account: balance, packs, permissions, allowed addresses")
        if code in BUSY or status == 429:
            return _Busy(words)
        if code in MISSING or status == 404:
            return NotThere(words)
        if code in REFUSED or 400 <= status < 500:
            return Refused(f"could not make the shot: {words}; change the prompt, the picture or the setting it names")
        return LostAnswer(words)

    def _skew_by(self, headers: Any) -> float:
        """How far the service's clock is ahead of ours, as its answer's date tells."""
        try:
            theirs = float(parsedate_to_datetime(headers["Date"]).timestamp())
            return theirs - self._clock()
        except (TypeError, ValueError, KeyError):
            return 0.0

    def _fetch(self, url: str, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with self._open(urllib.request.Request(url, headers=headers), timeout=self.times.answer_s) as answer:
                goes_on = answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")
                announced = answer.headers.get("Content-Length")
                total = (have if goes_on else 0) + int(announced) if announced else None
                if total is not None and total > LARGEST_FILM:
                    raise ToolError(f"could not fetch a film from Kling: it has {total} bytes, at most {LARGEST_FILM} are taken")
                self._copy(answer, part, append=goes_on)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:
                part.unlink(missing_ok=True)
            if error.code in (401, 403, 404, 410):
                raise NotThere(f"the film is not there any more ({error.code})") from error
            raise LostAnswer(f"the film's server answered {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            raise LostAnswer(f"the line broke while the film came in: {type(error).__name__}") from error
        size = part.stat().st_size
        if size == 0 or (total is not None and size != total):
            raise LostAnswer(f"the film came in with {size} of {total if total is not None else 'unknown'} bytes")

    def _copy(self, answer: Any, part: Path, *, append: bool) -> None:
        with part.open("ab" if append else "wb") as file:
            while block := answer.read(BLOCK):
                self.rest(0)
                file.write(block)
                if file.tell() > LARGEST_FILM:
                    raise ToolError(f"could not fetch a film from Kling: it has more than {LARGEST_FILM} bytes")
            file.flush()
            os.fsync(file.fileno())


class _Busy(LivecutError):
    """The service asks for patience."""


class _WrongClock(LivecutError):
    """The token is not valid yet, or any more."""

    def __init__(self, message: str, skew: float) -> None:
        super().__init__(message)
        self.skew = skew


def _rest_of(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(LARGEST_ANSWER)
    except (OSError, http.client.HTTPException):
        return b""
