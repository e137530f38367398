"""`uploads ls` and `uploads abort`."""

import json
from pathlib import Path

import pytest
from tests.cli.commands import work_of
from tests.cli.shell import Shell

import aiocos
import aiocos.operations
from aiocos import Client
from aiocos.cli.uploads import abort, ls
from aiocos.emulator import Emulator, Status


async def create_uploads(cos: Client, *keys: str) -> None:
    await cos.buckets.create("photos")
    for key in keys:
        upload = await cos.multipart.create("photos", key)
        await cos.multipart.upload_part("photos", key, upload.upload_id, 1, b"part")


async def test_a_failed_abort_does_not_stop_the_others(cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]):
    await create_uploads(cos, "a", "b", "c")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="AbortMultipartUpload", key="b")])
    with pytest.raises(aiocos.TransferError, match="1 of 3 uploads"):
        await work_of(abort, "cos://photos", yes=True)(cos)
    shown = capsys.readouterr()
    assert [line.split()[:2] for line in shown.out.splitlines()] == [["aborted", "a"], ["aborted", "c"]]
    assert "AccessDenied" in shown.err
    assert [upload.key async for upload in cos.multipart.list_uploads("photos")] == ["b"]


async def test_an_upload_that_has_ended_meanwhile_is_not_a_failure(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]
):
    await create_uploads(cos, "a", "b")
    cos_emulator.faults.script([Status(404, code="NoSuchUpload", operation="AbortMultipartUpload", key="a")])
    await work_of(abort, "cos://photos", yes=True)(cos)
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [["aborted", "b"]]


async def test_an_unknown_upload_id_is_an_error(cos: Client):
    await create_uploads(cos, "a")
    with pytest.raises(aiocos.TransferError, match="no-such-id"):
        await work_of(abort, "cos://photos", upload_id="no-such-id")(cos)
    assert [upload.key async for upload in cos.multipart.list_uploads("photos")] == ["a"]


async def test_an_upload_that_has_ended_meanwhile_has_no_parts(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]
):
    await create_uploads(cos, "a", "b")
    cos_emulator.faults.script([Status(404, code="NoSuchUpload", operation="ListParts", key="a")])
    await work_of(ls, "cos://photos", parts=True)(cos)
    first, second = capsys.readouterr().out.splitlines()
    assert " 0 parts" in first
    assert " 1 parts" in second


async def test_a_dry_run_aborts_nothing(cos: Client, capsys: pytest.CaptureFixture[str]):
    await create_uploads(cos, "a")
    (upload,) = [upload async for upload in cos.multipart.list_uploads("photos")]
    await work_of(abort, "cos://photos", dry_run=True, as_json=True)(cos)
    line = {"bucket": "photos", "key": "a", "upload_id": upload.upload_id, "aborted": False}
    assert json.loads(capsys.readouterr().out) == line
    await work_of(abort, "cos://photos", yes=True, as_json=True)(cos)
    assert json.loads(capsys.readouterr().out) == {**line, "aborted": True}
    assert [upload async for upload in cos.multipart.list_uploads("photos")] == []


def test_open_uploads_are_listed_and_aborted(shell: Shell, bucket_url: str, tree: Path):
    name = bucket_url.removeprefix("cos://")
    create = ("api", "create-multipart-upload", "--bucket", name, "--key")
    upload_ids = [shell(*create, key).json()[0]["upload_id"] for key in ("p/a", "p/b", "q")]
    part = tree / "part"
    part.write_bytes(b"x" * 100)
    shell(
        "api", "upload-part", "--bucket", name, "--key", "p/a", "--upload-id", str(upload_ids[0]), "--part-number", "1",
        "--data", f"@{part}",
    )  # fmt: skip
    listed = shell("uploads", "ls", bucket_url, "--parts", "--json").json()
    assert [(u["key"], u["upload_id"], u["parts"], u["bytes"]) for u in listed] == [
        ("p/a", upload_ids[0], 1, 100), ("p/b", upload_ids[1], 0, 0), ("q", upload_ids[2], 0, 0),
    ]  # fmt: skip
    assert str(upload_ids[1]) in shell("uploads", "ls", f"{bucket_url}/p/").out
    assert str(upload_ids[2]) not in shell("uploads", "ls", f"{bucket_url}/p/").out
    assert shell("uploads", "ls", bucket_url, "--older-than", "1d").out == ""
    assert shell("uploads", "abort", bucket_url, "--older-than", "7d").out == ""
    assert shell("uploads", "abort", bucket_url).code == 2, "standard input is not a terminal"
    assert shell("uploads", "abort", bucket_url, "--older-than", "soon").code == 2
    dry = shell("uploads", "abort", bucket_url, "--dry-run")
    assert dry.out.count("would abort") == 3
    assert shell("uploads", "abort", bucket_url, "--upload-id", str(upload_ids[1])).code == 0
    assert shell("uploads", "abort", bucket_url, "--upload-id", str(upload_ids[1])).code == 1
    assert shell("uploads", "abort", f"{bucket_url}/p", "--yes").out == f"aborted p/a {upload_ids[0]}\n"
    assert [u["key"] for u in shell("uploads", "ls", bucket_url, "--json").json()] == ["q"]


@pytest.mark.parametrize("age", ["9" * 20 + "d", "9" * 5000 + "s"])
def test_an_age_that_is_too_long_is_a_usage_error(shell: Shell, age: str):
    outcome = shell("uploads", "ls", "cos://photos", "--older-than", age)
    assert outcome.code == 2
    assert "too long" in " ".join(outcome.err.replace("│", " ").split())
