"""Complete a multipart upload, also if the response is lost.

The response to a completion may be lost, or may be a gateway's error, which says nothing about what the service did. Sending
the completion again would fail with "no such upload" if the first one had succeeded, which proves nothing either: somebody
else may have aborted the upload. So the client looks at what the service shows:

* the upload is still open: complete it again, even if an object like the expected one exists;
* the object has the ETag or the checksum that follows from the parts: success;
* the upload is gone, and there is no such object: failure;
* the service does not respond, however often it is asked: abort the upload. If there was one to abort, it had not been
  completed;
* anything else: `OutcomeUnknown`.

A response that arrives is checked as well. If its ETag is the ETag of other parts, that is an `IntegrityError`, unless the
service's ETags are known not to be MD5s. A response without an ETag counts as lost. If its ETag cannot be compared, the object
that HEAD shows under that ETag must have the size of the parts; otherwise the outcome is unknown.
"""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import Any

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
from aiocos.transfer.abort import abort
from aiocos.transfer.cleanup import start_cleanup
from aiocos.wire import digest
from aiocos.wire.checksum import Algorithm
from aiocos.write_check import check_completion


@dataclass(frozen=True, slots=True)
class ObjectChecksum:
    """The checksum that a multipart object must have."""

    algorithm: Algorithm
    """The checksum."""
    text: str
    """Its base64. For a checksum of checksums, a dash and the number of parts follow."""
    is_sent: bool
    """True if the completion carries it, for the service to compare."""

    @property
    def field(self) -> str:
        """Field of results and of the completion."""
        return f"checksum_{self.algorithm}"

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the completion."""
        return {self.field: self.text, "checksum_type": "FULL_OBJECT"} if self.is_sent else {}

    def equals(self, shown: CompletedUpload | ObjectInfo) -> bool | None:
        """Return True if the service shows this checksum, False for another.

        None if it shows none of this kind.
        """
        value = getattr(shown, self.field)
        if (
            value is None
            or ("-" in value) != ("-" in self.text)
            or (shown.checksum_type == "COMPOSITE" and "-" not in self.text)
        ):
            return None
        return value == self.text


class Completion:
    """The completion of one multipart upload.

    Args:
        service: The client.
        operation: The completion to send, with its parts.
        head: A HEAD of the object, to look at what the completion made.
        expected: The ETag that follows from the parts, without quotes; None if it cannot be computed.
        what: The transfer, for messages.
        size: Bytes of all parts together.
        before: An ETag that the object may have had before the upload. If that is the expected one, finding it proves nothing.
        opaque: True if the service's ETags are known not to be MD5s, so that an ETag other than the expected one is no error.
        checksum: The checksum that the object must have; None if the service does not know it.
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
        checksum: ObjectChecksum | None = None,
    ) -> None:
        self._service = service
        self._operation = operation
        self._head = head
        self._expected = expected
        self._what = what
        self._size = size
        self._before = before
        self._opaque = opaque
        self._checksum = checksum
        # True once a completion may have been processed without a usable response.
        self._maybe_completed = False

    async def run(self) -> CompletedUpload:
        """Complete the upload, with retries.

        Raises the service's errors, `IntegrityError`, `TransferError` if the upload is gone, and `OutcomeUnknown`.
        """
        engine = engine_of(self._service)
        try:
            done = await retry_call(self._attempt, config=engine.config.retry, budget=engine.budget, idempotent=True)
            if isinstance(done, IntegrityError):
                raise done
        except TransferError:
            raise
        except CosError as error:
            if not self._maybe_completed:
                raise
            # Includes a condition that failed because an earlier attempt had made the object.
            done = await self._abort_or_recognize(error)
        await self._check(done)
        return done

    async def _check(self, done: CompletedUpload) -> None:
        """Raise if the response does not fit the parts."""
        etag, expected, engine = digest.bare(done.etag), self._expected, engine_of(self._service)
        wanted = self._checksum
        is_equal = None if wanted is None else wanted.equals(done)
        if wanted is not None and is_equal is False and engine.config.verify_writes:
            raise self._other_checksum(done, wanted)
        if is_equal or (expected is not None and etag == expected):
            return
        if engine.config.verify_writes and not self._opaque:
            await check_completion(engine, self._operation, None, done, expected)
        try:
            info = await self._look_at_object(done.version_id)
        except CosError:
            # Credentials that may write and not read. The service has reported success.
            return
        if info is None or (digest.bare(info.etag) == etag and not self._has_size(info)):
            found = f"has {info.content_length} bytes" if info else "is not there"
            raise self._unknown(
                f"the response to the completion has the ETag {done.etag}, and the object {found}; the parts have {self._size}"
            )

    def _has_size(self, info: ObjectInfo) -> bool:
        return info.content_length is None or info.content_length == self._size

    async def _attempt(self) -> CompletedUpload | IntegrityError:
        """Send the completion once.

        Exceptions that are raised may be retried; a final error is returned.
        """
        try:
            done = await engine_of(self._service).call(self._operation)
            if not done.etag:
                raise ProtocolError(f"the {self._what}: the response to the completion has no ETag")
            return done
        except IntegrityError as error:
            return error
        except (TransportError, ProtocolError, Unavailable, NoSuchUpload) as error:
            if isinstance(error, TransportError) and not error.sent:
                raise
            return await self._find_outcome(error)

    async def _find_outcome(self, error: CosError) -> CompletedUpload:
        """Find out whether a completion happened that failed with `error`.

        Raises `error` to have it sent again.
        """
        # "No such upload" in response to the first attempt: it was no completion of ours that ended the upload.
        maybe_completed = self._maybe_completed or not isinstance(error, NoSuchUpload)
        self._maybe_completed = maybe_completed
        exists = True
        try:
            info = await self._look_at_object()
            exists = info is not None
        except (TransportError, Unavailable, Throttled):
            raise
        except CosError:
            info = None  # credentials that may write and not read
        upload, still_open = self._operation, True
        try:
            async for _ in self._service.multipart.list_parts(upload.bucket, upload.key, upload.upload_id):
                break
        except NoSuchUpload:
            still_open = False
        except AccessDenied:
            # Credentials that may not list parts: the object alone decides.
            still_open = info is None or self._recognize(info) is None
        if still_open:
            # Whatever the object looks like: one like ours may have existed before.
            raise error
        if done := self._recognize(info):
            return done
        if not exists or not maybe_completed:
            # Somebody else aborted the upload.
            raise self._upload_gone(error) from error
        raise self._lost_response(error, info) from error

    async def _look_at_object(self, version_id: str | None = None) -> ObjectInfo | None:
        try:
            return await engine_of(self._service).call(dataclasses.replace(self._head, version_id=version_id))
        except NotFound:
            return None

    def _recognize(self, info: ObjectInfo | None) -> CompletedUpload | None:
        """Return the completion's result if the object can only be the one it made."""
        if info is None or not info.etag or not self._has_size(info):
            return None
        is_equal = None if self._checksum is None else self._checksum.equals(info)
        if is_equal and self._before is not None:
            # The copy of an object has its checksum, and so has the object itself.
            is_equal = None
        has_etag = self._expected is not None and self._expected != self._before and digest.bare(info.etag) == self._expected
        # An object with other bytes under our ETag is not ours; one with our checksum is, under whatever ETag.
        if is_equal is False or not (is_equal or has_etag):
            return None
        done = CompletedUpload(etag=info.etag, version_id=info.version_id, request_id=info.request_id)
        return done.model_copy(update={self._checksum.field: self._checksum.text}) if self._checksum and is_equal else done

    async def _abort_or_recognize(self, error: CosError) -> CompletedUpload:
        """Abort the upload after the last attempt.

        If there was one to abort, it was not completed, and `error` is raised.
        """
        upload = self._operation
        # Shielded, so that a cancel ends the wait, and not the abort.
        task = start_cleanup(self._service, abort(self._service, upload.bucket, upload.key, upload.upload_id))
        outcome = await asyncio.shield(task)
        if outcome == "aborted":
            raise error
        try:
            info = await self._look_at_object()
        except CosError:
            info = None
        if done := self._recognize(info):
            return done
        raise self._lost_response(error, info) from error

    def _other_checksum(self, done: CompletedUpload, wanted: ObjectChecksum) -> IntegrityError:
        actual = getattr(done, wanted.field)
        return IntegrityError(
            f"the {self._what}: the object has the {wanted.algorithm} {actual}, the parts make {wanted.text}: "
            f"the service stored other bytes (request id {done.request_id})",
            expected=wanted.text,
            actual=actual,
        )

    def _upload_gone(self, error: CosError) -> TransferError:
        upload_id = self._operation.upload_id
        return TransferError(
            f"the {self._what}: the upload {upload_id} is gone, and the object is not what it would have made: {error}",
            upload_id=upload_id,
            parts_done=len(self._operation.parts),
        )

    def _lost_response(self, error: CosError, info: ObjectInfo | None) -> OutcomeUnknown:
        found = f"has the ETag {info.etag} and {info.content_length} bytes" if info else "cannot be seen"
        expected = f"the ETag {self._expected}" if self._expected else "an ETag that cannot be computed"
        return self._unknown(
            f"the response to the completion was lost, and the object {found}; expected were {expected} and {self._size} bytes",
            f". The last error: {error}",
        )

    def _unknown(self, why: str, more: str = "") -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the {self._what}: {why}. It may have been completed, and replaced since: look at the object, and at the upload "
            f"{self._operation.upload_id}{more}",
            upload_id=self._operation.upload_id,
            parts_done=len(self._operation.parts),
        )
