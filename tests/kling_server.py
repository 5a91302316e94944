"""A loopback server that plays the Kling API: every status and error it documents, and the line's bad days.

It keeps its own clock and checks every token; it counts the tasks it was made to create, which is what costs money.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

ACCESS, SECRET = "access-for-tests", "secret-for-tests"
PATH = "/v1/videos/image2video"


@dataclass
class Step:
    """What happens to one request; without one it is answered as it should be."""

    status: int = 200
    code: int | None = None
    message: str = ""
    lost: bool = False
    """The request is worked on, and the line breaks before the answer."""
    dropped: bool = False
    """The line breaks before the request is worked on."""
    garbage: bytes | None = None
    cut: int | None = None
    """Bytes of a film that are sent before the line breaks."""
    slow_s: float = 0.0
    redirect: str = ""


@dataclass
class Task:
    id: str
    external_id: str
    body: dict[str, Any]
    states: list[str]
    message: str = ""

    def step(self) -> str:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


@dataclass
class KlingServer:
    """`with KlingServer() as server:`; stops by itself."""

    film: bytes = b""
    skew_s: float = 0.0
    """How far its clock is ahead."""
    states: tuple[str, ...] = ("submitted", "processing", "succeed")
    fail_message: str = ""
    film_url: str = ""
    """Another address than its own."""
    ranges: bool = True
    tasks: list[Task] = field(default_factory=list)
    create: list[Step] = field(default_factory=list)
    query: list[Step] = field(default_factory=list)
    send: list[Step] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    film_headers: list[dict[str, str]] = field(default_factory=list)
    on_request: Callable[[str, str], None] = lambda method, path: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def paid(self) -> int:
        return len(self.tasks)

    def __enter__(self) -> KlingServer:
        self.server = _Quiet(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def find(self, name: str) -> Task | None:
        return next((task for task in self.tasks if name in (task.id, task.external_id)), None)

    def problem_with(self, header: str) -> tuple[int, str] | None:
        """Check a token as the service does."""
        if not header.startswith("Bearer "):
            return 1000, "Authentication failed"
        try:
            head, payload, signature = header.removeprefix("Bearer ").split(".")
            claims = json.loads(_decoded(payload))
            right = hmac.new(SECRET.encode(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
            algorithm = json.loads(_decoded(head))["alg"]
        except (ValueError, KeyError):
            return 1002, "Authorization is invalid"
        if algorithm != "HS256" or claims["iss"] != ACCESS or not hmac.compare_digest(right, _decoded(signature)):
            return 1002, "Authorization is invalid"
        now = time.time() + self.skew_s
        if claims["nbf"] > now:
            return 1003, "Authorization is not yet valid"
        if claims["exp"] < now:
            return 1004, "Authorization has expired"
        return (1002, "Authorization is invalid") if claims["exp"] - now > 1800 + 1 else None


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the play."""


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _handler(owner: KlingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(time.time() + owner.skew_s, usegmt=True)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            step = self._begin(owner.create)
            if step is None:
                return
            with owner.lock:
                if owner.find(body["external_task_id"]) is not None:
                    self._say(400, 1201, "external_task_id already exists")
                    return
                task = Task(f"task-{len(owner.tasks) + 1}", body["external_task_id"], body, list(owner.states), owner.fail_message)
                owner.tasks.append(task)
            self._tell(task, "submitted", step)

        def do_GET(self) -> None:
            if self.path.startswith("/film"):
                self._send_film()
                return
            step = self._begin(owner.query)
            if step is None:
                return
            task = owner.find(self.path.removeprefix(PATH + "/"))
            if task is None:
                self._say(404, 1203, "The requested resource does not exist")
                return
            self._tell(task, task.step(), step)

        def _begin(self, steps: list[Step]) -> Step | None:
            """Note the request and play what is due; None when that was the answer."""
            owner.requests.append((self.command, self.path))
            owner.on_request(self.command, self.path)
            step = steps.pop(0) if steps else Step()
            time.sleep(step.slow_s)
            if step.dropped:
                self._break()
                return None
            if step.redirect:
                self.send_response(302)
                self.send_header("Location", step.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            if step.garbage is not None:
                self._raw(step.status, step.garbage)
                return None
            if step.code is not None:
                self._say(step.status, step.code, step.message)
                return None
            problem = owner.problem_with(self.headers.get("Authorization", ""))
            if problem is not None:
                self._say(401, *problem)
                return None
            return step

        def _tell(self, task: Task, status: str, step: Step) -> None:
            if step.lost:
                self._break()
                return
            data: dict[str, Any] = {"task_id": task.id, "task_status": status, "task_info": {"external_task_id": task.external_id}}
            if status == "failed":
                data["task_status_msg"] = task.message
            if status == "succeed":
                data["task_result"] = {"videos": [{"id": "v", "url": owner.film_url or f"{owner.url}/film.mp4", "duration": "5"}]}
                data["final_unit_deduction"] = "2.5"
            self._raw(200, json.dumps({"code": 0, "message": "SUCCEED", "request_id": "r", "data": data}).encode())

        def _send_film(self) -> None:
            owner.film_headers.append(dict(self.headers))
            owner.requests.append(("GET", self.path))
            step = owner.send.pop(0) if owner.send else Step()
            time.sleep(step.slow_s)
            if step.status != 200:
                self._raw(step.status, b"gone")
                return
            if step.redirect:
                self.send_response(302)
                self.send_header("Location", step.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            wanted = self.headers.get("Range", "")
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and owner.ranges else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(owner.film) - 1}/{len(owner.film)}")
            self.send_header("Content-Length", str(len(owner.film) - start))
            self.end_headers()
            self.wfile.write(owner.film[start : None if step.cut is None else start + step.cut])
            if step.cut is not None:
                self._break()

        def _say(self, status: int, code: int, message: str) -> None:
            self._raw(status, json.dumps({"code": code, "message": message, "request_id": "r-7"}).encode())

        def _raw(self, status: int, answer: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _break(self) -> None:
            self.close_connection = True
            self.wfile.flush()

    return Handler


def film_of(seconds: float = 5.0, fps: int = 24, size: tuple[int, int] = (144, 256)) -> bytes:
    """A small MP4 of a square that wanders."""
    import av
    import numpy as np

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=fps, options={"crf": "23", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        for number in range(round(seconds * fps)):
            picture = np.full((size[1], size[0], 3), 210, np.uint8)
            picture[100:150, 20 + number % 60 : 70 + number % 60] = (200, 40, 30)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return file.getvalue()
