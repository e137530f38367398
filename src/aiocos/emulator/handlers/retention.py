"""Retention of objects in a bucket with a retention policy: what a write sets, and what stands under it.

An object's state is kept with it (`Object.retention`): its period in seconds, counted from its creation, and its legal holds.
"""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiocos.emulator.context import failure
from aiocos.emulator.store import BucketRow, ObjectRow
from aiocos.errors import ObjectProtected
from aiocos.operations.objects import CopyObject
from aiocos.operations.shared import RetentionParams
from aiocos.wire.message import Request

DAY = 86400
INDEFINITE, PERMANENT = -1, -2
State = dict[str, Any]
"""`period` in seconds (-1 indefinite, -2 permanent), `holds`: id → the time it was placed."""

_HOLD = re.compile(r"[A-Za-z0-9!_.*()'-]{1,64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z|[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Policy:
    """A bucket's retention policy, its periods in seconds."""

    minimum: int
    default: int
    maximum: int
    permanent: bool


def policy_of(bucket: BucketRow) -> Policy | None:
    """The retention policy of a bucket."""
    text = bucket.settings.get("protection")
    if text is None:
        return None
    days = json.loads(text)
    return Policy(days["minimum"] * DAY, days["default"] * DAY, days["maximum"] * DAY, bool(days.get("permanent")))


def bad(message: str) -> Exception:
    """The error of a value that is not allowed."""
    return failure("InvalidArgument", message)


def seconds(value: int | timedelta) -> int:
    """A period in seconds."""
    return int(value.total_seconds()) if isinstance(value, timedelta) else value


def check_hold(hold: str) -> None:
    """Refuse the id of a legal hold that is not allowed."""
    if not _HOLD.fullmatch(hold):
        raise bad("The id of a legal hold has 1 to 64 characters: letters, digits, ! _ . * ( ) - '")


def check_date(request: Request, header: str) -> None:
    """Refuse a date in another form than the two that the documentation has; those of other headers are read too."""
    text = request.headers.get(header.lower())
    if text is not None and not _DATE.fullmatch(text):
        raise bad(f"{header} is a date of the form 2030-01-01T00:00:00Z or 20300101T000000Z.")


def _given(op: RetentionParams) -> bool:
    return op.retention_period is not None or op.retention_expires is not None or op.retention_legal_hold_id is not None


def check_request(bucket: BucketRow, op: RetentionParams, request: Request, *, integrity: bool) -> None:
    """Refuse what can be refused before the object that would be replaced is looked at."""
    if policy_of(bucket) is None:
        if _given(op):
            raise failure("InvalidRequest", "The bucket has no retention policy.")
        return
    if not integrity:
        raise failure("InvalidRequest", "Missing required header for this request: Content-MD5 or x-amz-checksum-*")
    if op.retention_period is not None and op.retention_expires is not None:
        raise failure("InvalidRequest", "Retention-Period and Retention-Expiration-Date exclude each other.")
    check_date(request, "Retention-Expiration-Date")


def on_write(bucket: BucketRow, op: RetentionParams, now: float) -> State | None:
    """The retention that a new object gets; refused where the bucket's policy does not allow it."""
    policy = policy_of(bucket)
    if policy is None:
        return None
    period = policy.default
    if op.retention_expires is not None:
        # Counted from the second of the creation, as the expiry is told; a date that has passed is a period of nothing.
        period = check_period(policy, max(0, int(op.retention_expires.timestamp()) - int(now)))
    elif op.retention_period is not None:
        period = check_period(policy, seconds(op.retention_period))
    hold = op.retention_legal_hold_id
    if hold is not None:
        check_hold(hold)
    return {"period": period, "holds": {} if hold is None else {hold: now}}


def check_period(policy: Policy, period: int) -> int:
    """Refuse a period that the policy does not allow."""
    if period == INDEFINITE:
        return period
    if period == PERMANENT:
        if not policy.permanent:
            raise bad("Permanent retention is not enabled on the bucket.")
        return period
    if period < 0:
        raise bad("A retention period is 0 seconds at least, or -1 (indefinite), or -2 (permanent).")
    if not policy.minimum <= period <= policy.maximum:
        raise bad(f"A retention period of {period} seconds is outside what the bucket allows.")
    return period


def check_copy(bucket: BucketRow, op: CopyObject, request: Request) -> None:
    """Refuse what a copy's own headers have wrong."""
    # The samples of the documentation write `Copy`.
    directive = (op.retention_directive or "").upper()
    if directive not in ("", "COPY", "REPLACE"):
        raise bad("Retention-Directive is COPY or REPLACE.")
    if directive != "REPLACE" and _given(op):
        raise failure("InvalidRequest", "Retention headers of a copy need the Retention-Directive REPLACE.")
    # Nothing is sent that a checksum could be of.
    check_request(bucket, op, request, integrity=True)


def on_copy(bucket: BucketRow, source: ObjectRow, op: CopyObject, now: float) -> State | None:
    """The retention that a copy gets: its source's, where it is told to take that along and the source has any."""
    policy = policy_of(bucket)
    if policy is None or source.retention is None or (op.retention_directive or "").upper() != "COPY":
        return on_write(bucket, op, now)
    period = check_period(policy, source.retention["period"])
    return {"period": period, "holds": dict.fromkeys(source.retention["holds"], now)}


def expires(found: ObjectRow) -> int | None:
    """When the period of an object ends, in seconds; None where it has none that ends."""
    state = found.retention
    return None if state is None or state["period"] < 0 else int(found.modified) + state["period"]


def is_protected(found: ObjectRow, now: float) -> bool:
    """Tell whether an object is under retention: indefinite, permanent, not yet expired, or held."""
    state = found.retention
    if state is None:
        return False
    end = expires(found)
    return bool(state["holds"]) or end is None or now < end


def refuse_protected(found: ObjectRow | None, now: float) -> None:
    """Refuse to replace or remove what is under retention."""
    if found is not None and is_protected(found, now):
        raise ObjectProtected("The object is protected by a retention period or legal hold.", status=403, code="AccessDenied")
