"""Parameters of transfers, one class for each method.

A method takes exactly the fields of its class. Optional headers come from the sets of headers that operations share, and the
callbacks from `ProgressCallbacks`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias

from aiocos.config import Verify
from aiocos.groups import Service
from aiocos.operations.shared import (
    ContentParams,
    CopySourceParams,
    CustomerKeyParams,
    EncryptionParams,
    ExpectedOwnerParams,
    ForbidOverwriteParams,
    ObjectAclParams,
    ObjectLockParams,
    ReadConditionParams,
    RequestPayerParams,
    RetentionParams,
    WriteConditionParams,
)
from aiocos.transfer.file_objects import DownloadTarget, Source
from aiocos.transfer.progress import ProgressCallbacks

Directive: TypeAlias = Literal["COPY", "REPLACE"]
"""`COPY` takes something over from the source of a copy; `REPLACE` takes it from the call."""

ChecksumName: TypeAlias = Literal["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
"""The checksums of the service, as requests name them."""

Symlinks: TypeAlias = Literal["files", "follow", "skip"]
"""`files` follows symbolic links to files, `follow` those to directories as well, `skip` none."""

Compare: TypeAlias = Literal["time", "size", "checksum"]
"""By what a sync decides that a file and its copy differ."""


@dataclass(repr=False, slots=True)
class UploadRequest(
    ContentParams,
    EncryptionParams,
    WriteConditionParams,
    ForbidOverwriteParams,
    RetentionParams,
    ObjectLockParams,
    ObjectAclParams,
    RequestPayerParams,
    ExpectedOwnerParams,
    ProgressCallbacks,
):
    """Upload an object of any size.

    Small objects are sent with one PUT, larger ones as a multipart upload.

    An upload that fails is aborted, so it leaves no parts behind. After a cancel or a timeout, the call waits a quarter of a
    second for the abort. An abort that takes longer continues in the background, and `client.close()` waits for it, for at most
    `TransferConfig.cleanup_timeout` seconds. Aborts that failed are logged and listed in `client.failed_aborts`.

    A condition (`if_none_match="*"`: create, never replace) is checked by the service itself if the object is sent with one
    PUT. IBM does not document conditions for multipart uploads. The client then checks the object before the first part and
    again right before the upload is completed, which needs the right to read it. Another writer's object that appears after
    that second check is replaced, unless the service honors `If-None-Match` on the completion, or `x-ibm-forbid-overwrite`
    (on-premises, from release 3.20, if it is turned on), which is sent with `if_none_match="*"`. For a strict guarantee, raise
    `multipart_threshold` (up to `TransferConfig.max_memory`), or use a versioned bucket.

    Returns an `UploadResult`. Raises the errors of the service; `TransferError` if parts failed; `PreconditionFailed` if a
    condition did not hold (`ObjectAlreadyExists` with `forbid_overwrite`); `IntegrityError` if the service stored other bytes
    than those sent; `RequestTimeoutError` after `timeout`; and `OutcomeUnknown` if the response to the completion was lost, or
    disagrees with the object that the service shows.

    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects
    """

    bucket: str
    """Name of the bucket to write to."""
    key: str
    """Key of the object to write."""
    source: Source
    """Content of the object: bytes, a path (`str` or `Path`), a binary file object (also of aiofiles), or an iterator of bytes.

    A path must name a regular file, which must not change meanwhile. File objects are read in order from their current position
    and are not closed. `ConfigError` for a text file or any other type.
    """
    _: KW_ONLY
    part_size: int | None = None
    """Size of a part in bytes, 5 MiB to 5 GiB. None uses `TransferConfig.part_size` (8 MiB).

    Parts are made larger if the object would have more than 10,000 of them. With a source of unknown length, part sizes double
    after every 1,000 parts, up to half of `TransferConfig.max_memory`. `ConfigError` outside the range.
    """
    multipart_threshold: int | None = None
    """Size in bytes below which the object is sent with one PUT. None uses `TransferConfig.multipart_threshold` (16 MiB).

    Never less than the part size, and never more than `TransferConfig.max_memory`, since the content of a PUT is in memory.
    `ConfigError` below 0.
    """
    concurrency: int | None = None
    """Number of parts in flight, at least 1. None uses `TransferConfig.concurrency` (8) for bytes and paths, and
    `TransferConfig.stream_concurrency` (4) for sources that are read in order. `ConfigError` below 1."""
    checksum_algorithm: ChecksumName | None = None
    """Checksum of this upload: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`. None uses `ClientConfig.checksum`. It is
    sent with each body, whatever the service does with it. `ConfigError` for any other name.
    """
    checksum_type: Literal["FULL_OBJECT", "COMPOSITE"] | None = None
    """Checksum of an object that is sent in parts: of all its bytes (`FULL_OBJECT`), or of the checksums of its parts
    (`COMPOSITE`). None: `FULL_OBJECT` for CRCs, and `COMPOSITE` for hashes, which the service can't combine. `ConfigError`
    for `FULL_OBJECT` with a hash, and for `COMPOSITE` with CRC64NVME or with a checksum of the whole object."""
    checksum_crc32: str | None = None
    """CRC32 of the whole object, base64 of its 4 bytes. None: it is computed. Give at most one checksum. The source is
    compared with it, and so is the object by the service; `IntegrityError` if the source has other bytes. `ConfigError` if
    it is not valid base64 of the right length."""
    checksum_crc32c: str | None = None
    """CRC32C of the whole object, base64 of its 4 bytes, like `checksum_crc32`."""
    checksum_crc64nvme: str | None = None
    """CRC64NVME of the whole object, base64 of its 8 bytes, like `checksum_crc32`."""
    checksum_sha1: str | None = None
    """SHA-1 of the whole object, base64 of its 20 bytes. `ConfigError` if the object is sent in parts."""
    checksum_sha256: str | None = None
    """SHA-256 of the whole object, base64 of its 32 bytes. `ConfigError` if the object is sent in parts."""
    resume: bool = False
    """True: keep the parts of a multipart upload that fails, is canceled or killed, so that the same call can continue it.

    The source must be bytes or a path, unchanged since; `ConfigError` otherwise. A journal in `TransferConfig.state_dir`
    records the upload. Parts are only reused if their bytes, read again, have the checksum that the service shows. False (the
    default) aborts the upload instead.
    """
    timeout: float | None = None
    """Seconds for the whole transfer, retries included; `RequestTimeoutError` after that. None: no limit."""


@dataclass(repr=False, slots=True)
class DownloadRequest(CustomerKeyParams, ReadConditionParams, ExpectedOwnerParams, ProgressCallbacks):
    """Download an object to a file or into a file object.

    A path: the bytes are written to a hidden file beside the target, verified there, and renamed to the target, so a download
    that fails leaves the old file as it was. The new file takes over mode, extended attributes and, if permitted, owner and
    group of the old one. A symbolic link is followed, and the file that it leads to is replaced. Directories, devices, pipes
    and links to nowhere raise `ConfigError`.

    A file object (open file, `BytesIO`, file of aiofiles, `asyncio.StreamWriter`): the bytes are written in order from its
    current position while later ranges are fetched. It is neither flushed nor closed. The content can only be verified when
    all of it has been written: after an error, discard what is there.

    Returns a `DownloadResult`. Raises the errors of the service; `IntegrityError` if the bytes do not verify (for a path, after
    three attempts); `PreconditionFailed` if the object is replaced meanwhile; `TransferError` if ranges failed;
    `RequestTimeoutError` after `timeout`. An exception of a file object is raised as it is.
    """

    bucket: str
    """Name of the bucket to read from."""
    key: str
    """Key of the object to read."""
    target: DownloadTarget
    """Where the content goes: a path (`str` or `Path`) in an existing directory, or a binary file object.

    `ConfigError` for a text file, for a file that is open for reading only, and for a path that cannot become a regular file.
    """
    _: KW_ONLY
    version_id: str | None = None
    """Version of the object to read. None reads the latest."""
    part_size: int | None = None
    """Size in bytes of the ranges that are requested in parallel, at least 1. None uses `TransferConfig.part_size` (8 MiB).

    Ranges are made larger if the object would have more than 10,000 of them. `ConfigError` below 1.
    """
    multipart_threshold: int | None = None
    """Size in bytes up to which the object is read with one request. None uses `TransferConfig.multipart_threshold` (16 MiB).

    Never less than the part size. `ConfigError` below 0.
    """
    concurrency: int | None = None
    """Number of ranges in flight, at least 1. None uses `TransferConfig.concurrency` (8). `ConfigError` below 1.

    For a file object, ranges that are ahead of the writer are kept in memory, at most half of `TransferConfig.max_memory`.
    """
    resume: bool = False
    """True: keep what a download that fails, is canceled or killed has fetched, so that the same call can continue it.

    The bytes stay in a hidden file beside the target, with a journal, and are used if the object is still the one with that
    ETag, and if something can be compared at the end, also with `verify="none"`. Objects that are read with one request
    start over. `ConfigError` for a file object. False (the default) removes the hidden file.
    """
    verify: Verify | None = None
    """How the bytes are compared with the checksum of the object: `"flow"` as they arrive, `"disk"` as they are read back from
    the file, `"none"` not at all. None uses `TransferConfig.verify` (`"flow"`), or `"none"` if `ClientConfig.verify_reads` is
    False. A download that continues an earlier run is always compared. `ConfigError` for `"disk"` with a file object, and for
    another value.
    """
    fsync: bool | None = None
    """True: flush the file to the disk before it is renamed, and its directory afterwards, before the call returns.

    None uses `TransferConfig.fsync` (False). `ConfigError` if True with a file object: flush that yourself.
    """
    timeout: float | None = None
    """Seconds for the whole transfer, retries included; `RequestTimeoutError` after that. None: no limit."""


@dataclass(repr=False, slots=True)
class CopyRequest(
    ContentParams,
    EncryptionParams,
    WriteConditionParams,
    ForbidOverwriteParams,
    CopySourceParams,
    RetentionParams,
    ObjectLockParams,
    ObjectAclParams,
    RequestPayerParams,
    ExpectedOwnerParams,
    ProgressCallbacks,
):
    """Copy an object of any size within the service, without downloading it.

    Objects up to `copy_threshold` are copied by one `CopyObject`, larger ones in parts. Either way the copy gets what
    `CopyObject` copies: content headers, metadata and tags, unless a directive is `REPLACE`; retention and legal holds with
    `retention_directive="COPY"`; but neither the access control list nor Object Lock.

    Conditions on the target (`if_none_match="*"`) are not documented for copies. The client checks the target right before it
    is written. Another writer's object that appears after that check is replaced, unless the service honors the condition, or
    `x-ibm-forbid-overwrite`, which is sent with `if_none_match="*"`. After a cancel, a copy in parts is aborted as an upload
    is.

    Returns a `CopyResult`. Raises the errors of the service; `TransferError` if the source changed meanwhile or parts failed;
    `IntegrityError` if the service reports another object than the source; `ConfigError` for a copy of an object onto itself
    that changes nothing; `RequestTimeoutError` after `timeout`; and `OutcomeUnknown` if the response to the completion was
    lost, or disagrees with the object that the service shows.

    https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-large-objects
    """

    source_bucket: str
    """Name of the bucket to copy from."""
    source_key: str
    """Key of the object to copy."""
    bucket: str
    """Name of the bucket to write to."""
    key: str
    """Key of the copy."""
    _: KW_ONLY
    version_id: str | None = None
    """Version of the source to copy. None copies the latest."""
    source_client: Service | None = None
    """Client for the requests that read the source's headers, tags and legal holds, if its bucket is at another endpoint.

    None uses this client. The copy itself is always requested by this client.
    """
    metadata_directive: Directive | None = None
    """`COPY` or None: keep content headers and metadata of the source. `REPLACE`: use those of this call instead."""
    tagging_directive: Directive | None = None
    """`COPY` or None: keep the tags of the source. `REPLACE`: use `tagging` of this call instead."""
    retention_directive: Directive | None = None
    """`COPY`: take retention and legal holds from the source. `REPLACE`: use those of this call. None: no retention.

    `ConfigError` if retention parameters are given without `REPLACE`.
    """
    part_size: int | None = None
    """Size of a part in bytes, 5 MiB to 5 GiB. None uses `TransferConfig.copy_part_size` (512 MiB).

    Parts are made larger if the object would have more than 10,000 of them. `ConfigError` outside the range.
    """
    copy_threshold: int | None = None
    """Size in bytes up to which one `CopyObject` is sent, 0 to 5 GiB. None uses `TransferConfig.copy_threshold` (5 GiB).

    `ConfigError` outside the range.
    """
    concurrency: int | None = None
    """Number of parts in flight, at least 1. None uses `TransferConfig.concurrency` (8). `ConfigError` below 1."""
    timeout: float | None = None
    """Seconds for the whole transfer, retries included; `RequestTimeoutError` after that. None: no limit."""


@dataclass(kw_only=True, slots=True)
class DirectoryParams(ProgressCallbacks):
    """Parameters that uploads and downloads of directories share."""

    prefix: str = ""
    """Beginning of every key, as it is: `photos/` for a folder. Empty (the default) for the whole bucket."""
    include: Sequence[str] = ()
    """Patterns of names to transfer, such as `*.jpg` or `docs/**/*.md`. Empty (the default) includes everything.

    `*` and `?` stay within a segment, `**` does not. A pattern without a slash matches at any depth. `ConfigError` for a string
    in place of a list.
    """
    exclude: Sequence[str] = ()
    """Patterns of names to leave out, such as `*.tmp` or `node_modules`; stronger than `include`. Empty excludes nothing."""
    resume: bool = False
    """True: skip files that the target has in the same size, unless the source is newer; and continue unfinished large files.

    False (the default) transfers everything.
    """
    concurrency: int | None = None
    """Number of files in flight, at least 1. None means 32. `ConfigError` below 1."""
    part_size: int | None = None
    """Part size for each file, in bytes, as in `upload` and `download`. None uses `TransferConfig.part_size` (8 MiB)."""


@dataclass(slots=True)
class UploadDirectoryRequest(DirectoryParams):
    """Upload all regular files below a directory.

    The key of a file is `prefix` and its path, with slashes.

    A file that fails does not stop the others. Anything that cannot be read as a file is reported as an error of its own: a
    directory without permission, a link to nowhere, a pipe, and hidden files of unfinished downloads (`.NAME.TAG.part`,
    `.NAME.TAG.journal`). Names that `exclude` matches are not reported. Empty directories are not uploaded.

    `progress` is called for each file; `on_queued`, `on_progress` and `on_done` for the directory as a whole.

    Returns a `DirectoryResult`. Raises `DirectoryError`, which has that result, if some files failed; `ConfigError` if `root`
    is not a directory; `CredentialsError` and `NoSuchBucket` at once, since they would fail every file.
    """

    root: str | os.PathLike[str]
    """The directory to upload."""
    bucket: str
    """Name of the bucket to write to."""
    symlinks: Symlinks = "files"
    """`files` (the default): follow symbolic links to files only. `follow`: links to directories, too. `skip`: none."""


@dataclass(slots=True)
class DownloadDirectoryRequest(DirectoryParams):
    """Download all objects under a prefix.

    The path of an object below `root` is its key without the prefix.

    A file that fails does not stop the others. Keys that are no safe path are reported as errors: `../x`, `/x`, `a//b`, a NUL
    character; keys that a symbolic link would lead outside `root`, or that name a link; and keys that name a file in which
    transfers keep their state (`.NAME.TAG.part`, `.NAME.TAG.journal`, anything in the directory of journals). A directory that
    is replaced by a link meanwhile is not followed. Empty objects whose key ends in a slash are folders, and are not
    downloaded. Missing directories are made.

    `progress` is called for each file; `on_queued`, `on_progress` and `on_done` for the directory as a whole.

    Returns a `DirectoryResult`. Raises `DirectoryError`, which has that result, if some files failed; `CredentialsError` and
    `NoSuchBucket` at once, since they would fail every file.
    """

    bucket: str
    """Name of the bucket to read from."""
    root: str | os.PathLike[str]
    """The directory to write to. It is made if it does not exist."""


@dataclass(repr=False, slots=True)
class SyncRequest(ProgressCallbacks):
    """Make the target like the source.

    One of the two is a prefix in the service; the other one is a directory or a prefix.

    Files that differ are transferred. With `delete`, files that only the target has are removed at the end. Nothing is deleted
    if something in the source could not be read (a directory without permission, a link to nowhere, a pipe), or could not be
    written to the target (`a//b`, an object where a directory is, an object below what is a file). Each of those is reported as
    an error, unless `exclude` matches it. Hidden files of unfinished downloads (`.NAME.TAG.part`, `.NAME.TAG.journal`) are
    reported, too, and neither transferred nor deleted between a directory and a prefix.

    `progress` is called for each file; `on_queued`, `on_progress` and `on_done` for the sync as a whole.

    Returns a `SyncResult`. Raises `DirectoryError`, which has that result, if some files failed or nothing could be deleted;
    `ConfigError` if the two locations contain each other; and the errors of `upload` that concern all files.
    """

    source: str | os.PathLike[str]
    """Location to read: a directory, or `cos://bucket/prefix`. A prefix is a folder, with or without a slash at its end."""
    target: str | os.PathLike[str]
    """Location to change, in the same form. One of the two must be in the service. A missing directory is made."""
    _: KW_ONLY
    delete: bool = False
    """True: remove from the target what the source does not have. False (the default) keeps it."""
    dry_run: bool = False
    """True: change nothing, and list in `SyncResult.actions` what would be done."""
    include: Sequence[str] = ()
    """Patterns of names to sync, such as `*.jpg` or `docs/**/*.md`. Empty (the default) includes everything.

    Other names are neither transferred nor deleted. `ConfigError` for a string in place of a list.
    """
    exclude: Sequence[str] = ()
    """Patterns of names to leave out, such as `*.tmp` or `node_modules`: neither transferred nor deleted. Empty: none."""
    compare: Compare = "time"
    """By what files differ. `time` (the default): another size, or newer in the source. `size`: another size only.
    `checksum`: another size or other bytes, which reads every file. `ConfigError` for anything else."""
    symlinks: Symlinks = "files"
    """In a source directory: `files` (the default) follows symbolic links to files, `follow` to directories, too, `skip` none.

    Names of links that are not followed, and names below them, are neither transferred nor deleted.
    """
    resume: bool = False
    """True: continue large files that an earlier run left unfinished."""
    part_size: int | None = None
    """Part size for each file, in bytes, as in `upload` and `download`. None uses `TransferConfig.part_size` (8 MiB)."""
    concurrency: int | None = None
    """Number of files in flight, at least 1. None means 32. `ConfigError` below 1."""
