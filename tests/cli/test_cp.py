"""What `cp` and `rm` refuse, keep and report beyond the plain cases."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cli.conftest import Shell

import aiocos
from aiocos.object_stream import ObjectStream


def put(shell: Shell, bucket: str, *keys: str) -> None:
    for key in keys:
        assert shell("cp", "-q", "-", f"cos://{bucket}/{key}", stdin=key).code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("cp", "cos://{bucket}", "x"), "add -r"),
        (("cp", "cos://{bucket}/", "-"), "name an object"),
        (("cp", "-", "cos://{bucket}"), "write the key of the object"),
        (("cp", "-", "cos://{bucket}/below/"), "write the key of the object"),
        (("cp", "-r", "-", "cos://{bucket}/k"), "single stream"),
        (("cp", "-r", "cos://{bucket}/d", "-"), "single stream"),
        (("cp", "--json", "cos://{bucket}/k", "-"), "standard output"),
        (("cp", "-r", "cos://{bucket}/d", "cos://{bucket}/d/e"), "copied again"),
        (("cp", "-r", "cos://{bucket}", "cos://{bucket}/e"), "copied again"),
        (("cp", "cos://{bucket}/d/", "cos://{bucket}/e/"), "write the key of the copy"),
        (("cp", "-r", ".", "cos://{bucket}/d", "--content-type", "a/b"), "one object"),
        (("cp", "cos://{bucket}/k", "x", "--metadata", "a=b"), "one object"),
        (("cat", "cos://{bucket}"), "is a bucket"),
        (("ls", "cos://{bucket}/\udcff"), "UTF-8"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(shell: Shell, bucket: str, args: tuple[str, ...], said: str):
    outcome = shell(*(a.format(bucket=bucket) for a in args))
    assert outcome.code == 2, outcome
    assert said in " ".join(outcome.err.replace("│", " ").split())
    assert shell("ls", f"cos://{bucket}").lines == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("cp", "-r", "cos://{bucket}/nothing", "down"), "there are no objects below"),
        (("cp", "-r", "cos://{bucket}/nothing", "cos://{bucket}/there"), "there are no objects below"),
        (("cp", "-r", "missing", "cos://{bucket}/"), "missing: No such file"),
        (("cp", "-r", "cos://not-a-bucket-here/x", "cos://{bucket}/y"), "NoSuchBucket"),
        (("cp", "-r", "cos://{bucket}", "cos://not-a-bucket-here/y"), "NoSuchBucket"),
    ],
)
def test_what_is_not_there_is_one_line(
    shell: Shell, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    put(shell, bucket, "k")
    outcome = shell(*(a.format(bucket=bucket) for a in args))
    assert outcome.code == 1, outcome
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "down").exists()


def test_a_single_file_may_be_copied_recursively(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    assert shell("cp", "-r", str(tmp_path / "a"), f"cos://{bucket}/d/").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["d/a"]


def test_a_link_goes_up_under_its_own_name(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "real").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert shell("cp", str(tmp_path / "link"), f"cos://{bucket}").code == 0
    assert shell("ls", f"cos://{bucket}").lines == ["link"]


def test_a_slash_at_the_end_of_the_target_makes_the_directory(shell: Shell, bucket: str, tmp_path: Path):
    put(shell, bucket, "d/k")
    assert shell("cp", f"cos://{bucket}/d/k", f"{tmp_path}/new/er/").code == 0
    assert (tmp_path / "new" / "er" / "k").read_text() == "d/k"
    assert shell("cp", f"cos://{bucket}/d/k", f"{tmp_path}/no/such").code == 2


@pytest.mark.parametrize("slashes", ["", "/"])
def test_slashes_change_nothing_for_directories(shell: Shell, bucket: str, tmp_path: Path, slashes: str):
    (tmp_path / "tree" / "d").mkdir(parents=True)
    (tmp_path / "tree" / "d" / "f").write_text("f")
    assert shell("cp", "-r", f"{tmp_path}/tree{slashes}", f"cos://{bucket}/t{slashes}").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["t/d/f"]
    assert shell("cp", "-r", f"cos://{bucket}/t{slashes}", f"{tmp_path}/back{slashes}").code == 0
    assert (tmp_path / "back" / "d" / "f").read_text() == "f"


def test_a_copy_with_new_metadata_keeps_the_rest(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    first = f"cos://{bucket}/first"
    assert shell("cp", str(tmp_path / "a"), first, "--content-type", "text/x", "--metadata", "old=1").code == 0
    assert shell("cp", first, f"cos://{bucket}/second", "--metadata", "new=2").code == 0
    assert shell("cp", first, f"cos://{bucket}/third", "--content-type", "text/y").code == 0
    told = [shell("head", "--json", f"cos://{bucket}/{key}").json()[0] for key in ("second", "third")]
    assert [(one["content_type"], one["metadata"]) for one in told] == [("text/x", {"new": "2"}), ("text/y", {"old": "1"})]


def test_failures_of_single_files_are_in_the_json_too(shell: Shell, bucket: str, tmp_path: Path):
    put(shell, bucket, "t/good", "t/../bad")
    outcome = shell("cp", "-r", "--json", f"cos://{bucket}/t", str(tmp_path / "back"))
    assert outcome.code == 1
    (result,) = outcome.json()
    assert (result["files"], result["bytes"]) == (1, len("t/good"))
    assert [error["key"] for error in result["errors"]] == ["t/../bad"]  # type: ignore[union-attr, index]


def test_results_of_single_copies_as_json(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_bytes(b"12345")
    (up,) = shell("cp", "--json", str(tmp_path / "a"), f"cos://{bucket}").json()
    assert (up["bucket"], up["key"], up["size"], up["verified"]) == (bucket, "a", 5, "md5")
    (down,) = shell("cp", "--json", f"cos://{bucket}/a", str(tmp_path / "b")).json()
    assert (down["path"], down["size"], down["etag"]) == (str(tmp_path / "b"), 5, up["etag"])
    (across,) = shell("cp", "--json", f"cos://{bucket}/a", f"cos://{bucket}/d/").json()
    assert (across["key"], across["etag"], across["bytes"]) == ("d/a", up["etag"], 5)
    (gone,) = shell("rm", "--json", f"cos://{bucket}/a").json()
    assert (gone["bucket"], gone["key"]) == (bucket, "a")


def test_neighbours_of_a_prefix_are_asked_about(shell: Shell, bucket: str):
    put(shell, bucket, "log", "log/1", "log/2", "login.html")
    refused = shell("rm", "-r", f"cos://{bucket}/log")
    assert refused.code == 2
    assert "login.html" in refused.err
    assert len(shell("ls", "-r", f"cos://{bucket}").lines) == 4
    (result,) = shell("rm", "-r", "--json", f"cos://{bucket}/log/").json()
    assert result == {"bucket": bucket, "prefix": "log/", "deleted": 2, "errors": []}
    put(shell, bucket, "log/1")
    assert shell("rm", "-r", "-y", f"cos://{bucket}/log").out == "3 deleted\n"


def test_no_neighbours_no_question(shell: Shell, bucket: str):
    put(shell, bucket, "log", "log/1", "other")
    assert shell("rm", "-r", f"cos://{bucket}/log").out == "2 deleted\n"
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["other"]


def test_odd_names_both_ways(shell: Shell, bucket: str, tmp_path: Path):
    names = ["a b", "ü", "+", "%2F", "?x=1", "#", "a&b;c=d", "'\"", "\\", "\t", "-", "~", "日本", "x" * 200]
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in names:
        (tree / name).write_bytes(os.urandom(10) + name.encode())
    assert shell("cp", "-r", str(tree), f"cos://{bucket}").code == 0
    assert sorted(str(row["key"]) for row in shell("ls", "--json", f"cos://{bucket}").json()) == sorted(names)
    assert shell("cp", "-r", f"cos://{bucket}", str(tmp_path / "back")).code == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "back").iterdir()} == {n: (tree / n).read_bytes() for n in names}


def test_a_read_by_name_that_breaks_leaves_the_old_file(
    shell: Shell, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put(shell, bucket, "key")
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(0o600)
    command = ("api", "get-object", "--bucket", bucket, "--key", "key", "--output", str(file))

    async def breaks(stream: ObjectStream) -> AsyncIterator[bytes]:
        yield b"half"
        raise aiocos.ProtocolError("it broke")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStream, "__aiter__", breaks)
        assert shell(*command).code == 1
    assert (file.read_bytes(), os.listdir(tmp_path)) == (b"old", ["file"])
    assert shell(*command).code == 0
    assert (file.read_bytes(), file.stat().st_mode & 0o777, os.listdir(tmp_path)) == (b"key", 0o600, ["file"])
