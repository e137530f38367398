"""`client.buckets`."""

from __future__ import annotations

from typing import Any

from aiocos.call import Engine
from aiocos.errors import NotFound
from aiocos.operations import buckets as ops
from aiocos.paging import Listing
from aiocos.waiting import wait_for
from aiocos.wire.method import Call, Group, Method


def _following(operation: ops.ListBucketsExtended, page: ops.BucketPage) -> dict[str, Any] | None:
    # The documentation knows no NextMarker, the model does; the last name is right in both.
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
    """Buckets: made, looked at, listed, removed."""

    create = Call(ops.CreateBucket)
    head = Call(ops.HeadBucket)
    exists = Method(ops.HeadBucket, _exists)
    """Whether there is such a bucket. One that may not be looked at raises `AccessDenied`: it is there."""
    delete = Call(ops.DeleteBucket)
    location = Call(ops.GetBucketLocation)
    aspera = Call(ops.GetBucketAspera)
    list = Call(ops.ListBuckets)
    list_extended = Method(ops.ListBucketsExtended, _extended)

    async def wait_until_exists(self, bucket: str, *, timeout: float | None = 100, poll: float = 5) -> None:
        """Wait until there is such a bucket, looking every `poll` seconds; `RequestTimeoutError` after `timeout` seconds."""
        await wait_for(lambda: self.exists(bucket), bool, what=f"bucket {bucket} exists", timeout=timeout, poll=poll)

    async def wait_until_gone(self, bucket: str, *, timeout: float | None = 100, poll: float = 5) -> None:
        """Wait until there is no such bucket, looking every `poll` seconds; `RequestTimeoutError` after `timeout` seconds."""
        gone = f"bucket {bucket} is gone"
        await wait_for(lambda: self.exists(bucket), lambda there: not there, what=gone, timeout=timeout, poll=poll)
