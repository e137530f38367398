"""`client.legal_holds`: add, list and delete legal holds of objects (IBM)."""

from __future__ import annotations

from aiocos.call import Engine
from aiocos.operations import protection as ops
from aiocos.paging import Listing, single_page
from aiocos.wire.method import Call, Group, Method


def _holds(engine: Engine, operation: ops.ListLegalHolds) -> Listing[ops.NamedLegalHold, ops.RetentionState]:
    return Listing(engine, operation, single_page, lambda page: page.legal_holds)


class LegalHolds(Group[Engine]):
    """Named legal holds of objects in buckets with a retention policy (IBM)."""

    noun = "legal_holds"

    add = Call(ops.AddLegalHold)
    delete = Call(ops.DeleteLegalHold)
    list = Method(ops.ListLegalHolds, _holds)
    """List the legal holds of an object, all in one response.

    Raises `NotFound` if the object has no retention. `retention.get` returns the same holds together with the retention period.
    """
