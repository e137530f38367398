"""Fixtures: an emulator in a process of its own, and the command line with its credentials."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.shell import DATA, FILES, SETTINGS_PREFIXES, Shell


@pytest.fixture(scope="package", autouse=True)
def default_signal_handlers() -> Iterator[None]:
    """Reset signals that are ignored: started programs would ignore them too.

    SIGINT is ignored if the tests are a background job of a shell, SIGHUP under nohup.
    """
    names = [getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGTERM") if hasattr(signal, name)]
    ignored = [number for number in names if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def emulator_details() -> Iterator[dict[str, str]]:
    """The output of `aiocos emulator --json`. The emulator is shared by all tests: each uses buckets of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aiocos", "emulator", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        assert process.wait(10) == 0, "the emulator does not exit cleanly on SIGTERM"
        process.stdout.close()


@pytest.fixture
def shell(emulator_details: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    for name in [n for n in os.environ if n.startswith(SETTINGS_PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Shell(
        {
            "AIOCOS_ENDPOINT": emulator_details["endpoint"],
            "IBM_API_KEY_ID": emulator_details["api_key"],
            "IBM_SERVICE_INSTANCE_ID": emulator_details["service_instance_id"],
            "IBM_AUTH_ENDPOINT": emulator_details["iam_endpoint"],
        }
    )


@pytest.fixture
def bucket(shell: Shell) -> str:
    """The name of a new bucket."""
    name = f"cli-{uuid.uuid4().hex[:12]}"
    assert shell("mb", f"cos://{name}", "--location", "us-south-smart").code == 0
    return name


@pytest.fixture
def bucket_url(bucket: str) -> str:
    """The URL of a new bucket, without a slash at its end."""
    return f"cos://{bucket}"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with `FILES`."""
    for name, data in FILES.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(data)
    return tmp_path / "tree"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file with `DATA`."""
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path
