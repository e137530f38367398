"""Parts, sent or copied."""

import hashlib

from aiocos.config import MAX_PART, MAX_PARTS
from aiocos.emulator import lifecycle
from aiocos.emulator.context import Context, failure, handles, moment
from aiocos.emulator.handlers.finding import check_key, check_source, etag_for, key_md5, must_find, told_version
from aiocos.emulator.handlers.multipart import find_upload
from aiocos.emulator.handlers.reading import quoted
from aiocos.emulator.handlers.writing import encryption_echo, may_copy, source_of, sums_echo
from aiocos.emulator.store import ObjectRow, PartRow, Segment, Store, Transaction, objects, uploads
from aiocos.emulator.store.blobs import cut
from aiocos.errors import Conflict, InvalidRange
from aiocos.operations.multipart import CopyPartResult, UploadPart, UploadPartCopy, UploadPartResult
from aiocos.wire.ranges import ByteRange


def _check_number(number: int) -> None:
    if not 1 <= number <= MAX_PARTS:
        raise failure("InvalidArgument", f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive")


@handles(UploadPart, "write")
async def upload_part(ctx: Context, op: UploadPart) -> UploadPartResult:
    """Store a part. An upload that was aborted while the part came does not get it."""
    _check_number(op.part_number)
    upload = find_upload(ctx, op.key, op.upload_id)
    check_key(upload.customer_md5, key_md5(op.customer_key))
    arrival = await ctx.receive(MAX_PART)
    etag = etag_for(arrival.md5.hex(), upload.customer_md5)
    part = PartRow(op.part_number, etag, arrival.blob.size, ctx.now, arrival.sums, arrival.blob.segments)

    def write(t: Transaction) -> None:
        find_upload(ctx, op.key, op.upload_id, t)
        uploads.put_part(t, upload.id, part)

    await ctx.store.write(write, arrival.blob)
    return UploadPartResult(etag=quoted(etag), **sums_echo(arrival.sums), **encryption_echo(upload.customer_md5))


@handles(UploadPartCopy, "write")
async def copy_part(ctx: Context, op: UploadPartCopy) -> CopyPartResult:
    """Copy a range of an object as a part. The bytes stay where they are; they are read once, for the ETag."""
    _check_number(op.part_number)
    upload = find_upload(ctx, op.key, op.upload_id)
    check_key(upload.customer_md5, key_md5(op.customer_key))
    bucket, source = source_of(ctx, op.source)
    found = must_find(ctx.store.point, bucket.id, source.key, source.version_id)
    may_copy(ctx, bucket, found)
    check_source(found, op)
    check_key(found.customer_md5, key_md5(op.source_customer_key))
    lifecycle.refuse_archived(found, ctx.now)
    offset, length = _range(found, op.source_range)
    if length > MAX_PART:
        raise failure("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a part")
    segments = cut(found.segments, offset, length)
    with ctx.store.blobs.pinned(segments):
        md5 = await _md5(ctx.store, segments)
        part = PartRow(op.part_number, etag_for(md5, upload.customer_md5), length, ctx.now, {}, segments)

        def write(t: Transaction) -> None:
            find_upload(ctx, op.key, op.upload_id, t)
            now = objects.find(t.connection, bucket.id, source.key, source.version_id)
            if now is None or now.serial != found.serial:
                raise Conflict("The source was changed while it was copied.", status=409, code="OperationAborted")
            uploads.put_part(t, upload.id, part)

        await ctx.store.write(write)
    return CopyPartResult(
        etag=quoted(part.etag),
        last_modified=moment(part.modified),
        source_version_id=told_version(bucket, found),
        **encryption_echo(upload.customer_md5),
    )


def _range(found: ObjectRow, asked: ByteRange | str | None) -> tuple[int, int]:
    if not isinstance(asked, ByteRange):
        return 0, found.size
    # Unlike a read, a copy takes no range that reaches behind the end.
    if asked.first is None or asked.last is None:
        raise failure("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last")
    if asked.last >= found.size:
        raise InvalidRange(
            f"The range is not valid for the source object of size {found.size}", status=416, code="InvalidRange"
        )
    return asked.first, asked.last - asked.first + 1


async def _md5(store: Store, segments: tuple[Segment, ...]) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    for segment in segments:
        inline = objects.read_inline(store.point, segment.blob)
        if inline is not None:
            md5.update(inline[segment.offset : segment.offset + segment.length])
            continue
        async for chunk in store.blobs.read(segment):
            await store.workers.run(md5.update, chunk)
    return md5.hexdigest()
