"""Handlers of UploadPart and UploadPartCopy."""

from aiocos.config import MAX_PART, MAX_PARTS
from aiocos.emulator import lifecycle
from aiocos.emulator.checksums import DEFAULT, full_object
from aiocos.emulator.context import Context, failure, handles, moment
from aiocos.emulator.handlers.conditions import check_source
from aiocos.emulator.handlers.customer_keys import check_key, etag_for, key_md5
from aiocos.emulator.handlers.get_object import quoted
from aiocos.emulator.handlers.lookup import must_find, response_version_id
from aiocos.emulator.handlers.multipart import find_upload
from aiocos.emulator.handlers.multipart_checksums import declared_algorithm, of_part, part_checksums
from aiocos.emulator.handlers.put_object import check_copy_access, copy_source, encryption_fields
from aiocos.emulator.store import ObjectRow, PartRow, Transaction, objects, uploads
from aiocos.emulator.store.blobs import slice_segments
from aiocos.emulator.stored_checksums import sums_of
from aiocos.errors import Conflict, InvalidRange
from aiocos.operations.multipart import CopyPartResult, UploadPart, UploadPartCopy, UploadPartResult
from aiocos.wire.ranges import ByteRange


def _check_number(number: int) -> None:
    if not 1 <= number <= MAX_PARTS:
        raise failure("InvalidArgument", f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive")


@handles(UploadPart, "write")
async def upload_part(ctx: Context, op: UploadPart) -> UploadPartResult:
    """Store a part. Fails if the upload was aborted while the body was received."""
    _check_number(op.part_number)
    upload = find_upload(ctx, op.key, op.upload_id)
    check_key(upload.customer_md5, key_md5(op.customer_key))
    sent = ctx.incoming.sent_algorithm()
    algorithm = of_part(upload, sent) if ctx.behavior.checksums else None
    arrival = await ctx.receive(MAX_PART, algorithm)
    etag = etag_for(arrival.md5.hex(), upload.customer_md5)
    sums: dict[str, str] = {algorithm: arrival.sums[algorithm]} if algorithm else {}
    part = PartRow(op.part_number, etag, arrival.blob.size, ctx.now, sums, arrival.blob.segments)

    def write(t: Transaction) -> None:
        find_upload(ctx, op.key, op.upload_id, t)
        uploads.put_part(t, upload.id, part)

    await ctx.store.write(write, arrival.blob)
    # The CRC64NVME of a part is not shown unless it was sent or declared.
    shown: dict[str, str] = {sent: arrival.sums[sent]} if sent else part_checksums(upload, part)
    return UploadPartResult(etag=quoted(etag), **ctx.checksum_fields(shown), **encryption_fields(upload.customer_md5))


@handles(UploadPartCopy, "write")
async def copy_part(ctx: Context, op: UploadPartCopy) -> CopyPartResult:
    """Copy a range of an object as a part.

    The bytes are not copied; they are read once, for the ETag and the checksum.
    """
    _check_number(op.part_number)
    upload = find_upload(ctx, op.key, op.upload_id)
    check_key(upload.customer_md5, key_md5(op.customer_key))
    bucket, source = copy_source(ctx, op.source)
    found = must_find(ctx.store.connection, bucket.id, source.key, source.version_id)
    check_copy_access(ctx, bucket, found)
    check_source(found, op)
    check_key(found.customer_md5, key_md5(op.source_customer_key))
    lifecycle.refuse_archived(found, ctx.now)
    offset, length = _range(found, op.source_range)
    if length > MAX_PART:
        raise failure("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a part")
    segments = slice_segments(found.segments, offset, length)
    with ctx.store.blobs.pinned(segments):
        name = (declared_algorithm(upload) or DEFAULT) if ctx.behavior.checksums else None
        known = full_object(found.sums, name) if name and length == found.size else None
        sums = await sums_of(ctx.store, segments, [name] if name and known is None else [])
        values: dict[str, str] = {name: known or sums.text(name)} if name else {}
        part = PartRow(op.part_number, etag_for(sums.md5.hex(), upload.customer_md5), length, ctx.now, values, segments)

        def write(t: Transaction) -> None:
            find_upload(ctx, op.key, op.upload_id, t)
            current = objects.find(t.connection, bucket.id, source.key, source.version_id)
            if current is None or current.serial != found.serial:
                raise Conflict("The source object changed during the copy.", status=409, code="OperationAborted")
            uploads.put_part(t, upload.id, part)

        await ctx.store.write(write)
    return CopyPartResult(
        etag=quoted(part.etag),
        last_modified=moment(part.modified),
        source_version_id=response_version_id(bucket, found),
        **ctx.checksum_fields(part_checksums(upload, part)),
        **encryption_fields(upload.customer_md5),
    )


def _range(found: ObjectRow, requested: ByteRange | str | None) -> tuple[int, int]:
    if not isinstance(requested, ByteRange):
        return 0, found.size
    # Unlike GET, a copy does not accept a range beyond the end of the object.
    if requested.first is None or requested.last is None:
        raise failure("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last")
    if requested.last >= found.size:
        raise InvalidRange(
            f"The range is not valid for the source object of size {found.size}", status=416, code="InvalidRange"
        )
    return requested.first, requested.last - requested.first + 1
