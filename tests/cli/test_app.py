"""The global options, exit codes and messages of all commands."""

import pytest
from tests.cli.shell import Shell

from aiocos.version import __version__


@pytest.mark.parametrize(
    ("args", "code", "message"),
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
def test_exit_codes_and_messages_of_errors(shell: Shell, bucket: str, args: tuple[str, ...], code: int, message: str):
    outcome = shell(*(a.format(bucket=bucket) for a in args))
    assert outcome.code == code, outcome
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_a_refused_api_key_is_not_printed(shell: Shell):
    secret = "not-the-key-of-anybody"
    outcome = shell("--api-key", secret, "--iam-endpoint", shell.environment["IBM_AUTH_ENDPOINT"], "ls")
    assert outcome.code == 1
    assert "BXNIM0415E" in outcome.err
    assert secret not in outcome.err + outcome.out


def test_version_and_help(shell: Shell):
    assert shell("--version").out == f"aiocos {__version__}\n"
    for command in ("ls", "cp", "cat", "rm", "mb", "rb", "head", "emulator", "demo"):
        assert shell(command, "--help").code == 0
