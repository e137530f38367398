"""The state of a bucket at the time of a write."""

from __future__ import annotations

import pytest

from aiocos.emulator.handlers.bucket_state import current_bucket, refuse_retention_policy, require_versioning
from aiocos.emulator.store import BucketRow, Transaction, buckets
from aiocos.errors import InvalidBucketState, NoSuchBucket

from ..conftest import Raw


def bucket(versioning: str | None = None, **settings: str) -> BucketRow:
    return BucketRow(1, "bucket", "crn", 0.0, "us-south-standard", "private", versioning=versioning, settings=settings)


async def test_a_bucket_that_was_deleted_and_created_again_is_another_bucket(raw: Raw) -> None:
    store = raw.emulator.store
    before = buckets.find(store.connection, "bucket")
    assert before is not None

    def current(t: Transaction) -> BucketRow:
        return current_bucket(t, before)

    assert await store.write(current) == before
    await raw.delete("/bucket")
    await raw.put("/bucket")
    with pytest.raises(NoSuchBucket):
        await store.write(current)


def test_a_retention_policy_excludes_other_settings() -> None:
    refuse_retention_policy(bucket(), "versioning")
    with pytest.raises(InvalidBucketState, match="versioning"):
        refuse_retention_policy(bucket(protection="{}"), "versioning")


@pytest.mark.parametrize("status", [None, "Suspended"])
def test_versioning_must_be_enabled_where_it_is_needed(status: str | None) -> None:
    require_versioning(bucket("Enabled"), "Object Lock")
    with pytest.raises(InvalidBucketState, match="Object Lock"):
        require_versioning(bucket(status), "Object Lock")
