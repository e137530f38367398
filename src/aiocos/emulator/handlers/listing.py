"""Handlers of listings, ordered by the UTF-8 bytes of the keys."""

import base64
import binascii
import sqlite3

from aiocos.emulator.checksums import type_of
from aiocos.emulator.context import Context, failure, handles, moment, owner
from aiocos.emulator.handlers.buckets import key_protect_id, page_size
from aiocos.emulator.handlers.get_object import quoted
from aiocos.emulator.lifecycle import storage_class
from aiocos.emulator.store import ObjectRow
from aiocos.emulator.store import listing as pages
from aiocos.emulator.store.listing import ListingPage, ListingQuery
from aiocos.operations.listing import (
    CommonPrefix,
    DeleteMarker,
    ListObjects,
    ListObjectsResult,
    ListObjectsV2,
    ListObjectsV2Result,
    ListObjectVersions,
    ListObjectVersionsResult,
    ObjectEntry,
    ObjectVersion,
)
from aiocos.wire.document import unrepresentable


def common_prefixes(page: ListingPage) -> list[CommonPrefix]:
    """Return the `CommonPrefix` elements of a page."""
    return [CommonPrefix(prefix=prefix) for prefix in page.prefixes]


def encoding_type(query: str | None) -> str | None:
    """Return the encoding type of a page.

    An empty one is None; an unknown one raises `InvalidRequest` (InvalidArgument).
    """
    if query not in (None, "", "url"):
        raise failure("InvalidArgument", "Invalid Encoding Method specified in Request")
    return query or None


def _entry(row: ObjectRow, owned: bool, now: float, checksums: bool) -> ObjectEntry:
    return ObjectEntry(
        key=row.key,
        last_modified=moment(row.modified),
        etag=quoted(row.etag),
        size=row.size,
        storage_class=storage_class(row, now) or "STANDARD",
        owner=owner(row.owner) if owned else None,
        checksum_algorithm=tuple(name.upper() for name in row.sums) if checksums else (),
        checksum_type=type_of(row.sums) if checksums else None,
    )


def _page(
    connection: sqlite3.Connection, query: ListingQuery, *, owned: bool, now: float, checksums: bool
) -> tuple[ListingPage, list[ObjectEntry]]:
    page = pages.latest(connection, query)
    return page, [_entry(o, owned, now, checksums) for o in page.objects]


@handles(ListObjects, "list")
async def list_v1(ctx: Context, op: ListObjects) -> ListObjectsResult:
    """List objects, version 1."""
    query = ListingQuery(
        ctx.bucket.id, op.prefix or "", op.delimiter or "", op.marker or "", page_size(op.max_keys, "max-keys")
    )
    now, checksums = ctx.now, ctx.behavior.checksums
    page, entries = await ctx.store.database.read(lambda c: _page(c, query, owned=True, now=now, checksums=checksums))
    return ListObjectsResult(
        name=op.bucket,
        # The prefix is not encoded here, and XML cannot represent every character. The caller knows it.
        prefix=None if unrepresentable(query.prefix) else query.prefix,
        delimiter=op.delimiter or None,
        marker=query.after,
        max_keys=query.limit,
        is_truncated=page.truncated,
        # S3 returns it only with a delimiter. The service's documentation has no such condition, and it is always useful.
        next_marker=page.last if page.truncated else None,
        encoding_type=encoding_type(op.encoding_type),
        contents=entries,
        common_prefixes=common_prefixes(page),
        kp_root_key_id=key_protect_id(ctx),
    )


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise failure("InvalidArgument", "The continuation token provided is incorrect") from None


@handles(ListObjectsV2, "list")
async def list_v2(ctx: Context, op: ListObjectsV2) -> ListObjectsV2Result:
    """List objects, version 2. An empty continuation token means the first page."""
    after = _read_token(op.continuation_token) if op.continuation_token else op.start_after or ""
    query = ListingQuery(ctx.bucket.id, op.prefix or "", op.delimiter or "", after, page_size(op.max_keys, "max-keys"))
    now, checksums, owned = ctx.now, ctx.behavior.checksums, bool(op.fetch_owner)
    page, entries = await ctx.store.database.read(lambda c: _page(c, query, owned=owned, now=now, checksums=checksums))
    return ListObjectsV2Result(
        name=op.bucket,
        prefix=query.prefix,
        delimiter=op.delimiter or None,
        max_keys=query.limit,
        key_count=len(page),
        is_truncated=page.truncated,
        continuation_token=op.continuation_token,
        next_continuation_token=_token(page.last) if page.truncated else None,
        start_after=op.start_after,
        encoding_type=encoding_type(op.encoding_type),
        contents=entries,
        common_prefixes=common_prefixes(page),
    )


@handles(ListObjectVersions, "list")
async def list_versions(ctx: Context, op: ListObjectVersions) -> ListObjectVersionsResult:
    """List versions and delete markers."""
    if op.version_id_marker and not op.key_marker:
        raise failure("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    query = ListingQuery(
        ctx.bucket.id,
        op.prefix or "",
        op.delimiter or "",
        op.key_marker or "",
        page_size(op.max_keys, "max-keys"),
        op.version_id_marker or "",
    )
    page = await ctx.store.database.read(lambda c: pages.versions(c, query))
    now, checksums = ctx.now, ctx.behavior.checksums
    return ListObjectVersionsResult(
        name=op.bucket,
        prefix=query.prefix,
        delimiter=op.delimiter or None,
        max_keys=query.limit,
        is_truncated=page.truncated,
        key_marker=query.after,
        version_id_marker=query.after_id,
        next_key_marker=page.last if page.truncated else None,
        next_version_id_marker=(page.last_id or None) if page.truncated else None,
        encoding_type=encoding_type(op.encoding_type),
        versions=[_version(o, now, checksums) for o in page.objects if not o.delete_marker],
        delete_markers=[
            DeleteMarker(
                key=o.key,
                version_id=o.version_id,
                is_latest=o.is_latest,
                last_modified=moment(o.modified),
                owner=owner(o.owner),
            )
            for o in page.objects
            if o.delete_marker
        ],
        common_prefixes=common_prefixes(page),
    )


def _version(row: ObjectRow, now: float, checksums: bool) -> ObjectVersion:
    return ObjectVersion(
        **_entry(row, owned=True, now=now, checksums=checksums).model_dump(exclude={"owner"}),
        owner=owner(row.owner),
        version_id=row.version_id,
        is_latest=row.is_latest,
    )
