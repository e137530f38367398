"""The guides do what they say: every Python block of them is run on a fresh emulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.guides import blocks, run_guide

import aiocos
from aiocos.emulator import Emulator

GUIDES = Path(__file__).parent.parent / "docs" / "guides"


@pytest.mark.parametrize("name", sorted(path.name for path in GUIDES.glob("*.md") if "```python" in path.read_text()))
async def test_guide(
    name: str, cos: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"cos": cos, "emulator": cos_emulator, "aiocos": aiocos, "folder": tmp_path, "monkeypatch": monkeypatch}
    ran = await run_guide(GUIDES / name, names)
    assert ran >= 3


async def test_a_guide_that_is_wrong_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nx = 1\n```\n\ntext\n\n```python\nassert x == 2\n```\n")
    assert [line for line, _ in blocks(page)] == [3, 9]
    with pytest.raises(AssertionError):
        await run_guide(page, {})
