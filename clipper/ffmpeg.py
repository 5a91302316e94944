"""The one door that starts processes: finds ffmpeg, runs it, and never lets it hang, linger or be fooled by a name.

Rules that were paid for elsewhere: stdin closed, stderr to a file and not a pipe (an unread pipe blocks after 64 KiB), an
own session so that the whole group can be stopped, death of the parent kills the child, and limits that do not depend on
what the child says. The exit code alone proves nothing about the output: whoever asked checks the file.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from clipper.errors import Cancelled, ToolError, ToolFailed

log = logging.getLogger(__name__)

OLDEST = (6, 1)
"""Older ones lack what the graphs use; 5.1 also opens playlists in spite of the protocol white list."""
NEEDED = ("libx264", "aac", "loudnorm", "subtitles")
LOG_BYTES = 256 * 1024
"""How much of a child's stderr is kept: its end."""
STOP_S = 10.0
"""Time between asking a child to stop and killing it."""
NO_PROGRESS_S = 120.0
MAX_PIXELS = 8192 * 5120
"""8K passes; a picture that needs gigabytes to decode does not."""

OPEN_FILES = 256
FILE_BYTES = 20 << 30
"""No clip and no copy of a recording's sound is larger; a run-away output is."""

_PARENT_DEATH = "import ctypes,os,sys; ctypes.CDLL(None).prctl(1,9); os.execv(sys.argv[1], sys.argv[1:])"
"""What `setpriv --pdeathsig KILL` does, for machines without it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """An ffmpeg that has what the project needs."""

    path: str
    version: str
    source: str
    """LIVECUT_FFMPEG, system or imageio-ffmpeg."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended with exit code 0."""

    stderr: str
    """Its end, at most 256 KiB."""
    seconds: float


def find() -> Tool:
    """Find the ffmpeg to use: LIVECUT_FFMPEG, else the system's when it is new and complete enough, else imageio-ffmpeg's.

    Raises ToolError with what was tried.
    """
    return _find(os.environ.get("LIVECUT_FFMPEG", ""), os.environ.get("PATH", ""))


@lru_cache(maxsize=8)
def _find(chosen: str, search: str) -> Tool:
    if chosen:
        return _usable(chosen, "LIVECUT_FFMPEG")
    tried = []
    for source, path in (("system", shutil.which("ffmpeg", path=search)), ("imageio-ffmpeg", _bundled())):
        if path is None:
            tried.append(f"{source}: none")
            continue
        try:
            return _usable(path, source)
        except ToolError as error:
            log.info("not using ffmpeg: %s", error)
            tried.append(f"{source}: {error}")
    raise ToolError(
        f"could not find a usable ffmpeg ({'; '.join(tried)}); run pip install imageio-ffmpeg, or set LIVECUT_FFMPEG to one's path"
    )


def _bundled() -> str | None:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None


def _usable(path: str, source: str) -> Tool:
    text = _ask(path, "-version")
    match = re.match(r"ffmpeg version (\S+)", text)
    if match is None:
        raise ToolError(f"could not use {path}: it does not answer like ffmpeg; point LIVECUT_FFMPEG at an ffmpeg")
    number = re.match(r"n?(\d+)\.(\d+)", match.group(1))
    if number and (int(number.group(1)), int(number.group(2))) < OLDEST:
        raise ToolError(f"could not use {path}: version {match.group(1)} is older than {'.'.join(map(str, OLDEST))}")
    words = set((_ask(path, "-encoders") + _ask(path, "-filters")).split())
    lacking = [name for name in NEEDED if name not in words]
    if lacking:
        raise ToolError(f"could not use {path}: built without {', '.join(lacking)}")
    return Tool(path=path, version=match.group(1), source=source)


def _ask(path: str, question: str) -> str:
    try:
        done = subprocess.run([path, "-hide_banner", question], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(f"could not run {path} {question}: {error}") from error
    return done.stdout.decode(errors="replace")


# --- arguments ------------------------------------------------------------------------------------


def input_options(format: str) -> dict[str, str]:
    """Return the options that hold an input to one demuxer, local files and sane sizes."""
    return {
        "protocol_whitelist": "file",
        "format_whitelist": format,
        "f": format,
        "probesize": "50M",
        "analyzeduration": "60M",
        "max_streams": "64",
        "max_pixels": str(MAX_PIXELS),
    }


def url(path: str | Path) -> str:
    """Write a path so that no name of a file can be an option, a protocol or a list."""
    return f"file:{Path(path).absolute()}"


def input_args(path: str | Path, format: str) -> list[str]:
    """Build hardened input arguments: `-protocol_whitelist file -format_whitelist FORMAT … -i file:/abs/path`."""
    return [*(part for name, value in input_options(format).items() for part in (f"-{name}", value)), "-i", url(path)]


def source(path: str | Path, format: str, **options: Any) -> Any:
    """Start an ffmpeg-python graph at a hardened input; options such as `ss=12.5` go before its `-i`."""
    import ffmpeg

    return ffmpeg.input(url(path), **options, **input_options(format))


def compile(stream: Any) -> list[str]:
    """Turn an ffmpeg-python output into the arguments that `run` takes."""
    import ffmpeg

    return [str(part) for part in ffmpeg.get_args(stream)]


# --- running --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    no_progress_s: float
    wall_s: float | None
    cancelled: Callable[[], bool]
    progress: Callable[[float], None] | None
    duration_s: float | None


def run(
    args: Sequence[str],
    *,
    what: str,
    cwd: str | Path | None = None,
    duration_s: float | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    no_progress_s: float = NO_PROGRESS_S,
    wall_limit_s: float | None = None,
    loglevel: str = "warning",
    feed: Iterable[bytes] | None = None,
    tool: Tool | None = None,
) -> Finished:
    """Run ffmpeg with the given arguments and wait for it.

    `what` says what is being done, for messages ("could not render c1"). `progress` is called with the share of
    `duration_s` that is written. The child is stopped when nothing moves (written time, its processor time) for
    `no_progress_s`, and after `wall_limit_s` (default 5 min + 60 × `duration_s`, none when that is unknown). `feed` gives
    chunks for its stdin, which is closed otherwise. stdout belongs to the progress reports: write outputs to files.
    Raises ToolFailed (also for both limits; the output is then garbage), Cancelled and ToolError.
    """
    tool = tool or find()
    argv = [tool.path, "-hide_banner", "-nostdin", "-nostats", "-loglevel", loglevel, "-progress", "pipe:1", "-stats_period", "0.5", *args]
    if wall_limit_s is None and duration_s is not None:
        wall_limit_s = 300.0 + 60.0 * duration_s
    limits = _Limits(
        no_progress_s=no_progress_s, wall_s=wall_limit_s, cancelled=cancelled or (lambda: False), progress=progress, duration_s=duration_s
    )
    began = time.monotonic()
    with _log_file() as errors:
        process = _start([*_guards(), *argv], cwd, errors.file, feed is not None)
        try:
            reader = _Reader(process, feed)
            reason = _watch(process, reader, errors, limits)
        finally:
            _stop(process)
            reader.close()
        tail = errors.tail()
    if reason == "cancelled":
        raise Cancelled(f"stopped: {what}")
    if not reason and process.returncode in (126, 127) and not os.access(tool.path, os.X_OK):
        _find.cache_clear()
        raise ToolError(f"could not start {tool.path}: it has gone or may not be run any more; run livecut doctor")
    if process.returncode == -signal.SIGKILL and not reason:
        reason = "it was killed (signal 9): did memory run out?"
    if reason or process.returncode != 0:
        raise ToolFailed(argv, process.returncode, f"{tail}\n{reason}" if reason else tail, what)
    return Finished(stderr=tail, seconds=time.monotonic() - began)


def _start(argv: list[str], cwd: str | Path | None, errors: IO[bytes], fed: bool) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=cwd,
            start_new_session=True,
            env={**os.environ, "AV_LOG_FORCE_NOCOLOR": "1", "MALLOC_ARENA_MAX": "4"},
        )
    except OSError as error:
        raise ToolError(f"could not start {argv[0]}: {error}") from error


@dataclass(frozen=True, slots=True)
class Guard:
    """Something that holds ffmpeg down, through a helper of the system."""

    what: str
    """What it keeps from happening, for people."""
    command: tuple[str, ...]
    """The helper and its options; it starts what follows by exec."""
    works: bool
    """Whether it does so on this machine."""


@lru_cache(maxsize=1)
def guards() -> tuple[Guard, ...]:
    """Try the guards of a child on this machine, outermost first: no network, limits, low priority, death with its parent.

    Where name spaces are off, the white lists of protocols and formats alone keep ffmpeg from the network.
    """
    level = os.environ.get("LIVECUT_NICE", "10")
    network = ["unshare", "-n"] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["unshare", "-r", "-n"]
    wanted: list[tuple[str, list[str]]] = [
        ("no network", [*network, "--"]),
        ("no core files", ["prlimit", "--core=0", "--"]),
        (f"at most {OPEN_FILES} open files", ["prlimit", f"--nofile={OPEN_FILES}", "--"]),
        (f"no file over {FILE_BYTES >> 30} GB", ["prlimit", f"--fsize={FILE_BYTES}", "--"]),
        (f"at most {_memory_bytes() >> 30} GB of memory", ["prlimit", f"--as={_memory_bytes()}", "--"]),
        ("low priority", ["nice", "-n", level]),
        ("idle disk priority", ["ionice", "-c", "3"]),
        ("no new privileges, death with its parent", _dies_with_parent()),
    ]
    chain: list[str] = []
    found = []
    for what, guard in wanted:
        works = bool(guard) and shutil.which(guard[0]) is not None and _works([*chain, *guard])
        chain += guard if works else []
        found.append(Guard(what, tuple(guard), works))
    return tuple(found)


def _guards() -> tuple[str, ...]:
    """The helpers that work here, each starting the next by exec, so that the pid stays ffmpeg's."""
    return tuple(word for guard in guards() if guard.works for word in guard.command)


def _memory_bytes() -> int:
    """Address space for a child: 4 GB, and a share for each processor, since each thread reserves some."""
    return (4 << 30) + ((os.cpu_count() or 1) << 28)


def _dies_with_parent() -> list[str]:
    if shutil.which("setpriv"):
        return ["setpriv", "--no-new-privs", "--pdeathsig", "KILL", "--"]
    return [sys.executable, "-I", "-S", "-c", _PARENT_DEATH] if sys.platform == "linux" else []


def _works(chain: list[str]) -> bool:
    program = shutil.which("true") or "/bin/true"
    try:
        return subprocess.run([*chain, program], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _watch(process: subprocess.Popen[bytes], reader: _Reader, errors: _Log, limits: _Limits) -> str:
    """Wait for the end; return why the child has to be stopped, or an empty string when it ended by itself."""
    began = moved = time.monotonic()
    seen: object = None
    told = -1.0
    while True:
        try:
            process.wait(0.1)
            return ""
        except subprocess.TimeoutExpired:
            pass
        errors.trim()
        now, state = time.monotonic(), (reader.out_time_s, reader.size, reader.frame, _processor_ticks(process.pid))
        if state != seen:
            seen, moved = state, now
        if limits.progress and limits.duration_s and reader.out_time_s > told:
            told = reader.out_time_s
            limits.progress(min(told / limits.duration_s, 1.0))
        if limits.cancelled():
            return "cancelled"
        if now - moved > limits.no_progress_s:
            return f"it made no progress for {limits.no_progress_s:g} s and was stopped"
        if limits.wall_s is not None and now - began > limits.wall_s:
            return f"it took longer than {limits.wall_s:g} s and was stopped"


def _processor_ticks(pid: int) -> int:
    """Processor time that a process has used, in clock ticks; 0 where /proc does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[11]) + int(fields[12])
    except (OSError, IndexError, ValueError):
        return 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the whole group of a child that still runs: ask, then kill."""
    for sign, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


class _Reader:
    """Reads the progress reports, and feeds stdin, each in a thread of its own."""

    def __init__(self, process: subprocess.Popen[bytes], feed: Iterable[bytes] | None) -> None:
        self.out_time_s, self.size, self.frame = 0.0, 0, 0
        self._process = process
        self._threads = [threading.Thread(target=self._read, daemon=True)]
        if feed is not None:
            self._threads.append(threading.Thread(target=self._write, args=(feed,), daemon=True))
        self.broken: BaseException | None = None
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, value = line.decode(errors="replace").strip().partition("=")
            value = value.strip()
            if not value.lstrip("-").isdigit():
                continue
            if name == "out_time_us":
                self.out_time_s = max(self.out_time_s, int(value) / 1e6)
            elif name == "total_size":
                self.size = int(value)
            elif name == "frame":
                self.frame = int(value)

    def _write(self, feed: Iterable[bytes]) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            for chunk in feed:
                pipe.write(chunk)
        except BrokenPipeError:
            pass
        except BaseException as error:
            self.broken = error
        finally:
            with suppress(BrokenPipeError):
                pipe.close()

    def close(self) -> None:
        """Join the threads; the child is gone, so both come to their end."""
        for thread in self._threads:
            thread.join(STOP_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self.broken is not None:
            raise self.broken


@dataclass(slots=True)
class _Log:
    """A child's stderr in a file that cannot grow without end."""

    file: IO[bytes]
    kept: bytes = field(default=b"")

    def trim(self) -> None:
        """Keep the end alone when the file has grown."""
        if os.fstat(self.file.fileno()).st_size > 4 * LOG_BYTES:
            self.kept = self._end()
            os.ftruncate(self.file.fileno(), 0)

    def tail(self) -> str:
        """The last lines, at most 256 KiB."""
        return (self.kept + self._end())[-LOG_BYTES:].decode(errors="replace")

    def _end(self) -> bytes:
        size = os.fstat(self.file.fileno()).st_size
        return os.pread(self.file.fileno(), LOG_BYTES, max(0, size - LOG_BYTES))


@contextmanager
def _log_file() -> Iterator[_Log]:
    handle, name = tempfile.mkstemp(prefix="livecut-", suffix=".log")
    os.close(handle)
    Path(name).chmod(0o600)
    with Path(name).open("ab+", buffering=0) as file:
        Path(name).unlink()
        yield _Log(file)
