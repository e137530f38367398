"""Buckets: made, looked at, listed, removed.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-bucket-operations
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar

from pydantic import Field

from aiocos.operations.shared import AclParams, ExpectedOwnerParams, Owner
from aiocos.wire.document import Document, Element, Text, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation


class CreateBucketConfiguration(Document):
    """Where a bucket is made: a provisioning code such as `us-south-smart`. An open list: new locations appear."""

    location_constraint: str | None = None


class CreateBucketResult(Result):
    """What came of it."""

    location: Annotated[str | None, Header("Location")] = None


@operation("PUT", "/{bucket}")
class CreateBucket(AclParams, Operation[CreateBucketResult]):
    """Make a bucket.

    Raises `BucketAlreadyExists` (names are global), `BucketAlreadyOwnedByYou`, `InvalidRequest` (a bad name or location).
    """

    bucket: str
    """3 to 63 characters: a-z, 0-9, dot, dash."""
    _: KW_ONLY
    location: Annotated[str | None, Body(of=CreateBucketConfiguration)] = None
    """Location and storage class, `us-south-smart`; None for the endpoint's default. Must belong to the endpoint."""
    service_instance_id: Annotated[str | None, Header("ibm-service-instance-id")] = None
    """The instance the bucket belongs to; IAM credentials bring their own."""
    kp_algorithm: Annotated[str | None, Header("ibm-sse-kp-encryption-algorithm")] = None
    """Key Protect: `AES256`, together with `kp_root_key_crn`."""
    kp_root_key_crn: Annotated[str | None, Header("ibm-sse-kp-customer-root-key-crn")] = None
    """Key Protect: the whole CRN of the root key."""
    object_lock_enabled: Annotated[bool | None, Header("x-amz-bucket-object-lock-enabled", lenient=True)] = None
    """Turns Object Lock and versioning on. The service takes no notice of a value that it does not understand."""


class BucketInfo(Result):
    """What HEAD says of a bucket."""

    kp_enabled: Annotated[bool | None, Header("ibm-sse-kp-enabled")] = None
    kp_root_key_id: Annotated[str | None, Header("ibm-sse-kp-crk-id")] = None


@operation("HEAD", "/{bucket}")
class HeadBucket(ExpectedOwnerParams, Operation[BucketInfo]):
    """Look whether a bucket is there and may be used. Raises `NotFound`, `AccessDenied` (HEAD answers have no code)."""

    bucket: str


@operation("DELETE", "/{bucket}", success_status=204)
class DeleteBucket(ExpectedOwnerParams, Operation[Result]):
    """Remove an empty bucket. Raises `BucketNotEmpty`. The name stays reserved for some minutes."""

    bucket: str
    _: KW_ONLY
    aspera_key_max_tries: Annotated[int | None, Header("aspera-ak-max-tries")] = None


class BucketLocation(Result):
    """The provisioning code of a bucket."""

    root: ClassVar[str] = "LocationConstraint"

    location: Annotated[str, Text()] = ""


@operation("GET", "/{bucket}?location")
class GetBucketLocation(ExpectedOwnerParams, Operation[BucketLocation]):
    """Ask where a bucket is."""

    bucket: str


class BucketEntry(Document):
    """A bucket in a list. Location and template are in extended lists only."""

    root: ClassVar[str] = "Bucket"

    name: str
    creation_date: Timestamp | None = None
    location_constraint: str | None = None
    creation_template_id: str | None = None


class BucketList(Result):
    """The buckets of an instance."""

    root: ClassVar[str] = "ListAllMyBucketsResult"

    owner: Owner | None = None
    buckets: Annotated[list[BucketEntry], Element("Buckets/Bucket")] = []


@operation("GET", "/")
class ListBuckets(Operation[BucketList]):
    """List the buckets of an instance."""

    _: KW_ONLY
    service_instance_id: Annotated[str | None, Header("ibm-service-instance-id")] = None
    """The instance to list; IAM credentials bring their own."""


class BucketPage(BucketList):
    """A page of buckets with their locations. The next page starts after the last name; `next_marker` may be missing."""

    needed: ClassVar[tuple[str, ...]] = ("is_truncated",)

    is_truncated: bool = False
    marker: str | None = None
    next_marker: str | None = None
    max_keys: int | None = None
    prefix: str | None = None


@operation("GET", "/?extended")
class ListBucketsExtended(Operation[BucketPage]):
    """List the buckets of an instance, with their locations, page by page (IBM)."""

    _: KW_ONLY
    prefix: Annotated[str | None, Query("prefix")] = None
    marker: Annotated[str | None, Query("marker")] = None
    """Start after this name."""
    max_keys: Annotated[int | None, Query("max-keys")] = None
    """Buckets a page, at most and by default 1,000."""
    service_instance_id: Annotated[str | None, Header("ibm-service-instance-id")] = None
    """The instance to list; IAM credentials bring their own."""

    def contradiction(self, result: BucketPage) -> str | None:
        """Compare the prefix that the page is of."""
        asked = self.prefix or ""
        if result.prefix not in (None, asked):
            return f"the page is of the prefix {result.prefix!r}, and not of {asked!r}"
        return None


class AsperaKey(Document):
    """The key pair of a bucket's Aspera node. It does not show its secret."""

    root: ClassVar[str] = "AccessKey"

    id: str | None = None
    secret: Annotated[str | None, Field(repr=False)] = None


class AsperaConnection(Result):
    """Where Aspera transfers of a bucket go, and with which key."""

    root: ClassVar[str] = "FASPConnectionInfo"
    needed: ClassVar[tuple[str, ...]] = ("access_key", "ats_endpoint")

    access_key: AsperaKey | None = None
    ats_endpoint: Annotated[str | None, Element("ATSEndpoint")] = None


@operation("GET", "/{bucket}?faspConnectionInfo")
class GetBucketAspera(Operation[AsperaConnection]):
    """Ask how to reach a bucket by Aspera (IBM). Needs IAM credentials; the transfer itself needs Aspera's own programs."""

    bucket: str
