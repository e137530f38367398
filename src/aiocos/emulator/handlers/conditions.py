"""Checks of the conditions of reads, writes and copies (If-Match …)."""

from datetime import datetime

from aiocos.emulator.context import Behavior, failure
from aiocos.emulator.store import BucketRow, ObjectRow
from aiocos.errors import NotModified, PreconditionFailed
from aiocos.operations.shared import CopySourceParams, ForbidOverwriteParams, ReadConditionParams, WriteConditionParams
from aiocos.wire import digest


def _matches(header: str, found: ObjectRow) -> bool:
    return any(tag.strip() == "*" or digest.bare(tag.strip()) == found.etag for tag in header.split(","))


def _modified_since(found: ObjectRow, when: datetime) -> bool:
    # HTTP dates have whole seconds.
    return int(found.modified) > when.timestamp()


def _failed() -> PreconditionFailed:
    return PreconditionFailed(
        "At least one of the pre-conditions you specified did not hold.", status=412, code="PreconditionFailed"
    )


def check_read(found: ObjectRow, op: ReadConditionParams) -> None:
    """Check the conditions of GET and HEAD.

    A failed If-Unmodified-Since raises `NotModified` (304), as the service documents it; RFC 9110 says 412.
    """
    if op.if_match is not None:
        if not _matches(op.if_match, found):
            raise _failed()
    elif op.if_unmodified_since is not None and _modified_since(found, op.if_unmodified_since):
        raise NotModified("Not Modified", status=304, code="NotModified")
    if op.if_none_match is not None:
        if _matches(op.if_none_match, found):
            raise NotModified("Not Modified", status=304, code="NotModified")
    elif op.if_modified_since is not None and not _modified_since(found, op.if_modified_since):
        raise NotModified("Not Modified", status=304, code="NotModified")


def check_write(old: ObjectRow | None, op: WriteConditionParams) -> None:
    """Check the conditions of a write.

    Each failure raises `PreconditionFailed`, also If-Match without an object.
    """
    if old is not None and old.delete_marker:
        old = None
    if op.if_match is not None and (old is None or not _matches(op.if_match, old)):
        raise _failed()
    if op.if_none_match is not None and old is not None and _matches(op.if_none_match, old):
        raise _failed()
    if op.if_unmodified_since is not None and old is not None and _modified_since(old, op.if_unmodified_since):
        raise _failed()


def check_overwrite(bucket: BucketRow, old: ObjectRow | None, op: ForbidOverwriteParams, behavior: Behavior) -> None:
    """Refuse to replace an object if the request forbids it.

    A bucket that ever had versioning ignores the header.
    """
    if op.forbid_overwrite and behavior.honors_forbid_overwrite and bucket.versioning is None and old is not None:
        raise failure("ObjectAlreadyExists", "The object already exists, and the request forbids to overwrite it.", 409)


def check_source(found: ObjectRow, op: CopySourceParams) -> None:
    """Check the conditions on the source of a copy.

    Each failure raises `PreconditionFailed`.
    """
    if op.source_if_match is not None:
        if not _matches(op.source_if_match, found):
            raise _failed()
    elif op.source_if_unmodified_since is not None and _modified_since(found, op.source_if_unmodified_since):
        raise _failed()
    if op.source_if_none_match is not None:
        if _matches(op.source_if_none_match, found):
            raise _failed()
    elif op.source_if_modified_since is not None and not _modified_since(found, op.source_if_modified_since):
        raise _failed()
