"""`mv` deletes a source only if size and checksum of the copy agree with it."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import DATA, Shell
from tests.responses import ChangedResponse, change_responses

from aiocos.transfer import manager
from aiocos.wire import digest
from aiocos.wire.message import PreparedRequest

OTHER_MD5 = digest.etag_of(b"something else")


LARGE_SIZE = 17 << 20  # Above the multipart threshold.


OPAQUE_ETAG = "this-is-no-checksum"


def exists(shell: Shell, path: str) -> bool:
    return shell("head", path).code == 0


def assert_not_moved(result: Any) -> None:
    assert result.code == 1, result
    assert "not moved" in result.err


def change_object_responses(
    monkeypatch: pytest.MonkeyPatch, method: str, change: Callable[[ChangedResponse], object], key: str = ""
) -> None:
    """Change the successful responses to `method` for objects whose key ends in `key`."""

    def only(response: ChangedResponse) -> None:
        if response.is_for(method) and response.is_for_object and response.request.path.endswith(key) and response.status < 300:
            change(response)

    change_responses(monkeypatch, only)


@pytest.fixture(autouse=True)
def without_checksums(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the service show no checksums, so that ETags decide; unless the test's name says otherwise."""

    def hide(response: ChangedResponse) -> None:
        for name in [name for name in response.headers if name.lower().startswith("x-amz-checksum-")]:
            del response.headers[name]

    with pytest.MonkeyPatch.context() as patch:
        if "with_checksums" not in request.node.name:
            change_responses(patch, hide)
        yield


def test_upload_with_checksums_is_verified_under_key_protect(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch
):
    enable_key_protect(monkeypatch)
    change_object_responses(monkeypatch, "PUT", set_header("ETag", f'"{OPAQUE_ETAG}"'))
    change_object_responses(monkeypatch, "HEAD", set_header("ETag", f'"{OPAQUE_ETAG}"'))
    assert shell("mv", str(source), f"{bucket_url}/key").code == 0
    assert not source.exists()


def set_header(name: str, value: str) -> Callable[[ChangedResponse], object]:
    return lambda response: response.headers.update({name: value})


def drop_checksum_headers(response: ChangedResponse) -> None:
    """Change a response to that of a service whose only checksums are ETags."""
    for name in [name for name in response.headers if name.lower().startswith("x-amz-checksum-")]:
        del response.headers[name]


def enable_key_protect(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(response: ChangedResponse) -> None:
        if response.is_for("HEAD") and not response.is_for_object:
            response.headers["ibm-sse-kp-enabled"] = "True"

    change_responses(monkeypatch, change)


WRONG_UPLOADS = {
    "another MD5": ("PUT", set_header("ETag", f'"{OTHER_MD5}"'), "the service stored other bytes"),
    "no checksum": ("PUT", set_header("ETag", f'"{OPAQUE_ETAG}"'), "confirmed no checksum"),
    "another size": ("HEAD", set_header("Content-Length", "12"), "the file has 13 bytes, the object 12"),
    "no size": ("HEAD", lambda response: response.headers.popall("Content-Length"), "the object None"),
    "another object": ("HEAD", set_header("ETag", f'"{OTHER_MD5}"'), "was replaced since"),
}


@pytest.mark.parametrize("case", WRONG_UPLOADS)
def test_upload_that_cannot_be_verified(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, case: str
):
    method, change, text = WRONG_UPLOADS[case]
    change_object_responses(monkeypatch, method, change)
    result = shell("mv", str(source), f"{bucket_url}/key")
    assert_not_moved(result)
    assert text in result.err
    assert source.read_bytes() == DATA


@pytest.mark.parametrize("case", ["a part", "the whole"])
def test_multipart_upload_with_a_wrong_etag(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, case: str
):
    source.write_bytes(os.urandom(LARGE_SIZE))

    def change(response: ChangedResponse) -> None:
        if case == "a part" and response.is_for("PUT", partNumber=True) and "partNumber=2" in response.request.query:
            response.headers["ETag"] = f'"{OTHER_MD5}"'
        if case == "the whole" and response.body and b"<CompleteMultipartUploadResult" in response.body:
            response.body = re.sub(rb"[0-9a-f]{32}-3", f"{OTHER_MD5}-3".encode(), response.body)

    change_responses(monkeypatch, change)
    assert_not_moved(shell("mv", str(source), f"{bucket_url}/key"))
    assert source.stat().st_size == LARGE_SIZE


def test_upload_to_a_bucket_with_key_protect(shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    """With Key Protect, ETags may not be MD5s: an ETag that is the MD5 verifies the copy, another one says nothing."""
    enable_key_protect(monkeypatch)
    assert shell("mv", str(source), f"{bucket_url}/key").code == 0
    source.write_bytes(DATA)
    change_object_responses(monkeypatch, "PUT", set_header("ETag", f'"{OTHER_MD5}"'))
    result = shell("mv", str(source), f"{bucket_url}/key")
    assert_not_moved(result)
    assert "confirmed no checksum" in result.err
    assert source.exists()


def test_upload_of_a_directory_keeps_only_the_unverified_file(
    shell: Shell, bucket_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("a", "b", "c"):
        (tmp_path / "tree" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(DATA)
    change_object_responses(monkeypatch, "PUT", set_header("ETag", f'"{OTHER_MD5}"'), key="/b")
    result = shell("mv", "-r", str(tmp_path / "tree"), bucket_url)
    assert_not_moved(result)
    assert f"{tmp_path}/tree/b" in result.err
    assert sorted(os.listdir(tmp_path / "tree")) == ["b"]


def hide_checksums(response: ChangedResponse) -> None:
    """Change a response to that of a service without checksums."""
    drop_checksum_headers(response)
    if response.headers.get("ETag"):
        response.headers["ETag"] = f'"{OPAQUE_ETAG}"'


WRONG_DOWNLOADS: dict[str, tuple[str, Callable[[ChangedResponse], object], str]] = {
    "no checksum": ("", hide_checksums, "returned no checksum to compare with"),
    "another size": ("HEAD", set_header("Content-Length", "12"), "was replaced while it was moved"),
    "another object": ("HEAD", set_header("ETag", f'"{OTHER_MD5}"'), "was replaced while it was moved"),
}


@pytest.mark.parametrize("case", WRONG_DOWNLOADS)
@pytest.mark.parametrize("tree", [False, True])
def test_download_that_cannot_be_verified(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, case: str, tree: bool
):
    assert shell("cp", str(source), f"{bucket_url}/p/key").code == 0
    method, change, text = WRONG_DOWNLOADS[case]
    if method:
        change_object_responses(monkeypatch, method, change)
    else:
        change_responses(monkeypatch, change)
    target = source.parent / "out"
    result = (
        shell("mv", "-r", f"{bucket_url}/p", str(target)) if tree else shell("mv", f"{bucket_url}/p/key", str(target / "key"))
    )
    monkeypatch.undo()
    assert_not_moved(result)
    assert text in result.err
    assert (target / "key").read_bytes() == DATA


def test_unverified_download_keeps_the_object(shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    assert shell("cp", str(source), f"{bucket_url}/key").code == 0
    with monkeypatch.context() as patch:
        change_responses(patch, hide_checksums)
        assert_not_moved(shell("mv", f"{bucket_url}/key", str(source.parent / "out")))
    assert exists(shell, f"{bucket_url}/key")
    assert shell("mv", f"{bucket_url}/key", str(source.parent / "out")).code == 0
    assert not exists(shell, f"{bucket_url}/key")


def set_etag_of_copies(etag: str) -> Callable[[ChangedResponse], object]:
    """Change the ETag of copies, in the response to the copy and in later HEAD responses, which have no other checksum."""

    def change(response: ChangedResponse) -> None:
        drop_checksum_headers(response)
        if response.body and b"<CopyObjectResult" in response.body:
            response.body = re.sub(rb"[0-9a-f]{32}(-\d+)?", etag.encode(), response.body)
        if response.is_for("HEAD") and response.is_for_object and response.request.path.endswith("/copy"):
            response.headers["ETag"] = f'"{etag}"'

    return change


WRONG_COPIES: dict[str, tuple[Callable[[ChangedResponse], object], str]] = {
    "another MD5": (set_etag_of_copies(OTHER_MD5), "the service stored other bytes"),
    "no checksum": (set_etag_of_copies(OPAQUE_ETAG), "returned no checksums of the two that agree"),
    "another size": (
        lambda response: (
            response.is_for("HEAD") and response.request.path.endswith("/copy") and set_header("Content-Length", "12")(response)
        ),
        "the source has 13 bytes, the copy 12",
    ),
    "another object": (
        lambda response: (
            response.is_for("HEAD")
            and response.request.path.endswith("/copy")
            and set_header("ETag", f'"{OTHER_MD5}"')(response)
        ),
        "the copy was replaced since",
    ),
}


@pytest.mark.parametrize("case", WRONG_COPIES)
@pytest.mark.parametrize("tree", [False, True])
def test_copy_that_cannot_be_verified(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, case: str, tree: bool
):
    name = f"{bucket_url}/from/copy" if tree else f"{bucket_url}/key"
    assert shell("cp", str(source), name).code == 0
    change, text = WRONG_COPIES[case]
    with monkeypatch.context() as patch:
        # Change only responses for the copy: in a prefix, the source has the same name.
        change_responses(patch, lambda response: None if "/from/" in response.request.path else change(response))
        if tree:
            result = shell("mv", "-r", f"{bucket_url}/from", f"{bucket_url}/to")
        else:
            result = shell("mv", name, f"{bucket_url}/copy")
    assert_not_moved(result)
    assert text in result.err
    assert exists(shell, name)


def test_copy_of_a_multipart_object_can_be_verified_again(shell: Shell, bucket_url: str, source: Path):
    source.write_bytes(os.urandom(LARGE_SIZE))
    assert shell("cp", str(source), f"{bucket_url}/key").code == 0
    assert shell("mv", f"{bucket_url}/key", f"{bucket_url}/copy").code == 0
    assert not exists(shell, f"{bucket_url}/key")
    assert shell("mv", f"{bucket_url}/copy", str(source.parent / "back")).code == 0
    assert (source.parent / "back").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("good", [True, False])
def test_copy_with_an_etag_of_another_kind_reads_the_source(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, good: bool
):
    """Some services return the MD5 of the whole content as the ETag of a copied multipart object."""
    source.write_bytes(os.urandom(LARGE_SIZE))
    assert shell("cp", str(source), f"{bucket_url}/key").code == 0
    with monkeypatch.context() as patch:
        change_responses(patch, set_etag_of_copies(digest.etag_of(source.read_bytes()) if good else OTHER_MD5))
        result = shell("mv", f"{bucket_url}/key", f"{bucket_url}/copy")
    assert result.code == (0 if good else 1)
    assert exists(shell, f"{bucket_url}/key") is not good
    assert exists(shell, f"{bucket_url}/copy")


def test_copy_with_key_protect_reads_the_source(shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    """Equal ETags that may not be MD5s verify nothing: the source is read and compared with the MD5."""
    assert shell("cp", str(source), f"{bucket_url}/key").code == 0

    def change(response: ChangedResponse) -> None:
        drop_checksum_headers(response)
        if response.body and b"<CopyObjectResult" in response.body:
            response.body = re.sub(rb"[0-9a-f]{32}", b"5" * 32, response.body)
        if response.is_for_object and response.headers.get("ETag"):
            response.headers["ETag"] = '"' + "5" * 32 + '"'
        if not response.is_for_object and response.is_for("HEAD"):
            response.headers["ibm-sse-kp-enabled"] = "True"

    def unconditional(request: PreparedRequest) -> None:
        # The real service has other ETags, so the conditions would fail.
        for name in ("If-Match", "x-amz-copy-source-if-match"):
            request.headers.pop(name, None)

    with monkeypatch.context() as patch:
        change_responses(patch, change, unconditional)
        result = shell("mv", f"{bucket_url}/key", f"{bucket_url}/copy")
    assert_not_moved(result)
    assert "returned no checksums of the two that agree" in result.err
    assert exists(shell, f"{bucket_url}/key")
    with monkeypatch.context() as patch:
        enable_key_protect(patch)
        assert shell("mv", f"{bucket_url}/key", f"{bucket_url}/copy").code == 0
    assert not exists(shell, f"{bucket_url}/key")


@pytest.mark.parametrize("good", [True, False])
def test_copy_is_verified_by_other_checksums(
    shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch, good: bool
):
    assert shell("cp", str(source), f"{bucket_url}/key").code == 0

    def change(response: ChangedResponse) -> None:
        if not response.is_for("HEAD") or not response.is_for_object:
            return
        copy = response.request.path.endswith("/copy")
        response.headers["x-amz-checksum-crc64nvme"] = "AAAAAAAAAAA=" if copy and not good else "AAAAAAAAAAE="

    with monkeypatch.context() as patch:
        change_responses(patch, change)
        result = shell("mv", f"{bucket_url}/key", f"{bucket_url}/copy")
    assert result.code == (0 if good else 1)
    assert exists(shell, f"{bucket_url}/key") is not good


def test_copy_without_etags_keeps_the_source(shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    """Without ETags it is unknown if the source was replaced since, so it is kept."""
    assert shell("cp", str(source), f"{bucket_url}/key").code == 0

    def change(response: ChangedResponse) -> None:
        if response.is_for("HEAD") and response.is_for_object:
            response.headers.popall("ETag", None)
            response.headers["x-amz-checksum-crc64nvme"] = "AAAAAAAAAAE="
        if response.body and b"<CopyObjectResult" in response.body:
            response.body = re.sub(rb"<ETag>.*</ETag>", b"<ETag></ETag>", response.body)

    with monkeypatch.context() as patch:
        change_responses(patch, change)
        assert_not_moved(shell("mv", f"{bucket_url}/key", f"{bucket_url}/copy"))
    assert exists(shell, f"{bucket_url}/key")


def test_download_that_is_truncated(shell: Shell, bucket_url: str, source: Path, monkeypatch: pytest.MonkeyPatch):
    assert shell("cp", str(source), f"{bucket_url}/key").code == 0
    real = manager._DOWNLOAD._function

    async def work(*given: Any) -> Any:
        result = await real(*given)
        os.truncate(result.path, 5)
        return result

    monkeypatch.setattr(manager._DOWNLOAD, "_function", work)
    result = shell("mv", f"{bucket_url}/key", str(source.parent / "out"))
    assert_not_moved(result)
    assert "the object has 13 bytes, the file 5" in result.err
    assert exists(shell, f"{bucket_url}/key")
