"""Handlers of GetObject and HeadObject."""

from dataclasses import fields
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from aiocos.emulator import lifecycle
from aiocos.emulator.context import Context, Reply, failure, handles, moment
from aiocos.emulator.handlers.conditions import check_read
from aiocos.emulator.handlers.customer_keys import check_key, key_md5
from aiocos.emulator.handlers.lookup import no_such_key, readable, response_version_id
from aiocos.emulator.store import ObjectRow, objects
from aiocos.emulator.store.blobs import slice_segments
from aiocos.emulator.stored_checksums import add_missing
from aiocos.errors import InvalidRange
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.operations.shared import ResponseOverrideParams
from aiocos.wire.ranges import ByteRange, ContentRange

_OVERRIDES = {f.name.replace("_", "-"): f.name.removeprefix("response_") for f in fields(ResponseOverrideParams)}
"""The fields of `ObjectInfo` that a request may override, by the names of the query parameters."""


def quoted(etag: str) -> str:
    """Return an ETag in quotes, as in headers and documents."""
    return f'"{etag}"'


@handles(GetObject, "read")
async def get(ctx: Context, op: GetObject) -> Reply:
    """Return an object, or a range or a part of it."""
    info, status, found, offset = await _read(ctx, op)
    lifecycle.refuse_archived(found, ctx.now)
    parameters = dict(ctx.request.query)
    overrides = {field: parameters[name] for name, field in _OVERRIDES.items() if name in parameters}
    if op.response_expires is not None:
        # IBM's SDKs send ISO 8601, but the header is an HTTP date. Any other text is returned unchanged.
        overrides["expires"] = format_datetime(op.response_expires, usegmt=True)
    if overrides:
        if ctx.caller is None and not ctx.is_owner:
            raise failure("InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
        info = info.model_copy(update=overrides)
    return Reply(info, status, slice_segments(found.segments, offset, info.size))


@handles(HeadObject, "read")
async def head(ctx: Context, op: HeadObject) -> Reply:
    """Return an object's metadata."""
    info, status, _, _ = await _read(ctx, op)
    return Reply(info, status)


async def _read(ctx: Context, op: GetObject | HeadObject) -> tuple[ObjectInfo, int, ObjectRow, int]:
    read = _read_info(ctx, op)
    if op.checksum_mode == "ENABLED" and ctx.behavior.checksums and not read[2].sums:
        await add_missing(ctx.store, read[2])
        return _read_info(ctx, op)
    return read


def _read_info(ctx: Context, op: GetObject | HeadObject) -> tuple[ObjectInfo, int, ObjectRow, int]:
    row = objects.find(ctx.store.connection, ctx.bucket.id, op.key, op.version_id)
    ctx.may_read(None if row is None or row.delete_marker else row)
    if row is not None and row.delete_marker:
        ctx.headers["x-amz-delete-marker"] = "true"
        ctx.headers["x-amz-version-id"] = row.version_id
    found = readable(row, op.version_id)
    if found is None:
        raise no_such_key()
    # A 304 response has the ETag of the object too.
    ctx.headers["ETag"] = quoted(found.etag)
    check_read(found, op)
    check_key(found.customer_md5, key_md5(op.customer_key))
    values = {**object_fields(found), **lifecycle.read_fields(ctx.bucket, found, ctx.now)}
    values["version_id"] = response_version_id(ctx.bucket, found)
    status, offset, length = 200, 0, found.size
    if op.part_number is not None:
        if op.range is not None:
            raise failure("InvalidRequest", "Cannot specify both Range header and partNumber query parameter.")
        status, offset, length = 206, *_part(found, op.part_number)
        if found.parts is not None:
            values["parts_count"] = len(found.parts)
    elif isinstance(op.range, ByteRange) and _is_unchanged(found, ctx.request.headers.get("if-range")):
        resolved = op.range.resolve(found.size)
        if resolved is None:
            ctx.headers["Content-Range"] = f"bytes */{found.size}"
            del ctx.headers["ETag"]
            raise InvalidRange("The requested range is not satisfiable.", status=416, code="InvalidRange")
        status, (offset, length) = 206, resolved
    if status == 206 and length:
        values["content_range"] = ContentRange(offset, offset + length - 1, found.size).to_wire()
    if op.checksum_mode == "ENABLED" and ctx.behavior.checksums:
        values.update(_checksums(ctx, found, op.part_number, length))
    values["content_length"] = length
    return ObjectInfo(**values), status, found, offset


def _checksums(ctx: Context, found: ObjectRow, part_number: int | None, length: int) -> dict[str, Any]:
    """Return the result fields for the checksum of the bytes that a read returns.

    The checksum of the whole object says nothing about some of its bytes. Composite checksums have those of the parts.
    """
    if part_number is not None and found.part_sums is not None:
        return {f"checksum_{name}": found.part_sums[part_number - 1] for name in found.sums} | {"checksum_type": "COMPOSITE"}
    return ctx.object_checksum_fields(found.sums) if length == found.size else {}


def _is_unchanged(found: ObjectRow, if_range: str | None) -> bool:
    """Return True if If-Range allows a partial response.

    It must have the object's strong ETag or its modification time.
    """
    if if_range is None:
        return True
    return if_range.strip() in (quoted(found.etag), format_datetime(moment(int(found.modified)), usegmt=True))


def object_fields(found: ObjectRow) -> dict[str, Any]:
    """Return the fields of `ObjectInfo` that every read returns."""
    values: dict[str, Any] = {
        "content_type": "application/octet-stream",
        **found.headers,
        "etag": quoted(found.etag),
        "last_modified": moment(found.modified),
        "metadata": found.metadata,
        "accept_ranges": "bytes",
    }
    if (tags := values.pop("tagging", None)) is not None:
        values["tag_count"] = len(parse_qsl(tags, keep_blank_values=True))
    if found.customer_md5 is not None:
        values["customer_algorithm"] = "AES256"
        values["customer_key_md5"] = found.customer_md5
    if found.retention is not None:
        period = found.retention["period"]
        values["retention_period"] = period
        values["legal_hold_count"] = len(found.retention["holds"])
        if period >= 0:
            values["retention_expires"] = moment(int(found.modified) + period)
    if found.lock is not None:
        values["object_lock_mode"] = found.lock.get("mode")
        values["object_lock_legal_hold"] = found.lock.get("hold")
        if "until" in found.lock:
            values["object_lock_retain_until"] = moment(found.lock["until"])
    return values


def _part(found: ObjectRow, number: int) -> tuple[int, int]:
    """Return the offset and length of a part.

    An object that was not uploaded in parts is its own part 1.
    """
    sizes = (found.size,) if found.parts is None else found.parts
    if not 1 <= number <= 10_000:
        raise failure("InvalidArgument", "partNumber must be between 1 and 10000")
    if number > len(sizes):
        raise failure("InvalidPartNumber", "The requested partnumber is not satisfiable.", 416)
    return sum(sizes[: number - 1]), sizes[number - 1]
