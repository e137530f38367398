"""`client.versioning`: enable and suspend versions in a bucket."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import versioning as ops
from aiocos.wire.method import Call, Group
from aiocos.wire.spec import Result


class Versioning(Group[Engine]):
    """Versioning of buckets."""

    noun = "versioning"

    get = Call(ops.GetBucketVersioning)
    put = Call(ops.PutBucketVersioning)

    async def enable(self, bucket: str, *, timeout: float | None = None) -> Result:
        """Turn versioning on. It takes effect within some minutes.

        Args:
            bucket: Name of the bucket.
            timeout: Deadline of the call in seconds, retries included. None sets no deadline.
        """
        return await self.put(bucket, ops.VersioningConfiguration(status="Enabled"), timeout=timeout)

    async def suspend(self, bucket: str, *, timeout: float | None = None) -> Result:
        """Suspend versioning: the bucket keeps its versions and adds no new ones.

        Args:
            bucket: Name of the bucket.
            timeout: Deadline of the call in seconds, retries included. None sets no deadline.
        """
        return await self.put(bucket, ops.VersioningConfiguration(status="Suspended"), timeout=timeout)
