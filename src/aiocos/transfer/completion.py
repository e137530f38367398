"""The end of a multipart upload: its parts are joined, and it is found out whether they were.

The answer to a completion may be lost, or be an error of a gateway's that says nothing about what happened behind it. Sending
it again would meet "no such upload", which says nothing either. So it is settled by what the service shows:

* the upload is still open: it is completed again, even if there is an object like the one that is to be;
* the object has the ETag that follows from the parts: a success;
* the upload is gone, and there is no such object: a failure;
* the service does not say, however often it is asked: the upload is aborted. If there was one to abort, it had not been
  completed;
* anything else is `Uncertain`.
"""

from __future__ import annotations

from aiocos.errors import (
    AccessDenied,
    CosError,
    NoSuchUpload,
    NotFound,
    ProtocolError,
    Throttled,
    TransferError,
    TransportError,
    Unavailable,
    Uncertain,
)
from aiocos.groups import Service
from aiocos.net.retry import persist
from aiocos.operations.multipart import CompletedPart, CompletedUpload, CompleteMultipartUpload
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.cleaning import abort, keep
from aiocos.wire import digest


def composite_of(parts: list[CompletedPart]) -> str | None:
    """The ETag that follows from the parts' ETags, where these have the form of MD5s."""
    etags = [digest.bare(part.etag or "") for part in parts]
    return digest.composite_etag(bytes.fromhex(e) for e in etags) if all(map(digest.is_md5, etags)) else None


class Completion:
    """One upload's. `expected` is the ETag that follows from the parts, without quotes; None where none does."""

    def __init__(
        self, service: Service, operation: CompleteMultipartUpload, head: HeadObject, expected: str | None, what: str
    ) -> None:
        self._service = service
        self._operation = operation
        self._head = head
        self._expected = expected
        self._what = what
        # A completion was sent, and what became of it is not known.
        self._open = False

    async def run(self) -> CompletedUpload:
        """Complete. Raises the service's errors, `TransferError`, and `Uncertain`; the ETag is empty if it cannot be had."""
        engine = self._service.engine
        try:
            done = await persist(self._once, config=engine.config.retry, budget=engine.budget, repeatable=True)
        except TransferError:
            raise
        except CosError as error:
            if not self._open:
                raise
            done = await self._give_up(error)
        if not done.etag:
            # Some servers leave it out; HEAD has it.
            try:
                info = await self._look()
            except CosError:
                info = None
            done = done.model_copy(update={"etag": info.etag if info else ""})
        return done

    async def _once(self) -> CompletedUpload:
        try:
            return await self._service.engine.call(self._operation)
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

    async def _look(self) -> ObjectInfo | None:
        try:
            return await self._service.engine.call(self._head)
        except NotFound:
            return None

    def _as_expected(self, info: ObjectInfo | None) -> CompletedUpload | None:
        if info is None or self._expected is None or digest.bare(info.etag) != self._expected:
            return None
        return CompletedUpload(etag=info.etag, version_id=info.version_id, request_id=info.request_id)

    async def _give_up(self, error: CosError) -> CompletedUpload:
        """Settle by an abort what could not be settled by looking. Raises `error` if there was an upload to abort."""
        target = self._operation
        found = await keep(self._service, abort(self._service, target.bucket, target.key, target.upload_id))
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

    def _uncertain(self, error: CosError, info: ObjectInfo | None) -> Uncertain:
        has = f"has the ETag {info.etag}" if info else "cannot be seen"
        expected = self._expected or "one that cannot be foretold"
        return Uncertain(
            f"the {self._what}: the answer to the completion was lost, and the object {has}, where {expected} was expected. It "
            f"may have been completed, and replaced since: look at the object, and at the upload {self._operation.upload_id}. "
            f"The last error: {error}",
            upload_id=self._operation.upload_id,
            parts_done=len(self._operation.parts),
        )
