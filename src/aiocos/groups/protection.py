"""`client.protection`: the retention policy of a bucket (IBM)."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import protection as ops
from aiocos.wire.method import Call, Group


class Protection(Group[Engine]):
    """Retention policies of buckets (Immutable Object Storage, IBM)."""

    noun = "protection"

    get = Call(ops.GetBucketProtectionConfiguration)
    put = Call(ops.PutBucketProtectionConfiguration)
