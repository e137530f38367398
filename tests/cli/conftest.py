"""An emulator in a process of its own, and the command line run against it."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aiocos.cli.app import app

_CLEAN = ("AWS_", "IBM_", "AIOCOS_", "COS_")


@dataclass
class Outcome:
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
    """Runs `aiocos`, inside this process or (`outside`) as a program of its own, with the emulator's credentials around it."""

    environment: dict[str, str]

    def __call__(self, *args: str, stdin: str | None = None) -> Outcome:
        result = CliRunner(env={**self.environment}).invoke(app, list(args), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def outside(self, *args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_CLEAN)}
        return subprocess.run(
            [sys.executable, "-m", "aiocos", *args],
            input=stdin,
            capture_output=True,
            env={**environment, **self.environment},
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="package", autouse=True)
def signals_count() -> Iterator[None]:
    """Have programs hear signals that whoever runs the tests ignores (a background job of a shell: SIGINT; nohup: SIGHUP).

    An ignored signal stays ignored in what is started, and the command line keeps to that.
    """
    names = [getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGTERM") if hasattr(signal, name)]
    ignored = [number for number in names if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def served() -> Iterator[dict[str, str]]:
    """What `aiocos emulator --json` says of itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aiocos", "emulator", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        assert process.wait(10) == 0, "the emulator does not end cleanly when it is told to"
        process.stdout.close()


@pytest.fixture
def shell(served: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    for name in [n for n in os.environ if n.startswith(_CLEAN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Shell(
        {
            "AIOCOS_ENDPOINT": served["endpoint"],
            "IBM_API_KEY_ID": served["api_key"],
            "IBM_SERVICE_INSTANCE_ID": served["service_instance_id"],
            "IBM_AUTH_ENDPOINT": served["iam_endpoint"],
        }
    )


@pytest.fixture
def bucket(shell: Shell) -> str:
    name = f"cli-{uuid.uuid4().hex[:12]}"
    assert shell("mb", f"cos://{name}", "--location", "us-south-smart").code == 0
    return name
