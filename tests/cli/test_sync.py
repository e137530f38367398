"""`sync`: plans, patterns, deletions, failures and continued transfers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.shell import FILES, Shell, contents, list_keys
from tests.waiting import block_until


def test_dry_run_then_sync_then_nothing_to_do(shell: Shell, bucket_url: str, tree: Path):
    plan = shell("sync", "--dry-run", str(tree), f"{bucket_url}/site")
    assert plan.code == 0
    assert plan.lines == [
        f"upload {tree}/a.txt -> {bucket_url}/site/a.txt (new, 3 B)",
        f"upload {tree}/b/c.txt -> {bucket_url}/site/b/c.txt (new, 7 B)",
        f"upload {tree}/b/d.tmp -> {bucket_url}/site/b/d.tmp (new, 5 B)",
    ]
    assert "would transfer 3 files (15 B), delete 0, refuse 0" in plan.err
    assert list_keys(shell, f"{bucket_url}/") == []
    done = shell("sync", str(tree), f"{bucket_url}/site")
    assert done.code == 0
    assert done.out.startswith("3 transferred (15 B), 0 unchanged, in ")
    again = shell("sync", str(tree), f"{bucket_url}/site", "--json").json()[0]
    assert (again["files"], again["unchanged"]) == (0, 3)
    assert shell("sync", "-n", str(tree), f"{bucket_url}/site").out == ""


def test_patterns_and_deletion(shell: Shell, bucket_url: str, tree: Path, tmp_path: Path):
    shell("sync", str(tree), f"{bucket_url}/site", "--exclude", "*.tmp", "-q")
    assert list_keys(shell, f"{bucket_url}/site/") == ["site/a.txt", "site/b/c.txt"]
    (tree / "a.txt").unlink()
    plan = shell("sync", str(tree), f"{bucket_url}/site", "--delete", "--dry-run", "--json").json()
    assert [(a["kind"], a["reason"]) for a in plan] == [("delete", "not in the source"), ("upload", "new")]
    done = shell("sync", str(tree), f"{bucket_url}/site", "--delete")
    assert "1 deleted" in done.out
    assert list_keys(shell, f"{bucket_url}/site/") == ["site/b/c.txt", "site/b/d.tmp"]
    down = shell("sync", f"{bucket_url}/site", str(tmp_path / "out"), "--include", "b")
    assert down.code == 0
    assert contents(tmp_path / "out") == {"b/c.txt": b"two two", "b/d.tmp": b"three"}


def test_wrong_arguments_are_usage_errors(shell: Shell, bucket_url: str, tree: Path):
    for args in (
        (str(tree), "elsewhere"),
        ("-", f"{bucket_url}/x"),
        (str(tree), f"{bucket_url}/x", "--compare", "colour"),
        (str(tree), f"{bucket_url}/x", "--include", ""),
        (f"{bucket_url}/a", f"{bucket_url}/a/b"),
        ("no-such-directory", f"{bucket_url}/x"),
    ):
        assert shell("sync", *args).code == 2, args


def test_failures_are_printed_and_prevent_deletions(shell: Shell, bucket_url: str, tree: Path):
    (tree / "loop").symlink_to("loop")
    result = shell("sync", str(tree), f"{bucket_url}/site", "--delete")
    assert result.code == 1
    assert f"{tree}/loop" in result.err
    assert "nothing was deleted" in result.err
    assert len(list_keys(shell, f"{bucket_url}/site/")) == 3


def add_unreadable_files(tree: Path) -> set[str]:
    """Add entries that cannot be uploaded: broken links, a pipe, a partial download. Return their paths."""
    (tree / "broken").symlink_to("nowhere")
    os.mkfifo(tree / "b" / "pipe")
    (tree / "loop").symlink_to("loop")
    (tree / ".a.txt.0123abcd.part").write_bytes(b"half")
    return {str(tree / name) for name in ("broken", "b/pipe", "loop", ".a.txt.0123abcd.part")}


@pytest.mark.parametrize("command", ["cp -r", "mv -r", "sync --delete"])
def test_unreadable_files_are_named_and_the_others_transferred(shell: Shell, bucket_url: str, tree: Path, command: str):
    paths = add_unreadable_files(tree)
    shell("cp", str(tree / "a.txt"), f"{bucket_url}/x/b/surplus")
    result = shell(*command.split(), str(tree), f"{bucket_url}/x")
    assert result.code == 1
    assert {path for path in paths if path in result.err} == paths
    assert set(list_keys(shell, f"{bucket_url}/x/")) == {"x/b/surplus", *(f"x/{name}" for name in FILES)}
    left = {p.name for p in tree.rglob("*") if p.is_symlink() or not p.is_dir()}
    assert {Path(path).name for path in paths} <= left, "unreadable files stay"


def test_twenty_failures_are_printed_and_json_has_all(shell: Shell, bucket_url: str, tree: Path):
    for n in range(23):
        os.mkfifo(tree / f"pipe{n:02}")
    for command in (["sync"], ["cp", "-r"]):
        result = shell(*command, str(tree), f"{bucket_url}/x")
        assert (result.code, result.err.count("is a pipe")) == (1, 21), "20 failures, and the first one again in the summary"
        assert "and 3 more: --json lists all of them" in result.err
        [result] = shell(*command, str(tree), f"{bucket_url}/x", "--json").json()
        assert len(result["errors"]) == 23  # type: ignore[arg-type]


def test_a_killed_sync_continues(shell: Shell, bucket_url: str, tree: Path):
    """After SIGKILL, a second run transfers the remaining files and a third run none."""
    for n in range(400):
        (tree / f"n{n:03}").write_bytes(os.urandom(1000))
    command = [sys.executable, "-m", "aiocos", "sync", str(tree), f"{bucket_url}/k", "--concurrency", "2", "-q"]
    running = subprocess.Popen(command, env={**os.environ, **shell.environment}, stdout=subprocess.DEVNULL)
    block_until(lambda: len(list_keys(shell, f"{bucket_url}/k/")) >= 20, "some files are there")
    running.send_signal(signal.SIGKILL)
    running.wait()
    uploaded = len(list_keys(shell, f"{bucket_url}/k/"))
    assert 20 <= uploaded < 403, "killed in the middle"
    rest = shell("sync", str(tree), f"{bucket_url}/k", "--json").json()[0]
    assert (rest["files"], rest["unchanged"]) == (403 - uploaded, uploaded)
    assert shell("sync", str(tree), f"{bucket_url}/k", "--json").json()[0]["files"] == 0
