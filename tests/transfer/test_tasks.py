"""A task group after whose failure nobody is cancelled any more."""

from __future__ import annotations

import asyncio

import pytest

from aiocos.transfer.tasks import TaskGroup


async def fail() -> None:
    await asyncio.sleep(0)
    raise KeyError


async def test_a_failure_leaves_no_cancel_behind():
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(ExceptionGroup):
        async with TaskGroup() as group:
            group.create_task(fail())
            await asyncio.sleep(60)
    assert task.cancelling() == 0
    with pytest.raises(ExceptionGroup):
        async with TaskGroup() as group:
            group.create_task(fail())
    assert task.cancelling() == 0


async def test_a_cancel_that_was_there_before_stays():
    seen: list[int] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append(task.cancelling())
            with pytest.raises(ExceptionGroup):
                async with TaskGroup() as group:
                    group.create_task(fail())
                    await asyncio.sleep(60)
            seen.append(task.cancelling())
            raise

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [1, 1]


async def test_a_cancel_that_comes_with_a_failure_is_told_of_the_failure():
    async def work() -> int:
        try:
            async with TaskGroup() as group:
                group.create_task(fail())
                await asyncio.sleep(60)
        except ExceptionGroup:
            task = asyncio.current_task()
            assert task is not None
            return task.cancelling()
        return -1

    task = asyncio.ensure_future(work())
    for _ in range(2):
        await asyncio.sleep(0)
    task.cancel()
    assert await task == 0


async def test_without_a_failure_a_cancel_comes_through():
    async def work() -> None:
        async with TaskGroup() as group:
            group.create_task(asyncio.sleep(60))

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_tasks_are_waited_for():
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    async with TaskGroup() as group:
        for number in range(3):
            group.create_task(work(number))
    assert done == [0, 1, 2]
