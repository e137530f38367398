"""Names of the hidden files of unfinished downloads.

A download to `NAME` writes to `.NAME.TAG.part`, and its journal is `.NAME.TAG.journal`. Files and keys of this form are never
transferred or deleted by a sync: they belong to another download, which may be running.
"""

from __future__ import annotations

import re

from aiocos.errors import TransferError

# Case is ignored because some file systems ignore it: `.A.TAG.part` may be the same file as `.a.TAG.part`.
_RESERVED = re.compile(
    r"\..{1,50}\.[0-9a-f]{8}(?:[0-9a-f]{4})?\.(?:part|journal)|\.aiocos-case-[0-9a-f]{8}", re.DOTALL | re.IGNORECASE
)


def hidden_name(name: str, tag: str) -> str:
    """Return the name of the file that a download to `name` writes to.

    Its journal ends in `.journal` instead of `.part`.
    """
    # A file name may have 255 bytes, and a character up to four of them.
    return f".{name[:50]}.{tag}.part"


def is_reserved(name: str) -> bool:
    """Return True if a segment of `name` has the form of `hidden_name`."""
    return any(segment.startswith(".") and _RESERVED.fullmatch(segment) for segment in name.split("/"))


def reserved_name_error(name: str) -> TransferError:
    """Return the error for something that is skipped because of its name."""
    return TransferError(
        f"{name} is not transferred: names like .NAME.TAG.part and .NAME.TAG.journal are those of unfinished downloads. "
        "Finish the download, rename the file, or exclude it"
    )
