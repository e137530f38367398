"""Standard streams that are closed, full, or a pipe without a reader."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.shell import Shell, posix


def test_a_reader_that_closes_the_pipe_early_is_not_an_error(shell: Shell, bucket: str):
    shell.run_process("cp", "-", f"cos://{bucket}/long", stdin=os.urandom(4_000_000))
    environment = {**os.environ, **shell.environment}
    with subprocess.Popen(
        [sys.executable, "-m", "aiocos", "cat", f"cos://{bucket}/long"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


@posix
@pytest.mark.parametrize("args", [("ls",), ("cat", "{path}"), ("head", "{path}")])
def test_a_pipe_without_a_reader_is_not_an_error(shell: Shell, bucket: str, args: tuple[str, ...]):
    shell("cp", "-", f"cos://{bucket}/k", stdin="x")
    # With buffered output the broken pipe is noticed only when the command ends.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "aiocos", *(a.format(path=f"cos://{bucket}/k") for a in args)],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**buffered, **shell.environment},
        timeout=30,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def run_in_bash(shell: Shell, line: str) -> tuple[int, str]:
    """Run a line of bash in which `aiocos` is a command; return its exit code and standard error."""
    environment = {**os.environ, **shell.environment, "AIOCOS": f"{sys.executable} -m aiocos"}
    line = 'set -o pipefail; aiocos() { $AIOCOS "$@"; }; ' + line
    made = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, timeout=60, check=False)
    return made.returncode, made.stderr.decode()


@pytest.fixture
def filled_bucket(shell: Shell, bucket: str, tmp_path: Path) -> str:
    for index in range(3):
        (tmp_path / f"k{index}").write_bytes(b"x" * 300_000)
    assert shell("cp", "-r", str(tmp_path), f"cos://{bucket}/t").code == 0
    return bucket


@posix
@pytest.mark.parametrize(
    "line",
    [
        "aiocos ls cos://B/t/ >&-",
        "aiocos ls --json cos://B/t/ >&-",
        "aiocos cat cos://B/t/k0 >&-",
        "aiocos cp cos://B/t/k0 - >&-",
        "aiocos head cos://B/t/k0 >&-",
        "aiocos api >&-",
        "aiocos api get-object --bucket B --key t/k0 >&-",
        "aiocos api put-bucket-cors --help >&-",
        "aiocos --version >&-",
        "aiocos ls cos://B/t/ > /dev/full",
        "aiocos cat cos://B/t/k0 > /dev/full",
        "aiocos --version > /dev/full",
        "aiocos cp - cos://B/new <&-",
        "aiocos api put-object --bucket B --key new --data @- <&-",
        "aiocos ls cos://B/t/ <&- >&-",
        "aiocos cp - cos://B/new 0>/dev/null",
        "aiocos cp - cos://B/new 0> >(sleep 1)",
        "aiocos head --json cos://B/t/k0 > /dev/full",
        "aiocos sync --dry-run cos://B/t /tmp/nowhere >&-",
        "aiocos emulator --port 0 >&-",
    ],
)
def test_a_closed_or_full_stream_is_named_in_the_error(shell: Shell, filled_bucket: str, line: str):
    code, stderr = run_in_bash(shell, line.replace("B/", f"{filled_bucket}/").replace(" B ", f" {filled_bucket} "))
    assert code in (1, 2), stderr
    assert f"standard {'input' if 'new' in line else 'output'}: " in stderr
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    assert not any(name == "new" for name in shell("ls", f"cos://{filled_bucket}").lines)


@posix
@pytest.mark.parametrize(
    "line",
    [
        "aiocos ls -r cos://B/ | head -1",
        "aiocos ls -r cos://B/ | true",
        "aiocos cat cos://B/t/k0 | head -c 10",
        "aiocos cat cos://B/t/k0 | true",
        "aiocos api get-object --bucket B --key t/k0 | true",
        "aiocos api | head -1",
        "aiocos --help | true",
        "aiocos ls --help | true",
        "aiocos api put-bucket-cors --help | true",
        "aiocos cp -q D/k0 cos://B/copy >&- <&-",
        "aiocos cp -q D/k0 cos://B/copy >&- <&- 2>&-",
        "aiocos ls cos://B/ 2>&- <&- > /dev/null",
    ],
)
def test_a_closed_stream_that_is_not_needed_is_not_an_error(shell: Shell, filled_bucket: str, tmp_path: Path, line: str):
    line = line.replace("B/", f"{filled_bucket}/").replace(" B ", f" {filled_bucket} ").replace("D/", f"{tmp_path}/")
    code, stderr = run_in_bash(shell, line)
    assert (code, stderr) == (0, "")


@posix
def test_a_socket_does_not_get_the_descriptor_of_a_closed_stream(shell: Shell, filled_bucket: str):
    """Printed text would be sent to the service."""
    code, stderr = run_in_bash(shell, f"aiocos sync cos://{filled_bucket}/t $(mktemp -d) >&- 2>/dev/null")
    assert code in (0, 1), stderr
    assert len(shell("ls", f"cos://{filled_bucket}/t/").lines) == 3
