"""The store as a whole: temporary directories, and blobs of writes that are refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aiocos.emulator.store import Store, Transaction
from aiocos.emulator.store.blobs import Writer
from aiocos.emulator.store.buckets import new_instance
from aiocos.errors import Conflict


async def test_a_temporary_directory_is_removed_and_a_given_one_stays(tmp_path: Path) -> None:
    for directory in (None, tmp_path):
        store = Store(directory)
        used = store.directory
        await store.close()
        assert used.exists() == (directory is not None)


async def test_the_file_of_a_refused_write_is_removed(store: Store) -> None:
    writer = Writer(store.blobs)
    writer.put([b"content"])
    blob = writer.finish()

    def refuse(t: Transaction) -> None:
        raise Conflict("no", status=409, code="Conflict")

    with pytest.raises(Conflict):
        await store.write(refuse, blob)
    assert not store.blobs.path(blob.id).exists()


async def test_one_refused_write_does_not_undo_the_others_of_its_batch(store: Store) -> None:
    def refuse(t: Transaction) -> None:
        t.execute("DELETE FROM instances")
        raise Conflict("no", status=409, code="Conflict")

    instance = new_instance()
    added = asyncio.create_task(store.add_instance(instance))
    with pytest.raises(Conflict):
        await store.write(refuse)
    await added
    assert store.instances == [instance]
