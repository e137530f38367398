"""What each command does, says and exits with."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Shell
from tests.waiting import block_until

import aiocos
from aiocos.version import __version__

ODD = "odd key/ü+%2F?#"


def test_buckets(shell: Shell, bucket: str):
    assert f"cos://{bucket}" in shell("ls").lines
    (row,) = [line for line in shell("ls", "-l").lines if line.endswith(bucket)]
    assert "us-south-smart" in row
    assert ["location", "us-south-smart"] in [line.split() for line in shell("head", f"cos://{bucket}").lines]
    (told,) = shell("head", "--json", f"cos://{bucket}").json()
    assert (told["bucket"], told["location"]) == (bucket, "us-south-smart")
    assert shell("rb", f"cos://{bucket}").code == 0
    assert f"cos://{bucket}" not in shell("ls").lines


def test_a_full_bucket_is_removed_only_by_force_and_after_a_yes(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    shell("cp", str(tmp_path / "a"), f"cos://{bucket}")
    refused = shell("rb", f"cos://{bucket}")
    assert refused.code == 1
    assert "BucketNotEmpty" in refused.err
    assert shell("rb", "--force", f"cos://{bucket}").code == 2, "there is no terminal to ask on"
    assert shell("ls", f"cos://{bucket}").lines == ["a"]
    assert shell("rb", "--force", "--yes", f"cos://{bucket}").code == 0


def test_up_and_down_keeps_bytes_type_and_metadata(shell: Shell, bucket: str, tmp_path: Path):
    data = os.urandom(100_000)
    (tmp_path / "in").write_bytes(data)
    up = shell("cp", str(tmp_path / "in"), f"cos://{bucket}/{ODD}", "--content-type", "text/x", "--metadata", "who=me")
    assert up.code == 0
    (info,) = shell("head", "--json", f"cos://{bucket}/{ODD}").json()
    assert info["content_type"] == "text/x"
    assert info["metadata"] == {"who": "me"}
    assert info["content_length"] == 100_000
    assert shell("cp", f"cos://{bucket}/{ODD}", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out").read_bytes() == data


def test_a_target_that_is_a_place_takes_the_name(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello")
    source = str(tmp_path / "a.txt")
    for target in (f"cos://{bucket}", f"cos://{bucket}/d/", f"cos://{bucket}/renamed"):
        assert shell("cp", source, target).code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["a.txt", "d/a.txt", "renamed"]
    (tmp_path / "down").mkdir()
    assert shell("cp", f"cos://{bucket}/d/a.txt", str(tmp_path / "down")).code == 0
    assert (tmp_path / "down" / "a.txt").read_text() == "hello"


def test_within_the_service(shell: Shell, bucket: str, tmp_path: Path):
    for name in ("x/1", "x/2", "y"):
        assert shell("cp", "-", f"cos://{bucket}/{name}", stdin=name).code == 0
    assert shell("cp", f"cos://{bucket}/y", f"cos://{bucket}/copied").code == 0
    assert shell("cp", "-r", f"cos://{bucket}/x", f"cos://{bucket}/z").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["copied", "x/1", "x/2", "y", "z/1", "z/2"]
    assert shell.outside("cat", f"cos://{bucket}/z/2").stdout == b"x/2"


def test_a_tree_both_ways(shell: Shell, bucket: str, tmp_path: Path):
    tree = tmp_path / "tree"
    for index in range(40):
        path = tree / f"d{index % 3}" / f"f {index}ü+"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(index))
    up = shell("cp", "-r", str(tree), f"cos://{bucket}/t")
    assert up.code == 0
    assert up.out.startswith("40 files, 780 B")
    assert shell("cp", "-r", f"cos://{bucket}/t", str(tmp_path / "back")).code == 0
    for path in tree.rglob("*"):
        if path.is_file():
            assert (tmp_path / "back" / path.relative_to(tree)).read_bytes() == path.read_bytes()
    assert len([p for p in (tmp_path / "back").rglob("*") if p.is_file()]) == 40


def test_keys_that_are_no_paths_fail_alone(shell: Shell, bucket: str, tmp_path: Path):
    for key in ("t/good", "t/../../escaped"):
        assert shell("cp", "-", f"cos://{bucket}/{key}", stdin="x").code == 0
    down = shell("cp", "-r", f"cos://{bucket}/t", str(tmp_path / "in" / "here"))
    assert down.code == 1
    assert ".." in down.err
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["good"]


def test_pipes(shell: Shell, bucket: str):
    data = os.urandom(3_000_000)
    assert shell.outside("cp", "-", f"cos://{bucket}/piped", stdin=data).returncode == 0
    assert shell.outside("cat", f"cos://{bucket}/piped").stdout == data
    assert shell.outside("cp", f"cos://{bucket}/piped", "-").stdout == data
    assert shell.outside("cat", "--range", "5-9", f"cos://{bucket}/piped").stdout == data[5:10]
    assert shell.outside("cat", "--range=-4", f"cos://{bucket}/piped").stdout == data[-4:]


def test_listing_like_a_directory_and_as_json(shell: Shell, bucket: str):
    for key in ("a", "d/b", "d/c"):
        shell("cp", "-", f"cos://{bucket}/{key}", stdin="12345")
    assert shell("ls", f"cos://{bucket}").lines == ["d/", "a"]
    assert shell("ls", f"cos://{bucket}/d/").lines == ["d/b", "d/c"]
    rows = shell("ls", "--json", "-r", f"cos://{bucket}").json()
    assert [(r["key"], r["size"]) for r in rows] == [("a", 5), ("d/b", 5), ("d/c", 5)]
    assert " 5  " in shell("ls", "-lb", f"cos://{bucket}/a").out


def test_a_key_cannot_command_the_terminal(shell: Shell, bucket: str):
    key = "x\x1b[2Jy"
    shell("cp", "-", f"cos://{bucket}/{key}", stdin="")
    assert shell("ls", f"cos://{bucket}").lines == ["x\\x1b[2Jy"]
    assert shell("ls", "--json", f"cos://{bucket}").json()[0]["key"] == key


def test_removing(shell: Shell, bucket: str):
    for key in ("a", "d/b", "d/c", "e"):
        shell("cp", "-", f"cos://{bucket}/{key}", stdin="")
    assert shell("rm", f"cos://{bucket}/a").code == 0
    assert shell("rm", "-r", f"cos://{bucket}/d/").out == "2 deleted\n"
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["e"]
    assert shell("rm", f"cos://{bucket}").code == 2
    assert shell("rm", "-r", f"cos://{bucket}").code == 2, "a whole bucket is asked about"
    assert shell("rm", "-r", "-y", f"cos://{bucket}").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("cp", "no-such-file", "cos://{bucket}/"), 1, "no-such-file"),
        (("cp", ".", "cos://{bucket}/"), 2, "-r"),
        (("cp", "a", "b"), 2, "cos://"),
        (("cp", "x", "cos://{bucket}/", "--metadata", "novalue"), 2, "name=value"),
        (("cp", "x", "cos://{bucket}/", "--part-size", "big"), 2, "not a size"),
        (("cat", "cos://{bucket}/missing"), 1, "NoSuchKey"),
        (("cat", "cos://{bucket}/x", "--range", "z"), 2, "range"),
        (("head", "cos://{bucket}/missing"), 1, "404"),
        (("ls", "cos://no-such-bucket-here"), 1, "NoSuchBucket"),
        (("ls", "s3://x"), 2, "cos://"),
        (("mb", "cos://{bucket}/key"), 2, "not a bucket"),
        (("--network", "moon", "ls"), 2, "network"),
        (("frobnicate",), 2, "frobnicate"),
        (("--endpoint", "ftp://x", "ls"), 2, "http"),
    ],
)
def test_errors_and_exit_codes(shell: Shell, bucket: str, args: tuple[str, ...], code: int, said: str):
    outcome = shell(*(a.format(bucket=bucket) for a in args))
    assert outcome.code == code, outcome
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_a_refused_key_is_said_without_the_key(shell: Shell):
    secret = "not-the-key-of-anybody"
    outcome = shell("--api-key", secret, "--iam-endpoint", shell.environment["IBM_AUTH_ENDPOINT"], "ls")
    assert outcome.code == 1
    assert "BXNIM0415E" in outcome.err
    assert secret not in outcome.err + outcome.out


def test_version_and_help(shell: Shell):
    assert shell("--version").out == f"aiocos {__version__}\n"
    for command in ("ls", "cp", "cat", "rm", "mb", "rb", "head", "emulator", "demo"):
        assert shell(command, "--help").code == 0


def test_no_progress_where_there_is_no_terminal(shell: Shell, bucket: str):
    result = shell.outside("cp", "-", f"cos://{bucket}/k", stdin=b"x" * 100)
    assert result.stderr == b""
    assert result.stdout.startswith(b"100 B")
    assert shell.outside("cp", "-q", "-", f"cos://{bucket}/k", stdin=b"x").stdout == b""


def test_a_reader_that_has_had_enough_is_no_error(shell: Shell, bucket: str):
    shell.outside("cp", "-", f"cos://{bucket}/long", stdin=os.urandom(4_000_000))
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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_take_an_upload_back(shell: Shell, bucket: str, served: dict[str, str], number: int, code: int):
    environment = {**os.environ, **shell.environment}
    with subprocess.Popen(
        [sys.executable, "-m", "aiocos", "cp", "--part-size", "5MiB", "-", f"cos://{bucket}/half"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(os.urandom(12_000_000))  # two parts and a piece; the rest never comes
        process.stdin.flush()
        block_until(lambda: asyncio.run(_open_uploads(served, bucket)), "the upload is open")
        process.send_signal(number)
        # With the pipe still open: an end of the input that came first would be an end of the upload, in good order.
        assert process.wait(60) == code
        assert b"Traceback" not in process.stderr.read()
    assert asyncio.run(_open_uploads(served, bucket)) == []
    assert shell("ls", f"cos://{bucket}").lines == []


async def _open_uploads(served: dict[str, str], bucket: str) -> list[str]:
    async with aiocos.Client(
        served["endpoint"], access_key_id=served["access_key_id"], secret_access_key=served["secret_access_key"]
    ) as cos:
        return [upload.key async for upload in cos.multipart.list_uploads(bucket)]
