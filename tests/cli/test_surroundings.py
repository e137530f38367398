"""The command line among terminals, pipes, signals, environments, and missing packages."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Shell
from tests.waiting import block_until

from aiocos.cli.app import Settings

posix = pytest.mark.skipif(os.name != "posix", reason="needs terminals and signals of POSIX")


def on_terminal(shell: Shell, *args: str, typed: str = "", stdout: int | None = None) -> tuple[int, str]:
    """Run `aiocos` on a terminal of 80 columns; return how it ended, and what the terminal was shown."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, **shell.environment, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-m", "aiocos", *args],
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not data:
            break
        shown += data
    os.close(ours)
    return process.wait(30), shown.decode()


@posix
def test_a_bar_on_a_terminal(shell: Shell, bucket: str, tmp_path: Path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for index in range(30):
        (tree / f"f{index}").write_bytes(os.urandom(10_000))
    code, shown = on_terminal(shell, "cp", "-r", str(tree), f"cos://{bucket}/t")
    assert code == 0
    assert "tree" in shown
    assert "━" in shown
    assert "/293.0 KiB" in shown, "the size of all is not found"
    assert "\x1b[2K30 files, 293.0 KiB in " in shown, "the bar is not wiped away"
    assert "━" not in on_terminal(shell, "cp", "-r", "-q", str(tree), f"cos://{bucket}/t")[1]


@posix
def test_bytes_for_standard_output_and_a_bar_are_not_mixed(shell: Shell, bucket: str, tmp_path: Path):
    shell("cp", "-", f"cos://{bucket}/k", stdin="the content")
    assert on_terminal(shell, "cp", f"cos://{bucket}/k", "-") == (0, "the content")
    with (tmp_path / "out").open("wb") as out:
        code, shown = on_terminal(shell, "cp", f"cos://{bucket}/k", "-", stdout=out.fileno())
    assert (code, (tmp_path / "out").read_bytes()) == (0, b"the content")
    assert "━" in shown


@posix
@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, ["k"]), ("y\n", 0, [])])
def test_a_question_is_answered_on_the_terminal(shell: Shell, bucket: str, answer: str, code: int, left: list[str]):
    shell("cp", "-", f"cos://{bucket}/k", stdin="x")
    ended, shown = on_terminal(shell, "rm", "-r", f"cos://{bucket}", typed=answer)
    assert ended == code
    assert "Delete everything" in shown
    assert shell("ls", f"cos://{bucket}").lines == left


@posix
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, b"interrupted"),
        (signal.SIGTERM, 143, b"stopped by SIGTERM"),
        (signal.SIGHUP, 129, b"stopped by SIGHUP"),
    ],
)
def test_signals_end_an_upload_whose_pipe_is_silent(shell: Shell, bucket: str, number: int, code: int, said: bytes):
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
        block_until(lambda: _waits_for(process.pid), "the command waits for its input")
        process.send_signal(number)
        assert process.wait(30) == code, "the pipe is still open"
        assert process.stderr.read() == b"aiocos: " + said + b"\n"
    assert shell("ls", f"cos://{bucket}").lines == []


def _waits_for(pid: int) -> bool:
    """Whether a process sleeps in a call for events, as it does when its loop runs and has nothing to do."""
    try:
        return "epoll" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        time.sleep(3)
        return True


@posix
@pytest.mark.parametrize("args", [("ls",), ("cat", "{path}"), ("head", "{path}")])
def test_nobody_reads(shell: Shell, bucket: str, args: tuple[str, ...]):
    shell("cp", "-", f"cos://{bucket}/k", stdin="x")
    # Unbuffered, every line would meet the broken pipe by itself.
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


def test_a_terminal_without_the_letters(shell: Shell, bucket: str):
    shell("cp", "-", f"cos://{bucket}/ü", stdin="x")
    shell.environment["PYTHONIOENCODING"] = "ascii"
    assert shell.outside("ls", f"cos://{bucket}").stdout == b"\\xfc\n"
    assert b'"key": "\\u00fc"' in shell.outside("ls", "--json", f"cos://{bucket}").stdout


def test_verbose_explains_and_ends_the_same(shell: Shell, bucket: str):
    secret = shell.environment["IBM_API_KEY_ID"]
    failed = shell.outside("-v", "head", f"cos://{bucket}/missing")
    usage = shell.outside("-v", "--endpoint", "ftp://x", "ls")
    assert (failed.returncode, usage.returncode) == (1, 2)
    for outcome in (failed, usage):
        assert b"Traceback" in outcome.stderr
        assert secret.encode() not in outcome.stderr
    assert b"Bearer ey" not in failed.stderr


def test_a_key_that_is_given_goes_where_the_environment_says(shell: Shell, bucket: str):
    key = shell.environment.pop("IBM_API_KEY_ID")
    assert shell("ls").code == 1
    assert f"cos://{bucket}" in shell("--api-key", key, "ls").lines


def test_keys_and_anonymous(shell: Shell, bucket: str, served: dict[str, str]):
    pair = ("--access-key-id", served["access_key_id"], "--secret-access-key", served["secret_access_key"])
    assert f"cos://{bucket}" in shell(*pair, "ls").lines
    half = shell(*pair[:2], "ls")
    assert (half.code, half.out) == (2, "")
    assert "secret_access_key" in half.err
    refused = shell("--anonymous", "ls", f"cos://{bucket}")
    assert refused.code == 1
    assert "AccessDenied" in refused.err


def test_a_region_that_is_given_wins_over_the_endpoint_of_the_environment(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AIOCOS_ENDPOINT", "http://127.0.0.1:1")
    settings = Settings(None, "eu-de", "private", None, None, None, None, None, None, True, True, False)
    assert settings.client().endpoint == "https://s3.private.eu-de.cloud-object-storage.appdomain.cloud"


def test_unverified_certificates_are_said_in_one_line(shell: Shell, bucket: str):
    outcome = shell.outside("--no-verify-tls", "head", f"cos://{bucket}")
    assert outcome.returncode == 0
    assert outcome.stderr.startswith(b"aiocos: TLS certificates are not verified")
    assert outcome.stderr.count(b"\n") == 1


def test_settings_show_no_secret():
    settings = Settings(None, None, "public", "the-key", None, "id", "the-secret", None, None, False, True, False)
    assert "the-key" not in repr(settings)
    assert "the-secret" not in repr(settings)


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra(missing: str):
    code = f"import sys; sys.modules[{missing!r}] = None; from aiocos.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr == f"aiocos: the command line needs {missing}: pip install 'aiocos[cli]'\n"


def test_the_library_does_not_import_the_command_line():
    code = "import sys, aiocos; print({'typer', 'rich', 'aiocos.cli'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "set()\n"


# ---------------------------------------------------------------------------------------------------------------------
# Standard streams that are closed, full, or not read


def _in_bash(shell: Shell, line: str) -> tuple[int, str]:
    """Run a line of bash with `aiocos` in it; return its status, and what it wrote to standard error."""
    environment = {**os.environ, **shell.environment, "AIOCOS": f"{sys.executable} -m aiocos"}
    line = 'set -o pipefail; aiocos() { $AIOCOS "$@"; }; ' + line
    made = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, timeout=60, check=False)
    return made.returncode, made.stderr.decode()


@pytest.fixture
def some_keys(shell: Shell, bucket: str, tmp_path: Path) -> str:
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
def test_what_cannot_be_written_or_read_is_said(shell: Shell, some_keys: str, line: str):
    code, told = _in_bash(shell, line.replace("B/", f"{some_keys}/").replace(" B ", f" {some_keys} "))
    assert code in (1, 2), told
    assert f"standard {'input' if 'new' in line else 'output'}: " in told
    assert "Traceback" not in told
    assert "Exception ignored" not in told
    assert not any(name == "new" for name in shell("ls", f"cos://{some_keys}").lines)


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
def test_whoever_stops_reading_has_what_he_wanted(shell: Shell, some_keys: str, tmp_path: Path, line: str):
    line = line.replace("B/", f"{some_keys}/").replace(" B ", f" {some_keys} ").replace("D/", f"{tmp_path}/")
    code, told = _in_bash(shell, line)
    assert (code, told) == (0, "")


@posix
def test_no_socket_gets_the_number_of_a_closed_stream(shell: Shell, some_keys: str):
    """What is printed would go to the service otherwise."""
    code, told = _in_bash(shell, f"aiocos sync cos://{some_keys}/t $(mktemp -d) >&- 2>/dev/null")
    assert code in (0, 1), told
    assert len(shell("ls", f"cos://{some_keys}/t/").lines) == 3
