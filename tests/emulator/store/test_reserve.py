"""A full disk: reads and deletions work, other writes are refused, and freed space is used again."""

import asyncio
import errno
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aiocos.emulator import Emulator
from aiocos.emulator.store import database, reserve
from aiocos.emulator.store.blobs import Writer
from aiocos.errors import ServiceError

from ..conftest import Raw, RawResponse, md5
from .emulator_process import SERVE

NEW_EMULATOR = True  # these tests change more than buckets and objects


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, raw: Raw) -> dict[str, bool]:
    """Simulate a disk that has no space except the reserve while `full["disk"]` is True."""
    path = raw.emulator.store.directory / "reserve"
    state = {"disk": True}
    write = os.write
    run, allocate = database.Database._run, reserve._allocate  # pyright: ignore[reportPrivateUsage]

    def disk_full() -> OSError:
        return OSError(errno.ENOSPC, "No space left on device")

    def running(self: database.Database, batch: Any) -> object:
        if state["disk"] and path.exists():
            # The writes run, then the commit fails.
            connection = self._writer_connection
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                with suppress(ServiceError):
                    job.run(database.Transaction(connection))
            connection.execute("ROLLBACK")
            raise full_error()
        return run(self, batch)

    def allocating(path: Path, size: int) -> None:
        if state["disk"]:
            raise disk_full()
        allocate(path, size)

    def writing(fd: int, data: bytes) -> int:
        if state["disk"]:
            raise disk_full()
        return write(fd, data)

    monkeypatch.setattr(database.Database, "_run", running)
    monkeypatch.setattr(reserve, "_allocate", allocating)
    monkeypatch.setattr("aiocos.emulator.store.blobs.os.write", writing)
    state["disk"] = False
    return state


@pytest.mark.parametrize("size", [10, 100_000])
async def test_on_a_full_disk_reads_and_deletions_work(raw: Raw, full: dict[str, bool], size: int) -> None:
    body = os.urandom(size)
    for key in "abcd":
        await raw.put(f"/bucket/{key}", body)
    upload = (await raw.post("/bucket/up?uploads")).texts("UploadId")[0]
    full["disk"] = True
    for _ in range(2):
        refused = await raw.put("/bucket/new", body)
        assert (refused.status, refused.code) == (507, "InsufficientStorage")
        assert "delete objects" in refused.texts("Message")[0]
    assert (await raw.put("/bucket/a?tagging", b"<Tagging><TagSet/></Tagging>")).status == 507
    assert (await raw.get("/bucket/a")).body == body
    assert (await raw.get("/bucket?list-type=2")).texts("Contents/Key") == ["a", "b", "c", "d"]
    assert (await raw.delete("/bucket/a")).status == 204
    # The space of the deletion is for other deletions, not for writes.
    assert (await raw.put("/bucket/new", body)).status == 507
    document = b"<Delete><Object><Key>b</Key></Object><Object><Key>c</Key></Object></Delete>"
    reserve_file = raw.emulator.store.directory / "reserve"
    reserve_file.write_bytes(b"")
    removed = await raw.post("/bucket?delete", document, Content_MD5=md5(document))
    assert removed.texts("Deleted/Key") == ["b", "c"]  # each once
    assert (await raw.delete(f"/bucket/up?uploadId={upload}")).status == 204
    assert not list(raw.emulator.store.directory.glob("incoming/*"))
    full["disk"] = False
    assert (await raw.put("/bucket/new", body)).status == 200
    assert reserve_file.stat().st_size >= reserve.MIN_SIZE
    assert (await raw.get("/bucket?list-type=2")).texts("Contents/Key") == ["d", "new"]


async def test_expiry_works_on_a_full_disk(raw: Raw, full: dict[str, bool]) -> None:
    """Expiry before a read must not fail the read, and frees space."""
    rule = "<Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
    document = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>".encode()
    assert (await raw.put("/bucket?lifecycle", document, Content_MD5=md5(document))).status == 200
    await raw.put("/bucket/key", b"x")
    full["disk"] = True
    raw.emulator.clock.advance(days=3)
    raw.token = raw.emulator.iam.issue(raw.emulator.instance)
    assert (await raw.get("/bucket?list-type=2")).texts("Contents/Key") == []


async def test_a_deletion_that_fails_even_with_the_reserve_is_507(
    raw: Raw, full: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def running(self: database.Database, batch: Any) -> object:
        raise full_error()

    await raw.put("/bucket/key", b"x")
    run = database.Database._run  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(database.Database, "_run", running)
    assert (await raw.delete("/bucket/key")).code == "InsufficientStorage"
    assert (await raw.get("/bucket/key")).body == b"x"
    monkeypatch.setattr(database.Database, "_run", run)
    assert (await raw.delete("/bucket/key")).status == 204


def full_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


async def test_reads_work_if_expiry_fails(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "<Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
    document = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>".encode()
    await raw.put("/bucket?lifecycle", document, Content_MD5=md5(document))
    await raw.put("/bucket/key", b"x")

    def running(self: database.Database, batch: Any) -> object:
        raise full_error()

    run = database.Database._run  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(database.Database, "_run", running)
    raw.emulator.clock.advance(days=3)
    raw.token = raw.emulator.iam.issue(raw.emulator.instance)
    assert (await raw.get("/bucket/key")).body == b"x"
    monkeypatch.setattr(database.Database, "_run", run)
    assert (await raw.get("/bucket/key")).status == 404, "the expiry was repeated"


async def test_a_deletion_is_repeated_if_any_statement_finds_the_disk_full(raw: Raw) -> None:
    """SQLite can report a full disk at any statement, after it has rolled back everything."""
    runs = 0

    def write(t: database.Transaction) -> int:
        nonlocal runs
        runs += 1
        if runs == 1:
            t.execute("ROLLBACK")
            raise full_error()
        return runs

    assert await raw.emulator.store.write(write, frees=True) == 2
    runs = 0
    with pytest.raises(ServiceError) as refused:
        await raw.emulator.store.write(write)
    assert (refused.value.status, runs) == (507, 1)


async def test_uploads_cannot_use_the_released_reserve(raw: Raw) -> None:
    store = raw.emulator.store
    writer = Writer(store.blobs)
    with store.reserve.released():
        with pytest.raises(ServiceError):
            writer.put([b"x"])
        with pytest.raises(ServiceError):
            Writer(store.blobs)
        with pytest.raises(ServiceError):
            await store.write(lambda t: None)
    writer.put([b"x"])
    writer.discard()


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "none", "/tmp"]
    return subprocess.run(command, capture_output=True, timeout=20).returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="this system does not allow to mount a small file system")
@pytest.mark.parametrize("size", [pytest.param(1000, marks=pytest.mark.slow), 200_000])
async def test_a_real_full_disk(tmp_path: Path, size: int) -> None:
    mounted = 'mount -t tmpfs -o size=12m none "$0" && exec "$1" -c "$2" "$0/data"'
    process = await asyncio.create_subprocess_exec(
        "unshare", "-rm", "sh", "-c", mounted, str(tmp_path), sys.executable, SERVE, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        assert process.stdout is not None
        port, token, crn = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().split()
        headers = {"Authorization": f"Bearer {token}", "ibm-service-instance-id": crn}
        bucket = f"http://127.0.0.1:{port}/bucket"
        async with aiohttp.ClientSession(headers=headers) as session:

            async def send(method: str, target: str = "", body: bytes = b"") -> RawResponse:
                async with session.request(method, bucket + target, data=body) as response:
                    return RawResponse(response.status, response.headers.copy(), await response.read())

            assert (await send("PUT")).status == 200
            keys: list[str] = []

            async def fill(size: int) -> RawResponse:
                """Store objects until one is refused."""
                for n in itertools.count():
                    key = f"{len(keys)}-{n}-{size}-{os.urandom(4).hex()}"
                    put = await send("PUT", f"/{key}", os.urandom(size))
                    if put.status != 200:
                        return put
                    keys.append(key)
                raise AssertionError

            for _ in range(3):
                put = await fill(size)
                assert (put.status, put.code) == (507, "InsufficientStorage")
                await fill(10)  # small objects still fit
                assert len(keys) > 5
                some = keys[: len(keys) // 2]
                assert len((await send("GET", f"/{keys[-1]}")).body) in (10, size)
                for key in some:
                    assert (await send("DELETE", f"/{key}")).status == 204
                del keys[: len(some)]
                for key in keys[:3]:
                    assert (await send("GET", f"/{key}")).status == 200
            for key in keys:
                assert (await send("DELETE", f"/{key}")).status == 204
            assert (await send("DELETE")).status == 204
    finally:
        process.kill()
        await process.wait()


async def test_an_existing_directory_on_a_full_disk_can_be_opened(
    tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Emulator(tmp_path) as emulator:
        raw = Raw(emulator, session, emulator.instance)
        await raw.put("/bucket")
        await raw.put("/bucket/key", b"x")
    (tmp_path / "reserve").unlink()

    def disk_full(path: Path, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reserve, "_allocate", disk_full)
    async with Emulator(tmp_path) as emulator:
        raw = Raw(emulator, session, emulator.instance)
        assert (await raw.get("/bucket/key")).body == b"x"
        assert (await raw.put("/bucket/other", b"x")).status == 507
        assert (await raw.delete("/bucket/key")).status == 204


@pytest.mark.parametrize("reason", [errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM])
def test_a_file_system_without_posix_fallocate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int) -> None:
    """The reserve is written instead. If that fails too, there is no reserve and writes go on."""

    def unknown(fd: int, offset: int, size: int) -> None:
        raise OSError(reason, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unknown)
    reserve.Reserve(tmp_path / "reserve").check()
    assert (tmp_path / "reserve").stat().st_size >= reserve.MIN_SIZE
    (tmp_path / "reserve").unlink()
    monkeypatch.setattr(os, "write", unknown_write)
    reserve.Reserve(tmp_path / "reserve").check()
    assert not (tmp_path / "reserve").exists()


def test_the_reserve_is_not_created_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, offset: int, size: int) -> None:
        """Simulate a disk that has no space except the reserve while `full["disk"]` is True."""
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ServiceError):
        reserve.Reserve(tmp_path / "reserve").check()
    assert not (tmp_path / "reserve").exists()


def unknown_write(fd: int, data: bytes) -> int:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_the_reserve_is_restored_when_there_is_space(tmp_path: Path) -> None:
    path = tmp_path / "reserve"
    remaining = reserve.Reserve(path)
    size = path.stat().st_size
    with remaining.released():
        assert not path.exists()
        with pytest.raises(ServiceError) as refused:
            remaining.check()
        assert refused.value.status == 507
        assert not path.exists(), "the space is for the deletion"
    assert path.stat().st_size == size
    remaining.check()
