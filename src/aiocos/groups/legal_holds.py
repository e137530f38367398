"""`client.legal_holds`."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import protection as ops
from aiocos.wire.method import Call, Group


class LegalHolds(Group[Engine]):
    """Named legal holds of objects in buckets with a retention policy (IBM)."""

    add = Call(ops.AddLegalHold)
    delete = Call(ops.DeleteLegalHold)
    list = Call(ops.ListLegalHolds)
