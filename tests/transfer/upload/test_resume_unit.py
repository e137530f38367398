"""An earlier upload is found by its journal and by what the service lists, without a service."""

import json
import os
from collections.abc import AsyncIterator
from hashlib import md5
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aiocos.body_checksum import BodyChecksums
from aiocos.errors import NoSuchKey, NoSuchUpload
from aiocos.operations.multipart import CompletedPart, CreateMultipartUpload
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.journal import Journal
from aiocos.transfer.parts import divide
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.upload import resume as resuming
from aiocos.transfer.upload.checksums import UploadChecksums
from aiocos.transfer.upload.resume import StoredPart
from aiocos.wire.digest import composite_etag


def hexed(number: int) -> str:
    return f"{number:032x}"


def noted(number: int, etag: str | None = None) -> dict[str, object]:
    return {"part": number, "etag": f'"{hexed(number)}"' if etag is None else etag, "md5": hexed(number)}


def raw(number: int) -> bytes:
    return number.to_bytes(16, "big")


class Shown:
    """A service that shows these parts, None for no upload, and this object."""

    def __init__(self, parts: list[tuple[int, int, str]] | None, head: ObjectInfo | None = None, *, md5: bool = True) -> None:
        self._engine = self
        self.multipart = self
        self.config = SimpleNamespace(verify_writes=True, transfer=SimpleNamespace(cleanup_timeout=30))
        self.aborted: list[str] = []
        self.asked: list[str] = []
        self._parts, self._head, self._md5 = parts, head, md5

    async def list_parts(self, bucket: str, key: str, upload_id: str) -> AsyncIterator[Any]:
        assert (bucket, key, upload_id) == ("bucket", "key", "id")
        if self._parts is None or self.aborted:
            raise NoSuchUpload("no such upload")
        for number, size, etag in self._parts:
            yield SimpleNamespace(part_number=number, size=size, etag=etag)

    async def abort(self, bucket: str, key: str, upload_id: str) -> None:
        assert (bucket, key) == ("bucket", "key")
        self.aborted.append(upload_id)

    async def call(self, operation: object) -> ObjectInfo:
        assert isinstance(operation, HeadObject)
        self.asked.append("object")
        if self._head is None:
            raise NoSuchKey("no such key")
        return self._head

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        assert (bucket, expected_bucket_owner) == ("bucket", "owner")
        self.asked.append("bucket")
        return self._md5


WHAT = {"kind": "upload", "endpoint": "https://cos", "bucket": "bucket", "key": "key", "size": 25, "part_size": 10}


CUT = list(divide(25, 10))


class Resumed:
    """The journal of an upload, and what is found by it."""

    def __init__(self, path: Path, *steps: object, **begun: object) -> None:
        self.journal = Journal.open(path)
        self.journal.begin({**WHAT, "upload_id": "id", **begun})
        for step in steps:
            self.journal.add(step)
        self.journal.close()
        self.journal = Journal.open(path)

    async def find(self, service: Any, **creation: Any) -> tuple[resuming.ResumableUpload | None, str | None]:
        create = CreateMultipartUpload("bucket", "key", expected_bucket_owner="owner", **creation)
        record = resuming.UploadJournal(service, self.journal, WHAT, create)
        sums = UploadChecksums(UploadRequest("bucket", "key", b""), BodyChecksums("auto", "https://cos"), "upload")
        found = await record.find(HeadObject("bucket", "key"), CUT, sums)
        self.journal.close()
        return found, record.rejected


async def test_parts_that_are_there_are_found(tmp_path: Path):
    service = Shown([(1, 10, f'"{hexed(1)}"'), (2, 9, f'"{hexed(2)}"'), (3, 5, "opaque")])
    found, refused = await Resumed(tmp_path / "j", noted(1), noted(3, "opaque")).find(service)
    assert refused is None
    assert found is not None
    assert (found.upload_id, found.completed) == ("id", None)
    assert found.algorithm == "md5", "a journal of an earlier version"
    assert found.parts == {1: StoredPart(f'"{hexed(1)}"', None, raw(1)), 3: StoredPart("opaque", None, raw(3))}
    assert await found.find_part(CUT[0], raw(1), b"") == (f'"{hexed(1)}"', "md5")
    assert await found.find_part(CUT[0], raw(2), b"") is None
    assert await found.find_part(CUT[1], raw(2), b"") is None, "one of another length"
    assert await found.find_part(CUT[2], raw(3), b"") == ("opaque", None)
    assert (service.asked, service.aborted) == ([], [])


@pytest.mark.parametrize(
    ("creation", "verify", "md5", "opaque", "asked"),
    [
        ({}, True, True, False, ["bucket"]),
        ({}, True, False, True, ["bucket"]),
        ({"customer_key": bytes(32)}, True, True, True, []),
        ({}, False, True, True, []),
        ({"server_side_encryption": "aws:kms"}, True, True, True, []),
        ({"server_side_encryption": "AES256"}, True, True, False, ["bucket"]),
    ],
)
async def test_the_journal_stands_in_where_etags_are_no_md5s(
    tmp_path: Path, creation: dict[str, Any], verify: bool, md5: bool, opaque: bool, asked: list[str]
):
    etag = f'"{hexed(99)}"'
    service = Shown([(1, 10, etag), (2, 10, f'"{hexed(98)}"')], md5=md5)
    service.config.verify_writes = verify
    found, _ = await Resumed(tmp_path / "j", noted(1, etag), noted(2, etag)).find(service, **creation)
    assert found is not None
    assert found.is_opaque is opaque
    assert await found.find_part(CUT[0], raw(1), b"") == ((etag, None) if opaque else None)
    assert await found.find_part(CUT[0], raw(99), b"") == (etag, None if opaque else "md5")
    assert await found.find_part(CUT[1], raw(2), b"") is None, "another ETag than the one that was answered"
    assert await found.find_part(CUT[1], raw(98), b"") == (f'"{hexed(98)}"', None if opaque else "md5")
    assert service.asked == asked


async def test_where_all_that_was_answered_are_md5s_nothing_is_asked(tmp_path: Path):
    service = Shown([(1, 10, f'"{hexed(1)}"')])
    await Resumed(tmp_path / "j", noted(1), noted(3, "opaque")).find(service)
    assert service.asked == []
    await Resumed(tmp_path / "k").find(service, customer_key=bytes(32))
    assert service.asked == []


async def test_a_part_too_many_refuses_it(tmp_path: Path):
    service = Shown([(1, 10, "e"), (4, 10, "e")])
    found, refused = await Resumed(tmp_path / "j").find(service)
    assert (found, refused) == (None, "the upload has a part 4, which the source has not")
    assert service.aborted == ["id"]


@pytest.mark.parametrize(
    ("changed", "aborted"),
    [
        ({"size": 24}, True),
        ({"part_size": 11}, True),
        ({"bucket": "b"}, False),
        ({"key": "k"}, False),
        ({"endpoint": "e"}, False),
    ],
)
async def test_a_journal_of_something_else_is_refused(tmp_path: Path, changed: dict[str, object], aborted: bool):
    """The old upload is aborted where it was of this object, and of this service."""
    service = Shown([(1, 10, "e")])
    found, refused = await Resumed(tmp_path / "j", **changed).find(service)
    assert found is None
    assert refused
    assert service.aborted == (["id"] if aborted else [])


@pytest.mark.parametrize(
    ("begun", "step"),
    [
        ({"upload_id": 5}, noted(1)),
        ({"upload_id": "é"}, noted(1)),
        ({"upload_id": "a\nb"}, noted(1)),
        ({}, {"part": 1, "etag": "é", "md5": "00"}),
        ({}, {"part": 1, "etag": "e", "md5": "x"}),
        ({}, {"part": 1, "etag": "e", "md5": 5}),
        ({}, {"part": 1, "etag": "e"}),
        ({}, {"part": "x", "etag": "e", "md5": "00"}),
        ({"checksum": "crc32"}, noted(1)),
        ({"checksum": "crc16"}, noted(1)),
        ({"checksum": ["crc32"]}, noted(1)),
        ({}, [1]),
        ({}, None),
    ],
)
async def test_a_damaged_journal_is_named(tmp_path: Path, begun: dict[str, object], step: object):
    service = Shown([])
    found, refused = await Resumed(tmp_path / "j", step, **begun).find(service)
    assert (found, refused) == (None, f"{tmp_path / 'j'} is damaged")
    assert service.aborted == []


async def test_without_a_journal_nothing_is_found_and_nothing_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    journal = Journal.open(tmp_path / "j")
    record = resuming.UploadJournal(Shown([]), journal, WHAT, CreateMultipartUpload("bucket", "key"))  # type: ignore[arg-type]
    none: Any = None
    assert (await record.find(HeadObject("bucket", "key"), CUT, none), record.rejected) == (None, None)
    journal.problem = "for a reason"
    assert (await record.find(HeadObject("bucket", "key"), CUT, none), record.rejected) == (None, "for a reason")
    [entry] = caplog.records
    assert entry.name == "aiocos.transfer"
    assert "the upload of bucket/key starts over" in entry.getMessage()
    journal.close()


ALL = [noted(1), noted(2), noted(3)]


JOINED = composite_etag(bytes.fromhex(hexed(number)) for number in (1, 2, 3))


async def test_one_that_was_completed_unheard_is_found(tmp_path: Path):
    for size in (25, None):
        info = ObjectInfo(etag=f'"{JOINED}"', content_length=size)
        found, refused = await Resumed(tmp_path / f"j{size}", *ALL).find(Shown(None, info))
        assert refused is None
        assert found is not None
        assert found.completed == info
        assert found.parts == {number: StoredPart(f'"{hexed(number)}"', None, raw(number)) for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("steps", "head", "asked"),
    [
        (ALL, ObjectInfo(etag=f'"{JOINED}"', content_length=24), True),
        (ALL, ObjectInfo(etag='"other"', content_length=25), True),
        (ALL[:2], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
        ([*ALL[:2], noted(4)], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
        ([*ALL[:2], noted(3, "opaque")], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
        ([], ObjectInfo(etag=f'"{JOINED}"', content_length=25), False),
    ],
)
async def test_an_object_that_this_upload_has_not_made(tmp_path: Path, steps: list[Any], head: ObjectInfo, asked: bool):
    service = Shown(None, head)
    found, refused = await Resumed(tmp_path / "j", *steps).find(service)
    assert (found, refused) == (None, "the upload is gone: it was aborted, or completed by somebody else")
    assert ("object" in service.asked) is asked


async def test_gone_and_no_object(tmp_path: Path):
    found, refused = await Resumed(tmp_path / "j", *ALL).find(Shown(None))
    assert (found, refused) == (None, "the upload is gone, and there is no object")


async def test_all_parts_are_read_to_know_whose_they_are():
    data = {part.number: os.urandom(part.length) for part in CUT}

    class Origin:
        async def read_hashed(self, part: Any, algorithm: str) -> tuple[bytes, bytes]:
            assert algorithm == "md5"
            return data[part.number], md5(data[part.number]).digest()

        def recycle(self, data: bytes) -> None:
            pass

    md5s = {number: md5(piece) for number, piece in data.items()}
    etags = {number: StoredPart(one.hexdigest()) for number, one in md5s.items()}
    found = resuming.ResumableUpload("id", "md5", etags)
    assert await found.matches(Origin(), CUT) is True  # type: ignore[arg-type]
    assert found.read == {number: (one.digest(), one.hexdigest(), "md5") for number, one in md5s.items()}
    data[2] = b"changed"
    assert await found.matches(Origin(), CUT) is False  # type: ignore[arg-type]
    assert await resuming.ResumableUpload("id").matches(Origin(), CUT) is False  # type: ignore[arg-type]


async def test_what_is_done_is_noted(tmp_path: Path):
    journal = Journal.open(tmp_path / "j")
    record = resuming.UploadJournal(Shown([]), journal, WHAT, CreateMultipartUpload("bucket", "key"))  # type: ignore[arg-type]
    await record.begin("id", "crc32")
    await record.add_part(CompletedPart(etag="e", part_number=3), "crc32", b"abcd")
    assert journal.steps == [{"part": 3, "etag": "e", "crc32": "61626364"}], "this very call may begin again"
    lines = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]
    assert lines == [
        {"journal": 1, **WHAT, "upload_id": "id", "checksum": "crc32"}, {"part": 3, "etag": "e", "crc32": "61626364"}
    ]  # fmt: skip
    await record.end()
    assert not (tmp_path / "j").exists()


def test_other_headers_are_other_options():
    def options(**more: Any) -> str:
        return resuming._options_digest(CreateMultipartUpload("bucket", "key", **more))

    assert options() == options(timeout=5) == options(timeout=6), "a deadline is no header"
    assert options(content_type="a/b") == options(content_type="a/b") != options(content_type="a/c") != options()
    secret = options(customer_key=bytes(32))
    assert secret != options(customer_key=bytes(31) + b"x")
    assert len(secret) == 64
