"""`client.cors`."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import cors as ops
from aiocos.wire.method import Call, Group


class Cors(Group[Engine]):
    """What scripts of other sites may do with a bucket."""

    get = Call(ops.GetBucketCors)
    put = Call(ops.PutBucketCors)
    delete = Call(ops.DeleteBucketCors)
