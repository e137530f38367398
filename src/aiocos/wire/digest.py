"""Checksums as the service writes them, and the ETags that follow from them."""

import base64
import hashlib
import importlib
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from aiocos.wire.message import Bytes

Algorithm = Literal["md5", "crc32", "sha256"]
"""Checksums that the client computes by itself."""

HEADERS: dict[Algorithm, str] = {
    "md5": "Content-MD5",
    "crc32": "x-amz-checksum-crc32",
    "sha256": "x-amz-checksum-sha256",
}

_PLAIN = re.compile(r"[0-9a-f]{32}")
_COMPOSITE = re.compile(r"([0-9a-f]{32})-([0-9]{1,5})")


def _fastest_crc32() -> Callable[[Bytes, int], int]:
    """Return the CRC32 function of ISA-L if it is installed, else that of zlib.

    ISA-L is several times faster. `pip install 'aiocos[fast]'` installs it.
    """
    try:
        return importlib.import_module("isal.isal_zlib").crc32
    except ImportError:
        return zlib.crc32


crc32 = _fastest_crc32()


def digest(algorithm: Algorithm, data: Bytes) -> bytes:
    """Return the checksum of a whole body. MD5 and SHA-256 release the GIL meanwhile."""
    if algorithm == "md5":
        return hashlib.md5(data, usedforsecurity=False).digest()
    if algorithm == "crc32":
        return crc32(data, 0).to_bytes(4, "big")
    return hashlib.sha256(data).digest()


def encode(value: bytes) -> str:
    """Return the base64 of a checksum, as headers carry it."""
    return base64.b64encode(value).decode()


def content_md5(data: Bytes) -> str:
    """Return the value of `Content-MD5` for a body."""
    return encode(digest("md5", data))


def bare(etag: str) -> str:
    """Return an ETag in a form for comparisons.

    It is in lower case, without quotes and the weak prefix `W/`.
    """
    return etag.removeprefix("W/").strip('"').lower()


def etag_of(data: Bytes) -> str:
    """Return the ETag of an object put in one piece, without quotes."""
    return digest("md5", data).hex()


def composite_etag(md5s: Iterable[bytes]) -> str:
    """Return the ETag of a completed multipart upload, without quotes.

    It is the MD5 of the parts' MD5s, a dash, and the number of parts. `md5s` has the 16 bytes of each part, in order.
    """
    joined = b"".join(md5s)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(joined) // 16}"


def is_md5(etag: str) -> bool:
    """Return True if an ETag has the form of an MD5 (32 hexadecimal digits)."""
    return _PLAIN.fullmatch(bare(etag)) is not None


def find_mismatch(sent: Mapping[str, str], reported: Mapping[str, str | None]) -> tuple[str, str] | None:
    """Return the first checksum that the service reports differently, or None.

    The result has the checksum as sent, and as reported.

    Args:
        sent: Headers of the request.
        reported: Checksums of the response, by header name; None for those that the service does not report.
    """
    for name, value in reported.items():
        given = sent.get(name)
        if given is not None and value is not None and value != given:
            return given, value
    return None


def part_count(etag: str) -> int | None:
    """Return the number of parts in a composite ETag; None for any other ETag."""
    found = _COMPOSITE.fullmatch(bare(etag))
    return int(found[2]) if found else None
