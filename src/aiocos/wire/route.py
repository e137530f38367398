"""Routing: find the operation of a request.

The table is made from the specs of the operations. For each method and kind of path (service, bucket or key) it lists the
operations with their discriminators: fixed query names, required query parameters and required headers. Operations with more
discriminators come first. The first one whose discriminators are all in the request is chosen.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from aiocos.errors import OperationNotSupported
from aiocos.wire.message import Request
from aiocos.wire.spec import Operation, registry

# Sub-resources of S3. A request for one without an operation must not fall through to the plain operation: that would empty
# an object (`PUT key?acl`) or delete it (`DELETE key?tagging`).
SUB_RESOURCES = frozenset(
    """accelerate acl analytics cors delete encryption extendRetention faspConnectionInfo ibm-replication-failures
    ibm-replication-reattempt intelligent-tiering inventory legal-hold legalHold lifecycle location logging metrics notification
    object-lock ownershipControls policy policyStatus protection publicAccessBlock replication requestPayment restore retention
    select tagging torrent uploadId partNumber uploads versioning versions website attributes extended""".split()  # noqa: SIM905 - forty names read better as text
)
# Query parameters that modify a plain read.
_MODIFIERS = frozenset({"partNumber"})

_Row = tuple[frozenset[str], type[Operation[Any]]]


@cache
def _table() -> Mapping[tuple[str, bool, bool], list[_Row]]:
    table: dict[tuple[str, bool, bool], list[_Row]] = defaultdict(list)
    for cls in registry.values():
        s = cls.spec
        table[s.method, s.has_bucket, s.has_key].append((s.discriminators, cls))
    for rows in table.values():
        # The order must not depend on which modules were imported first.
        rows.sort(key=lambda row: (-len(row[0]), row[1].__module__))
    return table


def route(request: Request) -> type[Operation[Any]]:
    """Return the class of the operation that a request calls.

    Raises `OperationNotSupported` if no operation fits the request.
    """
    present = {f"?{name}" for name, _ in request.query} | {f"?{name}={value}" for name, value in request.query}
    present |= {name.lower() for name in request.headers}
    for required, cls in _table().get((request.method, request.bucket is not None, request.key is not None), ()):
        if required <= present:
            _refuse_other_sub_resources(request, {m[1:].partition("=")[0] for m in required if m.startswith("?")})
            return cls
    where = "a key" if request.key is not None else "a bucket" if request.bucket is not None else "the service"
    raise OperationNotSupported(f"{request.method} on {where} is not supported", status=501, code="NotImplemented")


def _refuse_other_sub_resources(request: Request, routed: Collection[str]) -> None:
    for name, _ in request.query:
        if name in SUB_RESOURCES and name not in routed and not (name in _MODIFIERS and request.method in ("GET", "HEAD")):
            raise OperationNotSupported(
                f"the sub-resource {name} is not supported with {request.method}", status=501, code="NotImplemented"
            )
