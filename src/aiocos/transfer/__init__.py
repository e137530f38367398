"""Transfers: objects of any size, in parts, with bounded memory, verified, and leaving nothing behind when they fail."""

from aiocos.transfer.handle import TransferHandle
from aiocos.transfer.manager import Transfers
from aiocos.transfer.progress import Progress
from aiocos.transfer.results import (
    CopyResult,
    DirectoryError,
    DirectoryResult,
    DownloadResult,
    FileError,
    SyncAction,
    SyncResult,
    UploadResult,
)
from aiocos.transfer.upload.abort import FailedAbort

__all__ = [
    "CopyResult",
    "DirectoryError",
    "DirectoryResult",
    "DownloadResult",
    "FailedAbort",
    "FileError",
    "Progress",
    "SyncAction",
    "SyncResult",
    "TransferHandle",
    "Transfers",
    "UploadResult",
]
