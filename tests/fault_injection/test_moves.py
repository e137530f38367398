"""Moves of which the service gives no proof, or proof of the contrary (E22)."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.fault_injection.conftest import PART, Saw
from tests.responses import ChangedResponse, change_responses

import aiocos
from aiocos.cli.display import ProgressView
from aiocos.cli.mv import _Moves, _run_all
from aiocos.cli.paths import CosPath
from aiocos.errors import TransferError
from aiocos.operations.versioning import VersioningConfiguration
from aiocos.wire import digest
from aiocos.wire.message import PreparedRequest

OTHER = digest.etag_of(b"something else")
DATA = os.urandom(2 * PART)


_ETAG = re.compile(rb"[0-9a-f]{32}(-\d+)?(?=(&quot;|\")?</ETag>)")


def _written(answer: ChangedResponse, etag: bytes) -> None:
    if answer.body and (b"<CopyObjectResult" in answer.body or b"<CompleteMultipartUploadResult" in answer.body):
        answer.body = _ETAG.sub(etag, answer.body)


def another(answer: ChangedResponse) -> None:
    """Whatever is written, the service answers with the MD5 of something else."""
    if answer.is_for("PUT"):
        answer.headers["ETag"] = f'"{OTHER}"'
        _written(answer, OTHER.encode())
    elif answer.is_for("POST"):
        _written(answer, f"{OTHER}-2".encode())


def none(answer: ChangedResponse) -> None:
    """ETags of objects that are no checksums, and no others."""
    if answer.headers.get("ETag") and not answer.is_for("PUT", partNumber=True):
        answer.headers["ETag"] = '"opaque"'
    if answer.is_for("PUT", partNumber=False) or answer.is_for("POST"):
        _written(answer, b"opaque")


def short(answer: ChangedResponse) -> None:
    """What HEAD shows of a copy is a byte shorter than what was sent, and of what was downloaded."""
    if answer.is_for("HEAD") and answer.request.path.endswith(("/up", "/within", "/fetched")):
        answer.headers["Content-Length"] = str(int(answer.headers["Content-Length"]) - 1)


def unconditional(request: PreparedRequest) -> None:
    """Held against ETags that the service does not have, no condition would hold."""
    for name in ("If-Match", "x-amz-copy-source-if-match"):
        request.headers.pop(name, None)


LIES: dict[str, Callable[[ChangedResponse], None]] = {
    "the MD5 of something else": another,
    "no checksum": none,
    "another size": short,
}


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_e22_moves_need_proof(
    small: aiocos.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: AsyncExitStack, saw: Saw
) -> None:
    tried = 0
    file = tmp_path / "file"
    for lie in LIES.values():
        for size in (1_000, len(DATA)):
            file.write_bytes(DATA[:size])
            for key in ("key", "fetched"):
                await small.upload("bucket", key, DATA[:size])
            moves = _Moves(small, ProgressView(), stack)
            with monkeypatch.context() as patch:
                change_responses(patch, lie, unconditional)
                for work in (
                    moves.up(file, "bucket", "up"),
                    moves.within(CosPath("bucket", "key"), CosPath("bucket", "within")),
                    # Of what is written, a move down says nothing to the service.
                    *([] if lie is another else [moves.down(CosPath("bucket", "fetched"), tmp_path / "down")]),
                ):
                    tried += 1
                    with pytest.raises(TransferError, match="not moved"):
                        await _run_all(work)
            assert file.read_bytes() == DATA[:size]
            for key in ("key", "fetched"):
                assert await small.objects.read("bucket", key) == DATA[:size]
    for size in (0, 1_000, len(DATA), 999):
        if size == 999:
            await small.versioning.put("bucket", VersioningConfiguration(status="Enabled"))
        file.write_bytes(DATA[:size])
        moves = _Moves(small, ProgressView(), stack)
        assert await _run_all(moves.up(file, "bucket", "one")) == (1, size)
        assert await _run_all(moves.within(CosPath("bucket", "one"), CosPath("bucket", "two"))) == (1, size)
        assert await _run_all(moves.down(CosPath("bucket", "two"), file)) == (1, size)
        assert file.read_bytes() == DATA[:size]
        assert not await small.objects.exists("bucket", "one")
        assert not await small.objects.exists("bucket", "two")
    saw("E22", f"{tried} moves without a size and a checksum that agree, up, down and within: every source kept")
