"""Buckets: made, looked at, listed, removed."""

import hashlib
import re
from dataclasses import replace

from aiocos.emulator.context import Context, failure, handles, is_bearer, moment, owner
from aiocos.emulator.handlers.acl import list_of
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
# S3 clients that know nothing of storage classes (s5cmd) give their region alone; it means the standard class.
_REGION = re.compile(r"(us|eu|ap|au|br|ca|in|jp)(-[a-z]+)?|[a-z]{3}[0-9]{2}")
_LOCATION = re.compile(r"[a-z0-9][a-z0-9.-]*-(standard|vault|cold|smart|flex|onerate_active)")


def check_name(name: str) -> None:
    """Refuse what the service refuses as a name."""
    if (
        not 3 <= len(name) <= 63
        or not _NAME.fullmatch(name)
        or not name[-1].isalnum()
        or _ADDRESS.fullmatch(name)
        or name.startswith(("cosv1-", "account-"))
    ):
        raise failure("InvalidBucketName", "The specified bucket is not valid.")


def instance_named(ctx: Context, named: str | None) -> Instance:
    """Return the instance that a request means: the one it names by CRN or GUID, if it is the caller's.

    None means the caller's own instance.
    """
    assert ctx.caller is not None
    if named and named not in (ctx.caller.crn, ctx.caller.guid, ctx.caller.crn.rstrip(":")):
        raise failure("AccessDenied", "The service instance is not one of the caller's.", 403)
    return ctx.caller


def location_of(asked: str | None) -> str:
    """Return the code of a location and a storage class that a request means; `InvalidLocationConstraint`."""
    code = asked or DEFAULT_LOCATION
    # `us-smart` has the form of a region too: a code with a class is whole.
    if _LOCATION.fullmatch(code):
        return code
    if _REGION.fullmatch(code):
        return f"{code}-standard"
    raise failure("InvalidLocationConstraint", "The specified location constraint is not valid.")


def must_name_instance(ctx: Context, named: str | None) -> None:
    """Refuse to create or list buckets with an IAM token that comes without the header `ibm-service-instance-id`.

    IBM's page requires it, since a token does not say which of an account's instances is meant. An HMAC key pair belongs to
    one. The extended listing is served without it: IBM's own SDK does not send it there.
    """
    if not named and is_bearer(ctx.request.headers.get("authorization", "")):
        message = "Invalid Argument: to create or list buckets with an IAM token, send the header ibm-service-instance-id."
        raise failure("InvalidArgument", message)


@handles(CreateBucket, "caller")
async def create(ctx: Context, op: CreateBucket) -> CreateBucketResult:
    """Make a bucket."""
    check_name(op.bucket)
    must_name_instance(ctx, op.service_instance_id)
    instance = instance_named(ctx, op.service_instance_id)
    location = location_of(op.location)
    if (op.kp_algorithm is None) != (op.kp_root_key_crn is None) or (op.kp_algorithm or "AES256") != "AES256":
        raise failure("InvalidArgument", "Key Protect takes the algorithm AES256 together with the CRN of a root key.")
    made = BucketRow(0, op.bucket, instance.crn, ctx.now, location, list_of(op, None, {instance.guid}), op.kp_root_key_crn)
    if op.object_lock_enabled:
        made = replace(made, versioning="Enabled", settings={"object-lock": ObjectLockConfiguration().to_xml().decode()})

    def write(t: Transaction) -> None:
        old = buckets.find(t.connection, op.bucket)
        if old is not None and old.instance == instance.crn:
            raise BucketAlreadyOwnedByYou("You already own this bucket.", status=409, code="BucketAlreadyOwnedByYou")
        if old is not None:
            raise BucketAlreadyExists(
                "The requested bucket name is not available: names are global.", status=409, code="BucketAlreadyExists"
            )
        buckets.add(t, made)

    await ctx.store.write(write)
    return CreateBucketResult(location=f"/{op.bucket}")


def tell_key(ctx: Context) -> str | None:
    """Return the id of the bucket's root key for the answer, and let the answer say that Key Protect is on."""
    if ctx.bucket.kp_root_key_crn is None:
        return None
    # The documentation has it with a capital letter, unlike every other header that is true or false.
    ctx.headers["ibm-sse-kp-enabled"] = "True"
    # crn:v1:bluemix:public:kms:<region>:a/<account>:<instance>:key:<id>
    return ctx.bucket.kp_root_key_crn.rpartition(":")[2]


@handles(HeadBucket, "list")
async def head(ctx: Context, op: HeadBucket) -> BucketInfo:
    """Look whether a bucket is there."""
    return BucketInfo(kp_root_key_id=tell_key(ctx))


@handles(DeleteBucket)
async def delete(ctx: Context, op: DeleteBucket) -> Result:
    """Remove an empty bucket; its open uploads go with it."""
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
    """Tell where a bucket is."""
    return BucketLocation(location=ctx.bucket.location)


@handles(ListBuckets, "caller")
async def list_buckets(ctx: Context, op: ListBuckets) -> BucketList:
    """List the buckets of an instance."""
    must_name_instance(ctx, op.service_instance_id)
    instance = instance_named(ctx, op.service_instance_id)
    found = await ctx.store.database.read(lambda c: buckets.list_page(c, instance.crn))
    entries = [BucketEntry(name=b.name, creation_date=moment(b.created)) for b in found]
    return BucketList(owner=owner(instance.guid), buckets=entries)


@handles(ListBucketsExtended, "caller")
async def list_extended(ctx: Context, op: ListBucketsExtended) -> BucketPage:
    """List the buckets of an instance with their locations, page by page."""
    instance = instance_named(ctx, op.service_instance_id)
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


def page_size(asked: int | None, name: str) -> int:
    """The entries of a page: what was asked for, at most (and by default) 1,000."""
    if asked is None:
        return 1000
    if asked < 0:
        raise failure("InvalidArgument", f"{name} must not be negative")
    return min(asked, 1000)


@handles(GetBucketAspera)
async def aspera(ctx: Context, op: GetBucketAspera) -> AsperaConnection:
    """Tell how to reach a bucket by Aspera. Key and place are made up: there is no Aspera node behind the emulator."""
    if not is_bearer(ctx.request.headers.get("authorization", "")):
        raise failure("AccessDenied", "The connection of Aspera is told to IAM credentials only.", 403)
    seed = f"{ctx.bucket.instance}/{ctx.bucket.name}".encode()
    key = AsperaKey(id=hashlib.sha256(b"id" + seed).hexdigest()[:32], secret=hashlib.sha256(b"secret" + seed).hexdigest()[:48])
    region = ctx.bucket.location.rpartition("-")[0]
    return AsperaConnection(access_key=key, ats_endpoint=f"https://ats-sl-{region}.aspera.io:443")
