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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiocos.transfer.cleanup import FailedAbort
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
else:
    # Hidden from type checkers: with a `__getattr__` they accept every name, misspelled ones too.
    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value


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

# Where each name is, as above. Names are imported at their first use: a client needs none of them to start.
_MODULES = {
    "aiocos.transfer.cleanup": "FailedAbort",
    "aiocos.transfer.handle": "TransferHandle",
    "aiocos.transfer.manager": "Transfers",
    "aiocos.transfer.progress": "Progress",
    "aiocos.transfer.results": """
        CopyResult DirectoryError DirectoryResult DownloadResult FileError SyncAction SyncResult UploadResult
    """,
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}
