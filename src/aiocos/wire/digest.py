"""Checksums as the service writes them, and the ETags they make."""

import base64
import hashlib
import importlib
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from aiocos.wire.message import Bytes

Algorithm = Literal["md5", "crc32", "sha256"]
HEADERS: dict[Algorithm, str] = {
    "md5": "Content-MD5",
    "crc32": "x-amz-checksum-crc32",
    "sha256": "x-amz-checksum-sha256",
}

_PLAIN = re.compile(r"[0-9a-f]{32}")
_COMPOSITE = re.compile(r"([0-9a-f]{32})-([0-9]{1,5})")


def _fastest_crc32() -> Callable[[Bytes, int], int]:
    """The CRC32 of ISA-L, which is several times faster, where it is installed (`pip install 'aiocos[fast]'`); else zlib's."""
    try:
        return importlib.import_module("isal.isal_zlib").crc32
    except ImportError:
        return zlib.crc32


crc32 = _fastest_crc32()


def digest(algorithm: Algorithm, data: Bytes) -> bytes:
    """Hash a whole body. MD5 and SHA-256 let other threads run meanwhile."""
    if algorithm == "md5":
        return hashlib.md5(data, usedforsecurity=False).digest()
    if algorithm == "crc32":
        return crc32(data, 0).to_bytes(4, "big")
    return hashlib.sha256(data).digest()


def encode(value: bytes) -> str:
    """Base64, as checksum headers carry it."""
    return base64.b64encode(value).decode()


def content_md5(data: Bytes) -> str:
    """The value of Content-MD5."""
    return encode(digest("md5", data))


def bare(etag: str) -> str:
    """An ETag without its quotes, its weakness mark, and its case."""
    return etag.removeprefix("W/").strip('"').lower()


def etag_of(data: Bytes) -> str:
    """The ETag of an object put in one piece, without quotes."""
    return digest("md5", data).hex()


def composite_etag(md5s: Iterable[bytes]) -> str:
    """The ETag of a completed multipart upload, from the MD5 of each part in order: MD5 of the MD5s, dash, their number."""
    joined = b"".join(md5s)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(joined) // 16}"


def is_md5(etag: str) -> bool:
    """Tell whether an ETag has the form of the MD5 of a whole object."""
    return _PLAIN.fullmatch(bare(etag)) is not None


def contradiction(sent: Mapping[str, str], told: Mapping[str, str | None]) -> tuple[str, str] | None:
    """Return the checksum that was sent with a body and the other one that the service names for it; None if none differs.

    `sent` are the headers of the request, `told` the checksums of the answer by the names of headers.
    """
    for name, value in told.items():
        given = sent.get(name)
        if given is not None and value is not None and value != given:
            return given, value
    return None


def part_count(etag: str) -> int | None:
    """The number of parts that a composite ETag names, or None."""
    found = _COMPOSITE.fullmatch(bare(etag))
    return int(found[2]) if found else None
