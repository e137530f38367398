"""How clients fail at the token service, and that this one does not: trials E1, E1b and E1c (E12: `test_presigned`)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import pytest

from aiocos import Client, CredentialsError
from aiocos.emulator import BadToken, Delay, Emulator, Reset, Status


@pytest.fixture(autouse=True)
async def bucket(cos_emulator: Emulator) -> None:
    async with cos_emulator.client(hmac=True) as cos:  # by signature: no token is there yet
        await cos.buckets.create("bucket")
    cos_emulator.requests.clear()


def without_token(emulator: Emulator) -> list[str]:
    """What was asked of the service without a token, or with one that it does not know."""
    return [s.operation for s in emulator.requests if s.operation != "CreateToken" and s.status in (401, 403)]


async def test_e1_ten_clients_one_token(cos_emulator: Emulator) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(cos_emulator.client()) for _ in range(10)]
        await asyncio.gather(*(clients[n % 10].objects.put("bucket", f"k{n}", b"") for n in range(62)))
    assert len(cos_emulator.iam.requests) == 1
    assert without_token(cos_emulator) == []


@pytest.mark.slow
async def test_e1b_iam_takes_six_seconds(cos_emulator: Emulator) -> None:
    cos_emulator.faults.script([Delay(6.0, operation="CreateToken")])
    began = time.monotonic()
    async with cos_emulator.client() as cos:
        await asyncio.gather(*(cos.objects.put("bucket", f"k{n}", b"") for n in range(40)))
    assert len(cos_emulator.iam.requests) == 1
    assert without_token(cos_emulator) == []
    assert time.monotonic() - began < 9


async def _puts(cos: Client, number: int = 20) -> list[object]:
    return await asyncio.gather(*(cos.objects.put("bucket", f"k{n}", b"") for n in range(number)), return_exceptions=True)


async def test_e1c_asked_to_wait_it_waits(cos_emulator: Emulator) -> None:
    cos_emulator.faults.script([Status(429, retry_after=1, operation="CreateToken")])
    began = time.monotonic()
    async with cos_emulator.client() as cos:
        assert not [r for r in await _puts(cos) if isinstance(r, BaseException)]
    assert time.monotonic() - began >= 1
    assert len(cos_emulator.iam.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Status(500, operation="CreateToken", times=2),
        BadToken("garbage", times=2),
        BadToken("empty", times=2),
        BadToken("expired", times=2),
        Reset(operation="CreateToken", times=2),
    ],
    ids=["500", "garbage", "empty", "expired", "reset"],
)
async def test_e1c_what_passes_is_tried_again(cos_emulator: Emulator, fault: object) -> None:
    cos_emulator.faults.script([fault])  # type: ignore[list-item]
    async with cos_emulator.client() as cos:
        assert not [r for r in await _puts(cos) if isinstance(r, BaseException)]
    assert without_token(cos_emulator) == []


@pytest.mark.parametrize("what", ["garbage", "empty", "expired"])
async def test_e1c_what_does_not_pass_is_one_clear_error(cos_emulator: Emulator, what: str) -> None:
    cos_emulator.faults.script([BadToken(what, times=None)])  # type: ignore[arg-type]
    async with cos_emulator.client() as cos:
        results = await _puts(cos)
    assert {type(r) for r in results} == {CredentialsError}
    assert len({str(r) for r in results}) == 1
    assert len([s for s in cos_emulator.requests if s.operation == "CreateToken"]) == 5  # attempts, for all twenty callers
    assert [s for s in cos_emulator.requests if s.operation != "CreateToken"] == []
    assert cos_emulator.api_key not in str(results[0])


@pytest.mark.slow
async def test_e1c_the_old_token_is_used_while_it_lives(cos_emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "aiocos")
    cos_emulator.iam.expires_in = 8  # ageing from the sixth second on
    async with cos_emulator.client() as cos:
        await cos.buckets.head("bucket")
        cos_emulator.faults.script([Status(503, operation="CreateToken", times=None)])
        await asyncio.sleep(6.5)
        for _ in range(5):
            await cos.buckets.head("bucket")
            await asyncio.sleep(0.02)
    assert without_token(cos_emulator) == []
    # The refresh went on in the background all that time; what it says, it says once.
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) <= 1
