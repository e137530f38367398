"""Handlers of PutObject and CopyObject."""

from typing import Any

from aiocos.config import MAX_PUT
from aiocos.emulator import lifecycle, locking, public_access
from aiocos.emulator.checksums import DEFAULT
from aiocos.emulator.context import Context, denied, failure, handles, moment, no_bucket
from aiocos.emulator.handlers import retention, tagging
from aiocos.emulator.handlers.acl import acl_of_headers
from aiocos.emulator.handlers.bucket_state import current_bucket
from aiocos.emulator.handlers.conditions import check_overwrite, check_source, check_write
from aiocos.emulator.handlers.copied_checksum import copied_checksum
from aiocos.emulator.handlers.customer_keys import check_key, etag_for, key_md5
from aiocos.emulator.handlers.get_object import quoted
from aiocos.emulator.handlers.lookup import must_find, response_version_id
from aiocos.emulator.replication import STATUS, replicate
from aiocos.emulator.store import BucketRow, ObjectRow, Transaction, buckets, objects
from aiocos.errors import OperationNotSupported
from aiocos.operations.content_headers import CONTENT_HEADERS
from aiocos.operations.multipart import CreateMultipartUpload
from aiocos.operations.objects import CopyObject, CopyObjectResult, PutObject, PutObjectResult
from aiocos.operations.shared import EncryptionParams
from aiocos.wire.values import CopySource

MAX_METADATA = 4 * 1000 * 1000
"""Maximum size of user metadata, names and values together: 4 MB, from the service's FAQ."""


def content_headers(ctx: Context, op: PutObject | CopyObject | CreateMultipartUpload) -> dict[str, str]:
    """Return the headers to store with an object, by the field names of `ObjectInfo`."""
    headers: dict[str, str] = {}
    for name in CONTENT_HEADERS:
        value = getattr(op, name)
        if value:
            headers[name] = value
    if isinstance(op.tagging, str) and (tags := tagging.parse_header(op.tagging)):
        headers["tagging"] = tags
    # Stored unchanged: S3 accepts any text, and many clients send `0` or `-1` for "expired".
    if expires := ctx.request.headers.get("expires"):
        headers["expires"] = expires
    return headers


def user_metadata(metadata: dict[str, str] | None) -> dict[str, str]:
    """Return user metadata. Raises `MetadataTooLarge` above the limit."""
    if metadata and sum(len(n) + len(v) for n, v in metadata.items()) > MAX_METADATA:
        raise failure("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.")
    return metadata or {}


def require_supported_encryption(op: EncryptionParams) -> None:
    """Refuse encryption with keys of another service.

    The emulator does not support it.
    """
    if op.server_side_encryption not in (None, "AES256"):
        raise OperationNotSupported("only AES256 is supported", status=501, code="NotImplemented")


def encryption_fields(customer_md5: str | None) -> dict[str, Any]:
    """Return the result fields about a customer key."""
    return {} if customer_md5 is None else {"customer_algorithm": "AES256", "customer_key_md5": customer_md5}


@handles(PutObject, "write")
async def put(ctx: Context, op: PutObject) -> PutObjectResult:
    """Store an object."""
    require_supported_encryption(op)
    bucket = ctx.bucket
    headers, metadata, acl = content_headers(ctx, op), user_metadata(op.metadata), acl_of_headers(op, bucket, {ctx.writer})
    customer = key_md5(op.customer_key)
    retention.check_request(bucket, op, ctx.request, integrity=ctx.incoming.has_integrity())

    def check(old: ObjectRow | None) -> None:
        check_write(old, op)
        check_overwrite(bucket, old, op, ctx.behavior)
        retention.refuse_protected(old, ctx.now)

    explicit = locking.requested_lock(bucket, op, ctx.now)
    # Refuse early, before the body is received. The check in the transaction is the one that counts.
    check(objects.find(ctx.store.connection, bucket.id, op.key))
    retention.on_write(bucket, op, ctx.now)
    algorithm = (ctx.incoming.sent_algorithm() or DEFAULT) if ctx.behavior.checksums else None
    arrival = await ctx.receive(MAX_PUT, algorithm)
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
        current = current_bucket(t, bucket)
        # Use the current row of the bucket: a policy or a block may have been set while the body was received.
        public_access.refuse_public(current, acl)
        lock = locking.on_write(current, explicit, new.modified)
        state = retention.on_write(current, op, new.modified)
        row = objects.put(t, current.id, new.copy(lock=lock, retention=state), check)
        return current, replicate(t, current, row, new.modified)

    current, row = await ctx.store.write(write, arrival.blob)
    return PutObjectResult(
        etag=quoted(row.etag),
        version_id=response_version_id(current, row),
        expiration=lifecycle.expiration_header(bucket, new),
        **ctx.object_checksum_fields(arrival.sums),
        **encryption_fields(customer),
    )


def copy_source(ctx: Context, source: CopySource | tuple[str, str]) -> tuple[BucketRow, CopySource]:
    """Return the bucket of a copy's source, and the source."""
    location = source if isinstance(source, CopySource) else CopySource(source[0], source[1])
    bucket = buckets.find(ctx.store.connection, location.bucket)
    if bucket is None:
        raise no_bucket()
    return bucket, location


def check_copy_access(ctx: Context, bucket: BucketRow, found: ObjectRow) -> None:
    """Raise `AccessDenied` if the caller may not read the source."""
    if (ctx.caller is None or bucket.instance != ctx.caller.crn) and not public_access.is_public(bucket, found):
        raise denied()


@handles(CopyObject, "write")
async def copy(ctx: Context, op: CopyObject) -> CopyObjectResult:
    """Copy an object.

    No bytes are copied: the copy has the segments of its source, and usually its ETag. Bytes are read only for a checksum that
    the source does not have.
    """
    require_supported_encryption(op)
    bucket = ctx.bucket
    retention.check_copy(bucket, op, ctx.request)
    source_bucket, source = copy_source(ctx, op.source)
    customer, source_key = key_md5(op.customer_key), key_md5(op.source_customer_key)
    replace, now, writer = op.metadata_directive == "REPLACE", ctx.now, ctx.writer
    headers, metadata, acl = content_headers(ctx, op), user_metadata(op.metadata), acl_of_headers(op, bucket, {ctx.writer})
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

    def check_copied(found: ObjectRow) -> None:
        check_copy_access(ctx, source_bucket, found)
        check_source(found, op)
        check_key(found.customer_md5, source_key)
        lifecycle.refuse_archived(found, now)
        if found.size > MAX_PUT:
            raise failure("InvalidRequest", "The specified copy source is larger than the maximum allowable size: 5368709120")

    copied = objects.find(ctx.store.connection, source_bucket.id, source.key, source.version_id)
    checksum = await copied_checksum(ctx, op, copied, check_copied)

    def write(t: Transaction) -> tuple[BucketRow, ObjectRow, ObjectRow]:
        current = current_bucket(t, bucket)
        public_access.refuse_public(current, acl)
        found = must_find(t.connection, source_bucket.id, source.key, source.version_id)
        check_copied(found)
        # Check the conditions before the retention headers of the request: errors have this precedence.
        check(objects.find(t.connection, current.id, op.key))
        source_headers = headers if replace else found.headers
        tags = headers.get("tagging") if op.tagging_directive == "REPLACE" else found.headers.get("tagging")
        copied = {n: v for n, v in source_headers.items() if n not in (STATUS, "tagging")} | ({"tagging": tags} if tags else {})
        new = found.copy(
            key=op.key,
            etag=found.etag if customer == found.customer_md5 else etag_for(found.etag.partition("-")[0], customer),
            modified=now,
            owner=writer,
            headers=copied,
            metadata=metadata if replace else found.metadata,
            sums=checksum(found),
            part_sums=None,
            acl=acl,
            customer_md5=customer,
            retention=retention.on_copy(current, found, op, now),
            lock=locking.on_write(current, locking.requested_lock(current, op, now), now),
            archive=lifecycle.on_write(bucket, now),
        )

        row = objects.put(t, current.id, new, check)
        return current, replicate(t, current, row, now), found

    current, row, found = await ctx.store.write(write)
    # In a header too, as the documentation's example has it.
    ctx.headers["ETag"] = quoted(row.etag)
    return CopyObjectResult(
        etag=quoted(row.etag),
        last_modified=moment(row.modified),
        version_id=response_version_id(current, row),
        source_version_id=response_version_id(source_bucket, found),
        expiration=lifecycle.expiration_header(bucket, row),
        **ctx.object_checksum_fields(row.sums),
        **encryption_fields(customer),
    )
