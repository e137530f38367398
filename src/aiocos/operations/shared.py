"""What operations have in common: sets of optional headers, each stated once, and the documents many of them answer with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from aiocos.wire.document import Attribute, Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Header, HeaderMap, KeyHeaders, Query, Result
from aiocos.wire.values import CustomerKey, Stored

# ---------------------------------------------------------------------------------------------------------------------
# Optional headers of requests. `__slots__ = ()` lets an operation take several of these sets and still be slotted.


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ExpectedOwnerParams:
    """The account that must own the bucket."""

    __slots__ = ()
    expected_bucket_owner: Annotated[str | None, Header("x-amz-expected-bucket-owner")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class RequestPayerParams:
    """Part of the protocol; without meaning on COS."""

    __slots__ = ()
    request_payer: Annotated[str | None, Header("x-amz-request-payer")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class MirrorParams:
    """On-premises systems with mirrored vaults: which side to read."""

    __slots__ = ()
    mirror_destination: Annotated[str | None, Header("Mirror-Destination")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ContentParams:
    """What a reader of the object is told about its content."""

    __slots__ = ()
    content_type: Annotated[str | None, Header("Content-Type")] = None
    content_encoding: Annotated[str | None, Header("Content-Encoding")] = None
    content_disposition: Annotated[str | None, Header("Content-Disposition")] = None
    content_language: Annotated[str | None, Header("Content-Language")] = None
    cache_control: Annotated[str | None, Header("Cache-Control")] = None
    expires: Annotated[datetime | Stored | None, Header("Expires")] = None
    """When the content becomes stale. Copies keep what others have stored here and is no time (`0`), as a `Stored` text."""
    metadata: Annotated[dict[str, str] | None, HeaderMap("x-amz-meta-")] = None
    """User metadata. The service ignores the case of names, and gives them back in lower case.

    Values are sent as UTF-8. IBM's SDK sends ASCII only, and reads other characters wrongly: encode them for it.
    """
    website_redirect_location: Annotated[str | None, Header("x-amz-website-redirect-location")] = None
    storage_class: Annotated[str | None, Header("x-amz-storage-class")] = None
    tagging: Annotated[str | None, Header("x-amz-tagging")] = None
    """Tags, URL-encoded: `k=v&k2=v2`."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class EncryptionParams:
    """Server-side encryption: with a key of the customer's own (SSE-C: 32 bytes, needs TLS), or by name."""

    __slots__ = ()
    customer_key: Annotated[CustomerKey | bytes | None, KeyHeaders("x-amz-server-side-encryption-customer-")] = None
    server_side_encryption: Annotated[str | None, Header("x-amz-server-side-encryption")] = None
    sse_kms_key_id: Annotated[str | None, Header("x-amz-server-side-encryption-aws-kms-key-id")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class CustomerKeyParams:
    """The customer key (SSE-C, 32 bytes) an object was written with."""

    __slots__ = ()
    customer_key: Annotated[CustomerKey | bytes | None, KeyHeaders("x-amz-server-side-encryption-customer-")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class CopySourceParams:
    """When to copy, and how to read the source."""

    __slots__ = ()
    source_if_match: Annotated[str | None, Header("x-amz-copy-source-if-match")] = None
    source_if_none_match: Annotated[str | None, Header("x-amz-copy-source-if-none-match")] = None
    source_if_modified_since: Annotated[datetime | None, Header("x-amz-copy-source-if-modified-since")] = None
    source_if_unmodified_since: Annotated[datetime | None, Header("x-amz-copy-source-if-unmodified-since")] = None
    source_customer_key: Annotated[
        CustomerKey | bytes | None, KeyHeaders("x-amz-copy-source-server-side-encryption-customer-")
    ] = None
    expected_source_bucket_owner: Annotated[str | None, Header("x-amz-source-expected-bucket-owner")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ReadConditionParams:
    """When to answer with the object; else 304 (`NotModified`) or 412 (`PreconditionFailed`)."""

    __slots__ = ()
    if_match: Annotated[str | None, Header("If-Match")] = None
    if_none_match: Annotated[str | None, Header("If-None-Match")] = None
    if_modified_since: Annotated[datetime | None, Header("If-Modified-Since", lenient=True)] = None
    if_unmodified_since: Annotated[datetime | None, Header("If-Unmodified-Since", lenient=True)] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class WriteConditionParams:
    """When to write; else 412 (`PreconditionFailed`).

    IBM documents these for PUT, HEAD and GET of an object, not for copies and not for the completion of a multipart upload: a
    service that does not know them there takes no notice, and writes. `Client.upload` and `Client.copy` look at the object
    themselves right before that.
    """

    __slots__ = ()
    if_match: Annotated[str | None, Header("If-Match")] = None
    """Write only over an object with this ETag. None writes over whatever is there."""
    if_none_match: Annotated[str | None, Header("If-None-Match")] = None
    """`"*"`: write only if there is no such object. An ETag: only if the object has another. None writes over anything."""
    if_unmodified_since: Annotated[datetime | None, Header("If-Unmodified-Since")] = None
    """Write only if the object was not written after this time (to the second). None does not look at the time."""


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ForbidOverwriteParams:
    """Refuse to replace an object, where the service knows the header."""

    __slots__ = ()
    forbid_overwrite: Annotated[bool | None, Header("x-ibm-forbid-overwrite", lenient=True)] = None
    """True: write only if there is no object of this name; `ObjectAlreadyExists` (409) otherwise. None sends no header.

    A header of the on-premises product, from release 3.20, where an administrator has to turn it on. Buckets that keep or kept
    versions ignore it, and services that do not know it ignore it and overwrite. `if_none_match="*"` is what IBM documents for
    the public service, for `objects.put`.
    """


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class RetentionParams:
    """Retention of an object in a bucket with a retention policy: a period (seconds or timedelta; -1 indefinite, -2 permanent)
    or a date, not both; and one legal hold.
    """

    __slots__ = ()
    retention_period: Annotated[int | timedelta | None, Header("Retention-Period")] = None
    retention_expires: Annotated[datetime | None, Header("Retention-Expiration-Date", iso=True)] = None
    retention_legal_hold_id: Annotated[str | None, Header("Retention-Legal-Hold-ID")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ObjectLockParams:
    """Object Lock of the version that is written: mode and date come as a pair."""

    __slots__ = ()
    object_lock_mode: Annotated[Literal["COMPLIANCE", "GOVERNANCE"] | None, Header("x-amz-object-lock-mode")] = None
    object_lock_retain_until: Annotated[
        datetime | None, Header("x-amz-object-lock-retain-until-date", iso=True, fraction=True)
    ] = None
    object_lock_legal_hold: Annotated[Literal["ON", "OFF"] | None, Header("x-amz-object-lock-legal-hold")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ObjectAclParams:
    """Who may do what with an object. COS promises only `acl="public-read"`."""

    __slots__ = ()
    acl: Annotated[str | None, Header("x-amz-acl")] = None
    grant_full_control: Annotated[str | None, Header("x-amz-grant-full-control")] = None
    grant_read: Annotated[str | None, Header("x-amz-grant-read")] = None
    grant_read_acp: Annotated[str | None, Header("x-amz-grant-read-acp")] = None
    grant_write_acp: Annotated[str | None, Header("x-amz-grant-write-acp")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class AclParams(ObjectAclParams):
    """The same with the right to write."""

    __slots__ = ()
    grant_write: Annotated[str | None, Header("x-amz-grant-write")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ChecksumParams:
    """Checksums of the body, base64. Where none is given, the client adds the one of `ClientConfig.checksum`."""

    __slots__ = ()
    content_md5: Annotated[str | None, Header("Content-MD5")] = None
    checksum_crc32: Annotated[str | None, Header("x-amz-checksum-crc32")] = None
    checksum_crc32c: Annotated[str | None, Header("x-amz-checksum-crc32c")] = None
    checksum_crc64nvme: Annotated[str | None, Header("x-amz-checksum-crc64nvme")] = None
    checksum_sha1: Annotated[str | None, Header("x-amz-checksum-sha1")] = None
    checksum_sha256: Annotated[str | None, Header("x-amz-checksum-sha256")] = None
    sdk_checksum_algorithm: Annotated[str | None, Header("x-amz-sdk-checksum-algorithm")] = None


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class ResponseOverrideParams:
    """Headers that the answer shall have instead of the object's own."""

    __slots__ = ()
    response_cache_control: Annotated[str | None, Query("response-cache-control")] = None
    response_content_disposition: Annotated[str | None, Query("response-content-disposition")] = None
    response_content_encoding: Annotated[str | None, Query("response-content-encoding")] = None
    response_content_language: Annotated[str | None, Query("response-content-language")] = None
    response_content_type: Annotated[str | None, Query("response-content-type")] = None
    response_expires: Annotated[datetime | None, Query("response-expires", lenient=True)] = None


# ---------------------------------------------------------------------------------------------------------------------
# Documents in many answers


class Owner(Document):
    """An account."""

    id: Annotated[str | None, Element("ID")] = None
    display_name: str | None = None


class Grantee(Extensible):
    """Who is granted something: a canonical user by id, a group by URI, or a customer by e-mail."""

    type: Annotated[str | None, Attribute("xsi:type")] = None
    id: Annotated[str | None, Element("ID")] = None
    display_name: str | None = None
    email_address: str | None = None
    uri: Annotated[str | None, Element("URI")] = None


class Tag(Extensible):
    """A tag: a name and a value."""

    key: str
    value: str


class ChecksumFields(Document):
    """Checksums of a body, base64, in an XML answer."""

    checksum_crc32: Annotated[str | None, Element("ChecksumCRC32")] = None
    checksum_crc32c: Annotated[str | None, Element("ChecksumCRC32C")] = None
    checksum_crc64nvme: Annotated[str | None, Element("ChecksumCRC64NVME")] = None
    checksum_sha1: Annotated[str | None, Element("ChecksumSHA1")] = None
    checksum_sha256: Annotated[str | None, Element("ChecksumSHA256")] = None


class RequestChargedResult(Result):
    """The protocol's word on who pays; without meaning on COS."""

    request_charged: Annotated[str | None, Header("x-amz-request-charged")] = None


class EncryptionResult(RequestChargedResult):
    """How the service encrypted something."""

    customer_algorithm: Annotated[str | None, Header("x-amz-server-side-encryption-customer-algorithm")] = None
    customer_key_md5: Annotated[str | None, Header("x-amz-server-side-encryption-customer-key-MD5")] = None
    server_side_encryption: Annotated[str | None, Header("x-amz-server-side-encryption")] = None
    sse_kms_key_id: Annotated[str | None, Header("x-amz-server-side-encryption-aws-kms-key-id")] = None


class WriteResult(EncryptionResult):
    """What a service says of checksums, versions and encryption after it wrote something. ETags keep their quotes."""

    etag: Annotated[str, Header("ETag")] = ""
    version_id: Annotated[str | None, Header("x-amz-version-id")] = None
    expiration: Annotated[str | None, Header("x-amz-expiration")] = None
    checksum_crc32: Annotated[str | None, Header("x-amz-checksum-crc32")] = None
    checksum_crc32c: Annotated[str | None, Header("x-amz-checksum-crc32c")] = None
    checksum_crc64nvme: Annotated[str | None, Header("x-amz-checksum-crc64nvme")] = None
    checksum_sha1: Annotated[str | None, Header("x-amz-checksum-sha1")] = None
    checksum_sha256: Annotated[str | None, Header("x-amz-checksum-sha256")] = None
    checksum_type: Annotated[str | None, Header("x-amz-checksum-type")] = None


class CopiedResult(ChecksumFields, EncryptionResult):
    """What a service says after it copied something."""

    needed: ClassVar[tuple[str, ...]] = ("etag",)

    etag: Annotated[str, Element("ETag")] = ""
    last_modified: Timestamp | None = None
    source_version_id: Annotated[str | None, Header("x-amz-copy-source-version-id")] = None
