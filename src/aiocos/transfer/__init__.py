"""Transfers: objects of any size, in parts, with bounded memory, verified, and leaving nothing behind when they fail."""

from aiocos.transfer.copies import CopyResult
from aiocos.transfer.methods import Transfers
from aiocos.transfer.results import DirectoryError, DirectoryResult, DownloadResult, FileError, Progress, UploadResult

__all__ = [
    "CopyResult",
    "DirectoryError",
    "DirectoryResult",
    "DownloadResult",
    "FileError",
    "Progress",
    "Transfers",
    "UploadResult",
]
