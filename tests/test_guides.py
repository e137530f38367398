"""The guides do what they say: every Python block of them is run on a fresh emulator."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.guides import blocks, run_guide

import aiocos
from aiocos.emulator import Emulator

DOCS = Path(__file__).parent.parent / "docs"
GUIDES = DOCS / "guides"


@pytest.mark.parametrize("name", sorted(path.name for path in GUIDES.glob("*.md") if "```python" in path.read_text()))
async def test_guide(
    name: str, cos: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {
        "__name__": "guide",
        "cos": cos,
        "emulator": cos_emulator,
        "aiocos": aiocos,
        "folder": tmp_path,
        "monkeypatch": monkeypatch,
    }
    ran = await run_guide(GUIDES / name, names)
    assert ran >= 3
    # A guide may define tests: each of them runs on an emulator of its own.
    for test in [value for key, value in names.items() if key.startswith("test_")]:
        async with Emulator() as emulator, emulator.client() as client:
            fixtures = {"cos": client, "cos_emulator": emulator, "monkeypatch": monkeypatch, "tmp_path": tmp_path}
            await test(**{parameter: fixtures[parameter] for parameter in inspect.signature(test).parameters})


def test_the_program_on_the_front_page_runs(tmp_path: Path) -> None:
    (_, program), *_ = blocks(DOCS / "index.md")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "2026/a.txt 5\n", "")


async def test_a_guide_that_is_wrong_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nx = 1\n```\n\ntext\n\n```python\nassert x == 2\n```\n")
    assert [line for line, _ in blocks(page)] == [3, 9]
    with pytest.raises(AssertionError):
        await run_guide(page, {})
