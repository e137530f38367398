"""Reasons to transfer: size, time, and what the bytes are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aiocos.config import MIB
from aiocos.errors import AccessDenied
from aiocos.integrity import Verification
from aiocos.object_checksum import Checksum
from aiocos.operations.objects import HeadObject
from aiocos.transfer.sync import comparator as comparing
from aiocos.transfer.sync.comparator import Compare, difference
from aiocos.transfer.sync.listing import Entry, RemoteObject
from aiocos.transfer.sync.walk import LocalFile

SECOND = 10**9
NOW = 1_700_000_000 * SECOND
DATA = bytes(range(256)) * 20_000  # more than is read at once
ONE, TWO = '"0123456789abcdef0123456789abcdef"', '"fedcba9876543210fedcba9876543210"'
PARTS = '"0123456789abcdef0123456789abcdef-3"'


def entry(modified: int = NOW, size: int = len(DATA), etag: str = ONE) -> RemoteObject:
    return RemoteObject("name", "bucket", "prefix/name", size, modified, etag)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., LocalFile]:
    def make(modified: int = NOW, size: int = len(DATA)) -> LocalFile:
        (tmp_path / "name").write_bytes(DATA)
        return LocalFile("name", tmp_path / "name", size, modified)

    return make


def proof(data: bytes, kind: Any = "md5") -> Checksum:
    md5 = hashlib.md5(usedforsecurity=False)
    return Checksum(kind, hashlib.md5(data, usedforsecurity=False).hexdigest(), md5.update, md5.hexdigest)


class Service:
    """Vouches for what it is told to; `asked` are the objects of its requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, vouch: Callable[[], Verification | None]) -> None:
        self._engine = self
        self.asked: list[tuple[str, str]] = []
        self._vouch = vouch
        monkeypatch.setattr(comparing, "find_verification", self._evidence)

    async def call(self, operation: HeadObject) -> object:
        self.asked.append((operation.bucket, operation.key))
        return object()

    async def _evidence(self, engine: object, reading: Any, info: object) -> Verification | None:
        assert (reading.bucket, reading.key) == ("bucket", "prefix/name")
        return self._vouch()


def vouching(data: bytes, *further: bytes | None) -> Callable[[], Verification]:
    """Evidence for bytes, and what is said when they are asked about once more."""

    async def check(proof: Checksum, what: str) -> bool:
        raise AssertionError("not held against the object")

    async def otherwise() -> Checksum | None:
        return None if further[0] is None else proof(further[0])

    return lambda: Verification(proof(data), check, otherwise if further else None)


async def why(service: Any, source: Entry, target: Entry, compare: Compare) -> str | None:
    return await difference(service, source, target, compare)


@pytest.mark.parametrize("compare", ["time", "size", "checksum"])
async def test_another_size_is_a_difference(monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile], compare: Compare):
    service = Service(monkeypatch, vouching(DATA))
    assert await why(service, file(), entry(size=len(DATA) + 1), compare) == "size"
    assert await why(service, entry(size=0), entry(size=1), compare) == "size"
    assert service.asked == []


async def test_where_size_alone_counts_nothing_else_is_asked(monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile]):
    service = Service(monkeypatch, vouching(b""))
    assert await why(service, file(NOW + 99 * SECOND), entry(), "size") is None
    assert await why(service, entry(), entry(etag=TWO), "size") is None
    assert service.asked == []


async def test_by_time(monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile]):
    service = Service(monkeypatch, vouching(DATA))
    for source, target in ((file(NOW + SECOND), entry()), (entry(NOW + SECOND), file()), (entry(NOW + SECOND), entry())):
        assert await why(service, source, target, "time") == "newer"
    for source, target in ((file(NOW - SECOND), entry()), (entry(NOW - SECOND), file()), (entry(NOW - SECOND), entry())):
        assert await why(service, source, target, "time") is None
    assert await why(service, file(), entry(), "time") is None, "a download has set this time"
    assert service.asked == [], "nothing is read where times tell"


@pytest.mark.parametrize("step", [1, SECOND - 1, 1 - SECOND, -1])
async def test_within_a_second_the_bytes_tell(monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile], step: int):
    service = Service(monkeypatch, vouching(DATA))
    assert await why(service, file(NOW + step), entry(), "time") is None
    assert await why(service, entry(), file(NOW + step), "time") is None
    assert service.asked == [("bucket", "prefix/name")] * 2
    other = Service(monkeypatch, vouching(b"other"))
    assert await why(other, file(NOW + step), entry(), "time") == "of the same second, and not known to be the same"
    nothing = Service(monkeypatch, lambda: None)
    assert await why(nothing, file(NOW + step), entry(), "time") == "of the same second, and not known to be the same"


async def test_two_objects_of_the_same_time_are_compared_by_their_etags(monkeypatch: pytest.MonkeyPatch):
    service = Service(monkeypatch, vouching(DATA))
    assert await why(service, entry(), entry(), "time") is None
    assert await why(service, entry(etag=ONE), entry(etag=ONE.strip('"')), "time") is None
    assert await why(service, entry(), entry(etag=TWO), "time") == "of the same second, and not known to be the same"
    assert service.asked == []


async def test_objects_by_checksum(monkeypatch: pytest.MonkeyPatch):
    service = Service(monkeypatch, vouching(DATA))
    later = NOW + 99 * SECOND
    assert await why(service, entry(later), entry(), "checksum") is None
    assert await why(service, entry(etag=PARTS), entry(etag=PARTS), "checksum") is None
    assert await why(service, entry(), entry(later, etag=TWO), "checksum") == "checksum"
    # Of ETags that differ and are not both MD5s nothing follows: time has to do.
    no_checksum = "newer, and has no checksum to compare"
    for one, two in ((ONE, PARTS), (PARTS, ONE)):
        assert await why(service, entry(later, etag=one), entry(etag=two), "checksum") == no_checksum
        assert await why(service, entry(etag=one), entry(etag=two), "checksum") == no_checksum
        assert await why(service, entry(etag=one), entry(later, etag=two), "checksum") is None


async def test_files_by_checksum(monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile]):
    later = NOW + 99 * SECOND
    service = Service(monkeypatch, vouching(DATA))
    assert await why(service, file(later), entry(), "checksum") is None
    assert await why(service, entry(later), file(), "checksum") is None
    service = Service(monkeypatch, vouching(DATA[:-1] + b"?"))
    assert await why(service, file(), entry(later), "checksum") == "checksum"
    assert await why(service, entry(), file(later), "checksum") == "checksum"
    service = Service(monkeypatch, lambda: None)
    assert await why(service, file(later), entry(), "checksum") == "newer, and has no checksum to compare"
    assert await why(service, file(), entry(later), "checksum") is None
    assert await why(service, file(), entry(), "checksum") is None, "a download has set this time"


async def test_a_supposition_is_looked_into(monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile]):
    for further, reason in ((DATA, None), (b"other", "checksum"), (None, "checksum")):
        service = Service(monkeypatch, vouching(b"supposed", further))
        assert await why(service, file(), entry(), "checksum") == reason
    service = Service(monkeypatch, vouching(DATA, b"never asked for"))
    assert await why(service, file(), entry(), "checksum") is None


async def test_an_object_that_cannot_be_asked_about_is_compared_by_time(
    monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile]
):
    def refuse() -> Verification:
        raise AccessDenied("no")

    service = Service(monkeypatch, refuse)
    assert await why(service, file(NOW + SECOND), entry(), "checksum") == "newer, and has no checksum to compare"
    assert await why(service, file(NOW - SECOND), entry(), "checksum") is None


async def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, file: Callable[..., LocalFile]):
    service = Service(monkeypatch, vouching(DATA))
    gone = file()
    gone.path.unlink()
    with pytest.raises(FileNotFoundError):
        await why(service, gone, entry(), "checksum")
    later = entry(NOW + 99 * SECOND)
    assert await why(service, later, gone, "checksum") == "newer, and has no checksum to compare", "it is going to be replaced"


def test_a_file_is_read_to_its_end(tmp_path: Path):
    data = bytes(4 * MIB) + b"the end"
    (tmp_path / "f").write_bytes(data)
    assert comparing.file_agrees(tmp_path / "f", proof(data)) is True
    assert comparing.file_agrees(tmp_path / "f", proof(data[:-1])) is False
