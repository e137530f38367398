"""Objects planted in a bucket, and links planted in a directory that is being written to (E19)."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.fault_injection.conftest import Saw
from typer.testing import CliRunner

import aiocos
from aiocos.cli.app import app
from aiocos.emulator import Emulator
from aiocos.transfer import DirectoryError
from aiocos.transfer.journal import journal_id
from aiocos.transfer.reserved_names import hidden_name

pytestmark = pytest.mark.usefixtures("backend")

FILES = 300


async def run_cli(emulator: Emulator, *args: str) -> tuple[int, str]:
    """Run the command line on the emulator, which keeps serving; return exit code and standard error."""
    account = {
        "AIOCOS_ENDPOINT": emulator.endpoint,
        "AWS_ACCESS_KEY_ID": emulator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": emulator.secret_access_key,
    }
    result = await asyncio.to_thread(CliRunner(env=account).invoke, app, list(args))
    return result.exit_code, result.stderr


async def test_e19_keys_named_like_our_hidden_files_are_refused(
    small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, saw: Saw
) -> None:
    """Keys with the exact names that a resumed download of `film` would use, and others of their form."""
    root, journals = tmp_path / "root", tmp_path / "home" / "state"
    journals.mkdir(parents=True)
    film = {
        "kind": "download",
        "endpoint": cos_emulator.endpoint,
        "bucket": "bucket",
        "key": "p/film",
        "version": None,
        "target": "film",
    }
    part = hidden_name("film", journal_id(*map(str, film.values()))[:12])
    planted = [
        part,
        Path(part).with_suffix(".journal").name,
        ".film.0123abcd.part",
        f"d/{part}",
        f"{part}/x",
        f".{'F' * 50}.0123ABCD.PART",
    ]
    await asyncio.gather(*(small.objects.put("bucket", f"p/{key}", b'{"journal":1}\n') for key in [*planted, "film", "good"]))
    for work in (
        small.download_directory("bucket", root, prefix="p/", resume=True),
        small.sync("cos://bucket/p", root, resume=True, delete=True),
    ):
        with pytest.raises(DirectoryError, match=f"{len(planted)} of") as caught:
            await work
        assert sorted(e.key.removeprefix("cos://bucket/") for e in caught.value.result.errors) == sorted(
            f"p/{k}" for k in planted
        )
        assert sorted(p.name for p in root.rglob("*") if p.is_file()) == ["film", "good"]
    code, output = await run_cli(cos_emulator, "mv", "-r", "cos://bucket/p", str(root))
    assert (code, output.count("unfinished downloads")) == (1, len(planted))
    left = {entry.key async for entry in small.objects.list("bucket")}
    assert left == {f"p/{key}" for key in planted}, "what is not moved is still there"
    # And keys in the state directory of uploads, if it is below the target.
    state = aiocos.TransferConfig(state_dir=str(journals))
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=state)) as cos:
        await cos.objects.put("bucket", "q/state/evil.upload", b"x")
        with pytest.raises(DirectoryError, match="journals"):
            await cos.download_directory("bucket", tmp_path / "home", prefix="q/")
    assert list(journals.iterdir()) == []
    saw(
        "E19",
        f"{len(planted) + 1} keys named like hidden files and journals are refused, each with its own error; "
        "none is written or moved",
    )


@contextmanager
def swapped(directory: Path, outside: Path) -> Iterator[None]:
    """Repeatedly rename a directory and put a symbolic link to another directory in its place for a moment."""
    stop, links = threading.Event(), [0]

    def swap() -> None:
        while not stop.wait(0.0005):
            with suppress(OSError):  # the directory does not exist at the moment
                os.rename(directory, directory.with_name(f"aside{links[0]}"))
            with suppress(FileExistsError):  # it was created again
                directory.symlink_to(outside)
                links[0] += 1
                stop.wait(0.0005)
                directory.unlink()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        while not links[0]:
            time.sleep(0.001)
        yield
    finally:
        stop.set()
        thread.join()


async def test_e19_directories_replaced_by_links_during_a_transfer(
    small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, saw: Saw
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_bytes(b"mine")
    keys = [f"d/{n:03}" for n in range(FILES)]

    async def with_directory(root: Path) -> None:
        await small.download_directory("bucket", root, prefix="p/")

    async def with_sync(root: Path) -> None:
        await small.sync("cos://bucket/p", root, delete=True)

    async def with_move(root: Path) -> None:
        code, output = await run_cli(cos_emulator, "mv", "-r", "cos://bucket/p", str(root))
        if code:
            raise aiocos.TransferError(output)

    ways: list[Callable[[Path], Coroutine[Any, Any, None]]] = [with_directory, with_sync, with_move]
    landed = 0
    for number, work in enumerate(ways):
        await asyncio.gather(*(small.objects.put("bucket", f"p/{key}", b"data") for key in keys))
        root = tmp_path / str(number)
        (root / "d").mkdir(parents=True)
        with swapped(root / "d", outside), suppress(aiocos.TransferError):
            await work(root)
        assert sorted(p.name for p in outside.iterdir()) == ["mine"], work.__name__
        here = [p.name for p in root.rglob("*") if p.is_file() and not p.is_symlink()]
        assert all(name.isdigit() for name in here), "nothing unfinished is left"
        landed += len(here)
        if work is with_move:
            left = {entry.key.removeprefix("p/d/") async for entry in small.objects.list("bucket")}
            assert left | set(here) >= {key.removeprefix("d/") for key in keys}, "what did not land is still in the bucket"
    assert landed > 0
    saw(
        "E19",
        f"a directory is repeatedly replaced by a link while {FILES} files are written: 0 files outside "
        "(`download_directory`, `sync`, `mv -r`), and each file that was not written is reported as a failure",
    )
