"""`client.acl`: read and replace access control lists."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import acl as ops
from aiocos.wire.method import Call, Group


class Acl(Group[Engine]):
    """Access control lists of buckets and objects."""

    noun = "acl"

    get_bucket = Call(ops.GetBucketAcl)
    put_bucket = Call(ops.PutBucketAcl)
    get_object = Call(ops.GetObjectAcl)
    put_object = Call(ops.PutObjectAcl)
