"""What uploads and copies are asked, and how their parameters come into the requests that carry them out."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from functools import cache
from typing import Any, Literal, TypeVar

from aiocos.groups import Service
from aiocos.operations.multipart import UploadPart
from aiocos.operations.objects import PutObject
from aiocos.operations.shared import (
    ContentParams,
    CopySourceParams,
    EncryptionParams,
    ExpectedOwnerParams,
    ForbidOverwriteParams,
    ObjectAclParams,
    ObjectLockParams,
    RequestPayerParams,
    RetentionParams,
    WriteConditionParams,
    WriteResult,
)
from aiocos.transfer.progress import ProgressCallbacks
from aiocos.transfer.upload.source import Source
from aiocos.wire import digest
from aiocos.wire.spec import Operation

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - an operation
W = TypeVar("W", PutObject, UploadPart)
Directive = Literal["COPY", "REPLACE"]


@dataclass(repr=False, slots=True)
class UploadRequest(
    ContentParams,
    EncryptionParams,
    WriteConditionParams,
    ForbidOverwriteParams,
    RetentionParams,
    ObjectLockParams,
    ObjectAclParams,
    RequestPayerParams,
    ExpectedOwnerParams,
    ProgressCallbacks,
):
    """Upload an object of any size: in one piece where it is small, else in parts.

    With `resume`, an upload in parts that does not get to its end (by an error, a cancel, a kill) keeps what it has sent, and
    the same call goes on from there; the source is bytes or the path of a file, unchanged. Without, nothing is left behind.

    `multipart_threshold` (bytes) goes before the client's. What goes in one piece is in memory: what is larger than
    `TransferConfig.max_memory` goes in parts, whatever it says.

    Conditions (`if_none_match="*"`: only if there is no such object) hold strictly for an upload in one piece. For an upload in
    parts IBM does not document them. So the object is looked at before the first part, and again right before the parts are
    joined: `PreconditionFailed`, and nothing is left behind. The look needs the right to read. An object that another writer
    makes between that look and the joining is replaced, unless the service honors `If-None-Match` there, or
    `x-ibm-forbid-overwrite` (on-premises, from release 3.20, where it is turned on), which is sent with `if_none_match="*"`.
    For a strict guarantee raise `multipart_threshold` (up to `TransferConfig.max_memory`), or use a versioned bucket.

    A cancel, or `timeout` (seconds, for all of it), ends the upload, and waits a quarter of a second for the abort. An abort
    that takes longer goes on in the background, and `client.close()` waits for it, at most `TransferConfig.cleanup_timeout`
    seconds. Aborts that failed are logged and kept in `client.failed_aborts`.

    Gives an `UploadResult`. Raises the service's errors, `TransferError` where parts failed (nothing is left behind),
    `PreconditionFailed` (its subclass `ObjectAlreadyExists` with `forbid_overwrite`), `IntegrityError` where the service
    answers that it has stored something else than what was sent, and `OutcomeUnknown` where the last answer was lost, or disagrees
    with the object that the service shows, and cannot be settled.
    """

    bucket: str
    key: str
    source: Source
    _: KW_ONLY
    part_size: int | None = None
    multipart_threshold: int | None = None
    concurrency: int | None = None
    resume: bool = False
    timeout: float | None = None


@dataclass(repr=False, slots=True)
class CopyRequest(
    ContentParams,
    EncryptionParams,
    WriteConditionParams,
    ForbidOverwriteParams,
    CopySourceParams,
    RetentionParams,
    ObjectLockParams,
    ObjectAclParams,
    RequestPayerParams,
    ExpectedOwnerParams,
    ProgressCallbacks,
):
    """Copy an object of any size within the service: in one piece up to `TransferConfig.copy_threshold`, else by parts.

    What is kept is what CopyObject keeps: content headers, metadata and tags, unless a directive says `REPLACE`; retention and
    legal holds with `retention_directive="COPY"`; no access control list, no Object Lock. Gives a `CopyResult`. Raises the
    service's errors, `TransferError` where the source changed midway or parts failed (nothing is left behind),
    `IntegrityError` where the service answers that the copy is something else than the source, and `OutcomeUnknown` where the last
    answer was lost, or disagrees with the object that the service shows, and cannot be settled. `timeout` is for all of it, in
    seconds.

    Conditions on the target (`if_none_match="*"`) are not documented for copies: the target is looked at right before it is
    written, and an object that another writer makes after that look is replaced, unless the service honors the condition, or
    `x-ibm-forbid-overwrite`, which is sent with `if_none_match="*"`. A cancel ends the copy as it ends an upload.
    """

    source_bucket: str
    source_key: str
    bucket: str
    key: str
    _: KW_ONLY
    version_id: str | None = None
    """Of the source; None is the latest."""
    source_client: Service | None = None
    """A client that looks at the source in place of this one: its endpoint has the source's bucket, say."""
    metadata_directive: Directive | None = None
    tagging_directive: Directive | None = None
    retention_directive: Directive | None = None
    part_size: int | None = None
    copy_threshold: int | None = None
    """Goes before the client's."""
    concurrency: int | None = None
    timeout: float | None = None


def carry(request: ProgressCallbacks, op: type[O], **given: Any) -> O:
    """Make an operation with the parameters it has in common with the request."""
    values = {name: getattr(request, name) for name in _common(type(request), op)}
    return op(**{**values, **given})


@cache
def _common(request: type[ProgressCallbacks], op: type[Operation[Any]]) -> tuple[str, ...]:
    ours = {f.name for f in fields(request)} - {"timeout"}
    # A condition on the object that is to be written says nothing about reading it.
    reading = {"if_match", "if_none_match", "if_unmodified_since"} if op.spec.method in ("HEAD", "GET") else set[str]()
    return tuple(p.name for p in op.spec.parameters if p.name in ours - reading)


def with_checksum(operation: W, algorithm: digest.Algorithm, value: bytes) -> W:
    """Give a body its checksum."""
    setattr(operation, {"md5": "content_md5"}.get(algorithm, f"checksum_{algorithm}"), digest.encode(value))
    return operation


def is_confirmed(result: WriteResult, algorithm: digest.Algorithm, value: bytes) -> bool:
    """Tell whether the service has repeated the checksum of a body. Services without checksum support do not."""
    return algorithm != "md5" and getattr(result, f"checksum_{algorithm}") == digest.encode(value)
