"""Two sides in step: what is to be done about each name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aiocos.errors import AccessDenied, RequestTimeoutError
from aiocos.transfer.results import SyncAction
from aiocos.transfer.sync.listing import Entry, RemoteObject
from aiocos.transfer.sync.plan import Step, merged, steps
from aiocos.transfer.sync.walk import LocalFile, Unreadable


def file(name: str, modified: int = 0) -> LocalFile:
    return LocalFile(name, Path(name), 1, modified)


def entry(name: str, modified: int = 0) -> RemoteObject:
    return RemoteObject(name, "bucket", f"prefix/{name}", 1, modified, '"e"')


def closed(name: str) -> Unreadable:
    return Unreadable(name, Path(name), OSError(f"{name} is closed"))


async def side(*entries: Entry | Unreadable) -> AsyncIterator[Entry | Unreadable]:
    for one in entries:
        yield one


async def differ(left: Entry, right: Entry) -> str | None:
    return "newer" if left.modified > right.modified else None


async def found(source: list[Entry | Unreadable], target: list[Entry | Unreadable]) -> tuple[list[Step], list[Entry]]:
    same: list[Entry] = []
    return [step async for step in steps(side(*source), side(*target), differ, same.append)], same


async def test_entries_of_one_name_are_a_pair():
    a, b, c, d = file("a"), file("b"), file("c"), file("d")
    x, y, z = entry("b"), entry("c"), entry("e")
    pairs = [pair async for pair in merged(side(a, b, c, d), side(x, y, z))]
    assert pairs == [(a, None), (b, x), (c, y), (d, None), (None, z)]
    assert [pair async for pair in merged(side(z), side(a))] == [(None, a), (z, None)]
    assert [pair async for pair in merged(side(), side(x, y))] == [(None, x), (None, y)]
    assert [pair async for pair in merged(side(a, b), side())] == [(a, None), (b, None)]
    assert [pair async for pair in merged(side(), side())] == []


async def test_names_are_compared_by_their_bytes():
    names = ["a", "a-", "a/b", "a0", "z", "é", "\uffee", "\U0001f600"]
    for left in names:
        for right in names:
            pairs = [pair async for pair in merged(side(file(left)), side(entry(right)))]
            if left == right:
                assert pairs == [(file(left), entry(right))]
            elif left.encode() < right.encode():
                assert pairs == [(file(left), None), (None, entry(right))]
            else:
                assert pairs == [(None, entry(right)), (file(left), None)]


async def test_what_cannot_be_looked_at_is_no_match():
    a, b, c = closed("a"), closed("b"), closed("")
    assert [p async for p in merged(side(a, file("b")), side(entry("a"), b))] == [
        (a, None),
        (None, entry("a")),
        (None, b),
        (file("b"), None),
    ]
    assert [p async for p in merged(side(c, c), side(c))] == [(c, None), (c, None), (None, c)]


async def test_a_step_says_what_is_to_be_done_and_why():
    out, same = await found(
        [file("a"), file("b", 5), file("c"), closed("d")],
        [entry("b", 4), entry("c"), closed("d"), entry("e")],
    )
    assert [(step.source, step.target, step.reason) for step in out] == [
        (file("a"), None, "new"),
        (file("b", 5), entry("b", 4), "newer"),
        (out[2].source, None, "d is closed"),
        (None, out[3].target, "d is closed"),
        (None, entry("e"), "not in the source"),
    ]
    assert isinstance(out[2].source, Unreadable)
    assert isinstance(out[3].target, Unreadable)
    assert same == [file("c")]


async def test_a_file_that_cannot_be_read_stops_no_other():
    async def failing(left: Entry, right: Entry) -> str | None:
        if left.name == "a":
            raise PermissionError("not yours")
        return "size"

    out = [s async for s in steps(side(file("a"), file("b")), side(entry("a"), entry("b")), failing, lambda _: None)]
    assert [(step.target, step.reason) for step in out] == [(entry("a"), "not yours"), (entry("b"), "size")]
    source = out[0].source
    assert isinstance(source, Unreadable)
    assert (source.name, source.path) == ("a", Path("a"))
    assert isinstance(source.error, PermissionError)


@pytest.mark.parametrize(
    ("left", "error"),
    [
        (file("a"), RequestTimeoutError("the service's timeout is an OSError, too", sent=True)),
        (file("a"), AccessDenied("no")),
        (entry("a"), OSError("no file")),
    ],
)
async def test_other_failures_are_not_the_files(left: Entry, error: Exception):
    async def failing(left: Entry, right: Entry) -> str | None:
        raise error

    with pytest.raises(type(error)) as caught:
        _ = [s async for s in steps(side(left), side(entry("a")), failing, lambda _: None)]
    assert caught.value is error


def test_an_action_is_what_it_says():
    action = SyncAction("upload", "a", "cos://b/a", 5, "new")
    assert (action.kind, action.source, action.target, action.size, action.reason) == ("upload", "a", "cos://b/a", 5, "new")
