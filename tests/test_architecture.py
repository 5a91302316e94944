"""The shape of the code: directions, one door to processes, light imports, complete `__all__`."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("clipper", "generators", "pipelines")
BELOW = {"clipper": set(), "generators": {"clipper"}, "pipelines": {"clipper", "generators"}}
HEAVY = {
    "torch",
    "diffusers",
    "transformers",
    "cv2",
    "moviepy",
    "ctranslate2",
    "faster_whisper",
    "whisper",
    "onnxruntime",
    "accelerate",
    "peft",
    "rapidocr",
    "ray",
    "av",
    "jieba",
    "PIL",
}
STARTS_PROCESSES = {"subprocess", "multiprocessing", "pty"}
DOOR = Path("clipper/ffmpeg.py")
WORKERS = Path("pipelines/executors/local.py")
"""Starts this project's own workers, nothing else: docs/why/executor-local-processes.md."""


def sources() -> list[Path]:
    return [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", sources(), ids=str)
def test_imports_point_downwards(path: Path) -> None:
    package = path.parts[0]
    wrong = (imports(path) & set(PACKAGES)) - BELOW[package] - {package}
    assert not wrong, f"{path} imports {sorted(wrong)}: the direction is pipelines → generators → clipper"


@pytest.mark.parametrize("path", [path for path in sources() if path not in (DOOR, WORKERS)], ids=str)
def test_one_door_starts_processes(path: Path) -> None:
    assert not imports(path) & STARTS_PROCESSES, f"{path} starts processes; {DOOR} is the one door"
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    starts = ("os.system", "os.popen", "os.fork", "os.exec", "os.spawn", "os.posix_spawn", "ffmpeg.run", "ffmpeg.probe")
    assert not {call for call in calls if call.startswith(starts) and "clipper.ffmpeg" not in call and _is_foreign(path, call)}


def test_workers_run_this_python_alone() -> None:
    tree = ast.parse((ROOT / WORKERS).read_text(encoding="utf-8"))
    starts = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess.")]
    assert [ast.unparse(node.args[0]) for node in starts] == [
        "[sys.executable, '-m', 'pipelines.executors.worker', str(os.getpid())]",
    ]


def _is_foreign(path: Path, call: str) -> bool:
    """`ffmpeg.run` is ours unless the module imports the ffmpeg-python package under that name."""
    if not call.startswith("ffmpeg."):
        return True
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(
        isinstance(node, ast.Import) and any(alias.name == "ffmpeg" and alias.asname is None for alias in node.names)
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    "module", [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in sources() if path.stem != "__main__"]
)
def test_importing_is_light(module: str) -> None:
    code = f"import sys, importlib; importlib.import_module({module!r}); print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "", f"importing {module} pulls in {done.stdout.strip()}"


def test_importing_clipper_is_quick() -> None:
    code = "import time; t = time.perf_counter(); import clipper; print(time.perf_counter() - t)"
    best = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout) for _ in range(5)
    )
    assert best < 0.3


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_offers_exists(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__, f"{package} names what it offers"
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert (ROOT / package / "py.typed").is_file()


def test_every_module_says_what_it_owns() -> None:
    silent = [str(path) for path in sources() if not ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))]
    assert not silent
