"""CRCs in Python, and the combination of CRCs.

They are used for algorithms that have no native implementation on this machine, and to compute the CRC of an object from those
of its parts.

A CRC is linear over GF(2). Two things follow, and both are used here:

* The CRC of two joined byte strings follows from their CRCs and the length of the second (`combine`). The method is that of
  zlib's `crc32_combine` by Mark Adler.
* Many stretches of a long byte string can be processed at once, as the columns of one integer (`update`). This is about seven
  times as fast as a loop over the bytes, and reaches some 50 MB/s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

# Stretches that are processed at once, and the size from which this is faster than the loop over the bytes.
_LANES = 1024
_MIN_SIZE = 512 * _LANES


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A reflected CRC whose register begins with ones and is inverted at the end."""

    value: int
    """The polynomial with its bits reversed."""
    width: int
    """Bits of the CRC."""


CRC32 = Polynomial(0xEDB88320, 32)
CRC32C = Polynomial(0x82F63B78, 32)
CRC64NVME = Polynomial(0x9A6C9329AC4BC9B5, 64)


def update(polynomial: Polynomial, data: bytes | bytearray | memoryview, value: int = 0) -> int:
    """Return the CRC of bytes; `value` is the CRC of the bytes before them."""
    ones = (1 << polynomial.width) - 1
    register, view = value ^ ones, memoryview(data).cast("B")
    if len(view) >= _MIN_SIZE:
        length = len(view) // _LANES
        register = _lanes(polynomial, bytes(view[: length * _LANES]), register)
        view = view[length * _LANES :]
    table = _table(polynomial)
    for byte in view:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ ones


def combine(polynomial: Polynomial, parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC of joined parts, from the CRC and the length in bytes of each."""
    value = 0
    for part, length in parts:
        value = (_multiply(polynomial, _shift(polynomial, length), value) if value else 0) ^ part
    return value


@cache
def _table(polynomial: Polynomial) -> list[int]:
    """Return the effect of each value of a byte on the register."""
    table: list[int] = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ polynomial.value if n & 1 else n >> 1
        table.append(n)
    return table


@cache
def _planes(polynomial: Polynomial) -> list[bytes]:
    """Return the table by planes: the lowest bytes of all entries first."""
    return [bytes(entry >> shift & 0xFF for entry in _table(polynomial)) for shift in range(0, polynomial.width, 8)]


def _lanes(polynomial: Polynomial, data: bytes, register: int) -> int:
    """Return the register after `data`.

    The length of `data` is a multiple of the number of lanes. Each lane has a register of its own, which begins with zeros.
    Byte n of all registers is one integer, a plane, so that one step of all lanes is a few operations on large integers. In the
    end the registers are combined.
    """
    length, tables = len(data) // _LANES, _planes(polynomial)
    size, read = len(tables), int.from_bytes
    planes = [0] * size
    for column in range(length):
        index = (planes[0] ^ read(data[column::length], "little")).to_bytes(_LANES, "little")
        effects = [read(index.translate(table), "little") for table in tables]
        planes = [planes[n + 1] ^ effects[n] for n in range(size - 1)] + [effects[-1]]
    rows = [plane.to_bytes(_LANES, "little") for plane in planes]
    shifts = _shift_tables(polynomial, length)
    for lane in zip(*rows, strict=True):
        shifted = 0
        for table, byte in zip(shifts, register.to_bytes(size, "little"), strict=True):
            shifted ^= table[byte]
        register = shifted ^ read(bytes(lane), "little")
    return register


def _multiply(polynomial: Polynomial, a: int, b: int) -> int:
    """Return the product of two polynomials modulo that of the CRC."""
    product, bit = 0, 1 << (polynomial.width - 1)
    while a:
        if a & bit:
            product ^= b
            a ^= bit
        bit >>= 1
        b = (b >> 1) ^ polynomial.value if b & 1 else b >> 1
    return product


@cache
def _power(polynomial: Polynomial, exponent: int) -> int:
    """Return x to the power of 2 to the power of `exponent`, modulo the polynomial."""
    if not exponent:
        return 1 << (polynomial.width - 2)
    half = _power(polynomial, exponent - 1)
    return _multiply(polynomial, half, half)


@lru_cache(maxsize=64)
def _shift(polynomial: Polynomial, length: int) -> int:
    """Return the factor by which `length` zero bytes multiply a register.

    It is x to the power of `8 * length`.
    """
    factor, exponent = 1 << (polynomial.width - 1), 3
    while length:
        if length & 1:
            factor = _multiply(polynomial, _power(polynomial, exponent), factor)
        length, exponent = length >> 1, exponent + 1
    return factor


@lru_cache(maxsize=8)
def _shift_tables(polynomial: Polynomial, length: int) -> list[list[int]]:
    """Return the effect of `length` zero bytes on each byte of a register."""
    factor, tables = _shift(polynomial, length), list[list[int]]()
    for low in range(0, polynomial.width, 8):
        bits = [_multiply(polynomial, 1 << (low + n), factor) for n in range(8)]
        table = [0]
        for bit in bits:
            table += [bit ^ entry for entry in table]
        tables.append(table)
    return tables
