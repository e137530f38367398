"""Flushing a target to the disk, and each step of replacing one by itself."""

import asyncio
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_files

import aiocos
from aiocos.emulator import Delay, Emulator
from aiocos.errors import ConfigError
from aiocos.transfer import files
from aiocos.transfer.download.target import Target, _check_not_of_system, _umask

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


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("config", "given", "flushed"),
    [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
    ids=["default", "by the client", "by the call", "not by the call"],
)
async def test_file_and_directory_are_flushed_in_this_order(
    stored: aiocos.Client,
    cos_emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    given: bool | None,
    *,
    config: bool,
    flushed: bool,
):
    done: list[str] = []
    real, replace, write = os.fsync, os.replace, files.write_at

    def fsync(fd: int) -> None:
        done.append("directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else f"file of {os.fstat(fd).st_size}")
        real(fd)

    def replaced(*args: object, **more: object) -> None:
        done.append("renamed")
        replace(*args, **more)  # type: ignore[arg-type]

    def written(*args: object) -> None:
        done.append("written")
        write(*args)  # type: ignore[arg-type]

    # With and without a link, whose target's directory it is.
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real/f")
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, fsync=config)
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry)) as cos:
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "replace", replaced)
        monkeypatch.setattr("aiocos.transfer.download.partial.write_at", written)
        monkeypatch.setattr("aiocos.transfer.download.small.write_at", written)
        for target in (tmp_path / "f", tmp_path / "link"):
            for resume in (False, True):
                done.clear()
                await cos.download("bucket", key, target, fsync=given, resume=resume)
                end = [f"file of {len(KEYS[key])}", "renamed", "directory"] if flushed else ["renamed"]
                assert done[-len(end) :] == end
                assert set(done[: -len(end)]) == {"written"}


async def test_a_file_that_cannot_be_flushed_does_not_take_its_place(
    stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    (tmp_path / "f").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", broken)
    for key in KEYS:
        with pytest.raises(OSError, match="Input/output"):
            await stored.download("bucket", key, tmp_path / "f", fsync=True)
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


async def test_a_file_system_that_flushes_no_directories(
    stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = os.fsync

    def only_files(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(22, "Invalid argument")
        real(fd)

    monkeypatch.setattr(os, "fsync", only_files)
    await stored.download("bucket", "small", tmp_path / "f", fsync=True)
    assert (tmp_path / "f").read_bytes() == SMALL


def test_a_target_in_an_open_directory_uses_names_only(tmp_path: Path):
    (tmp_path / "d").mkdir()
    fd = os.open(tmp_path / "d", os.O_RDONLY)
    try:
        target = Target(tmp_path / "d", "f", dir_fd=fd)
        (tmp_path / "d").rename(tmp_path / "moved")
        new = target.create(".new")
        target.replace_with(".new", new, fsync=True)
        os.close(new)
        assert os.listdir(tmp_path / "moved") == ["f"]
    finally:
        os.close(fd)


async def test_a_target_that_may_not_be_looked_at(stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(path: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("aiocos.transfer.download.target.os.lstat", refused)
    with pytest.raises(PermissionError):
        await stored.download("bucket", "small", tmp_path / "f")
    assert os.listdir(tmp_path) == []


def test_in_an_open_directory_only_a_file_is_replaced(tmp_path: Path):
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "directory").mkdir()
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        for name in ("link", "directory"):
            with pytest.raises(ConfigError):
                Target.find(files.OpenTarget(tmp_path / name, fd))
        assert Target.find(files.OpenTarget(tmp_path / "file", fd)).old is not None
        assert Target.find(files.OpenTarget(tmp_path / "new", fd)).old is None
    finally:
        os.close(fd)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("comes", [True, False], ids=["comes", "goes"])
async def test_a_file_that_comes_or_goes_meanwhile(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str, *, comes: bool
):
    """What is there at the end counts; where nothing is, what was there at the beginning."""
    target = tmp_path / "f"

    def make() -> None:
        target.write_bytes(b"old")
        target.chmod(0o640)

    if not comes:
        make()
    cos_emulator.faults.script([Delay(0.2, operation="GetObject", nth=1)])
    job = asyncio.create_task(stored.download("bucket", key, target))
    while not cos_emulator.faults.hits:
        await asyncio.sleep(0.001)
    if comes:
        make()
    else:
        target.unlink()
    await job
    assert (target.read_bytes() == KEYS[key], mode_of(target)) == (True, 0o640)


@pytest.mark.parametrize(
    "path",
    ["/dev/x", "/dev/fd/5", "/proc/x", "/proc/self/fd/5", "/proc/1/root", "/sys/x", "/sys/kernel/x", "/proc/../dev/x"],
)
def test_places_that_are_the_systems(path: str):
    with pytest.raises(ConfigError, match="one of the system's own"):
        _check_not_of_system(Path("given"), Path(path))


def test_places_that_are_the_users(tmp_path: Path):
    (tmp_path / "dev").mkdir()
    for path in (tmp_path / "dev" / "x", tmp_path / "x", Path("/dev/shm/x"), Path("/process/x"), Path("/system/x")):
        _check_not_of_system(path, path)
    (tmp_path / "link").symlink_to("/dev")
    with pytest.raises(ConfigError, match="one of the system's own"):
        _check_not_of_system(Path("given"), tmp_path / "link" / "x")


@pytest.mark.parametrize(
    ("text", "umask"),
    [
        ("Name:\tx\nUmask:\t0027\nState:\tR\n", 0o027),
        ("Umask:\t0000\n", 0),
        ("Name:\tx\n", 0o077),
        ("Umask:\n", 0o077),
        ("Umask:\t9\n", 0o077),
        (None, 0o077),
    ],
)
def test_the_umask_that_the_system_tells(monkeypatch: pytest.MonkeyPatch, text: str | None, umask: int):
    def opened(path: str, **more: object) -> io.StringIO:
        assert path == "/proc/self/status"
        if text is None:
            raise FileNotFoundError
        return io.StringIO(text)

    monkeypatch.setattr("builtins.open", opened)
    assert _umask() == umask


def test_the_umask_of_this_process(umask: int):
    assert _umask() == (umask if os.path.exists("/proc/self/status") else 0o077)


def test_links_are_followed_as_far_as_the_system_does(tmp_path: Path):
    (tmp_path / "link0").write_bytes(b"x")
    for number in range(1, 42):
        (tmp_path / f"link{number}").symlink_to(f"link{number - 1}")
    for number in (0, 1, 39):
        target = Target.find(str(tmp_path / f"link{number}"))
        assert (target.path, target.directory, target.name) == (tmp_path / "link0", tmp_path, "link0")
        assert target.dir_fd is None
        assert target.old is not None
        assert target.sibling("y") == tmp_path / "y"
    with pytest.raises(ConfigError, match="to more than 40 others"):
        Target.find(tmp_path / "link41")


def test_a_target_that_has_no_directory(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"x")
    for directory in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(ConfigError, match=f"{directory} is not a directory: the object is not downloaded to {directory}/x"):
            Target.find(directory / "x")
    new = Target.find(tmp_path / "new")
    assert (new.old, new.path) == (None, tmp_path / "new")


@pytest.mark.parametrize("there", [False, True])
def test_a_file_beside_the_target_is_private_where_there_is_one_to_replace(tmp_path: Path, umask: int, there: bool):
    if there:
        (tmp_path / "f").write_bytes(b"x")
    target = Target.find(tmp_path / "f")
    expected = 0o600 if there else 0o666 & ~umask
    fd = target.create("new")
    assert stat.S_IMODE(os.fstat(fd).st_mode) == expected & (~umask | 0o700)
    with pytest.raises(FileExistsError):
        target.create("new")
    os.close(fd)
    target.remove("new")
    target.remove("new")
    fd, removed = target.open_own("new", os.O_RDWR)
    assert (stat.S_IMODE(os.fstat(fd).st_mode), removed) == (expected & (~umask | 0o700), None)
    os.close(fd)
    (tmp_path / "new").chmod(0o644)
    fd, removed = target.open_own("new", os.O_RDWR)
    assert stat.S_IMODE(os.fstat(fd).st_mode) == (0o600 if there else 0o644)
    os.close(fd)
    assert sorted(os.listdir(tmp_path)) == ["f", "new"][not there :]


def test_a_private_file_is_opened_up_where_there_is_nothing_to_replace(tmp_path: Path):
    """It was begun by an earlier call; any other mode is somebody's, and stays."""
    for mode, expected in ((0o600, 0o644), (0o640, 0o640)):
        target = Target.find(tmp_path / "f")
        fd, _ = target.open_own("new", os.O_RDWR)
        os.fchmod(fd, mode)
        before = os.umask(0o022)
        try:
            target.replace_with("new", fd)
        finally:
            os.umask(before)
            os.close(fd)
        assert mode_of(tmp_path / "f") == expected
        (tmp_path / "f").unlink()
    assert os.listdir(tmp_path) == []


def test_nothing_stays_open_where_attributes_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "f").write_bytes(b"x")
    target = Target.find(tmp_path / "f")
    fd = target.create("new")
    before = open_files()
    monkeypatch.setattr("os.listxattr", lambda fd: [], raising=False)
    target.replace_with("new", fd)
    assert open_files() == before
    os.close(fd)


@pytest.mark.parametrize("key", KEYS)
async def test_rights_of_the_old_content_are_not_given_to_the_new(
    stored: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
):
    """Whoever writes to the bucket would get a program that runs as root."""
    (tmp_path / "program").write_bytes(b"old")
    given: list[str] = []
    names = ["security.capability", "user.mine", "security.ima", "security.selinux", "security.evm"]
    # Only root gives such attributes, and only some file systems have them.
    monkeypatch.setattr(os, "listxattr", lambda fd: names, raising=False)
    monkeypatch.setattr(os, "getxattr", lambda fd, name: b"value", raising=False)
    monkeypatch.setattr(os, "setxattr", lambda fd, name, value: given.append(name), raising=False)
    await stored.download("bucket", key, tmp_path / "program")
    assert given == ["user.mine", "security.selinux"]
