"""The memory that transfers share: in order, without starving, without leaking."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiocos.errors import ConfigError
from aiocos.transfer.memory import MemoryBudget


async def test_turns_are_in_order_and_a_large_one_is_not_starved():
    budget, order = MemoryBudget(10), []
    await budget.acquire(8)

    async def want(name: str, size: int) -> None:
        taken = await budget.acquire(size)
        order.append(name)
        await asyncio.sleep(0)
        budget.release(taken)

    tasks = [asyncio.create_task(want(*w)) for w in (("large", 10), ("small", 1), ("small too", 2))]
    await asyncio.sleep(0)
    assert order == [], "two bytes are free, and the small ones wait behind the large one"
    budget.release(8)
    await asyncio.gather(*tasks)
    assert order == ["large", "small", "small too"]
    assert budget.used == 0


async def test_more_than_there_is_counts_as_all():
    budget = MemoryBudget(10)
    taken = await budget.acquire(1_000)
    assert (taken, budget.used) == (10, 10)
    budget.release(taken)
    with pytest.raises(ConfigError):
        MemoryBudget(0)


async def test_a_cancelled_wait_holds_nothing_and_blocks_nobody():
    budget = MemoryBudget(10)
    await budget.acquire(10)
    first, second = asyncio.create_task(budget.acquire(10)), asyncio.create_task(budget.acquire(5))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    budget.release(10)
    assert await second == 5
    assert budget.used == 5


async def test_a_cancel_that_comes_with_the_permit_gives_it_back():
    budget = MemoryBudget(10)
    await budget.acquire(10)
    waiting = asyncio.create_task(budget.acquire(10))
    await asyncio.sleep(0)
    budget.release(10)  # the permit is granted …
    assert budget.used == 10
    waiting.cancel()  # … and the task is cancelled before it wakes
    await asyncio.gather(waiting, return_exceptions=True)
    assert budget.used == 0


async def test_reserve_gives_back_whatever_happens():
    budget = MemoryBudget(10)
    with pytest.raises(KeyError):
        async with budget.reserve(7):
            assert budget.used == 7
            raise KeyError
    assert budget.used == 0


async def test_many_small_and_one_large_do_not_lock_up():
    budget, done = MemoryBudget(100), 0

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


async def test_lines_take_turns():
    """A small file does not wait for all the parts that a large one has asked for."""
    budget, order = MemoryBudget(10), []
    await budget.acquire(10)

    async def want(owner: str, number: int) -> None:
        taken = await budget.acquire(10, owner)
        order.append(f"{owner}{number}")
        await asyncio.sleep(0)
        budget.release(taken)

    tasks = [asyncio.create_task(want("large", n)) for n in range(5)]
    tasks += [asyncio.create_task(want("small", 0)), asyncio.create_task(want("other", 0))]
    await asyncio.sleep(0)
    budget.release(10)
    await asyncio.gather(*tasks)
    assert order == ["large0", "small0", "other0", "large1", "large2", "large3", "large4"]
    assert budget.used == 0


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 120), st.booleans()), max_size=40), st.randoms())
def test_whatever_comes_nothing_is_lost_and_nobody_waits_for_ever(wants: list[tuple[int, int, bool]], chance: random.Random):
    async def play() -> None:
        budget = MemoryBudget(100)

        async def want(owner: int, size: int) -> None:
            async with budget.reserve(size, owner):
                assert 0 < budget.used <= 100
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(want(owner, size)) for owner, size, _ in wants]
        for task, (_, _, cancelled) in zip(tasks, wants, strict=True):
            if cancelled:
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(0)
                task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert budget.used == 0
        assert await budget.acquire(100) == 100

    asyncio.run(play())
