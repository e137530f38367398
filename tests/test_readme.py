"""The README and CI say the same, and what the README shows is true."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import aiocos
from aiocos.cli.app import app
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
    # The build of the documentation writes docs/reference, and checks the links to it.
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            path = (page.parent / target).resolve()
            assert path.exists() or path.is_relative_to(ROOT / "docs" / "reference"), f"{page.name} links to {target}"


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Give the commands of this library that the pages show, each with its page."""
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                # A line of the README has two commands side by side.
                for part in re.split(r"\s{2,}|\s\|\s|\s&&\s", line.partition(" #")[0].strip()):
                    if re.match(r"(\S*/)?aiocos ", part):
                        yield page.name, shlex.split(part)[1:]


def test_the_commands_and_options_that_pages_show_exist():
    application: Any = typer.main.get_command(app)
    shown = list(_commands())
    assert {page for page, _ in shown} >= {"README.md", "command-line.md", "transfers.md"}
    for page, words in shown:
        command = application
        for word in words:
            if word.startswith("-") and word != "-":
                known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
                assert word in known | {"--help"} or command.name == "api", f"{page}: aiocos {' '.join(words)}: no {word}"
            elif word in getattr(command, "commands", {}):
                command = command.commands[word]
        assert command is not application or all(word.startswith("-") for word in words), f"{page}: aiocos {' '.join(words)}"


async def test_the_example_of_retention(cos: aiocos.Client, cos_emulator: Emulator):
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "test_reports_are_kept" in b]
    names: dict[str, Any] = {"aiocos": aiocos, "pytest": pytest}
    exec(block, names)
    await names["test_reports_are_kept_for_a_month"](cos, cos_emulator)
