"""Transfers: objects of any size, in parts, with bounded memory, verified, and leaving nothing behind when they fail."""

from aiocos.transfer.methods import Transfers
from aiocos.transfer.results import DirectoryError, DirectoryResult, DownloadResult, FileError, Progress, UploadResult

__all__ = ["DirectoryError", "DirectoryResult", "DownloadResult", "FileError", "Progress", "Transfers", "UploadResult"]
