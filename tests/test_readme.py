"""The README and CI say the same, and what the README shows is true."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aiocos
from aiocos.emulator import Emulator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_ci_runs_the_very_command_of_the_readme():
    commands = [line for line in README.splitlines() if line.endswith("python -m pytest")]
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_links_of_the_readme_are_absolute_and_lead_somewhere():
    # The package index shows the README without the files beside it.
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert targets
    for target in targets:
        assert target.startswith("https://"), target
        if found := re.match(r"https://github\.com/aiocos/aiocos/(?:blob|tree)/main/([^#]+)", target):
            assert (ROOT / found[1]).exists(), target


def test_the_links_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_commands_it_shows_exist():
    shown = set(re.findall(r"\baiocos (ls|cp|cat|rm|mb|rb|head|presign|hold|retention|website|api|demo|emulator)\b", README))
    help_text = subprocess.run([sys.executable, "-m", "aiocos", "--help"], capture_output=True, text=True, check=True).stdout
    assert shown
    for command in shown:
        assert re.search(rf"\b{command}\b", help_text), command


async def test_the_example_of_retention(cos: aiocos.Client, cos_emulator: Emulator):
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "test_reports_are_kept" in b]
    names: dict[str, Any] = {"aiocos": aiocos, "pytest": pytest}
    exec(block, names)
    await names["test_reports_are_kept_for_a_month"](cos, cos_emulator)
