"""boto3 as a client of the emulator's checksums.

boto3 verifies what it reads with the checksum that the service shows. It computes CRC32C and CRC64NVME with awscrt.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable
from typing import Any

import pytest

from aiocos.emulator import Emulator
from aiocos.emulator.checksums import ALGORITHMS
from aiocos.emulator.faults import FlipBit
from aiocos.wire.checksum import Algorithm

from .checksum_requests import composite, value
from .handlers.multipart_requests import MIN

boto3 = pytest.importorskip("boto3")
pytest.importorskip("awscrt")

from boto3.s3.transfer import TransferConfig  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError, FlexibleChecksumError  # noqa: E402


def make(emulator: Emulator, **settings: Any) -> Any:
    client = boto3.client(
        "s3",
        endpoint_url=emulator.endpoint,
        region_name="us-south",
        aws_access_key_id=emulator.access_key_id,
        aws_secret_access_key=emulator.secret_access_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **settings),
    )
    client.create_bucket(Bucket="story")
    return client


async def run(emulator: Emulator, work: Callable[[Any], None], **settings: Any) -> None:
    await asyncio.to_thread(lambda: work(make(emulator, **settings)))


@pytest.mark.parametrize("name", ALGORITHMS)
async def test_an_object_is_written_and_verified(emulator: Emulator, name: Algorithm) -> None:
    body, member = os.urandom(50_000), f"Checksum{name.upper()}"
    wrong = value(name, b"other")

    def work(c: Any) -> None:
        put = c.put_object(Bucket="story", Key="k", Body=body, ChecksumAlgorithm=name.upper())
        assert (put[member], put["ChecksumType"]) == (value(name, body), "FULL_OBJECT")
        with pytest.raises(ClientError, match="BadDigest"):
            c.put_object(Bucket="story", Key="k", Body=body, **{member: wrong})
        got = c.get_object(Bucket="story", Key="k")
        assert (got["Body"].read(), got[member]) == (body, value(name, body))
        entry = c.list_objects_v2(Bucket="story")["Contents"][0]
        assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == ([name.upper()], "FULL_OBJECT")
        emulator.faults.script([FlipBit(at=40_000, operation="GetObject")])
        with pytest.raises(FlexibleChecksumError, match="did not match"):
            c.get_object(Bucket="story", Key="k")["Body"].read()

    await run(emulator, work)


@pytest.mark.parametrize("name", ALGORITHMS)
async def test_a_file_is_uploaded_in_parts_and_verified(emulator: Emulator, name: Algorithm) -> None:
    parts = [os.urandom(MIN), os.urandom(MIN), os.urandom(10)]
    body, member = b"".join(parts), f"Checksum{name.upper()}"
    config = TransferConfig(multipart_threshold=MIN, multipart_chunksize=MIN)

    def work(c: Any) -> None:
        c.upload_fileobj(io.BytesIO(body), "story", "k", ExtraArgs={"ChecksumAlgorithm": name.upper()}, Config=config)
        head = c.head_object(Bucket="story", Key="k", ChecksumMode="ENABLED")
        expected = value(name, body) if head["ChecksumType"] == "FULL_OBJECT" else composite(name, *parts)
        assert head[member] == expected
        assert head["ETag"].endswith('-3"')
        out = io.BytesIO()
        c.download_fileobj("story", "k", out, Config=config)
        assert out.getvalue() == body
        assert c.get_object(Bucket="story", Key="k")["Body"].read() == body
        part = c.get_object(Bucket="story", Key="k", PartNumber=3)
        assert part["Body"].read() == parts[2]
        assert part.get(member) == (value(name, parts[2]) if head["ChecksumType"] == "COMPOSITE" else None)
        copied = c.copy_object(Bucket="story", Key="c", CopySource="story/k")["CopyObjectResult"]
        assert (copied[member], copied["ChecksumType"]) == (value(name, body), "FULL_OBJECT")

    await run(emulator, work)


async def test_without_checksums_an_object_gets_a_crc64nvme(emulator: Emulator) -> None:
    body = os.urandom(MIN + 10)

    def work(c: Any) -> None:
        put = c.put_object(Bucket="story", Key="k", Body=body)
        c.upload_fileobj(
            io.BytesIO(body), "story", "m", Config=TransferConfig(multipart_threshold=MIN, multipart_chunksize=MIN)
        )
        assert put["ChecksumCRC64NVME"] == value("crc64nvme", body)
        for key in ("k", "m"):
            head = c.head_object(Bucket="story", Key=key, ChecksumMode="ENABLED")
            assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (value("crc64nvme", body), "FULL_OBJECT")

    await run(emulator, work, request_checksum_calculation="when_required")


async def test_a_service_that_ignores_checksums_is_used_as_before(emulator: Emulator) -> None:
    emulator.checksums = False

    def work(c: Any) -> None:
        put = c.put_object(Bucket="story", Key="k", Body=b"abc")
        assert [member for member in put if "Checksum" in member] == []
        assert c.get_object(Bucket="story", Key="k")["Body"].read() == b"abc"
        # boto3 sends a CRC here, and such a service needs Content-MD5.
        with pytest.raises(ClientError, match="InvalidRequest"):
            c.delete_objects(Bucket="story", Delete={"Objects": [{"Key": "k"}]})

    try:
        await run(emulator, work)
    finally:
        emulator.checksums = True
