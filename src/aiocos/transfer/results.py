"""What transfers give at their end, and what their failures mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias

from pydantic import BaseModel, ConfigDict

from aiocos.errors import TransferError
from aiocos.wire.brief import brief

SyncKind: TypeAlias = Literal["upload", "download", "copy", "delete", "refuse"]
"""One thing that a sync does to a file or object; "refuse" is a file that it leaves alone."""

Verified = Literal["md5", "composite", "checksum"] | None


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

    def __repr_args__(self) -> "Iterable[tuple[str | None, Any]]":
        """Show the fields that are set, and of long lists the first entries."""
        return brief(super().__repr_args__())


class UploadResult(_Outcome):
    """An object that is there, whole.

    `kept` are the bytes that an earlier run had sent. `refused` says why there was something to resume and it was not used.
    `verified` says what vouches for it: "md5" or "composite" where the service's ETag is the one computed from the bytes that
    were read here, "checksum" where the service has said each body's checksum back; None where its ETags are no MD5 (each body
    was still sent with a checksum).
    """

    bucket: str
    key: str
    etag: str
    size: int
    parts: int
    version_id: str | None = None
    upload_id: str | None = None
    verified: Verified = None
    request_id: str | None = None
    resumed_bytes: int = 0
    resume_rejected: str | None = None


class DownloadResult(_Outcome):
    """A file that is there, whole.

    `kept` are the bytes that an earlier run had fetched. `refused` says why there was something to resume and it was not used.
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
    resumed_bytes: int = 0
    resume_rejected: str | None = None


class CopyResult(_Outcome):
    """A copy that is there, whole. `version_id` is the copy's own, `source_version_id` that of what was copied."""

    bucket: str
    key: str
    etag: str
    size: int
    parts: int
    version_id: str | None = None
    source_version_id: str | None = None
    request_id: str | None = None


class FileError(_Outcome):
    """One file that was not transferred, and why."""

    path: str
    key: str
    error: str


class DirectoryResult(_Outcome):
    """What became of a directory. `files` and `bytes` were transferred, `unchanged` were there already (with `resume`)."""

    files: int
    bytes: int
    errors: list[FileError] = []
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class SyncAction:
    """One thing that a synchronisation does, or would do.

    `source` is what is transferred (empty for a deletion), `target` what is written or deleted, `size` in bytes, `reason` why:
    `new`, `size`, `newer`, `checksum` …, `not in the source`, or what stands against it where it is refused.
    """

    kind: SyncKind
    source: str
    target: str
    size: int
    reason: str


class SyncResult(DirectoryResult):
    """What became of a synchronisation.

    `not_deleted` says why what was surplus was left where it is. `actions` are those of a dry run: what would be done.
    """

    deleted: int = 0
    not_deleted: str | None = None
    dry_run: bool = False
    actions: list[SyncAction] = []


class DirectoryError(TransferError):
    """Some files of a directory were not transferred; all others were. `result` says which; the causes are grouped."""

    def __init__(self, message: str, result: DirectoryResult) -> None:
        super().__init__(message)
        self.result = result
