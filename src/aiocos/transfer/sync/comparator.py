"""Whether a file and an object, or two objects, are the same: by size, by time, or by what they hold.

A listing tells size, time and ETag, and nothing of the time that a file had when it was uploaded. So "newer" compares the time
of the source with that of the copy: what was changed after it was copied is copied again. Times of objects may have whole
seconds only, so within a second time cannot tell, and a file is compared by what it holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from aiocos.config import MIB
from aiocos.errors import CosError
from aiocos.groups import Service, engine_of
from aiocos.integrity import Checksum, find_verification
from aiocos.operations.objects import GetObject, HeadObject
from aiocos.transfer.files import in_thread
from aiocos.transfer.sync.listing import Entry, RemoteObject
from aiocos.transfer.sync.paths import LocalFile
from aiocos.wire import digest

Compare: TypeAlias = Literal["time", "size", "checksum"]

_SECOND = 10**9


async def difference(service: Service, source: Entry, target: Entry, compare: Compare) -> str | None:
    """Say why the target is not what the source is; None where it is."""
    if source.size != target.size:
        return "size"
    if compare == "size":
        return None
    if compare == "checksum":
        same = await _same(service, source, target)
        if same is not None:
            return None if same else "checksum"
        # Nothing vouches for the object: its time has to do.
        return "newer, and has no checksum to compare" if _newer(source, target) is not False else None
    newer = _newer(source, target)
    if newer is None:
        return None if await _same(service, source, target) else "of the same second, and not known to be the same"
    return "newer" if newer else None


def _newer(source: Entry, target: Entry) -> bool | None:
    """Tell whether the source was changed after the target; None where that is within the precision of the service's times."""
    if source.modified == target.modified and isinstance(source, LocalFile) != isinstance(target, LocalFile):
        # Exactly so, to the nanosecond: a download has set it.
        return False
    if abs(source.modified - target.modified) < _SECOND:
        return None
    return source.modified > target.modified


async def _same(service: Service, source: Entry, target: Entry) -> bool | None:
    """Return whether two entries of one size hold the same; None if unknown.

    Raises `OSError` where a file of the source cannot be read.
    """
    if isinstance(source, RemoteObject) and isinstance(target, RemoteObject):
        if digest.bare(source.etag) == digest.bare(target.etag):
            return True
        return False if digest.is_md5(source.etag) and digest.is_md5(target.etag) else None
    file, stored = (source, target) if isinstance(source, LocalFile) else (target, source)
    assert isinstance(file, LocalFile)
    assert isinstance(stored, RemoteObject)
    try:
        # The listing's ETag may be of an object under a customer's key; HEAD says what can be computed.
        info = await engine_of(service).call(HeadObject(stored.bucket, stored.key))
        evidence = await find_verification(engine_of(service), GetObject(stored.bucket, stored.key), info)
        if evidence is None:
            return None
        proof: Checksum | None = evidence.checksum
        otherwise = evidence.fallback
        while proof is not None:
            if await in_thread(agrees, file.path, proof):
                return True
            proof, otherwise = await otherwise() if otherwise else None, None
    except CosError:
        return None
    except OSError:
        if file is target:
            return None  # it is going to be replaced, and whatever forbids that is told then
        raise
    return False


def agrees(path: Path, proof: Checksum) -> bool:
    """Read a file, and tell whether a proof agrees with it. Blocks."""
    with path.open("rb") as file:
        while data := file.read(4 * MIB):
            proof.update(data)
    return proof.agrees
