"""Handlers that create, complete, abort and list multipart uploads."""

import json
import os

from aiocos.config import MAX_PARTS, MIN_PART
from aiocos.emulator import lifecycle, locking, public_access
from aiocos.emulator.context import Context, failure, handles, moment, owner
from aiocos.emulator.handlers import multipart_checksums, retention
from aiocos.emulator.handlers.acl import acl_of_headers
from aiocos.emulator.handlers.bucket_state import current_bucket
from aiocos.emulator.handlers.buckets import page_size
from aiocos.emulator.handlers.conditions import check_overwrite, check_write
from aiocos.emulator.handlers.customer_keys import check_key, key_md5
from aiocos.emulator.handlers.get_object import quoted
from aiocos.emulator.handlers.listing import common_prefixes, encoding_type
from aiocos.emulator.handlers.lookup import response_version_id
from aiocos.emulator.handlers.put_object import (
    content_headers,
    encryption_fields,
    require_supported_encryption,
    user_metadata,
)
from aiocos.emulator.replication import replicate
from aiocos.emulator.store import BucketRow, ObjectRow, PartRow, Transaction, UploadRow, objects, uploads
from aiocos.emulator.store import listing as pages
from aiocos.emulator.store.listing import ListingQuery
from aiocos.errors import EntityTooSmall, InvalidPart, NoSuchUpload
from aiocos.operations import multipart as operations
from aiocos.operations.multipart import (
    AbortMultipartUpload,
    CompletedPart,
    CompletedUpload,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    ListMultipartUploads,
    ListMultipartUploadsResult,
    ListParts,
    ListPartsResult,
    MultipartUpload,
    UploadEntry,
)
from aiocos.operations.shared import RequestChargedResult
from aiocos.wire import digest
from aiocos.wire.document import unrepresentable

MAX_MARKER = 2**31 - 1


def no_such_upload() -> NoSuchUpload:
    """Build the error for an upload that does not exist."""
    return NoSuchUpload(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        status=404,
        code="NoSuchUpload",
    )


def find_upload(ctx: Context, key: str, upload_id: str, t: Transaction | None = None) -> UploadRow:
    """Return the open upload. Raises `NoSuchUpload` without one."""
    found = uploads.find(t.connection if t else ctx.store.connection, ctx.bucket.id, key, upload_id)
    if found is None:
        raise no_such_upload()
    return found


@handles(CreateMultipartUpload, "write")
async def create(ctx: Context, op: CreateMultipartUpload) -> MultipartUpload:
    """Start an upload."""
    require_supported_encryption(op)
    algorithm, kind = multipart_checksums.declared(op) if ctx.behavior.checksums else (None, None)
    row = UploadRow(
        os.urandom(24).hex(),
        ctx.bucket.id,
        op.key,
        ctx.now,
        ctx.writer,
        content_headers(ctx, op),
        user_metadata(op.metadata),
        acl_of_headers(op, ctx.bucket, {ctx.writer}),
        key_md5(op.customer_key),
        algorithm,
        kind,
        locking.requested_lock(ctx.bucket, op, ctx.now),
    )

    def write(t: Transaction) -> None:
        current = current_bucket(t, ctx.bucket)
        public_access.refuse_public(current, row.acl)
        # Refuse now, before parts are sent in vain. The completion has its own header for this.
        check_overwrite(current, objects.find(t.connection, current.id, op.key), op, ctx.behavior)
        uploads.add(t, row)

    await ctx.store.write(write)
    return MultipartUpload(
        bucket=op.bucket,
        # XML cannot represent every key, and the caller knows it.
        key=None if unrepresentable(op.key) else op.key,
        upload_id=row.id,
        checksum_algorithm=algorithm,
        checksum_type=row.checksum_type,
        **lifecycle.abort_fields(ctx.bucket, row),
        **encryption_fields(row.customer_md5),
    )


@handles(CompleteMultipartUpload, "write")
async def complete(ctx: Context, op: CompleteMultipartUpload) -> CompletedUpload:
    """Join the parts of an upload.

    No bytes are copied: the object gets the segments of its parts.

    A repeated completion with the same parts succeeds, as long as the resulting version exists.
    """
    bucket, now = ctx.bucket, ctx.now
    retention.check_request(bucket, op, ctx.request, integrity=ctx.incoming.has_integrity())
    _check_order(op.parts)

    def write(t: Transaction) -> tuple[BucketRow, ObjectRow]:
        current = current_bucket(t, bucket)
        upload = uploads.find(t.connection, current.id, op.key, op.upload_id)
        if upload is None:
            # The client may not have received the first response. Do not check the conditions again: they held at the first
            # completion, and would now fail because of the object that it created.
            completed = uploads.completed(t.connection, current.id, op.key, op.upload_id, _parts_json(op.parts))
            if completed is None:
                raise no_such_upload()
            return current, completed
        if op.customer_key is not None:
            check_key(upload.customer_md5, key_md5(op.customer_key))
        if ctx.behavior.checksums:
            multipart_checksums.check_type(upload, op)
        chosen = _choose(ctx, upload, op.parts, {part.number: part for part in uploads.parts(t.connection, upload.id)})
        sums, part_sums = multipart_checksums.joined(upload, chosen) if ctx.behavior.checksums else ({}, None)
        if ctx.behavior.checksums:
            multipart_checksums.check_object(upload, op, sums)

        def check(old: ObjectRow | None) -> None:
            if ctx.behavior.honors_conditional_completion:
                check_write(old, op)
            check_overwrite(current, old, op, ctx.behavior)
            retention.refuse_protected(old, now)

        # Check the conditions before the retention headers of the request: errors have this precedence.
        check(objects.find(t.connection, current.id, op.key))
        new = ObjectRow(
            op.key,
            digest.composite_etag(bytes.fromhex(part.etag) for part in chosen),
            sum(part.size for part in chosen),
            now,
            upload.owner,
            upload.headers,
            upload.metadata,
            sums,
            tuple(segment for part in chosen for segment in part.segments),
            tuple(part.size for part in chosen),
            upload.acl,
            upload.customer_md5,
            retention=retention.on_write(current, op, now),
            lock=locking.on_write(current, upload.lock, now),
            archive=lifecycle.on_write(bucket, now),
            part_sums=part_sums,
        )
        row = objects.put(t, current.id, new, check)
        uploads.remove(t, upload.id)
        uploads.record_completion(t, upload.id, row.serial, _parts_json(op.parts))
        return current, replicate(t, current, row, now)

    current, row = await ctx.store.write(write)
    # The documentation's example has the ETag in a header too.
    ctx.headers["ETag"] = quoted(row.etag)
    return CompletedUpload(
        location=f"{ctx.endpoint}/{op.bucket}" if unrepresentable(op.key) else f"{ctx.endpoint}/{op.bucket}/{op.key}",
        bucket=op.bucket,
        key=None if unrepresentable(op.key) else op.key,
        etag=quoted(row.etag),
        version_id=response_version_id(current, row),
        expiration=lifecycle.expiration_header(bucket, row),
        **ctx.object_checksum_fields(row.sums),
    )


def _check_order(parts: list[CompletedPart]) -> None:
    if not 1 <= len(parts) <= MAX_PARTS:
        raise failure("MalformedXML", f"A completion needs 1 to {MAX_PARTS} parts, not {len(parts)}.")
    last = 0
    for part in parts:
        if part.part_number is None:
            raise failure("MalformedXML", "A part has no number.")
        if part.part_number <= last:
            raise failure("InvalidPartOrder", "The list of parts was not in ascending order.")
        last = part.part_number


def _parts_json(parts: list[CompletedPart]) -> str:
    return json.dumps([(part.part_number, digest.bare(part.etag or "")) for part in parts])


def _choose(ctx: Context, upload: UploadRow, completed: list[CompletedPart], present: dict[int, PartRow]) -> list[PartRow]:
    chosen: list[PartRow] = []
    for entry in completed:
        part = present.get(entry.part_number or 0)
        if (
            part is None
            or entry.etag is None
            or digest.bare(entry.etag) != part.etag
            or (ctx.behavior.checksums and not multipart_checksums.is_part(upload, entry, part))
        ):
            raise InvalidPart(
                f"Part {entry.part_number} could not be found, or its entity tag does not match.",
                status=400,
                code="InvalidPart",
            )
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < MIN_PART:
            raise EntityTooSmall(
                f"Part {part.number} is smaller than the minimum allowed size: {part.size} of {MIN_PART} bytes.",
                status=400,
                code="EntityTooSmall",
            )
    return chosen


@handles(AbortMultipartUpload, "write")
async def abort(ctx: Context, op: AbortMultipartUpload) -> RequestChargedResult:
    """Abort an upload."""
    await ctx.store.write(lambda t: uploads.remove(t, find_upload(ctx, op.key, op.upload_id, t).id), frees=True)
    return RequestChargedResult()


@handles(ListParts)
async def list_parts(ctx: Context, op: ListParts) -> ListPartsResult:
    """List the parts of an upload."""
    upload = find_upload(ctx, op.key, op.upload_id)
    limit, marker = page_size(op.max_parts, "max-parts"), op.part_number_marker or 0
    if not 0 <= marker <= MAX_MARKER:
        raise failure("InvalidArgument", f"part-number-marker must be between 0 and {MAX_MARKER}")
    found = await ctx.store.database.read(lambda c: uploads.parts(c, upload.id, marker, limit + 1))
    page, more = found[:limit], len(found) > limit > 0
    return ListPartsResult(
        bucket=op.bucket,
        key=None if unrepresentable(op.key) else op.key,
        upload_id=upload.id,
        part_number_marker=marker,
        next_part_number_marker=page[-1].number if page else None,
        max_parts=limit,
        is_truncated=more,
        parts=[
            operations.Part(
                part_number=part.number,
                last_modified=moment(part.modified),
                etag=quoted(part.etag),
                size=part.size,
                **ctx.checksum_fields(multipart_checksums.part_checksums(upload, part)),
            )
            for part in page
        ],
        initiator=owner(upload.owner),
        owner=owner(upload.owner),
        storage_class="STANDARD",
        checksum_algorithm=upload.checksum_algorithm if ctx.behavior.checksums else None,
        checksum_type=upload.checksum_type if ctx.behavior.checksums else None,
        **lifecycle.abort_fields(ctx.bucket, upload),
    )


@handles(ListMultipartUploads)
async def list_uploads(ctx: Context, op: ListMultipartUploads) -> ListMultipartUploadsResult:
    """List open uploads."""
    query = ListingQuery(
        ctx.bucket.id,
        op.prefix or "",
        op.delimiter or "",
        op.key_marker or "",
        page_size(op.max_uploads, "max-uploads"),
        (op.upload_id_marker or "") if op.key_marker else "",
    )
    found = await ctx.store.database.read(lambda c: pages.uploads(c, query))
    return ListMultipartUploadsResult(
        bucket=op.bucket,
        key_marker=query.after,
        upload_id_marker=query.after_id,
        next_key_marker=found.last if found.truncated else None,
        next_upload_id_marker=(found.last_id or None) if found.truncated else None,
        prefix=query.prefix,
        delimiter=op.delimiter or None,
        max_uploads=query.limit,
        is_truncated=found.truncated,
        encoding_type=encoding_type(op.encoding_type),
        uploads=[
            UploadEntry(
                key=u.key,
                upload_id=u.id,
                initiator=owner(u.owner),
                owner=owner(u.owner),
                storage_class="STANDARD",
                initiated=moment(u.initiated),
                checksum_algorithm=u.checksum_algorithm if ctx.behavior.checksums else None,
                checksum_type=u.checksum_type if ctx.behavior.checksums else None,
            )
            for u in found.uploads
        ],
        common_prefixes=common_prefixes(found),
    )
