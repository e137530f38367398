"""Documents of multipart uploads.

They are the started upload, the parts that complete it, and the object that is made from the parts.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects
"""

from typing import Annotated, ClassVar

from aiocos.operations.shared import ChecksumFields, EncryptionResult, RequestChargedResult
from aiocos.wire.document import Document, Element, Timestamp
from aiocos.wire.spec import Header


class MultipartUpload(EncryptionResult):
    """A multipart upload that was started."""

    root: ClassVar[str] = "InitiateMultipartUploadResult"
    other_roots: ClassVar[tuple[str, ...]] = ("InitiateMultipartUpload",)
    needed: ClassVar[tuple[str, ...]] = ("upload_id",)

    bucket: str | None = None
    """Bucket of the object, as the service repeats it."""
    key: str | None = None
    """Key of the object, as the service repeats it."""
    upload_id: str
    """Id of the upload, needed for its parts, its completion and its abort. Opaque."""
    abort_date: Annotated[Timestamp | None, Header("x-amz-abort-date")] = None
    """Time at which a lifecycle rule aborts the upload, if it is still open. None if no rule applies."""
    abort_rule_id: Annotated[str | None, Header("x-amz-abort-rule-id")] = None
    """Id of that lifecycle rule."""
    checksum_algorithm: Annotated[str | None, Header("x-amz-checksum-algorithm")] = None
    """Checksum that the service uses for the object: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`."""
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class CompletedPart(ChecksumFields):
    """A part of an upload that is completed: its number and ETag."""

    root: ClassVar[str] = "Part"

    etag: Annotated[str | None, Element("ETag")] = None
    """ETag of the part, as the service returned it."""
    part_number: int | None = None
    """Number of the part."""


class CompletedParts(Document):
    """The parts of an upload that is completed."""

    root: ClassVar[str] = "CompleteMultipartUpload"

    parts: Annotated[list[CompletedPart], Element("Part")] = []
    """Parts in ascending order of their numbers."""


class CompletedUpload(ChecksumFields, RequestChargedResult):
    """The object that was made from the parts."""

    root: ClassVar[str] = "CompleteMultipartUploadResult"
    needed: ClassVar[tuple[str, ...]] = ("etag",)
    # Services that compute the ETag later leave it empty here; HEAD returns it then.
    may_be_empty: ClassVar[tuple[str, ...]] = ("etag",)

    location: str | None = None
    """URL of the object."""
    bucket: str | None = None
    """Bucket of the object, as the service repeats it."""
    key: str | None = None
    """Key of the object, as the service repeats it."""
    etag: Annotated[str, Element("ETag")] = ""
    """ETag, in quotes: MD5 of the parts' MD5s in hexadecimal, a dash, and the number of parts. Empty on some other services."""
    checksum_type: str | None = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    """Version that was written. None in a bucket that never had versioning."""
    expiration: Annotated[str | None, Header("x-amz-expiration")] = None
    """When a lifecycle rule deletes the object, and which rule: `expiry-date="…", rule-id="…"`. None if no rule applies."""
    server_side_encryption: Annotated[str | None, Header("x-amz-server-side-encryption")] = None
    """Name of the encryption, such as `AES256`. None if the service does not report it."""
    sse_kms_key_id: Annotated[str | None, Header("x-amz-server-side-encryption-aws-kms-key-id")] = None
    """Key of a key service. None if the service does not report one."""
    bucket_key_enabled: Annotated[bool | None, Header("x-amz-server-side-encryption-bucket-key-enabled")] = None
    """Part of the S3 protocol (bucket keys of AWS KMS). None on COS."""
