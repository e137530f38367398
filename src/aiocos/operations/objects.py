"""Operation specs: put, get, head, delete and copy objects.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-object-operations
"""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal

from aiocos.operations.object_info import ObjectInfo
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
from aiocos.wire.document import Document, Element
from aiocos.wire.message import Bytes
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, Header, Local, Operation, Payload, Query, operation
from aiocos.wire.text import normalize_line_breaks
from aiocos.wire.values import CopySource


class PutObjectResult(WriteResult):
    """The ETag, version and checksums of an object that was stored."""

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
    """Store an object in one request, up to 5 GiB.

    For larger objects, files and streams use `Client.upload`. An existing object of the same key is replaced; in a bucket with
    versioning it becomes an older version.

    Returns the ETag, version and checksums of what was stored.

    Raises `PreconditionFailed` (conditions), `ObjectAlreadyExists` (with `forbid_overwrite`), `ObjectProtected` (the existing
    object is under retention), `BadDigest`, `EntityTooLarge`, `InvalidRequest`, and `IntegrityError` if the service reports the
    checksum of other bytes than those sent.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object: 1 to 1,024 characters, sent as UTF-8."""
    data: Annotated[Bytes, Payload()] = b""
    """The whole content: bytes-like, held in memory while the request is retried. Empty by default."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ReadParams(CustomerKeyParams, ReadConditionParams, MirrorParams, RequestPayerParams, ExpectedOwnerParams):
    """The version, the bytes and the key of a read, with its conditions."""

    __slots__ = ()
    range: Annotated[ByteRange | str | None, Header("Range", lenient=True)] = None
    """Bytes to read: `ByteRange(0, 99)` or `"bytes=0-99"` for the first hundred, `ByteRange.suffix(n)` for the last n; None
    reads all. A range that starts behind the end raises `InvalidRange`. Give a range or a part number, not both.
    """
    version_id: Annotated[str | None, Query("versionId")] = None
    """Version to read; `null` for one written before versioning. None reads the current version."""
    part_number: Annotated[int | None, Query("partNumber")] = None
    """Read only this part of a multipart object: 1 to 10,000. An object stored in one piece is its own part 1."""


@operation("GET", "/{bucket}/{key}")
class GetObject(ReadParams, ResponseOverrideParams, Operation[ObjectInfo]):
    """Read an object, or a range of it.

    `objects.get` returns a stream with the object's headers, `objects.read` the bytes.

    Raises `NoSuchKey`, `NotModified` and `PreconditionFailed` (conditions), `InvalidRange`, `InvalidObjectState` (archived:
    restore it first), `MethodNotAllowed` (the version is a delete marker).
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    checksum_mode: Annotated[Literal["ENABLED"] | None, Header("x-amz-checksum-mode")] = "ENABLED"
    """`ENABLED` (default) requests the object's checksums, to verify the bytes."""
    verify_reads: Annotated[bool | None, Local()] = None
    """True compares the bytes of a whole object with its checksum, False does not. None uses `ClientConfig.verify_reads`."""


@operation("HEAD", "/{bucket}/{key}")
class HeadObject(ReadParams, Operation[ObjectInfo]):
    """Return the headers of an object, without its content.

    Returns the headers as `ObjectInfo`.

    Raises `NotFound` (no such key, version or bucket: a response to HEAD has no error code), `NotModified` and
    `PreconditionFailed` (conditions), `AccessDenied`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    checksum_mode: Annotated[Literal["ENABLED"] | None, Header("x-amz-checksum-mode")] = None
    """`ENABLED` requests the object's checksums. None (default) does not."""


class Deletion(RequestChargedResult):
    """The outcome of a deletion."""

    delete_marker: Annotated[bool | None, Header("x-amz-delete-marker")] = None
    """True if a delete marker was made, or if the deleted version was one. None otherwise."""
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    """Version that was deleted, or the version id of the new delete marker. None in a bucket without versioning."""


@operation("DELETE", "/{bucket}/{key}", success_status=204)
class DeleteObject(RequestPayerParams, ExpectedOwnerParams, Operation[Deletion]):
    """Delete an object, or one of its versions.

    To delete a key that does not exist is no error. In a bucket with versioning a deletion without `version_id` makes a delete
    marker: the object is hidden, and its versions stay.

    Returns the version and whether a delete marker is involved.

    Raises `ObjectProtected` (under retention, legal hold or Object Lock).
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Version to delete for good; `null` for one written before versioning. None deletes the current object (see above)."""
    bypass_governance: Annotated[bool | None, Header("x-amz-bypass-governance-retention")] = None
    """True deletes a version although a `GOVERNANCE` lock protects it, if the caller may bypass it. None or False does not."""
    mfa: Annotated[str | None, Header("x-amz-mfa")] = None
    """Part of the S3 protocol (deletion with a second factor). IBM documents no use of it for COS."""
    sdk_checksum_algorithm: Annotated[str | None, Header("x-amz-sdk-checksum-algorithm")] = None
    """Part of the S3 protocol, for requests with a body. IBM documents no use of it here."""


class ObjectIdentifier(Document):
    """An object, or one version of it."""

    root: ClassVar[str] = "Object"

    key: str
    """Key of the object."""
    version_id: str | None = None
    """Version to delete. None deletes the current object, in a bucket with versioning by a delete marker."""


class Delete(Document):
    """The objects to delete in one request."""

    objects: Annotated[list[ObjectIdentifier], Element("Object")]
    """Objects and versions to delete: 1 to 1,000."""
    quiet: bool | None = None
    """True: the response lists only the failures. None or False: it lists every key."""


class DeletedObject(Document):
    """An object that was deleted, or did not exist."""

    root: ClassVar[str] = "Deleted"

    key: str
    """Key of the object."""
    version_id: str | None = None
    """Version that was requested to be deleted."""
    delete_marker: bool | None = None
    """True if a delete marker was made, or if the deleted version was one."""
    delete_marker_version_id: str | None = None
    """Version id of that delete marker."""


class DeleteError(Document):
    """An object that could not be deleted, with the reason."""

    root: ClassVar[str] = "Error"

    key: str = ""
    """Key of the object."""
    version_id: str | None = None
    """Version that was requested to be deleted."""
    code: str = ""
    """Error code of the service, such as `AccessDenied` (also for objects under retention)."""
    message: str = ""
    """Message of the service."""


class DeleteObjectsResult(RequestChargedResult):
    """The outcome of a bulk deletion, by key."""

    root: ClassVar[str] = "DeleteResult"

    deleted: list[DeletedObject] = []
    """Objects that were deleted or did not exist. Empty if `quiet` was requested."""
    errors: Annotated[list[DeleteError], Element("Error")] = []
    """Objects that could not be deleted, each with the reason."""


@operation("POST", "/{bucket}?delete", idempotent=True)
class DeleteObjects(RequestPayerParams, ExpectedOwnerParams, Operation[DeleteObjectsResult]):
    """Delete up to 1,000 objects or versions in one request.

    `objects.delete_many` takes any number. A key that does not exist counts as deleted.

    Returns the keys that were deleted and those that were not, each of these with its error: a failure of single keys does not
    raise.

    Raises `InvalidRequest` (more than 1,000 keys), `BadDigest`, and `ProtocolError` if the response leaves out a requested key.
    """

    bucket: str
    """Name of the bucket."""
    delete: Annotated[Delete, Body(md5=True)]
    """Objects to delete, as a `Delete` document. Its `quiet` shortens the response."""
    _: KW_ONLY
    bypass_governance: Annotated[bool | None, Header("x-amz-bypass-governance-retention")] = None
    """True deletes versions although a `GOVERNANCE` lock protects them, if the caller may bypass it. None or False does not."""
    mfa: Annotated[str | None, Header("x-amz-mfa")] = None
    """Part of the S3 protocol (deletion with a second factor). IBM documents no use of it for COS."""

    def find_mismatch(self, result: DeleteObjectsResult) -> str | None:
        """Look for requested keys that the response does not mention.

        The response must list each key as deleted or as failed. With `quiet` it lists only the failures: every other key was
        deleted.
        """
        if self.delete.quiet:
            return None
        listed = {(normalize_line_breaks(one.key), one.version_id) for one in (*result.deleted, *result.errors)}
        keys = {key for key, _ in listed}
        unversioned = {key for key, version in listed if version is None}
        missing = [
            one.key
            for one in self.delete.objects
            if (key := normalize_line_breaks(one.key)) not in keys
            or (one.version_id is not None and key not in unversioned and (key, one.version_id) not in listed)
        ]
        if not missing:
            return None
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        names = ", ".join(map(ascii, missing[:3]))
        return f"it lists neither Deleted nor Error for {names}{more}, although `quiet` was not set"


class CopyObjectResult(CopiedResult):
    """The ETag, version and checksums of a copy."""

    checksum_type: Annotated[str | None, Element("ChecksumType")] = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    """Version that was written. None in a bucket that never had versioning."""
    expiration: Annotated[str | None, Header("x-amz-expiration")] = None
    """When a lifecycle rule deletes the copy, and which rule: `expiry-date="…", rule-id="…"`. None if no rule applies."""


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
    """Copy an object within the service, up to 5 GiB.

    For larger objects use `Client.copy`. Content headers and metadata count only with `metadata_directive="REPLACE"`, tags only
    with `tagging_directive="REPLACE"`, retention only with `retention_directive="REPLACE"`. Retention and Object Lock of the
    source are not copied by default: the copy gets the defaults of its bucket.

    Returns the ETag, version and checksums of the copy. The service may report a failure inside a response with status 200;
    it is raised like any other.

    Raises `NoSuchKey`, `PreconditionFailed`, `InvalidObjectState` (archived), `ObjectProtected` (the existing object is under
    retention), `ObjectAlreadyExists` (with `forbid_overwrite`), `InvalidRequest` (a copy onto itself that changes nothing), and
    `IntegrityError` if `source_if_match` is an MD5 and the copy has another.
    """

    bucket: str
    """Name of the bucket to copy to."""
    key: str
    """Key of the copy."""
    source: Annotated[CopySource | tuple[str, str], Header("x-amz-copy-source")]
    """Object to copy: `(bucket, key)`, or `CopySource(bucket, key, version_id)` for a version other than the current one."""
    _: KW_ONLY
    metadata_directive: Annotated[Literal["COPY", "REPLACE"] | None, Header("x-amz-metadata-directive")] = None
    """`COPY` (the service's default): headers and metadata of the source. `REPLACE`: those given here."""
    tagging_directive: Annotated[Literal["COPY", "REPLACE"] | None, Header("x-amz-tagging-directive")] = None
    """`COPY` (the service's default): tags of the source. `REPLACE`: those given in `tagging`."""
    retention_directive: Annotated[Literal["COPY", "REPLACE"] | None, Header("Retention-Directive")] = None
    """`COPY`: retention period and legal holds of the source. `REPLACE`: those given here. Required to give any (IBM)."""
    checksum_algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm")] = None
    """Checksum that the service computes for the copy: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`."""
