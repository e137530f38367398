"""What a synchronisation with `delete` may remove: nothing that the source has, and nothing that a filter leaves out."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import aiocos
from aiocos.emulator import Emulator
from aiocos.transfer import DirectoryError

OURS = ".v.mp4.deadbeef.part"


@dataclass
class World:
    """An emulator that serves all examples, each below a prefix of its own."""

    runner: asyncio.Runner
    cos: aiocos.Client
    root: Path
    count: Iterator[int]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with asyncio.Runner() as runner:
        emulator = Emulator()
        runner.run(emulator.__aenter__())
        cos = emulator.client()
        runner.run(cos.__aenter__())
        runner.run(cos.buckets.create("bucket"))
        yield World(runner, cos, tmp_path_factory.mktemp("trees"), itertools.count())
        runner.run(cos.__aexit__(None, None, None))
        runner.run(emulator.__aexit__(None, None, None))


def matches(pattern: str, name: str) -> bool:
    """Say what a pattern means, in another way than the library does: segment by segment."""

    def below(wanted: list[str], segments: list[str]) -> bool:
        if not wanted:
            return True
        if wanted == ["**"]:
            return bool(segments)
        if wanted[0] == "**":
            return any(below(wanted[1:], segments[at:]) for at in range(len(segments) + 1))
        return bool(segments) and fnmatchcase(segments[0], wanted[0]) and below(wanted[1:], segments[1:])

    text = re.sub("/+", "/", pattern)
    while text.startswith("./"):
        text = text[2:]
    text = text.removesuffix("/")
    segments = re.sub("/+", "/", name).removeprefix("/").split("/")
    if "/" in text:
        return below(text.removeprefix("/").split("/"), segments)
    return text == "**" or any(fnmatchcase(segment, text) for segment in segments)


def meant(name: str, include: list[str], exclude: list[str]) -> bool:
    return not any(matches(p, name) for p in exclude) and (not include or any(matches(p, name) for p in include))


SEGMENTS = st.sampled_from(["a", "b", "A", "tmp", "a-", "x.tmp", "ü", OURS])


NAMES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


KEYS = st.one_of(NAMES, NAMES, st.sampled_from(["a//b", "tmp//x", "/a", "a/", "tmp/", "a/../b", "./a", "b/.", "a\nb"]))


KINDS = st.sampled_from(["file"] * 8 + ["link", "broken", "pipe", "folder"])


PATTERNS = st.one_of(
    st.sampled_from(["tmp//", "/tmp//", "a/**/", "**", "**/", "a/*", "./a", "[!a]", "*.tmp", "A", "/a/", "a//b", "**/a", ".*"]),
    st.lists(st.sampled_from(["a", "b", "tmp", "*", "**", "?", "[!x]*", "a*"]), min_size=1, max_size=3).map("/".join),
)


def plant(root: Path, tree: dict[str, str], data: bytes) -> None:
    """Make a tree of files, links and pipes; names that would lie in a file, or whose place is taken, are left out."""
    root.mkdir()
    for name, kind in sorted(tree.items(), key=lambda one: one[0].count("/")):
        path = root / name
        above = list(path.parents)[: name.count("/")]
        if os.path.lexists(path) or any(os.path.lexists(p) and (p.is_symlink() or not p.is_dir()) for p in above):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "file":
            path.write_bytes(data)
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            aim = {"link": root.parent / "aim", "broken": Path("nowhere"), "folder": root.parent / "folder"}[kind]
            path.symlink_to(aim)


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


TREES = st.dictionaries(NAMES, KINDS, max_size=8)


FILTERS = st.tuples(st.lists(PATTERNS, max_size=1), st.lists(PATTERNS, max_size=2))


LINKS = st.sampled_from(["files", "follow", "skip"])


BOUNDS = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@BOUNDS
@given(TREES, st.sets(KEYS, max_size=8), FILTERS, LINKS)
@example({"tmp/x": "file", "k": "file"}, {"tmp/x"}, ([], ["tmp//"]), "files")
@example({"tmp/x": "file", "k": "file"}, {"tmp/x"}, ([], ["/tmp//"]), "files")
@example({OURS: "file", "k": "file"}, {OURS}, ([], []), "files")
@example({"a": "broken", "k": "file"}, {"a", "b"}, ([], []), "files")
@example({"a": "folder", "k": "file"}, {"a/in", "b"}, ([], []), "files")
def test_up_nothing_is_deleted_that_the_source_has_or_a_filter_leaves_out(
    world: World, tree: dict[str, str], keys: set[str], filters: tuple[list[str], list[str]], links: Any
) -> None:
    include, exclude = filters
    number = next(world.count)
    home, prefix = world.root / str(number), f"{number}/"
    home.mkdir()
    (home / "aim").write_bytes(b"new")
    (home / "folder").mkdir()
    (home / "folder" / "in").write_bytes(b"new")
    plant(home / "root", tree, b"new")
    before = seen(home / "root")

    async def run() -> DirectoryError | None:
        for key in keys:
            await world.cos.objects.put("bucket", prefix + key, b"older")
        places = home / "root", f"cos://bucket/{number}"
        try:
            await world.cos.sync(*places, delete=True, include=include, exclude=exclude, symlinks=links)
        except DirectoryError as error:
            return error
        return None

    error = world.runner.run(run())
    after = world.runner.run(stored(world.cos, prefix))
    assert seen(home / "root") == before
    for key in keys - set(after):
        path = home / "root" / key
        is_path = not any(part in ("", ".", "..") for part in key.split("/"))
        there = is_path and os.path.lexists(path) and (path.is_symlink() or not path.is_dir())
        assert not there, f"{key!r} is in the source"
        assert meant(key, include, exclude), f"{key!r} is left out, and deleted"
    for key in keys & set(after):
        assert after[key] == b"older" or (meant(key, include, exclude) and (home / "root" / key).exists())
    if error is None:
        kept = {k for k in keys if not meant(k, include, exclude) or _stands(home / "root", k)}
        assert set(after) - {k for k in keys if k.endswith("/") or OURS in k or "//" in k} <= kept | {
            p.relative_to(home / "root").as_posix() for p in _files(home / "root", links)
        }, "and what is surplus is gone"
    shutil.rmtree(home)


def _stands(root: Path, key: str) -> bool:
    """Tell whether a name is there, or lies behind a link."""
    return os.path.lexists(root / key) or any((root / above).is_symlink() for above in list(Path(key).parents)[:-1])


def _files(root: Path, links: str) -> Iterator[Path]:
    for path in root.iterdir():
        if path.is_dir() and (links == "follow" or not path.is_symlink()):
            yield from _files(path, links)
        elif path.is_file():
            yield path


@BOUNDS
@given(TREES, st.sets(KEYS, max_size=8), FILTERS, LINKS)
@example({"tmp/x": "file"}, {"tmp/x", "k"}, ([], ["tmp//"]), "files")
@example({"a": "file"}, {"a/x", "k"}, ([], []), "files")
@example({"a/x": "file"}, {"a", "k"}, ([], []), "files")
@example({OURS: "file"}, {"k"}, ([], []), "files")
@example({"a": "folder"}, {"k"}, ([], []), "follow")
@example({"a": "broken"}, {"a/a"}, ([], []), "files")
def test_down_nothing_is_deleted_that_the_source_has_or_a_filter_leaves_out(
    world: World, tree: dict[str, str], keys: set[str], filters: tuple[list[str], list[str]], links: Any
) -> None:
    include, exclude = filters
    number = next(world.count)
    home, prefix = world.root / str(number), f"{number}/"
    home.mkdir()
    (home / "aim").write_bytes(b"aim")
    (home / "folder").mkdir()
    (home / "folder" / "in").write_bytes(b"aim")
    plant(home / "root", tree, b"older")
    before = seen(home / "root")

    async def run() -> DirectoryError | None:
        for key in keys:
            await world.cos.objects.put("bucket", prefix + key, b"new")
        places = f"cos://bucket/{number}", home / "root"
        try:
            await world.cos.sync(*places, delete=True, include=include, exclude=exclude, symlinks=links)
        except DirectoryError as error:
            return error
        return None

    error = world.runner.run(run())
    after = seen(home / "root")
    assert set(world.runner.run(stored(world.cos, prefix))) == keys
    assert (home / "aim").read_bytes() == (home / "folder" / "in").read_bytes() == b"aim", "outside nothing is touched"
    for name in set(before) - set(after):
        assert name not in keys, f"{name!r} is in the source"
        assert meant(name, include, exclude), f"{name!r} is left out, and deleted"
        assert OURS not in name
        assert not any(name.startswith(key + "/") or key.startswith(name + "/") for key in keys if meant(key, include, exclude))
    for name, data in after.items():
        assert data == before.get(name) or (data == b"new" and name in keys and meant(name, include, exclude))
    if error is None:
        wanted = {k for k in keys if meant(k, include, exclude)}
        surplus = {n for n in after if n not in wanted and isinstance(before.get(n), bytes)}
        assert all(not meant(n, include, exclude) or OURS in n for n in surplus), "and what is surplus is gone"
        assert wanted <= set(after)
    shutil.rmtree(home)


@BOUNDS
@given(st.sets(KEYS, max_size=8), st.sets(KEYS, max_size=8), FILTERS)
def test_within_the_service_both_sides_are_as_the_filter_says(
    world: World, left: set[str], right: set[str], filters: tuple[list[str], list[str]]
) -> None:
    include, exclude = filters
    number = next(world.count)

    async def run() -> None:
        for key in left:
            await world.cos.objects.put("bucket", f"{number}/from/{key}", b"new")
        for key in right:
            await world.cos.objects.put("bucket", f"{number}/to/{key}", b"older")
        places = f"cos://bucket/{number}/from", f"cos://bucket/{number}/to/"
        await world.cos.sync(*places, delete=True, include=include, exclude=exclude)

    wanted = {key for key in left if meant(key, include, exclude)}
    if wanted:
        world.runner.run(run())
    else:
        with pytest.raises(DirectoryError, match="would be deleted"):
            world.runner.run(run())
    after = world.runner.run(stored(world.cos, f"{number}/to/"))
    stays = {key for key in right if not wanted or not meant(key, include, exclude)}
    assert after == {**dict.fromkeys(stays, b"older"), **dict.fromkeys(wanted, b"new")}
    assert set(world.runner.run(stored(world.cos, f"{number}/from/"))) == left


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    config = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=1))
    async with cos_emulator.client(config=config) as client:
        await client.buckets.create("bucket")
        yield client
