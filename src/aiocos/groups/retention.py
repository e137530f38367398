"""`client.retention`: read and extend the retention of an object (IBM)."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import protection as ops
from aiocos.wire.method import Call, Group


class Retention(Group[Engine]):
    """Retention periods of objects in buckets with a retention policy (IBM).

    A period is set when the object is written: `retention_period` or `retention_expires` of `objects.put` and `client.upload`.
    """

    noun = "retention"

    get = Call(ops.ListLegalHolds)
    """Return the retention period and the legal holds of an object.

    Raises `NotFound` if the object has no retention.
    """
    extend = Call(ops.ExtendObjectRetention)
