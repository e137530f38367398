"""`client.replication`: replication rules of a bucket, and failed replications."""

from __future__ import annotations

from typing import Any

from aiocos.call import Engine
from aiocos.operations import replication as ops
from aiocos.paging import Listing
from aiocos.wire.method import Call, Group, Method


def _following(operation: ops.ListBucketReplicationFailures, page: ops.ReplicationFailures) -> dict[str, Any] | None:
    return {"continuation_token": page.next_continuation_token} if page.is_truncated else None


def _failures(
    engine: Engine, operation: ops.ListBucketReplicationFailures
) -> Listing[ops.ReplicationFailure, ops.ReplicationFailures]:
    return Listing(engine, operation, _following, lambda page: page.contents)


class Replication(Group[Engine]):
    """Replication of new objects to other buckets."""

    noun = "replication"

    get = Call(ops.GetBucketReplication)
    put = Call(ops.PutBucketReplication)
    delete = Call(ops.DeleteBucketReplication)
    failures = Method(ops.ListBucketReplicationFailures, _failures)
    """List the objects that could not be replicated, the latest failure first (IBM)."""
    reattempt = Call(ops.PutBucketReplicationReattempt)
