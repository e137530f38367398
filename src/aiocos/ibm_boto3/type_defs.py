"""Types of requests and responses, for annotations and type checkers.

Responses are plain dictionaries at runtime. A key that may be missing is `NotRequired`: read it with `.get()`.

Written by `docs/stubs/write.py`: change the operations and run it, not this file.
"""

from collections.abc import AsyncIterable, Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NotRequired, Protocol, TypeAlias, TypedDict

from aiocos.ibm_boto3.body import StreamingBody

TimestampTypeDef: TypeAlias = datetime | str | int | float
"""A time: a datetime (without a zone it is UTC), text such as `2030-01-31T12:00:00Z`, or seconds since 1970."""


class ReadableFile(Protocol):
    """A file object to read from."""

    def read(self, size: int, /) -> bytes | Awaitable[bytes]:
        """Return at most `size` bytes, or an awaitable of them; empty bytes are the end."""
        ...


class WritableFile(Protocol):
    """A file object to write to, open in binary mode."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`. If the result is awaitable, it is awaited."""
        ...


BodyTypeDef: TypeAlias = str | bytes | bytearray | memoryview | ReadableFile | AsyncIterable[bytes]
"""Content to upload: text (sent as UTF-8), bytes, a file open for reading in binary mode, or an async iterable of bytes."""

FileSourceTypeDef: TypeAlias = ReadableFile | AsyncIterable[bytes]
"""A file object to upload from, open for reading in binary mode (`read` may be async), or an async iterable of bytes."""


class ResponseMetadataTypeDef(TypedDict):
    """The part of a response that is not about the operation."""

    HTTPStatusCode: int
    """Status of the HTTP response."""
    HTTPHeaders: dict[str, str]
    """Headers of the response, with names in lower case."""
    RetryAttempts: int
    """Attempts that failed before this response; 0 if the first succeeded."""
    RequestId: NotRequired[str]
    """Id of the request, which IBM's support asks for."""
    HostId: NotRequired[str]
    """Second id of the request; empty if the service sends none."""
    MaxAttemptsReached: NotRequired[bool]
    """True in an error after which no attempts were left."""


class ErrorTypeDef(TypedDict):
    """An error as the service reports it."""

    Code: str
    """Error code, such as `NoSuchKey`. The status as text for a HEAD request: `404`."""
    Message: str
    """Message of the service."""
    Resource: NotRequired[str]
    """Path of the bucket or object that the error is about."""


class ErrorResponseTypeDef(TypedDict):
    """`ClientError.response`."""

    Error: ErrorTypeDef
    """The error."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class CopySourceTypeDef(TypedDict):
    """The object to copy.

    Text of the form `bucket/key?versionId=id` is accepted in its place.
    """

    Bucket: str
    """Bucket of the source."""
    Key: str
    """Key of the source."""
    VersionId: NotRequired[str]
    """Version to copy; the current one if it is left out."""


class PaginatorConfigTypeDef(TypedDict):
    """Settings of a pagination."""

    MaxItems: NotRequired[int | None]
    """Entries to return in all; None returns all."""
    PageSize: NotRequired[int | None]
    """Entries per request; None leaves it to the service, usually 1,000."""
    StartingToken: NotRequired[str | None]
    """`NextToken` of an earlier pagination; None starts at the beginning."""


class WaiterConfigTypeDef(TypedDict):
    """Settings of a waiter."""

    Delay: NotRequired[float]
    """Seconds between two requests; 5 by default."""
    MaxAttempts: NotRequired[int]
    """Requests before the waiter gives up; 20 by default."""


class DeleteQuietTypeDef(TypedDict):
    """Settings of the deletion of a whole collection."""

    Quiet: NotRequired[bool]
    """True leaves deleted objects out of the responses, which then hold errors only."""


class UploadArgsTypeDef(TypedDict):
    """`ExtraArgs` of an upload."""

    ACL: NotRequired[str]
    """Canned access control list: `public-read` lets everybody read. Leaving it out leaves the default, private."""
    CacheControl: NotRequired[str]
    """How long browsers and proxies may cache the content, such as `max-age=3600` (seconds). Leaving it out sends no header."""
    ChecksumAlgorithm: NotRequired[str]
    """Checksum to compute and send: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`. Left out: the one that the client's
    settings name, by default a CRC-32.
    """
    ChecksumCRC32: NotRequired[str]
    """CRC32 of the body, base64 of its 4 bytes (big-endian). Leaving it out sends none."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C of the body, base64 of its 4 bytes (big-endian). Leaving it out sends none."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME of the body, base64 of its 8 bytes (big-endian). Leaving it out sends none."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1 of the body, base64 of its 20 bytes. Leaving it out sends none."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256 of the body, base64 of its 32 bytes. Leaving it out sends none."""
    ContentDisposition: NotRequired[str]
    """How a browser presents the content: `inline`, or `attachment; filename="report.pdf"`. Leaving it out sends no header."""
    ContentEncoding: NotRequired[str]
    """Encoding of the content, such as `gzip`; the client does not compress. Leaving it out sends no header."""
    ContentLanguage: NotRequired[str]
    """Language of the content, such as `en`. Leaving it out sends no header."""
    ContentType: NotRequired[str]
    """Media type of the content, such as `text/plain; charset=utf-8`. Leaving it out stores no type: none is guessed from the
    key.
    """
    ExpectedBucketOwner: NotRequired[str]
    """Account or instance that must own the bucket; 403 `AccessDenied` otherwise. Leaving it out skips the check."""
    Expires: NotRequired[TimestampTypeDef]
    """Time at which the content becomes stale."""
    ForbidOverwrite: NotRequired[bool]
    """True writes only if no object has this key; `ObjectAlreadyExists` (409) otherwise. Leaving it out sends no header. The
    header belongs to the on-premises product, from release 3.20, where an administrator has to turn it on. Buckets with
    versioning (enabled or suspended) ignore it, and so do services that do not support it: they overwrite. For the public
    service IBM documents `IfNoneMatch="*"`, for `put_object`.
    """
    GrantFullControl: NotRequired[str]
    """Grantees that may read and write the object and its access control list. Leaving it out grants nothing."""
    GrantRead: NotRequired[str]
    """Grantees that may read the object (of a bucket: list its objects). Leaving it out grants nothing."""
    GrantReadACP: NotRequired[str]
    """Grantees that may read the access control list. Leaving it out grants nothing."""
    GrantWriteACP: NotRequired[str]
    """Grantees that may write the access control list. Leaving it out grants nothing."""
    IfMatch: NotRequired[str]
    """Write only over an object with this ETag. Left out: write whatever is there."""
    IfNoneMatch: NotRequired[str]
    """`"*"`: write only if no object has this key. An ETag: only if the object has another. Left out: write whatever is there.
    """
    IfUnmodifiedSince: NotRequired[TimestampTypeDef]
    """Write only if the object was not written after this time (to the second). Leaving it out skips the check."""
    Metadata: NotRequired[Mapping[str, str]]
    """User metadata, by name and without the prefix `x-amz-meta-`. Names and values are ASCII: percent-encode other characters.
    Names ignore case and come back in lower case.
    """
    ObjectLockLegalHoldStatus: NotRequired[Literal["ON", "OFF"]]
    """`ON` protects the version until it is set to `OFF`, also after the date of its lock. Leaving it out sets no hold."""
    ObjectLockMode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    """`COMPLIANCE`: the lock can only be extended. `GOVERNANCE`: callers who may bypass it may shorten it."""
    ObjectLockRetainUntilDate: NotRequired[TimestampTypeDef]
    """Time until which the version is protected. Sent as ISO 8601 with milliseconds."""
    RequestPayer: NotRequired[str]
    """`requester` in the S3 protocol. COS ignores it: the instance that owns the bucket pays."""
    RetentionExpirationDate: NotRequired[TimestampTypeDef]
    """End of the retention. Sent as ISO 8601 in whole seconds. Left out: no date."""
    RetentionLegalHoldId: NotRequired[str]
    """Id of one legal hold to put on the object: 1 to 64 letters, digits and `!_.*()-`. Leaving it out puts none."""
    RetentionPeriod: NotRequired[int]
    """Seconds from creation. -1: no end set. -2: for ever, if the bucket allows it."""
    SSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`."""
    SSECustomerKey: NotRequired[str | bytes]
    """The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too."""
    SSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the customer's encryption key. Computed if it is left out."""
    SSEKMSKeyId: NotRequired[str]
    """Part of the S3 protocol: a key of AWS KMS. In COS the root key is a setting of the bucket (see `create_bucket`)."""
    ServerSideEncryption: NotRequired[str]
    """Part of the S3 protocol: `AES256`, or the name of a key service. IBM documents no use of it for COS."""
    StorageClass: NotRequired[str]
    """Part of the S3 protocol. COS has no storage class per object: the class of the bucket applies."""
    Tagging: NotRequired[str]
    """Tags of the object, URL-encoded: `k=v&k2=v2`. At most 10; keys have 1 to 128 characters, values up to 256. Left out:
    none.
    """
    WebsiteRedirectLocation: NotRequired[str]
    """Target to which a static website redirects requests for this object: a URL, or a path that starts with `/`."""


class DownloadArgsTypeDef(TypedDict):
    """`ExtraArgs` of a download."""

    ChecksumMode: NotRequired[Literal["ENABLED"]]
    """`ENABLED` (default) requests the object's checksums, to verify the bytes."""
    ExpectedBucketOwner: NotRequired[str]
    """Account or instance that must own the bucket; 403 `AccessDenied` otherwise. Leaving it out skips the check."""
    IfMatch: NotRequired[str]
    """Read only if the object has this ETag; `PreconditionFailed` otherwise. Leaving it out skips the check."""
    IfModifiedSince: NotRequired[TimestampTypeDef]
    """Read only if the object was written after this time (to the second); `NotModified` otherwise. Leaving it out skips the
    check.
    """
    IfNoneMatch: NotRequired[str]
    """Read only if the object has another ETag than this one; `NotModified` otherwise. Leaving it out skips the check."""
    IfUnmodifiedSince: NotRequired[TimestampTypeDef]
    """Read only if the object was not written after this time (to the second). Leaving it out skips the check. If it was, IBM
    documents 304 (`NotModified`), and HTTP 412 (`PreconditionFailed`): expect either.
    """
    RequestPayer: NotRequired[str]
    """`requester` in the S3 protocol. COS ignores it: the instance that owns the bucket pays."""
    SSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`."""
    SSECustomerKey: NotRequired[str | bytes]
    """The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too."""
    SSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the customer's encryption key. Computed if it is left out."""
    VersionId: NotRequired[str]
    """Version to read; `null` for one written before versioning. Leaving it out reads the current version."""


class CopyArgsTypeDef(TypedDict):
    """`ExtraArgs` of a copy."""

    ACL: NotRequired[str]
    """Canned access control list: `public-read` lets everybody read. Leaving it out leaves the default, private."""
    CacheControl: NotRequired[str]
    """How long browsers and proxies may cache the content, such as `max-age=3600` (seconds). Leaving it out sends no header."""
    ContentDisposition: NotRequired[str]
    """How a browser presents the content: `inline`, or `attachment; filename="report.pdf"`. Leaving it out sends no header."""
    ContentEncoding: NotRequired[str]
    """Encoding of the content, such as `gzip`; the client does not compress. Leaving it out sends no header."""
    ContentLanguage: NotRequired[str]
    """Language of the content, such as `en`. Leaving it out sends no header."""
    ContentType: NotRequired[str]
    """Media type of the content, such as `text/plain; charset=utf-8`. Leaving it out stores no type: none is guessed from the
    key.
    """
    CopySourceIfMatch: NotRequired[str]
    """Copy only if the source has this ETag. Leaving it out skips the check."""
    CopySourceIfModifiedSince: NotRequired[TimestampTypeDef]
    """Copy only if the source was written after this time (to the second). Leaving it out skips the check."""
    CopySourceIfNoneMatch: NotRequired[str]
    """Copy only if the source has another ETag than this one. Leaving it out skips the check."""
    CopySourceIfUnmodifiedSince: NotRequired[TimestampTypeDef]
    """Copy only if the source was not written after this time (to the second). Leaving it out skips the check."""
    CopySourceSSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the key that the source was encrypted with (SSE-C): `AES256`."""
    CopySourceSSECustomerKey: NotRequired[str | bytes]
    """The customer's key that the source was encrypted with (SSE-C): 32 bytes, or their base64."""
    CopySourceSSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the source's encryption key. Computed if it is left out."""
    ExpectedBucketOwner: NotRequired[str]
    """Account or instance that must own the bucket; 403 `AccessDenied` otherwise. Leaving it out skips the check."""
    ExpectedSourceBucketOwner: NotRequired[str]
    """Account or instance that must own the source's bucket; 403 `AccessDenied` otherwise. Leaving it out skips the check."""
    Expires: NotRequired[TimestampTypeDef]
    """Time at which the content becomes stale."""
    ForbidOverwrite: NotRequired[bool]
    """True writes only if no object has this key; `ObjectAlreadyExists` (409) otherwise. Leaving it out sends no header. The
    header belongs to the on-premises product, from release 3.20, where an administrator has to turn it on. Buckets with
    versioning (enabled or suspended) ignore it, and so do services that do not support it: they overwrite. For the public
    service IBM documents `IfNoneMatch="*"`, for `put_object`.
    """
    GrantFullControl: NotRequired[str]
    """Grantees that may read and write the object and its access control list. Leaving it out grants nothing."""
    GrantRead: NotRequired[str]
    """Grantees that may read the object (of a bucket: list its objects). Leaving it out grants nothing."""
    GrantReadACP: NotRequired[str]
    """Grantees that may read the access control list. Leaving it out grants nothing."""
    GrantWriteACP: NotRequired[str]
    """Grantees that may write the access control list. Leaving it out grants nothing."""
    IfMatch: NotRequired[str]
    """Write only over an object with this ETag. Left out: write whatever is there."""
    IfNoneMatch: NotRequired[str]
    """`"*"`: write only if no object has this key. An ETag: only if the object has another. Left out: write whatever is there.
    """
    IfUnmodifiedSince: NotRequired[TimestampTypeDef]
    """Write only if the object was not written after this time (to the second). Leaving it out skips the check."""
    Metadata: NotRequired[Mapping[str, str]]
    """User metadata, by name and without the prefix `x-amz-meta-`. Names and values are ASCII: percent-encode other characters.
    Names ignore case and come back in lower case.
    """
    MetadataDirective: NotRequired[Literal["COPY", "REPLACE"]]
    """`COPY` (the service's default): headers and metadata of the source. `REPLACE`: those given here."""
    ObjectLockLegalHoldStatus: NotRequired[Literal["ON", "OFF"]]
    """`ON` protects the version until it is set to `OFF`, also after the date of its lock. Leaving it out sets no hold."""
    ObjectLockMode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    """`COMPLIANCE`: the lock can only be extended. `GOVERNANCE`: callers who may bypass it may shorten it."""
    ObjectLockRetainUntilDate: NotRequired[TimestampTypeDef]
    """Time until which the version is protected. Sent as ISO 8601 with milliseconds."""
    RequestPayer: NotRequired[str]
    """`requester` in the S3 protocol. COS ignores it: the instance that owns the bucket pays."""
    RetentionDirective: NotRequired[Literal["COPY", "REPLACE"]]
    """`COPY`: retention period and legal holds of the source. `REPLACE`: those given here. Required to give any (IBM)."""
    RetentionExpirationDate: NotRequired[TimestampTypeDef]
    """End of the retention. Sent as ISO 8601 in whole seconds. Left out: no date."""
    RetentionLegalHoldId: NotRequired[str]
    """Id of one legal hold to put on the object: 1 to 64 letters, digits and `!_.*()-`. Leaving it out puts none."""
    RetentionPeriod: NotRequired[int]
    """Seconds from creation. -1: no end set. -2: for ever, if the bucket allows it."""
    SSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`."""
    SSECustomerKey: NotRequired[str | bytes]
    """The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too."""
    SSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the customer's encryption key. Computed if it is left out."""
    SSEKMSKeyId: NotRequired[str]
    """Part of the S3 protocol: a key of AWS KMS. In COS the root key is a setting of the bucket (see `create_bucket`)."""
    ServerSideEncryption: NotRequired[str]
    """Part of the S3 protocol: `AES256`, or the name of a key service. IBM documents no use of it for COS."""
    StorageClass: NotRequired[str]
    """Part of the S3 protocol. COS has no storage class per object: the class of the bucket applies."""
    Tagging: NotRequired[str]
    """Tags of the object, URL-encoded: `k=v&k2=v2`. At most 10; keys have 1 to 128 characters, values up to 256. Left out:
    none.
    """
    TaggingDirective: NotRequired[Literal["COPY", "REPLACE"]]
    """`COPY` (the service's default): tags of the source. `REPLACE`: those given in `Tagging`."""
    WebsiteRedirectLocation: NotRequired[str]
    """Target to which a static website redirects requests for this object: a URL, or a path that starts with `/`."""


class DeleteArgsTypeDef(TypedDict):
    """`extra_args` of `TransferManager.delete`."""

    BypassGovernanceRetention: NotRequired[bool]
    """True deletes a version although a `GOVERNANCE` lock protects it, if the caller may bypass it. False, or leaving it out,
    does not.
    """
    ChecksumAlgorithm: NotRequired[str]
    """Part of the S3 protocol, for requests with a body. IBM documents no use of it here."""
    ExpectedBucketOwner: NotRequired[str]
    """Account or instance that must own the bucket; 403 `AccessDenied` otherwise. Leaving it out skips the check."""
    MFA: NotRequired[str]
    """Part of the S3 protocol (deletion with a second factor). IBM documents no use of it for COS."""
    RequestPayer: NotRequired[str]
    """`requester` in the S3 protocol. COS ignores it: the instance that owns the bucket pays."""
    VersionId: NotRequired[str]
    """Version to delete for good; `null` for one written before versioning. Leaving it out deletes the current object (see
    above).
    """


class AbortIncompleteMultipartUploadTypeDef(TypedDict):
    """The abort of multipart uploads that were not completed.

    Their parts take up storage until then.
    """

    DaysAfterInitiation: NotRequired[int]
    """Days from the start of an upload until it is aborted, 1 or more. Required by the service."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AclOwnerTypeDef(TypedDict):
    """The owner in an access control list.

    It keeps elements that this library does not know, since the list is written back; the owner in a listing does not.
    """

    ID: NotRequired[str]
    """Id of the account or instance."""
    DisplayName: NotRequired[str]
    """Name to show. COS repeats the id here."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GranteeOutputTypeDef(TypedDict):
    """The receiver of a right: a user by id, a group by URI, or a customer by e-mail."""

    Type: NotRequired[str]
    """Kind of grantee: `CanonicalUser`, `Group` or `AmazonCustomerByEmail`."""
    ID: NotRequired[str]
    """Id of the user (kind `CanonicalUser`)."""
    DisplayName: NotRequired[str]
    """Name of the user, in responses."""
    EmailAddress: NotRequired[str]
    """E-mail address (kind `AmazonCustomerByEmail`)."""
    URI: NotRequired[str]
    """URI of the group (kind `Group`), such as `http://acs.amazonaws.com/groups/global/AllUsers`."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GrantOutputTypeDef(TypedDict):
    """One right of one grantee."""

    Grantee: NotRequired[GranteeOutputTypeDef]
    """Receiver of the right."""
    Permission: NotRequired[str]
    """The right: `FULL_CONTROL`, `WRITE`, `WRITE_ACP`, `READ` or `READ_ACP`."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GranteeTypeDef(TypedDict):
    """The receiver of a right: a user by id, a group by URI, or a customer by e-mail."""

    Type: str
    """Kind of grantee: `CanonicalUser`, `Group` or `AmazonCustomerByEmail`."""
    ID: NotRequired[str]
    """Id of the user (kind `CanonicalUser`)."""
    DisplayName: NotRequired[str]
    """Name of the user, in responses."""
    EmailAddress: NotRequired[str]
    """E-mail address (kind `AmazonCustomerByEmail`)."""
    URI: NotRequired[str]
    """URI of the group (kind `Group`), such as `http://acs.amazonaws.com/groups/global/AllUsers`."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GrantTypeDef(TypedDict):
    """One right of one grantee."""

    Grantee: NotRequired[GranteeTypeDef | GranteeOutputTypeDef]
    """Receiver of the right."""
    Permission: NotRequired[str]
    """The right: `FULL_CONTROL`, `WRITE`, `WRITE_ACP`, `READ` or `READ_ACP`."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AccessControlPolicyTypeDef(TypedDict):
    """The owner of a bucket or object, and the rights of others."""

    Owner: NotRequired[AclOwnerTypeDef]
    """Owner of the bucket or object."""
    Grants: NotRequired[Sequence[GrantTypeDef | GrantOutputTypeDef]]
    """Rights, one per grantee and permission."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AsperaKeyTypeDef(TypedDict):
    """The key pair for Aspera transfers of a bucket."""

    Id: NotRequired[str]
    """Access key id."""
    Secret: NotRequired[str]
    """Secret of the access key. `repr` does not show it."""


class BucketEntryTypeDef(TypedDict):
    """A bucket in a list."""

    Name: str
    """Name of the bucket."""
    CreationDate: NotRequired[datetime]
    """Time at which the bucket was created (UTC)."""
    LocationConstraint: NotRequired[str]
    """Provisioning code, such as `us-south-smart`. Missing in a plain list: only the extended list has it."""
    CreationTemplateId: NotRequired[str]
    """Id of the template from which the bucket was created. Missing in a plain list, and without a template."""


class CommonPrefixTypeDef(TypedDict):
    """A prefix that many keys share up to the delimiter, like a folder."""

    Prefix: str
    """The shared prefix, with the delimiter at its end."""


class CompletedPartTypeDef(TypedDict):
    """A part of an upload that is completed: its number and ETag."""

    ChecksumCRC32: NotRequired[str]
    """CRC32, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64 of its 8 bytes. Missing if the service reports none."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64 of its 20 bytes. Missing if the service reports none."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64 of its 32 bytes. Missing if the service reports none."""
    ETag: NotRequired[str]
    """ETag of the part, as the service returned it."""
    PartNumber: NotRequired[int]
    """Number of the part."""


class CompletedPartsTypeDef(TypedDict):
    """The parts of an upload that is completed."""

    Parts: NotRequired[Sequence[CompletedPartTypeDef]]
    """Parts in ascending order of their numbers."""


class CopyObjectResultTypeDef(TypedDict):
    """The ETag, version and checksums of a copy."""

    ETag: str
    """ETag of the copy, in quotes."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64 of its 8 bytes. Missing if the service reports none."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64 of its 20 bytes. Missing if the service reports none."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64 of its 32 bytes. Missing if the service reports none."""
    LastModified: NotRequired[datetime]
    """Time at which the copy was written (UTC)."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class CopyPartResultTypeDef(TypedDict):
    """The ETag and checksums of a part that was copied."""

    ETag: str
    """ETag of the copy, in quotes."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64 of its 8 bytes. Missing if the service reports none."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64 of its 20 bytes. Missing if the service reports none."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64 of its 32 bytes. Missing if the service reports none."""
    LastModified: NotRequired[datetime]
    """Time at which the copy was written (UTC)."""


class CorsRuleOutputTypeDef(TypedDict):
    """A CORS rule: origins, and the methods and headers that their scripts may use.

    The first rule that matches a request decides. Origins and request headers may hold one `*` each, for any text.
    """

    AllowedMethods: list[str]
    """Methods that a script may use: `GET`, `PUT`, `POST`, `DELETE`, `HEAD`. At least one."""
    AllowedOrigins: list[str]
    """Origins of the scripts, as `scheme://host[:port]`, such as `https://www.example.com`; `*` allows all. At least one."""
    ID: NotRequired[str]
    """Name of the rule, for your own use. Leaving it out leaves it out."""
    AllowedHeaders: NotRequired[list[str]]
    """Request headers that a script may send (`Access-Control-Request-Headers` of a preflight request), such as `x-amz-*`.
    Empty allows none besides those that browsers always allow.
    """
    ExposeHeaders: NotRequired[list[str]]
    """Response headers that a script may read, such as `ETag`, without `*`. Empty exposes only those that browsers always do.

    """
    MaxAgeSeconds: NotRequired[int]
    """Seconds for which a browser may cache the response to a preflight request. Leaving it out leaves it to the browser."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class CorsRuleTypeDef(TypedDict):
    """A CORS rule: origins, and the methods and headers that their scripts may use.

    The first rule that matches a request decides. Origins and request headers may hold one `*` each, for any text.
    """

    AllowedMethods: Sequence[str]
    """Methods that a script may use: `GET`, `PUT`, `POST`, `DELETE`, `HEAD`. At least one."""
    AllowedOrigins: Sequence[str]
    """Origins of the scripts, as `scheme://host[:port]`, such as `https://www.example.com`; `*` allows all. At least one."""
    ID: NotRequired[str]
    """Name of the rule, for your own use. Leaving it out leaves it out."""
    AllowedHeaders: NotRequired[Sequence[str]]
    """Request headers that a script may send (`Access-Control-Request-Headers` of a preflight request), such as `x-amz-*`.
    Empty allows none besides those that browsers always allow.
    """
    ExposeHeaders: NotRequired[Sequence[str]]
    """Response headers that a script may read, such as `ETag`, without `*`. Empty exposes only those that browsers always do.

    """
    MaxAgeSeconds: NotRequired[int]
    """Seconds for which a browser may cache the response to a preflight request. Leaving it out leaves it to the browser."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class CorsConfigurationTypeDef(TypedDict):
    """The CORS rules of a bucket."""

    CORSRules: Sequence[CorsRuleTypeDef | CorsRuleOutputTypeDef]
    """The rules, in the order in which they are tried."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class CreateBucketConfigurationTypeDef(TypedDict):
    """The location of a new bucket."""

    LocationConstraint: NotRequired[str]
    """Provisioning code: location and storage class, such as `us-south-smart`. IBM adds codes; none is checked here."""


class DefaultLockTypeDef(TypedDict):
    """The lock of new versions that are written without one.

    Set `mode`, and either `days` or `years`.
    """

    Mode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    """`COMPLIANCE` or `GOVERNANCE`. Required by the service."""
    Days: NotRequired[int]
    """Days from the write until the lock ends, 1 to 36,500. Missing if `Years` is set."""
    Years: NotRequired[int]
    """Years from the write until the lock ends, 1 to 100. Missing if `Days` is set."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class DeleteErrorTypeDef(TypedDict):
    """An object that could not be deleted, with the reason."""

    Key: NotRequired[str]
    """Key of the object."""
    VersionId: NotRequired[str]
    """Version that was requested to be deleted."""
    Code: NotRequired[str]
    """Error code of the service, such as `AccessDenied` (also for objects under retention)."""
    Message: NotRequired[str]
    """Message of the service."""


class DeleteMarkerReplicationTypeDef(TypedDict):
    """The replication of delete markers."""

    Status: Literal["Enabled", "Disabled"]
    """`Enabled` replicates delete markers, `Disabled` doesn't."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class OwnerTypeDef(TypedDict):
    """An account or service instance, as owner or initiator."""

    ID: NotRequired[str]
    """Id of the account or instance."""
    DisplayName: NotRequired[str]
    """Name to show. COS repeats the id here."""


class DeleteMarkerTypeDef(TypedDict):
    """The marker that a deletion leaves in a bucket with versioning."""

    Key: str
    """Key of the deleted object, decoded."""
    VersionId: NotRequired[str]
    """Version id of the marker. Deleting the marker by this id restores the object."""
    IsLatest: NotRequired[bool]
    """True if the marker is the current version of the key: a read of the key then raises `NoSuchKey`."""
    LastModified: NotRequired[datetime]
    """Time of the deletion (UTC)."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the marker."""


class ObjectIdentifierTypeDef(TypedDict):
    """An object, or one version of it."""

    Key: str
    """Key of the object."""
    VersionId: NotRequired[str]
    """Version to delete. Leaving it out deletes the current object, in a bucket with versioning by a delete marker."""


class DeleteTypeDef(TypedDict):
    """The objects to delete in one request."""

    Objects: Sequence[ObjectIdentifierTypeDef]
    """Objects and versions to delete: 1 to 1,000."""
    Quiet: NotRequired[bool]
    """True: the response lists only the failures. Missing or False: it lists every key."""


class DeletedObjectTypeDef(TypedDict):
    """An object that was deleted, or did not exist."""

    Key: str
    """Key of the object."""
    VersionId: NotRequired[str]
    """Version that was requested to be deleted."""
    DeleteMarker: NotRequired[bool]
    """True if a delete marker was made, or if the deleted version was one."""
    DeleteMarkerVersionId: NotRequired[str]
    """Version id of that delete marker."""


class DestinationTypeDef(TypedDict):
    """The target bucket of a rule."""

    Bucket: str
    """CRN of the target bucket: `crn:v1:bluemix:public:cloud-object-storage:global:a/{account}:{instance}:bucket:{name}`."""
    StorageClass: NotRequired[str]
    """Storage class of the replicas in the S3 protocol. IBM doesn't document it: with COS, the target bucket decides. Missing
    leaves it out.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ErrorDocumentTypeDef(TypedDict):
    """The page that is shown for an error, such as a missing object."""

    Key: str
    """Key of the object to show, with the status of the error."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ExpirationOutputTypeDef(TypedDict):
    """The deletion of objects, after some days or at a date.

    Set one field. In a bucket with versioning, an expired object gets a delete marker and its versions stay. Objects under
    retention or a lock are deleted only when they are free.
    """

    Date: NotRequired[datetime]
    """Time at which objects are deleted; give a midnight UTC. A time without a zone counts as UTC. Missing if another field is
    set.
    """
    Days: NotRequired[int]
    """Days from the creation of an object until it is deleted, 1 or more, rounded up to the next midnight UTC. Missing if
    another field is set.
    """
    ExpiredObjectDeleteMarker: NotRequired[bool]
    """True removes delete markers of objects that have no other versions. Missing if another field is set."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ExpirationTypeDef(TypedDict):
    """The deletion of objects, after some days or at a date.

    Set one field. In a bucket with versioning, an expired object gets a delete marker and its versions stay. Objects under
    retention or a lock are deleted only when they are free.
    """

    Date: NotRequired[TimestampTypeDef]
    """Time at which objects are deleted; give a midnight UTC. A time without a zone counts as UTC. Missing if another field is
    set.
    """
    Days: NotRequired[int]
    """Days from the creation of an object until it is deleted, 1 or more, rounded up to the next midnight UTC. Missing if
    another field is set.
    """
    ExpiredObjectDeleteMarker: NotRequired[bool]
    """True removes delete markers of objects that have no other versions. Missing if another field is set."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TagTypeDef(TypedDict):
    """A tag: a key with a value."""

    Key: str
    """Name of the tag: 1 to 128 characters, unique within its set, case-sensitive. It must not start with `ibm:`."""
    Value: str
    """Value of the tag: up to 256 characters; may be empty."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class FilterAndOutputTypeDef(TypedDict):
    """Several conditions of a rule, all of which an object must meet."""

    Prefix: NotRequired[str]
    """Prefix of the key. Leaving it out matches every key."""
    Tags: NotRequired[list[TagTypeDef]]
    """Tags that the object must have, all of them. Empty sets no condition."""
    ObjectSizeGreaterThan: NotRequired[int]
    """Size in bytes, above 0: the object must be larger. Leaving it out sets no condition."""
    ObjectSizeLessThan: NotRequired[int]
    """Size in bytes, above 0: the object must be smaller. Leaving it out sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class FilterAndTypeDef(TypedDict):
    """Several conditions of a rule, all of which an object must meet."""

    Prefix: NotRequired[str]
    """Prefix of the key. Leaving it out matches every key."""
    Tags: NotRequired[Sequence[TagTypeDef]]
    """Tags that the object must have, all of them. Empty sets no condition."""
    ObjectSizeGreaterThan: NotRequired[int]
    """Size in bytes, above 0: the object must be larger. Leaving it out sets no condition."""
    ObjectSizeLessThan: NotRequired[int]
    """Size in bytes, above 0: the object must be smaller. Leaving it out sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GlacierJobParametersTypeDef(TypedDict):
    """The speed of a restore."""

    Tier: str
    """`Bulk` for objects in `GLACIER` (up to 12 hours), `Accelerated` for objects in `ACCELERATED` (up to 2 hours)."""


class IndexDocumentTypeDef(TypedDict):
    """The page of a folder."""

    Suffix: str
    """Name that is added to a path that is empty or ends with a slash: with `index.html`, `/docs/` shows `docs/index.html`. Not
    empty, and without a slash.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleFilterOutputTypeDef(TypedDict):
    """The objects that a rule is for.

    Set one field; put several conditions into `and_`. Without any, the rule is for all objects. A rule that archives must be
    for all objects, with `prefix=""`.
    """

    Prefix: NotRequired[str]
    """Prefix of the key. An empty text matches every key; Leaving it out sets no condition."""
    Tag: NotRequired[TagTypeDef]
    """Tag that the object must have. Leaving it out sets no condition."""
    ObjectSizeGreaterThan: NotRequired[int]
    """Size in bytes, above 0: the object must be larger. Leaving it out sets no condition."""
    ObjectSizeLessThan: NotRequired[int]
    """Size in bytes, above 0: the object must be smaller. Leaving it out sets no condition."""
    And: NotRequired[FilterAndOutputTypeDef]
    """Several conditions together. Leaving it out sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class NoncurrentVersionExpirationTypeDef(TypedDict):
    """The deletion of versions that are no longer current."""

    NoncurrentDays: NotRequired[int]
    """Days from the creation of the next version until a version is deleted, 1 or more, rounded up to the next midnight UTC.
    Required by the service.
    """
    NewerNoncurrentVersions: NotRequired[int]
    """Noncurrent versions to keep for each object, the newest ones; 1 or more. Leaving it out keeps none. IBM's documentation
    doesn't mention it.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class NoncurrentVersionTransitionTypeDef(TypedDict):
    """The archiving of versions that are no longer current.

    COS refuses it; other S3 services have it.
    """

    NoncurrentDays: NotRequired[int]
    """Days from the creation of the next version until a version is moved."""
    NewerNoncurrentVersions: NotRequired[int]
    """Noncurrent versions that stay where they are, the newest ones. Leaving it out keeps none."""
    StorageClass: NotRequired[str]
    """Storage class to move versions to."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TransitionOutputTypeDef(TypedDict):
    """The archiving of new objects, after some days or at a date.

    Set either `days` or `date`. Objects that exist when the rule is written are not archived.
    """

    Date: NotRequired[datetime]
    """Time at which new objects are archived, in the future; give a midnight UTC. A time without a zone counts as
    UTC. Missing if `Days` is set.
    """
    Days: NotRequired[int]
    """Days from the creation of an object until it is archived, 0 or more; 0 archives it at once. Missing if `Date` is set."""
    StorageClass: NotRequired[str]
    """Archive tier: `GLACIER` (a restore takes up to 12 hours) or `ACCELERATED` (up to 2 hours). Required by the service."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleRuleOutputTypeDef(TypedDict):
    """A lifecycle rule: what to do with which objects, and when.

    `archive`, `expire` and `abort_uploads` build the usual ones. A rule has at least one action.
    """

    Status: Literal["Enabled", "Disabled"]
    """`Enabled` applies the rule, `Disabled` keeps it without effect."""
    ID: NotRequired[str]
    """Name of the rule, unique in its bucket: letters, digits and `!_.*'()-`. Leaving it out leaves it out."""
    Filter: NotRequired[LifecycleFilterOutputTypeDef]
    """Objects that the rule is for. Missing only in rules with the older `Prefix`."""
    Prefix: NotRequired[str]
    """Prefix of the keys, in an older form of the rule. Use `Filter` instead and leave this missing."""
    Transitions: NotRequired[list[TransitionOutputTypeDef]]
    """Archiving of new objects. COS takes at most one transition in all rules of a bucket."""
    Expiration: NotRequired[ExpirationOutputTypeDef]
    """Deletion of objects. Missing doesn't delete any."""
    NoncurrentVersionTransitions: NotRequired[list[NoncurrentVersionTransitionTypeDef]]
    """Archiving of versions that are no longer current. COS refuses it."""
    NoncurrentVersionExpiration: NotRequired[NoncurrentVersionExpirationTypeDef]
    """Deletion of versions that are no longer current. Missing doesn't delete any."""
    AbortIncompleteMultipartUpload: NotRequired[AbortIncompleteMultipartUploadTypeDef]
    """Abort of uploads that were not completed. Leaving it out leaves them open."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleFilterTypeDef(TypedDict):
    """The objects that a rule is for.

    Set one field; put several conditions into `and_`. Without any, the rule is for all objects. A rule that archives must be
    for all objects, with `prefix=""`.
    """

    Prefix: NotRequired[str]
    """Prefix of the key. An empty text matches every key; Leaving it out sets no condition."""
    Tag: NotRequired[TagTypeDef]
    """Tag that the object must have. Leaving it out sets no condition."""
    ObjectSizeGreaterThan: NotRequired[int]
    """Size in bytes, above 0: the object must be larger. Leaving it out sets no condition."""
    ObjectSizeLessThan: NotRequired[int]
    """Size in bytes, above 0: the object must be smaller. Leaving it out sets no condition."""
    And: NotRequired[FilterAndTypeDef | FilterAndOutputTypeDef]
    """Several conditions together. Leaving it out sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TransitionTypeDef(TypedDict):
    """The archiving of new objects, after some days or at a date.

    Set either `days` or `date`. Objects that exist when the rule is written are not archived.
    """

    Date: NotRequired[TimestampTypeDef]
    """Time at which new objects are archived, in the future; give a midnight UTC. A time without a zone counts as
    UTC. Missing if `Days` is set.
    """
    Days: NotRequired[int]
    """Days from the creation of an object until it is archived, 0 or more; 0 archives it at once. Missing if `Date` is set."""
    StorageClass: NotRequired[str]
    """Archive tier: `GLACIER` (a restore takes up to 12 hours) or `ACCELERATED` (up to 2 hours). Required by the service."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleRuleTypeDef(TypedDict):
    """A lifecycle rule: what to do with which objects, and when.

    `archive`, `expire` and `abort_uploads` build the usual ones. A rule has at least one action.
    """

    Status: Literal["Enabled", "Disabled"]
    """`Enabled` applies the rule, `Disabled` keeps it without effect."""
    Filter: LifecycleFilterTypeDef | LifecycleFilterOutputTypeDef
    """Objects that the rule is for. Missing only in rules with the older `Prefix`."""
    ID: NotRequired[str]
    """Name of the rule, unique in its bucket: letters, digits and `!_.*'()-`. Leaving it out leaves it out."""
    Prefix: NotRequired[str]
    """Prefix of the keys, in an older form of the rule. Use `Filter` instead and leave this missing."""
    Transitions: NotRequired[Sequence[TransitionTypeDef | TransitionOutputTypeDef]]
    """Archiving of new objects. COS takes at most one transition in all rules of a bucket."""
    Expiration: NotRequired[ExpirationTypeDef | ExpirationOutputTypeDef]
    """Deletion of objects. Missing doesn't delete any."""
    NoncurrentVersionTransitions: NotRequired[Sequence[NoncurrentVersionTransitionTypeDef]]
    """Archiving of versions that are no longer current. COS refuses it."""
    NoncurrentVersionExpiration: NotRequired[NoncurrentVersionExpirationTypeDef]
    """Deletion of versions that are no longer current. Missing doesn't delete any."""
    AbortIncompleteMultipartUpload: NotRequired[AbortIncompleteMultipartUploadTypeDef]
    """Abort of uploads that were not completed. Leaving it out leaves them open."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleConfigurationTypeDef(TypedDict):
    """The lifecycle rules of a bucket."""

    Rules: Sequence[LifecycleRuleTypeDef | LifecycleRuleOutputTypeDef]
    """The rules, 1 to 1,000."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LockRuleTypeDef(TypedDict):
    """The rule of a bucket with Object Lock; a bucket has one at most."""

    DefaultRetention: NotRequired[DefaultLockTypeDef]
    """Lock of new versions. Required by the service."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class NamedLegalHoldTypeDef(TypedDict):
    """A legal hold of an object."""

    ID: str
    """Id of the hold."""
    Date: NotRequired[datetime]
    """Time at which the hold was placed. Missing if the service leaves it out."""


class ObjectEntryTypeDef(TypedDict):
    """An object in a listing."""

    Key: str
    """Key of the object, decoded."""
    LastModified: NotRequired[datetime]
    """Time at which the object was written (UTC, in milliseconds)."""
    ETag: NotRequired[str]
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    Size: NotRequired[int]
    """Size in bytes."""
    StorageClass: NotRequired[str]
    """Storage class. IBM calls it a constant default here: use `objects.head` to see whether an object is archived."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the object. Version 2 of the listing has it only with `fetch_owner=True`."""
    ChecksumAlgorithm: NotRequired[list[str]]
    """Checksums that the service has of the object, such as `("CRC64NVME",)`. Empty if it reports none."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class ObjectLegalHoldOutputTypeDef(TypedDict):
    """The legal hold of a version."""

    Status: Literal["ON", "OFF"]
    """`ON` if the version is under legal hold, `OFF` if the hold was lifted."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectLegalHoldTypeDef(TypedDict):
    """The legal hold of a version."""

    Status: NotRequired[Literal["ON", "OFF"]]
    """`ON` if the version is under legal hold, `OFF` if the hold was lifted."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectLockConfigurationTypeDef(TypedDict):
    """The Object Lock configuration of a bucket. Object Lock can't be disabled."""

    ObjectLockEnabled: NotRequired[str]
    """`Enabled`, the only value that the service accepts."""
    Rule: NotRequired[LockRuleTypeDef]
    """Default lock of new versions. Leaving it out locks only versions that are written or locked explicitly."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectLockTypeDef(TypedDict):
    """The Object Lock configuration of a bucket, as read."""

    ObjectLockEnabled: NotRequired[str]
    """`Enabled`. Missing if the service leaves it out."""
    Rule: NotRequired[LockRuleTypeDef]
    """Default lock of new versions. Leaving it out locks only versions that are written or locked explicitly."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectRetentionOutputTypeDef(TypedDict):
    """The lock of a version.

    Set both fields. If both are None, a `GOVERNANCE` lock is lifted.
    """

    Mode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    """`COMPLIANCE` or `GOVERNANCE`. Missing, together with `RetainUntilDate`, lifts a lock that may be bypassed."""
    RetainUntilDate: NotRequired[datetime]
    """Time at which the lock ends, in the future; a time without a zone counts as UTC. Missing, together with `Mode`, lifts a
    lock that may be bypassed.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectRetentionTypeDef(TypedDict):
    """The lock of a version.

    Set both fields. If both are None, a `GOVERNANCE` lock is lifted.
    """

    Mode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    """`COMPLIANCE` or `GOVERNANCE`. Missing, together with `RetainUntilDate`, lifts a lock that may be bypassed."""
    RetainUntilDate: NotRequired[TimestampTypeDef]
    """Time at which the lock ends, in the future; a time without a zone counts as UTC. Missing, together with `Mode`, lifts a
    lock that may be bypassed.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectVersionTypeDef(TypedDict):
    """One version of an object in a listing."""

    Key: str
    """Key of the object, decoded."""
    LastModified: NotRequired[datetime]
    """Time at which the object was written (UTC, in milliseconds)."""
    ETag: NotRequired[str]
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    Size: NotRequired[int]
    """Size in bytes."""
    StorageClass: NotRequired[str]
    """Storage class. IBM calls it a constant default here: use `objects.head` to see whether an object is archived."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the object. Version 2 of the listing has it only with `fetch_owner=True`."""
    ChecksumAlgorithm: NotRequired[list[str]]
    """Checksums that the service has of the object, such as `("CRC64NVME",)`. Empty if it reports none."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    VersionId: NotRequired[str]
    """Id of the version; `null` for one written before versioning was enabled, or while it is suspended."""
    IsLatest: NotRequired[bool]
    """True if this is the current version of the key."""


class PartTypeDef(TypedDict):
    """A part that the service has stored."""

    PartNumber: int
    """Number of the part, 1 to 10,000."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64 of its 8 bytes. Missing if the service reports none."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64 of its 20 bytes. Missing if the service reports none."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64 of its 32 bytes. Missing if the service reports none."""
    LastModified: NotRequired[datetime]
    """Time at which the part was stored (UTC)."""
    ETag: NotRequired[str]
    """ETag of the part, in quotes. It is the MD5 in hexadecimal of a part encrypted by no key of yours."""
    Size: NotRequired[int]
    """Size of the part in bytes."""


class RetentionDaysTypeDef(TypedDict):
    """A retention period of a policy."""

    Days: int
    """Days, 0 or more. The most is 365,243 (1,000 years) on one page of IBM's documentation and 36,135 (99 years) on another.

    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ProtectionConfigurationTypeDef(TypedDict):
    """The retention policy of a bucket. It can be changed, but never removed.

    `of_days` builds one. The minimum must not exceed the default, nor the default the maximum.
    """

    Status: NotRequired[str]
    """`Retention`. As read, `Disabled` if the bucket has no policy."""
    MinimumRetention: NotRequired[RetentionDaysTypeDef]
    """Shortest period that an object may have. Required by the service; missing, as read, without a policy."""
    DefaultRetention: NotRequired[RetentionDaysTypeDef]
    """Period of objects that are written without one. Required by the service; missing, as read, without a policy."""
    MaximumRetention: NotRequired[RetentionDaysTypeDef]
    """Longest period that an object may have. Required by the service; missing, as read, without a policy."""
    EnablePermanentRetention: NotRequired[bool]
    """True allows objects with a period of -2, which can never be deleted. This can't be undone, and every later change of the
    policy must set it again. Leaving it out leaves it out, which counts as False.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ProtectionTypeDef(TypedDict):
    """The retention policy of a bucket, as read."""

    Status: str
    """`Retention`. As read, `Disabled` if the bucket has no policy."""
    MinimumRetention: NotRequired[RetentionDaysTypeDef]
    """Shortest period that an object may have. Required by the service; missing, as read, without a policy."""
    DefaultRetention: NotRequired[RetentionDaysTypeDef]
    """Period of objects that are written without one. Required by the service; missing, as read, without a policy."""
    MaximumRetention: NotRequired[RetentionDaysTypeDef]
    """Longest period that an object may have. Required by the service; missing, as read, without a policy."""
    EnablePermanentRetention: NotRequired[bool]
    """True allows objects with a period of -2, which can never be deleted. This can't be undone, and every later change of the
    policy must set it again. Leaving it out leaves it out, which counts as False.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class PublicAccessBlockConfigurationTypeDef(TypedDict):
    """The public access block of a bucket.

    It concerns access control lists only. Public access that an IAM policy grants is not affected.
    """

    BlockPublicAcls: NotRequired[bool]
    """True refuses requests that set a public access control list, such as `acl="public-read"`; existing lists stay in force.
    Leaving it out leaves the element out, which counts as False.
    """
    IgnorePublicAcls: NotRequired[bool]
    """True ignores public access control lists, existing ones too. Leaving it out leaves the element out, which counts as
    False.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class RedirectAllTypeDef(TypedDict):
    """A redirect of all requests to another host."""

    HostName: str
    """Host to redirect to, such as `www.example.com`."""
    Protocol: NotRequired[Literal["http", "https"]]
    """Protocol to redirect to. Leaving it out keeps the protocol of the request."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class RedirectTypeDef(TypedDict):
    """The target of a routing rule.

    At least one field must be set.
    """

    HostName: NotRequired[str]
    """Host to redirect to. Leaving it out keeps the host of the request."""
    HttpRedirectCode: NotRequired[str]
    """HTTP status of the redirect, as text, such as `"302"`. Leaving it out sends 301; IBM documents no default."""
    Protocol: NotRequired[Literal["http", "https"]]
    """Protocol to redirect to. Leaving it out keeps the protocol of the request."""
    ReplaceKeyPrefixWith: NotRequired[str]
    """Text that replaces the prefix of the condition in the key. Not together with `ReplaceKeyWith`. Leaving it out keeps the
    prefix.

    """
    ReplaceKeyWith: NotRequired[str]
    """Key to redirect to. Not together with `ReplaceKeyPrefixWith`. Leaving it out keeps the key."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationAndOutputTypeDef(TypedDict):
    """Several conditions of a rule, all of which an object must meet."""

    Prefix: NotRequired[str]
    """Prefix of the key. Leaving it out matches every key."""
    Tags: NotRequired[list[TagTypeDef]]
    """Tags that the object must have, all of them. Empty sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationAndTypeDef(TypedDict):
    """Several conditions of a rule, all of which an object must meet."""

    Prefix: NotRequired[str]
    """Prefix of the key. Leaving it out matches every key."""
    Tags: NotRequired[Sequence[TagTypeDef]]
    """Tags that the object must have, all of them. Empty sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationFilterOutputTypeDef(TypedDict):
    """The objects that a rule is for.

    Set one field; put several conditions into `and_`. Without any, the rule is for all objects.
    """

    Prefix: NotRequired[str]
    """Prefix of the key. Leaving it out sets no condition."""
    Tag: NotRequired[TagTypeDef]
    """Tag that the object must have. Leaving it out sets no condition."""
    And: NotRequired[ReplicationAndOutputTypeDef]
    """Several conditions together. Leaving it out sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationRuleOutputTypeDef(TypedDict):
    """A rule: which new objects are replicated to which bucket.

    An object that several rules match is replicated by the one with the highest priority only.
    """

    Priority: int
    """Priority of the rule; a higher number wins."""
    Status: Literal["Enabled", "Disabled"]
    """`Enabled` applies the rule, `Disabled` keeps it without effect."""
    Filter: ReplicationFilterOutputTypeDef
    """Objects that the rule is for; `ReplicationFilter()` is for all."""
    Destination: DestinationTypeDef
    """Target bucket. It must be versioned and must let the source bucket write to it (an IAM service authorization)."""
    DeleteMarkerReplication: DeleteMarkerReplicationTypeDef
    """Replication of delete markers. Required by the service."""
    ID: NotRequired[str]
    """Name of the rule: letters, digits and `!_.*'()-`. Leaving it out leaves it out."""
    Prefix: NotRequired[str]
    """Prefix of the keys, in an older form of the rule. Use `Filter` instead and leave this missing."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationConfigurationOutputTypeDef(TypedDict):
    """The replication rules of a bucket."""

    Role: NotRequired[str]
    """IAM role in the S3 protocol. COS doesn't use it. Leaving it out leaves it out."""
    Rules: NotRequired[list[ReplicationRuleOutputTypeDef]]
    """The rules, 1 to 1,000."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationFilterTypeDef(TypedDict):
    """The objects that a rule is for.

    Set one field; put several conditions into `and_`. Without any, the rule is for all objects.
    """

    Prefix: NotRequired[str]
    """Prefix of the key. Leaving it out sets no condition."""
    Tag: NotRequired[TagTypeDef]
    """Tag that the object must have. Leaving it out sets no condition."""
    And: NotRequired[ReplicationAndTypeDef | ReplicationAndOutputTypeDef]
    """Several conditions together. Leaving it out sets no condition."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationRuleTypeDef(TypedDict):
    """A rule: which new objects are replicated to which bucket.

    An object that several rules match is replicated by the one with the highest priority only.
    """

    Priority: int
    """Priority of the rule; a higher number wins."""
    Status: Literal["Enabled", "Disabled"]
    """`Enabled` applies the rule, `Disabled` keeps it without effect."""
    Filter: ReplicationFilterTypeDef | ReplicationFilterOutputTypeDef
    """Objects that the rule is for; `ReplicationFilter()` is for all."""
    Destination: DestinationTypeDef
    """Target bucket. It must be versioned and must let the source bucket write to it (an IAM service authorization)."""
    DeleteMarkerReplication: DeleteMarkerReplicationTypeDef
    """Replication of delete markers. Required by the service."""
    ID: NotRequired[str]
    """Name of the rule: letters, digits and `!_.*'()-`. Leaving it out leaves it out."""
    Prefix: NotRequired[str]
    """Prefix of the keys, in an older form of the rule. Use `Filter` instead and leave this missing."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationConfigurationTypeDef(TypedDict):
    """The replication rules of a bucket."""

    Rules: Sequence[ReplicationRuleTypeDef | ReplicationRuleOutputTypeDef]
    """The rules, 1 to 1,000."""
    Role: NotRequired[str]
    """IAM role in the S3 protocol. COS doesn't use it. Leaving it out leaves it out."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationFailureTypeDef(TypedDict):
    """One failed replication."""

    Key: str
    """Key of the object."""
    VersionId: NotRequired[str]
    """Id of the version."""
    SyncType: NotRequired[str]
    """Part of the version that wasn't replicated: `content`, `metadata` or `objectLock`. IBM's pages also write `Content`."""
    FirstSyncAttempted: NotRequired[datetime]
    """Time of the first attempt."""
    LastSyncAttempted: NotRequired[datetime]
    """Time of the last attempt."""
    SyncFailureCause: NotRequired[str]
    """Cause of the last failure, as text, such as `Versioning disabled on destination bucket`."""


class ReplicationFailuresTypeDef(TypedDict):
    """A page of failed replications, the newest first."""

    IsTruncated: bool
    """True if there are further pages."""
    EncodingType: NotRequired[str]
    """`url` if the service sent the keys percent-encoded. They are decoded here; missing if they came as they are."""
    Name: NotRequired[str]
    """Name of the bucket."""
    FirstSyncAttemptedBefore: NotRequired[str]
    """Time given in the request, as ISO 8601. Missing if the request gave none."""
    MaxKeys: NotRequired[int]
    """Most failures on the page, as requested."""
    KeyCount: NotRequired[int]
    """Failures on the page."""
    ContinuationToken: NotRequired[str]
    """Token given in the request. Missing on the first page."""
    NextContinuationToken: NotRequired[str]
    """Token of the next page. Missing on the last page."""
    Contents: NotRequired[list[ReplicationFailureTypeDef]]
    """Failures of the page."""


class RestoreRequestTypeDef(TypedDict):
    """The parameters of a restore."""

    Days: int
    """Days for which the restored copy stays readable, 1 or more."""
    GlacierJobParameters: NotRequired[GlacierJobParametersTypeDef]
    """Speed of the restore. Leaving it out takes the one of the archive tier that the object is in."""


class RoutingConditionTypeDef(TypedDict):
    """The condition of a routing rule.

    At least one field must be set; if both are, both must match.
    """

    HttpErrorCodeReturnedEquals: NotRequired[str]
    """HTTP status of an error, as text, such as `"404"`. Leaving it out applies the rule before the object is looked up."""
    KeyPrefixEquals: NotRequired[str]
    """Prefix of the requested key. Leaving it out matches every key."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class RoutingRuleTypeDef(TypedDict):
    """A redirect of some requests. The first rule whose condition matches is applied."""

    Redirect: RedirectTypeDef
    """Target of the redirect."""
    Condition: NotRequired[RoutingConditionTypeDef]
    """Requests that the rule is for. Leaving it out matches all of them."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TagSetTypeDef(TypedDict):
    """The tags of a bucket."""

    TagSet: Sequence[TagTypeDef]
    """The tags; empty if there are none."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class UploadEntryTypeDef(TypedDict):
    """An upload that was started and neither completed nor aborted."""

    Key: str
    """Key of the object, decoded."""
    UploadId: str
    """Id of the upload."""
    Initiator: NotRequired[OwnerTypeDef]
    """Account or instance that started the upload."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the object to be."""
    StorageClass: NotRequired[str]
    """Storage class, usually `STANDARD`. Informational."""
    Initiated: NotRequired[datetime]
    """Time at which the upload was started (UTC)."""
    ChecksumAlgorithm: NotRequired[str]
    """Checksum that the service uses for the object. Missing if it does not report one."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class VersioningConfigurationTypeDef(TypedDict):
    """The versioning state of a bucket."""

    Status: NotRequired[Literal["Enabled", "Suspended"]]
    """`Enabled`: a write keeps the previous versions of an object. `Suspended`: old versions stay, and a write replaces the
    version with the id `null`. Missing, as read: versioning was never enabled. Once enabled, it can only be suspended.
    """
    MFADelete: NotRequired[Literal["Enabled", "Disabled"]]
    """Multi-factor authentication for deletions. Part of the S3 protocol; COS doesn't offer it. Leaving it out leaves it out.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class WebsiteConfigurationTypeDef(TypedDict):
    """The website configuration of a bucket.

    Either a page for folders, with an optional error page and routing rules, or one redirect for all requests.
    """

    RedirectAllRequestsTo: NotRequired[RedirectAllTypeDef]
    """Redirect of all requests. It excludes the other fields. Leaving it out serves the bucket's objects."""
    IndexDocument: NotRequired[IndexDocumentTypeDef]
    """Page of a folder. Required unless all requests are redirected."""
    ErrorDocument: NotRequired[ErrorDocumentTypeDef]
    """Page for errors. Leaving it out shows a page of the service."""
    RoutingRules: NotRequired[Sequence[RoutingRuleTypeDef]]
    """Redirects of some requests, in the order in which they are tried. Leaving it out has no such redirects."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AbortMultipartUploadOutputTypeDef(TypedDict):
    """The response to AbortMultipartUpload."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""


class AddLegalHoldOutputTypeDef(TypedDict):
    """The response to AddLegalHold."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class CompleteMultipartUploadOutputTypeDef(TypedDict):
    """The response to CompleteMultipartUpload."""

    ETag: str
    """ETag, in quotes: MD5 of the parts' MD5s in hexadecimal, a dash, and the number of parts. Empty on some other services."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64 of its 4 bytes. Missing if the service reports none."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64 of its 8 bytes. Missing if the service reports none."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64 of its 20 bytes. Missing if the service reports none."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64 of its 32 bytes. Missing if the service reports none."""
    Location: NotRequired[str]
    """URL of the object."""
    Bucket: NotRequired[str]
    """Bucket of the object, as the service repeats it."""
    Key: NotRequired[str]
    """Key of the object, as the service repeats it."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    VersionId: NotRequired[str]
    """Version that was written. Missing in a bucket that never had versioning."""
    Expiration: NotRequired[str]
    """When a lifecycle rule deletes the object, and which rule: `expiry-date="…", rule-id="…"`. Missing if no rule applies."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    BucketKeyEnabled: NotRequired[bool]
    """Part of the S3 protocol (bucket keys of AWS KMS). Missing on COS."""


class CopyObjectOutputTypeDef(TypedDict):
    """The response to CopyObject."""

    CopyObjectResult: CopyObjectResultTypeDef
    """The ETag, version and checksums of a copy."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    SSECustomerAlgorithm: NotRequired[str]
    """`AES256` if your own key was used (SSE-C); missing otherwise."""
    SSECustomerKeyMD5: NotRequired[str]
    """MD5 of your key (SSE-C), base64; missing otherwise."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    CopySourceVersionId: NotRequired[str]
    """Version of the source that was copied. Missing in a bucket without versioning."""
    VersionId: NotRequired[str]
    """Version that was written. Missing in a bucket that never had versioning."""
    Expiration: NotRequired[str]
    """When a lifecycle rule deletes the copy, and which rule: `expiry-date="…", rule-id="…"`. Missing if no rule applies."""


class CreateBucketOutputTypeDef(TypedDict):
    """The response to CreateBucket."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Location: NotRequired[str]
    """Path of the new bucket. Missing if the service does not send it."""


class CreateMultipartUploadOutputTypeDef(TypedDict):
    """The response to CreateMultipartUpload."""

    UploadId: str
    """Id of the upload, needed for its parts, its completion and its abort. Opaque."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    SSECustomerAlgorithm: NotRequired[str]
    """`AES256` if your own key was used (SSE-C); missing otherwise."""
    SSECustomerKeyMD5: NotRequired[str]
    """MD5 of your key (SSE-C), base64; missing otherwise."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    Bucket: NotRequired[str]
    """Bucket of the object, as the service repeats it."""
    Key: NotRequired[str]
    """Key of the object, as the service repeats it."""
    AbortDate: NotRequired[datetime]
    """Time at which a lifecycle rule aborts the upload, if it is still open. Missing if no rule applies."""
    AbortRuleId: NotRequired[str]
    """Id of that lifecycle rule."""
    ChecksumAlgorithm: NotRequired[str]
    """Checksum that the service uses for the object: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class DeleteBucketOutputTypeDef(TypedDict):
    """The response to DeleteBucket."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class DeleteBucketCorsOutputTypeDef(TypedDict):
    """The response to DeleteBucketCors."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class DeleteBucketLifecycleOutputTypeDef(TypedDict):
    """The response to DeleteBucketLifecycle."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class DeleteBucketReplicationOutputTypeDef(TypedDict):
    """The response to DeleteBucketReplication."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class DeleteBucketTaggingOutputTypeDef(TypedDict):
    """The response to DeleteBucketTagging."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class DeleteBucketWebsiteOutputTypeDef(TypedDict):
    """The response to DeleteBucketWebsite."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class DeleteLegalHoldOutputTypeDef(TypedDict):
    """The response to DeleteLegalHold."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class DeleteObjectOutputTypeDef(TypedDict):
    """The response to DeleteObject."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    DeleteMarker: NotRequired[bool]
    """True if a delete marker was made, or if the deleted version was one. Missing otherwise."""
    VersionId: NotRequired[str]
    """Version that was deleted, or the version id of the new delete marker. Missing in a bucket without versioning."""


class DeleteObjectTaggingOutputTypeDef(TypedDict):
    """The response to DeleteObjectTagging."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    VersionId: NotRequired[str]
    """Id of the version. Missing in a bucket without versioning."""


class DeleteObjectsOutputTypeDef(TypedDict):
    """The response to DeleteObjects."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    Deleted: NotRequired[list[DeletedObjectTypeDef]]
    """Objects that were deleted or did not exist. Empty if `quiet` was requested."""
    Errors: NotRequired[list[DeleteErrorTypeDef]]
    """Objects that could not be deleted, each with the reason."""


class DeletePublicAccessBlockOutputTypeDef(TypedDict):
    """The response to DeletePublicAccessBlock."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class ExtendObjectRetentionOutputTypeDef(TypedDict):
    """The response to ExtendObjectRetention."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetBucketAclOutputTypeDef(TypedDict):
    """The response to GetBucketAcl."""

    Grants: list[GrantOutputTypeDef]
    """Rights, one per grantee and permission."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the bucket or object."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketAsperaOutputTypeDef(TypedDict):
    """The response to GetBucketAspera."""

    AccessKey: AsperaKeyTypeDef
    """Key pair for the transfer server."""
    ATSEndpoint: str
    """URL of the Aspera transfer service."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetBucketCorsOutputTypeDef(TypedDict):
    """The response to GetBucketCors."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    CORSRules: NotRequired[list[CorsRuleOutputTypeDef]]
    """The rules, in the order in which they are tried."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketLifecycleConfigurationOutputTypeDef(TypedDict):
    """The response to GetBucketLifecycleConfiguration."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Rules: NotRequired[list[LifecycleRuleOutputTypeDef]]
    """The rules, 1 to 1,000."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketLocationOutputTypeDef(TypedDict):
    """The response to GetBucketLocation."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    LocationConstraint: NotRequired[str]
    """Provisioning code: location and storage class, such as `us-south-smart`."""


class GetBucketProtectionConfigurationOutputTypeDef(TypedDict):
    """The response to GetBucketProtectionConfiguration."""

    ProtectionConfiguration: ProtectionTypeDef
    """The retention policy of a bucket, as read."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    IbmProtectionManagementState: NotRequired[str]
    """`active` if protection management is active. Missing otherwise."""


class GetBucketReplicationOutputTypeDef(TypedDict):
    """The response to GetBucketReplication."""

    ReplicationConfiguration: ReplicationConfigurationOutputTypeDef
    """The replication rules of a bucket."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetBucketTaggingOutputTypeDef(TypedDict):
    """The response to GetBucketTagging."""

    TagSet: list[TagTypeDef]
    """The tags; empty if there are none."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketVersioningOutputTypeDef(TypedDict):
    """The response to GetBucketVersioning."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Status: NotRequired[Literal["Enabled", "Suspended"]]
    """`Enabled`: a write keeps the previous versions of an object. `Suspended`: old versions stay, and a write replaces the
    version with the id `null`. Missing, as read: versioning was never enabled. Once enabled, it can only be suspended.
    """
    MFADelete: NotRequired[Literal["Enabled", "Disabled"]]
    """Multi-factor authentication for deletions. Part of the S3 protocol; COS doesn't offer it. Leaving it out leaves it out.
    """
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketWebsiteOutputTypeDef(TypedDict):
    """The response to GetBucketWebsite."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RedirectAllRequestsTo: NotRequired[RedirectAllTypeDef]
    """Redirect of all requests. It excludes the other fields. Leaving it out serves the bucket's objects."""
    IndexDocument: NotRequired[IndexDocumentTypeDef]
    """Page of a folder. Required unless all requests are redirected."""
    ErrorDocument: NotRequired[ErrorDocumentTypeDef]
    """Page for errors. Leaving it out shows a page of the service."""
    RoutingRules: NotRequired[list[RoutingRuleTypeDef]]
    """Redirects of some requests, in the order in which they are tried. Leaving it out has no such redirects."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetObjectOutputTypeDef(TypedDict):
    """The response to GetObject."""

    Body: StreamingBody
    """The content; read it to its end, or close it."""
    ETag: str
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    SSECustomerAlgorithm: NotRequired[str]
    """`AES256` if your own key was used (SSE-C); missing otherwise."""
    SSECustomerKeyMD5: NotRequired[str]
    """MD5 of your key (SSE-C), base64; missing otherwise."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    VersionId: NotRequired[str]
    """Id of the version. `null` for a version without an id; missing in a bucket that never had versioning."""
    Expiration: NotRequired[str]
    """When a lifecycle rule deletes the object, and which rule: `expiry-date="…", rule-id="…"`. Missing if no rule applies."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64. Missing if the service does not report it."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64. Missing if the service does not report it."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64. COS computes it for a body that came without any checksum."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64. Missing if the service does not report it."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64. Missing if the service does not report it."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    LastModified: NotRequired[datetime]
    """Time at which the object or version was written."""
    ContentLength: NotRequired[int]
    """Bytes of the response body: of the object, or of the range that was requested. HEAD has the same number."""
    ContentRange: NotRequired[str]
    """The range that was read, and the size of the object: `bytes 0-99/1000`. Missing for a whole object."""
    ContentType: NotRequired[str]
    """Media type, as stored."""
    ContentEncoding: NotRequired[str]
    """Encoding of the content, as stored, such as `gzip`. The client does not decompress."""
    ContentDisposition: NotRequired[str]
    """How a browser presents the content, as stored."""
    ContentLanguage: NotRequired[str]
    """Language of the content, as stored."""
    CacheControl: NotRequired[str]
    """How long the content may be cached, as stored."""
    Expires: NotRequired[datetime | str]
    """When the content becomes stale: the text as stored, which need not be a date."""
    Metadata: NotRequired[dict[str, str]]
    """User metadata, by name in lower case and without the prefix `x-amz-meta-`."""
    MissingMeta: NotRequired[int]
    """Number of metadata entries that cannot be sent as HTTP headers and are therefore missing in `Metadata`."""
    AcceptRanges: NotRequired[str]
    """`bytes`: the service serves ranges."""
    WebsiteRedirectLocation: NotRequired[str]
    """Target to which a static website redirects requests for this object: a URL, or a path that starts with `/`."""
    PartsCount: NotRequired[int]
    """Number of parts of a multipart object. Sent only when a part was requested by `part_number`."""
    TagCount: NotRequired[int]
    """Number of the object's tags. Missing if it has none."""
    ReplicationStatus: NotRequired[str]
    """State of replication: `PENDING`, `COMPLETE` or `FAILED` at the source, `REPLICA` at the target."""
    DeleteMarker: NotRequired[bool]
    """True if the response is about a delete marker. Reading one raises, so this is usually missing."""
    StorageClass: NotRequired[str]
    """`GLACIER` or `ACCELERATED` if the object is archived, restored or not; missing otherwise."""
    Restore: NotRequired[str]
    """`ongoing-request="true"` while a restore runs; then `ongoing-request="false", expiry-date="…"`. See `restored_until`."""
    IbmTransition: NotRequired[str]
    """Move to the archive: `IbmTransition="ARCHIVE", date="…"`. Missing for an object without one."""
    IbmRestoredCopyStorageClass: NotRequired[str]
    """Storage class of the bucket. Sent only while a restore runs or a restored copy exists."""
    ArchiveTransitionTime: NotRequired[str]
    """Time at which the object is to be archived, as the service writes it."""
    BackupRestoreTime: NotRequired[str]
    """Time at which the object was restored from a backup vault, as the service writes it."""
    BackupRestoreId: NotRequired[str]
    """Id of the restore from a backup vault."""
    RetentionPeriod: NotRequired[int]
    """Retention in seconds from creation; -1: no end set; -2: for ever. Missing outside a bucket with a retention policy."""
    RetentionExpirationDate: NotRequired[datetime]
    """End of the retention, for periods that have one."""
    RetentionLegalHoldCount: NotRequired[int]
    """Number of legal holds on the object. Missing outside a bucket with a retention policy."""
    ObjectLockMode: NotRequired[str]
    """Mode of the Object Lock: `COMPLIANCE` or `GOVERNANCE`. Missing if the version has no retention."""
    ObjectLockRetainUntilDate: NotRequired[datetime]
    """Time until which the lock protects the version."""
    ObjectLockLegalHoldStatus: NotRequired[str]
    """`ON` or `OFF`: the Object Lock legal hold of the version."""


class GetObjectAclOutputTypeDef(TypedDict):
    """The response to GetObjectAcl."""

    Grants: list[GrantOutputTypeDef]
    """Rights, one per grantee and permission."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the bucket or object."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetObjectLegalHoldOutputTypeDef(TypedDict):
    """The response to GetObjectLegalHold."""

    LegalHold: ObjectLegalHoldOutputTypeDef
    """The legal hold of a version."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetObjectLockConfigurationOutputTypeDef(TypedDict):
    """The response to GetObjectLockConfiguration."""

    ObjectLockConfiguration: ObjectLockTypeDef
    """The Object Lock configuration of a bucket, as read."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    IbmProtectionManagementState: NotRequired[str]
    """`active` if protection management is active. Missing otherwise. IBM only."""


class GetObjectRetentionOutputTypeDef(TypedDict):
    """The response to GetObjectRetention."""

    Retention: ObjectRetentionOutputTypeDef
    """The lock of a version."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetObjectTaggingOutputTypeDef(TypedDict):
    """The response to GetObjectTagging."""

    TagSet: list[TagTypeDef]
    """The tags; empty if there are none."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    VersionId: NotRequired[str]
    """Id of the version that has the tags. Missing in a bucket without versioning."""
    UnknownElements: NotRequired[list[str]]
    """Elements for which this version of the library has no field, each as XML text, in the order of the document.

    They are written back after the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetPublicAccessBlockOutputTypeDef(TypedDict):
    """The response to GetPublicAccessBlock."""

    PublicAccessBlockConfiguration: PublicAccessBlockConfigurationTypeDef
    """The public access block of a bucket."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class HeadBucketOutputTypeDef(TypedDict):
    """The response to HeadBucket."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    IBMSSEKPEnabled: NotRequired[bool]
    """True if the bucket is encrypted by a root key (Key Protect or Hyper Protect Crypto Services). Missing otherwise."""
    IBMSSEKPCrkId: NotRequired[str]
    """Id of the root key. Missing without one."""


class HeadObjectOutputTypeDef(TypedDict):
    """The response to HeadObject."""

    ETag: str
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    SSECustomerAlgorithm: NotRequired[str]
    """`AES256` if your own key was used (SSE-C); missing otherwise."""
    SSECustomerKeyMD5: NotRequired[str]
    """MD5 of your key (SSE-C), base64; missing otherwise."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    VersionId: NotRequired[str]
    """Id of the version. `null` for a version without an id; missing in a bucket that never had versioning."""
    Expiration: NotRequired[str]
    """When a lifecycle rule deletes the object, and which rule: `expiry-date="…", rule-id="…"`. Missing if no rule applies."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64. Missing if the service does not report it."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64. Missing if the service does not report it."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64. COS computes it for a body that came without any checksum."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64. Missing if the service does not report it."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64. Missing if the service does not report it."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    LastModified: NotRequired[datetime]
    """Time at which the object or version was written."""
    ContentLength: NotRequired[int]
    """Bytes of the response body: of the object, or of the range that was requested. HEAD has the same number."""
    ContentType: NotRequired[str]
    """Media type, as stored."""
    ContentEncoding: NotRequired[str]
    """Encoding of the content, as stored, such as `gzip`. The client does not decompress."""
    ContentDisposition: NotRequired[str]
    """How a browser presents the content, as stored."""
    ContentLanguage: NotRequired[str]
    """Language of the content, as stored."""
    CacheControl: NotRequired[str]
    """How long the content may be cached, as stored."""
    Expires: NotRequired[datetime | str]
    """When the content becomes stale: the text as stored, which need not be a date."""
    Metadata: NotRequired[dict[str, str]]
    """User metadata, by name in lower case and without the prefix `x-amz-meta-`."""
    MissingMeta: NotRequired[int]
    """Number of metadata entries that cannot be sent as HTTP headers and are therefore missing in `Metadata`."""
    AcceptRanges: NotRequired[str]
    """`bytes`: the service serves ranges."""
    WebsiteRedirectLocation: NotRequired[str]
    """Target to which a static website redirects requests for this object: a URL, or a path that starts with `/`."""
    PartsCount: NotRequired[int]
    """Number of parts of a multipart object. Sent only when a part was requested by `part_number`."""
    ReplicationStatus: NotRequired[str]
    """State of replication: `PENDING`, `COMPLETE` or `FAILED` at the source, `REPLICA` at the target."""
    DeleteMarker: NotRequired[bool]
    """True if the response is about a delete marker. Reading one raises, so this is usually missing."""
    StorageClass: NotRequired[str]
    """`GLACIER` or `ACCELERATED` if the object is archived, restored or not; missing otherwise."""
    Restore: NotRequired[str]
    """`ongoing-request="true"` while a restore runs; then `ongoing-request="false", expiry-date="…"`. See `restored_until`."""
    IbmTransition: NotRequired[str]
    """Move to the archive: `IbmTransition="ARCHIVE", date="…"`. Missing for an object without one."""
    IbmRestoredCopyStorageClass: NotRequired[str]
    """Storage class of the bucket. Sent only while a restore runs or a restored copy exists."""
    ArchiveTransitionTime: NotRequired[str]
    """Time at which the object is to be archived, as the service writes it."""
    BackupRestoreTime: NotRequired[str]
    """Time at which the object was restored from a backup vault, as the service writes it."""
    BackupRestoreId: NotRequired[str]
    """Id of the restore from a backup vault."""
    RetentionPeriod: NotRequired[int]
    """Retention in seconds from creation; -1: no end set; -2: for ever. Missing outside a bucket with a retention policy."""
    RetentionExpirationDate: NotRequired[datetime]
    """End of the retention, for periods that have one."""
    RetentionLegalHoldCount: NotRequired[int]
    """Number of legal holds on the object. Missing outside a bucket with a retention policy."""
    ObjectLockMode: NotRequired[str]
    """Mode of the Object Lock: `COMPLIANCE` or `GOVERNANCE`. Missing if the version has no retention."""
    ObjectLockRetainUntilDate: NotRequired[datetime]
    """Time until which the lock protects the version."""
    ObjectLockLegalHoldStatus: NotRequired[str]
    """`ON` or `OFF`: the Object Lock legal hold of the version."""


class ListBucketReplicationFailuresOutputTypeDef(TypedDict):
    """The response to ListBucketReplicationFailures."""

    ListReplicationFailureResult: ReplicationFailuresTypeDef
    """A page of failed replications, the newest first."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class ListBucketsOutputTypeDef(TypedDict):
    """The response to ListBuckets."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Owner: NotRequired[OwnerTypeDef]
    """Account that owns the buckets."""
    Buckets: NotRequired[list[BucketEntryTypeDef]]
    """Buckets of the instance (of the extended list: of the page)."""


class ListBucketsExtendedOutputTypeDef(TypedDict):
    """The response to ListBucketsExtended."""

    IsTruncated: bool
    """True if another page follows."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Owner: NotRequired[OwnerTypeDef]
    """Account that owns the buckets."""
    Buckets: NotRequired[list[BucketEntryTypeDef]]
    """Buckets of the instance (of the extended list: of the page)."""
    NextMarker: NotRequired[str]
    """`Marker` of the next page. IBM documents no such element; take the last name where it is missing."""


class ListLegalHoldsOutputTypeDef(TypedDict):
    """The response to ListLegalHolds."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    CreateTime: NotRequired[datetime]
    """Time at which the object was written and its period begins. Missing if the service leaves it out."""
    RetentionPeriod: NotRequired[int]
    """Retention period in seconds from `CreateTime`; -1 is indefinite, -2 permanent. Missing if the service leaves it out."""
    RetentionPeriodExpirationDate: NotRequired[datetime]
    """Time at which the period ends. Missing if it is indefinite or permanent."""
    LegalHolds: NotRequired[list[NamedLegalHoldTypeDef]]
    """Legal holds of the object; empty if it has none."""


class ListMultipartUploadsOutputTypeDef(TypedDict):
    """The response to ListMultipartUploads."""

    Bucket: str
    """Name of the bucket."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    """`url` if the service sent the keys percent-encoded. They are decoded here; missing if they came as they are."""
    KeyMarker: NotRequired[str]
    """Requested key after which the page starts."""
    UploadIdMarker: NotRequired[str]
    """Requested upload after which the page starts, within that key."""
    NextKeyMarker: NotRequired[str]
    """`KeyMarker` of the next page. Missing on the last page."""
    NextUploadIdMarker: NotRequired[str]
    """`UploadIdMarker` of the next page. Missing on the last page."""
    Prefix: NotRequired[str]
    """Requested prefix. Missing or empty if none was requested."""
    Delimiter: NotRequired[str]
    """Requested delimiter. Missing or empty if none was requested."""
    MaxUploads: NotRequired[int]
    """Limit of uploads for this page, as the service applied it."""
    IsTruncated: NotRequired[bool]
    """True if another page follows. Some services leave it out if it is False."""
    Uploads: NotRequired[list[UploadEntryTypeDef]]
    """Open uploads of the page."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""


class ListObjectVersionsOutputTypeDef(TypedDict):
    """The response to ListObjectVersions."""

    IsTruncated: bool
    """True if another page follows."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    """`url` if the service sent the keys percent-encoded. They are decoded here; missing if they came as they are."""
    Name: NotRequired[str]
    """Name of the bucket."""
    Prefix: NotRequired[str]
    """Requested prefix. Missing or empty if none was requested."""
    Delimiter: NotRequired[str]
    """Requested delimiter. Missing or empty if none was requested."""
    MaxKeys: NotRequired[int]
    """Limit of entries for this page, as the service applied it."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""
    KeyMarker: NotRequired[str]
    """Requested key after which the page starts."""
    VersionIdMarker: NotRequired[str]
    """Requested version after which the page starts, within that key."""
    NextKeyMarker: NotRequired[str]
    """`KeyMarker` of the next page. Missing on the last page."""
    NextVersionIdMarker: NotRequired[str]
    """`VersionIdMarker` of the next page. Missing on the last page."""
    Versions: NotRequired[list[ObjectVersionTypeDef]]
    """Versions of the page."""
    DeleteMarkers: NotRequired[list[DeleteMarkerTypeDef]]
    """Delete markers of the page."""


class ListObjectsOutputTypeDef(TypedDict):
    """The response to ListObjects."""

    IsTruncated: bool
    """True if another page follows."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    """`url` if the service sent the keys percent-encoded. They are decoded here; missing if they came as they are."""
    Name: NotRequired[str]
    """Name of the bucket."""
    Prefix: NotRequired[str]
    """Requested prefix. Missing or empty if none was requested."""
    Delimiter: NotRequired[str]
    """Requested delimiter. Missing or empty if none was requested."""
    MaxKeys: NotRequired[int]
    """Limit of entries for this page, as the service applied it."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""
    Contents: NotRequired[list[ObjectEntryTypeDef]]
    """Objects of the page."""
    Marker: NotRequired[str]
    """Requested key after which the page starts."""
    NextMarker: NotRequired[str]
    """Marker of the next page. Services may leave it out if no delimiter was requested."""
    IBMSSEKPEnabled: NotRequired[bool]
    """True if the bucket is encrypted by a root key (Key Protect or Hyper Protect Crypto Services)."""
    IBMSSEKPCrkId: NotRequired[str]
    """Id of the bucket's root key."""


class ListObjectsV2OutputTypeDef(TypedDict):
    """The response to ListObjectsV2."""

    IsTruncated: bool
    """True if another page follows."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    """`url` if the service sent the keys percent-encoded. They are decoded here; missing if they came as they are."""
    Name: NotRequired[str]
    """Name of the bucket."""
    Prefix: NotRequired[str]
    """Requested prefix. Missing or empty if none was requested."""
    Delimiter: NotRequired[str]
    """Requested delimiter. Missing or empty if none was requested."""
    MaxKeys: NotRequired[int]
    """Limit of entries for this page, as the service applied it."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""
    Contents: NotRequired[list[ObjectEntryTypeDef]]
    """Objects of the page."""
    KeyCount: NotRequired[int]
    """Number of entries of the page, as the service counts them. Some services leave common prefixes out of it."""
    ContinuationToken: NotRequired[str]
    """Token with which this page was requested."""
    NextContinuationToken: NotRequired[str]
    """Token of the next page. Missing on the last page."""
    StartAfter: NotRequired[str]
    """Requested key after which the listing starts."""


class ListPartsOutputTypeDef(TypedDict):
    """The response to ListParts."""

    UploadId: str
    """Id of the upload."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    Bucket: NotRequired[str]
    """Bucket of the object."""
    Key: NotRequired[str]
    """Key of the object."""
    PartNumberMarker: NotRequired[int]
    """Requested part number after which the page starts."""
    NextPartNumberMarker: NotRequired[int]
    """`PartNumberMarker` of the next page. Missing or 0 on the last page."""
    MaxParts: NotRequired[int]
    """Limit of parts for this page, as the service applied it."""
    IsTruncated: NotRequired[bool]
    """True if another page follows. Some services leave it out if it is False."""
    Parts: NotRequired[list[PartTypeDef]]
    """Parts of the page, by number."""
    Initiator: NotRequired[OwnerTypeDef]
    """Account or instance that started the upload."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the object to be."""
    StorageClass: NotRequired[str]
    """Storage class, usually `STANDARD`. Informational."""
    ChecksumAlgorithm: NotRequired[str]
    """Checksum that the service uses for the object. Missing if it does not report one."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    AbortDate: NotRequired[datetime]
    """Time at which a lifecycle rule aborts the upload, if it is still open. Missing if no rule applies."""
    AbortRuleId: NotRequired[str]
    """Id of that lifecycle rule."""


class PutBucketAclOutputTypeDef(TypedDict):
    """The response to PutBucketAcl."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketCorsOutputTypeDef(TypedDict):
    """The response to PutBucketCors."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketLifecycleConfigurationOutputTypeDef(TypedDict):
    """The response to PutBucketLifecycleConfiguration."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketProtectionConfigurationOutputTypeDef(TypedDict):
    """The response to PutBucketProtectionConfiguration."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketReplicationOutputTypeDef(TypedDict):
    """The response to PutBucketReplication."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketReplicationReattemptOutputTypeDef(TypedDict):
    """The response to PutBucketReplicationReattempt."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketTaggingOutputTypeDef(TypedDict):
    """The response to PutBucketTagging."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketVersioningOutputTypeDef(TypedDict):
    """The response to PutBucketVersioning."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutBucketWebsiteOutputTypeDef(TypedDict):
    """The response to PutBucketWebsite."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class PutObjectOutputTypeDef(TypedDict):
    """The response to PutObject."""

    ETag: str
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    SSECustomerAlgorithm: NotRequired[str]
    """`AES256` if your own key was used (SSE-C); missing otherwise."""
    SSECustomerKeyMD5: NotRequired[str]
    """MD5 of your key (SSE-C), base64; missing otherwise."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    VersionId: NotRequired[str]
    """Id of the version. `null` for a version without an id; missing in a bucket that never had versioning."""
    Expiration: NotRequired[str]
    """When a lifecycle rule deletes the object, and which rule: `expiry-date="…", rule-id="…"`. Missing if no rule applies."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64. Missing if the service does not report it."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64. Missing if the service does not report it."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64. COS computes it for a body that came without any checksum."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64. Missing if the service does not report it."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64. Missing if the service does not report it."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class PutObjectAclOutputTypeDef(TypedDict):
    """The response to PutObjectAcl."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""


class PutObjectLegalHoldOutputTypeDef(TypedDict):
    """The response to PutObjectLegalHold."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""


class PutObjectLockConfigurationOutputTypeDef(TypedDict):
    """The response to PutObjectLockConfiguration."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""


class PutObjectRetentionOutputTypeDef(TypedDict):
    """The response to PutObjectRetention."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""


class PutObjectTaggingOutputTypeDef(TypedDict):
    """The response to PutObjectTagging."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    VersionId: NotRequired[str]
    """Id of the version. Missing in a bucket without versioning."""


class PutPublicAccessBlockOutputTypeDef(TypedDict):
    """The response to PutPublicAccessBlock."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class RestoreObjectOutputTypeDef(TypedDict):
    """The response to RestoreObject."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class UploadPartOutputTypeDef(TypedDict):
    """The response to UploadPart."""

    ETag: str
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    SSECustomerAlgorithm: NotRequired[str]
    """`AES256` if your own key was used (SSE-C); missing otherwise."""
    SSECustomerKeyMD5: NotRequired[str]
    """MD5 of your key (SSE-C), base64; missing otherwise."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    ChecksumCRC32: NotRequired[str]
    """CRC32, base64. Missing if the service does not report it."""
    ChecksumCRC32C: NotRequired[str]
    """CRC32C, base64. Missing if the service does not report it."""
    ChecksumCRC64NVME: NotRequired[str]
    """CRC64NVME, base64. COS computes it for a body that came without any checksum."""
    ChecksumSHA1: NotRequired[str]
    """SHA-1, base64. Missing if the service does not report it."""
    ChecksumSHA256: NotRequired[str]
    """SHA-256, base64. Missing if the service does not report it."""


class UploadPartCopyOutputTypeDef(TypedDict):
    """The response to UploadPartCopy."""

    CopyPartResult: CopyPartResultTypeDef
    """The ETag and checksums of a part that was copied."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""
    SSECustomerAlgorithm: NotRequired[str]
    """`AES256` if your own key was used (SSE-C); missing otherwise."""
    SSECustomerKeyMD5: NotRequired[str]
    """MD5 of your key (SSE-C), base64; missing otherwise."""
    ServerSideEncryption: NotRequired[str]
    """Name of the encryption, such as `AES256`. Missing if the service does not report it."""
    SSEKMSKeyId: NotRequired[str]
    """Key of a key service. Missing if the service does not report one."""
    CopySourceVersionId: NotRequired[str]
    """Version of the source that was copied. Missing in a bucket without versioning."""


class ListObjectsV2FullResultTypeDef(TypedDict):
    """All pages of ListObjectsV2 in one: the result of `build_full_result`."""

    Contents: NotRequired[list[ObjectEntryTypeDef]]
    """Objects of the page."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListObjectsFullResultTypeDef(TypedDict):
    """All pages of ListObjects in one: the result of `build_full_result`."""

    Contents: NotRequired[list[ObjectEntryTypeDef]]
    """Objects of the page."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListObjectVersionsFullResultTypeDef(TypedDict):
    """All pages of ListObjectVersions in one: the result of `build_full_result`."""

    Versions: NotRequired[list[ObjectVersionTypeDef]]
    """Versions of the page."""
    DeleteMarkers: NotRequired[list[DeleteMarkerTypeDef]]
    """Delete markers of the page."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListMultipartUploadsFullResultTypeDef(TypedDict):
    """All pages of ListMultipartUploads in one: the result of `build_full_result`."""

    Uploads: NotRequired[list[UploadEntryTypeDef]]
    """Open uploads of the page."""
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    """Prefixes up to the delimiter, each for all keys that share it. Empty without a delimiter."""
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListPartsFullResultTypeDef(TypedDict):
    """All pages of ListParts in one: the result of `build_full_result`."""

    Parts: NotRequired[list[PartTypeDef]]
    """Parts of the page, by number."""
    ChecksumAlgorithm: NotRequired[str]
    """Checksum that the service uses for the object. Missing if it does not report one."""
    Initiator: NotRequired[OwnerTypeDef]
    """Account or instance that started the upload."""
    Owner: NotRequired[OwnerTypeDef]
    """Owner of the object to be."""
    StorageClass: NotRequired[str]
    """Storage class, usually `STANDARD`. Informational."""
    ChecksumType: NotRequired[str]
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListBucketsExtendedFullResultTypeDef(TypedDict):
    """All pages of ListBucketsExtended in one: the result of `build_full_result`."""

    Buckets: NotRequired[list[BucketEntryTypeDef]]
    """Buckets of the instance (of the extended list: of the page)."""
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""
