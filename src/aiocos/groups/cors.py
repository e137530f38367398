"""`client.cors`: read, replace and delete the CORS rules of a bucket."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import cors as ops
from aiocos.wire.method import Call, Group


class Cors(Group[Engine]):
    """Cross-origin resource sharing (CORS): which websites' scripts may use a bucket."""

    noun = "cors"

    get = Call(ops.GetBucketCors)
    put = Call(ops.PutBucketCors)
    delete = Call(ops.DeleteBucketCors)
