"""Results of transfers, and the errors that carry them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias

from pydantic import BaseModel, ConfigDict

from aiocos.describe import complete_docstring, with_field_texts
from aiocos.errors import TransferError
from aiocos.wire.brief import brief

SyncKind: TypeAlias = Literal["upload", "download", "copy", "delete", "refuse"]
"""What a sync does to one file or object. `refuse`: it leaves it alone and reports it."""

Verified: TypeAlias = Literal["md5", "composite", "checksum"] | None
"""What the content was compared with; None if nothing could be compared."""

VerifiedBy = Literal["md5", "composite", "crc64nvme", "crc32", "crc32c", "sha1", "sha256"] | None
"""What a download was compared with; None if nothing was compared."""


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the single exceptions of a group, however deeply nested."""
    out: list[BaseException] = []
    for error in group.exceptions:
        out += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]  # pyright: ignore[reportUnknownArgumentType]
    return out


def raise_for(group: BaseExceptionGroup[BaseException], error: BaseException) -> NoReturn:
    """Raise `error` in place of an exception group.

    A new error gets the group as its cause. One that is a member of the group keeps its own cause and context.
    """
    if all(error is not leaf for leaf in leaves(group)):
        raise error from group
    context = error.__context__
    try:
        raise error
    except BaseException:
        error.__context__ = context
        raise
    finally:
        del error  # the traceback refers to this frame


class _TransferResult(BaseModel):
    model_config = ConfigDict(frozen=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Let the docstring of a result end with the texts of its fields."""
        complete_docstring(cls, "Attributes")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show the fields that are set, and of long lists the first entries."""
        return brief(super().__repr_args__())


class UploadResult(_TransferResult):
    """An object that was uploaded completely."""

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    etag: str
    """ETag of the object as the service writes it, with quotes."""
    size: int
    """Size of the object in bytes."""
    parts: int
    """Number of parts; 1 for an object that was sent with one PUT."""
    version_id: str | None = None
    """Version of the object in a versioned bucket, else None."""
    upload_id: str | None = None
    """Id of the multipart upload; None for an object that was sent with one PUT."""
    verified: Verified = None
    """Evidence that the service stored the bytes that were read here.

    `checksum`: it returned the checksum of the object, or of each body. `md5` or `composite`: its ETag is the one computed from
    the bytes, and it returns no checksums. None: its ETags are not MD5s and it returned no checksum; each body was still sent
    with one.
    """
    request_id: str | None = None
    """The service's id of the request that created the object, for support."""
    resumed_bytes: int = 0
    """Bytes that an earlier run had sent, with `resume=True`."""
    resume_rejected: str | None = None
    """Why the state of an earlier run was there and not used; None if it was used or there was none."""


class DownloadResult(_TransferResult):
    """An object that was downloaded completely."""

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    path: Path | None
    """The path that was given as the target; None for a file object."""
    etag: str
    """ETag of the object as the service writes it, with quotes."""
    size: int
    """Bytes that were written."""
    version_id: str | None = None
    """Version of the object in a versioned bucket, else None."""
    verified: VerifiedBy = None
    """What the bytes were compared with.

    `crc64nvme`, `crc32c`, `crc32`, `sha1`, `sha256`: that checksum of the whole object. `md5`: its ETag, the MD5 of an object
    stored by one PUT. `composite`: its ETag, computed from the MD5s of its parts. None: the service gives nothing that can be
    computed here (no checksum and a customer's key or parts of unknown sizes), or nothing was to be compared (`verify`).
    """
    resumed_bytes: int = 0
    """Bytes that an earlier run had fetched, with `resume=True`."""
    resume_rejected: str | None = None
    """Why the state of an earlier run was there and not used; None if it was used or there was none."""


class CopyResult(_TransferResult):
    """An object that was copied completely."""

    bucket: str
    """Name of the bucket of the copy."""
    key: str
    """Key of the copy."""
    etag: str
    """ETag of the copy as the service writes it, with quotes. A copy in parts has another ETag than its source."""
    size: int
    """Size of the object in bytes."""
    parts: int
    """Number of parts; 1 for a copy by one `CopyObject`."""
    version_id: str | None = None
    """Version of the copy in a versioned bucket, else None."""
    source_version_id: str | None = None
    """Version of the source that was copied, if its bucket is versioned, else None."""
    request_id: str | None = None
    """The service's id of the request that created the copy, for support."""


class FileError(_TransferResult):
    """A file or an object of a directory transfer that failed."""

    path: str
    """Local path; for a copy between prefixes, the `cos://` location of the target. Empty if there is none."""
    key: str
    """Key in the bucket; in a sync, its `cos://` location. Empty if there is none."""
    error: str
    """Message of the exception."""


class DirectoryResult(_TransferResult):
    """The result of uploading or downloading a directory."""

    files: int
    """Number of files that were transferred."""
    bytes: int
    """Their size in bytes."""
    errors: list[FileError] = []
    """Files that failed. Empty in a result that is returned; `DirectoryError.result` has them."""
    unchanged: int = 0
    """Number of files that the target had already. Counted in a sync and with `resume=True`, else 0."""


@with_field_texts("Attributes")
@dataclass(frozen=True, slots=True)
class SyncAction:
    """One thing that a sync does, or would do."""

    kind: SyncKind
    """`upload`, `download`, `copy` or `delete`; `refuse` for something that cannot be transferred or deleted."""
    source: str
    """Path or `cos://` location of what is transferred; empty for a deletion."""
    target: str
    """Path or `cos://` location of what is written or deleted."""
    size: int
    """Size in bytes; 0 where it is not known."""
    reason: str
    """Why: `new`, `size`, `newer`, `checksum`, `not in the source`; for `refuse` the error."""


class SyncResult(DirectoryResult):
    """The result of a sync."""

    deleted: int = 0
    """Number of files or objects that were deleted from the target."""
    not_deleted: str | None = None
    """Why nothing was (in a dry run: would be) deleted although `delete` was True; None if deletion was possible."""
    dry_run: bool = False
    """True if nothing was changed."""
    actions: list[SyncAction] = []
    """Everything that would be done, in a dry run; else empty."""


class DirectoryError(TransferError):
    """Some files of a directory were not transferred; all others were.

    The exceptions of the files (the first 100) are grouped in `__cause__`.
    """

    result: DirectoryResult
    """Everything that was done, with `errors` for each file that failed."""

    def __init__(self, message: str, result: DirectoryResult) -> None:
        super().__init__(message)
        self.result = result
