"""Operation specs: create, fill, complete, abort and list multipart uploads.

A part is uploaded, or copied from an existing object.

Parts are numbered 1 to 10,000. Each has 5 MiB to 5 GiB; the last may be smaller.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar, Literal

from aiocos.operations.listing import CommonPrefix, Page, object_mismatch, page_mismatch
from aiocos.operations.multipart_documents import CompletedPart, CompletedParts, CompletedUpload, MultipartUpload
from aiocos.operations.shared import (
    ChecksumFields,
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
    Owner,
    RequestChargedResult,
    RequestPayerParams,
    RetentionParams,
    WriteConditionParams,
    WriteResult,
)
from aiocos.wire.document import Document, Element, Timestamp
from aiocos.wire.message import Bytes
from aiocos.wire.ranges import ByteRange
from aiocos.wire.spec import Body, Header, Operation, Payload, Query, operation
from aiocos.wire.values import CopySource


@operation("POST", "/{bucket}/{key}?uploads", idempotent=True)
class CreateMultipartUpload(
    ContentParams,
    EncryptionParams,
    ForbidOverwriteParams,
    ObjectLockParams,
    ObjectAclParams,
    RequestPayerParams,
    ExpectedOwnerParams,
    Operation[MultipartUpload],
):
    """Start a multipart upload.

    Headers, metadata, tags, access and Object Lock of the object are given here; retention is given at the completion. If the
    response is lost, the request is sent again: the upload of the first attempt may then stay open, without parts, because its
    id never arrived.

    Returns the upload with its id.

    Raises `ObjectAlreadyExists` (with `forbid_overwrite`), `InvalidRequest`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object: 1 to 1,024 characters, sent as UTF-8."""
    _: KW_ONLY
    checksum_algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm")] = None
    """Checksum for the whole object: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`. None: the service chooses."""
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""

    def find_mismatch(self, result: MultipartUpload) -> str | None:
        """Compare the bucket and the key."""
        return object_mismatch(self.bucket, self.key, result.bucket, result.key)


class UploadPartResult(WriteResult):
    """The ETag and checksums of a part that was stored."""

    needed: ClassVar[tuple[str, ...]] = ("etag",)


@operation("PUT", "/{bucket}/{key}")
class UploadPart(CustomerKeyParams, ChecksumParams, RequestPayerParams, ExpectedOwnerParams, Operation[UploadPartResult]):
    """Upload one part.

    A part of the same number is replaced.

    Returns the ETag, which `complete` needs.

    Raises `NoSuchUpload`, `BadDigest`, `EntityTooLarge`, `InvalidRequest` (part number), and `IntegrityError` if the service
    reports the checksum of other bytes than those sent.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    upload_id: Annotated[str, Query("uploadId")]
    """Id of the upload, from `create`."""
    part_number: Annotated[int, Query("partNumber")]
    """Number of the part, 1 to 10,000. The parts are joined in the order of their numbers."""
    data: Annotated[Bytes, Payload()] = b""
    """Content of the part: bytes-like, 5 MiB to 5 GiB; the last part may be smaller."""


class CopyPartResult(CopiedResult):
    """The ETag and checksums of a part that was copied."""

    other_roots: ClassVar[tuple[str, ...]] = ("CopyObjectResult",)


@operation("PUT", "/{bucket}/{key}")
class UploadPartCopy(CustomerKeyParams, CopySourceParams, RequestPayerParams, ExpectedOwnerParams, Operation[CopyPartResult]):
    """Copy an object, or a range of it, as one part.

    Returns the ETag, which `complete` needs. The service may report a failure inside a response with status 200; it is raised
    like any other.

    Raises `NoSuchKey`, `NoSuchUpload`, `InvalidRange`, `PreconditionFailed`, `InvalidObjectState` (archived).
    """

    bucket: str
    """Name of the bucket to copy to."""
    key: str
    """Key of the object to copy to."""
    upload_id: Annotated[str, Query("uploadId")]
    """Id of the upload, from `create`."""
    part_number: Annotated[int, Query("partNumber")]
    """Number of the part, 1 to 10,000. The parts are joined in the order of their numbers."""
    source: Annotated[CopySource | tuple[str, str], Header("x-amz-copy-source")]
    """Object to copy: `(bucket, key)`, or `CopySource(bucket, key, version_id)` for a version other than the current one."""
    _: KW_ONLY
    source_range: Annotated[ByteRange | str | None, Header("x-amz-copy-source-range")] = None
    """Bytes of the source to copy, such as `ByteRange(0, 99)` or `"bytes=0-99"` (both ends count). None copies all of it."""


@operation("POST", "/{bucket}/{key}")
class CompleteMultipartUpload(
    CustomerKeyParams,
    WriteConditionParams,
    ForbidOverwriteParams,
    RetentionParams,
    RequestPayerParams,
    ExpectedOwnerParams,
    Operation[CompletedUpload],
):
    """Make the object from the uploaded parts.

    IBM documents no conditions for this request: a service that does not support them replaces the object. If the response is
    lost, the request is not sent again by itself.

    Returns the object's ETag. The service may report a failure inside a response with status 200; it is raised like any other.

    Raises `NoSuchUpload`, `InvalidPart`, `InvalidRequest` (parts out of order), `EntityTooSmall`, `PreconditionFailed`,
    `ObjectAlreadyExists` (with `forbid_overwrite`), `ObjectProtected` (the existing object is under retention), and
    `IntegrityError` if the ETag does not follow from the parts.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    upload_id: Annotated[str, Query("uploadId")]
    """Id of the upload, from `create`."""
    parts: Annotated[list[CompletedPart], Body(md5=True, of=CompletedParts)]
    """Parts to use, in ascending order, each with its number and ETag. Parts that are left out are discarded."""
    _: KW_ONLY
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None
    """Kind of the checksum given here: `FULL_OBJECT`, or `COMPOSITE` (computed from the checksums of the parts)."""
    checksum_crc32: Annotated[str | None, Header("x-amz-checksum-crc32")] = None
    """CRC32 of the whole object, base64. None sends none."""
    checksum_crc32c: Annotated[str | None, Header("x-amz-checksum-crc32c")] = None
    """CRC32C of the whole object, base64. None sends none."""
    checksum_crc64nvme: Annotated[str | None, Header("x-amz-checksum-crc64nvme")] = None
    """CRC64NVME of the whole object, base64. None sends none."""
    checksum_sha1: Annotated[str | None, Header("x-amz-checksum-sha1")] = None
    """SHA-1 of the whole object, base64. None sends none."""
    checksum_sha256: Annotated[str | None, Header("x-amz-checksum-sha256")] = None
    """SHA-256 of the whole object, base64. None sends none."""

    def find_mismatch(self, result: CompletedUpload) -> str | None:
        """Compare the bucket and the key."""
        return object_mismatch(self.bucket, self.key, result.bucket, result.key)


@operation("DELETE", "/{bucket}/{key}", success_status=204)
class AbortMultipartUpload(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Abort a multipart upload and delete its parts.

    An upload that is neither completed nor aborted is kept, and its parts use storage.

    Returns only the request id.

    Raises `NoSuchUpload`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    upload_id: Annotated[str, Query("uploadId")]
    """Id of the upload, from `create` or `list_uploads`."""


class Part(ChecksumFields):
    """A part that the service has stored."""

    part_number: int
    """Number of the part, 1 to 10,000."""
    last_modified: Timestamp | None = None
    """Time at which the part was stored (UTC)."""
    etag: Annotated[str, Element("ETag")] = ""
    """ETag of the part, in quotes. It is the MD5 in hexadecimal of a part encrypted by no key of yours."""
    size: int = 0
    """Size of the part in bytes."""


class ListPartsResult(RequestChargedResult):
    """A page of the parts of an upload."""

    root: ClassVar[str] = "ListPartsResult"
    other_roots: ClassVar[tuple[str, ...]] = ("ListPartsResponse",)
    # `is_truncated` is not required: some services (rclone) leave it out where it is false.
    needed: ClassVar[tuple[str, ...]] = ("upload_id",)

    bucket: str | None = None
    """Bucket of the object."""
    key: str | None = None
    """Key of the object."""
    upload_id: str | None = None
    """Id of the upload."""
    part_number_marker: int | None = None
    """Requested part number after which the page starts."""
    next_part_number_marker: int | None = None
    """`part_number_marker` of the next page. None or 0 on the last page."""
    max_parts: int | None = None
    """Limit of parts for this page, as the service applied it."""
    is_truncated: bool = False
    """True if another page follows. Some services leave it out if it is False."""
    parts: Annotated[list[Part], Element("Part")] = []
    """Parts of the page, by number."""
    initiator: Owner | None = None
    """Account or instance that started the upload."""
    owner: Owner | None = None
    """Owner of the object to be."""
    storage_class: str | None = None
    """Storage class, usually `STANDARD`. Informational."""
    checksum_algorithm: str | None = None
    """Checksum that the service uses for the object. None if it does not report one."""
    checksum_type: str | None = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    abort_date: Annotated[Timestamp | None, Header("x-amz-abort-date")] = None
    """Time at which a lifecycle rule aborts the upload, if it is still open. None if no rule applies."""
    abort_rule_id: Annotated[str | None, Header("x-amz-abort-rule-id")] = None
    """Id of that lifecycle rule."""


@operation("GET", "/{bucket}/{key}")
class ListParts(MirrorParams, CustomerKeyParams, RequestPayerParams, ExpectedOwnerParams, Operation[ListPartsResult]):
    """List the stored parts of an upload, page by page.

    `multipart.list_parts` returns a `Listing`: iterate over it with `async for`.

    Raises `NoSuchUpload`, and `ProtocolError` if the page belongs to another upload.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    upload_id: Annotated[str, Query("uploadId")]
    """Id of the upload, from `create` or `list_uploads`."""
    _: KW_ONLY
    part_number_marker: Annotated[int | None, Query("part-number-marker")] = None
    """List only parts after this number. None starts at the first part."""
    max_parts: Annotated[int | None, Query("max-parts")] = None
    """Parts of one page: 1 to 1,000 (the default)."""

    def find_mismatch(self, result: ListPartsResult) -> str | None:
        """Compare the upload, the bucket and the key."""
        if result.upload_id not in (None, "", self.upload_id):
            return f"the parts belong to the upload {result.upload_id}"
        return object_mismatch(self.bucket, self.key, result.bucket, result.key)


class UploadEntry(Document):
    """An upload that was started and neither completed nor aborted."""

    root: ClassVar[str] = "Upload"

    key: str
    """Key of the object, decoded."""
    upload_id: str
    """Id of the upload."""
    initiator: Owner | None = None
    """Account or instance that started the upload."""
    owner: Owner | None = None
    """Owner of the object to be."""
    storage_class: str | None = None
    """Storage class, usually `STANDARD`. Informational."""
    initiated: Timestamp | None = None
    """Time at which the upload was started (UTC)."""
    checksum_algorithm: str | None = None
    """Checksum that the service uses for the object. None if it does not report one."""
    checksum_type: str | None = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class ListMultipartUploadsResult(Page):
    """A page of open uploads."""

    root: ClassVar[str] = "ListMultipartUploadsResult"
    # `is_truncated` is not required: some services (rclone) leave it out where it is false.
    needed: ClassVar[tuple[str, ...]] = ("bucket",)

    bucket: str | None = None
    """Name of the bucket."""
    key_marker: str | None = None
    """Requested key after which the page starts."""
    upload_id_marker: str | None = None
    """Requested upload after which the page starts, within that key."""
    next_key_marker: str | None = None
    """`key_marker` of the next page. None on the last page."""
    next_upload_id_marker: str | None = None
    """`upload_id_marker` of the next page. None on the last page."""
    prefix: str | None = None
    """Requested prefix. None or empty if none was requested."""
    delimiter: str | None = None
    """Requested delimiter. None or empty if none was requested."""
    max_uploads: int | None = None
    """Limit of uploads for this page, as the service applied it."""
    is_truncated: bool = False
    """True if another page follows. Some services leave it out if it is False."""
    uploads: Annotated[list[UploadEntry], Element("Upload")] = []
    """Open uploads of the page."""
    common_prefixes: list[CommonPrefix] = []
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""


@operation("GET", "/{bucket}?uploads")
class ListMultipartUploads(MirrorParams, ExpectedOwnerParams, Operation[ListMultipartUploadsResult]):
    """List the open uploads of a bucket, page by page.

    `multipart.list_uploads` returns a `Listing`: iterate over it with `async for`.

    Raises `ProtocolError` if the page belongs to another bucket or prefix.
    """

    bucket: str
    """Name of the bucket."""
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    """List only uploads whose key starts with this text. None lists all."""
    delimiter: Annotated[str | None, Query("delimiter")] = None
    """Group the keys that are equal up to this text after the prefix (usually `/`). None groups nothing."""
    key_marker: Annotated[str | None, Query("key-marker")] = None
    """List only uploads of keys after this one, or of this key after `upload_id_marker`. None starts at the beginning."""
    upload_id_marker: Annotated[str | None, Query("upload-id-marker")] = None
    """With `key_marker`: list the uploads of that key after this one, and all later keys. None: later keys only."""
    max_uploads: Annotated[int | None, Query("max-uploads")] = None
    """Uploads of one page: 1 to 1,000 (the default)."""
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"
    """`url` (default): keys travel percent-encoded and are decoded here.
    None sends them as they are: a key that XML cannot carry makes the page unreadable (`ProtocolError`).
    """

    def find_mismatch(self, result: ListMultipartUploadsResult) -> str | None:
        """Compare the bucket and the prefix."""
        keys = [upload.key for upload in result.uploads]
        return page_mismatch(self.bucket, self.prefix, result.bucket, result.prefix, keys)
