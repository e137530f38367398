"""ETags: their forms, and how they follow from MD5s."""

import hashlib
import re
from collections.abc import Iterable, Mapping

from aiocos.wire import checksum
from aiocos.wire.message import Bytes

_PLAIN = re.compile(r"[0-9a-f]{32}")
_COMPOSITE = re.compile(r"([0-9a-f]{32})-([0-9]{1,5})")


def content_md5(data: Bytes) -> str:
    """Return the value of `Content-MD5` for a body."""
    return checksum.encode(checksum.compute("md5", data))


def bare(etag: str) -> str:
    """Return an ETag in a form for comparisons.

    It is in lower case, without quotes and the weak prefix `W/`.
    """
    return etag.removeprefix("W/").strip('"').lower()


def etag_of(data: Bytes) -> str:
    """Return the ETag of an object put in one piece, without quotes."""
    return checksum.compute("md5", data).hex()


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
