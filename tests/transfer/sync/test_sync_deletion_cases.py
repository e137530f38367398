"""Nothing is deleted that a source may still have: one case each."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import aiocos
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import CosError, ProtocolError
from aiocos.transfer import DirectoryError
from aiocos.transfer.sync.safe_target import SafeTarget

OURS = ".v.mp4.deadbeef.part"


def seen(root: Path) -> dict[str, bytes | str]:
    """All that is in a tree but directories: what files hold, where links lead to, and the rest."""
    out: dict[str, bytes | str] = {}
    for path in root.rglob("*"):
        mode, name = path.lstat().st_mode, path.relative_to(root).as_posix()
        if stat.S_ISLNK(mode):
            out[name] = os.readlink(path)
        elif stat.S_ISREG(mode):
            out[name] = path.read_bytes()
        elif not stat.S_ISDIR(mode):
            out[name] = "pipe"
    return out


async def stored(cos: aiocos.Client, prefix: str) -> dict[str, bytes]:
    keys = [entry.key async for entry in cos.objects.list("bucket", prefix=prefix)]
    return {key[len(prefix) :]: await cos.objects.read("bucket", key) for key in keys}


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    config = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=1))
    async with cos_emulator.client(config=config) as client:
        await client.buckets.create("bucket")
        yield client


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return filled(tmp_path / "site", "a", "b/c", "d/e/f")


def filled(root: Path, *names: str, data: bytes = b"here") -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


async def put(cos: aiocos.Client, *keys: str) -> None:
    await asyncio.gather(*(cos.objects.put("bucket", f"site/{key}", b"there") for key in keys))


def reasons(error: DirectoryError) -> dict[str, str]:
    return {one.path: one.error for one in error.result.errors}


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("page", [1, 2])
async def test_a_listing_that_fails_deletes_nothing(
    cos: aiocos.Client, cos_emulator: Emulator, site: Path, monkeypatch: pytest.MonkeyPatch, *, up: bool, page: int
) -> None:
    monkeypatch.setattr("aiocos.emulator.handlers.listing.page_size", lambda requested, name: 10)
    await asyncio.gather(*(cos.objects.put("bucket", f"site/n{n:04}", b"") for n in range(11)))
    before = await stored(cos, "site/")
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="ListObjectsV2", nth=page, times=None)])
    places = (site, "cos://bucket/site") if up else ("cos://bucket/site", site)
    with pytest.raises(CosError):
        await cos.sync(*places, delete=True)
    cos_emulator.faults.clear()
    assert before.items() <= (await stored(cos, "site/")).items()
    assert seen(site).items() >= dict.fromkeys(("a", "b/c", "d/e/f"), b"here").items()


@pytest.mark.parametrize("within", [True, False])
async def test_a_page_that_is_refused_midway_deletes_nothing(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch, *, within: bool
) -> None:
    """What the client says of a page that is none: the listing does not end there, it fails."""
    await put(cos, "0", "a", "b/c")
    real = cos.objects.list

    def broken(bucket: str, prefix: str | None) -> AsyncIterator[Any]:
        async def entries() -> AsyncIterator[Any]:
            async for entry in real(bucket, prefix=prefix):
                yield entry
                if prefix == "site/":
                    raise ProtocolError("the answer is no listing")

        return entries()

    monkeypatch.setattr(cos.objects, "list", broken)
    await cos.objects.put("bucket", "copy/x", b"")
    with pytest.raises(ProtocolError):
        await cos.sync("cos://bucket/site", "cos://bucket/copy" if within else site, delete=True)
    assert await cos.objects.exists("bucket", "copy/x")
    assert {"a", "b/c", "d/e/f"} <= set(seen(site))


@pytest.mark.parametrize("up", [True, False])
async def test_a_listing_of_something_else_deletes_nothing(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch, *, up: bool
) -> None:
    """Keys that do not lie below the prefix would be cut to names of other objects."""
    await put(cos, "a", "b/c", "e/x")
    await cos.objects.put("bucket", "wrong/e/x", b"")
    real = cos.objects.list
    monkeypatch.setattr(cos.objects, "list", lambda bucket, prefix: real(bucket, prefix="wrong/"))
    places = (site, "cos://bucket/site") if up else ("cos://bucket/site", site)
    with pytest.raises(ProtocolError, match="is not below it"):
        await cos.sync(*places, delete=True)
    monkeypatch.undo()
    assert {"a", "b/c", "e/x"} <= set(await stored(cos, "site/"))
    assert set(seen(site)) == {"a", "b/c", "d/e/f"}


async def test_a_cancel_while_the_temporary_file_is_made_leaves_none_open(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile
    import threading

    real, made, begun, go = tempfile.TemporaryFile, list[Any](), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(*args: Any, **kwargs: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        assert go.wait(20)
        made.append(real(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", slow)
    task = asyncio.create_task(cos.sync(site, "cos://bucket/site"))
    await begun.wait()
    task.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [file.closed for file in made] == [True]


async def test_a_dry_run_says_that_nothing_would_be_deleted_and_is_no_error(cos: aiocos.Client, tmp_path: Path) -> None:
    await put(cos, "x")
    (tmp_path / "empty").mkdir()
    result = await cos.sync(tmp_path / "empty", "cos://bucket/site", delete=True, dry_run=True)
    assert result.not_deleted is not None
    assert "would be deleted" in result.not_deleted
    assert [a.kind for a in result.actions] == ["delete"]
    again = await cos.sync(tmp_path / "empty", "cos://bucket/site", dry_run=True)
    assert (again.not_deleted, again.actions) == (None, [])


async def test_deletions_that_are_refused_are_not_counted(cos: aiocos.Client, site: Path) -> None:
    await cos.protection.put("bucket", aiocos.ProtectionConfiguration.of_days(minimum=0, default=0, maximum=100))
    await put(cos, "old1", "old2")
    await cos.objects.put("bucket", "site/old3", b"x", retention_period=86_400)
    with pytest.raises(DirectoryError, match="1 of") as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    result: Any = caught.value.result
    assert (result.deleted, result.files, result.not_deleted) == (2, 3, None)


async def test_names_that_are_ours_are_left_alone_on_both_sides_and_said(cos: aiocos.Client, site: Path) -> None:
    journal = "d/.x.0123456789ab.journal"
    filled(site, OURS, "b/.aiocos-case-01234567")
    await put(cos, OURS, journal, "gone")
    plan = [a async for a in cos.sync_plan(site, "cos://bucket/site", delete=True)]
    assert {(a.kind, a.source, a.target) for a in plan if a.kind != "upload"} == {
        ("delete", "", "cos://bucket/site/gone"),
        ("refuse", f"{site}/{OURS}", f"cos://bucket/site/{OURS}"),
        ("refuse", f"{site}/b/.aiocos-case-01234567", "cos://bucket/site/b/.aiocos-case-01234567"),
        ("refuse", "", f"cos://bucket/site/{journal}"),
    }
    with pytest.raises(DirectoryError) as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    assert set(await stored(cos, "site/")) == {"a", "b/c", "d/e/f", OURS, journal}
    assert all("unfinished downloads" in reason for reason in reasons(caught.value).values())
    assert len(caught.value.result.errors) == 3
    with pytest.raises(DirectoryError, match="2 of 5") as caught:
        await cos.upload_directory(site, "bucket", prefix="site/")
    assert set(reasons(caught.value)) == {f"{site}/{OURS}", f"{site}/b/.aiocos-case-01234567"}
    assert (await cos.upload_directory(site, "bucket", prefix="site/", exclude=[".*"])).files == 3
    # Down: what our own downloads have here stays and is nobody's business; what a bucket's writer puts there is refused.
    filled(site, ".own.0123abcd.part")
    with pytest.raises(DirectoryError, match="2 of") as caught:
        await cos.sync("cos://bucket/site", site, delete=True)
    assert {one.key for one in caught.value.result.errors} == {f"cos://bucket/site/{name}" for name in (OURS, journal)}
    assert set(seen(site)) == {"a", "b/c", "d/e/f", OURS, "b/.aiocos-case-01234567", ".own.0123abcd.part"}
    # And between two prefixes no name is ours.
    assert (await cos.sync("cos://bucket/site", "cos://bucket/copy", delete=True)).files == 5


@pytest.mark.parametrize("dry", [False, True])
async def test_a_directory_where_an_object_stands_and_the_reverse(cos: aiocos.Client, site: Path, *, dry: bool) -> None:
    await put(cos, "a/below", "b", "other")
    before = seen(site)
    plan = [a async for a in cos.sync_plan("cos://bucket/site", site, delete=True)]
    assert [a.kind for a in plan if a.source.endswith(("a/below", "site/b"))] == ["refuse", "refuse"]
    assert "nothing would be deleted" in plan[-1].reason
    if dry:
        result: Any = await cos.sync("cos://bucket/site", site, delete=True, dry_run=True)
        assert result.actions == plan[:-1]
        assert "cannot be paths here" in result.not_deleted
        assert seen(site) == before
        return
    with pytest.raises(DirectoryError, match="nothing was deleted") as caught:
        await cos.sync("cos://bucket/site", site, delete=True)
    assert seen(site) == {**before, "other": b"there"}
    told = reasons(caught.value)
    assert told[f"{site}/a/below"].endswith(f"{site}/a is a file, not a directory")
    assert told[f"{site}/b"].endswith(f"{site}/b is a directory, and the object a file")
    # Excluded, they stand in nobody's way; and up, there is room for both.
    assert (await cos.sync("cos://bucket/site", site, delete=True, exclude=["a", "b"])).deleted == 1
    result = await cos.sync(site, "cos://bucket/site", delete=True)
    assert set(await stored(cos, "site/")) == {"a", "b/c", "other"}


async def test_links_that_are_left_out_keep_their_objects(cos: aiocos.Client, site: Path, tmp_path: Path) -> None:
    """An earlier run may have followed them."""
    filled(tmp_path / "elsewhere", "in")
    (site / "link").symlink_to("a")
    (site / "folder").symlink_to(tmp_path / "elsewhere")
    assert (await cos.sync(site, "cos://bucket/site", symlinks="follow")).files == 5
    await put(cos, "old", "folder/old")
    plan = [a async for a in cos.sync_plan(site, "cos://bucket/site", delete=True)]
    assert {(a.kind, a.target) for a in plan} == {("delete", "cos://bucket/site/old")}
    shutil.rmtree(tmp_path / "elsewhere")  # a disk that is not mounted
    result = await cos.sync(site, "cos://bucket/site", delete=True, symlinks="skip")
    assert (result.deleted, result.unchanged) == (1, 3)
    assert set(await stored(cos, "site/")) == {"a", "b/c", "d/e/f", "link", "folder/in", "folder/old"}
    for links in ("files", "follow"):
        with pytest.raises(DirectoryError, match="nowhere"):
            await cos.sync(site, "cos://bucket/site", delete=True, symlinks=links)  # type: ignore[arg-type]


async def test_a_name_that_cannot_be_here_is_refused_by_itself(cos: aiocos.Client, tmp_path: Path) -> None:
    await put(cos, "x" * 300, "y/" + "z" * 300 + "/z", "good")
    for work in (
        cos.sync("cos://bucket/site", tmp_path / "out", delete=True),
        cos.download_directory("bucket", tmp_path / "out", prefix="site/"),
    ):
        with pytest.raises(DirectoryError, match="2 of") as caught:
            await work
        assert len(caught.value.result.errors) == 2
    assert seen(tmp_path / "out") == {"good": b"there"}


async def test_what_is_reached_by_a_link_is_not_deleted(cos: aiocos.Client, site: Path, tmp_path: Path) -> None:
    """The link leads to files that the source has under their own names, or to files elsewhere."""
    filled(tmp_path / "outside", "mine")
    (site / "in").symlink_to("b")
    (site / "out").symlink_to(tmp_path / "outside")
    filled(site, "gone")
    await put(cos, "a", "b/c")
    plan = [a async for a in cos.sync_plan("cos://bucket/site", site, delete=True, symlinks="follow")]
    assert {(a.kind, a.target) for a in plan if a.kind != "download"} == {
        ("delete", f"{site}/d/e/f"),
        ("delete", f"{site}/gone"),
        ("refuse", f"{site}/in/c"),
        ("refuse", f"{site}/out/mine"),
    }
    with pytest.raises(DirectoryError, match="2 of") as caught:
        await cos.sync("cos://bucket/site", site, delete=True, symlinks="follow")
    assert all("reached by the link" in reason for reason in reasons(caught.value).values())
    assert seen(tmp_path / "outside") == {"mine": b"here"}
    assert set(seen(site)) == {"a", "b/c", "in", "out"}


async def test_a_target_that_cannot_be_looked_at_is_told_of(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is surplus in it stays, and the two sides are not alike."""
    await put(cos, "a", "b/c")
    closed(monkeypatch, "e")
    with pytest.raises(DirectoryError, match="Permission denied"):
        await cos.sync("cos://bucket/site", site, delete=True)
    assert (site / "d" / "e" / "f").exists()
    assert (await cos.sync("cos://bucket/site", site)).unchanged == 2


def closed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have a directory of that name be one that may not be read: root may read all."""
    real = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("compare", ["time", "checksum"])
async def test_a_source_file_that_cannot_be_read_keeps_all_from_being_deleted(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compare: Any
) -> None:
    await cos.sync(site, "cos://bucket/site")
    await put(cos, "old")
    (site / "a").write_bytes(b"HERE" if compare == "checksum" else b"longer")
    real, real_open = Path.open, os.open

    def refusing(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.name == "a":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)

    def refusing_open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if Path(path).name == "a" and not flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, flags, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refusing)
    monkeypatch.setattr(os, "open", refusing_open)
    with pytest.raises(DirectoryError, match="not all of the source could be read") as caught:
        await cos.sync(site, "cos://bucket/site", delete=True, compare=compare)
    assert reasons(caught.value) == {f"{site}/a": f"[Errno 13] Permission denied: '{site}/a'"}
    assert await cos.objects.exists("bucket", "site/old")
    # In the target it is replaced instead: that needs no right to read it.
    await put(cos, "a")
    monkeypatch.undo()
    filled(tmp_path / "aside", "a", data=b"HEREE")
    os.replace(tmp_path / "aside" / "a", site / "a")
    monkeypatch.setattr(Path, "open", refusing)
    assert (await cos.sync("cos://bucket/site", site, include=["a"], compare="checksum")).files == 1


async def test_a_source_that_vanishes_at_the_beginning_is_no_empty_one(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiocos.transfer.sync import directory
    from aiocos.transfer.sync import listing as sides

    await cos.sync(site, "cos://bucket/site")
    real = sides.Directory.entries

    async def vanished(self: sides.Directory) -> AsyncIterator[Any]:
        await asyncio.to_thread(shutil.rmtree, site, ignore_errors=True)
        async for entry in real(self):
            yield entry

    monkeypatch.setattr(directory.Directory, "entries", vanished)
    with pytest.raises(DirectoryError, match="No such file"):
        await cos.upload_directory(site, "bucket")
    site.mkdir()
    with pytest.raises(DirectoryError, match="nothing was deleted"):
        await cos.sync(site, "cos://bucket/site", delete=True)
    assert len(await stored(cos, "site/")) == 3


async def test_a_file_that_comes_meanwhile_keeps_its_object(
    cos: aiocos.Client, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiocos.transfer.sync.files import FileUploads

    await put(cos, "later", "old")
    real = FileUploads.upload

    async def upload(*args: Any) -> Any:
        filled(site, "later")
        return await real(*args)

    monkeypatch.setattr(FileUploads, "upload", upload)
    assert (await cos.sync(site, "cos://bucket/site", delete=True)).deleted == 1
    assert set(await stored(cos, "site/")) == {"a", "b/c", "d/e/f", "later"}


async def test_no_directory_stays_open(cos: aiocos.Client, site: Path, tmp_path: Path, cos_emulator: Emulator) -> None:
    """Whatever comes of the files: refused, failed, or cancelled in the middle."""

    def held_open() -> list[str]:
        found: list[str] = []
        for name in os.listdir("/proc/self/fd"):
            try:
                found.append(os.readlink(f"/proc/self/fd/{name}"))
            except OSError:
                continue
        return [path for path in found if path.startswith(str(tmp_path))]

    if not os.path.isdir("/proc/self/fd"):
        return
    (site / "link").symlink_to(tmp_path)
    await put(cos, "a/x", "b", "link/x", "../x", "good", "d/e/good", *(f"many/{n}" for n in range(40)))
    for work in (cos.download_directory("bucket", site, prefix="site/"), cos.sync("cos://bucket/site", site, delete=True)):
        with pytest.raises(DirectoryError):
            await work
        assert held_open() == []
    for begin in (
        lambda: cos.start_download_directory("bucket", tmp_path / "other", prefix="site/many/"),
        lambda: cos.start_sync("cos://bucket/site/many", tmp_path / "third"),
    ):
        cos_emulator.faults.script([Delay(600, operation="GetObject", times=None)])
        handle = begin()
        async with asyncio.timeout(60):
            while len(cos_emulator.faults.hits) < 10:
                await asyncio.sleep(0.01)
        assert held_open() != []
        handle.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handle
        assert held_open() == []


async def test_a_name_in_another_case_is_not_deleted_where_it_is_the_same_file(
    cos: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiocos.transfer.sync.safe_target._ignores_case", lambda directory: True)
    names = {"read.me": "Read.me", unicodedata.normalize("NFD", "ü"): unicodedata.normalize("NFC", "ü")}
    root = filled(tmp_path / "out", *names, "old")
    await put(cos, *names.values())
    assert (await cos.sync("cos://bucket/site", root, delete=True)).deleted == 1
    assert set(seen(root)) == {*names, *names.values()}


def test_a_directory_swapped_for_a_link_takes_no_deletion_elsewhere(site: Path, tmp_path: Path) -> None:
    filled(tmp_path / "outside", "c", "e/f")
    safe_target = SafeTarget(site)
    safe_target.open()
    try:
        shutil.rmtree(site / "b")
        (site / "b").symlink_to(tmp_path / "outside")
        with pytest.raises(aiocos.TransferError, match="reached by the link"):
            safe_target.remove("b/c")
        assert safe_target.remove("d/e/f") is True
        assert safe_target.remove("d/e/f") is False
    finally:
        safe_target.close()
    assert set(seen(tmp_path / "outside")) == {"c", "e/f"}
    assert not (site / "d").exists()
