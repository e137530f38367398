"""`client.versioning`."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import versioning as ops
from aiocos.wire.method import Call, Group
from aiocos.wire.spec import Result


class Versioning(Group[Engine]):
    """Whether a bucket keeps versions."""

    get = Call(ops.GetBucketVersioning)
    put = Call(ops.PutBucketVersioning)

    async def enable(self, bucket: str, *, timeout: float | None = None) -> Result:
        """Let a bucket keep versions. Wait some minutes before relying on it: the service needs them."""
        return await self.put(bucket, ops.VersioningConfiguration(status="Enabled"), timeout=timeout)

    async def suspend(self, bucket: str, *, timeout: float | None = None) -> Result:
        """Let a bucket keep no new versions; those that are there stay."""
        return await self.put(bucket, ops.VersioningConfiguration(status="Suspended"), timeout=timeout)
