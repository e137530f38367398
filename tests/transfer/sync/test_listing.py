"""The two sides of a synchronisation, each by itself."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aiocos.errors import ConfigError, ProtocolError
from aiocos.operations.listing import ObjectEntry
from aiocos.transfer.location import is_cos_url
from aiocos.transfer.sync.filters import Filter
from aiocos.transfer.sync.listing import Directory, Prefix, RemoteObject, side_of
from aiocos.transfer.sync.walk import LocalFile, Reserved, Unreadable

RESERVED = ".f.0123abcd.part"


class Service:
    """A service that lists what it is told to. `asked` is what it was asked for."""

    def __init__(self, *entries: ObjectEntry) -> None:
        self.objects = self
        self.asked: list[tuple[str, str | None]] = []
        self._entries = entries

    async def list(self, bucket: str, *, prefix: str | None) -> AsyncIterator[ObjectEntry]:
        self.asked.append((bucket, prefix))
        for entry in self._entries:
            yield entry


def prefix(service: Any, at: str = "dir/", wanted: Filter | None = None, *, folders: bool = False) -> Prefix:
    return Prefix(service, "bucket", at, wanted or Filter(), folders=folders)


def keys(*names: str, size: int = 1) -> list[ObjectEntry]:
    return [ObjectEntry(key=name, size=size) for name in names]


async def names(side: Prefix | Directory) -> list[str]:
    return [one.name async for one in side.entries()]


async def test_an_object_is_told_with_all_that_is_compared():
    moment = datetime(2024, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC)
    service = Service(
        ObjectEntry(key="dir/a", size=5, etag='"e"', last_modified=moment), ObjectEntry(key="dir/b/c", size=7, etag="")
    )
    side = prefix(service)
    assert [one async for one in side.entries()] == [
        RemoteObject("a", "bucket", "dir/a", 5, int(moment.timestamp()) * 10**9 + 123_456_000, '"e"'),
        RemoteObject("b/c", "bucket", "dir/b/c", 7, 0, ""),
    ]
    assert side.in_order
    assert (side.location("b/c"), str(side)) == ("cos://bucket/dir/b/c", "cos://bucket/dir/")
    assert await names(prefix(service, "")) == ["dir/a", "dir/b/c"]
    assert service.asked == [("bucket", "dir/"), ("bucket", None)]


async def test_folders_count_between_two_prefixes_only():
    entries = [*keys("dir/", "dir/a/", "dir/b/", size=0), *keys("dir/c/"), *keys("dir/d", size=0)]
    assert await names(prefix(Service(*entries))) == ["c/", "d"], "what has content is no folder"
    assert await names(prefix(Service(*entries), folders=True)) == ["", "a/", "b/", "c/", "d"]


async def test_reserved_names_are_told_of_and_are_none_between_two_prefixes():
    service = Service(*keys(f"dir/{RESERVED}", "dir/x"))
    found = [one async for one in prefix(service).entries()]
    assert isinstance(found[0], Reserved)
    assert (found[0].name, found[0].path) == (RESERVED, f"cos://bucket/dir/{RESERVED}")
    assert isinstance(found[1], RemoteObject)
    within = [one async for one in prefix(service, folders=True).entries()]
    assert [type(one) for one in within] == [RemoteObject, RemoteObject]
    left_out = prefix(service, wanted=Filter(exclude=[".*"]))
    assert await names(left_out) == ["x"], "what is excluded is not even told of"


async def test_what_is_left_out_counts_for_the_order():
    for listed, in_order in (
        (["dir/a", "dir/b"], True),
        (["dir/b", "dir/a"], False),
        (["dir/b", "dir/left-out", "dir/c"], False),
        (["dir/a", "dir/a"], False),
        (["dir/b", "dir/a", "dir/c"], False),
    ):
        side = prefix(Service(*keys(*listed)), wanted=Filter(exclude=["left-out"]))
        assert await names(side) == [key[4:] for key in listed if key != "dir/left-out"]
        assert side.in_order is in_order


async def test_a_listing_of_something_else_is_an_error():
    side = prefix(Service(*keys("dir/a", "dirt")))
    with pytest.raises(ProtocolError, match="'dirt', which is not below it"):
        await names(side)


async def test_a_directory_gives_its_files_however_many(tmp_path: Path):
    for number in range(600):
        (tmp_path / f"{number:04}").write_bytes(b"xyz")
    os.utime(tmp_path / "0000", ns=(5, 7_000_000_005))
    side = Directory(tmp_path, Filter(exclude=["0001"]))
    found = [one async for one in side.entries()]
    assert found[0] == LocalFile("0000", tmp_path / "0000", 3, 7_000_000_005)
    assert [one.name for one in found] == [f"{number:04}" for number in range(600) if number != 1]
    assert side.in_order
    assert (side.location("a/b"), str(side)) == (str(tmp_path / "a/b"), str(tmp_path))


async def test_a_directory_that_is_not_there(tmp_path: Path):
    gone = tmp_path / "gone"
    assert await names(Directory(gone, Filter(), is_target=True)) == []
    [trouble] = [one async for one in Directory(gone, Filter()).entries()]
    assert isinstance(trouble, Unreadable)
    assert isinstance(trouble.error, FileNotFoundError)


async def test_links_in_a_directory_are_as_told(tmp_path: Path):
    (tmp_path / "root").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "root" / "link").symlink_to("../file")
    assert await names(Directory(tmp_path / "root", Filter())) == ["link"]
    assert await names(Directory(tmp_path / "root", Filter(), "skip")) == []
    side = side_of(Service(), tmp_path / "root", Filter(), "skip", folders=False)  # type: ignore[arg-type]
    assert await names(side) == []


async def test_places_and_their_sides(tmp_path: Path):
    service: Any = Service(*keys("dir/a/", size=0), *keys("dir/b"))
    for place in (str(tmp_path), tmp_path, "cos:/x", Path("cos://bucket/dir")):
        side = side_of(service, place, Filter(), "files", folders=False)
        assert isinstance(side, Directory)
        assert not is_cos_url(place)
    for place, at in (
        ("cos://bucket", ""),
        ("cos://bucket/", ""),
        ("cos://bucket/dir", "dir/"),
        ("cos://bucket/dir/", "dir/"),
        ("cos://bucket/dir/deep", "dir/deep/"),
    ):
        side = side_of(service, place, Filter(), "files", folders=False)
        assert isinstance(side, Prefix)
        assert (side.bucket, side.prefix) == ("bucket", at)
        assert is_cos_url(place)
    for place in ("cos://", "cos:///dir"):
        with pytest.raises(ConfigError, match="names no bucket"):
            side_of(service, place, Filter(), "files", folders=False)
    for folders, expected in ((False, ["b"]), (True, ["a/", "b"])):
        assert await names(side_of(service, "cos://bucket/dir", Filter(), "files", folders=folders)) == expected
    wanted = side_of(service, "cos://bucket/dir", Filter(exclude=["b"]), "files", folders=False)
    assert await names(wanted) == []


async def test_a_target_that_is_not_there_has_nothing(tmp_path: Path):
    target = side_of(Service(), tmp_path / "gone", Filter(), "files", folders=False, is_target=True)  # type: ignore[arg-type]
    assert await names(target) == []
    source = side_of(Service(), tmp_path / "gone", Filter(), "files", folders=False)  # type: ignore[arg-type]
    assert await names(source) == [""]
