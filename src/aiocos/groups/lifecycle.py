"""`client.lifecycle`."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import lifecycle as ops
from aiocos.wire.method import Call, Group


class Lifecycle(Group[Engine]):
    """Archive, expiry, and the end of stale uploads."""

    get = Call(ops.GetBucketLifecycleConfiguration)
    put = Call(ops.PutBucketLifecycleConfiguration)
    delete = Call(ops.DeleteBucketLifecycle)
