"""The data directory: the emulator changes only its own, and nobody else can read the keys in it."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiocos.emulator import Emulator
from aiocos.emulator.store.directory import DATABASE, MARKER, claim
from aiocos.errors import ConfigError

from ..conftest import Raw

BODY = os.urandom(100_000)


def tree(directory: Path) -> dict[str, tuple[int, bytes | None]]:
    """Return everything below a directory: modes, and contents of files."""
    return {
        str(path.relative_to(directory)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in [directory, *directory.rglob("*")]
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def fill(directory: Path, session: aiohttp.ClientSession) -> None:
    """Store an object in an emulator's directory, and add the files that a killed emulator leaves."""
    async with Emulator(directory) as emulator:
        raw = Raw(emulator, session, emulator.instance)
        assert (await raw.put("/bucket")).status == 200
        assert (await raw.put("/bucket/key", BODY)).status == 200
    (directory / "blobs" / "00").mkdir(exist_ok=True)
    (directory / "blobs" / "00" / ("0" * 32)).write_bytes(b"orphan")
    (directory / "incoming" / ("1" * 32)).write_bytes(b"half")


async def content(directory: Path, session: aiohttp.ClientSession) -> bytes:
    async with Emulator(directory) as emulator:
        return (await Raw(emulator, session, emulator.instance).get("/bucket/key")).body


def convert_to_old_layout(directory: Path) -> None:
    """Give a directory the layout and the modes of a release that wrote no marker."""
    (directory / MARKER).unlink()
    (directory / "reserve").unlink()
    for path in (directory / DATABASE, directory / "blobs", directory / "incoming", directory):
        path.chmod(0o755 if path.is_dir() else 0o644)


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a document": lambda d: (d / "thesis.txt").write_bytes(b"mine"),
    "a hidden file": lambda d: (d / ".profile").write_bytes(b"mine"),
    "folders of our names": lambda d: [
        (d / name).mkdir(parents=True) or (d / name / "aa").write_bytes(b"mine") for name in ("incoming", "blobs/ab")
    ],
    "an empty folder": lambda d: (d / "blobs").mkdir(),
    "a database that is not ours": lambda d: _database(d, "CREATE TABLE photos (id)"),
    "a file with our database's name": lambda d: (d / DATABASE).write_bytes(b"mine"),
    "an empty file with our database's name": lambda d: (d / DATABASE).write_bytes(b""),
    "a folder with our database's name": lambda d: (d / DATABASE).mkdir(),
    "a marker that is not ours": lambda d: (d / MARKER).write_bytes(b"mine"),
    "a link with the marker's name": lambda d: (d / MARKER).symlink_to("/nowhere"),
    "a folder with the name of a new marker": lambda d: (d / f"{MARKER}.new").mkdir(),
    "a folder with the lock's name": lambda d: (d / "lock").mkdir(),
    "a link with the lock's name": lambda d: (d / "lock").symlink_to("/nowhere"),
    "a folder with the marker's name": lambda d: (d / MARKER).mkdir(),
}


def _database(directory: Path, sql: str) -> None:
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        connection.execute(sql)


@pytest.mark.parametrize("kind", FOREIGN)
async def test_a_foreign_directory_is_refused_and_not_changed(tmp_path: Path, kind: str) -> None:
    directory = tmp_path / "data"
    directory.mkdir(mode=0o755)
    FOREIGN[kind](directory)
    before = tree(directory)
    with pytest.raises(ConfigError, match=r"does not belong to an emulator .* nothing was changed .* empty directory"):
        async with Emulator(directory):
            pass
    assert tree(directory) == before


NAMES = st.sampled_from(["blobs/00/ab", "incoming/ab", "incoming/x/y", "lock", "reserve", "a", f"{DATABASE}-wal", "blobs/zz/a"])


@given(names=st.sets(NAMES, min_size=1))
def test_a_directory_with_any_foreign_file_is_refused(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    directory = tmp_path_factory.mktemp("data")
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(b"mine")
    before = tree(directory)
    with pytest.raises(ConfigError, match="does not belong"):
        claim(directory)
    assert tree(directory) == before


def test_a_directory_without_marker_left_by_a_killed_emulator_is_claimed(tmp_path: Path) -> None:
    """An emulator killed during its start leaves such a directory."""
    (tmp_path / "lock").touch()
    (tmp_path / f"{MARKER}.new").write_text("Data dir")
    os.close(claim(tmp_path))
    assert (tmp_path / MARKER).exists()


async def test_a_file_instead_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"mine")
    with pytest.raises(ConfigError, match="is not a directory"):
        async with Emulator(tmp_path / "data"):
            pass


async def test_new_and_empty_directories_are_claimed(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    (tmp_path / "empty").mkdir(mode=0o755)
    for directory in (tmp_path / "empty", tmp_path / "new" / "deep"):
        await fill(directory, session)
        assert "emulator" in (directory / MARKER).read_text()
        assert await content(directory, session) == BODY
        assert not (directory / "blobs" / "00" / ("0" * 32)).exists()
        assert not (directory / "incoming" / ("1" * 32)).exists()


async def test_data_of_a_release_without_marker_is_accepted(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    await fill(tmp_path, session)
    convert_to_old_layout(tmp_path)
    assert await content(tmp_path, session) == BODY
    assert (tmp_path / MARKER).is_file()
    assert not (tmp_path / "incoming" / ("1" * 32)).exists()


async def test_data_of_a_killed_emulator_is_accepted(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """All of its tables may still be in the write-ahead log."""
    code = (
        "import asyncio, os, sys\nfrom pathlib import Path\nfrom aiocos.emulator import Emulator\n"
        "async def main():\n    async with Emulator(Path(sys.argv[1])):\n        os._exit(0)\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60)
    assert (tmp_path / f"{DATABASE}-wal").stat().st_size
    (tmp_path / MARKER).unlink()
    await fill(tmp_path, session)
    assert await content(tmp_path, session) == BODY


@pytest.mark.parametrize("damage", ["missing", "empty", "another", "garbage"])
@pytest.mark.parametrize("marked", [True, False])
async def test_no_blob_is_removed_if_the_database_is_missing(
    tmp_path: Path, session: aiohttp.ClientSession, damage: str, marked: bool
) -> None:
    await fill(tmp_path, session)
    database = tmp_path / DATABASE
    remaining = database.read_bytes()
    database.unlink()
    if damage == "empty":
        database.write_bytes(b"")
    elif damage == "another":
        _database(tmp_path, "CREATE TABLE photos (id)")
    elif damage == "garbage":
        database.write_bytes(os.urandom(len(remaining)))
    if not marked:
        (tmp_path / MARKER).unlink()
    before = tree(tmp_path)
    with pytest.raises(ConfigError, match=DATABASE):
        async with Emulator(tmp_path):
            pass
    assert tree(tmp_path) == before
    if marked:
        database.write_bytes(remaining)
        assert await content(tmp_path, session) == BODY


async def test_no_unfinished_file_is_removed_if_the_database_is_missing(tmp_path: Path) -> None:
    async with Emulator(tmp_path):
        pass
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "incoming" / ("1" * 32)).write_bytes(b"mine")
    before = tree(tmp_path)
    with pytest.raises(ConfigError, match=f"incoming/, but its database {DATABASE} is missing"):
        async with Emulator(tmp_path):
            pass
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["blobs", "incoming"])
async def test_no_file_behind_a_symbolic_link_is_removed(tmp_path: Path, session: aiohttp.ClientSession, name: str) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    await fill(data, session)
    shutil.rmtree(data / name)
    (data / name).symlink_to(outside)
    for folder in (outside, outside / "ab"):
        folder.mkdir()
        (folder / ("ab" * 16)).write_bytes(b"mine")
    before = tree(tmp_path)
    with pytest.raises(ConfigError, match=f"{name} in it is a link"):
        async with Emulator(data):
            pass
    assert tree(tmp_path) == before


async def test_a_pipe_instead_of_the_database_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / DATABASE)
    with pytest.raises(ConfigError, match="does not belong to an emulator"):
        async with Emulator(tmp_path):
            pass


async def test_a_foreign_file_named_like_the_database_is_not_replaced(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with Emulator(tmp_path):
        pass
    garbage = os.urandom(100_000)
    (tmp_path / DATABASE).write_bytes(garbage)
    with pytest.raises(ConfigError, match="is not a database of the emulator"):
        async with Emulator(tmp_path):
            pass
    (tmp_path / DATABASE).write_bytes(b"SQLite format 3\0" + garbage)
    with pytest.raises(ConfigError, match="cannot be opened"):
        async with Emulator(tmp_path):
            pass
    assert (tmp_path / DATABASE).read_bytes()[16:] == garbage


async def test_only_files_named_like_blobs_are_removed(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    await fill(tmp_path / "data", session)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ("2" * 32)).write_bytes(b"mine")
    blobs = tmp_path / "data" / "blobs"
    (blobs / "ff").unlink(missing_ok=True)
    (blobs / "ee").symlink_to(outside)
    (blobs / "00" / "notes.txt").write_bytes(b"mine")
    (blobs / "00" / "abcdef").write_bytes(b"mine")
    (blobs / "00" / ("3" * 32)).mkdir()
    (blobs / "my").mkdir()
    (blobs / "my" / ("4" * 32)).write_bytes(b"mine")
    (tmp_path / "data" / "incoming" / "folder").mkdir()
    assert await content(tmp_path / "data", session) == BODY
    assert (outside / ("2" * 32)).exists()
    for remaining in ("00/notes.txt", "00/abcdef", "00/" + "3" * 32, "my/" + "4" * 32, "../incoming/folder"):
        assert (blobs / remaining).exists()
    assert not (blobs / "00" / ("0" * 32)).exists()


@pytest.mark.parametrize("adopted", [True, False])
async def test_only_the_owner_can_read_the_data_directory(
    tmp_path: Path, session: aiohttp.ClientSession, adopted: bool
) -> None:
    directory = tmp_path / "data"
    old = os.umask(0)
    try:
        directory.mkdir(mode=0o777)
        if adopted:
            await fill(directory, session)
            convert_to_old_layout(directory)
        async with Emulator(directory) as emulator:
            raw = Raw(emulator, session, emulator.instance)
            await raw.put("/bucket2")
            await raw.put("/bucket2/key", BODY)
            assert mode(directory) == 0o700
            assert (directory / f"{DATABASE}-wal").exists()
            files = [path for path in directory.rglob("*") if path.is_file()]
            assert {path.name: mode(path) for path in files if mode(path) & 0o077 and path.name not in ("0" * 32,)} == {}
            secrets = [key.secret_access_key.encode() for key in emulator.store.keys]
        assert any(secrets[0] in path.read_bytes() for path in directory.rglob("*") if path.is_file())
    finally:
        os.umask(old)
    assert mode(directory / DATABASE) == 0o600


async def test_a_temporary_directory_is_private() -> None:
    old = os.umask(0)
    try:
        async with Emulator() as emulator:
            directory = emulator.store.directory
            assert mode(directory) == 0o700
            assert {mode(path) for path in directory.glob(f"{DATABASE}*")} == {0o600}
    finally:
        os.umask(old)


async def test_a_second_emulator_on_a_directory_changes_nothing(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """It is refused before it removes unfinished files, which may be uploads of the first."""
    async with Emulator(tmp_path) as first:
        half = tmp_path / "incoming" / ("1" * 32)
        half.write_bytes(b"half")
        code = (
            "import asyncio, sys\nfrom pathlib import Path\nfrom aiocos.emulator import Emulator\n"
            "asyncio.run(Emulator(Path(sys.argv[1])).start())\n"
        )
        second = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
        assert second.returncode
        assert "in use by another emulator" in second.stderr
        assert half.exists()
        assert (await Raw(first, session, first.instance).put("/bucket")).status == 200


def command(directory: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "aiocos", "emulator", "--port", "0", "--data", str(directory)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


async def test_the_command_line_says_why_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "incoming").mkdir()
    (tmp_path / "mine" / "incoming" / "thesis.txt").write_bytes(b"mine")
    refused = await asyncio.to_thread(command, tmp_path / "mine")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "does not belong to an emulator" in refused.stderr
    assert str(tmp_path / "mine") in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (tmp_path / "mine" / "incoming" / "thesis.txt").read_bytes() == b"mine"
    async with Emulator(tmp_path / "data"):
        refused = await asyncio.to_thread(command, tmp_path / "data")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "in use by another emulator" in refused.stderr
