"""Bodies of requests: files, streams and objects with a `read` of any kind."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiofiles
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.ibm_boto3 import S3Client, exceptions
from aiocos.ibm_boto3.exceptions import FlexibleChecksumError, ParamValidationError
from aiocos.ibm_boto3.payload import read_body
from aiocos.ibm_boto3.s3.transfer import TransferConfig


class Chatty:
    """A file whose `read` is awaited."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        await asyncio.sleep(0)
        return self._data.read(size)


async def _bits(data: bytes) -> AsyncIterator[bytes]:
    for n in range(0, len(data), 3):
        yield data[n : n + 3]


async def test_bodies_of_all_types(client: S3Client, bucket: str, tmp_path: Path) -> None:
    data = b"some bytes, \xff and more"
    path = tmp_path / "file"
    path.write_bytes(data)

    async def kept(body: Any, **more: Any) -> bytes:
        await client.put_object(Bucket=bucket, Key="k", Body=body, **more)
        return await (await client.get_object(Bucket=bucket, Key="k"))["Body"].read()

    assert await kept("täxt") == "täxt".encode()
    for body in (data, bytearray(data), memoryview(data), io.BytesIO(data), Chatty(data), _bits(data)):
        assert await kept(body) == data
    with path.open("rb") as file:
        file.seek(5)
        assert await kept(file) == data[5:]
        file.seek(2)
        assert await kept(file, ContentLength=4) == data[2:6]
    async with aiofiles.open(path, "rb") as file:
        assert await kept(file) == data
    await client.put_object(Bucket=bucket, Key="source", Body=data)
    assert await kept((await client.get_object(Bucket=bucket, Key="source"))["Body"]) == data
    assert (await client.put_object(Bucket=bucket, Key="empty"))["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    path.write_text("text")
    with path.open() as text, pytest.raises(exceptions.ParamValidationError, match="text file"):
        await client.put_object(Bucket=bucket, Key="k", Body=text)
    with pytest.raises(exceptions.ParamValidationError, match="ContentLength: 9, the body has 3"):
        await client.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(b"abc"), ContentLength=9)


MIB = 1024 * 1024


class Short(io.RawIOBase):
    """A raw file that gives pieces of these sizes, whatever is asked for: a pipe, a socket."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data = io.BytesIO(data)
        self._sizes = iter(sizes)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(next(self._sizes, 3), len(buffer))
        piece = self._data.read(size)
        buffer[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        # As some files have it: what is there now.
        return self.read(MIB) or b""


class Plain:
    """Nothing but a `read(size)`."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._raw = Short(data, sizes)

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(MIB if size < 0 else size) or b""


class Awaited(Plain):
    async def read(self, size: int = -1) -> bytes:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().read(size)


class Wrapped(Plain):
    """A plain function that returns an awaitable."""

    def read(self, size: int = -1) -> Any:
        piece = super().read(size)

        async def later() -> bytes:
            return piece

        return later()


class Unsized(Plain):
    """A `read` without a size."""

    def read(self) -> bytes:  # type: ignore[override]
        return super().read(5)


class UnsizedAwaited(Plain):
    async def read(self) -> bytes:  # type: ignore[override]
        return super().read(5)


class Reused(Plain):
    """Gives the same memory for every piece."""

    def read(self, size: int = -1) -> Any:
        piece = super().read(size)
        self._memory: bytearray
        if not hasattr(self, "_memory"):
            self._memory = bytearray(MIB)
        self._memory[: len(piece)] = piece
        return memoryview(self._memory)[: len(piece)]


def _stream(data: bytes, sizes: list[int]) -> AsyncIterator[bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        raw = Short(data, sizes)
        yield b""
        while piece := raw.read(MIB):
            yield piece

    return pieces()


MODELS: dict[str, Callable[[bytes, list[int]], Any]] = {
    "raw": Short,
    "buffered": lambda data, sizes: io.BufferedReader(Short(data, sizes), 7),
    "plain": Plain,
    "awaited": Awaited,
    "wrapped": Wrapped,
    "unsized": Unsized,
    "unsized-awaited": UnsizedAwaited,
    "reused": Reused,
    "iterator": _stream,
    "bytesio": lambda data, _: io.BytesIO(data),
}


@pytest.mark.parametrize("kind", MODELS)
@given(st.binary(max_size=60), st.lists(st.integers(1, 9), max_size=30), st.none() | st.integers(0, 70))
async def test_all_of_a_file_is_read(kind: str, data: bytes, sizes: list[int], length: int | None) -> None:
    body = MODELS[kind](data, sizes)
    if length is None:
        assert bytes(await read_body(body, None)) == data
        return
    cut = kind not in ("iterator", "unsized", "unsized-awaited")
    if length > len(data) or (length != len(data) and not cut):
        with pytest.raises(ParamValidationError, match=f"ContentLength: {length}, the body has {len(data)}"):
            await read_body(body, length)
    else:
        assert bytes(await read_body(body, length)) == data[:length]


async def _back(client: S3Client, key: str) -> bytes:
    return await (await client.get_object(Bucket="bucket", Key=key))["Body"].read()


@pytest.mark.parametrize("kind", MODELS)
async def test_all_of_a_file_is_stored(kind: str, cos: S3Client) -> None:
    """By every way that a body takes: one request, a part, and the two transfers of file objects."""
    data, sizes = os.urandom(40_000), [1, 999, 4096, 20_000, 7]
    await cos.put_object(Bucket="bucket", Key="put", Body=MODELS[kind](data, sizes))
    assert await _back(cos, "put") == data
    upload = (await cos.create_multipart_upload(Bucket="bucket", Key="part"))["UploadId"]
    named = {"Bucket": "bucket", "Key": "part", "UploadId": upload}
    part = await cos.upload_part(**named, PartNumber=1, Body=MODELS[kind](data, sizes))
    await cos.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert await _back(cos, "part") == data
    if kind.startswith("unsized"):
        return  # what is transferred is read by size
    await cos.upload_fileobj(MODELS[kind](data, sizes), "bucket", "fileobj")
    assert await _back(cos, "fileobj") == data


async def test_files_that_return_less_than_was_requested(cos: S3Client, tmp_path: Path) -> None:
    data = os.urandom(3 * MIB + 17)
    path = tmp_path / "data.gz"
    path.write_bytes(gzip.compress(data, 1))
    with gzip.open(path) as packed:
        await cos.put_object(Bucket="bucket", Key="gzip", Body=packed)
    assert await _back(cos, "gzip") == data
    async with aiofiles.open(path, "rb", buffering=0) as raw:
        await cos.put_object(Bucket="bucket", Key="aiofiles", Body=raw)
    assert await _back(cos, "aiofiles") == path.read_bytes()
    for buffering in (0, -1):
        reading, writing = os.pipe()

        def fill(writing: int = writing) -> None:
            with open(writing, "wb", buffering=0) as end:
                for at in range(0, len(data), 100_000):
                    end.write(data[at : at + 100_000])

        thread = threading.Thread(target=fill)
        thread.start()
        with open(reading, "rb", buffering=buffering) as pipe:
            await cos.put_object(Bucket="bucket", Key="pipe", Body=pipe)
        thread.join()
        assert await _back(cos, "pipe") == data
    response = await cos.get_object(Bucket="bucket", Key="gzip")
    await cos.put_object(Bucket="bucket", Key="body", Body=response["Body"])
    assert await _back(cos, "body") == data
    async with cos.typed.objects.get("bucket", "gzip") as stream:
        await cos.put_object(Bucket="bucket", Key="typed", Body=stream)
    assert await _back(cos, "typed") == data


async def test_transfers_of_short_reads_go_in_parts(cos: S3Client) -> None:
    data = os.urandom(11 * MIB)
    for kind in ("raw", "awaited", "iterator"):
        config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
        await cos.upload_fileobj(MODELS[kind](data, [MIB - 1] * 20), "bucket", "k", Config=config)
        assert (await cos.head_object(Bucket="bucket", Key="k"))["ETag"].endswith('-3"')
        assert await _back(cos, "k") == data


async def test_text_is_refused_like_the_sdk_does(cos: S3Client, sdk: Any, tmp_path: Path, cos_emulator: Any) -> None:
    """IBM's SDK raises a `TypeError`; ours is one too, and says what to do. Nothing is sent."""
    (tmp_path / "text").write_text("täxt")

    class Late:
        """Gives text after bytes."""

        def __init__(self) -> None:
            self._pieces = [b"bytes", "text"]

        def read(self, size: int = -1) -> Any:
            return self._pieces.pop(0) if self._pieces else b""

    async def texts() -> AsyncIterator[Any]:
        yield "text"

    arguments = {"Bucket": "bucket", "Key": "k"}
    with (tmp_path / "text").open() as file:
        for body in (file, io.StringIO("text"), io.StringIO("")):
            with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
                await asyncio.to_thread(sdk.put_object, **arguments, Body=body)
    before = len(cos_emulator.requests)
    with (tmp_path / "text").open() as file:
        for text in (file, io.StringIO("text"), io.StringIO(""), Late(), texts()):
            with pytest.raises(ParamValidationError, match="a bytes-like object is required, not 'str'") as caught:
                await cos.put_object(**arguments, Body=text)
            assert isinstance(caught.value, TypeError)
    # Transfers of file objects too; before IBM's SDK has anything to sign.
    with (tmp_path / "text").open() as file:
        for text in (file, io.StringIO("text"), Late(), texts()):
            with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
                await cos.upload_fileobj(text, "bucket", "k")
        for text in (file, io.StringIO("text")):
            with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
                await asyncio.to_thread(sdk.upload_fileobj, text, "bucket", "k")
    assert len(cos_emulator.requests) == before


async def test_a_read_that_returns_no_bytes_is_refused(cos: S3Client) -> None:
    class Gives:
        def __init__(self, piece: Any) -> None:
            self._piece = piece

        def read(self, size: int = -1) -> Any:
            return self._piece

    for piece, message in [
        (None, "is non-blocking and has no data yet"),
        (5, "returned int, not bytes"),
        ([], "returned list, not bytes"),
    ]:
        with pytest.raises(ParamValidationError, match=message):
            await cos.put_object(Bucket="bucket", Key="k", Body=Gives(piece))


async def test_requested_checksums_are_sent(cos: S3Client, sdk: Any) -> None:
    for algorithm in ("SHA1", "sha1", "SHA256", "sha256", "CRC32", "crc32"):
        arguments = {"Bucket": "bucket", "Key": "k", "Body": b"some bytes" * 50_000, "ChecksumAlgorithm": algorithm}
        ours = await cos.put_object(**arguments)
        theirs = await asyncio.to_thread(lambda arguments=arguments: sdk.put_object(**arguments))
        name = f"Checksum{algorithm.upper()}"
        assert ours[name] == theirs[name]
    with pytest.raises(FlexibleChecksumError, match="Unsupported checksum algorithm: odd"):
        await cos.put_object(Bucket="bucket", Key="k", Body=b"1", ChecksumAlgorithm="odd")
