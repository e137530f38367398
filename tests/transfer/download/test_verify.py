"""The reader behind the writers: what it reads, and what it says."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aiocos.config import MIB
from aiocos.errors import IntegrityError
from aiocos.integrity import Verification
from aiocos.object_checksum import Checksum
from aiocos.transfer.download import verify
from aiocos.transfer.download.verify import DiskVerifier
from aiocos.wire.message import Bytes

DATA = os.urandom(9 * MIB + 17)


def proof_of(expected: bytes, kind: str = "md5") -> Checksum:
    md5 = hashlib.md5(usedforsecurity=False)
    return Checksum(kind, hashlib.md5(expected, usedforsecurity=False).hexdigest(), md5.update, md5.hexdigest)  # type: ignore[arg-type]


async def strict(proof: Checksum, what: str) -> bool:
    proof.check(what)
    return True


@asynccontextmanager
async def written(tmp_path: Path, data: bytes = DATA) -> AsyncIterator[int]:
    (tmp_path / "f").write_bytes(data)
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("length", [0, 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 8 * MIB, len(DATA)])
async def test_all_of_a_file_is_read_once_and_in_order(tmp_path: Path, length: int):
    data = DATA[:length]
    async with written(tmp_path, data) as fd:
        verifier = DiskVerifier(fd, length, Verification(proof_of(data), strict))
        verifier.add_written(0, length)
        await asyncio.wait_for(verifier.run("it"), 30)
        assert verifier.verified == "md5"


async def test_what_lies_behind_a_gap_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[tuple[int, int]] = []
    real = verify._hash

    def noted(fd: int, offset: int, view: memoryview, proof: Checksum) -> None:
        read.append((offset, len(view)))
        real(fd, offset, view, proof)

    monkeypatch.setattr(verify, "_hash", noted)
    async with written(tmp_path) as fd:
        verifier = DiskVerifier(fd, len(DATA), Verification(proof_of(DATA, "composite"), strict))
        following = asyncio.ensure_future(verifier.run("it"))

        async def has(offset: int, length: int, *expected: tuple[int, int]) -> None:
            verifier.add_written(offset, length)
            async with asyncio.timeout(30):
                while sum(length for _, length in read) < sum(length for _, length in expected):
                    await asyncio.sleep(0.001)
            for _ in range(20):
                await asyncio.sleep(0)
            assert read == list(expected)
            read.clear()

        await has(2 * MIB, MIB)
        await has(0, MIB, (0, MIB))
        await has(4 * MIB, len(DATA) - 4 * MIB)
        await has(MIB, MIB, (MIB, 2 * MIB))
        assert not following.done()
        assert verifier.verified is None
        await has(3 * MIB, MIB, (3 * MIB, 4 * MIB), (7 * MIB, 2 * MIB + 17))
        await asyncio.wait_for(following, 30)
        assert verifier.verified == "composite"


async def test_bytes_that_are_another_objects_are_an_error(tmp_path: Path):
    async with written(tmp_path) as fd:
        verifier = DiskVerifier(fd, len(DATA), Verification(proof_of(DATA[1:]), strict))
        verifier.add_written(0, len(DATA))
        with pytest.raises(IntegrityError, match="the download of x"):
            await verifier.run("the download of x")
        assert verifier.verified is None


async def test_where_nothing_vouches_nothing_is_read(tmp_path: Path):
    for size, evidence in ((5, None), (None, Verification(proof_of(b""), strict))):
        verifier = DiskVerifier(-1, size, evidence)
        await asyncio.wait_for(verifier.run("it"), 30)
        assert verifier.verified is None


async def test_a_check_that_says_nothing_verifies_nothing(tmp_path: Path):
    async def vague(proof: Checksum, what: str) -> bool:
        return False

    async with written(tmp_path) as fd:
        verifier = DiskVerifier(fd, len(DATA), Verification(proof_of(b"other"), vague))
        verifier.add_written(0, len(DATA))
        await verifier.run("it")
        assert verifier.verified is None


async def test_a_supposition_is_looked_into_before_it_is_held_against_an_object(tmp_path: Path):
    asked = 0

    def evidence(first: Checksum, second: Checksum | None) -> Verification:
        async def otherwise() -> Checksum | None:
            nonlocal asked
            asked += 1
            return second

        return Verification(first, strict, otherwise)

    async with written(tmp_path) as fd:

        async def follow(evidence: Verification) -> str | None:
            verifier = DiskVerifier(fd, len(DATA), evidence)
            verifier.add_written(0, len(DATA))
            await verifier.run("it")
            return verifier.verified

        assert await follow(evidence(proof_of(DATA, "composite"), proof_of(b"wrong"))) == "composite"
        assert asked == 0, "it agrees: nothing is asked"
        assert await follow(evidence(proof_of(b"wrong", "composite"), proof_of(DATA, "checksum"))) == "checksum"
        assert await follow(evidence(proof_of(b"wrong", "composite"), None)) is None
        wrong = proof_of(b"wrong", "composite")
        with pytest.raises(IntegrityError):
            await follow(evidence(wrong, wrong))
        with pytest.raises(IntegrityError):
            await follow(evidence(proof_of(b"wrong"), proof_of(b"wrong, too")))
        assert asked == 4


async def test_a_proof_that_is_right_after_all_is_not_read_twice(tmp_path: Path):
    """`otherwise` returns the same proof where its supposition is right."""
    total = 0

    def update(data: Bytes) -> None:
        nonlocal total
        total += len(data)

    proof = Checksum("md5", "x", update, lambda: "y")

    async def otherwise() -> Checksum:
        return proof

    async with written(tmp_path) as fd:
        verifier = DiskVerifier(fd, len(DATA), Verification(proof, strict, otherwise))
        verifier.add_written(0, len(DATA))
        with pytest.raises(IntegrityError):
            await verifier.run("it")
    assert total == len(DATA)
