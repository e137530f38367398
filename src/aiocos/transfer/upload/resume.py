"""Going on with an upload that an earlier process began.

The journal says which upload it was and what was put into it; the service says what it has. A part is kept if its bytes, read
from the source again, have the MD5 that the service shows as its ETag. Where ETags are known to be no MD5s (a customer's key,
Key Protect, `ClientConfig(verify_writes=False)`) the journal stands in: the service must show the very ETag that was answered
when those bytes were sent.

A journal is refused, with the reason, where anything of it is not of this very transfer: the source has another size or time,
the headers are others, the parts were cut otherwise, the upload is gone. Then the upload begins anew, and the old one is
aborted if it was of this object.
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
from aiocos.transfer.files import held, in_thread
from aiocos.transfer.journal import Journal, name_for, state_directory
from aiocos.transfer.parts import PartRange
from aiocos.transfer.upload.abort import abort
from aiocos.transfer.upload.source import PartSource
from aiocos.wire import digest
from aiocos.wire.bind import to_request

_log = logging.getLogger("aiocos.transfer")


@dataclass(slots=True)
class ResumableUpload:
    """An upload to go on with: for each part that is there its ETag, and the MD5s that its bytes may have.

    `joined` is the object where the upload had been completed, and only the answer was not heard.
    """

    upload_id: str
    parts: dict[int, tuple[str, set[str]]] = field(default_factory=dict[int, tuple[str, set[str]]])
    joined: ObjectInfo | None = None
    read: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    """Once `is_of` has read the source: the ETag of each part, and the MD5 of its bytes."""

    def has(self, part: PartRange, md5: str) -> str | None:
        """Return the ETag under which a part of this MD5 is there already; None where it is to be sent."""
        etag, allowed = self.parts.get(part.number, ("", set[str]()))
        return etag if md5 in allowed else None

    async def is_of(self, origin: PartSource, parts: list[PartRange]) -> bool:
        """Tell whether all the parts are those of a source, which is read for it."""
        for part in parts:
            data = await origin.part(part)
            md5 = (await run_in_hash_pool(digest.digest, "md5", data)).hex()
            if (etag := self.has(part, md5)) is None:
                return False
            self.read[part.number] = etag, md5
        return True


class _Refused(Exception):
    """The journal is not to be used."""


class UploadJournal:
    """The journal of one upload. `refused` says why one that was there was not used."""

    def __init__(self, service: Service, journal: Journal, what: dict[str, Any], creation: CreateMultipartUpload) -> None:
        self._service = service
        self._journal = journal
        self._what = what
        self._creation = creation
        self.refused: str | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, service: Service, creation: CreateMultipartUpload, origin: PartSource, part_size: int
    ) -> AsyncGenerator[UploadJournal]:
        """Open the journal of an upload, or make one. `TransferError` where the same upload is under way already."""
        what = {
            "kind": "upload",
            "endpoint": engine_of(service).endpoint.origin,
            "bucket": creation.bucket,
            "key": creation.key,
            "source": origin.path,
            "size": origin.size,
            "mtime": origin.mtime,
            "part_size": part_size,
            "options": _options(creation),
        }
        directory = engine_of(service).config.transfer.state_dir
        name = name_for("upload", engine_of(service).endpoint.origin, creation.bucket, creation.key, origin.path or "")
        path = (Path(directory) if directory else state_directory()) / f"{name}.upload"
        # At the end it is let go of, and kept for whoever goes on.
        async with held(partial(Journal.open, path), Journal.close) as journal:
            yield cls(service, journal, what, creation)

    async def find(self, head: HeadObject, parts: list[PartRange]) -> ResumableUpload | None:
        """Return the upload to go on with; None where there is none, or none that can be trusted."""
        if self._journal.begun is None and self._journal.trouble is None:
            return None
        try:
            return await self._look(head, {part.number: part.length for part in parts})
        except _Refused as refused:
            self.refused = str(refused)
        text = "the upload of %s/%s begins anew, and the journal of an earlier one is not used: %s"
        _log.warning(text, self._what["bucket"], printable(self._what["key"]), printable(self.refused))
        return None

    async def _look(self, head: HeadObject, lengths: dict[int, int]) -> ResumableUpload:
        journal, bucket, key = self._journal, self._what["bucket"], self._what["key"]
        if journal.begun is None:
            raise _Refused(journal.trouble)
        try:
            upload_id = _text(journal.begun["upload_id"])
            noted = {int(step["part"]): (_text(step["etag"]), _text(step["md5"])) for step in journal.steps}
        except Exception:  # whatever stands there, it is no reason not to upload
            raise _Refused(f"{journal.path} is damaged") from None
        if reason := journal.differs(self._what):
            if all(journal.begun.get(name) == self._what[name] for name in ("endpoint", "bucket", "key")):
                await abort(self._service, bucket, key, upload_id)
            raise _Refused(reason)
        found = ResumableUpload(upload_id)
        opaque = bool(noted) and await self._are_opaque(noted)
        try:
            async for part in self._service.multipart.list_parts(bucket, key, upload_id):
                if part.part_number not in lengths:
                    await abort(self._service, bucket, key, upload_id)
                    raise _Refused(f"the upload has a part {part.part_number}, which the source has not")
                if part.size == lengths[part.part_number]:
                    etag = part.etag or ""
                    found.parts[part.part_number] = (etag, _md5s(etag, noted.get(part.part_number), opaque))
            return found
        except NoSuchUpload:
            pass
        # Perhaps it was completed, and the process killed before it heard of that.
        etags = [digest.bare(noted[number][0]) for number in sorted(noted)]
        if sorted(noted) == sorted(lengths) and all(map(digest.is_md5, etags)):
            try:
                found.joined = await engine_of(self._service).call(head)
            except NotFound:
                raise _Refused("the upload is gone, and there is no object") from None
            whole = found.joined.content_length in (None, sum(lengths.values()))
            if whole and digest.bare(found.joined.etag) == digest.composite_etag(map(bytes.fromhex, etags)):
                found.parts = {number: (one[0], _md5s(one[0], one, opaque)) for number, one in noted.items()}
                return found
        raise _Refused("the upload is gone: it was aborted, or completed by somebody else")

    async def _are_opaque(self, noted: dict[int, tuple[str, str]]) -> bool:
        """Tell whether the ETags that were answered are known to be no MD5s. The bucket is asked only where they are others."""
        creation, engine = self._creation, engine_of(self._service)
        if creation.customer_key is not None or not engine.config.verify_writes:
            return True
        if creation.server_side_encryption not in (None, "AES256"):
            return True
        if all(digest.bare(etag) == md5 for etag, md5 in noted.values() if digest.is_md5(etag)):
            return False
        return not await engine.has_md5_etags(creation.bucket, creation.expected_bucket_owner)

    async def begin(self, upload_id: str) -> None:
        """Note that an upload was created."""
        await in_thread(self._journal.begin, {**self._what, "upload_id": upload_id})

    async def note(self, part: CompletedPart, md5: str) -> None:
        """Note that the service has a part."""
        step = {"part": part.part_number, "etag": part.etag, "md5": md5}
        self._journal.steps.append(step)
        await in_thread(self._journal.add, step)

    async def end(self) -> None:
        """Remove the journal: there is nothing to go on with."""
        await in_thread(self._journal.remove)


def _md5s(etag: str, noted: tuple[str, str] | None, opaque: bool) -> set[str]:
    """The MD5s that the bytes of a part may have, by its ETag and by what was noted when that was answered."""
    out = {digest.bare(etag)}
    if noted is not None and digest.bare(noted[0]) == digest.bare(etag) and (opaque or not digest.is_md5(etag)):
        out.add(noted[1])
    return out


def _text(value: object) -> str:
    """What stands in a journal as text, such as can be sent."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("no text")
    return value


def _options(creation: CreateMultipartUpload) -> str:
    """A digest of the headers that the object shall have. Customers' keys are in it, and cannot be had from it."""
    headers = to_request(dataclasses.replace(creation, timeout=None)).headers
    return hashlib.sha256(json.dumps(sorted(headers.items())).encode()).hexdigest()
