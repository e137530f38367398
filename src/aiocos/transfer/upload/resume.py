"""Continue an upload that an earlier process began.

The journal says which upload it was, which checksum it declared, and which parts were sent; the service says which parts it
has. A part is reused if its bytes, read from the source again, have the checksum that the service shows for it, or the MD5 that
it shows as the ETag. If it shows no checksum, and its ETags are known not to be MD5s (a customer's key, Key Protect,
`ClientConfig(verify_writes=False)`), the checksum in the journal is used instead, and the service must show the same ETag that
it returned when those bytes were sent.

An upload keeps the checksum that it was created with, also if the settings name another one today. Uploads of earlier versions
of this library declared none, and their journals have MD5s.

A journal is rejected, with a reason, if it does not describe this very transfer: the source has another size or time, the
headers or the part size are others, or the upload is gone. Then a new upload begins, and the old one is aborted if it was of
this object.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiocos.body_checksum import Evidence
from aiocos.errors import NoSuchUpload, NotFound, printable
from aiocos.groups import Service, engine_of
from aiocos.net.hashing import hash_body
from aiocos.operations.multipart import CompletedPart, CreateMultipartUpload
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.abort import abort
from aiocos.transfer.completion import ObjectChecksum
from aiocos.transfer.files import in_thread, resource
from aiocos.transfer.journal import Journal, journal_id
from aiocos.transfer.parts import PartRange
from aiocos.transfer.state import state_directory
from aiocos.transfer.upload.checksums import UploadChecksums
from aiocos.transfer.upload.source import PartSource
from aiocos.wire import checksum, digest
from aiocos.wire.bind import to_request
from aiocos.wire.checksum import Algorithm
from aiocos.wire.message import Bytes

_log = logging.getLogger("aiocos.transfer")


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that the service has."""

    etag: str
    """ETag of the part."""
    shown: str | None = None
    """Checksum that the service shows, base64; None if it shows none of the upload's kind."""
    recorded: bytes | None = None
    """Checksum in the journal; None if there is none, or if the part has another ETag than the recorded one."""


@dataclass(slots=True)
class ResumableUpload:
    """A multipart upload that can be continued."""

    upload_id: str
    """Id of the multipart upload."""
    algorithm: Algorithm = "md5"
    """The checksum of its parts."""
    parts: dict[int, StoredPart] = field(default_factory=dict[int, StoredPart])
    """Parts that the service has, by number."""
    is_opaque: bool = False
    """True if the ETags of parts are known not to be MD5s."""
    completed: ObjectInfo | None = None
    """The object, if the upload had been completed and only the response was lost."""
    read: dict[int, tuple[bytes, str, Evidence]] = field(default_factory=dict[int, tuple[bytes, str, Evidence]])
    """Set by `matches`, by part number: checksum, ETag and evidence."""

    async def find_part(self, part: PartRange, value: bytes, data: Bytes) -> tuple[str, Evidence] | None:
        """Return the ETag of a part if the service has these bytes, and what shows that.

        Returns None if it must be sent.

        Args:
            part: The part.
            value: The checksum of its bytes.
            data: Its bytes.
        """
        stored = self.parts.get(part.number)
        if stored is None:
            return None
        if stored.shown is not None:
            return (stored.etag, "checksum") if stored.shown == checksum.encode(value) else None
        is_md5 = digest.is_md5(stored.etag)
        if is_md5 and (self.algorithm == "md5" or not self.is_opaque):
            md5 = value if self.algorithm == "md5" else await hash_body("md5", data)
            if digest.bare(stored.etag) == md5.hex():
                return stored.etag, None if self.is_opaque else "md5"
        if stored.recorded == value and (self.is_opaque or not is_md5):
            return stored.etag, None
        return None

    async def matches(self, source: PartSource, parts: list[PartRange]) -> bool:
        """Read the source, and return True if the service has all its parts."""
        for part in parts:
            data, value = await source.read_hashed(part, self.algorithm)
            if (stored := await self.find_part(part, value, data)) is None:
                return False
            self.read[part.number] = value, *stored
            source.recycle(data)
        return True


class _Rejected(Exception):
    """The journal must not be used."""


class UploadJournal:
    """The journal of one upload."""

    def __init__(self, service: Service, journal: Journal, what: dict[str, Any], creation: CreateMultipartUpload) -> None:
        self._service = service
        self._journal = journal
        self._what = what
        self._creation = creation
        self.rejected: str | None = None
        """Why an existing journal was not used; None if it was, or if there was none."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, service: Service, creation: CreateMultipartUpload, source: PartSource, part_size: int
    ) -> AsyncGenerator[UploadJournal]:
        """Open or create the journal of an upload.

        Raises `TransferError` if the same upload is running already.

        It is closed at the end of the `async with` block, and the file is kept unless `end` was called.
        """
        what = {
            "kind": "upload",
            "endpoint": engine_of(service).endpoint.origin,
            "bucket": creation.bucket,
            "key": creation.key,
            "source": source.path,
            "size": source.size,
            "mtime": source.mtime,
            "part_size": part_size,
            "options": _options_digest(creation),
        }
        directory = engine_of(service).config.transfer.state_dir
        name = journal_id("upload", engine_of(service).endpoint.origin, creation.bucket, creation.key, source.path or "")
        path = (Path(directory) if directory else state_directory()) / f"{name}.upload"
        async with resource(partial(Journal.open, path), Journal.close) as journal:
            yield cls(service, journal, what, creation)

    async def find(self, head: HeadObject, parts: list[PartRange], checksums: UploadChecksums) -> ResumableUpload | None:
        """Return the upload to continue, and have `checksums` use its checksum.

        Returns None if there is none that can be trusted, with the reason in `rejected`.
        """
        if self._journal.begun is None and self._journal.problem is None:
            return None
        try:
            found = await self._find(head, {part.number: part.length for part in parts}, checksums)
            checksums.use(found.algorithm)
            return found
        except _Rejected as rejected:
            self.rejected = str(rejected)
        text = "the upload of %s/%s starts over, and the journal of an earlier run is not used: %s"
        _log.warning(text, self._what["bucket"], printable(self._what["key"]), printable(self.rejected))
        return None

    async def _find(self, head: HeadObject, lengths: dict[int, int], checksums: UploadChecksums) -> ResumableUpload:
        journal, bucket, key = self._journal, self._what["bucket"], self._what["key"]
        if journal.begun is None:
            raise _Rejected(journal.problem)
        try:
            upload_id = _printable_text(journal.begun["upload_id"])
            # Journals of earlier versions name no checksum: it was MD5 for all that they recorded.
            algorithm = _algorithm(journal.begun.get("checksum", "md5"))
            recorded = {int(step["part"]): _recorded(step, algorithm) for step in journal.steps}
        except Exception:  # the journal may contain anything, and must not make the upload fail
            raise _Rejected(f"{journal.path} is damaged") from None
        reason = journal.difference(self._what)
        if reason is None and not checksums.is_automatic and algorithm != checksums.algorithm:
            reason = f"its parts have another checksum ({algorithm})"
        if reason:
            if all(journal.begun.get(name) == self._what[name] for name in ("endpoint", "bucket", "key")):
                await abort(self._service, bucket, key, upload_id)
            raise _Rejected(reason)
        found = ResumableUpload(upload_id, algorithm)
        try:
            async for part in self._service.multipart.list_parts(bucket, key, upload_id):
                if part.part_number not in lengths:
                    await abort(self._service, bucket, key, upload_id)
                    raise _Rejected(f"the upload has a part {part.part_number}, which the source has not")
                if part.size == lengths[part.part_number]:
                    shown = None if algorithm == "md5" else getattr(part, f"checksum_{algorithm}")
                    etag, record = part.etag or "", recorded.get(part.part_number)
                    found.parts[part.part_number] = StoredPart(etag, shown, _value_of(record, etag))
        except NoSuchUpload:
            return await self._find_completed(found, head, recorded, lengths)
        if any(part.shown is None for part in found.parts.values()):
            found.is_opaque = await self._has_opaque_etags(recorded, algorithm)
        return found

    async def _find_completed(
        self, found: ResumableUpload, head: HeadObject, recorded: dict[int, tuple[str, bytes]], lengths: dict[int, int]
    ) -> ResumableUpload:
        """Find the object of an upload that is gone.

        The earlier process may have completed the upload, and have been killed before it got the response.
        """
        gone = _Rejected("the upload is gone: it was aborted, or completed by somebody else")
        numbers = sorted(lengths)
        if sorted(recorded) != numbers:
            raise gone
        etags = [digest.bare(recorded[number][0]) for number in numbers]
        expected = digest.composite_etag(map(bytes.fromhex, etags)) if all(map(digest.is_md5, etags)) else None
        whole: ObjectChecksum | None = None
        if checksum.is_combinable(found.algorithm):
            value = checksum.combine(found.algorithm, [(recorded[number][1], lengths[number]) for number in numbers])
            whole = ObjectChecksum(found.algorithm, checksum.encode(value), is_sent=True)
        if expected is None and whole is None:
            raise gone
        try:
            info = await engine_of(self._service).call(head)
        except NotFound:
            raise _Rejected("the upload is gone, and there is no object") from None
        has_checksum = whole.equals(info) if whole is not None else None
        has_etag = expected is not None and digest.bare(info.etag) == expected and has_checksum is not False
        if info.content_length not in (None, sum(lengths.values())) or not (has_checksum or has_etag):
            raise gone
        found.completed = info
        found.is_opaque = not has_checksum and await self._has_opaque_etags(recorded, found.algorithm)
        for number, (etag, value) in recorded.items():
            found.parts[number] = StoredPart(etag, checksum.encode(value) if has_checksum else None, value)
        return found

    async def _has_opaque_etags(self, recorded: dict[int, tuple[str, bytes]], algorithm: Algorithm) -> bool:
        """Return True if the ETags of parts are known not to be MD5s.

        Requests the bucket only if the journal does not show that they are.
        """
        creation, engine = self._creation, engine_of(self._service)
        if not recorded:
            return False
        if creation.customer_key is not None or not engine.config.verify_writes:
            return True
        if creation.server_side_encryption not in (None, "AES256"):
            return True
        md5s = [(digest.bare(etag), value.hex()) for etag, value in recorded.values() if digest.is_md5(etag)]
        if not md5s or (algorithm == "md5" and all(etag == md5 for etag, md5 in md5s)):
            return False
        return not await engine.has_md5_etags(creation.bucket, creation.expected_bucket_owner)

    async def begin(self, upload_id: str, algorithm: Algorithm) -> None:
        """Record that an upload was created, and the checksum of its parts."""
        await in_thread(self._journal.begin, {**self._what, "upload_id": upload_id, "checksum": algorithm})

    async def add_part(self, part: CompletedPart, algorithm: Algorithm, value: bytes) -> None:
        """Record that the service has a part, with the checksum of its bytes."""
        step = {"part": part.part_number, "etag": part.etag, algorithm: value.hex()}
        self._journal.steps.append(step)
        await in_thread(self._journal.add, step)

    async def end(self) -> None:
        """Remove the journal: there is nothing to continue."""
        await in_thread(self._journal.remove)


def _algorithm(value: object) -> Algorithm:
    if value not in checksum.HEADERS:
        raise ValueError("no checksum")
    return value


def _recorded(step: dict[str, Any], algorithm: Algorithm) -> tuple[str, bytes]:
    """Return the ETag and the checksum of a part in a journal."""
    return _printable_text(step["etag"]), bytes.fromhex(step[algorithm])


def _value_of(recorded: tuple[str, bytes] | None, etag: str) -> bytes | None:
    """Return the recorded checksum of a part if the part still has the recorded ETag."""
    return recorded[1] if recorded is not None and digest.bare(recorded[0]) == digest.bare(etag) else None


def _printable_text(value: object) -> str:
    """Return a value of a journal if it is printable ASCII; else `ValueError`.

    Only such text can be sent in a request.
    """
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("no text")
    return value


def _options_digest(creation: CreateMultipartUpload) -> str:
    """Return a hash of the headers of the object.

    It covers a customer's key, which cannot be recovered from it.
    """
    headers = to_request(dataclasses.replace(creation, timeout=None)).headers
    return hashlib.sha256(json.dumps(sorted(headers.items())).encode()).hexdigest()
