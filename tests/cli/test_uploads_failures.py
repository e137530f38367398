"""`uploads ls` and `uploads abort` when uploads end meanwhile or cannot be aborted."""

import json

import pytest
from tests.cli.commands import work_of

import aiocos
from aiocos import Client
from aiocos.cli.uploads import abort, ls
from aiocos.emulator import Emulator, Status


async def opened(cos: Client, *keys: str) -> None:
    await cos.buckets.create("photos")
    for key in keys:
        upload = await cos.multipart.create("photos", key)
        await cos.multipart.upload_part("photos", key, upload.upload_id, 1, b"part")


async def test_an_upload_that_cannot_be_aborted_is_named_and_the_others_are_aborted(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]
):
    await opened(cos, "a", "b", "c")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="AbortMultipartUpload", key="b")])
    with pytest.raises(aiocos.TransferError, match="1 of 3 uploads"):
        await work_of(abort, "cos://photos", yes=True)(cos)
    shown = capsys.readouterr()
    assert [line.split()[:2] for line in shown.out.splitlines()] == [["aborted", "a"], ["aborted", "c"]]
    assert "AccessDenied" in shown.err
    assert [upload.key async for upload in cos.multipart.list_uploads("photos")] == ["b"]


async def test_an_upload_that_ends_meanwhile_is_neither_aborted_nor_a_failure(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]
):
    await opened(cos, "a", "b")
    cos_emulator.faults.script([Status(404, code="NoSuchUpload", operation="AbortMultipartUpload", key="a")])
    await work_of(abort, "cos://photos", yes=True)(cos)
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [["aborted", "b"]]


async def test_an_unknown_upload_id_is_an_error(cos: Client):
    await opened(cos, "a")
    with pytest.raises(aiocos.TransferError, match="no-such-id"):
        await work_of(abort, "cos://photos", upload_id="no-such-id")(cos)
    assert [upload.key async for upload in cos.multipart.list_uploads("photos")] == ["a"]


async def test_parts_of_an_upload_that_ends_meanwhile_count_as_none(
    cos: Client, cos_emulator: Emulator, capsys: pytest.CaptureFixture[str]
):
    await opened(cos, "a", "b")
    cos_emulator.faults.script([Status(404, code="NoSuchUpload", operation="ListParts", key="a")])
    await work_of(ls, "cos://photos", parts=True)(cos)
    first, second = capsys.readouterr().out.splitlines()
    assert " 0 parts" in first
    assert " 1 parts" in second


async def test_a_dry_run_aborts_nothing_and_json_says_so(cos: Client, capsys: pytest.CaptureFixture[str]):
    await opened(cos, "a")
    (upload,) = [upload async for upload in cos.multipart.list_uploads("photos")]
    await work_of(abort, "cos://photos", dry_run=True, as_json=True)(cos)
    line = {"bucket": "photos", "key": "a", "upload_id": upload.upload_id, "aborted": False}
    assert json.loads(capsys.readouterr().out) == line
    await work_of(abort, "cos://photos", yes=True, as_json=True)(cos)
    assert json.loads(capsys.readouterr().out) == {**line, "aborted": True}
    assert [upload async for upload in cos.multipart.list_uploads("photos")] == []
