"""`client.public_access`."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import public_access as ops
from aiocos.wire.method import Call, Group


class PublicAccess(Group[Engine]):
    """Whether access control lists may make a bucket's objects public."""

    get = Call(ops.GetPublicAccessBlock)
    put = Call(ops.PutPublicAccessBlock)
    delete = Call(ops.DeletePublicAccessBlock)
