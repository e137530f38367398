"""`client.object_lock`: Object Lock of buckets and object versions (S3)."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import object_lock as ops
from aiocos.wire.method import Call, Group


class ObjectLock(Group[Engine]):
    """Object Lock: retention and legal holds of object versions (S3)."""

    noun = "object_lock"

    get_configuration = Call(ops.GetObjectLockConfiguration)
    put_configuration = Call(ops.PutObjectLockConfiguration)
    get_retention = Call(ops.GetObjectRetention)
    put_retention = Call(ops.PutObjectRetention)
    get_legal_hold = Call(ops.GetObjectLegalHold)
    put_legal_hold = Call(ops.PutObjectLegalHold)
