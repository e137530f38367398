"""Checksums of request bodies and objects.

Which there are, how they are written, and the errors about them.

`wire.checksum` computes them. `Sums` computes the MD5 for the ETag and all others of a body in one pass.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from aiocos.errors import BadDigest, InvalidRequest, ServiceError
from aiocos.wire import checksum
from aiocos.wire.checksum import Algorithm, Hasher

ALGORITHMS: tuple[Algorithm, ...] = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
"""The algorithms of `x-amz-checksum-*`."""
HEADERS: dict[str, Algorithm] = {checksum.HEADERS[name]: name for name in ALGORITHMS}
"""Their headers, in lower case."""
DEFAULT: Algorithm = "crc64nvme"
"""The algorithm of objects that came without a checksum."""


class Sums:
    """The running checksums of one body. `update` may run in a worker thread."""

    def __init__(self, names: Iterable[Algorithm]) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._others: dict[Algorithm, Hasher] = {name: checksum.hasher(name) for name in names}
        self._joins = not all(map(checksum.is_fast, self._others))

    def update(self, chunks: Sequence[bytes]) -> None:
        """Add bytes to all checksums."""
        if self._joins and len(chunks) > 1:
            # CRCs in Python are several times as fast for large pieces.
            chunks = [b"".join(chunks)]
        for chunk in chunks:
            self._md5.update(chunk)
            for other in self._others.values():
                other.update(chunk)

    @property
    def md5(self) -> bytes:
        """The MD5 of the bytes so far."""
        return self._md5.digest()

    def value(self, name: Algorithm) -> bytes:
        """Return the checksum of the bytes so far.

        Raises `KeyError` for an algorithm that is not computed.
        """
        return self._others[name].digest()

    def text(self, name: Algorithm) -> str:
        """Return the checksum of the bytes so far as base64."""
        return checksum.encode(self.value(name))


def decode_md5(text: str) -> bytes:
    """Decode a `Content-MD5`.

    Raises `BadDigest` (InvalidDigest) if it is not base64 of 16 bytes.
    """
    value = checksum.decode("md5", text)
    if value is None:
        raise BadDigest("The Content-MD5 you specified was invalid.", status=400, code="InvalidDigest")
    return value


def decode(name: Algorithm, text: str, where: str = "header") -> bytes:
    """Decode a sent checksum.

    Raises `InvalidRequest` if it is not base64 of the right length.
    """
    value = checksum.decode(name, text)
    if value is None:
        raise invalid(f"Value for {checksum.HEADERS[name]} {where} is invalid.")
    return value


def invalid(message: str) -> ServiceError:
    """Build an `InvalidRequest` error."""
    return InvalidRequest(message, status=400, code="InvalidRequest")


def mismatch(name: Algorithm) -> BadDigest:
    """Build the error for a body or an object that does not match its checksum."""
    what = "Content-MD5" if name == "md5" else name.upper()
    return BadDigest(f"The {what} you specified did not match the calculated checksum.", status=400, code="BadDigest")


def requested(text: str | None) -> Algorithm | None:
    """Return the algorithm in an `x-amz-checksum-algorithm` header.

    Raises `InvalidRequest` for an unknown one.
    """
    if not text:
        return None
    name = HEADERS.get(f"x-amz-checksum-{text.lower()}")
    if name is None:
        known = ", ".join(ALGORITHMS).upper()
        raise invalid(f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{known}]")
    return name


def type_of(sums: Mapping[str, str]) -> str | None:
    """Return the type of an object's checksums.

    `COMPOSITE` checksums are of the parts' checksums and end in the number of parts.
    """
    if not sums:
        return None
    return "COMPOSITE" if all("-" in value for value in sums.values()) else "FULL_OBJECT"


def full_object(sums: Mapping[str, str], name: str) -> str | None:
    """Return a checksum of all bytes of an object.

    None if it has none with this algorithm.
    """
    value = sums.get(name)
    return None if value is None or "-" in value else value


def composite(name: Algorithm, values: Sequence[bytes]) -> str:
    """Return the composite checksum of an upload.

    It is the checksum of the parts' checksums, a dash, and the number of parts.
    """
    return f"{checksum.encode(checksum.compute(name, b''.join(values)))}-{len(values)}"


def combine(name: Algorithm, parts: Iterable[tuple[bytes, int]]) -> str:
    """Return the CRC of an object from the CRC and the length of each part."""
    return checksum.encode(checksum.combine(name, parts))
