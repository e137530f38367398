"""The lock of a new version or replica, and the operations that a lock forbids."""

from __future__ import annotations

from typing import Any

import pytest

from aiocos.emulator import locking
from aiocos.emulator.store import BucketRow, ObjectRow
from aiocos.errors import AccessDenied

NOW = 1_000_000.25
DAY = 86400
RULE = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><{0}>2</{0}></DefaultRetention></Rule>"


def bucket(default: str | None) -> BucketRow:
    rule = "" if default is None else RULE.format(default)
    xml = f"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
    return BucketRow(1, "bucket", "crn", 0.0, "us-south-standard", "private", settings={"object-lock": xml})


def version(**lock: Any) -> ObjectRow:
    return ObjectRow("key", "0" * 32, 0, 0.0, "owner", lock=lock or None)


def test_dates_are_compared_in_whole_seconds() -> None:
    assert locking.is_later(11.0, 10.9)
    assert not locking.is_later(10.9, 10.1)


@pytest.mark.parametrize(("default", "days"), [("Days", 2), ("Years", 730)])
def test_the_default_retention_applies_to_writes_without_their_own(default: str, days: int) -> None:
    expected = {"mode": "GOVERNANCE", "until": int(NOW) + days * DAY}
    assert locking.on_write(bucket(default), None, NOW) == expected
    assert locking.on_write(bucket(default), {"hold": "ON"}, NOW) == {**expected, "hold": "ON"}
    explicit = {"mode": "COMPLIANCE", "until": NOW + 1}
    assert locking.on_write(bucket(default), explicit, NOW) == explicit
    assert locking.on_write(bucket(None), None, NOW) is None


@pytest.mark.parametrize(
    ("lock", "bypass", "refused"),
    [
        ({}, False, False),
        ({"mode": "GOVERNANCE", "until": NOW - 1}, False, False),
        ({"mode": "GOVERNANCE", "until": NOW + 1}, False, True),
        ({"mode": "GOVERNANCE", "until": NOW + 1}, True, False),
        ({"mode": "COMPLIANCE", "until": NOW + 1}, True, True),
        ({"hold": "ON"}, True, True),
        ({"hold": "OFF"}, False, False),
    ],
)
def test_which_versions_cannot_be_removed(lock: dict[str, Any], bypass: bool, refused: bool) -> None:
    if refused:
        with pytest.raises(AccessDenied):
            locking.refuse_locked(version(**lock), NOW, bypass=bypass)
    else:
        locking.refuse_locked(version(**lock), NOW, bypass=bypass)


def test_a_replica_keeps_an_unexpired_compliance_lock_and_its_own_hold() -> None:
    own = {"mode": "COMPLIANCE", "until": NOW + 10, "hold": "ON"}
    assert locking.on_replica(own, {"mode": "GOVERNANCE", "until": NOW + 99}, NOW) == own
    longer = {"mode": "COMPLIANCE", "until": NOW + 99}
    assert locking.on_replica(own, longer, NOW) == {**longer, "hold": "ON"}
    assert locking.on_replica(own, {"hold": "OFF"}, NOW + 11) == {"hold": "OFF"}
    assert locking.on_replica(None, longer, NOW) == longer
