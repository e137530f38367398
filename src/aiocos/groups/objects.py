"""`client.objects`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from aiocos.call import Engine
from aiocos.errors import NotFound
from aiocos.groups import bulk
from aiocos.groups.pages import Listing
from aiocos.groups.reading import open_object, read_object
from aiocos.operations import listing
from aiocos.operations import objects as ops
from aiocos.wire.message import Request
from aiocos.wire.method import Call, Group, Method


def _following_v2(operation: listing.ListObjectsV2, page: listing.ListObjectsV2Result) -> dict[str, Any] | None:
    if not page.is_truncated:
        return None
    return {"continuation_token": page.next_continuation_token, "start_after": None}


def _following_v1(operation: listing.ListObjects, page: listing.ListObjectsResult) -> dict[str, Any] | None:
    if not page.is_truncated:
        return None
    # Without a delimiter the service gives no NextMarker: the last name of the page is it.
    last = [entry.key for entry in page.contents[-1:]] + [entry.prefix for entry in page.common_prefixes[-1:]]
    return {"marker": page.next_marker or max(last, default=None, key=str.encode)}


def _following_versions(operation: listing.ListObjectVersions, page: listing.ListObjectVersionsResult) -> dict[str, Any] | None:
    if not page.is_truncated:
        return None
    return {"key_marker": page.next_key_marker, "version_id_marker": page.next_version_id_marker}


def _list(engine: Engine, operation: listing.ListObjectsV2) -> Listing[listing.ObjectEntry, listing.ListObjectsV2Result]:
    return Listing(engine, operation, _following_v2, lambda page: page.contents)


def _list_v1(engine: Engine, operation: listing.ListObjects) -> Listing[listing.ObjectEntry, listing.ListObjectsResult]:
    return Listing(engine, operation, _following_v1, lambda page: page.contents)


def _list_versions(
    engine: Engine, operation: listing.ListObjectVersions
) -> Listing[listing.ObjectVersion | listing.DeleteMarker, listing.ListObjectVersionsResult]:
    return Listing(engine, operation, _following_versions, _in_order)


def _in_order(page: listing.ListObjectVersionsResult) -> list[listing.ObjectVersion | listing.DeleteMarker]:
    """Versions and markers by key, the latest first within a key, as the service's own order has them."""
    both: list[listing.ObjectVersion | listing.DeleteMarker] = [*page.versions, *page.delete_markers]
    return sorted(
        both, key=lambda v: (v.key.encode(), not v.is_latest, -(v.last_modified.timestamp() if v.last_modified else 0))
    )


async def _exists(engine: Engine, operation: ops.HeadObject) -> bool:
    try:
        await engine.call(operation)
    except NotFound:
        return False
    return True


class Objects(Group[Engine]):
    """Objects: put, read, listed, copied, deleted."""

    put = Call(ops.PutObject)
    get = Method(ops.GetObject, open_object)
    read = Method(ops.GetObject, read_object)
    head = Call(ops.HeadObject)
    exists = Method(ops.HeadObject, _exists)
    """Whether there is such an object. A missing bucket is a missing object."""
    delete = Call(ops.DeleteObject)
    copy = Call(ops.CopyObject)
    list = Method(listing.ListObjectsV2, _list)
    list_v1 = Method(listing.ListObjects, _list_v1)
    list_versions = Method(listing.ListObjectVersions, _list_versions)

    async def delete_many(
        self,
        bucket: str,
        keys: bulk.Keys,
        *,
        quiet: bool = False,
        bypass_governance: bool | None = None,
        timeout: float | None = None,
    ) -> ops.DeleteObjectsResult:
        """Delete objects by key, or by key and version, however many; the keys may come from a listing while it runs.

        Returns what became of each key: `deleted` (empty with `quiet`) and `errors`. Raises only where a whole batch of 1,000
        fails; batches already sent have happened. `timeout` is the deadline of each request, in seconds.
        """
        return await bulk.delete_many(
            self.caller, bucket, keys, quiet=quiet, bypass_governance=bypass_governance, timeout=timeout
        )

    def presign(
        self,
        bucket: str,
        key: str,
        *,
        method: Literal["GET", "PUT", "HEAD", "DELETE"] = "GET",
        expires: int | timedelta = 3600,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Return a URL with which anybody may do this one thing until `expires` (seconds or a timedelta) have passed.

        `query` may hold `versionId`, `response-content-type` and the like; `headers` are signed, and whoever uses the URL must
        send them. Makes no request. Raises `CredentialsError` without HMAC keys: tokens cannot sign.
        """
        seconds = int(expires.total_seconds()) if isinstance(expires, timedelta) else expires
        request = Request(method, bucket, key, list((query or {}).items()))
        return self.caller.presign(request, headers or {}, seconds)
