"""Multipart uploads: made, fed by parts, completed or aborted, and listed.

Parts are numbered 1 to 10,000; each but the last has 5 MiB to 5 GiB.
https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar, Literal

from aiocos.operations.listing import CommonPrefix, Page, another_object, another_page
from aiocos.operations.shared import (
    ChecksumFields,
    ChecksumParams,
    ContentParams,
    CopiedResult,
    CopySourceParams,
    CustomerKeyParams,
    EncryptionParams,
    EncryptionResult,
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


class MultipartUpload(EncryptionResult):
    """A multipart upload that has begun."""

    root: ClassVar[str] = "InitiateMultipartUploadResult"
    other_roots: ClassVar[tuple[str, ...]] = ("InitiateMultipartUpload",)
    needed: ClassVar[tuple[str, ...]] = ("upload_id",)

    bucket: str | None = None
    key: str | None = None
    upload_id: str
    abort_date: Annotated[Timestamp | None, Header("x-amz-abort-date")] = None
    abort_rule_id: Annotated[str | None, Header("x-amz-abort-rule-id")] = None
    checksum_algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm")] = None
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None


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
    """Begin a multipart upload. Retention is set when it is completed; Object Lock is set here.

    Repeated where the answer is lost. What the first try may have begun stays open then, without parts: its id was never told.
    """

    bucket: str
    key: str
    _: KW_ONLY
    checksum_algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm")] = None
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None

    def contradiction(self, result: MultipartUpload) -> str | None:
        """Compare the object that the upload is for."""
        return another_object(self.bucket, self.key, result.bucket, result.key)


class UploadPartResult(WriteResult):
    """What the service says of a part."""

    needed: ClassVar[tuple[str, ...]] = ("etag",)


@operation("PUT", "/{bucket}/{key}")
class UploadPart(CustomerKeyParams, ChecksumParams, RequestPayerParams, ExpectedOwnerParams, Operation[UploadPartResult]):
    """Send one part. Raises `NoSuchUpload`, `BadDigest`, `EntityTooLarge`, `IntegrityError` (other bytes were stored)."""

    bucket: str
    key: str
    upload_id: Annotated[str, Query("uploadId")]
    part_number: Annotated[int, Query("partNumber")]
    """1 to 10,000."""
    data: Annotated[Bytes, Payload()] = b""


class CopyPartResult(CopiedResult):
    """What the service says of a part that was copied."""

    other_roots: ClassVar[tuple[str, ...]] = ("CopyObjectResult",)


@operation("PUT", "/{bucket}/{key}")
class UploadPartCopy(CustomerKeyParams, CopySourceParams, RequestPayerParams, ExpectedOwnerParams, Operation[CopyPartResult]):
    """Copy a range of an object as a part. Raises `NoSuchKey`, `NoSuchUpload`, `InvalidRange`, `PreconditionFailed`."""

    bucket: str
    key: str
    upload_id: Annotated[str, Query("uploadId")]
    part_number: Annotated[int, Query("partNumber")]
    source: Annotated[CopySource | tuple[str, str], Header("x-amz-copy-source")]
    _: KW_ONLY
    source_range: Annotated[ByteRange | None, Header("x-amz-copy-source-range")] = None


class CompletedPart(ChecksumFields):
    """A part to be joined: its number and the ETag the service gave it."""

    root: ClassVar[str] = "Part"

    etag: Annotated[str | None, Element("ETag")] = None
    part_number: int | None = None


class CompletedParts(Document):
    """The parts to be joined, in ascending order."""

    root: ClassVar[str] = "CompleteMultipartUpload"

    parts: Annotated[list[CompletedPart], Element("Part")] = []


class CompletedUpload(ChecksumFields, RequestChargedResult):
    """The object that the parts have become. Its ETag is the MD5 of the parts' MD5s, a dash, and their number."""

    root: ClassVar[str] = "CompleteMultipartUploadResult"
    needed: ClassVar[tuple[str, ...]] = ("etag",)
    # Services that compute it later leave it empty here. HEAD has it then.
    may_be_empty: ClassVar[tuple[str, ...]] = ("etag",)

    location: str | None = None
    bucket: str | None = None
    key: str | None = None
    etag: Annotated[str, Element("ETag")] = ""
    checksum_type: str | None = None
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    expiration: Annotated[str | None, Header("x-amz-expiration")] = None
    server_side_encryption: Annotated[str | None, Header("x-amz-server-side-encryption")] = None
    sse_kms_key_id: Annotated[str | None, Header("x-amz-server-side-encryption-aws-kms-key-id")] = None
    bucket_key_enabled: Annotated[bool | None, Header("x-amz-server-side-encryption-bucket-key-enabled")] = None


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
    """Join the parts into the object.

    Raises `NoSuchUpload`, `InvalidPart`, `InvalidRequest` (`InvalidPartOrder`), `EntityTooSmall`, `ObjectAlreadyExists` (with
    `forbid_overwrite`). The service may report the failure inside a 200; it is raised all the same. IBM documents no conditions
    here: a service that does not know them replaces the object.
    """

    bucket: str
    key: str
    upload_id: Annotated[str, Query("uploadId")]
    parts: Annotated[list[CompletedPart], Body(md5=True, of=CompletedParts)]
    _: KW_ONLY
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None
    checksum_crc32: Annotated[str | None, Header("x-amz-checksum-crc32")] = None
    checksum_crc32c: Annotated[str | None, Header("x-amz-checksum-crc32c")] = None
    checksum_crc64nvme: Annotated[str | None, Header("x-amz-checksum-crc64nvme")] = None
    checksum_sha1: Annotated[str | None, Header("x-amz-checksum-sha1")] = None
    checksum_sha256: Annotated[str | None, Header("x-amz-checksum-sha256")] = None

    def contradiction(self, result: CompletedUpload) -> str | None:
        """Compare the object that was completed."""
        return another_object(self.bucket, self.key, result.bucket, result.key)


@operation("DELETE", "/{bucket}/{key}", success_status=204)
class AbortMultipartUpload(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Give an upload up; its parts are removed. Raises `NoSuchUpload`."""

    bucket: str
    key: str
    upload_id: Annotated[str, Query("uploadId")]


class Part(ChecksumFields):
    """A part the service has."""

    part_number: int
    last_modified: Timestamp | None = None
    etag: Annotated[str, Element("ETag")] = ""
    size: int = 0


class ListPartsResult(RequestChargedResult):
    """A page of the parts the service has."""

    root: ClassVar[str] = "ListPartsResult"
    other_roots: ClassVar[tuple[str, ...]] = ("ListPartsResponse",)
    # Some services (rclone) leave IsTruncated out where it is false.
    needed: ClassVar[tuple[str, ...]] = ("upload_id",)

    bucket: str | None = None
    key: str | None = None
    upload_id: str | None = None
    part_number_marker: int | None = None
    next_part_number_marker: int | None = None
    max_parts: int | None = None
    is_truncated: bool = False
    parts: Annotated[list[Part], Element("Part")] = []
    initiator: Owner | None = None
    owner: Owner | None = None
    storage_class: str | None = None
    checksum_algorithm: str | None = None
    checksum_type: str | None = None
    abort_date: Annotated[Timestamp | None, Header("x-amz-abort-date")] = None
    abort_rule_id: Annotated[str | None, Header("x-amz-abort-rule-id")] = None


@operation("GET", "/{bucket}/{key}")
class ListParts(MirrorParams, CustomerKeyParams, RequestPayerParams, ExpectedOwnerParams, Operation[ListPartsResult]):
    """List the parts of an upload, page by page. Raises `NoSuchUpload`."""

    bucket: str
    key: str
    upload_id: Annotated[str, Query("uploadId")]
    _: KW_ONLY
    part_number_marker: Annotated[int | None, Query("part-number-marker")] = None
    """Start after this part."""
    max_parts: Annotated[int | None, Query("max-parts")] = None

    def contradiction(self, result: ListPartsResult) -> str | None:
        """Compare the upload that the page is of, and its object."""
        if result.upload_id not in (None, "", self.upload_id):
            return f"the parts are of the upload {result.upload_id}"
        return another_object(self.bucket, self.key, result.bucket, result.key)


class UploadEntry(Document):
    """An upload that was begun and neither completed nor aborted."""

    root: ClassVar[str] = "Upload"

    key: str
    upload_id: str
    initiator: Owner | None = None
    owner: Owner | None = None
    storage_class: str | None = None
    initiated: Timestamp | None = None
    checksum_algorithm: str | None = None
    checksum_type: str | None = None


class ListMultipartUploadsResult(Page):
    """A page of open uploads."""

    root: ClassVar[str] = "ListMultipartUploadsResult"
    # Some services (rclone) leave IsTruncated out where it is false.
    needed: ClassVar[tuple[str, ...]] = ("bucket",)

    bucket: str | None = None
    key_marker: str | None = None
    upload_id_marker: str | None = None
    next_key_marker: str | None = None
    next_upload_id_marker: str | None = None
    prefix: str | None = None
    delimiter: str | None = None
    max_uploads: int | None = None
    is_truncated: bool = False
    uploads: Annotated[list[UploadEntry], Element("Upload")] = []
    common_prefixes: list[CommonPrefix] = []


@operation("GET", "/{bucket}?uploads")
class ListMultipartUploads(MirrorParams, ExpectedOwnerParams, Operation[ListMultipartUploadsResult]):
    """List open uploads, page by page."""

    bucket: str
    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    delimiter: Annotated[str | None, Query("delimiter")] = None
    key_marker: Annotated[str | None, Query("key-marker")] = None
    upload_id_marker: Annotated[str | None, Query("upload-id-marker")] = None
    max_uploads: Annotated[int | None, Query("max-uploads")] = None
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"

    def contradiction(self, result: ListMultipartUploadsResult) -> str | None:
        """Compare the bucket and the prefix that the page is of."""
        keys = [upload.key for upload in result.uploads]
        return another_page(self.bucket, self.prefix, result.bucket, result.prefix, keys)
