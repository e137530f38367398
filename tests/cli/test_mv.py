"""`mv` deletes its source only after proof: a size and a checksum that agree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.answers import Answer, altered
from tests.cli.conftest import Shell
from tests.servers import environment, moto, rclone

from aiocos.transfer import manager as methods
from aiocos.wire import digest
from aiocos.wire.message import PreparedRequest

DATA = b"what is moved"
OTHER = digest.etag_of(b"something else")
LARGE = 17 << 20  # above the threshold
OPAQUE = "this-is-no-checksum"


@pytest.fixture
def place(bucket: str) -> str:
    return f"cos://{bucket}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path


def there(shell: Shell, path: str) -> bool:
    return shell("head", path).code == 0


def stayed(result: Any) -> None:
    assert result.code == 1, result
    assert "not moved" in result.err


def tell(monkeypatch: pytest.MonkeyPatch, method: str, change: Callable[[Answer], object], key: str = "") -> None:
    """Change the answers of this method that are about an object whose key ends so."""

    def only(answer: Answer) -> None:
        if answer.of(method) and answer.of_object and answer.request.path.endswith(key) and answer.status < 300:
            change(answer)

    altered(monkeypatch, only)


def header(name: str, value: str) -> Callable[[Answer], object]:
    return lambda answer: answer.headers.update({name: value})


def protect(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(answer: Answer) -> None:
        if answer.of("HEAD") and not answer.of_object:
            answer.headers["ibm-sse-kp-enabled"] = "True"

    altered(monkeypatch, change)


# -- up ---------------------------------------------------------------------------------------------------------------

LIES_UP = {
    "another MD5": ("PUT", header("ETag", f'"{OTHER}"'), "what is stored is something else"),
    "no checksum": ("PUT", header("ETag", f'"{OPAQUE}"'), "confirmed no checksum"),
    "another size": ("HEAD", header("Content-Length", "12"), "the file has 13 bytes, the object 12"),
    "no size": ("HEAD", lambda answer: answer.headers.popall("Content-Length"), "the object None"),
    "another object": ("HEAD", header("ETag", f'"{OTHER}"'), "was replaced since"),
}


@pytest.mark.parametrize("lie", LIES_UP)
def test_up(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, lie: str):
    method, change, text = LIES_UP[lie]
    tell(monkeypatch, method, change)
    result = shell("mv", str(source), f"{place}/key")
    stayed(result)
    assert text in result.err
    assert source.read_bytes() == DATA


@pytest.mark.parametrize("lie", ["a part", "the whole"])
def test_up_in_parts(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, lie: str):
    source.write_bytes(os.urandom(LARGE))

    def change(answer: Answer) -> None:
        if lie == "a part" and answer.of("PUT", partNumber=True) and "partNumber=2" in answer.request.query:
            answer.headers["ETag"] = f'"{OTHER}"'
        if lie == "the whole" and answer.body and b"<CompleteMultipartUploadResult" in answer.body:
            answer.body = re.sub(rb"[0-9a-f]{32}-3", f"{OTHER}-3".encode(), answer.body)

    altered(monkeypatch, change)
    stayed(shell("mv", str(source), f"{place}/key"))
    assert source.stat().st_size == LARGE


def test_up_to_a_bucket_under_key_protect(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    """ETags there may be no MD5s: those that are prove the copy, those that are not are no contradiction, and no proof."""
    protect(monkeypatch)
    assert shell("mv", str(source), f"{place}/key").code == 0
    source.write_bytes(DATA)
    tell(monkeypatch, "PUT", header("ETag", f'"{OTHER}"'))
    result = shell("mv", str(source), f"{place}/key")
    stayed(result)
    assert "confirmed no checksum" in result.err
    assert source.exists()


def test_a_tree_up(shell: Shell, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a", "b", "c"):
        (tmp_path / "tree" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(DATA)
    tell(monkeypatch, "PUT", header("ETag", f'"{OTHER}"'), key="/b")
    result = shell("mv", "-r", str(tmp_path / "tree"), place)
    stayed(result)
    assert f"{tmp_path}/tree/b" in result.err
    assert sorted(os.listdir(tmp_path / "tree")) == ["b"]


# -- down -------------------------------------------------------------------------------------------------------------


def opaque(answer: Answer) -> None:
    """A service whose ETags are no checksums, and that gives no others."""
    if answer.headers.get("ETag"):
        answer.headers["ETag"] = f'"{OPAQUE}"'


LIES_DOWN: dict[str, tuple[str, Callable[[Answer], object], str]] = {
    "no checksum": ("", opaque, "returned no checksum to compare with"),
    "another size": ("HEAD", header("Content-Length", "12"), "was replaced while it was moved"),
    "another object": ("HEAD", header("ETag", f'"{OTHER}"'), "was replaced while it was moved"),
}


@pytest.mark.parametrize("lie", LIES_DOWN)
@pytest.mark.parametrize("tree", [False, True])
def test_down(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, lie: str, tree: bool):
    assert shell("cp", str(source), f"{place}/p/key").code == 0
    method, change, text = LIES_DOWN[lie]
    if method:
        tell(monkeypatch, method, change)
    else:
        altered(monkeypatch, change)
    target = source.parent / "out"
    result = shell("mv", "-r", f"{place}/p", str(target)) if tree else shell("mv", f"{place}/p/key", str(target / "key"))
    monkeypatch.undo()
    stayed(result)
    assert text in result.err
    assert (target / "key").read_bytes() == DATA


def test_down_leaves_what_it_could_not_prove(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    assert shell("cp", str(source), f"{place}/key").code == 0
    with monkeypatch.context() as patch:
        altered(patch, opaque)
        stayed(shell("mv", f"{place}/key", str(source.parent / "out")))
    assert there(shell, f"{place}/key")
    assert shell("mv", f"{place}/key", str(source.parent / "out")).code == 0
    assert not there(shell, f"{place}/key")


def test_down_is_flushed_to_disk(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    assert shell("cp", str(source), f"{place}/p/key").code == 0
    asked: list[bool | None] = []
    real = methods._DOWNLOAD._function

    def work(service: Any, budget: Any, request: Any, monitor: Any) -> Any:
        asked.append(request.fsync)
        return real(service, budget, request, monitor)

    monkeypatch.setattr(methods._DOWNLOAD, "_function", work)
    assert shell("mv", f"{place}/p/key", str(source.parent / "out")).code == 0
    assert asked == [True]


@pytest.mark.parametrize("tree", [True, False])
def test_down_directories_that_are_made_are_flushed(
    shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, *, tree: bool
):
    """A flushed file is lost with its directory, where that has no name on the disk yet."""
    assert shell("cp", str(source), f"{place}/p/a/b/key").code == 0
    flushed: set[int] = set()
    real = os.fsync

    def fsync(fd: int) -> None:
        flushed.add(os.fstat(fd).st_ino)
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    target = source.parent / "new" / "out"
    result = shell("mv", "-r", f"{place}/p", str(target)) if tree else shell("mv", f"{place}/p/a/b/key", f"{target}/a/b/key")
    assert result.code == 0
    key = target / "a" / "b" / "key"
    assert key.read_bytes() == DATA
    for path in (key, *key.parents):
        assert path.stat().st_ino in flushed, path
        if path == source.parent:
            return


@pytest.mark.parametrize("change", ["another file", "written, and its time set back"])
def test_up_sees_a_change_that_size_and_time_do_not_show(
    shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, change: str
):
    real = methods._UPLOAD._function

    async def work(service: Any, budget: Any, request: Any, monitor: Any) -> Any:
        result = await real(service, budget, request, monitor)
        info, other = source.stat(), source.parent / "other"
        where = other if change == "another file" else source
        where.write_bytes(DATA[::-1])
        os.utime(where, ns=(info.st_atime_ns, info.st_mtime_ns))
        if where is other:
            other.replace(source)
        return result

    monkeypatch.setattr(methods._UPLOAD, "_function", work)
    result = shell("mv", str(source), f"{place}/key")
    assert result.code == 1
    assert "was changed while it was moved" in result.err
    assert source.read_bytes() == DATA[::-1]


def test_up_moves_all_names_of_a_file(shell: Shell, place: str, source: Path):
    tree = source.parent / "tree"
    tree.mkdir()
    (tree / "a").write_bytes(DATA)
    for name in "bcdefgh":
        os.link(tree / "a", tree / name)
    result = shell("mv", "-r", str(tree), f"{place}/tree")
    assert result.code == 0, result.err
    assert not list(tree.iterdir())


# -- within -----------------------------------------------------------------------------------------------------------


def of_copies(etag: str) -> Callable[[Answer], object]:
    """Have the service give copies this ETag, and keep to it."""

    def change(answer: Answer) -> None:
        if answer.body and b"<CopyObjectResult" in answer.body:
            answer.body = re.sub(rb"[0-9a-f]{32}(-\d+)?", etag.encode(), answer.body)
        if answer.of("HEAD") and answer.of_object and answer.request.path.endswith("/copy"):
            answer.headers["ETag"] = f'"{etag}"'

    return change


LIES_WITHIN: dict[str, tuple[Callable[[Answer], object], str]] = {
    "another MD5": (of_copies(OTHER), "what is stored is something else"),
    "no checksum": (of_copies(OPAQUE), "returned no checksums of the two that agree"),
    "another size": (
        lambda answer: answer.of("HEAD") and answer.request.path.endswith("/copy") and header("Content-Length", "12")(answer),
        "the source has 13 bytes, the copy 12",
    ),
    "another object": (
        lambda answer: answer.of("HEAD") and answer.request.path.endswith("/copy") and header("ETag", f'"{OTHER}"')(answer),
        "the copy was replaced since",
    ),
}


@pytest.mark.parametrize("lie", LIES_WITHIN)
@pytest.mark.parametrize("tree", [False, True])
def test_within(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, lie: str, tree: bool):
    name = f"{place}/from/copy" if tree else f"{place}/key"
    assert shell("cp", str(source), name).code == 0
    change, text = LIES_WITHIN[lie]
    with monkeypatch.context() as patch:
        # Only of the copy: in the other tree the source has its name, too.
        altered(patch, lambda answer: None if "/from/" in answer.request.path else change(answer))
        if tree:
            result = shell("mv", "-r", f"{place}/from", f"{place}/to")
        else:
            result = shell("mv", name, f"{place}/copy")
    stayed(result)
    assert text in result.err
    assert there(shell, name)


def test_within_objects_of_parts_keep_their_proof(shell: Shell, place: str, source: Path):
    source.write_bytes(os.urandom(LARGE))
    assert shell("cp", str(source), f"{place}/key").code == 0
    assert shell("mv", f"{place}/key", f"{place}/copy").code == 0
    assert not there(shell, f"{place}/key")
    assert shell("mv", f"{place}/copy", str(source.parent / "back")).code == 0
    assert (source.parent / "back").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("good", [True, False])
def test_within_where_the_copy_has_an_etag_of_another_kind(
    shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, good: bool
):
    """Some services give the copy of an object made of parts the MD5 of all of it. Then the source is read."""
    source.write_bytes(os.urandom(LARGE))
    assert shell("cp", str(source), f"{place}/key").code == 0
    with monkeypatch.context() as patch:
        altered(patch, of_copies(digest.etag_of(source.read_bytes()) if good else OTHER))
        result = shell("mv", f"{place}/key", f"{place}/copy")
    assert result.code == (0 if good else 1)
    assert there(shell, f"{place}/key") is not good
    assert there(shell, f"{place}/copy")


def test_within_under_key_protect(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    """The same ETag twice says nothing where it may be no MD5; where it is one, reading the source shows it."""
    assert shell("cp", str(source), f"{place}/key").code == 0

    def change(answer: Answer) -> None:
        if answer.body and b"<CopyObjectResult" in answer.body:
            answer.body = re.sub(rb"[0-9a-f]{32}", b"5" * 32, answer.body)
        if answer.of_object and answer.headers.get("ETag"):
            answer.headers["ETag"] = '"' + "5" * 32 + '"'
        if not answer.of_object and answer.of("HEAD"):
            answer.headers["ibm-sse-kp-enabled"] = "True"

    def unconditional(request: PreparedRequest) -> None:
        # Held against the ETags that the service really has, no condition would hold.
        for name in ("If-Match", "x-amz-copy-source-if-match"):
            request.headers.pop(name, None)

    with monkeypatch.context() as patch:
        altered(patch, change, unconditional)
        result = shell("mv", f"{place}/key", f"{place}/copy")
    stayed(result)
    assert "returned no checksums of the two that agree" in result.err
    assert there(shell, f"{place}/key")
    with monkeypatch.context() as patch:
        protect(patch)
        assert shell("mv", f"{place}/key", f"{place}/copy").code == 0
    assert not there(shell, f"{place}/key")


@pytest.mark.parametrize("good", [True, False])
def test_within_by_other_checksums(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch, good: bool):
    assert shell("cp", str(source), f"{place}/key").code == 0

    def change(answer: Answer) -> None:
        if not answer.of("HEAD") or not answer.of_object:
            return
        copy = answer.request.path.endswith("/copy")
        answer.headers["x-amz-checksum-crc64nvme"] = "AAAAAAAAAAA=" if copy and not good else "AAAAAAAAAAE="

    with monkeypatch.context() as patch:
        altered(patch, change)
        result = shell("mv", f"{place}/key", f"{place}/copy")
    assert result.code == (0 if good else 1)
    assert there(shell, f"{place}/key") is not good


def test_within_where_nothing_tells_versions_apart(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    """The copy is proven; whether the source is still what was copied is not."""
    assert shell("cp", str(source), f"{place}/key").code == 0

    def change(answer: Answer) -> None:
        if answer.of("HEAD") and answer.of_object:
            answer.headers.popall("ETag", None)
            answer.headers["x-amz-checksum-crc64nvme"] = "AAAAAAAAAAE="
        if answer.body and b"<CopyObjectResult" in answer.body:
            answer.body = re.sub(rb"<ETag>.*</ETag>", b"<ETag></ETag>", answer.body)

    with monkeypatch.context() as patch:
        altered(patch, change)
        stayed(shell("mv", f"{place}/key", f"{place}/copy"))
    assert there(shell, f"{place}/key")


def test_down_to_a_file_that_is_cut_short(shell: Shell, place: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    assert shell("cp", str(source), f"{place}/key").code == 0
    real = methods._DOWNLOAD._function

    async def work(*given: Any) -> Any:
        result = await real(*given)
        os.truncate(result.path, 5)
        return result

    monkeypatch.setattr(methods._DOWNLOAD, "_function", work)
    result = shell("mv", f"{place}/key", str(source.parent / "out"))
    stayed(result)
    assert "the object has 13 bytes, the file 5" in result.err
    assert there(shell, f"{place}/key")


# -- services of others -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["moto", "rclone"])
def test_a_large_file_goes_up_and_comes_back_on_other_services(tmp_path: Path, service: str):
    """moto names versions that it has not, and rclone gives the object another ETag than its completion."""
    (tmp_path / "data").mkdir()
    content = os.urandom(20 << 20)
    (tmp_path / "file").write_bytes(content)
    with moto() if service == "moto" else rclone(tmp_path / "data") as server:
        settings = {
            "AIOCOS_ENDPOINT": server.endpoint,
            "AWS_ACCESS_KEY_ID": server.access_key_id,
            "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        }
        for arguments in (
            ["mb", "cos://bucket"],
            ["mv", str(tmp_path / "file"), "cos://bucket/a"],
            ["mv", "cos://bucket/a", "cos://bucket/b"],
            ["mv", "cos://bucket/b", str(tmp_path / "back")],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "aiocos", *arguments], env=environment(**settings), capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr
            assert not (tmp_path / "file").exists() or arguments[0] == "mb"
    assert (tmp_path / "back").read_bytes() == content
