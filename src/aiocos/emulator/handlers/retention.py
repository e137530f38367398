"""Checks and handlers of the retention of objects (IBM).

This module computes the retention of new objects and refuses what retention forbids.

It is stored in `ObjectRow.retention`: the period in seconds, counted from the creation of the object, and the legal holds.
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
"""`period`: seconds, -1 for indefinite, -2 for permanent. `holds`: the time at which each legal hold was added, by id."""

_HOLD = re.compile(r"[A-Za-z0-9!_.*()'-]{1,64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z|[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Policy:
    """A bucket's retention policy. Periods are in seconds."""

    minimum: int
    """Minimum retention period."""
    default: int
    """Retention period of objects without their own."""
    maximum: int
    """Maximum retention period."""
    permanent: bool
    """True if objects can be retained permanently."""


def policy_of(bucket: BucketRow) -> Policy | None:
    """Return the retention policy of a bucket, or None."""
    text = bucket.settings.get("protection")
    if text is None:
        return None
    days = json.loads(text)
    return Policy(days["minimum"] * DAY, days["default"] * DAY, days["maximum"] * DAY, bool(days.get("permanent")))


def invalid(message: str) -> Exception:
    """Build the error for a value that is not allowed."""
    return failure("InvalidArgument", message)


def seconds(value: int | timedelta) -> int:
    """Return a period in seconds."""
    return int(value.total_seconds()) if isinstance(value, timedelta) else value


def check_hold(hold: str) -> None:
    """Raise `InvalidRequest` (InvalidArgument) for an invalid legal hold id."""
    if not _HOLD.fullmatch(hold):
        raise invalid("The id of a legal hold must have 1 to 64 characters: letters, digits, ! _ . * ( ) - '")


def check_date(request: Request, header: str) -> None:
    """Refuse a date that is not in one of the two documented formats.

    Other headers accept more formats.
    """
    text = request.headers.get(header.lower())
    if text is not None and not _DATE.fullmatch(text):
        raise invalid(f"{header} must be a date like 2030-01-01T00:00:00Z or 20300101T000000Z.")


def _has_retention_headers(op: RetentionParams) -> bool:
    return op.retention_period is not None or op.retention_expires is not None or op.retention_legal_hold_id is not None


def check_request(bucket: BucketRow, op: RetentionParams, request: Request, *, integrity: bool) -> None:
    """Check the retention headers of a write.

    This is the part of the check that does not need the object that would be replaced.
    """
    if policy_of(bucket) is None:
        if _has_retention_headers(op):
            raise failure("InvalidRequest", "The bucket has no retention policy.")
        return
    if not integrity:
        raise failure("InvalidRequest", "Missing required header for this request: Content-MD5 or x-amz-checksum-*")
    if op.retention_period is not None and op.retention_expires is not None:
        raise failure("InvalidRequest", "Send Retention-Period or Retention-Expiration-Date, not both.")
    check_date(request, "Retention-Expiration-Date")


def on_write(bucket: BucketRow, op: RetentionParams, now: float) -> State | None:
    """Return the retention of a new object.

    Raises `InvalidRequest` if the bucket's policy does not allow it.
    """
    policy = policy_of(bucket)
    if policy is None:
        return None
    period = policy.default
    if op.retention_expires is not None:
        # Counted from the whole second of the creation, like the expiration date in responses. A past date is a period of 0.
        period = check_period(policy, max(0, int(op.retention_expires.timestamp()) - int(now)))
    elif op.retention_period is not None:
        period = check_period(policy, seconds(op.retention_period))
    hold = op.retention_legal_hold_id
    if hold is not None:
        check_hold(hold)
    return {"period": period, "holds": {} if hold is None else {hold: now}}


def check_period(policy: Policy, period: int) -> int:
    """Return a period.

    Raises `InvalidRequest` (InvalidArgument) if the policy does not allow it.
    """
    if period == INDEFINITE:
        return period
    if period == PERMANENT:
        if not policy.permanent:
            raise invalid("Permanent retention is not enabled on the bucket.")
        return period
    if period < 0:
        raise invalid("A retention period must be at least 0 seconds, or -1 (indefinite), or -2 (permanent).")
    if not policy.minimum <= period <= policy.maximum:
        raise invalid(f"A retention period of {period} seconds is outside the limits of the bucket.")
    return period


def check_copy(bucket: BucketRow, op: CopyObject, request: Request) -> None:
    """Check the retention headers of a copy."""
    # The documentation's examples have `Copy`.
    directive = (op.retention_directive or "").upper()
    if directive not in ("", "COPY", "REPLACE"):
        raise invalid("Retention-Directive must be COPY or REPLACE.")
    if directive != "REPLACE" and _has_retention_headers(op):
        raise failure("InvalidRequest", "The retention headers of a copy need Retention-Directive: REPLACE.")
    # A copy has no body, so it needs no checksum.
    check_request(bucket, op, request, integrity=True)


def on_copy(bucket: BucketRow, source: ObjectRow, op: CopyObject, now: float) -> State | None:
    """Return the retention of a copy.

    It is the source's if the directive is COPY and the source has retention.
    """
    policy = policy_of(bucket)
    if policy is None or source.retention is None or (op.retention_directive or "").upper() != "COPY":
        return on_write(bucket, op, now)
    period = check_period(policy, source.retention["period"])
    return {"period": period, "holds": dict.fromkeys(source.retention["holds"], now)}


def expires(found: ObjectRow) -> int | None:
    """Return the expiration of an object's retention in seconds since 1970.

    None if it has none or does not expire.
    """
    state = found.retention
    return None if state is None or state["period"] < 0 else int(found.modified) + state["period"]


def is_protected(found: ObjectRow, now: float) -> bool:
    """Return True if an object has a legal hold or is under retention.

    Retention can be indefinite, permanent or unexpired.
    """
    state = found.retention
    if state is None:
        return False
    end = expires(found)
    return bool(state["holds"]) or end is None or now < end


def refuse_protected(found: ObjectRow | None, now: float) -> None:
    """Raise `ObjectProtected` if an object to be replaced or removed is protected."""
    if found is not None and is_protected(found, now):
        raise ObjectProtected("The object is protected by a retention period or legal hold.", status=403, code="AccessDenied")
