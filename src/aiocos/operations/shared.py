"""Optional headers, result fields and documents that many operations share."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from aiocos.wire.document import Attribute, Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Header, HeaderMap, KeyHeaders, Query, Result
from aiocos.wire.values import CustomerKey, Stored

# Optional headers of requests. `__slots__ = ()` lets an operation inherit from several of these sets and have slots itself.


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ExpectedOwnerParams:
    """Check the owner of the bucket before the request is carried out."""

    __slots__ = ()
    expected_bucket_owner: Annotated[str | None, Header("x-amz-expected-bucket-owner")] = None
    """Account or instance that must own the bucket; 403 `AccessDenied` otherwise. None skips the check."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class RequestPayerParams:
    """The S3 protocol's agreement to pay for a request. COS ignores it."""

    __slots__ = ()
    request_payer: Annotated[str | None, Header("x-amz-request-payer")] = None
    """`requester` in the S3 protocol. COS ignores it: the instance that owns the bucket pays."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class MirrorParams:
    """The side to read from, in on-premises systems with mirrored vaults."""

    __slots__ = ()
    mirror_destination: Annotated[str | None, Header("Mirror-Destination")] = None
    """Side of a mirrored vault to read from (on-premises systems). None leaves the choice to the service."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ContentParams:
    """Headers, metadata and tags that are stored with an object.

    A copy ignores them without `metadata_directive="REPLACE"` (for tags `tagging_directive`), and keeps those of its source.
    """

    __slots__ = ()
    content_type: Annotated[str | None, Header("Content-Type")] = None
    """Media type of the content, such as `text/plain; charset=utf-8`. None stores no type: none is guessed from the key."""
    content_encoding: Annotated[str | None, Header("Content-Encoding")] = None
    """Encoding of the content, such as `gzip`; the client does not compress. None sends no header."""
    content_disposition: Annotated[str | None, Header("Content-Disposition")] = None
    """How a browser presents the content: `inline`, or `attachment; filename="report.pdf"`. None sends no header."""
    content_language: Annotated[str | None, Header("Content-Language")] = None
    """Language of the content, such as `en`. None sends no header."""
    cache_control: Annotated[str | None, Header("Cache-Control")] = None
    """How long browsers and proxies may cache the content, such as `max-age=3600` (seconds). None sends no header."""
    expires: Annotated[datetime | Stored | None, Header("Expires")] = None
    """Time at which the content becomes stale; needs a time zone. Sent as an RFC 1123 date. None sends no header.
    `aiocos.wire.values.Stored("0")` sends a text that is not a date; copies use it to keep such a value."""
    metadata: Annotated[dict[str, str] | None, HeaderMap("x-amz-meta-")] = None
    """User metadata, by name and without the prefix `x-amz-meta-`. None stores none.
    Names are ASCII and ignore case (two names that differ only in case are a `ConfigError`); they come back in lower case.
    Values are sent as UTF-8. IBM's SDK can read ASCII only: percent-encode other characters for programs that use it.
    IBM allows 4 MB of metadata for an object and refuses more (`InvalidRequest`).
    """
    website_redirect_location: Annotated[str | None, Header("x-amz-website-redirect-location")] = None
    """Target to which a static website redirects requests for this object: a URL, or a path that starts with `/`."""
    storage_class: Annotated[str | None, Header("x-amz-storage-class")] = None
    """Part of the S3 protocol. COS has no storage class per object: the class of the bucket applies."""
    tagging: Annotated[str | dict[str, str] | None, Header("x-amz-tagging")] = None
    """Tags, as a dict or URL-encoded `k=v&k2=v2`. At most 10; keys have 1 to 128 characters, values up to 256."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class EncryptionParams:
    """Server-side encryption of what is written.

    Without these parameters COS encrypts with keys of its own, or with the bucket's root key (Key Protect).
    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-sse-c
    """

    __slots__ = ()
    customer_key: Annotated[CustomerKey | bytes | None, KeyHeaders("x-amz-server-side-encryption-customer-")] = None
    """Your own AES-256 key (SSE-C), 32 bytes. Every later read needs it again; the service does not keep it. None: no key.
    Needs https: `ConfigError` where the key would be sent over plain http to another machine. `repr` never shows it.
    """
    server_side_encryption: Annotated[str | None, Header("x-amz-server-side-encryption")] = None
    """Part of the S3 protocol: `AES256`, or the name of a key service. IBM documents no use of it for COS."""
    sse_kms_key_id: Annotated[str | None, Header("x-amz-server-side-encryption-aws-kms-key-id")] = None
    """Part of the S3 protocol: a key of AWS KMS. In COS the root key is a setting of the bucket (see `buckets.create`)."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class CustomerKeyParams:
    """The customer's key (SSE-C) with which the object or the upload was written."""

    __slots__ = ()
    customer_key: Annotated[CustomerKey | bytes | None, KeyHeaders("x-amz-server-side-encryption-customer-")] = None
    """AES-256 key of 32 bytes, as given when the object was written; None for all other objects. Needs https."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class CopySourceParams:
    """Conditions on the source of a copy, and the access to it.

    A condition that does not hold raises `PreconditionFailed` (412), and nothing is copied.
    """

    __slots__ = ()
    source_if_match: Annotated[str | None, Header("x-amz-copy-source-if-match")] = None
    """Copy only if the source has this ETag. None skips the check."""
    source_if_none_match: Annotated[str | None, Header("x-amz-copy-source-if-none-match")] = None
    """Copy only if the source has another ETag than this one. None skips the check."""
    source_if_modified_since: Annotated[datetime | None, Header("x-amz-copy-source-if-modified-since")] = None
    """Copy only if the source was written after this time (to the second; needs a time zone). None skips the check."""
    source_if_unmodified_since: Annotated[datetime | None, Header("x-amz-copy-source-if-unmodified-since")] = None
    """Copy only if the source was not written after this time (to the second; needs a time zone). None skips the check."""
    source_customer_key: Annotated[
        CustomerKey | bytes | None, KeyHeaders("x-amz-copy-source-server-side-encryption-customer-")
    ] = None
    """Key with which the source was written (SSE-C), 32 bytes; None for all other sources. Needs https."""
    expected_source_bucket_owner: Annotated[str | None, Header("x-amz-source-expected-bucket-owner")] = None
    """Account or instance that must own the source's bucket; 403 `AccessDenied` otherwise. None skips the check."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ReadConditionParams:
    """Conditions on a read.

    A condition that does not hold raises `NotModified` (304) or `PreconditionFailed` (412), as the field describes.
    """

    __slots__ = ()
    if_match: Annotated[str | None, Header("If-Match")] = None
    """Read only if the object has this ETag; `PreconditionFailed` otherwise. None skips the check."""
    if_none_match: Annotated[str | None, Header("If-None-Match")] = None
    """Read only if the object has another ETag than this one; `NotModified` otherwise. None skips the check."""
    if_modified_since: Annotated[datetime | None, Header("If-Modified-Since", lenient=True)] = None
    """Read only if the object was written after this time (to the second); `NotModified` otherwise. None skips the check."""
    if_unmodified_since: Annotated[datetime | None, Header("If-Unmodified-Since", lenient=True)] = None
    """Read only if the object was not written after this time (to the second). None skips the check.
    If it was, IBM documents 304 (`NotModified`), and HTTP 412 (`PreconditionFailed`): expect either.
    """


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class WriteConditionParams:
    """Conditions on a write.

    A condition that does not hold raises `PreconditionFailed` (412), and nothing is written.

    IBM documents conditions for PUT, GET and HEAD of an object, not for copies and not for the completion of a multipart
    upload. A service that does not support them there ignores them and writes. `Client.upload` and `Client.copy` therefore also
    look at the object themselves, right before they write.
    """

    __slots__ = ()
    if_match: Annotated[str | None, Header("If-Match")] = None
    """Write only over an object with this ETag. None: write whatever is there."""
    if_none_match: Annotated[str | None, Header("If-None-Match")] = None
    """`"*"`: write only if no object has this key. An ETag: only if the object has another. None: write whatever is there."""
    if_unmodified_since: Annotated[datetime | None, Header("If-Unmodified-Since")] = None
    """Write only if the object was not written after this time (to the second; needs a time zone). None skips the check."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ForbidOverwriteParams:
    """Refuse to replace an object, where the service supports the header."""

    __slots__ = ()
    forbid_overwrite: Annotated[bool | None, Header("x-ibm-forbid-overwrite", lenient=True)] = None
    """True writes only if no object has this key; `ObjectAlreadyExists` (409) otherwise. None sends no header.
    The header belongs to the on-premises product, from release 3.20, where an administrator has to turn it on. Buckets with
    versioning (enabled or suspended) ignore it, and so do services that do not support it: they overwrite. For the public
    service IBM documents `if_none_match="*"`, for `objects.put`.
    """


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class RetentionParams:
    """Retention of an object in a bucket with a retention policy.

    Give a period or a date, not both. Without either, the bucket's default period applies. The service refuses retention in a
    bucket without a policy, and periods outside the bucket's range (400, `InvalidRequest`).
    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-immutable
    """

    __slots__ = ()
    retention_period: Annotated[int | timedelta | None, Header("Retention-Period")] = None
    """Seconds (or a `timedelta`) from creation; -1: no end set; -2: for ever, if the bucket allows it. None: the default."""
    retention_expires: Annotated[datetime | None, Header("Retention-Expiration-Date", iso=True)] = None
    """End of the retention; needs a time zone. Sent as ISO 8601 in whole seconds. None: no date."""
    retention_legal_hold_id: Annotated[str | None, Header("Retention-Legal-Hold-ID")] = None
    """Id of one legal hold to put on the object: 1 to 64 letters, digits and `!_.*()-`. None puts none."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ObjectLockParams:
    """Object Lock of the version that is written; the bucket must have Object Lock.

    Mode and date are given together or not at all: the service refuses one alone (400, `InvalidRequest`). Without them the
    bucket's default applies.
    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-ol-overview
    """

    __slots__ = ()
    object_lock_mode: Annotated[Literal["COMPLIANCE", "GOVERNANCE"] | None, Header("x-amz-object-lock-mode")] = None
    """`COMPLIANCE`: the lock can only be extended. `GOVERNANCE`: callers who may bypass it may shorten it."""
    object_lock_retain_until: Annotated[
        datetime | None, Header("x-amz-object-lock-retain-until-date", iso=True, fraction=True)
    ] = None
    """Time until which the version is protected; needs a time zone. Sent as ISO 8601 with milliseconds."""
    object_lock_legal_hold: Annotated[Literal["ON", "OFF"] | None, Header("x-amz-object-lock-legal-hold")] = None
    """`ON` protects the version until it is set to `OFF`, also after the date of its lock. None sets no hold."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ObjectAclParams:
    """Access rights to an object. IBM documents only `acl="public-read"` for COS.

    The grants belong to the S3 protocol: each is a comma-separated list such as `id="…", uri="…"`. On COS, grant access by IAM
    policies instead.
    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-iam-public-access
    """

    __slots__ = ()
    acl: Annotated[str | None, Header("x-amz-acl")] = None
    """Canned access control list: `public-read` lets everybody read. None leaves the default, private."""
    grant_full_control: Annotated[str | None, Header("x-amz-grant-full-control")] = None
    """Grantees that may read and write the object and its access control list. None grants nothing."""
    grant_read: Annotated[str | None, Header("x-amz-grant-read")] = None
    """Grantees that may read the object (of a bucket: list its objects). None grants nothing."""
    grant_read_acp: Annotated[str | None, Header("x-amz-grant-read-acp")] = None
    """Grantees that may read the access control list. None grants nothing."""
    grant_write_acp: Annotated[str | None, Header("x-amz-grant-write-acp")] = None
    """Grantees that may write the access control list. None grants nothing."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class AclParams(ObjectAclParams):
    """The rights of `ObjectAclParams`, and the right to write into a bucket."""

    __slots__ = ()
    grant_write: Annotated[str | None, Header("x-amz-grant-write")] = None
    """Grantees that may create, replace and delete objects of the bucket. None grants nothing."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ChecksumParams:
    """Checksums of the body, base64.

    Without any, the client adds the one named by `ClientConfig.checksum` (MD5 by default). The service refuses a body that does
    not match its checksum (`BadDigest`).
    """

    __slots__ = ()
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    """MD5 of the body, base64 of its 16 bytes. None sends none."""
    checksum_crc32: Annotated[str | None, Header("x-amz-checksum-crc32")] = None
    """CRC32 of the body, base64 of its 4 bytes (big-endian). None sends none."""
    checksum_crc32c: Annotated[str | None, Header("x-amz-checksum-crc32c")] = None
    """CRC32C of the body, base64 of its 4 bytes (big-endian). None sends none."""
    checksum_crc64nvme: Annotated[str | None, Header("x-amz-checksum-crc64nvme")] = None
    """CRC64NVME of the body, base64 of its 8 bytes (big-endian). None sends none."""
    checksum_sha1: Annotated[str | None, Header("x-amz-checksum-sha1")] = None
    """SHA-1 of the body, base64 of its 20 bytes. None sends none."""
    checksum_sha256: Annotated[str | None, Header("x-amz-checksum-sha256")] = None
    """SHA-256 of the body, base64 of its 32 bytes. None sends none."""
    sdk_checksum_algorithm: Annotated[str | None, Header("x-amz-sdk-checksum-algorithm")] = None
    """Name of the checksum that is sent: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`. None sends no name.
    With `CRC32` or `SHA256` and no checksum given, the client computes it; with another name you must give it (`ConfigError`).
    """


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ResponseOverrideParams:
    """Headers that the response has instead of those stored with the object."""

    __slots__ = ()
    response_cache_control: Annotated[str | None, Query("response-cache-control")] = None
    """Value of `Cache-Control` in the response. None keeps the stored value."""
    response_content_disposition: Annotated[str | None, Query("response-content-disposition")] = None
    """Value of `Content-Disposition` in the response, such as `attachment; filename="report.pdf"`."""
    response_content_encoding: Annotated[str | None, Query("response-content-encoding")] = None
    """Value of `Content-Encoding` in the response. None keeps the stored value."""
    response_content_language: Annotated[str | None, Query("response-content-language")] = None
    """Value of `Content-Language` in the response. None keeps the stored value."""
    response_content_type: Annotated[str | None, Query("response-content-type")] = None
    """Value of `Content-Type` in the response. None keeps the stored value."""
    response_expires: Annotated[datetime | None, Query("response-expires", lenient=True)] = None
    """Value of `Expires` in the response; needs a time zone. None keeps the stored value."""


# Documents and results of many operations


class Owner(Document):
    """An account or service instance, as owner or initiator."""

    id: Annotated[str | None, Element("ID")] = None
    """Id of the account or instance."""
    display_name: str | None = None
    """Name to show. COS repeats the id here."""


class Grantee(Extensible):
    """The receiver of a right: a user by id, a group by URI, or a customer by e-mail."""

    type: Annotated[str | None, Attribute("xsi:type")] = None
    """Kind of grantee: `CanonicalUser`, `Group` or `AmazonCustomerByEmail`."""
    id: Annotated[str | None, Element("ID")] = None
    """Id of the user (kind `CanonicalUser`)."""
    display_name: str | None = None
    """Name of the user, in responses."""
    email_address: str | None = None
    """E-mail address (kind `AmazonCustomerByEmail`)."""
    uri: Annotated[str | None, Element("URI")] = None
    """URI of the group (kind `Group`), such as `http://acs.amazonaws.com/groups/global/AllUsers`."""


class Tag(Extensible):
    """A tag: a key with a value."""

    key: str
    """Name of the tag: 1 to 128 characters, unique within its set, case-sensitive. It must not start with `ibm:`."""
    value: str
    """Value of the tag: up to 256 characters; may be empty."""


class ChecksumFields(Document):
    """Checksums of an object or part in an XML document, base64."""

    checksum_crc32: Annotated[str | None, Element("ChecksumCRC32")] = None
    """CRC32, base64 of its 4 bytes. None if the service reports none."""
    checksum_crc32c: Annotated[str | None, Element("ChecksumCRC32C")] = None
    """CRC32C, base64 of its 4 bytes. None if the service reports none."""
    checksum_crc64nvme: Annotated[str | None, Element("ChecksumCRC64NVME")] = None
    """CRC64NVME, base64 of its 8 bytes. None if the service reports none."""
    checksum_sha1: Annotated[str | None, Element("ChecksumSHA1")] = None
    """SHA-1, base64 of its 20 bytes. None if the service reports none."""
    checksum_sha256: Annotated[str | None, Element("ChecksumSHA256")] = None
    """SHA-256, base64 of its 32 bytes. None if the service reports none."""


class RequestChargedResult(Result):
    """A result with the S3 protocol's note about who pays. COS ignores it."""

    request_charged: Annotated[str | None, Header("x-amz-request-charged")] = None
    """`requester` in the S3 protocol, if the requester pays. COS does not send it."""


class EncryptionResult(RequestChargedResult):
    """A result that reports how the service encrypted the data."""

    customer_algorithm: Annotated[str | None, Header("x-amz-server-side-encryption-customer-algorithm")] = None
    """`AES256` if your own key was used (SSE-C); None otherwise."""
    customer_key_md5: Annotated[str | None, Header("x-amz-server-side-encryption-customer-key-MD5")] = None
    """MD5 of your key (SSE-C), base64; None otherwise."""
    server_side_encryption: Annotated[str | None, Header("x-amz-server-side-encryption")] = None
    """Name of the encryption, such as `AES256`. None if the service does not report it."""
    sse_kms_key_id: Annotated[str | None, Header("x-amz-server-side-encryption-aws-kms-key-id")] = None
    """Key of a key service. None if the service does not report one."""


class WriteResult(EncryptionResult):
    """The ETag, version, checksums and encryption of what was written."""

    etag: Annotated[str, Header("ETag")] = ""
    """ETag, in quotes. It is the MD5 in hexadecimal of an object put in one piece and encrypted by no key of yours."""
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    """Id of the version. `null` for a version without an id; None in a bucket that never had versioning."""
    expiration: Annotated[str | None, Header("x-amz-expiration")] = None
    """When a lifecycle rule deletes the object, and which rule: `expiry-date="…", rule-id="…"`. None if no rule applies."""
    checksum_crc32: Annotated[str | None, Header("x-amz-checksum-crc32")] = None
    """CRC32, base64. None if the service does not report it."""
    checksum_crc32c: Annotated[str | None, Header("x-amz-checksum-crc32c")] = None
    """CRC32C, base64. None if the service does not report it."""
    checksum_crc64nvme: Annotated[str | None, Header("x-amz-checksum-crc64nvme")] = None
    """CRC64NVME, base64. COS computes it for a body that came without any checksum."""
    checksum_sha1: Annotated[str | None, Header("x-amz-checksum-sha1")] = None
    """SHA-1, base64. None if the service does not report it."""
    checksum_sha256: Annotated[str | None, Header("x-amz-checksum-sha256")] = None
    """SHA-256, base64. None if the service does not report it."""
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None
    """`FULL_OBJECT`: the checksum covers all bytes. `COMPOSITE`: it is computed from the checksums of the parts."""


class CopiedResult(ChecksumFields, EncryptionResult):
    """The ETag, time, checksums and encryption of a copy."""

    needed: ClassVar[tuple[str, ...]] = ("etag",)

    etag: Annotated[str, Element("ETag")] = ""
    """ETag of the copy, in quotes."""
    last_modified: Timestamp | None = None
    """Time at which the copy was written (UTC)."""
    source_version_id: Annotated[str | None, Header("x-amz-copy-source-version-id")] = None
    """Version of the source that was copied. None in a bucket without versioning."""
