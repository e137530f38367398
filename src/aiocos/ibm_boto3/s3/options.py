"""What a transfer is told: `TransferConfig`, and the `ExtraArgs` of uploads, downloads, copies and deletions."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from aiocos.config import MAX_PART, MAX_PUT, MIN_PART
from aiocos.ibm_boto3 import shapes
from aiocos.operations.objects import CopyObject, DeleteObject, GetObject, PutObject
from aiocos.transfer.progress import ProgressCallbacks
from aiocos.transfer.requests import CopyRequest, DownloadRequest, UploadRequest
from aiocos.wire.spec import OperationSpec

KB = 1024
MB = KB * KB


class TransferConfig:
    """How objects are cut into parts, and how much is done at once; sizes are in bytes.

    What has `multipart_threshold` or more goes in parts of `multipart_chunksize`: of uploads and copies at least 5 MiB, and
    larger where 10,000 parts would not do. `max_concurrency` parts of a transfer are on their way at once, and a manager runs
    as many transfers at once; with `use_threads=False` it is one of each. What goes in one piece is in memory, so what is
    larger than the client's memory for transfers goes in parts whatever the threshold. `io_chunksize` is what a file object is
    given at once.

    Taken, and without effect: `max_io_queue` (nothing is queued between connection and disk) and `num_download_attempts` (what
    breaks is taken up where it broke, as often as the client's `Config(retries=…)` says). Refused: `max_bandwidth`. Raises
    `ValueError` for what is not above 0.
    """

    def __init__(
        self,
        multipart_threshold: int = 8 * MB,
        max_concurrency: int = 10,
        multipart_chunksize: int = 8 * MB,
        num_download_attempts: int = 5,
        max_io_queue: int = 100,
        io_chunksize: int = 256 * KB,
        use_threads: bool = True,
        max_bandwidth: int | None = None,
    ) -> None:
        self.multipart_threshold = _positive("multipart_threshold", multipart_threshold)
        self.max_request_concurrency = _positive("max_concurrency", max_concurrency)
        self.multipart_chunksize = _positive("multipart_chunksize", multipart_chunksize)
        self.num_download_attempts = _positive("num_download_attempts", num_download_attempts)
        self.max_io_queue_size = _positive("max_io_queue", max_io_queue)
        self.io_chunksize = _positive("io_chunksize", io_chunksize)
        self.use_threads = use_threads
        if max_bandwidth is not None:
            _positive("max_bandwidth", max_bandwidth)
            raise ValueError(
                "TransferConfig: there is no max_bandwidth here, transfers are as fast as the connection: "
                "a lower max_concurrency leaves more of it to others"
            )
        self.max_bandwidth = None

    @property
    def max_concurrency(self) -> int:
        """Parts of one transfer on their way at once; `max_request_concurrency` is the same."""
        return self.max_request_concurrency

    @max_concurrency.setter
    def max_concurrency(self, value: int) -> None:
        self.max_request_concurrency = value

    @property
    def max_io_queue(self) -> int:
        """Without effect; `max_io_queue_size` is the same."""
        return self.max_io_queue_size

    @max_io_queue.setter
    def max_io_queue(self, value: int) -> None:
        self.max_io_queue_size = value

    @property
    def width(self) -> int:
        """How many parts, and how many transfers, there are at once."""
        return self.max_request_concurrency if self.use_threads else 1

    def of_upload(self) -> dict[str, Any]:
        """What it means for an upload."""
        return {
            "multipart_threshold": self.multipart_threshold,
            "part_size": min(max(self.multipart_chunksize, MIN_PART), MAX_PART),
            "concurrency": self.width,
        }

    def of_download(self) -> dict[str, Any]:
        """What it means for a download. One range at a time is one request for all of them."""
        return {
            "multipart_threshold": self.multipart_threshold - 1 if self.width > 1 else sys.maxsize,
            "part_size": self.multipart_chunksize,
            "concurrency": self.width,
        }

    def of_copy(self) -> dict[str, Any]:
        """What it means for a copy."""
        return {
            "copy_threshold": min(self.multipart_threshold - 1, MAX_PUT),
            "part_size": min(max(self.multipart_chunksize, MIN_PART), MAX_PART),
            "concurrency": self.width,
        }


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"Provided parameter {name} of value {value!r} must be a number.")
    if value <= 0 or int(value) <= 0:
        raise ValueError(f"Provided parameter {name} of value {value} must be greater than 0.")
    return int(value)


# ---------------------------------------------------------------------------------------------------------------------
# ExtraArgs

# Members that a call has by other ways.
_GIVEN = frozenset({"Bucket", "Key", "Body", "CopySource"})
# Arguments of IBM's SDK that are not taken, and what there is instead.
_INSTEAD = {
    "ChecksumAlgorithm": "a copy has the checksums of its source",
    "ChecksumType": "every body has a checksum, and the object is compared with those of its parts",
    "MpuObjectSize": "the parts are counted and compared at the end",
    "SSEKMSEncryptionContext": "the service knows no such context",
    **dict.fromkeys(
        ("ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256"),
        "every body has a checksum, which is computed here",
    ),
}


class Arguments:
    """The `ExtraArgs` of one kind of transfer: the members of an operation that the transfer carries.

    `idle` are members of the operation that are taken and change nothing: what they ask for is always so, or means nothing to
    the service.
    """

    def __init__(self, statement: OperationSpec, request: type[ProgressCallbacks] | None, idle: Collection[str] = ()) -> None:
        members = shapes.members_of(statement)
        self._statement = statement
        known = {member.field for member in members.values()} | set(shapes.keys_of(statement.parameters).values())
        self._fields = known if request is None else known & {f.name for f in fields(request)} | {"source"}
        keys = [prefix for prefix, field in shapes.keys_of(statement.parameters).items() if field in self._fields]
        self.names = sorted(
            {name for name, member in members.items() if member.field in self._fields} - _GIVEN
            | {f"{prefix}{part}" for prefix in keys for part in ("Algorithm", "Key", "KeyMD5")}
            | set(idle)
        )

    def check(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the arguments; raises `ValueError` where one is not known."""
        for name in given or ():
            if name not in self.names:
                hint = f"; of {name}: {_INSTEAD[name]}" if name in _INSTEAD else ""
                raise ValueError(f"Invalid extra_args key '{name}', must be one of: {', '.join(self.names)}{hint}")
        return dict(given or {})

    def read(self, given: Mapping[str, Any], **others: Any) -> dict[str, Any]:
        """Return the fields of the request that arguments and other members make; raises `ParamValidationError`."""
        values = shapes.read_members(self._statement, {**others, **given}, whole=False)
        return {name: value for name, value in values.items() if name in self._fields}


UPLOAD = Arguments(PutObject.spec, UploadRequest, ("ChecksumAlgorithm",))
DOWNLOAD = Arguments(GetObject.spec, DownloadRequest, ("ChecksumMode", "RequestPayer"))
COPY = Arguments(CopyObject.spec, CopyRequest)
DELETE = Arguments(DeleteObject.spec, None)
