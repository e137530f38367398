"""File objects as sources and targets of transfers."""

from __future__ import annotations

import asyncio
import io
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiofiles
import pytest
from tests.ibm_boto3.s3.helpers import DATA, IN_PARTS, PART, Sink, nothing_left, stored

from aiocos.emulator import Emulator, FlipBit, Reset
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.exceptions import FlexibleChecksumError, ParamValidationError
from aiocos.ibm_boto3.s3.transfer import MB, TransferConfig


class Piped:
    """Something that is read in order, and cannot be rewound."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 70_000) if size > 0 else size)


class Awaited(Piped):
    async def read(self, size: int = -1) -> bytes:  # type: ignore[override]
        return super().read(size)


async def chunks(data: bytes, size: int = 300_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [0, 10, PART, len(DATA)])
async def test_every_kind_of_source(cos: S3Client, tmp_path: Path, size: int):
    data = DATA[:size]
    (tmp_path / "f").write_bytes(b"head" + data)
    at_offset = (tmp_path / "f").open("rb")
    at_offset.seek(4)
    moved = io.BytesIO(b"head" + data)
    moved.seek(4)
    with at_offset:
        async with aiofiles.open(tmp_path / "f", "rb") as later:
            await later.seek(4)
            for source in (at_offset, moved, Piped(data), Awaited(data), chunks(data), later):
                heard: list[int] = []
                await cos.upload_fileobj(source, "bucket", "key", Callback=heard.append, Config=IN_PARTS)
                assert await stored(cos) == data, source
                assert sum(heard) == size, source
    assert not moved.closed
    await nothing_left(cos)


async def test_a_streaming_body_is_a_source(cos: S3Client):
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key")
    async with (await cos.get_object(Bucket="bucket", Key="key"))["Body"] as body:
        await cos.upload_fileobj(body, "bucket", "again", Config=IN_PARTS)
    assert await stored(cos, "again") == DATA


async def test_other_objects_than_files_are_refused(cos: S3Client, tmp_path: Path):
    (tmp_path / "text").write_text("text")
    for wrong in (b"bytes", "name", tmp_path / "text", None, 5):
        with pytest.raises(ValueError, match="Fileobj must implement read"):
            await cos.upload_fileobj(wrong, "bucket", "key")
        with pytest.raises(ValueError, match="Fileobj must implement write"):
            await cos.download_fileobj("bucket", "key", wrong)
    with (tmp_path / "text").open() as text, pytest.raises(ValueError, match="'rb'"):
        await cos.upload_fileobj(text, "bucket", "key")
    with pytest.raises(ValueError, match="'wb'"):
        await cos.download_fileobj("bucket", "key", io.StringIO())
    async with aiofiles.open(tmp_path / "text") as text:
        with pytest.raises(ParamValidationError, match="text file: open it with mode 'rb'"):
            await cos.upload_fileobj(text, "bucket", "key")
    for wrong in (5, None, b"name"):
        with pytest.raises(ValueError, match="Filename must be a string or a path-like object"):
            await cos.upload_file(wrong, "bucket", "key")
        with pytest.raises(ValueError, match="Filename must be a string or a path-like object"):
            await cos.download_file("bucket", "key", wrong)
    assert (await cos.list_objects_v2(Bucket="bucket"))["KeyCount"] == 0


@pytest.mark.parametrize("size", [0, 10, len(DATA)])
async def test_every_kind_of_target(cos: S3Client, tmp_path: Path, size: int):
    await cos.upload_fileobj(io.BytesIO(DATA[:size]), "bucket", "key", Config=IN_PARTS)
    sink, memory = Sink(), io.BytesIO(b"head")
    memory.seek(4)
    with (tmp_path / "f").open("wb") as plain, (tmp_path / "raw").open("wb", buffering=0) as raw:
        async with aiofiles.open(tmp_path / "aio", "wb") as later:
            for target in (sink, memory, plain, raw, later):
                heard: list[int] = []
                await cos.download_fileobj("bucket", "key", target, Callback=heard.append, Config=IN_PARTS)
                assert sum(heard) == size
    assert sink.data == DATA[:size]
    assert memory.getvalue() == b"head" + DATA[:size]
    assert all((tmp_path / name).read_bytes() == DATA[:size] for name in ("f", "raw", "aio"))
    assert sink.largest < 2 * MB


async def test_a_raw_file_that_takes_a_little_at_a_time_gets_all(cos: S3Client):
    class Narrow(io.RawIOBase):
        data = bytearray()
        full = False

        def write(self, data: Any) -> int | None:
            self.full = not self.full
            if self.full:
                return None
            self.data += bytes(data[:100_000])
            return min(len(data), 100_000)

    await cos.upload_fileobj(io.BytesIO(DATA[:MB]), "bucket", "key")
    target = Narrow()
    await cos.download_fileobj("bucket", "key", target)
    assert target.data == DATA[:MB]


async def test_a_stream_writer_is_a_target(cos: S3Client):
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Config=IN_PARTS)
    arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set_result(await reader.read())
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await cos.download_fileobj("bucket", "key", writer)
        writer.close()
        await writer.wait_closed()
        assert await arrived == DATA


async def test_a_broken_download_is_resumed(cos: S3Client, cos_emulator: Emulator):
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Config=IN_PARTS)
    cos_emulator.faults.script([Reset(operation="GetObject", sent=MB)])
    sink = Sink()
    await cos.download_fileobj("bucket", "key", sink)
    assert sink.data == DATA
    assert len(cos_emulator.faults.hits) == 1


@pytest.mark.parametrize("in_parts", [True, False])
async def test_a_download_is_compared_with_its_checksum(cos: S3Client, cos_emulator: Emulator, tmp_path: Path, in_parts: bool):
    await cos.upload_fileobj(io.BytesIO(DATA), "bucket", "key", Config=IN_PARTS if in_parts else TransferConfig(MB << 10))
    (tmp_path / "f").write_bytes(b"before")
    cos_emulator.faults.script([FlipBit(PART + 7, operation="GetObject", times=None)])
    with pytest.raises(FlexibleChecksumError):
        await cos.download_fileobj("bucket", "key", io.BytesIO())
    with pytest.raises(FlexibleChecksumError):
        await cos.download_file("bucket", "key", tmp_path / "f", Config=TransferConfig(MB << 10))
    assert (tmp_path / "f").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["f"]


async def test_unequal_parts_that_look_equal_raise_no_error(
    cos: S3Client, cos_emulator: Emulator, caplog: pytest.LogCaptureFixture
):
    # With a checksum of the object, the sizes of its parts do not matter.
    cos_emulator.checksums = False
    upload_id = (await cos.create_multipart_upload(Bucket="bucket", Key="key"))["UploadId"]
    parts: list[dict[str, Any]] = []
    start = 0
    for number, size in enumerate((PART + 10, PART, PART + 15, 100), 1):
        body = DATA[start : start + size]
        start += size
        part = {"Bucket": "bucket", "Key": "key", "UploadId": upload_id, "PartNumber": number}
        parts.append({"ETag": (await cos.upload_part(Body=body, **part))["ETag"], "PartNumber": number})
    upload = {"Bucket": "bucket", "Key": "key", "UploadId": upload_id}
    await cos.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    target = io.BytesIO()
    with caplog.at_level(logging.WARNING, "aiocos.ibm_boto3"):
        await cos.download_fileobj("bucket", "key", target)
    assert target.getvalue() == DATA[:start]
    assert "sizes of its parts differ" in caplog.text
