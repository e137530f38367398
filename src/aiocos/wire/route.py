"""From a request line to the operation it means.

The table is read off the statements: of all operations with this method and this kind of path, the one whose marks (fixed
query names, required queries and headers) are all present wins, the most marks first.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from aiocos.errors import OperationNotSupported
from aiocos.wire.message import Request
from aiocos.wire.spec import Operation, registry

# Parts of S3 that the service could be asked for and that no statement covers: falling through to the plain operation
# would empty an object (`PUT key?acl`) or delete it (`DELETE key?tagging`).
SUB_RESOURCES = frozenset(
    """accelerate acl analytics cors delete encryption extendRetention faspConnectionInfo ibm-replication-failures
    ibm-replication-reattempt intelligent-tiering inventory legal-hold legalHold lifecycle location logging metrics notification
    object-lock ownershipControls policy policyStatus protection publicAccessBlock replication requestPayment restore retention
    select tagging torrent uploadId partNumber uploads versioning versions website attributes extended""".split()  # noqa: SIM905 - forty names read better as text
)
# Parameters of reads that modify the plain operation.
_MODIFIERS = frozenset({"partNumber"})

_Row = tuple[frozenset[str], type[Operation[Any]]]


@cache
def _table() -> Mapping[tuple[str, bool, bool], list[_Row]]:
    table: dict[tuple[str, bool, bool], list[_Row]] = defaultdict(list)
    for cls in registry.values():
        s = cls.spec
        table[s.method, s.has_bucket, s.has_key].append((s.discriminators, cls))
    for rows in table.values():
        rows.sort(key=lambda row: len(row[0]), reverse=True)
    return table


def route(request: Request) -> type[Operation[Any]]:
    """Return the class of the operation; `OperationNotSupported` where no statement covers the request."""
    present = {f"?{name}" for name, _ in request.query} | {f"?{name}={value}" for name, value in request.query}
    present |= {name.lower() for name in request.headers}
    for marks, cls in _table().get((request.method, request.bucket is not None, request.key is not None), ()):
        if marks <= present:
            _refuse_leftovers(request, cls, {m[1:].partition("=")[0] for m in marks if m.startswith("?")})
            return cls
    where = "a key" if request.key is not None else "a bucket" if request.bucket is not None else "the service"
    raise OperationNotSupported(f"{request.method} of {where} is not served", status=501, code="NotImplemented")


def _refuse_leftovers(request: Request, cls: type[Operation[Any]], marked: Collection[str]) -> None:
    for name, _ in request.query:
        if name in SUB_RESOURCES and name not in marked and not (name in _MODIFIERS and request.method in ("GET", "HEAD")):
            raise OperationNotSupported(
                f"the sub-resource {name} is not served with {request.method}", status=501, code="NotImplemented"
            )
