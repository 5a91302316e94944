"""Every row of MATRIX.md names tests that exist, or says why there is none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MATRIX = Path(__file__).with_name("MATRIX.md")
EXPECTED = {"W": 40, "M": 24, "S": 43, "E": 12}
"""Rows of each part."""


def rows() -> Iterator[tuple[str, str, str]]:
    """(id, fault, proof) of every row."""
    for line in MATRIX.read_text(encoding="utf-8").splitlines():
        found = re.match(r"\| ([WMSE]\d\d) \| (.+?) \| (.+?) \|$", line)
        if found:
            yield found[1], found[2], found[3]


@lru_cache(maxsize=256)
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def test_every_fault_has_its_row() -> None:
    wanted = [f"{part}{number:02}" for part, count in EXPECTED.items() for number in range(1, count + 1)]
    assert [name for name, _, _ in rows()] == wanted


@pytest.mark.parametrize(("name", "fault", "proof"), list(rows()), ids=[name for name, _, _ in rows()])
def test_a_row_is_proved_or_waived(name: str, fault: str, proof: str) -> None:
    if proof.startswith("waived: "):
        assert len(proof) > 40, "a waiver says why"
        return
    named = re.findall(r"`([\w/.]+\.py)::(\w+)`", proof)
    assert named, f"{name} names no test and no waiver"
    for file, test in named:
        assert (ROOT / "tests" / file).is_file(), f"{name}: there is no tests/{file}"
        assert test in names_in(ROOT / "tests" / file), f"{name}: tests/{file} has no {test}"
