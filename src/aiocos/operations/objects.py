"""Objects: put, get, head, delete, copy.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-object-operations
"""

import re
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import (
    ChecksumParams,
    ContentParams,
    CopiedResult,
    CopySourceParams,
    CustomerKeyParams,
    EncryptionParams,
    ExpectedOwnerParams,
    ForbidOverwriteParams,
    MirrorParams,
    ObjectAclParams,
    ObjectLockParams,
    ReadConditionParams,
    RequestChargedResult,
    RequestPayerParams,
    ResponseOverrideParams,
    RetentionParams,
    WriteConditionParams,
    WriteResult,
)
from aiocos.wire.document import Document, Element, Timestamp
from aiocos.wire.message import Bytes
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, Header, HeaderMap, Operation, Payload, Query, operation
from aiocos.wire.values import CopySource

_EXPIRY = re.compile(r'ongoing-request="false".*?expiry-date="([^"]*)"')


class PutObjectResult(WriteResult):
    """What the service says of a new object."""

    needed: ClassVar[tuple[str, ...]] = ("etag",)


@operation("PUT", "/{bucket}/{key}")
class PutObject(
    ContentParams,
    EncryptionParams,
    WriteConditionParams,
    ForbidOverwriteParams,
    RetentionParams,
    ObjectLockParams,
    ObjectAclParams,
    ChecksumParams,
    RequestPayerParams,
    ExpectedOwnerParams,
    Operation[PutObjectResult],
):
    """Store an object in one piece, up to 5 GiB (for more, and for files and streams: `Client.upload`).

    Raises `PreconditionFailed`, `ObjectAlreadyExists` (with `forbid_overwrite`), `ObjectProtected` (the old object is under
    retention), `BadDigest`, `EntityTooLarge`, and `IntegrityError` where the service answers that it has stored other bytes.
    """

    bucket: str
    key: str
    data: Annotated[Bytes, Payload()] = b""


class ObjectInfo(WriteResult):
    """What GET and HEAD say of an object. Times have a zone; metadata names are in lower case; the ETag keeps its quotes."""

    needed: ClassVar[tuple[str, ...]] = ("etag",)

    last_modified: Annotated[Timestamp | None, Header("Last-Modified")] = None
    content_length: Annotated[int | None, Header("Content-Length")] = None
    content_range: Annotated[str | None, Header("Content-Range")] = None
    content_type: Annotated[str | None, Header("Content-Type")] = None
    content_encoding: Annotated[str | None, Header("Content-Encoding")] = None
    content_disposition: Annotated[str | None, Header("Content-Disposition")] = None
    content_language: Annotated[str | None, Header("Content-Language")] = None
    cache_control: Annotated[str | None, Header("Cache-Control")] = None
    expires: Annotated[str | None, Header("Expires")] = None
    """As it was stored: writers may put anything here."""
    metadata: Annotated[dict[str, str], HeaderMap("x-amz-meta-")] = {}
    missing_meta: Annotated[int | None, Header("x-amz-missing-meta")] = None
    accept_ranges: Annotated[str | None, Header("Accept-Ranges")] = None
    website_redirect_location: Annotated[str | None, Header("x-amz-website-redirect-location")] = None
    parts_count: Annotated[int | None, Header("x-amz-mp-parts-count")] = None
    tag_count: Annotated[int | None, Header("x-amz-tagging-count")] = None
    replication_status: Annotated[str | None, Header("x-amz-replication-status")] = None
    delete_marker: Annotated[bool | None, Header("x-amz-delete-marker")] = None

    storage_class: Annotated[str | None, Header("x-amz-storage-class")] = None
    restore: Annotated[str | None, Header("x-amz-restore")] = None
    transition: Annotated[str | None, Header("x-ibm-transition")] = None
    restored_copy_storage_class: Annotated[str | None, Header("x-ibm-restored-copy-storage-class")] = None
    archive_transition_time: Annotated[str | None, Header("x-ibm-archive-transition-time")] = None
    backup_restore_time: Annotated[str | None, Header("x-ibm-backup-restore-time")] = None
    backup_restore_id: Annotated[str | None, Header("x-ibm-backup-restore-id")] = None

    retention_period: Annotated[int | None, Header("Retention-Period")] = None
    """Seconds; -1 indefinite, -2 permanent."""
    retention_expires: Annotated[Timestamp | None, Header("Retention-Expiration-Date", iso=True)] = None
    legal_hold_count: Annotated[int | None, Header("Retention-Legal-Hold-Count")] = None
    object_lock_mode: Annotated[str | None, Header("x-amz-object-lock-mode")] = None
    object_lock_retain_until: Annotated[
        Timestamp | None, Header("x-amz-object-lock-retain-until-date", iso=True, fraction=True)
    ] = None
    object_lock_legal_hold: Annotated[str | None, Header("x-amz-object-lock-legal-hold")] = None

    @property
    def size(self) -> int:
        """The bytes of the answer's body: of the object, or of the range that was asked for."""
        return self.content_length or 0

    @property
    def is_restoring(self) -> bool:
        """Whether the object is being restored from the archive."""
        return 'ongoing-request="true"' in (self.restore or "")

    @property
    def restored_until(self) -> datetime | None:
        """Until when a restored copy can be read; None where there is none."""
        found = _EXPIRY.search(self.restore or "")
        return None if found is None else parsedate_to_datetime(found[1])

    @property
    def is_archived(self) -> bool:
        """Whether the object cannot be read before it is restored."""
        return self.storage_class in ("GLACIER", "ACCELERATED") and self.restored_until is None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ReadParams(CustomerKeyParams, ReadConditionParams, MirrorParams, RequestPayerParams, ExpectedOwnerParams):
    """Which version of an object to read, which part of it, and when."""

    __slots__ = ()
    range: Annotated[ByteRange | None, Header("Range", lenient=True)] = None
    version_id: Annotated[str | None, Query("versionId")] = None
    part_number: Annotated[int | None, Query("partNumber")] = None


@operation("GET", "/{bucket}/{key}")
class GetObject(ReadParams, ResponseOverrideParams, Operation[ObjectInfo]):
    """Read an object, or a range of it.

    Raises `NoSuchKey`, `NotModified`, `PreconditionFailed`, `InvalidRange`, `InvalidObjectState` (archived).
    """

    bucket: str
    key: str
    _: KW_ONLY
    checksum_mode: Annotated[Literal["ENABLED"] | None, Header("x-amz-checksum-mode")] = "ENABLED"
    """Ask for the object's checksums, which vouch for it where its ETag is no MD5."""


@operation("HEAD", "/{bucket}/{key}")
class HeadObject(ReadParams, Operation[ObjectInfo]):
    """Ask about an object without reading it. Raises `NotFound`, `NotModified`, `PreconditionFailed` (HEAD has no code)."""

    bucket: str
    key: str
    _: KW_ONLY
    checksum_mode: Annotated[Literal["ENABLED"] | None, Header("x-amz-checksum-mode")] = None


class Deletion(RequestChargedResult):
    """What a deletion did: in a versioned bucket it may have made a delete marker."""

    delete_marker: Annotated[bool | None, Header("x-amz-delete-marker")] = None
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None


@operation("DELETE", "/{bucket}/{key}", success_status=204)
class DeleteObject(RequestPayerParams, ExpectedOwnerParams, Operation[Deletion]):
    """Remove an object; removing what is not there is no error. Raises `ObjectProtected`."""

    bucket: str
    key: str
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    bypass_governance: Annotated[bool | None, Header("x-amz-bypass-governance-retention")] = None
    mfa: Annotated[str | None, Header("x-amz-mfa")] = None
    sdk_checksum_algorithm: Annotated[str | None, Header("x-amz-sdk-checksum-algorithm")] = None


class ObjectIdentifier(Document):
    """An object, or one version of it."""

    root: ClassVar[str] = "Object"

    key: str
    version_id: str | None = None


class Delete(Document):
    """Objects to remove, at most 1,000. `quiet` answers with the failures only."""

    objects: Annotated[list[ObjectIdentifier], Element("Object")]
    quiet: bool | None = None


class DeletedObject(Document):
    """One object that is gone."""

    root: ClassVar[str] = "Deleted"

    key: str
    version_id: str | None = None
    delete_marker: bool | None = None
    delete_marker_version_id: str | None = None


class DeleteError(Document):
    """One object that is not gone, and why."""

    root: ClassVar[str] = "Error"

    key: str = ""
    version_id: str | None = None
    code: str = ""
    message: str = ""


class DeleteObjectsResult(RequestChargedResult):
    """What became of each object."""

    root: ClassVar[str] = "DeleteResult"

    deleted: list[DeletedObject] = []
    errors: Annotated[list[DeleteError], Element("Error")] = []


@operation("POST", "/{bucket}?delete", idempotent=True)
class DeleteObjects(RequestPayerParams, ExpectedOwnerParams, Operation[DeleteObjectsResult]):
    """Remove up to 1,000 objects in one request (`objects.delete_many` takes any number). Failures are per key."""

    bucket: str
    delete: Annotated[Delete, Body(md5=True)]
    _: KW_ONLY
    bypass_governance: Annotated[bool | None, Header("x-amz-bypass-governance-retention")] = None
    mfa: Annotated[str | None, Header("x-amz-mfa")] = None

    def contradiction(self, result: DeleteObjectsResult) -> str | None:
        """Name the keys of which the answer says neither that they are deleted nor that they are not.

        With `quiet` the answer has the failures only, and silence is success.
        """
        if self.delete.quiet:
            return None
        told = {(_as_parsed(one.key), one.version_id) for one in (*result.deleted, *result.errors)}
        keys = {key for key, _ in told}
        unversioned = {key for key, version in told if version is None}
        left = [
            one.key
            for one in self.delete.objects
            if (key := _as_parsed(one.key)) not in keys
            or (one.version_id is not None and key not in unversioned and (key, one.version_id) not in told)
        ]
        if not left:
            return None
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        names = ", ".join(map(ascii, left[:3]))
        return f"it says neither Deleted nor Error of {names}{more}, and was not asked to be quiet"


def _as_parsed(key: str) -> str:
    # A parser reads one line break for every form of it. Servers that write keys as they are lose the form.
    return key.replace("\r\n", "\n").replace("\r", "\n")


class CopyObjectResult(CopiedResult):
    """What the service says of a copy."""

    checksum_type: Annotated[str | None, Element("ChecksumType")] = None
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    expiration: Annotated[str | None, Header("x-amz-expiration")] = None


@operation("PUT", "/{bucket}/{key}")
class CopyObject(
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
    Operation[CopyObjectResult],
):
    """Copy an object within the service, up to 5 GiB (for more: `Client.copy`). Content headers and metadata count only with
    `REPLACE`.

    Raises `NoSuchKey`, `PreconditionFailed`, `InvalidObjectState` (archived), `ObjectProtected`. The service may report the
    failure inside a 200; it is raised all the same. `IntegrityError` where `source_if_match` is an MD5 and the copy
    has another.
    """

    bucket: str
    key: str
    source: Annotated[CopySource | tuple[str, str], Header("x-amz-copy-source")]
    """Bucket and key to copy, and a version id if not the latest."""
    _: KW_ONLY
    metadata_directive: Annotated[Literal["COPY", "REPLACE"] | None, Header("x-amz-metadata-directive")] = None
    tagging_directive: Annotated[Literal["COPY", "REPLACE"] | None, Header("x-amz-tagging-directive")] = None
    retention_directive: Annotated[Literal["COPY", "REPLACE"] | None, Header("Retention-Directive")] = None
    """IBM: take period and holds from the source, or from this call."""
    checksum_algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm")] = None
