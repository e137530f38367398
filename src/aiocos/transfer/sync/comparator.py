"""Compare a file with an object, or two objects: by size, time or content.

A listing has size, time and ETag of an object, but not the time that the file had when it was uploaded. So "newer" compares
the source's time with the time at which the copy was written: a file that was changed after that is copied again. Times of
objects may have whole seconds only. If two times are within a second of each other, the content is compared instead.
"""

from __future__ import annotations

from pathlib import Path

from aiocos.config import MIB
from aiocos.errors import CosError
from aiocos.groups import Service, engine_of
from aiocos.integrity import find_verification
from aiocos.object_checksum import Checksum
from aiocos.operations.objects import GetObject, HeadObject
from aiocos.transfer.files import in_thread
from aiocos.transfer.requests import Compare
from aiocos.transfer.sync.listing import Entry, RemoteObject
from aiocos.transfer.sync.walk import LocalFile
from aiocos.wire import digest

_SECOND = 10**9


async def difference(service: Service, source: Entry, target: Entry, compare: Compare) -> str | None:
    """Return why the target differs from the source; None if it does not.

    Raises `OSError` if the source cannot be read.
    """
    if source.size != target.size:
        return "size"
    if compare == "size":
        return None
    if compare == "checksum":
        equal = await _has_same_content(service, source, target)
        if equal is not None:
            return None if equal else "checksum"
        # The object has no checksum that can be computed here, so its time decides.
        return "newer, and has no checksum to compare" if _is_newer(source, target) is not False else None
    newer = _is_newer(source, target)
    if newer is None:
        equal = await _has_same_content(service, source, target)
        return None if equal else "of the same second, and not known to be the same"
    return "newer" if newer else None


def _is_newer(source: Entry, target: Entry) -> bool | None:
    """Return whether the source was changed after the target.

    Returns None if the times are too close to tell.
    """
    if source.modified == target.modified and isinstance(source, LocalFile) != isinstance(target, LocalFile):
        # Equal to the nanosecond: a download has given the file the object's time.
        return False
    if abs(source.modified - target.modified) < _SECOND:
        return None
    return source.modified > target.modified


async def _has_same_content(service: Service, source: Entry, target: Entry) -> bool | None:
    """Return whether two entries of equal size have equal content.

    Returns None if that cannot be found out.

    Raises `OSError` if a file of the source cannot be read.
    """
    if isinstance(source, RemoteObject) and isinstance(target, RemoteObject):
        if digest.bare(source.etag) == digest.bare(target.etag):
            return True
        return False if digest.is_md5(source.etag) and digest.is_md5(target.etag) else None
    file, stored = (source, target) if isinstance(source, LocalFile) else (target, source)
    assert isinstance(file, LocalFile)
    assert isinstance(stored, RemoteObject)
    try:
        # Not by the ETag of the listing, which is no MD5 under a customer's key. HEAD tells.
        info = await engine_of(service).call(HeadObject(stored.bucket, stored.key))
        verification = await find_verification(engine_of(service), GetObject(stored.bucket, stored.key), info)
        if verification is None:
            return None
        checksum: Checksum | None = verification.checksum
        fallback = verification.fallback
        while checksum is not None:
            if await in_thread(file_agrees, file.path, checksum):
                return True
            checksum, fallback = await fallback() if fallback else None, None
    except CosError:
        return None
    except OSError:
        if file is target:
            return None  # it will be replaced, and whatever prevents that is reported then
        raise
    return False


def file_agrees(path: Path, checksum: Checksum) -> bool:
    """Read a file, and return True if it has the checksum. Blocks."""
    with path.open("rb") as file:
        while data := file.read(4 * MIB):
            checksum.update(data)
    return checksum.agrees
