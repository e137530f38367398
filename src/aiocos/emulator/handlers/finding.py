"""Objects found, and the conditions under which they are read, replaced and copied."""

import secrets
import sqlite3
from datetime import datetime

from aiocos.emulator.context import Behavior, failure
from aiocos.emulator.store import BucketRow, ObjectRow, objects
from aiocos.errors import MethodNotAllowed, NoSuchKey, NoSuchVersion, NotModified, PreconditionFailed
from aiocos.operations.shared import CopySourceParams, ForbidOverwriteParams, ReadConditionParams, WriteConditionParams
from aiocos.wire import digest
from aiocos.wire.values import CustomerKey


def no_key() -> NoSuchKey:
    """The error of an object that is not there."""
    return NoSuchKey("The specified key does not exist.", status=404, code="NoSuchKey")


def lookup(connection: sqlite3.Connection, bucket: int, key: str, version_id: str | None = None) -> ObjectRow | None:
    """The object that a read finds: None where there is none or the latest version is a delete marker."""
    return readable(objects.find(connection, bucket, key, version_id), version_id)


def readable(found: ObjectRow | None, version_id: str | None) -> ObjectRow | None:
    """A version, if it can be read: not the latest where that is a delete marker; `NoSuchVersion`, `MethodNotAllowed` by id."""
    if version_id is not None:
        if found is None:
            raise NoSuchVersion("The specified version does not exist.", status=404, code="NoSuchVersion")
        if found.delete_marker:
            raise MethodNotAllowed("This version is a delete marker.", status=405, code="MethodNotAllowed")
    return None if found is not None and found.delete_marker else found


def told_version(bucket: BucketRow, found: ObjectRow | None) -> str | None:
    """The version id that answers carry: none where the bucket never kept versions."""
    return None if found is None or bucket.versioning is None else found.version_id


def must_find(connection: sqlite3.Connection, bucket: int, key: str, version_id: str | None = None) -> ObjectRow:
    """The object that a read finds; `NoSuchKey`."""
    found = lookup(connection, bucket, key, version_id)
    if found is None:
        raise no_key()
    return found


def _matches(header: str, found: ObjectRow) -> bool:
    return any(tag.strip() == "*" or digest.bare(tag.strip()) == found.etag for tag in header.split(","))


def _modified_since(found: ObjectRow, when: datetime) -> bool:
    # Headers carry whole seconds.
    return int(found.modified) > when.timestamp()


def _failed() -> PreconditionFailed:
    return PreconditionFailed(
        "At least one of the pre-conditions you specified did not hold.", status=412, code="PreconditionFailed"
    )


def check_read(found: ObjectRow, op: ReadConditionParams) -> None:
    """Conditions of GET and HEAD. A failed If-Unmodified-Since is a 304, as the service documents (the RFC says 412)."""
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
    """Check the conditions of a write: all failures are 412, that of If-Match on nothing too."""
    if old is not None and old.delete_marker:
        old = None
    if op.if_match is not None and (old is None or not _matches(op.if_match, old)):
        raise _failed()
    if op.if_none_match is not None and old is not None and _matches(op.if_none_match, old):
        raise _failed()
    if op.if_unmodified_since is not None and old is not None and _modified_since(old, op.if_unmodified_since):
        raise _failed()


def check_overwrite(bucket: BucketRow, old: ObjectRow | None, op: ForbidOverwriteParams, behavior: Behavior) -> None:
    """Refuse to replace an object where the request forbids it; a bucket that keeps or kept versions ignores the header."""
    if op.forbid_overwrite and behavior.honors_forbid_overwrite and bucket.versioning is None and old is not None:
        raise failure("ObjectAlreadyExists", "The object already exists, and the request forbids to overwrite it.", 409)


def check_source(found: ObjectRow, op: CopySourceParams) -> None:
    """Conditions on the source of a copy: all failures are 412."""
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


def key_md5(key: CustomerKey | bytes | None) -> str | None:
    """The MD5 of a customer key, which is all that is kept of it."""
    if key is None:
        return None
    return key.md5 if isinstance(key, CustomerKey) else CustomerKey(key).md5


def check_key(stored: str | None, given: str | None) -> None:
    """Refuse a read of an SSE-C object without its key (400) or with another (403), and a key where none belongs (400)."""
    if stored == given:
        return
    if stored is None:
        raise failure("InvalidRequest", "The object is not encrypted with a customer key: do not give one.")
    if given is None:
        raise failure("InvalidRequest", "The object was stored with a customer key, which must be given to read it.")
    raise failure("AccessDenied", "The customer key is not the one the object was stored with.", 403)


def etag_for(md5: str, customer_md5: str | None) -> str:
    """The ETag of content: its MD5; with a customer key 32 random digits, so that it tells nothing of the content."""
    return md5 if customer_md5 is None else secrets.token_hex(16)
