"""Transfers: objects of any size, in parts, with bounded memory, verified, and leaving nothing behind when they fail."""

from aiocos.transfer.cleaning import FailedAbort
from aiocos.transfer.handle import TransferHandle
from aiocos.transfer.methods import Transfers
from aiocos.transfer.monitor import Progress
from aiocos.transfer.planning import SyncAction
from aiocos.transfer.results import (
    CopyResult,
    DirectoryError,
    DirectoryResult,
    DownloadResult,
    FileError,
    SyncResult,
    UploadResult,
)

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
