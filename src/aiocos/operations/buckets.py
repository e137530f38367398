"""Operation specs: create, head, list, delete and locate buckets.

Another one returns the connection data for Aspera, IBM's high-speed transfer service.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-bucket-operations
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar

from pydantic import Field

from aiocos.operations.shared import AclParams, ExpectedOwnerParams, Owner
from aiocos.wire.document import Document, Element, Text, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation


class CreateBucketConfiguration(Document):
    """The location of a new bucket."""

    location_constraint: str | None = None
    """Provisioning code: location and storage class, such as `us-south-smart`. IBM adds codes; none is checked here."""


class CreateBucketResult(Result):
    """The response to the creation of a bucket."""

    location: Annotated[str | None, Header("Location")] = None
    """Path of the new bucket. None if the service does not send it."""


@operation("PUT", "/{bucket}")
class CreateBucket(AclParams, Operation[CreateBucketResult]):
    """Create a bucket.

    Names are unique across all customers of IBM Cloud. The storage class cannot be changed later.

    Returns the location header, if there is one.

    Raises `BucketAlreadyExists` (another customer has it), `BucketAlreadyOwnedByYou`, `InvalidRequest` (a bad name or location,
    too many buckets).
    """

    bucket: str
    """Name: 3 to 63 characters of a-z, 0-9, dot and dash, starting and ending with a letter or digit.

    Two dots or dashes in a row, the form of an IP address and the prefixes `cosv1-` and `account-` are not allowed.
    """
    _: KW_ONLY
    location: Annotated[str | None, Body(of=CreateBucketConfiguration)] = None
    """Provisioning code: location and storage class, such as `us-south-smart`. It must fit the endpoint.

    None gives the default class of the endpoint. Classes: `standard`, `vault`, `cold`, `smart`, `onerate_active`.
    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-classes
    """
    service_instance_id: Annotated[str | None, Header("ibm-service-instance-id")] = None
    """Service instance that owns the bucket: its CRN or GUID. None takes it from the credentials, which usually have it."""
    kp_algorithm: Annotated[str | None, Header("ibm-sse-kp-encryption-algorithm")] = None
    """Key Protect: `AES256`, given together with `kp_root_key_crn`. None: no root key."""
    kp_root_key_crn: Annotated[str | None, Header("ibm-sse-kp-customer-root-key-crn")] = None
    """Key Protect or Hyper Protect Crypto Services: the full CRN of the root key. None: no root key."""
    object_lock_enabled: Annotated[bool | None, Header("x-amz-bucket-object-lock-enabled", lenient=True)] = None
    """True turns on Object Lock and versioning. None or False creates a bucket without Object Lock."""


class BucketInfo(Result):
    """The headers of a bucket."""

    kp_enabled: Annotated[bool | None, Header("ibm-sse-kp-enabled")] = None
    """True if the bucket is encrypted by a root key (Key Protect or Hyper Protect Crypto Services). None otherwise."""
    kp_root_key_id: Annotated[str | None, Header("ibm-sse-kp-crk-id")] = None
    """Id of the root key. None without one."""


@operation("HEAD", "/{bucket}")
class HeadBucket(ExpectedOwnerParams, Operation[BucketInfo]):
    """Return the headers of a bucket, to see whether it exists and may be used.

    Returns the headers as `BucketInfo`.

    Raises `NotFound`, `AccessDenied` (by status: a response to HEAD has no error code).
    """

    bucket: str
    """Name of the bucket."""


@operation("DELETE", "/{bucket}", success_status=204)
class DeleteBucket(ExpectedOwnerParams, Operation[Result]):
    """Delete an empty bucket.

    The name stays reserved for some minutes (IBM names 5 on one page, 10 to 15 on another).

    Returns only the request id.

    Raises `NoSuchBucket`, `BucketNotEmpty` (objects, versions or delete markers).
    """

    bucket: str
    """Name of the bucket."""
    _: KW_ONLY
    aspera_key_max_tries: Annotated[int | None, Header("aspera-ak-max-tries")] = None
    """Number of times that the service attempts the deletion: 2 by default."""


class BucketLocation(Result):
    """The location of a bucket."""

    root: ClassVar[str] = "LocationConstraint"

    location: Annotated[str, Text()] = ""
    """Provisioning code: location and storage class, such as `us-south-smart`."""


@operation("GET", "/{bucket}?location")
class GetBucketLocation(ExpectedOwnerParams, Operation[BucketLocation]):
    """Return the location and storage class of a bucket.

    Returns the provisioning code.

    Raises `NoSuchBucket`.
    """

    bucket: str
    """Name of the bucket."""


class BucketEntry(Document):
    """A bucket in a list."""

    root: ClassVar[str] = "Bucket"

    name: str
    """Name of the bucket."""
    creation_date: Timestamp | None = None
    """Time at which the bucket was created (UTC)."""
    location_constraint: str | None = None
    """Provisioning code, such as `us-south-smart`. None in a plain list: only the extended list has it."""
    creation_template_id: str | None = None
    """Id of the template from which the bucket was created. None in a plain list, and without a template."""


class BucketList(Result):
    """The buckets of a service instance."""

    root: ClassVar[str] = "ListAllMyBucketsResult"

    owner: Owner | None = None
    """Account that owns the buckets."""
    buckets: Annotated[list[BucketEntry], Element("Buckets/Bucket")] = []
    """Buckets of the instance (of the extended list: of the page)."""


@operation("GET", "/")
class ListBuckets(Operation[BucketList]):
    """List the buckets of a service instance.

    Returns all buckets at once.

    Raises `AccessDenied`.
    """

    _: KW_ONLY
    service_instance_id: Annotated[str | None, Header("ibm-service-instance-id")] = None
    """Service instance to list: its CRN or GUID. None takes it from the credentials, which usually have it."""


class BucketPage(BucketList):
    """A page of buckets with their locations.

    The next page starts after the last name, also where `next_marker` is missing.
    """

    needed: ClassVar[tuple[str, ...]] = ("is_truncated",)

    is_truncated: bool = False
    """True if another page follows."""
    marker: str | None = None
    """Requested name after which the page starts."""
    next_marker: str | None = None
    """`marker` of the next page. IBM documents no such element; take the last name where it is missing."""
    max_keys: int | None = None
    """Limit of buckets for this page, as the service applied it."""
    prefix: str | None = None
    """Requested prefix. None or empty if none was requested."""


@operation("GET", "/?extended")
class ListBucketsExtended(Operation[BucketPage]):
    """List the buckets of a service instance with their locations, page by page.

    An operation of IBM's, unknown to Amazon S3. `buckets.list_extended` returns a `Listing`: iterate over it with `async for`.

    Raises `AccessDenied`, and `ProtocolError` if the page belongs to another prefix.
    """

    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    """List only buckets whose name starts with this text. None lists all."""
    marker: Annotated[str | None, Query("marker")] = None
    """List only buckets after this name. None starts at the beginning."""
    max_keys: Annotated[int | None, Query("max-keys")] = None
    """Buckets of one page: 1 to 1,000 (the default)."""
    service_instance_id: Annotated[str | None, Header("ibm-service-instance-id")] = None
    """Service instance to list: its CRN or GUID. None takes it from the credentials, which usually have it."""

    def find_mismatch(self, result: BucketPage) -> str | None:
        """Compare the prefix."""
        requested = self.prefix or ""
        if result.prefix not in (None, requested):
            return f"the page has the prefix {result.prefix!r}, not {requested!r}"
        return None


class AsperaKey(Document):
    """The key pair for Aspera transfers of a bucket."""

    root: ClassVar[str] = "AccessKey"

    id: str | None = None
    """Access key id."""
    secret: Annotated[str | None, Field(repr=False)] = None
    """Secret of the access key. `repr` does not show it."""


class AsperaConnection(Result):
    """The connection data for Aspera transfers of a bucket."""

    root: ClassVar[str] = "FASPConnectionInfo"
    needed: ClassVar[tuple[str, ...]] = ("access_key", "ats_endpoint")

    access_key: AsperaKey | None = None
    """Key pair for the transfer server."""
    ats_endpoint: Annotated[str | None, Element("ATSEndpoint")] = None
    """URL of the Aspera transfer service."""


@operation("GET", "/{bucket}?faspConnectionInfo")
class GetBucketAspera(Operation[AsperaConnection]):
    """Return the connection data for Aspera transfers of a bucket.

    An operation of IBM's, unknown to Amazon S3. It needs IAM credentials. The transfer itself needs Aspera's own programs.
    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-aspera

    Returns the key pair and the URL of the transfer service.

    Raises `NoSuchBucket`, `AccessDenied`.
    """

    bucket: str
    """Name of the bucket."""
