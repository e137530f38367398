"""Objects put and copied."""

from typing import Any

from aiocos.config import MAX_PUT
from aiocos.emulator import lifecycle, locking, public_access
from aiocos.emulator.context import Context, denied, failure, handles, moment, no_bucket
from aiocos.emulator.handlers import retention, tagging
from aiocos.emulator.handlers.acl import list_of
from aiocos.emulator.handlers.finding import (
    check_key,
    check_overwrite,
    check_source,
    check_write,
    etag_for,
    key_md5,
    must_find,
    told_version,
)
from aiocos.emulator.handlers.reading import checksum_type, quoted
from aiocos.emulator.handlers.state import still_there
from aiocos.emulator.replication import STATUS, replicate
from aiocos.emulator.store import BucketRow, ObjectRow, Transaction, buckets, objects
from aiocos.errors import OperationNotSupported
from aiocos.operations.content_headers import CONTENT_HEADERS
from aiocos.operations.multipart import CreateMultipartUpload
from aiocos.operations.objects import CopyObject, CopyObjectResult, PutObject, PutObjectResult
from aiocos.operations.shared import EncryptionParams
from aiocos.wire.values import CopySource

MAX_METADATA = 4 * 1000 * 1000
"""User metadata of an object, names and values together: 4 MB as the service's FAQ has it."""


def content_headers(ctx: Context, op: PutObject | CopyObject | CreateMultipartUpload) -> dict[str, str]:
    """Return what the object's readers are told, by the field names of `ObjectInfo`."""
    headers: dict[str, str] = {}
    for name in CONTENT_HEADERS:
        value = getattr(op, name)
        if value:
            headers[name] = value
    if isinstance(op.tagging, str) and (tags := tagging.of_header(op.tagging)):
        headers["tagging"] = tags
    # Kept as it came: S3 stores any text here, and `0` or `-1` are what many writers mean by "expired".
    if expires := ctx.request.headers.get("expires"):
        headers["expires"] = expires
    return headers


def user_metadata(metadata: dict[str, str] | None) -> dict[str, str]:
    """User metadata, checked for its size."""
    if metadata and sum(len(n) + len(v) for n, v in metadata.items()) > MAX_METADATA:
        raise failure("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.")
    return metadata or {}


def refuse_unserved(op: EncryptionParams) -> None:
    """Refuse what would be a promise not kept: keys of another service."""
    if op.server_side_encryption not in (None, "AES256"):
        raise OperationNotSupported("only AES256 is served", status=501, code="NotImplemented")


def encryption_echo(customer_md5: str | None) -> dict[str, Any]:
    """What an answer repeats of a customer key."""
    return {} if customer_md5 is None else {"customer_algorithm": "AES256", "customer_key_md5": customer_md5}


def sums_echo(sums: dict[str, str]) -> dict[str, Any]:
    """What an answer repeats of checksums, by the field names of results."""
    return {f"checksum_{name}": value for name, value in sums.items()}


@handles(PutObject, "write")
async def put(ctx: Context, op: PutObject) -> PutObjectResult:
    """Store an object."""
    refuse_unserved(op)
    bucket = ctx.bucket
    headers, metadata, acl = content_headers(ctx, op), user_metadata(op.metadata), list_of(op, bucket, {ctx.writer})
    customer = key_md5(op.customer_key)
    retention.check_request(bucket, op, ctx.request, integrity=ctx.incoming.has_integrity())

    def check(old: ObjectRow | None) -> None:
        check_write(old, op)
        check_overwrite(bucket, old, op, ctx.behavior)
        retention.refuse_protected(old, ctx.now)

    explicit = locking.requested_lock(bucket, op, ctx.now)
    # Refused early where it will be refused anyway; the check that counts is made with the write.
    check(objects.find(ctx.store.point, bucket.id, op.key))
    retention.on_write(bucket, op, ctx.now)
    arrival = await ctx.receive(MAX_PUT)
    new = ObjectRow(
        op.key,
        etag_for(arrival.md5.hex(), customer),
        arrival.blob.size,
        ctx.now,
        ctx.writer,
        headers,
        metadata,
        arrival.sums,
        arrival.blob.segments,
        acl=acl,
        customer_md5=customer,
        archive=lifecycle.on_write(bucket, ctx.now),
    )

    def write(t: Transaction) -> tuple[BucketRow, ObjectRow]:
        current = still_there(t, bucket)
        # By the bucket as it is now: a policy or a block may have been set while the body came.
        public_access.refuse_public(current, acl)
        lock = locking.on_write(current, explicit, new.modified)
        state = retention.on_write(current, op, new.modified)
        made = objects.put(t, current.id, new.copy(lock=lock, retention=state), check)
        return current, replicate(t, current, made, new.modified)

    current, made = await ctx.store.write(write, arrival.blob)
    return PutObjectResult(
        etag=quoted(made.etag),
        version_id=told_version(current, made),
        expiration=lifecycle.expiration_header(bucket, new),
        **sums_echo(arrival.sums),
        checksum_type=checksum_type(arrival.sums),
        **encryption_echo(customer),
    )


def source_of(ctx: Context, source: CopySource | tuple[str, str]) -> tuple[BucketRow, CopySource]:
    """The bucket of a copy's source, and the source."""
    named = source if isinstance(source, CopySource) else CopySource(source[0], source[1])
    bucket = buckets.find(ctx.store.point, named.bucket)
    if bucket is None:
        raise no_bucket()
    return bucket, named


def may_copy(ctx: Context, bucket: BucketRow, found: ObjectRow) -> None:
    """Let pass who may read the source."""
    if (ctx.caller is None or bucket.instance != ctx.caller.crn) and not public_access.is_public(bucket, found):
        raise denied()


@handles(CopyObject, "write")
async def copy(ctx: Context, op: CopyObject) -> CopyObjectResult:
    """Copy an object. Nothing is moved: the copy's segments are the source's. It keeps the source's ETag."""
    refuse_unserved(op)
    bucket = ctx.bucket
    retention.check_copy(bucket, op, ctx.request)
    source_bucket, source = source_of(ctx, op.source)
    customer, source_key = key_md5(op.customer_key), key_md5(op.source_customer_key)
    replace, now, writer = op.metadata_directive == "REPLACE", ctx.now, ctx.writer
    headers, metadata, acl = content_headers(ctx, op), user_metadata(op.metadata), list_of(op, bucket, {ctx.writer})
    to_self = (source_bucket.id, source.key) == (bucket.id, op.key) and source.version_id is None
    changed = replace or op.storage_class or op.tagging_directive == "REPLACE" or customer != source_key
    if to_self and not (changed or op.website_redirect_location or op.retention_directive):
        raise failure(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing anything.",
        )

    def check(old: ObjectRow | None) -> None:
        check_write(old, op)
        check_overwrite(bucket, old, op, ctx.behavior)
        retention.refuse_protected(old, now)

    def write(t: Transaction) -> tuple[BucketRow, ObjectRow, ObjectRow]:
        current = still_there(t, bucket)
        public_access.refuse_public(current, acl)
        found = must_find(t.connection, source_bucket.id, source.key, source.version_id)
        may_copy(ctx, source_bucket, found)
        check_source(found, op)
        check_key(found.customer_md5, source_key)
        lifecycle.refuse_archived(found, now)
        if found.size > MAX_PUT:
            raise failure("InvalidRequest", "The specified copy source is larger than the maximum allowable size: 5368709120")
        # Before its own retention is looked at, what stands against the write at all.
        check(objects.find(t.connection, current.id, op.key))
        told = headers if replace else found.headers
        tags = headers.get("tagging") if op.tagging_directive == "REPLACE" else found.headers.get("tagging")
        kept = {n: v for n, v in told.items() if n not in (STATUS, "tagging")} | ({"tagging": tags} if tags else {})
        new = found.copy(
            key=op.key,
            etag=found.etag if customer == found.customer_md5 else etag_for(found.etag.partition("-")[0], customer),
            modified=now,
            owner=writer,
            headers=kept,
            metadata=metadata if replace else found.metadata,
            acl=acl,
            customer_md5=customer,
            retention=retention.on_copy(current, found, op, now),
            lock=locking.on_write(current, locking.requested_lock(current, op, now), now),
            archive=lifecycle.on_write(bucket, now),
        )

        made = objects.put(t, current.id, new, check)
        return current, replicate(t, current, made, now), found

    current, made, found = await ctx.store.write(write)
    # In a header too, as the documentation's example has it.
    ctx.headers["ETag"] = quoted(made.etag)
    return CopyObjectResult(
        etag=quoted(made.etag),
        last_modified=moment(made.modified),
        version_id=told_version(current, made),
        source_version_id=told_version(source_bucket, found),
        expiration=lifecycle.expiration_header(bucket, made),
        **sums_echo(made.sums),
        **encryption_echo(customer),
    )
