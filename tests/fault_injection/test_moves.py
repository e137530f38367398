"""Moves for which the service reports no checksum, or a wrong one (E22)."""

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
from aiocos.emulator import Emulator
from aiocos.errors import TransferError
from aiocos.operations.versioning import VersioningConfiguration
from aiocos.wire import digest
from aiocos.wire.checksum import HEADERS, Algorithm, compute, encode
from aiocos.wire.message import PreparedRequest

OTHER = digest.etag_of(b"something else")
OTHER_CRCS: dict[Algorithm, str] = {name: encode(compute(name, b"something else")) for name in ("crc32", "crc64nvme")}
DATA = os.urandom(2 * PART)


_ETAG = re.compile(rb"[0-9a-f]{32}(-\d+)?(?=(&quot;|\")?</ETag>)")


def _written(response: ChangedResponse, etag: bytes) -> None:
    if response.body and (b"<CopyObjectResult" in response.body or b"<CompleteMultipartUploadResult" in response.body):
        response.body = _ETAG.sub(etag, response.body)


def wrong_checksum(response: ChangedResponse) -> None:
    """Make the service report the MD5 of other bytes for every write."""
    if response.is_for("PUT"):
        response.headers["ETag"] = f'"{OTHER}"'
        _written(response, OTHER.encode())
    elif response.is_for("POST"):
        _written(response, f"{OTHER}-2".encode())


def wrong_crc(response: ChangedResponse) -> None:
    """Make the service report the CRCs of other bytes for every write, and in every HEAD of what was written."""
    if response.is_for("PUT") or (response.is_for("HEAD") and response.request.path.endswith(("/up", "/within"))):
        for name, text in OTHER_CRCS.items():
            if HEADERS[name] in response.headers:
                response.headers[HEADERS[name]] = text
    if body := response.body:
        for name, text in OTHER_CRCS.items():
            tag = f"Checksum{name.upper()}".encode()
            body = re.sub(rb"<%b>[^<]*<" % tag, b"<%b>%b<" % (tag, text.encode()), body)
        response.body = body


def no_checksum(response: ChangedResponse) -> None:
    """Replace the ETags of objects by texts that are not checksums. Those of parts stay."""
    if response.headers.get("ETag") and not response.is_for("PUT", partNumber=True):
        response.headers["ETag"] = '"opaque"'
    if response.is_for("PUT", partNumber=False) or response.is_for("POST"):
        _written(response, b"opaque")


def wrong_size(response: ChangedResponse) -> None:
    """Make HEAD report one byte less than was sent or downloaded."""
    if response.is_for("HEAD") and response.request.path.endswith(("/up", "/within", "/fetched")):
        response.headers["Content-Length"] = str(int(response.headers["Content-Length"]) - 1)


def remove_conditions(request: PreparedRequest) -> None:
    """Remove conditions on the ETag: with changed ETags every conditional request would fail."""
    for name in ("If-Match", "x-amz-copy-source-if-match"):
        request.headers.pop(name, None)


LIES: dict[str, Callable[[ChangedResponse], None]] = {
    "the MD5 of something else": wrong_checksum,
    "the CRC of something else": wrong_crc,
    "no checksum": no_checksum,
    "another size": wrong_size,
}


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_e22_a_move_keeps_the_source_unless_the_copy_is_verified(
    small: aiocos.Client,
    cos_emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stack: AsyncExitStack,
    saw: Saw,
) -> None:
    """ETags decide where the service shows no checksums; where it does, they outweigh ETags."""
    tried = 0
    file = tmp_path / "file"
    for lie in LIES.values():
        cos_emulator.checksums = lie in (wrong_crc, wrong_size)
        # A client of its own: one that has met a service without checksums sends MD5s from then on.
        client = await stack.enter_async_context(cos_emulator.client(config=small.config))
        for size in (1_000, len(DATA)):
            file.write_bytes(DATA[:size])
            for key in ("key", "fetched"):
                await small.upload("bucket", key, DATA[:size])
            moves = _Moves(client, ProgressView(), stack)
            with monkeypatch.context() as patch:
                change_responses(patch, lie, remove_conditions)
                for work in (
                    moves.up(file, "bucket", "up"),
                    moves.within(CosPath("bucket", "key"), CosPath("bucket", "within")),
                    # A move that downloads does not write to the service.
                    *(
                        []
                        if lie in (wrong_checksum, wrong_crc)
                        else [moves.down(CosPath("bucket", "fetched"), tmp_path / "down")]
                    ),
                ):
                    tried += 1
                    with pytest.raises(TransferError, match="not moved"):
                        await _run_all(work)
            assert file.read_bytes() == DATA[:size]
            for key in ("key", "fetched"):
                assert await small.objects.read("bucket", key) == DATA[:size]
    for size in (0, 1_000, len(DATA), 999):
        cos_emulator.checksums = size != 1_000
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
    saw(
        "E22", f"{tried} moves without matching size and checksum (upload, download, within the service): every source was kept"
    )
