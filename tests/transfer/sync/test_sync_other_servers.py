"""Synchronisation with servers that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import servers

import aiocos

FILES = {"a.txt": b"one", "b/c.txt": b"two", "b/d/e.bin": bytes(5000), "b-": b"between", "ü": b"", "z": b"last"}


@pytest.fixture(params=["moto", "rclone"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[servers.Process]:
    if request.param == "moto":
        with servers.moto() as process:
            yield process
    else:
        (tmp_path / "store").mkdir()
        with servers.rclone(tmp_path / "store") as process:
            yield process


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def test_both_ways_and_nothing_more(server: servers.Process, tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name, data in FILES.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(data)
    keys = {"access_key_id": server.access_key_id, "secret_access_key": server.secret_access_key}
    async with aiocos.Client(server.endpoint, **keys) as cos:
        await cos.buckets.create("bucket")
        assert (await cos.sync(site, "cos://bucket/site")).files == len(FILES)
        # rclone gives files the time of the request to the nanosecond, moto to the millisecond.
        assert (await cos.sync(site, "cos://bucket/site")).files == 0
        assert (await cos.sync("cos://bucket/site", tmp_path / "out")).files == len(FILES)
        assert contents(tmp_path / "out") == FILES
        assert (await cos.sync("cos://bucket/site", tmp_path / "out")).files == 0
        assert (await cos.sync("cos://bucket/site", "cos://bucket/copy")).files == len(FILES)
        (site / "a.txt").unlink()
        assert (await cos.sync(site, "cos://bucket/site", delete=True)).deleted == 1
        assert not await cos.objects.exists("bucket", "site/a.txt")
