"""`client.public_access`: the public access block of a bucket."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import public_access as ops
from aiocos.wire.method import Call, Group


class PublicAccess(Group[Engine]):
    """Public access block of buckets: what access control lists may make public."""

    noun = "public_access"

    get = Call(ops.GetPublicAccessBlock)
    put = Call(ops.PutPublicAccessBlock)
    delete = Call(ops.DeletePublicAccessBlock)
