"""`client.lifecycle`: read, replace and delete the lifecycle rules of a bucket."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import lifecycle as ops
from aiocos.wire.method import Call, Group


class Lifecycle(Group[Engine]):
    """Lifecycle rules of buckets: archive, expire, abort incomplete uploads."""

    noun = "lifecycle"

    get = Call(ops.GetBucketLifecycleConfiguration)
    put = Call(ops.PutBucketLifecycleConfiguration)
    delete = Call(ops.DeleteBucketLifecycle)
