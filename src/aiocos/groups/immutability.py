"""The groups of both systems of immutability: retention policies with named holds (IBM), and Object Lock (S3)."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import object_lock, protection
from aiocos.wire.method import Call, Group


class Protection(Group[Engine]):
    """Retention policies of buckets (IBM)."""

    get = Call(protection.GetBucketProtectionConfiguration)
    put = Call(protection.PutBucketProtectionConfiguration)


class Retention(Group[Engine]):
    """Retention of objects in buckets with a policy (IBM). It is set when they are written."""

    extend = Call(protection.ExtendObjectRetention)


class LegalHolds(Group[Engine]):
    """Named legal holds of objects in buckets with a retention policy (IBM)."""

    add = Call(protection.AddLegalHold)
    delete = Call(protection.DeleteLegalHold)
    list = Call(protection.ListLegalHolds)


class ObjectLock(Group[Engine]):
    """Locks and holds of versions (S3)."""

    get_configuration = Call(object_lock.GetObjectLockConfiguration)
    put_configuration = Call(object_lock.PutObjectLockConfiguration)
    get_retention = Call(object_lock.GetObjectRetention)
    put_retention = Call(object_lock.PutObjectRetention)
    get_legal_hold = Call(object_lock.GetObjectLegalHold)
    put_legal_hold = Call(object_lock.PutObjectLegalHold)
