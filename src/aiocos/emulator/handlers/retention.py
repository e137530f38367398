"""Retention of objects: what a write sets, and what stands under it.

A bucket's policy (`?protection`) is not served yet, so that every bucket is unprotected and refuses `Retention-*` headers.
What an object carries is written here, and looked at in every place that replaces or removes one.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from aiocos.emulator.context import failure
from aiocos.emulator.store import Bucket, Object
from aiocos.operations.objects import CopyObject
from aiocos.operations.shared import Retaining

DAY = 86400
State = dict[str, Any]
"""`period` in seconds (-1 indefinite, -2 permanent), `holds`: id → the time it was placed."""


def _given(op: Retaining) -> bool:
    return op.retention_period is not None or op.retention_expires is not None or op.retention_legal_hold_id is not None


def on_write(bucket: Bucket, op: Retaining, now: float, *, integrity: bool) -> State | None:
    """The retention that a new object gets; refused where the bucket's policy does not allow it."""
    policy = bucket.settings.get("protection")
    if policy is None:
        if _given(op):
            raise failure("InvalidRequest", "The bucket has no retention policy.")
        return None
    if not integrity:
        raise failure("InvalidRequest", "Missing required header for this request: Content-MD5")
    return _state(json.loads(policy), op.retention_period, op.retention_expires, op.retention_legal_hold_id, now)


def _state(
    policy: dict[str, Any], period: int | timedelta | None, expires: datetime | None, hold: str | None, now: float
) -> State:
    if period is not None and expires is not None:
        raise failure("InvalidRequest", "Retention-Period and Retention-Expiration-Date exclude each other.")
    if isinstance(period, timedelta):
        period = int(period.total_seconds())
    if expires is not None:
        period = int(expires.timestamp() - now)
    if period is None:
        period = int(policy["default"]) * DAY
    elif period == -2 and not policy.get("permanent"):
        raise failure("InvalidArgument", "Permanent retention is not enabled on the bucket.")
    elif period < 0 and (period not in (-1, -2) or expires is not None):
        raise failure("InvalidArgument", "The retention period is negative.")
    elif period >= 0 and not int(policy["minimum"]) * DAY <= period <= int(policy["maximum"]) * DAY:
        raise failure("InvalidArgument", "The retention period is outside what the bucket allows.")
    return {"period": period, "holds": {} if hold is None else {hold: now}}


def on_copy(bucket: Bucket, source: Object, op: CopyObject, now: float) -> State | None:
    """The retention that a copy gets."""
    directive = (op.retention_directive or "").upper()
    if directive == "COPY":
        if "protection" not in bucket.settings or source.retention is None:
            return None
        return {"period": source.retention["period"], "holds": dict.fromkeys(source.retention["holds"], now)}
    if not directive and _given(op):
        raise failure("InvalidRequest", "Retention headers of a copy need the Retention-Directive REPLACE.")
    return on_write(bucket, op, now, integrity=True)


def is_protected(found: Object, now: float) -> bool:
    """Tell whether an object is under retention: indefinite, permanent, not yet expired, or held."""
    state = found.retention
    if state is None:
        return False
    return bool(state["holds"]) or state["period"] < 0 or now < int(found.modified) + state["period"]


def refuse_protected(found: Object | None, now: float) -> None:
    """Refuse to replace or remove what is under retention."""
    if found is not None and is_protected(found, now):
        raise failure("AccessDenied", "The object is protected by a retention period or legal hold.", 403)
