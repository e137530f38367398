"""`aiocos` as a function of its arguments: in this process, as a program of its own, or on a terminal."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aiocos.cli.app import app

SETTINGS_PREFIXES = ("AWS_", "IBM_", "AIOCOS_", "COS_")
DATA = b"what is moved"
FILES = {"a.txt": b"one", "b/c.txt": b"two two", "b/d.tmp": b"three"}

posix = pytest.mark.skipif(os.name != "posix", reason="needs terminals and signals of POSIX")


@dataclass
class Outcome:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def json(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]


@dataclass
class Shell:
    """Runs `aiocos` with the endpoint and the credentials of the emulator."""

    environment: dict[str, str]

    def __call__(self, *args: str, stdin: str | None = None) -> Outcome:
        """Run a command in this process."""
        result = CliRunner(env={**self.environment}).invoke(app, list(args), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def run_process(self, *args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command as a program of its own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS_PREFIXES)}
        return subprocess.run(
            [sys.executable, "-m", "aiocos", *args],
            input=stdin,
            capture_output=True,
            env={**environment, **self.environment},
            timeout=60,
            check=False,
        )


def on_terminal(shell: Shell, *args: str, typed: str = "", stdout: int | None = None) -> tuple[int, str]:
    """Run `aiocos` on a terminal of 80 columns; return its exit code and what the terminal showed."""
    import fcntl
    import pty
    import struct
    import termios

    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, **shell.environment, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-m", "aiocos", *args],
        stdin=terminal,
        stdout=terminal if stdout is None else stdout,
        stderr=terminal,
        env=environment,
        start_new_session=True,
    )
    os.close(terminal)
    os.write(controller, typed.encode())
    shown = b""
    while True:
        try:
            data = os.read(controller, 65536)
        except OSError:  # Linux raises it when the other end is closed.
            break
        if not data:
            break
        shown += data
    os.close(controller)
    return process.wait(30), shown.decode()


def put_objects(shell: Shell, bucket: str, *keys: str) -> None:
    """Store objects whose content is their key."""
    for key in keys:
        assert shell("cp", "-q", "-", f"cos://{bucket}/{key}", stdin=key).code == 0


def list_keys(shell: Shell, url: str) -> list[str]:
    return [str(entry["key"]) for entry in shell("ls", "-r", "--json", url).json()]


def contents(root: Path) -> dict[str, bytes]:
    """Return the files below a directory: their relative paths and contents."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
