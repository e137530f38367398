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
    """A file object to read from. `read` returns bytes, or an awaitable of bytes; empty bytes are the end."""

    def read(self, size: int, /) -> bytes | Awaitable[bytes]:
        """Return at most `size` bytes."""
        ...


class WritableFile(Protocol):
    """A file object to write to, open in binary mode. What `write` returns is awaited if it is awaitable."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`."""
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
    """The object to copy. Text of the form `bucket/key?versionId=id` is accepted in its place."""

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
    CacheControl: NotRequired[str]
    ChecksumAlgorithm: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentType: NotRequired[str]
    ExpectedBucketOwner: NotRequired[str]
    Expires: NotRequired[TimestampTypeDef]
    """When the content becomes stale. Copies keep what others have stored here and is no time (`0`), as a `Stored` text."""
    ForbidOverwrite: NotRequired[bool]
    """True: write only if there is no object of this name; `ObjectAlreadyExists` (409) otherwise. None sends no header.

    A header of the on-premises product, from release 3.20, where an administrator has to turn it on. Buckets that keep or kept
    versions ignore it, and services that do not know it ignore it and overwrite. `IfNoneMatch="*"` is what IBM documents for
    the public service, for `objects.put`.
    """
    GrantFullControl: NotRequired[str]
    GrantRead: NotRequired[str]
    GrantReadACP: NotRequired[str]
    GrantWriteACP: NotRequired[str]
    IfMatch: NotRequired[str]
    """Write only over an object with this ETag. None writes over whatever is there."""
    IfNoneMatch: NotRequired[str]
    """`"*"`: write only if there is no such object. An ETag: only if the object has another. None writes over anything."""
    IfUnmodifiedSince: NotRequired[TimestampTypeDef]
    """Write only if the object was not written after this time (to the second). None does not look at the time."""
    Metadata: NotRequired[Mapping[str, str]]
    """User metadata. The service ignores the case of names, and gives them back in lower case.

    Values are sent as UTF-8. IBM's SDK sends ASCII only, and reads other characters wrongly: encode them for it.
    """
    ObjectLockLegalHoldStatus: NotRequired[Literal["ON", "OFF"]]
    ObjectLockMode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    ObjectLockRetainUntilDate: NotRequired[TimestampTypeDef]
    RequestPayer: NotRequired[str]
    RetentionExpirationDate: NotRequired[TimestampTypeDef]
    RetentionLegalHoldId: NotRequired[str]
    RetentionPeriod: NotRequired[int]
    SSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`."""
    SSECustomerKey: NotRequired[str | bytes]
    """The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too."""
    SSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the customer's encryption key. Computed if it is left out."""
    SSEKMSKeyId: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    StorageClass: NotRequired[str]
    Tagging: NotRequired[str]
    """Tags, URL-encoded: `k=v&k2=v2`."""
    WebsiteRedirectLocation: NotRequired[str]


class DownloadArgsTypeDef(TypedDict):
    """`ExtraArgs` of a download."""

    ChecksumMode: NotRequired[Literal["ENABLED"]]
    """Ask for the object's checksums, which vouch for it where its ETag is no MD5."""
    ExpectedBucketOwner: NotRequired[str]
    IfMatch: NotRequired[str]
    IfModifiedSince: NotRequired[TimestampTypeDef]
    IfNoneMatch: NotRequired[str]
    IfUnmodifiedSince: NotRequired[TimestampTypeDef]
    RequestPayer: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`."""
    SSECustomerKey: NotRequired[str | bytes]
    """The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too."""
    SSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the customer's encryption key. Computed if it is left out."""
    VersionId: NotRequired[str]


class CopyArgsTypeDef(TypedDict):
    """`ExtraArgs` of a copy."""

    ACL: NotRequired[str]
    CacheControl: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentLanguage: NotRequired[str]
    ContentType: NotRequired[str]
    CopySourceIfMatch: NotRequired[str]
    CopySourceIfModifiedSince: NotRequired[TimestampTypeDef]
    CopySourceIfNoneMatch: NotRequired[str]
    CopySourceIfUnmodifiedSince: NotRequired[TimestampTypeDef]
    CopySourceSSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the key that the source was encrypted with (SSE-C): `AES256`."""
    CopySourceSSECustomerKey: NotRequired[str | bytes]
    """The customer's key that the source was encrypted with (SSE-C): 32 bytes, or their base64."""
    CopySourceSSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the source's encryption key. Computed if it is left out."""
    ExpectedBucketOwner: NotRequired[str]
    ExpectedSourceBucketOwner: NotRequired[str]
    Expires: NotRequired[TimestampTypeDef]
    """When the content becomes stale. Copies keep what others have stored here and is no time (`0`), as a `Stored` text."""
    ForbidOverwrite: NotRequired[bool]
    """True: write only if there is no object of this name; `ObjectAlreadyExists` (409) otherwise. None sends no header.

    A header of the on-premises product, from release 3.20, where an administrator has to turn it on. Buckets that keep or kept
    versions ignore it, and services that do not know it ignore it and overwrite. `IfNoneMatch="*"` is what IBM documents for
    the public service, for `objects.put`.
    """
    GrantFullControl: NotRequired[str]
    GrantRead: NotRequired[str]
    GrantReadACP: NotRequired[str]
    GrantWriteACP: NotRequired[str]
    IfMatch: NotRequired[str]
    """Write only over an object with this ETag. None writes over whatever is there."""
    IfNoneMatch: NotRequired[str]
    """`"*"`: write only if there is no such object. An ETag: only if the object has another. None writes over anything."""
    IfUnmodifiedSince: NotRequired[TimestampTypeDef]
    """Write only if the object was not written after this time (to the second). None does not look at the time."""
    Metadata: NotRequired[Mapping[str, str]]
    """User metadata. The service ignores the case of names, and gives them back in lower case.

    Values are sent as UTF-8. IBM's SDK sends ASCII only, and reads other characters wrongly: encode them for it.
    """
    MetadataDirective: NotRequired[Literal["COPY", "REPLACE"]]
    ObjectLockLegalHoldStatus: NotRequired[Literal["ON", "OFF"]]
    ObjectLockMode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    ObjectLockRetainUntilDate: NotRequired[TimestampTypeDef]
    RequestPayer: NotRequired[str]
    RetentionDirective: NotRequired[Literal["COPY", "REPLACE"]]
    """IBM: take period and holds from the source, or from this call."""
    RetentionExpirationDate: NotRequired[TimestampTypeDef]
    RetentionLegalHoldId: NotRequired[str]
    RetentionPeriod: NotRequired[int]
    SSECustomerAlgorithm: NotRequired[str]
    """Algorithm of the customer's encryption key (SSE-C): `AES256`. Required with `SSECustomerKey`."""
    SSECustomerKey: NotRequired[str | bytes]
    """The customer's encryption key (SSE-C): 32 bytes, or their base64 if `SSECustomerKeyMD5` is given too."""
    SSECustomerKeyMD5: NotRequired[str]
    """Base64 of the MD5 of the customer's encryption key. Computed if it is left out."""
    SSEKMSKeyId: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    StorageClass: NotRequired[str]
    Tagging: NotRequired[str]
    """Tags, URL-encoded: `k=v&k2=v2`."""
    TaggingDirective: NotRequired[Literal["COPY", "REPLACE"]]
    WebsiteRedirectLocation: NotRequired[str]


class DeleteArgsTypeDef(TypedDict):
    """`extra_args` of `TransferManager.delete`."""

    BypassGovernanceRetention: NotRequired[bool]
    ChecksumAlgorithm: NotRequired[str]
    ExpectedBucketOwner: NotRequired[str]
    MFA: NotRequired[str]
    RequestPayer: NotRequired[str]
    VersionId: NotRequired[str]


class AbortIncompleteMultipartUploadTypeDef(TypedDict):
    """When uploads are aborted that were not completed: days after they were begun."""

    DaysAfterInitiation: NotRequired[int]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AclOwnerTypeDef(TypedDict):
    """The owner in an access control list, which is written back: what a page of a listing says of an owner is not."""

    ID: NotRequired[str]
    DisplayName: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GranteeOutputTypeDef(TypedDict):
    """Who is granted something: a canonical user by id, a group by URI, or a customer by e-mail."""

    Type: NotRequired[str]
    ID: NotRequired[str]
    DisplayName: NotRequired[str]
    EmailAddress: NotRequired[str]
    URI: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GrantOutputTypeDef(TypedDict):
    """One right of one grantee: FULL_CONTROL, WRITE, WRITE_ACP, READ or READ_ACP."""

    Grantee: NotRequired[GranteeOutputTypeDef]
    Permission: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GranteeTypeDef(TypedDict):
    """Who is granted something: a canonical user by id, a group by URI, or a customer by e-mail."""

    Type: str
    ID: NotRequired[str]
    DisplayName: NotRequired[str]
    EmailAddress: NotRequired[str]
    URI: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GrantTypeDef(TypedDict):
    """One right of one grantee: FULL_CONTROL, WRITE, WRITE_ACP, READ or READ_ACP."""

    Grantee: NotRequired[GranteeTypeDef | GranteeOutputTypeDef]
    Permission: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AccessControlPolicyTypeDef(TypedDict):
    """Who owns something, and who may do what with it."""

    Owner: NotRequired[AclOwnerTypeDef]
    Grants: NotRequired[Sequence[GrantTypeDef | GrantOutputTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AsperaKeyTypeDef(TypedDict):
    """The key pair of a bucket's Aspera node. It does not show its secret."""

    Id: NotRequired[str]
    Secret: NotRequired[str]


class BucketEntryTypeDef(TypedDict):
    """A bucket in a list. Location and template are in extended lists only."""

    Name: str
    CreationDate: NotRequired[datetime]
    LocationConstraint: NotRequired[str]
    CreationTemplateId: NotRequired[str]


class CommonPrefixTypeDef(TypedDict):
    """Keys that share this prefix up to the delimiter: a folder, so to say."""

    Prefix: str


class CompletedPartTypeDef(TypedDict):
    """A part to be joined: its number and the ETag the service gave it."""

    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ETag: NotRequired[str]
    PartNumber: NotRequired[int]


class CompletedPartsTypeDef(TypedDict):
    """The parts to be joined, in ascending order."""

    Parts: NotRequired[Sequence[CompletedPartTypeDef]]


class CopyObjectResultTypeDef(TypedDict):
    """What the service says of a copy."""

    ETag: str
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    LastModified: NotRequired[datetime]
    ChecksumType: NotRequired[str]


class CopyPartResultTypeDef(TypedDict):
    """What the service says of a part that was copied."""

    ETag: str
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    LastModified: NotRequired[datetime]


class CorsRuleOutputTypeDef(TypedDict):
    """Who may do what: origins, methods and headers may hold one `*` each."""

    AllowedMethods: list[str]
    """GET, PUT, POST, DELETE, HEAD."""
    AllowedOrigins: list[str]
    ID: NotRequired[str]
    AllowedHeaders: NotRequired[list[str]]
    ExposeHeaders: NotRequired[list[str]]
    MaxAgeSeconds: NotRequired[int]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class CorsRuleTypeDef(TypedDict):
    """Who may do what: origins, methods and headers may hold one `*` each."""

    AllowedMethods: Sequence[str]
    """GET, PUT, POST, DELETE, HEAD."""
    AllowedOrigins: Sequence[str]
    ID: NotRequired[str]
    AllowedHeaders: NotRequired[Sequence[str]]
    ExposeHeaders: NotRequired[Sequence[str]]
    MaxAgeSeconds: NotRequired[int]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class CorsConfigurationTypeDef(TypedDict):
    """The rules of a bucket as the service tells them."""

    CORSRules: Sequence[CorsRuleTypeDef | CorsRuleOutputTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class CreateBucketConfigurationTypeDef(TypedDict):
    """Where a bucket is made: a provisioning code such as `us-south-smart`. An open list: new locations appear."""

    LocationConstraint: NotRequired[str]


class DefaultLockTypeDef(TypedDict):
    """The lock that new versions get where none is given: a mode, and days or years, not both (at most 100 years)."""

    Mode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    Days: NotRequired[int]
    Years: NotRequired[int]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class DeleteErrorTypeDef(TypedDict):
    """One object that is not gone, and why."""

    Key: NotRequired[str]
    VersionId: NotRequired[str]
    Code: NotRequired[str]
    Message: NotRequired[str]


class DeleteMarkerReplicationTypeDef(TypedDict):
    """Whether delete markers are replicated too."""

    Status: Literal["Enabled", "Disabled"]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class OwnerTypeDef(TypedDict):
    """An account."""

    ID: NotRequired[str]
    DisplayName: NotRequired[str]


class DeleteMarkerTypeDef(TypedDict):
    """What a deletion in a versioned bucket leaves."""

    Key: str
    VersionId: NotRequired[str]
    IsLatest: NotRequired[bool]
    LastModified: NotRequired[datetime]
    Owner: NotRequired[OwnerTypeDef]


class ObjectIdentifierTypeDef(TypedDict):
    """An object, or one version of it."""

    Key: str
    VersionId: NotRequired[str]


class DeleteTypeDef(TypedDict):
    """Objects to remove, at most 1,000. `quiet` answers with the failures only."""

    Objects: Sequence[ObjectIdentifierTypeDef]
    Quiet: NotRequired[bool]


class DeletedObjectTypeDef(TypedDict):
    """One object that is gone."""

    Key: str
    VersionId: NotRequired[str]
    DeleteMarker: NotRequired[bool]
    DeleteMarkerVersionId: NotRequired[str]


class DestinationTypeDef(TypedDict):
    """Where objects are replicated to: the CRN of a bucket."""

    Bucket: str
    StorageClass: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ErrorDocumentTypeDef(TypedDict):
    """The key of the page that is served where something is wrong."""

    Key: str
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ExpirationOutputTypeDef(TypedDict):
    """When objects expire: days after their creation, counted to the next midnight UTC, or at a date."""

    Date: NotRequired[datetime]
    Days: NotRequired[int]
    ExpiredObjectDeleteMarker: NotRequired[bool]
    """Remove delete markers that no version stands behind."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ExpirationTypeDef(TypedDict):
    """When objects expire: days after their creation, counted to the next midnight UTC, or at a date."""

    Date: NotRequired[TimestampTypeDef]
    Days: NotRequired[int]
    ExpiredObjectDeleteMarker: NotRequired[bool]
    """Remove delete markers that no version stands behind."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TagTypeDef(TypedDict):
    """A tag: a name and a value."""

    Key: str
    Value: str
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class FilterAndOutputTypeDef(TypedDict):
    """Conditions that must all hold."""

    Prefix: NotRequired[str]
    Tags: NotRequired[list[TagTypeDef]]
    ObjectSizeGreaterThan: NotRequired[int]
    ObjectSizeLessThan: NotRequired[int]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class FilterAndTypeDef(TypedDict):
    """Conditions that must all hold."""

    Prefix: NotRequired[str]
    Tags: NotRequired[Sequence[TagTypeDef]]
    ObjectSizeGreaterThan: NotRequired[int]
    ObjectSizeLessThan: NotRequired[int]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GlacierJobParametersTypeDef(TypedDict):
    """How fast to restore."""

    Tier: str
    """`Bulk` for objects in GLACIER (12 hours), `Accelerated` for those in ACCELERATED (2 hours)."""


class IndexDocumentTypeDef(TypedDict):
    """What is served for a folder: `index.html` for `/` and for `docs/`."""

    Suffix: str
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleFilterOutputTypeDef(TypedDict):
    """The objects a rule is for: one condition, or several in `and_`; empty, all of them."""

    Prefix: NotRequired[str]
    Tag: NotRequired[TagTypeDef]
    ObjectSizeGreaterThan: NotRequired[int]
    ObjectSizeLessThan: NotRequired[int]
    And: NotRequired[FilterAndOutputTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class NoncurrentVersionExpirationTypeDef(TypedDict):
    """When versions expire that are not the current one: days after they were succeeded."""

    NoncurrentDays: NotRequired[int]
    NewerNoncurrentVersions: NotRequired[int]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class NoncurrentVersionTransitionTypeDef(TypedDict):
    """When versions go to another storage class that are not the current one. Not offered by COS; other services have it."""

    NoncurrentDays: NotRequired[int]
    """Days after a version was succeeded by another."""
    NewerNoncurrentVersions: NotRequired[int]
    """How many noncurrent versions stay where they are, the newest first. None: none of them."""
    StorageClass: NotRequired[str]
    """The storage class that versions go to."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TransitionOutputTypeDef(TypedDict):
    """When new objects go to the archive: after days (0: at once), or at a date in the future."""

    Date: NotRequired[datetime]
    Days: NotRequired[int]
    StorageClass: NotRequired[str]
    """`GLACIER` (restored within 12 hours) or `ACCELERATED` (within 2)."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleRuleOutputTypeDef(TypedDict):
    """What becomes of which objects."""

    Status: Literal["Enabled", "Disabled"]
    ID: NotRequired[str]
    """Unique in its bucket: letters, digits and `!_.*'()-`."""
    Filter: NotRequired[LifecycleFilterOutputTypeDef]
    Prefix: NotRequired[str]
    """The old form of the filter."""
    Transitions: NotRequired[list[TransitionOutputTypeDef]]
    Expiration: NotRequired[ExpirationOutputTypeDef]
    NoncurrentVersionTransitions: NotRequired[list[NoncurrentVersionTransitionTypeDef]]
    """When versions that are not the current one go to another storage class. COS refuses it."""
    NoncurrentVersionExpiration: NotRequired[NoncurrentVersionExpirationTypeDef]
    AbortIncompleteMultipartUpload: NotRequired[AbortIncompleteMultipartUploadTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleFilterTypeDef(TypedDict):
    """The objects a rule is for: one condition, or several in `and_`; empty, all of them."""

    Prefix: NotRequired[str]
    Tag: NotRequired[TagTypeDef]
    ObjectSizeGreaterThan: NotRequired[int]
    ObjectSizeLessThan: NotRequired[int]
    And: NotRequired[FilterAndTypeDef | FilterAndOutputTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TransitionTypeDef(TypedDict):
    """When new objects go to the archive: after days (0: at once), or at a date in the future."""

    Date: NotRequired[TimestampTypeDef]
    Days: NotRequired[int]
    StorageClass: NotRequired[str]
    """`GLACIER` (restored within 12 hours) or `ACCELERATED` (within 2)."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleRuleTypeDef(TypedDict):
    """What becomes of which objects."""

    Status: Literal["Enabled", "Disabled"]
    Filter: LifecycleFilterTypeDef | LifecycleFilterOutputTypeDef
    ID: NotRequired[str]
    """Unique in its bucket: letters, digits and `!_.*'()-`."""
    Prefix: NotRequired[str]
    """The old form of the filter."""
    Transitions: NotRequired[Sequence[TransitionTypeDef | TransitionOutputTypeDef]]
    Expiration: NotRequired[ExpirationTypeDef | ExpirationOutputTypeDef]
    NoncurrentVersionTransitions: NotRequired[Sequence[NoncurrentVersionTransitionTypeDef]]
    """When versions that are not the current one go to another storage class. COS refuses it."""
    NoncurrentVersionExpiration: NotRequired[NoncurrentVersionExpirationTypeDef]
    AbortIncompleteMultipartUpload: NotRequired[AbortIncompleteMultipartUploadTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LifecycleConfigurationTypeDef(TypedDict):
    """The rules of a bucket as the service tells them."""

    Rules: Sequence[LifecycleRuleTypeDef | LifecycleRuleOutputTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class LockRuleTypeDef(TypedDict):
    """The one rule of a bucket with Object Lock."""

    DefaultRetention: NotRequired[DefaultLockTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class NamedLegalHoldTypeDef(TypedDict):
    """One legal hold of an object: its id, and when it was placed."""

    ID: str
    Date: NotRequired[datetime]


class ObjectEntryTypeDef(TypedDict):
    """An object in a listing. The owner is given only where it was asked for."""

    Key: str
    LastModified: NotRequired[datetime]
    ETag: NotRequired[str]
    Size: NotRequired[int]
    StorageClass: NotRequired[str]
    Owner: NotRequired[OwnerTypeDef]
    ChecksumAlgorithm: NotRequired[list[str]]
    ChecksumType: NotRequired[str]


class ObjectLegalHoldOutputTypeDef(TypedDict):
    """Whether a version is under legal hold."""

    Status: Literal["ON", "OFF"]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectLegalHoldTypeDef(TypedDict):
    """Whether a version is under legal hold."""

    Status: NotRequired[Literal["ON", "OFF"]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectLockConfigurationTypeDef(TypedDict):
    """Whether a bucket can lock versions, and how it does by default. Lock cannot be switched off."""

    ObjectLockEnabled: NotRequired[str]
    Rule: NotRequired[LockRuleTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectLockTypeDef(TypedDict):
    """A bucket's lock configuration as the service tells it."""

    ObjectLockEnabled: NotRequired[str]
    Rule: NotRequired[LockRuleTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectRetentionOutputTypeDef(TypedDict):
    """The lock of a version: its mode, and until when. Both are required; empty, it lifts a lock that may be bypassed."""

    Mode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    RetainUntilDate: NotRequired[datetime]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectRetentionTypeDef(TypedDict):
    """The lock of a version: its mode, and until when. Both are required; empty, it lifts a lock that may be bypassed."""

    Mode: NotRequired[Literal["COMPLIANCE", "GOVERNANCE"]]
    RetainUntilDate: NotRequired[TimestampTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ObjectVersionTypeDef(TypedDict):
    """One version of an object in a listing."""

    Key: str
    LastModified: NotRequired[datetime]
    ETag: NotRequired[str]
    Size: NotRequired[int]
    StorageClass: NotRequired[str]
    Owner: NotRequired[OwnerTypeDef]
    ChecksumAlgorithm: NotRequired[list[str]]
    ChecksumType: NotRequired[str]
    VersionId: NotRequired[str]
    IsLatest: NotRequired[bool]


class PartTypeDef(TypedDict):
    """A part the service has."""

    PartNumber: int
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    LastModified: NotRequired[datetime]
    ETag: NotRequired[str]
    Size: NotRequired[int]


class RetentionDaysTypeDef(TypedDict):
    """A period in days: 0 to 365,243 by the service's reference, 36,135 by another page of its documentation."""

    Days: int
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ProtectionConfigurationTypeDef(TypedDict):
    """A bucket's retention policy: minimum ≤ default ≤ maximum. It can be changed, and never removed.

    `status` is `Retention`, or `Disabled` in the answer about a bucket that has no policy. `enable_permanent_retention` cannot
    be taken back: once true, it must be said with every change.
    """

    Status: NotRequired[str]
    MinimumRetention: NotRequired[RetentionDaysTypeDef]
    DefaultRetention: NotRequired[RetentionDaysTypeDef]
    MaximumRetention: NotRequired[RetentionDaysTypeDef]
    EnablePermanentRetention: NotRequired[bool]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ProtectionTypeDef(TypedDict):
    """A bucket's retention policy as the service tells it."""

    Status: str
    MinimumRetention: NotRequired[RetentionDaysTypeDef]
    DefaultRetention: NotRequired[RetentionDaysTypeDef]
    MaximumRetention: NotRequired[RetentionDaysTypeDef]
    EnablePermanentRetention: NotRequired[bool]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class PublicAccessBlockConfigurationTypeDef(TypedDict):
    """What public access control lists may do. Public access that IAM grants is another matter."""

    BlockPublicAcls: NotRequired[bool]
    """Refuse new public access control lists."""
    IgnorePublicAcls: NotRequired[bool]
    """Take no notice of those that are there."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class RedirectAllTypeDef(TypedDict):
    """Every request goes to another host."""

    HostName: str
    Protocol: NotRequired[Literal["http", "https"]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class RedirectTypeDef(TypedDict):
    """Where a routing rule points. `replace_key_with` is a whole key, `replace_key_prefix_with` takes the condition's place."""

    HostName: NotRequired[str]
    HttpRedirectCode: NotRequired[str]
    """A status from 301 on; by default 301."""
    Protocol: NotRequired[Literal["http", "https"]]
    ReplaceKeyPrefixWith: NotRequired[str]
    ReplaceKeyWith: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationAndOutputTypeDef(TypedDict):
    """Conditions that must all hold."""

    Prefix: NotRequired[str]
    Tags: NotRequired[list[TagTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationAndTypeDef(TypedDict):
    """Conditions that must all hold."""

    Prefix: NotRequired[str]
    Tags: NotRequired[Sequence[TagTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationFilterOutputTypeDef(TypedDict):
    """The objects a rule is for: by prefix, by tag, or by several conditions in `and_`; empty, all of them."""

    Prefix: NotRequired[str]
    Tag: NotRequired[TagTypeDef]
    And: NotRequired[ReplicationAndOutputTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationRuleOutputTypeDef(TypedDict):
    """What is replicated where. Of the rules that fit an object, the one of the highest priority counts."""

    Priority: int
    Status: Literal["Enabled", "Disabled"]
    Filter: ReplicationFilterOutputTypeDef
    Destination: DestinationTypeDef
    DeleteMarkerReplication: DeleteMarkerReplicationTypeDef
    ID: NotRequired[str]
    Prefix: NotRequired[str]
    """The old form of the filter."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationConfigurationOutputTypeDef(TypedDict):
    """The replication rules of a bucket, at most 1,000. `role` is not used."""

    Role: NotRequired[str]
    Rules: NotRequired[list[ReplicationRuleOutputTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationFilterTypeDef(TypedDict):
    """The objects a rule is for: by prefix, by tag, or by several conditions in `and_`; empty, all of them."""

    Prefix: NotRequired[str]
    Tag: NotRequired[TagTypeDef]
    And: NotRequired[ReplicationAndTypeDef | ReplicationAndOutputTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationRuleTypeDef(TypedDict):
    """What is replicated where. Of the rules that fit an object, the one of the highest priority counts."""

    Priority: int
    Status: Literal["Enabled", "Disabled"]
    Filter: ReplicationFilterTypeDef | ReplicationFilterOutputTypeDef
    Destination: DestinationTypeDef
    DeleteMarkerReplication: DeleteMarkerReplicationTypeDef
    ID: NotRequired[str]
    Prefix: NotRequired[str]
    """The old form of the filter."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationConfigurationTypeDef(TypedDict):
    """The replication rules of a bucket, at most 1,000. `role` is not used."""

    Rules: Sequence[ReplicationRuleTypeDef | ReplicationRuleOutputTypeDef]
    Role: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class ReplicationFailureTypeDef(TypedDict):
    """One replication that failed. `sync_type` is `content`, `metadata` or `objectLock`."""

    Key: str
    VersionId: NotRequired[str]
    SyncType: NotRequired[str]
    FirstSyncAttempted: NotRequired[datetime]
    LastSyncAttempted: NotRequired[datetime]
    SyncFailureCause: NotRequired[str]


class ReplicationFailuresTypeDef(TypedDict):
    """A page of replications that failed, the newest first."""

    IsTruncated: bool
    EncodingType: NotRequired[str]
    Name: NotRequired[str]
    FirstSyncAttemptedBefore: NotRequired[str]
    MaxKeys: NotRequired[int]
    KeyCount: NotRequired[int]
    ContinuationToken: NotRequired[str]
    NextContinuationToken: NotRequired[str]
    Contents: NotRequired[list[ReplicationFailureTypeDef]]


class RestoreRequestTypeDef(TypedDict):
    """How long a restored copy shall stay, in days, and how fast it shall be there."""

    Days: int
    GlacierJobParameters: NotRequired[GlacierJobParametersTypeDef]


class RoutingConditionTypeDef(TypedDict):
    """When a routing rule applies: for keys with a prefix, for an error status, or for both at once."""

    HttpErrorCodeReturnedEquals: NotRequired[str]
    KeyPrefixEquals: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class RoutingRuleTypeDef(TypedDict):
    """A redirect, and when it applies (always, without a condition). The first rule that applies counts."""

    Redirect: RedirectTypeDef
    Condition: NotRequired[RoutingConditionTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class TagSetTypeDef(TypedDict):
    """The tags of something as the service tells them."""

    TagSet: Sequence[TagTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class UploadEntryTypeDef(TypedDict):
    """An upload that was begun and neither completed nor aborted."""

    Key: str
    UploadId: str
    Initiator: NotRequired[OwnerTypeDef]
    Owner: NotRequired[OwnerTypeDef]
    StorageClass: NotRequired[str]
    Initiated: NotRequired[datetime]
    ChecksumAlgorithm: NotRequired[str]
    ChecksumType: NotRequired[str]


class VersioningConfigurationTypeDef(TypedDict):
    """Whether a bucket keeps versions. `status` is None where that was never set."""

    Status: NotRequired[Literal["Enabled", "Suspended"]]
    MFADelete: NotRequired[Literal["Enabled", "Disabled"]]
    """Part of the protocol; not offered by COS."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class WebsiteConfigurationTypeDef(TypedDict):
    """A bucket's website: index, error page and routing rules; or one redirect for everything, which excludes the rest."""

    RedirectAllRequestsTo: NotRequired[RedirectAllTypeDef]
    IndexDocument: NotRequired[IndexDocumentTypeDef]
    ErrorDocument: NotRequired[ErrorDocumentTypeDef]
    RoutingRules: NotRequired[Sequence[RoutingRuleTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class AbortMultipartUploadOutputTypeDef(TypedDict):
    """The response to AbortMultipartUpload."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]


class AddLegalHoldOutputTypeDef(TypedDict):
    """The response to AddLegalHold."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class CompleteMultipartUploadOutputTypeDef(TypedDict):
    """The response to CompleteMultipartUpload."""

    ETag: str
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    Location: NotRequired[str]
    Bucket: NotRequired[str]
    Key: NotRequired[str]
    ChecksumType: NotRequired[str]
    VersionId: NotRequired[str]
    Expiration: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    BucketKeyEnabled: NotRequired[bool]


class CopyObjectOutputTypeDef(TypedDict):
    """The response to CopyObject."""

    CopyObjectResult: CopyObjectResultTypeDef
    """What the service says of a copy."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    CopySourceVersionId: NotRequired[str]
    VersionId: NotRequired[str]
    Expiration: NotRequired[str]


class CreateBucketOutputTypeDef(TypedDict):
    """The response to CreateBucket."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Location: NotRequired[str]


class CreateMultipartUploadOutputTypeDef(TypedDict):
    """The response to CreateMultipartUpload."""

    UploadId: str
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    Bucket: NotRequired[str]
    Key: NotRequired[str]
    AbortDate: NotRequired[datetime]
    AbortRuleId: NotRequired[str]
    ChecksumAlgorithm: NotRequired[str]
    ChecksumType: NotRequired[str]


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
    DeleteMarker: NotRequired[bool]
    VersionId: NotRequired[str]


class DeleteObjectTaggingOutputTypeDef(TypedDict):
    """The response to DeleteObjectTagging."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    VersionId: NotRequired[str]


class DeleteObjectsOutputTypeDef(TypedDict):
    """The response to DeleteObjects."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    Deleted: NotRequired[list[DeletedObjectTypeDef]]
    Errors: NotRequired[list[DeleteErrorTypeDef]]


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
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Owner: NotRequired[OwnerTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketAsperaOutputTypeDef(TypedDict):
    """The response to GetBucketAspera."""

    AccessKey: AsperaKeyTypeDef
    ATSEndpoint: str
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetBucketCorsOutputTypeDef(TypedDict):
    """The response to GetBucketCors."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    CORSRules: NotRequired[list[CorsRuleOutputTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketLifecycleConfigurationOutputTypeDef(TypedDict):
    """The response to GetBucketLifecycleConfiguration."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Rules: NotRequired[list[LifecycleRuleOutputTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketLocationOutputTypeDef(TypedDict):
    """The response to GetBucketLocation."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    LocationConstraint: NotRequired[str]


class GetBucketProtectionConfigurationOutputTypeDef(TypedDict):
    """The response to GetBucketProtectionConfiguration."""

    ProtectionConfiguration: ProtectionTypeDef
    """A bucket's retention policy as the service tells it."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    IbmProtectionManagementState: NotRequired[str]
    """`active` where protection management is on."""


class GetBucketReplicationOutputTypeDef(TypedDict):
    """The response to GetBucketReplication."""

    ReplicationConfiguration: ReplicationConfigurationOutputTypeDef
    """The replication rules of a bucket, at most 1,000. `role` is not used."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetBucketTaggingOutputTypeDef(TypedDict):
    """The response to GetBucketTagging."""

    TagSet: list[TagTypeDef]
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketVersioningOutputTypeDef(TypedDict):
    """The response to GetBucketVersioning."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Status: NotRequired[Literal["Enabled", "Suspended"]]
    MFADelete: NotRequired[Literal["Enabled", "Disabled"]]
    """Part of the protocol; not offered by COS."""
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetBucketWebsiteOutputTypeDef(TypedDict):
    """The response to GetBucketWebsite."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RedirectAllRequestsTo: NotRequired[RedirectAllTypeDef]
    IndexDocument: NotRequired[IndexDocumentTypeDef]
    ErrorDocument: NotRequired[ErrorDocumentTypeDef]
    RoutingRules: NotRequired[list[RoutingRuleTypeDef]]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetObjectOutputTypeDef(TypedDict):
    """The response to GetObject."""

    Body: StreamingBody
    """The content; read it to its end, or close it."""
    ETag: str
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    VersionId: NotRequired[str]
    Expiration: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumType: NotRequired[str]
    LastModified: NotRequired[datetime]
    ContentLength: NotRequired[int]
    ContentRange: NotRequired[str]
    ContentType: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentLanguage: NotRequired[str]
    CacheControl: NotRequired[str]
    Expires: NotRequired[datetime | str]
    """As it was stored: writers may put anything here."""
    Metadata: NotRequired[dict[str, str]]
    MissingMeta: NotRequired[int]
    AcceptRanges: NotRequired[str]
    WebsiteRedirectLocation: NotRequired[str]
    PartsCount: NotRequired[int]
    TagCount: NotRequired[int]
    ReplicationStatus: NotRequired[str]
    DeleteMarker: NotRequired[bool]
    StorageClass: NotRequired[str]
    Restore: NotRequired[str]
    IbmTransition: NotRequired[str]
    IbmRestoredCopyStorageClass: NotRequired[str]
    ArchiveTransitionTime: NotRequired[str]
    BackupRestoreTime: NotRequired[str]
    BackupRestoreId: NotRequired[str]
    RetentionPeriod: NotRequired[int]
    """Seconds; -1 indefinite, -2 permanent."""
    RetentionExpirationDate: NotRequired[datetime]
    RetentionLegalHoldCount: NotRequired[int]
    ObjectLockMode: NotRequired[str]
    ObjectLockRetainUntilDate: NotRequired[datetime]
    ObjectLockLegalHoldStatus: NotRequired[str]


class GetObjectAclOutputTypeDef(TypedDict):
    """The response to GetObjectAcl."""

    Grants: list[GrantOutputTypeDef]
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    Owner: NotRequired[OwnerTypeDef]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetObjectLegalHoldOutputTypeDef(TypedDict):
    """The response to GetObjectLegalHold."""

    LegalHold: ObjectLegalHoldOutputTypeDef
    """Whether a version is under legal hold."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetObjectLockConfigurationOutputTypeDef(TypedDict):
    """The response to GetObjectLockConfiguration."""

    ObjectLockConfiguration: ObjectLockTypeDef
    """A bucket's lock configuration as the service tells it."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    IbmProtectionManagementState: NotRequired[str]
    """`active` where protection management is on."""


class GetObjectRetentionOutputTypeDef(TypedDict):
    """The response to GetObjectRetention."""

    Retention: ObjectRetentionOutputTypeDef
    """The lock of a version: its mode, and until when. Both are required; empty, it lifts a lock that may be bypassed."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class GetObjectTaggingOutputTypeDef(TypedDict):
    """The response to GetObjectTagging."""

    TagSet: list[TagTypeDef]
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    VersionId: NotRequired[str]
    UnknownElements: NotRequired[list[str]]
    """Elements that this version of the library has no field for, each as XML text, in the order of the document.

    They are written back behind the known ones, so that a setting that is read, changed and written loses nothing.
    """


class GetPublicAccessBlockOutputTypeDef(TypedDict):
    """The response to GetPublicAccessBlock."""

    PublicAccessBlockConfiguration: PublicAccessBlockConfigurationTypeDef
    """What public access control lists may do. Public access that IAM grants is another matter."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class HeadBucketOutputTypeDef(TypedDict):
    """The response to HeadBucket."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    IBMSSEKPEnabled: NotRequired[bool]
    IBMSSEKPCrkId: NotRequired[str]


class HeadObjectOutputTypeDef(TypedDict):
    """The response to HeadObject."""

    ETag: str
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    VersionId: NotRequired[str]
    Expiration: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumType: NotRequired[str]
    LastModified: NotRequired[datetime]
    ContentLength: NotRequired[int]
    ContentType: NotRequired[str]
    ContentEncoding: NotRequired[str]
    ContentDisposition: NotRequired[str]
    ContentLanguage: NotRequired[str]
    CacheControl: NotRequired[str]
    Expires: NotRequired[datetime | str]
    """As it was stored: writers may put anything here."""
    Metadata: NotRequired[dict[str, str]]
    MissingMeta: NotRequired[int]
    AcceptRanges: NotRequired[str]
    WebsiteRedirectLocation: NotRequired[str]
    PartsCount: NotRequired[int]
    ReplicationStatus: NotRequired[str]
    DeleteMarker: NotRequired[bool]
    StorageClass: NotRequired[str]
    Restore: NotRequired[str]
    IbmTransition: NotRequired[str]
    IbmRestoredCopyStorageClass: NotRequired[str]
    ArchiveTransitionTime: NotRequired[str]
    BackupRestoreTime: NotRequired[str]
    BackupRestoreId: NotRequired[str]
    RetentionPeriod: NotRequired[int]
    """Seconds; -1 indefinite, -2 permanent."""
    RetentionExpirationDate: NotRequired[datetime]
    RetentionLegalHoldCount: NotRequired[int]
    ObjectLockMode: NotRequired[str]
    ObjectLockRetainUntilDate: NotRequired[datetime]
    ObjectLockLegalHoldStatus: NotRequired[str]


class ListBucketReplicationFailuresOutputTypeDef(TypedDict):
    """The response to ListBucketReplicationFailures."""

    ListReplicationFailureResult: ReplicationFailuresTypeDef
    """A page of replications that failed, the newest first."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""


class ListBucketsOutputTypeDef(TypedDict):
    """The response to ListBuckets."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Owner: NotRequired[OwnerTypeDef]
    Buckets: NotRequired[list[BucketEntryTypeDef]]


class ListBucketsExtendedOutputTypeDef(TypedDict):
    """The response to ListBucketsExtended."""

    IsTruncated: bool
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    Owner: NotRequired[OwnerTypeDef]
    Buckets: NotRequired[list[BucketEntryTypeDef]]
    NextMarker: NotRequired[str]


class ListLegalHoldsOutputTypeDef(TypedDict):
    """The response to ListLegalHolds."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    CreateTime: NotRequired[datetime]
    RetentionPeriod: NotRequired[int]
    RetentionPeriodExpirationDate: NotRequired[datetime]
    LegalHolds: NotRequired[list[NamedLegalHoldTypeDef]]


class ListMultipartUploadsOutputTypeDef(TypedDict):
    """The response to ListMultipartUploads."""

    Bucket: str
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    KeyMarker: NotRequired[str]
    UploadIdMarker: NotRequired[str]
    NextKeyMarker: NotRequired[str]
    NextUploadIdMarker: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    MaxUploads: NotRequired[int]
    IsTruncated: NotRequired[bool]
    Uploads: NotRequired[list[UploadEntryTypeDef]]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]


class ListObjectVersionsOutputTypeDef(TypedDict):
    """The response to ListObjectVersions."""

    IsTruncated: bool
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    Name: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    MaxKeys: NotRequired[int]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    KeyMarker: NotRequired[str]
    VersionIdMarker: NotRequired[str]
    NextKeyMarker: NotRequired[str]
    NextVersionIdMarker: NotRequired[str]
    Versions: NotRequired[list[ObjectVersionTypeDef]]
    DeleteMarkers: NotRequired[list[DeleteMarkerTypeDef]]


class ListObjectsOutputTypeDef(TypedDict):
    """The response to ListObjects."""

    IsTruncated: bool
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    Name: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    MaxKeys: NotRequired[int]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    Contents: NotRequired[list[ObjectEntryTypeDef]]
    Marker: NotRequired[str]
    NextMarker: NotRequired[str]
    IBMSSEKPEnabled: NotRequired[bool]
    IBMSSEKPCrkId: NotRequired[str]


class ListObjectsV2OutputTypeDef(TypedDict):
    """The response to ListObjectsV2."""

    IsTruncated: bool
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    EncodingType: NotRequired[str]
    Name: NotRequired[str]
    Prefix: NotRequired[str]
    Delimiter: NotRequired[str]
    MaxKeys: NotRequired[int]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    Contents: NotRequired[list[ObjectEntryTypeDef]]
    KeyCount: NotRequired[int]
    ContinuationToken: NotRequired[str]
    NextContinuationToken: NotRequired[str]
    StartAfter: NotRequired[str]


class ListPartsOutputTypeDef(TypedDict):
    """The response to ListParts."""

    UploadId: str
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    Bucket: NotRequired[str]
    Key: NotRequired[str]
    PartNumberMarker: NotRequired[int]
    NextPartNumberMarker: NotRequired[int]
    MaxParts: NotRequired[int]
    IsTruncated: NotRequired[bool]
    Parts: NotRequired[list[PartTypeDef]]
    Initiator: NotRequired[OwnerTypeDef]
    Owner: NotRequired[OwnerTypeDef]
    StorageClass: NotRequired[str]
    ChecksumAlgorithm: NotRequired[str]
    ChecksumType: NotRequired[str]
    AbortDate: NotRequired[datetime]
    AbortRuleId: NotRequired[str]


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
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    VersionId: NotRequired[str]
    Expiration: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]
    ChecksumType: NotRequired[str]


class PutObjectAclOutputTypeDef(TypedDict):
    """The response to PutObjectAcl."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]


class PutObjectLegalHoldOutputTypeDef(TypedDict):
    """The response to PutObjectLegalHold."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]


class PutObjectLockConfigurationOutputTypeDef(TypedDict):
    """The response to PutObjectLockConfiguration."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]


class PutObjectRetentionOutputTypeDef(TypedDict):
    """The response to PutObjectRetention."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]


class PutObjectTaggingOutputTypeDef(TypedDict):
    """The response to PutObjectTagging."""

    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    VersionId: NotRequired[str]


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
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    ChecksumCRC32: NotRequired[str]
    ChecksumCRC32C: NotRequired[str]
    ChecksumCRC64NVME: NotRequired[str]
    ChecksumSHA1: NotRequired[str]
    ChecksumSHA256: NotRequired[str]


class UploadPartCopyOutputTypeDef(TypedDict):
    """The response to UploadPartCopy."""

    CopyPartResult: CopyPartResultTypeDef
    """What the service says of a part that was copied."""
    ResponseMetadata: ResponseMetadataTypeDef
    """Status, headers and id of the response."""
    RequestCharged: NotRequired[str]
    SSECustomerAlgorithm: NotRequired[str]
    SSECustomerKeyMD5: NotRequired[str]
    ServerSideEncryption: NotRequired[str]
    SSEKMSKeyId: NotRequired[str]
    CopySourceVersionId: NotRequired[str]


class ListObjectsV2FullResultTypeDef(TypedDict):
    """All pages of ListObjectsV2 in one: the result of `build_full_result`."""

    Contents: NotRequired[list[ObjectEntryTypeDef]]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListObjectsFullResultTypeDef(TypedDict):
    """All pages of ListObjects in one: the result of `build_full_result`."""

    Contents: NotRequired[list[ObjectEntryTypeDef]]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListObjectVersionsFullResultTypeDef(TypedDict):
    """All pages of ListObjectVersions in one: the result of `build_full_result`."""

    Versions: NotRequired[list[ObjectVersionTypeDef]]
    DeleteMarkers: NotRequired[list[DeleteMarkerTypeDef]]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListMultipartUploadsFullResultTypeDef(TypedDict):
    """All pages of ListMultipartUploads in one: the result of `build_full_result`."""

    Uploads: NotRequired[list[UploadEntryTypeDef]]
    CommonPrefixes: NotRequired[list[CommonPrefixTypeDef]]
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListPartsFullResultTypeDef(TypedDict):
    """All pages of ListParts in one: the result of `build_full_result`."""

    Parts: NotRequired[list[PartTypeDef]]
    ChecksumAlgorithm: NotRequired[str]
    Initiator: NotRequired[OwnerTypeDef]
    Owner: NotRequired[OwnerTypeDef]
    StorageClass: NotRequired[str]
    ChecksumType: NotRequired[str]
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""


class ListBucketsExtendedFullResultTypeDef(TypedDict):
    """All pages of ListBucketsExtended in one: the result of `build_full_result`."""

    Buckets: NotRequired[list[BucketEntryTypeDef]]
    NextToken: NotRequired[str]
    """`StartingToken` of the next pagination, if `MaxItems` left entries out."""
