"""The memory that transfers share: in order, without starving, without leaking."""

import asyncio

import pytest

from aiocos.errors import ConfigError
from aiocos.transfer.budget import Budget


async def test_turns_are_in_order_and_a_large_one_is_not_starved():
    budget, order = Budget(10), []
    await budget.take(8)

    async def want(name: str, size: int) -> None:
        taken = await budget.take(size)
        order.append(name)
        await asyncio.sleep(0)
        budget.give(taken)

    tasks = [asyncio.create_task(want(*w)) for w in (("large", 10), ("small", 1), ("small too", 2))]
    await asyncio.sleep(0)
    assert order == [], "two bytes are free, and the small ones wait behind the large one"
    budget.give(8)
    await asyncio.gather(*tasks)
    assert order == ["large", "small", "small too"]
    assert budget.used == 0


async def test_more_than_there_is_counts_as_all():
    budget = Budget(10)
    taken = await budget.take(1_000)
    assert (taken, budget.used) == (10, 10)
    budget.give(taken)
    with pytest.raises(ConfigError):
        Budget(0)


async def test_a_cancelled_wait_holds_nothing_and_blocks_nobody():
    budget = Budget(10)
    await budget.take(10)
    first, second = asyncio.create_task(budget.take(10)), asyncio.create_task(budget.take(5))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    budget.give(10)
    assert await second == 5
    assert budget.used == 5


async def test_a_cancel_that_comes_with_the_permit_gives_it_back():
    budget = Budget(10)
    await budget.take(10)
    waiting = asyncio.create_task(budget.take(10))
    await asyncio.sleep(0)
    budget.give(10)  # the permit is granted …
    assert budget.used == 10
    waiting.cancel()  # … and the task is cancelled before it wakes
    await asyncio.gather(waiting, return_exceptions=True)
    assert budget.used == 0


async def test_reserve_gives_back_whatever_happens():
    budget = Budget(10)
    with pytest.raises(KeyError):
        async with budget.reserve(7):
            assert budget.used == 7
            raise KeyError
    assert budget.used == 0


async def test_many_small_and_one_large_do_not_lock_up():
    budget, done = Budget(100), 0

    async def work(size: int) -> None:
        nonlocal done
        for _ in range(20):
            async with budget.reserve(size):
                assert budget.used <= 100
                await asyncio.sleep(0)
            done += 1

    async with asyncio.timeout(10):
        await asyncio.gather(*(work(size) for size in [100, 60] + [3] * 50))
    assert done == 52 * 20
    assert budget.used == 0
