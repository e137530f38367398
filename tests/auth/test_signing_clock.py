"""A machine whose clock is wrong signs by the service's clock, once it has been told the time."""

from __future__ import annotations

from datetime import timedelta

import pytest

import aiocos
from aiocos.auth.base import SigningClock
from aiocos.emulator import Emulator


@pytest.mark.parametrize("off", [timedelta(hours=5), timedelta(days=-40)])
async def test_a_wrong_clock_is_set_once(cos_emulator: Emulator, off: timedelta) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"x")
    cos_emulator.clock.advance(off)
    cos_emulator.requests.clear()
    async with cos_emulator.client(hmac=True) as cos:
        await cos.objects.head("bucket", "key")  # an answer without a body, and so without a code
        await cos.objects.put("bucket", "key", b"y")
        async with cos.objects.get("bucket", "key") as obj:
            assert await obj.read() == b"y"
        assert [(s.operation, s.status) for s in cos_emulator.requests] == [
            ("HeadObject", 403),
            ("HeadObject", 200),
            ("PutObject", 200),
            ("GetObject", 200),
        ]
        # Presigned URLs carry the corrected time too.
        url = cos.objects.presign("bucket", "key")
        assert (cos_emulator.clock.now() + timedelta(seconds=2)).strftime("X-Amz-Date=%Y%m%d") in url


async def test_a_streamed_read_is_the_first_to_learn(cos_emulator: Emulator) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"x")
    cos_emulator.clock.advance(timedelta(hours=-3))
    async with cos_emulator.client(hmac=True) as cos:
        assert await cos.objects.read("bucket", "key") == b"x"


async def test_a_clock_that_is_right_makes_no_second_try(cos_emulator: Emulator) -> None:
    await cos_emulator.add_instance()
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
    stranger = await cos_emulator.add_instance()
    cos_emulator.requests.clear()
    async with cos_emulator.client(hmac=True, instance=stranger) as cos:
        for _ in range(3):
            with pytest.raises(aiocos.AccessDenied):
                await cos.buckets.head("bucket")
    assert len(cos_emulator.requests) == 3


def test_the_clock_itself() -> None:
    now = 1000.0
    clock = SigningClock(lambda: now)
    assert not clock.correct(None)
    assert not clock.correct(1059.0)
    assert clock.correct(2000.0)
    assert clock() == 2000.0
    assert not clock.correct(2030.0)
    assert clock.correct(900.0)
    assert clock() == 900.0
