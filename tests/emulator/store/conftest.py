"""A store with one bucket, for tests of single functions of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from aiocos.emulator.store import BucketRow, Store, Transaction, buckets
from aiocos.emulator.store.buckets import new_instance


@pytest_asyncio.fixture(loop_scope="module")
async def store() -> AsyncIterator[Store]:
    """A store in a temporary directory."""
    opened = Store(None)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def bucket(store: Store) -> BucketRow:
    """A bucket called `bucket`, without versioning."""
    instance = new_instance()
    await store.add_instance(instance)

    def write(t: Transaction) -> BucketRow:
        buckets.add(t, BucketRow(0, "bucket", instance.crn, 1.0, "us-south-standard", "private"))
        added = buckets.find(t.connection, "bucket")
        assert added is not None
        return added

    return await store.write(write)
