"""Listings of objects and versions. Order is that of the keys' UTF-8 bytes."""

import base64
import binascii
import sqlite3

from aiocos.emulator.context import Context, failure, handles, moment, owner
from aiocos.emulator.handlers.buckets import page_size, tell_key
from aiocos.emulator.handlers.reading import quoted
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


def common(found: ListingPage) -> list[CommonPrefix]:
    """The common prefixes of a page."""
    return [CommonPrefix(prefix=prefix) for prefix in found.prefixes]


def encoding_of(asked: str | None) -> str | None:
    """Return the encoding of a page; `InvalidArgument` for one that is unknown. An empty one is none."""
    if asked not in (None, "", "url"):
        raise failure("InvalidArgument", "Invalid Encoding Method specified in Request")
    return asked or None


def _entry(found: ObjectRow, owned: bool, now: float) -> ObjectEntry:
    return ObjectEntry(
        key=found.key,
        last_modified=moment(found.modified),
        etag=quoted(found.etag),
        size=found.size,
        storage_class=storage_class(found, now) or "STANDARD",
        owner=owner(found.owner) if owned else None,
        checksum_algorithm=tuple(name.upper() for name in found.sums),
    )


def _page(
    connection: sqlite3.Connection, asked: ListingQuery, *, owned: bool, now: float
) -> tuple[ListingPage, list[ObjectEntry]]:
    found = pages.latest(connection, asked)
    return found, [_entry(o, owned, now) for o in found.objects]


@handles(ListObjects, "list")
async def list_v1(ctx: Context, op: ListObjects) -> ListObjectsResult:
    """List objects, the first version."""
    asked = ListingQuery(
        ctx.bucket.id, op.prefix or "", op.delimiter or "", op.marker or "", page_size(op.max_keys, "max-keys")
    )
    now = ctx.now
    found, contents = await ctx.store.database.read(lambda c: _page(c, asked, owned=True, now=now))
    return ListObjectsResult(
        name=op.bucket,
        # It is not encoded here, the document cannot carry every prefix, and the caller knows it.
        prefix=None if unrepresentable(asked.prefix) else asked.prefix,
        delimiter=op.delimiter or None,
        marker=asked.after,
        max_keys=asked.limit,
        is_truncated=found.truncated,
        # S3 gives it with a delimiter only; the service's documentation knows no such condition, and it is of use always.
        next_marker=found.last if found.truncated else None,
        encoding_type=encoding_of(op.encoding_type),
        contents=contents,
        common_prefixes=common(found),
        kp_root_key_id=tell_key(ctx),
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
    """List objects, the second version. An empty continuation token is the beginning."""
    after = _read_token(op.continuation_token) if op.continuation_token else op.start_after or ""
    asked = ListingQuery(ctx.bucket.id, op.prefix or "", op.delimiter or "", after, page_size(op.max_keys, "max-keys"))
    now = ctx.now
    found, contents = await ctx.store.database.read(lambda c: _page(c, asked, owned=bool(op.fetch_owner), now=now))
    return ListObjectsV2Result(
        name=op.bucket,
        prefix=asked.prefix,
        delimiter=op.delimiter or None,
        max_keys=asked.limit,
        key_count=len(found),
        is_truncated=found.truncated,
        continuation_token=op.continuation_token,
        next_continuation_token=_token(found.last) if found.truncated else None,
        start_after=op.start_after,
        encoding_type=encoding_of(op.encoding_type),
        contents=contents,
        common_prefixes=common(found),
    )


@handles(ListObjectVersions, "list")
async def list_versions(ctx: Context, op: ListObjectVersions) -> ListObjectVersionsResult:
    """List versions and delete markers."""
    if op.version_id_marker and not op.key_marker:
        raise failure("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    asked = ListingQuery(
        ctx.bucket.id,
        op.prefix or "",
        op.delimiter or "",
        op.key_marker or "",
        page_size(op.max_keys, "max-keys"),
        op.version_id_marker or "",
    )
    found = await ctx.store.database.read(lambda c: pages.versions(c, asked))
    return ListObjectVersionsResult(
        name=op.bucket,
        prefix=asked.prefix,
        delimiter=op.delimiter or None,
        max_keys=asked.limit,
        is_truncated=found.truncated,
        key_marker=asked.after,
        version_id_marker=asked.after_id,
        next_key_marker=found.last if found.truncated else None,
        next_version_id_marker=(found.last_id or None) if found.truncated else None,
        encoding_type=encoding_of(op.encoding_type),
        versions=[_version(o, ctx.now) for o in found.objects if not o.delete_marker],
        delete_markers=[
            DeleteMarker(
                key=o.key,
                version_id=o.version_id,
                is_latest=o.is_latest,
                last_modified=moment(o.modified),
                owner=owner(o.owner),
            )
            for o in found.objects
            if o.delete_marker
        ],
        common_prefixes=common(found),
    )


def _version(found: ObjectRow, now: float) -> ObjectVersion:
    return ObjectVersion(
        **_entry(found, owned=True, now=now).model_dump(exclude={"owner"}),
        owner=owner(found.owner),
        version_id=found.version_id,
        is_latest=found.is_latest,
    )
