"""Handlers that create, list and delete buckets, and return their properties."""

import hashlib
import re
from dataclasses import replace

from aiocos.emulator.context import Context, failure, handles, is_bearer, moment, owner
from aiocos.emulator.handlers.acl import acl_of_headers
from aiocos.emulator.store import BucketRow, Instance, Transaction, buckets, uploads
from aiocos.errors import BucketAlreadyExists, BucketAlreadyOwnedByYou, BucketNotEmpty
from aiocos.operations.buckets import (
    AsperaConnection,
    AsperaKey,
    BucketEntry,
    BucketInfo,
    BucketList,
    BucketLocation,
    BucketPage,
    CreateBucket,
    CreateBucketResult,
    DeleteBucket,
    GetBucketAspera,
    GetBucketLocation,
    HeadBucket,
    ListBuckets,
    ListBucketsExtended,
)
from aiocos.operations.object_lock import ObjectLockConfiguration
from aiocos.wire.spec import Result

DEFAULT_LOCATION = "us-south-standard"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|[.-](?![.-]))*")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
# S3 clients without IBM's storage classes (s5cmd) send only their region; it means the standard class.
_REGION = re.compile(r"(us|eu|ap|au|br|ca|in|jp)(-[a-z]+)?|[a-z]{3}[0-9]{2}")
_LOCATION = re.compile(r"[a-z0-9][a-z0-9.-]*-(standard|vault|cold|smart|flex|onerate_active)")


def check_name(name: str) -> None:
    """Refuse a bucket name that the service refuses."""
    if (
        not 3 <= len(name) <= 63
        or not _NAME.fullmatch(name)
        or not name[-1].isalnum()
        or _ADDRESS.fullmatch(name)
        or name.startswith(("cosv1-", "account-"))
    ):
        raise failure("InvalidBucketName", "The specified bucket is not valid.")


def requested_instance(ctx: Context, requested: str | None) -> Instance:
    """Return the instance for a request.

    It is the one in the header, given by CRN or GUID, or the caller's.

    Raises `AccessDenied` for another instance than the caller's.
    """
    assert ctx.caller is not None
    if requested and requested not in (ctx.caller.crn, ctx.caller.guid, ctx.caller.crn.rstrip(":")):
        raise failure("AccessDenied", "The service instance does not belong to the caller.", 403)
    return ctx.caller


def full_location(constraint: str | None) -> str:
    """Return the location with storage class for a location constraint.

    Raises `InvalidLocationConstraint` if it is unknown.
    """
    code = constraint or DEFAULT_LOCATION
    # Check locations with a storage class first: `us-smart` also looks like a region.
    if _LOCATION.fullmatch(code):
        return code
    if _REGION.fullmatch(code):
        return f"{code}-standard"
    raise failure("InvalidLocationConstraint", "The specified location constraint is not valid.")


def require_instance(ctx: Context, requested: str | None) -> None:
    """Refuse to create or list buckets with IAM if no instance is given.

    The instance must be in the header `ibm-service-instance-id`.

    IBM's documentation requires it, because an IAM token does not select one of the account's instances; an HMAC key pair
    belongs to one instance. The extended listing works without the header: IBM's own SDK does not send it there.
    """
    if not requested and is_bearer(ctx.request.headers.get("authorization", "")):
        message = "Invalid Argument: to create or list buckets with an IAM token, send the header ibm-service-instance-id."
        raise failure("InvalidArgument", message)


@handles(CreateBucket, "caller")
async def create(ctx: Context, op: CreateBucket) -> CreateBucketResult:
    """Create a bucket."""
    check_name(op.bucket)
    require_instance(ctx, op.service_instance_id)
    instance = requested_instance(ctx, op.service_instance_id)
    location = full_location(op.location)
    if (op.kp_algorithm is None) != (op.kp_root_key_crn is None) or (op.kp_algorithm or "AES256") != "AES256":
        raise failure("InvalidArgument", "Key Protect needs the algorithm AES256 and the CRN of a root key.")
    new = BucketRow(
        0, op.bucket, instance.crn, ctx.now, location, acl_of_headers(op, None, {instance.guid}), op.kp_root_key_crn
    )
    if op.object_lock_enabled:
        new = replace(new, versioning="Enabled", settings={"object-lock": ObjectLockConfiguration().to_xml().decode()})

    def write(t: Transaction) -> None:
        old = buckets.find(t.connection, op.bucket)
        if old is not None and old.instance == instance.crn:
            raise BucketAlreadyOwnedByYou("You already own this bucket.", status=409, code="BucketAlreadyOwnedByYou")
        if old is not None:
            raise BucketAlreadyExists(
                "The requested bucket name is not available: names are global.", status=409, code="BucketAlreadyExists"
            )
        buckets.add(t, new)

    await ctx.store.write(write)
    return CreateBucketResult(location=f"/{op.bucket}")


def key_protect_id(ctx: Context) -> str | None:
    """Return the id of the bucket's Key Protect root key.

    Also adds the response header that says that Key Protect is enabled.
    """
    if ctx.bucket.kp_root_key_crn is None:
        return None
        # The documentation writes it with a capital T, unlike all other boolean headers.
    ctx.headers["ibm-sse-kp-enabled"] = "True"
    # crn:v1:bluemix:public:kms:<region>:a/<account>:<instance>:key:<id>
    return ctx.bucket.kp_root_key_crn.rpartition(":")[2]


@handles(HeadBucket, "list")
async def head(ctx: Context, op: HeadBucket) -> BucketInfo:
    """Return a bucket's metadata."""
    return BucketInfo(kp_root_key_id=key_protect_id(ctx))


@handles(DeleteBucket)
async def delete(ctx: Context, op: DeleteBucket) -> Result:
    """Delete an empty bucket and its open uploads."""
    bucket = ctx.bucket.id

    def write(t: Transaction) -> None:
        if not buckets.is_empty(t, bucket):
            raise BucketNotEmpty("The bucket you tried to delete is not empty.", status=409, code="BucketNotEmpty")
        for upload in uploads.of_bucket(t, bucket):
            uploads.remove(t, upload)
        buckets.remove(t, bucket)

    await ctx.store.write(write, frees=True)
    return Result()


@handles(GetBucketLocation)
async def location(ctx: Context, op: GetBucketLocation) -> BucketLocation:
    """Return a bucket's location."""
    return BucketLocation(location=ctx.bucket.location)


@handles(ListBuckets, "caller")
async def list_buckets(ctx: Context, op: ListBuckets) -> BucketList:
    """List the buckets of an instance."""
    require_instance(ctx, op.service_instance_id)
    instance = requested_instance(ctx, op.service_instance_id)
    found = await ctx.store.database.read(lambda c: buckets.list_page(c, instance.crn))
    entries = [BucketEntry(name=b.name, creation_date=moment(b.created)) for b in found]
    return BucketList(owner=owner(instance.guid), buckets=entries)


@handles(ListBucketsExtended, "caller")
async def list_extended(ctx: Context, op: ListBucketsExtended) -> BucketPage:
    """List the buckets of an instance with their locations, in pages."""
    instance = requested_instance(ctx, op.service_instance_id)
    limit = page_size(op.max_keys, "max-keys")
    found = await ctx.store.database.read(
        lambda c: buckets.list_page(c, instance.crn, op.prefix or "", op.marker or "", limit + 1)
    )
    more, page = len(found) > limit, found[:limit]
    return BucketPage(
        owner=owner(instance.guid),
        buckets=[BucketEntry(name=b.name, creation_date=moment(b.created), location_constraint=b.location) for b in page],
        is_truncated=more and limit > 0,
        next_marker=page[-1].name if more and page else None,
        marker=op.marker or "",
        prefix=op.prefix or "",
        max_keys=limit,
    )


def page_size(requested: int | None, name: str) -> int:
    """Return the limit of a page: the requested one, by default and at most 1,000."""
    if requested is None:
        return 1000
    if requested < 0:
        raise failure("InvalidArgument", f"{name} must not be negative")
    return min(requested, 1000)


@handles(GetBucketAspera)
async def aspera(ctx: Context, op: GetBucketAspera) -> AsperaConnection:
    """Return the Aspera connection of a bucket.

    The values are made up: the emulator has no Aspera node.
    """
    if not is_bearer(ctx.request.headers.get("authorization", "")):
        raise failure("AccessDenied", "The Aspera connection is available with IAM credentials only.", 403)
    seed = f"{ctx.bucket.instance}/{ctx.bucket.name}".encode()
    key = AsperaKey(id=hashlib.sha256(b"id" + seed).hexdigest()[:32], secret=hashlib.sha256(b"secret" + seed).hexdigest()[:48])
    region = ctx.bucket.location.rpartition("-")[0]
    return AsperaConnection(access_key=key, ats_endpoint=f"https://ats-sl-{region}.aspera.io:443")
