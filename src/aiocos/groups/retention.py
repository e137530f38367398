"""`client.retention`."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import protection as ops
from aiocos.wire.method import Call, Group


class Retention(Group[Engine]):
    """Retention of objects in buckets with a policy (IBM). It is set when they are written."""

    extend = Call(ops.ExtendObjectRetention)
