"""`sync`, `mv` and `uploads`, from outside."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Shell
from tests.waiting import block_until

FILES = {"a.txt": b"one", "b/c.txt": b"two two", "b/d.tmp": b"three"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(data)
    return tmp_path / "tree"


@pytest.fixture
def place(bucket: str) -> str:
    return f"cos://{bucket}"


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def keys(shell: Shell, where: str) -> list[str]:
    return [str(entry["key"]) for entry in shell("ls", "-r", "--json", where).json()]


def test_a_plan_then_the_deed_then_nothing(shell: Shell, place: str, tree: Path):
    plan = shell("sync", "--dry-run", str(tree), f"{place}/site")
    assert plan.code == 0
    assert plan.lines == [
        f"upload {tree}/a.txt -> {place}/site/a.txt (new, 3 B)",
        f"upload {tree}/b/c.txt -> {place}/site/b/c.txt (new, 7 B)",
        f"upload {tree}/b/d.tmp -> {place}/site/b/d.tmp (new, 5 B)",
    ]
    assert "would transfer 3 files (15 B), delete 0, refuse 0" in plan.err
    assert keys(shell, f"{place}/") == []
    done = shell("sync", str(tree), f"{place}/site")
    assert done.code == 0
    assert done.out.startswith("3 transferred (15 B), 0 unchanged, in ")
    again = shell("sync", str(tree), f"{place}/site", "--json").json()[0]
    assert (again["files"], again["unchanged"]) == (0, 3)
    assert shell("sync", "-n", str(tree), f"{place}/site").out == ""


def test_patterns_and_deletion(shell: Shell, place: str, tree: Path, tmp_path: Path):
    shell("sync", str(tree), f"{place}/site", "--exclude", "*.tmp", "-q")
    assert keys(shell, f"{place}/site/") == ["site/a.txt", "site/b/c.txt"]
    (tree / "a.txt").unlink()
    plan = shell("sync", str(tree), f"{place}/site", "--delete", "--dry-run", "--json").json()
    assert [(a["kind"], a["reason"]) for a in plan] == [("delete", "not in the source"), ("upload", "new")]
    done = shell("sync", str(tree), f"{place}/site", "--delete")
    assert "1 deleted" in done.out
    assert keys(shell, f"{place}/site/") == ["site/b/c.txt", "site/b/d.tmp"]
    down = shell("sync", f"{place}/site", str(tmp_path / "out"), "--include", "b")
    assert down.code == 0
    assert contents(tmp_path / "out") == {"b/c.txt": b"two two", "b/d.tmp": b"three"}


def test_what_cannot_be_is_a_usage_error(shell: Shell, place: str, tree: Path):
    for args in (
        (str(tree), "elsewhere"),
        ("-", f"{place}/x"),
        (str(tree), f"{place}/x", "--compare", "colour"),
        (str(tree), f"{place}/x", "--include", ""),
        (f"{place}/a", f"{place}/a/b"),
        ("no-such-directory", f"{place}/x"),
    ):
        assert shell("sync", *args).code == 2, args


def test_failures_are_told_of_one_by_one(shell: Shell, place: str, tree: Path):
    (tree / "loop").symlink_to("loop")
    result = shell("sync", str(tree), f"{place}/site", "--delete")
    assert result.code == 1
    assert f"{tree}/loop" in result.err
    assert "nothing was deleted" in result.err
    assert len(keys(shell, f"{place}/site/")) == 3


def test_moving_up_down_and_within(shell: Shell, place: str, tree: Path, tmp_path: Path):
    assert shell("mv", str(tree / "a.txt"), f"{place}/one/").code == 0
    assert not (tree / "a.txt").exists()
    assert shell("mv", f"{place}/one/a.txt", f"{place}/two/b.txt").code == 0
    assert keys(shell, f"{place}/") == ["two/b.txt"]
    result = shell("mv", f"{place}/two/b.txt", str(tmp_path / "back.txt"), "--json")
    assert result.json() == [{"files": 1, "bytes": 3}]
    assert (tmp_path / "back.txt").read_bytes() == b"one"
    assert keys(shell, f"{place}/") == []


def test_moving_trees(shell: Shell, place: str, tree: Path, tmp_path: Path):
    assert shell("mv", str(tree), f"{place}/x").code == 2
    done = shell("mv", "-r", str(tree), f"{place}/x")
    assert (done.code, done.out) == (0, "moved 3 files, 15 B\n")
    assert contents(tree) == {}
    assert shell("mv", "-r", f"{place}/x", f"{place}/y/z").code == 0
    assert keys(shell, f"{place}/") == [f"y/z/{name}" for name in sorted(FILES)]
    assert shell("mv", "-r", f"{place}/y", str(tmp_path / "out")).code == 0
    assert contents(tmp_path / "out") == {f"z/{name}": data for name, data in FILES.items()}
    assert keys(shell, f"{place}/") == []
    assert shell("mv", "-r", f"{place}/nothing", str(tmp_path / "out")).code == 1


def test_what_cannot_be_moved_stays(shell: Shell, place: str, tree: Path):
    assert shell("mv", str(tree / "a.txt"), "cos://no-such-bucket-here/x").code == 1
    assert (tree / "a.txt").exists()
    shell("cp", str(tree / "a.txt"), f"{place}/k")
    assert shell("mv", f"{place}/k", f"{place}/k").code == 2
    assert shell("mv", f"{place}/k", str(tree / "b")).code == 0
    assert (tree / "b" / "k").read_bytes() == b"one", "a directory takes it under its own name"
    assert shell("mv", f"{place}/gone", str(tree / "x")).code == 1


def odd(tree: Path) -> set[str]:
    """Put things into a tree that cannot be read as files; return their paths."""
    (tree / "broken").symlink_to("nowhere")
    os.mkfifo(tree / "b" / "pipe")
    (tree / "loop").symlink_to("loop")
    (tree / ".a.txt.0123abcd.part").write_bytes(b"half")
    return {str(tree / name) for name in ("broken", "b/pipe", "loop", ".a.txt.0123abcd.part")}


@pytest.mark.parametrize("command", ["cp -r", "mv -r", "sync --delete"])
def test_what_cannot_be_read_is_named_and_the_rest_is_done(shell: Shell, place: str, tree: Path, command: str):
    paths = odd(tree)
    shell("cp", str(tree / "a.txt"), f"{place}/x/b/surplus")
    result = shell(*command.split(), str(tree), f"{place}/x")
    assert result.code == 1
    assert {path for path in paths if path in result.err} == paths
    assert set(keys(shell, f"{place}/x/")) == {"x/b/surplus", *(f"x/{name}" for name in FILES)}
    left = {p.name for p in tree.rglob("*") if p.is_symlink() or not p.is_dir()}
    assert {Path(path).name for path in paths} <= left, "nothing of it is moved"


def test_many_failures_are_counted_and_json_has_them_all(shell: Shell, place: str, tree: Path):
    for n in range(23):
        os.mkfifo(tree / f"pipe{n:02}")
    for command in (["sync"], ["cp", "-r"]):
        result = shell(*command, str(tree), f"{place}/x")
        assert (result.code, result.err.count("is a pipe")) == (1, 21), "20 of them, and the first once more at the end"
        assert "and 3 more: --json lists all of them" in result.err
        [told] = shell(*command, str(tree), f"{place}/x", "--json").json()
        assert len(told["errors"]) == 23  # type: ignore[arg-type]


def test_a_move_down_stays_below_its_target(shell: Shell, place: str, tree: Path, tmp_path: Path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (outside / "mine").write_bytes(b"mine")
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "mine")
    bad = ["link/x", "file", ".a.txt.0123456789ab.journal", ".a.txt.0123abcd.part/x"]
    for key in [*bad, "good", "d/good"]:
        shell("cp", str(tree / "a.txt"), f"{place}/p/{key}")
    result = shell("mv", "-r", f"{place}/p", str(root))
    assert result.code == 1
    assert keys(shell, f"{place}/p/") == [f"p/{key}" for key in sorted(bad)], "what was refused is where it was"
    assert contents(outside) == {"mine": b"mine"}
    assert (root / "good").read_bytes() == (root / "d" / "good").read_bytes() == b"one"
    assert not (root / ".a.txt.0123456789ab.journal").exists()


def test_open_uploads_are_seen_and_swept(shell: Shell, place: str, tree: Path):
    name = place.removeprefix("cos://")
    create = ("api", "create-multipart-upload", "--bucket", name, "--key")
    begun = [shell(*create, key).json()[0]["upload_id"] for key in ("p/a", "p/b", "q")]
    part = tree / "part"
    part.write_bytes(b"x" * 100)
    shell(
        "api", "upload-part", "--bucket", name, "--key", "p/a", "--upload-id", str(begun[0]), "--part-number", "1",
        "--data", f"@{part}",
    )  # fmt: skip
    listed = shell("uploads", "ls", place, "--parts", "--json").json()
    assert [(u["key"], u["upload_id"], u["parts"], u["bytes"]) for u in listed] == [
        ("p/a", begun[0], 1, 100), ("p/b", begun[1], 0, 0), ("q", begun[2], 0, 0),
    ]  # fmt: skip
    assert str(begun[1]) in shell("uploads", "ls", f"{place}/p/").out
    assert str(begun[2]) not in shell("uploads", "ls", f"{place}/p/").out
    assert shell("uploads", "ls", place, "--older-than", "1d").out == ""
    assert shell("uploads", "abort", place, "--older-than", "7d").out == ""
    assert shell("uploads", "abort", place).code == 2, "nobody to ask"
    assert shell("uploads", "abort", place, "--older-than", "soon").code == 2
    dry = shell("uploads", "abort", place, "--dry-run")
    assert dry.out.count("would abort") == 3
    assert shell("uploads", "abort", place, "--upload-id", str(begun[1])).code == 0
    assert shell("uploads", "abort", place, "--upload-id", str(begun[1])).code == 1
    assert shell("uploads", "abort", f"{place}/p", "--yes").out == f"aborted p/a {begun[0]}\n"
    assert [u["key"] for u in shell("uploads", "ls", place, "--json").json()] == ["q"]


def test_killed_it_goes_on(shell: Shell, place: str, tree: Path):
    """Killed by -9 in the middle; the same command then sends the rest, and once more nothing."""
    for n in range(400):
        (tree / f"n{n:03}").write_bytes(os.urandom(1000))
    command = [sys.executable, "-m", "aiocos", "sync", str(tree), f"{place}/k", "--concurrency", "2", "-q"]
    running = subprocess.Popen(command, env={**os.environ, **shell.environment}, stdout=subprocess.DEVNULL)
    block_until(lambda: len(keys(shell, f"{place}/k/")) >= 20, "some files are there")
    running.send_signal(signal.SIGKILL)
    running.wait()
    there = len(keys(shell, f"{place}/k/"))
    assert 20 <= there < 403, "killed in the middle"
    rest = shell("sync", str(tree), f"{place}/k", "--json").json()[0]
    assert (rest["files"], rest["unchanged"]) == (403 - there, there)
    assert shell("sync", str(tree), f"{place}/k", "--json").json()[0]["files"] == 0


def test_a_copy_killed_in_the_middle_goes_on(shell: Shell, place: str, tmp_path: Path):
    large, state = tmp_path / "large", tmp_path / "state"
    with large.open("wb") as file:
        file.truncate(200 << 20)
    environment = {**os.environ, **shell.environment, "XDG_STATE_HOME": str(state)}
    command = ["cp", "--resume", "--part-size", "5MiB", "--concurrency", "1", str(large), f"{place}/large"]
    running = subprocess.Popen([sys.executable, "-m", "aiocos", *command, "-q"], env=environment)
    block_until(lambda: any(path.read_text().count("\n") > 2 for path in state.rglob("*.upload")), "some parts are there")
    running.send_signal(signal.SIGKILL)
    running.wait()
    shell.environment["XDG_STATE_HOME"] = str(state)
    done = shell(*command, "--json").json()[0]
    assert 0 < int(str(done["resumed_bytes"])) < 200 << 20
    assert done["verified"] == "composite"
    assert shell("uploads", "ls", place).out == ""
    assert [p for p in state.rglob("*") if p.is_file()] == []
    down = shell("cp", "--resume", f"{place}/large", str(tmp_path / "back"), "--json").json()[0]
    assert (down["size"], down["resumed_bytes"]) == (200 << 20, 0)


def test_what_cannot_be_resumed_is_a_usage_error(shell: Shell, place: str):
    for args in (("-", f"{place}/x"), (f"{place}/x", "-"), (f"{place}/x", f"{place}/y")):
        assert shell("cp", "--resume", *args).code == 2
