"""Run third-party servers and clients as processes on loopback."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.waiting import block_until

ACCESS_KEY_ID = "tests-access-key"
SECRET_ACCESS_KEY = "tests-secret-key"


@dataclass(frozen=True)
class Process:
    """A running server."""

    endpoint: str
    access_key_id: str = ACCESS_KEY_ID
    secret_access_key: str = SECRET_ACCESS_KEY


def program(name: str) -> str:
    """Return the path of a program that a test dependency installed beside the interpreter, or that is in PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: pip install 'aiocos[test]'")
    return found


def environment(**more: str) -> dict[str, str]:
    """Return the environment without credentials, proxies and settings of other tools."""
    kept = {
        n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "RCLONE_", "IBM_", "S3_")) and "proxy" not in n.lower()
    }
    return {**kept, "RCLONE_CONFIG": os.devnull, "AWS_EC2_METADATA_DISABLED": "true", **more}


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[Process]:
    """Run a server until the end of the block, which begins after the server's first response.

    The server chooses its port itself and prints it: a port that was free a moment ago may belong to another server by now.
    """
    # Into a file: a pipe that is not read is full after some hundred requests, and the server would block.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment())
        try:
            yield Process(_endpoint(process, log))
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _endpoint(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """Wait until a server has printed its endpoint and responded once; return the endpoint."""
    endpoint = ""

    def answers() -> bool:
        nonlocal endpoint
        output = os.pread(log.fileno(), 1 << 20, 0)
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}: {output.decode(errors='replace')[-2000:]}")
        printed = re.search(rb"http://127\.0\.0\.1:\d+", output)
        if printed is None:
            return False
        endpoint = printed[0].decode()
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=10)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()
        return True

    block_until(answers, f"an answer of {process.args!r}")
    return endpoint


def moto() -> contextlib.AbstractContextManager[Process]:
    """Run moto: broad semantics, no signatures, nothing on disk."""
    return running([program("moto_server"), "-H", "127.0.0.1", "-p", "0"])


def rclone(data: Path) -> contextlib.AbstractContextManager[Process]:
    """Run `rclone serve s3` on a directory: checks signatures and Content-MD5."""
    keys = f"{ACCESS_KEY_ID},{SECRET_ACCESS_KEY}"
    command = [program("rclone"), "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key", keys, "--no-cleanup", str(data)]
    return running(command)
