"""One side made like the other: only what differs, and nothing lost."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, used

import aiocos
from aiocos import SyncAction
from aiocos.emulator import Emulator
from aiocos.transfer import DirectoryError

FILES = {"a.txt": b"one", "b/c.txt": b"two", "b/d/e.bin": bytes(5000), "b-": b"between", "ü": b"", "z/☃": b"snow"}


@pytest.fixture
async def cos(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry)) as client:
        await client.buckets.create("bucket")
        yield client


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    write(root, FILES)
    return root


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def stored(cos: aiocos.Client, prefix: str = "site/") -> dict[str, bytes]:
    return {
        entry.key[len(prefix) :]: await cos.objects.read("bucket", entry.key)
        async for entry in cos.objects.list("bucket", prefix=prefix)
    }


def told(actions: list[SyncAction]) -> list[tuple[str, str, str]]:
    return [(a.kind, a.target.rpartition("site/")[2], a.reason) for a in actions]


async def test_up_and_down_and_nothing_more(cos: aiocos.Client, site: Path, tmp_path: Path):
    up = await cos.sync(site, "cos://bucket/site")
    assert (up.files, up.bytes, up.unchanged, up.deleted) == (len(FILES), sum(map(len, FILES.values())), 0, 0)
    assert await stored(cos) == FILES
    again = await cos.sync(site, "cos://bucket/site/")
    assert (again.files, again.unchanged) == (0, len(FILES))
    down = await cos.sync("cos://bucket/site", tmp_path / "out")
    assert down.files == len(FILES)
    assert contents(tmp_path / "out") == FILES
    assert (await cos.sync("cos://bucket/site", tmp_path / "out")).files == 0
    assert (await cos.sync(tmp_path / "out", "cos://bucket/site")).files == 0, "nor back: files have the time of their objects"
    assert used(cos) == 0


async def test_within_the_service(cos: aiocos.Client, site: Path):
    await cos.sync(site, "cos://bucket/site")
    await cos.objects.put("bucket", "site/folder/", b"")
    copied = await cos.sync("cos://bucket/site", "cos://bucket/copy")
    assert copied.files == len(FILES) + 1
    assert await stored(cos, "copy/") == {**FILES, "folder/": b""}
    assert (await cos.sync("cos://bucket/site", "cos://bucket/copy")).files == 0
    await cos.objects.put("bucket", "site/a.txt", b"other")
    await cos.objects.delete("bucket", "site/ü")
    result = await cos.sync("cos://bucket/site", "cos://bucket/copy", delete=True)
    assert (result.files, result.deleted) == (1, 1)
    assert await stored(cos, "copy/") == await stored(cos, "site/")


async def test_a_plan_is_made_and_not_carried_out(cos: aiocos.Client, site: Path):
    await cos.objects.put("bucket", "site/surplus", b"x")
    await cos.objects.put("bucket", "site/a.txt", b"longer")
    result = await cos.sync(site, "cos://bucket/site", delete=True, dry_run=True)
    assert result.dry_run
    assert told(result.actions) == [
        ("upload", "a.txt", "size"),
        ("upload", "b-", "new"),
        ("upload", "b/c.txt", "new"),
        ("upload", "b/d/e.bin", "new"),
        ("delete", "surplus", "not in the source"),
        ("upload", "z/☃", "new"),
        ("upload", "ü", "new"),
    ]
    assert result.actions[0] == SyncAction("upload", str(site / "a.txt"), "cos://bucket/site/a.txt", 3, "size")
    assert [a async for a in cos.sync_plan(site, "cos://bucket/site", delete=True)] == result.actions
    assert await stored(cos) == {"surplus": b"x", "a.txt": b"longer"}


async def test_a_plan_for_a_directory_touches_nothing(cos: aiocos.Client, site: Path, tmp_path: Path):
    await cos.sync(site, "cos://bucket/site")
    result = await cos.sync("cos://bucket/site", tmp_path / "out", dry_run=True)
    assert len(result.actions) == len(FILES)
    assert {a.kind for a in result.actions} == {"download"}
    assert not (tmp_path / "out").exists()


async def test_what_is_newer_and_what_only_looks_so(cos: aiocos.Client, site: Path, cos_emulator: Emulator):
    await cos.sync(site, "cos://bucket/site")
    now = cos_emulator.clock.now().timestamp()
    os.utime(site / "a.txt", (now + 100, now + 100))
    write(site, {"b-": b"BETWEEN"})
    os.utime(site / "b-", (now - 100, now - 100))
    by_time = await cos.sync(site, "cos://bucket/site", dry_run=True)
    assert told(by_time.actions) == [("upload", "a.txt", "newer")], "the other has been changed and looks old"
    by_size = await cos.sync(site, "cos://bucket/site", dry_run=True, compare="size")
    assert by_size.actions == []
    by_bytes = await cos.sync(site, "cos://bucket/site", dry_run=True, compare="checksum")
    assert told(by_bytes.actions) == [("upload", "b-", "checksum")], "the first has another time and the same bytes"


@pytest.mark.parametrize("same", [True, False])
async def test_a_change_within_the_second_of_its_upload_is_found(cos: aiocos.Client, site: Path, same: bool):
    """Within a second time cannot tell: the service may know whole seconds only. The bytes do."""
    await cos.sync(site, "cos://bucket/site")
    [entry] = [e async for e in cos.objects.list("bucket", prefix="site/a.txt")]
    assert entry.last_modified is not None
    stamp = int(entry.last_modified.timestamp() * 1000) * 10**6
    if not same:
        write(site, {"a.txt": b"ONE"})
    for nanoseconds in (-999_000_000, -1, 1, 500_000_000, 998_000_000):
        os.utime(site / "a.txt", ns=(stamp + nanoseconds,) * 2)
        plan = await cos.sync(site, "cos://bucket/site", dry_run=True)
        assert [a.target.rpartition("/")[2] for a in plan.actions] == ([] if same else ["a.txt"])


async def test_large_files_are_compared_part_by_part(cos: aiocos.Client, site: Path):
    write(site, {"large": DATA})
    await cos.sync(site, "cos://bucket/site")
    assert (await cos.objects.head("bucket", "site/large")).etag.endswith('-4"')
    assert (await cos.sync(site, "cos://bucket/site", compare="checksum")).files == 0
    changed = bytearray(DATA)
    changed[-1] ^= 1
    write(site, {"large": bytes(changed)})
    assert told((await cos.sync(site, "cos://bucket/site", compare="checksum", dry_run=True)).actions) == [
        ("upload", "large", "checksum")
    ]


async def test_objects_whose_etag_is_no_checksum(cos: aiocos.Client, site: Path):
    await cos.upload("bucket", "site/a.txt", b"ONE", customer_key=bytes(32))
    plan = await cos.sync(site, "cos://bucket/site", compare="checksum", include=["a.txt"], dry_run=True)
    # Nobody can tell, so the time decides; the file is the older one here, by less than a second or more.
    assert all("no checksum" in a.reason for a in plan.actions)


async def test_what_is_left_out_is_neither_sent_nor_deleted(cos: aiocos.Client, site: Path):
    await cos.objects.put("bucket", "site/logs/old.log", b"x")
    write(site, {"new.log": b"y", "logs/new.txt": b"z"})
    result = await cos.sync(site, "cos://bucket/site", delete=True, exclude=["*.log"])
    assert result.deleted == 0
    there = await stored(cos)
    assert "logs/old.log" in there
    assert "new.log" not in there
    only = await cos.sync(site, "cos://bucket/site", delete=True, include=["b/**"], dry_run=True)
    assert only.actions == []


async def test_what_is_surplus_goes_and_folders_stay(cos: aiocos.Client, site: Path, tmp_path: Path):
    await cos.sync(site, "cos://bucket/site")
    await cos.objects.put("bucket", "site/marker/", b"")
    await cos.objects.put("bucket", "sitex", b"a neighbour")
    (site / "a.txt").unlink()
    result = await cos.sync(site, "cos://bucket/site", delete=True)
    assert (result.deleted, result.files) == (1, 0)
    assert set(await stored(cos)) == set(FILES) - {"a.txt"} | {"marker/"}
    assert await cos.objects.exists("bucket", "sitex")
    write(tmp_path / "out", {"old/deep/file": b"x", "b/own": b"y"})
    result = await cos.sync("cos://bucket/site", tmp_path / "out", delete=True)
    assert result.deleted == 2
    assert contents(tmp_path / "out") == {name: data for name, data in FILES.items() if name != "a.txt"}
    assert not (tmp_path / "out" / "old").exists(), "directories that this left empty are gone"


async def test_more_surplus_than_one_batch(cos: aiocos.Client, site: Path):
    await asyncio.gather(*(cos.objects.put("bucket", f"site/old/{n}", b"") for n in range(1_100)))
    assert (await cos.sync(site, "cos://bucket/site", delete=True)).deleted == 1_100
    assert await stored(cos) == FILES


async def test_an_empty_source_deletes_nothing(cos: aiocos.Client, site: Path, tmp_path: Path):
    """A prefix that is mistyped, or a disk that is not mounted, must not empty the other side."""
    await cos.sync(site, "cos://bucket/site")
    with pytest.raises(DirectoryError, match="would be deleted"):
        await cos.sync("cos://bucket/sight", site, delete=True)
    assert contents(site) == FILES
    (tmp_path / "empty").mkdir()
    with pytest.raises(DirectoryError, match="would be deleted"):
        await cos.sync(tmp_path / "empty", "cos://bucket/site", delete=True)
    assert await stored(cos) == FILES
    plan = [a async for a in cos.sync_plan(tmp_path / "empty", "cos://bucket/site", delete=True)]
    assert plan[-1].kind == "refuse"
    assert "would be deleted" in plan[-1].reason


async def test_a_source_that_cannot_be_read_whole_deletes_nothing(cos: aiocos.Client, site: Path):
    await cos.sync(site, "cos://bucket/site")
    (site / "loop").symlink_to("loop")
    (site / "a.txt").unlink()
    with pytest.raises(DirectoryError, match="not all of the source") as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    result: Any = caught.value.result
    assert result.not_deleted
    assert [e.path for e in result.errors] == [str(site / "loop")]
    assert await cos.objects.exists("bucket", "site/a.txt")


async def test_a_listing_in_disorder_deletes_nothing(
    cos: aiocos.Client, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await cos.sync(site, "cos://bucket/site")
    write(tmp_path / "out", {**FILES, "own": b"x"})
    real = cos.objects.list

    def backwards(*args: Any, **kwargs: Any):
        async def entries():
            for entry in reversed([e async for e in real(*args, **kwargs)]):
                yield entry

        return entries()

    monkeypatch.setattr(cos.objects, "list", backwards)
    with pytest.raises(DirectoryError, match="does not list keys in order"):
        await cos.sync("cos://bucket/site", tmp_path / "out", delete=True)
    assert contents(tmp_path / "out") == {**FILES, "own": b"x"}


async def test_protected_objects_are_told_of(cos: aiocos.Client, site: Path):
    await cos.protection.put("bucket", aiocos.ProtectionConfiguration.of_days(minimum=0, default=0, maximum=100))
    await cos.objects.put("bucket", "site/kept", b"x", retention_period=86_400)
    with pytest.raises(DirectoryError, match="1 of") as caught:
        await cos.sync(site, "cos://bucket/site", delete=True)
    assert [e.key for e in caught.value.result.errors] == ["cos://bucket/site/kept"]
    assert await stored(cos) == {**FILES, "kept": b"x"}
