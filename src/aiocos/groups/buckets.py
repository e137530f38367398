"""`client.buckets`: create, list, inspect and delete buckets."""

from __future__ import annotations

from typing import Any

from aiocos.call import Engine
from aiocos.errors import NotFound
from aiocos.operations import buckets as ops
from aiocos.paging import Listing, single_page
from aiocos.waiting import wait_for
from aiocos.wire.method import Call, Group, Method


def _list(engine: Engine, operation: ops.ListBuckets) -> Listing[ops.BucketEntry, ops.BucketList]:
    return Listing(engine, operation, single_page, lambda page: page.buckets)


def _following(operation: ops.ListBucketsExtended, page: ops.BucketPage) -> dict[str, Any] | None:
    # The SDK's model has a NextMarker, the documentation has none. The last name is right in both cases.
    return {"marker": page.buckets[-1].name if page.buckets else None} if page.is_truncated else None


def _extended(engine: Engine, operation: ops.ListBucketsExtended) -> Listing[ops.BucketEntry, ops.BucketPage]:
    return Listing(engine, operation, _following, lambda page: page.buckets)


async def _exists(engine: Engine, operation: ops.HeadBucket) -> bool:
    try:
        await engine.call(operation)
    except NotFound:
        return False
    return True


class Buckets(Group[Engine]):
    """Buckets: create, check, list, delete."""

    noun = "buckets"

    create = Call(ops.CreateBucket)
    head = Call(ops.HeadBucket)
    exists = Method(ops.HeadBucket, _exists)
    """Return True if a bucket exists.

    Raises `AccessDenied` for a bucket that exists and that the client may not access.
    """
    delete = Call(ops.DeleteBucket)
    location = Call(ops.GetBucketLocation)
    aspera = Call(ops.GetBucketAspera)
    list = Method(ops.ListBuckets, _list)
    """List the buckets of a service instance, all in one response.

    A page (`list().pages()`) also holds the owner. `list_extended` adds locations and a filter by prefix.
    """
    list_extended = Method(ops.ListBucketsExtended, _extended)
    """List the buckets of a service instance with their locations (IBM)."""

    async def wait_until_exists(self, bucket: str, *, timeout: float | None = 100, poll: float = 5) -> None:
        """Wait until a bucket exists.

        Args:
            bucket: Name of the bucket.
            timeout: Seconds to wait in all. None waits without a limit.
            poll: Seconds between two checks.

        Raises:
            RequestTimeoutError: The bucket does not exist after `timeout` seconds.
            AccessDenied: The bucket exists and the client may not access it.
        """
        await wait_for(lambda: self.exists(bucket), bool, what=f"bucket {bucket} exists", timeout=timeout, poll=poll)

    async def wait_until_gone(self, bucket: str, *, timeout: float | None = 100, poll: float = 5) -> None:
        """Wait until a bucket does not exist any more.

        Args:
            bucket: Name of the bucket.
            timeout: Seconds to wait in all. None waits without a limit.
            poll: Seconds between two checks.

        Raises:
            RequestTimeoutError: The bucket still exists after `timeout` seconds.
            AccessDenied: The bucket exists and the client may not access it.
        """
        gone = f"bucket {bucket} is gone"
        await wait_for(lambda: self.exists(bucket), lambda there: not there, what=gone, timeout=timeout, poll=poll)
