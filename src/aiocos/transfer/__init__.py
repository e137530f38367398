"""Transfers of objects of any size.

They work in parts and with bounded memory, verify what they transfer, and clean up when they fail.

Modules import from left to right only, and `tests/transfer/test_layers.py` checks that::

    manager ──▶ sync/ ──▶ upload/    ──▶ completion ──▶ abort
                  │       copy/        ──▶ conditions, derive ──▶ requests ──▶ progress, file_objects
                  │       download/    ──▶ memory, parts, results, tasks
                  └─────────────────────▶ pool, location, reserved_names, journal ──▶ files, state

`upload/`, `download/` and `copy/` do not know each other. What two of them need is in a module beside them: completing and
aborting multipart uploads, for example, which uploads and copies do.
"""

from aiocos.transfer.abort import FailedAbort
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
