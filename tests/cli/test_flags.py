"""The help of commands: labels of options, and lines that fit the terminal."""

import re
from typing import Any

import pytest
import typer
from tests.cli.shell import Shell, on_terminal, posix

from aiocos.cli.app import app


@pytest.mark.parametrize("command", [(), ("cp",), ("sync",), ("uploads", "ls"), ("hold",), ("retention",), ("api",)])
def test_the_help_shows_no_type_for_flags(shell: Shell, command: tuple[str, ...]):
    outcome = shell(*command, "--help")
    assert outcome.code == 0
    assert "--help" in outcome.out
    assert "bool" not in outcome.out.lower()


def test_summaries_of_commands_fit_one_line_of_80_columns(shell: Shell):
    shell.environment["COLUMNS"] = "80"
    lines = shell("--help").lines
    commands = [
        line.strip("│ ") for line in lines[next(i for i, line in enumerate(lines) if "Objects" in line) :] if "│" in line
    ]
    assert [line.split()[0] for line in commands] == [
        "ls", "head", "cp", "mv", "sync", "cat", "rm", "presign", "mb", "rb", "website", "retention", "hold", "uploads",
        "emulator", "demo", "api",
    ]  # fmt: skip


@posix
@pytest.mark.parametrize("args", [("--help",), ("cp", "--help"), ("api", "put-object", "--help"), ("api",)])
def test_help_fits_a_terminal_of_80_columns(shell: Shell, args: tuple[str, ...]):
    code, shown = on_terminal(shell, *args)
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= 80


def test_the_summaries_in_the_list_are_those_of_the_commands():
    application: Any = typer.main.get_command(app)
    for name, command in application.commands.items():
        summary = " ".join((command.help or "").partition("\n\n")[0].split())
        assert application.commands.brief(name).help == summary, name
        assert application.commands.brief(name).rich_help_panel == command.rich_help_panel, name
