"""The file that a download becomes: what stood there, and what the new one has of it."""

import asyncio
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.transfer.conftest import DATA, PART

import aiocos
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import ConfigError, TransferError

SMALL = b"small"


KEYS = {"small": SMALL, "large": DATA}


@pytest.fixture
async def stored(small: aiocos.Client) -> aiocos.Client:
    for key, data in KEYS.items():
        await small.objects.put("bucket", key, data)
    return small


@pytest.fixture(params=[0o022, 0o077, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("key", KEYS)
async def test_a_new_file_has_what_the_umask_leaves(
    stored: aiocos.Client, tmp_path: Path, key: str, umask: int, *, resume: bool
):
    await stored.download("bucket", key, tmp_path / "f", resume=resume)
    assert mode_of(tmp_path / "f") == 0o666 & ~umask


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o444, 0o4711, 0o2770, 0o000])
@pytest.mark.parametrize("key", KEYS)
async def test_the_mode_is_kept(stored: aiocos.Client, tmp_path: Path, key: str, mode: int, *, resume: bool):
    target = tmp_path / "f"
    target.write_bytes(b"old")
    target.chmod(mode)
    await stored.download("bucket", key, target, resume=resume)
    assert mode_of(target) == mode
    target.chmod(0o600)
    assert target.read_bytes() == KEYS[key]


async def test_owner_and_group_are_kept_as_far_as_may_be(
    stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Root keeps both; a user who may give a file to a group of theirs keeps that; nobody makes a program run as themselves."""
    target = tmp_path / "f"
    target.write_bytes(b"old")
    target.chmod(0o6755)
    before, real = target.stat(), os.stat
    asked: list[tuple[int, int]] = []

    def other(path: object, **more: object) -> os.stat_result:
        found = real(path, **more)  # type: ignore[call-overload]
        return os.stat_result((*found[:4], 4242, 4243, *found[6:])) if str(path) == str(target) else found

    monkeypatch.setattr("aiocos.transfer.download.target.os.stat", other)
    allowed = True

    def chown(fd: int, user: int, group: int) -> None:
        asked.append((user, group))
        if not allowed and user != -1:
            raise PermissionError

    monkeypatch.setattr("aiocos.transfer.download.target.os.fchown", chown)
    for key in KEYS:
        asked.clear()
        await stored.download("bucket", key, target)
        assert asked == [(4242, 4243)]
        assert mode_of(target) == 0o6755
    allowed = False
    for key in KEYS:
        asked.clear()
        await stored.download("bucket", key, target)
        assert asked == [(4242, 4243), (-1, 4243)]
        assert mode_of(target) == 0o755
        target.chmod(0o6755)
    assert before.st_size == 3


async def test_the_owner_is_kept(stored: aiocos.Client, tmp_path: Path):
    user, group = (4242, 4243) if os.geteuid() == 0 else (os.getuid(), os.getgid())  # only root may give a file away
    target = tmp_path / "f"
    target.write_bytes(b"old")
    os.chown(target, user, group)
    target.chmod(0o4750)
    await stored.download("bucket", "large", target)
    assert (target.stat().st_uid, target.stat().st_gid, mode_of(target)) == (user, group, 0o4750)


async def test_a_file_system_without_modes(stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(fd: int, mode: int) -> None:
        raise PermissionError

    (tmp_path / "f").write_bytes(b"old")
    monkeypatch.setattr("aiocos.transfer.download.target.os.fchmod", refused)
    for key, data in KEYS.items():
        await stored.download("bucket", key, tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == data
        assert mode_of(tmp_path / "f") == 0o600, "rather too private than too open"


async def test_extended_attributes_are_kept(stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept: dict[str, bytes] = {}
    monkeypatch.setattr("os.listxattr", lambda fd: ["user.note", "user.refused"], raising=False)
    monkeypatch.setattr("os.getxattr", lambda fd, name: b"value", raising=False)

    def put(fd: int, name: str, value: bytes) -> None:
        if name == "user.refused":
            raise OSError
        kept[name] = value

    monkeypatch.setattr("os.setxattr", put, raising=False)
    await stored.download("bucket", "small", tmp_path / "f")
    assert kept == {}
    await stored.download("bucket", "small", tmp_path / "f")
    assert kept == {"user.note": b"value"}


async def test_a_private_file_is_not_readable_for_others_meanwhile(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path
):
    target = tmp_path / "f"
    target.write_bytes(b"old")
    target.chmod(0o600)
    seen: set[int] = set()

    def look(_: aiocos.Progress) -> None:
        seen.update(mode_of(path) for path in tmp_path.iterdir())

    for resume in (False, True):
        await stored.download("bucket", "large", target, resume=resume, on_progress=look)
    assert seen == {0o600}


async def test_a_file_to_replace_that_is_gone_when_it_goes_on(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    target = tmp_path / "f"
    target.write_bytes(b"old")
    target.chmod(0o600)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await stored.download("bucket", "large", target, resume=True, concurrency=1)
    cos_emulator.faults.script([])
    target.unlink()
    before = os.umask(0o022)
    try:
        assert (await stored.download("bucket", "large", target, resume=True)).resumed_bytes
    finally:
        os.umask(before)
    assert mode_of(target) == 0o644


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("key", KEYS)
async def test_a_link_is_followed_and_kept(stored: aiocos.Client, tmp_path: Path, key: str, *, resume: bool):
    real, here = tmp_path / "real", tmp_path / "here"
    real.mkdir()
    here.mkdir()
    (real / "file").write_bytes(b"old")
    (real / "file").chmod(0o640)
    (here / "first").symlink_to("second")
    (here / "second").symlink_to("../real/file")
    (tmp_path / "elsewhere").symlink_to(here)
    for name in (here / "first", tmp_path / "elsewhere" / "first"):
        (real / "file").write_bytes(b"old")
        result = await stored.download("bucket", key, name, resume=resume)
        assert result.path == name
        assert (real / "file").read_bytes() == KEYS[key]
        assert mode_of(real / "file") == 0o640
    assert os.readlink(here / "first") == "second"
    assert os.readlink(here / "second") == "../real/file"
    assert (os.listdir(real), sorted(os.listdir(here))) == (["file"], ["first", "second"])


async def test_what_is_unfinished_lies_where_the_link_leads(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real/file")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await stored.download("bucket", "large", tmp_path / "link", resume=True, concurrency=1)
    cos_emulator.faults.script([])
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]
    assert len(os.listdir(tmp_path / "real")) == 3
    # By its own name it is the same file, and goes on.
    result = await stored.download("bucket", "large", tmp_path / "real" / "file", resume=True)
    assert result.resumed_bytes >= PART
    assert (tmp_path / "link").read_bytes() == DATA


async def test_links_that_lead_nowhere(stored: aiocos.Client, tmp_path: Path):
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "chain").symlink_to("nowhere")
    (tmp_path / "deep").symlink_to("missing/too")
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "to-directory").symlink_to(".")
    before = sorted(os.listdir(tmp_path))
    for name, reason in {
        "nowhere": "which does not exist",
        "chain": "which does not exist",
        "deep": "which does not exist",
        "itself": "leads to itself",
        "a": "leads to itself",
        "to-directory": "is a directory",
    }.items():
        for key in KEYS:
            with pytest.raises(ConfigError, match=reason):
                await stored.download("bucket", key, tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == before


def _socket(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    # A path of a socket has 108 bytes at most.
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        listener.bind(path.name)
    finally:
        os.chdir(here)
    listener.close()


@pytest.mark.parametrize("make", [os.mkfifo, _socket, Path.mkdir], ids=["pipe", "socket", "directory"])
async def test_what_is_no_file_is_refused_and_stays(stored: aiocos.Client, tmp_path: Path, make: Callable[[Path], None]):
    make(tmp_path / "f")
    before = (tmp_path / "f").lstat()
    for key in KEYS:
        for resume in (False, True):
            with pytest.raises(ConfigError, match=r"not a regular file|is a directory"):
                await stored.download("bucket", key, tmp_path / "f", resume=resume)
    assert os.path.samestat((tmp_path / "f").lstat(), before)
    assert os.listdir(tmp_path) == ["f"]


async def test_the_systems_own_files_are_refused_and_stay(stored: aiocos.Client, tmp_path: Path):
    """Standard output may be a regular file behind a link of the system's: for root, a download took that link's place."""
    out = tmp_path / "out"
    with out.open("wb") as file:
        own = f"/dev/fd/{file.fileno()}"
        (tmp_path / "link").symlink_to(own)
        before = {path: os.lstat(path).st_ino for path in ("/dev/stdout", "/dev/null", "/dev/stderr")}
        for path in ("/dev/stdout", "/dev/stderr", "/dev/null", "/dev/new", own, tmp_path / "link"):
            for key in KEYS:
                with pytest.raises(ConfigError, match="not a regular file"):
                    await stored.download("bucket", key, path)
        assert {path: os.lstat(path).st_ino for path in before} == before
    assert not os.path.exists("/dev/new")
    assert out.read_bytes() == b""
    assert sorted(os.listdir(tmp_path)) == ["link", "out"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/null"), lambda path: path.symlink_to(__file__)]
)
async def test_what_comes_there_meanwhile_is_not_replaced(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str, make: Callable[[Path], None]
):
    cos_emulator.faults.script([Delay(0.2, operation="GetObject", nth=1)])
    job = asyncio.create_task(stored.download("bucket", key, tmp_path / "f"))
    while not cos_emulator.faults.hits:
        await asyncio.sleep(0.001)
    make(tmp_path / "f")
    with pytest.raises(TransferError, match="not a regular file any more"):
        await job
    assert not stat.S_ISREG((tmp_path / "f").lstat().st_mode)
    assert os.listdir(tmp_path) == ["f"]


async def test_a_name_that_is_too_long(stored: aiocos.Client, tmp_path: Path):
    with pytest.raises(ConfigError, match="not a valid file name"):
        await stored.download("bucket", "small", tmp_path / ("n" * 300))
