"""The groups of a bucket's settings: website, lifecycle, CORS, versioning, replication, public access, tags."""

from __future__ import annotations

from typing import Any

from aiocos.call import Engine
from aiocos.groups.pages import Listing
from aiocos.operations import cors, lifecycle, public_access, replication, tagging, versioning, website
from aiocos.wire.method import Call, Group, Method
from aiocos.wire.spec import Result


class Website(Group[Engine]):
    """Buckets as static websites."""

    get = Call(website.GetBucketWebsite)
    put = Call(website.PutBucketWebsite)
    delete = Call(website.DeleteBucketWebsite)


class Lifecycle(Group[Engine]):
    """Archive, expiry, and the end of stale uploads."""

    get = Call(lifecycle.GetBucketLifecycleConfiguration)
    put = Call(lifecycle.PutBucketLifecycleConfiguration)
    delete = Call(lifecycle.DeleteBucketLifecycle)


class Cors(Group[Engine]):
    """What scripts of other sites may do with a bucket."""

    get = Call(cors.GetBucketCors)
    put = Call(cors.PutBucketCors)
    delete = Call(cors.DeleteBucketCors)


class Versioning(Group[Engine]):
    """Whether a bucket keeps versions."""

    get = Call(versioning.GetBucketVersioning)
    put = Call(versioning.PutBucketVersioning)

    async def enable(self, bucket: str, *, timeout: float | None = None) -> Result:
        """Let a bucket keep versions. Wait some minutes before relying on it: the service needs them."""
        return await self.put(bucket, versioning.VersioningConfiguration(status="Enabled"), timeout=timeout)

    async def suspend(self, bucket: str, *, timeout: float | None = None) -> Result:
        """Let a bucket keep no new versions; those that are there stay."""
        return await self.put(bucket, versioning.VersioningConfiguration(status="Suspended"), timeout=timeout)


def _following(
    operation: replication.ListBucketReplicationFailures, page: replication.ReplicationFailures
) -> dict[str, Any] | None:
    return {"continuation_token": page.next_continuation_token} if page.is_truncated else None


def _failures(
    engine: Engine, operation: replication.ListBucketReplicationFailures
) -> Listing[replication.ReplicationFailure, replication.ReplicationFailures]:
    return Listing(engine, operation, _following, lambda page: page.contents)


class Replication(Group[Engine]):
    """Replication of new objects to other buckets."""

    get = Call(replication.GetBucketReplication)
    put = Call(replication.PutBucketReplication)
    delete = Call(replication.DeleteBucketReplication)
    failures = Method(replication.ListBucketReplicationFailures, _failures)
    reattempt = Call(replication.PutBucketReplicationReattempt)


class PublicAccess(Group[Engine]):
    """Whether access control lists may make a bucket's objects public."""

    get = Call(public_access.GetPublicAccessBlock)
    put = Call(public_access.PutPublicAccessBlock)
    delete = Call(public_access.DeletePublicAccessBlock)


class Tagging(Group[Engine]):
    """Tags of objects, and of buckets."""

    get_object = Call(tagging.GetObjectTagging)
    put_object = Call(tagging.PutObjectTagging)
    delete_object = Call(tagging.DeleteObjectTagging)
    get_bucket = Call(tagging.GetBucketTagging)
    put_bucket = Call(tagging.PutBucketTagging)
    delete_bucket = Call(tagging.DeleteBucketTagging)
