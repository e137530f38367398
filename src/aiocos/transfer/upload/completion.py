"""The end of a multipart upload: its parts are joined, and it is found out whether they were.

The answer to a completion may be lost, or be an error of a gateway's that says nothing about what happened behind it. Sending
it again would meet "no such upload", which says nothing either. So it is settled by what the service shows:

* the upload is still open: it is completed again, even if there is an object like the one that is to be;
* the object has the ETag that follows from the parts: a success;
* the upload is gone, and there is no such object: a failure;
* the service does not say, however often it is asked: the upload is aborted. If there was one to abort, it had not been
  completed;
* anything else is `OutcomeUnknown`.

An answer is held against the parts, too. The ETag of another object made of parts is an `IntegrityError`, unless the service's
ETags are known to be no MD5s. An answer without an ETag settles nothing. Where its ETag cannot be compared, the object that
HEAD shows under that ETag must have as many bytes as the parts; else it is `OutcomeUnknown`.
"""

from __future__ import annotations

import asyncio
import dataclasses

from aiocos.errors import (
    AccessDenied,
    CosError,
    IntegrityError,
    NoSuchUpload,
    NotFound,
    OutcomeUnknown,
    ProtocolError,
    Throttled,
    TransferError,
    TransportError,
    Unavailable,
)
from aiocos.groups import Service, engine_of
from aiocos.net.retry import retry_call
from aiocos.operations.multipart import CompletedUpload, CompleteMultipartUpload
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.upload.abort import abort, keep
from aiocos.wire import digest
from aiocos.write_check import check_completion


class Completion:
    """One upload's. `size` is that of all parts, in bytes.

    `expected` is the ETag that follows from the parts, without quotes; None where none does. `before` is the ETag that the
    object may have had before: where it is the expected one, finding it proves nothing. `opaque`: ETags of parts are known to
    be no MD5s, so that another ETag than the expected one says nothing.
    """

    def __init__(
        self,
        service: Service,
        operation: CompleteMultipartUpload,
        head: HeadObject,
        expected: str | None,
        what: str,
        *,
        size: int,
        before: str | None = None,
        opaque: bool = False,
    ) -> None:
        self._service = service
        self._operation = operation
        self._head = head
        self._expected = expected
        self._what = what
        self._size = size
        self._before = before
        self._opaque = opaque
        # A completion was sent, and what became of it is not known.
        self._open = False

    async def run(self) -> CompletedUpload:
        """Complete. Raises the service's errors, `IntegrityError`, `TransferError`, and `OutcomeUnknown`."""
        engine = engine_of(self._service)
        try:
            done = await retry_call(self._once, config=engine.config.retry, budget=engine.budget, idempotent=True)
            if isinstance(done, IntegrityError):
                raise done
        except TransferError:
            raise
        except CosError as error:
            if not self._open:
                raise
            # Also where a condition met what an earlier completion of ours had made.
            done = await self._give_up(error)
        await self._check(done)
        return done

    async def _check(self, done: CompletedUpload) -> None:
        """Hold an answer against the parts."""
        etag, expected, engine = digest.bare(done.etag), self._expected, engine_of(self._service)
        if expected is not None and etag == expected:
            return
        if engine.config.verify_writes and not self._opaque:
            await check_completion(engine, self._operation, None, done, expected)
        try:
            info = await self._look(done.version_id)
        except CosError:
            # Who may write and not read. The service has said that it is done, and of what ETag.
            return
        if info is None or (digest.bare(info.etag) == etag and not self._is_whole(info)):
            has = f"has {info.content_length} bytes" if info else "is not there"
            raise self._doubt(
                f"the completion was answered with the ETag {done.etag}, and the object {has}; the parts have {self._size}"
            )

    def _is_whole(self, info: ObjectInfo) -> bool:
        return info.content_length is None or info.content_length == self._size

    async def _once(self) -> CompletedUpload | IntegrityError:
        """Try once. What is raised may be tried again; an error that is final is returned."""
        try:
            done = await engine_of(self._service).call(self._operation)
            if not done.etag:
                raise ProtocolError(f"the {self._what}: the completion was answered without an ETag")
            return done
        except IntegrityError as error:
            return error
        except (TransportError, ProtocolError, Unavailable, NoSuchUpload) as error:
            if isinstance(error, TransportError) and not error.sent:
                raise
            return await self._settle(error)

    async def _settle(self, error: CosError) -> CompletedUpload:
        """Find out whether a completion happened. Raises `error` where it did not and may be tried again."""
        # "No such upload" as the first answer means that it was no completion of ours that ended it.
        lost = self._open or not isinstance(error, NoSuchUpload)
        self._open = lost
        there = True
        try:
            info = await self._look()
            there = info is not None
        except (TransportError, Unavailable, Throttled):
            raise
        except CosError:
            info = None  # who may write and not read
        target, still_open = self._operation, True
        try:
            async for _ in self._service.multipart.list_parts(target.bucket, target.key, target.upload_id):
                break
        except NoSuchUpload:
            still_open = False
        except AccessDenied:
            still_open = info is None or self._as_expected(info) is None  # who may not list; the object has to do
        if still_open:
            # An object like ours may have been there before.
            raise error
        if done := self._as_expected(info):
            return done
        if not there or not lost:
            # Neither the upload nor what would have come of it: somebody aborted it.
            raise self._gone(error) from error
        raise self._uncertain(error, info) from error

    async def _look(self, version_id: str | None = None) -> ObjectInfo | None:
        try:
            return await engine_of(self._service).call(dataclasses.replace(self._head, version_id=version_id))
        except NotFound:
            return None

    def _as_expected(self, info: ObjectInfo | None) -> CompletedUpload | None:
        if info is None or self._expected is None or self._expected == self._before:
            return None
        if digest.bare(info.etag) != self._expected or not self._is_whole(info):
            return None
        return CompletedUpload(etag=info.etag, version_id=info.version_id, request_id=info.request_id)

    async def _give_up(self, error: CosError) -> CompletedUpload:
        """Settle by an abort what could not be settled by looking. Raises `error` if there was an upload to abort."""
        target = self._operation
        # Shielded: a cancel ends the waiting, not the abort.
        aborting = keep(self._service, abort(self._service, target.bucket, target.key, target.upload_id))
        found = await asyncio.shield(aborting)
        if found == "aborted":
            raise error
        try:
            info = await self._look()
        except CosError:
            info = None
        if done := self._as_expected(info):
            return done
        raise self._uncertain(error, info) from error

    def _gone(self, error: CosError) -> TransferError:
        upload_id = self._operation.upload_id
        return TransferError(
            f"the {self._what}: the upload {upload_id} is gone, and the object is not what it would have made: {error}",
            upload_id=upload_id,
            parts_done=len(self._operation.parts),
        )

    def _uncertain(self, error: CosError, info: ObjectInfo | None) -> OutcomeUnknown:
        has = f"has the ETag {info.etag} and {info.content_length} bytes" if info else "cannot be seen"
        expected = self._expected or "one that cannot be foretold"
        return self._doubt(
            f"the answer to the completion was lost, and the object {has}, where {expected} was to be, of {self._size} bytes",
            f". The last error: {error}",
        )

    def _doubt(self, why: str, more: str = "") -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the {self._what}: {why}. It may have been completed, and replaced since: look at the object, and at the upload "
            f"{self._operation.upload_id}{more}",
            upload_id=self._operation.upload_id,
            parts_done=len(self._operation.parts),
        )
