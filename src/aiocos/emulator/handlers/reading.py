"""GET and HEAD of objects."""

from dataclasses import fields
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from aiocos.emulator import lifecycle
from aiocos.emulator.context import Context, Reply, failure, handles, moment
from aiocos.emulator.handlers.finding import check_key, check_read, key_md5, no_key, readable, told_version
from aiocos.emulator.store import ObjectRow, objects
from aiocos.emulator.store.blobs import cut
from aiocos.errors import InvalidRange
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.operations.shared import ResponseOverrideParams
from aiocos.wire.ranges import ByteRange, ContentRange

_OVERRIDES = {f.name.replace("_", "-"): f.name.removeprefix("response_") for f in fields(ResponseOverrideParams)}
"""The fields of `ObjectInfo` that a request may replace, by the names of the query parameters."""


def quoted(etag: str) -> str:
    """An ETag as headers and documents carry it."""
    return f'"{etag}"'


def checksum_type(sums: dict[str, str]) -> str | None:
    """Whether checksums are of the whole, or of the parts' checksums (then they end in the number of parts)."""
    if not sums:
        return None
    return "COMPOSITE" if all("-" in value for value in sums.values()) else "FULL_OBJECT"


@handles(GetObject, "read")
async def get(ctx: Context, op: GetObject) -> Reply:
    """Read an object, or a range or part of it."""
    info, status, found, offset = _look(ctx, op)
    lifecycle.refuse_archived(found, ctx.now)
    given = dict(ctx.request.query)
    overrides = {field: given[name] for name, field in _OVERRIDES.items() if name in given}
    if op.response_expires is not None:
        # IBM's SDKs write ISO 8601, and the header is an HTTP date. Any other text is taken over as it came.
        overrides["expires"] = format_datetime(op.response_expires, usegmt=True)
    if overrides:
        if ctx.caller is None and not ctx.is_owner:
            raise failure("InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
        info = info.model_copy(update=overrides)
    return Reply(info, status, cut(found.segments, offset, info.size))


@handles(HeadObject, "read")
async def head(ctx: Context, op: HeadObject) -> Reply:
    """Tell about an object."""
    info, status, _, _ = _look(ctx, op)
    return Reply(info, status)


def _look(ctx: Context, op: GetObject | HeadObject) -> tuple[ObjectInfo, int, ObjectRow, int]:
    row = objects.find(ctx.store.point, ctx.bucket.id, op.key, op.version_id)
    ctx.may_read(None if row is None or row.delete_marker else row)
    if row is not None and row.delete_marker:
        ctx.headers["x-amz-delete-marker"] = "true"
        ctx.headers["x-amz-version-id"] = row.version_id
    found = readable(row, op.version_id)
    if found is None:
        raise no_key()
    # A 304 carries the ETag it speaks of.
    ctx.headers["ETag"] = quoted(found.etag)
    check_read(found, op)
    check_key(found.customer_md5, key_md5(op.customer_key))
    values = {**describe(found), **lifecycle.read_fields(ctx.bucket, found, ctx.now)}
    values["version_id"] = told_version(ctx.bucket, found)
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
    elif op.checksum_mode == "ENABLED" and status == 200:
        # Of a range the checksums of the whole say nothing.
        values.update((f"checksum_{name}", value) for name, value in found.sums.items())
        values["checksum_type"] = checksum_type(found.sums)
    values["content_length"] = length
    return ObjectInfo(**values), status, found, offset


def _is_unchanged(found: ObjectRow, if_range: str | None) -> bool:
    """Tell whether a range may be answered. `If-Range` has the strong ETag or the date of what the client has of the object."""
    if if_range is None:
        return True
    return if_range.strip() in (quoted(found.etag), format_datetime(moment(int(found.modified)), usegmt=True))


def describe(found: ObjectRow) -> dict[str, Any]:
    """What is told of an object on every read, by the field names of `ObjectInfo`."""
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
    """Offset and length of a part. An object put in one piece is its own part 1."""
    sizes = (found.size,) if found.parts is None else found.parts
    if not 1 <= number <= 10_000:
        raise failure("InvalidArgument", "partNumber must be between 1 and 10000")
    if number > len(sizes):
        raise failure("InvalidPartNumber", "The requested partnumber is not satisfiable.", 416)
    return sum(sizes[: number - 1]), sizes[number - 1]
