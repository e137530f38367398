"""Settings of transfers: `TransferConfig` and the `ExtraArgs`.

Uploads, downloads, copies and deletions each have their own `ExtraArgs`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from aiocos.config import MAX_PART, MAX_PUT, MIN_PART
from aiocos.ibm_boto3 import inputs
from aiocos.operations.objects import CopyObject, DeleteObject, GetObject, PutObject
from aiocos.transfer.progress import ProgressCallbacks
from aiocos.transfer.requests import CopyRequest, DownloadRequest, UploadRequest
from aiocos.wire.spec import OperationSpec

KB = 1024
MB = KB * KB


class TransferConfig:
    """Part size, thresholds and concurrency of transfers.

    Args:
        multipart_threshold: Bytes from which an object is transferred in parts; 8 MiB by default. An object that does not fit
            into the client's memory for transfers always is.
        max_concurrency: Parts of one transfer in flight, and transfers that a manager runs at once; 10 by default.
        multipart_chunksize: Bytes of a part; 8 MiB by default. Parts of uploads and copies have at least 5 MiB, and more if
            10,000 parts would not be enough.
        num_download_attempts: Accepted without effect: an interrupted download is resumed as often as `Config(retries=…)` of
            the client allows.
        max_io_queue: Accepted without effect: there is no queue between connection and disk.
        io_chunksize: Bytes per `write` to a file object; 256 KiB by default.
        use_threads: False allows one part and one transfer at a time.
        max_bandwidth: Must be None: bandwidth is not limited.

    Raises:
        ValueError: A number is not above 0, or `max_bandwidth` is given.
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
                "TransferConfig: max_bandwidth is not supported, transfers use the whole connection; "
                "a lower max_concurrency leaves more of it to others"
            )
        self.max_bandwidth = None

    @property
    def max_concurrency(self) -> int:
        """Parts of one transfer in flight; also named `max_request_concurrency`."""
        return self.max_request_concurrency

    @max_concurrency.setter
    def max_concurrency(self, value: int) -> None:
        self.max_request_concurrency = value

    @property
    def max_io_queue(self) -> int:
        """Setting without effect. `max_io_queue_size` is another name of it."""
        return self.max_io_queue_size

    @max_io_queue.setter
    def max_io_queue(self, value: int) -> None:
        self.max_io_queue_size = value

    @property
    def concurrency(self) -> int:
        """Parts of a transfer in flight, and also the transfers that run at once.

        This is `max_concurrency`, or 1 without `use_threads`.
        """
        return self.max_request_concurrency if self.use_threads else 1

    def upload_fields(self) -> dict[str, Any]:
        """Return the settings as fields of an upload request."""
        return {
            "multipart_threshold": self.multipart_threshold,
            "part_size": min(max(self.multipart_chunksize, MIN_PART), MAX_PART),
            "concurrency": self.concurrency,
        }

    def download_fields(self) -> dict[str, Any]:
        """Return the settings as fields of a download request.

        With a concurrency of 1, one request reads the whole object.
        """
        return {
            "multipart_threshold": self.multipart_threshold - 1 if self.concurrency > 1 else sys.maxsize,
            "part_size": self.multipart_chunksize,
            "concurrency": self.concurrency,
        }

    def copy_fields(self) -> dict[str, Any]:
        """Return the settings as fields of a copy request."""
        return {
            "copy_threshold": min(self.multipart_threshold - 1, MAX_PUT),
            "part_size": min(max(self.multipart_chunksize, MIN_PART), MAX_PART),
            "concurrency": self.concurrency,
        }


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"Provided parameter {name} of value {value!r} must be a number.")
    if value <= 0 or int(value) <= 0:
        raise ValueError(f"Provided parameter {name} of value {value} must be greater than 0.")
    return int(value)


# ---------------------------------------------------------------------------------------------------------------------
# ExtraArgs

# Members that are parameters of the transfer methods themselves.
_OWN_PARAMETERS = frozenset({"Bucket", "Key", "Body", "CopySource"})
# Arguments of IBM's SDK that are refused, and the reason.
_REFUSED = {
    "ChecksumAlgorithm": "a copy has the checksums of its source",
    "ChecksumType": "every body has a checksum, and the object is compared with those of its parts",
    "MpuObjectSize": "the parts are counted and compared at the end",
    "SSEKMSEncryptionContext": "the service knows no such context",
}


class Arguments:
    """The `ExtraArgs` of one kind of transfer.

    The arguments are parameters of an operation that the transfer passes on.

    Args:
        spec: The operation.
        request: Request class of the transfer, whose fields limit the parameters; None allows all.
        ignored: Parameters that are accepted without effect: what they ask for is always done, or unknown to the service.
    """

    def __init__(self, spec: OperationSpec, request: type[ProgressCallbacks] | None, ignored: Collection[str] = ()) -> None:
        members = inputs.input_members(spec)
        self._spec = spec
        known = {member.field for member in members.values()} | set(inputs.customer_keys_of(spec.parameters).values())
        self._fields = known if request is None else known & {f.name for f in fields(request)} | {"source"}
        keys = [prefix for prefix, field in inputs.customer_keys_of(spec.parameters).items() if field in self._fields]
        self.names = sorted(
            {name for name, member in members.items() if member.field in self._fields} - _OWN_PARAMETERS
            | {f"{prefix}{part}" for prefix in keys for part in ("Algorithm", "Key", "KeyMD5")}
            | set(ignored)
        )
        """Names of all arguments."""

    def check(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the arguments of a call. Raises `ValueError` if one is not known."""
        for name in given or ():
            if name not in self.names:
                hint = f"; {name}: {_REFUSED[name]}" if name in _REFUSED else ""
                raise ValueError(f"Invalid extra_args key '{name}', must be one of: {', '.join(self.names)}{hint}")
        return dict(given or {})

    def read(self, given: Mapping[str, Any], **others: Any) -> dict[str, Any]:
        """Return the arguments, and the further members in `others`, as request fields.

        Raises:
            ParamValidationError: An argument or member is invalid.
        """
        values = inputs.read_members(self._spec, {**others, **given}, whole=False)
        return {name: value for name, value in values.items() if name in self._fields}


UPLOAD = Arguments(PutObject.spec, UploadRequest, ("ChecksumAlgorithm",))
DOWNLOAD = Arguments(GetObject.spec, DownloadRequest, ("ChecksumMode", "RequestPayer"))
COPY = Arguments(CopyObject.spec, CopyRequest)
DELETE = Arguments(DeleteObject.spec, None)
