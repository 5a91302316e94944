"""A stage that imports next to nothing, for tests of a thousand jobs: a worker then takes a tenth of a second instead of one.

What it leaves is what `sham` leaves of a recording that does as told; the daemon, its ledger and the executor are real.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def run_stage(arguments: Mapping[str, Any], context: Any) -> dict[str, str]:
    """Copy the recording as its clip in the last stage."""
    if arguments["until"]:
        return {"outcome": "goes on"}
    data, folder = Path(arguments["inputs"]["recording"]).read_bytes(), Path(arguments["folder"])
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    (folder / "clips" / "001.mp4").write_bytes(b"clip of " + data)
    manifest = {"recording": {"sha256": hashlib.sha256(data).hexdigest()}, "clips": [{"file": "clips/001.mp4"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {"outcome": "finished"}
