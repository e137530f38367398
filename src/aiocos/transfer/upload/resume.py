"""Continue an upload that an earlier process began.

The journal says which upload it was and which parts were sent; the service says which parts it has. A part is reused if its
bytes, read from the source again, have the MD5 that the service shows as its ETag. If the service's ETags are known not to be
MD5s (a customer's key, Key Protect, `ClientConfig(verify_writes=False)`), the MD5 in the journal is used instead, and the
service must show the same ETag that it returned when those bytes were sent.

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

from aiocos.errors import NoSuchUpload, NotFound, printable
from aiocos.groups import Service, engine_of
from aiocos.net.hashing import run_in_hash_pool
from aiocos.operations.multipart import CompletedPart, CreateMultipartUpload
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.abort import abort
from aiocos.transfer.files import in_thread, resource
from aiocos.transfer.journal import Journal, journal_id
from aiocos.transfer.parts import PartRange
from aiocos.transfer.state import state_directory
from aiocos.transfer.upload.source import PartSource
from aiocos.wire import digest
from aiocos.wire.bind import to_request

_log = logging.getLogger("aiocos.transfer")


@dataclass(slots=True)
class ResumableUpload:
    """A multipart upload that can be continued."""

    upload_id: str
    """Id of the multipart upload."""
    parts: dict[int, tuple[str, set[str]]] = field(default_factory=dict[int, tuple[str, set[str]]])
    """Parts that the service has, by number: the ETag, and the MD5s that the bytes may have."""
    completed: ObjectInfo | None = None
    """The object, if the upload had been completed and only the response was lost."""
    read: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    """Set by `matches`, by part number: the ETag, and the MD5 of the bytes of the source."""

    def etag_of(self, part: PartRange, md5: str) -> str | None:
        """Return the ETag of a part if the service has it with this MD5.

        Returns None if it must be sent.
        """
        etag, allowed = self.parts.get(part.number, ("", set[str]()))
        return etag if md5 in allowed else None

    async def matches(self, source: PartSource, parts: list[PartRange]) -> bool:
        """Read the source, and return True if the service has all its parts."""
        for part in parts:
            data = await source.read(part)
            md5 = (await run_in_hash_pool(digest.digest, "md5", data)).hex()
            if (etag := self.etag_of(part, md5)) is None:
                return False
            self.read[part.number] = etag, md5
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

    async def find(self, head: HeadObject, parts: list[PartRange]) -> ResumableUpload | None:
        """Return the upload to continue.

        Returns None if there is none that can be trusted, with the reason in `rejected`.
        """
        if self._journal.begun is None and self._journal.problem is None:
            return None
        try:
            return await self._find(head, {part.number: part.length for part in parts})
        except _Rejected as rejected:
            self.rejected = str(rejected)
        text = "the upload of %s/%s starts over, and the journal of an earlier run is not used: %s"
        _log.warning(text, self._what["bucket"], printable(self._what["key"]), printable(self.rejected))
        return None

    async def _find(self, head: HeadObject, lengths: dict[int, int]) -> ResumableUpload:
        journal, bucket, key = self._journal, self._what["bucket"], self._what["key"]
        if journal.begun is None:
            raise _Rejected(journal.problem)
        try:
            upload_id = _printable_text(journal.begun["upload_id"])
            recorded = {
                int(step["part"]): (_printable_text(step["etag"]), _printable_text(step["md5"])) for step in journal.steps
            }
        except Exception:  # the journal may contain anything, and must not make the upload fail
            raise _Rejected(f"{journal.path} is damaged") from None
        if reason := journal.difference(self._what):
            if all(journal.begun.get(name) == self._what[name] for name in ("endpoint", "bucket", "key")):
                await abort(self._service, bucket, key, upload_id)
            raise _Rejected(reason)
        found = ResumableUpload(upload_id)
        opaque = bool(recorded) and await self._etags_are_opaque(recorded)
        try:
            async for part in self._service.multipart.list_parts(bucket, key, upload_id):
                if part.part_number not in lengths:
                    await abort(self._service, bucket, key, upload_id)
                    raise _Rejected(f"the upload has a part {part.part_number}, which the source has not")
                if part.size == lengths[part.part_number]:
                    etag = part.etag or ""
                    found.parts[part.part_number] = (etag, _possible_md5s(etag, recorded.get(part.part_number), opaque))
            return found
        except NoSuchUpload:
            pass
        # The earlier process may have completed the upload, and have been killed before it got the response.
        etags = [digest.bare(recorded[number][0]) for number in sorted(recorded)]
        if sorted(recorded) == sorted(lengths) and all(map(digest.is_md5, etags)):
            try:
                found.completed = await engine_of(self._service).call(head)
            except NotFound:
                raise _Rejected("the upload is gone, and there is no object") from None
            has_size = found.completed.content_length in (None, sum(lengths.values()))
            if has_size and digest.bare(found.completed.etag) == digest.composite_etag(map(bytes.fromhex, etags)):
                found.parts = {number: (one[0], _possible_md5s(one[0], one, opaque)) for number, one in recorded.items()}
                return found
        raise _Rejected("the upload is gone: it was aborted, or completed by somebody else")

    async def _etags_are_opaque(self, recorded: dict[int, tuple[str, str]]) -> bool:
        """Return True if the ETags of parts are known not to be MD5s.

        Requests the bucket only if one is not the MD5.
        """
        creation, engine = self._creation, engine_of(self._service)
        if creation.customer_key is not None or not engine.config.verify_writes:
            return True
        if creation.server_side_encryption not in (None, "AES256"):
            return True
        if all(digest.bare(etag) == md5 for etag, md5 in recorded.values() if digest.is_md5(etag)):
            return False
        return not await engine.has_md5_etags(creation.bucket, creation.expected_bucket_owner)

    async def begin(self, upload_id: str) -> None:
        """Record that an upload was created."""
        await in_thread(self._journal.begin, {**self._what, "upload_id": upload_id})

    async def add_part(self, part: CompletedPart, md5: str) -> None:
        """Record that the service has a part, with the MD5 of its bytes."""
        step = {"part": part.part_number, "etag": part.etag, "md5": md5}
        self._journal.steps.append(step)
        await in_thread(self._journal.add, step)

    async def end(self) -> None:
        """Remove the journal: there is nothing to continue."""
        await in_thread(self._journal.remove)


def _possible_md5s(etag: str, recorded: tuple[str, str] | None, opaque: bool) -> set[str]:
    """Return the MD5s that the bytes of a part may have.

    They follow from its ETag, and from what was recorded when it was sent.
    """
    out = {digest.bare(etag)}
    if recorded is not None and digest.bare(recorded[0]) == digest.bare(etag) and (opaque or not digest.is_md5(etag)):
        out.add(recorded[1])
    return out


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
