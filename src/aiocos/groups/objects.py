"""`client.objects`: put, read, list, copy, delete, restore and presign objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, overload

from aiocos.auth.sigv4 import whole_seconds
from aiocos.call import Engine
from aiocos.delete_many import Keys, delete_many
from aiocos.errors import ConfigError, NotFound
from aiocos.operations import listing
from aiocos.operations import objects as ops
from aiocos.operations.object_info import ObjectInfo
from aiocos.paging import Listing
from aiocos.waiting import wait_for, within
from aiocos.wire.message import Request
from aiocos.wire.method import Call, Group, LaterMethod, Method
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
    # Without a delimiter the service sends no NextMarker; the next page then starts after the last name of this one.
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
    """Return the versions and delete markers of a page in one list.

    By key, and for each key the latest first, which is the order of the service.
    """
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


def _open() -> Any:
    from aiocos.object_stream import open_object

    return ops.GetObject, open_object, None


def _read() -> Any:
    from aiocos.object_read import read_object

    return ops.GetObject, read_object, None


class Objects(Group[Engine]):
    """Objects: put, read, list, copy, delete."""

    noun = "objects"

    put = Call(ops.PutObject)
    get = LaterMethod(_open)
    """Open an object, or a range of it, as a stream.

    Nothing is requested before `async with`.

    ::

        async with cos.objects.get("bucket", "key") as obj:
            async for chunk in obj: ...

    Raises on entering `NoSuchKey`, `NotModified`, `PreconditionFailed`, `InvalidRange` and `InvalidObjectState` (archived).
    """
    read = LaterMethod(_read)
    """Read an object, or a range of it, into memory and return its bytes.

    A whole object is compared with its checksum; bytes that do not match are requested again. Raises `NoSuchKey`,
    `NotModified`, `PreconditionFailed`, `InvalidRange`, `InvalidObjectState` (archived), and `IntegrityError` if the bytes
    of no attempt match.
    """
    head = Call(ops.HeadObject)
    exists = Method(ops.HeadObject, _exists)
    """Return True if an object exists. False also if its bucket does not exist."""
    delete = Call(ops.DeleteObject)
    copy = Call(ops.CopyObject)
    list = Method(listing.ListObjectsV2, _list)
    """List the objects of a bucket in the order of their keys (as UTF-8 bytes).

    ::

        async for entry in cos.objects.list("bucket", prefix="photos/"):
            print(entry.key, entry.size)

    With a `delimiter`, the common prefixes ("folders") are in the pages: `list(...).pages()`.
    """
    list_v1 = Method(listing.ListObjects, _list_v1)
    """List the objects of a bucket by version 1 of the operation.

    For services that lack version 2, which `list` uses.
    """
    list_versions = Method(listing.ListObjectVersions, _list_versions)
    """List the versions and delete markers of a bucket.

    They are in the order of their keys, and for each key the latest comes first.
    """

    async def delete_many(
        self,
        bucket: str,
        keys: Keys,
        *,
        quiet: bool = False,
        bypass_governance: bool | None = None,
        timeout: float | None = None,
    ) -> ops.DeleteObjectsResult:
        """Delete any number of objects, in batches of 1,000.

        Args:
            bucket: Name of the bucket.
            keys: Keys, or `ObjectIdentifier` objects for versions. Entries of `objects.list` delete the object, entries of
                `objects.list_versions` delete that version. An asynchronous iterator works too, for example a listing.
            quiet: If True, the result holds the failures only.
            bypass_governance: If True, delete versions that are locked in mode GOVERNANCE too.
            timeout: Deadline of each request in seconds, retries included. None sets no deadline.

        Returns:
            `deleted` (empty with `quiet`) and `errors`, key by key. An object under retention is an error here.

        Raises:
            ConfigError: One of `keys` has another type. Batches that were sent before have taken effect.
            CosError: A whole batch failed. Batches that were sent before have taken effect.
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
    ) -> ObjectInfo: ...
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
    ) -> Result | ObjectInfo:
        """Restore an archived object: make a copy that can be read for some days.

        It takes up to 12 hours, up to 2 hours for objects in the storage class ACCELERATED. For an object that is restored
        already, the call changes how long the copy stays.

        Args:
            bucket: Name of the bucket.
            key: Key of the object.
            days: Days for which the copy can be read.
            tier: `Bulk` or `Accelerated`; None for the tier of the lifecycle rule that archived the object.
            version_id: Version to restore; None for the latest.
            wait: If True, return when the object can be read, with its HEAD.
            poll: Seconds between two checks, with `wait`.
            timeout: Deadline in seconds, for the wait too. The restore goes on after it. None sets no deadline.

        Returns:
            The response to the request; with `wait`, the object's `ObjectInfo`.

        Raises:
            InvalidObjectState: The object is not archived.
            Conflict: The object is being restored already.
            NoSuchKey: The object does not exist.
            RequestTimeoutError: `timeout` seconds have passed.
        """
        from aiocos.operations import lifecycle

        parameters = None if tier is None else lifecycle.GlacierJobParameters(tier=tier)
        request = lifecycle.RestoreRequest(days=days, glacier_job_parameters=parameters)
        operation = lifecycle.RestoreObject(bucket, key, request, version_id=version_id)
        call = self._caller.call

        async def run() -> Result | ObjectInfo:
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
        """Change metadata and content headers of an object.

        The object, of at most 5 GiB, is copied onto itself. Everything else is kept: headers that are not given, tags,
        retention with its legal holds, Object Lock, and public readability. In a versioned bucket the copy is a new version.

        Args:
            bucket: Name of the bucket.
            key: Key of the object.
            metadata: User metadata to add or replace, by name.
            remove: Names of user metadata to remove.
            content_type: `Content-Type`. None keeps it, `""` removes it; so for the other headers.
            content_encoding: `Content-Encoding`.
            content_disposition: `Content-Disposition`.
            content_language: `Content-Language`.
            cache_control: `Cache-Control`.
            expires: `Expires`, a time with a zone. None keeps it.
            website_redirect_location: Where a static website redirects requests for this object to.
            acl: Canned access control list of the copy, such as `public-read`. None reads the access control list and keeps
                public readability; give it if the client may not read the list.
            customer_key: Key of the object under SSE-C, 32 bytes.
            timeout: Deadline in seconds of each of the two or three requests. None sets no deadline.

        Raises:
            PreconditionFailed: Another writer replaced the object in between.
            ObjectProtected: The object is under retention.
            InvalidObjectState: The object is archived.
            NotFound: The object does not exist.
            ConfigError: The object is larger than 5 GiB, or has metadata that HTTP cannot carry.
        """
        from aiocos.update_metadata import update_metadata

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
        """Wait until an object exists.

        Args:
            bucket: Name of the bucket.
            key: Key of the object.
            version_id: Version to wait for; None for the latest.
            timeout: Seconds to wait in all. None waits without a limit.
            poll: Seconds between two checks.

        Raises:
            RequestTimeoutError: The object does not exist after `timeout` seconds.
        """
        what = f"object {bucket}/{key} exists"
        await wait_for(lambda: self.exists(bucket, key, version_id=version_id), bool, what=what, timeout=timeout, poll=poll)

    async def wait_until_gone(
        self, bucket: str, key: str, *, version_id: str | None = None, timeout: float | None = 100, poll: float = 5
    ) -> None:
        """Wait until an object does not exist any more.

        Args:
            bucket: Name of the bucket.
            key: Key of the object.
            version_id: Version to wait for; None for the latest.
            timeout: Seconds to wait in all. None waits without a limit.
            poll: Seconds between two checks.

        Raises:
            RequestTimeoutError: The object still exists after `timeout` seconds.
        """
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
        """Return a URL with which anyone may make one request until it expires.

        The client sends nothing.

        Args:
            bucket: Name of the bucket.
            key: Key of the object.
            method: HTTP method that the URL is for.
            expires: Seconds, or a timedelta of whole seconds, for which the URL is valid: 1 second to 7 days.
            version_id: Version of the object; None for the latest.
            upload_id: Multipart upload that the URL adds a part to, with `method="PUT"` and `part_number`.
            part_number: Number of the part, with `upload_id`.
            query: Further query parameters, such as `response-content-type`.
            headers: Headers to sign, such as `Content-Type`. The request must carry them with these values.

        Raises:
            CredentialsError: The client has no HMAC keys; tokens cannot sign URLs.
            ConfigError: `expires` is out of range, or a part is incomplete.
        """
        if (upload_id is None) != (part_number is None) or (upload_id is not None and method != "PUT"):
            raise ConfigError("a part is a PUT with upload_id and part_number")
        seconds = whole_seconds(expires)
        named = {"versionId": version_id, "uploadId": upload_id, "partNumber": part_number}
        pairs = [(name, str(value)) for name, value in named.items() if value is not None]
        request = Request(method, bucket, key, [*pairs, *(query or {}).items()])
        return self._caller.presign(request, headers or {}, seconds)
