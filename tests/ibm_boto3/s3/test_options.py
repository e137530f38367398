"""`TransferConfig` and `ExtraArgs`."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from ibm_boto3.s3.transfer import TransferConfig as Theirs
from ibm_s3transfer.manager import TransferManager as TheirManager

from aiocos.config import GIB, MAX_PART, MIB, MIN_PART
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.exceptions import ParamValidationError
from aiocos.ibm_boto3.s3.transfer import TransferConfig, TransferManager
from aiocos.wire.checksum import compute, encode


def shown_sum(file: Path) -> str:
    return encode(compute("crc32", file.read_bytes()))


async def test_unknown_extra_arguments_are_refused(cos: S3Client, file: Path):
    for mine, refused in (
        ("UPLOAD", {"ChecksumType", "MpuObjectSize", "SSEKMSEncryptionContext"}),
        ("DOWNLOAD", set[str]()),
        ("COPY", {"ChecksumAlgorithm", "SSEKMSEncryptionContext"}),
        ("DELETE", set[str]()),
    ):
        taken: list[str] = getattr(TransferManager, f"ALLOWED_{mine}_ARGS")
        theirs = set(getattr(TheirManager, f"ALLOWED_{mine}_ARGS"))
        assert theirs - set(taken) == refused
    with pytest.raises(ValueError, match="Invalid extra_args key 'Foo', must be one of: ACL, CacheControl"):
        await cos.upload_file(file, "bucket", "key", ExtraArgs={"Foo": 1})
    with pytest.raises(ParamValidationError, match="checksum_algorithm is 'CRC16'; it must be one of CRC32"):
        await cos.upload_file(file, "bucket", "key", ExtraArgs={"ChecksumAlgorithm": "crc16"})
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "sha256"):
        await cos.upload_file(file, "bucket", "key", ExtraArgs={"ChecksumAlgorithm": algorithm})
        shown = await cos.head_object(Bucket="bucket", Key="key", ChecksumMode="ENABLED")
        assert f"Checksum{algorithm.upper()}" in shown
    sums = {"ChecksumCRC32": shown_sum(file)}
    await cos.upload_file(file, "bucket", "key", ExtraArgs=sums)
    with pytest.raises(ValueError, match="a copy has the checksums of its source"):
        await cos.copy({"Bucket": "bucket", "Key": "key"}, "bucket", "copy", ExtraArgs={"ChecksumAlgorithm": "CRC32"})
    with pytest.raises(ParamValidationError, match="Invalid type for parameter RetentionPeriod"):
        await cos.upload_file(file, "bucket", "key", ExtraArgs={"RetentionPeriod": "long"})
    with pytest.raises(ParamValidationError, match="Invalid bucket name"):
        await cos.upload_file(file, "a bucket", "key")


NAMES = (
    "multipart_threshold",
    "max_concurrency",
    "multipart_chunksize",
    "num_download_attempts",
    "max_io_queue",
    "io_chunksize",
)


def test_the_names_and_the_defaults_are_those_of_the_sdk() -> None:
    ours, theirs = TransferConfig(), Theirs()
    more = ("max_request_concurrency", "max_io_queue_size", "use_threads", "max_bandwidth")
    assert {name: getattr(ours, name) for name in (*NAMES, *more)} == {name: getattr(theirs, name) for name in (*NAMES, *more)}


@pytest.mark.parametrize("name", [*NAMES, "max_bandwidth"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_below_1_are_refused(name: str, value: int) -> None:
    for made in (TransferConfig, Theirs):
        with pytest.raises(ValueError, match="must be greater than 0"):
            made(**{name: value})


@pytest.mark.parametrize("value", ["5", None, True, [5]])
def test_other_values_than_numbers_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"multipart_chunksize .* must be a number"):
        TransferConfig(multipart_chunksize=value)


def test_a_bandwidth_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"max_bandwidth is not supported.*max_concurrency"):
        TransferConfig(max_bandwidth=1000)


def test_settings_with_two_names() -> None:
    config = TransferConfig(max_concurrency=3, max_io_queue=7)
    assert (config.max_request_concurrency, config.max_io_queue_size) == (3, 7)
    config.max_concurrency, config.max_io_queue = 4, 8
    assert (config.max_request_concurrency, config.max_io_queue_size) == (4, 8)
    config.max_request_concurrency = 5
    assert (config.max_concurrency, config.upload_fields()["concurrency"]) == (5, 5)
    assert pickle.loads(pickle.dumps(config)).max_concurrency == 5


def test_settings_become_request_fields() -> None:
    config = TransferConfig(multipart_threshold=int(7.5 * MIB), multipart_chunksize=MIB, max_concurrency=3)
    assert config.upload_fields() == {"multipart_threshold": int(7.5 * MIB), "part_size": MIN_PART, "concurrency": 3}
    assert config.copy_fields() == {"copy_threshold": int(7.5 * MIB) - 1, "part_size": MIN_PART, "concurrency": 3}
    assert config.download_fields() == {"multipart_threshold": int(7.5 * MIB) - 1, "part_size": MIB, "concurrency": 3}
    large = TransferConfig(multipart_threshold=100 * GIB, multipart_chunksize=100 * GIB, use_threads=False)
    assert large.upload_fields()["part_size"] == large.copy_fields()["part_size"] == MAX_PART
    assert large.copy_fields()["copy_threshold"] == 5 * GIB
    assert large.upload_fields()["concurrency"] == large.concurrency == 1
    assert large.download_fields()["multipart_threshold"] == sys.maxsize
