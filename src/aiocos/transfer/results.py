"""What transfers tell: while they run, and at their end."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import BaseModel, ConfigDict

from aiocos.errors import TimedOut, TransferError

Verified = Literal["md5", "composite", "checksum"] | None
State = Literal["queued", "running", "verifying", "done", "failed"]

_log = logging.getLogger("aiocos.transfer")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is. Bytes and parts are cumulative; a total is None where it is not known."""

    bucket: str
    key: str
    state: State
    bytes_done: int
    bytes_total: int | None
    parts_done: int
    parts_total: int | None


Observer = Callable[[Progress], None]
"""Told of progress, in the event loop: it must not block. An exception of its own is logged and ends nothing."""


class Reporter:
    """Counts for one transfer, and tells an observer."""

    def __init__(self, observer: Observer | None, bucket: str, key: str) -> None:
        self._observer = observer
        self._bucket = bucket
        self._key = key
        self.bytes_total: int | None = None
        self.parts_total: int | None = None
        self.bytes_done = 0
        self.parts_done = 0

    def tell(self, state: State) -> None:
        """Tell the observer how things are."""
        if self._observer is None:
            return
        progress = Progress(
            self._bucket, self._key, state, self.bytes_done, self.bytes_total, self.parts_done, self.parts_total
        )
        try:
            self._observer(progress)
        except Exception:
            _log.exception("the progress observer of %s/%s failed", self._bucket, self._key)

    def moved(self, size: int, *, parts: int = 0) -> None:
        """Count bytes and parts, and tell."""
        self.bytes_done += size
        self.parts_done += parts
        self.tell("running")

    def restarted(self) -> None:
        """Begin to count anew."""
        self.bytes_done = self.parts_done = 0
        self.tell("running")


@asynccontextmanager
async def told(reporter: Reporter, timeout: float | None, what: str) -> AsyncGenerator[None]:
    """Run a transfer: its observer hears of its beginning and its end, and its deadline (seconds) is an error of ours."""
    reporter.tell("queued")
    clock = asyncio.timeout(timeout)
    try:
        async with clock:
            yield
    except BaseException as error:
        reporter.tell("failed")
        # A source may raise a TimeoutError of its own, which is the caller's to understand.
        if clock.expired() and isinstance(error, TimeoutError) and not isinstance(error, TimedOut):
            raise TimedOut(f"{what}: not done within {timeout:g} s", sent=True) from error
        raise
    reporter.tell("done")


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the single exceptions of a group, however deep they are."""
    out: list[BaseException] = []
    for error in group.exceptions:
        out += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]  # pyright: ignore[reportUnknownArgumentType]
    return out


def raise_for(group: BaseExceptionGroup[BaseException], meaning: BaseException) -> NoReturn:
    """Raise what a group of failures means: an error about it, or one of its own, with the cause and context that one has."""
    if all(meaning is not leaf for leaf in leaves(group)):
        raise meaning from group
    context = meaning.__context__
    try:
        raise meaning
    except BaseException:
        meaning.__context__ = context
        raise
    finally:
        del meaning  # the traceback refers to this frame


class _Outcome(BaseModel):
    model_config = ConfigDict(frozen=True)


class UploadResult(_Outcome):
    """An object that is there, whole.

    `verified` says what vouches for it: "md5" or "composite" where the service's ETag is the one computed from the bytes that
    were read here; None where its ETags are no MD5 (each body was still sent with a checksum).
    """

    bucket: str
    key: str
    etag: str
    size: int
    parts: int
    version_id: str | None = None
    upload_id: str | None = None
    verified: Literal["md5", "composite"] | None = None
    request_id: str | None = None


class DownloadResult(_Outcome):
    """A file that is there, whole.

    `verified` says what vouches for it: "md5" or "composite" (the ETag), "checksum" (a checksum header), or None where the
    service gives nothing that could be computed here (objects under a customer's key, parts of unknown sizes).
    """

    bucket: str
    key: str
    path: Path
    etag: str
    size: int
    version_id: str | None = None
    verified: Verified = None


class FileError(_Outcome):
    """One file that was not transferred, and why."""

    path: str
    key: str
    error: str


class DirectoryResult(_Outcome):
    """What became of a directory."""

    files: int
    bytes: int
    errors: list[FileError] = []


class DirectoryError(TransferError):
    """Some files of a directory were not transferred; all others were. `result` says which; the causes are grouped."""

    def __init__(self, message: str, result: DirectoryResult) -> None:
        super().__init__(message)
        self.result = result
