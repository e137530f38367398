"""Running a command: credentials, warnings, signals and tracebacks."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.shell import Shell, posix
from tests.waiting import block_until

import aiocos
import aiocos.operations
from aiocos.cli.running import Settings


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_aborts_the_open_upload(shell: Shell, bucket: str, emulator_details: dict[str, str], number: int, code: int):
    environment = {**os.environ, **shell.environment}
    with subprocess.Popen(
        [sys.executable, "-m", "aiocos", "cp", "--part-size", "5MiB", "-", f"cos://{bucket}/half"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(os.urandom(12_000_000))  # Two parts and the beginning of a third.
        process.stdin.flush()
        block_until(lambda: asyncio.run(_open_uploads(emulator_details, bucket)), "the upload is open")
        process.send_signal(number)
        # The pipe is still open: the end of the input would complete the upload.
        assert process.wait(60) == code
        assert b"Traceback" not in process.stderr.read()
    assert asyncio.run(_open_uploads(emulator_details, bucket)) == []
    assert shell("ls", f"cos://{bucket}").lines == []


async def _open_uploads(emulator_details: dict[str, str], bucket: str) -> list[str]:
    async with aiocos.Client(
        emulator_details["endpoint"],
        access_key_id=emulator_details["access_key_id"],
        secret_access_key=emulator_details["secret_access_key"],
    ) as cos:
        return [upload.key async for upload in cos.multipart.list_uploads(bucket)]


@posix
@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGINT, 130, b"interrupted"),
        (signal.SIGTERM, 143, b"stopped by SIGTERM"),
        (signal.SIGHUP, 129, b"stopped by SIGHUP"),
    ],
)
def test_a_signal_ends_an_upload_that_waits_for_its_pipe(shell: Shell, bucket: str, number: int, code: int, message: bytes):
    with subprocess.Popen(
        [sys.executable, "-m", "aiocos", "cp", "-", f"cos://{bucket}/never"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **shell.environment},
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"some, and then nothing more")
        process.stdin.flush()
        block_until(lambda: _is_waiting_for_events(process.pid), "the command waits for its input")
        process.send_signal(number)
        assert process.wait(30) == code, "the pipe is still open"
        assert process.stderr.read() == b"aiocos: " + message + b"\n"
    assert shell("ls", f"cos://{bucket}").lines == []


def _is_waiting_for_events(pid: int) -> bool:
    """Return True if a process waits for events, as an event loop without work does."""
    try:
        return "epoll" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        time.sleep(3)
        return True


def test_verbose_shows_the_traceback_and_keeps_the_exit_code(shell: Shell, bucket: str):
    secret = shell.environment["IBM_API_KEY_ID"]
    failed = shell.run_process("-v", "head", f"cos://{bucket}/missing")
    usage = shell.run_process("-v", "--endpoint", "ftp://x", "ls")
    assert (failed.returncode, usage.returncode) == (1, 2)
    for outcome in (failed, usage):
        assert b"Traceback" in outcome.stderr
        assert secret.encode() not in outcome.stderr
    assert b"Bearer ey" not in failed.stderr


def test_an_api_key_option_uses_the_iam_endpoint_of_the_environment(shell: Shell, bucket: str):
    key = shell.environment.pop("IBM_API_KEY_ID")
    assert shell("ls").code == 1
    assert f"cos://{bucket}" in shell("--api-key", key, "ls").lines


def test_hmac_keys_and_anonymous_requests(shell: Shell, bucket: str, emulator_details: dict[str, str]):
    pair = ("--access-key-id", emulator_details["access_key_id"], "--secret-access-key", emulator_details["secret_access_key"])
    assert f"cos://{bucket}" in shell(*pair, "ls").lines
    half = shell(*pair[:2], "ls")
    assert (half.code, half.out) == (2, "")
    assert "secret_access_key" in half.err
    refused = shell("--anonymous", "ls", f"cos://{bucket}")
    assert refused.code == 1
    assert "AccessDenied" in refused.err


def test_a_region_option_overrides_the_endpoint_of_the_environment(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AIOCOS_ENDPOINT", "http://127.0.0.1:1")
    settings = Settings(None, "eu-de", "private", None, None, None, None, None, None, True, True, False)
    assert settings.client().endpoint == "https://s3.private.eu-de.cloud-object-storage.appdomain.cloud"


def test_no_verify_tls_prints_a_warning_of_one_line(shell: Shell, bucket: str):
    outcome = shell.run_process("--no-verify-tls", "head", f"cos://{bucket}")
    assert outcome.returncode == 0
    assert outcome.stderr.startswith(b"aiocos: TLS certificates are not verified")
    assert outcome.stderr.count(b"\n") == 1


def test_the_repr_of_settings_has_no_secrets():
    settings = Settings(None, None, "public", "the-key", None, "id", "the-secret", None, None, False, True, False)
    assert "the-key" not in repr(settings)
    assert "the-secret" not in repr(settings)
