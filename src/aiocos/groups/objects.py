"""`client.objects`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, overload

from aiocos.auth.sigv4 import whole_seconds
from aiocos.call import Engine
from aiocos.delete_many import Keys, delete_many
from aiocos.errors import ConfigError, NotFound
from aiocos.object_stream import open_object, read_object
from aiocos.operations import lifecycle, listing
from aiocos.operations import objects as ops
from aiocos.paging import Listing
from aiocos.update_metadata import update_metadata
from aiocos.waiting import wait_for, within
from aiocos.wire.message import Request
from aiocos.wire.method import Call, Group, Method
from aiocos.wire.spec import Result
from aiocos.wire.values import CustomerKey

Tier = Literal["Bulk", "Accelerated"]


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
        keys: Keys,
        *,
        quiet: bool = False,
        bypass_governance: bool | None = None,
        timeout: float | None = None,
    ) -> ops.DeleteObjectsResult:
        """Delete objects by key, or by key and version, however many; the keys may come from a listing while it runs.

        Returns what became of each key: `deleted` (empty with `quiet`) and `errors`. Raises only where a whole batch of 1,000
        fails; batches already sent have happened. `timeout` is the deadline of each request, in seconds.
        """
        return await delete_many(self._caller, bucket, keys, quiet=quiet, bypass_governance=bypass_governance, timeout=timeout)

    @overload
    async def restore(
        self,
        bucket: str,
        key: str,
        *,
        days: int,
        tier: Tier | None = None,
        version_id: str | None = None,
        wait: Literal[False] = False,
        timeout: float | None = None,
    ) -> Result: ...
    @overload
    async def restore(
        self,
        bucket: str,
        key: str,
        *,
        days: int,
        tier: Tier | None = None,
        version_id: str | None = None,
        wait: Literal[True],
        poll: float = 60,
        timeout: float | None = None,
    ) -> ops.ObjectInfo: ...
    async def restore(
        self,
        bucket: str,
        key: str,
        *,
        days: int,
        tier: Tier | None = None,
        version_id: str | None = None,
        wait: bool = False,
        poll: float = 60,
        timeout: float | None = None,
    ) -> Result | ops.ObjectInfo:
        """Ask for a copy of an archived object that can be read for `days`; of one that is restored, change how long.

        It takes up to 12 hours, 2 for objects in ACCELERATED. `tier` is `Bulk` or `Accelerated`, None the one of the archive
        rule. With `wait` the call looks every `poll` seconds and returns when the object can be read, with what HEAD says of
        it. Raises `InvalidObjectState` (not archived), `Conflict` (being restored already), `NoSuchKey`, and `RequestTimeoutError` after
        `timeout` seconds in all; the restore goes on then.
        """
        parameters = None if tier is None else lifecycle.GlacierJobParameters(tier=tier)
        request = lifecycle.RestoreRequest(days=days, glacier_job_parameters=parameters)
        operation = lifecycle.RestoreObject(bucket, key, request, version_id=version_id)
        call = self._caller.call

        async def run() -> Result | ops.ObjectInfo:
            made = await call(operation)
            if not wait:
                return made
            look = ops.HeadObject(bucket, key, version_id=version_id)
            what = f"{bucket}/{key} is restored"
            return await wait_for(lambda: call(look), lambda info: not info.is_archived, what=what, timeout=None, poll=poll)

        return await within(run(), what=f"RestoreObject {bucket}/{key}", timeout=timeout)

    async def update_metadata(
        self,
        bucket: str,
        key: str,
        *,
        metadata: Mapping[str, str] | None = None,
        remove: Iterable[str] = (),
        content_type: str | None = None,
        content_encoding: str | None = None,
        content_disposition: str | None = None,
        content_language: str | None = None,
        cache_control: str | None = None,
        expires: datetime | None = None,
        website_redirect_location: str | None = None,
        acl: str | None = None,
        customer_key: CustomerKey | bytes | None = None,
        timeout: float | None = None,
    ) -> ops.CopyObjectResult:
        """Change what is said of an object, by a copy of it onto itself (up to 5 GiB) that keeps all else.

        `metadata` is added to what is there, over entries of the same name; `remove` names entries to drop. Headers not given
        stay, `""` removes one. Kept are tags, retention with its holds, lock, and public readability (which is asked for; say
        `acl` where the caller may not). In a versioned bucket this makes a new version. Raises `PreconditionFailed` where
        somebody wrote the object in between, `ObjectProtected`, `InvalidObjectState` (archived), `NotFound`. `timeout` is the
        deadline of each of the two or three requests, in seconds.
        """
        headers = {
            "content_type": content_type,
            "content_encoding": content_encoding,
            "content_disposition": content_disposition,
            "content_language": content_language,
            "cache_control": cache_control,
            "expires": expires,
            "website_redirect_location": website_redirect_location,
        }
        return await update_metadata(
            self._caller,
            bucket,
            key,
            metadata=metadata or {},
            remove=remove,
            headers=headers,
            acl=acl,
            customer_key=customer_key,
            timeout=timeout,
        )

    async def wait_until_exists(
        self, bucket: str, key: str, *, version_id: str | None = None, timeout: float | None = 100, poll: float = 5
    ) -> None:
        """Wait until there is such an object, looking every `poll` seconds; `RequestTimeoutError` after `timeout` seconds."""
        what = f"object {bucket}/{key} exists"
        await wait_for(lambda: self.exists(bucket, key, version_id=version_id), bool, what=what, timeout=timeout, poll=poll)

    async def wait_until_gone(
        self, bucket: str, key: str, *, version_id: str | None = None, timeout: float | None = 100, poll: float = 5
    ) -> None:
        """Wait until there is no such object, looking every `poll` seconds; `RequestTimeoutError` after `timeout` seconds."""
        await wait_for(
            lambda: self.exists(bucket, key, version_id=version_id),
            lambda there: not there,
            what=f"object {bucket}/{key} is gone",
            timeout=timeout,
            poll=poll,
        )

    def presign(
        self,
        bucket: str,
        key: str,
        *,
        method: Literal["GET", "PUT", "HEAD", "DELETE"] = "GET",
        expires: int | timedelta = 3600,
        version_id: str | None = None,
        upload_id: str | None = None,
        part_number: int | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Return a URL with which anybody may do this one thing until `expires` has passed.

        `expires` is a whole number of seconds, or a timedelta of whole seconds: 1 second to 7 days, an hour by default.

        `PUT` with `upload_id` and `part_number` is for one part of a multipart upload. `query` may hold
        `response-content-type` and the like; `headers` (`Content-Type`, `Retention-Period` …) are signed, and whoever uses the
        URL must send them with the same values. Makes no request. Raises `CredentialsError` without HMAC keys: tokens cannot
        sign. Raises `ConfigError` where `expires` is anything else.
        """
        if (upload_id is None) != (part_number is None) or (upload_id is not None and method != "PUT"):
            raise ConfigError("a part is a PUT with upload_id and part_number")
        seconds = whole_seconds(expires)
        named = {"versionId": version_id, "uploadId": upload_id, "partNumber": part_number}
        pairs = [(name, str(value)) for name, value in named.items() if value is not None]
        request = Request(method, bucket, key, [*pairs, *(query or {}).items()])
        return self._caller.presign(request, headers or {}, seconds)
