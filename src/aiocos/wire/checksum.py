"""The checksums of the service: how each is computed, written and combined.

The service accepts five checksums in headers `x-amz-checksum-…`, and `Content-MD5`. CRCs can be combined: the checksum of an
object follows from the checksums of its parts, in whatever order these were computed. Hashes cannot.

`pip install 'aiocos[fast]'` installs native implementations of the CRCs, which run at several GiB/s. Without them, CRC32 is
computed by zlib (1 to 3 GiB/s), and CRC32C and CRC64NVME in Python (some 70 MB/s).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import sys
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Literal, Protocol

from aiocos.wire import crc
from aiocos.wire.message import Bytes

Algorithm = Literal["md5", "crc32", "crc32c", "crc64nvme", "sha1", "sha256"]
"""Checksums that the client computes. `md5` is sent as `Content-MD5`."""

HEADERS: dict[Algorithm, str] = {
    "md5": "Content-MD5",
    "crc32": "x-amz-checksum-crc32",
    "crc32c": "x-amz-checksum-crc32c",
    "crc64nvme": "x-amz-checksum-crc64nvme",
    "sha1": "x-amz-checksum-sha1",
    "sha256": "x-amz-checksum-sha256",
}
"""The header that carries each checksum, as base64."""

LENGTHS: dict[Algorithm, int] = {"md5": 16, "crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
"""Bytes of each checksum."""

BY_NAME: dict[str, Algorithm] = {name.upper(): name for name in HEADERS if name != "md5"}
"""The checksums of `x-amz-checksum-…` by the names that requests and documents give them, such as `CRC64NVME`."""

_POLYNOMIALS: dict[Algorithm, crc.Polynomial] = {"crc32": crc.CRC32, "crc32c": crc.CRC32C, "crc64nvme": crc.CRC64NVME}
_HASHES: dict[Algorithm, Callable[..., Hasher]] = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256}

# Native functions, in order of preference: module and attribute.
_NATIVE: dict[Algorithm, tuple[tuple[str, str], ...]] = {
    "crc32": (("isal.isal_zlib", "crc32"), ("zlib", "crc32")),
    "crc32c": (("awscrt.checksums", "crc32c"),),
    "crc64nvme": (("awscrt.checksums", "crc64nvme"),),
}


class Hasher(Protocol):
    """A checksum that is computed while bytes arrive."""

    def update(self, data: Bytes, /) -> None:
        """Add bytes."""
        ...

    def digest(self) -> bytes:
        """Return the checksum of the bytes so far."""
        ...


class _Crc:
    """A CRC that is computed while bytes arrive."""

    __slots__ = ("_length", "_update", "_value")

    def __init__(self, algorithm: Algorithm) -> None:
        self._update = _function(algorithm)
        self._length = LENGTHS[algorithm]
        self._value = 0

    def update(self, data: Bytes, /) -> None:
        self._value = self._update(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._length, "big")


def crc32(data: Bytes, value: int = 0) -> int:
    """Return a CRC32 as a number; `value` is that of the bytes before `data`."""
    return _function("crc32")(data, value)


def hasher(algorithm: Algorithm) -> Hasher:
    """Return an object that computes a checksum while bytes arrive."""
    if algorithm in _POLYNOMIALS:
        return _Crc(algorithm)
    return _HASHES[algorithm](usedforsecurity=False)


def compute(algorithm: Algorithm, data: Bytes) -> bytes:
    """Return the checksum of a whole body.

    Hashes, zlib and ISA-L release the GIL for large bodies.
    """
    if algorithm in _POLYNOMIALS:
        return _function(algorithm)(data, 0).to_bytes(LENGTHS[algorithm], "big")
    return _HASHES[algorithm](data, usedforsecurity=False).digest()


def is_combinable(algorithm: Algorithm) -> bool:
    """Return True if the checksums of parts make the checksum of the whole."""
    return algorithm in _POLYNOMIALS


def combine(algorithm: Algorithm, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """Return the checksum of joined parts.

    `parts` has the checksum and the length in bytes of each, in order. Raises `KeyError` for an algorithm that is not
    combinable.
    """
    value = crc.combine(_POLYNOMIALS[algorithm], ((int.from_bytes(part, "big"), length) for part, length in parts))
    return value.to_bytes(LENGTHS[algorithm], "big")


def is_fast(algorithm: Algorithm) -> bool:
    """Return True unless the checksum would be computed in Python."""
    return algorithm in _HASHES or not isinstance(_function(algorithm), partial)


def best() -> Algorithm:
    """Return the checksum of `"auto"`: CRC64NVME if it is fast here, else CRC32."""
    return "crc64nvme" if is_fast("crc64nvme") else "crc32"


def encode(value: bytes) -> str:
    """Return the base64 of a checksum, as headers carry it."""
    return binascii.b2a_base64(value, newline=False).decode()


def decode(algorithm: Algorithm, text: str) -> bytes | None:
    """Return the bytes of a checksum in a header, or None if it is malformed."""
    try:
        value = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        return None
    return value if len(value) == LENGTHS[algorithm] else None


def is_loaded(algorithm: Algorithm) -> bool:
    """Return True if its native implementation needs no more time to load.

    The library of CRC64NVME and CRC32C takes 40 ms. False as well if they have none.
    """
    return algorithm not in ("crc64nvme", "crc32c") or sys.modules.get("awscrt.checksums") is not None


@cache
def _function(algorithm: Algorithm) -> Callable[[Bytes, int], int]:
    """Return the fastest function here that adds bytes to a CRC."""
    for module, name in _NATIVE[algorithm]:
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    return partial(crc.update, _POLYNOMIALS[algorithm])
