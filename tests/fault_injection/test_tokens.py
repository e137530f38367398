"""IAM tokens under load and failures: one token for all callers, no request without a token, retries (E1, E1b, E1c, E12)."""

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
    async with cos_emulator.client(hmac=True) as cos:  # with HMAC, so that no token is requested yet
        await cos.buckets.create("bucket")
    cos_emulator.requests.clear()


def requests_without_token(emulator: Emulator) -> list[str]:
    """Return the operations that were requested without a token or with an unknown one."""
    return [s.operation for s in emulator.requests if s.operation != "CreateToken" and s.status in (401, 403)]


async def test_e1_ten_clients_share_one_token(cos_emulator: Emulator, saw: Saw) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(cos_emulator.client()) for _ in range(10)]
        await asyncio.gather(*(clients[n % 10].objects.put("bucket", f"k{n}", b"") for n in range(62)))
    assert len(cos_emulator.iam.requests) == 1
    assert requests_without_token(cos_emulator) == []
    saw("E1", f"{len(cos_emulator.iam.requests)} token request for 10 clients and 62 requests")


@pytest.mark.slow
async def test_e1b_callers_wait_for_a_slow_token(cos_emulator: Emulator, saw: Saw) -> None:
    cos_emulator.faults.script([Delay(6.0, operation="CreateToken")])
    began = time.monotonic()
    async with cos_emulator.client() as cos:
        await asyncio.gather(*(cos.objects.put("bucket", f"k{n}", b"") for n in range(40)))
    assert len(cos_emulator.iam.requests) == 1
    assert requests_without_token(cos_emulator) == []
    took = time.monotonic() - began
    assert took < 9
    saw("E1b", f"1 token request, 40 successful calls, 0 requests without a token, {took:.1f} s")


async def _puts(cos: Client, number: int = 20) -> list[object]:
    return await asyncio.gather(*(cos.objects.put("bucket", f"k{n}", b"") for n in range(number)), return_exceptions=True)


async def test_e1c_retry_after_of_the_token_service_is_respected(cos_emulator: Emulator, saw: Saw) -> None:
    cos_emulator.faults.script([Status(429, retry_after=1, operation="CreateToken")])
    began = time.monotonic()
    async with cos_emulator.client() as cos:
        assert not [r for r in await _puts(cos) if isinstance(r, BaseException)]
    assert time.monotonic() - began >= 1
    assert len(cos_emulator.iam.requests) == 1
    saw("E1c", "429 with Retry-After: waits that long, then one token for 20 callers")


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
async def test_e1c_temporary_failures_of_the_token_service_are_retried(cos_emulator: Emulator, fault: object, saw: Saw) -> None:
    cos_emulator.faults.script([fault])  # type: ignore[list-item]
    async with cos_emulator.client() as cos:
        assert not [r for r in await _puts(cos) if isinstance(r, BaseException)]
    assert requests_without_token(cos_emulator) == []
    saw("E1c", "500, garbage, empty, expired, reset, each twice: retried, 20 of 20 calls succeed")


@pytest.mark.parametrize("what", ["garbage", "empty", "expired"])
async def test_e1c_permanent_failures_of_the_token_service_are_one_error(cos_emulator: Emulator, what: str, saw: Saw) -> None:
    cos_emulator.faults.script([BadToken(what, times=None)])  # type: ignore[arg-type]
    async with cos_emulator.client() as cos:
        results = await _puts(cos)
    assert {type(r) for r in results} == {CredentialsError}
    assert len({str(r) for r in results}) == 1
    assert (
        len([s for s in cos_emulator.requests if s.operation == "CreateToken"]) == 5
    )  # attempts, shared by all twenty callers
    assert [s for s in cos_emulator.requests if s.operation != "CreateToken"] == []
    assert cos_emulator.api_key not in str(results[0])
    saw("E1c", "never a valid token: 5 attempts shared by 20 callers, then a `CredentialsError` for each")


@pytest.mark.slow
async def test_e1c_a_valid_token_is_used_while_refreshes_fail(
    cos_emulator: Emulator, caplog: pytest.LogCaptureFixture, saw: Saw
) -> None:
    caplog.set_level(logging.WARNING, "aiocos")
    cos_emulator.iam.expires_in = 8  # refreshed from the sixth second on
    async with cos_emulator.client() as cos:
        await cos.buckets.head("bucket")
        cos_emulator.faults.script([Status(503, operation="CreateToken", times=None)])
        await asyncio.sleep(6.5)
        for _ in range(5):
            await cos.buckets.head("bucket")
            await asyncio.sleep(0.02)
    assert requests_without_token(cos_emulator) == []
    # The refresh was retried in the background all the time, and logged one warning.
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) <= 1
    saw("E1c", "refused while a token is still valid: the old token is used, one warning")


async def test_e12_presigning_without_hmac_keys_says_what_is_missing(cos_emulator: Emulator, saw: Saw) -> None:
    only = {"api_key": cos_emulator.api_key, "iam_endpoint": cos_emulator.iam_endpoint}
    async with Client(cos_emulator.endpoint, **only) as cos:
        with pytest.raises(CredentialsError, match=r"that takes HMAC keys\. Give access_key_id") as caught:
            cos.objects.presign("bucket", "key")
    saw("E12", f"“{str(caught.value).partition('. ')[0]} …”")
