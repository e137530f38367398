"""`cp`: names of targets, results, refused arguments and resumed transfers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.shell import Shell, put_objects
from tests.waiting import block_until

ODD_KEY = "odd key/ü+%2F?#"


def test_upload_and_download_keep_content_type_and_metadata(shell: Shell, bucket: str, tmp_path: Path):
    data = os.urandom(100_000)
    (tmp_path / "in").write_bytes(data)
    up = shell("cp", str(tmp_path / "in"), f"cos://{bucket}/{ODD_KEY}", "--content-type", "text/x", "--metadata", "who=me")
    assert up.code == 0
    (info,) = shell("head", "--json", f"cos://{bucket}/{ODD_KEY}").json()
    assert info["content_type"] == "text/x"
    assert info["metadata"] == {"who": "me"}
    assert info["content_length"] == 100_000
    assert shell("cp", f"cos://{bucket}/{ODD_KEY}", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out").read_bytes() == data


def test_a_bucket_or_directory_as_target_keeps_the_name_of_the_source(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello")
    source = str(tmp_path / "a.txt")
    for target in (f"cos://{bucket}", f"cos://{bucket}/d/", f"cos://{bucket}/renamed"):
        assert shell("cp", source, target).code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["a.txt", "d/a.txt", "renamed"]
    (tmp_path / "down").mkdir()
    assert shell("cp", f"cos://{bucket}/d/a.txt", str(tmp_path / "down")).code == 0
    assert (tmp_path / "down" / "a.txt").read_text() == "hello"


def test_upload_and_download_of_a_directory(shell: Shell, bucket: str, tmp_path: Path):
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


def test_a_key_that_would_leave_the_target_directory_is_refused(shell: Shell, bucket: str, tmp_path: Path):
    for key in ("t/good", "t/../../escaped"):
        assert shell("cp", "-", f"cos://{bucket}/{key}", stdin="x").code == 0
    down = shell("cp", "-r", f"cos://{bucket}/t", str(tmp_path / "in" / "here"))
    assert down.code == 1
    assert ".." in down.err
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["good"]


@pytest.mark.parametrize(
    ("args", "message"),
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
def test_contradicting_arguments_are_usage_errors(shell: Shell, bucket: str, args: tuple[str, ...], message: str):
    outcome = shell(*(a.format(bucket=bucket) for a in args))
    assert outcome.code == 2, outcome
    assert message in " ".join(outcome.err.replace("│", " ").split())
    assert shell("ls", f"cos://{bucket}").lines == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("cp", "-r", "cos://{bucket}/nothing", "down"), "there are no objects below"),
        (("cp", "-r", "cos://{bucket}/nothing", "cos://{bucket}/there"), "there are no objects below"),
        (("cp", "-r", "missing", "cos://{bucket}/"), "missing: No such file"),
        (("cp", "-r", "cos://not-a-bucket-here/x", "cos://{bucket}/y"), "NoSuchBucket"),
        (("cp", "-r", "cos://{bucket}", "cos://not-a-bucket-here/y"), "NoSuchBucket"),
    ],
)
def test_a_missing_source_or_bucket_is_an_error_of_one_line(
    shell: Shell, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], message: str
):
    monkeypatch.chdir(tmp_path)
    put_objects(shell, bucket, "k")
    outcome = shell(*(a.format(bucket=bucket) for a in args))
    assert outcome.code == 1, outcome
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "down").exists()


def test_recursive_copy_of_a_single_file(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_text("a")
    assert shell("cp", "-r", str(tmp_path / "a"), f"cos://{bucket}/d/").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["d/a"]


def test_a_symbolic_link_is_uploaded_under_its_own_name(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "real").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert shell("cp", str(tmp_path / "link"), f"cos://{bucket}").code == 0
    assert shell("ls", f"cos://{bucket}").lines == ["link"]


def test_a_target_with_a_trailing_slash_is_created_as_a_directory(shell: Shell, bucket: str, tmp_path: Path):
    put_objects(shell, bucket, "d/k")
    assert shell("cp", f"cos://{bucket}/d/k", f"{tmp_path}/new/er/").code == 0
    assert (tmp_path / "new" / "er" / "k").read_text() == "d/k"
    assert shell("cp", f"cos://{bucket}/d/k", f"{tmp_path}/no/such").code == 2


@pytest.mark.parametrize("slashes", ["", "/"])
def test_trailing_slashes_of_directories_do_not_matter(shell: Shell, bucket: str, tmp_path: Path, slashes: str):
    (tmp_path / "tree" / "d").mkdir(parents=True)
    (tmp_path / "tree" / "d" / "f").write_text("f")
    assert shell("cp", "-r", f"{tmp_path}/tree{slashes}", f"cos://{bucket}/t{slashes}").code == 0
    assert shell("ls", "-r", f"cos://{bucket}").lines == ["t/d/f"]
    assert shell("cp", "-r", f"cos://{bucket}/t{slashes}", f"{tmp_path}/back{slashes}").code == 0
    assert (tmp_path / "back" / "d" / "f").read_text() == "f"


def test_json_result_lists_failed_files(shell: Shell, bucket: str, tmp_path: Path):
    put_objects(shell, bucket, "t/good", "t/../bad")
    outcome = shell("cp", "-r", "--json", f"cos://{bucket}/t", str(tmp_path / "back"))
    assert outcome.code == 1
    (result,) = outcome.json()
    assert (result["files"], result["bytes"]) == (1, len("t/good"))
    assert [error["key"] for error in result["errors"]] == ["t/../bad"]  # type: ignore[union-attr, index]


def test_json_results_of_single_copies(shell: Shell, bucket: str, tmp_path: Path):
    (tmp_path / "a").write_bytes(b"12345")
    (up,) = shell("cp", "--json", str(tmp_path / "a"), f"cos://{bucket}").json()
    assert (up["bucket"], up["key"], up["size"], up["verified"]) == (bucket, "a", 5, "checksum")
    (down,) = shell("cp", "--json", f"cos://{bucket}/a", str(tmp_path / "b")).json()
    assert (down["path"], down["size"], down["etag"]) == (str(tmp_path / "b"), 5, up["etag"])
    (across,) = shell("cp", "--json", f"cos://{bucket}/a", f"cos://{bucket}/d/").json()
    assert (across["key"], across["etag"], across["bytes"]) == ("d/a", up["etag"], 5)
    (gone,) = shell("rm", "--json", f"cos://{bucket}/a").json()
    assert (gone["bucket"], gone["key"]) == (bucket, "a")


def test_upload_and_download_of_odd_names(shell: Shell, bucket: str, tmp_path: Path):
    names = ["a b", "ü", "+", "%2F", "?x=1", "#", "a&b;c=d", "'\"", "\\", "\t", "-", "~", "日本", "x" * 200]
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in names:
        (tree / name).write_bytes(os.urandom(10) + name.encode())
    assert shell("cp", "-r", str(tree), f"cos://{bucket}").code == 0
    assert sorted(str(row["key"]) for row in shell("ls", "--json", f"cos://{bucket}").json()) == sorted(names)
    assert shell("cp", "-r", f"cos://{bucket}", str(tmp_path / "back")).code == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "back").iterdir()} == {n: (tree / n).read_bytes() for n in names}


def test_a_killed_upload_is_resumed(shell: Shell, bucket_url: str, tmp_path: Path):
    large, state = tmp_path / "large", tmp_path / "state"
    with large.open("wb") as file:
        file.truncate(200 << 20)
    environment = {**os.environ, **shell.environment, "XDG_STATE_HOME": str(state)}
    command = ["cp", "--resume", "--part-size", "5MiB", "--concurrency", "1", str(large), f"{bucket_url}/large"]
    running = subprocess.Popen([sys.executable, "-m", "aiocos", *command, "-q"], env=environment)
    block_until(lambda: any(path.read_text().count("\n") > 2 for path in state.rglob("*.upload")), "some parts are there")
    running.send_signal(signal.SIGKILL)
    running.wait()
    shell.environment["XDG_STATE_HOME"] = str(state)
    done = shell(*command, "--json").json()[0]
    assert 0 < int(str(done["resumed_bytes"])) < 200 << 20
    assert done["verified"] == "checksum"
    assert shell("uploads", "ls", bucket_url).out == ""
    assert [p for p in state.rglob("*") if p.is_file()] == []
    down = shell("cp", "--resume", f"{bucket_url}/large", str(tmp_path / "back"), "--json").json()[0]
    assert (down["size"], down["resumed_bytes"]) == (200 << 20, 0)


def test_resume_of_streams_and_copies_is_a_usage_error(shell: Shell, bucket_url: str):
    for args in (("-", f"{bucket_url}/x"), (f"{bucket_url}/x", "-"), (f"{bucket_url}/x", f"{bucket_url}/y")):
        assert shell("cp", "--resume", *args).code == 2
