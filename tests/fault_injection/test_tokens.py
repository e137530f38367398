"""At the token service: one token for all, none missing, patience where it helps (E1, E1b, E1c, E12)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import pytest
from tests.fault_injection.conftest import Saw

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


async def test_e1_ten_clients_one_token(cos_emulator: Emulator, saw: Saw) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(cos_emulator.client()) for _ in range(10)]
        await asyncio.gather(*(clients[n % 10].objects.put("bucket", f"k{n}", b"") for n in range(62)))
    assert len(cos_emulator.iam.requests) == 1
    assert without_token(cos_emulator) == []
    saw("E1", f"{len(cos_emulator.iam.requests)} token for 10 clients and 62 requests")


@pytest.mark.slow
async def test_e1b_iam_takes_six_seconds(cos_emulator: Emulator, saw: Saw) -> None:
    cos_emulator.faults.script([Delay(6.0, operation="CreateToken")])
    began = time.monotonic()
    async with cos_emulator.client() as cos:
        await asyncio.gather(*(cos.objects.put("bucket", f"k{n}", b"") for n in range(40)))
    assert len(cos_emulator.iam.requests) == 1
    assert without_token(cos_emulator) == []
    took = time.monotonic() - began
    assert took < 9
    saw("E1b", f"1 token request, 40 successes, 0 requests without a token, {took:.1f} s")


async def _puts(cos: Client, number: int = 20) -> list[object]:
    return await asyncio.gather(*(cos.objects.put("bucket", f"k{n}", b"") for n in range(number)), return_exceptions=True)


async def test_e1c_asked_to_wait_it_waits(cos_emulator: Emulator, saw: Saw) -> None:
    cos_emulator.faults.script([Status(429, retry_after=1, operation="CreateToken")])
    began = time.monotonic()
    async with cos_emulator.client() as cos:
        assert not [r for r in await _puts(cos) if isinstance(r, BaseException)]
    assert time.monotonic() - began >= 1
    assert len(cos_emulator.iam.requests) == 1
    saw("E1c", "429 with Retry-After: waited as told, 20 callers served by one token")


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
async def test_e1c_what_passes_is_tried_again(cos_emulator: Emulator, fault: object, saw: Saw) -> None:
    cos_emulator.faults.script([fault])  # type: ignore[list-item]
    async with cos_emulator.client() as cos:
        assert not [r for r in await _puts(cos) if isinstance(r, BaseException)]
    assert without_token(cos_emulator) == []
    saw("E1c", "500, garbage, empty, expired, reset, each twice: tried again, 20 of 20 callers served")


@pytest.mark.parametrize("what", ["garbage", "empty", "expired"])
async def test_e1c_what_does_not_pass_is_one_clear_error(cos_emulator: Emulator, what: str, saw: Saw) -> None:
    cos_emulator.faults.script([BadToken(what, times=None)])  # type: ignore[arg-type]
    async with cos_emulator.client() as cos:
        results = await _puts(cos)
    assert {type(r) for r in results} == {CredentialsError}
    assert len({str(r) for r in results}) == 1
    assert len([s for s in cos_emulator.requests if s.operation == "CreateToken"]) == 5  # attempts, for all twenty callers
    assert [s for s in cos_emulator.requests if s.operation != "CreateToken"] == []
    assert cos_emulator.api_key not in str(results[0])
    saw("E1c", "never a good token: 5 attempts for all 20 callers, then one `CredentialsError` each")


@pytest.mark.slow
async def test_e1c_the_old_token_is_used_while_it_lives(
    cos_emulator: Emulator, caplog: pytest.LogCaptureFixture, saw: Saw
) -> None:
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
    saw("E1c", "refused while a token lives: the old one is used, one warning")


async def test_e12_tokens_cannot_sign_and_it_is_said_what_can(cos_emulator: Emulator, saw: Saw) -> None:
    only = {"api_key": cos_emulator.api_key, "iam_endpoint": cos_emulator.iam_endpoint}
    async with Client(cos_emulator.endpoint, **only) as cos:
        with pytest.raises(CredentialsError, match=r"that takes HMAC keys\. Give access_key_id") as caught:
            cos.objects.presign("bucket", "key")
    saw("E12", f"“{str(caught.value).partition('. ')[0]} …”")
