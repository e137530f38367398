"""Output: progress bars, escaped control characters."""

import os
from pathlib import Path

from tests.cli.shell import Shell, on_terminal, posix


def test_control_characters_of_a_key_are_escaped(shell: Shell, bucket: str):
    key = "x\x1b[2Jy"
    shell("cp", "-", f"cos://{bucket}/{key}", stdin="")
    assert shell("ls", f"cos://{bucket}").lines == ["x\\x1b[2Jy"]
    assert shell("ls", "--json", f"cos://{bucket}").json()[0]["key"] == key


def test_no_progress_bar_without_a_terminal(shell: Shell, bucket: str):
    result = shell.run_process("cp", "-", f"cos://{bucket}/k", stdin=b"x" * 100)
    assert result.stderr == b""
    assert result.stdout.startswith(b"100 B")
    assert shell.run_process("cp", "-q", "-", f"cos://{bucket}/k", stdin=b"x").stdout == b""


@posix
def test_progress_bar_on_a_terminal(shell: Shell, bucket: str, tmp_path: Path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for index in range(30):
        (tree / f"f{index}").write_bytes(os.urandom(10_000))
    code, shown = on_terminal(shell, "cp", "-r", str(tree), f"cos://{bucket}/t")
    assert code == 0
    assert "tree" in shown
    assert "━" in shown
    assert "/293.0 KiB" in shown, "the total size is missing"
    assert "\x1b[2K30 files, 293.0 KiB in " in shown, "the bar is not removed"
    assert "━" not in on_terminal(shell, "cp", "-r", "-q", str(tree), f"cos://{bucket}/t")[1]


@posix
def test_no_progress_bar_while_an_object_is_written_to_the_terminal(shell: Shell, bucket: str, tmp_path: Path):
    shell("cp", "-", f"cos://{bucket}/k", stdin="the content")
    assert on_terminal(shell, "cp", f"cos://{bucket}/k", "-") == (0, "the content")
    with (tmp_path / "out").open("wb") as out:
        code, shown = on_terminal(shell, "cp", f"cos://{bucket}/k", "-", stdout=out.fileno())
    assert (code, (tmp_path / "out").read_bytes()) == (0, b"the content")
    assert "━" in shown
